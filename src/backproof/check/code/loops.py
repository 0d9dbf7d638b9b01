"""Changes at all passes of a loop at once: the same operation of the same line, wherever it was run."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from backproof.check.code.graph import is_mask
from backproof.check.code.operations import OPERATIONS, Array, shrunk, slope
from backproof.check.code.search import Change, Hit, LoopChange, Search
from backproof.check.code.slopes import other_functions, regions, slope_variants
from backproof.check.code.tape import Cotangents, Edge, Extra, Node, pulled, sweep

MAX_GROUPS: Final = 400
MAX_REGIONS: Final = 120
HISTORY: Final = 6
Rule = Callable[[Edge, Array, Array, Cotangents], Array]
Variant = tuple[str, str, Rule]


def hits(search: Search) -> Iterator[Hit]:
    """The changed sweeps that reproduce the wrong numbers."""
    several = _groups(search)
    variants = [(edges, list(_rules(search, edges))) for edges in several]
    variants += [(edges, list(_shifted(search, edges))) for edges in several]
    variants += [*_branches(search), *_exchanged(search)]
    for edges, rules in variants:
        members = {(e.user.number, e.slot) for e in edges}
        for kind, detail, rule in rules:
            if search.case.late:
                return

            def change(
                edge: Edge,
                arrived: Array,
                given: Array,
                cotangents: Cotangents,
                rule: Rule = rule,
                members: set[tuple[int, int]] = members,
            ) -> Array:
                inside = (edge.user.number, edge.slot) in members
                return rule(edge, arrived, given, cotangents) if inside else given

            hit = _tried(search, edges[0].source, edges[0], kind, detail, change, search.extra)
            if hit is not None:
                yield hit
    yield from _regions(search)


def _groups(search: Search) -> list[list[Edge]]:
    """Arrows of the same line and kind; also those alone whose sources came about in the same way."""
    groups: dict[tuple[Any, ...], list[Edge]] = {}
    for edge in search.graph.edges:
        key = (edge.user.line, edge.user.op, str(edge.user.attr)[:20], edge.slot, edge.source.line, edge.source.name)
        groups.setdefault(key, []).append(edge)
        groups.setdefault((*key, *_history(edge.source)), []).append(edge)
    unlike: dict[tuple[int, ...], list[Edge]] = {}
    for edges in groups.values():
        if len(edges) > 1:
            unlike.setdefault(tuple(e.user.number * 8 + e.slot for e in edges), edges)
    return list(unlike.values())[:MAX_GROUPS]


def _history(node: Node) -> tuple[Any, ...]:
    found: list[Any] = []
    for _ in range(HISTORY):
        found.append((node.op, node.line, str(node.attr)[:40]))
        active = [p for p in node.parents if p.active]
        if not active:
            break
        node = active[0]
    return tuple(found)


def _tried(
    search: Search,
    node: Node,
    edge: Edge | None,
    kind: str,
    detail: str,
    change: Rule | None,
    extra: Mapping[int, Extra],
) -> Hit | None:
    try:
        with np.errstate(all="ignore"):
            swept = sweep(search.trace.nodes, search.trace.output, change=change, keep=False, extra=extra)
    except (ValueError, IndexError):
        return None
    covers, breaks = set[str](), 0
    for name in search.rests:
        compared = search.case.compared[name]
        value = swept.at(search.trace.tape.inputs[name])
        limit = 10 * compared.tolerance + 1e-6 * float(np.max(np.abs(compared.claim), initial=0.0))
        same = bool(np.max(np.abs(value - compared.claim), initial=0.0) <= limit)
        if name in search.wrong and same:
            covers.add(name)
        elif name not in search.wrong and not same:
            breaks += 1
    if not covers:
        return None
    scale = {"drop": -1.0, "negate": -2.0}.get(detail, 1.0)
    made = Change(node, np.zeros(()), kind, detail, 1.0, 3, edge, LoopChange(change, extra))
    return Hit(made, scale, frozenset(covers), breaks)


def _rules(search: Search, edges: list[Edge]) -> Iterator[Variant]:
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
        later = function_of(search, edge.user)
        return given if later is None or later.number not in cotangents else pulled(edge, cotangents[later.number])

    return rule


def function_of(search: Search, node: Node) -> Node | None:
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


def _branches(search: Search) -> Iterator[tuple[list[Edge], list[Variant]]]:
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


def _exchanged(search: Search) -> Iterator[tuple[list[Edge], list[Variant]]]:
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


def _shifted(search: Search, edges: list[Edge]) -> Iterator[Variant]:
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
    series = [
        n for n in search.trace.nodes if (n.line, n.op, n.shape) == (others[-1].line, others[-1].op, others[-1].shape)
    ]
    later = [n for n in series if n.number > others[-1].number][:1]
    earlier = [n for n in search.trace.nodes if n.number < others[0].number and n.shape == others[0].shape][-1:]
    orders = [("wrong-index", "in reverse order", others[::-1])]
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


def _with_other(edge: Edge, arrived: Array, value: Array) -> Array:
    """What an arrow of a product gives with another value of the other factor."""
    operands = [p.value for p in edge.user.parents]
    operands[1 - edge.slot] = value
    pull = OPERATIONS[edge.user.op].pull
    assert pull is not None
    return shrunk(pull(edge.user.attr, edge.user.value, operands, arrived, edge.slot), edge.source.shape)


def _regions(search: Search) -> Iterator[Hit]:
    """Whole functions of single entries that occur in every pass: their slope missing, twice, at a wrong point, or
    that of another function.
    """
    groups: dict[tuple[Any, ...], list[tuple[Node, Node, Array]]] = {}
    for u, v, own in regions(search):
        key = (u.line, u.op, str(u.attr)[:40], v.line, v.op, str(v.attr)[:40])
        groups.setdefault(key, []).append((u, v, own))
    several = [members for members in groups.values() if len(members) > 1]
    several.sort(key=lambda members: members[0][1].number - members[0][0].number)
    for members in several[:MAX_REGIONS]:
        named = [{(kind, detail): wrong for kind, detail, wrong in _all_variants(search, *one)} for one in members]
        for key in named[0]:
            if search.case.late:
                return
            if not all(key in own for own in named):
                continue
            extra: dict[int, Extra] = dict(search.extra)
            for (u, v, own), wrong in zip(members, named, strict=True):
                extra[u.number] = _added(extra.get(u.number), v.number, wrong[key] - own)
            hit = _tried(search, members[0][0], None, *key, None, extra)
            if hit is not None:
                yield hit


def _all_variants(search: Search, u: Node, v: Node, own: Array) -> Iterator[tuple[str, str, Array]]:
    yield from slope_variants(search.graph, u, v, own)
    yield from other_functions(search.graph, u, v, own)


def _added(before: Extra | None, later: int, difference: Array) -> Extra:
    def more(cotangents: Cotangents) -> Array:
        own = cotangents.get(later)
        moved: Any = np.zeros(np.shape(difference)) if own is None else own * difference
        first: Any = before(cotangents) if callable(before) else before
        return moved if first is None else moved + first

    return more
