from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

import pytest

from backproof.algebra import Algebra, Limits, OutOfBudget
from backproof.language.expression import Expr, Index, add, apply, mul, num, power, sum_over, tensor

i, j = Index("i", "n"), Index("j", "n")
x, u = tensor("x", i), tensor("u")


def layer(e: Expr) -> Expr:
    inner, outer = (i, j) if i in e.free else (j, i)
    return apply("f", sum_over(inner, tensor("W", outer, inner) * e))


NESTS: dict[str, Callable[[Expr], Expr]] = {
    "abstract": lambda e: apply("f", e),
    "sine": lambda e: apply("sin", e + 1),
    "exp": lambda e: apply("exp", e),
    "log": lambda e: apply("log", e + 1),
    "erf and step": lambda e: apply("step", apply("erf", e)),
    "inverse": lambda e: 1 / (e + 1),
    "inverse, quadratic": lambda e: 1 / (e + u * e**2 + 1),
    "root": lambda e: power(e + 1, Fraction(1, 2)),
    "relu": lambda e: (e + 1) * apply("step", e + 1),
    "step": lambda e: apply("step", e - Fraction(1, 2)),
    "product": lambda e: mul(e + 1, x),
    "square": lambda e: power(apply("f", e) + e, 2),
    "layer": lambda e: apply("f", sum_over(j, tensor("W", i, j) * e)),
    "layers": layer,
}


def answered(algebra: Algebra, formula: Expr) -> bool | None:
    try:
        poly = algebra.normal(formula)
        algebra.expression(poly)
        summed = algebra.sum(i, poly)
        algebra.factored(poly)
        algebra.fraction(poly)
        algebra.tensors(poly)
        return algebra.is_zero(algebra.minus(summed, algebra.normal(sum_over(i, formula))))
    except OutOfBudget:
        return None


@pytest.mark.parametrize("name", NESTS)
def test_depth_300(name: str):
    formula: Expr = x
    for _ in range(300):
        formula = NESTS[name](formula)
    assert answered(Algebra(limits=Limits(seconds=0.5)), formula) in (True, None)


@pytest.mark.slow
@pytest.mark.parametrize("name", NESTS)
def test_depth_10_000(name: str):
    formula: Expr = x
    for _ in range(10_000):
        formula = NESTS[name](formula)
    assert answered(Algebra(limits=Limits(seconds=3)), formula) in (True, None)


def test_deep_erf_keeps_the_sign():
    formula: Expr = x
    for _ in range(3_000):
        formula = apply("erf", formula)
    assert Algebra().equal(apply("step", formula), apply("step", x))


BIG: dict[str, Expr] = {
    "power of a sum": power(x + u, 10**6),
    "power of a sum below": power(x + u, -(10**6)) + 1,
    "root of a power": power(x + u, Fraction(10**6 + 1, 2)),
    "power of a number": power(2 * x, 10**6),
    "high degree below": 1 / (power(x, 10**6) + 1),
    "high degree over a fraction": power(x, 10**6) / (x + 1),
    "log of a high degree": apply("log", power(x, 10**6) + 1),
    "root of a high degree": power(power(x, 10**6) + 1, Fraction(1, 2)),
    "log of a large number": apply("log", num(10**100 + 267)),
    "exp of a multiple of a log": apply("exp", 10**9 * apply("log", x + 1)),
    "many terms": power(add(*(tensor(f"v{k}") for k in range(30))), 8),
    "many denominators": add(*(1 / (x + tensor(f"v{k}")) for k in range(60))),
    "many angles": apply("sin", 10**6 * x) ** 2,
    "many indicators": mul(*(1 + apply("step", tensor(f"v{k}")) for k in range(20))),
    "power of a sum in a sum": sum_over(i, power(sum_over(j, tensor("A", i, j)), 60)),
}


@pytest.mark.parametrize("name", BIG)
def test_large_things_end_soon(name: str):
    start = time.monotonic()
    answered(Algebra(limits=Limits(seconds=1)), BIG[name])
    assert time.monotonic() - start < 8


@pytest.mark.parametrize("name", ["power of a sum", "power of a number", "many terms", "high degree below"])
def test_what_is_too_large_says_so(name: str):
    with pytest.raises(OutOfBudget) as caught:
        Algebra().normal(BIG[name])
    assert "at most" in str(caught.value)


def test_time_is_bounded():
    with pytest.raises(OutOfBudget, match="too long"):
        Algebra(limits=Limits(seconds=0.0)).normal(power(add(*(tensor(f"v{k}") for k in range(12))), 6))
