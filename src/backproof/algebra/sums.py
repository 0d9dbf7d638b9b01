"""Sums and maxima over indices, in a canonical form; and substitution of indices, which has to rebuild them.

A sum over a product opens the inner sums that it runs through, takes out what lacks its index, falls apart into
connected components, and each component gets its bound indices named by its structure (`labelling`). Bound indices are
called `$h.k` with h above every sum inside, so that nothing is ever captured.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from backproof.algebra.budget import Limits
from backproof.algebra.functions import Functions
from backproof.algebra.labelling import Roles, labellings
from backproof.algebra.polynomial import (
    ONE,
    UNIT,
    Coefficient,
    Exponent,
    Monomial,
    Poly,
    accumulate,
    content,
    number,
    numeric_content,
    plus,
    scaled,
    single,
    term,
    whole,
)
from backproof.algebra.rational import is_monomial
from backproof.language.expression import Index
from backproof.language.program import Assumption

Factor = tuple[int, Exponent]


class Sums(Functions):
    """Polynomials with sums and maxima."""

    def __init__(self, assumptions: Iterable[Assumption] = (), *, limits: Limits | None = None) -> None:
        super().__init__(assumptions, limits=limits)
        self._images: dict[tuple[int, frozenset[tuple[Index, Index]]], Poly] = {}
        self._summed: dict[tuple[Index, Monomial], Poly] = {}
        self._fresh = itertools.count()
        self.roles = Roles(self)

    def fresh(self, index: Index) -> Index:
        """An index of the same sort that occurs nowhere."""
        return Index(f"%{next(self._fresh)}", index.sort)

    def substituted(self, poly: Poly, mapping: Mapping[Index, Index]) -> Poly:
        keys = mapping.keys()
        images: dict[int, Poly] = {}
        renamed: dict[int, int] = {}
        for atom in {a for m in poly for a, _ in m}:
            if not (self.atoms[atom].free & keys):
                renamed[atom] = atom
                continue
            image = images[atom] = self.image(atom, mapping)
            lone = is_monomial(image)
            if lone is not None and lone[1] == 1:
                renamed[atom] = lone[0]
        total: Poly = {}
        for monomial, value in poly.items():
            self.meter.spend(1)
            plain: dict[int, Exponent] = {}
            part: Poly = {UNIT: value}
            for atom, exponent in monomial:
                new = renamed.get(atom)
                if new is None:
                    part = self.times(part, self.power(images[atom], exponent))
                else:
                    plain[new] = plain.get(new, 0) + exponent
            moved = tuple(sorted((a, whole(e)) for a, e in plain.items() if e))
            if len(part) == 1 and UNIT in part and not any(a in self.special for a in plain):
                accumulate(total, {moved: part[UNIT]})
            else:
                accumulate(total, self.times(part, self.reduced(moved)))
        return total

    def image(self, atom: int, mapping: Mapping[Index, Index]) -> Poly:
        """An atom with free indices replaced; the atoms inside it first, so that depth costs no recursion."""
        keys = mapping.keys()
        top = self._image_name(atom, mapping)
        if top not in self._images:
            needed: set[int] = set()
            stack = [atom]
            while stack:
                current = stack.pop()
                if current in needed or not (self.atoms[current].free & keys):
                    continue
                if self._image_name(current, mapping) in self._images:
                    continue
                needed.add(current)
                stack.extend(a for p in self.atoms[current].args for m in p for a, _ in m)
            for current in sorted(needed):
                self._images[self._image_name(current, mapping)] = self._rebuilt(current, mapping)
        return self._images[top]

    def _image_name(self, atom: int, mapping: Mapping[Index, Index]) -> tuple[int, frozenset[tuple[Index, Index]]]:
        free = self.atoms[atom].free
        return atom, frozenset((i, j) for i, j in mapping.items() if i in free)

    def _rebuilt(self, atom: int, mapping: Mapping[Index, Index]) -> Poly:
        what = self.atoms[atom]
        match what.kind:
            case "tensor":
                return self.entry(what.name, tuple(mapping.get(i, i) for i in what.indices))
            case "delta":
                left, right = (mapping.get(i, i) for i in what.indices)
                return self.delta(left, right)
            case "function":
                return self.applied(what.name, tuple(self.substituted(p, mapping) for p in what.args), what.orders)
            case "inverse":
                return self.inverse(self.substituted(what.args[0], mapping))
            case "root":
                return self.substituted(what.args[0], mapping)
            case "sum":
                poly = self.substituted(what.args[0], mapping)
                for index in what.indices:
                    poly = self.sum(index, poly)
                return poly
            case "maximum":
                return self.maximum(what.indices[0], self.substituted(what.args[0], mapping))
            case _:
                return single(atom)

    def sum(self, index: Index, poly: Poly) -> Poly:
        """The sum over an index."""
        total: Poly = {}
        for monomial, value in poly.items():
            name = (index, monomial)
            known = self._summed.get(name)
            if known is None:
                self.meter.spend(20)
                known = self._summed[name] = self._sum_of(index, monomial)
            accumulate(total, known, value)
        return total

    def _sum_of(self, index: Index, monomial: Monomial) -> Poly:
        for atom, _ in monomial:
            what = self.atoms[atom]
            if what.kind == "delta" and index in what.indices:
                other = what.indices[0] if what.indices[1] == index else what.indices[1]
                return self.substituted({tuple(f for f in monomial if f[0] != atom): 1}, {index: other})
        outside = tuple(f for f in monomial if index not in self.atoms[f[0]].free)
        dependent = [f for f in monomial if index in self.atoms[f[0]].free]
        if not dependent:
            return self.times({outside: 1}, self.size(index.sort))
        bound = [index]
        inner = ONE
        for atom, exponent in dependent:
            what = self.atoms[atom]
            if what.kind == "sum" and exponent > 0 and exponent.denominator == 1:
                for _ in range(exponent.numerator):
                    indices, body = self.opened(atom)
                    bound.extend(indices)
                    inner = self.times(inner, body)
            else:
                inner = self.times(inner, single(atom, exponent))
        total: Poly = {}
        for m, value in inner.items():
            accumulate(total, self._closed(bound, m), value)
        return self.times({outside: 1}, total)

    def opened(self, atom: int) -> tuple[list[Index], Poly]:
        """The body of a sum with fresh indices in place of the bound ones."""
        what = self.atoms[atom]
        renaming = {i: self.fresh(i) for i in what.indices}
        return list(renaming.values()), self.substituted(what.args[0], renaming)

    def _closed(self, bound: Sequence[Index], monomial: Monomial) -> Poly:
        """The sum over all of `bound`, as a product over connected components."""
        indices = frozenset(bound)
        if any(self._needs_opening(f, indices) for f in monomial):
            poly: Poly = {monomial: 1}
            for index in bound:
                poly = self.sum(index, poly)
            return poly
        left = [f for f in monomial if self.atoms[f[0]].free & indices]
        result: Poly = {tuple(f for f in monomial if not (self.atoms[f[0]].free & indices)): 1}
        waiting = list(bound)
        while waiting:
            component = {waiting[0]}
            factors: list[Factor] = []
            grown = True
            while grown:
                grown = False
                for factor in list(left):
                    touched = self.atoms[factor[0]].free & indices
                    if touched & component:
                        left.remove(factor)
                        factors.append(factor)
                        component |= touched
                        grown = True
            waiting = [i for i in waiting if i not in component]
            own = [i for i in bound if i in component]
            result = self.times(result, self._component(own, factors) if factors else self.size(own[0].sort))
        return result

    def _needs_opening(self, factor: Factor, indices: frozenset[Index]) -> bool:
        what = self.atoms[factor[0]]
        if not (what.free & indices):
            return False
        return what.kind == "delta" or (what.kind == "sum" and factor[1] > 0 and factor[1].denominator == 1)

    def _component(self, bound: list[Index], factors: list[Factor]) -> Poly:
        """A connected sum, by the first of its labellings; 0 where a symmetry of the sum changes its sign."""
        for k, (atom, exponent) in enumerate(factors):
            what = self.atoms[atom]
            if exponent == 1 and what.kind == "tensor" and "unit-sum" in what.marks:
                index = what.indices[self.unit_axis(what)]
                others = [self.atoms[a].free for a, _ in factors[:k] + factors[k + 1 :]]
                if index in bound and what.indices.count(index) == 1 and not any(index in f for f in others):
                    rest = [i for i in bound if i != index]
                    return self._closed(rest, tuple(sorted(factors[:k] + factors[k + 1 :])))
        height = 1 + max(self.atoms[a].height for a, _ in factors)
        best: tuple[Monomial, tuple[Index, ...], Coefficient] | None = None
        spread: tuple[Poly, tuple[Index, ...]] | None = None
        for order in labellings(self.roles, bound, factors):
            names = tuple(Index(f"${height}.{k}", i.sort) for k, i in enumerate(order))
            poly = self.substituted({tuple(sorted(factors)): 1}, dict(zip(order, names, strict=True)))
            if not poly:
                return {}
            if len(poly) > 1:  # the renaming changed a leading term
                spread = (poly, names)
                continue
            monomial, value = term(poly)
            if best is None or monomial < best[0]:
                best = (monomial, names, value)
            elif monomial == best[0] and value == -best[2]:
                return {}
        if best is None:
            if spread is None:
                raise AssertionError("a sum has at least one labelling")
            return self._spread(*spread)
        monomial, names, value = best
        return scaled(self._sum_atom(names, monomial), value)

    def _sum_atom(self, names: tuple[Index, ...], monomial: Monomial) -> Poly:
        """Σ over the names, where the monomial is known to be in its form; some names may have vanished from it."""
        free = self.free_of({monomial: 1})
        kept = tuple(i for i in names if i in free)
        result = ONE
        for index in names:
            if index not in free:
                result = self.times(result, self.size(index.sort))
        if not kept:
            return self.times(result, {monomial: 1})
        indices = frozenset(kept)
        outside = tuple(f for f in monomial if not (self.atoms[f[0]].free & indices))
        inside = tuple(f for f in monomial if self.atoms[f[0]].free & indices)
        marks = self.sign_marks({inside: 1})
        atom = self.intern("sum", indices=kept, args=({inside: 1},), marks=marks)
        return self.times(result, self.times({outside: 1}, single(atom)))

    def _spread(self, poly: Poly, names: tuple[Index, ...]) -> Poly:
        total: Poly = {}
        for monomial, value in poly.items():
            indices = frozenset(names)
            if any(self._needs_opening(f, indices) for f in monomial):
                fresh = {i: self.fresh(i) for i in names}
                part = self.substituted({monomial: 1}, fresh)
                for index in fresh.values():
                    part = self.sum(index, part)
            else:
                part = self._sum_atom(names, monomial)
            accumulate(total, part, value)
        return total

    def maximum(self, index: Index, poly: Poly) -> Poly:
        """The maximum over an index: what lacks the index is a shift or, if positive, a scale."""
        inside = {m: c for m, c in poly.items() if any(index in self.atoms[a].free for a, _ in m)}
        shift = {m: c for m, c in poly.items() if m not in inside}
        if not inside:
            return shift
        scale: Poly = {UNIT: numeric_content(inside.values())}
        common = tuple(
            (a, e)
            for a, e in sorted(content(inside).items())
            if index not in self.atoms[a].free and "positive" in self.atoms[a].marks
        )
        if common:
            scale = self.times(scale, {common: 1})
        inside = self.times(inside, self.power(scale, -1))
        height = 1 + max(self.atoms[a].height for m in inside for a, _ in m)
        name = Index(f"${height}.0", index.sort)
        inside = self.representative(self.substituted(inside, {index: name}))
        value = number(inside)
        if value is not None:
            return plus(shift, scaled(scale, value))
        atom = self.intern("maximum", indices=(name,), args=(inside,), marks=self.sign_marks(inside))
        return plus(shift, self.times(scale, single(atom)))
