"""One reading of a formula: what has been chosen, found out and noted so far, and the walk over the notation."""

from __future__ import annotations

import string
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from backproof.errors import BackproofError, FormulaError, Place, ShapeError
from backproof.language.choices import Choices
from backproof.language.expression import Expr, Index, reindex, sum_over
from backproof.language.notation import NO_SPAN, Bracketed, Marked, Notation, Number, ProductSign, Symbol
from backproof.language.products import Multiplication, Way
from backproof.language.scope import Scope
from backproof.language.shapes import Algebra, Typed
from backproof.language.sorts import Sorts

Steps = Generator[Notation, Typed, Typed]
"""A rule for one kind of notation: it yields parts, is sent the meaning of each, and returns its own."""

Rule = Callable[["Reader", Notation], Steps]

_Option = TypeVar("_Option")


@dataclass(frozen=True, slots=True)
class Source:
    """The text that a formula was read from, for the places of errors."""

    text: str = ""
    name: str | None = None

    def place(self, node: Notation) -> Place | None:
        """The place of the node; None for notation that was not read from a text."""
        if not self.text or node.span == NO_SPAN:
            return None
        return Place(self.text, *node.span, self.name)


@dataclass(frozen=True, slots=True)
class Given:
    """What is given to every reading of a formula.

    `rule` finds the rule for a notation. `flip` is 0 for the layout that the program declares, 1 with vectors the other
    way round, 2 with weights transposed too. With `single`, axes of size 1 are left out: the only unit of a layer is a
    number. `upper_bounds` are the letters that stand above a Σ.
    """

    scope: Scope
    source: Source
    rule: Rule
    flip: int = 0
    single: bool = False
    upper_bounds: frozenset[str] = frozenset()


