"""Ranges: what values a formula can take, by exact interval arithmetic over its text.

Enough to see that 0 < σ(z) < 1, that a sum of exponentials is positive and that x² + ε is not 0. Ends are rational, and
an open end is never reached. Nothing is ever concluded from sampled values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Final

from backproof.language.expression import (
    Add,
    Apply,
    Const,
    Delta,
    Expr,
    Index,
    Max,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Tensor,
    postorder,
)
from backproof.language.program import Assumption
from backproof.language.walks import names
from backproof.proof.axiomatic import Axiomatic

MAX_EXPONENT: Final = 64
INFINITY: Final = inf
"""The only floating-point numbers here are the infinite ends, whose comparison with a rational is exact."""

Value = Fraction | float


@dataclass(frozen=True, slots=True)
class Range:
    """All values from `low` to `high`; a closed end may itself be a value."""

    low: Value = -INFINITY
    high: Value = INFINITY
    low_closed: bool = False
    high_closed: bool = False

    @property
    def positive(self) -> bool:
        """Whether all values are above 0."""
        return self.low > 0 or (self.low == 0 and not self.low_closed)

    @property
    def nonnegative(self) -> bool:
        """Whether no value is below 0."""
        return self.low >= 0

    @property
    def negative(self) -> bool:
        """Whether all values are below 0."""
        return self.high < 0 or (self.high == 0 and not self.high_closed)

    @property
    def nonzero(self) -> bool:
        """Whether 0 is no value."""
        return self.positive or self.negative


ANY: Final = Range()
POSITIVE: Final = Range(Fraction(0))


def closed(low: Value, high: Value) -> Range:
    """The range between two numbers that may themselves be values."""
    return Range(low, high, low_closed=True, high_closed=True)


ONE: Final = closed(Fraction(1), Fraction(1))


def open_between(low: int, high: int) -> Range:
    """The range strictly between two numbers."""
    return Range(Fraction(low), Fraction(high))


def plus(a: Range, b: Range) -> Range:
    """The range of a sum."""
    return Range(a.low + b.low, a.high + b.high, a.low_closed and b.low_closed, a.high_closed and b.high_closed)


def times(a: Range, b: Range) -> Range:
    """The range of a product."""
    if a is ONE or b is ONE:
        return b if a is ONE else a
    corners: list[tuple[Value, bool]] = []
    for x, x_closed in ((a.low, a.low_closed), (a.high, a.high_closed)):
        for y, y_closed in ((b.low, b.low_closed), (b.high, b.high_closed)):
            if x == 0 or y == 0:
                # A product is 0 only where a factor is.
                corners.append((Fraction(0), not (a.nonzero and b.nonzero)))
            else:
                corners.append((x * y, x_closed and y_closed))
    return _hull(corners)


def _hull(points: list[tuple[Value, bool]]) -> Range:
    low, high = min(v for v, _ in points), max(v for v, _ in points)
    return Range(low, high, any(c for v, c in points if v == low), any(c for v, c in points if v == high))


def raised(a: Range, exponent: Fraction) -> Range:
    """The range of a rational power, where it is defined."""
    if exponent == 1:
        return a
    if exponent < 0:
        return _inverse(raised(a, -exponent))
    if exponent.denominator != 1:
        # Only the sign is followed through a root; the base is not negative where there is one.
        above_one = a.low >= 1
        low = Fraction(int(above_one))
        return Range(low, INFINITY, low_closed=not a.positive or (above_one and a.low_closed))
    k = int(exponent)
    if k > MAX_EXPONENT:
        even = k % 2 == 0
        return (POSITIVE if a.nonzero else closed(Fraction(0), INFINITY)) if even or a.positive else ANY
    if k % 2 == 0 and not a.nonzero:
        top = max(-a.low, a.high)
        top_closed = a.high_closed if a.high == top else a.low_closed
        return Range(Fraction(0), _whole_power(top, k), low_closed=True, high_closed=top_closed)
    return _hull([(_whole_power(a.low, k), a.low_closed), (_whole_power(a.high, k), a.high_closed)])


def _whole_power(value: Value, k: int) -> Value:
    if isinstance(value, Fraction):
        return value**k
    return INFINITY if value > 0 or k % 2 == 0 else -INFINITY


def _inverse(a: Range) -> Range:
    if not a.nonzero:
        # Where the inverse exists, an even power has no zero.
        return POSITIVE if a.nonnegative else Range(-INFINITY, Fraction(0)) if a.high <= 0 else ANY
    return _hull([(_reciprocal(a.low, a.high), a.low_closed), (_reciprocal(a.high, a.low), a.high_closed)])


def _reciprocal(end: Value, other: Value) -> Value:
    if end == 0:
        return INFINITY if other > 0 else -INFINITY
    return Fraction(1) / end if isinstance(end, Fraction) else Fraction(0)


def _exp(a: Range) -> Range:
    low = 1 + a.low if a.low >= 0 else Fraction(0)
    high = Fraction(1) if a.high <= 0 else INFINITY
    return Range(low, high, low_closed=a.low == 0 and a.low_closed, high_closed=a.high == 0 and a.high_closed)


def _log(a: Range) -> Range:
    if not a.nonnegative:
        return ANY
    low = Fraction(0) if a.low >= 1 else -INFINITY
    high = Fraction(0) if a.high <= 1 else INFINITY
    return Range(low, high, low_closed=a.low == 1 and a.low_closed, high_closed=a.high == 1 and a.high_closed)


def _step(a: Range) -> Range:
    if a.positive:
        return closed(Fraction(1), Fraction(1))
    return closed(Fraction(0), Fraction(0)) if a.high <= 0 else closed(Fraction(0), Fraction(1))


def _odd(a: Range, bound: int) -> Range:
    """A rising odd function between −bound and bound."""
    low = Fraction(0) if a.low >= 0 else Fraction(-bound)
    high = Fraction(0) if a.high <= 0 else Fraction(bound)
    return Range(low, high, a.low == 0 and a.low_closed, a.high == 0 and a.high_closed)


def applied(name: str, a: Range) -> Range:
    """The range of an axiom; anything for an abstract function."""
    match name:
        case "exp":
            return _exp(a)
        case "log":
            return _log(a)
        case "step":
            return _step(a)
        case "erf":
            return _odd(a, 1)
        case "atan":
            return _odd(a, 2)
        case "sin" | "cos":
            return closed(Fraction(-1), Fraction(1))
        case _:
            return ANY


class Ranges:
    """Ranges of the formulas of one program, under fixed assumptions. Formulas are in axioms."""

    def __init__(self, program: Axiomatic, assumptions: Iterable[Assumption] = ()) -> None:
        self.program = program
        self._assumed: dict[str, list[Assumption]] = {}
        for assumption in assumptions:
            self._assumed.setdefault(assumption.tensor, []).append(assumption)
        self._known: dict[str, Range] = {}
        self._found: dict[Expr, Range] = {}

    def of(self, root: Expr) -> Range:
        """What values a formula can take where it is defined."""
        if root not in self._found:
            for name in self.program.reach(names(root), self._known):
                self._known[name] = self._named(name)
        return self._of(root)

    def nonzero(self, root: Expr) -> bool:
        """Whether a formula is never 0 where it is defined."""
        stack = [root]
        while stack:
            node = stack.pop()
            match node:
                case Mul(factors):
                    stack.extend(factors)
                case Pow(base, _):
                    stack.append(base)
                case Tensor(name, _) if self._has(name, "nonzero", "plus-minus-one"):
                    pass
                case _ if not self.of(node).nonzero:
                    return False
                case _:
                    pass
        return True

    def _has(self, name: str, *properties: str) -> bool:
        return any(a.property in properties for a in self._assumed.get(name, ()))

    def _named(self, name: str) -> Range:
        if name in self.program.position:
            return self._of(self.program.definition(name).body)
        for assumption in self._assumed.get(name, ()):
            match assumption.property:
                case "equals":
                    value = assumption.value if assumption.value is not None else Fraction(0)
                    return closed(value, value)
                case "binary":
                    return closed(Fraction(0), Fraction(1))
                case "plus-minus-one":
                    return closed(Fraction(-1), Fraction(1))
                case "in-unit-interval":
                    return open_between(0, 1)
                case "positive":
                    return POSITIVE
                case _:
                    continue
        return ANY

    def _of(self, root: Expr) -> Range:
        found = self._found
        if root not in found:
            for node in postorder(root):
                if node not in found:
                    found[node] = self._step(node, found)
        return found[root]

    def _step(self, node: Expr, found: dict[Expr, Range]) -> Range:
        match node:
            case Num(value):
                return closed(value, value)
            case Size():
                return Range(Fraction(1), INFINITY, low_closed=True)
            case Const(name):
                return {"pi": open_between(3, 4), "e": open_between(2, 3)}.get(name, ANY)
            case Delta():
                return closed(Fraction(0), Fraction(1))
            case Tensor(name, _):
                return self._known[name]
            case Add(terms):
                total = found[terms[0]]
                for term in terms[1:]:
                    total = plus(total, found[term])
                return total
            case Mul(factors):
                return self._product(factors, found)
            case Pow(base, exponent):
                return raised(found[base], exponent)
            case Apply(name, args, _):
                return applied(name, found[args[0]]) if len(args) == 1 and not any(node.orders) else ANY
            case Sum():
                return self._sum(node, found[node.body])
            case Max(_, body):
                return found[body]
            case _:
                raise TypeError(f"not an expression: {type(node).__name__}")

    def _product(self, factors: tuple[Expr, ...], found: dict[Expr, Range]) -> Range:
        """Equal bases are put together first: x·x is a square."""
        exponents: dict[Expr, Fraction] = {}
        for factor in factors:
            base, exponent = (factor.base, factor.exponent) if isinstance(factor, Pow) else (factor, Fraction(1))
            exponents[base] = exponents.get(base, Fraction(0)) + exponent
        total = ONE
        for base, exponent in exponents.items():
            # Where x·x^(−1) is defined it is 1; a root says that its base is not negative, which is not used here.
            if exponent:
                inside = found.get(base)
                total = times(total, raised(inside if inside is not None else self._of(base), exponent))
        return total

    def _sum(self, node: Sum, body: Range) -> Range:
        if isinstance(node.body, Tensor) and self._unit_sum(node.body, node.index):
            return closed(Fraction(1), Fraction(1))
        sort = node.index.sort
        if sort.isdigit():
            count = closed(Fraction(int(sort)), Fraction(int(sort)))
            return times(count, body)
        low = body.low if body.low >= 0 else -INFINITY
        high = body.high if body.high <= 0 else INFINITY
        return Range(low, high, body.low_closed and low == body.low, body.high_closed and high == body.high)

    def _unit_sum(self, entry: Tensor, index: Index) -> bool:
        if entry.indices.count(index) != 1:
            return False
        axis = entry.indices.index(index)
        last = len(entry.indices) - 1
        assumed = [a for a in self._assumed.get(entry.name, ()) if a.property == "unit-sum"]
        return any((a.axis if a.axis is not None else last) == axis for a in assumed)
