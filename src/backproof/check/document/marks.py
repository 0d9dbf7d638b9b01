"""Marks of a formula: which names are bold, whether it is a number, whether it speaks of a derivative."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from backproof.check.document.shapes import uses
from backproof.language.notation import Bracketed, Call, Derivative, Negative, Notation, Number, Quotient, Symbol
from backproof.language.traversal import parts

BOLD: Final = ("\\mathbf", "\\boldsymbol", "\\bm", "\\vec")
GRADIENT_LETTERS: Final = frozenset({"delta"})


def pieces_of(root: Notation) -> Iterator[Notation]:
    """Every piece of a formula, the whole first."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(parts(node))


def bold_names(node: Notation, text: str) -> frozenset[str]:
    """The names that are written in bold: vectors and matrices."""
    found: set[str] = set()
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, Symbol):
            start, end = part.span
            if any(mark in text[start:end] for mark in BOLD) or text[:start].rstrip("{ ").endswith(BOLD):
                found |= {n for n, _ in uses(part)[:1]}
        stack.extend(parts(part))
    return frozenset(found)


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
