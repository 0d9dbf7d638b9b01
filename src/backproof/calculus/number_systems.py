"""Number systems: what the interpreter computes with.

`FLOAT64`, here, is fast and rounds silently, as NumPy does: where a formula has no value it gives nan or an infinity.
The systems in `exact_numbers` raise DomainError there.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, Final, TypeAlias

import numpy as np

from backproof.errors import DomainError, UnknownNameError

# An array of the number system, or a single number of it where a formula has no axes.
Values: TypeAlias = Any
Function: TypeAlias = Callable[[Values], Values]


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


def no_such_constant(name: str) -> UnknownNameError:
    """The error for a constant that is neither pi nor e."""
    return UnknownNameError(f"no value is known for the constant {name}", expected="pi or e")


def no_number(value: object, system: str) -> DomainError:
    """The error for a given value that is not made of numbers."""
    kind = type(value).__name__
    return DomainError(f"a given value cannot be read in {system}", expected="numbers, alone or in lists", got=kind)


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
            raise no_such_constant(name)
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
                raise no_number(value, self.name)
            array = given.astype(np.float64, copy=False)
        except (TypeError, ValueError, OverflowError) as error:
            raise no_number(value, self.name) from error
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


FLOAT64: Final = Float64()
