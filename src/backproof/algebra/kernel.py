"""The all-sizes test: a polynomial in sums is 0 for every size when its kernels, made symmetric, are 0.

After common denominators the polynomial is a sum over degrees d of Σ_{i1 … id} K_d(i1, …, id); a size is Σ 1. If the
symmetrisation of each K_d over its indices of equal sort is 0 with x_i1, x_i2, … as independent variables, the whole is
0, because a rational identity holds at coinciding indices too. (And only if: replicating the value a of an index m_a
times makes the whole a polynomial in the m_a, whose multilinear coefficients are the symmetrised kernels.)
"""

from __future__ import annotations

import itertools
from math import factorial, prod

from backproof.algebra.budget import OutOfBudget
from backproof.algebra.polynomial import Poly, accumulate, plus
from backproof.algebra.sums import Sums
from backproof.language.expression import Index

Degrees = tuple[tuple[str, int], ...]


class Kernel(Sums):
    """Zero tests by clearing denominators and by kernels."""

    def numerator(self, poly: Poly) -> Poly:
        """A numerator of the polynomial over a common denominator, with all relations applied."""
        shared, ((top, _),) = self.fractions([poly])
        if top == 0:
            return {}
        raw = shared.poly(top)
        if not any(a in self.special for m in raw for a, _ in m):
            return raw
        total: Poly = {}
        for monomial, value in raw.items():
            accumulate(total, self.reduced(monomial), value)
        return total

    def vanishes(self, poly: Poly) -> bool:
        """Whether the polynomial is 0 with sums as independent variables."""
        for _ in range(6):
            if not poly:
                return True
            raw = poly
            poly = self.numerator(poly)
            if poly == raw:
                return False
            if not any(self.atoms[a].kind in ("root", "inverse") for m in poly for a, _ in m):
                return not poly
        return not poly

    def vanishes_by_kernels(self, poly: Poly) -> bool:
        """Whether every symmetrised kernel is 0. Raises OutOfBudget where there are too many orders."""
        groups: dict[Degrees, Poly] = {}
        for monomial, value in self.numerator(poly).items():
            counts: dict[str, int] = {}
            kernel: Poly = {(): value}
            rest: list[tuple[int, int]] = []
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
                    rest.append((atom, exponent))  # type: ignore[arg-type]
            kernel = self.times(kernel, {tuple(rest): 1})
            degrees = tuple(sorted(counts.items()))
            groups[degrees] = plus(groups.get(degrees, {}), kernel)
        return all(self.vanishes(self._symmetric(degrees, kernel)) for degrees, kernel in groups.items() if kernel)

    @staticmethod
    def _slot(sort: str, counts: dict[str, int]) -> Index:
        counts[sort] = counts.get(sort, 0) + 1
        return Index(f"%K{counts[sort] - 1}", sort)

    def _symmetric(self, degrees: Degrees, kernel: Poly) -> Poly:
        if prod(factorial(count) for _, count in degrees) * len(kernel) > self.limits.kernels:
            raise OutOfBudget("the kernel test has too many orders of indices", expected=f"{self.limits.kernels} terms at most")
        total: Poly = {}
        for orders in itertools.product(*(itertools.permutations(range(count)) for _, count in degrees)):
            renaming = {
                Index(f"%K{k}", sort): Index(f"%L{target}", sort)
                for (sort, _), order in zip(degrees, orders, strict=True)
                for k, target in enumerate(order)
            }
            accumulate(total, self.substituted(kernel, renaming))
            self.meter.terms(len(total))
        return total


