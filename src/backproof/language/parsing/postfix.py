"""What hangs on any operand: (…)_i, (…)^2, x.T, x.sum(axis=0), k!, W[i, j], f(x)|_{x=0}."""

from __future__ import annotations

from typing import Final

from backproof.language.notation import (
    Big,
    BigKind,
    Bracketed,
    Call,
    Derivative,
    Entry,
    Indicator,
    Negative,
    Notation,
    Number,
    Power,
    Product,
    Relation,
    Symbol,
    Transposed,
)
from backproof.language.parsing.brackets import arguments, placeholder
from backproof.language.parsing.cursor import MAX_CHAIN, SUM, Cursor
from backproof.language.parsing.scripts import Scripts, condition_in, subscripts, superscript

METHODS: Final[dict[str, BigKind]] = {"sum": "sum", "mean": "mean", "max": "max", "min": "min"}
_OF_STORAGE: Final = frozenset({"astype", "float", "double", "copy", "clone", "detach"})
"""Methods that change how an array is kept and not what it holds."""


def with_postfix(p: Cursor, node: Notation, start: int) -> Notation:
    """An operand with what hangs on it: (…)_i, (…)^2, x.T, x.sum(), k!, …|_{z}."""
    for _ in range(MAX_CHAIN):
        hanging = _one_postfix(p, node, start)
        if hanging is None:
            return node
        node = hanging
    raise p.too_deep(p.token)


def _one_postfix(p: Cursor, node: Notation, start: int) -> Notation | None:
    token = p.token
    if token.kind == "method":
        return _method(p, node, start)
    if token.kind != "sign":
        return None
    match token.text:
        case "_":
            p.step()
            lower = subscripts(p)
            if isinstance(node, Number):
                if node.value == 1 and len(lower) == 1 and (condition := condition_in(lower[0])) is not None:
                    return Indicator(condition, span=p.span(start))
                return Symbol(str(node.value), lower, span=p.span(start))
            return Entry(node, lower, span=p.span(start))
        case "^":
            p.step()
            found = Scripts()
            superscript(p, found, labelled=False)
            if found.primes or found.star:
                raise p.error("a prime or star hangs on a name only", token, next="name the function")
            if found.exponent is not None:
                node = Power(node, found.exponent, span=p.span(start))
            return Transposed(node, span=p.span(start)) if found.transposed else node
        case "'" if not token.spaced:
            raise p.error("a prime hangs on a function's name only", expected="f'(z)", next="write d/dx (…)")
        case "!" if not token.spaced:
            p.step()
            return Call(Symbol("factorial", span=p.span(token.start)), (node,), span=p.span(start))
        case "|" | "‖" if _evaluates(p):
            p.step()
            return evaluated(p, node, start)
        case "(" if not token.spaced and isinstance(node, Bracketed) and _says_where(p):
            return Call(node, arguments(p), span=p.span(start))
        case "[" if not token.spaced and is_index(p, p.at) and isinstance(node, Symbol | Bracketed | Call | Entry):
            return Entry(node, index_list(p), span=p.span(start))
        case _:
            return None


def _evaluates(p: Cursor) -> bool:
    """Whether the bar here is the one of f(x)|_{x=0}."""
    following = p.peek()
    return following.kind == "sign" and following.text == "_" and not (p.inside and p.inside[-1] == p.token.text)


def _says_where(p: Cursor) -> bool:
    """Whether the parenthesis here is the one of (df/dx)(x = 2)."""
    return p.peek().kind == "name" and p.peek(2).kind == "sign" and p.peek(2).text == "="


def evaluated(p: Cursor, node: Notation, start: int) -> Notation:
    """…|_{x=0}, after the bar: a call at the given value."""
    if not p.took("_"):
        raise p.error(p.unexpected(), expected="a value: |_{x = 0}")
    values = subscripts(p)
    if p.is_sign("^"):
        raise p.error("a bar with two limits is an integral", next="write the difference of the two values")
    return Call(node, values, span=p.span(start))


def _method(p: Cursor, node: Notation, start: int) -> Notation:
    token = p.step()
    if token.text in ("T", "t", "transpose"):
        if p.is_sign("(") and token.text != "T":
            arguments(p)
        return Transposed(node, span=p.span(start))
    if token.text == "grad":
        return Derivative(None, node, "prefix", span=p.span(start))
    if not p.is_sign("("):
        raise p.error(f".{token.text} is a function of an array", token, expected=f".{token.text}(…)")
    given = arguments(p)
    if token.text in _OF_STORAGE:
        return node
    if token.text == "dot":
        return Product("@", (node, *given), span=p.span(start))
    axes = [axis_of(g) for g in given]
    return Big(METHODS[token.text], node, axis=next((a for a in axes if a is not None), None), span=p.span(start))


def is_option(node: Notation) -> bool:
    """Whether an argument is an option of NumPy: axis=0, keepdims=True."""
    match node:
        case Relation((Symbol("axis" | "dim" | "keepdims" | "keepdim"), _), ("=",)):
            return True
        case _:
            return False


def axis_of(node: Notation) -> int | None:
    """The axis of axis=0, of dim=-1, or of a number alone."""
    if isinstance(node, Relation):
        if not isinstance(node.sides[0], Symbol) or node.sides[0].name not in ("axis", "dim"):
            return None
        node = node.sides[1]
    match node:
        case Number(value) if value.denominator == 1 and value < 100:
            return int(value)
        case Negative(Number(value)) if value.denominator == 1 and value < 100:
            return -int(value)
        case _:
            return None


def is_index(p: Cursor, at: int) -> bool:
    """Whether the bracket at `at` holds indices: [i], [i, j], [:, k], [2], [l+1]."""
    stop = p.mates[at]
    if stop - at > 24 or stop == at + 1:
        return False
    for token in p.tokens[at + 1 : stop]:
        fits = (
            (token.kind == "number" and token.text.isdigit())
            or (
                token.kind == "name"
                and len(token.text) == 1
                and (token.text in "ijklmnpqrstuvbcLt" or token.text == "…")
            )
            or (token.kind == "sign" and token.text in (":", ",", "+", "-"))
        )
        if not fits:
            return False
    return True


def index_list(p: Cursor) -> tuple[Notation, ...]:
    """The indices in the bracket here."""
    stop = p.mate()
    p.step()
    p.indexing += 1
    items: list[Notation] = []
    while p.at < stop:
        if p.is_sign(":"):
            token = p.step()
            items.append(Symbol(":", span=(token.start, token.end)))
        elif not p.took(","):
            items.append(placeholder(p) or p.expression(SUM))
    p.indexing -= 1
    p.close(stop)
    return tuple(items)
