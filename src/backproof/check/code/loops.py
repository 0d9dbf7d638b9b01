"""Changes at all passes of a loop at once: the same operation of the same line, wherever it was run."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from backproof.check.code.graph import Graph
from backproof.check.code.loop_rules import Rule, branches, exchanged, followed, paths, rules, shifted
from backproof.check.code.operations import Array
from backproof.check.code.search import Change, Hit, LoopChange, Search, constant
from backproof.check.code.slopes import (
    FORMS,
    is_close,
    is_linear,
    other_functions,
    regions,
    slope_at,
    slope_variants,
)
from backproof.check.code.tape import Cotangents, Edge, Extra, Node, sweep

MAX_GROUPS: Final = 400
MAX_REGIONS: Final = 120
HISTORY: Final = 6
FAINT: Final = 1e-6
RANKS: Final = {"edge": 2, "factor": 3, "missing-slope": 3, "missing-mask": 3, "missing-factor": 4, "extra-slope": 4}
Moved = Callable[[Array], Array]


def hits(search: Search) -> Iterator[Hit]:
    """The changed sweeps that reproduce the wrong numbers."""
    several = _groups(search)
    variants = [(edges, list(rules(search, edges))) for edges in several]
    variants += [(edges, list(shifted(search, edges))) for edges in several]
    variants += [*branches(search), *exchanged(search)]
    for edges, tried in variants:
        members = {(e.user.number, e.slot) for e in edges}
        for kind, detail, rule in tried:
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
        if edge.user.op == "index":
            # Other entries in every pass.
            groups.setdefault((edge.user.line, "index", edge.source.number), []).append(edge)
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
    values = {name: swept.at(search.trace.tape.inputs[name]) for name in search.rests}
    for name, value in values.items():
        same = _agrees(search, name, value)
        if name in search.wrong and same:
            covers.add(name)
        elif name not in search.wrong and not same:
            breaks += 1
    loop = LoopChange(change, extra)
    if not covers:
        return _with_factor(search, node, edge, values, loop) if (kind, detail) == ("edge", "drop") else None
    scale = {"drop": -1.0, "negate": -2.0}.get(detail, 1.0)
    made = Change(node, np.zeros(()), kind, detail, 1.0, RANKS.get(kind, 5), edge, loop)
    return Hit(made, scale, frozenset(covers), breaks)


def _agrees(search: Search, name: str, value: Array) -> bool:
    compared = search.case.compared[name]
    limit = 10 * compared.tolerance + 1e-6 * float(np.max(np.abs(compared.claim), initial=0.0))
    return bool(np.max(np.abs(value - compared.claim), initial=0.0) <= limit)


def _with_factor(
    search: Search, node: Node, edge: Edge | None, dropped: Mapping[str, Array], loop: LoopChange
) -> Hit | None:
    """Another factor on what was left out, where the gradients depend on it as on a line."""
    covers: set[str] = set()
    share: float | None = None
    for name in search.wrong:
        if name not in dropped:
            continue
        truth = search.gradient(name)
        step = np.asarray(dropped[name] - truth)
        size = float(np.sum(step * step))
        if step.size < 2 or not size:
            continue
        own = float(np.sum(step * search.rests[name])) / size if share is None else share
        if _agrees(search, name, truth + own * step) and constant(1 - own, search.graph.lengths) is not None:
            covers.add(name)
            share = own
    if share is None or abs(share) < FAINT:
        return None
    others = [n for n in dropped if n not in search.wrong]
    breaks = sum(not _agrees(search, n, search.gradient(n) + share * (dropped[n] - search.gradient(n))) for n in others)
    made = Change(node, np.zeros(()), "edge", "factor", None, RANKS["factor"], edge, loop)
    return Hit(made, -share, frozenset(covers), breaks)


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
                extra[u.number] = _added(extra.get(u.number), v.number, _by(wrong[key] - own))
            hit = _tried(search, members[0][0], None, *key, None, extra)
            if hit is not None:
                yield hit
        if all(is_linear(search.graph, *one) for one in members):
            continue
        yield from _elsewhere(search, members)
        extra = dict(search.extra)
        for u, v, own in members:
            extra[u.number] = _added(extra.get(u.number), v.number, _upstream_point(search.graph, u, v, own))
        says = "f′ at the upstream gradient, not at z"
        hit = _tried(search, members[0][0], None, "wrong-slope-point", says, None, extra)
        if hit is not None:
            yield hit


def _elsewhere(search: Search, members: list[tuple[Node, Node, Array]]) -> Iterator[Hit]:
    """A short form of a slope, such as 1 − a², with the value of another line: in a loop that of the step before."""
    first, value, own = members[0]
    for form, function in FORMS.items():
        if not is_close(function(np.asarray(value.value)), own):
            continue
        for path in paths(value):
            if search.case.late:
                return
            points = [followed(v, path) for _, v, _ in members]
            known = [p for p in points if p is not None and p.shape == value.shape]
            if len(known) < len(points):
                continue
            extra: dict[int, Extra] = dict(search.extra)
            for (u, v, slope_of), point in zip(members, known, strict=True):
                moved = _by(function(np.asarray(point.value)) - slope_of)
                extra[u.number] = _added(extra.get(u.number), v.number, moved)
            hit = _tried(search, first, None, "wrong-slope-point", f"{form} with another value", None, extra)
            if hit is not None:
                yield hit


def _all_variants(search: Search, u: Node, v: Node, own: Array) -> Iterator[tuple[str, str, Array]]:
    yield from slope_variants(search.graph, u, v, own)
    yield from other_functions(search.graph, u, v, own)


def _by(difference: Array) -> Moved:
    return lambda cotangent: cotangent * difference


def _upstream_point(graph: Graph, u: Node, v: Node, own: Array) -> Moved:
    return lambda cotangent: cotangent * (slope_at(graph, u, v, cotangent) - own)


def _added(before: Extra | None, later: int, difference: Moved) -> Extra:
    def more(cotangents: Cotangents) -> Array:
        own = cotangents.get(later)
        moved: Any = 0.0 if own is None else difference(own)
        first: Any = before(cotangents) if callable(before) else before
        return moved if first is None else moved + first

    return more
