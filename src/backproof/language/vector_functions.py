"""Functions of vectors, softmax and its like: their definition with the argument put in."""

from __future__ import annotations

from collections.abc import Sequence

from backproof.errors import ShapeError, UnknownNameError
from backproof.language.expression import Expr, Index, Tensor, postorder, reindex
from backproof.language.reading import Reader
from backproof.language.scope import FunctionMeaning
from backproof.language.shapes import Typed
from backproof.language.sorts import resorted
from backproof.language.walks import inline


def of_vectors(reader: Reader, meaning: FunctionMeaning, arguments: Sequence[Typed]) -> Typed:
    """The definition of a function of vectors, with the arguments put in."""
    definition = meaning.definition
    if definition is None:
        raise UnknownNameError(f"{meaning.name} has no definition")
    first = arguments[0]
    if first.is_scalar:
        return _vector_of_letters(reader, meaning, arguments)
    axis = _unit_axis(reader, first, meaning.name)
    exprs, shape = reader.elementwise(arguments, "the shapes of the arguments do not fit")
    axis = shape.row if axis == first.row else shape.column
    if axis is None:
        raise ShapeError("a function of a vector", got=reader.algebra.shape(first))
    out, body = _inlined(reader, meaning, axis, exprs)
    row = out if axis == shape.row else shape.row
    column = out if axis == shape.column else shape.column
    return Typed(body, row, column)


def _vector_of_letters(reader: Reader, meaning: FunctionMeaning, arguments: Sequence[Typed]) -> Typed:
    """softmax(z_k): the entry k of softmax(z)."""
    letters = _letters_in(reader, arguments[0].expr)
    if len(letters) != 1:
        raise ShapeError(f"{meaning.name} takes a vector", expected="n × 1", got=reader.algebra.shape(arguments[0]))
    reader.note(f"{meaning.name} of an entry read as the entry of {meaning.name} of the vector")
    copy = reader.axis(letters[0].sort)
    out, body = _inlined(reader, meaning, copy, [reindex(a.expr, {letters[0]: copy}) for a in arguments])
    return Typed(reindex(body, {out: letters[0]}) if out is not None else body)


def _letters_in(reader: Reader, expr: Expr) -> list[Index]:
    live = [*reader.letters.values(), *(stack[-1] for stack in reader.bound.values() if stack)]
    return [index for index in live if index in expr.free]


def _unit_axis(reader: Reader, typed: Typed, name: str) -> Index:
    if typed.is_vector:
        return typed.axes[0]
    units = [a for a in typed.axes if reader.sorts.find(a.sort) != reader.scope.batch]
    told = reader.scope.unit_axis if reader.scope.unit_axis is not None else int(reader.row_vectors)
    axis = units[0] if len(units) == 1 else typed.axes[told]
    reader.note(f"{name} read over the {'columns' if axis == typed.row else 'rows'} of a matrix")
    return axis


def _inlined(
    reader: Reader, meaning: FunctionMeaning, axis: Index, arguments: Sequence[Expr]
) -> tuple[Index | None, Expr]:
    definition = meaning.definition
    if definition is None:
        raise UnknownNameError(f"{meaning.name} has no definition")
    own = _argument_sort(definition.body, meaning.arguments)
    body = resorted(definition.body, lambda sort: axis.sort if sort == own else sort)
    out = reader.axis(axis.sort) if definition.indices else None
    if out is not None:
        body = reindex(body, {Index(definition.indices[0].name, axis.sort): out})
    bodies = {name: ((axis,), expr) for name, expr in zip(meaning.arguments, arguments, strict=True)}
    return out, inline(body, bodies)


def _argument_sort(body: Expr, names: Sequence[str]) -> str | None:
    return next(
        (n.indices[0].sort for n in postorder(body) if isinstance(n, Tensor) and n.name in names and n.indices), None
    )
