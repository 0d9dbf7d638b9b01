"""Products: what a juxtaposition, a star, a dot or @ means for given shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from backproof.errors import ShapeError
from backproof.language.expression import mul
from backproof.language.notation import ProductSign
from backproof.language.shapes import Algebra, Typed

_FEW: Final = 4

Kind = Literal["elementwise", "matrix", "inner", "outer"]
Way = tuple[int, Kind, str | None]
"""A way to read a product: its cost, its kind, and what has to be said about it."""

Pick = Callable[[Sequence[Way]], Way]


@dataclass(slots=True)
class Multiplication:
    """Products under one sign. `pick` answers where shapes allow two ways; `notes` collects what has to be said."""

    algebra: Algebra
    sign: ProductSign
    pick: Pick
    notes: list[str] = field(default_factory=list[str])
    few: bool = True

    def product(self, factors: Sequence[Typed]) -> Typed:
        """The product of the factors.

        Products of different kinds are taken from the left, and from the right where only that fits: `a Wᵀδ` is
        a ⊙ (Wᵀδ). Raises ShapeError.
        """
        if all(f.is_scalar for f in factors):
            return Typed(mul(*(f.expr for f in factors)))
        if self.sign == "⊙":
            row, column, exprs, _ = self.algebra.aligned(factors, "the shapes do not fit in an elementwise product")
            return Typed(mul(*exprs), row, column)
        scalars = [f.expr for f in factors if f.is_scalar]
        if scalars:
            # Numbers stay outside the sums of matrix products.
            rest = self.product([f for f in factors if not f.is_scalar])
            return Typed(mul(*scalars, rest.expr), rest.row, rest.column)
        self.few = len(factors) <= _FEW
        try:
            return self._from_left(factors)
        except ShapeError:
            if len(factors) < 3 or self.sign == "@":
                raise
            self.notes.clear()
            result = self._from_right(factors)
            self.notes.append("a product of several factors is read from the right")
            return result

    def _from_left(self, factors: Sequence[Typed]) -> Typed:
        result = factors[0]
        alike = [result]
        for factor in factors[1:]:
            if len(alike) > 1 and self.algebra.surely_same_shape(alike[0], factor):
                # A run of equal shapes is one product: pair by pair it would cost the square of its length.
                alike.append(factor)
                continue
            if len(alike) > 2:
                result = self._run(alike)
            before = result
            result = self._pair(result, factor)
            same = self.sign != "@" and self.algebra.surely_same_shape(before, factor) and not factor.is_matrix
            alike = [before, factor] if same and self.algebra.surely_same_shape(result, factor) else [result]
        return self._run(alike) if len(alike) > 2 else result

    def _run(self, alike: Sequence[Typed]) -> Typed:
        row, column, exprs, _ = self.algebra.aligned(alike, "the shapes do not fit in an elementwise product")
        return Typed(mul(*exprs), row, column)

    def _from_right(self, factors: Sequence[Typed]) -> Typed:
        result = factors[-1]
        for factor in reversed(factors[:-1]):
            result = self._pair(factor, result)
        return result

    def _pair(self, left: Typed, right: Typed) -> Typed:
        if left.is_scalar or right.is_scalar:
            return Typed(mul(left.expr, right.expr), left.row or right.row, left.column or right.column)
        ways = self._ways(left, right)
        if not ways:
            numbers = self.algebra.number(left), self.algebra.number(right)
            if self.sign != "⊗" and (numbers[0].is_scalar or numbers[1].is_scalar):
                self._note("a factor of size 1 × 1 is read as a number")
                return self._pair(*numbers)
            return self._refused(left, right)
        _, kind, note = self.pick(ways)
        if note:
            self._note(note)
        match kind:
            case "elementwise":
                return self.algebra.elementwise(left, right)
            case "inner":
                return self.algebra.inner(left, right)
            case "outer":
                return Typed(mul(left.expr, right.expr), left.axes[0], right.axes[0])
            case "matrix":
                return self.algebra.contraction(left, right)

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _refused(self, left: Typed, right: Typed) -> Typed:
        if self.sign != "⊗":
            return self.algebra.contraction(left, right)
        raise ShapeError(
            "the outer product ⊗ takes two vectors",
            expected="n × 1 and m × 1",
            got=f"{self.algebra.shape(left)} and {self.algebra.shape(right)}",
        )

    def _ways(self, left: Typed, right: Typed) -> list[Way]:
        """The admissible ways."""
        if self.sign == "⊗":
            return [(0, "outer", None)] if left.is_vector and right.is_vector else []
        name = {"": "a product without a sign", "·": "the dot"}.get(self.sign, self.sign)
        star = self.sign in ("*", "×")
        outer = self.algebra.is_outer(left, right)
        matrix = outer or self.algebra.contracts(left, right)
        alike = self.algebra.same_shape(left, right)
        ways: list[Way] = []
        if matrix:
            note = f"{name} read as the matrix product" if star and not outer else None
            ways.append((2 if alike and star else 0, "matrix", note))
        if self.sign == "@":
            if alike and left.is_vector:
                ways.append((0, "inner", "@ of two vectors read as their inner product"))
            return ways
        if alike:
            cost = 3 if matrix and not star else 0
            ways.append((cost, "elementwise", f"{name} read as the elementwise product"))
            if left.is_vector and not star and self.few:
                cost = 1 if self.sign == "·" else 4
                ways.append((cost, "inner", f"{name} between two vectors read as the inner product"))
        elif not matrix and star and self._broadcasts(left, right):
            note = f"{name} read as the elementwise product, the vector repeated along the other axis"
            ways.append((1, "elementwise", note))
        return ways

    def _broadcasts(self, left: Typed, right: Typed) -> bool:
        vector, matrix = (left, right) if left.is_vector else (right, left)
        if not (vector.is_vector and matrix.is_matrix):
            return False
        other = matrix.row if vector.row is not None else matrix.column
        return self.algebra.same_axis(vector.axes[0], other)
