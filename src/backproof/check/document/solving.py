"""Definitions turned round: v = log σ² makes σ = e^{v/2}, so that something in σ can be differentiated by v."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final

from backproof.check.document.substitution import Known
from backproof.check.worksheet.reading import name_of
from backproof.language.notation import (
    Bracketed,
    Call,
    Negative,
    Notation,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Symbol,
)
from backproof.language.reading import bare
from backproof.language.traversal import pieces_of

_ONE: Final = Number(Fraction(1))


def solved(known: Known, name: str) -> Known | None:
    """The definition of `name` that another definition contains; None if it cannot be solved for that name.

    A square is taken for that of a positive number.
    """
    if known.parameters is not None or not isinstance(known.head, Symbol):
        return None
    inside = [n for n in pieces_of(known.body) if _is(n, name)]
    if len(inside) != 1 or not isinstance(inside[0], Symbol) or inside[0].subscripts != known.head.subscripts:
        return None
    value: Notation = known.head
    node = bare(known.body)
    while not _is(node, name):
        step = _peeled(node, value, name)
        if step is None:
            return None
        node, value = bare(step[0]), step[1]
    return replace(known, name=name, head=inside[0], body=value)


def _is(node: Notation, name: str) -> bool:
    return isinstance(node, Symbol) and name_of(replace(node, subscripts=())) == name


def _has(node: Notation, name: str) -> bool:
    return any(_is(n, name) for n in pieces_of(node))


def _peeled(node: Notation, value: Notation, name: str) -> tuple[Notation, Notation] | None:
    """What stands inside the outermost operation, and its value."""
    shut = Bracketed(value)
    match node:
        case Call(Symbol("log" | "ln"), (argument,), 0, None):
            return argument, Power(Symbol("e"), value)
        case Call(Symbol("exp"), (argument,), 0, None) | Power(Symbol("e"), argument):
            return argument, Call(Symbol("log"), (value,))
        case Call(Symbol("sqrt"), (argument,), 0, None):
            return argument, Power(shut, Number(Fraction(2)))
        case Power(base, exponent) if isinstance(bare(exponent), Number) and not _has(exponent, name):
            return base, Power(shut, Quotient(_ONE, exponent))
        case Negative(body):
            return body, Negative(shut)
        case Quotient(numerator, denominator) if _has(denominator, name):
            return (denominator, Quotient(numerator, shut)) if not _has(numerator, name) else None
        case Quotient(numerator, denominator):
            return numerator, Product("", (Bracketed(denominator), shut))
        case Product("" | "·" | "*", factors):
            own = [f for f in factors if _has(f, name)]
            rest = tuple(f for f in factors if not _has(f, name))
            divisor = Product("", (_ONE, *rest))
            return own[0], Quotient(value, divisor)
        case Plus(terms):
            own = [(sign, t) for sign, t in terms if _has(t, name)]
            rest = [(-sign, t) for sign, t in terms if not _has(t, name)]
            left = Plus(((1, value), *rest))
            return own[0][1], left if own[0][0] > 0 else Negative(Bracketed(left))
        case _:
            return None
