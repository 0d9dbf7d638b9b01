"""Wrong arrangements: parts exchanged or overwritten, axes swapped or reversed, one example in place of all."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from backproof.check.code.graph import is_slice
from backproof.check.code.operations import OPERATIONS, Array, shrunk
from backproof.check.code.parts import depends_on_parameters_alone
from backproof.check.code.search import Change, Search
from backproof.check.code.tape import Edge, Node, pulled

MAX_PARTS: Final = 8
MAX_STEPS: Final = 12
PRODUCTS: Final = ("multiply", "matmul", "einsum")
SPREADING: Final = ("add", "subtract", "multiply", "divide", "broadcast")
REARRANGEMENTS: Final = ("reshape", "transpose", "index", "broadcast")


def changes(search: Search) -> Iterator[Change]:
    """The changes, those of whole sources first."""
    for number in search.graph.outgoing:
        edges = search.graph.outgoing[number]
        yield from _exchanged(search, edges)
        yield from _overwritten(search, edges)
    for node in search.trace.nodes:
        if node.op == "concatenate" and node.active:
            yield from _blocks(search, node)
    for edge in reversed(search.graph.edges):
        given = search.contribution(edge)
        if given is None:
            continue
        yield from _one_of_many(search, edge, given)
        if edge.user.op in PRODUCTS and len(edge.user.parents) == 2:
            yield from _axes(search, edge, given)
            yield from _reversed(search, edge, given)
        if edge.user.op == "index" and edge.slot == 0:
            yield from _keys(search, edge, given)
            yield from _penalised(search, edge)


def _exchanged(search: Search, edges: list[Edge]) -> Iterator[Change]:
    """Two parts of an array, each with the gradient of the other: q and k of a joined projection."""
    parts = [e for e in edges if e.user.op == "index" and e.slot == 0]
    if not 1 < len(parts) <= MAX_PARTS:
        return
    for a, b in itertools.combinations(parts, 2):
        if a.user.shape != b.user.shape or not a.user.shape:
            continue
        crossed = pulled(a, search.cotangent(b.user)) + pulled(b, search.cotangent(a.user))
        straight = pulled(a, search.cotangent(a.user)) + pulled(b, search.cotangent(b.user))
        yield Change(a.source, crossed - straight, "wrong-index", "two parts are exchanged", 1.0, 3, a)


def _blocks(search: Search, node: Node) -> Iterator[Change]:
    """Two of the arrays that were put side by side, each with the gradient of the other."""
    if len({p.shape for p in node.parents}) > 1 or not 1 < len(node.parents) <= MAX_PARTS:
        return
    c = search.cotangent(node)
    blocks = np.split(c, len(node.parents), axis=node.attr)
    for i, j in itertools.combinations(range(len(blocks)), 2):
        order = list(blocks)
        order[i], order[j] = order[j], order[i]
        wrong = np.concatenate(order, axis=node.attr)
        yield Change(node, wrong - c, "wrong-index", "two parts are exchanged", 1.0, 3)


def _overwritten(search: Search, edges: list[Edge]) -> Iterator[Change]:
    """Of what several passes of a loop contribute only that of the last or the first."""
    groups: dict[tuple[int, str, int], list[Edge]] = {}
    for edge in edges:
        groups.setdefault((edge.user.line, edge.user.op, edge.slot), []).append(edge)
    if len(edges) < 3 or max(map(len, groups.values())) < 2:
        return
    for place in (-1, 0):
        kept = [search.contribution(members[place]) for members in groups.values()]
        total: Any = sum(k for k in kept if k is not None)
        source = edges[0].source
        yield Change(source, total - search.cotangent(source), "no-accumulate", "of one pass alone", 1.0, 3, edges[0])


def _one_of_many(search: Search, edge: Edge, given: Array) -> Iterator[Change]:
    """An array that was repeated along an axis gets what one entry of the axis gives, or the mean of all."""
    if edge.user.op == "einsum":
        yield from _one_letter(search, edge, given)
        return
    user, own = edge.user.shape, edge.source.shape
    if (
        len(user) < len(own)
        or user == own
        or edge.user.op not in ("add", "subtract", "multiply", "divide", "broadcast")
    ):
        return
    padded = (1,) * (len(user) - len(own)) + own
    arrived = search.cotangent(edge.user)
    for axis, (have, want) in enumerate(zip(padded, user, strict=True)):
        if have == want:
            continue
        for place, word in ((0, "first"), (-1, "last")):
            alone = np.zeros_like(arrived)
            at = (slice(None),) * axis + (place,)
            alone[at] = arrived[at]
            detail = f"the {word} along axis {axis} alone"
            yield Change(edge.source, pulled(edge, alone) - given, "bias-reduction", detail, 1.0, 3, edge)
        mean = f"averaged over axis {axis}, not summed"
        yield Change(edge.source, given / want - given, "bias-reduction", mean, 1.0, 4, edge)


def _one_letter(search: Search, edge: Edge, given: Array) -> Iterator[Change]:
    """The same of a product by letters: those of the result that the array does not have."""
    left, _, out = edge.user.attr.partition("->")
    own = left.split(",")[edge.slot]
    arrived = search.cotangent(edge.user)
    for axis, letter in enumerate(out):
        if letter in own or arrived.shape[axis] < 2:
            continue
        for place, word in ((0, "first"), (-1, "last")):
            alone = np.zeros_like(arrived)
            at = (slice(None),) * axis + (place,)
            alone[at] = arrived[at]
            detail = f"the {word} along {letter} alone"
            yield Change(edge.source, pulled(edge, alone) - given, "bias-reduction", detail, 1.0, 3, edge)


def _with_other(edge: Edge, arrived: Array, value: Array) -> Array:
    operands = [p.value for p in edge.user.parents]
    operands[1 - edge.slot] = value
    pull = OPERATIONS[edge.user.op].pull
    assert pull is not None
    return shrunk(pull(edge.user.attr, edge.user.value, operands, arrived, edge.slot), edge.source.shape)


def _axes(search: Search, edge: Edge, given: Array) -> Iterator[Change]:
    """Two axes of one length swapped, in the other factor of a product or in what arrives."""
    arrived = search.cotangent(edge.user)
    other = np.asarray(edge.user.parents[1 - edge.slot].value)
    for a, b in itertools.combinations(range(other.ndim), 2):
        if other.shape[a] == other.shape[b] > 1:
            wrong = _with_other(edge, arrived, np.swapaxes(other, a, b))
            detail = f"axes {a} and {b} of the other factor"
            yield Change(edge.source, wrong - given, "transpose", detail, 1.0, 3, edge)
    for a, b in itertools.combinations(range(arrived.ndim), 2):
        if arrived.shape[a] == arrived.shape[b] > 1:
            wrong = pulled(edge, np.swapaxes(arrived, a, b))
            detail = f"axes {a} and {b} of the upstream gradient"
            yield Change(edge.source, wrong - given, "transpose", detail, 1.0, 3, edge)


def _reversed(search: Search, edge: Edge, given: Array) -> Iterator[Change]:
    """The other factor reversed along axes, in the order that it had before it was reshaped."""
    at, steps = edge.user.parents[1 - edge.slot], list[Node]()
    while at.op in REARRANGEMENTS and len(steps) < MAX_STEPS:
        steps.append(at)
        at = at.parents[0]
    value = np.asarray(at.value)
    if not 2 <= value.ndim <= 5 or value.dtype.kind != "f":
        return
    arrived = search.cotangent(edge.user)
    for axes in ((-2, -1), *((k,) for k in range(value.ndim))):
        moved: Array = np.flip(value, axes)
        for step in reversed(steps):
            moved = OPERATIONS[step.op].run(step.attr, moved)
        what = at.name or "the other factor"
        detail = f"{what} reversed along {'its last two axes' if len(axes) == 2 else f'axis {axes[0]}'}"
        yield Change(edge.source, _with_other(edge, arrived, moved) - given, "wrong-index", detail, 1.0, 5, edge)


def swapped_key(edge: Edge) -> tuple[Any, ...] | None:
    """The key of a look-up with its first two indices swapped, where both axes are as long."""
    key = edge.user.attr
    if not isinstance(key, tuple) or len(key) != 2 or edge.source.shape[:1] != edge.source.shape[1:2]:
        return None
    if any(isinstance(k, slice) or k is None or k is Ellipsis for k in key):
        return None
    return key[::-1]


def scattered(edge: Edge, key: Any, arrived: Array) -> Array:
    """What a look-up gives back if it is added at other places."""
    back = np.zeros(edge.source.shape)
    np.add.at(back, key, arrived)
    return back


def _keys(search: Search, edge: Edge, given: Array) -> Iterator[Change]:
    """Entries put back at [j, i] where [i, j] was looked up."""
    key = swapped_key(edge)
    if key is not None:
        wrong = scattered(edge, key, search.cotangent(edge.user))
        yield Change(edge.source, wrong - given, "wrong-index", "row and column are swapped", 1.0, 3, edge)


def _penalised(search: Search, edge: Edge) -> Iterator[Change]:
    """The penalty of a part of the parameters laid on all of them."""
    part, whole = edge.user, edge.source
    if not is_slice(part.attr) or whole.op != "input" or not depends_on_parameters_alone(search.graph, part):
        return
    values, c = np.asarray(part.value, dtype=float), search.cotangent(part)
    rate: Callable[[Array], Array] = lambda v: v  # noqa: E731 - the slope of the squares
    if not np.all(np.isfinite(c)):
        return
    for form in (rate, np.sign):
        shape = form(values)
        if not np.any(shape):
            continue
        scale = float(np.sum(c * shape) / np.sum(shape * shape))
        if scale and np.allclose(c, scale * shape, rtol=1e-9):
            outside = scale * form(np.asarray(whole.value, dtype=float))
            outside[part.attr] = 0
            detail = f"the entries of {whole.name} that the penalty leaves out"
            yield Change(whole, outside, "regularised-bias", detail, 1.0, 1)
