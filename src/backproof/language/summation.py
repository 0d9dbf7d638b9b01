"""Big operators: Σ, mean, max and min over index letters or over all entries."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from backproof.errors import FormulaError, ShapeError
from backproof.language.expression import Expr, Index, add, delta, max_over, mean_over, mul, sum_over
from backproof.language.layer_sums import layer_terms
from backproof.language.notation import Big, Notation, Number, Plus, Symbol
from backproof.language.reading import Reader, Steps, bare, letter_of
from backproof.language.shapes import Typed
from backproof.language.symbols import written_key, written_name


def read_big(reader: Reader, node: Big) -> Steps:
    """A sum, mean, maximum or minimum."""
    if node.kind == "prod":
        raise FormulaError(
            "a product over an index cannot be read",
            expected="Σ, mean, max or min",
            got="Π",
            next="write the sum of the logarithms",
        )
    if not node.indices:
        body = yield node.body
        return _over_entries(reader, node, body)
    if (terms := layer_terms(reader, node)) is not None:
        result = yield terms
        return result
    with reader.binding(node.indices) as indices:
        _bound(reader, node, indices[-1])
        body = yield node.body
        excluded = [_excluded(reader, value, indices[0]) for value in node.without]
    expr = mul(*excluded, body.expr) if excluded else body.expr
    for index in indices:
        if index.name in reader.only_examples:
            reader.run_over(index, "1", "a sum over the examples")
    unused = [i for i in indices if i not in body.expr.free and i.name not in reader.only_examples]
    if unused and not body.is_scalar:
        return _implicit(reader, node, replace(body, expr=expr), [i for i in indices if i not in unused])
    for index in reversed(indices):
        expr = _over(node.kind, index, expr)
    return replace(body, expr=expr)


def _over(kind: str, index: Index, expr: Expr) -> Expr:
    match kind:
        case "sum":
            return sum_over(index, expr)
        case "mean":
            return mean_over(index, expr)
        case "max":
            return max_over(index, expr)
        case "min":
            return mul(-1, max_over(index, mul(-1, expr)))
        case _:
            raise TypeError(f"not a big operator: {kind}")


def _bound(reader: Reader, node: Big, index: Index) -> None:
    """What the bounds say about the sort of the index."""
    lower = bare(node.lower) if node.lower is not None else None
    if lower is not None and not (isinstance(lower, Number) and lower.value in (0, 1)):
        raise FormulaError(
            "the sum does not start at its first entry",
            place=reader.source.place(lower),
            expected="a lower bound 1, or 0",
            next="sums run over a whole axis here",
        )
    if node.upper is None:
        return
    upper = bare(node.upper)
    # From 0 to n − 1 are n values.
    if isinstance(upper, Plus) and len(upper.terms) == 2 and upper.terms[1] == (-1, Number(Fraction(1))):
        upper = bare(upper.terms[0][1])
    if isinstance(upper, Number) and upper.value.denominator == 1:
        reader.run_over(index, str(upper.value), "the bound of the sum")
        return
    key = written_key(upper) if isinstance(upper, Symbol) else None
    if key is None:
        reader.note("the upper bound of a sum is taken to be the size of what is summed")
        return
    sort = reader.scope.sort_of(key)
    if (
        sort is not None
        and isinstance(upper, Symbol)
        and reader.pick(("symbol", written_name(upper)), [(0, True), (3, False)])
    ):
        reader.run_over(index, sort, "the bound of the sum")
        return
    reader.note(f"{key} is taken to be the size of the index {index.name}")
    if key not in reader.local_sizes:
        reader.local_sizes[key] = reader.sorts.unknown()
    if not reader.sorts.unify(index.sort, reader.local_sizes[key]):
        raise ShapeError(
            f"{key} is the bound of sums over two sizes",
            expected=reader.sorts.find(reader.local_sizes[key]),
            got=reader.sorts.find(index.sort),
        )


def upper_bound_letters(nodes: list[Big]) -> frozenset[str]:
    """The letters that stand above a Σ, which so name a size."""
    found = [
        written_key(upper) for big in nodes if big.upper is not None and isinstance(upper := bare(big.upper), Symbol)
    ]
    return frozenset(key for key in found if key is not None)


def _excluded(reader: Reader, value: Notation, index: Index) -> Expr:
    name = letter_of(value)
    if name is None:
        raise FormulaError("an excluded value must be an index letter", place=reader.source.place(value))
    other = reader.letter(name)
    reader.run_over(other, index.sort, "the excluded value")
    return add(1, mul(-1, delta(index, other)))


def _implicit(reader: Reader, node: Big, body: Typed, indices: list[Index]) -> Typed:
    """Σ_i over vectors written without the index i: all entries, or the axis that the bound names."""
    axes = list(body.axes)
    names = ", ".join(node.indices)
    reader.note(f"the index {names} is not written in what is summed; it is read as running over the entries")
    if len(axes) == 2 and len(node.indices) == 1 and reader.scope.batch is not None:
        key = written_key(upper) if node.upper is not None and isinstance(upper := bare(node.upper), Symbol) else None
        over_batch = key is not None and reader.scope.sort_of(key) == reader.scope.batch
        wanted = [a for a in axes if (reader.sorts.find(a.sort) == reader.scope.batch) == over_batch]
        axes = reader.pick(("implicit index",), [(0, wanted), (1, axes)]) if len(wanted) == 1 else axes
    expr = body.expr
    for axis in (*reversed(axes), *reversed(indices)):
        expr = _over(node.kind, axis, expr)
    return Typed(
        expr,
        None if body.row in axes else body.row,
        None if body.column in axes else body.column,
    )


def _over_entries(reader: Reader, node: Big, body: Typed) -> Typed:
    """A sum over all entries, or over one axis as NumPy counts them."""
    if body.is_scalar:
        letters = reader.free_letters(body.expr)
        expr = body.expr
        for name, index in letters.items():
            reader.note(f"{node.kind} read as running over {name}")
            expr = _over(node.kind, index, expr)
        return Typed(expr)
    if node.axis is None or body.is_vector:
        expr = body.expr
        for axis in reversed(body.axes):
            expr = _over(node.kind, axis, expr)
        return Typed(expr)
    if node.axis not in (-2, -1, 0, 1):
        raise ShapeError("no such axis", expected="axis 0 or 1", got=f"axis {node.axis}")
    if node.axis in (0, -2):
        return Typed(_over(node.kind, body.axes[0], body.expr), None, body.column)
    return Typed(_over(node.kind, body.axes[1], body.expr), body.row, None)
