"""How numbers, names and signs are spelled in plain characters, in Unicode or in ASCII."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from backproof.language.letters import ACCENTS, FRACTIONS, GLYPHS, lowered, raised
from backproof.language.notation import Big, Call, Notation, Number, Power, Product, Quotient, Symbol, Transposed
from backproof.language.precedence import ATOM, level, unmarked
from backproof.language.scope import LOSS_LETTERS

UNICODE_PRODUCTS: Final = {"": " ", "@": " ", "*": "·", "·": "·", "×": " × ", "⊙": " ⊙ ", "⊗": " ⊗ "}
ASCII_PRODUCTS: Final = {"": "*", "@": " @ ", "*": "*", "·": "*", "×": "*", "⊙": " * ", "⊗": " \\otimes "}
ASCII_RELATIONS: Final = {"≠": "!=", "≤": "<=", "≥": ">=", "≈": "\\approx", "∈": "in", "→": "->", "←": "<-", "≡": "=="}
BIG_SIGNS: Final = {"sum": "Σ", "prod": "Π"}
NOT_AFTER_DIGITS: Final = frozenset({"e", "E"})
"""Letters that a digit before them would turn into another number: 2e5."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way of spelling; `ascii` for plain ASCII."""

    ascii: bool = False

    @property
    def minus(self) -> str:
        """The minus sign."""
        return "-" if self.ascii else "−"

    @property
    def prime(self) -> str:
        """The prime of a derivative."""
        return "'" if self.ascii else "′"

    @property
    def products(self) -> Mapping[str, str]:
        """What stands between the factors of a product."""
        return ASCII_PRODUCTS if self.ascii else UNICODE_PRODUCTS

    def relation(self, sign: str) -> str:
        """The sign of a relation."""
        return ASCII_RELATIONS.get(sign, sign) if self.ascii else sign

    def big(self, kind: str) -> str:
        """The sign of a sum or product, or its word."""
        return kind if self.ascii else BIG_SIGNS.get(kind, kind)

    def order(self, order: int) -> str:
        """The order of a derivative: nothing, ², ³."""
        return "" if order == 1 else f"^{order}" if self.ascii else raised(str(order)) or ""

    def number(self, value: Fraction) -> str:
        """A number: an integer, a short decimal fraction, or a quotient."""
        sign = self.minus if value < 0 else ""
        written = decimal(abs(value))
        return sign + (written if written is not None else f"{abs(value.numerator)}/{value.denominator}")

    def letter(self, name: str) -> str:
        """A name, Greek letters as one letter outside of ASCII."""
        return name if self.ascii else GLYPHS.get(name, name)

    def symbol(self, node: Symbol, shown: Sequence[str]) -> str:
        """A name with what hangs on it; `shown` are its written subscripts and label."""
        subscripts = shown[: len(node.subscripts)]
        label = compact(shown[-1]) if node.label is not None else ""
        if self.ascii:
            return self._ascii_symbol(node, subscripts, label)
        glyph = self.letter(node.name)
        if node.accent is not None:
            glyph = unicodedata.normalize("NFC", glyph + ACCENTS[node.accent])
        text = glyph + self.lower(subscripts)
        if label:
            text += raised(f"({label})") or f"^{{({label})}}"
        if node.star:
            text += raised(node.star) or f"^{node.star}"
        return text

    def _ascii_symbol(self, node: Symbol, subscripts: Sequence[str], label: str) -> str:
        text = node.name + (node.accent or "")
        star = f"^{node.star}" if node.star else ""
        if label and (subscripts or text[-1:].isdigit()):
            return f"{text}{self.lower(subscripts)}^{{({label})}}{star}"
        if label:
            text += label if label.isdigit() else f"_{label}" if label.isalpha() else f"_({label})"
        return text + self.lower(subscripts) + star

    def lower(self, subscripts: Sequence[str]) -> str:
        """Subscripts: lowered characters where they exist and cannot be mistaken, else _ and braces."""
        if not subscripts:
            return ""
        written = [compact(s) for s in subscripts]
        if not self.ascii and (len(written) == 1 or all(len(s) == 1 and s.isalpha() for s in written)):
            below = lowered("".join(written))
            if below is not None:
                return below
        alone = len(written) == 1 and (written[0].isdigit() or (len(written[0]) == 1 and written[0].isalpha()))
        return "_" + written[0] if alone else f"_{{{','.join(written)}}}"

    def between(self, left: Notation, right: Notation, written: str) -> str:
        """What stands between two juxtaposed factors, such that they are neither one name nor a call."""
        if self.ascii:
            return " * " if is_matrix_product(right) or not isinstance(left, Number | Symbol | Power | Call) else "*"
        if isinstance(left, Quotient):
            return " · " if not is_one_character(left) else " " if isinstance(right, Big) else ""
        if isinstance(left, Number) and isinstance(right, Symbol) and len(self.letter(right.name)) == 1:
            return " " if right.name in NOT_AFTER_DIGITS else ""
        if isinstance(right, Number | Quotient):
            return " · "
        if written.startswith("(") and isinstance(left, Call) and left.function == Symbol("sqrt"):
            # √t (a + b) would be the root of t(a + b).
            return " · "
        if not written.startswith("(") or isinstance(left, Call | Transposed):
            return " "
        # J(θ) would be the loss as a function.
        name = left.base if isinstance(left, Power) else left
        return " · " if isinstance(name, Symbol) and name.name in LOSS_LETTERS else ""


def compact(text: str) -> str:
    """The text without blanks, as in a label."""
    return text.replace(" ", "")


def decimal(value: Fraction) -> str | None:
    """A number of at most six decimals, None for any other.

    >>> decimal(Fraction(1, 40))
    '0.025'
    """
    digits = next((k for k in range(7) if 10**k % value.denominator == 0), None)
    if digits is None:
        return None
    if digits == 0:
        return str(value.numerator)
    written = str(value.numerator * 10**digits // value.denominator).rjust(digits + 1, "0")
    return f"{written[:-digits]}.{written[-digits:]}"


def is_one_character(node: Notation) -> bool:
    """Whether the quotient is written as one character: ½."""
    match node:
        case Quotient(Number(top), Number(bottom)):
            return (top, bottom) in FRACTIONS
        case _:
            return False


def is_matrix_product(node: Notation) -> bool:
    """Whether a product has a matrix product in it, which Python's * would tear apart."""
    match node:
        case Product("@", _):
            return True
        case Product("", factors):
            return any(isinstance(unmarked(f), Product) for f in factors)
        case _:
            return False


def is_short(node: Notation) -> bool:
    """Whether it needs no brackets after √ or ^."""
    return isinstance(node, Symbol | Number) and level(node) >= ATOM
