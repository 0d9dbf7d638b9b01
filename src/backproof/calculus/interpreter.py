"""The interpreter: what a formula means, computed the obvious way. It is the reference for everything that is clever.

Functions of the catalogue are computed through their definitions, and their slopes through the sweep, down to axioms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

import numpy as np

from backproof import catalog
from backproof.calculus.number_systems import FLOAT64, NumberSystem, Values
from backproof.calculus.plan import Axes, Plan, plan
from backproof.calculus.sweep import adjoints
from backproof.errors import DomainError, LimitError, ShapeError, UnknownNameError
from backproof.language.expression import Apply, Expr, Index, postorder, zero
from backproof.language.program import Definition, Program

# An abstract function: f, f′, f″, … or, with several arguments, by the orders of differentiation.
Given: TypeAlias = Sequence[Callable[..., Values]] | Mapping[tuple[int, ...], Callable[..., Values]]

MAX_ORDER: Final = 16
_LOOP_FACTOR: Final = 2**10


def evaluate(
    program: Program,
    values: Mapping[str, object],
    *,
    sizes: Mapping[str, int] | None = None,
    numbers: NumberSystem = FLOAT64,
    functions: Mapping[str, Given] | None = None,
) -> Mapping[str, Values]:
    """Every input and defined tensor of a program as an array, from the values of its inputs.

    A value is a number, nested lists or an array; sizes are read off the arrays, and only those that no array shows
    need be given. A hyperparameter without a value has the one that the catalogue states. `functions` gives abstract
    functions, each as [f, f′, f″, …] or by orders of differentiation. Raises UnknownNameError for a missing value,
    ShapeError for shapes that do not fit, and in exact number systems DomainError where a formula has no value.

    >>> from backproof.language.expression import sum_over, tensor
    >>> i = Index("i", "n")
    >>> square = Program({"x": ("n",)}, (Definition("J", (), sum_over(i, tensor("x", i) ** 2)),))
    >>> float(evaluate(square, {"x": [3, 4]})["J"])
    25.0
    """
    known = dict(sizes or {})
    given = {name: _input(program, name, values) for name in program.inputs}
    with numbers.precision():
        arrays = {name: numbers.array(value) for name, value in given.items()}
        for name, array in arrays.items():
            _fit(name, np.shape(array), program.inputs[name], known)
        setting = _Setting(numbers, known, arrays, functions or {})
        for definition in program.definitions:
            arrays[definition.name] = setting.array(definition.body, definition.indices)
    return arrays


def evaluate_expr(
    expr: Expr,
    values: Mapping[str, object],
    *,
    indices: Sequence[Index] = (),
    sizes: Mapping[str, int] | None = None,
    numbers: NumberSystem = FLOAT64,
    functions: Mapping[str, Given] | None = None,
) -> Values:
    """An expression as an array with one axis for each of `indices`, or as a number; errors as for `evaluate`.

    >>> from backproof.language.expression import tensor
    >>> float(evaluate_expr(tensor("x") ** 2, {"x": 3}))
    9.0
    """
    known = dict(sizes or {})
    with numbers.precision():
        arrays: dict[str, Values] = {}
        for name, axes in plan(expr).tensors:
            if name not in arrays:
                arrays[name] = numbers.array(_value(name, values, (expr,)))
            _fit(name, np.shape(arrays[name]), tuple(i.sort for i in axes), known)
        for name, value in values.items():  # the hyperparameters of functions that the expression applies
            if name not in arrays and not isinstance(value, list | tuple | np.ndarray):
                arrays[name] = numbers.array(value)
        return _Setting(numbers, known, arrays, functions or {}).array(expr, tuple(indices))


@dataclass(slots=True)
class _Setting:
    numbers: NumberSystem
    sizes: Mapping[str, int]
    values: Mapping[str, Values]
    functions: Mapping[str, Given]

    def array(self, expr: Expr, indices: Axes) -> Values:
        """The expression with its axes in the order of `indices`, spread over those that it lacks."""
        steps = plan(expr)
        if not expr.free.issubset(indices):
            loose = ", ".join(sorted(i.name for i in expr.free.difference(indices)))
            raise ShapeError("the formula has indices that its result lacks", got=loose)
        for index in indices:
            self._length(index.sort)
        self._admit(steps)
        array = self.numbers.finished(steps.run(self))
        order = tuple(steps.axes.index(i) for i in indices if i in expr.free)
        if order != tuple(range(len(order))):
            array = array.transpose(order)
        if len(order) == len(indices):
            return array
        shape = tuple(self._length(i.sort) for i in indices)
        spread: Values = np.asarray(array)[tuple(slice(None) if i in expr.free else None for i in indices)]
        whole: Values = np.broadcast_to(spread, shape).copy()
        return whole

    def tensor(self, name: str) -> Values:
        return self.values[name]

    def call(self, name: str, orders: tuple[int, ...], arguments: Sequence[Values]) -> Values:
        if name in self.functions:
            given = _given(name, self.functions[name], orders)(*arguments)
            return _spread(given if isinstance(given, np.ndarray) else self.numbers.array(given), arguments)
        if not any(orders):
            axiom = self.numbers.function(name)
            if axiom is not None:
                return axiom(*arguments)
        meaning = _meaning(name, orders)
        values = dict(zip(meaning.parameters, arguments, strict=True))
        for hyperparameter, default in meaning.defaults:
            value = self.values.get(hyperparameter)
            values[hyperparameter] = self.numbers.array(default) if value is None else value
        inner = _Setting(self.numbers, self.sizes, values, self.functions)
        return _spread(plan(meaning.body).run(inner), arguments)

    def _admit(self, steps: Plan) -> None:
        """Refuses arrays that are too large before they are made."""
        lengths = {sort: self._length(sort) for sort in steps.sorts}
        exact = not self.numbers.overflows
        for axes in steps.arrays | steps.loops if exact else steps.arrays:
            self._bound(math.prod(lengths[i.sort] for i in axes), self.numbers.largest)
        for axes in steps.loops:
            self._bound(math.prod(lengths[i.sort] for i in axes), self.numbers.largest * _LOOP_FACTOR)

    def _bound(self, count: int, most: int) -> None:
        if count > most:
            raise LimitError("an array is too large", expected=f"at most {most} numbers", got=str(count))

    def _length(self, sort: str) -> int:
        if sort in self.sizes:
            return self.sizes[sort]
        if sort.isdigit():
            return int(sort)
        raise ShapeError(f"the size {sort} is not known", next=f"give a value for {sort}")


def _spread(result: Values, arguments: Sequence[Values]) -> Values:
    """The values of a function in the common shape of its arguments: a slope may be the same number everywhere."""
    shape = np.broadcast_shapes(*map(np.shape, arguments))
    return result if np.shape(result) == shape else np.broadcast_to(np.asarray(result), shape)


def _input(program: Program, name: str, values: Mapping[str, object]) -> object:
    return values[name] if name in values else _value(name, values, tuple(d.body for d in program.definitions))


def _value(name: str, values: Mapping[str, object], roots: tuple[Expr, ...]) -> object:
    """The given value of a tensor, or the catalogue's value of a hyperparameter of a function that is applied."""
    if name in values:
        return values[name]
    applied = {node.name for root in roots for node in postorder(root) if isinstance(node, Apply)}
    for entry in filter(None, map(catalog.function, sorted(applied))):
        for hyperparameter in entry.hyperparameters:
            if hyperparameter.name == name:
                return hyperparameter.default
    raise UnknownNameError(f"{name} has no value", expected="a value for every input", got=", ".join(values) or "none")


