"""Points: the values of formulas at one random point of a program, to choose what is worth proving.

Nothing here is a verdict: numbers that agree are a reason to try a proof, no more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np

from backproof import catalog
from backproof.calculus.interpreter import evaluate_expr
from backproof.check.few_points import SEED, sizes_of, wave
from backproof.errors import LimitError
from backproof.language.expression import (
    Add,
    Apply,
    Expr,
    Index,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Tensor,
    apply,
    tensor,
)
from backproof.language.program import Assumption, Program

REMEMBERED: Final = 8_000
MAX_ENTRIES: Final = 10**6


class Point:
    """One random point of the program, with all sizes different. A name is computed when it is first asked for.

    The values of all parts of formulas are kept: a formula that differs from an earlier one in a single place costs no
    more than that place and what is above it. Targets lie between 0 and 1, unless they may be any number.
    """

    def __init__(
        self, program: Program, assumptions: Iterable[Assumption] = (), *, any_target: bool = False, seed: int = SEED
    ) -> None:
        self.program = program
        self._seed = seed
        self._between = ("a", "A") if any_target else ("a", "A", "y", "Y")
        self.assumptions = (*program.assumptions, *assumptions)
        self._parts: dict[Expr, np.ndarray] = {}
        self._calls: dict[tuple[str, tuple[int, ...], tuple[tuple[Index, ...], ...]], Expr] = {}

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The size of every sort."""
        return sizes_of(self.program)

    @cached_property
    def _names(self) -> dict[str, np.ndarray]:
        return dict(self._inputs)

    @cached_property
    def _inputs(self) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(self._seed)
        found: dict[str, np.ndarray] = {}
        for name, sorts in self.program.inputs.items():
            shape = tuple(self.sizes[s] for s in sorts)
            known = [a for a in self.assumptions if a.tensor == name]
            between = known or name in self._between
            # Small numbers such as Huber's κ let both sides of a kink be seen.
            most = 0.9 if shape else 0.4
            found[name] = rng.uniform(0.1, most, shape) if between else rng.normal(size=shape)
            for assumption in known:
                if assumption.property == "unit-sum":
                    found[name] = found[name] / found[name].sum(axis=assumption.axis, keepdims=True)
        return found

    def row(self, expr: Expr, indices: tuple[Index, ...]) -> np.ndarray:
        """The values of an expression at this point, over the given indices, as one row."""
        return self.value(expr, indices).ravel()

    def value(self, expr: Expr, indices: tuple[Index, ...]) -> np.ndarray:
        """The array of an expression at this point, with one axis for each of `indices`."""
        with np.errstate(all="ignore"):
            for definition in self.program.needed(expr, self._names):
                self._names[definition.name] = self._spread(definition.body, definition.indices)
            return self._spread(expr, indices)

    def _spread(self, expr: Expr, indices: tuple[Index, ...]) -> np.ndarray:
        array = self._part(expr)
        own = _axes(expr.free)
        if own == indices:
            return array
        order = tuple(own.index(i) for i in indices if i in expr.free)
        array = array.transpose(order)[tuple(slice(None) if i in expr.free else None for i in indices)]
        return np.broadcast_to(array, tuple(self.sizes[i.sort] for i in indices))

    def _part(self, root: Expr) -> np.ndarray:
        """The array of a formula, with one axis for each free index in sorted order."""
        known = self._parts
        if len(known) > REMEMBERED:
            known.clear()
        stack = [root]
        while stack:
            node = stack[-1]
            if node in known:
                stack.pop()
                continue
            parts = _summed(node) if isinstance(node, Sum) else node.children
            missing = [p for p in parts if p not in known]
            if missing:
                stack += missing
                continue
            stack.pop()
            known[node] = self._computed(node, parts)
        return known[root]

    def _computed(self, node: Expr, parts: Sequence[Expr]) -> np.ndarray:
        known = self._parts
        match node:
            case Num(value):
                return np.asarray(float(value))
            case Size(sort):
                return np.asarray(float(self.sizes[sort] if sort in self.sizes else int(sort)))
            case Tensor(name, indices) if name in self._names:
                axes = _axes(node.free)
                if len(axes) == len(indices):
                    return self._names[name].transpose(tuple(indices.index(i) for i in axes))
                return np.einsum(self._names[name], [axes.index(i) for i in indices], list(range(len(axes))))
            case Add() | Mul():
                axes = node.free
                total = _aligned(known[parts[0]], parts[0].free, axes)
                for part in parts[1:]:
                    other = _aligned(known[part], part.free, axes)
                    total = total + other if isinstance(node, Add) else total * other
                return total
            case Pow(_, exponent) if exponent.denominator == 1:
                return known[parts[0]] ** float(exponent)
            case Sum():
                return self._contracted(node, parts)
            case Apply(name, _, orders) if catalog.function(name) is None:
                return _Waves(name)[orders](*(_aligned(known[p], p.free, node.free) for p in parts))
            case Apply():
                return self._applied(node)
            case _:
                return np.asarray(evaluate_expr(node, self._names, indices=_axes(node.free), sizes=self.sizes), float)

    def _applied(self, node: Apply) -> np.ndarray:
        """A function of the catalogue, by the reference interpreter, of arguments that are known."""
        axes = tuple(_axes(a.free) for a in node.args)
        call = self._calls.get((node.name, node.orders, axes))
        if call is None:
            # Kept, so that the interpreter finds its plan for the same call again.
            stand_ins = (tensor(f"?{k}", *own) for k, own in enumerate(axes))
            call = self._calls[node.name, node.orders, axes] = apply(node.name, *stand_ins, orders=node.orders)
        arguments: dict[str, Any] = {n: float(self._inputs[n]) for n, sorts in self.program.inputs.items() if not sorts}
        arguments |= {f"?{k}": self._parts[a] for k, a in enumerate(node.args)}
        return np.asarray(evaluate_expr(call, arguments, indices=_axes(node.free), sizes=self.sizes), float)

    def _contracted(self, node: Sum, factors: Sequence[Expr]) -> np.ndarray:
        number: dict[Index, int] = {}
        operands: list[Any] = []
        for factor in factors:
            operands += [self._parts[factor], [number.setdefault(i, len(number)) for i in _axes(factor.free)]]
        if math.prod(self._length(i) for i in number) > MAX_ENTRIES:
            raise LimitError("a sum is too large to compare numbers", expected=f"at most {MAX_ENTRIES} products")
        return np.asarray(np.einsum(*operands, [number[i] for i in _axes(node.free)]), float)

    def _length(self, index: Index) -> int:
        return self.sizes[index.sort] if index.sort in self.sizes else int(index.sort)


