"""The second opinion: one evaluation at a small size, with weighted sums, stands for all sizes.

A difference of two formulas is, after its denominators are cleared, a polynomial in the sums of some kernels.
Replicating the values of an index shows that it vanishes for all sizes if and only if it does with weights w_a in every
sum, at a size of at least the number of sums that are multiplied together. One evaluation at random weights and data
therefore separates whatever differs at some size, with probability 1; formulas with branches are evaluated on several.
Nothing here shares code with the algebra. It is evidence, not proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Final

from flint import arb

from backproof.errors import LimitError
from backproof.language.expression import Add, Apply, Expr, Max, Mul, Pow, Size, Sum, Tensor, add, mul, postorder
from backproof.language.program import Assumption
from backproof.language.walks import names
from backproof.proof.axiomatic import Axiomatic
from backproof.proof.balls import MAX_PRECISION, Balls, precision
from backproof.proof.points import (
    BLOCKS_FROM,
    Draws,
    Extent,
    NeedsAllEntriesError,
    Plan,
    Point,
    Range,
    UnsuitableError,
    deep_range,
    fixed_extent,
    is_deep,
    style,
)
from backproof.proof.verdict import Opinion
from backproof.proof.witness import Sides

PRECISION: Final = 320
DIGITS: Final = 30
MOST_DIGITS: Final = 90
SEED: Final = 271828
KEPT: Final = 24
STEPS: Final = (2, 3, 5, 7)
LARGEST: Final = STEPS[-1]
LARGEST_DEEP: Final = 3
"""The bound on a size: beyond it the evidence is for smaller degrees only."""

MANY: Final = 1_000
ROUNDS: Final[tuple[tuple[Range, bool], ...]] = (
    ("eighths", False),
    ("eighths", False),
    ("small", False),
    ("positive", False),
    ("tiny", False),
    ("eighths", True),
    ("positive", True),
)
BRANCHES: Final = 4
"""How many rounds a formula with branches (indicators, roots, maxima) gets."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A round: its seed, the range of the inputs, and whether step(0) = 0 is used."""

    seed: int
    inputs: Range
    kinks: bool


@dataclass(frozen=True, slots=True)
class Degree:
    """How many sums over each sort are multiplied together above the fraction line, and the denominators below it.

    A denominator has its power and its own degree; the same one is counted once in a sum of fractions.
    """

    above: Mapping[str, int]
    below: Mapping[Expr, tuple[int, Mapping[str, int]]]

    @property
    def whole(self) -> dict[str, int]:
        """The degree of the denominators."""
        return _plus(*(_times(degree, power) for power, degree in self.below.values()))


Shape = tuple[tuple[str, int, bool], ...]
"""Every sort with the bound on its size, and whether its entries must be told apart."""

_NONE: Final = Degree({}, {})


def _plus(*counts: Mapping[str, int]) -> dict[str, int]:
    return {s: min(MANY, sum(c.get(s, 0) for c in counts)) for s in {s for c in counts for s in c}}


def _most(*counts: Mapping[str, int]) -> dict[str, int]:
    return {s: max(c.get(s, 0) for c in counts) for s in {s for c in counts for s in c}}


def _times(counts: Mapping[str, int], factor: int) -> dict[str, int]:
    return {s: min(c * factor, MANY) for s, c in counts.items()}


def _added(inside: Sequence[Degree]) -> Degree:
    below: dict[Expr, tuple[int, Mapping[str, int]]] = {}
    for degree in inside:
        for base, (power, own) in degree.below.items():
            below[base] = (max(power, below.get(base, (0, own))[0]), own)
    lifted = [
        _plus(d.above, *(_times(own, power - d.below.get(base, (0, own))[0]) for base, (power, own) in below.items()))
        for d in inside
    ]
    return Degree(_most(*lifted), below)


