"""Formulas evaluated in complex balls, straight from their definition; shares no code with the algebra.

`strict` means real values only, else Nowhere is raised: log of what is not above 0, even roots of negative numbers,
1/0. Not strict, for normal forms: log|·| and principal powers, and 0 times a thing without value is 0.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from fractions import Fraction

from flint import acb, arb, ctx

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
    postorder,
)

ctx.prec = 300
Tensors = Mapping[str, Mapping[tuple[int, ...], Fraction]]


class Nowhere(Exception):
    """The formula has no value here, or its sign cannot be told."""


def exact(value: Fraction | int) -> acb:
    value = Fraction(value)
    return acb(arb(value.numerator) / arb(value.denominator))


def above_zero(value: acb) -> bool:
    if not value.imag == 0 and not value.imag.contains(0):
        raise Nowhere
    if value.real > 0:
        return True
    if value.real <= 0:
        return False
    raise Nowhere


def abstract(value: acb, order: int) -> acb:
    """f(x) = x³/3 + x²/2 − x + 1/7 and its derivatives."""
    coefficients = [Fraction(1, 7), Fraction(-1), Fraction(1, 2), Fraction(1, 3)]
    for _ in range(order):
        coefficients = [k * c for k, c in enumerate(coefficients)][1:]
    return sum((exact(c) * value**k for k, c in enumerate(coefficients)), acb(0))


def applied(name: str, value: acb, order: int, *, strict: bool) -> acb:
    if name == "exp":
        return value.exp()
    if name == "log":
        if strict:
            if not above_zero(value):
                raise Nowhere
            return value.log()
        size = abs(value)
        if not size > 0:
            raise Nowhere
        return acb(size.log())
    if name == "step":
        return acb(1 if above_zero(value) else 0)
    if name in ("sin", "cos", "atan", "erf"):
        return getattr(value, name)()
    return abstract(value, order)


def raised(base: acb, exponent: Fraction, *, strict: bool) -> acb:
    if exponent.denominator == 1:
        if exponent < 0 and not abs(base) > 0:
            raise Nowhere
        return base ** int(exponent)
    if base == 0 and exponent > 0:
        return acb(0)
    if not abs(base) > 0 or (strict and not above_zero(base)):
        raise Nowhere
    return (base.log() * exact(exponent)).exp()


def value(
    root: Expr, at: Mapping[Index, int], sizes: Mapping[str, int], tensors: Tensors, *, strict: bool = True
) -> acb:
    """The value at one index assignment. Raises Nowhere."""
    memo: dict[tuple[Expr, tuple[tuple[Index, int], ...]], acb | Nowhere] = {}

    def range_of(sort: str) -> range:
        return range(int(sort) if sort.isdigit() else sizes[sort])

    def find(node: Expr, env: Mapping[Index, int]) -> acb:
        name = (node, tuple(sorted((i, env[i]) for i in node.free)))
        if name not in memo:
            try:
                memo[name] = compute(node, env)
            except (Nowhere, ZeroDivisionError):
                memo[name] = Nowhere()
        found = memo[name]
        if isinstance(found, Nowhere):
            raise Nowhere
        return found

    def compute(node: Expr, env: Mapping[Index, int]) -> acb:
        match node:
            case Num(number):
                return exact(number)
            case Size(sort):
                return acb(len(range_of(sort)))
            case Const("pi"):
                return acb.pi()
            case Tensor(name, indices):
                return exact(tensors[name][tuple(env[i] for i in indices)])
            case Delta(left, right):
                return acb(int(env[left] == env[right]))
            case Add(terms):
                return sum((find(term, env) for term in terms), acb(0))
            case Mul(factors):
                result, missing = acb(1), False
                for factor in factors:
                    try:
                        result = result * find(factor, env)
                    except Nowhere:
                        missing = True
                if missing and (strict or result != 0):
                    raise Nowhere
                return result
            case Pow(base, exponent):
                return raised(find(base, env), exponent, strict=strict)
            case Apply(name, (argument,), (order,)):
                return applied(name, find(argument, env), order, strict=strict)
            case Sum(index, body):
                return sum((find(body, {**env, index: k}) for k in range_of(index.sort)), acb(0))
            case Max(index, body):
                values = [find(body, {**env, index: k}).real for k in range_of(index.sort)]
                result = values[0]
                for other in values[1:]:
                    result = result.max(other)
                return acb(result)
            case _:
                raise TypeError(node)

    for node in postorder(root):  # depth is bounded by the caller; this only checks the kinds
        if not isinstance(node, Expr):
            raise TypeError(node)
    return find(root, at)


def sample(
    shapes: Mapping[str, tuple[str, ...]],
    sizes: Mapping[str, int],
    rng: random.Random,
    kinds: Mapping[str, str] | None = None,
) -> Tensors:
    """Random rational entries with a denominator that keeps them off kinks, of both signs or of the kinds asked for."""

    def entry(kind: str) -> Fraction:
        if kind == "positive":
            return Fraction(rng.randint(1, 2018), 1009)
        if kind == "binary":
            return Fraction(rng.randint(0, 1))
        if kind == "plus-minus-one":
            return Fraction(rng.choice((-1, 1)))
        if kind == "in-unit-interval":
            return Fraction(rng.randint(1, 1008), 1009)
        return Fraction(rng.choice((-1, 1)) * rng.randint(1, 2018), 1009)

    kinds = kinds or {}
    found = {
        name: {at: entry(kinds.get(name, "")) for at in itertools.product(*(range(sizes[sort]) for sort in shape))}
        for name, shape in shapes.items()
    }
    for name, kind in kinds.items():
        if kind == "unit-sum":
            total = sum(found[name].values())
            found[name] = (
                {at: v / total for at, v in found[name].items()}
                if total
                else {at: Fraction(1, len(found[name])) for at in found[name]}
            )
        if kind == "symmetric":
            found[name] = {(a, b): found[name][min(a, b), max(a, b)] for a, b in found[name]}
    return found


def differ(
    left: Expr, right: Expr, sizes: Mapping[str, int], tensors: Tensors, *, strict: tuple[bool, bool] = (True, True)
) -> bool | None:
    """Whether the values are certainly different somewhere; None if there is no place where both have a value."""
    indices = sorted(left.free | right.free)
    seen = None
    for at in itertools.product(*(range(sizes[i.sort]) for i in indices)):
        env = dict(zip(indices, at, strict=True))
        try:
            first = value(left, env, sizes, tensors, strict=strict[0])
            other = value(right, env, sizes, tensors, strict=strict[1])
        except Nowhere:
            continue
        if not (first.is_finite() and other.is_finite()):
            continue
        if not first.overlaps(other):
            return True
        seen = False
    return seen
