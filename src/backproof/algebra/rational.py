"""Polynomials of the algebra as polynomials and fractions of python-flint, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gcd
from typing import Any

import flint

from backproof.algebra.budget import OutOfBudget
from backproof.algebra.polynomial import Coefficient, Exponent, Poly, accumulate, numeric_content, scaled, whole
from backproof.algebra.ring import Ring

FlintPoly = Any  # python-flint has no types for its multivariate polynomials
Factors = list[tuple[Poly, int]]


@lru_cache(maxsize=256)
def _context(count: int) -> Any:
    return flint.fmpq_mpoly_ctx.get([f"v{k}" for k in range(max(1, count))], "lex")


def rational(value: Any) -> Coefficient:
    """A rational of flint as one of ours."""
    numerator, denominator = int(value.p), int(value.q)
    return numerator if denominator == 1 else Fraction(numerator, denominator)


@dataclass(slots=True)
class Shared:
    """A polynomial ring of flint: which atom each variable is, and the finest fraction of its exponents."""

    context: Any
    atoms: list[int]
    grains: list[Exponent]

    def poly(self, found: FlintPoly) -> Poly:
        """A polynomial of flint as one of ours."""
        result: Poly = {}
        for exponents, value in found.to_dict().items():
            monomial = tuple(
                (a, int(e) if g == 1 else whole(Fraction(int(e)) / g))
                for a, e, g in zip(self.atoms, exponents, self.grains, strict=False)
                if e
            )
            result[monomial] = rational(value)
        return result


class Rational(Ring):
    """Fractions: what flint knows about the polynomials of the algebra."""

    def fractions(self, polys: list[Poly]) -> tuple[Shared, list[tuple[FlintPoly, FlintPoly]]]:
        """The polynomials as fractions (numerator, denominator) of one flint ring; not yet in lowest terms."""
        inverses: set[int] = set()
        found: set[int] = set()
        stack = list(polys)
        involved = list(polys)
        while stack:
            for monomial in stack.pop():
                for atom, _ in monomial:
                    if self.atoms[atom].kind != "inverse":
                        found.add(atom)
                    elif atom not in inverses:
                        inverses.add(atom)
                        stack.append(self.atoms[atom].args[0])
                        involved.append(self.atoms[atom].args[0])
        atoms = sorted(found)
        grain = self._grains(involved, atoms)
        shared = Shared(_context(len(atoms)), atoms, [grain[a] for a in atoms])
        place = {a: k for k, a in enumerate(atoms)}
        bases: dict[int, FlintPoly] = {}
        for atom in sorted(inverses):
            numerator, denominator = self._fraction(self.atoms[atom].args[0], shared, place, bases)
            if not denominator.is_constant():
                raise AssertionError("the argument of an inverse is a polynomial")
            bases[atom] = numerator / denominator.leading_coefficient()
        return shared, [self._fraction(p, shared, place, bases) for p in polys]

    def _grains(self, polys: list[Poly], atoms: list[int]) -> dict[int, Exponent]:
        """How many variables of flint an atom's first power is: e^(1.702 z) alone is one variable, √x half of x."""
        fractional = {a for poly in polys for m in poly for a, e in m if e.denominator != 1}
        common: dict[int, Fraction] = {}
        if fractional:
            for poly in polys:
                for monomial in poly:
                    for atom, exponent in monomial:
                        if atom in fractional:
                            common[atom] = _gcd(common.get(atom, Fraction(0)), Fraction(exponent))
        return {a: whole(1 / common[a]) if a in common else 1 for a in atoms}

    def _fraction(
        self, poly: Poly, shared: Shared, place: dict[int, int], bases: dict[int, FlintPoly]
    ) -> tuple[FlintPoly, FlintPoly]:
        context, width = shared.context, max(1, len(shared.atoms))
        highest: dict[int, int] = {}
        lowest = [0] * width
        split: list[tuple[dict[int, int], list[int], Coefficient]] = []
        for monomial, value in poly.items():
            powers = [0] * width
            inverted: dict[int, int] = {}
            for atom, exponent in monomial:
                if atom in place:
                    k = place[atom]
                    powers[k] = int(exponent * shared.grains[k])
                    lowest[k] = min(lowest[k], powers[k])
                else:
                    inverted[atom] = int(exponent)
                    highest[atom] = max(highest.get(atom, 0), int(exponent))
            split.append((inverted, powers, value))
        groups: dict[tuple[tuple[int, int], ...], dict[tuple[int, ...], Any]] = {}
        for inverted, powers, value in split:
            group = groups.setdefault(tuple(sorted(inverted.items())), {})
            group[tuple(p - q for p, q in zip(powers, lowest, strict=True))] = flint.fmpq(
                value.numerator, value.denominator
            )
        total = context.from_dict({})
        for signature, group in groups.items():
            part = context.from_dict(group)
            inverted = dict(signature)
            for atom, power in highest.items():
                missing = power - inverted.get(atom, 0)
                if missing:
                    part = self._multiplied(part, bases[atom], missing)
            total += part
        denominator = context.from_dict({tuple(-q for q in lowest): 1})
        for atom, power in highest.items():
            denominator = self._multiplied(denominator, bases[atom], power)
        return total, denominator

    def _multiplied(self, poly: FlintPoly, base: FlintPoly, power: int) -> FlintPoly:
        if power > self.limits.degree and not base.is_constant():
            raise OutOfBudget(
                "a denominator has too high a power", expected=f"{self.limits.degree} at most", got=f"{power}"
            )
        for _ in range(power):
            work = len(poly) * len(base)
            self.meter.spend(work // 10)
            self.meter.terms(len(poly), "a common denominator")
            if work > 50 * self.limits.terms:
                raise OutOfBudget("a common denominator grew too large")
            poly = poly * base
        return poly

    def _check_factor(self, found: FlintPoly) -> None:
        if len(found) > self.limits.factor_terms or sum(int(d) for d in found.degrees()) > self.limits.degree:
            raise OutOfBudget(
                "a polynomial is too large to factor",
                expected=f"degree {self.limits.degree}, {self.limits.factor_terms} terms at most",
            )

    def factors(self, poly: Poly) -> tuple[Coefficient, list[tuple[Poly, int]]]:
        """A number and irreducible factors with their multiplicities (below 0 in the denominator).

        Each factor has coprime integer coefficients; a power of one atom is a monomial.
        """
        if self._is_linear(poly):
            scale = numeric_content(poly.values())
            return whole(scale), [(scaled(poly, 1 / scale), 1)]
        shared, ((top, bottom),) = self.fractions([poly])
        value: Coefficient = 1
        result: Factors = []
        for part, sign in ((top, 1), (bottom, -1)):
            if part.is_constant():
                value = value * Fraction(rational(part.leading_coefficient())) ** sign
                continue
            if len(part) > 1:
                self._check_factor(part)
            unit, found = part.factor()
            value = value * Fraction(rational(unit)) ** sign
            for factor, multiplicity in found:
                own = shared.poly(factor)
                scale = numeric_content(own.values())
                value = value * Fraction(scale) ** (sign * int(multiplicity))
                result.append((scaled(own, 1 / scale), sign * int(multiplicity)))
        return whole(value), _merged(result)

    def _is_linear(self, poly: Poly) -> bool:
        """Whether some atom occurs once, alone and to the first power: then a polynomial is irreducible."""
        if len(poly) < 2:
            return False
        count: dict[int, int] = {}
        for monomial in poly:
            for atom, exponent in monomial:
                if exponent < 0 or self.atoms[atom].kind == "inverse":
                    return False
                count[atom] = count.get(atom, 0) + 1
        return any(len(m) == 1 and m[0][1] == 1 and count[m[0][0]] == 1 for m in poly)

    def factored(self, poly: Poly) -> tuple[Fraction, list[tuple[Poly, int]]]:
        """The polynomial as a number times irreducible factors, with exponents below 0 for the denominator.

        Raises OutOfBudget where it is too large to factor.
        """
        with self.meter.running():
            top, bottom = self.fraction(poly)
            if not top:
                return Fraction(0), []
            value, above = self.factors(top)
            scale, below = self.factors(bottom)
            return Fraction(value) / scale, [*above, *((base, -count) for base, count in below)]

    def fraction(self, poly: Poly) -> tuple[Poly, Poly]:
        """Numerator and denominator in lowest terms, the denominator with coprime integer coefficients."""
        with self.meter.running():
            shared, ((top, bottom),) = self.fractions([poly])
            self._check_factor(bottom)
            common = top.gcd(bottom)
            above, below = self._related(shared.poly(top / common)), shared.poly(bottom / common)
            scale = numeric_content(below.values())
            if self.is_negative(below):
                scale = -scale
            return scaled(above, 1 / scale), scaled(below, 1 / scale)

    def numerator(self, poly: Poly) -> Poly:
        """A numerator of the polynomial over a common denominator, with all relations applied."""
        shared, ((top, _),) = self.fractions([poly])
        return self._related(shared.poly(top))

    def _related(self, raw: Poly) -> Poly:
        """The polynomial with the relations of its atoms applied."""
        if not any(a in self.special for m in raw for a, _ in m):
            return raw
        total: Poly = {}
        for monomial, value in raw.items():
            accumulate(total, self.reduced(monomial), value)
        return total

    def has_inverse(self, polys: Iterable[Poly]) -> bool:
        """Whether a polynomial has an atom 1/P."""
        return any(self.atoms[a].kind == "inverse" for p in polys for m in p for a, _ in m)


def _gcd(left: Fraction, right: Fraction) -> Fraction:
    """The largest rational number of which both are whole multiples."""
    return Fraction(
        gcd(left.numerator * right.denominator, right.numerator * left.denominator),
        left.denominator * right.denominator,
    )


def _merged(found: Factors) -> Factors:
    merged: dict[frozenset[tuple[Any, Coefficient]], tuple[Poly, int]] = {}
    for poly, multiplicity in found:
        name = frozenset(poly.items())
        merged[name] = (poly, merged[name][1] + multiplicity if name in merged else multiplicity)
    return [(poly, multiplicity) for poly, multiplicity in merged.values() if multiplicity]


def is_monomial(poly: Poly) -> tuple[int, Exponent] | None:
    """The atom and exponent of a polynomial that is one power of one atom with coefficient 1, else None."""
    if len(poly) == 1:
        ((monomial, value),) = poly.items()
        if len(monomial) == 1 and value == 1:
            return monomial[0]
    return None
