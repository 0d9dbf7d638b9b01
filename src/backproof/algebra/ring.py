"""Products of polynomials under the relations of the atoms.

The relations: an indicator, a Kronecker delta and a 0/1 entry are their own squares, a −1/1 entry has the square 1,
δ(i, j) x_j = δ(i, j) x_i, a whole power of a root or prime is a polynomial, and lead(P) · (1/P) = (1 − rest/P)/c, which
gives univariate partial fractions for free.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from fractions import Fraction

from backproof.algebra.atoms import Atom, Atoms
from backproof.algebra.budget import Limits, OutOfBudget
from backproof.algebra.polynomial import (
    ONE,
    UNIT,
    ZERO,
    Coefficient,
    Exponent,
    Monomial,
    Poly,
    accumulate,
    atoms_of,
    constant,
    joined,
    scaled,
    single,
    whole,
)
from backproof.language.expression import Index
from backproof.language.program import Assumption


class Ring(Atoms):
    """Polynomials in atoms; what needs functions, roots or inverses is left to the classes above."""

    def __init__(self, assumptions: Iterable[Assumption] = (), *, limits: Limits | None = None) -> None:
        super().__init__(assumptions, limits=limits)
        self._reduced: dict[Monomial, Poly] = {}
        self._leads: dict[int, tuple[Monomial, Coefficient, Poly]] = {}

    @abstractmethod
    def inverse(self, poly: Poly) -> Poly:
        """1 / poly."""

    @abstractmethod
    def substituted(self, poly: Poly, mapping: Mapping[Index, Index]) -> Poly:
        """The polynomial with free indices replaced."""

    def entry(self, name: str, indices: tuple[Index, ...]) -> Poly:
        """An entry of a named tensor, with what is assumed of the tensor."""
        marks = set[str]() if name in self.piecewise else {"varied"}
        for assumption in self.assumed.get(name, ()):
            match assumption.property:
                case "equals":
                    return constant(assumption.value if assumption.value is not None else Fraction(0))
                case "symmetric":
                    indices = tuple(sorted(indices))
                case "positive" | "in-unit-interval":
                    marks |= {"positive", "nonzero"}
                    if assumption.property == "in-unit-interval":
                        marks.add("unit")
                case "binary":
                    marks = (marks - {"varied"}) | {"binary"}
                case "plus-minus-one":
                    marks = (marks - {"varied"}) | {"sign", "nonzero"}
                case "nonzero":
                    marks.add("nonzero")
                case "unit-sum":
                    marks = (marks - {"varied"}) | {"unit-sum"}
        atom = self.intern("tensor", name, indices, marks=frozenset(marks))
        if "binary" in marks or "sign" in marks:
            self.special.add(atom)
        return single(atom)

    def size(self, sort: str) -> Poly:
        """The size of a sort."""
        if sort.isdigit():
            return constant(int(sort))
        return single(self.intern("size", sort, marks=frozenset({"positive", "nonzero"})))

    def delta(self, left: Index, right: Index) -> Poly:
        """Kronecker's delta."""
        if left == right:
            return ONE
        atom = self.intern("delta", "", (min(left, right), max(left, right)))
        self.special.add(atom)
        return single(atom)

    def times(self, left: Poly, right: Poly) -> Poly:
        """The product."""
        if len(left) > len(right):
            left, right = right, left
        if not left:
            return ZERO
        if len(left) == 1 and UNIT in left:
            return scaled(right, left[UNIT])
        special = self.special
        plain = special.isdisjoint(atoms_of(left)) and special.isdisjoint(atoms_of(right))
        total: Poly = {}
        for first, c1 in left.items():
            self.meter.spend(len(right))
            self.meter.terms(len(total))
            for second, c2 in right.items():
                monomial = joined(first, second)
                value = c1 * c2
                if not plain and any(a in special for a, _ in monomial):
                    accumulate(total, self.reduced(monomial), value)
                    continue
                old = total.get(monomial)
                if old is not None:
                    value += old
                if value:
                    total[monomial] = value
                elif old is not None:
                    del total[monomial]
        return total

    def product(self, factors: Iterable[Poly]) -> Poly:
        """The product of all factors."""
        total = ONE
        for factor in factors:
            total = self.times(total, factor)
        return total

    def raised(self, poly: Poly, exponent: int) -> Poly:
        """A whole power, 0 or more."""
        if len(poly) == 1:
            ((monomial, value),) = poly.items()
            self._check_bits(value, exponent)
            return scaled(
                self.reduced(tuple((a, whole(e * exponent)) for a, e in monomial) if exponent else UNIT),
                whole(value**exponent),
            )
        if exponent > 1 and exponent * (len(poly) - 1) >= self.limits.terms:
            raise OutOfBudget(
                "a power has too many terms", expected=f"{self.limits.terms} terms at most", got=f"power {exponent}"
            )
        result = ONE
        for _ in range(exponent):
            result = self.times(result, poly)
        return result

    def _check_bits(self, value: Coefficient, exponent: int) -> None:
        bits = max(value.numerator.bit_length(), value.denominator.bit_length())
        if bits > 1 and bits * abs(exponent) > self.limits.bits:
            raise OutOfBudget("a number is too large", expected=f"{self.limits.bits} bits at most")

    def reduced(self, monomial: Monomial) -> Poly:
        """The monomial with all relations applied."""
        known = self._reduced.get(monomial)
        if known is not None:
            return known
        total: Poly = {}
        pending: list[tuple[Monomial, Coefficient]] = [(monomial, 1)]
        while pending:
            current, value = pending.pop()
            self.meter.spend(3)
            step = self._reduced.get(current)
            if step is not None:
                accumulate(total, step, value)
                continue
            step = self._reduction(current)
            if step is None:
                accumulate(total, {current: value})
            else:
                self.meter.terms(len(pending) + len(step))
                pending.extend((m, whole(c * value)) for m, c in step.items())
        self._reduced[monomial] = total
        return total

    def _reduction(self, monomial: Monomial) -> Poly | None:
        """The monomial with one relation applied, None where no relation applies."""
        for atom, exponent in monomial:
            if atom in self.special:
                step = self._relation(atom, self.atoms[atom], exponent, monomial)
                if step is not None:
                    return step
        return None

    def _relation(self, atom: int, what: Atom, exponent: Exponent, monomial: Monomial) -> Poly | None:
        match what.kind:
            case "tensor" if "binary" in what.marks:
                return self._with(monomial, atom, 1) if exponent != 1 else self._one_hot(atom, what, monomial)
            case "tensor":
                if exponent.denominator == 1 and exponent != 1:
                    return self._with(monomial, atom, exponent.numerator % 2)
                return None
            case "function":
                return self._with(monomial, atom, 1) if exponent != 1 else None
            case "delta":
                return self._with(monomial, atom, 1) if exponent != 1 else self._delta(atom, what, monomial)
            case "prime":
                if 0 < exponent < 1:
                    return None
                down = exponent.numerator // exponent.denominator
                self._check_bits(int(what.name), down)
                return scaled(self._with(monomial, atom, exponent - down), Fraction(int(what.name)) ** down)
            case "root":
                if 0 < exponent < 1:
                    return None
                down = exponent.numerator // exponent.denominator
                rest = self._with(monomial, atom, exponent - down)
                base = what.args[0]
                return self.times(rest, self.raised(base, down) if down > 0 else self.raised(self.inverse(base), -down))
            case "inverse":
                if exponent < 0:
                    return self.times(self._with(monomial, atom, 0), self.raised(what.args[0], -exponent.numerator))
                return self._partial_fraction(atom, monomial)
            case _:
                return None

    @staticmethod
    def _with(monomial: Monomial, atom: int, exponent: Exponent) -> Poly:
        new = whole(exponent)
        return {tuple((a, new if a == atom else e) for a, e in monomial if a != atom or new): 1}

    def _delta(self, atom: int, what: Atom, monomial: Monomial) -> Poly | None:
        left, right = what.indices
        rest = tuple((a, e) for a, e in monomial if a != atom)
        if not any(right in self.atoms[a].free for a, _ in rest):
            return None
        return self.times(single(atom), self.substituted({rest: 1}, {right: left}))

    def _one_hot(self, atom: int, what: Atom, monomial: Monomial) -> Poly | None:
        """Of a one-hot row, two different entries have the product 0: y_i y_j = δ(i, j) y_i."""
        if "unit-sum" not in what.marks:
            return None
        axis = self.unit_axis(what)
        for other, _ in monomial:
            there = self.atoms[other]
            if other > atom and there.kind == "tensor" and there.name == what.name:
                pairs = [(i, j) for i, j in zip(what.indices, there.indices, strict=True) if i != j]
                if len(pairs) == 1 and what.indices[axis] != there.indices[axis]:
                    return self.times(self.delta(*pairs[0]), self._with(monomial, other, 0))
        return None

    def unit_axis(self, what: Atom) -> int:
        """The axis over which the entries of a tensor with a unit sum add up to 1; −1 is the last."""
        for assumption in self.assumed.get(what.name, ()):
            if assumption.property == "unit-sum" and assumption.axis is not None:
                return assumption.axis
        return -1

    def _partial_fraction(self, atom: int, monomial: Monomial) -> Poly | None:
        lead, value, rest = self._leads[atom]
        exponents = dict(monomial)
        if any(exponents.get(a, 0) < e for a, e in lead):
            return None
        base = joined(monomial, tuple((a, -e) for a, e in lead))
        once = joined(base, ((atom, -1),))
        result: Poly = {once: Fraction(1) / value}
        for other, c in rest.items():
            accumulate(result, {joined(base, other): whole(Fraction(-c) / value)})
        return result

    def inverse_atom(self, poly: Poly) -> int:
        """The atom 1/P of an irreducible polynomial P."""
        atom = self.intern("inverse", args=(poly,), marks=self.sign_marks(poly))
        if atom not in self._leads:
            lead = self.leading(poly)
            self._leads[atom] = (lead, poly[lead], {m: c for m, c in poly.items() if m != lead})
            self.special.add(atom)
        return atom

    @abstractmethod
    def sign_marks(self, poly: Poly) -> frozenset[str]:
        """`positive` and `nonzero` where the polynomial is known to be."""
