"""Rules for all operations of a tape: what each makes of the formulas of its operands."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np

from backproof.check.code import entry_rules, place_rules
from backproof.check.code.axes import FormlessError, reduced
from backproof.check.code.formulas import Formula, Formulas, Places, moved
from backproof.check.code.tape import Node
from backproof.language.expression import Expr, Index, add, fresh, mul, power, reindex, size, sum_over, zero


def extend(formulas: Formulas, nodes: Iterable[Node]) -> None:
    """The formulas of more nodes, operands first."""
    for node in nodes:
        if id(node) not in formulas.of:
            folded = id(node) in formulas.fixed and node.op != "broadcast"
            formula = (entry_rules.constant if folded else _RULES[node.op])(formulas, node)
            deserves = formulas.deserves(node, formula)
            formulas.of[id(node)] = formulas.named(node, formula) if deserves else formula


def _bound(f: Formulas, node: Node) -> Places:
    """Fresh indices for the axes of a node."""
    return tuple(tuple(fresh(i) for i in axis) for axis in f.own(node))


def _collected(places: Places, taken: Sequence[tuple[Index, ...]], expr: Expr, out: Places) -> Formula:
    """The sum over all indices but those of the axes `taken`, which become the axes `out`."""
    mapping = {a: b for own, new in zip(taken, out, strict=True) for a, b in zip(own, new, strict=True)}
    summed = [i for axis in places for i in axis if i not in mapping]
    return Formula(out, reindex(sum_over(summed, expr), mapping))


def _sum(f: Formulas, node: Node) -> Formula:
    (parent,) = node.parents
    places, gone = _bound(f, parent), reduced(node)
    total = f.at(parent, places)
    if f[parent].present is not None:
        raise FormlessError("−∞ is summed")
    kept = [axis for k, axis in enumerate(places) if k not in gone]
    if node.attr[2]:
        total = mul(total, *(power(size(i.sort), -1) for k in gone for i in places[k]))
    out = tuple(axis for axis in f.own(node) if axis) if node.attr[1] else f.own(node)
    kept = [axis for axis in kept if axis or not node.attr[1]]
    made = _collected(places, kept, total, out)
    return Formula(f.own(node), made.expr)


def _matmul(f: Formulas, node: Node) -> Formula:
    a, b = node.parents
    out = f.own(node)
    rows = len(a.shape) > 1
    columns = len(b.shape) > 1
    outer = out[: len(out) - rows - columns]
    row = (out[len(outer)],) if rows else ()
    column = (out[-1],) if columns else ()
    shared = tuple(fresh(Index("k", f.sort(s))) for s in f.sizes.axes(a)[-1] or f.sizes.axes(b)[-1 - columns])
    left = f.at(a, (*outer, *row, shared))
    right = f.at(b, (*outer, shared, *column))
    return Formula(out, sum_over(shared, mul(left, right)))


def _einsum(f: Formulas, node: Node) -> Formula:
    left, wanted = node.attr.split("->")
    axes: dict[str, tuple[Index, ...]] = dict(zip(wanted, f.own(node), strict=True))
    summed: list[Index] = []
    factors: list[Expr] = []
    for letters, parent in zip(left.split(","), node.parents, strict=True):
        for letter, axis in zip(letters, f.own(parent), strict=True):
            if letter not in axes or (not axes[letter] and axis):
                axes[letter] = tuple(fresh(i) for i in axis)
                summed += axes[letter]
        factors.append(f.at(parent, tuple(axes[letter] for letter in letters)))
    return Formula(f.own(node), sum_over(summed, mul(*factors)))


def _rearranged(f: Formulas, node: Node) -> Formula:
    """A reshape: the same indices, in other groups."""
    inner = f[node.parents[0]]
    places = f.own(node)
    flat = [i for axis in places for i in axis]
    mapping = dict(zip(inner.indices, flat, strict=True))
    present = None if inner.present is None else reindex(inner.present, mapping)
    written = None if inner.written is None else np.reshape(inner.written, node.shape)
    return Formula(places, reindex(inner.expr, mapping), present, written)


def _transposed(f: Formulas, node: Node) -> Formula:
    inner, places = f[node.parents[0]], f.own(node)
    source: list[tuple[Index, ...]] = [()] * len(places)
    for k, axis in zip(node.attr, places, strict=True):
        source[k] = axis
    present = None if inner.present is None else moved(Formula(inner.axes, inner.present), tuple(source))
    written = None if inner.written is None else np.transpose(inner.written, node.attr)
    return Formula(places, moved(inner, tuple(source)), present, written)


def _broadcast(f: Formulas, node: Node) -> Formula:
    places, inner = f.own(node), f[node.parents[0]]
    zeros = inner.expr is zero and inner.present is None
    written = np.zeros(node.shape, bool) if zeros and node.shape else None
    return Formula(places, f.at(node.parents[0], places), written=written)


def _cast(f: Formulas, node: Node) -> Formula:
    dtype = np.asarray(node.value).dtype
    if dtype.kind == "f" and dtype.itemsize < 8:
        raise FormlessError("numbers are cut to fewer digits than float64 has")
    return f[node.parents[0]]


_RULES: Final[Mapping[str, Callable[[Formulas, Node], Formula]]] = MappingProxyType(
    {
        "input": entry_rules.named_input,
        "constant": entry_rules.constant,
        "unary": entry_rules.unary,
        "add": entry_rules.entrywise(add),
        "subtract": entry_rules.entrywise(lambda a, b: add(a, mul(-1, b))),
        "multiply": entry_rules.entrywise(mul),
        "divide": entry_rules.divided,
        "power": entry_rules.raised,
        "maximum": entry_rules.entrywise(entry_rules.larger),
        "minimum": entry_rules.entrywise(lambda a, b: mul(-1, entry_rules.larger(mul(-1, a), mul(-1, b)))),
        "where": entry_rules.entrywise(entry_rules.chosen_by),
        "call": entry_rules.call,
        "sum": _sum,
        "max": entry_rules.extreme,
        "min": entry_rules.extreme,
        "matmul": _matmul,
        "einsum": _einsum,
        "reshape": _rearranged,
        "transpose": _transposed,
        "broadcast": _broadcast,
        "index": place_rules.indexed,
        "put": place_rules.put,
        "concatenate": place_rules.joined,
        "cumsum": place_rules.cumulated,
        "cast": _cast,
    }
)
