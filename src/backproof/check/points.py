"""Points: the values of all names of a program at one random point, to choose what is worth proving.

Nothing here is a verdict: numbers that agree are a reason to try a proof, no more.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Final

import numpy as np

from backproof import catalog
from backproof.calculus.interpreter import Given, evaluate, evaluate_expr
from backproof.language.expression import Expr, Index, Tensor
from backproof.language.program import Definition, Program
from backproof.language.walks import names

TOLERANCE: Final = 1e-9
PRIMES: Final = (5, 7, 3, 11, 13, 17)


class Point:
    """One random point of the program, with all sizes different, and the values of all names there."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.sizes = _sizes_for(program)
        rng = np.random.default_rng(20)
        inputs: dict[str, np.ndarray] = {}
        for name, sorts in program.inputs.items():
            shape = tuple(self.sizes[s] for s in sorts)
            positive = name in ("y", "Y") or any(a.tensor == name for a in program.assumptions)
            inputs[name] = rng.uniform(0.1, 0.9, shape) if positive or name in ("a", "A") else rng.normal(size=shape)
        with np.errstate(all="ignore"):
            self.values = dict(evaluate(program, inputs, sizes=self.sizes, functions=StandIns()))

    def value(self, expr: Expr, indices: tuple[Index, ...]) -> np.ndarray:
        """The array of an expression at this point."""
        with np.errstate(all="ignore"):
            return np.asarray(
                evaluate_expr(expr, self.values, indices=indices, sizes=self.sizes, functions=StandIns()), dtype=float
            )

    def changed(
        self, equations: Mapping[str, Definition], changes: Mapping[str, Expr], left: Tensor, indices: tuple[Index, ...]
    ) -> np.ndarray:
        """The value of the left side when some equations are changed: only what depends on them is computed again."""
        values = dict(self.values)
        touched: set[str] = set()
        with np.errstate(all="ignore"):
            for name, definition in equations.items():
                body = changes.get(name, definition.body)
                if name in changes or names(body) & touched:
                    touched.add(name)
                    values[name] = evaluate_expr(
                        body, values, indices=definition.indices, sizes=self.sizes, functions=StandIns()
                    )
            return np.asarray(evaluate_expr(left, values, indices=indices, sizes=self.sizes), dtype=float)


class StandIns(Mapping[str, Given]):
    """Concrete functions in place of abstract ones, for comparing numbers only."""

    def __getitem__(self, name: str) -> Given:
        if catalog.function(name) is not None:
            raise KeyError(name)
        return _Derivatives(sum(map(ord, name)) % 7 + 1)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1


class _Derivatives(Mapping[tuple[int, ...], Callable[..., np.ndarray]]):
    """A sine of one or more arguments and all its derivatives, by their orders."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __getitem__(self, orders: tuple[int, ...]) -> Callable[..., np.ndarray]:
        rates = [1 + (self.seed + k) / 5 for k in range(len(orders))]
        scale = math.prod(r**o for r, o in zip(rates, orders, strict=True))
        shift = 0.3 + sum(orders) * math.pi / 2

        def value(*arguments: np.ndarray) -> np.ndarray:
            return scale * np.sin(sum(r * a for r, a in zip(rates, arguments, strict=True)) + shift)

        return value

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return iter(())

    def __len__(self) -> int:
        return 1


def _sizes_for(program: Program) -> dict[str, int]:
    sorts = dict.fromkeys(s for name in program.names for s in program.sorts(name))
    sizes = {s: int(s) for s in sorts if s.isdigit()}
    free = itertools.chain(PRIMES, itertools.count(8))
    return sizes | {s: next(free) for s in sorts if not s.isdigit()}


def agree(value: np.ndarray, claim: np.ndarray) -> bool:
    """Whether two arrays are equal up to rounding."""
    if value.shape != claim.shape or not np.isfinite(value).all() or not np.isfinite(claim).all():
        return False
    scale = max(1e-300, float(np.abs(claim).max(initial=0)))
    return bool(np.abs(value - claim).max(initial=0) <= TOLERANCE * scale)


def ratio_of(claim: np.ndarray, value: np.ndarray) -> float | None:
    """The number c with claim = c · value, or None."""
    if claim.shape != value.shape or not np.isfinite(value).all() or not np.isfinite(claim).all():
        return None
    at = np.unravel_index(int(np.abs(value).argmax()), value.shape) if value.size else ()
    if not value.size or value[at] == 0:
        return None
    ratio = float(claim[at] / value[at])
    return ratio if ratio and agree(ratio * value, claim) else None


def constant_ratio(claim: np.ndarray, value: np.ndarray) -> Fraction | None:
    """As `ratio_of`, for a simple fraction."""
    ratio = ratio_of(claim, value)
    return None if ratio is None else rational(ratio)


def rational(value: float) -> Fraction | None:
    """The simple fraction that a number is up to rounding, or None.

    >>> rational(-0.5), rational(3.14159)
    (Fraction(-1, 2), None)
    """
    if not math.isfinite(value) or value == 0:
        return None
    simple = Fraction(value).limit_denominator(64)
    return simple if simple and abs(float(simple) - value) <= TOLERANCE * abs(value) else None
