"""Points: exact values for the inputs of a program, drawn inside its assumptions, and the values of all names there.

The values of a name at a point are kept: two thousand claims about one network share one evaluation of it.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import Final, Generic, Literal

from backproof.errors import LimitError
from backproof.language.expression import Index
from backproof.language.program import Assumption
from backproof.proof.axiomatic import Axiomatic
from backproof.proof.evaluation import MAX_ENTRIES, Arithmetic, Array, Model, N, Tape
from backproof.proof.verdict import Nested

BLOCKS_FROM: Final = 7
"""A fixed size from here on is evaluated in blocks of equal entries."""

FEW: Final = 64
"""So many numbers are remembered when they have been drawn."""

_WORD: Final = 0xFFFFFFFFFFFFFFFF

Range = Literal["small", "eighths", "positive", "tiny", "faint"]


class UnsuitableError(Exception):
    """No value of the kind that the assumptions ask for at this point: another point is taken."""


class NeedsAllEntriesError(Exception):
    """A Kronecker delta tells the entries of a block apart: the size must be evaluated entry by entry."""

    def __init__(self, sorts: frozenset[str]) -> None:
        super().__init__(sorts)
        self.sorts = sorts


class Draws:
    """Pseudo-random whole numbers (splitmix64), the same for the same seed on every machine."""

    def __init__(self, *seed: object) -> None:
        self._state = zlib.crc32(repr(seed).encode()) << 20

    def below(self, bound: int) -> int:
        """A number in 0 … bound − 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _WORD
        mixed = ((self._state ^ (self._state >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
        return (mixed ^ (mixed >> 31)) % bound


_SMALL: Final = tuple(Fraction(k, 2) for k in (2, -2, 4, 1, -4, 6, -1, 3, -6, -3))


def drawn(kind: Range, draws: Draws) -> Fraction:
    """A number that is not 0."""
    match kind:
        case "small":
            return _SMALL[draws.below(len(_SMALL))]
        case "eighths":
            return Fraction((1 + draws.below(16)) * (1 - 2 * draws.below(2)), 8)
        case "positive":
            return Fraction(1 + draws.below(16), 8)
        case "tiny":
            return Fraction(1 + draws.below(15), 32)
        case "faint":
            return Fraction((1 + draws.below(15)) * (1 - 2 * draws.below(2)), 32)


def _several(kind: Range, seed: int, name: str, count: int) -> tuple[Fraction, ...]:
    draws = Draws(seed, name)
    return tuple(drawn(kind, draws) for _ in range(count))


# Small arrays of the same names are what many programs have in common.
_few = lru_cache(maxsize=1024)(_several)


@dataclass(frozen=True, slots=True)
class Extent:
    """How a sort is evaluated: one weight for each value."""

    weights: tuple[Fraction, ...]

    @property
    def plain(self) -> bool:
        """Whether all values weigh 1."""
        return all(w == 1 for w in self.weights)

    @staticmethod
    def of(size: int) -> Extent:
        """So many values that weigh 1 each."""
        return Extent((Fraction(1),) * size)

    @staticmethod
    def blocks(size: int) -> Extent:
        """A large size as three blocks of equal entries: 1, 2 and the rest."""
        return Extent((Fraction(1), Fraction(2), Fraction(size - 3)))


@dataclass(frozen=True, slots=True)
class Plan:
    """How a point is made: a seed, the range of the inputs, how every sort is evaluated.

    `given` are entries of inputs that are not drawn.
    """

    seed: int
    kind: Range
    extents: Mapping[str, Extent]
    given: Mapping[str, tuple[Fraction, ...]] = field(default_factory=dict[str, tuple[Fraction, ...]])


# (sizes of the symbolic sorts in turn, range of the inputs): small and readable first.
TRIES: Final[tuple[tuple[tuple[int, ...], Range], ...]] = (
    ((1,), "small"),
    ((2,), "small"),
    ((3, 2), "eighths"),
    ((2, 3, 4), "positive"),
    ((2, 1, 3), "tiny"),
    ((3,), "eighths"),
    ((4, 3, 2), "small"),
    ((2, 5, 3, 4), "eighths"),
    ((5, 4, 3), "positive"),
    ((2, 3), "tiny"),
    ((3, 4), "eighths"),
    ((1, 2), "eighths"),
)


DEEP: Final = 40
"""A program with more definitions than this gets small inputs, and bounded stand-ins for its abstract functions."""


def is_deep(program: Axiomatic) -> bool:
    """Whether a program has so many layers that magnifying ones would lose all bits."""
    return len(program.position) > DEEP


def style(program: Axiomatic) -> str:
    """Which functions stand for abstract ones: polynomials, or waves in a deep program."""
    return "wave" if is_deep(program) else "polynomial"


def deep_range(k: int) -> Range:
    """Small inputs, in turn positive, which keeps all rectified units alive, and of both signs."""
    return "tiny" if k % 2 else "faint"


def planned(program: Axiomatic, k: int, sorts: Iterable[str], whole: frozenset[str] = frozenset()) -> Plan:
    """The plan of try k; `whole` are fixed sizes that must not be evaluated in blocks."""
    sizes, kind = TRIES[k]
    if is_deep(program):
        kind = deep_range(k)
    extents: dict[str, Extent] = {}
    turn = 0
    for sort in sorts:
        if sort.isdigit():
            extents[sort] = fixed_extent(int(sort), whole=sort in whole)
        else:
            extents[sort] = Extent.of(sizes[turn % len(sizes)])
            turn += 1
    return Plan(k, kind, extents)


def fixed_extent(size: int, *, whole: bool) -> Extent:
    """How a fixed size is evaluated: all its values when it is small or they must be told apart, else in blocks."""
    # Beyond the bound on entries the evaluation refuses; there is no need to list that many weights.
    return Extent.of(min(size, MAX_ENTRIES + 1)) if whole or size < BLOCKS_FROM else Extent.blocks(size)


class Point(Generic[N]):
    """One point of a program, inside its assumptions."""

    def __init__(
        self,
        program: Axiomatic,
        arithmetic: Arithmetic[N],
        plan: Plan,
        assumptions: Sequence[Assumption],
    ) -> None:
        self.program = program
        self.plan = plan
        self.inputs: dict[str, tuple[Fraction, ...]] = {}
        self._assumptions = assumptions
        number = arithmetic.number
        weighted = {s: e for s, e in plan.extents.items() if not e.plain}
        self.model: Model[N] = Model(
            arithmetic,
            {s: len(e.weights) for s, e in plan.extents.items()},
            {s: [number(w) for w in e.weights] for s, e in weighted.items()},
            {s: number(sum(e.weights)) for s, e in weighted.items()},
        )

    def values(self, tape: Tape) -> list[Array[N]]:
        """The values of formulas at this point. Raises UnsuitableError, NeedsAllEntriesError or LimitError."""
        self._admit(tape)
        for k, name in enumerate(self.program.reach(tape.names, self.model.tensors)):
            self.evaluated(name)
            # What was evaluated is kept: the next claim on the same program goes on from there.
            if k % 16 == 15 and time.monotonic() > self.model.deadline:
                raise LimitError("an evaluation took too long", expected="an answer within the time limit")
        return self.model.run(tape)

    def _admit(self, tape: Tape) -> None:
        if tape.deltas and self.model.weights:
            grouped = frozenset(s for s in tape.deltas if s in self.model.weights)
            if grouped:
                raise NeedsAllEntriesError(grouped)

    def evaluated(self, name: str) -> None:
        """Give a tensor its entries, those of what it uses being known."""
        program = self.program.program
        if name in self.program.position:
            tape = self.program.tape(name)
            self._admit(tape)
            definition = self.program.definition(name)
            (array,) = self.model.run(tape)
            self.model.set(name, definition.sorts, self.spread(array, definition.indices))
            return
        sorts = program.sorts(name)
        entries = self.plan.given.get(name)
        if entries is None:
            entries = self._entries(name, sorts)
        self.inputs[name] = entries
        number = self.model.arithmetic.number
        self.model.set(name, sorts, [number(q) for q in entries])

    def spread(self, array: Array[N], axes: tuple[Index, ...]) -> list[N]:
        """The entries of an array in the order of the given axes, repeated along axes that it lacks."""
        if array.axes == axes:
            return array.entries
        sizes = self.model.sizes
        stride = 1
        strides: dict[Index, int] = {}
        for i in reversed(array.axes):
            strides[i] = stride
            stride *= sizes[i.sort]
        places = [0]
        for i in axes:
            step = strides.get(i, 0)
            places = [p + step * t for p in places for t in range(sizes[i.sort])]
        return [array.entries[p] for p in places]

    def _drawn(self, name: str, count: int) -> tuple[Fraction, ...]:
        return (_few if count <= FEW else _several)(self.plan.kind, self.plan.seed, name, count)

    def _entries(self, name: str, sorts: tuple[str, ...]) -> tuple[Fraction, ...]:
        properties = {a.property: a for a in self._assumptions if a.tensor == name}
        unit_sums = [a for a in self._assumptions if a.tensor == name and a.property == "unit-sum"]
        if len(unit_sums) > 1:
            raise UnsuitableError(name)
        draws = Draws(self.plan.seed, name)
        shape = tuple(len(self.plan.extents[s].weights) for s in sorts)
        count = prod(shape)
        if "equals" in properties:
            value = properties["equals"].value
            return (Fraction(0) if value is None else value,) * count
        if "binary" in properties:
            entries = [Fraction(draws.below(2)) for _ in range(count)]
        elif "plus-minus-one" in properties:
            entries = [Fraction(1 - 2 * draws.below(2)) for _ in range(count)]
        elif "in-unit-interval" in properties:
            entries = [Fraction(1 + draws.below(7), 8) for _ in range(count)]
        elif "positive" in properties or unit_sums:
            entries = [
                abs(q) for q in (_few if count <= FEW else _several)(self.plan.kind, self.plan.seed, name, count)
            ]
        else:
            entries = list((_few if count <= FEW else _several)(self.plan.kind, self.plan.seed, name, count))
        if "symmetric" in properties:
            if unit_sums or len(shape) != 2 or shape[0] != shape[1]:
                raise UnsuitableError(name)
            n = shape[0]
            entries = [entries[max(k // n, k % n) * n + min(k // n, k % n)] for k in range(count)]
        for assumption in unit_sums:
            axis = assumption.axis if assumption.axis is not None else len(sorts) - 1
            weights = self.plan.extents[sorts[axis]].weights
            for places in _lines(shape, axis):
                if "binary" in properties:
                    _make_one_hot(entries, places, weights, draws)
                else:
                    _make_unit(entries, places, weights)
            if "in-unit-interval" in properties and not all(0 < q < 1 for q in entries):
                raise UnsuitableError(name)
        return tuple(entries)


def _lines(shape: tuple[int, ...], axis: int) -> list[range]:
    """The places of the entries along one axis, for all places on the others."""
    inner = prod(shape[axis + 1 :])
    span = inner * shape[axis]
    return [range(a, start + span, inner) for start in range(0, prod(shape), span) for a in range(start, start + inner)]


def _make_unit(entries: list[Fraction], places: range, weights: Sequence[Fraction]) -> None:
    """Make the weighted sum of some entries 1."""
    total = sum((w * entries[p] for w, p in zip(weights, places, strict=True)), Fraction(0))
    for p in places:
        entries[p] /= total


def _make_one_hot(entries: list[Fraction], places: range, weights: Sequence[Fraction], draws: Draws) -> None:
    """Make one entry 1 and the others 0; the one is at a value that weighs 1."""
    single = [k for k, w in enumerate(weights) if w == 1]
    if not single:
        raise UnsuitableError("no value that weighs 1")
    chosen = single[draws.below(len(single))]
    for k, p in enumerate(places):
        entries[p] = Fraction(int(k == chosen))


def simple_entries(name: str, shape: tuple[int, ...], assumptions: Sequence[Assumption]) -> list[tuple[Fraction, ...]]:
    """Entries that are easy to follow and keep to the assumptions: all 0, all 1, or one-hot for a unit sum."""
    properties = {a.property: a for a in assumptions if a.tensor == name}
    zeros, ones = (Fraction(0),) * prod(shape), (Fraction(1),) * prod(shape)
    if properties.keys() <= {"symmetric", "binary"}:
        return [zeros, ones]
    if properties.keys() <= {"positive", "nonzero", "plus-minus-one", "symmetric"}:
        return [ones]
    if properties.keys() <= {"unit-sum", "binary"}:
        axis = properties["unit-sum"].axis
        entries = list(zeros)
        for places in _lines(shape, len(shape) - 1 if axis is None else axis):
            # The first value weighs 1, whole sizes or blocks.
            entries[places[0]] = Fraction(1)
        return [tuple(entries)]
    return []


def nested(entries: Sequence[Fraction], shape: Sequence[int]) -> Nested:
    """Flat entries as nested tuples, one for each axis; a scalar as its number.

    >>> nested((1, 2, 3, 4), (2, 2))
    ((1, 2), (3, 4))
    """
    rows: list[Nested] = list(entries)
    for size in reversed(shape):
        rows = [tuple(rows[k : k + size]) for k in range(0, len(rows), size)]
    return rows[0]
