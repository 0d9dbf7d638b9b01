"""Forward-mode differentiation in dual balls: a check of the reverse sweep that shares no rule with it.

A dual ball is a value with its slope along one direction, certified both. Pushed through the text of a program it gives
the slope of J along a random direction of one tensor, which must meet Σ ∂J/∂t · direction, the reverse sweep's answer.
Source: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, section 3.1.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from flint import arb

from backproof.calculus.sweep import adjoint_name
from backproof.errors import LimitError, UnknownNameError
from backproof.language.expression import tensor
from backproof.language.program import Assumption, Program
from backproof.proof.axiomatic import Axiomatic
from backproof.proof.balls import Balls, ball, precision
from backproof.proof.evaluation import Tape
from backproof.proof.points import Draws, NeedsAllEntriesError, Plan, Point, UnsuitableError, planned, style
from backproof.proof.verdict import Opinion

PRECISION: Final = 200
TRIED: Final = (1, 2, 3, 4, 5, 0)
"""The points that are tried, as numbered by the plans; two of them must have a value."""

ENOUGH: Final = 2


@dataclass(frozen=True, slots=True)
class Dual:
    """A value and its slope; no slope stands for 0."""

    value: arb
    slope: arb | None = None

    def __add__(self, other: Dual) -> Dual:
        if self.slope is None or other.slope is None:
            return Dual(self.value + other.value, other.slope if self.slope is None else self.slope)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Dual) -> Dual:
        value = self.value * other.value
        if self.slope is None:
            return Dual(value, None if other.slope is None else self.value * other.slope)
        if other.slope is None:
            return Dual(value, self.slope * other.value)
        return Dual(value, self.slope * other.value + self.value * other.slope)


class Duals:
    """The arithmetic of dual balls."""

    undefined: Dual = Dual(arb("nan"), arb("nan"))

    def __init__(self, style: str) -> None:
        self._balls = Balls(style)
        two_over_root_pi = 2 / arb.pi().sqrt()
        self._slopes: dict[str, Callable[[arb], arb]] = {
            "exp": arb.exp,
            "log": lambda u: 1 / u,
            "sin": arb.cos,
            "cos": lambda u: -u.sin(),
            "atan": lambda u: 1 / (1 + u * u),
            "erf": lambda u: two_over_root_pi * (-u * u).exp(),
            "step": lambda _: arb(0),
        }

    def number(self, value: Fraction | int) -> Dual:
        """An exact number: its slope is 0."""
        return Dual(ball(value))

    def constant(self, name: str) -> Dual:
        """A named constant: its slope is 0."""
        return Dual(self._balls.constant(name))

    def power(self, base: Dual, exponent: Fraction) -> Dual:
        """A rational power."""
        value = self._balls.power(base.value, exponent)
        if base.slope is None:
            return Dual(value)
        lower = arb(1) if exponent == 1 else self._balls.power(base.value, exponent - 1)
        return Dual(value, ball(exponent) * lower * base.slope)

    def function(self, name: str, orders: tuple[int, ...]) -> Callable[..., Dual]:
        """A function and its slope along the direction."""
        f = self._balls.function(name, orders)
        raised = [(*orders[:k], orders[k] + 1, *orders[k + 1 :]) for k in range(len(orders))]
        slopes = [self._slopes[name]] if name in self._slopes else [self._balls.function(name, r) for r in raised]

        def applied(*arguments: Dual) -> Dual:
            values = [a.value for a in arguments]
            total: arb | None = None
            for argument, slope in zip(arguments, slopes, strict=True):
                if argument.slope is not None:
                    term = slope(*values) * argument.slope
                    total = term if total is None else total + term
            return Dual(f(*values), total)

        return applied

    def greatest(self, values: Sequence[Dual]) -> int | None:
        """The place of the greatest value."""
        return self._balls.greatest([v.value for v in values])


class _Directed(Point[Dual]):
    """A point that one tensor leaves in a direction."""

    moved: str
    direction: list[Fraction]

    def evaluated(self, name: str) -> None:
        """Give the tensor its entries, and the moved one its slopes."""
        super().evaluated(name)
        if name == self.moved:
            draws = Draws(self.plan.seed, "direction", name)
            entries = self.model.tensors[name]
            self.direction = [Fraction(1 + draws.below(9), 4) for _ in entries]
            moved = [e + Dual(arb(0), ball(q)) for e, q in zip(entries, self.direction, strict=True)]
            self.model.set(name, self.model.axes[name], moved)


def check_slopes(
    program: Program, output: str, names: Iterable[str], assumptions: Sequence[Assumption] = (), seconds: float = 3.0
) -> dict[str, Opinion]:
    """For every name, whether its adjoint in the program is the slope of the output, by forward differentiation.

    Raises UnknownNameError for a name without an adjoint in the program.
    """
    check = _Check(Axiomatic(program), output, (*program.assumptions, *assumptions), time.monotonic() + seconds)
    return {name: check.of(name) for name in names}


@dataclass(frozen=True, slots=True)
class _Check:
    view: Axiomatic
    output: str
    assumptions: tuple[Assumption, ...]
    deadline: float

    def of(self, name: str) -> Opinion:
        program = self.view.program
        adjoint = adjoint_name(self.output, name)
        if adjoint not in program.by_name:
            raise UnknownNameError(f"the program has no adjoint of {name}", expected=adjoint)
        whole: frozenset[str] = frozenset()
        met = 0
        tries = list(reversed(TRIED))
        while tries and met < ENOUGH and time.monotonic() < self.deadline:
            k = tries.pop()
            try:
                agrees = self._agrees(name, planned(self.view, k, self.view.sorts, whole))
            except NeedsAllEntriesError as needed:
                whole |= needed.sorts
                tries.append(k)
                continue
            except (UnsuitableError, LimitError):
                continue
            if agrees is False:
                return Opinion(agrees=False, words="forward differentiation differs")
            met += agrees is True
        if not met:
            return Opinion(agrees=None, words="forward differentiation had no value")
        return Opinion(agrees=True, words=f"forward differentiation agrees at {met} points")

    def _agrees(self, name: str, plan: Plan) -> bool | None:
        view = self.view
        with precision(PRECISION):
            forward = _Directed(view, Duals(style(view)), plan, self.assumptions)
            forward.moved, forward.direction = name, []
            forward.model.deadline = self.deadline
            (value,) = forward.values(Tape.of(tensor(self.output)))
            reverse = Point(view, Balls(style(view)), plan, self.assumptions)
            reverse.model.deadline = self.deadline
            adjoint = view.program.by_name[adjoint_name(self.output, name)]
            (array,) = reverse.values(Tape.of(adjoint.head))
            total = arb(0)
            entries = reverse.spread(array, adjoint.indices)
            # A name that the output does not depend on is never evaluated, and has no direction.
            direction = forward.direction or [Fraction(0)] * len(entries)
            weights = _entry_weights(plan, view.program.sorts(name))
            for entry, q, w in zip(entries, direction, weights, strict=True):
                total += entry * ball(q * w)
            slope = value.entries[0].slope
            difference = total if slope is None else total - slope
            if not value.entries[0].value.is_finite() or not difference.is_finite():
                return None
            return bool(difference.contains(0))


def _entry_weights(plan: Plan, sorts: tuple[str, ...]) -> list[Fraction]:
    """How many entries of the tensor every entry in blocks stands for."""
    weights = [Fraction(1)]
    for sort in sorts:
        weights = [w * v for w in weights for v in plan.extents[sort].weights]
    return weights
