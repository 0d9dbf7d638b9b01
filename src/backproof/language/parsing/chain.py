"""Chains of operands: what stands side by side with one sign between becomes one node, from left to right."""

from __future__ import annotations

from typing import Final

from backproof.language.notation import (
    Derivative,
    Indicator,
    Negative,
    Notation,
    Number,
    Plus,
    Product,
    ProductSign,
    Quotient,
    Span,
    Symbol,
)
from backproof.language.parsing.cursor import MAX_CHAIN, Cursor

PRODUCTS: Final[dict[str, ProductSign]] = {"*": "*", "·": "·", "×": "×", "⊙": "⊙", "@": "@", "⊗": "⊗"}
"""Signs of products."""


class Chain:
    """Operands joined from left to right; a run of one sign becomes one node."""

    def __init__(self, parser: Cursor, start: int, first: Notation) -> None:
        self._parser = parser
        self._start = start
        self._sign: str | None = None
        self._terms: list[tuple[int, Notation]] = [(1, first)]
        self._folds = 0

    def add(self, sign: str, right: Notation) -> None:
        """Join one more operand."""
        kind = "+" if sign in ("+", "-") else "product " + sign
        if self._sign != kind:
            self._fold()
            self._sign = kind
            left = self._terms[0][1]
            if kind == "+" and isinstance(left, Negative):
                self._terms = [(-1, left.body)]
        if sign == "" and isinstance(right, Indicator) and len(self._terms) == 1 and _is_one(self._terms[0][1]):
            self._sign, self._terms = None, [(1, right)]
            return
        self._terms.append((-1 if sign == "-" else 1, right))

    def over(self, denominator: Notation) -> None:
        """Divide all so far."""
        self._fold()
        self._count()
        self._sign = None
        self._terms = [(1, divided(self._terms[0][1], denominator, self._parser.span(self._start)))]

    def node(self) -> Notation:
        """All operands as one node."""
        self._fold()
        return self._terms[0][1]

    def _count(self) -> None:
        """Counts how deep the tree grows to the left."""
        self._folds += 1
        if self._folds > MAX_CHAIN:
            raise self._parser.too_deep(self._parser.token)

    def _fold(self) -> None:
        if len(self._terms) == 1 and self._sign != "+":
            return
        if self._sign is None:
            return
        self._count()
        span = (self._start, self._terms[-1][1].span[1])
        if self._sign == "+":
            node: Notation = Plus(tuple(self._terms), span=span)
        else:
            node = Product(
                PRODUCTS.get(self._sign.removeprefix("product "), ""), tuple(t for _, t in self._terms), span=span
            )
        self._sign = None
        self._terms = [(1, node)]


def _is_one(node: Notation) -> bool:
    return isinstance(node, Number) and node.value == 1


def divided(numerator: Notation, denominator: Notation, span: Span) -> Notation:
    """A quotient; δJ/δz is a derivative."""
    of, wrt = _varied(numerator), _varied(denominator)
    if of is not None and wrt is not None:
        return Derivative(of, wrt, span=span)
    return Quotient(numerator, denominator, span=span)


def _varied(node: Notation) -> Notation | None:
    """What stands after δ in δJ: above and below a fraction, δ is written for ∂."""
    if not isinstance(node, Product) or node.sign != "" or node.factors[0] != Symbol("delta"):
        return None
    rest = node.factors[1:]
    return rest[0] if len(rest) == 1 else Product("", rest, span=node.span)
