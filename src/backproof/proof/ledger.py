"""The ledger of a proof: where its formulas have a value, and which of these conditions always hold.

What is proved is "equal wherever both sides are defined". The ledger says where that is: denominators that are not 0,
arguments of log and of roots above 0, and the kinks that a rule stayed away from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from backproof.language.expression import Apply, Expr, Index, Mul, Pow, postorder, reindex
from backproof.proof.ranges import Ranges
from backproof.proof.verdict import Condition, ConditionKind

LETTERS: Final = "ijklpqrstuvw"
MAX_CONDITIONS: Final = 40


def side_conditions(formulas: Iterable[Expr], kinks: Iterable[Expr], ranges: Ranges) -> tuple[Condition, ...]:
    """What must hold for the formulas to have a value, and the kinks; those that always hold are discharged."""
    found: dict[tuple[ConditionKind, Expr], bool] = {}
    for formula in formulas:
        for node in postorder(formula):
            for kind, expr in _needs(node):
                if (kind, expr) not in found and len(found) < MAX_CONDITIONS:
                    found[kind, expr] = _holds(kind, expr, ranges)
    for kink in kinks:
        found.setdefault(("kink", kink), ranges.nonzero(kink))
    return tuple(Condition(kind, readable(expr), discharged=holds) for (kind, expr), holds in found.items())


def _needs(node: Expr) -> list[tuple[ConditionKind, Expr]]:
    match node:
        case Pow(base, exponent) if exponent.denominator > 1:
            return [("positive" if exponent < 0 else "nonnegative", base)]
        case Pow(base, exponent) if exponent < 0:
            return [("nonzero", part) for part in _factors(base)]
        case Apply("log", (argument,), _):
            return [("positive", argument)]
        case _:
            return []


def _factors(base: Expr) -> list[Expr]:
    """The parts of a denominator that must each not be 0."""
    factors = base.factors if isinstance(base, Mul) else (base,)
    return [f.base if isinstance(f, Pow) else f for f in factors]


def _holds(kind: ConditionKind, expr: Expr, ranges: Ranges) -> bool:
    match kind:
        case "positive":
            return ranges.of(expr).positive
        case "nonnegative":
            return ranges.of(expr).nonnegative
        case _:
            return ranges.nonzero(expr)


def readable(root: Expr) -> Expr:
    """The formula with the indices of sums that enclose it under plain letters, as a person would name them."""
    bound = sorted(i for i in root.free if i.name.startswith("#") or "~" in i.name)
    taken = {i.name for i in root.free}
    letters = (c for c in LETTERS if c not in taken)
    mapping = {i: Index(letter, i.sort) for i, letter in zip(bound, letters, strict=False)}
    return reindex(root, mapping)
