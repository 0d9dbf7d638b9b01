"""The all-sizes test: a polynomial in sums is 0 for every size when its kernels, made symmetric, are 0.

After common denominators the polynomial is a sum over degrees d of Σ_{i1 … id} K_d(i1, …, id); a size is Σ 1. If the
symmetrisation of each K_d over its indices of equal sort is 0 with x_i1, x_i2, … as independent variables, the whole is
0, because a rational identity holds at coinciding indices too. (And only if: replicating the value a of an index m_a
times makes the whole a polynomial in the m_a, whose multilinear coefficients are the symmetrised kernels.)
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import factorial, prod

from backproof.algebra.budget import OutOfBudget
from backproof.algebra.elementary import Elementary
from backproof.algebra.polynomial import Exponent, Monomial, Poly, accumulate, plus
from backproof.language.expression import Index

MOST_ROUNDS = 6
Degrees = tuple[tuple[str, int], ...]


class Kernel(Elementary):
    """Zero tests by clearing denominators and by kernels."""

    def vanishes(self, poly: Poly) -> bool:
        """Whether the polynomial is 0 with sums as independent variables."""
        for _ in range(MOST_ROUNDS):
            before = poly
            poly = self.numerator(poly)
            if poly:
                poly = self.independent(poly)
            if not poly:
                return True
            if poly == before:
                return False
        return False

    def vanishes_by_kernels(self, poly: Poly) -> bool:
        """Whether every symmetrised kernel is 0. Raises OutOfBudget where there are too many orders."""
        if not any(self.atoms[a].kind in {"sum", "size"} for m in poly for a, _ in m):
            return False
        groups: dict[Degrees, Poly] = {}
        for monomial, value in self.numerator(poly).items():
            counts: dict[str, int] = {}
            kernel: Poly = {(): value}
            rest: list[tuple[int, Exponent]] = []
            for atom, exponent in monomial:
                what = self.atoms[atom]
                counted = exponent > 0 and exponent.denominator == 1
                if what.kind == "sum" and counted:
                    for _ in range(exponent.numerator):
                        renaming = {i: self._slot(i.sort, counts) for i in what.indices}
                        kernel = self.times(kernel, self.substituted(what.args[0], renaming))
                elif what.kind == "size" and counted:
                    for _ in range(exponent.numerator):
                        self._slot(what.name, counts)
                else:
                    rest.append((atom, exponent))
            kernel = self.times(kernel, {tuple(rest): 1})
            degrees = tuple(sorted(counts.items()))
            groups[degrees] = plus(groups.get(degrees, {}), kernel)
        while groups:
            degrees = max(groups, key=lambda found: sum(count for _, count in found))
            left: Poly = {}
            for monomial, value in self._symmetric(degrees, groups.pop(degrees)).items():
                lower = self._without_delta(monomial, degrees)
                if lower is None:
                    left[monomial] = value
                else:
                    below, kernel = lower
                    groups[below] = plus(groups.get(below, {}), kernel, Fraction(value) / _orders(degrees))
            if not self.vanishes(left):
                return False
        return True

    def _without_delta(self, monomial: Monomial, degrees: Degrees) -> tuple[Degrees, Poly] | None:
        """A kernel with a delta of a summed index is one of fewer indices."""
        for atom, _ in monomial:
            what = self.atoms[atom]
            summed = [i for i in what.indices if i.name.startswith("%L")] if what.kind == "delta" else []
            if summed:
                (gone, kept) = (summed[0], *(i for i in what.indices if i != summed[0]))
                kernel = self.substituted({tuple(f for f in monomial if f[0] != atom): 1}, {gone: kept})
                count = dict(degrees)[gone.sort]
                last = Index(f"%L{count - 1}", gone.sort)
                kernel = self.substituted(kernel, {last: gone})
                named = {Index(f"%L{k}", sort): Index(f"%K{k}", sort) for sort, size in degrees for k in range(size)}
                lower = tuple((sort, size - (sort == gone.sort)) for sort, size in degrees)
                return tuple(d for d in lower if d[1]), self.substituted(kernel, named)
        return None

    @staticmethod
    def _slot(sort: str, counts: dict[str, int]) -> Index:
        counts[sort] = counts.get(sort, 0) + 1
        return Index(f"%K{counts[sort] - 1}", sort)

    def _symmetric(self, degrees: Degrees, kernel: Poly) -> Poly:
        """The sum of the kernel over all orders of its indices."""
        if _orders(degrees) * len(kernel) > self.limits.kernels:
            raise OutOfBudget(
                "the kernel test has too many orders of indices", expected=f"{self.limits.kernels} terms at most"
            )
        total: Poly = {}
        for orders in itertools.product(*(itertools.permutations(range(size)) for _, size in degrees)):
            renaming = {
                Index(f"%K{k}", sort): Index(f"%L{target}", sort)
                for (sort, _), order in zip(degrees, orders, strict=True)
                for k, target in enumerate(order)
            }
            accumulate(total, self.substituted(kernel, renaming))
            self.meter.terms(len(total))
        return total


def _orders(degrees: Degrees) -> int:
    return prod(factorial(size) for _, size in degrees)
