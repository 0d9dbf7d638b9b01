"""Inverses and rational powers.

A fractional power means the principal one, exp(e · Log u), so that r^e · r^f = r^(e+f) always holds; a formula has a
real value only where u > 0 (or u = 0), and there the rules below are equalities: positive factors split off, even
powers leave as |u|, what is left under the root stays together.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from fractions import Fraction
from math import lcm

import flint

from backproof.algebra.budget import Limits, OutOfBudget, Undefined
from backproof.algebra.polynomial import (
    ONE,
    UNIT,
    ZERO,
    Coefficient,
    Exponent,
    Key,
    Poly,
    accumulate,
    key,
    number,
    numeric_content,
    opposite,
    plus,
    scaled,
    single,
    term,
    whole,
)
from backproof.algebra.signs import Signs
from backproof.language.program import Assumption

PRIME_BITS = 96
SPLIT_INDICATORS = 6


class Roots(Signs):
    """1/P and P^(p/q)."""

    def __init__(self, assumptions: Iterable[Assumption] = (), *, limits: Limits | None = None) -> None:
        super().__init__(assumptions, limits=limits)
        self._inverses: dict[Key, Poly] = {}
        self._powers: dict[tuple[Key, Exponent], Poly] = {}

    @abstractmethod
    def step(self, poly: Poly) -> Poly:
        """[poly > 0]."""

    def power(self, poly: Poly, exponent: Fraction | int) -> Poly:
        """The polynomial to a rational power."""
        if exponent.denominator == 1:
            whole_exponent = exponent.numerator
            if whole_exponent >= 0:
                return self.raised(poly, whole_exponent)
            if len(poly) == 1:
                return self._monomial_power(poly, whole_exponent)
            return self.raised(self.inverse(poly), -whole_exponent)
        name = (key(poly), exponent)
        known = self._powers.get(name)
        if known is None:
            known = self._powers[name] = self._root(poly, Fraction(exponent))
        return known

    def _monomial_power(self, poly: Poly, exponent: int) -> Poly:
        monomial, value = term(poly)
        self._check_bits(value, exponent)
        return scaled(self.reduced(tuple((a, whole(e * exponent)) for a, e in monomial)), Fraction(value) ** exponent)

    def inverse(self, poly: Poly) -> Poly:
        """1 / poly. Raises Undefined for 0."""
        if not poly:
            raise Undefined("division by zero", expected="a denominator that is not 0", got="0")
        if len(poly) == 1:
            return self._monomial_power(poly, -1)
        name = key(poly)
        known = self._inverses.get(name)
        if known is not None:
            return known
        result = self.split((poly,), lambda args: self.inverse(args[0]))
        if result is None:
            value, found = self.factors(poly)
            result = {UNIT: whole(1 / Fraction(value))}
            for base, multiplicity in found:
                if multiplicity < 0:
                    part = self.raised(base, -multiplicity)
                elif len(base) == 1:
                    part = self._monomial_power(base, -multiplicity)
                else:
                    negative = self.is_negative(base)
                    atom = self.inverse_atom(opposite(base) if negative else base)
                    part = scaled(self.reduced(((atom, multiplicity),)), (-1) ** multiplicity if negative else 1)
                result = self.times(result, part)
        self._inverses[name] = result
        return result

    def split(self, args: tuple[Poly, ...], build: Callable[[tuple[Poly, ...]], Poly]) -> Poly | None:
        """F(args) as v F(args | v = 1) + (1 − v) F(args | v = 0) for an indicator v inside; None without one.

        So indicators stand at the top only. Where a branch has no value (log 0, 1/0) nothing is split.
        """
        choices = sorted({a for p in args for m in p for a, _ in m if a in self.special and self._is_choice(a)})
        if not choices or len(choices) > SPLIT_INDICATORS:
            return None
        chosen = choices[-1]
        both = "sign" in self.atoms[chosen].marks
        low, high = (-1, 1) if both else (0, 1)
        try:
            above = build(tuple(self.assigned(p, chosen, high) for p in args))
            below = build(tuple(self.assigned(p, chosen, low) for p in args))
        except Undefined:
            return None
        indicator: Poly = {UNIT: Fraction(1, 2), ((chosen, 1),): Fraction(1, 2)} if both else single(chosen)
        return plus(self.times(indicator, above), self.times(plus(ONE, indicator, -1), below))

    def _is_choice(self, atom: int) -> bool:
        what = self.atoms[atom]
        return what.kind in ("function", "delta") or bool(what.marks & {"binary", "sign"})

    @staticmethod
    def assigned(poly: Poly, atom: int, value: int) -> Poly:
        """The polynomial with a number in place of an atom."""
        result: Poly = {}
        for monomial, c in poly.items():
            exponent = dict(monomial).get(atom)
            if exponent is None:
                accumulate(result, {monomial: c})
            elif value:
                rest = tuple((a, e) for a, e in monomial if a != atom)
                accumulate(result, {rest: c * (value ** int(exponent))})
        return result

    def number_power(self, value: Coefficient, exponent: Fraction) -> Poly:
        """A positive rational to a rational power, in powers of primes."""
        result = ONE
        for part, sign in ((value.numerator, 1), (value.denominator, -1)):
            for prime, count in self.primes(part):
                atom = self.intern("prime", str(prime), marks=frozenset({"positive", "nonzero", "nonnegative"}))
                self.special.add(atom)
                result = self.times(result, self.reduced(((atom, whole(exponent * sign * count)),)))
        return result

    def primes(self, value: int) -> list[tuple[int, int]]:
        """The prime factors of a positive whole number."""
        if value.bit_length() > PRIME_BITS:
            raise OutOfBudget("a number is too large to factor", expected=f"{PRIME_BITS} bits at most")
        return [(int(p), int(k)) for p, k in flint.fmpz(value).factor()] if value > 1 else []

    def _root(self, poly: Poly, exponent: Fraction) -> Poly:
        if not poly:
            if exponent < 0:
                raise Undefined("0 to a negative power")
            return ZERO
        result = self.split((poly,), lambda args: self.power(args[0], exponent))
        if result is not None:
            return result
        if any(self._is_choice(a) for m in poly for a, _ in m if a in self.special):
            return self._root_atom(poly, exponent)
        value, positive, unknown = self._sorted_factors(poly)
        result = self.number_power(abs(value), exponent)
        for base, count in positive:
            result = self.times(result, self._base_power(base, exponent * count))
        return self.times(result, self._unknown_root(1 if value > 0 else -1, unknown, exponent))

    def _sorted_factors(
        self, poly: Poly, *, open_roots: bool = True
    ) -> tuple[Coefficient, list[tuple[Poly, Exponent]], list[tuple[Poly, Exponent]]]:
        """A number, the factors known to be positive, and the others, each with its exponent.

        Roots among them stand as fractional powers of what is under them, or as they are.
        """
        found: list[tuple[Poly, Exponent]] = []
        if len(poly) == 1:
            monomial, value = term(poly)
            pieces: list[tuple[Poly, int]] = [({monomial: 1}, 1)] if monomial else []
        else:
            value, pieces = self.factors(poly)
        for base, count in pieces:
            if len(base) > 1:
                found.append((base, count))
                continue
            monomial, _ = term(base)
            for atom, power in monomial:
                what = self.atoms[atom]
                if what.kind == "inverse":
                    found.append((what.args[0], whole(-power * count)))
                elif what.kind == "root" and open_roots and power.denominator % 2 == 0:
                    found.append((what.args[0], whole(power * count)))
                else:
                    found.append((single(atom), whole(power * count)))
        # An even root in a formula with a real value means that what is under it is not negative.
        known = [(b, k) for b, k in found if k.denominator % 2 == 0 or self.is_positive(b)]
        return value, known, [(b, k) for b, k in found if k.denominator % 2 == 1 and not self.is_positive(b)]

    def _base_power(self, base: Poly, exponent: Exponent) -> Poly:
        """A power of one factor, which is positive wherever the formula has a value."""
        exponent = whole(exponent)
        if exponent.denominator == 1:
            return self.power(base, exponent.numerator)
        if len(base) == 1:
            monomial, value = term(base)
            if value == 1 and len(monomial) == 1:
                atom, power = monomial[0]
                if self.atoms[atom].kind != "root":
                    return self.reduced(((atom, whole(power * exponent)),))
        return self._root_atom(base, exponent)

    def _root_atom(self, base: Poly, exponent: Exponent) -> Poly:
        scale = numeric_content(base.values())
        base = scaled(base, 1 / scale)
        atom = self.intern("root", args=(base,), marks=self.sign_marks(base))
        self.special.add(atom)
        return self.times(self.number_power(scale, Fraction(exponent)), self.reduced(((atom, whole(exponent)),)))

    def _unknown_root(self, sign: int, unknown: list[tuple[Poly, Exponent]], exponent: Fraction) -> Poly:
        """The root of sign · Π base^count, bases of unknown sign: even powers leave as |base|."""
        result = ONE
        inside: list[tuple[Poly, Exponent]] = []
        modulus = lcm(2, exponent.denominator)
        if len(unknown) == 1 and unknown[0][1].denominator == 1 and unknown[0][1].numerator % 2 == 0 and sign > 0:
            return self.absolute_power(unknown[0][0], unknown[0][1] * exponent)
        for base, count in unknown:
            rest = count % modulus if count.denominator == 1 else count
            if count != rest:
                result = self.times(result, self.absolute_power(base, (count - rest) * exponent))
            if rest:
                inside.append((base, whole(rest)))
        if not inside:
            if sign < 0:
                if exponent.denominator % 2 == 0:
                    raise Undefined("an even root of a negative number")
                return self.times(result, self._root_atom({UNIT: -1}, exponent))
            return result
        if len(inside) == 1 and inside[0][1].denominator == 1 and inside[0][1].numerator % 2 == 1:
            base, count = inside[0]
            return self.times(result, self._base_power(base if sign > 0 else opposite(base), count * exponent))
        group: Poly = {UNIT: sign}
        for base, count in inside:
            group = self.times(
                group, self.power(base, count) if count.denominator == 1 else self._base_power(base, count)
            )
        return self.times(result, self._root_atom(group, exponent))

    def absolute_power(self, base: Poly, exponent: Exponent) -> Poly:
        """|base|^exponent, for a base that is not 0."""
        exponent = whole(exponent)
        value = number(base)
        if value is not None:
            if value == 0:
                raise Undefined("a power of |0|")
            if exponent.denominator == 1:
                return {UNIT: whole(Fraction(abs(value)) ** exponent.numerator)}
            return self.number_power(abs(value), Fraction(exponent))
        if self.is_positive(base):
            return self.power(base, exponent)
        if exponent.denominator == 1:
            plain = self.power(base, exponent.numerator)
            if exponent.numerator % 2 == 0:
                return plain
            return self.times(plain, plus(self.step(base), self.step(opposite(base)), -1))
        above = self.times(self.step(base), self.power(base, exponent))
        return plus(above, self.times(self.step(opposite(base)), self.power(opposite(base), exponent)))
