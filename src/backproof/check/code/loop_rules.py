"""Loop rules: what is tried at all passes of a loop: factors, slopes, other operands, those of another pass."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from backproof.check.code.arrangements import scattered, swapped_key
from backproof.check.code.graph import is_mask
from backproof.check.code.operations import OPERATIONS, Array, shrunk, slope
from backproof.check.code.search import Search
from backproof.check.code.slopes import of_extremes
from backproof.check.code.tape import Cotangents, Edge, Node, pulled

MAX_PATHS: Final = 16
MAX_STEPS: Final = 5
Rule = Callable[[Edge, Array, Array, Cotangents], Array]
Variant = tuple[str, str, Rule]


def rules(search: Search, edges: list[Edge]) -> Iterator[Variant]:
    """Factors, slopes and masks of one operation."""
    first = edges[0].user
    yield "edge", "drop", lambda _, __, given, ___: np.zeros_like(given)
    yield "edge", "negate", lambda _, __, given, ___: -given
    yield "factor", "2", lambda _, __, given, ___: 2 * given
    yield "factor", "1/2", lambda _, __, given, ___: given / 2
    if first.op in ("unary", "maximum", "multiply", "divide", "power", "where"):
        other = first.parents[1 - edges[0].slot] if first.op == "multiply" else None
        kind = (
            "missing-mask"
            if other is not None and is_mask(other)
            else "missing-slope"
            if first.op in ("unary", "maximum")
            else "missing-factor"
        )
        yield (
            kind,
            first.attr if isinstance(first.attr, str) else "",
            lambda e, arrived, _, __: shrunk(arrived, e.source.shape),
        )
    if first.op in ("multiply", "divide", "power"):
        yield "factor", "-1", lambda _, __, given, ___: -given
    if first.op == "unary":
        yield from _of_functions()
    if first.op in ("max", "min"):
        for kind, detail, extreme in of_extremes():
            yield kind, detail, lambda e, arrived, given, _, extreme=extreme: extreme(e, arrived, given)
    if first.op in ("unary", "maximum", "minimum"):
        yield "wrong-slope-point", "f′ at the upstream gradient, not at z", _at_upstream
    if first.op == "index" and swapped_key(edges[0]) is not None:
        yield "wrong-index", "row and column are swapped", _swapped
    if first.op == "sum":
        yield "wrong-reduction", "a mean stands for a sum, or a sum for a mean", _other_reduction
    if first.op in ("matmul", "multiply", "einsum"):
        yield "missing-slope", "the slope of what the product is put into", _before_slope(search)
    if first.op == "matmul":
        other = np.asarray(first.parents[1 - edges[0].slot].value)
        if other.ndim >= 2 and other.shape[-1] == other.shape[-2]:

            def turned(e: Edge, arrived: Array, _: Array, __: Cotangents) -> Array:
                matrix = np.asarray(e.user.parents[1 - e.slot].value)
                if arrived.ndim == 1:
                    return matrix.T @ arrived if e.slot == 0 else matrix @ arrived
                return shrunk(arrived @ matrix if e.slot == 0 else matrix @ arrived, e.source.shape)

            yield "transpose", "the other factor", turned


def _at_upstream(edge: Edge, arrived: Array, given: Array, _: Cotangents) -> Array:
    """What a function gives with its slope taken where the upstream gradient is."""
    if arrived.shape != edge.source.shape:
        return given
    operands = [p.value for p in edge.user.parents]
    operands[edge.slot] = arrived
    pull = OPERATIONS[edge.user.op].pull
    assert pull is not None
    value = OPERATIONS[edge.user.op].run(edge.user.attr, *operands)
    return shrunk(pull(edge.user.attr, value, operands, arrived, edge.slot), edge.source.shape)


def _swapped(edge: Edge, arrived: Array, given: Array, _: Cotangents) -> Array:
    key = swapped_key(edge)
    return given if key is None else scattered(edge, key, arrived)


def _other_reduction(edge: Edge, _: Array, given: Array, __: Cotangents) -> Array:
    count = np.size(edge.source.value) / max(1, np.size(edge.user.value))
    return given * count if edge.user.attr[2] else given / count


def _of_functions() -> Iterator[Variant]:
    """A function's slope at another point, twice, or of another function."""

    def value(e: Edge) -> Array:
        return np.asarray(e.user.value)

    def point(e: Edge) -> Array:
        return np.asarray(e.source.value)

    yield "wrong-slope-point", "f′ at a, not at z", lambda e, c, _, __: c * slope(e.user.attr, e.user.value)
    yield "extra-slope", "", lambda e, _, given, __: given * slope(e.user.attr, e.source.value)
    yield "wrong-slope-point", "1 − z²", lambda e, c, _, __: c * (1 - point(e) ** 2)
    yield "wrong-slope-point", "z(1 − z)", lambda e, c, _, __: c * point(e) * (1 - point(e))
    yield "wrong-activation", "a(1 − a)", lambda e, c, _, __: c * value(e) * (1 - value(e))
    yield "wrong-activation", "1 − a²", lambda e, c, _, __: c * (1 - value(e) ** 2)
    yield "wrong-activation", "[a > 0]", lambda e, c, _, __: c * (value(e) > 0)
    yield "wrong-exponent", "1 − a", lambda e, c, _, __: c * (1 - value(e))
    yield "wrong-exponent", "(1 − a)²", lambda e, c, _, __: c * (1 - value(e)) ** 2
    yield "wrong-activation", "a", lambda e, c, _, __: c * value(e)


