"""What is known of signs: which polynomials are positive, and off which kinks 1 − [u > 0] is [−u > 0]."""

from __future__ import annotations

from typing import Literal

from backproof.algebra.atoms import Atom
from backproof.algebra.budget import Undefined
from backproof.algebra.polynomial import UNIT, Monomial, Poly
from backproof.algebra.rational import Rational
from backproof.language.expression import Index

Sign = Literal["positive", "nonnegative"] | None


class Signs(Rational):
    """Signs of atoms, monomials and polynomials, from what they are and what is assumed."""

    def monomial_sign(self, monomial: Monomial) -> Sign:
        """What is known of the sign of a monomial, wherever it is defined."""
        strict = True
        for atom, exponent in monomial:
            marks = self.atoms[atom].marks
            if "positive" in marks:
                continue
            even = exponent.denominator == 1 and exponent.numerator % 2 == 0
            if even and (exponent < 0 or "nonzero" in marks):
                continue
            if not even and "nonnegative" not in marks and "binary" not in marks:
                return None
            strict = False
        return "positive" if strict else "nonnegative"

    def sign(self, poly: Poly) -> Sign:
        """`positive` or `nonnegative` where the polynomial is known to be, wherever it is defined."""
        if not poly:
            return "nonnegative"
        floor = 0
        strict = False
        for monomial, value in poly.items():
            if value < 0 and monomial and all(self._in_unit(a) and e > 0 for a, e in monomial):
                floor += value
                strict = strict or any("unit" in self.atoms[a].marks for a, _ in monomial)
                continue
            known = self.monomial_sign(monomial)
            if known is None or (value < 0 and monomial):
                return None
            if monomial == UNIT:
                floor += value
            elif known == "positive":
                strict = True
        if floor < 0:
            return None
        return "positive" if strict or floor > 0 else "nonnegative"

    def _in_unit(self, atom: int) -> bool:
        marks = self.atoms[atom].marks
        return "unit" in marks or "binary" in marks

    def is_positive(self, poly: Poly) -> bool:
        """Whether the polynomial is known to be above 0 wherever it is defined."""
        return self.sign(poly) == "positive"

    def sign_marks(self, poly: Poly) -> frozenset[str]:
        """Marks for an atom that has the sign of the polynomial."""
        match self.sign(poly):
            case "positive":
                return frozenset({"positive", "nonzero", "nonnegative"})
            case "nonnegative":
                return frozenset({"nonnegative"})
            case _:
                return frozenset()

    def kink(self, poly: Poly) -> tuple[Index, Index] | Literal["generic"] | None:
        """Where [−u > 0] = 1 − [u > 0]: almost everywhere (`generic`), also off i = j (a pair), or not known (None).

        A sum runs through i = j, so a u that vanishes there is not "off the kink"; and a u that may vanish on a whole
        region (a maximum, a mask, a polynomial in sizes) has no such rule at all.
        """
        by_sort: dict[str, list[Index]] = {}
        for index in sorted(self.free_of(poly)):
            by_sort.setdefault(index.sort, []).append(index)
        together = {i: group[0] for group in by_sort.values() for i in group[1:]}
        if not together:
            return "generic" if self._is_generic(poly) else None
        try:
            merged = self.substituted(poly, together)
        except Undefined:
            return None
        if merged:
            return "generic" if self._is_generic(merged) else None
        if len(together) == 1 and self._is_generic(poly):
            ((second, first),) = together.items()
            return first, second
        return None

    def _is_generic(self, poly: Poly) -> bool:
        """Whether the polynomial surely vanishes only on a set without volume, for every size."""
        reached = [self.atoms[a] for a in self.reach(poly)]
        plain = all(_is_plain(atom) for atom in reached)
        if plain and len(poly) == 1:
            return UNIT not in poly
        if plain and all(atom.kind == "tensor" or atom.name == "exp" for atom in reached):
            # Exponentials of different monomials are algebraically independent: what is not 0 as a polynomial is not
            # the zero function, and an analytic function vanishes on a set without volume.
            return True
        if self._is_constant_without_one_tensor(poly):
            return True
        if plain and all(value > 0 for value in poly.values()):
            return True
        return any(self._is_free_entry(monomial, poly) for monomial in poly)

    def _is_constant_without_one_tensor(self, poly: Poly) -> bool:
        """Whether some tensor is a factor of every monomial but a constant: taken to 0, it leaves the constant."""
        rest = [m for m in poly if m != UNIT]
        if UNIT not in poly or not rest:
            return False
        for candidate in {a for a, e in rest[0] if e > 0 and "varied" in self.atoms[a].marks}:
            name = self.atoms[candidate].name
            direct = {
                a for m in rest for a, e in m if e > 0 and self.atoms[a].kind == "tensor" and self.atoms[a].name == name
            }
            others = self.inside([a for m in rest for a, _ in m if a not in direct])
            if all(any(a in direct for a, _ in m) for m in rest) and all(self.atoms[a].name != name for a in others):
                return True
        return False

    def _is_free_entry(self, monomial: Monomial, poly: Poly) -> bool:
        """Whether the monomial is a positive factor times an entry of a tensor that occurs nowhere else."""
        varied = [a for a, e in monomial if "varied" in self.atoms[a].marks and e == 1]
        others = [a for a, _ in monomial if a not in varied]
        if len(varied) != 1 or not all("positive" in self.atoms[a].marks for a in others):
            return False
        elsewhere = self.inside([*others, *(a for m in poly if m != monomial for a, _ in m)])
        return all(self.atoms[a].name != self.atoms[varied[0]].name for a in elsewhere)


def _is_plain(atom: Atom) -> bool:
    """An entry, a size, an exponential, a sum of products of such: analytic, and above 0 where all entries are 1."""
    match atom.kind:
        case "tensor":
            return "varied" in atom.marks
        case "sum":
            return all(e > 0 for m in atom.args[0] for _, e in m)
        case "function":
            return atom.name == "exp"
        case "size" | "const" | "prime":
            return True
        case _:
            return False
