"""Conditions under which a refuted claim would be true: read off the difference's factors, and searched.

Sufficiency is proved, under each candidate assumption in turn; that it is needed is what the witness shows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Final

from backproof.algebra import Algebra, Undefined
from backproof.errors import LimitError
from backproof.language.expression import Add, Expr, Mul, Num, Size, size
from backproof.language.program import Assumption, Program
from backproof.proof.ranges import Ranges
from backproof.proof.verdict import Condition

MOST_CANDIDATES: Final = 24
PAIRED: Final = 8
"""Pairs of assumptions are tried among so many candidates at most."""

MOST_FOUND: Final = 3
MOST_VALUES: Final = 5
MOST_AXES: Final = 2


def candidates(
    program: Program,
    inputs: Iterable[str],
    given: Sequence[Assumption],
    *,
    signs: bool,
    numbers: Iterable[Fraction] = (),
) -> list[Assumption]:
    """Assumptions on the inputs that claims silently make; `signs` says whether the sign of an entry may matter.

    A scalar may stand as one of the `numbers` of the claim.
    """
    values = tuple(dict.fromkeys((Fraction(0), Fraction(1), *numbers)))[:MOST_VALUES]
    known = {(a.tensor, a.property) for a in given}
    found: list[Assumption] = []
    for name in inputs:
        sorts = program.sorts(name)
        if not sorts:
            found += [Assumption(name, "equals", value=v) for v in values]
        elif len(sorts) <= MOST_AXES:
            found += [Assumption(name, "unit-sum", axis=axis) for axis in reversed(range(len(sorts)))]
            found.append(Assumption(name, "binary"))
            if len(sorts) == MOST_AXES and sorts[0] == sorts[1]:
                found.append(Assumption(name, "symmetric"))
        if signs or not sorts:
            found.append(Assumption(name, "positive"))
    return [a for a in found if (a.tensor, a.property) not in known][:MOST_CANDIDATES]


def search(
    found: Sequence[Assumption], holds: Callable[[tuple[Assumption, ...]], bool], deadline: float
) -> tuple[tuple[Condition, ...], ...]:
    """The smallest sets of candidate assumptions under which the claim is proved: single ones, else pairs."""
    for count in (1, 2):
        proved: list[tuple[Assumption, ...]] = []
        for chosen in combinations(found if count == 1 else found[:PAIRED], count):
            if time.monotonic() > deadline or len(proved) >= MOST_FOUND:
                break
            if _is_telling(chosen) and holds(chosen):
                proved.append(chosen)
        if proved:
            return tuple(tuple(Condition.of(a) for a in chosen) for chosen in proved if not _is_weaker(chosen, proved))
    return ()


def _is_telling(chosen: tuple[Assumption, ...]) -> bool:
    """Whether a set says more than that the claim holds at some single point.

    Of pairs on one tensor only "one-hot" is used, of pairs on two tensors those that do not fix both numbers.
    """
    if len(chosen) == 1:
        return True
    properties = {a.property for a in chosen}
    if len({a.tensor for a in chosen}) == 1:
        return properties == {"unit-sum", "binary"}
    return properties != {"equals"} and "binary" not in properties


def _is_weaker(chosen: tuple[Assumption, ...], proved: list[tuple[Assumption, ...]]) -> bool:
    """Whether a = 1 is only a case of a > 0, which was found as well."""
    first = chosen[0]
    if len(chosen) > 1 or first.property != "equals" or not first.value:
        return False
    return (replace(first, property="positive", value=None),) in proved


def factors(difference: Expr, algebra: Algebra, ranges: Ranges) -> tuple[Expr, ...]:
    """The factors of a difference that can be 0, each as a formula; () where it does not factor or grows too large."""
    try:
        numerator, _ = algebra.fraction(algebra.normal(difference))
        _, found = algebra.factored(numerator)
        parts = [algebra.expression(part) for part, _ in found]
    except (LimitError, Undefined):
        return ()
    kept = tuple(p for p in parts if not ranges.nonzero(p))
    return kept if len(parts) > 1 else ()


def size_conditions(parts: Iterable[Expr]) -> tuple[tuple[Condition, ...], ...]:
    """The sizes at which a factor vanishes: n − 1 says that the claim holds for n = 1."""
    found: list[tuple[Condition, ...]] = []
    for part in parts:
        solved = _solved_size(part)
        if solved is not None and solved[1] >= 1:
            found.append((Condition("size", expr=size(solved[0]), value=Fraction(solved[1])),))
    return tuple(found)


def _solved_size(part: Expr) -> tuple[str, int] | None:
    """`(sort, value)` for a factor c·n + d that vanishes at a whole n."""
    if not isinstance(part, Add) or len(part.terms) != 2 or not isinstance(part.terms[1], Num):
        return None
    coefficient, variable = Fraction(1), part.terms[0]
    if isinstance(variable, Mul) and len(variable.factors) == 2 and isinstance(variable.factors[0], Num):
        coefficient, variable = variable.factors[0].value, variable.factors[1]
    if not isinstance(variable, Size):
        return None
    value = -part.terms[1].value / coefficient
    return (variable.sort, int(value)) if value.denominator == 1 else None
