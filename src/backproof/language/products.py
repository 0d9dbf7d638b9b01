"""Products: what a juxtaposition, a star, a dot or @ means for given shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from backproof.errors import ShapeError
from backproof.language.expression import mul
from backproof.language.notation import ProductSign
from backproof.language.shapes import Algebra, Typed

Way = tuple[int, str, str | None]
_ELEMENTWISE: Final = "elementwise"
_MATRIX: Final = "matrix"
_INNER: Final = "inner"
_OUTER: Final = "outer"


def multiply(
    algebra: Algebra, sign: ProductSign, factors: Sequence[Typed], pick: Callable[[Sequence[tuple[int, Way]]], Way]
) -> tuple[Typed, tuple[str, ...]]:
    """The product of the factors under one sign, with notes on how it was read.

    `pick` answers where shapes allow two readings. Products of different kinds are taken from the left, and from the
    right where only that fits: `a Wᵀδ` is a ⊙ (Wᵀδ). Raises ShapeError.
    """
    if all(f.is_scalar for f in factors):
        return Typed(mul(*(f.expr for f in factors))), ()
    if sign == "⊙":
        row, column, exprs, _ = algebra.aligned(factors, "the shapes do not fit in an elementwise product")
        return Typed(mul(*exprs), row, column), ()
    notes: list[str] = []
    try:
        result = factors[0]
        for factor in factors[1:]:
            result = _pair(algebra, sign, result, factor, pick, notes)
    except ShapeError:
        if len(factors) < 3 or sign == "@":
            raise
        notes.clear()
        result = factors[-1]
        for factor in reversed(factors[:-1]):
            result = _pair(algebra, sign, factor, result, pick, notes)
        notes.append("a product of several factors is read from the right")
    return result, tuple(notes)


def _pair(
    algebra: Algebra,
    sign: ProductSign,
    left: Typed,
    right: Typed,
    pick: Callable[[Sequence[tuple[int, Way]]], Way],
    notes: list[str],
) -> Typed:
    if left.is_scalar or right.is_scalar:
        row = left.row or right.row
        column = left.column or right.column
        return Typed(mul(left.expr, right.expr), row, column)
    ways = _ways(algebra, sign, left, right)
    if not ways:
        return algebra.contraction(left, right) if sign != "⊗" else _refuse_outer(algebra, left, right)
    _, kind, note = pick([(way[0], way) for way in ways])
    if note:
        notes.append(note)
    if kind == _ELEMENTWISE:
        return algebra.elementwise(left, right)
    if kind == _INNER:
        return algebra.inner(left, right)
    if kind == _OUTER:
        return _outer(left, right)
    return algebra.contraction(left, right)


def _ways(algebra: Algebra, sign: ProductSign, left: Typed, right: Typed) -> list[Way]:
    """The admissible kinds of product with their costs and notes."""
    name = {"": "a product without a sign", "·": "the dot", "*": "*", "×": "×", "@": "@", "⊗": "⊗"}.get(sign, sign)
    if sign == "⊗":
        return [(0, _OUTER, None)] if left.is_vector and right.is_vector else []
    matrix = algebra.contracts(left, right) or algebra.is_outer(left, right)
    alike = algebra.same_shape(left, right)
    ways: list[Way] = []
    if matrix:
        note = (
            f"{name} read as the matrix product" if sign in ("*", "×") and not algebra.is_outer(left, right) else None
        )
        ways.append((2 if alike and sign in ("*", "×") else 0, _MATRIX, note))
    if sign == "@":
        if alike and left.is_vector:
            ways.append((0, _INNER, "@ of two vectors read as their inner product"))
        return ways
    if alike:
        ways.append(
            (3 if matrix and sign not in ("*", "×") else 0, _ELEMENTWISE, f"{name} read as the elementwise product")
        )
        if left.is_vector and sign in ("", "·"):
            cost = 1 if sign == "·" else 4
            ways.append((cost, _INNER, f"{name} between two vectors read as the inner product"))
    elif not matrix and sign in ("*", "×") and _broadcasts(algebra, left, right):
        ways.append((1, _ELEMENTWISE, f"{name} read as the elementwise product, the vector repeated for each example"))
    return ways


def _broadcasts(algebra: Algebra, left: Typed, right: Typed) -> bool:
    vector, matrix = (left, right) if left.is_vector else (right, left)
    if not (vector.is_vector and matrix.is_matrix):
        return False
    other = matrix.row if vector.row is not None else matrix.column
    return algebra.same_axis(vector.axes[0], other)


def _outer(left: Typed, right: Typed) -> Typed:
    return Typed(mul(left.expr, right.expr), left.axes[0], right.axes[0])


def _refuse_outer(algebra: Algebra, left: Typed, right: Typed) -> Typed:
    raise ShapeError(
        "the outer product ⊗ takes two vectors",
        expected="n × 1 and m × 1",
        got=f"{algebra.shape(left)} and {algebra.shape(right)}",
    )