def _before_slope(search: Search) -> Rule:
    """What an arrow would give if the cotangent were that of the function which the product is put into."""

    def rule(edge: Edge, _: Array, given: Array, cotangents: Cotangents) -> Array:
        later = _function_of(search, edge.user)
        return given if later is None or later.number not in cotangents else pulled(edge, cotangents[later.number])

    return rule


def _function_of(search: Search, node: Node) -> Node | None:
    """The function of single entries that a node is put into, with a bias or none between them."""
    at = node
    for _ in range(4):
        users = [e.user for e in search.graph.outgoing.get(at.number, ())]
        if not users or len({u.number for u in users}) > 2 or any(u.shape != node.shape for u in users):
            return None
        at = max(users, key=lambda u: u.number)
        if at.op in ("unary", "maximum", "where") and at.attr not in ("negative", "positive"):
            return at
    return None


def branches(search: Search) -> Iterator[tuple[list[Edge], list[Variant]]]:
    """One branch of a case distinction taken everywhere, in every node of one line."""
    groups: dict[tuple[int, str], list[Edge]] = {}
    for edge in search.graph.edges:
        if edge.user.op in ("where", "maximum", "minimum"):
            groups.setdefault((edge.user.line, edge.user.op), []).append(edge)
    for edges in groups.values():

        def only(slot: int) -> Rule:
            def rule(edge: Edge, arrived: Array, given: Array, _: Cotangents) -> Array:
                return shrunk(arrived, edge.source.shape) if edge.slot == slot else np.zeros_like(given)

            return rule

        slots = sorted({e.slot for e in edges})
        yield edges, [("missing-mask", "one case of the distinction is used everywhere", only(slot)) for slot in slots]


def exchanged(search: Search) -> Iterator[tuple[list[Edge], list[Variant]]]:
    """Both factors of a product, each with itself in place of the other; the other case of a distinction."""
    groups: dict[tuple[Any, ...], list[Edge]] = {}
    for edge in search.graph.edges:
        user = edge.user
        if user.op == "multiply" and user.parents[0] is not user.parents[1]:
            if user.parents[0].shape == user.parents[1].shape:
                groups.setdefault((user.op, user.line, user.parents[0].line, user.parents[1].line), []).append(edge)
        elif user.op in ("maximum", "minimum", "where"):
            groups.setdefault((user.op, user.line), []).append(edge)
    for (op, *_), edges in groups.items():
        if op == "multiply":
            rule: Rule = lambda e, arrived, _, __: arrived * np.asarray(e.source.value)  # noqa: E731 - one of many rules
            yield edges, [("wrong-variable", "the factors of a product are exchanged", rule)]
        else:
            other: Rule = lambda e, arrived, given, _: shrunk(arrived, e.source.shape) - given  # noqa: E731
            yield edges, [("wrong-slope-point", "the condition the wrong way round", other)]


