"""Scales: simple fractions times powers of sizes, which a formula may be off by."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from backproof.check.rows import TOLERANCE
from backproof.language.expression import Expr, mul, power, size

MAX_DENOMINATOR: Final = 64
MAX_ABOVE: Final = 10**6


class Scales:
    """Simple fractions times powers of a point's sizes: what a gradient may be off by."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        sorts = [s for s in sizes if not s.isdigit()]
        self._above: dict[tuple[tuple[str, int], ...], float] = {}
        for count in range(min(3, len(sorts) + 1)):
            for chosen in itertools.combinations(sorts, count):
                for powers in itertools.product((-1, 1), repeat=count):
                    above = tuple(zip(chosen, powers, strict=True))
                    self._above[above] = math.prod(float(sizes[s]) ** p for s, p in above)

    def nearest(self, ratio: float) -> Expr | None:
        """The simplest of them that is this number up to rounding, or None.

        >>> Scales({"n": 5, "m": 7}).nearest(-0.4), Scales({"n": 5}).nearest(3.14159)
        ((-2)*n^(-1), None)
        """
        if not math.isfinite(ratio) or ratio == 0 or abs(ratio) > MAX_ABOVE**2:
            return None
        best: tuple[int, Fraction, tuple[tuple[str, int], ...]] | None = None
        for above, value in self._above.items():
            constant = Fraction(ratio / value).limit_denominator(MAX_DENOMINATOR)
            close = abs(float(constant) - ratio / value) <= TOLERANCE * abs(ratio / value)
            if close and constant and abs(constant.numerator) <= MAX_ABOVE:
                height = abs(constant.numerator) + constant.denominator + 3 * len(above)
                if best is None or (height, constant) < best[:2]:
                    best = height, constant, above
        if best is None:
            return None
        return mul(best[1], *(power(size(s), p) for s, p in best[2]))