class Reader:
    """The state of one reading."""

    def __init__(self, given: Given, choices: Choices) -> None:
        self.scope = given.scope
        self.source = given.source
        self.flip = given.flip
        self.single = given.single
        self.upper_bounds = given.upper_bounds
        self._rule = given.rule
        self.choices = choices
        self.sorts = Sorts()
        self.algebra = Algebra(self.sorts)
        self.notes: list[str] = []
        self.letters: dict[str, Index] = {}
        self.bound: dict[str, list[Index]] = {}
        self.local_sizes: dict[str, str] = {}
        self.only_examples: set[str] = set()
        self.summed_except: frozenset[str] | None = None
        self._kinds: dict[str, str] = {}
        self._axes = 0

    @property
    def row_vectors(self) -> bool:
        """Whether vectors are rows in this reading."""
        return self.scope.program.row_vectors != (self.flip > 0)

    def read(self, root: Notation) -> Typed:
        """The meaning of the notation; an explicit stack of rules, so that nesting cannot break it."""
        stack: list[tuple[Notation, Steps]] = [(root, self._rule(self, root))]
        sent: Typed | None = None
        while True:
            node, steps = stack[-1]
            try:
                part = next(steps) if sent is None else steps.send(sent)
            except StopIteration as finished:
                stack.pop()
                sent = finished.value
                if not stack:
                    return finished.value
            except BackproofError as error:
                raise self._placed(error, node) from None
            else:
                stack.append((part, self._rule(self, part)))
                sent = None

    def _placed(self, error: BackproofError, node: Notation) -> BackproofError:
        if error.place is None:
            error.place = self.source.place(node)
        return error

    def suggestion(self, name: str) -> str | None:
        """What to do about an unknown name; found once only, as it looks at all names."""
        return self.scope.suggestion(name) if self.choices.likeliest else None

    def spelt(self, spelling: str, name: str) -> None:
        """Keeps that a tensor was written so: a letter with two meanings has one of them in the whole formula."""
        kind = name.partition("(")[0]
        if self._kinds.setdefault(spelling, kind) != kind and spelling in self.scope.ambiguous:
            raise FormulaError(f"{spelling} cannot mean two things in one formula")

    @property
    def doublings(self) -> int:
        """How many letters with two meanings were read as what another letter of the formula means too."""
        kinds = list(self._kinds.values())
        return sum(kinds.count(kind) > 1 for spelling, kind in self._kinds.items() if spelling in self.scope.ambiguous)

    def note(self, text: str) -> None:
        """Remembers something to be said about how the text was read."""
        if text not in self.notes:
            self.notes.append(text)

    def pick(self, key: object, options: Sequence[tuple[int, _Option]]) -> _Option:
        """One of the options with their costs; the same for the same key within a reading."""
        return self.choices.pick(key, options)

    def axis(self, sort: str) -> Index:
        """A new axis; its name cannot collide with a letter."""
        self._axes += 1
        return Index(f"•{self._axes}", sort)

    def letter(self, name: str) -> Index:
        """The index that a letter means here; its sort is found from where it is used."""
        if self.bound.get(name):
            return self.bound[name][-1]
        if name not in self.letters:
            self.letters[name] = Index(name, self.sorts.unknown())
        return self.letters[name]

    @contextmanager
    def binding(self, names: Sequence[str]) -> Generator[list[Index]]:
        """Gives the letters a meaning of their own inside a sum."""
        indices = [Index(name, self.sorts.unknown()) for name in names]
        for name, index in zip(names, indices, strict=True):
            self.bound.setdefault(name, []).append(index)
        try:
            yield indices
        finally:
            for name in names:
                self.bound[name].pop()

    def run_over(self, index: Index, sort: str, used_in: str) -> None:
        """Lets an index run over a sort. Raises ShapeError if it already runs over another one."""
        if not self.sorts.unify(index.sort, sort):
            raise ShapeError(
                f"the index {index.name} runs over two sizes",
                expected=f"{index.name} = 1 … {self.sorts.find(index.sort)} as elsewhere in the formula",
                got=f"{index.name} = 1 … {self.sorts.find(sort)} in {used_in}",
            )

    def free_letters(self, expr: Expr) -> dict[str, Index]:
        """The letters of the formula, not bound by a sum, that the expression depends on."""
        return {name: index for name, index in self.letters.items() if index in expr.free}

    def summed(self, expr: Expr, parts: Sequence[Expr]) -> Expr:
        """The expression summed over its repeated letters, where this reading sums them (Einstein's convention)."""
        if self.summed_except is None:
            return expr
        for name, index in self.free_letters(expr).items():
            if name not in self.summed_except and sum(index in part.free for part in parts) > 1:
                expr = sum_over(index, expr)
                self.note(f"the repeated index {name} is summed over")
        return expr

    def product(self, sign: ProductSign, factors: Sequence[Typed]) -> Typed:
        """The product of the factors as the sign and the shapes want it."""

        def choose(ways: Sequence[Way]) -> Way:
            return self.pick(("product", sign, tuple(way[1] for way in ways)), [(way[0], way) for way in ways])

        multiplication = Multiplication(self.algebra, sign, choose)
        result = multiplication.product(factors)
        for note in multiplication.notes:
            self.note(note)
        return result

    def elementwise(self, items: Sequence[Typed], what: str) -> tuple[list[Expr], Typed]:
        """The expressions on common axes, and the shape that they have in common (its expression means nothing)."""
        if not items:
            raise FormulaError("there is nothing between the brackets", expected="what the function is applied to")
        row, column, exprs, broadcast = self.algebra.aligned(items, what)
        if broadcast:
            self.note("a vector is repeated along the other axis of a matrix")
        return exprs, Typed(exprs[0], row, column)

    def settled(self, expr: Expr) -> Expr:
        """The expression with the sorts that are known by now."""
        return self.sorts.settled(expr)

    def unsettled(self, expr: Expr) -> Expr:
        """An expression made from settled ones, with the letters as they are during the reading."""
        from_settled = {self.sorts.settled_index(i): i for i in self._live_indices()}
        return _reindexed(expr, from_settled)

    def _live_indices(self) -> list[Index]:
        return [*self.letters.values(), *(index for stack in self.bound.values() for index in stack)]


def _reindexed(expr: Expr, mapping: dict[Index, Index]) -> Expr:
    return reindex(expr, {old: new for old, new in mapping.items() if old != new})


def bare(node: Notation) -> Notation:
    """The notation inside parentheses and marks."""
    while isinstance(node, Bracketed | Marked):
        node = node.body
    return node


def letter_of(node: Notation) -> str | None:
    """The index letter that the notation is: `i`, `k'`, `i_1`; None for what cannot be an index."""
    node = bare(node)
    if not isinstance(node, Symbol) or node.accent or node.label or node.star:
        return None
    name = node.name
    if not name or not name[0].isalpha() or not (len(name) == 1 or name[1:].strip("'" + string.digits) == ""):
        return None
    for sub in node.subscripts:
        inner = bare(sub)
        if isinstance(inner, Number) and inner.value.denominator == 1:
            name += str(inner.value)
        else:
            return None
    return name