def _multiplied(inside: Sequence[Degree]) -> Degree:
    below: dict[Expr, tuple[int, Mapping[str, int]]] = {}
    for degree in inside:
        for base, (power, own) in degree.below.items():
            below[base] = (min(MANY, power + below.get(base, (0, own))[0]), own)
    return Degree(_plus(*(d.above for d in inside)), below)


class SmallModel:
    """Asks the small model about claims on one program, under fixed assumptions."""

    def __init__(self, program: Axiomatic, assumptions: Sequence[Assumption] = ()) -> None:
        self.program = program
        self.assumptions = tuple(assumptions)
        self._style = style(program)
        self._degrees: dict[str, Degree] = {}
        self._points: dict[tuple[object, ...], Point[arb]] = {}
        binary = {a.tensor for a in self.assumptions if a.property == "binary"}
        self._one_hot = any(a.property == "unit-sum" and a.tensor in binary for a in self.assumptions)

    def opinion(self, left: Expr, right: Expr, deadline: float) -> Opinion:
        """Compare two formulas in axioms."""
        sides = Sides.of(left, right)
        bounds = self.bounds(left, right)
        enough = BRANCHES if self.program.branches(sides.tape) else 1
        found: list[Opinion] = []
        for seed, (kind, kinks) in enumerate(ROUNDS):
            opinion = self._asked(sides, bounds, _Kind(seed, kind, kinks), deadline)
            if opinion is None:
                continue
            if opinion.agrees is False:
                return opinion
            found.append(opinion)
            if len(found) >= enough:
                break
        return found[0] if found else Opinion(agrees=None, words="the small model could not be evaluated")

    def bounds(self, left: Expr, right: Expr) -> dict[str, int]:
        """The size of every sort at which one evaluation speaks for all sizes, at most LARGEST."""
        sums = self.program.sums(Sides.of(left, right).tape)
        degree = self._degree(add(left, mul(-1, right))) if sums else _NONE
        free = [i.sort for i in left.free | right.free]
        sorts = {*degree.above, *free}
        total = {s: degree.above.get(s, 0) + free.count(s) for s in sorts}
        largest = LARGEST_DEEP if is_deep(self.program) else LARGEST
        return {s: next(b for b in STEPS if b >= min(n, largest)) for s, n in sorted(total.items())}

    def _asked(self, sides: Sides, bounds: Mapping[str, int], kind: _Kind, deadline: float) -> Opinion | None:
        """One evaluation; None where it has no value."""
        plain: frozenset[str] = frozenset()
        sorts = [*self.program.sorts, *sorted(sides.tape.sorts.difference(self.program.sorts))]
        while True:
            shape = tuple((s, bounds.get(s, STEPS[0]), s in plain) for s in sorts)
            try:
                digits = self._sharp_digits(sides, shape, kind, deadline)
            except NeedsAllEntriesError as needed:
                plain |= needed.sorts
                continue
            except (UnsuitableError, LimitError):
                return None
            if digits is None:
                return None
            sizes = ", ".join(f"{s} = {bound}" for s, bound, _ in shape if not s.isdigit() and s in bounds)
            where = f" at the small-model bound {sizes}" if sizes else ""
            return (
                Opinion(agrees=False, words=f"differs{where}")
                if digits < 0
                else Opinion(agrees=True, words=f"agrees to {digits} digits{where}")
            )

    def _sharp_digits(self, sides: Sides, shape: Shape, kind: _Kind, deadline: float) -> int | None:
        bits = PRECISION
        while True:
            point = self._point(shape, kind, bits)
            point.model.deadline = deadline
            with precision(bits):
                digits = _digits(point, sides)
            if digits is None or digits < 0 or digits >= DIGITS or bits * 4 > MAX_PRECISION:
                return digits
            bits *= 4

    def _point(self, shape: Shape, kind: _Kind, bits: int) -> Point[arb]:
        key = (shape, kind, bits)
        found = self._points.get(key)
        if found is None:
            if len(self._points) >= KEPT:
                self._points.clear()
            with precision(bits):
                arithmetic = Balls(self._style, kinks=kind.kinks)
                inputs = deep_range(kind.seed + 1) if is_deep(self.program) else kind.inputs
                extents = {s: _extent(s, bound, whole=whole, one_hot=self._one_hot) for s, bound, whole in shape}
                plan = Plan(SEED + kind.seed, inputs, extents)
                found = self._points[key] = Point(self.program, arithmetic, plan, self.assumptions)
        return found

    def _degree(self, root: Expr) -> Degree:
        for name in self.program.reach(names(root), self._degrees):
            defined = name in self.program.position
            self._degrees[name] = self._degree_of(self.program.definition(name).body) if defined else _NONE
        return self._degree_of(root)

    def _degree_of(self, root: Expr) -> Degree:
        found: dict[Expr, Degree] = {}
        for node in postorder(root):
            inside = [found[c] for c in node.children]
            match node:
                case Size(sort):
                    result = Degree({sort: 1}, {})
                case Tensor(name, _):
                    result = self._degrees[name]
                case Add():
                    result = _added(inside)
                case Mul():
                    result = _multiplied(inside)
                case Pow(base, exponent):
                    times = ceil(abs(exponent))
                    if exponent > 0:
                        result = _multiplied(inside * times) if times <= LARGEST else inside[0]
                    else:
                        result = Degree(_times(inside[0].whole, times), {base: (times, inside[0].above)})
                case Apply():
                    result = Degree(_most(*(_most(d.above, d.whole) for d in inside)), {})
                case Sum(index, _):
                    result = Degree(_plus(inside[0].above, {index.sort: 1}), inside[0].below)
                case Max():
                    result = inside[0]
                case _:
                    result = _NONE
            found[node] = result
        total = found[root]
        return total if len(total.below) <= LARGEST else Degree(_plus(total.above, total.whole), {})


