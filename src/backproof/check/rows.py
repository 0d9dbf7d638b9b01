"""Rows: the values of formulas at some points, a row for each formula.

A few numbers are kept in plain tuples, many in arrays of NumPy, which is imported only where there are many. Both can
be multiplied and subtracted, a row with all rows of a table as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import mul, sub
from typing import Any, Final, TypeAlias

TOLERANCE: Final = 1e-9

Row: TypeAlias = Any
"""`Few`, or an array of one axis."""

Rows: TypeAlias = Any
"""`FewRows`, or an array of two axes."""


@dataclass(frozen=True, slots=True)
class Few:
    """One row of a few numbers."""

    values: tuple[float, ...]

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self.values)

    def __mul__(self, other: Few | FewRows) -> Any:
        if isinstance(other, FewRows):
            return other * self
        return Few(tuple(map(mul, self.values, other.values)))

    def __sub__(self, other: Few | FewRows) -> Any:
        if isinstance(other, FewRows):
            return FewRows(tuple(self - row for row in other.rows))
        return Few(tuple(map(sub, self.values, other.values)))


@dataclass(frozen=True, slots=True)
class FewRows:
    """Some rows of a few numbers each."""

    rows: tuple[Few, ...]

    def __iter__(self) -> Iterator[Few]:
        return iter(self.rows)

    def __mul__(self, other: Few) -> FewRows:
        return FewRows(tuple(row * other for row in self.rows))

    def __sub__(self, other: Few) -> FewRows:
        return FewRows(tuple(row - other for row in self.rows))


def stacked(rows: Sequence[Row], like: Row) -> Rows:
    """Rows as a table; `like` is a row of the same kind, in case there are none."""
    if isinstance(like, Few):
        return FewRows(tuple(rows))
    import numpy as np

    return np.array(rows).reshape(len(rows), like.size)


def together(first: Rows, second: Rows) -> Rows:
    """The rows of two tables as one table."""
    if isinstance(first, FewRows):
        return FewRows((*first.rows, *second.rows))
    import numpy as np

    return np.concatenate((first, second))


def joined(rows: Sequence[Row]) -> Row:
    """The rows of several points as one."""
    if len(rows) == 1:
        return rows[0]
    if isinstance(rows[0], Few):
        return Few(tuple(value for row in rows for value in row.values))
    import numpy as np

    return np.concatenate(rows)


def is_finite(row: Row) -> bool:
    """Whether every value is a number."""
    if isinstance(row, Few):
        return all(map(math.isfinite, row.values))
    import numpy as np

    return bool(np.isfinite(row).all())


def is_zero(row: Row) -> bool:
    """Whether every value is 0."""
    return not any(row.values) if isinstance(row, Few) else not row.any()


def scaled(row: Row, factor: float) -> Row:
    """A row times a number."""
    return Few(tuple(factor * value for value in row.values)) if isinstance(row, Few) else row * factor


def dot(first: Row, second: Row) -> float:
    """The sum of the products."""
    if isinstance(first, Few):
        return sum(map(mul, first.values, second.values))
    return float(first @ second)


def equal_rows(rows: Rows, value: Row) -> list[int]:
    """The rows of a table that are equal to a row up to rounding."""
    if isinstance(value, Few):
        near = TOLERANCE * max(map(abs, value.values), default=0)
        # A comparison with nan is False.
        return [k for k, row in enumerate(rows) if all(abs(a - b) <= near for a, b in zip(row.values, value.values))]  # noqa: B905
    import numpy as np

    close = np.abs(rows - value).max(axis=1, initial=0) <= TOLERANCE * np.abs(value).max(initial=0)
    return np.flatnonzero(close).tolist()


def proportional_rows(rows: Rows, value: Row) -> list[tuple[int, float]]:
    """The rows of a table that a number takes to a row, and that number."""
    if isinstance(value, Few):
        return list(_few_proportional(rows, value.values))
    import numpy as np

    at = int(np.abs(value).argmax())
    if not value.size or value[at] == 0:
        return []
    with np.errstate(all="ignore"):
        ratios = value[at] / rows[:, at]
        error = np.abs(rows * ratios[:, None] - value).max(axis=1)
    # A comparison with nan is False.
    close = (error <= TOLERANCE * abs(value[at])) & (ratios != 0)
    return [(k, float(ratios[k])) for k in np.flatnonzero(close).tolist()]


def _few_proportional(rows: FewRows, values: tuple[float, ...]) -> Iterator[tuple[int, float]]:
    at = max(range(len(values)), key=lambda k: abs(values[k]), default=0)
    if not values or not values[at]:
        return
    near = TOLERANCE * abs(values[at])
    for k, row in enumerate(rows):
        if row.values[at]:
            ratio = values[at] / row.values[at]
            if ratio and all(abs(a * ratio - b) <= near for a, b in zip(row.values, values, strict=True)):
                yield k, ratio


def agree(value: Row, claim: Row) -> bool:
    """Whether two rows are equal up to rounding."""
    if value.size != claim.size or not is_finite(value) or not is_finite(claim):
        return False
    return bool(equal_rows(stacked([value], value), claim))
