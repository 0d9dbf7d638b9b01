"""Arithmetic: the meaning of names, numbers, sums of terms, products, quotients, powers and transposes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final

from backproof.errors import FormulaError
from backproof.language.application import factors_of
from backproof.language.expression import Num, add, apply, mul, num, power, sum_over
from backproof.language.functions import absolute
from backproof.language.notation import (
    Absolute,
    Bracketed,
    Call,
    Entry,
    Marked,
    Matrix,
    Negative,
    Norm,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Symbol,
    Transposed,
    Words,
)
from backproof.language.powers import powered
from backproof.language.reading import Reader, Steps, bare
from backproof.language.scope import label_text
from backproof.language.shapes import Typed
from backproof.language.symbols import Meaning, Option, meanings, unknown_name, written_name
from backproof.language.values import entry_of, realised

_LAYERED: Final = frozenset({"W", "w", "b", "z", "delta", "Theta", "theta"})


def read_number(_reader: Reader, node: Number) -> Steps:
    """A number as it stands, exact."""
    return Typed(num(node.value))
    yield node


def read_symbol(reader: Reader, node: Symbol) -> Steps:
    """A name with its subscripts."""
    return named(reader, node, meanings(reader, node))
    yield node


def named(reader: Reader, node: Symbol, options: list[Option]) -> Typed:
    """One of the meanings of a name."""
    if not options:
        raise unknown_name(reader, node, node)
    return realised(reader, reader.pick(("symbol", written_name(node)), options))


def read_inside(_reader: Reader, node: Bracketed | Marked) -> Steps:
    """What stands in parentheses."""
    inside = yield node.body
    return inside


def read_negative(_reader: Reader, node: Negative) -> Steps:
    """−x."""
    body = yield node.body
    return replace(body, expr=mul(-1, body.expr))


def read_plus(reader: Reader, node: Plus) -> Steps:
    """A sum of terms of one shape; scalars and vectors are added to each entry."""
    items: list[Typed] = []
    for sign, term in node.terms:
        item = yield term
        items.append(replace(item, expr=mul(sign, item.expr)))
    exprs, shape = reader.elementwise(items, "the shapes of the terms do not fit")
    return replace(shape, expr=add(*exprs))


def read_product(reader: Reader, node: Product) -> Steps:
    """A product; what it means follows from the shapes."""
    factors: list[Typed] = []
    for factor in node.factors:
        item = yield factor
        factors.append(item)
    result = reader.product(node.sign, factors)
    return replace(result, expr=reader.summed(result.expr, [f.expr for f in factors]))


def read_quotient(reader: Reader, node: Quotient) -> Steps:
    """A quotient, elementwise."""
    numerator = yield node.numerator
    denominator = yield node.denominator
    below = replace(denominator, expr=power(denominator.expr, -1))
    exprs, shape = reader.elementwise((numerator, below), "the shapes do not fit in a quotient")
    parts = [numerator.expr, denominator.expr]
    return replace(shape, expr=reader.summed(mul(*exprs), parts))


def read_transposed(reader: Reader, node: Transposed) -> Steps:
    """A transpose; of the number 1, a row of ones."""
    inside = bare(node.body)
    if isinstance(inside, Number):
        inside = Symbol("1", span=inside.span)
    if isinstance(inside, Call) and inside is node.body and (apart := factors_of(reader, inside)) is not None:
        # δ(a)ᵀ where δ is no function: only the parentheses are transposed.
        product = yield Product("", (apart[0], Transposed(Bracketed(apart[1]), span=node.span)), span=node.span)
        return product
    body = yield inside
    return reader.algebra.transposed(body)


def read_power(reader: Reader, node: Power) -> Steps:
    """A power; a superscript of a name may also be its layer or its example."""
    base = bare(node.base)
    if isinstance(base, Symbol) and not isinstance(node.base, Bracketed) and base.label is None:
        meaning = _superscript(reader, base, node)
        if meaning is not None:
            return realised(reader, meaning)
    exponent = yield node.exponent
    if isinstance(base, Symbol) and base == Symbol("e") and not reader.scope.tensors(("e",), None):
        return replace(exponent, expr=apply("exp", exponent.expr))
    if isinstance(base, Norm) and base.kind != "1" and isinstance(exponent.expr, Num) and exponent.expr.value == 2:
        entries = yield base.body
        return _square_sum(entries)
    if isinstance(node.base, Call) and (apart := factors_of(reader, node.base)) is not None:
        # p(1 − p)² where p is no function: only the parentheses are raised.
        product = yield Product(
            "", (apart[0], Power(Bracketed(apart[1]), node.exponent, span=node.span)), span=node.span
        )
        return product
    body = yield node.base
    return powered(reader, body, exponent)


def _superscript(reader: Reader, base: Symbol, node: Power) -> Meaning | None:
    """The meaning of a name with a superscript that is no power, or None."""
    text = label_text(bare(node.exponent))
    if text is None:
        return None
    labelled = meanings(reader, base, text, own=False)
    if not labelled:
        return None
    plain = meanings(reader, base)
    layered_first = base.name in _LAYERED or not text.isdigit()
    options: list[tuple[int, Meaning | None]] = [(cost + (0 if layered_first else 1), m) for cost, m in labelled]
    if plain and (text.isdigit() or reader.scope.tensors((text,), None)):
        options.append((1 if layered_first else 0, None))
    return reader.pick(("superscript", written_name(base), text), options)


def read_entry(reader: Reader, node: Entry) -> Steps:
    """An entry of a bracketed expression; a name takes the indices as its subscripts."""
    inside = bare(node.body)
    if isinstance(inside, Symbol) and not inside.subscripts:
        symbol = replace(inside, subscripts=node.indices, span=node.span)
        options = meanings(reader, symbol)
        if options:
            return named(reader, symbol, options)
    body = yield node.body
    return entry_of(reader, body, node.indices, node)


def read_absolute(_reader: Reader, node: Absolute) -> Steps:
    """|x| of each entry."""
    body = yield node.body
    return replace(body, expr=absolute(body.expr))


def read_norm(reader: Reader, node: Norm) -> Steps:
    """A norm: the root of the sum of squares, or the sum of absolute values."""
    body = yield node.body
    if body.is_scalar:
        return replace(body, expr=absolute(body.expr))
    if node.kind == "1":
        return reader.algebra.total(replace(body, expr=absolute(body.expr)))
    if node.kind == "2" and body.is_matrix:
        reader.note("the norm of a matrix read as the root of the sum of its squared entries")
    return Typed(power(_square_sum(body).expr, Fraction(1, 2)))


def _square_sum(entries: Typed) -> Typed:
    return Typed(sum_over(entries.axes, power(entries.expr, 2)))


def read_matrix(_reader: Reader, node: Matrix) -> Steps:
    """A matrix written out entry by entry, which has no symbolic size."""
    raise FormulaError(
        "a matrix written out entry by entry cannot be read here",
        expected="named matrices and vectors",
        next="give it a name, or claim its entries",
    )
    yield node


def read_words(_reader: Reader, node: Words) -> Steps:
    """Words stand for no value."""
    raise FormulaError("words inside a formula", expected="a formula", got=node.text[:60], next="leave the words out")
    yield node
