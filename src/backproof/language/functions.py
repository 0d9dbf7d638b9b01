"""Functions that a formula may use without a catalogue: the axioms, and what is written through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from backproof.language.expression import Expr, Num, add, apply, mul, num, power

AXIOMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "exp": "exp",
        "log": "log",
        "ln": "log",
        "sin": "sin",
        "cos": "cos",
        "erf": "erf",
        "atan": "atan",
        "arctan": "atan",
        "step": "step",
        "heaviside": "step",
    }
)


def absolute(u: Expr) -> Expr:
    """|u| = u·(2[u > 0] − 1), exact also at 0."""
    if isinstance(u, Num):
        return num(abs(u.value))
    return mul(u, add(mul(2, apply("step", u)), -1))


def sign(u: Expr) -> Expr:
    """The sign, 0 at 0: [u > 0] − [−u > 0]."""
    return add(apply("step", u), mul(-1, apply("step", mul(-1, u))))


def maximum(u: Expr, v: Expr) -> Expr:
    """max(u, v) = u + (v − u)·[v − u > 0]; max(0, v) is v·[v > 0]."""
    difference = add(v, mul(-1, u))
    return add(u, mul(difference, apply("step", difference)))


def minimum(u: Expr, v: Expr) -> Expr:
    """min(u, v) = u − (u − v)·[u − v > 0]."""
    difference = add(u, mul(-1, v))
    return add(u, mul(-1, difference, apply("step", difference)))


def exponential_power(base: Expr, exponent: Expr) -> Expr:
    """Base ^ exponent = exp(exponent · log base)."""
    return apply("exp", mul(exponent, apply("log", base)))


def any_power(base: Expr, exponent: Expr) -> Expr:
    """Base ^ exponent: a number stays an exponent, so that the base may be negative."""
    return power(base, exponent.value) if isinstance(exponent, Num) else exponential_power(base, exponent)


def hyperbolic_sine(u: Expr) -> Expr:
    """Sinh u = (eᵘ − e⁻ᵘ)/2."""
    return mul(Fraction(1, 2), add(apply("exp", u), mul(-1, apply("exp", mul(-1, u)))))


def hyperbolic_cosine(u: Expr) -> Expr:
    """Cosh u = (eᵘ + e⁻ᵘ)/2."""
    return mul(Fraction(1, 2), add(apply("exp", u), apply("exp", mul(-1, u))))


def tangent(u: Expr) -> Expr:
    """Tan u = sin u / cos u."""
    return mul(apply("sin", u), power(apply("cos", u), -1))


def hyperbolic_tangent(u: Expr) -> Expr:
    """Tanh u = 2/(1 + e⁻²ᵘ) − 1."""
    return add(mul(2, power(add(1, apply("exp", mul(-2, u))), -1)), -1)


def logarithm(base: int) -> Callable[[Expr], Expr]:
    """The logarithm to a base."""
    return lambda u: mul(apply("log", u), power(apply("log", base), -1))


ENTRYWISE: Final[Mapping[str, Callable[[Expr], Expr]]] = MappingProxyType(
    {
        "sqrt": lambda u: power(u, Fraction(1, 2)),
        "square": lambda u: power(u, 2),
        "reciprocal": lambda u: power(u, -1),
        "abs": absolute,
        "absolute": absolute,
        "sign": sign,
        "sgn": sign,
        "sinh": hyperbolic_sine,
        "cosh": hyperbolic_cosine,
        "tanh": hyperbolic_tangent,
        "sech": lambda u: power(hyperbolic_cosine(u), -1),
        "tan": tangent,
        "log2": logarithm(2),
        "log10": logarithm(10),
        "log1p": lambda u: apply("log", add(1, u)),
        "expm1": lambda u: add(apply("exp", u), -1),
        "negative": lambda u: mul(-1, u),
    }
)
"""Functions of one scalar, by name."""

PAIRWISE: Final[Mapping[str, Callable[[Expr, Expr], Expr]]] = MappingProxyType(
    {
        "max": maximum,
        "maximum": maximum,
        "min": minimum,
        "minimum": minimum,
        "pow": any_power,
        "power": any_power,
        "add": add,
        "subtract": lambda u, v: add(u, mul(-1, v)),
        "multiply": mul,
        "divide": lambda u, v: mul(u, power(v, -1)),
        "true_divide": lambda u, v: mul(u, power(v, -1)),
    }
)
"""Functions of two scalars, by name; `max` and `min` take more."""
