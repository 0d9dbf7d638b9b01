"""The elementary functions and abstract ones on polynomials.

`log` means log|·|. Indicators inside an argument are brought to the top by `split`. Every choice of a sign is exact:
[−u > 0] becomes 1 − [u > 0] only where `kink` allows it, and then u is noted in `used_kinks`.
"""

from __future__ import annotations

from collections.abc import Iterable

from backproof.algebra.budget import Limits, Undefined
from backproof.algebra.polynomial import (
    ONE,
    UNIT,
    ZERO,
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
from backproof.algebra.rational import is_monomial
from backproof.algebra.roots import Roots
from backproof.language.program import Assumption

ODD = frozenset({"erf", "sin", "atan", "tan", "sinh", "tanh", "asin", "asinh", "erfinv"})
EVEN = frozenset({"cos", "cosh"})
SIGN_KEEPING = frozenset({"erf", "atan", "sinh", "tanh", "asinh"})
STEP_FACTORS = 3


class Functions(Roots):
    """Functions of polynomials."""

    def __init__(self, assumptions: Iterable[Assumption] = (), *, limits: Limits | None = None) -> None:
        super().__init__(assumptions, limits=limits)
        self._applied: dict[tuple[str, tuple[int, ...], tuple[Key, ...]], Poly] = {}
        self._kinks: dict[Key, Poly] = {}
        self._representatives: dict[tuple[Key, Key], Poly] = {}

    def applied(self, name: str, args: tuple[Poly, ...], orders: tuple[int, ...] = ()) -> Poly:
        """A function of polynomials."""
        orders = orders or (0,) * len(args)
        found = (name, orders, tuple(key(p) for p in args))
        known = self._applied.get(found)
        if known is not None:
            return known
        if name == "exp" and orders == (0,):
            result = self.exp(args[0])
        elif name == "log" and orders == (0,):
            result = self.log(args[0])
        elif name == "step" and orders == (0,):
            result = self.step(args[0])
        else:
            result = self.split(args, lambda parts: self.applied(name, parts, orders))
            if result is None:
                result = self._opaque(name, args, orders)
        self._applied[found] = result
        return result

    def _opaque(self, name: str, args: tuple[Poly, ...], orders: tuple[int, ...]) -> Poly:
        sign = 1
        if orders == (0,) and (name in ODD or name in EVEN):
            (argument,) = args
            if not argument:
                return {UNIT: 1} if name in EVEN else ZERO
            if self.is_negative(argument):
                args = (opposite(argument),)
                sign = -1 if name in ODD else 1
        marks: frozenset[str] = frozenset()
        args = tuple(self.representative(p) for p in args)
        if orders == (0,) and name in ("erf", "atan"):
            marks = self.sign_marks(args[0])
        return scaled(single(self.intern("function", name, orders=orders, args=args, marks=marks)), sign)

    def representative(self, poly: Poly) -> Poly:
        """One polynomial for all that are the same fraction, so that f(u) and f(v) are one atom for equal u and v."""
        if not self.has_inverse([poly]):
            return poly
        shared, ((top, bottom),) = self.fractions([poly])
        common = top.gcd(bottom)
        above, below = shared.poly(top / common), shared.poly(bottom / common)
        scale = numeric_content(below.values())
        if below[max(below)] < 0:
            scale = -scale
        name = (key(scaled(above, 1 / scale)), key(scaled(below, 1 / scale)))
        return self._representatives.setdefault(name, poly)

    def exp(self, poly: Poly) -> Poly:
        """The exponential; that of a sum is a product of powers, that of c·log|u| is |u|^c."""
        result = self.split((poly,), lambda args: self.exp(args[0]))
        if result is not None:
            return result
        result = ONE
        for monomial, value in poly.items():
            inner = self._logarithm(monomial)
            if inner is not None:
                factor = self.absolute_power(inner, value)
            else:
                atom = self.intern(
                    "function",
                    "exp",
                    orders=(0,),
                    args=({monomial: 1},),
                    marks=frozenset({"positive", "nonzero", "nonnegative"}),
                )
                factor = single(atom, whole(value))
            result = self.times(result, factor)
        return result

    def _logarithm(self, monomial: tuple[tuple[int, object], ...]) -> Poly | None:
        if len(monomial) == 1 and monomial[0][1] == 1:
            what = self.atoms[monomial[0][0]]
            if what.kind == "function" and what.name == "log" and what.orders == (0,):
                return what.args[0]
        return None

    def log(self, poly: Poly) -> Poly:
        """log|u| as the sum over the irreducible factors of u. Raises Undefined for 0."""
        if not poly:
            raise Undefined("log of 0", expected="an argument above 0", got="0")
        result = self.split((poly,), lambda args: self.log(args[0]))
        if result is not None:
            return result
        if any(a in self.special and self._is_choice(a) for m in poly for a, _ in m):
            return self._log_atom(poly)
        value = number(poly)
        total: Poly = {}
        if value is None:
            value, positive, unknown = self._sorted_factors(poly, open_roots=False)
            for base, count in (*positive, *unknown):
                accumulate(total, self._log_factor(base), count)
        for part, sign in ((abs(value.numerator), 1), (value.denominator, -1)):
            for prime, count in self.primes(part):
                accumulate(total, self._log_atom({UNIT: prime}), sign * count)
        return total

    def _log_factor(self, base: Poly) -> Poly:
        if len(base) == 1:
            monomial, _ = term(base)
            if len(monomial) == 1:
                atom, exponent = monomial[0]
                what = self.atoms[atom]
                if what.kind == "function" and what.name == "exp":
                    return scaled(what.args[0], exponent)
                if what.kind == "root":
                    return scaled(self.log(what.args[0]), exponent)
                if what.kind == "prime":
                    return scaled(self._log_atom({UNIT: int(what.name)}), exponent)
                return scaled(self._log_atom(single(atom)), exponent)
        return self._log_atom(opposite(base) if self.is_negative(base) else base)

    def _log_atom(self, base: Poly) -> Poly:
        return single(self.intern("function", "log", orders=(0,), args=(base,)))

    def step(self, poly: Poly) -> Poly:
        """[u > 0], as indicators of the irreducible factors of u."""
        value = number(poly)
        if value is not None:
            return ONE if value > 0 else ZERO
        result = self.split((poly,), lambda args: self.step(args[0]))
        if result is not None:
            return result
        if self.is_positive(poly):
            return ONE
        if self.sign(opposite(poly)) is not None:
            return ZERO
        if any(a in self.special and self._is_choice(a) for m in poly for a, _ in m):
            return self._step_atom(poly)
        value, known, unknown = self._sorted_factors(poly)
        above, below = (ONE, ZERO) if value > 0 else (ZERO, ONE)
        for base, count in known:
            if count > 0 and not self.is_positive(base):  # an even root, which may be 0
                above, below = (self.times(side, self.step(base)) for side in (above, below))
        if len(unknown) > STEP_FACTORS:
            return self._step_atom(scaled(poly, 1 / numeric_content(poly.values())))
        for base, count in unknown:
            even = count.denominator == 1 and count.numerator % 2 == 0
            if even and count < 0:
                continue
            on, off = self._sign_steps(base)
            if even:
                on, off = plus(on, off), ZERO
            above, below = (
                plus(self.times(above, on), self.times(below, off)),
                plus(self.times(above, off), self.times(below, on)),
            )
        return above

    def _sign_steps(self, base: Poly) -> tuple[Poly, Poly]:
        """[u > 0] and [−u > 0] of an irreducible u."""
        inner = self._with_same_sign(base)
        if inner is not base:
            return self.step(inner), self.step(opposite(inner))
        negative = self.is_negative(base)
        preferred = opposite(base) if negative else base
        on = self._step_atom(preferred)
        match self.kink(preferred):
            case None:
                off = self._step_atom(opposite(preferred))
            case "generic":
                off = plus(ONE, on, -1)
                self._kinks[key(preferred)] = preferred
            case (first, second):
                off = plus(plus(ONE, on, -1), self.delta(first, second), -1)
                self._kinks[key(preferred)] = preferred
        return (off, on) if negative else (on, off)

    def _with_same_sign(self, base: Poly) -> Poly:
        """The u inside atan(erf(… u …)): odd and increasing functions keep the sign of their argument."""
        while True:
            lone = is_monomial(base)
            if lone is None or lone[1] != 1:
                return base
            what = self.atoms[lone[0]]
            if what.kind != "function" or what.name not in SIGN_KEEPING or what.orders != (0,):
                return base
            base = what.args[0]

    def _step_atom(self, base: Poly) -> Poly:
        base = self.representative(base)
        atom = self.intern("function", "step", orders=(0,), args=(base,), marks=frozenset({"nonnegative", "binary"}))
        self.special.add(atom)
        return single(atom)