def shifted(search: Search, edges: list[Edge]) -> Iterator[Variant]:
    """The other factor of the next or previous pass, or in reverse order."""
    user = edges[0].user
    if user.op not in ("matmul", "multiply", "einsum") or len(user.parents) != 2:
        return
    edges = sorted(edges, key=lambda e: e.user.number)
    others = [e.user.parents[1 - e.slot] for e in edges]
    for axes in ((-2, -1), (-1,), (-2,)):
        if all(len(o.shape) >= -min(axes) for o in others):

            def turned(edge: Edge, arrived: Array, _: Array, __: Cotangents, axes: tuple[int, ...] = axes) -> Array:
                return _with_other(edge, arrived, np.flip(edge.user.parents[1 - edge.slot].value, axes))

            yield "wrong-index", "the other factor reversed", turned
    if len({o.number for o in others}) < 2 or len({o.shape for o in others}) > 1:
        return
    yield from _relatives(others, edges)
    series = [
        n for n in search.trace.nodes if (n.line, n.op, n.shape) == (others[-1].line, others[-1].op, others[-1].shape)
    ]
    later = [n for n in series if n.number > others[-1].number][:1]
    earlier = [n for n in search.trace.nodes if n.number < others[0].number and n.shape == others[0].shape][-1:]
    orders = [("wrong-index", "in reverse order", others[::-1])]
    orders += [("wrong-index", "that of one pass in all", [others[k]] * len(others)) for k in (0, -1)]
    if later:
        orders.append(("stale-variable", "the value of the next step", [*others[1:], *later]))
    if earlier:
        orders.append(("stale-variable", "the value of the step before", [*earlier, *others[:-1]]))
    orders.append(("stale-variable", "the value of the next step", [*others[1:], others[-1]]))
    orders.append(("stale-variable", "the value of the step before", [others[0], *others[:-1]]))
    for kind, detail, order in orders:
        instead = {e.user.number: o.value for e, o in zip(edges, order, strict=True)}

        def rule(edge: Edge, arrived: Array, _: Array, __: Cotangents, instead: dict[int, Array] = instead) -> Array:
            return _with_other(edge, arrived, instead[edge.user.number])

        yield kind, detail, rule


def _relatives(others: list[Node], edges: list[Edge]) -> Iterator[Variant]:
    """In place of the other factor what it was made of: r ⊙ h without r, a before its activation."""
    for path in paths(others[0]):
        found = [followed(o, path) for o in others]
        relatives = [f for f in found if f is not None and f.shape == others[0].shape]
        if len(relatives) < len(others):
            continue
        instead = {e.user.number: f.value for e, f in zip(edges, relatives, strict=True)}

        def rule(edge: Edge, arrived: Array, _: Array, __: Cotangents, instead: dict[int, Array] = instead) -> Array:
            return _with_other(edge, arrived, instead[edge.user.number])

        made = others[0].op
        kind = "missing-slope" if made in ("unary", "maximum") else "wrong-variable"
        kind = "dropped-term" if made in ("multiply", "divide") and len(path) == 1 else kind
        yield kind, "a part of the other factor in its place", rule


def paths(node: Node) -> Iterator[tuple[int, ...]]:
    """Ways to operands of the same shape, the nearest first."""
    ahead: list[tuple[Node, tuple[int, ...]]] = [(node, ())]
    count = 0
    while ahead and count < MAX_PATHS:
        one, path = ahead.pop(0)
        for slot, parent in enumerate(one.parents):
            if len(path) < MAX_STEPS:
                ahead.append((parent, (*path, slot)))
            if parent.shape == node.shape:
                count += 1
                yield (*path, slot)


def followed(node: Node, path: tuple[int, ...]) -> Node | None:
    """The operand at the end of a path of slots, or None."""
    for slot in path:
        if slot >= len(node.parents):
            return None
        node = node.parents[slot]
    return node


def _with_other(edge: Edge, arrived: Array, value: Array) -> Array:
    """What an arrow of a product gives with another value of the other factor."""
    operands = [p.value for p in edge.user.parents]
    operands[1 - edge.slot] = value
    pull = OPERATIONS[edge.user.op].pull
    assert pull is not None
    return shrunk(pull(edge.user.attr, edge.user.value, operands, arrived, edge.slot), edge.source.shape)
