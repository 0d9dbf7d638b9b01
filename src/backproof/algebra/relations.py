"""Linear relations between sums over one index, with coefficients that lack the index.

Σ_i 1/(x_i² − a²) and Σ_i 1/(x_i − a), Σ_i 1/(x_i + a) are related because their summands are, over the field of what
lacks i. Elimination over that field (without fractions, in flint) finds all such relations.
"""

from __future__ import annotations

from typing import Any

from backproof.algebra.budget import OutOfBudget
from backproof.algebra.patterns import Patterns
from backproof.algebra.polynomial import ONE, Monomial, Poly, accumulate, single
from backproof.algebra.rational import Shared
from backproof.language.expression import Index

Row = dict[tuple[int, ...], Any]
MOST_SUMS = 24
ROW_TERMS = 400


class Relations(Patterns):
    """Zero tests that relate sums over one index."""

    def single_sums(self, poly: Poly) -> dict[str, list[int]]:
        """The sums over one index in a polynomial, by sort."""
        found: dict[str, set[int]] = {}
        for monomial in poly:
            for atom, _ in monomial:
                what = self.atoms[atom]
                if what.kind == "sum" and len(what.indices) == 1:
                    found.setdefault(what.indices[0].sort, set()).add(atom)
        return {sort: sorted(atoms) for sort, atoms in found.items() if 2 <= len(atoms) <= MOST_SUMS}

    def _body(self, atom: int, index: Index) -> Poly:
        what = self.atoms[atom]
        return self.substituted(what.args[0], {what.indices[0]: index})

    def vanishes_merged(self, poly: Poly) -> bool:
        """Whether one sum with all coefficients moved inside has the summand 0."""
        for sort, atoms in self.single_sums(poly).items():
            index = Index("%M", sort)
            summand: Poly = {}
            for monomial, value in poly.items():
                found = [(a, e) for a, e in monomial if a in atoms]
                if len(found) > 1 or (found and found[0][1] != 1):
                    break
                rest: Poly = {tuple(f for f in monomial if f[0] not in atoms): value}
                inner = self._body(found[0][0], index) if found else self.power(self.size(sort), -1)
                accumulate(summand, self.times(rest, inner))
            else:
                if self.vanishes(summand):
                    return True
        return False

    def related(self, poly: Poly) -> Poly:
        """The polynomial with sums that depend on others, linearly over what lacks the index, expressed in them."""
        for sort, atoms in self.single_sums(poly).items():
            index = Index("%M", sort)
            bodies = [ONE, *(self._body(a, index) for a in atoms)]
            if self.has_inverse(bodies):  # else the summands are distinct monomials, which are independent
                poly = self._replaced(poly, self._dependent(sort, atoms, bodies, index))
        return poly

    def _dependent(self, sort: str, atoms: list[int], bodies: list[Poly], index: Index) -> dict[int, Poly]:
        shared, found = self.fractions(bodies)
        common = shared.context.constant(1)
        for _, bottom in found:
            common = common * (bottom / common.gcd(bottom))
        inner = [k for k, a in enumerate(shared.atoms) if index in self.atoms[a].free]
        rows = [self._row(top * (common / bottom), inner, shared) for top, bottom in found]
        values = [self.size(sort), *(single(a) for a in atoms)]
        basis: list[tuple[Row, dict[int, Any]]] = []
        result: dict[int, Poly] = {}
        for number, own in enumerate(rows):
            row, combination = own, {number: shared.context.constant(1)}
            for other, made in basis:
                pivot = min(other)
                if pivot in row:
                    x, y = row[pivot], other[pivot]
                    common_factor = x.gcd(y)
                    x, y = x / common_factor, y / common_factor
                    row = _eliminated(row, other, x, y)
                    combination = _eliminated(combination, made, x, y)
                    self.meter.spend(200)
                    if sum(len(v) for v in row.values()) > ROW_TERMS:
                        raise OutOfBudget("relations between sums grew too large")
            if row:
                basis.append((row, combination))
                continue
            divisor = self.numerator(shared.poly(combination.pop(number)))
            if not self.is_surely_nonzero(divisor):
                continue
            scale = self.inverse(divisor)
            total: Poly = {}
            for k, value in combination.items():
                accumulate(total, self.times(self.times(shared.poly(value), scale), values[k]), -1)
            result[atoms[number - 1]] = total
        return result

    @staticmethod
    def _row(poly: Any, inner: list[int], shared: Shared) -> Row:
        """Coefficients of the monomials in what has the index."""
        row: dict[tuple[int, ...], dict[tuple[int, ...], Any]] = {}
        for exponents, value in poly.to_dict().items():
            name = tuple(int(exponents[k]) for k in inner)
            outer = tuple(0 if k in inner else int(e) for k, e in enumerate(exponents))
            row.setdefault(name, {})[outer] = value
        return {name: shared.context.from_dict(terms) for name, terms in row.items()}

    def _replaced(self, poly: Poly, images: dict[int, Poly]) -> Poly:
        for _ in range(len(images)):
            if not any(a in images and e > 0 and e.denominator == 1 for m in poly for a, e in m):
                break
            total: Poly = {}
            for monomial, value in poly.items():
                accumulate(total, self._image_of(monomial, images), value)
            poly = total
        return poly

    def _image_of(self, monomial: Monomial, images: dict[int, Poly]) -> Poly:
        result = ONE
        for atom, exponent in monomial:
            if atom in images and exponent > 0 and exponent.denominator == 1:
                result = self.times(result, self.raised(images[atom], exponent.numerator))
            else:
                result = self.times(result, single(atom, exponent))
        return result


def _eliminated(row: dict[Any, Any], other: dict[Any, Any], x: Any, y: Any) -> dict[Any, Any]:
    """Y · row − x · other, without zeros."""
    result: dict[Any, Any] = {}
    for name in row.keys() | other.keys():
        value = row.get(name, 0) * y - other.get(name, 0) * x
        if value != 0:
            result[name] = value
    return result
