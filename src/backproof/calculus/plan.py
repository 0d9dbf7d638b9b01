"""Evaluation plans: an expression as a list of array operations, one for each of its distinct parts, made once.

Every part has one array axis for each of its free indices, in sorted order. A sum over a product is one operation, so
that Σ_k A[i,k] B[k,j] is a matrix product and never an array over i, k and j.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Protocol
from weakref import WeakKeyDictionary

import numpy as np

from backproof.calculus.number_systems import NumberSystem, Values
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
)

MAX_AXES: Final = 24
Axes = tuple[Index, ...]


class Setting(Protocol):
    """What a plan is run in: numbers, sizes, the values of tensors, and functions."""

    numbers: NumberSystem
    sizes: Mapping[str, int]

    def tensor(self, name: str) -> Values:
        """The array of a tensor."""
        ...

    def call(self, name: str, orders: tuple[int, ...], arguments: Sequence[Values]) -> Values:
        """A function, or a derivative of it, elementwise on arrays of one shape."""
        ...


@dataclass(frozen=True, slots=True)
class Operand:
    """A part that was computed before, and how its axes are spread over those of the operation."""

    slot: int
    spread: tuple[slice | None, ...] | None

    def of(self, done: Sequence[Values]) -> Values:
        """The array with an axis of length 1 for each index that it lacks."""
        return done[self.slot] if self.spread is None else done[self.slot][self.spread]


@dataclass(frozen=True, slots=True)
class State:
    """A plan at work: its setting, and the arrays of the parts that are done."""

    setting: Setting
    done: list[Values]


class Operation(ABC):
    """One step of a plan."""

    @abstractmethod
    def run(self, at: State) -> Values:
        """The array of this part, from those of the parts before."""


@dataclass(frozen=True, slots=True)
class _Number(Operation):
    value: Fraction

    def run(self, at: State) -> Values:
        return at.setting.numbers.number(self.value)


@dataclass(frozen=True, slots=True)
class _Length(Operation):
    sort: str

    def run(self, at: State) -> Values:
        return at.setting.numbers.number(Fraction(at.setting.sizes[self.sort]))


@dataclass(frozen=True, slots=True)
class _Constant(Operation):
    name: str

    def run(self, at: State) -> Values:
        return at.setting.numbers.constant(self.name)


@dataclass(frozen=True, slots=True)
class _Entry(Operation):
    name: str
    order: tuple[int, ...] | None

    def run(self, at: State) -> Values:
        array = at.setting.tensor(self.name)
        return array if self.order is None else array.transpose(self.order)


@dataclass(frozen=True, slots=True)
class _Diagonal(Operation):
    """A tensor with an index that occurs twice; `places` gives for each of its axes the axis of the result."""

    name: str
    indices: Axes
    places: tuple[int, ...]

    def run(self, at: State) -> Values:
        array = at.setting.tensor(self.name)
        shape = [1] * (max(self.places) + 1)
        selectors: list[Values] = []
        for index, place in zip(self.indices, self.places, strict=True):
            length = at.setting.sizes[index.sort]
            selectors.append(np.arange(length).reshape([*shape[:place], length, *shape[place + 1 :]]))
        return array[tuple(selectors)]


@dataclass(frozen=True, slots=True)
class _Kronecker(Operation):
    sorts: tuple[str, str]

    def run(self, at: State) -> Values:
        rows, columns = (at.setting.sizes[sort] for sort in self.sorts)
        return at.setting.numbers.array(np.eye(rows, columns))


@dataclass(frozen=True, slots=True)
class _Plus(Operation):
    terms: tuple[Operand, ...]

    def run(self, at: State) -> Values:
        total = self.terms[0].of(at.done)
        for term in self.terms[1:]:
            total = np.add(total, term.of(at.done))
        return total


@dataclass(frozen=True, slots=True)
class _Times(Operation):
    """A product; `indicators` are factors that are 0 or 1."""

    factors: tuple[Operand, ...]
    indicators: tuple[Operand, ...]

    def run(self, at: State) -> Values:
        total = self.factors[0].of(at.done)
        for factor in self.factors[1:]:
            total = np.multiply(total, factor.of(at.done))
        if at.setting.numbers.overflows:
            # The branch of a case distinction that does not hold is 0, even where it would overflow: [u ≤ 0]·exp(u).
            for indicator in self.indicators:
                total = np.where(indicator.of(at.done) == 0, 0.0, total)[()]
        return total


@dataclass(frozen=True, slots=True)
class _Power(Operation):
    base: int
    exponent: Fraction

    def run(self, at: State) -> Values:
        return at.setting.numbers.power(at.done[self.base], self.exponent)


@dataclass(frozen=True, slots=True)
class _Call(Operation):
    name: str
    orders: tuple[int, ...]
    arguments: tuple[Operand, ...]

    def run(self, at: State) -> Values:
        return at.setting.call(self.name, self.orders, [argument.of(at.done) for argument in self.arguments])


@dataclass(frozen=True, slots=True)
class _Contraction(Operation):
    """A sum over a product: each factor with the numbers of its axes, and the numbers of the axes that stay."""

    factors: tuple[tuple[int, tuple[int, ...]], ...]
    result: tuple[int, ...]

    def run(self, at: State) -> Values:
        return at.setting.numbers.product([(at.done[slot], own) for slot, own in self.factors], self.result)


@dataclass(frozen=True, slots=True)
class _Maximum(Operation):
    body: int
    axis: int

    def run(self, at: State) -> Values:
        return at.setting.numbers.maximum(at.done[self.body], self.axis)


@dataclass(frozen=True, slots=True)
class Plan:
    """The operations of an expression, the last of which is the whole.

    `axes` are the free indices of the whole. `tensors` are the names and axes of the tensors it reads, `sorts` the
    sizes it needs, `arrays` the axes of every array it makes, and `loops` those of every product that it sums.
    """

    operations: tuple[Operation, ...]
    axes: Axes
    tensors: tuple[tuple[str, Axes], ...]
    sorts: frozenset[str]
    arrays: frozenset[Axes]
    loops: frozenset[Axes]

    def run(self, setting: Setting) -> Values:
        """The array of the whole expression."""
        state = State(setting, [])
        for operation in self.operations:
            state.done.append(operation.run(state))
        return state.done[-1]


_plans: WeakKeyDictionary[Expr, Plan] = WeakKeyDictionary()


def plan(root: Expr) -> Plan:
    """The plan of an expression, kept for as long as the expression. Raises LimitError for too many axes."""
    found = _plans.get(root)
    if found is None:
        found = _plans[root] = _planned(root)
    return found


def _planned(root: Expr) -> Plan:
    slots: dict[Expr, int] = {}
    operations: list[Operation] = []
    tensors: dict[tuple[str, Axes], None] = {}
    sorts: set[str] = set()
    arrays: set[Axes] = set()
    loops: set[Axes] = set()
    stack: list[tuple[Expr, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if node in slots:
            continue
        parts = _parts(node)
        if not ready:
            stack.append((node, True))
            stack.extend((part, False) for part in reversed(parts) if part not in slots)
            continue
        slots[node] = len(operations)
        operations.append(_operation(node, parts, slots))
        arrays.add(_axes(node))
        match node:
            case Tensor(name, indices):
                tensors[name, indices] = None
            case Size(sort):
                sorts.add(sort)
            case Sum():
                loops.add(tuple(sorted(frozenset[Index]().union(*(part.free for part in parts)))))
            case _:
                pass
    sorts.update(index.sort for axes in arrays | loops for index in axes)
    return Plan(tuple(operations), _axes(root), tuple(tensors), frozenset(sorts), frozenset(arrays), frozenset(loops))


def _axes(node: Expr) -> Axes:
    if len(node.free) > MAX_AXES:
        raise LimitError(
            "a part of the formula has too many indices", expected=f"at most {MAX_AXES}", got=str(len(node.free))
        )
    return tuple(sorted(node.free))


def _parts(node: Expr) -> tuple[Expr, ...]:
    """What is computed before the node: for sums in sums over a product, the factors."""
    if not isinstance(node, Sum):
        return node.children
    body: Expr = node
    while isinstance(body, Sum):
        body = body.body
    return body.factors if isinstance(body, Mul) else (body,)


def _operation(node: Expr, parts: tuple[Expr, ...], slots: Mapping[Expr, int]) -> Operation:
    axes = _axes(node)

    def operand(part: Expr) -> Operand:
        if not part.free or len(part.free) == len(axes):
            return Operand(slots[part], None)
        return Operand(slots[part], tuple(slice(None) if index in part.free else None for index in axes))

    match node:
        case Num(value):
            return _Number(value)
        case Size(sort):
            return _Length(sort)
        case Const(name):
            return _Constant(name)
        case Tensor(name, indices):
            if len(axes) < len(indices):
                return _Diagonal(name, indices, tuple(axes.index(i) for i in indices))
            order = tuple(indices.index(i) for i in axes)
            return _Entry(name, None if order == tuple(range(len(order))) else order)
        case Delta():
            return _Kronecker((axes[0].sort, axes[1].sort))
        case Add():
            return _Plus(tuple(map(operand, parts)))
        case Mul():
            return _Times(tuple(map(operand, parts)), tuple(operand(part) for part in parts if _is_indicator(part)))
        case Pow(_, exponent):
            return _Power(slots[parts[0]], exponent)
        case Apply(name, _, orders):
            return _Call(name, orders, tuple(map(operand, parts)))
        case Sum():
            loop = sorted(frozenset[Index]().union(*(part.free for part in parts)))
            if len(loop) > MAX_AXES:
                raise LimitError("a sum has too many indices", expected=f"at most {MAX_AXES}", got=str(len(loop)))
            number = {index: k for k, index in enumerate(loop)}
            factors = tuple((slots[part], tuple(number[i] for i in _axes(part))) for part in parts)
            return _Contraction(factors, tuple(number[i] for i in axes))
        case Max(index, body):
            return _Maximum(slots[body], _axes(body).index(index))
        case _:
            raise TypeError(f"not an expression: {type(node).__name__}")


def _is_indicator(node: Expr) -> bool:
    """Whether the node is [u > 0] or 1 − [u > 0]."""
    match node:
        case Apply("step", _, (0,)):
            return True
        case Add((Mul((Num(factor), Apply("step", _, (0,)))), Num(constant))):
            return factor == -1 and constant == 1
        case _:
            return False
