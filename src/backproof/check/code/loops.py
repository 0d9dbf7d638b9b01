"""Changes at all passes of a loop at once: the same operation of the same line, wherever it was run."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from backproof.check.code.operations import OPERATIONS, Array, shrunk
from backproof.check.code.tape import Edge, sweep

if TYPE_CHECKING:
    from backproof.check.code.derivations import Hit, Search

MAX_GROUPS: Final = 400


def hits(search: Search) -> Iterator[Hit]:
    """The changed sweeps that reproduce the wrong numbers."""
    from backproof.check.code.derivations import Change, Hit

    groups: dict[tuple[int, str, str, int, int, str], list[Edge]] = {}
    for edge in search.edges:
        key = (edge.user.line, edge.user.op, str(edge.user.attr)[:20], edge.slot, edge.source.line, edge.source.name)
        groups.setdefault(key, []).append(edge)
    loops = [(edges, list(_rules(edges))) for edges in groups.values() if len(edges) > 1][:MAX_GROUPS]
    loops += [(edges, list(_shifted(search, edges))) for edges in groups.values() if len(edges) > 1][:MAX_GROUPS]
    loops += list(_branches(search))
    for edges, rules in loops:
        members = {(e.user.number, e.slot) for e in edges}
        for kind, detail, rule in rules:
            if search.case.late:
                return

            def change(
                edge: Edge, arrived: Array, given: Array, rule: Rule = rule, members: set[tuple[int, int]] = members
            ) -> Array:
                return rule(edge, arrived, given) if (edge.user.number, edge.slot) in members else given

            try:
                swept = sweep(search.trace.nodes, search.trace.output, change=change, keep=False)
            except (ValueError, IndexError):
                continue
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
            if covers:
                scale = {"drop": -1.0, "negate": -2.0}.get(detail, 1.0)
                yield Hit(
                    Change(edges[0].source, np.zeros(()), kind, detail, 1.0, 3, edges[0]),
                    scale,
                    frozenset(covers),
                    breaks,
                )


Rule = Callable[[Edge, "Array", "Array"], "Array"]


def _rules(edges: list[Edge]) -> Iterator[tuple[str, str, Rule]]:
    first = edges[0].user
    yield "edge", "drop", lambda _, __, given: np.zeros_like(given)
    yield "edge", "negate", lambda _, __, given: -given
    yield "factor", "2", lambda _, __, given: 2 * given
    yield "factor", "1/2", lambda _, __, given: given / 2
    if first.op in ("unary", "maximum", "multiply", "divide", "power", "where"):
        from backproof.check.code.changes import is_mask

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
            lambda e, arrived, _: shrunk(arrived, e.source.shape),
        )
    if first.op == "unary":
        from backproof.check.code.operations import slope

        def at_value(e: Edge, arrived: Array, _: Array) -> Array:
            return arrived * slope(e.user.attr, e.user.value)

        def twice(e: Edge, _: Array, given: Array) -> Array:
            return given * slope(e.user.attr, e.source.value)

        yield "wrong-slope-point", "f′ at a, not at z", at_value
        yield "extra-slope", first.attr, twice
        yield "wrong-slope-point", "1 − z²", lambda e, arrived, _: arrived * (1 - np.asarray(e.source.value) ** 2)
        yield (
            "wrong-slope-point",
            "z(1 − z)",
            lambda e, arrived, _: arrived * np.asarray(e.source.value) * (1 - np.asarray(e.source.value)),
        )
        yield (
            "wrong-activation",
            "a(1 − a)",
            lambda e, arrived, _: arrived * np.asarray(e.user.value) * (1 - np.asarray(e.user.value)),
        )
        yield "wrong-activation", "1 − a²", lambda e, arrived, _: arrived * (1 - np.asarray(e.user.value) ** 2)
        yield "wrong-activation", "[a > 0]", lambda e, arrived, _: arrived * (np.asarray(e.user.value) > 0)
    if first.op == "matmul":
        other = np.asarray(first.parents[1 - edges[0].slot].value)
        if other.ndim >= 2 and other.shape[-1] == other.shape[-2]:

            def turned(e: Edge, arrived: Array, _: Array) -> Array:
                matrix = np.asarray(e.user.parents[1 - e.slot].value)
                if arrived.ndim == 1:
                    return matrix.T @ arrived if e.slot == 0 else matrix @ arrived
                return shrunk(arrived @ matrix if e.slot == 0 else matrix @ arrived, e.source.shape)

            yield "transpose", "the other factor", turned


def _branches(search: Search) -> Iterator[tuple[list[Edge], list[tuple[str, str, Rule]]]]:
    """One branch of a case distinction taken everywhere, in every node of one line."""
    groups: dict[tuple[int, str], list[Edge]] = {}
    for edge in search.edges:
        if edge.user.op in ("where", "maximum", "minimum"):
            groups.setdefault((edge.user.line, edge.user.op), []).append(edge)
    for edges in groups.values():

        def only(slot: int) -> Rule:
            def rule(edge: Edge, arrived: Array, given: Array) -> Array:
                return shrunk(arrived, edge.source.shape) if edge.slot == slot else np.zeros_like(given)

            return rule

        slots = sorted({e.slot for e in edges})
        yield edges, [("missing-mask", "one case of the distinction is used everywhere", only(slot)) for slot in slots]


def _shifted(search: Search, edges: list[Edge]) -> Iterator[tuple[str, str, Rule]]:
    """The other factor of the next or previous pass, or in reverse order."""
    user = edges[0].user
    if user.op not in ("matmul", "multiply", "einsum") or len(user.parents) != 2:
        return
    edges = sorted(edges, key=lambda e: e.user.number)
    others = [e.user.parents[1 - e.slot] for e in edges]
    for axes in ((-2, -1), (-1,), (-2,)):
        if all(len(o.shape) >= 2 for o in others):

            def turned(edge: Edge, arrived: Array, _: Array, axes: tuple[int, ...] = axes) -> Array:
                operands = [p.value for p in edge.user.parents]
                operands[1 - edge.slot] = np.flip(operands[1 - edge.slot], axes)
                pull = OPERATIONS[edge.user.op].pull
                assert pull is not None
                return shrunk(pull(edge.user.attr, edge.user.value, operands, arrived, edge.slot), edge.source.shape)

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

        def rule(edge: Edge, arrived: Array, _: Array, instead: dict[int, Array] = instead) -> Array:
            operands = [p.value for p in edge.user.parents]
            operands[1 - edge.slot] = instead[edge.user.number]
            pull = OPERATIONS[edge.user.op].pull
            assert pull is not None
            return shrunk(pull(edge.user.attr, edge.user.value, operands, arrived, edge.slot), edge.source.shape)

        yield kind, detail, rule
