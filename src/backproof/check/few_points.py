"""Points of small programs: the values of formulas in plain numbers, for programs without matrices.

A point chooses what is worth proving; nothing here is a verdict.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

from backproof import catalog
from backproof.calculus.unfolding import unfold
from backproof.check.rows import Few
from backproof.errors import LimitError, UnknownNameError
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
    num,
)
from backproof.language.program import Assumption, Program
from backproof.language.walks import inline

PRIMES: Final = (5, 7, 3, 11, 13, 17)
SEED: Final = 20
MAX_DEFINITIONS: Final = 40
MAX_AXES: Final = 4
REMEMBERED: Final = 5_000

Array = tuple[tuple[Index, ...], list[float]]
"""Entries over axes in sorted order, the last one running fastest."""


def is_small(program: Program) -> bool:
    """Whether a program is evaluated in plain numbers: no matrices, and not many definitions."""
    return len(program.definitions) <= MAX_DEFINITIONS and all(len(program.sorts(n)) <= 1 for n in program.names)


def sizes_of(program: Program) -> dict[str, int]:
    """The size of every sort at a point: all different, unless the program says how large they are."""
    sorts = dict.fromkeys(s for name in program.names for s in program.sorts(name))
    free = itertools.chain(PRIMES, itertools.count(8))
    return {s: int(s) for s in sorts if s.isdigit()} | {s: next(free) for s in sorts if not s.isdigit()}


def wave(name: str, orders: Sequence[int]) -> tuple[float, float, list[float]]:
    """The scale, shift and rates of the sine that stands for an abstract function, or for a derivative of it."""
    seed = sum(map(ord, name)) % 7 + 1
    rates = [1 + (seed + k) / 5 for k in range(len(orders))]
    scale = math.prod(r**o for r, o in zip(rates, orders, strict=True))
    return scale, 0.3 + sum(orders) * math.pi / 2, rates


class FewPoint:
    """One random point of a small program, with all sizes different.

    A name is computed when it is first asked for, and the values of all parts of formulas are kept. Targets lie between
    0 and 1, unless they may be any number. `given` inputs have these entries.
    """

    def __init__(
        self,
        program: Program,
        assumptions: Iterable[Assumption] = (),
        *,
        any_target: bool = False,
        seed: int = SEED,
        given: Mapping[str, tuple[float, ...]] | None = None,
    ) -> None:
        self.program = program
        self._seed = seed
        self._between = ("a",) if any_target else ("a", "y")
        self.assumptions = (*program.assumptions, *assumptions)
        self._parts: dict[Expr, Array] = {}
        self._given = {name: list(entries) for name, entries in (given or {}).items()}
        self._names: dict[str, list[float]] = dict(self._given)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The size of every sort."""
        sizes = sizes_of(self.program)
        for name, entries in self._given.items():
            sizes |= dict.fromkeys(self.program.inputs[name], len(entries))
        return sizes

    def row(self, expr: Expr, indices: tuple[Index, ...]) -> Few:
        """The values of an expression at this point, over the given indices."""
        for definition in self.program.needed(expr, self._names):
            self._names[definition.name] = self._spread(self._part(definition.body), definition.indices)
        return Few(tuple(self._spread(self._part(expr), indices)))

    @cached_property
    def _inputs(self) -> Mapping[str, list[float]]:
        chance = random.Random(self._seed)
        found: dict[str, list[float]] = {}
        for name, sorts in self.program.inputs.items():
            count = math.prod(self.sizes[s] for s in sorts)
            known = [a for a in self.assumptions if a.tensor == name]
            between = known or name in self._between
            # Small numbers such as Huber's κ let both sides of a kink be seen.
            most = 0.9 if sorts else 0.4
            found[name] = [chance.uniform(0.1, most) if between else chance.gauss(0, 1) for _ in range(count)]
            if any(a.property == "unit-sum" for a in known):
                total = sum(found[name])
                found[name] = [x / total for x in found[name]]
        return found

    def _part(self, root: Expr) -> Array:
        known = self._parts
        if len(known) > REMEMBERED:
            known.clear()
        stack = [root]
        while stack:
            node = stack[-1]
            if node in known:
                stack.pop()
                continue
            formula = self._formula(node)
            parts = node.children if formula is None else (formula,)
            missing = [p for p in parts if p not in known]
            if missing:
                stack += missing
                continue
            stack.pop()
            known[node] = self._computed(node) if formula is None else known[formula]
        return known[root]

    def _formula(self, node: Expr) -> Expr | None:
        """A function that the catalogue defines by others, or a slope, in axioms, with its usual hyperparameters."""
        entry = catalog.function(node.name) if isinstance(node, Apply) else None
        if not isinstance(node, Apply) or entry is None or (catalog.is_axiom(node.name) and not any(node.orders)):
            return None
        given = self.program.inputs
        return inline(
            unfold(node), {h.name: ((), num(h.default)) for h in entry.hyperparameters if h.name not in given}
        )

    def _computed(self, node: Expr) -> Array:
        axes = tuple(sorted(node.free)) if len(node.free) > 1 else tuple(node.free)
        if len(axes) > MAX_AXES:
            raise LimitError("a formula has too many axes to compare numbers", expected=f"at most {MAX_AXES}")
        match node:
            case Num(value):
                return axes, [float(value)]
            case Const(name):
                return axes, [getattr(math, name)]
            case Size(sort):
                return axes, [float(self.sizes[sort] if sort in self.sizes else int(sort))]
            case Tensor(name, indices):
                return axes, self._entries(name, indices, axes)
            case Delta(left, _):
                n = self._length(left)
                return axes, [float(a == b) for a in range(n) for b in range(n)]
            case Add():
                rows = [self._spread(self._parts[c], axes) for c in node.children]
                return axes, [sum(values) for values in zip(*rows, strict=True)]
            case Mul():
                rows = [self._spread(self._parts[c], axes) for c in node.children]
                return axes, [math.prod(values) for values in zip(*rows, strict=True)]
            case Pow(base, exponent):
                power = int(exponent) if exponent.denominator == 1 else float(exponent)
                return axes, [_safely(_power, x, power) for x in self._parts[base][1]]
            case Sum(index, body) | Max(index, body):
                inside = (*axes, index)
                entries, n = self._spread(self._parts[body], inside), self._length(index)
                combine = sum if isinstance(node, Sum) else max
                return axes, [combine(entries[k : k + n]) for k in range(0, len(entries), n)]
            case Apply(name, arguments, orders):
                rows = [self._spread(self._parts[c], axes) for c in arguments]
                function = _AXIOMS.get(name) or _waving(name, orders)
                return axes, [_safely(function, *values) for values in zip(*rows, strict=True)]
            case _:
                raise TypeError(f"not an expression: {type(node).__name__}")

    def _entries(self, name: str, indices: tuple[Index, ...], axes: tuple[Index, ...]) -> list[float]:
        # The hyperparameters of a function are inputs that the formula itself does not name.
        entries = self._names.get(name, self._inputs.get(name))
        if entries is None:
            raise UnknownNameError(f"{name} has no value at a point")
        return entries if len(indices) <= 1 else self._spread((indices, entries), axes)

    def _spread(self, array: Array, wanted: tuple[Index, ...]) -> list[float]:
        """The entries over other axes: in their order, and repeated along those that the array lacks."""
        axes, entries = array
        if axes == wanted:
            return entries
        strides, stride = dict.fromkeys(wanted, 0), 1
        for index in reversed(axes):
            strides[index] = stride
            stride *= self._length(index)
        places = [0]
        for index in wanted:
            step = strides[index]
            places = [p + step * t for p in places for t in range(self._length(index))]
        return [entries[p] for p in places]

    def _length(self, index: Index) -> int:
        return self.sizes[index.sort] if index.sort in self.sizes else int(index.sort)


def _power(base: float, exponent: float) -> float:
    # A root of a negative number would be complex.
    return math.nan if base < 0 and isinstance(exponent, float) else base**exponent


def _waving(name: str, orders: tuple[int, ...]) -> Callable[..., float]:
    scale, shift, rates = wave(name, orders)
    return lambda *arguments: scale * math.sin(sum(map(float.__mul__, rates, arguments)) + shift)


def _safely(function: Callable[..., float], *arguments: float) -> float:
    try:
        return function(*arguments)
    except (ArithmeticError, ValueError):
        return math.nan


_AXIOMS: Final[Mapping[str, Callable[[float], float]]] = {
    "exp": math.exp,
    "log": math.log,
    "sin": math.sin,
    "cos": math.cos,
    "atan": math.atan,
    "erf": math.erf,
    "step": lambda u: float(u > 0),
}