def _fit(name: str, shape: tuple[int, ...], sorts: Sequence[str], sizes: dict[str, int]) -> None:
    """Checks an array's shape against its sorts and adds the sizes that it shows."""
    if len(shape) == len(sorts):
        for sort, length in zip(sorts, shape, strict=True):
            wanted = int(sort) if sort.isdigit() else sizes.setdefault(sort, length)
            sizes[sort] = wanted
            if wanted != length or length < 1:
                break
        else:
            return
    expected = ", ".join(f"{s} = {sizes[s]}" if s in sizes and not s.isdigit() else s for s in sorts)
    raise ShapeError(
        f"the value of {name} does not fit", expected=f"shape ({expected})", got=f"shape ({', '.join(map(str, shape))})"
    )


def _given(name: str, given: Given, orders: tuple[int, ...]) -> Callable[..., Values]:
    if isinstance(given, Mapping):
        found = given.get(orders)
    else:
        found = given[orders[0]] if len(orders) == 1 and orders[0] < len(given) else None
    if found is None:
        raise UnknownNameError(
            f"the derivative {orders} of {name} is not given", next=f"give {name} with more derivatives"
        )
    return found


@dataclass(frozen=True, slots=True)
class _Meaning:
    parameters: tuple[str, ...]
    body: Expr
    defaults: tuple[tuple[str, object], ...]


@cache
def _meaning(name: str, orders: tuple[int, ...]) -> _Meaning:
    """A function of the catalogue, differentiated, as a formula in simpler functions."""
    entry = catalog.function(name)
    if entry is None:
        raise UnknownNameError(f"the function {name} has no value", next=f"give it: functions={{{name!r}: [f, f′, …]}}")
    if sum(orders) > MAX_ORDER:
        raise LimitError("a derivative of too high an order", expected=f"at most {MAX_ORDER}", got=str(sum(orders)))
    left = [k for k, order in enumerate(orders) for _ in range(order)]
    if catalog.is_axiom(name):
        if not left:
            raise DomainError(f"{name} has no value in these numbers")
        parameters, body = catalog.slope(name)
        left.pop()
    else:
        parameters, body = catalog.scalar_definition(name)
    for k in left:
        program = Program({parameters[k]: ()}, (Definition("J", (), body),))
        slope = adjoints(program, "J").get(parameters[k])
        body = zero if slope is None else slope.body
    return _Meaning(parameters, body, tuple((h.name, h.default) for h in entry.hyperparameters))
