"""Shapes: expressions with a row and a column axis, and the operations of matrix notation on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backproof.errors import ShapeError
from backproof.language.expression import Expr, Index, delta, mul, reindex, sum_over
from backproof.language.sorts import Sorts


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression as matrix notation sees it.

    A column has a row axis only, a row vector a column axis only, a matrix both, a scalar none. Letters of index
    notation are free in `expr` beside the axes.
    """

    expr: Expr
    row: Index | None = None
    column: Index | None = None

    @property
    def axes(self) -> tuple[Index, ...]:
        """The axes that are there, the row axis first."""
        return tuple(axis for axis in (self.row, self.column) if axis is not None)

    @property
    def is_scalar(self) -> bool:
        """Whether there are no axes."""
        return self.row is None and self.column is None

    @property
    def is_vector(self) -> bool:
        """Whether there is one axis."""
        return (self.row is None) != (self.column is None)

    @property
    def is_matrix(self) -> bool:
        """Whether there are both axes."""
        return self.row is not None and self.column is not None


@dataclass(frozen=True, slots=True)
class Algebra:
    """Operations on typed expressions; sorts that have to be equal are made equal, or a ShapeError names both."""

    sorts: Sorts

    def shape(self, typed: Typed) -> str:
        """The shape in words: `n × m`, `n × 1`, `1 × n`, `a scalar`."""
        if typed.is_scalar:
            return "a scalar"
        return f"{self._length(typed.row)} × {self._length(typed.column)}"

    def _length(self, axis: Index | None) -> str:
        if axis is None:
            return "1"
        return self.sorts.find(axis.sort) if self.sorts.is_known(axis.sort) else "?"

    def same_axis(self, left: Index | None, right: Index | None) -> bool:
        """Whether both axes are absent, or both there with sorts that may be equal."""
        if left is None or right is None:
            return left is right
        return self.sorts.fit(left.sort, right.sort)

    def same_shape(self, left: Typed, right: Typed) -> bool:
        """Whether the shapes may be equal."""
        return self.same_axis(left.row, right.row) and self.same_axis(left.column, right.column)

    def surely_same_shape(self, left: Typed, right: Typed) -> bool:
        """Whether the shapes are known to be equal."""
        pairs = ((left.row, right.row), (left.column, right.column))
        return all(
            (a is b is None) or (a and b and self.sorts.find(a.sort) == self.sorts.find(b.sort)) for a, b in pairs
        )

    def on_axes(self, typed: Typed, row: Index | None, column: Index | None) -> Typed:
        """The same with its axes renamed to the given ones; an absent axis stays absent."""
        mapping: dict[Index, Index] = {}
        for own, target in ((typed.row, row), (typed.column, column)):
            if own is not None and target is not None and own != target:
                self.sorts.unify(own.sort, target.sort)
                mapping[own] = target
        expr = reindex(typed.expr, mapping) if mapping else typed.expr
        return Typed(expr, row if typed.row is not None else None, column if typed.column is not None else None)

    def aligned(self, items: Sequence[Typed], what: str) -> tuple[Index | None, Index | None, list[Expr], bool]:
        """Common axes for an elementwise operation, the expressions on them, and whether a vector was broadcast.

        Scalars fit everything. A column fits a matrix with as many rows, a row vector one with as many columns. A
        column and a row vector do not fit: NumPy would make a matrix of them, which is nearly always a slip.
        """
        shaped = [item for item in items if not item.is_scalar]
        if not shaped:
            return None, None, [item.expr for item in items], False
        widest = next((item for item in shaped if item.is_matrix), shaped[0])
        broadcast = False
        for item in shaped:
            fits = (item.row is None or self._onto(item.row, widest.row)) and (
                item.column is None or self._onto(item.column, widest.column)
            )
            if not fits:
                raise ShapeError(
                    what, expected=f"two equal shapes; one side is {self.shape(widest)}", got=self.shape(item)
                )
            broadcast = broadcast or len(item.axes) < len(widest.axes)
        moved = [self.on_axes(item, widest.row, widest.column).expr for item in items]
        return widest.row, widest.column, moved, broadcast

    def _onto(self, axis: Index, target: Index | None) -> bool:
        return target is not None and self.sorts.unify(axis.sort, target.sort)

    def number(self, typed: Typed) -> Typed:
        """What has one entry only (every axis of size 1) as that number, anything else as it is."""
        if typed.is_scalar or any(self.sorts.find(axis.sort) != "1" for axis in typed.axes):
            return typed
        return self.total(typed)

    def transposed(self, typed: Typed) -> Typed:
        """The transpose."""
        return Typed(typed.expr, typed.column, typed.row)

    def elementwise(self, left: Typed, right: Typed) -> Typed:
        """Left ⊙ right, vectors broadcast over matrices."""
        row, column, exprs, _ = self.aligned((left, right), "the shapes do not fit in an elementwise product")
        return Typed(mul(*exprs), row, column)

    def contracts(self, left: Typed, right: Typed) -> bool:
        """Whether left · right is a matrix product: as many columns on the left as rows on the right."""
        return left.column is not None and right.row is not None and self.sorts.fit(left.column.sort, right.row.sort)

    def contraction(self, left: Typed, right: Typed) -> Typed:
        """The matrix product Σ_k left[i,k]·right[k,j]; an outer product of a column and a row vector."""
        if self.is_outer(left, right):
            return Typed(mul(left.expr, right.expr), left.row, right.column)
        if left.column is None or right.row is None or not self.sorts.unify(left.column.sort, right.row.sort):
            raise ShapeError(
                "the shapes do not fit in a matrix product",
                expected=f"{self._length(left.column)} rows on the right of {self.shape(left)}",
                got=f"{self.shape(left)} times {self.shape(right)}",
                next="transpose one factor, or write ⊙ for the elementwise product",
            )
        moved = reindex(right.expr, {right.row: left.column})
        return Typed(sum_over(left.column, mul(left.expr, moved)), left.row, right.column)

    def is_outer(self, left: Typed, right: Typed) -> bool:
        """Whether left · right is a column times a row vector."""
        return left.is_vector and right.is_vector and left.row is not None and right.column is not None

    def inner(self, left: Typed, right: Typed) -> Typed:
        """The sum of the entries of left ⊙ right: the inner product of two vectors of one orientation."""
        return self.total(self.elementwise(left, right))

    def total(self, typed: Typed) -> Typed:
        """The sum of all entries."""
        return Typed(sum_over(typed.axes, typed.expr))

    def trace(self, typed: Typed) -> Typed:
        """Σ_i A[i,i]. Raises ShapeError for a matrix that is not square."""
        entries = self.diagonal(typed)
        return self.total(entries)

    def diagonal(self, typed: Typed) -> Typed:
        """The diagonal of a square matrix as a column."""
        if typed.row is None or typed.column is None or not self.sorts.unify(typed.row.sort, typed.column.sort):
            raise ShapeError("only a square matrix has a diagonal", expected="n × n", got=self.shape(typed))
        return Typed(reindex(typed.expr, {typed.column: typed.row}), typed.row)

    def diagonal_matrix(self, typed: Typed, other: Index) -> Typed:
        """The matrix with the vector on its diagonal; `other` becomes its column axis."""
        if not typed.is_vector:
            raise ShapeError("diag takes a vector", expected="n × 1", got=self.shape(typed))
        (axis,) = typed.axes
        self.sorts.unify(axis.sort, other.sort)
        return Typed(mul(delta(axis, other), typed.expr), axis, other)

    def with_expr(self, typed: Typed, expr: Expr) -> Typed:
        """The same axes with another expression on them."""
        return replace(typed, expr=expr)
