"""Edits: other rules for one operation of a backward function, and the mistake that each would mend."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from backproof.check.code.kinds import CodeMistake, named
from backproof.check.code.operations import OPERATIONS, Array
from backproof.check.code.tape import Node

MAX_POOL: Final = 40
MAX_AXES: Final = 4
Rule = Callable[[list[Array], Array], Array]


@dataclass(frozen=True, slots=True)
class Edit:
    """Another rule for a node, from its operands and its value, and what mistake it would mend."""

    rule: Rule
    mistake: CodeMistake
    rank: int


def simple(node: Node) -> Iterator[Edit]:
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


def others(node: Node, shapes: Mapping[tuple[int, ...], list[Node]]) -> Iterator[Edit]:
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
