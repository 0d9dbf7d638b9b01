"""Repairs: the person's own backward code, on a tape, changed in one place until it gives the right numbers.

The place of the repair is the line of the mistake, and the kind of repair its name.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np

from backproof.check.code.backward_trace import BackwardTrace, traced
from backproof.check.code.case import Case
from backproof.check.code.kinds import CodeMistake, named
from backproof.check.code.operations import OPERATIONS, Array
from backproof.check.code.tape import Node, before

MAX_POOL: Final = 40
MAX_AXES: Final = 4
MAX_KEYS: Final = 12
MAX_EDITS: Final = 20_000
MAX_FOUND: Final = 4


Rule = Callable[[list[Array], Array], Array]


@dataclass(frozen=True, slots=True)
class Edit:
    """Another rule for a node, from its operands and its value, and what mistake it would mend."""

    rule: Rule
    mistake: CodeMistake
    rank: int


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
        for edit in _simple(group[-1]):
            yield group, edit
    for group in groups:
        if np.asarray(group[-1].value).dtype.kind == "f":
            yield group, None
    yield from _keys(trace, case)
    shapes: Mapping[tuple[int, ...], list[Node]] = _by_shape(trace)
    for group in groups:
        if len(group) == 1:
            for edit in _others(group[0], shapes):
                yield group, edit
    for group in groups:
        for node in reversed(group) if len(group) > 1 else ():
            for edit in _simple(node):
                yield [node], edit
    for group in groups:
        for node in reversed(group) if len(group) > 1 else ():
            for edit in _others(node, shapes):
                yield [node], edit


def _by_shape(trace: BackwardTrace) -> dict[tuple[int, ...], list[Node]]:
    found: dict[tuple[int, ...], list[Node]] = {}
    for node in trace.tape.nodes:
        if np.asarray(node.value).dtype.kind in "fb" and np.size(node.value) > 1:
            found.setdefault(node.shape, []).append(node)
    return found


def _simple(node: Node) -> Iterator[Edit]:
    """A factor, term, slope, sign, cast or axis of one operation."""
    line, shape = node.line, node.shape
    shapes = [p.shape for p in node.parents]
    match node.op:
        case "cast" if np.dtype(node.attr).kind == "f":
            yield Edit(lambda v, _: v[0], named("dtype", f"a conversion to {np.dtype(node.attr)}", line), 1)
        case "multiply":
            for k in (0, 1):
                if shapes[k] == shape:
                    kind = "extra-slope" if np.size(node.parents[1 - k].value) > 1 else "factor"
                    yield Edit(lambda v, _, k=k: v[k], named(kind, "a factor too many", line), 3)
        case "divide":
            yield Edit(lambda v, _: v[0], named("factor", "a divisor too many", line), 4)
            yield Edit(lambda v, _: v[0] * v[1], named("factor", "divided where it should be multiplied", line), 5)
        case "add" | "subtract":
            adds = node.op == "add"
            yield Edit(lambda v, _: v[0] - v[1] if adds else v[0] + v[1], named("sign", "of one term", line), 2)
            if not adds:
                yield Edit(lambda v, _: v[1] - v[0], named("sign", "of the difference", line), 3)
            for k in (0, 1):
                if shapes[k] == shape:
                    yield Edit(lambda v, _, k=k: v[k], named("extra-term", "a term too many", line), 4)
        case "unary":
            yield Edit(lambda v, _: v[0], named("extra-slope", f"{node.attr} too many", line), 5)
        case "sum":
            yield from _sums(node)
        case "transpose":
            yield from _orders(node)
        case "index":
            yield from _single(node)
        case "einsum":
            yield from _letters(node)
        case "matmul":
            for k in (0, 1):
                if len(shapes[k]) == 2 and shapes[k][0] == shapes[k][1]:

                    def turned(v: list[Array], _: Array, k: int = k) -> Array:
                        return np.matmul(*(np.transpose(a) if j == k else a for j, a in enumerate(v)))

                    yield Edit(turned, named("transpose", "of a factor", line), 2)
        case "power":
            for step in (-1, 1, -2, 2):
                yield Edit(
                    lambda v, _, step=step: np.power(v[0], v[1] + step),
                    named("wrong-exponent", f"off by {-step}", line),
                    4,
                )
        case "put" if not node.attr[1]:

            def added(v: list[Array], _: Array) -> Array:
                whole = np.array(v[0])
                np.add.at(whole, node.attr[0], v[1])
                return whole

            yield Edit(added, named("no-accumulate", "an assignment where it should be added", line), 2)
        case "call":
            if np.asarray(node.value).dtype == bool:
                yield Edit(lambda _, own: ~own, named("wrong-slope-point", "a condition the wrong way round", line), 4)
                yield Edit(lambda _, own: np.ones_like(own), named("extra-slope", "a mask too many", line), 4)
        case _:
            pass
    if np.asarray(node.value).dtype.kind == "f" and node.op not in ("input", "constant"):
        for text, factor in (("1/2", 0.5), ("2", 2.0)):
            yield Edit(lambda _, own, f=factor: f * own, named("factor", f"{text} is missing", line), 6)
        yield Edit(lambda _, own: -own, named("sign", "", line), 6)
        if len(shape) == 2 and shape[0] == shape[1]:
            yield Edit(lambda _, own: np.transpose(own), named("transpose", "", line), 6)


def _sums(node: Node) -> Iterator[Edit]:
    axis, keepdims, mean = node.attr
    own = np.asarray(node.parents[0].value)
    count = own.size / max(1, np.size(node.value))
    confused = named("wrong-reduction", "mean and sum confused", node.line)
    yield Edit(lambda _, value: value * count if mean else value / count, confused, 2)
    for other in range(own.ndim):
        if other != axis:
            for keep in {keepdims, True}:

                def along(v: list[Array], _: Array, other: int = other, keep: bool = keep) -> Array:
                    total = np.sum(v[0], axis=other, keepdims=keep)
                    return total / np.shape(v[0])[other] if mean else total

                says = f"axis {axis} where axis {other} is right"
                yield Edit(along, named("wrong-axis", says, node.line), 2)


def _single(node: Node) -> Iterator[Edit]:
    """All entries along an axis in place of one of them."""
    key = node.attr if isinstance(node.attr, tuple) else (node.attr,)
    axes = [k for k, one in enumerate(key) if isinstance(one, int | np.integer) and not isinstance(one, bool)]
    if len(axes) != 1 or any(k is None or k is Ellipsis for k in key):
        return
    (axis,) = axes
    rest = tuple(slice(None) if k == axis else one for k, one in enumerate(key))
    says = f"entry {key[axis]} of axis {axis} alone"

    def total(v: list[Array], _: Array) -> Array:
        return np.sum(np.asarray(v[0])[rest], axis=axis)

    yield Edit(total, named("bias-reduction", says, node.line, fix="sum over the axis"), 3)


def _orders(node: Node) -> Iterator[Edit]:
    """The axes in another order."""
    own = tuple(node.attr)
    for order in itertools.permutations(range(len(own))) if len(own) <= MAX_AXES else ():
        if order != own:
            says = f"axes in the order {own} where {order} is right"
            kind = "wrong-axis" if len(own) > 2 else "transpose"
            yield Edit(lambda v, _, order=order: np.transpose(v[0], order), named(kind, says, node.line), 4)


def _letters(node: Node) -> Iterator[Edit]:
    """Two letters of one operand of an einsum exchanged."""
    left, _, out = node.attr.partition("->")
    terms = left.split(",")
    for k, term in enumerate(terms):
        for i, j in itertools.combinations(range(len(term)), 2):
            letters = list(term)
            letters[i], letters[j] = letters[j], letters[i]
            other = ",".join(["".join(letters) if m == k else t for m, t in enumerate(terms)]) + "->" + out
            says = f"{node.attr} where {other} is right"
            yield Edit(
                lambda v, _, other=other: OPERATIONS["einsum"].run(other, *v), named("wrong-axis", says, node.line), 4
            )


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


def _key(node: Node) -> Any:
    return node.attr[0] if node.op == "put" else node.attr


def _by_line(nodes: list[Node]) -> list[list[Node]]:
    """Look-ups of one line with one key in one shape: `d[key] -= 1` reads and writes."""
    found: dict[tuple[int, str, tuple[int, ...]], list[Node]] = {}
    for node in nodes:
        found.setdefault((node.line, str(_key(node)), node.parents[0].shape), []).append(node)
    return list(found.values())


def _others(node: Node, shapes: Mapping[tuple[int, ...], list[Node]]) -> Iterator[Edit]:
    """Another array of the same shape in place of an operand; a factor put in."""
    if (
        node.op in ("multiply", "matmul", "einsum", "divide", "subtract", "add", "unary", "power")
        and np.size(node.value) > 1
    ):
        for slot, parent in enumerate(node.parents):
            if np.size(parent.value) < 2:
                continue
            for candidate in shapes.get(parent.shape, [])[:MAX_POOL]:
                if candidate is parent or candidate.number >= node.number:
                    continue

                def instead(v: list[Array], _: Array, slot: int = slot, value: Array = candidate.value) -> Array:
                    return OPERATIONS[node.op].run(node.attr, *(value if k == slot else o for k, o in enumerate(v)))

                if parent.line == candidate.line and parent.op == candidate.op:
                    kind = "stale-variable"
                else:
                    kind = "wrong-layer" if parent.op == candidate.op == "input" else "wrong-variable"
                yield Edit(instead, named(kind, f"line {candidate.line} has the right one", node.line), 7)
    if np.asarray(node.value).dtype.kind == "f" and np.size(node.value) > 1:
        for candidate in shapes.get(node.shape, [])[:MAX_POOL]:
            value = np.asarray(candidate.value)
            says = named("dropped-term", f"a factor (line {candidate.line})", node.line)
            yield Edit(lambda _, own, value=value: own * value, says, 8)
            if value.dtype.kind == "f" and np.any(value > 0) and not np.all(value > 0):
                slope = named("missing-slope", f"[… > 0] of line {candidate.line}", node.line)
                yield Edit(lambda _, own, value=value: own * (value > 0), slope, 8)
