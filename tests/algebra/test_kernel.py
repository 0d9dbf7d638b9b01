"""The all-sizes test: true identities in sums of any size, and ones that hold for small sizes only."""

from __future__ import annotations

import itertools
import random

import pytest
from algebra.evaluation import differ, sample
from algebra.identities import A, B, S, a0, d, ex, i, j, k, l, n, p, step, x, y

from backproof.algebra import Algebra, Limits, OutOfBudget
from backproof.language.expression import Expr, lift, mul, num


def symmetric_functions(size: int) -> Expr:
    """Newton: the elementary symmetric function of degree `size` + 1 of `size` numbers is 0, in power sums."""
    powers = [num(0)] + [S(i, x[i] ** h) for h in range(1, size + 2)]
    elementary = [num(1)]
    for h in range(1, size + 2):
        terms = [(-1) ** (r - 1) * elementary[h - r] * powers[r] for r in range(1, h + 1)]
        elementary.append(sum(terms[1:], terms[0]) / h)
    return elementary[-1]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_true_for_small_sizes_only(size: int):
    """Vanishes for n ≤ size, and only there: the evaluation says so, and the algebra proves nothing."""
    formula = symmetric_functions(size)
    rng = random.Random(size)
    for small in range(1, size + 1):
        assert not differ(formula, num(0), {"n": small}, sample({"x": ("n",)}, {"n": small}, rng))
    assert differ(formula, num(0), {"n": size + 1}, sample({"x": ("n",)}, {"n": size + 1}, rng))
    assert not Algebra().equal(formula, num(0))


@pytest.mark.parametrize("highest", [1, 2, 3, 4])
def test_polynomials_in_the_size(highest: int):
    formula: Expr = mul(*(n - value for value in range(1, highest + 1)))
    assert not Algebra().equal(formula, num(0))
    assert Algebra().equal(formula * (n + 1), formula * n + formula)


TRUE = {
    "Lagrange": (
        S(i, x[i] ** 2) * S(j, y[j] ** 2),
        S(i, x[i] * y[i]) ** 2 + S([i, j], (x[i] * y[j] - x[j] * y[i]) ** 2) / 2,
    ),
    "transposes": (S([i, j, k], A[i, j] * B[j, k] * x[i] * y[k]), S([i, j, k], A[k, j] * B[j, i] * x[k] * y[i])),
    "a rational kernel": (S([i, j], x[i] / (x[i] + x[j])), n**2 / 2),
    "a kernel of three": (S([i, j, k], x[i] / (x[i] + x[j] + x[k])), n**3 / 3),
    "a kernel with exponentials": (S([i, j], 1 / (1 + ex(x[i] - x[j]))), n**2 / 2),
    "a kernel with indicators": (S([i, j], step(x[i] - x[j]) * (x[i] + x[j])), (n - 1) * S(i, x[i])),
    "a free index": (S(j, step(x[i] - x[j]) + step(x[j] - x[i])), n - 1),
    "deltas in the kernel": (S([i, j, k], d(i, j) * step(x[j] - x[k])), n * (n - 1) / 2),
    "Chebyshev": (S([i, j], (x[i] - x[j]) * (y[i] - y[j])), 2 * n * S(i, x[i] * y[i]) - 2 * S(i, x[i]) * S(j, y[j])),
    "below a fraction": (S(i, x[i] / S(j, x[j])) * a0, a0),
}


@pytest.mark.parametrize("name", TRUE)
def test_true_for_all_sizes(name: str):
    left, right = TRUE[name]
    assert Algebra().equal(lift(left), lift(right))


@pytest.mark.parametrize("name", TRUE)
def test_a_factor_two_is_seen(name: str):
    left, right = TRUE[name]
    assert not Algebra().equal(lift(left), 2 * lift(right))


def test_without_canonical_labels_the_kernels_still_decide():
    order = (i, j, k, l)
    cycle = mul(*(A[a, b] for a, b in itertools.pairwise((*order, order[0]))))
    other = mul(*(A[a, b] for a, b in itertools.pairwise((k, i, l, p, k))))
    assert Algebra(limits=Limits(labellings=1)).equal(S(list(order), cycle), S([k, i, l, p], other))


def test_too_many_orders_say_so():
    long = mul(*(S(i, x[i] ** h * y[i]) for h in range(1, 8)))
    with pytest.raises(OutOfBudget, match="orders"):
        Algebra(limits=Limits(kernels=100)).equal(2 * long, long)
