"""The reverse sweep: one walk over a program gives the adjoint of every name.

The adjoint of t is ∂J/∂t. Later equations use the *name* of an adjoint, so that depth costs nothing, and the slope of a
function is its name with a prime, so that the sweep needs no table. Source: A. Griewank, A. Walther, Evaluating
Derivatives, 2nd ed., SIAM 2008, section 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

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
    delta,
    fresh,
    mul,
    one,
    opened,
    power,
    reindex,
    sum_over,
    zero,
)
from backproof.language.program import Definition, Program

AXIS_LETTERS: Final = "ijklpqrstuvw"


@dataclass(frozen=True, slots=True)
class _Arrival:
    """One occurrence of a tensor, with the seed that reaches it and the indices that are summed over."""

    target: str
    indices: tuple[Index, ...]
    seed: Expr
    bound: tuple[Index, ...]


def adjoint_name(output: str, name: str) -> str:
    """The name of ∂output/∂name; distinct for distinct outputs, so that a second sweep cannot collide."""
    return f"∂{output}/∂{name}"


def adjoints(program: Program, output: str, wanted: frozenset[str] | None = None) -> Mapping[str, Definition]:
    """The adjoint of every name that `output` depends on, output first, each an equation for ∂output/∂name.

    `output` is a scalar of the program. `wanted` restricts the result to these names and what they need.

    >>> from backproof.language.expression import Index, sum_over, tensor
    >>> i = Index("i", "n")
    >>> p = Program({"x": ("n",)}, (Definition("J", (), sum_over(i, tensor("x", i) ** 2)),))
    >>> adjoints(p, "J")["x"].body
    2*x[i]
    """
    arrived: dict[str, list[Expr]] = {name: [] for name in program.names}
    arrived[output] = [one]
    result: dict[str, Definition] = {}
    for definition in reversed(program.definitions):
        seeds = arrived[definition.name]
        if not seeds:
            continue
        adjoint = Definition(adjoint_name(output, definition.name), definition.indices, add(*seeds))
        result[definition.name] = adjoint
        seed = adjoint.body if isinstance(adjoint.body, Num) else adjoint.head
        renaming = {i: fresh(i) for i in definition.indices}
        outer = tuple(renaming.values())
        for arrival in _arrivals(reindex(definition.body, renaming), reindex(seed, renaming)):
            if arrival.target in arrived:
                canonical = _canonical(program, arrival.target)
                arrived[arrival.target].append(_collected(arrival, canonical, outer))
    for name in program.inputs:
        if arrived[name]:
            result[name] = Definition(adjoint_name(output, name), _canonical(program, name), add(*arrived[name]))
    if wanted is None:
        return result
    return {name: d for name, d in result.items() if name in wanted}


def _canonical(program: Program, name: str) -> tuple[Index, ...]:
    if name in program.by_name:
        return program.by_name[name].indices
    return tuple(Index(letter, sort) for letter, sort in zip(AXIS_LETTERS, program.inputs[name], strict=False))


def _arrivals(root: Expr, seed: Expr) -> list[_Arrival]:
    arrivals: list[_Arrival] = []
    stack: list[tuple[Expr, Expr, tuple[Index, ...]]] = [(root, seed, ())]
    while stack:
        node, seed, bound = stack.pop()
        match node:
            case Num() | Size() | Const() | Delta():
                pass
            case Tensor(name, indices):
                arrivals.append(_Arrival(name, indices, seed, bound))
            case Add(terms):
                stack.extend((term, seed, bound) for term in reversed(terms))
            case Mul(factors):
                others = (mul(seed, *factors[:k], *factors[k + 1 :]) for k in range(len(factors)))
                stack.extend(reversed([(f, other, bound) for f, other in zip(factors, others, strict=True)]))
            case Pow(base, exponent):
                stack.append((base, mul(seed, exponent, power(base, exponent - 1)), bound))
            case Apply(name, args, orders):
                for k in reversed(range(len(args))):
                    raised = (*orders[:k], orders[k] + 1, *orders[k + 1 :])
                    stack.append((args[k], mul(seed, apply(name, *args, orders=raised)), bound))
            case Sum():
                index, body = opened(node)
                stack.append((body, seed, (*bound, index)))
            case Max():
                index, body = opened(node)
                # Off a tie, exactly one entry is not below the maximum: 1 − [max − entry > 0].
                at_maximum = add(one, mul(-1, apply("step", add(node, mul(-1, body)))))
                stack.append((body, mul(seed, at_maximum), (*bound, index)))
            case _:
                raise TypeError(f"not an expression: {type(node).__name__}")
    return arrivals


def _collected(arrival: _Arrival, canonical: tuple[Index, ...], outer: tuple[Index, ...]) -> Expr:
    """Σ over all bound indices of seed · Π δ(occurrence, canonical): a Kronecker delta is a substitution."""
    summed = [*outer, *arrival.bound]
    mapping: dict[Index, Index] = {}
    left: Expr = one
    for used, wanted in zip(arrival.indices, canonical, strict=True):
        now = mapping.get(used, used)
        if now in summed:
            mapping = {k: wanted if v == now else v for k, v in mapping.items()}
            mapping[now] = wanted
            summed.remove(now)
        elif now != wanted:
            left = mul(left, delta(now, wanted))
    return sum_over(summed, mul(reindex(arrival.seed, mapping), left)) if arrival.seed is not zero else zero
