"""Conditions: where a formula has a value and a slope, as hypotheses of a Coq statement.

Coq gives 1/0 and the logarithm of a negative number some value, so a statement without its domain could hold by
convention only. What is positive at sight (an exponential, a size, a sum of squares and a positive number) needs no
hypothesis.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, product
from typing import Final, Literal

from backproof import catalog
from backproof.errors import BackproofError
from backproof.language.expression import (
    Add,
    Apply,
    Const,
    Expr,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Tensor,
    add,
    mul,
    postorder,
    tensor,
)
from backproof.language.program import Assumption
from backproof.language.walks import inline, names

VALUES: Final = 40
PLACES: Final = tuple(Fraction(p, 4) for p in (2, 8, -2, -8, 1, 16, -16))
ATTEMPTS: Final = len(PLACES) ** 4


@dataclass(frozen=True, slots=True)
class Condition:
    """`expr` is positive, not 0, or strictly between 0 and 1."""

    kind: Literal["positive", "nonzero", "in-unit-interval"]
    expr: Expr


def conditions(root: Expr, positive: frozenset[str] = frozenset()) -> tuple[Condition, ...]:
    """What the formula needs to have a value and a slope: positive arguments of logarithms and roots, no division by 0,
    no kink. `positive` names the tensors that are known to be positive.
    """
    found: dict[Condition, None] = {}
    stack = [root]
    while stack:
        expr = stack.pop()
        for node in postorder(expr):
            match node:
                case Apply("step", (argument,), _):
                    found[Condition("nonzero", argument)] = None
                case Apply("abs", (argument,), _):
                    found[Condition("nonzero", argument)] = None
                case Apply("log", (argument,), _):
                    found[Condition("positive", argument)] = None
                case Apply(name, arguments, _) if not catalog.is_axiom(name) and catalog.function(name) is not None:
                    found |= dict.fromkeys(_domain(name, arguments))
                    parameters, body = catalog.scalar_definition(name)
                    stack.append(inline(body, {p: ((), a) for p, a in zip(parameters, arguments, strict=True)}))
                case Pow(base, exponent) if exponent.denominator != 1:
                    found[Condition("positive", base)] = None
                case Pow(base, exponent) if exponent < 0:
                    found[Condition("nonzero", base)] = None
                case _:
                    pass
    return tuple(needed(found, positive))


def _domain(name: str, arguments: tuple[Expr, ...]) -> Iterator[Condition]:
    """What a function's entry says of its domain, about these arguments."""
    entry = catalog.function(name)
    if entry is None:
        return
    values = dict(zip(entry.parameters, arguments, strict=True))
    for assumption in entry.domain:
        if assumption.tensor in values:
            made = of_assumption(assumption, values[assumption.tensor])
            if made is not None:
                yield made


def of_assumption(assumption: Assumption, expr: Expr | None = None) -> Condition | None:
    """An assumption about a name as a condition on an expression, where it is one that statements need."""
    subject = tensor(assumption.tensor) if expr is None else expr
    match assumption.property:
        case "positive" | "nonzero" | "in-unit-interval":
            return Condition(assumption.property, subject)
        case _:
            return None


def needed(found: Iterable[Condition], positive: frozenset[str] = frozenset()) -> Iterator[Condition]:
    """Those that are not plain to see and do not follow from another one."""
    found = tuple(found)
    between = {c.expr for c in found if c.kind == "in-unit-interval"}
    between |= {add(1, mul(-1, e)) for e in between}
    above = {c.expr for c in found if c.kind == "positive"} | between
    for condition in found:
        expr = condition.expr
        if not names(expr) or (condition.kind != "in-unit-interval" and is_positive(expr, positive)):
            continue
        if condition.kind == "positive" and (expr in between or _factors_within(expr, between)):
            continue
        if condition.kind == "nonzero" and (expr in above or _factors_within(expr, above)):
            continue
        yield condition


def _factors_within(expr: Expr, known: set[Expr]) -> bool:
    """A product or quotient of things that are known to be positive."""
    factors = expr.factors if isinstance(expr, Mul) else (expr,)
    bases = [f.base if isinstance(f, Pow) else f for f in factors]
    return all(b in known or is_positive(b) for b in bases)


