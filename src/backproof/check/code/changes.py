"""The changes of a derivation that are tried, in stages from simple to strange."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from backproof.check.code import arrangements, macros
from backproof.check.code.graph import is_mask
from backproof.check.code.operations import OPERATIONS, Array, shrunk
from backproof.check.code.search import Change, Search
from backproof.check.code.slopes import (
    FORMS,
    SLOPE_RANKS,
    is_close,
    is_linear,
    of_extremes,
    other_functions,
    regions,
    slope_at,
    slope_variants,
)
from backproof.check.code.tape import Edge, Node, pulled

MAX_POOL: Final = 40


def stages(search: Search) -> list[Iterator[Change]]:
    """The stages; the search stops after one that explains everything."""
    return [
        _simple(search),
        arrangements.changes(search),
        macros.changes(search),
        _slopes(search),
        _other_slopes(search),
        _operands(search),
        _strange(search),
    ]


def _simple(search: Search) -> Iterator[Change]:
    """A factor or sign at a node, a contribution left out or alone, a slope, mask or factor left out, a transpose."""
    for name, node in search.trace.tape.inputs.items():
        if node.active and name in search.rests:
            yield Change(node, search.cotangent(node), "scale", name, None, 1)
    for node in reversed(search.trace.nodes):
        if node.active and node.op != "input":
            yield Change(node, search.cotangent(node), "scale", "", None, 2)
    for edge in reversed(search.graph.edges):
        given = search.contribution(edge)
        if given is None:
            continue
        if edge.user.op == "multiply" and edge.user.parents[0] is edge.user.parents[1]:
            # A square is one use, not two.
            if edge.slot == 1:
                continue
            given = 2 * given
        if len({e.user.number for e in search.graph.outgoing.get(edge.source.number, ())}) > 1:
            yield Change(edge.source, given, "edge", "", None, 2, edge)
            yield Change(edge.source, given - search.cotangent(edge.source), "alone", "", 1.0, 4, edge)
        yield from _left_out(search, edge, given)
        if edge.user.op == "matmul":
            yield from _transposed(search, edge, given)
        if edge.user.op in ("index", "put") and edge.slot == 0:
            yield from _overwritten(search, edge, given)


def _left_out(search: Search, edge: Edge, given: Array) -> Iterator[Change]:
    user = edge.user
    arrived = search.cotangent(user)
    if user.op == "unary" and user.attr not in ("negative", "positive"):
        yield Change(edge.source, shrunk(arrived, edge.source.shape) - given, "missing-slope", user.attr, 1.0, 2, edge)
    elif (user.op in ("multiply", "divide", "power") and edge.slot == 0) or user.op == "multiply":
        other = user.parents[1 - edge.slot]
        if np.size(other.value) > 1 or user.op == "power":
            kind = "missing-mask" if is_mask(other) else "missing-slope" if user.op == "power" else "missing-factor"
            yield Change(edge.source, shrunk(arrived, edge.source.shape) - given, kind, "", 1.0, 3, edge)
    if user.op in ("power", "divide") and edge.slot == (user.op == "divide"):
        base = np.asarray(edge.source.value, dtype=float)
        for detail, wrong in (("a power too many", given * base), ("a power too few", given / base)):
            yield Change(edge.source, wrong - given, "wrong-exponent", detail, 1.0, 5, edge)
    if user.op == "unary" and user.attr == "sqrt":
        root = np.asarray(user.value)
        for detail, wrong in (("a root too many", given / root), ("a root too few", given * root)):
            yield Change(edge.source, wrong - given, "wrong-exponent", f"{detail} under 1", 1.0, 5, edge)
    if user.op == "matmul" and arrived.shape == edge.source.shape:
        yield Change(edge.source, arrived - given, "missing-factor", "", 1.0, 3, edge)
    elif user.op in ("maximum", "minimum"):
        yield Change(edge.source, shrunk(arrived, edge.source.shape) - given, "missing-slope", user.op, 1.0, 2, edge)
    elif user.op in ("max", "min"):
        for kind, detail, rule in of_extremes():
            yield Change(edge.source, rule(edge, arrived, given) - given, kind, detail, 1.0, 3, edge)
    elif user.op == "where":
        yield Change(edge.source, shrunk(arrived, edge.source.shape) - given, "missing-mask", "where", 1.0, 2, edge)


def _transposed(search: Search, edge: Edge, given: Array) -> Iterator[Change]:
    arrived = search.cotangent(edge.user)
    other = np.asarray(edge.user.parents[1 - edge.slot].value)
    if other.ndim >= 2 and other.shape[-1] == other.shape[-2] and arrived.ndim >= 2:
        wrong = arrived @ other if edge.slot == 0 else other @ arrived
        yield Change(
            edge.source, shrunk(wrong, edge.source.shape) - given, "transpose", "the other factor", 1.0, 2, edge
        )
    if arrived.ndim >= 2 and arrived.shape[-1] == arrived.shape[-2] and other.ndim >= 2:
        turned = np.swapaxes(arrived, -1, -2)
        wrong = pulled(edge, turned)
        yield Change(edge.source, wrong - given, "transpose", "the upstream gradient", 1.0, 3, edge)
    if given.ndim >= 2 and given.shape[-1] == given.shape[-2]:
        yield Change(edge.source, np.swapaxes(given, -1, -2) - given, "transpose", "the result", 1.0, 2, edge)


def _overwritten(search: Search, edge: Edge, given: Array) -> Iterator[Change]:
    if edge.user.op == "index":
        back = np.zeros(edge.source.shape)
        back[edge.user.attr] = search.cotangent(edge.user)
        yield Change(edge.source, back - given, "no-accumulate", "entries used several times", 1.0, 2, edge)
    whole = [e for e in search.graph.outgoing.get(edge.source.number, ()) if e.user.op == "index"]
    if len(whole) > 1 and edge.user.number == whole[0].user.number:
        for order in (whole, whole[::-1]):
            back = np.zeros(edge.source.shape)
            for e in order:
                back[e.user.attr] = search.cotangent(e.user)
            yield Change(
                edge.source, back - search.cotangent(edge.source), "no-accumulate", "overlapping parts", 1.0, 2, edge
            )


def _slopes(search: Search) -> Iterator[Change]:
    """Slopes of whole functions: missing, twice, at another point, of another function."""
    for u, v, slope in regions(search):
        c_u, c_v = search.cotangent(u), search.cotangent(v)
        yield Change(u, c_u * (slope - 1), "extra-slope", "", 1.0, 3)
        for kind, detail, wrong in slope_variants(search.graph, u, v, slope):
            rank = SLOPE_RANKS.get(kind, 5)
            yield Change(u, c_v * (wrong - slope), kind, detail, 1.0, rank)
        if not is_linear(search.graph, u, v, slope):
            wrong = slope_at(search.graph, u, v, c_v)
            detail = "f′ at the upstream gradient, not at z"
            yield Change(u, c_v * (wrong - slope), "wrong-slope-point", detail, 1.0, 5)
        # The output's slope kept where it has cancelled; the usual short forms of it.
    for node in search.trace.nodes:
        if node.active and node.shape:
            value = np.asarray(node.value)
            c = search.cotangent(node)
            for source in {e.number: e for e in _same_shape_ancestors(node)}.values():
                c_source = search.cotangent(source)
                for form, function in FORMS.items():
                    if form != "a":
                        yield Change(source, c_source * (function(value) - 1), "extra-slope", form, 1.0, 4)
            del c


def _other_slopes(search: Search) -> Iterator[Change]:
    """Slopes of other activations, and usual forms of slopes at the values of other lines."""
    for u, v, slope in regions(search):
        c_v = search.cotangent(v)
        for kind, detail, wrong in other_functions(search.graph, u, v, slope):
            yield Change(u, c_v * (wrong - slope), kind, detail, 1.0, 5)
        if is_linear(search.graph, u, v, slope):
            continue
        for form, function in FORMS.items():
            if is_close(function(np.asarray(v.value)), slope):
                for other in pool(search, u.shape):
                    if other is not v and other is not u:
                        says = f"{form} with the value of line {other.line}"
                        wrong = function(np.asarray(other.value))
                        yield Change(u, c_v * (wrong - slope), "wrong-slope-point", says, 1.0, 7)


def _same_shape_ancestors(node: Node, steps: int = 6) -> Iterator[Node]:
    yield node
    frontier = [node]
    for _ in range(steps):
        frontier = [p for n in frontier for p in n.parents if p.active and p.shape == node.shape][:4]
        yield from frontier


def pool(search: Search, shape: tuple[int, ...]) -> list[Node]:
    """The values of this shape that a person may have taken by mistake."""
    found = [n for n in search.trace.nodes if n.shape == shape and n.op != "cast"]
    inputs = [n for n in search.trace.tape.inputs.values() if n.shape == shape and n not in found]
    return (inputs + found)[:MAX_POOL]


def _operands(search: Search) -> Iterator[Change]:
    """Another array of the same shape in place of a factor; the adjoint of another use."""
    for edge in reversed(search.graph.edges):
        given = search.contribution(edge)
        user = edge.user
        if given is None or user.op not in ("multiply", "matmul", "divide", "einsum") or len(user.parents) != 2:
            continue
        other = user.parents[1 - edge.slot]
        if np.size(other.value) < 2:
            continue
        pull = OPERATIONS[user.op].pull
        assert pull is not None
        for candidate in pool(search, other.shape):
            if candidate.number == other.number:
                continue
            operands = [p.value for p in user.parents]
            operands[1 - edge.slot] = candidate.value
            wrong = shrunk(pull(user.attr, user.value, operands, search.cotangent(user), edge.slot), edge.source.shape)
            yield Change(edge.source, wrong - given, "operand", f"{candidate.number}", 1.0, 5, edge)

        def with_operand(value: Array, edge: Edge = edge) -> Array:
            user = edge.user
            operands = [p.value for p in user.parents]
            operands[1 - edge.slot] = value
            rule = OPERATIONS[user.op].pull
            assert rule is not None
            return shrunk(rule(user.attr, user.value, operands, search.cotangent(user), edge.slot), edge.source.shape)

        if other.op == "transpose" or len(other.shape) == 2:
            for candidate in pool(search, other.shape[::-1]):
                if other.op != "transpose" or candidate is not other.parents[0]:
                    yield Change(
                        edge.source,
                        with_operand(np.asarray(candidate.value).T) - given,
                        "operand",
                        f"{candidate.number}",
                        1.0,
                        6,
                        edge,
                    )
        if len(other.shape) >= 2:
            turned = np.flip(np.asarray(other.value), (-1, -2))
            yield Change(edge.source, with_operand(turned) - given, "wrong-index", "both axes reversed", 1.0, 6, edge)
        origin = other.parents[0] if other.op == "transpose" else other
        if origin.op == "input" and origin.active:
            step = search.cotangent(origin)
            step = np.transpose(step, other.attr) if other.op == "transpose" else step
            yield Change(
                edge.source, with_operand(step), "stale-variable", f"{origin.name} after its update", None, 6, edge
            )


def _strange(search: Search) -> Iterator[Change]:
    """The upstream gradient ignored, a factor too many, a power too many, a term too many, a shift."""
    for edge in reversed(search.graph.edges):
        given = search.contribution(edge)
        if given is not None and np.size(edge.user.value) > 1:
            alone = pulled(edge, np.ones(edge.user.shape))
            yield Change(edge.source, alone - given, "upstream-ignored", "ones in its place", 1.0, 4, edge)
    for name, node in search.trace.tape.inputs.items():
        if name not in search.rests:
            continue
        for q in pool(search, node.shape):
            yield Change(node, np.asarray(q.value, dtype=float), "extra-term", str(q.number), None, 6)
    for node in reversed(search.trace.nodes):
        if not node.active or not node.shape:
            continue
        c = search.cotangent(node)
        for axis in range(len(node.shape)):
            for shift in (1, -1):
                yield Change(
                    node, np.roll(c, shift, axis) - c, "wrong-index", f"shifted by {shift} along axis {axis}", 1.0, 7
                )
            yield Change(node, np.flip(c, axis) - c, "wrong-index", f"reversed along axis {axis}", 1.0, 7)
            if node.shape[axis] > 1:
                yield Change(
                    node, np.mean(c, axis=axis, keepdims=True) - c, "wrong-axis", f"averaged over axis {axis}", 1.0, 7
                )
                for scale in (None,):
                    total = np.broadcast_to(np.sum(c, axis=axis, keepdims=True), node.shape)
                    yield Change(node, total, "wrong-axis", f"with its sum over axis {axis}", scale, 9)
    for node in reversed(search.trace.nodes):
        if not node.active or not node.shape:
            continue
        c = search.cotangent(node)
        for q in search.trace.nodes:
            value = np.asarray(q.value)
            if value.dtype.kind not in "fb" or np.size(value) < 2 or not _fits(value.shape, node.shape):
                continue
            value = value.astype(float)
            yield Change(node, c * (value - 1), "extra-factor", str(q.number), 1.0, 8)
            if np.all(value != 0):
                yield Change(node, c * (1 / value - 1), "extra-divisor", str(q.number), 1.0, 8)


def _fits(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, into) == into
    except ValueError:
        return False
