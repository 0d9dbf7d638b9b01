"""Atoms: what the variables of the polynomials stand for, interned in one table per algebra.

Kinds and their fields: `tensor` (name, indices), `size` (name = sort), `const` (name), `delta` (two indices), `prime`
(name = the prime, for its fractional powers), `function` (name, orders, args), `inverse` (args = one irreducible
polynomial P, the atom is 1/P), `root` (args = one polynomial P; the atom is P itself, only with exponents between 0
and 1), `sum` (indices = the bound ones, args = one monomial), `maximum` (one bound index, one polynomial).

An atom is always newer, and so has a greater number, than the atoms inside it: walking the numbers upwards visits
insides first, which replaces recursion everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from backproof.algebra.budget import Limits, Meter, OutOfBudget
from backproof.algebra.polynomial import Exponent, Key, Monomial, Poly, degree, key
from backproof.language.expression import Index
from backproof.language.program import Assumption

Kind = Literal["tensor", "size", "const", "delta", "prime", "function", "inverse", "root", "sum", "maximum"]
RankKey = tuple[tuple[int, Exponent], ...]


@dataclass(slots=True, eq=False)
class Atom:
    """One variable of the polynomials.

    `free` are its free indices, `height` exceeds the heights of the sums inside, `rank` is the same for atoms that
    differ only in the names of indices, `marks` are properties: `positive`, `binary`, `sign` (−1 or 1), `varied` (an
    unconstrained real entry), `nonzero`.
    """

    kind: Kind
    name: str
    indices: tuple[Index, ...]
    orders: tuple[int, ...]
    args: tuple[Poly, ...]
    free: frozenset[Index]
    height: int
    rank: int
    marks: frozenset[str]


class Atoms:
    """The table of atoms, with what is assumed of the named tensors."""

    def __init__(self, assumptions: Iterable[Assumption] = (), *, limits: Limits | None = None) -> None:
        self.meter = Meter(limits or Limits())
        self.atoms: list[Atom] = []
        self.special: set[int] = set()
        self.assumed: dict[str, list[Assumption]] = {}
        self.piecewise: frozenset[str] = frozenset()
        for assumption in assumptions:
            self.assumed.setdefault(assumption.tensor, []).append(assumption)
        self._numbers: dict[tuple[object, ...], int] = {}
        self._ranks: dict[object, int] = {}
        self._inside: dict[int, frozenset[int]] = {}

    @property
    def limits(self) -> Limits:
        """The bounds of this algebra."""
        return self.meter.limits

    def intern(
        self,
        kind: Kind,
        name: str = "",
        indices: tuple[Index, ...] = (),
        *,
        orders: tuple[int, ...] = (),
        args: tuple[Poly, ...] = (),
        marks: frozenset[str] = frozenset(),
    ) -> int:
        """The number of an atom, a new one if need be."""
        keys: tuple[Key, ...] = tuple(key(p) for p in args)
        found = (kind, name, indices, orders, keys)
        number = self._numbers.get(found)
        if number is not None:
            return number
        inside = {a for p in args for m in p for a, _ in m}
        free = frozenset[Index]().union(*(self.atoms[a].free for a in inside))
        height = max((self.atoms[a].height for a in inside), default=0)
        if kind in ("sum", "maximum"):
            free -= frozenset(indices)
            height += 1
            if height > self.limits.nesting:
                raise OutOfBudget("sums are nested too deeply", expected=f"{self.limits.nesting} levels at most")
        else:
            free |= frozenset(indices)
        number = len(self.atoms)
        rank = self._rank(kind, name, indices, orders, args)
        self.atoms.append(Atom(kind, name, indices, orders, args, free, height, rank, marks))
        self._numbers[found] = number
        return number

    def _rank(
        self, kind: Kind, name: str, indices: tuple[Index, ...], orders: tuple[int, ...], args: tuple[Poly, ...]
    ) -> int:
        pattern: tuple[object, ...] = (
            (len(indices),) if kind in ("sum", "maximum") else tuple(map(indices.index, indices))
        )
        inner = tuple(tuple(sorted((self.rank_of(m), abs(c)) for m, c in p.items())) for p in args)
        return self._ranks.setdefault((kind, name, pattern, orders, inner), len(self._ranks))

    def rank_of(self, monomial: Monomial) -> RankKey:
        """A key that is the same for monomials that differ only in the names of indices."""
        return tuple(sorted((self.atoms[a].rank, e) for a, e in monomial))

    def free_of(self, poly: Poly) -> frozenset[Index]:
        """The free indices of a polynomial."""
        return frozenset[Index]().union(*(self.atoms[a].free for m in poly for a, _ in m))

    def leading(self, poly: Poly) -> Monomial:
        """The leading monomial: by degree and rank; names decide between equals only."""
        return max(poly, key=lambda m: (degree(m), self.rank_of(m), m))

    def is_negative(self, poly: Poly) -> bool:
        """Whether the opposite polynomial is the one to prefer; independent of names where it can be."""
        groups: dict[tuple[Exponent, RankKey], list[Monomial]] = {}
        for monomial in poly:
            groups.setdefault((degree(monomial), self.rank_of(monomial)), []).append(monomial)
        for rank in sorted(groups, reverse=True):
            total = sum(poly[m] for m in groups[rank])
            if total:
                return total < 0
        return poly[max(poly)] < 0

    def inside(self, atoms: Iterable[int]) -> frozenset[int]:
        """The atoms and all atoms inside them."""
        reached: set[int] = set()
        stack = list(atoms)
        while stack:
            atom = stack.pop()
            if atom not in reached:
                reached.add(atom)
                stack.extend(a for p in self.atoms[atom].args for m in p for a, _ in m)
        return frozenset(reached)

    def reach(self, poly: Poly) -> frozenset[int]:
        """All atoms of a polynomial, at any depth."""
        return self.inside(a for m in poly for a, _ in m)
