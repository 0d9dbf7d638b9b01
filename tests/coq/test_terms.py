from __future__ import annotations

from fractions import Fraction

import pytest

from backproof.coq.terms import Terms
from backproof.errors import ExportError
from backproof.language.expression import Index, apply, delta, max_over, num, size, sum_over, tensor

x, y, z = tensor("x"), tensor("y"), tensor("z")
i, j = Index("i", "n"), Index("j", "n")


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (x - y, "x - y"),
        (-x + 1, "1 - x"),
        (-x, "- x"),
        (x - (y - z), "x - (y - z)"),
        (x / y / z, "x / (y * z)"),
        (1 / (x + y), "/ (x + y)"),
        (-1 / x, "- / x"),
        (-(x**2), "- x ^ 2"),
        ((-x + 0) ** 3, "(- x) ^ 3"),
        (x ** Fraction(1, 2), "sqrt x"),
        (x ** Fraction(-3, 2), "/ sqrt x ^ 3"),
        (x ** Fraction(1, 3), "Rpower x (1 / 3)"),
        (num(Fraction(-2, 3)) * x, "- (2 / 3 * x)"),
        (x * apply("exp", -y), "x * exp (- y)"),
        (apply("log", x) ** 2, "ln x ^ 2"),
        (size("n") * x, "INR n * x"),
        (delta(i, j) * tensor("v", i), "kron i j * v i"),
    ],
)
def test_terms(expr, text):
    assert Terms().write(expr) == text


def test_nested_sums_have_distinct_bound_names():
    body = tensor("W", i, j) * tensor("a", j)
    assert (
        Terms().write(sum_over(i, sum_over(j, body) ** 2)) == "Sum n (fun i1 => Sum n (fun i0 => W i1 i0 * a i0) ^ 2)"
    )


def test_a_size_called_like_the_real_numbers_gets_another_name():
    assert Terms().write(sum_over(Index("k", "R"), tensor("exp", Index("k", "R")))) == "Sum R_ (fun i0 => exp_ i0)"


def test_a_maximum_has_no_form():
    with pytest.raises(ExportError):
        Terms().write(max_over(i, tensor("v", i)))


def test_depth_does_not_matter():
    deep = x
    for _ in range(10_000):
        deep = apply("exp", deep + 1)
    assert Terms().write(deep).count("exp") == 10_000
