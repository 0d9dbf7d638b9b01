"""Powers: of each entry, of a square matrix, with symbolic exponents."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from backproof.errors import FormulaError
from backproof.language.expression import Num, power
from backproof.language.functions import exponential_power
from backproof.language.reading import Reader
from backproof.language.shapes import Typed

_MAX_MATRIX_POWER: Final = 64


def powered(reader: Reader, base: Typed, exponent: Typed) -> Typed:
    """Base ^ exponent: of each entry, or the repeated matrix product of a square matrix."""
    if not isinstance(exponent.expr, Num):
        exprs, shape = reader.elementwise((base, exponent), "the shapes do not fit in a power")
        return replace(shape, expr=exponential_power(exprs[0], exprs[1]))
    value = exponent.expr.value
    if base.is_matrix and reader.algebra.same_axis(base.row, base.column) and value.denominator == 1 and value != 1:
        if value < 2 or reader.pick(("matrix power",), [(0, True), (1, False)]):
            return _matrix_power(reader, base, int(value))
        reader.note("a power of a matrix read as the power of each entry")
    return replace(base, expr=power(base.expr, value))


def _matrix_power(reader: Reader, base: Typed, exponent: int) -> Typed:
    if not 2 <= exponent <= _MAX_MATRIX_POWER:
        raise FormulaError(
            "a matrix to this power cannot be read",
            expected=f"a power from 2 to {_MAX_MATRIX_POWER}",
            got=str(exponent),
            next="matrix inverses are not part of the formula language",
        )
    result = base
    for _ in range(exponent - 1):
        sort = base.row.sort if base.row is not None else reader.sorts.unknown()
        copy = reader.algebra.on_axes(base, reader.axis(sort), reader.axis(sort))
        result = reader.algebra.contraction(result, copy)
    reader.note("a power of a square matrix read as a matrix product")
    return result
