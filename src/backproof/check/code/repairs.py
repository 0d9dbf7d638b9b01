"""Repairs: the person's own backward code, on a tape, changed in one place until it gives the right numbers.

The place of the repair is the line of the mistake, and the kind of repair its name.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from backproof.check.code.arguments import library, numbers
from backproof.check.code.kinds import CodeMistake, named
from backproof.check.code.operations import Array
from backproof.check.code.tape import Node, Tape, before, rerun
from backproof.check.code.tracing import Recorder, Traced

if TYPE_CHECKING:
    from backproof.check.code.diagnosis import Case
    from backproof.check.code.problem import Problem

MAX_POOL: Final = 40
MAX_EDITS: Final = 20_000


@dataclass
class BackwardTrace:
    """A backward function on a tape, with the node of each gradient."""

    tape: Tape
    outputs: dict[str, Node]


@dataclass(frozen=True, slots=True)
class Edit:
    """Another value for a node, and what mistake it would mend."""

    node: Node
    value: Array
    mistake: CodeMistake
    rank: int


def traced(
    problem: Problem, files: frozenset[str], namespaces: list[dict[str, Any]], *, copying: bool = False
) -> BackwardTrace | None:
    """The backward function on a tape, or None. With `copying`, in-place operators make new arrays."""
    from backproof.check.code.standins import traced_names

    tape = Tape()
    recorder = Recorder(tape, files, copying=copying)
    recorder.library = problem.library
    inputs = {
        name: Traced(recorder, tape.enter(name, problem.values.get(name, numbers(leaf.original))))
        for name, leaf in problem.leaves.items()
        if library(leaf.original) and (name in problem.values or np.ndim(numbers(leaf.original)))
    }
    try:
        with traced_names(recorder, namespaces), np.errstate(all="ignore"):
            result = inspect.unwrap(problem.backward)(*problem.arguments(inputs))
        outputs = {n: v.node for n, v in problem.named(result).items() if isinstance(v, Traced)}
    except Exception:
        return None
    return BackwardTrace(tape, outputs)


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
    wrong = [n for n in case.wrong if n in trace.outputs and n not in found and _same(case, n, trace.outputs[n].value)]
    for name in wrong:
        hits = sorted(_hits(case, trace, name), key=lambda e: (e.rank, -e.node.number))
        if hits:
            found[name] = [hit.mistake for hit in hits if hit.rank <= hits[0].rank + 1]
    return found


def _right(case: Case, name: str, value: Array) -> bool:
    truth = case.compared[name].truth
    value = np.asarray(value)
    if value.shape != truth.shape:
        return False
    limit = 10 * case.compared[name].tolerance + 1e-9 * float(np.max(np.abs(truth), initial=0.0))
    return bool(np.max(np.abs(value - truth), initial=0.0) <= limit)


def _same(case: Case, name: str, value: Array) -> bool:
    claim = case.compared[name].claim
    return np.shape(value) == claim.shape and bool(np.allclose(value, claim, rtol=1e-6, atol=1e-12))


def _hits(case: Case, trace: BackwardTrace, name: str) -> Iterator[Edit]:
    output = trace.outputs[name]
    nodes = before(output)
    found = 0
    for count, edit in enumerate(_edits(trace, nodes)):
        if count > MAX_EDITS or (count % 32 == 0 and case.late) or found >= 4:
            return
        if np.shape(edit.value) != edit.node.shape and edit.node is not output:
            pass
        try:
            changed = rerun([n for n in nodes if n.number > edit.node.number], {edit.node.number: edit.value}, [output])
        except (ValueError, IndexError, TypeError):
            continue
        if _right(case, name, changed[output.number]):
            found += 1
            yield edit


def _edits(trace: BackwardTrace, nodes: list[Node]) -> Iterator[Edit]:
    for node in reversed(nodes):
        yield from _simple(node)
    shapes: Mapping[tuple[int, ...], list[Node]] = _by_shape(trace)
    for node in reversed(nodes):
        yield from _others(node, shapes)


def _by_shape(trace: BackwardTrace) -> dict[tuple[int, ...], list[Node]]:
    found: dict[tuple[int, ...], list[Node]] = {}
    for node in trace.tape.nodes:
        if np.asarray(node.value).dtype.kind == "f" and np.size(node.value) > 1:
            found.setdefault(node.shape, []).append(node)
    return found


def _simple(node: Node) -> Iterator[Edit]:
    """A factor, term, slope, sign, cast or axis of one operation."""
    values = [p.value for p in node.parents]
    line = node.line
    match node.op:
        case "cast" if np.dtype(node.attr).kind == "f":
            yield Edit(node, values[0], named("dtype", f"a conversion to {np.dtype(node.attr)}", line), 1)
        case "multiply":
            for k in (0, 1):
                if np.shape(values[k]) == node.shape:
                    kind = "extra-slope" if np.size(values[1 - k]) > 1 else "factor"
                    yield Edit(node, values[k], named(kind, "a factor too many", line), 3)
        case "divide":
            yield Edit(node, values[0], named("factor", "a divisor too many", line), 4)
            yield Edit(node, values[0] * values[1], named("factor", "divided where it should be multiplied", line), 5)
        case "add" | "subtract":
            swapped = values[0] - values[1] if node.op == "add" else values[0] + values[1]
            yield Edit(node, swapped, named("sign", "of one term", line), 2)
            if node.op == "subtract":
                yield Edit(node, values[1] - values[0], named("sign", "of the difference", line), 3)
            for k in (0, 1):
                if np.shape(values[k]) == node.shape:
                    yield Edit(node, values[k], named("extra-term", "a term too many", line), 4)
        case "unary":
            yield Edit(node, values[0], named("extra-slope", f"{node.attr} too many", line), 5)
        case "sum":
            yield from _sums(node, values[0])
        case "matmul":
            for k in (0, 1):
                other = np.asarray(values[k])
                if other.ndim == 2 and other.shape[0] == other.shape[1]:
                    turned = [other.T if j == k else v for j, v in enumerate(values)]
                    yield Edit(node, np.matmul(*turned), named("transpose", "of a factor", line), 2)
        case "power":
            for step in (-1, 1, -2, 2):
                yield Edit(
                    node, np.power(values[0], values[1] + step), named("wrong-exponent", f"off by {-step}", line), 4
                )
        case "put" if not node.attr[1]:
            whole = np.array(values[0])
            np.add.at(whole, node.attr[0], values[1])
            yield Edit(node, whole, named("no-accumulate", "an assignment where it should be added", line), 2)
        case "call":
            array = np.asarray(node.value)
            if array.dtype == bool:
                yield Edit(node, ~array, named("wrong-variable", "a condition the wrong way round", line), 4)
                yield Edit(node, np.ones_like(array), named("extra-slope", "a mask too many", line), 4)
        case _:
            pass
    if np.asarray(node.value).dtype.kind == "f" and node.op not in ("input", "constant"):
        yield Edit(node, -node.value, named("sign", "", line), 6)
        if node.value.ndim == 2 and node.shape[0] == node.shape[1]:
            yield Edit(node, node.value.T, named("transpose", "", line), 6)


def _sums(node: Node, value: Array) -> Iterator[Edit]:
    axis, keepdims, mean = node.attr
    total = np.sum(value, axis=axis, keepdims=keepdims)
    count = np.size(value) / max(1, np.size(total))
    yield Edit(node, total if mean else total / count, named("wrong-reduction", "mean and sum confused", node.line), 2)
    for other in range(np.ndim(value)):
        if other != axis:
            for keep in {keepdims, True}:
                with_axis = np.sum(value, axis=other, keepdims=keep)
                scaled = with_axis / np.shape(value)[other] if mean else with_axis
                says = f"axis {axis} where axis {other} is right"
                yield Edit(node, scaled, named("wrong-axis", says, node.line), 2)


def _others(node: Node, shapes: Mapping[tuple[int, ...], list[Node]]) -> Iterator[Edit]:
    """Another array of the same shape in place of an operand; a factor put in."""
    from backproof.check.code.operations import OPERATIONS

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
                operands = [candidate.value if k == slot else p.value for k, p in enumerate(node.parents)]
                value = OPERATIONS[node.op].run(node.attr, *operands)
                if parent.line == candidate.line and parent.op == candidate.op:
                    kind = "stale-variable"
                else:
                    kind = "wrong-layer" if parent.op == candidate.op == "input" else "wrong-variable"
                yield Edit(node, value, named(kind, f"line {candidate.line} has the right one", node.line), 7)
    if np.asarray(node.value).dtype.kind == "f" and np.size(node.value) > 1:
        for candidate in shapes.get(node.shape, [])[:MAX_POOL]:
            yield Edit(
                node,
                node.value * candidate.value,
                named("dropped-term", f"a factor (line {candidate.line})", node.line),
                8,
            )