def is_positive(root: Expr, positive: frozenset[str] = frozenset()) -> bool:
    """Whether the expression is positive at sight, for all values of its tensors.

    >>> from backproof.language.expression import apply
    >>> is_positive(apply("exp", tensor("z")) + tensor("z") ** 2)
    True
    >>> is_positive(tensor("z") ** 2)
    False
    """
    sign: dict[Expr, int] = {}  # 2: positive, 1: not negative, 0: not known
    for node in postorder(root):
        sign[node] = _sign(node, sign, positive)
    return sign[root] == 2


def _sign(node: Expr, sign: dict[Expr, int], positive: frozenset[str]) -> int:
    match node:
        case Num(value):
            return 2 if value > 0 else 1 if value == 0 else 0
        case Size() | Const():
            return 2
        case Tensor(name, _):
            return 2 if name in positive else 0
        case Apply("exp" | "sigmoid" | "softplus" | "cosh", _, (0,)):
            return 2
        case Apply("step" | "abs", _, (0,)):
            return 1
        case Add(terms):
            signs = [sign[t] for t in terms]
            return 0 if 0 in signs else max(signs)
        case Mul(factors):
            return min(sign[f] for f in factors)
        case Pow(base, exponent):
            return _sign_of_power(base, exponent, sign)
        case Sum(_, body):
            return sign[body]
        case _:
            return 0


def _sign_of_power(base: Expr, exponent: Fraction, sign: dict[Expr, int]) -> int:
    if sign[base] == 2:
        return 2
    if exponent.denominator == 2:
        return 1
    return max(sign[base], 1) if exponent.denominator == 1 and exponent % 2 == 0 and exponent > 0 else sign[base]


def can_vanish(expr: Expr, positive: frozenset[str] = frozenset()) -> bool:
    """Whether a formula in single numbers takes both signs, or 0: then a denominator needs a hypothesis.

    Only a guess about which hypotheses a statement should carry; Coq decides whether they are enough.

    >>> can_vanish(tensor("z")), can_vanish(tensor("z") ** 2 + 1)
    (True, False)
    """
    from backproof.calculus.interpreter import evaluate_expr

    letters = sorted(names(expr))
    signs: set[bool] = set()
    for shift in range(VALUES):
        point = {n: _value(shift + 3 * k, n in positive) for k, n in enumerate(letters)}
        try:
            value = float(evaluate_expr(expr, point))
        except (BackproofError, ArithmeticError, TypeError, ValueError):
            continue
        if math.isfinite(value):
            signs.add(value > 0)
    return len(signs) != 1


def met(found: Iterable[Condition], point: Mapping[str, float | Fraction], gap: float = 0.0) -> bool:
    """Whether all conditions hold at a point, by more than the gap; computed in floating point."""
    from backproof.calculus.interpreter import evaluate_expr

    try:
        for condition in found:
            value = float(evaluate_expr(condition.expr, point))
            holds = {"positive": value > gap, "nonzero": abs(value) > gap, "in-unit-interval": gap < value < 1 - gap}
            if not holds[condition.kind]:
                return False
    except (BackproofError, ArithmeticError, TypeError, ValueError):
        return False
    return True


def attainable(found: Iterable[Condition]) -> bool:
    """Whether a point is known at which all conditions hold: a theorem whose hypotheses never hold says nothing.

    >>> attainable([Condition("positive", tensor("z"))]), attainable([Condition("positive", -(tensor("z") ** 2))])
    (True, False)
    """
    found = tuple(found)
    letters = sorted({n for c in found for n in names(c.expr)})
    places = islice(product(PLACES, repeat=len(letters)), ATTEMPTS)
    return any(met(found, dict(zip(letters, place, strict=True))) for place in places)


def _value(place: int, positive: bool) -> Fraction:  # noqa: FBT001
    value = Fraction((7 * place) % 23 - 11, 4)
    return abs(value) + Fraction(1, 8) if positive else value
