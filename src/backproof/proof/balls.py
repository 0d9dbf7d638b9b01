"""Balls: real numbers with a certified error, from python-flint (arb), and what stands for abstract functions.

A ball that is not finite stands for a value that does not exist or is not known; it is tested before any comparison,
because `arb("nan").contains(0)` is true. Source: F. Johansson, Arb, IEEE Transactions on Computers 66 (2017).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from typing import Final

from flint import arb, ctx

from backproof.errors import UnknownNameError
from backproof.language.expression import Expr, add, apply, mul, num, power, tensor, zero
from backproof.proof.verdict import Ball

ZERO: Final = Fraction(0)
PRECISION: Final = 160
"""Bits of a first evaluation."""

AXIOMS: Final = frozenset({"exp", "log", "sin", "cos", "atan", "erf", "step"})

MAX_PRECISION: Final = 4_000
"""Bits beyond which an evaluation is given up."""


@contextmanager
def precision(bits: int) -> Generator[None]:
    """Balls of this many bits inside the block."""
    before: int = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def ball(value: Fraction | int) -> arb:
    """An exact number as a ball."""
    if isinstance(value, int):
        return arb(value)
    return arb(value.numerator) if value.denominator == 1 else arb(value.numerator) / value.denominator


def shown(value: arb, digits: int = 30) -> Ball:
    """A ball in decimal; the radius is rounded up."""
    middle = value.mid().str(digits, radius=False)
    # What the shortened middle leaves out belongs to the radius.
    left_out = abs(value - arb(middle))
    return Ball(middle, (left_out.abs_upper() * arb("1.01")).str(3, radius=False))


class Balls:
    """The arithmetic of balls. `kinks` says whether step(0) is 0 (by convention) or has no value.

    `doubtful` becomes true when a sign could not be told for want of precision.
    """

    undefined: arb = arb("nan")

    def __init__(self, style: str = "polynomial", *, kinks: bool = False) -> None:
        self.style = style
        self.kinks = kinks
        self.doubtful = False
        self._axioms: dict[str, Callable[[arb], arb]] = {
            "exp": arb.exp,
            "log": self._log,
            "sin": arb.sin,
            "cos": arb.cos,
            "atan": arb.atan,
            "erf": arb.erf,
            "step": self._step,
        }

    def number(self, value: Fraction | int) -> arb:
        """An exact number."""
        return ball(value)

    def constant(self, name: str) -> arb:
        """A named constant."""
        if name == "pi":
            return arb.pi()
        if name == "e":
            return arb(1).exp()
        raise UnknownNameError(f"nothing defines the constant {name}", expected="pi or e")

    def power(self, base: arb, exponent: Fraction) -> arb:
        """A rational power; a root only of what is not negative."""
        if exponent.denominator == 1:
            k = int(exponent)
            return base**k if k > 0 else 1 / base ** (-k)
        if base.is_zero():
            return arb(0) if exponent > 0 else self.undefined
        if not base > 0:
            return self._without_sign(base)
        root = base.sqrt() if exponent.denominator == 2 else base.root(exponent.denominator)
        k = exponent.numerator
        return root**k if k > 0 else 1 / root ** (-k)

    def function(self, name: str, orders: tuple[int, ...]) -> Callable[..., arb]:
        """An axiom, or what stands for an abstract function."""
        axiom = self._axioms.get(name)
        if axiom is not None and not any(orders):
            return axiom
        if axiom is not None:
            raise UnknownNameError(f"a slope of {name} has not been unfolded", expected="axioms of order 0")
        return stand_in(name, orders, self.style)

    def greatest(self, values: Sequence[arb]) -> int | None:
        """The place of the greatest ball; None where two cannot be told apart."""
        best = 0
        for k, value in enumerate(values):
            if value > values[best]:
                best = k
        if all(k == best or values[best] > value for k, value in enumerate(values)):
            return best
        self.doubtful = True
        return None

    def _without_sign(self, u: arb) -> arb:
        self.doubtful = self.doubtful or not (u < 0 or u.is_zero())
        return self.undefined

    def _log(self, u: arb) -> arb:
        return u.log() if u > 0 else self._without_sign(u)

    def _step(self, u: arb) -> arb:
        if u > 0:
            return arb(1)
        if u < 0 or (self.kinks and u.is_zero()):
            return arb(0)
        return self._without_sign(u)


# What stands for an abstract function: neither zero nor odd nor even, f(0), f'(0), f''(0) all distinct and not 0.
_POLYNOMIALS: Final = (
    (Fraction(1), Fraction(-1), Fraction(1, 2), Fraction(3, 8), Fraction(1, 8)),
    (Fraction(2), Fraction(1, 2), Fraction(-1), Fraction(1, 4), Fraction(1, 8)),
    (Fraction(-1), Fraction(2), Fraction(1, 4), Fraction(-1, 2), Fraction(1, 8)),
    (Fraction(3), Fraction(-1, 2), Fraction(2), Fraction(1, 8), Fraction(-1, 4)),
    (Fraction(1, 2), Fraction(3), Fraction(1), Fraction(-1, 4), Fraction(1, 8)),
)
_SLOPES: Final = (Fraction(1), Fraction(-1, 2), Fraction(3, 4), Fraction(1, 4), Fraction(-3, 2), Fraction(5, 4))


def _choice(name: str) -> int:
    return {"f": 0, "g": 1, "h": 2, "ell": 3}.get(name, zlib.crc32(name.encode()) % len(_POLYNOMIALS))


@cache
def stand_in(name: str, orders: tuple[int, ...], style: str) -> Callable[..., arb]:
    """A concrete function for an abstract one, with its exact derivatives.

    `polynomial` is Π_k p(c_k u_k) with a polynomial p; `wave` is bounded, for deep programs: sin in place of p.
    """
    which = _choice(name)
    outer = [(_wave if style == "wave" else _polynomial)(which, k, order) for k, order in enumerate(orders)]
    if len(outer) == 1:
        return outer[0]

    def function(*arguments: arb) -> arb:
        value = arb(1)
        for f, u in zip(outer, arguments, strict=True):
            value = value * f(u)
        return value

    return function


# All numbers below are dyadic: as balls they are exact, whatever the precision is when they are made.
def _wave(which: int, k: int, order: int) -> Callable[[arb], arb]:
    """3/4 sin(c u + phase) + 1/8; each derivative shifts the phase by a quarter turn."""
    c = ball(_SLOPES[k % len(_SLOPES)])
    scale, phase, rest = c**order * 3 / 4, ball(Fraction(1, 2) + k + which), ball(Fraction(int(order == 0), 8))
    sign = -scale if order % 4 >= 2 else scale
    turned = arb.cos if order % 2 else arb.sin
    return lambda u: sign * turned(c * u + phase) + rest


def _polynomial(which: int, k: int, order: int) -> Callable[[arb], arb]:
    c = ball(_SLOPES[k % len(_SLOPES)])
    scale = c**order
    highest, *lower = [ball(q) for q in reversed(differentiated(_POLYNOMIALS[(which + k) % len(_POLYNOMIALS)], order))]

    def function(u: arb) -> arb:
        v, total = c * u, highest
        for coefficient in lower:
            total = total * v + coefficient
        return total * scale

    return function


def differentiated(coefficients: tuple[Fraction, ...], order: int) -> tuple[Fraction, ...]:
    """The coefficients of a derivative of a polynomial, lowest first.

    >>> differentiated((Fraction(1), Fraction(2), Fraction(3)), 1)
    (Fraction(2, 1), Fraction(6, 1))
    """
    for _ in range(order):
        coefficients = tuple(k * c for k, c in enumerate(coefficients))[1:] or (ZERO,)
    return coefficients


def stand_in_formula(name: str, arity: int, style: str) -> Expr:
    """The function that stands for an abstract one, as a formula in `u`, or `u1`, `u2`, … for several arguments."""
    which = _choice(name)
    arguments = [tensor("u")] if arity == 1 else [tensor(f"u{k + 1}") for k in range(arity)]
    factors: list[Expr] = []
    for k, u in enumerate(arguments):
        v = mul(_SLOPES[k % len(_SLOPES)], u)
        if style == "wave":
            factors.append(add(mul(Fraction(3, 4), apply("sin", add(v, Fraction(1, 2) + k + which))), Fraction(1, 8)))
        else:
            p = _POLYNOMIALS[(which + k) % len(_POLYNOMIALS)]
            terms = [mul(c, power(v, j) if j else num(1)) for j, c in enumerate(p)]
            factors.append(add(zero, *reversed(terms)))
    return mul(*factors)
