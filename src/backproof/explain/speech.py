"""Notation as words that can be read out, for people who hear a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from backproof.errors import LimitError
from backproof.language.notation import (
    Absolute,
    Big,
    Bracketed,
    Call,
    Cases,
    Derivative,
    Entry,
    Indicator,
    Marked,
    Matrix,
    Negative,
    Norm,
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
from backproof.language.precedence import needs_brackets, unmarked
from backproof.language.traversal import fold, parts

MAX_CHARACTERS: Final = 1_000_000
PRODUCTS: Final = {"⊙": " elementwise times ", "@": " times ", "⊗": " outer ", "×": " times "}
RELATIONS: Final = {
    "=": "equals",
    "≠": "is not",
    "<": "is less than",
    "≤": "is at most",
    ">": "is greater than",
    "≥": "is at least",
    "≈": "is about",
    "∈": "is in",
    "→": "goes to",
    "←": "becomes",
    "≡": "is identical to",
    ":=": "is defined as",
}
BIGS: Final = {"sum": "the sum", "prod": "the product", "max": "the maximum", "min": "the minimum", "mean": "the mean"}
SIMPLE: Final = Symbol | Number


@dataclass(frozen=True, slots=True)
class _Said:
    words: str
    before: str = ""
    after: str = ""

    @property
    def whole(self) -> str:
        return self.before + self.words + self.after


def spoken(notation: Notation) -> str:
    """The formula in words; what is cancelled is said to be so.

    >>> from backproof.language.notation import Symbol
    >>> spoken(Plus(((1, Symbol("a")), (-1, Symbol("y")))))
    'a minus y'
    """
    return fold(notation, _rule).whole


def _rule(node: Notation, inside: tuple[_Said, ...]) -> _Said:
    if isinstance(node, Marked):
        pair = f" number {node.pair}" if node.pair else ""
        before = f"cancelled factor{pair} " if node.struck else ""
        after = " end cancelled" if node.struck and not isinstance(unmarked(node), SIMPLE) else ""
        return _Said(inside[0].words, before + inside[0].before, inside[0].after + after)
    shown = [
        f"{said.before}the quantity {said.words}, end{said.after}"
        if needs_brackets(node, place, child, stacked=True)
        else said.whole
        for place, (child, said) in enumerate(zip(parts(node), inside, strict=True))
    ]
    words = _words(node, shown)
    if len(words) > MAX_CHARACTERS:
        raise LimitError("a formula is too long to say", expected=f"at most {MAX_CHARACTERS} characters")
    return _Said(words)


def _words(node: Notation, shown: Sequence[str]) -> str:
    match node:
        case Number(value):
            sign = "minus " if value < 0 else ""
            if value.denominator == 1:
                return f"{sign}{abs(value.numerator)}"
            return f"{sign}{abs(value.numerator)} over {value.denominator}"
        case Words(text):
            return text
        case Symbol():
            return _symbol(node, shown)
        case Negative():
            return f"minus {shown[0]}"
        case Plus(terms):
            first = ("minus " if terms[0][0] < 0 else "") + shown[0]
            rest = (f" {'minus' if s < 0 else 'plus'} {t}" for (s, _), t in zip(terms[1:], shown[1:], strict=True))
            return first + "".join(rest)
        case Product(sign, _):
            return PRODUCTS.get(sign, " times ").join(shown)
        case Quotient(Number() | Symbol(), Number() | Symbol()):
            return f"{shown[0]} over {shown[1]}"
        case Quotient():
            return f"the fraction {shown[0]} over {shown[1]}, end of fraction"
        case Power(_, Number(value)) if value == 2:
            return f"{shown[0]} squared"
        case Power():
            return f"{shown[0]} to the power {shown[1]}"
        case Transposed():
            return f"{shown[0]} transposed"
        case Call(function, arguments, primes, power):
            name = shown[0] + " prime" * primes + (f" to the power {shown[-1]}" if power is not None else "")
            given = ", ".join(shown[1 : 1 + len(arguments)])
            if isinstance(function, Symbol) and function.name == "sqrt":
                return f"the square root of {given}"
            simple = len(arguments) == 1 and isinstance(unmarked(arguments[0]), SIMPLE)
            return f"{name} of {given}" + ("" if simple else ", end")
        case Derivative():
            return _derivative(node, shown)
        case Big():
            return _big(node, shown)
        case Relation(_, signs):
            sides = (f" {RELATIONS[s]} {side}" for s, side in zip(signs, shown[1:], strict=True))
            return shown[0] + "".join(sides)
        case Indicator():
            return f"1 if {shown[0]} else 0"
        case Cases(cases):
            left = iter(shown)
            return "; ".join(
                f"{next(left)} otherwise" if condition is None else f"{next(left)} if {next(left)}"
                for _, condition in cases
            )
        case Entry():
            return f"{shown[0]} sub {' '.join(shown[1:])}"
        case Absolute():
            return f"the absolute value of {shown[0]}"
        case Norm():
            return f"the norm of {shown[0]}"
        case Matrix(rows):
            left = iter(shown)
            return "the matrix " + "; ".join(", ".join(next(left) for _ in row) for row in rows) + ", end of matrix"
        case Bracketed():
            return f"the quantity {shown[0]}, end"
        case _:
            raise TypeError(f"not notation: {type(node).__name__}")


def _symbol(node: Symbol, shown: Sequence[str]) -> str:
    text = node.name + (f" {node.accent}" if node.accent else "")
    if node.subscripts:
        text += " sub " + " ".join(shown[: len(node.subscripts)])
    if node.label is not None:
        text += f" of layer {shown[-1]}"
    return text + (" star" if node.star else "")


def _derivative(node: Derivative, shown: Sequence[str]) -> str:
    if node.style == "prefix":
        return f"d {shown[-1]}"
    times = "" if node.order == 1 else f"derivative number {node.order} of "
    if node.style == "nabla":
        return f"the gradient of {shown[0]} by {shown[-1]}" if node.of is not None else f"the gradient by {shown[-1]}"
    return times + (f"d {shown[0]} by d {shown[-1]}" if node.of is not None else f"d by d {shown[-1]}")


def _big(node: Big, shown: Sequence[str]) -> str:
    left = iter(shown)
    body = next(left)
    lower = f" from {next(left)}" if node.lower is not None else ""
    upper = f" to {next(left)}" if node.upper is not None else ""
    without = "".join(f" other than {value}" for value in left)
    over = f" over {', '.join(node.indices)}" if node.indices else ""
    return f"{BIGS[node.kind]}{over}{lower}{upper}{without} of {body}"