@lru_cache(maxsize=256)
def _extent(sort: str, bound: int, *, whole: bool, one_hot: bool) -> Extent:
    fixed = int(sort) if sort.isdigit() else None
    if fixed is not None and (whole or fixed < BLOCKS_FROM):
        return fixed_extent(fixed, whole=whole)
    if whole:
        return Extent.of(bound)
    draws = Draws(SEED, "weights", sort)
    # At least 1 each, so that what is known of sizes (n ≥ 1) holds for their sum.
    weights = [1 + Fraction(draws.below(40), 16) for _ in range(bound)]
    single = min(2, bound) if one_hot else 0
    weights[:single] = [Fraction(1)] * single
    if fixed is not None:
        # The weights of a fixed size have that sum.
        rest = weights[single:] or [Fraction(1)]
        weights[single:] = [w * (fixed - single) / sum(rest) for w in rest]
    return Extent(tuple(weights))


def _digits(point: Point[arb], sides: Sides) -> int | None:
    """To how many digits both sides agree at a point; −1 where they differ; None where a side has no value."""
    left, right, difference = point.values(sides.tape)
    axes = difference.axes
    fewest: int | None = None
    for a, b, d in zip(point.spread(left, axes), point.spread(right, axes), difference.entries, strict=True):
        if not d.is_finite():
            continue
        if not d.contains(0):
            return -1
        scale = abs(a) + abs(b)
        # Where both sides are 0 there is no scale to compare with.
        digits = _agreement(d.abs_upper(), arb(1) if scale.contains(0) else scale)
        fewest = digits if fewest is None else min(fewest, digits)
    return fewest


def _agreement(error: arb, scale: arb) -> int:
    """The digits to which two values of this scale agree when their difference is at most `error`."""
    for digits in (MOST_DIGITS, 60, DIGITS, 20, 10, 5):
        if error * arb(10) ** digits <= scale:
            return digits
    return MOST_DIGITS if error.is_zero() else 0
