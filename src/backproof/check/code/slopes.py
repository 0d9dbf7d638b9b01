"""Slopes of functions of single entries: the usual wrong ones, and those of the other activations of the catalogue."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import numpy as np

from backproof import catalog
from backproof.calculus.interpreter import evaluate_expr
from backproof.check.code.graph import Activation, Graph, Region
from backproof.check.code.operations import OPERATIONS, Array
from backproof.check.code.search import Search
from backproof.check.code.tape import STEP, Edge, Node, before
from backproof.errors import BackproofError
from backproof.language.expression import Expr, Index, apply, tensor

ELEMENTWISE: Final = frozenset(
    {"unary", "add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "where", "cast", "broadcast"}
)


def slope_at(graph: Graph, u: Node, v: Node, point: Array) -> Array:
    """∂v/∂u with another value of u."""
    values: dict[int, Array] = {u.number: point + 1j * STEP}
    for node in graph.trace.nodes[graph.places[u.number] + 1 : graph.places[v.number] + 1]:
        if not any(p.number in values for p in node.parents):
            continue
        operands = [values.get(p.number, p.value) for p in node.parents]
        if node.op in ELEMENTWISE:
            values[node.number] = OPERATIONS[node.op].run(node.attr, *operands)
        elif node.op == "call":
            values[node.number] = OPERATIONS[node.op].run(node.attr, *map(np.real, operands))
    return np.imag(values[v.number]) / STEP


FORMS: Final = {
    "a(1 − a)": lambda a: a * (1 - a),
    "1 − a²": lambda a: 1 - a * a,
    "a": lambda a: a,
    "[a > 0]": lambda a: (a > 0) * 1.0,
}
SLIPS: Final = {
    "1 − a²": {
        "(1 − a)²": lambda a: (1 - a) ** 2,
        "1 − a": lambda a: 1 - a,
        "a²": lambda a: a * a,
        "1 − a³": lambda a: 1 - a**3,
    },
    "a(1 − a)": {
        "1 − a": lambda a: 1 - a,
        "a²(1 − a)": lambda a: a * a * (1 - a),
        "a(1 − a)²": lambda a: a * (1 - a) ** 2,
    },
}
MAX_REGION: Final = 24
SLOPE_RANKS: Final = {"missing-mask": 3, "dropped-term": 3, "missing-slope": 3, "wrong-slope-point": 4}


def is_close(value: Array, slope: Array) -> bool:
    """Whether a form has the numbers of a slope."""
    return bool(np.allclose(value, slope, rtol=1e-9, atol=1e-12))


def is_linear(graph: Graph, u: Node, v: Node, slope: Array) -> bool:
    """Whether v has the same slope in u at other values of u."""
    known = graph.linear
    if (u.number, v.number) not in known and _chooses(graph, u, v):
        known[u.number, v.number] = False
    if (u.number, v.number) not in known:
        elsewhere = slope_at(graph, u, v, 0.1 - np.asarray(u.value))
        known[u.number, v.number] = bool(np.allclose(elsewhere, slope, rtol=1e-9))
    return known[u.number, v.number]


def of_extremes() -> Iterator[tuple[str, str, Callable[[Edge, Array, Array], Array]]]:
    """Wrong slopes of a maximum or minimum over axes: of a mean, of the other extreme, everywhere, times the value."""

    def spread(edge: Edge, arrived: Array) -> Array:
        return np.broadcast_to(np.reshape(arrived, _kept(edge)), edge.source.shape)

    def mean(edge: Edge, arrived: Array, _: Array) -> Array:
        return spread(edge, arrived) * (np.size(edge.user.value) / np.size(edge.source.value))

    def everywhere(edge: Edge, arrived: Array, _: Array) -> Array:
        return spread(edge, arrived)

    def opposite(edge: Edge, arrived: Array, _: Array) -> Array:
        other = np.min if edge.user.op == "max" else np.max
        value = np.asarray(edge.source.value)
        return spread(edge, arrived) * (value == other(value, axis=edge.user.attr[0], keepdims=True))

    def times_value(edge: Edge, _: Array, given: Array) -> Array:
        return given * np.asarray(edge.source.value)

    yield "wrong-activation", "the slope of a mean, not of an extreme", mean
    yield "missing-mask", "of the entry that is the extreme", everywhere
    yield "wrong-slope-point", "the entry of the other extreme", opposite
    yield "extra-slope", "the value of the extreme", times_value


def _kept(edge: Edge) -> tuple[int, ...]:
    """The shape of a reduction with the axes kept as 1."""
    axis, own = edge.user.attr[0], edge.source.shape
    gone = range(len(own)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    gone = {k % len(own) for k in gone}
    return tuple(1 if k in gone else n for k, n in enumerate(own))


def _chooses(graph: Graph, u: Node, v: Node) -> bool:
    """Whether a comparison of u decides between the cases of v."""
    reached = {u.number}
    for node in graph.trace.nodes[graph.places[u.number] + 1 : graph.places[v.number] + 1]:
        if node.op == "where" and node.parents[0].op == "call":
            if reached & {p.number for p in before(node.parents[0])}:
                return True
        if any(p.number in reached for p in node.parents):
            reached.add(node.number)
    return False


def slope_variants(graph: Graph, u: Node, v: Node, slope: Array) -> Iterator[tuple[str, str, Array]]:
    """Wrong slopes of the function v of u: kind of mistake, detail, and the wrong slope."""
    linear = is_linear(graph, u, v, slope)
    masked = linear and len(np.unique(slope)) == 2 and bool(np.any(slope == 0))
    yield "missing-mask" if masked else "dropped-term" if linear else "missing-slope", "", np.ones_like(slope)
    yield "extra-slope", "twice", slope * slope
    levels = np.unique(slope)
    if len(levels) == 2 and 0 in levels and 1 not in levels:
        yield "missing-mask" if linear else "missing-slope", "", np.full_like(slope, levels[levels != 0][0])
    if linear:
        return
    at_v, at_u = np.asarray(v.value), np.asarray(u.value)
    far = 10 * (1 + np.abs(at_u))
    for point in (far, -far):
        case = slope_at(graph, u, v, point)
        if np.ptp(case) > 0 and np.all((slope == case) | (slope == slope_at(graph, u, v, -point))):
            yield "missing-mask", "one case of the distinction is used everywhere", case
    elsewhere = slope_at(graph, u, v, at_v)
    # The same everywhere is no slope at another point: it is a slope that is missing.
    if np.ptp(elsewhere) > 0:
        yield "wrong-slope-point", "f′ at a, not at z", elsewhere
    with np.errstate(all="ignore"):
        for form, function in FORMS.items():
            if not is_close(function(at_v), slope):
                yield "wrong-activation", f"{form} is the slope of another function", function(at_v)
                continue
            yield "wrong-slope-point", f"{form} with z in place of a", function(at_u)
            for slip, wrong in SLIPS.get(form, {}).items():
                yield "wrong-exponent", f"{slip} in place of {form}", wrong(at_v)


def other_functions(graph: Graph, u: Node, v: Node, slope: Array) -> Iterator[tuple[str, str, Array]]:
    """The slope of another activation of the catalogue, where v is one: kind of mistake, detail, and the slope."""
    if is_linear(graph, u, v, slope):
        return
    at_v = np.asarray(v.value)
    known = activations_at(graph, u)
    with np.errstate(all="ignore"):
        for name, own_value, own_slope in known:
            # v = k·f(u) with a factor k that does not depend on u
            scale = 1e-12 * float(np.max(np.abs(at_v * own_slope)))
            if np.allclose(at_v * own_slope, slope * own_value, rtol=1e-8, atol=scale):
                k = np.where(own_slope != 0, slope / own_slope, 0)
                for other, _, other_slope in known:
                    if other != name:
                        yield "wrong-activation", f"the slope of {other}, not of {name}", k * other_slope


def activations_at(graph: Graph, u: Node) -> list[Activation]:
    """The catalogue's activations and their slopes at a node's value."""
    if u.number in graph.activations:
        return graph.activations[u.number]
    value = np.asarray(u.value, dtype=float).ravel()
    found: list[Activation] = []
    graph.activations[u.number] = found
    if value.size > 20_000:
        return found
    i = Index("i", "entries")
    for name in _activations():
        try:
            both = [
                np.asarray(
                    evaluate_expr(formula, {"u": value}, indices=(i,), sizes={"entries": value.size}), dtype=float
                )
                for formula in _formulas(name)
            ]
        except BackproofError:
            continue
        if all(np.all(np.isfinite(b)) for b in both):
            found.append((name, both[0].reshape(u.shape), both[1].reshape(u.shape)))
    return found


@cache
def _activations() -> tuple[str, ...]:
    return tuple(a.name for a in catalog.activations() if a.elementwise and not a.abstract)


@cache
def _formulas(name: str) -> tuple[Expr, Expr]:
    u = tensor("u", Index("i", "entries"))
    return apply(name, u), apply(name, u, orders=(1,))


def regions(search: Search) -> list[Region]:
    """Pairs of an entry-by-entry function: its argument u, its value v of the same shape, and ∂v/∂u."""
    if search.graph.regions is None:
        search.graph.regions = list(_find_regions(search))
    return search.graph.regions


def _find_regions(search: Search) -> Iterator[Region]:
    """Along elementwise operations from each node; a node that other shapes feed on the way ends nothing."""
    total = 0
    for u in search.graph.trace.nodes:
        if not u.active or u.op == "constant" or not u.shape or search.case.late:
            continue
        tangent: dict[int, Array] = {u.number: np.asarray(u.value) + 1j * STEP}
        frontier = [e.user for e in search.graph.outgoing.get(u.number, ())]
        seen: set[int] = set()
        order: list[Node] = []
        while frontier and len(order) < MAX_REGION:
            frontier.sort(key=lambda n: n.number)
            v = frontier.pop(0)
            if v.number in seen or v.op not in ELEMENTWISE or v.shape != u.shape:
                continue
            seen.add(v.number)
            order.append(v)
            frontier += [e.user for e in search.graph.outgoing.get(v.number, ())]
        for v in order:
            tangent[v.number] = OPERATIONS[v.op].run(v.attr, *(tangent.get(p.number, p.value) for p in v.parents))
            slope = np.imag(tangent[v.number]) / STEP
            total += 1
            if total > 3000:
                return
            if np.ptp(slope) > 1e-9 * float(np.max(np.abs(slope), initial=1e-300)):
                yield u, v, slope
