"""Elaboration: what a person wrote, as expressions with checked shapes.

Matrix notation, index notation and mixtures are read by the same rules: a value has a row and a column axis, letters
are free indices beside them. Where a text can be read in several ways, every admissible reading is given, the likeliest
first.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from backproof.errors import BackproofError, FormulaError, ShapeError, UnknownNameError
from backproof.language.application import read_call
from backproof.language.arithmetic import (
    read_absolute,
    read_entry,
    read_inside,
    read_matrix,
    read_negative,
    read_norm,
    read_number,
    read_plus,
    read_power,
    read_product,
    read_quotient,
    read_symbol,
    read_transposed,
    read_words,
)
from backproof.language.choices import Choices, search
from backproof.language.conditions import read_cases, read_comparison, read_indicator
from backproof.language.differentials import read_derivative
from backproof.language.expression import Expr, Index, Size, Tensor, postorder, reindex, sum_over
from backproof.language.notation import (
    Absolute,
    Big,
    Bracketed,
    Call,
    Cases,
    Derivative,
    Entry,
    Indicator,
    Marked,
    Matrix,
    Negative,
    Norm,
    Notation,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Relation,
    RelationSign,
    Symbol,
    Transposed,
    Words,
)
from backproof.language.reading import Given, Reader, Source, Steps
from backproof.language.scope import FunctionMeaning, Scope
from backproof.language.shapes import Typed
from backproof.language.summation import read_big, upper_bound_letters
from backproof.language.traversal import parts
from backproof.language.values import ONLY

MAX_READINGS: Final = 8
MAX_ATTEMPTS: Final = 192
_WORK: Final = 200_000
_AXIS_LETTERS: Final = "ijkpqrstuvw" + string.ascii_letters

__all__ = ["FunctionMeaning", "Reading", "Scope", "Typed", "elaborate"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a relation: its sides on common axes and indices, and what was assumed.

    `signs` has one sign between each two sides; a formula alone is one side. `cost` grows as a reading gets unlikely.
    """

    sides: tuple[Typed, ...]
    signs: tuple[RelationSign, ...] = ()
    notes: tuple[str, ...] = ()
    cost: int = 0


_RULES: Final[Mapping[type[Notation], Callable[[Reader, Any], Steps]]] = MappingProxyType(
    {
        Absolute: read_absolute,
        Big: read_big,
        Bracketed: read_inside,
        Call: read_call,
        Cases: read_cases,
        Derivative: read_derivative,
        Entry: read_entry,
        Indicator: read_indicator,
        Marked: read_inside,
        Matrix: read_matrix,
        Negative: read_negative,
        Norm: read_norm,
        Number: read_number,
        Plus: read_plus,
        Power: read_power,
        Product: read_product,
        Quotient: read_quotient,
        Relation: read_comparison,
        Symbol: read_symbol,
        Transposed: read_transposed,
        Words: read_words,
    }
)


