"""Differentials: gradients of the loss by name, and derivatives of other expressions."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from backproof.errors import FormulaError, LimitError, UnknownNameError
from backproof.language.application import check_order
from backproof.language.expression import Expr, Index, Tensor, apply, reindex, tensor
from backproof.language.notation import Call, Derivative, Entry, Notation, Power, Symbol, Transposed
from backproof.language.program import Definition, Program
from backproof.language.reading import Reader, Steps, bare
from backproof.language.scope import label_text
from backproof.language.shapes import Typed
from backproof.language.symbols import Option, TensorUse, meanings, unknown_name, written_name
from backproof.language.values import realised
from backproof.language.walks import count, inline, names

_MAX_PIECES: Final = 20_000


def read_derivative(reader: Reader, node: Derivative) -> Steps:
    """∂J/∂W by the name of the adjoint; ∂a_i/∂z_j and d/dx(…) by differentiation."""
    check_order(reader, node, node.order)
    of = bare(node.of) if node.of is not None else None
    if of is None or _is_loss(reader, of):
        return _gradient(reader, node)
    if (
        isinstance(of, Symbol)
        and not of.subscripts
        and of.name in reader.scope.functions
        and not meanings(reader, of, own=False)
    ):
        inside = yield node.wrt
        slope = apply(reader.scope.functions[of.name].name, inside.expr, orders=(node.order,))
        return replace(inside, expr=slope)
    value = yield of
    for _ in range(node.order):
        value = _differentiated(reader, value, node)
    return value


def _is_loss(reader: Reader, of: Notation) -> bool:
    if isinstance(of, Call):
        of = bare(of.function)
    if not isinstance(of, Symbol) or not reader.scope.loss(of.name):
        return False
    return of.name == "J" or not any(
        isinstance(m, TensorUse) and m.name != reader.scope.loss(of.name) for c, m in meanings(reader, of) if c == 0
    )


def _wrt_options(reader: Reader, wrt: Notation) -> tuple[Symbol, list[Option]]:
    """The tensors that a variable of differentiation may be."""
    inner = bare(wrt)
    label: str | None = None
    while isinstance(inner, Power | Call | Entry) or (isinstance(inner, Transposed) and label is None):
        match inner:
            case Power(base, exponent):
                label, inner = label_text(exponent), bare(base)
            case Call(function, (argument,), 0) if label is None:
                label, inner = label_text(argument), bare(function)
            case Entry(body, indices) if isinstance(bare(body), Symbol):
                symbol = bare(body)
                inner = replace(symbol, subscripts=indices, span=inner.span) if isinstance(symbol, Symbol) else symbol
            case _:
                break
    if not isinstance(inner, Symbol):
        raise FormulaError(
            "this cannot be differentiated by",
            place=reader.source.place(wrt),
            expected="a name, such as W or z_k",
            next="differentiate by a named variable",
        )
    options = meanings(reader, inner, label, own=False) if label is not None else meanings(reader, inner)
    return inner, [option for option in options if isinstance(option[1], TensorUse)]


def _gradient(reader: Reader, node: Derivative) -> Typed:
    symbol, options = _wrt_options(reader, node.wrt)
    if node.style == "prefix" and (named := meanings(reader, replace(symbol, name=f"d{symbol.name}"), own=False)):
        # A text may define dZ itself.
        return realised(reader, reader.pick(("prefix", written_name(symbol)), named))
    known = [o for o in options if isinstance(o[1], TensorUse) and o[1].name in reader.scope.gradients]
    if not known:
        if options:
            raise UnknownNameError(
                f"the loss has no gradient with respect to {symbol.name} here",
                place=reader.source.place(node.wrt),
                expected="one of " + ", ".join(reader.scope.gradients),
            )
        raise unknown_name(reader, symbol, node.wrt)
    use = reader.pick(("gradient", written_name(symbol)), known)
    value = realised(reader, use, gradient=True)
    if value.is_vector and node.order == 1 and node.style != "prefix":
        turned = reader.pick(("numerator layout",), [(0, False), (6, True)])
        if turned:
            reader.note("read with the derivative by a column as a row (numerator layout)")
            value = reader.algebra.transposed(value)
    for _ in range(node.order - 1):
        value = _differentiated(reader, value, node)
    return value


def _differentiated(reader: Reader, value: Typed, node: Derivative) -> Typed:
    """The derivative of a value by an entry of the variable."""
    symbol, options = _wrt_options(reader, node.wrt)
    if not options and (only := _only_variable(reader, value)) is not None:
        reader.note(f"{written_name(symbol)} does not occur; read as the derivative by {only}")
        options = [(0, TensorUse(only))]
    if not options:
        raise unknown_name(reader, symbol, node.wrt)
    if reader.scope.differentiate is None:
        raise FormulaError(
            "derivatives of expressions cannot be read here", next="name the derivative of the loss instead"
        )
    target = realised(reader, reader.pick(("variable", written_name(symbol)), options))
    entry = target.expr
    if not isinstance(entry, Tensor):
        raise FormulaError("this cannot be differentiated by", place=reader.source.place(node.wrt))
    # By an entry with letters of its own; only then is it the entry that was written: ∂a_k/∂z_k too.
    new = tuple(
        Index(f"∂{k}•{reader.axis(i.sort).name}", reader.sorts.find(i.sort)) for k, i in enumerate(entry.indices)
    )
    expr = _through(reader.scope.program, reader.settled(value.expr), entry.name)
    row, column = (None if a is None else reader.sorts.settled_index(a) for a in (value.row, value.column))
    slope = reader.unsettled(reader.scope.differentiate(expr, _entry(entry.name, new)))
    back = {s: a for s, a in ((row, value.row), (column, value.column)) if s is not None and a is not None and s != a}
    slope = reindex(slope, back)
    return _placed_axes(reader, value, target, reindex(slope, dict(zip(new, entry.indices, strict=True))))


def _only_variable(reader: Reader, value: Typed) -> str | None:
    """The one computed name in an expression, for d/dx(…) of an expression without x."""
    program = reader.scope.program
    found = [n for n in sorted(names(value.expr)) if n in program.by_name and n in reader.scope.gradients]
    return found[0] if len(found) == 1 else None


def _through(program: Program, expr: Expr, variable: str) -> Expr:
    """The expression with everything that depends on the variable replaced by its definition: a by f(z) for ∂a/∂z."""
    dependent: set[str] = {variable}
    definitions: list[Definition] = []
    for definition in program.definitions:
        if not dependent.isdisjoint(names(definition.body)) and definition.name != variable:
            dependent.add(definition.name)
            definitions.append(definition)
    for definition in reversed(definitions):
        if definition.name in names(expr):
            expr = inline(expr, {definition.name: (definition.indices, definition.body)})
            if count(expr) > _MAX_PIECES:
                raise LimitError(
                    "a derivative through this many definitions is too large",
                    expected=f"at most {_MAX_PIECES} pieces",
                    next="write the chain rule with one derivative for each layer",
                )
    return expr


def _entry(name: str, indices: tuple[Index, ...]) -> Tensor:
    entry = tensor(name, *indices)
    if not isinstance(entry, Tensor):
        raise TypeError("a tensor")
    return entry


def _placed_axes(reader: Reader, value: Typed, target: Typed, renamed: Expr) -> Typed:
    if target.is_scalar:
        return replace(value, expr=renamed)
    if value.is_scalar:
        by = Typed(renamed, target.row, target.column)
        if target.is_vector and reader.pick(("numerator layout",), [(0, False), (6, True)]):
            reader.note("read with the derivative by a column as a row (numerator layout)")
            return reader.algebra.transposed(by)
        return by
    if value.is_vector and target.is_vector:
        own, by = value.axes[0], target.axes[0]
        ways = [(1, False)]
        if reader.algebra.same_shape(value, target):
            ways.append((0, True))
        if reader.pick(("entrywise derivative",), ways):
            reader.note("a derivative of a vector by a vector read entry by entry")
            reader.sorts.unify(own.sort, by.sort)
            return replace(value, expr=reindex(renamed, {by: own}))
        reader.note("a derivative of a vector by a vector read as the Jacobian ∂a_i/∂z_j")
        return Typed(renamed, own, by)
    if value.is_matrix and target.is_matrix and reader.algebra.same_shape(value, target):
        reader.note("a derivative of a matrix by a matrix read entry by entry")
        back: dict[Index, Index] = {}
        for own, by in zip(value.axes, target.axes, strict=True):
            reader.sorts.unify(own.sort, by.sort)
            back[by] = own
        return replace(value, expr=reindex(renamed, back))
    if value.is_vector and (entrywise := _by_own_row(reader, value, target, renamed)) is not None:
        return entrywise
    raise FormulaError(
        "this derivative has more than two axes", expected="at most two", next="write it with indices: ∂a_i/∂W_{jk}"
    )


def _by_own_row(reader: Reader, value: Typed, target: Typed, slope: Expr) -> Typed | None:
    """∂z/∂W as people write it in a chain, each z_i by its own weights: aᵀ for z = W a; None if that is not it."""
    own = value.axes[0]
    for axis, other in ((target.row, target.column), (target.column, target.row)):
        if axis is None or other is None or not reader.algebra.same_axis(own, axis):
            continue
        entry = reindex(slope, {axis: own})
        if own not in entry.free:
            reader.note("a derivative of a vector by a matrix read as that of each entry by its own weights")
            return Typed(entry, None, other) if axis == target.row else Typed(entry, other)
    return None
