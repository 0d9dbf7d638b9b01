"""Values: the expression, with its axes, that a meaning of a symbol is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from backproof.errors import FormulaError, ShapeError
from backproof.language.expression import Expr, Index, apply, const, delta, one, reindex, size, sum_over, tensor
from backproof.language.notation import Notation, Number
from backproof.language.reading import Reader, bare
from backproof.language.shapes import Typed
from backproof.language.symbols import SLICE, Constant, Kronecker, Meaning, SizeUse, Special, TensorUse, index_name

ONLY: Final = Index("only", "1")
"""The index of everything that has one entry."""

WEIGHTS_TURNED: Final = "the indices of the weights are read the other way round"


def realised(reader: Reader, meaning: Meaning, *, gradient: bool = False) -> Typed:
    """The expression that a meaning is. With `gradient`, the adjoint of the tensor in place of the tensor."""
    match meaning:
        case TensorUse():
            return _tensor(reader, meaning, gradient=gradient)
        case Kronecker(left, right):
            first, second = reader.letter(left), reader.letter(right)
            reader.run_over(first, second.sort, f"δ_{left}{right}")
            return Typed(delta(first, second))
        case SizeUse(letter, None):
            if letter not in reader.local_sizes:
                reader.local_sizes[letter] = reader.sorts.unknown()
            return Typed(size(reader.local_sizes[letter]))
        case SizeUse(_, sort) if sort is not None:
            return Typed(size(sort))
        case Constant("e"):
            return Typed(apply("exp", 1))
        case Constant(name):
            return Typed(const(name))
        case Special("ones"):
            axis = reader.axis(reader.sorts.unknown())
            # Where examples are rows, 1ᵀ is a row all the same.
            row = reader.row_vectors and reader.pick(("ones",), [(0, True), (1, False)])
            return Typed(one, None, axis) if row else Typed(one, axis)
        case Special():
            sort = reader.sorts.unknown()
            row, column = reader.axis(sort), reader.axis(sort)
            return Typed(delta(row, column), row, column)
        case _:
            raise TypeError(f"not a meaning: {meaning!r}")


def _tensor(reader: Reader, use: TensorUse, *, gradient: bool) -> Typed:
    if use.note is not None:
        reader.note(use.note)
    if use.spelling is not None:
        reader.spelt(use.spelling, use.name)
    if use.only_example is not None:
        reader.only_examples.add(use.only_example)
    sorts = reader.scope.program.sorts(use.name)
    name = reader.scope.gradients[use.name] if gradient else use.name
    single = _is_single(reader, use, sorts)
    slots = _slots(reader, use, sorts)
    indices: list[Index] = []
    axes: list[Index] = []
    for slot, sort in zip(slots, sorts, strict=True):
        if slot is None and sort == ONLY.sort and single:
            indices.append(ONLY)
        elif slot is None:
            axes.append(reader.axis(sort))
            indices.append(axes[-1])
        else:
            index = reader.letter(slot)
            reader.run_over(index, sort, use.name)
            indices.append(index)
    expr = tensor(name, *indices)
    for letter in {s for s in slots if s is not None and slots.count(s) > 1}:
        expr = _traced(reader, expr, letter)
    if len(axes) > 2:
        raise FormulaError(
            f"{use.name} has {len(axes)} axes and cannot stand without its indices",
            expected="at most 2 axes in matrix notation",
            next=f"write its indices: {use.name}_{{{'ijklpqr'[: len(axes)]}}}",
        )
    return _oriented(reader, expr, axes, sorts)


def _is_single(reader: Reader, use: TensorUse, sorts: tuple[str, ...]) -> bool:
    """Whether an axis of size 1 is left out here: w is a vector where W is a matrix of one row."""
    return reader.single and (len(sorts) < 2 or reader.scope.batch in sorts or not (use.spelling or "")[:1].isupper())


def _traced(reader: Reader, expr: Expr, letter: str) -> Expr:
    """A tensor with a repeated letter, A_ii, summed where this reading sums repeated letters."""
    if reader.summed_except is None or letter in reader.summed_except or reader.bound.get(letter):
        return expr
    reader.note(f"the repeated index {letter} is summed over")
    return sum_over(reader.letter(letter), expr)


def _slots(reader: Reader, use: TensorUse, sorts: tuple[str, ...]) -> list[str | None]:
    """For each axis the letter that stands at it, None for an axis of matrix notation."""
    letters = [None if letter == SLICE else letter for letter in use.letters]
    if use.sample is None:
        if _is_single(reader, use, sorts) and len(letters) == len(sorts) - sorts.count(ONLY.sort):
            rest = iter(letters)
            return [None if sort == ONLY.sort else next(rest) for sort in sorts]
        if reader.flip == 2 and len(letters) == len(sorts) == 2 and reader.scope.batch not in sorts:
            letters.reverse()
            reader.note(WEIGHTS_TURNED)
        return [*letters, *([None] * (len(sorts) - len(letters)))]
    batch = reader.scope.batch
    default = 0 if reader.scope.program.row_vectors else len(sorts) - 1
    at = sorts.index(batch) if batch in sorts else default
    rest = [*letters, *([None] * (len(sorts) - 1 - len(letters)))]
    return [*rest[:at], use.sample, *rest[at:]]


def _oriented(reader: Reader, expr: Expr, axes: Sequence[Index], sorts: tuple[str, ...]) -> Typed:
    match list(axes):
        case []:
            return Typed(expr)
        case [axis]:
            return Typed(expr, None, axis) if reader.row_vectors else Typed(expr, axis)
        case [row, column]:
            examples = reader.scope.batch in sorts
            turned = reader.flip == 2 or (reader.flip == 1 and examples)
            return Typed(expr, column, row) if turned else Typed(expr, row, column)
        case _:
            raise ShapeError("more than two axes", got=str(len(axes)))


def entry_of(reader: Reader, typed: Typed, indices: Sequence[Notation], node: Notation) -> Typed:
    """An entry (or row, column) of a vector or matrix: (W x)_i."""
    letters: list[str] = []
    for item in indices:
        letter = index_name(bare(item))
        if letter is not None:
            letters.append(letter)
            continue
        at = bare(item)
        number = isinstance(at, Number)
        raise FormulaError(
            "an entry is named by letters" + (", not by a number" if number else ""),
            place=reader.source.place(at),
            expected="an index letter",
            next="use an index letter, such as i",
        )
    if len(letters) > len(typed.axes):
        raise ShapeError(
            "more indices than axes",
            place=reader.source.place(node),
            expected=f"at most {len(typed.axes)}",
            got=f"{len(letters)} indices on {reader.algebra.shape(typed)}",
        )
    expr = typed.expr
    left: list[Index | None] = [typed.row, typed.column]
    for axis, letter in zip(typed.axes, letters, strict=False):
        if letter != SLICE:
            index = reader.letter(letter)
            reader.run_over(index, axis.sort, "the entry")
            expr = reindex(expr, {axis: index})
            left[0 if axis == typed.row else 1] = None
    if typed.is_matrix and sum(a is not None for a in left) == 1:
        axis = left[0] or left[1]
        return Typed(expr, None, axis) if reader.row_vectors else Typed(expr, axis)
    return Typed(expr, left[0], left[1])
