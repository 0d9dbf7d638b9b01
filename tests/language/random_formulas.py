"""Random formulas over small tensors, and their values computed entry by entry, without any code under test."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping
from fractions import Fraction

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
    add,
    apply,
    max_over,
    mul,
    num,
    power,
    size,
    sum_over,
    tensor,
    zero,
)
from backproof.language.program import Program

SIZES = {"n": 3, "h": 2, "m": 4, "k": 5}
Values = Mapping[str, Mapping[tuple[int, ...], float]]

FUNCTIONS: dict[tuple[str, tuple[int, ...]], Callable[..., float]] = {
    ("f", (0,)): lambda x: x**3 / 3 + x * x / 2 - x + 0.3,
    ("f", (1,)): lambda x: x * x + x - 1,
    ("exp", (0,)): math.exp,
    ("step", (0,)): lambda x: float(x > 0),
    ("g", (0, 0)): lambda x, y: x * y * y + x,
}

COLUMNS = {
    "W": ("h", "n"),
    "V": ("k", "h"),
    "Q": ("h", "h"),
    "x": ("n",),
    "u": ("h",),
    "y": ("k",),
    "a": ("k",),
    "A": ("n", "m"),
    "D": ("h", "m"),
    "s": (),
    "t": (),
    "J": (),
    "b": ("h",),
    "z(2)": ("h",),
    "∂J/∂z(2)": ("h",),
    "∂J/∂W": ("h", "n"),
    "W(l+1)": ("h", "n"),
}
ROWS = {name: tuple(reversed(sorts)) for name, sorts in COLUMNS.items()}
TARGETS = (
    (),
    (Index("i", "h"),),
    (Index("i", "h"), Index("b", "m")),
    (Index("i", "h"), Index("j", "n")),
    (Index("i", "k"),),
)


def program_of(rng: random.Random) -> tuple[Program, tuple[Index, ...]]:
    """A program of inputs in one of both layouts, with the axes of a value in it."""
    rows = rng.random() < 0.4
    target = rng.choice(TARGETS)
    return Program(ROWS if rows else COLUMNS, row_vectors=rows), tuple(reversed(target)) if rows else target


def formula(rng: random.Random, free: tuple[Index, ...], inputs: Mapping[str, tuple[str, ...]], depth: int) -> Expr:
    """A random formula whose free indices are among `free`."""

    def inner(more: tuple[Index, ...] = ()) -> Expr:
        return formula(rng, (*free, *more), inputs, depth - 1)

    kind = rng.random()
    if depth == 0 or kind < 0.2:
        entries = [
            tensor(name, *chosen)
            for name, sorts in inputs.items()
            for chosen in itertools.product(*[[i for i in free if i.sort == s] for s in sorts])
        ]
        numbers = (num(2), num(1), num(Fraction(1, 2)), num(Fraction(2, 3)), size("n"), size("m"), num(-1))
        return rng.choice(entries) if rng.random() < 0.85 else rng.choice(numbers)
    if kind < 0.4:
        return add(*(mul(rng.choice((1, 1, -1)), inner()) for _ in range(rng.choice((2, 2, 3)))))
    if kind < 0.65:
        return mul(*(inner() for _ in range(rng.choice((2, 2, 3)))))
    if kind < 0.74:
        return rng.choice(
            (
                lambda: apply(rng.choice(("f", "exp", "step")), inner()),
                lambda: apply("f", inner(), orders=(1,)),
                lambda: apply("g", inner(), inner()),
            )
        )()
    if kind < 0.8:
        base = inner()
        return base if base is zero else power(base, rng.choice((2, -1, Fraction(1, 2), 3, -2)))
    index = Index(f"t{depth}{len(free)}", rng.choice(tuple(SIZES)))
    return (sum_over if rng.random() < 0.93 else max_over)(index, inner((index,)))


def entries(program: Program, rng: random.Random) -> dict[str, dict[tuple[int, ...], float]]:
    """Random entries for every tensor, none near 0."""
    return {
        name: {
            place: rng.choice((-1, 1)) * rng.uniform(0.3, 1.7)
            for place in itertools.product(*(range(SIZES[s]) for s in program.sorts(name)))
        }
        for name in program.names
    }


def places(indices: tuple[Index, ...]) -> list[dict[Index, int]]:
    """All values of the indices."""
    ranges = (range(SIZES[i.sort]) for i in indices)
    return [dict(zip(indices, place, strict=True)) for place in itertools.product(*ranges)]


def value(node: Expr, at: Mapping[Index, int], values: Values) -> float:
    """The value of a small formula at one place."""

    def inside(child: Expr) -> float:
        return value(child, at, values)

    match node:
        case Num(number):
            return float(number)
        case Size(sort):
            return SIZES[sort]
        case Const():
            return math.pi
        case Tensor(name, indices):
            return values[name][tuple(at[i] for i in indices)]
        case Delta(left, right):
            return float(at[left] == at[right])
        case Add(terms):
            return sum(inside(t) for t in terms)
        case Mul(factors):
            return math.prod(inside(f) for f in factors)
        case Pow(base, exponent) if exponent.denominator == 1:
            return inside(base) ** int(exponent)
        case Pow(base, exponent):
            return abs(inside(base)) ** float(exponent)
        case Apply(name, args, orders):
            return FUNCTIONS[name, orders](*(inside(a) for a in args))
        case Sum(index, body):
            return sum(value(body, {**at, index: v}, values) for v in range(SIZES[index.sort]))
        case Max(index, body):
            return max(value(body, {**at, index: v}, values) for v in range(SIZES[index.sort]))
        case _:
            raise TypeError(node)
