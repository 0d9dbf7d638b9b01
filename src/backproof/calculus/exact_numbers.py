"""Number systems of any precision: balls, which contain the exact value, and rounded numbers of many digits.

`balls(n)` computes with intervals of n bits: what it separates is different. `digits(n)` computes with n decimal
digits. Both raise DomainError where a formula has no value.

Source for balls: F. Johansson, Arb: efficient arbitrary-precision midpoint-radius interval arithmetic, IEEE
Transactions on Computers 66 (2017).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Generator
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from numbers import Integral, Real
from typing import Any, Final

import numpy as np

from backproof.calculus.number_systems import Function, NumberSystem, Values, no_number, no_such_constant
from backproof.errors import DomainError, LimitError

MAX_DIGITS: Final = 10_000


class _Exact(NumberSystem):
    """Numbers that are Python objects, in object arrays."""

    dtype = object
    largest = 2**22

    @abstractmethod
    def single(self, value: object) -> Values:
        """One given number in this system."""

    def array(self, value: object) -> Values:
        given: Any = value
        if isinstance(given, list | tuple | np.ndarray):
            try:
                array: Values = np.asarray(given, dtype=object)
            except ValueError as error:
                raise no_number(value, self.name) from error
            return _mapped(self.single)(array) if array.ndim else self.single(array[()])
        return self.single(value)


def _mapped(function: Callable[[Any], Any]) -> Function:
    return np.frompyfunc(function, 1, 1)


def _fraction(value: object, system: str) -> Fraction:
    """A given number exactly; a float means the binary number that it is."""
    match value:
        case Fraction():
            return value
        case Integral():
            return Fraction(int(value))
        case Real():
            number = float(value)
            if not math.isfinite(number):
                raise DomainError("a given number is not finite", expected="finite numbers", got=str(number))
            return Fraction(number)
        case _:
            raise no_number(value, system)


def _no_value(what: str, value: object) -> DomainError:
    return DomainError(f"{what} has no value here", got=str(value))


class Balls(_Exact):
    """Ball arithmetic: every number is an interval that contains the exact value."""

    def __init__(self, bits: int) -> None:
        import flint

        self.name = f"balls of {bits} bits"
        self.bits = bits
        self._flint: Any = flint
        self._ball: Any = flint.arb
        self._functions: dict[str, Function] = {
            "exp": _mapped(lambda u: u.exp()),
            "log": _mapped(self._log),
            "sin": _mapped(lambda u: u.sin()),
            "cos": _mapped(lambda u: u.cos()),
            "atan": _mapped(lambda u: u.atan()),
            "erf": _mapped(lambda u: u.erf()),
            "step": _mapped(self._step),
        }

    def number(self, value: Fraction) -> Values:
        return self._ball(self._flint.fmpq(value.numerator, value.denominator))

    def constant(self, name: str) -> Values:
        if name not in ("pi", "e"):
            raise no_such_constant(name)
        return self._ball.pi() if name == "pi" else self._ball(1).exp()

    def function(self, name: str) -> Function | None:
        return self._functions.get(name)

    def single(self, value: object) -> Values:
        return value if isinstance(value, self._ball) else self.number(_fraction(value, self.name))

    def power(self, base: Values, exponent: Fraction) -> Values:
        return _mapped(lambda x: self._power(x, exponent))(base)

    def maximum(self, array: Values, axis: int) -> Values:
        larger: Any = np.frompyfunc(lambda x, y: x.max(y), 2, 1)
        return larger.reduce(array, axis=axis)

    @contextmanager
    def precision(self) -> Generator[None]:
        before = self._flint.ctx.prec
        self._flint.ctx.prec = self.bits
        try:
            yield
        finally:
            self._flint.ctx.prec = before

    def finished(self, array: Values) -> Values:
        for ball in np.ravel(array):
            if not ball.is_finite():
                raise _no_value("the formula", ball)
        return array

    def _power(self, base: Any, exponent: Fraction) -> Any:
        if exponent < 0 and base.contains(0):
            raise _no_value(f"the power {exponent}", base)
        if exponent.denominator == 1:
            power = self._whole_power(base, abs(int(exponent)))
            return power if exponent > 0 else 1 / power
        if base < 0 or (base.contains(0) and not base.is_zero()):
            raise _no_value(f"the power {exponent}", base)
        if exponent.denominator == 2:
            root = self._whole_power(base.sqrt(), abs(exponent.numerator))
            return root if exponent > 0 else 1 / root
        return base ** self.number(exponent)

    def _whole_power(self, base: Any, exponent: int) -> Any:
        """Repeated squaring: Arb's own power of a ball around 0 is not a number."""
        power = self._ball(1)
        while exponent:
            if exponent & 1:
                power = power * base
            exponent >>= 1
            if exponent:
                base = base * base
        return power

    def _log(self, u: Any) -> Any:
        if not u > 0:
            raise _no_value("the logarithm", u)
        return u.log()

    def _step(self, u: Any) -> Any:
        if u > 0:
            return self._ball(1)
        if u <= 0:
            return self._ball(0)
        raise DomainError("whether a number is positive is not decided at this precision", got=str(u))


class Digits(_Exact):
    """Numbers of many decimal digits, rounded after every operation (mpmath)."""

    def __init__(self, digits: int) -> None:
        import mpmath

        self.name = f"{digits} digits"
        self.context: Any = mpmath.MPContext()
        self.context.dps = digits
        real = self.context
        self._functions: dict[str, Function] = {
            "exp": _mapped(real.exp),
            "log": _mapped(self._log),
            "sin": _mapped(real.sin),
            "cos": _mapped(real.cos),
            "atan": _mapped(real.atan),
            "erf": _mapped(real.erf),
            "step": _mapped(lambda u: real.one if u > 0 else real.zero),
        }

    def number(self, value: Fraction) -> Values:
        return self.context.mpf(value.numerator) / value.denominator

    def constant(self, name: str) -> Values:
        if name not in ("pi", "e"):
            raise no_such_constant(name)
        return +self.context.pi if name == "pi" else +self.context.e

    def function(self, name: str) -> Function | None:
        return self._functions.get(name)

    def single(self, value: object) -> Values:
        return self.context.mpf(value) if hasattr(value, "_mpf_") else self.number(_fraction(value, self.name))

    def power(self, base: Values, exponent: Fraction) -> Values:
        return _mapped(lambda x: self._power(x, exponent))(base)

    def maximum(self, array: Values, axis: int) -> Values:
        return np.max(array, axis=axis)

    def _power(self, base: Any, exponent: Fraction) -> Any:
        if (exponent < 0 and base == 0) or (exponent.denominator > 1 and base < 0):
            raise _no_value(f"the power {exponent}", base)
        return base ** (int(exponent) if exponent.denominator == 1 else self.number(exponent))

    def _log(self, u: Any) -> Any:
        if not u > 0:
            raise _no_value("the logarithm", u)
        return self.context.log(u)


@cache
def balls(bits: int = 128) -> Balls:
    """Ball arithmetic with so many bits. Raises LimitError above 30,000 bits."""
    if not 2 <= bits <= 3 * MAX_DIGITS:
        raise LimitError("the precision is out of bounds", expected=f"2 to {3 * MAX_DIGITS} bits", got=str(bits))
    return Balls(bits)


@cache
def digits(count: int = 60) -> Digits:
    """Arithmetic with so many decimal digits. Raises LimitError above 10,000 digits."""
    if not 1 <= count <= MAX_DIGITS:
        raise LimitError("the precision is out of bounds", expected=f"1 to {MAX_DIGITS} digits", got=str(count))
    return Digits(count)