def _summed(node: Sum) -> tuple[Expr, ...]:
    """The factors under a sum, or under sums in sums."""
    body: Expr = node
    while isinstance(body, Sum):
        body = body.body
    return body.factors if isinstance(body, Mul) else (body,)


@lru_cache(maxsize=4096)
def _axes(free: frozenset[Index]) -> tuple[Index, ...]:
    return tuple(sorted(free))


@lru_cache(maxsize=4096)
def _spreading(own: frozenset[Index], whole: frozenset[Index]) -> tuple[slice | None, ...]:
    return tuple(slice(None) if i in own else None for i in _axes(whole))


def _aligned(array: np.ndarray, own: frozenset[Index], whole: frozenset[Index]) -> np.ndarray:
    return array if len(own) == len(whole) or not own else array[_spreading(own, whole)]


class _Waves(Mapping[tuple[int, ...], Callable[..., np.ndarray]]):
    """A sine of one or more arguments and all its derivatives, by their orders: it stands for an abstract function."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getitem__(self, orders: tuple[int, ...]) -> Callable[..., np.ndarray]:
        scale, shift, rates = wave(self.name, orders)

        def value(*arguments: np.ndarray) -> np.ndarray:
            return scale * np.sin(sum(r * a for r, a in zip(rates, arguments, strict=True)) + shift)

        return value

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return iter(())

    def __len__(self) -> int:
        return 1
