"""Notation as one line of text, in Unicode or in ASCII, such that the parser reads the same formula back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from backproof.errors import LimitError
from backproof.language.letters import FRACTIONS, lowered, raised
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
from backproof.language.spelling import Spelling, is_matrix_product, is_one_character, is_short
from backproof.language.traversal import fold, parts

MAX_CHARACTERS: Final = 1_000_000


def write(notation: Notation, *, ascii: bool = False) -> str:
    """The formula on one line.

    A struck part has the number of its pair before it: `[1]a`. Raises LimitError for more than a million characters.

    >>> from backproof.language.notation import Plus, Symbol
    >>> write(Plus(((1, Symbol("y", accent="hat")), (-1, Symbol("y")))))
    'ŷ − y'
    """
    return fold(notation, _Writer(Spelling(ascii)).rule).whole


@dataclass(frozen=True, slots=True)
class _Line:
    """Text of one piece; `tag` is what a mark puts before it, outside of brackets."""

    text: str
    tag: str = ""

    def bracketed(self) -> _Line:
        return _Line(f"({self.text})", self.tag)

    @property
    def whole(self) -> str:
        return self.tag + self.text


@dataclass(frozen=True, slots=True)
class _Writer:
    spelling: Spelling

    def rule(self, node: Notation, inside: tuple[_Line, ...]) -> _Line:
        if isinstance(node, Marked):
            tag = f"[{node.pair}]" if node.struck and node.pair else ""
            return _Line(inside[0].text, tag + inside[0].tag)
        shown = [
            (line.bracketed() if self.needs_brackets(node, place, child) else line).whole
            for place, (child, line) in enumerate(zip(parts(node), inside, strict=True))
        ]
        text = self.text(node, shown)
        if len(text) > MAX_CHARACTERS:
            raise LimitError(
                "a formula is too long to print",
                expected=f"at most {MAX_CHARACTERS} characters",
                got=f"more than {len(text)}",
                next="give names to parts of the formula",
            )
        return _Line(text)

    def needs_brackets(self, node: Notation, place: int, child: Notation) -> bool:
        if needs_brackets(node, place, child, stacked=False):
            return True
        # Python reads a * W @ x as (a * W) @ x.
        after_star = self.spelling.ascii and isinstance(node, Product) and node.sign != "@" and place > 0
        return after_star and is_matrix_product(unmarked(child))

    def text(self, node: Notation, shown: Sequence[str]) -> str:
        spelling = self.spelling
        match node:
            case Number(value):
                return spelling.number(value)
            case Words(text):
                return text
            case Symbol():
                return spelling.symbol(node, shown)
            case Negative():
                return spelling.minus + shown[0]
            case Plus(terms):
                first = (spelling.minus if terms[0][0] < 0 else "") + shown[0]
                rest = zip(terms[1:], shown[1:], strict=True)
                return first + "".join(f" {spelling.minus if sign < 0 else '+'} {term}" for (sign, _), term in rest)
            case Product():
                return self.product(node, shown)
            case Quotient(Number(top), Number(bottom)) if not spelling.ascii and is_one_character(node):
                return FRACTIONS[int(top), int(bottom)]
            case Quotient():
                return f"{shown[0]}/{shown[1]}"
            case Power():
                return self.power(node, shown)
            case Transposed():
                return shown[0] + (".T" if spelling.ascii else "ᵀ")
            case Call():
                return self.call(node, shown)
            case Derivative():
                return self.derivative(node, shown)
            case Big():
                return self.big(node, shown)
            case Relation(_, signs):
                rest = zip(signs, shown[1:], strict=True)
                return shown[0] + "".join(f" {spelling.relation(sign)} {side}" for sign, side in rest)
            case Indicator():
                return f"[{shown[0]}]"
            case Cases(cases):
                left = iter(shown)
                rows = [f"{next(left)} otherwise" if c is None else f"{next(left)} if {next(left)}" for _, c in cases]
                return "{" + "; ".join(rows) + "}"
            case Entry():
                return shown[0] + spelling.lower(shown[1:])
            case Absolute():
                return f"|{shown[0]}|"
            case Norm(_, kind):
                bars = "||" if spelling.ascii else "‖"
                return bars + shown[0] + bars + ("" if kind == "2" else "_" + kind)
            case Matrix(rows):
                left = iter(shown)
                return "[" + "; ".join(", ".join(next(left) for _ in row) for row in rows) + "]"
            case Bracketed():
                return f"({shown[0]})"
            case _:
                raise TypeError(f"not notation: {type(node).__name__}")

    def product(self, node: Product, shown: Sequence[str]) -> str:
        text = shown[0]
        for left, right, written in zip(node.factors, node.factors[1:], shown[1:], strict=False):
            sign = self.spelling.products[node.sign]
            text += self.spelling.between(unmarked(left), unmarked(right), written) if node.sign == "" else sign
            text += written
        return text

    def power(self, node: Power, shown: Sequence[str]) -> str:
        base, exponent = shown
        above = None if self.spelling.ascii else raised(exponent)
        if above is not None:
            return base + above
        if base == "e":
            return f"exp({exponent})"
        return f"{base}^{exponent}" if is_short(node.exponent) else f"{base}^({exponent})"

    def call(self, node: Call, shown: Sequence[str]) -> str:
        arguments = shown[1 : 1 + len(node.arguments)]
        inside = ", ".join(arguments)
        function = unmarked(node.function)
        name = shown[0]
        if isinstance(function, Symbol) and function.name == "sqrt" and not self.spelling.ascii and len(arguments) == 1:
            return "√" + (inside if is_short(node.arguments[0]) else f"({inside})")
        name += self.spelling.prime * node.primes
        if node.power is not None:
            above = None if self.spelling.ascii else raised(shown[-1])
            name += above or (f"^{shown[-1]}" if is_short(node.power) else f"^({shown[-1]})")
        return f"{name}({inside})"

    def derivative(self, node: Derivative, shown: Sequence[str]) -> str:
        wrt = shown[-1]
        of = shown[0] if node.of is not None else ""
        ascii = self.spelling.ascii
        match node.style:
            case "nabla":
                below = f"_{wrt}" if len(wrt) == 1 else f"_{{{wrt}}}" if wrt else ""
                return f"{'nabla' if ascii else '∇'}{below} {of}".rstrip()
            case "prefix":
                return f"d{wrt}"
            case _:
                d = "d" if ascii or node.style == "total" else "∂"
                order = self.spelling.order(node.order)
                if ascii and isinstance(node.of, Call) and not order:
                    of = " " + of
                return f"{d}{order}{of}/{d}{wrt}{order}"

    def big(self, node: Big, shown: Sequence[str]) -> str:
        left = iter(shown)
        body = next(left)
        lower = next(left) if node.lower is not None else None
        upper = next(left) if node.upper is not None else None
        without = list(left)
        if not node.indices and lower is None:
            return f"{node.kind}({body}{f', axis={node.axis}' if node.axis is not None else ''})"
        below = ",".join(node.indices)
        if lower is not None:
            below = f"{below}={lower}" if below and not isinstance(node.lower, Relation) else lower
        if without:
            below += ",".join(self.spelling.relation("≠") + value for value in without)
        under = None if self.spelling.ascii else lowered(below)
        if under is None:
            under = f"_{below}" if len(below) == 1 and below.isalpha() else f"_{{{below}}}"
        over = "" if upper is None else f"^{upper if len(upper) == 1 else f'{{{upper}}}'}"
        sign = self.spelling.big(node.kind)
        # After a word, brackets around the first factor only would be the brackets of a call.
        if sign.isascii() and body.startswith("(") and isinstance(unmarked(node.body), Product | Quotient | Power):
            body = f"({body})"
        return f"{sign}{under}{over} {body}"
