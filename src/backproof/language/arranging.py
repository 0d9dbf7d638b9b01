"""Arranging sums and products the way people write them: the order of terms, signs, fractions and juxtaposition."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from backproof.language.expression import Add, Apply, Expr, Mul, Num, Pow, Tensor, add, apply, mul, power
from backproof.language.naming import base_of
from backproof.language.notation import (
    Big,
    Call,
    Derivative,
    Indicator,
    Notation,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Symbol,
)
from backproof.language.walks import rewrite

Signed = tuple[int, Notation]
TARGETS: Final = frozenset({"y", "Y", "t", "target"})
"""People subtract a target: a − y, not y − a."""


def with_nice_signs(root: Expr) -> Expr:
    """The same formula, with the sign of products moved into differences: (a − y)(1 − a) for (y − a)(a − 1).

    A power of an exponential becomes an exponential: e²ᶻ for (eᶻ)².
    """
    root = rewrite(root, _turned)
    if isinstance(root, Mul) and isinstance(root.factors[0], Num) and root.factors[0].value < 0:
        place = next((k for k, f in enumerate(root.factors) if _is_difference(f)), None)
        if place is not None:
            factors = [negated(f) if k == place else f for k, f in enumerate(root.factors)]
            return mul(-1, *factors)
    return root


def negated(node: Expr) -> Expr:
    """The negative of a sum, term by term; of anything else, the product with −1."""
    return add(*(mul(-1, term) for term in node.terms)) if isinstance(node, Add) else mul(-1, node)


def _turned(node: Expr) -> Expr | None:
    match node:
        case Pow(Apply("exp", (exponent,)), times):
            return apply("exp", mul(times, exponent))
        case Pow(Add() as base, exponent) if exponent.denominator == 1 and exponent % 2 == 0 and _is_backwards(base):
            return power(negated(base), exponent)
        case Mul(factors):
            sign = -1 if isinstance(factors[0], Num) and factors[0].value < 0 else 1
            backwards = [k for k, f in enumerate(factors) if _is_backwards(f)]
            even = len(backwards) % 2 == 0
            if even != (sign > 0):
                backwards = backwards[:-1]
            if not backwards:
                return None
            turned = [negated(f) if k in backwards else f for k, f in enumerate(factors)]
            return mul(-1 if len(backwards) % 2 else 1, *turned)
        case _:
            return None


def _coefficient(term: Expr) -> Fraction:
    match term:
        case Num(value):
            return value
        case Mul((Num(value), *_)):
            return value
        case _:
            return Fraction(1)


def _is_difference(node: Expr) -> bool:
    return isinstance(node, Add) and len({_coefficient(t) > 0 for t in node.terms}) > 1


def _is_backwards(node: Expr) -> bool:
    """Whether people would write the negative of this difference: a − 1 for 1 − a, y − a for a − y."""
    if not isinstance(node, Add) or len(node.terms) != 2 or not _is_difference(node):
        return False
    first, second = node.terms
    positive, negative = (first, second) if _coefficient(first) > 0 else (second, first)
    if isinstance(negative, Num):
        return bool(positive.free) or isinstance(positive, Tensor)
    bases = [base_of(t.name) if isinstance(t, Tensor) else "" for t in (positive, mul(-1, negative))]
    return bases[0] in TARGETS and bases[1] not in TARGETS


def difference(terms: Sequence[Signed]) -> Signed:
    """A sum in a good order, with its sign: a positive term first, 1 before what is subtracted or a function."""
    ordered = list(terms)
    last_sign, last = ordered[-1]
    if isinstance(last, Number) and last_sign > 0 and len(ordered) > 1:
        rest = ordered[:-1]
        if any(sign < 0 or isinstance(_leading(term), Call | Power) for sign, term in rest):
            ordered = [ordered[-1], *rest]
    if ordered[0][0] < 0 and _ends_in_sum(ordered[0][1]):
        ordered.sort(key=lambda term: _ends_in_sum(term[1]))
    if ordered[0][0] < 0 and not _ends_in_sum(ordered[0][1]):
        first = next((k for k, (sign, _) in enumerate(ordered) if sign > 0), None)
        if first is not None:
            ordered.insert(0, ordered.pop(first))
    if all(sign < 0 for sign, _ in ordered):
        return -1, Plus(tuple((-sign, term) for sign, term in ordered))
    return 1, Plus(tuple(ordered))


def _ends_in_sum(node: Notation) -> bool:
    while isinstance(node, Product):
        node = node.factors[-1]
    return isinstance(node, Big)


def _leading(node: Notation) -> Notation:
    while isinstance(node, Product):
        node = node.factors[0]
    return node


def number(value: Fraction) -> Notation:
    """A positive number: an integer, or a quotient of two."""
    if value.denominator == 1:
        return Number(value)
    return Quotient(Number(Fraction(value.numerator)), Number(Fraction(value.denominator)))


def juxtaposed(factors: Sequence[Notation]) -> Notation:
    """A product of scalars in a good order: juxtaposed where that reads well, with dots where it could be misread.

    (a − y)·a(1 − a); f(z)·(1 − a), as f(z)(1 − a) looks like a call.
    """
    if not factors:
        return Number(Fraction(1))
    flat = [f for factor in factors for f in _inside(factor)]
    runs: list[list[Notation]] = [[flat[0]]]
    for factor in flat[1:]:
        if _reads_on(runs[-1][-1], factor):
            runs[-1].append(factor)
        else:
            runs.append([factor])
    products = [run[0] if len(run) == 1 else Product("", tuple(run)) for run in runs]
    return products[0] if len(products) == 1 else Product("·", tuple(products))


def _inside(factor: Notation) -> tuple[Notation, ...]:
    return factor.factors if isinstance(factor, Product) and factor.sign == "" else (factor,)


def ordered(factors: Sequence[Notation]) -> list[Notation]:
    """The factors in the order of writing: numbers, derivatives, letters, brackets and functions, indicators, sums.

    Letters among several brackets stay where they are: (a − y)·a(1 − a) is the slope of a loss and one of a function.
    """
    flat = [f for factor in factors for f in _inside(factor)]
    several = sum(isinstance(f.base if isinstance(f, Power) else f, Plus) for f in flat) > 1
    if not several:
        return sorted(flat, key=_rank)
    return sorted(flat, key=lambda f: LETTER if _rank(f) == BRACKET else _rank(f))


NUMBER, DERIVATIVE, LETTER, BRACKET, INDICATOR, SUM = range(6)


def _rank(factor: Notation) -> int:
    base = factor.base if isinstance(factor, Power) else factor
    match base:
        case Number() | Call(Symbol("sqrt"), (Number(),)):
            return NUMBER
        case Quotient(Number(), Number()):
            return NUMBER
        case Derivative():
            return DERIVATIVE
        case Symbol("e") if base is not factor:
            return BRACKET
        case Symbol():
            return LETTER
        case Indicator():
            return INDICATOR
        case Big():
            return SUM
        case _:
            return BRACKET


def _reads_on(left: Notation, right: Notation) -> bool:
    if isinstance(left, Derivative | Indicator) or isinstance(right, Derivative | Number | Quotient | Indicator):
        return False
    if isinstance(left, Number):
        return True
    if isinstance(right, Power) and isinstance(right.base, Number | Indicator):
        return False
    if _is_letter(left) and isinstance(right, Power) and _rank(right.base) == BRACKET and right.base != Symbol("e"):
        # a(1 − a)² would be the square of a call.
        return isinstance(right.base, Call)
    if _is_letter(left) or _rank(left) == NUMBER:
        return True
    if isinstance(left, Call):
        return isinstance(right, Call | Big)
    return isinstance(left, Quotient) or not _is_letter(right)


def _is_letter(node: Notation) -> bool:
    return isinstance(node, Symbol) or (isinstance(node, Power) and isinstance(node.base, Symbol))


def scaled(coefficient: Fraction, above: Sequence[Notation], below: Sequence[Notation]) -> Notation:
    """The number · Π above / Π below for scalars, the number positive: ½ x, 1/m Σ …, a/(2 b)."""
    arranged = ordered(above)
    large = [f for f in arranged if isinstance(f, Big)]
    small = [f for f in arranged if not isinstance(f, Big)]
    if not below and coefficient.denominator != 1 and above:
        return juxtaposed([number(coefficient), *small, *large])
    top = [*([Number(Fraction(coefficient.numerator))] if coefficient.numerator != 1 else []), *small]
    divisors = ordered(below)
    bottom = [*([Number(Fraction(coefficient.denominator))] if coefficient.denominator != 1 else []), *divisors]
    if not bottom:
        return juxtaposed([*top, *large])
    if not large:
        return Quotient(juxtaposed(top), juxtaposed(bottom))
    return juxtaposed([Quotient(juxtaposed(top), juxtaposed(bottom)), *large])


def scaled_array(
    coefficient: Fraction, above: Sequence[Notation], below: Sequence[Notation], core: Notation
) -> Notation:
    """A vector or matrix with scalar factors in front of it, or over them: 1/m δ aᵀ, (a − y)/m."""
    if coefficient == 1 and not above and not below:
        return core
    if not above and below and coefficient.numerator == 1 and isinstance(core, Symbol | Plus | Call):
        bottom = [*([Number(Fraction(coefficient.denominator))] if coefficient.denominator != 1 else []), *below]
        return Quotient(core, juxtaposed(bottom))
    if coefficient == 1 and not below and len(above) == 1 and isinstance(above[0], Big) and isinstance(core, Symbol):
        return Product("", (core, above[0]))
    front = scaled(coefficient, above, below)
    fronts = front.factors if isinstance(front, Product) and front.sign == "" else (front,)
    if isinstance(core, Product) and core.sign == "⊙":
        first, *rest = core.factors
        return Product("⊙", (_in_front(fronts, first), *rest))
    return _in_front(fronts, core)


def _in_front(fronts: tuple[Notation, ...], core: Notation) -> Notation:
    if not _reads_on(fronts[-1], core):
        return Product("·", (fronts[0] if len(fronts) == 1 else Product("", fronts), core))
    return Product("", (*fronts, *_inside(core)))
