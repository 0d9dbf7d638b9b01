"""Orders of the bound indices of a sum that depend on its structure only: colour refinement, then all ties.

Source: B. McKay, A. Piperno, Practical graph isomorphism II, J. Symbolic Computation 60 (2014), section 2 (without the
search tree: ties are tried in all orders up to a bound, and the kernel test recovers what is lost beyond it).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from math import factorial, prod

from backproof.algebra.atoms import Atom, Atoms
from backproof.algebra.polynomial import Exponent
from backproof.language.expression import Index

Factor = tuple[int, Exponent]


class Roles:
    """How an index occurs in an atom, as a number that is the same for the same occurrence under other names."""

    def __init__(self, table: Atoms) -> None:
        self.table = table
        self.known: dict[tuple[int, Index], int] = {}
        self.numbers: dict[object, int] = {}

    def role(self, atom: int, index: Index) -> int:
        """The role of an index in an atom."""
        if (atom, index) not in self.known:
            inside = [a for a in self.table.inside([atom]) if index in self.table.atoms[a].free]
            for inner in sorted(inside):
                if (inner, index) not in self.known:
                    self.known[inner, index] = self._new(self.table.atoms[inner], index)
        return self.known[atom, index]

    def _new(self, what: Atom, index: Index) -> int:
        places = tuple(i == index for i in what.indices)
        if what.kind == "delta" or any(a.property == "symmetric" for a in self.table.assumed.get(what.name, ())):
            places = tuple(sorted(places))
        inner = tuple(
            tuple(
                sorted(
                    (self.table.rank_of(m), tuple(sorted((self.known.get((a, index), -1), e) for a, e in m)), abs(c))
                    for m, c in p.items()
                )
            )
            for p in what.args
        )
        return self.numbers.setdefault((what.rank, places, inner), len(self.numbers))


def labellings(roles: Roles, bound: Sequence[Index], factors: Iterable[Factor]) -> Iterator[tuple[Index, ...]]:
    """Orders of the bound indices, at least one, closed under the symmetries of the sum while they are few."""
    if len(bound) == 1:
        yield tuple(bound)
        return
    table = roles.table
    edges = [(a, e, [i for i in bound if i in table.atoms[a].free]) for a, e in factors]
    outer = {
        a: tuple(sorted((i.name, roles.role(a, i)) for i in table.atoms[a].free if i not in bound)) for a, _, _ in edges
    }
    sorts = sorted({i.sort for i in bound})
    colour = {i: sorts.index(i.sort) for i in bound}
    while True:
        signature = {
            i: (
                colour[i],
                sorted(
                    (roles.role(a, i), e, outer[a], sorted((colour[j], roles.role(a, j)) for j in inside if j != i))
                    for a, e, inside in edges
                    if i in inside
                ),
            )
            for i in bound
        }
        order = [found for found, _ in itertools.groupby(sorted(signature.values()))]
        refined = {i: order.index(signature[i]) for i in bound}
        if len(order) == len(set(colour.values())):
            break
        colour = refined
    classes: dict[int, list[Index]] = {}
    for i in bound:
        classes.setdefault(colour[i], []).append(i)
    groups = [classes[c] for c in sorted(classes)]
    if prod(factorial(len(g)) for g in groups) > table.limits.labellings:
        yield tuple(itertools.chain(*groups))
        return
    for choice in itertools.product(*(itertools.permutations(g) for g in groups)):
        yield tuple(itertools.chain(*choice))
