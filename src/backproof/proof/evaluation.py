"""Evaluation of formulas entry by entry, over any kind of number, with weighted sums.

A sum over an index of weights w is Σ_a w_a · body_a and its size is Σ_a w_a. With all weights 1 this is the plain
meaning; with whole weights it is the plain meaning at entries that come in blocks of equal values; with any weights it
is the *small model*. Only axioms and abstract functions are known here: the caller unfolds what the catalogue defines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from backproof.errors import LimitError
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
    mul,
    postorder,
    reindex,
)

MAX_ENTRIES: Final = 100_000
"""The most entries of one array."""


class Number(Protocol):
    """What can be added and multiplied."""

    def __add__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...


N = TypeVar("N", bound=Number)


class Arithmetic(Protocol[N]):
    """A kind of number: balls, dual balls. What has no value gives `undefined`, never an exception."""

    undefined: N

    def number(self, value: Fraction | int) -> N:
        """An exact number."""
        ...

    def constant(self, name: str) -> N:
        """A named constant."""
        ...

    def power(self, base: N, exponent: Fraction) -> N:
        """A rational power."""
        ...

    def function(self, name: str, orders: tuple[int, ...]) -> Callable[..., N]:
        """An axiom, or what stands for an abstract function, differentiated `orders` times."""
        ...

    def greatest(self, values: Sequence[N]) -> int | None:
        """The place of the greatest value; None where there is a tie or a doubt."""
        ...


# Steps and arrays are made by the hundred thousand: a tuple is made several times faster than a frozen dataclass.
class Array(NamedTuple, Generic[N]):
    """Entries over axes, the last axis running fastest."""

    axes: tuple[Index, ...]
    entries: list[N]


class _Step(NamedTuple):
    """`aligned` says that all inputs have the axes of the result."""

    node: Expr
    axes: tuple[Index, ...]
    inputs: tuple[int, ...]
    along: Index | None
    aligned: bool


@dataclass(frozen=True, slots=True)
class Tape:
    """Formulas as a list of steps, each using earlier ones: read once, run at many points.

    `branches` says that there are indicators, roots or maxima, `sums` that there are sums or sizes.
    """

    steps: tuple[_Step, ...]
    outputs: tuple[int, ...]
    names: frozenset[str]
    sorts: frozenset[str]
    deltas: frozenset[str]
    functions: frozenset[tuple[str, int]]
    shapes: frozenset[tuple[Index, ...]]
    branches: bool
    sums: bool

    @staticmethod
    @lru_cache(maxsize=1024)
    def of(*roots: Expr) -> Tape:
        """The tape of the formulas, subformulas shared."""
        place: dict[Expr, int] = {}
        steps: list[_Step] = []
        names: set[str] = set()
        sorts: set[str] = set()
        deltas: set[str] = set()
        functions: set[tuple[str, int]] = set()

        def put(node: Expr) -> None:
            if node in place:
                return
            inputs = tuple(place[c] for c in node.children)
            along = node.index if isinstance(node, Sum | Max) else None
            match node:
                case Tensor(name, indices):
                    names.add(name)
                    sorts.update(i.sort for i in indices)
                case Delta(left, _):
                    deltas.add(left.sort)
                    sorts.add(left.sort)
                case Size(sort):
                    sorts.add(sort)
                case Apply("step", (argument,), _):
                    found = _below_maximum(argument)
                    if found is not None:
                        along, body = found
                        # The body differs from the term −body by its number only: all else is in place.
                        for part in (*(c for c in body.children if isinstance(c, Num)), body):
                            put(part)
                        inputs = (place[body],)
                case Apply(name, arguments, _):
                    functions.add((name, len(arguments)))
                case _:
                    pass
            place[node] = len(steps)
            axes = _ordered(node.free)
            steps.append(_Step(node, axes, inputs, along, all(steps[k].axes == axes for k in inputs)))

        for root in roots:
            for node in postorder(root):
                put(node)
        outputs = tuple(place[root] for root in roots)
        branches = any(_has_branches(step.node) for step in steps)
        sums = any(isinstance(step.node, Sum | Size) for step in steps)
        return Tape(
            tuple(steps),
            outputs,
            frozenset(names),
            frozenset(sorts),
            frozenset(deltas),
            frozenset(functions),
            frozenset(step.axes for step in steps),
            branches,
            sums,
        )


def _ordered(indices: frozenset[Index]) -> tuple[Index, ...]:
    return tuple(sorted(indices, key=lambda i: (i.name, i.sort))) if len(indices) > 1 else tuple(indices)


def _has_branches(node: Expr) -> bool:
    match node:
        case Pow(_, exponent):
            return exponent.denominator != 1
        case Apply(name, _, _):
            return name == "step"
        case _:
            return isinstance(node, Max)


def _below_maximum(argument: Expr) -> tuple[Index, Expr] | None:
    """`(j, body)` where the argument is max_i body_i − body_j: then its sign is known without subtracting two balls."""
    if not isinstance(argument, Add) or len(argument.terms) != 2:
        return None
    for greatest, other in (argument.terms, argument.terms[::-1]):
        if isinstance(greatest, Max):
            body = mul(-1, other)
            for j in body.free - greatest.free:
                if j.sort == greatest.index.sort and reindex(greatest.body, {greatest.index: j}) is body:
                    return j, body
    return None


class Model(Generic[N]):
    """A point: sizes, weights and the entries of tensors, at which tapes are run.

    `sizes` gives the number of values of every sort; `weights` those sorts whose values do not weigh 1 each, with the
    sum of the weights for a sort in `totals`. Entries of tensors are flat, the last axis running fastest.
    """

    def __init__(
        self,
        arithmetic: Arithmetic[N],
        sizes: Mapping[str, int],
        weights: Mapping[str, Sequence[N]] | None = None,
        totals: Mapping[str, N] | None = None,
    ) -> None:
        self.arithmetic = arithmetic
        self.sizes = sizes
        self.weights = weights or {}
        self.totals = totals or {}
        self.deadline = float("inf")
        self.tensors: dict[str, list[N]] = {}
        self.axes: dict[str, tuple[str, ...]] = {}
        self._counts: dict[tuple[Index, ...], int] = {}
        self._numbers: dict[Num, list[N]] = {}

    def set(self, name: str, sorts: tuple[str, ...], entries: list[N]) -> None:
        """Give a tensor its entries."""
        self.tensors[name] = entries
        self.axes[name] = sorts

    def run(self, tape: Tape) -> list[Array[N]]:
        """The values of the tape's formulas. Raises LimitError for a too large array and after the deadline."""
        largest = max(map(self._count, tape.shapes))
        if largest > MAX_ENTRIES:
            raise LimitError("a formula has too many entries", expected=f"at most {MAX_ENTRIES}", got=str(largest))
        done: list[list[N]] = []
        for step in tape.steps:
            if largest > 1_000 and self._count(step.axes) > 1_000 and time.monotonic() > self.deadline:
                raise LimitError("an evaluation took too long", expected="an answer within the time limit")
            done.append(self._step(step, tape, done))
        return [Array(tape.steps[k].axes, done[k]) for k in tape.outputs]

    def _count(self, axes: tuple[Index, ...]) -> int:
        found = self._counts.get(axes)
        if found is None:
            found = self._counts[axes] = prod(self.sizes[i.sort] for i in axes)
        return found

    def _step(self, step: _Step, tape: Tape, done: list[list[N]]) -> list[N]:
        # The commonest kinds first, by their type: a match would ask for one after another.
        node = step.node
        kind = type(node)
        if kind is Mul:
            total, *rows = self._aligned(step, tape, done)
            for row in rows:
                total = [a * b for a, b in zip(total, row, strict=True)]
            return total
        if kind is Add:
            total, *rows = self._aligned(step, tape, done)
            for row in rows:
                total = [a + b for a, b in zip(total, row, strict=True)]
            return total
        if isinstance(node, Num):
            found = self._numbers.get(node)
            if found is None:
                found = self._numbers[node] = [self.arithmetic.number(node.value)]
            return found
        if isinstance(node, Pow):
            power, exponent = self.arithmetic.power, node.exponent
            return [power(a, exponent) for a in done[step.inputs[0]]]
        if isinstance(node, Tensor):
            return self._entries(node.name, node.indices, step.axes)
        if isinstance(node, Apply):
            return self._applied(step, node, tape, done)
        return self._rarer(step, tape, done)

    def _applied(self, step: _Step, node: Apply, tape: Tape, done: list[list[N]]) -> list[N]:
        if step.along is not None:
            return self._not_greatest(step, done[step.inputs[0]])
        f = self.arithmetic.function(node.name, node.orders)
        if len(step.inputs) == 1:
            return [f(a) for a in done[step.inputs[0]]]
        return [f(*arguments) for arguments in zip(*self._aligned(step, tape, done), strict=True)]

    def _rarer(self, step: _Step, tape: Tape, done: list[list[N]]) -> list[N]:
        exact = self.arithmetic
        match step.node:
            case Const(name):
                return [exact.constant(name)]
            case Size(sort):
                return [self.totals[sort] if sort in self.totals else exact.number(self.sizes[sort])]
            case Delta(left, _):
                n = self.sizes[left.sort]
                yes, no = exact.number(1), exact.number(0)
                return [yes if a == b else no for a in range(n) for b in range(n)]
            case Sum(index, _):
                groups = self._groups(index, tape.steps[step.inputs[0]].axes, done[step.inputs[0]])
                if index.sort in self.weights:
                    w = self.weights[index.sort]
                    groups = [[a * b for a, b in zip(group, w, strict=True)] for group in groups]
                return [_total(group) for group in groups]
            case Max(index, _):
                groups = self._groups(index, tape.steps[step.inputs[0]].axes, done[step.inputs[0]])
                places = [exact.greatest(group) for group in groups]
                return [exact.undefined if k is None else group[k] for group, k in zip(groups, places, strict=True)]
            case node:
                raise TypeError(f"not an expression: {type(node).__name__}")

    def _entries(self, name: str, indices: tuple[Index, ...], axes: tuple[Index, ...]) -> list[N]:
        entries = self.tensors[name]
        if indices == axes:
            return entries
        stride, strides = 1, dict.fromkeys(axes, 0)
        for i in reversed(indices):
            strides[i] += stride
            stride *= self.sizes[i.sort]
        return [entries[k] for k in self._offsets(axes, strides)]

    def _aligned(self, step: _Step, tape: Tape, done: list[list[N]]) -> list[list[N]]:
        """The inputs of a step, each repeated along the axes that it lacks."""
        if step.aligned:
            return [done[k] for k in step.inputs]
        rows: list[list[N]] = []
        for k in step.inputs:
            axes = tape.steps[k].axes
            if axes == step.axes:
                rows.append(done[k])
                continue
            if not axes:
                rows.append(done[k] * self._count(step.axes))
                continue
            stride, strides = 1, dict.fromkeys(step.axes, 0)
            for i in reversed(axes):
                strides[i] = stride
                stride *= self.sizes[i.sort]
            entries = done[k]
            rows.append([entries[o] for o in self._offsets(step.axes, strides)])
        return rows

    def _offsets(self, axes: tuple[Index, ...], strides: Mapping[Index, int]) -> tuple[int, ...]:
        return _offsets(tuple((self.sizes[i.sort], strides[i]) for i in axes))

    def _groups(self, index: Index, axes: tuple[Index, ...], entries: list[N]) -> list[list[N]]:
        """The entries along one axis, for each place on the other axes."""
        k = axes.index(index)
        inner = prod(self.sizes[i.sort] for i in axes[k + 1 :])
        whole = inner * self.sizes[index.sort]
        return [
            entries[start + offset : start + whole : inner]
            for start in range(0, len(entries), whole)
            for offset in range(inner)
        ]

    def _not_greatest(self, step: _Step, entries: list[N]) -> list[N]:
        exact = self.arithmetic
        assert step.along is not None
        k = step.axes.index(step.along)
        inner = prod(self.sizes[i.sort] for i in step.axes[k + 1 :])
        n = self.sizes[step.along.sort]
        result = list(entries)
        for start in range(0, len(entries), inner * n):
            for first in range(start, start + inner):
                places = range(first, start + inner * n, inner)
                top = exact.greatest([entries[p] for p in places])
                for t, p in enumerate(places):
                    result[p] = exact.undefined if top is None else exact.number(int(t != top))
        return result


def _total(group: Sequence[N]) -> N:
    total = group[0]
    for entry in group[1:]:
        total = total + entry
    return total


@lru_cache(maxsize=512)
def _offsets(axes: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
    """The places `Σ index · stride` for all indices, the last axis running fastest; `axes` are (size, stride)."""
    places = [0]
    for count, stride in axes:
        places = [p + stride * t for p in places for t in range(count)]
    return tuple(places)
