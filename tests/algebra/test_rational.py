from __future__ import annotations

from fractions import Fraction

import pytest
from algebra.identities import S, a0, b0, c0, eps, ex, i, n, sq, step, x

from backproof.algebra import Algebra, Limits, OutOfBudget
from backproof.language.expression import Expr, add, mul, num, power, tensor


def written(algebra: Algebra, formula: Expr) -> tuple[Fraction, set[tuple[Expr, int]]]:
    value, factors = algebra.factored(algebra.normal(formula))
    return value, {(algebra.expression(base), count) for base, count in factors}


def test_factors():
    algebra = Algebra()
    assert written(algebra, a0**2 - b0**2) in (
        (1, {(a0 - b0, 1), (a0 + b0, 1)}),
        (-1, {(b0 - a0, 1), (a0 + b0, 1)}),
        (1, {(add(-b0, a0), 1), (add(b0, a0), 1)}),
    )
    value, factors = written(algebra, 6 * a0**2 * (S(i, x[i]) - 1) / 4)
    assert (value, len(factors)) == (Fraction(3, 2), 2)
    assert (a0, 2) in factors
    assert (S(i, x[i]) - 1, 1) in factors


def test_factors_below():
    value, factors = written(Algebra(), a0 / (2 * n**2))
    assert (value, factors) == (Fraction(1, 2), {(a0, 1), (n, -2)})


def test_factors_multiply_back():
    algebra = Algebra()
    for formula in (
        (a0 + b0) ** 2 / (a0 - c0) + 1 / a0,
        ex(a0) - ex(-a0),
        1 / (1 + ex(a0)) + ex(2 * b0) / 3,
        sq(a0 + 1) / (sq(a0 + 1) + b0) + 1,
        step(a0) * b0 - b0,
    ):
        value, factors = algebra.factored(algebra.normal(formula))
        product = mul(num(value), *(power(algebra.expression(base), count) for base, count in factors))
        assert algebra.equal(product, formula)
        top, bottom = algebra.fraction(algebra.normal(formula))
        assert algebra.equal(algebra.expression(top), formula * algebra.expression(bottom))


def test_fraction_is_in_lowest_terms():
    algebra = Algebra()
    top, bottom = algebra.fraction(algebra.normal((a0**2 - 1) / (2 * (a0 + 1) * b0)))
    assert algebra.equal(algebra.expression(top), (a0 - 1) / 2)
    assert algebra.expression(bottom) is b0


def test_zero():
    algebra = Algebra()
    assert algebra.factored({}) == (0, [])
    assert algebra.fraction({}) == ({}, {(): 1})


def test_names():
    algebra = Algebra()
    assert algebra.tensors(algebra.normal(S(i, ex(x[i] * a0)) / sq(b0 + eps))) == {"x", "a0", "b0", "eps"}


def test_too_large_to_factor():
    many = add(*(tensor(f"v{k}") * tensor(f"w{k}") ** 2 for k in range(40)))
    algebra = Algebra(limits=Limits(factor_terms=20))
    poly = algebra.normal(many**2)
    with pytest.raises(OutOfBudget, match="too large to factor"):
        algebra.factored(poly)
