"""Laurent polynomials over the rationals with rational exponents: plain dictionaries, never changed once made.

A monomial is a sorted tuple of (atom number, exponent); a polynomial maps monomials to coefficients that are not 0.
What an atom number stands for, and the relations between atoms, is the business of `atoms` and `ring`.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import gcd
from typing import Final

Exponent = int | Fraction
Coefficient = int | Fraction
Monomial = tuple[tuple[int, Exponent], ...]
Poly = dict[Monomial, Coefficient]
Key = frozenset[tuple[Monomial, Coefficient]]

UNIT: Final[Monomial] = ()
ZERO: Final[Poly] = {}
ONE: Final[Poly] = {UNIT: 1}


def whole(value: Coefficient) -> Coefficient:
    """The number as an int where it is one: ints are several times faster than fractions."""
    return value.numerator if value.denominator == 1 else value


def constant(value: Coefficient) -> Poly:
    """The polynomial of a number."""
    return {UNIT: whole(value)} if value else ZERO


def single(atom: int, exponent: Exponent = 1) -> Poly:
    """The polynomial of a power of an atom."""
    return {((atom, exponent),): 1}


def plus(left: Poly, right: Poly, factor: Coefficient = 1) -> Poly:
    """Left + factor · right."""
    total = dict(left)
    accumulate(total, right, factor)
    return total


def accumulate(total: Poly, right: Poly, factor: Coefficient = 1) -> None:
    """Add factor · right to a polynomial that is still being made."""
    for monomial, value in right.items():
        new = value if factor == 1 else factor * value
        old = total.get(monomial)
        if old is not None:
            new += old
        if new:
            total[monomial] = new
        elif old is not None:
            del total[monomial]


def scaled(poly: Poly, factor: Coefficient) -> Poly:
    """Factor · poly."""
    if factor == 1:
        return poly
    return {monomial: whole(value * factor) for monomial, value in poly.items()} if factor else ZERO


def opposite(poly: Poly) -> Poly:
    """−poly."""
    return {monomial: -value for monomial, value in poly.items()}


def joined(left: Monomial, right: Monomial) -> Monomial:
    """The product of two monomials, relations between atoms aside."""
    if not left:
        return right
    if not right:
        return left
    exponents = dict(left)
    for atom, exponent in right:
        new = exponents.get(atom, 0) + exponent
        if new:
            exponents[atom] = new if type(new) is int else whole(new)
        else:
            del exponents[atom]
    return tuple(sorted(exponents.items()))


def key(poly: Poly) -> Key:
    """The polynomial as something hashable."""
    return frozenset(poly.items())


def number(poly: Poly) -> Coefficient | None:
    """The number that the polynomial is, or None."""
    if not poly:
        return 0
    return poly.get(UNIT) if len(poly) == 1 else None


def term(poly: Poly) -> tuple[Monomial, Coefficient]:
    """The only term of a polynomial that has one."""
    ((monomial, value),) = poly.items()
    return monomial, value


def atoms_of(poly: Poly) -> set[int]:
    """The atoms that occur in the polynomial, not inside other atoms."""
    return {atom for monomial in poly for atom, _ in monomial}


def content(poly: Poly) -> dict[int, Exponent]:
    """The largest monomial that divides every term (negative exponents included)."""
    monomials = iter(poly)
    least = dict(next(monomials))
    for monomial in monomials:
        exponents = dict(monomial)
        for atom in least.keys() | exponents.keys():
            least[atom] = min(least.get(atom, 0), exponents.get(atom, 0))
    return {atom: exponent for atom, exponent in least.items() if exponent}


def numeric_content(values: Iterable[Coefficient]) -> Fraction:
    """The positive rational that makes the numbers coprime integers when they are divided by it."""
    numerator, denominator = 0, 1
    for value in values:
        numerator = gcd(numerator, value.numerator)
        denominator = denominator * value.denominator // gcd(denominator, value.denominator)
    return Fraction(numerator, denominator)


def degree(monomial: Monomial) -> Exponent:
    """The sum of the exponents."""
    return sum(exponent for _, exponent in monomial)
