"""How tightly each kind of notation binds on one line: the table by which every printer decides about brackets."""

from __future__ import annotations

from typing import Final

from backproof.language.notation import (
    Big,
    Bracketed,
    Call,
    Cases,
    Derivative,
    Entry,
    Marked,
    Negative,
    Notation,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Relation,
    Symbol,
    Transposed,
    Words,
)

RELATION: Final = 0
SUM: Final = 1
PRODUCT: Final = 2
TIGHT: Final = 3
DERIVATIVE: Final = 4
RAISED: Final = 5
ATOM: Final = 6

LEVELS: Final[dict[type[Notation], int]] = {
    Relation: RELATION,
    Words: RELATION,
    Cases: RELATION,
    Plus: SUM,
    Negative: SUM,
    Quotient: PRODUCT,
    Big: PRODUCT,
    Derivative: DERIVATIVE,
    Power: RAISED,
    Transposed: RAISED,
}
"""Levels of the kinds of notation; every other kind is an atom."""

TIGHT_SIGNS: Final = frozenset({"", "@"})
"""Products by juxtaposition bind tighter than products with a sign."""


def unmarked(node: Notation) -> Notation:
    """The notation without the marks around it."""
    while isinstance(node, Marked):
        node = node.body
    return node


def level(node: Notation) -> int:
    """How tightly the notation binds: a part below the level that its place asks for gets brackets."""
    match unmarked(node):
        case Product(sign, _):
            return TIGHT if sign in TIGHT_SIGNS else PRODUCT
        case Number(value):
            return SUM if value < 0 else ATOM if value.denominator == 1 else PRODUCT
        case Big(_, _, (), None):
            return ATOM
        case Symbol(_, _, label, _, star):
            return ATOM if label is None and not star else RAISED
        case plain:
            return LEVELS.get(type(plain), ATOM)


def is_open(node: Notation, *, stacked: bool) -> bool:
    """Whether what is written directly after the notation would be drawn into it, as after Σ or, on one line, ∂."""
    while True:
        match unmarked(node):
            case Big(_, _, indices, lower):
                return bool(indices) or lower is not None
            case Derivative():
                return not stacked
            case Product(_, factors):
                node = factors[-1]
            case Negative(body):
                node = body
            case _:
                return False


def needs_brackets(parent: Notation, place: int, child: Notation, *, stacked: bool) -> bool:
    """Whether the part at `place` of `parent` must stand in brackets; `stacked` for fractions with a bar."""
    plain = unmarked(child)
    own = level(plain)
    match parent:
        case Plus() | Negative():
            return own <= SUM
        case Product(sign, factors):
            last = place == len(factors) - 1
            if isinstance(plain, Big) and own == PRODUCT:
                return not last
            if is_open(plain, stacked=stacked) and not last and (sign in TIGHT_SIGNS or _ends_in_big(plain)):
                return True
            if stacked and isinstance(plain, Quotient):
                return False
            if sign in TIGHT_SIGNS:
                # On one line a leading quotient is followed by a dot: 1/m · x.
                return own < TIGHT and not (sign == "" and place == 0 and isinstance(plain, Quotient))
            return own < (PRODUCT if place == 0 else TIGHT)
        case Quotient():
            if stacked:
                return False
            if place == 0:
                return own < TIGHT or own == DERIVATIVE or is_open(plain, stacked=False)
            return own < RAISED
        case Power():
            return place == 0 and (own < ATOM or _is_root(plain))
        case Transposed():
            return own < ATOM and not isinstance(plain, Symbol)
        case Derivative():
            return not isinstance(plain, Symbol | Call | Entry | Words)
        case Call():
            return place == 0 and not isinstance(plain, Symbol) and not (stacked and isinstance(plain, Derivative))
        case Big(kind, _, indices, lower):
            if place > 0 or not (indices or lower is not None):
                return False
            # After a word, max_k a b, one would not know where it ends.
            return own < (PRODUCT if kind in ("sum", "prod") else DERIVATIVE)
        case Relation():
            return isinstance(plain, Relation)
        case Entry():
            return place == 0 and not isinstance(plain, Call | Bracketed)
        case _:
            return False


def _ends_in_big(node: Notation) -> bool:
    return is_open(node, stacked=True)


def _is_root(node: Notation) -> bool:
    return isinstance(node, Call) and isinstance(node.function, Symbol) and node.function.name == "sqrt"
