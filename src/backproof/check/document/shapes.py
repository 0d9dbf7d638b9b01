"""Shapes that a document leaves to its reader: from bold letters, subscripts, declarations and what fits together."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from backproof.check.worksheet.reading import name_of
from backproof.language.notation import (
    Absolute,
    Big,
    Bracketed,
    Call,
    Derivative,
    Entry,
    Marked,
    Negative,
    Norm,
    Notation,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Relation,
    Symbol,
    Transposed,
)
from backproof.language.reading import letter_of
from backproof.language.symbols import written_key
from backproof.language.traversal import fold, parts

_SORTS: Final = ("n", "m", "k", "p", "q", "r", "s", "d", "h", "u", "v", "w")
Axis = str | None
Shape = tuple[Axis, Axis] | None


@dataclass
class Shapes:
    """Sizes of names, found by letting everything fit together."""

    ranks: Mapping[str, int]
    given: Mapping[str, tuple[str, ...]]
    square: AbstractSet[str] = frozenset()
    _parent: dict[str, str] = field(default_factory=dict[str, str])
    _letters: dict[str, str] = field(default_factory=dict[str, str])
    _bounds: set[str] = field(default_factory=set[str])
    _count: itertools.count[int] = field(default_factory=itertools.count)

    def sizes(self, formulas: Iterable[Notation]) -> dict[str, tuple[str, ...]]:
        """The sizes of all names with axes."""
        for name in self.square:
            if self.ranks.get(name) == 2:
                self._unify(*self._axes(name, 2))
        for formula in formulas:
            self._letters = {}
            fold(formula, self._rule)
        taken: dict[str, str] = {}
        declared = {s for sizes in self.given.values() for s in sizes} | self._bounds
        for size in declared:
            taken[self._find(f"={size}")] = size
        free = (s for s in itertools.chain(_SORTS, map("n{}".format, itertools.count(2))) if s not in declared)
        found: dict[str, tuple[str, ...]] = {}
        for name, rank in self.ranks.items():
            axes = [self._find(axis) for axis in self._axes(name, rank)]
            for axis in axes:
                if axis not in taken:
                    taken[axis] = next(free)
            found[name] = tuple(taken[axis] for axis in axes)
        return found

    def _axes(self, name: str, rank: int) -> tuple[str, ...]:
        if name in self.given:
            return tuple(f"={size}" for size in self.given[name])
        return tuple(f"{name}.{k}" for k in range(rank))

    def _find(self, axis: str) -> str:
        while (above := self._parent.get(axis, axis)) != axis:
            axis = above
        return axis

    def _unify(self, left: Axis, right: Axis) -> None:
        if left is not None and right is not None:
            a, b = self._find(left), self._find(right)
            # A declared size stays the name of its class, and two declared sizes stay two.
            if a != b and not (a.startswith("=") and b.startswith("=")):
                self._parent.update({b: a} if a.startswith("=") else {a: b})

    def _size(self, size: str) -> str:
        """The axis class of a size that a sum names as its bound."""
        self._bounds.add(size)
        return f"={size}"

    def _letter(self, letter: str) -> str:
        return self._letters.setdefault(letter, f"?{next(self._count)}")

    def _rule(self, node: Notation, inside: tuple[Shape, ...]) -> Shape:
        match node:
            case Symbol():
                return self._symbol(node)
            case Transposed():
                return (inside[0][1], inside[0][0]) if inside[0] else None
            case Relation((left, right)) if (a := letter_of(left)) and (b := letter_of(right)):
                if a in self._letters or b in self._letters:
                    self._unify(self._letter(a), self._letter(b))
                return None
            case Plus() | Relation():
                return self._same(inside)
            case Product(sign, _):
                return self._product(sign, inside)
            case Quotient():
                return inside[0] or inside[1]
            case Power() | Negative() | Bracketed() | Marked() | Absolute():
                return inside[0]
            case Call(Symbol("tr" | "Tr" | "trace" | "diag"), (_,)) if inside[1] is not None:
                first, second = inside[1]
                self._unify(first, second)
                # diag(v) is square; a trace is a number.
                return (first, first) if second is None and node.function == Symbol("diag") else None
            case Call(Symbol() as function, (_,), 0) if inside[0] is not None and self.ranks.get(function.name) == 2:
                return self._product("", inside[:2])
            case Call(_, arguments):
                return self._same(inside[1 : 1 + len(arguments)])
            case Entry(_, indices):
                body = inside[0]
                for index, axis in zip(indices, [a for a in body or () if a is not None], strict=False):
                    if (letter := letter_of(index)) is not None:
                        self._unify(self._letter(letter), axis)
                return None
            case Big(_, _, indices, _, upper):
                if indices and isinstance(upper, Symbol) and (size := written_key(upper)) is not None:
                    self._unify(self._letter(indices[-1]), self._size(size))
                for index in indices:
                    self._letters.pop(index, None)
                return inside[0] if indices else None
            case Derivative(of, _):
                return inside[-1] if of is None or inside[0] is None else None
            case Norm() | Number():
                return None
            case _:
                return None

    def _symbol(self, node: Symbol) -> Shape:
        for name, letters in uses(node):
            if name in self.ranks and self.ranks[name] >= len(letters):
                axes = self._axes(name, self.ranks[name])
                for letter, axis in zip(letters, axes, strict=False):
                    self._unify(self._letter(letter), axis)
                left = axes[len(letters) :] if letters else axes
                return (left[0], left[1] if len(left) > 1 else None) if left else None
        return None

    def _same(self, shapes: Iterable[Shape]) -> Shape:
        first: Shape = None
        for shape in shapes:
            if shape is not None and first is not None:
                self._unify(first[0], shape[0])
                self._unify(first[1], shape[1])
            first = first or shape
        return first

    def _product(self, sign: str, shapes: Iterable[Shape]) -> Shape:
        total: Shape = None
        for shape in shapes:
            if shape is None or total is None:
                total = total or shape
            elif sign == "⊙" or (sign == "*" and self._alike(total, shape)):
                total = self._same((total, shape))
            elif total[1] is not None and shape[0] is not None:
                self._unify(total[1], shape[0])
                total = (total[0], shape[1]) if total[0] is not None or shape[1] is not None else None
            elif total[1] is None and shape[1] is None and sign == "·":
                self._unify(total[0], shape[0])
                total = None
            elif total[1] is None and shape[0] is None:
                total = (total[0], shape[1])
            else:
                total = self._same((total, shape))
        return total

    def _alike(self, left: tuple[Axis, Axis], right: tuple[Axis, Axis]) -> bool:
        return [a is None for a in left] == [a is None for a in right]


def uses(symbol: Symbol) -> list[tuple[str, tuple[str, ...]]]:
    """The names that a symbol may stand for, each with the index letters that it then carries."""
    if not symbol.subscripts:
        alone = name_of(symbol)
        return [] if alone is None else [(alone, ())]
    plain = Symbol(symbol.name, (), symbol.label, symbol.accent, symbol.star)
    letters: list[str] = []
    fixed: list[Notation] = []
    for sub in symbol.subscripts:
        inner = parts(sub) if isinstance(sub, Product) else (sub,)
        for item in inner:
            letter = letter_of(item)
            if letter is not None:
                letters.append(letter)
            elif isinstance(item, Symbol) and 2 <= len(item.name) <= 3 and item.name.isalpha():
                letters.extend(item.name)
            else:
                fixed.append(item)
    found: list[tuple[str, tuple[str, ...]]] = []
    whole = name_of(symbol)
    if not letters and whole is not None:
        found.append((whole, ()))
    if not fixed:
        for base in (plain, _swapped(plain)) if letters else (plain,):
            name = name_of(base)
            if name is not None:
                found.append((name, tuple(letters)))
    elif letters:
        name = name_of(Symbol(symbol.name, tuple(fixed), symbol.label, symbol.accent, symbol.star))
        if name is not None:
            found.append((name, tuple(letters)))
    if whole is not None and letters:
        found.append((whole, ()))
    return found


def _swapped(symbol: Symbol) -> Symbol:
    return Symbol(symbol.name.swapcase() if len(symbol.name) == 1 else symbol.name, (), symbol.label, symbol.accent)
