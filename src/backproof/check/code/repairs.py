"""Repairs: the person's own backward code, on a tape, changed in one place until it gives the right numbers.

The place of the repair is the line of the mistake, and the kind of repair its name.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np

from backproof.check.code.backward_trace import BackwardTrace, traced
from backproof.check.code.case import Case
from backproof.check.code.edits import Edit, Rule, others, simple
from backproof.check.code.kinds import CodeMistake, named
from backproof.check.code.operations import OPERATIONS, Array
from backproof.check.code.tape import Node, before

MAX_KEYS: Final = 12
MAX_EDITS: Final = 20_000
MAX_FOUND: Final = 4


def explain(case: Case) -> dict[str, list[CodeMistake]]:
    """Mistakes whose repair gives the right numbers."""
    found: dict[str, list[CodeMistake]] = {}
    copied = traced(case.problem, case.files, case.namespaces, copying=True)
    for name in case.wrong:
        if copied is not None and name in copied.outputs and _right(case, name, copied.outputs[name].value):
            found[name] = [named("in-place", "two names share an array, and one changes it")]
    trace = case.backward
    if trace is None or len(found) == len(case.wrong):
        return found
    wrong = [n for n in case.left if n in trace.outputs and n not in found and _same(case, n, trace.outputs[n].value)]
    # Where zero is right, whatever makes zero would look like the cause.
    overall = max((float(np.max(np.abs(c.claim), initial=0.0)) for c in case.compared.values()), default=0.0)
    wrong = [n for n in wrong if float(np.max(np.abs(case.compared[n].truth), initial=0.0)) > 1e-9 * overall]
    # What mends one gradient often mends the others.
    known: list[tuple[list[Node], Edit]] = []
    for name in wrong:
        hits = sorted(_hits(case, trace, name, known), key=lambda h: (h[1].rank, -h[0][-1].number))
        if hits:
            found[name] = [edit.mistake for _, edit in hits if edit.rank <= hits[0][1].rank + 1]
            known += [hit for hit in hits if hit not in known]
    return found


def _right(case: Case, name: str, value: Array | None) -> bool:
    truth = case.compared[name].truth
    if value is None:
        return False
    value = np.asarray(value)
    if value.shape != truth.shape:
        return False
    limit = 10 * case.compared[name].tolerance + 1e-9 * float(np.max(np.abs(truth), initial=0.0))
    return bool(np.max(np.abs(value - truth), initial=0.0) <= limit)


def _same(case: Case, name: str, value: Array) -> bool:
    claim = case.compared[name].claim
    return np.shape(value) == claim.shape and bool(np.allclose(value, claim, rtol=1e-6, atol=1e-12))


def _hits(
    case: Case, trace: BackwardTrace, name: str, known: list[tuple[list[Node], Edit]]
) -> Iterator[tuple[list[Node], Edit]]:
    output = trace.outputs[name]
    nodes = before(output)
    numbers = {n.number for n in nodes}
    mending = [
        (places, edit)
        for places, edit in known
        if numbers & {p.number for p in places} and _right(case, name, _edited(nodes, places, edit.rule, output))
    ]
    if mending:
        yield from mending
        return
    found = 0
    for count, (places, edit) in enumerate(_places(case, trace, nodes)):
        if count > MAX_EDITS or (count % 8 == 0 and case.late) or found >= MAX_FOUND:
            return
        for one in _scaled(case, name, nodes, places, output) if edit is None else [edit]:
            if edit is None or _right(case, name, _edited(nodes, places, one.rule, output)):
                found += 1
                yield places, one


def _edited(nodes: list[Node], places: Sequence[Node], rule: Rule, output: Node) -> Array | None:
    """The output when some nodes follow another rule, each from what its operands have become; None if it fails."""
    changed = {p.number for p in places}
    values: dict[int, Array] = {}
    first = places[0].number
    try:
        with np.errstate(all="ignore"):
            for node in nodes:
                if node.number < first:
                    continue
                operands = [values.get(p.number, p.value) for p in node.parents]
                if node.number in changed:
                    own = node.value
                    if node.parents and any(p.number in values for p in node.parents):
                        own = OPERATIONS[node.op].run(node.attr, *operands)
                    values[node.number] = rule(operands, own)
                elif any(p.number in values for p in node.parents):
                    values[node.number] = OPERATIONS[node.op].run(node.attr, *operands)
    except (ValueError, IndexError, TypeError):
        return None
    return values.get(output.number)


def _scaled(case: Case, name: str, nodes: list[Node], places: list[Node], output: Node) -> Iterator[Edit]:
    """A constant factor on a part, found from how the gradient depends on it."""
    once = case.compared[name].claim
    twice = _edited(nodes, places, lambda _, own: 2 * own, output)
    truth = case.compared[name].truth
    if twice is None or np.shape(twice) != truth.shape:
        return
    step = np.asarray(twice) - once
    size = float(np.sum(step * step))
    if not size or not np.isfinite(size):
        return
    factor = 1 + float(np.sum(step * (truth - once))) / size
    text = _plain(factor)
    if text is None:
        return
    if _right(case, name, _edited(nodes, places, lambda _, own: factor * own, output)):
        kind = "sign" if text == "-1" else "extra-term" if text == "0" else "factor"
        yield Edit(lambda _, own: factor * own, named(kind, f"{text} on a part", places[-1].line), 5)


def _plain(factor: float) -> str | None:
    """A factor that a person forgets or adds: a small whole number, or one over it."""
    near = Fraction(factor).limit_denominator(12)
    close = abs(float(near) - factor) <= 1e-6 * max(1.0, abs(factor))
    usual = near.denominator == 1 or abs(near.numerator) == 1
    return str(near) if close and usual and near != 1 and abs(near) <= 12 else None


def _places(case: Case, trace: BackwardTrace, nodes: list[Node]) -> Iterator[tuple[list[Node], Edit | None]]:
    """Where to repair and how, the passes of a loop together and first; None stands for a constant factor."""
    grouped: dict[tuple[int, str, str, tuple[int, ...]], list[Node]] = {}
    for node in nodes:
        if node.op not in ("input", "constant"):
            attr = (
                type(node.attr).__name__
                if callable(node.attr)
                else ""
                if node.op in ("index", "put")
                else str(node.attr)
            )
            grouped.setdefault((node.line, node.op, attr[:40], node.shape), []).append(node)
    groups = sorted(grouped.values(), key=lambda group: -group[-1].number)
    for group in groups:
        for edit in simple(group[-1]):
            yield group, edit
    for group in groups:
        if np.asarray(group[-1].value).dtype.kind == "f":
            yield group, None
    yield from _keys(trace, case)
    yield from _constants(case, nodes)
    shapes: Mapping[tuple[int, ...], list[Node]] = _by_shape(trace)
    for group in groups:
        if len(group) == 1:
            for edit in others(group[0], shapes):
                yield group, edit
    for group in groups:
        for node in reversed(group) if len(group) > 1 else ():
            for edit in simple(node):
                yield [node], edit
    for group in groups:
        for node in reversed(group) if len(group) > 1 else ():
            for edit in others(node, shapes):
                yield [node], edit


def _by_shape(trace: BackwardTrace) -> dict[tuple[int, ...], list[Node]]:
    found: dict[tuple[int, ...], list[Node]] = {}
    for node in trace.tape.nodes:
        if np.asarray(node.value).dtype.kind in "fb" and np.size(node.value) > 1:
            found.setdefault(node.shape, []).append(node)
    return found


def _keys(trace: BackwardTrace, case: Case) -> Iterator[tuple[list[Node], Edit | None]]:
    """Another look-up: the entries that forward or another line takes."""
    users = [n for n in trace.tape.nodes if n.op in ("index", "put")]
    known = list(users)
    if case.truth.trace is not None:
        known += [n for n in case.truth.trace.nodes if n.op in ("index", "put")]
    for group in _by_line(users):
        shape = group[0].parents[0].shape
        tried: list[str] = [str(_key(group[0]))]
        for other in known:
            key = _key(other)
            if other.parents[0].shape != shape or str(key) in tried or len(tried) > MAX_KEYS:
                continue
            tried.append(str(key))

            def instead(v: list[Array], _: Array, key: Any = key) -> Array:
                if len(v) == 1:
                    return np.asarray(v[0])[key]
                whole = np.array(v[0])
                whole[key] = v[1]
                return whole

            yield group, Edit(instead, named("wrong-index", "other entries than forward looks up", group[0].line), 5)


def _constants(case: Case, nodes: list[Node]) -> Iterator[tuple[list[Node], Edit | None]]:
    """A number of forward, such as a discount, as a factor of a term."""
    if case.truth.trace is None:
        return
    found = [n.value for n in case.truth.trace.nodes if n.op == "constant" and not n.shape]
    numbers = list(dict.fromkeys(float(v) for v in found if np.isrealobj(v) and abs(float(v)) not in (0.0, 1.0)))
    for node in nodes:
        if node.op not in ("add", "subtract"):
            continue
        for slot, parent in enumerate(node.parents):
            if parent.op != "input":
                continue
            for number in numbers[:MAX_KEYS]:

                def scaled(v: list[Array], _: Array, op: str = node.op, slot: int = slot, k: float = number) -> Array:
                    return OPERATIONS[op].run(None, *(k * o if j == slot else o for j, o in enumerate(v)))

                says = f"the factor {number:g} of {parent.name}"
                yield [node], Edit(scaled, named("dropped-term", says, node.line), 4)


def _key(node: Node) -> Any:
    return node.attr[0] if node.op == "put" else node.attr


def _by_line(nodes: list[Node]) -> list[list[Node]]:
    """Look-ups of one line with one key in one shape: `d[key] -= 1` reads and writes."""
    found: dict[tuple[int, str, tuple[int, ...]], list[Node]] = {}
    for node in nodes:
        found.setdefault((node.line, str(_key(node)), node.parents[0].shape), []).append(node)
    return list(found.values())
