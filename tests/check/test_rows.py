"""Rows in tuples and in arrays: the same answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backproof.check.rows import (
    Few,
    agree,
    dot,
    equal_rows,
    is_finite,
    is_zero,
    joined,
    proportional_rows,
    scaled,
    stacked,
)
from backproof.check.scales import Scales

TABLE = ((1.0, 2.0), (3.0, -6.0), (0.0, 1.0), (2.0, 4.0 + 1e-12), (math.nan, 1.0))
KINDS = [lambda values: Few(tuple(values)), np.array]


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_compared_up_to_rounding(kind):
    rows = stacked([kind(r) for r in TABLE], kind(TABLE[0]))
    assert equal_rows(rows, kind((2.0, 4.0))) == [3]
    assert [(k, round(r, 6)) for k, r in proportional_rows(rows, kind((2.0, 4.0)))] == [(0, 2.0), (3, 1.0)]
    assert equal_rows(rows - kind((1.0, 2.0)), kind((2.0, -8.0))) == [1]
    assert equal_rows(kind((1.0, 2.0)) - rows, kind((-2.0, 8.0))) == [1]
    assert equal_rows(rows * kind((2.0, 1.0)), kind((6.0, -6.0))) == [1]
    assert proportional_rows(rows, kind((0.0, 0.0))) == []


@pytest.mark.parametrize("kind", KINDS)
def test_single_rows(kind):
    row = kind((3.0, -4.0))
    assert dot(row, row) == 25
    assert is_finite(row)
    assert not is_finite(kind((1.0, math.inf)))
    assert is_zero(kind((0.0, 0.0)))
    assert not is_zero(row)
    assert agree(scaled(row, 2.0), row * kind((2.0, 2.0)))
    assert not agree(row, kind((3.0, -4.0001)))
    assert agree(joined([row, row]) * joined([row, row]), kind((9.0, 16.0, 9.0, 16.0)))


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [(0.5, "1/2"), (-2 / 5, "(-2)*n^(-1)"), (5 / 7, "m^(-1)*n"), (math.pi, "None"), (0.0, "None"), (math.nan, "None")],
)
def test_the_simplest_scale(ratio, expected):
    assert str(Scales({"n": 5, "m": 7}).nearest(ratio)) in (expected, expected.replace("m^(-1)*n", "n*m^(-1)"))
