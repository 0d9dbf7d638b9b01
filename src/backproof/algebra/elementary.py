"""Relations between exponentials and between angles, applied only when two formulas are compared.

Exponentials: if the exponents are linearly dependent over Q as rational functions, some of them are products of powers
of the others, exp(1/(x(x+1))) = exp(1/x) / exp(1/(x+1)). Angles: sin and cos of sums and multiples are polynomials in
sin and cos of common parts, with sin² = 1 − cos².
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TypeVar

from backproof.algebra.polynomial import (
    ONE,
    UNIT,
    ZERO,
    Coefficient,
    Monomial,
    Poly,
    accumulate,
    constant,
    number,
    plus,
    scaled,
    single,
    whole,
)
from backproof.algebra.rational import rational
from backproof.algebra.sums import Sums

MOST_MULTIPLES = 24
Pair = tuple[Poly, Poly]
Powers = tuple[int, ...]
Name = TypeVar("Name", Powers, int)


class Elementary(Sums):
    """Exponentials and angles in terms of independent ones."""

    def independent(self, poly: Poly) -> Poly:
        """The polynomial with exponentials, sines and cosines in terms of independent ones."""
        return self._angles(self._exponentials(poly))

    def _functions(self, poly: Poly, *names: str) -> list[int]:
        found = {a for m in poly for a, _ in m if self.atoms[a].kind == "function" and self.atoms[a].name in names}
        return sorted(a for a in found if self.atoms[a].orders == (0,))

    def _exponentials(self, poly: Poly) -> Poly:
        atoms = self._functions(poly, "exp")
        exponents = [self.atoms[a].args[0] for a in atoms]
        if len(atoms) < 2 or not self.has_inverse(exponents):
            return poly
        shared, found = self.fractions(exponents)
        common = shared.context.constant(1)
        for _, bottom in found:
            common = common * (bottom / common.gcd(bottom))
        basis: list[tuple[Powers, dict[Powers, Coefficient], dict[int, Coefficient]]] = []
        images: dict[int, Poly] = {}
        for place, (top, bottom) in enumerate(found):
            vector: dict[Powers, Coefficient] = {
                tuple(map(int, e)): rational(c) for e, c in (top * (common / bottom)).to_dict().items()
            }
            made: dict[int, Coefficient] = {place: 1}
            for pivot, row, parts in basis:
                if pivot in vector:
                    ratio = -Fraction(vector[pivot]) / row[pivot]
                    vector = _combined(vector, row, ratio)
                    made = _combined(made, parts, ratio)
            if vector:
                basis.append((min(vector), vector, made))
            else:
                # Σ made · exponent = 0, and made[place] is 1.
                images[atoms[place]] = {
                    tuple(sorted((atoms[k], whole(-Fraction(c))) for k, c in made.items() if k != place)): 1
                }
        return self._replaced_powers(poly, images) if images else poly

    def _replaced_powers(self, poly: Poly, images: dict[int, Poly]) -> Poly:
        total: Poly = {}
        for monomial, value in poly.items():
            part: Poly = {tuple(f for f in monomial if f[0] not in images): value}
            for atom, exponent in monomial:
                if atom in images:
                    part = self.times(part, self.power(images[atom], exponent))
            accumulate(total, part)
        return total

    def _angles(self, poly: Poly) -> Poly:
        atoms = self._functions(poly, "sin", "cos")
        if not atoms:
            return poly
        grains: dict[Monomial, int] = {}
        for atom in atoms:
            for monomial, value in self.atoms[atom].args[0].items():
                grains[monomial] = lcm(grains.get(monomial, 1), value.denominator)
        images: dict[int, Poly] = {}
        for atom in atoms:
            argument = self.atoms[atom].args[0]
            if sum(abs(c * grains[m]) for m, c in argument.items()) > MOST_MULTIPLES:
                return poly
            pair: Pair = (ONE, ZERO)
            for monomial, value in argument.items():
                pair = self._turned(pair, self._multiple(monomial, value, grains[monomial]))
            images[atom] = pair[0] if self.atoms[atom].name == "cos" else pair[1]
        return self._without_squares(self._replaced_powers(poly, images))

    def _multiple(self, monomial: Monomial, value: Coefficient, grain: int) -> Pair:
        """Cos and sin of value · monomial, in terms of monomial / grain; whole quarter turns as numbers."""
        turns = Fraction(value) * 2
        if (
            len(monomial) == 1
            and self.atoms[monomial[0][0]].name == "pi"
            and monomial[0][1] == 1
            and turns.denominator == 1
        ):
            cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[turns.numerator % 4]
            return constant(cosine), constant(sine)
        base: Poly = {monomial: Fraction(1, grain)} if grain != 1 else {monomial: 1}
        once = (self.applied("cos", (base,)), self.applied("sin", (base,)))
        count = int(value * grain)
        if count < 0:
            once = (once[0], scaled(once[1], -1))
        pair: Pair = (ONE, ZERO)
        for _ in range(abs(count)):
            pair = self._turned(pair, once)
        return pair

    def _turned(self, left: Pair, right: Pair) -> Pair:
        cosine = plus(self.times(left[0], right[0]), self.times(left[1], right[1]), -1)
        sine = plus(self.times(left[1], right[0]), self.times(left[0], right[1]))
        return self._without_squares(cosine), self._without_squares(sine)

    def _without_squares(self, poly: Poly) -> Poly:
        """The polynomial with sin² = 1 − cos² applied."""
        total: Poly = {}
        for monomial, value in poly.items():
            part: Poly = {UNIT: value}
            for atom, exponent in monomial:
                what = self.atoms[atom]
                if what.kind == "function" and what.name == "sin" and exponent.denominator == 1 and exponent >= 2:
                    cosine = self.applied("cos", what.args)
                    square = plus(ONE, self.times(cosine, cosine), -1)
                    part = self.times(part, self.raised(square, exponent.numerator // 2))
                    exponent = exponent.numerator % 2
                if exponent:
                    part = self.times(part, single(atom, exponent))
            accumulate(total, part)
        return total

    def is_surely_nonzero(self, poly: Poly) -> bool:
        """Whether the polynomial, with its relations applied, is not 0 except on a set without volume."""
        if number(poly) is not None:
            return bool(poly)
        if self.is_positive(poly) or self.is_positive(scaled(poly, -1)):
            return True
        for atom in self.reach(poly):
            what = self.atoms[atom]
            if what.kind == "tensor" and what.marks & {"varied", "sign", "nonzero"}:
                continue
            if what.kind in ("size", "const", "prime") or (
                what.kind == "function" and what.name == "exp" and not self.has_inverse(what.args)
            ):
                continue
            return False
        return bool(poly)


def _combined(
    left: dict[Name, Coefficient], right: dict[Name, Coefficient], ratio: Fraction
) -> dict[Name, Coefficient]:
    total = dict(left)
    for name, value in right.items():
        new = total.get(name, 0) + ratio * value
        if new:
            total[name] = new
        else:
            total.pop(name, None)
    return total
