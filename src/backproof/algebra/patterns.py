"""Indicators by cases: in every pattern of their values the rest is 0, or the pattern contradicts itself.

A contradiction is an exact one of linear inequalities over the rationals, each monomial a variable, found by the
elimination of Fourier and Motzkin.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from backproof.algebra.kernel import Kernel
from backproof.algebra.polynomial import UNIT, Coefficient, Monomial, Poly, accumulate

MOST_INEQUALITIES = 2_000


@dataclass(frozen=True, slots=True)
class Inequality:
    """Σ coefficient · monomial + constant > 0, or ≥ 0."""

    coefficients: tuple[tuple[Monomial, Coefficient], ...]
    constant: Coefficient
    strict: bool


def inequality(poly: Poly, factor: int, *, strict: bool) -> Inequality:
    """Factor · poly > 0, or ≥ 0."""
    terms = tuple((m, factor * c) for m, c in poly.items() if m != UNIT)
    return Inequality(terms, factor * poly.get(UNIT, 0), strict)


def contradictory(inequalities: list[Inequality]) -> bool:
    """Whether no real numbers satisfy all of them; False also where there are too many to tell."""
    current = set(inequalities)
    while True:
        variables = {v for c in current for v, _ in c.coefficients}
        if not variables:
            return any(c.constant < 0 or (c.constant == 0 and c.strict) for c in current)
        sides: dict[Monomial, tuple[int, int]] = dict.fromkeys(variables, (0, 0))
        for c in current:
            for v, value in c.coefficients:
                up, down = sides[v]
                sides[v] = (up + 1, down) if value > 0 else (up, down + 1)
        chosen = min(sorted(variables), key=lambda v: sides[v][0] * sides[v][1])
        above = [c for c in current if dict(c.coefficients).get(chosen, 0) > 0]
        below = [c for c in current if dict(c.coefficients).get(chosen, 0) < 0]
        current = {c for c in current if chosen not in dict(c.coefficients)}
        for up in above:
            for down in below:
                current.add(_combined(up, down, chosen))
        if len(current) > MOST_INEQUALITIES:
            return False


def _combined(up: Inequality, down: Inequality, variable: Monomial) -> Inequality:
    left, right = dict(up.coefficients), dict(down.coefficients)
    x, y = -right[variable], left[variable]
    total = {v: left.get(v, 0) * x + right.get(v, 0) * y for v in left.keys() | right.keys()}
    scale = abs(Fraction(x)) + abs(Fraction(y))
    terms = tuple(sorted((v, c / scale) for v, c in total.items() if c and v != variable))
    return Inequality(terms, (up.constant * x + down.constant * y) / scale, up.strict or down.strict)


class Patterns(Kernel):
    """Zero tests by the cases of indicators."""

    def vanishes_by_patterns(self, poly: Poly) -> bool:
        """Whether the polynomial is 0 in each pattern of its indicators that is not contradictory."""
        steps = sorted({a for m in poly for a, _ in m if self._is_step(a)})
        if not steps or len(steps) > self.limits.indicators:
            return False
        for bits in itertools.product((0, 1), repeat=len(steps)):
            values = dict(zip(steps, bits, strict=True))
            rest: Poly = {}
            for monomial, value in poly.items():
                self.meter.spend(2)
                if all(values.get(a, 1) for a, _ in monomial):
                    accumulate(rest, {tuple(f for f in monomial if f[0] not in values): value})
            if not (self.vanishes(rest) or self._impossible(values) or self.vanishes_by_kernels(rest)):
                return False
        return True

    def _is_step(self, atom: int) -> bool:
        what = self.atoms[atom]
        return what.kind == "function" and what.name == "step" and atom in self.special

    def _impossible(self, values: Mapping[int, int]) -> bool:
        known: list[Inequality] = []
        seen: set[Monomial] = set()
        for atom, value in values.items():
            argument = self.atoms[atom].args[0]
            known.append(inequality(argument, 1 if value else -1, strict=bool(value)))
            for monomial in argument:
                if monomial and monomial not in seen:
                    seen.add(monomial)
                    sign = self.monomial_sign(monomial)
                    if sign is not None:
                        known.append(inequality({monomial: 1}, 1, strict=sign == "positive"))
        return contradictory(known)
