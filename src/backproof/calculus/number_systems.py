"""Number systems: what the interpreter computes with.

`FLOAT64` is fast and rounds silently, as NumPy does. `digits(n)` computes with n decimal digits. `balls(n)` computes
with intervals of n bits that contain the exact value: what it separates is different. The last two raise DomainError
where a formula has no value; float64 gives nan or an infinity there.

Source for balls: F. Johansson, Arb: efficient arbitrary-precision midpoint-radius interval arithmetic, IEEE
Transactions on Computers 66 (2017).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np

from backproof.errors import DomainError, LimitError, UnknownNameError

# An array of the number system, or a single number of it where a formula has no axes.
Values: TypeAlias = Any
Function: TypeAlias = Callable[[Values], Values]

MAX_DIGITS: Final = 10_000


class NumberSystem(ABC):
    """Exact or rounded real numbers, alone or in NumPy arrays."""

    name: str
    dtype: type
    largest: int  # the most numbers that one array may hold
    overflows = False  # whether a large number can become infinite

    @abstractmethod
    def number(self, value: Fraction) -> Values:
        """An exact number in this system."""

    @abstractmethod
    def constant(self, name: str) -> Values:
        """The value of `pi` or `e`."""

    @abstractmethod
    def function(self, name: str) -> Function | None:
        """An axiom (`exp`, `log`, `step`, …) on numbers and arrays; None for a name that is no axiom here."""

    @abstractmethod
    def power(self, base: Values, exponent: Fraction) -> Values:
        """The power base ^ exponent, elementwise; a base < 0 has integer powers only."""

    @abstractmethod
    def array(self, value: object) -> Values:
        """What a person gave: a number, nested lists or an array, as an array of this system."""

    @abstractmethod
    def maximum(self, array: Values, axis: int) -> Values:
        """The largest entries along an axis."""

    @contextmanager
    def precision(self) -> Generator[None]:
        """Computes with this system's precision inside."""
        yield

    def product(self, operands: Sequence[tuple[Values, Sequence[int]]], result: Sequence[int]) -> Values:
        """The product of arrays with numbered axes, summed over the axes that `result` leaves out, as in einsum."""
        axes = sorted({axis for _, own in operands for axis in own})
        (first, own), *others = operands
        total = _aligned(first, own, axes)
        for array, own in others:
            total = np.multiply(total, _aligned(array, own, axes))
        summed = tuple(k for k, axis in enumerate(axes) if axis not in result)
        left = [axis for axis in axes if axis in result]
        reduced = np.add.reduce(total, axis=summed) if summed else total
        return _aligned(reduced, left, list(result))

    def finished(self, array: Values) -> Values:
        """The array as a result; raises DomainError where a number of an exact system is not finite."""
        return array


def _aligned(array: Values, own: Sequence[int], axes: Sequence[int]) -> Values:
    """The array with its axes in the order of `axes`, and an axis of length 1 for each that it lacks."""
    order = sorted(range(len(own)), key=lambda k: axes.index(own[k]))
    if order != list(range(len(own))):
        array = array.transpose(order)
    present = set(own)
    if len(own) == len(axes):
        return array
    return array[tuple(slice(None) if axis in present else None for axis in axes)] if own else array


def _unknown_constant(name: str) -> UnknownNameError:
    return UnknownNameError(f"no value is known for the constant {name}", expected="pi or e")


class Float64(NumberSystem):
    """IEEE double precision, in NumPy arrays."""

    name = "float64"
    dtype = np.float64
    largest = 2**27
    overflows = True

    def number(self, value: Fraction) -> Values:
        try:
            return np.float64(float(value))
        except OverflowError:
            return np.float64(math.inf if value > 0 else -math.inf)

    def constant(self, name: str) -> Values:
        if name not in ("pi", "e"):
            raise _unknown_constant(name)
        return np.float64(math.pi if name == "pi" else math.e)

    def function(self, name: str) -> Function | None:
        return _FLOAT_FUNCTIONS.get(name)

    def power(self, base: Values, exponent: Fraction) -> Values:
        if exponent == 2:
            return np.multiply(base, base)
        if exponent.denominator == 2:
            root = np.sqrt(base)
            return root if exponent == Fraction(1, 2) else np.power(root, float(exponent.numerator))
        return np.power(base, float(exponent))

    def array(self, value: object) -> Values:
        try:
            given: Values = np.asarray(value)
            if given.dtype.kind not in "biufO":
                raise _no_number(value, self.name)
            array = given.astype(np.float64, copy=False)
        except (TypeError, ValueError, OverflowError) as error:
            raise _no_number(value, self.name) from error
        return array if array.ndim else np.float64(array)

    def maximum(self, array: Values, axis: int) -> Values:
        return np.max(array, axis=axis)

    @contextmanager
    def precision(self) -> Generator[None]:
        with np.errstate(all="ignore"):
            yield

    def product(self, operands: Sequence[tuple[Values, Sequence[int]]], result: Sequence[int]) -> Values:
        scale = np.float64(1)
        arguments: list[Any] = []
        lengths: dict[int, int] = {}
        for array, own in operands:
            if own:
                lengths.update(zip(own, array.shape, strict=True))
                arguments += [array, list(own)]
            else:
                scale = scale * array
        if len(arguments) == 2:  # NumPy's own sum adds in pairs, which is more accurate than einsum
            return scale * super().product([(arguments[0], arguments[1])], result)
        # Finding a good order and calling BLAS pays off only beyond a few thousand multiplications.
        return scale * np.einsum(*arguments, list(result), optimize=math.prod(lengths.values()) > 4096)


def _float_erf() -> Function:
    erf: Any = np.frompyfunc(math.erf, 1, 1)
    return lambda u: np.asarray(erf(u), dtype=np.float64)[()]


_FLOAT_FUNCTIONS: Final[dict[str, Function]] = {
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "atan": np.arctan,
    "erf": _float_erf(),
    "step": lambda u: np.heaviside(u, 0.0),
}


class _Exact(NumberSystem):
    """Numbers that are Python objects, in object arrays."""

    dtype = object
    largest = 2**22

    @abstractmethod
    def single(self, value: object) -> Values:
        """One given number in this system."""

    def array(self, value: object) -> Values:
        if isinstance(value, list | tuple | np.ndarray):
            try:
                array: Values = np.asarray(value, dtype=object)
            except ValueError as error:
                raise _no_number(value, self.name) from error
            return _mapped(self.single)(array) if array.ndim else self.single(array[()])
        return self.single(value)


def _mapped(function: Callable[[Any], Any]) -> Function:
    return np.frompyfunc(function, 1, 1)


def _fraction(value: object, system: str) -> Fraction:
    """A given number exactly; a float means the binary number that it is."""
    if isinstance(value, int | float | Fraction | np.integer | np.floating):
        if isinstance(value, float | np.floating) and not math.isfinite(value):
            raise DomainError("a given number is not finite", expected="finite numbers", got=str(value))
        return Fraction(value.item() if isinstance(value, np.generic) else value)
    raise _no_number(value, system)


def _no_number(value: object, system: str) -> DomainError:
    kind = type(value).__name__
    return DomainError(f"a given value cannot be read in {system}", expected="numbers, alone or in lists", got=kind)


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
            raise _unknown_constant(name)
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
            return base ** int(exponent)
        if base < 0 or (base.contains(0) and not base.is_zero()):
            raise _no_value(f"the power {exponent}", base)
        if exponent.denominator == 2:
            return base.sqrt() ** exponent.numerator
        return base ** self.number(exponent)

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
            raise _unknown_constant(name)
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


FLOAT64: Final = Float64()


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
