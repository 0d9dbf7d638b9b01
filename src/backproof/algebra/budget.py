"""Bounds of the algebra: how large and how long, and the error that says which of them stopped a computation."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from backproof.errors import DomainError, LimitError


class OutOfBudget(LimitError):  # noqa: N818  what it says is no error of the person
    """An exact computation that grew beyond its bounds: nothing is known about the claim."""


class Undefined(DomainError):  # noqa: N818  the same
    """A formula that has no value anywhere: 1/0, log 0."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the algebra goes before it gives up.

    `seconds` of one public call, `terms` of a polynomial, `bits` of a number, `degree` and `factor_terms` of what is
    factored, `nesting` of sums inside sums, `labellings` tried for one sum, `indicators` in one sign test, `kernels`
    terms of a kernel test.
    """

    seconds: float = 10.0
    terms: int = 20_000
    bits: int = 4_000
    degree: int = 160
    factor_terms: int = 1_500
    nesting: int = 24
    labellings: int = 720
    indicators: int = 9
    kernels: int = 40_000


_STRIDE: Final = 2_000


class Meter:
    """Counts work against the clock and raises OutOfBudget when the time is over."""

    __slots__ = ("_fuel", "_running", "deadline", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.deadline = float("inf")
        self._fuel = _STRIDE
        self._running = False

    @contextmanager
    def running(self) -> Generator[None, None, None]:
        """Give the work inside the seconds of the limits; work inside work shares the time of the outermost."""
        if self._running:
            yield
            return
        self._running = True
        self._fuel = 0
        self.deadline = time.monotonic() + self.limits.seconds
        try:
            yield
        finally:
            self._running = False
            self.deadline = float("inf")

    def spend(self, work: int) -> None:
        """Note some work done (about a microsecond each)."""
        self._fuel -= work
        if self._fuel < 0:
            self._fuel = _STRIDE
            if time.monotonic() > self.deadline:
                raise OutOfBudget("the exact computation took too long", expected=f"{self.limits.seconds:g} s at most")

    def terms(self, count: int, what: str = "a polynomial") -> None:
        """Refuse what has too many terms."""
        if count > self.limits.terms:
            raise OutOfBudget(f"{what} grew too large", expected=f"{self.limits.terms} terms at most", got=f"{count}")
