"""Rules for places: indexing, putting, joining and running sums as sums over selections, tensors of zeros and ones."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backproof.check.code.axes import FormlessError, Place, chosen, part_of
from backproof.check.code.formulas import Formula, Formulas, Places, key_of, moved
from backproof.check.code.tape import Node
from backproof.language.expression import Expr, Index, add, fresh, mul, one, reindex, sum_over, tensor


def _selected(f: Formulas, node: Node, whole: Node, places: Sequence[Place], target: Places) -> tuple[Places, Expr]:
    """The indices of the whole array, and the product of the selections that tie them to the target's."""
    by_axis: list[tuple[Index, ...]] = [()] * len(whole.shape)
    ties: list[Expr] = []
    axes = iter(target)
    common: tuple[tuple[Index, ...], ...] | None = None
    own = f.sizes.axes(whole)
    for place in places:
        if isinstance(place.where, tuple):
            if common is None:
                common = tuple(next(axes) for _ in place.axes)
            results = tuple(i for axis in common for i in axis)
            chosen_axes = tuple(s for axis in place.axes for s in f.sizes.flat(axis))
            where = place.where[0]
        else:
            given = tuple(next(axes) for _ in place.axes)
            results = tuple(i for axis in given for i in axis)
            chosen_axes = tuple(s for axis in place.axes for s in f.sizes.flat(axis))
            where = place.where
        if place.source is None:
            continue
        source = own[place.source]
        if where is None or (source == chosen_axes and np.array_equal(where, np.arange(f.sizes.length(source)))):
            by_axis[place.source] = results
        elif source:
            by_axis[place.source] = tuple(fresh(Index("p", f.sort(s))) for s in source)
            ties.append(f.selection(where, source, chosen_axes)(by_axis[place.source], results))
    del node
    return tuple(by_axis), mul(*ties)


def indexed(f: Formulas, node: Node) -> Formula:
    """Chosen places of an array."""
    (whole,) = node.parents
    if f[whole].present is not None:
        raise FormlessError("a part is taken of an array with −∞")
    places, out = f.sizes.places(node, whole, node.attr), f.own(node)
    part = part_of(whole, places)
    if part is not None and f[part].present is None and np.shape(part.value) == node.shape:
        return Formula(out, f.at(part, out))
    source, ties = _selected(f, node, whole, places, out)
    targets = {i for axis in out for i in axis}
    summed = [i for axis in source for i in axis if i not in targets]
    return Formula(out, sum_over(summed, mul(ties, f.at(whole, source))))


def _scattered(f: Formulas, node: Node, part: Expr, places: Sequence[Place], out: Places) -> Expr:
    """The part's entries at their places in the whole, 0 elsewhere."""
    whole = node.parents[0]
    source, ties = _selected(f, node, whole, places, out)
    summed = [i for axis in source for i in axis]
    body = mul(ties, part)
    mapping = {a: b for own, new in zip(source, f.own(node), strict=True) for a, b in zip(own, new, strict=True)}
    bound = [i for axis in out for i in axis if i not in summed]
    apart = {i: fresh(i) for i in bound}
    return reindex(sum_over(apart.values(), reindex(body, apart)), mapping)


def put(f: Formulas, node: Node) -> Formula:
    """An array with values put in, or added, at chosen places."""
    whole, part = node.parents
    key, adding = node.attr
    places = f.sizes.places(node, whole, key)
    target = chosen(f.sizes, places)
    # The target's own letters must not meet those of the whole.
    out = tuple(tuple(fresh(i) for i in axis) for axis in f.indices(target))
    before, inner = f[whole], f.own(node)
    at_target = _scattered(f, node, f.at(part, out), places, out)
    base = moved(before, inner)
    count = np.zeros(whole.shape, int)
    np.add.at(count, key, 1)
    written = None if before.written is None else before.written | (count > 0)
    if not adding and np.any(count > 1):
        raise FormlessError("several values are put in one place")
    if adding or (before.written is not None and not np.any(before.written & (count > 0))):
        return Formula(inner, add(base, at_target), written=written)
    change = _change(f, part, whole, key)
    if change is not None:
        sign, moved_by = change
        scattered = _scattered(f, node, f.at(moved_by, out), places, out)
        return Formula(inner, add(base, mul(sign, scattered)), written=written)
    mask = _scattered(f, node, one, places, out)
    return Formula(inner, add(mul(base, add(1, mul(-1, mask))), at_target), written=written)


def _change(f: Formulas, part: Node, whole: Node, key: Any) -> tuple[int, Node] | None:
    """What `a[key] += v` or `a[key] -= v` adds: its sign, and v."""
    if part.op not in ("add", "subtract"):
        return None
    first, second = part.parents
    if first.op != "index" or f[first.parents[0]] != f[whole] or key_of(first.attr) != key_of(key):
        return None
    return (1 if part.op == "add" else -1), second


def joined(f: Formulas, node: Node) -> Formula:
    """Arrays one behind the other along an axis."""
    out = f.own(node)
    along = node.attr % len(node.shape)
    (target,) = (f.sizes.axes(node)[along],)
    terms: list[Expr] = []
    start = 0
    for parent in node.parents:
        length = parent.shape[along]
        part = f.sizes.axes(parent)[along]
        inside = tuple(fresh(Index("p", f.sort(s))) for s in part)
        places = (*out[:along], inside, *out[along + 1 :])
        where = np.arange(start, start + length)
        tie = f.selection(where, target, part)(out[along], inside) if target else one
        terms.append(sum_over(inside, mul(tie, f.at(parent, places))))
        start += length
    return Formula(out, add(*terms))


def cumulated(f: Formulas, node: Node) -> Formula:
    """Running sums along an axis."""
    (parent,) = node.parents
    out, along = f.own(node), node.attr % len(node.shape)
    parts = f.sizes.axes(node)[along]
    if len(parts) != 1:
        raise FormlessError("a running sum over an axis made of several")
    inside = tuple(fresh(i) for i in out[along])
    count = f.sizes.length(parts)
    name = f.tensor("running", ("running", count), (*parts, *parts), value=np.triu(np.ones((count, count))))
    places = (*out[:along], inside, *out[along + 1 :])
    return Formula(out, sum_over(inside, mul(tensor(name, *inside, *out[along]), f.at(parent, places))))