def elaborate(notation: Notation, scope: Scope, text: str = "", source: str | None = None) -> tuple[Reading, ...]:
    """All admissible readings of a formula or relation, the likeliest first, at most 8.

    `text` is what the notation was parsed from, for the places of errors. Raises ShapeError, UnknownNameError or
    FormulaError when there is no reading. If the shapes fit in no reading with vectors as the program declares them,
    they are read the other way round, and a note says so.
    """
    size, bounds = _survey(notation)
    attempts = max(MAX_READINGS, min(MAX_ATTEMPTS, _WORK // size))
    usual = Given(scope, Source(text, source), _rule, upper_bounds=bounds)
    ways = [replace(usual, flip=flip) for flip in range({"declared": 1, "vectors": 2, "all": 3}[scope.layouts])]
    if scope.layouts == "all" and ONLY.sort in scope.sorts:
        ways.append(replace(usual, single=True))
    errors: list[BackproofError] = []
    for given in ways:
        readings: dict[tuple[Any, ...], Reading] = {}
        failed: list[BackproofError] = []

        def attempt(choices: Choices, given: Given = given) -> Reading:
            return _Relation(Reader(given, choices), notation).reading()

        for _, outcome in search(attempt, attempts):
            if isinstance(outcome, BackproofError):
                failed.append(outcome)
                continue
            readings.setdefault((outcome.sides, outcome.signs), outcome)
            if len(readings) == MAX_READINGS:
                break
        if readings:
            return tuple(sorted(readings.values(), key=lambda r: r.cost))
        errors += failed
        if not any(isinstance(error, ShapeError) for error in failed):
            break
    raise _best(errors)


def _best(errors: Sequence[BackproofError]) -> BackproofError:
    """The error of the likeliest reading that knew all names."""
    return next((e for e in errors if not isinstance(e, UnknownNameError)), errors[0])


def _rule(reader: Reader, node: Notation) -> Steps:
    return _RULES[type(node)](reader, node)


def _survey(root: Notation) -> tuple[int, frozenset[str]]:
    """The size of the notation, and the letters that stand as upper bounds of sums."""
    count = 0
    sums: list[Big] = []
    stack = [root]
    while stack:
        node = stack.pop()
        count += 1
        if isinstance(node, Big):
            sums.append(node)
        stack.extend(parts(node))
    return count, upper_bound_letters(sums)


class _Relation:
    """Reads the sides of a relation and brings them to common axes and indices."""

    def __init__(self, reader: Reader, notation: Notation) -> None:
        self._reader = reader
        self._notation = notation
        self._sides = notation.sides if isinstance(notation, Relation) else (notation,)
        self._signs: tuple[RelationSign, ...] = notation.signs if isinstance(notation, Relation) else ()

    def reading(self) -> Reading:
        """The reading under the choices that the reader was given."""
        reader = self._reader
        typed = [reader.read(side) for side in self._sides]
        if reader.letters and reader.pick(("einstein",), [(0, False), (1, True)]):
            # Einstein's convention: a letter that some side holds once in a term is free on all; others are summed.
            reader.summed_except = frozenset()
            once = [set(reader.free_letters(reader.read(side).expr)) for side in self._sides]
            reader.summed_except = frozenset[str]().union(*once) if len(once) > 1 else frozenset()
            typed = [reader.read(side) for side in self._sides]
        if any(self._is_loss(side) for side in typed):
            typed = [self._totalled(side) for side in typed]
        sides = self._unified(typed)
        settled = self._named(sides)
        if reader.flip:
            other = "rows" if reader.row_vectors else "columns"
            reader.note(f"read with vectors as {other}" + (" and weights transposed" if reader.flip > 1 else ""))
        if reader.single:
            reader.note("read with numbers for what has one entry")
        cost = reader.choices.cost + 2 * reader.doublings + 10 * (reader.flip + reader.single)
        return Reading(settled, self._signs, tuple(reader.notes), cost)

    def _unified(self, sides: Sequence[Typed]) -> list[Typed]:
        reader = self._reader
        lead = next((s for s in sides if s.is_matrix), next((s for s in sides if s.is_vector), sides[0]))
        letters = set(reader.free_letters(sides[0].expr))
        unified: list[Typed] = []
        for k, side in enumerate(sides):
            moved = self._onto(side, lead, sides, k)
            unified.append(moved)
            mine = set(reader.free_letters(moved.expr))
            if not mine <= letters and k:
                letters |= mine
        self._check_letters(unified)
        return unified

    def _onto(self, side: Typed, lead: Typed, sides: Sequence[Typed], position: int) -> Typed:
        reader = self._reader
        if reader.algebra.same_shape(side, lead):
            return reader.algebra.on_axes(side, lead.row, lead.column)
        if side.is_scalar and (matched := self._matched(side, lead, sides)) is not None:
            return matched
        if side.is_scalar and _is_plain(side.expr):
            return Typed(side.expr, lead.row, lead.column)
        raise self._mismatch(sides, position)

    def _totalled(self, side: Typed) -> Typed:
        """A side that is compared with the loss, J = ½(a − y)²: a vector stands for the sum of its entries."""
        reader = self._reader
        if side.is_matrix and reader.scope.batch is None:
            # J = diag(p) − p pᵀ is a Jacobian and no loss.
            return side
        over = [*side.axes, *reader.free_letters(side.expr).values()]
        if over:
            reader.note("compared with the loss, entries are summed")
        return Typed(sum_over(over, side.expr))

    def _matched(self, side: Typed, lead: Typed, sides: Sequence[Typed]) -> Typed | None:
        """A side in index notation against one in matrix notation: letters matched with axes by their sorts."""
        reader = self._reader
        others = {name for s in sides if s.axes for name in reader.free_letters(s.expr)}
        letters = {n: i for n, i in reader.free_letters(side.expr).items() if n not in others}
        if len(letters) != len(lead.axes):
            return None
        left = list(letters.values())
        mapping: dict[Index, Index] = {}
        for axis in lead.axes:
            fitting = [i for i in left if reader.sorts.find(i.sort) == reader.sorts.find(axis.sort)]
            if not fitting:
                return None
            mapping[fitting[0]] = axis
            left.remove(fitting[0])
        reader.note("indices on one side matched with the axes of the other: " + ", ".join(letters))
        return Typed(reindex(side.expr, mapping), lead.row, lead.column)

    def _is_loss(self, side: Typed) -> bool:
        return isinstance(side.expr, Tensor) and side.expr.name == self._reader.scope.loss("J")

    def _check_letters(self, sides: Sequence[Typed]) -> None:
        reader = self._reader
        sets = [reader.free_letters(s.expr) for s in sides]
        wanted = set(sets[0])
        for k, found in enumerate(sets):
            if set(found) == wanted or _is_plain(sides[k].expr) or _is_plain(sides[0].expr):
                continue
            if found and set(found) < wanted:
                # ∂J/∂W_ij = x_j says something, though nearly always something wrong: it does not depend on i.
                continue
            extra = sorted(set(found) ^ wanted)
            raise ShapeError(
                "the free indices of the two sides differ",
                place=reader.source.place(self._sides[k]),
                expected=", ".join(sorted(wanted)) or "no free index",
                got=", ".join(sorted(found)) or "no free index",
                next=f"sum over {', '.join(extra)}, or write {', '.join(extra)} on both sides",
            )

    def _mismatch(self, sides: Sequence[Typed], position: int) -> ShapeError:
        reader = self._reader
        position = max(position, 1)
        return ShapeError(
            "the shapes of the two sides differ",
            place=reader.source.place(self._sides[position]),
            expected=reader.algebra.shape(sides[0]),
            got=reader.algebra.shape(sides[position]),
            next="check for a missing transpose or sum",
        )

    def _named(self, sides: Sequence[Typed]) -> tuple[Typed, ...]:
        """The sides with known sorts and readable axis names."""
        reader = self._reader
        lead = next((s for s in sides if s.axes), sides[0])
        taken = set(reader.letters)
        names = iter(letter for letter in _AXIS_LETTERS if letter not in taken)
        mapping: dict[Index, Index] = {}
        axes: list[Index | None] = []
        for axis in (lead.row, lead.column):
            if axis is None:
                axes.append(None)
                continue
            settled = reader.sorts.settled_index(axis)
            mapping[settled] = Index(next(names), settled.sort)
            axes.append(mapping[settled])
        exprs = [reindex(reader.settled(side.expr), mapping) for side in sides]
        for k, expr in enumerate(exprs):
            self._check_known(expr, axes, self._sides[k])
        return tuple(Typed(expr, *axes) for expr in exprs)

    def _check_known(self, expr: Expr, axes: Sequence[Index | None], node: Notation) -> None:
        sorts = {i.sort for i in expr.free} | {a.sort for a in axes if a is not None}
        sorts |= {n.sort for n in postorder(expr) if isinstance(n, Size)}
        if any(sort.startswith("?") for sort in sorts):
            raise FormulaError(
                "what an index runs over cannot be told from the formula",
                place=self._reader.source.place(node),
                next="give the sum an upper bound, or use the index on a variable",
            )


def _is_plain(expr: Expr) -> bool:
    """Whether the value is a number or made of sizes and constants: the same for every entry."""
    return not expr.free and not any(isinstance(node, Tensor) for node in postorder(expr))
