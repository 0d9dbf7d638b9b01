"""Witnesses: exact points at which two sides differ, certified by balls.

Points where a side has no value are skipped. A claim is refuted only by two balls that do not meet; no comparison of
floating-point numbers decides anything.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Final, cast

from flint import arb

from backproof.errors import LimitError
from backproof.language.expression import Expr, add, mul, tensor
from backproof.language.program import Assumption
from backproof.proof.axiomatic import Axiomatic
from backproof.proof.balls import AXIOMS, MAX_PRECISION, PRECISION, Balls, precision, shown, stand_in_formula
from backproof.proof.evaluation import Tape
from backproof.proof.points import (
    TRIES,
    NeedsAllEntriesError,
    Plan,
    Point,
    UnsuitableError,
    is_deep,
    nested,
    planned,
    simple_entries,
    style,
)
from backproof.proof.verdict import Nested, Witness

READABLE_GAP: Final = 1e-3
"""A relative difference that a person sees; smaller ones are kept only when nothing better is found."""

SIMPLIFIED_INPUTS: Final = 4
SIMPLE_GAP: Final = 0.05
"""A program with so few inputs gets simpler ones, as long as the relative difference stays this large."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found: a witness or none, and at how many points both sides had a value.

    `cut` says that some points were given up for want of time or because they were too large.
    """

    witness: Witness | None
    compared: int
    cut: bool = False

    @property
    def nowhere(self) -> bool:
        """Whether all points were tried and no side had a value at any."""
        return self.witness is None and not self.compared and not self.cut


@dataclass(frozen=True, slots=True)
class Sides:
    """A claim ready to be evaluated: left, right and their difference."""

    tape: Tape
    outputs: frozenset[str]

    @staticmethod
    @lru_cache(maxsize=64)
    def of(left: Expr, right: Expr) -> Sides:
        """Both sides, in axioms only."""
        tape = Tape.of(left, right, add(left, mul(-1, right)))
        # The scalars whose slopes are claimed: a readable witness has a value for them too.
        return Sides(tape, frozenset(n[1:].split("/∂")[0] for n in tape.names if n.startswith("∂")))


@dataclass(frozen=True, slots=True)
class _Gap:
    """A place where two sides differ at a point."""

    point: Point[arb]
    index: dict[str, int]
    left: arb
    right: arb
    size: float


class Refuter:
    """Looks for witnesses against claims about one program, under fixed assumptions.

    `kinks` says whether points are used at which an indicator's argument is 0, where step(0) = 0 is a convention.
    """

    def __init__(self, program: Axiomatic, assumptions: Sequence[Assumption] = (), *, kinks: bool = False) -> None:
        self.program = program
        self.assumptions = tuple(assumptions)
        self._kinks = kinks
        self._style = style(program)
        self._points: dict[tuple[int, int], Point[arb]] = {}
        self._sorts = dict.fromkeys(program.sorts)
        self._whole: frozenset[str] = frozenset()

    @property
    def tries(self) -> range:
        """The points that can be tried; of a deep program, size 1 tells too little."""
        return range(int(is_deep(self.program)), len(TRIES))

    def search(self, sides: Sides, tries: range, deadline: float) -> Search:
        """Compare both sides at some of the points; the first readable difference is the witness."""
        compared, cut = 0, False
        best: _Gap | None = None
        for k in tries:
            if time.monotonic() > deadline:
                cut = True
                break
            try:
                gap, met = self._at(sides, k, deadline)
            except LimitError:
                cut = True
                continue
            compared += met
            if gap is None:
                continue
            if best is None or gap.size > best.size:
                best = gap
            if best.size >= READABLE_GAP:
                break
        if best is None:
            return Search(None, compared, cut)
        return Search(self._witness(sides, self._simplified(sides, best, deadline)), compared, cut)

    def _at(self, sides: Sides, k: int, deadline: float) -> tuple[_Gap | None, bool]:
        bits = PRECISION
        while True:
            try:
                gap, met, sharp = self._compared(sides, self._point(sides, k, bits), bits, deadline)
            except NeedsAllEntriesError as needed:
                self._whole |= needed.sorts
                self._points.clear()
                continue
            except UnsuitableError:
                return None, False
            if gap is not None or sharp or bits * 4 > MAX_PRECISION:
                return gap, met
            bits *= 4

    def _compared(self, sides: Sides, point: Point[arb], bits: int, deadline: float) -> tuple[_Gap | None, bool, bool]:
        """The largest difference at a point; whether both sides had a value; whether more bits could not help."""
        arithmetic = cast("Balls", point.model.arithmetic)
        arithmetic.doubtful = False
        point.model.deadline = deadline
        with precision(bits):
            left, right, difference = point.values(sides.tape)
            axes = difference.axes
            places = list(product(*(range(point.model.sizes[i.sort]) for i in axes)))
            gap: _Gap | None = None
            met, sharp = False, True
            lefts, rights = point.spread(left, axes), point.spread(right, axes)
            for place, a, b, d in zip(places, lefts, rights, difference.entries, strict=True):
                if not d.is_finite():
                    continue
                met = True
                if d.contains(0):
                    scale = abs(a) + abs(b)
                    sharp = sharp and (d.is_zero() or bool(d.rad() * 2**40 < scale))
                    continue
                relative = abs(d) / (abs(a) + abs(b))
                size = float(relative.mid()) if relative.is_finite() else 0.0
                if gap is None or size > 2 * gap.size:
                    gap = _Gap(point, {i.name: p + 1 for i, p in zip(axes, place, strict=True)}, a, b, size)
            if gap is not None and not self._defined(sides, point):
                gap = replace(gap, size=gap.size * READABLE_GAP / 2)
        return gap, met, sharp and (met or not arithmetic.doubtful)

    def _defined(self, sides: Sides, point: Point[arb]) -> bool:
        for output in sides.outputs & self.program.position.keys():
            (value,) = point.values(Tape.of(tensor(output)))
            if not all(v.is_finite() for v in value.entries):
                return False
        return True

    def _point(self, sides: Sides, k: int, bits: int) -> Point[arb]:
        new = sides.tape.sorts - self._sorts.keys()
        if new:
            self._sorts.update(dict.fromkeys(sorted(new)))
            self._points.clear()
        found = self._points.get((k, bits))
        if found is None:
            found = self._points[k, bits] = self._new_point(planned(self.program, k, self._sorts, self._whole), bits)
        return found

    def _new_point(self, plan: Plan, bits: int) -> Point[arb]:
        with precision(bits):
            return Point(self.program, Balls(self._style, kinks=self._kinks), plan, self.assumptions)

    def _simplified(self, sides: Sides, gap: _Gap, deadline: float) -> _Gap:
        """The same difference at simpler inputs, where the program is small: entries 0 or 1 are easy to follow."""
        reached = self.program.reach(sides.tape.names)
        needed = [n for n in self.program.program.inputs if n in reached]
        if len(needed) > SIMPLIFIED_INPUTS:
            return gap
        given = {n: gap.point.inputs[n] for n in needed}
        sizes, sorts = gap.point.model.sizes, self.program.program.sorts
        simple = [
            (name, entries)
            for name in reversed(needed)
            for entries in simple_entries(name, tuple(sizes[s] for s in sorts(name)), self.assumptions)
        ]
        done: set[str] = set()
        for name, entries in simple:
            if given[name] == entries:
                done.add(name)
            if name in done or time.monotonic() > deadline:
                continue
            point = self._new_point(replace(gap.point.plan, given={**given, name: entries}), PRECISION)
            try:
                found = self._compared(sides, point, PRECISION, deadline)[0]
            except (UnsuitableError, NeedsAllEntriesError, LimitError):
                continue
            if found is not None and found.size >= SIMPLE_GAP:
                gap, given[name] = found, entries
                done.add(name)
        return gap

    def _witness(self, sides: Sides, gap: _Gap) -> Witness:
        point, model = gap.point, gap.point.model
        reached = self.program.reach(sides.tape.names)
        functions = set(sides.tape.functions)
        sorts = set(sides.tape.sorts)
        inputs: dict[str, Nested] = {}
        for name in reached:
            if name in self.program.position:
                functions |= self.program.tape(name).functions
                sorts |= self.program.tape(name).sorts
            else:
                axes = self.program.program.sorts(name)
                sorts.update(axes)
                inputs[name] = nested(point.inputs[name], [model.sizes[s] for s in axes])
        abstract = sorted(f for f in functions if f[0] not in AXIOMS)
        totals = {s: int(sum(point.plan.extents[s].weights)) for s in sorted(sorts)}
        with precision(MAX_PRECISION):
            left, right = shown(gap.left), shown(gap.right)
        return Witness(
            sizes=totals,
            inputs={name: inputs[name] for name in self.program.program.inputs if name in inputs},
            index=gap.index,
            left=left,
            right=right,
            functions={name: stand_in_formula(name, arity, self._style) for name, arity in abstract},
            blocks={s: tuple(int(w) for w in point.plan.extents[s].weights) for s in totals if s in model.weights},
        )
