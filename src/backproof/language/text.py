"""Notation as one line of text, in Unicode or in ASCII, such that the parser reads the same formula back."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from backproof.errors import LimitError
from backproof.language.letters import ACCENTS, FRACTIONS, GLYPHS, lowered, raised
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
from backproof.language.precedence import ATOM, level, needs_brackets, unmarked
from backproof.language.traversal import fold, parts

MAX_CHARACTERS: Final = 1_000_000

UNICODE_PRODUCTS: Final = {"": " ", "@": " ", "*": "·", "·": "·", "×": " × ", "⊙": " ⊙ ", "⊗": " ⊗ "}
ASCII_PRODUCTS: Final = {"": "*", "@": " @ ", "*": "*", "·": "*", "×": "*", "⊙": " * ", "⊗": " \\otimes "}
ASCII_RELATIONS: Final = {"≠": "!=", "≤": "<=", "≥": ">=", "≈": "\\approx", "∈": "in", "→": "->", "←": "<-", "≡": "==="}
BIG_SIGNS: Final = {"sum": "Σ", "prod": "Π"}


def write(notation: Notation, *, ascii: bool = False) -> str:
    """The formula on one line.

    Raises LimitError for a formula of more than a million characters.

    >>> from backproof.language.notation import Plus, Symbol
    >>> write(Plus(((1, Symbol("yhat")), (-1, Symbol("y")))), ascii=True)
    'yhat - y'
    """
    printer = _Printer(ascii)
    return printer.plain(fold(notation, printer.rule))


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
class _Printer:
    ascii: bool

    def plain(self, line: _Line) -> str:
        return line.whole

    @property
    def minus(self) -> str:
        return "-" if self.ascii else "−"

    def rule(self, node: Notation, inside: tuple[_Line, ...]) -> _Line:
        if isinstance(node, Marked):
            tag = f"[{node.pair}]" if node.struck and node.pair else ""
            return _Line(inside[0].text, tag + inside[0].tag)
        children = parts(node)
        shown = [
            (line.bracketed() if self.needs_brackets(node, place, child) else line).whole
            for place, (child, line) in enumerate(zip(children, inside, strict=True))
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
        return (
            self.ascii
            and isinstance(node, Product)
            and node.sign != "@"
            and place > 0
            and _is_matrix_product(unmarked(child))
        )

    def text(self, node: Notation, shown: list[str]) -> str:
        match node:
            case Number(value):
                return self.number(value)
            case Symbol():
                return self.symbol(node, shown)
            case Negative():
                return self.minus + shown[0]
            case Plus(terms):
                return self.plus([sign for sign, _ in terms], shown)
            case Product():
                return self.product(node, shown)
            case Quotient(Number(top), Number(bottom)) if not self.ascii and _one_character(top, bottom):
                return FRACTIONS[int(top), int(bottom)]
            case Quotient():
                return f"{shown[0]}/{shown[1]}"
            case Power():
                return self.power(node, shown)
            case Transposed():
                return shown[0] + (".T" if self.ascii else "ᵀ")
            case Call():
                return self.call(node, shown)
            case Derivative():
                return self.derivative(node, shown)
            case Big():
                return self.big(node, shown)
            case Relation(_, signs):
                return shown[0] + "".join(
                    f" {self.relation_sign(sign)} {side}" for sign, side in zip(signs, shown[1:], strict=True)
                )
            case Indicator():
                return f"[{shown[0]}]"
            case Cases(cases):
                left = iter(shown)
                rows = [f"{next(left)} otherwise" if c is None else f"{next(left)} if {next(left)}" for _, c in cases]
                return "{" + "; ".join(rows) + "}"
            case Entry():
                return shown[0] + self.lower(shown[1:])
            case Absolute():
                return f"|{shown[0]}|"
            case Norm(_, kind):
                suffix = "" if kind == "2" else "_" + kind
                return f"||{shown[0]}||{suffix}" if self.ascii else f"‖{shown[0]}‖{suffix}"
            case Matrix(rows):
                left = iter(shown)
                written = [", ".join(next(left) for _ in row) for row in rows]
                return f"[{'; '.join(written)}]" if not self.ascii else f"[{', '.join(f'[{row}]' for row in written)}]"
            case Bracketed():
                return f"({shown[0]})"
            case Words(text):
                return text
            case _:
                raise TypeError(f"not notation: {type(node).__name__}")

    def relation_sign(self, sign: str) -> str:
        return ASCII_RELATIONS.get(sign, sign) if self.ascii else sign

    def number(self, value: Fraction) -> str:
        sign = self.minus if value < 0 else ""
        top, bottom = abs(value.numerator), value.denominator
        digits = _decimal_digits(bottom)
        if digits is None:
            return f"{sign}{top}/{bottom}"
        if digits == 0:
            return f"{sign}{top}"
        written = str(top * 10**digits // bottom).rjust(digits + 1, "0")
        return f"{sign}{written[:-digits]}.{written[-digits:]}"

    def symbol(self, node: Symbol, shown: list[str]) -> str:
        subscripts = shown[: len(node.subscripts)]
        label = shown[-1].replace(" ", "") if node.label is not None else ""
        if self.ascii:
            return self.ascii_symbol(node, subscripts, label)
        glyph = GLYPHS.get(node.name, node.name)
        if node.accent is not None:
            glyph = unicodedata.normalize("NFC", glyph + ACCENTS[node.accent])
        text = glyph + self.lower(subscripts)
        if label:
            text += raised(f"({label})") or f"^{{({label})}}"
        if node.star:
            text += raised(node.star) or f"^{node.star}"
        return text

    def ascii_symbol(self, node: Symbol, subscripts: Sequence[str], label: str) -> str:
        text = node.name + (node.accent or "")
        if label and (subscripts or text[-1:].isdigit()):
            return f"{text}{self.lower(subscripts)}^{{({label})}}" + (f"^{node.star}" if node.star else "")
        if label:
            text += label if label.isdigit() else f"_{label}" if label.isalpha() else f"_({label})"
        return text + self.lower(subscripts) + (f"^{node.star}" if node.star else "")

    def lower(self, subscripts: Sequence[str]) -> str:
        if not subscripts:
            return ""
        compact = [s.replace(" ", "") for s in subscripts]
        if not self.ascii and (len(compact) == 1 or all(len(s) == 1 and s.isalpha() for s in compact)):
            below = lowered("".join(compact))
            if below is not None:
                return below
        if len(compact) == 1 and (compact[0].isdigit() or (len(compact[0]) == 1 and compact[0].isalpha())):
            return "_" + compact[0]
        return f"_{{{','.join(compact)}}}"

    def plus(self, signs: list[int], shown: list[str]) -> str:
        first = (self.minus if signs[0] < 0 else "") + shown[0]
        return first + "".join(
            f" {self.minus if sign < 0 else '+'} {term}" for sign, term in zip(signs[1:], shown[1:], strict=True)
        )

    def product(self, node: Product, shown: list[str]) -> str:
        sign = (ASCII_PRODUCTS if self.ascii else UNICODE_PRODUCTS)[node.sign]
        text = shown[0]
        for left, right, written in zip(node.factors, node.factors[1:], shown[1:], strict=False):
            text += (self.between(unmarked(left), unmarked(right), written) if node.sign == "" else sign) + written
        return text

    def between(self, left: Notation, right: Notation, written: str) -> str:
        """What stands between two juxtaposed factors, such that they are neither one name nor a call."""
        if self.ascii:
            return " * " if _is_matrix_product(right) or not _is_simple(left) else "*"
        if isinstance(left, Quotient):
            return "" if _is_one_character(left) and written[0].isalpha() else " · "
        if isinstance(left, Number) and isinstance(right, Symbol) and len(GLYPHS.get(right.name, right.name)) == 1:
            return "" if right.name not in ("e", "E", "j", "x") else " "
        if isinstance(right, Number | Quotient):
            return " · "
        return "" if written.startswith("(") and not isinstance(left, Call | Transposed) else " "

    def power(self, node: Power, shown: list[str]) -> str:
        base, exponent = shown
        if self.ascii:
            return f"{base}^{exponent}" if _is_short(node.exponent) else f"{base}^({exponent})"
        above = raised(exponent)
        if above is not None and exponent != "T":
            return base + above
        return f"{base}^({exponent})"

    def call(self, node: Call, shown: list[str]) -> str:
        arguments = shown[1 : 1 + len(node.arguments)]
        inside = ", ".join(arguments)
        function = unmarked(node.function)
        if isinstance(function, Symbol) and function.name == "sqrt" and not self.ascii and len(arguments) == 1:
            return "√" + (inside if _is_short(node.arguments[0]) else f"({inside})")
        name = shown[0] + ("'" if self.ascii else "′") * node.primes
        if node.power is not None:
            power = shown[-1]
            name += (None if self.ascii else raised(power)) or f"^({power})"
        return f"{name}({inside})"

    def derivative(self, node: Derivative, shown: list[str]) -> str:
        wrt = shown[-1]
        of = shown[0] if node.of is not None else ""
        order = "" if node.order == 1 else f"^{node.order}" if self.ascii else raised(str(node.order))
        match node.style:
            case "nabla":
                below = wrt if len(wrt) == 1 else f"{{{wrt}}}"
                return f"{'nabla' if self.ascii else '∇'}_{below} {of}".rstrip()
            case "prefix":
                return f"d{wrt}"
            case _:
                d = "d" if self.ascii or node.style == "total" else "∂"
                return f"{d}{order}{of}/{d}{wrt}{order}"

    def big(self, node: Big, shown: list[str]) -> str:
        left = iter(shown)
        body = next(left)
        lower = next(left) if node.lower is not None else None
        upper = next(left) if node.upper is not None else None
        without = list(left)
        if not node.indices and lower is None:
            return f"{node.kind}({body}{f', axis={node.axis}' if node.axis is not None else ''})"
        below = ",".join(node.indices)
        if lower is not None:
            below = f"{below}={lower}" if below else lower
        if without:
            below += ",".join(f"{'!=' if self.ascii else '≠'}{value}" for value in without)
        sign = node.kind if self.ascii else BIG_SIGNS.get(node.kind, node.kind)
        under = (None if self.ascii else lowered(below)) or (
            f"_{below}" if len(below) == 1 and below.isalpha() else f"_{{{below}}}"
        )
        over = "" if upper is None else f"^{upper if len(upper) == 1 else f'{{{upper}}}'}"
        # After the sign, brackets around a first factor only would read as the whole body.
        if body.startswith("(") and isinstance(unmarked(node.body), Product | Quotient):
            body = f"({body})"
        return f"{sign}{under}{over} {body}"


def _decimal_digits(denominator: int) -> int | None:
    """How many decimals a fraction with the denominator has, None when it does not end or is long."""
    for digits in range(7):
        if 10**digits % denominator == 0:
            return digits
    return None


def _one_character(top: Fraction, bottom: Fraction) -> bool:
    return (top, bottom) in FRACTIONS


def _is_one_character(node: Quotient) -> bool:
    match node:
        case Quotient(Number(top), Number(bottom)):
            return _one_character(top, bottom)
        case _:
            return False


def _is_matrix_product(node: Notation) -> bool:
    match node:
        case Product("@", _):
            return True
        case Product("", factors):
            return any(isinstance(unmarked(f), Product) for f in factors)
        case _:
            return False


def _is_simple(node: Notation) -> bool:
    return isinstance(node, Number | Symbol | Power | Call)


def _is_short(node: Notation) -> bool:
    return isinstance(node, Symbol | Number) and level(node) >= ATOM
