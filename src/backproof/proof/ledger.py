"""The ledger of a proof: where its formulas have a value, and which of these conditions always hold.

What is proved is "equal wherever both sides are defined". The ledger says where that is: denominators that are not 0,
arguments of log and of roots above 0, and the kinks, where a slope is a convention.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from backproof.language.expression import (
    Apply,
    Delta,
    Expr,
    Index,
    Max,
    Mul,
    Num,
    Pow,
    Tensor,
    fresh,
    mul,
    postorder,
    reindex,
)
from backproof.proof.ranges import Ranges
from backproof.proof.verdict import Condition, ConditionKind

LETTERS: Final = "ijklpqrstuvw"
MAX_CONDITIONS: Final = 40


def side_conditions(formulas: Iterable[Expr], ranges: Ranges) -> tuple[Condition, ...]:
    """What must hold for the formulas to have a value and a slope; what always holds is discharged."""
    found: dict[tuple[ConditionKind, Expr], bool] = {}
    for formula in formulas:
        for kind, expr, shown in _noted(formula):
            if (kind, shown) not in found and len(found) < MAX_CONDITIONS:
                found[kind, shown] = _holds(kind, expr, ranges)
    return tuple(Condition(kind, expr, discharged=holds) for (kind, expr), holds in found.items())


@lru_cache(maxsize=1024)
def _noted(formula: Expr) -> tuple[tuple[ConditionKind, Expr, Expr], ...]:
    """What a formula needs, as it stands there and as it is shown."""
    found = dict.fromkeys(needed for node in postorder(formula) for needed in _needs(node))
    return tuple((kind, expr, readable(expr)) for kind, expr in found)


def _needs(node: Expr) -> list[tuple[ConditionKind, Expr]]:
    match node:
        case Pow(base, exponent) if exponent.denominator > 1:
            return [("positive" if exponent < 0 else "nonnegative", base)]
        case Pow(base, exponent) if exponent < 0:
            return [("nonzero", part) for part in _factors(base)]
        case Apply("log", (argument,), _):
            return [("positive", argument)]
        case Apply("step", (argument,), _) if not any(isinstance(part, Max) for part in argument.children):
            return [("kink", _without_sign(argument))]
        case _:
            return []


def _factors(base: Expr) -> list[Expr]:
    """The parts of a denominator that must each not be 0."""
    factors = base.factors if isinstance(base, Mul) else (base,)
    return [f.base if isinstance(f, Pow) else f for f in factors]


def _without_sign(argument: Expr) -> Expr:
    """The argument without a number in front: [−2u > 0] has its kink where [u > 0] has."""
    match argument:
        case Mul((Num(), *rest)):
            return mul(*rest)
        case _:
            return argument


def _holds(kind: ConditionKind, expr: Expr, ranges: Ranges) -> bool:
    match kind:
        case "positive":
            return ranges.of(expr).positive
        case "nonnegative":
            return ranges.of(expr).nonnegative
        case _:
            return ranges.nonzero(expr)


def readable(root: Expr) -> Expr:
    """The formula with its free indices under the letters i, j, k, … in the order in which they occur.

    Conditions hold for all values of their indices, so that their names do not matter.
    """
    occurring: dict[Index, None] = {}
    for node in postorder(root):
        match node:
            case Tensor(_, indices):
                occurring.update(dict.fromkeys(i for i in indices if i in root.free))
            case Delta(left, right):
                occurring.update(dict.fromkeys(i for i in (left, right) if i in root.free))
            case _:
                pass
    apart = {i: fresh(i) for i in occurring} if len(occurring) > len(LETTERS) else {}
    letters = {apart.get(i, i): Index(letter, i.sort) for i, letter in zip(occurring, LETTERS, strict=False)}
    return reindex(reindex(root, apart), letters)
