"""Marks of a formula: which names are bold, whether it is a number, whether it speaks of a derivative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from backproof.check.document.shapes import uses
from backproof.language.notation import Bracketed, Call, Derivative, Negative, Notation, Number, Quotient, Symbol
from backproof.language.traversal import parts, pieces_of

BOLD: Final = ("\\mathbf", "\\boldsymbol", "\\bm", "\\vec")
MAX_DIGITS: Final = 12
GRADIENT_LETTERS: Final = frozenset({"delta"})


@dataclass(frozen=True, slots=True)
class Bold:
    """The names in bold: `whole` as they stand, `indexed` with one index letter, x_i the i-th vector."""

    whole: frozenset[str] = frozenset()
    indexed: frozenset[str] = frozenset()


def bold_names(node: Notation, text: str) -> Bold:
    """The names that are written in bold: vectors and matrices."""
    whole: set[str] = set()
    indexed: set[str] = set()
    for part in pieces_of(node):
        if isinstance(part, Symbol):
            start, end = part.span
            if any(mark in text[start:end] for mark in BOLD) or text[:start].rstrip("{ ").endswith(BOLD):
                for name, letters in uses(part)[:1]:
                    (indexed if len(letters) == 1 and name[0].islower() else whole).add(name)
    return Bold(frozenset(whole), frozenset(indexed))


def number(node: Notation) -> Fraction | None:
    """The number that the notation is."""
    sign = 1
    while isinstance(node, Negative | Bracketed):
        sign = -sign if isinstance(node, Negative) else sign
        node = node.body
    match node:
        case Number(value):
            return sign * value
        case Quotient(Number(top), Number(bottom)) if bottom:
            return sign * top / bottom
        case _:
            return None


def has_gradient(nodes: Sequence[Notation]) -> bool:
    """Whether a formula speaks of a derivative: ∂, d/d, ∇, a delta or a primed function."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, Derivative) or (isinstance(node, Call) and node.primes):
            return True
        if isinstance(node, Symbol) and node.name in GRADIENT_LETTERS and len(node.subscripts) < 2:
            return True
        stack.extend(parts(node))
    return False


def decimals(value: Fraction) -> int:
    """How many digits a decimal number has behind its point, 0 for an integer and for what is no decimal number.

    >>> decimals(Fraction(1, 8)), decimals(Fraction(1, 3)), decimals(Fraction(4))
    (3, 0, 0)
    """
    return next((d for d in range(MAX_DIGITS) if 10**d % value.denominator == 0), 0)
