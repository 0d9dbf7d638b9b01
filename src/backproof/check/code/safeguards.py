"""Safeguards: the gradient without the tiny constants that only keep a logarithm or a quotient from infinity.

A formula such as a − y leaves out the 1e-12 of log(a + 1e-12), and clipping to [1e-12, 1 − 1e-12]. Whether that is all
that it leaves out is settled in ball arithmetic, on the trace of the forward function: where functions saturate,
float64 has no digits left for it.
"""

# A table of rules of one signature: the types of their operands are Any by design.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import flint
import numpy as np

from backproof.check.code.operations import OPERATIONS, Array, shrunk
from backproof.check.code.tape import Node
from backproof.check.code.truth import Trace

TINY: Final = 1e-6
PRECISIONS: Final = (256, 2048)
MAX_ENTRIES: Final = 300_000


def constants(trace: Trace) -> dict[int, float]:
    """The tiny constants of a trace: by the number of the node that adds one, or that clips with one."""
    found: dict[int, float] = {}
    for node in trace.nodes:
        for parent in node.parents:
            if parent.op != "constant" or np.size(parent.value) != 1:
                continue
            value = abs(float(np.real(np.asarray(parent.value).item())))
            adds = node.op in ("add", "subtract") and 0 < value <= TINY
            clips = node.op in ("maximum", "minimum") and (0 < value <= TINY or 0 < abs(1 - value) <= TINY)
            if adds or clips:
                found[node.number] = value if value <= TINY else abs(1 - value)
    return found


def gradients(trace: Trace, names: Sequence[str]) -> dict[str, tuple[Array, Array]]:
    """The gradients without the tiny constants, each entry with a bound of its error; nothing where that fails."""
    left_out = constants(trace)
    if not left_out or sum(np.size(n.value) for n in trace.nodes) > MAX_ENTRIES:
        return {}
    before = flint.ctx.prec
    try:
        for precision in PRECISIONS:
            flint.ctx.prec = precision
            try:
                values = _forward(trace, left_out)
                found = _backward(trace, left_out, values)
                balls = {n: found[trace.tape.inputs[n].number] for n in names if trace.tape.inputs[n].number in found}
                both = {n: _bounded(array) for n, array in balls.items()}
            except (TypeError, ValueError, AttributeError, ArithmeticError, NotImplementedError, IndexError):
                return {}
            if all(np.all(np.isfinite(middle)) and np.all(np.isfinite(radius)) for middle, radius in both.values()):
                return both
    finally:
        flint.ctx.prec = before
    return {}


def _bounded(array: Array) -> tuple[Array, Array]:
    flat = [
        ball if isinstance(ball, flint.arb) else flint.arb(ball) for ball in np.asarray(array, dtype=object).ravel()
    ]
    shape = np.shape(array)
    middle = np.array([float(ball.mid()) for ball in flat]).reshape(shape)
    return middle, np.array([float(ball.rad()) for ball in flat]).reshape(shape)


def _balls(value: Array) -> Array:
    array = np.asarray(value)
    if array.dtype.kind != "f":
        return array
    made = np.empty(array.shape, dtype=object)
    for place in np.ndindex(array.shape):
        made[place] = flint.arb(float(array[place]))
    return made


def _forward(trace: Trace, left_out: Mapping[int, float]) -> dict[int, Array]:
    values: dict[int, Array] = {}
    for node in trace.nodes:
        operands = [values[p.number] for p in node.parents]
        if node.number in left_out:
            values[node.number] = _passed(node, operands)
        elif node.op in ("input", "constant"):
            values[node.number] = _balls(node.value)
        elif node.op == "unary":
            values[node.number] = _each(FUNCTIONS[node.attr][0], operands[0])
        elif node.op == "cast":
            values[node.number] = operands[0]
        else:
            values[node.number] = np.asarray(OPERATIONS[node.op].run(node.attr, *operands))
    return values


def _kept(node: Node) -> int:
    """The operand that is no tiny constant."""
    return next(k for k, p in enumerate(node.parents) if p.op != "constant" or np.size(p.value) != 1)


def _passed(node: Node, operands: Sequence[Array]) -> Array:
    kept = _kept(node)
    value = np.broadcast_to(operands[kept], node.shape)
    return -value if node.op == "subtract" and kept == 1 else value


def _backward(trace: Trace, left_out: Mapping[int, float], values: Mapping[int, Array]) -> dict[int, Array]:
    cotangents: dict[int, Array] = {trace.output.number: np.array(flint.arb(1), dtype=object)}
    for node in reversed(trace.nodes):
        arrived = cotangents.get(node.number)
        if arrived is None or not node.active:
            continue
        operands = [values[p.number] for p in node.parents]
        for slot, parent in enumerate(node.parents):
            if not parent.active:
                continue
            if node.number in left_out:
                given = -arrived if node.op == "subtract" and slot == 1 else arrived
            elif node.op == "unary":
                given = arrived * _each(FUNCTIONS[node.attr][1], operands[0])
            elif node.op == "index":
                given = np.full(np.shape(operands[0]), flint.arb(0), dtype=object)
                np.add.at(given, node.attr, arrived)
            else:
                pull = OPERATIONS[node.op].pull
                assert pull is not None
                given = pull(node.attr, values[node.number], operands, arrived, slot)
            given = shrunk(np.asarray(given, dtype=object), parent.shape)
            present = cotangents.get(parent.number)
            cotangents[parent.number] = given if present is None else present + given
    return cotangents


def _each(function: Callable[[Any], Any], array: Array) -> Array:
    whole = np.asarray(array, dtype=object)
    made = np.empty(whole.shape, dtype=object)
    for place in np.ndindex(whole.shape):
        made[place] = function(whole[place])
    return made


def _sigmoid(u: Any) -> Any:
    return 1 / (1 + (-u).exp())


# The functions of one entry that losses are made of, and their slopes.
FUNCTIONS: Final[dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]] = {
    "exp": (lambda u: u.exp(), lambda u: u.exp()),
    "expm1": (lambda u: u.expm1(), lambda u: u.exp()),
    "log": (lambda u: u.log(), lambda u: 1 / u),
    "log1p": (lambda u: u.log1p(), lambda u: 1 / (1 + u)),
    "log2": (lambda u: u.log() / flint.arb(2).log(), lambda u: 1 / (u * flint.arb(2).log())),
    "sqrt": (lambda u: u.sqrt(), lambda u: 1 / (2 * u.sqrt())),
    "square": (lambda u: u * u, lambda u: 2 * u),
    "reciprocal": (lambda u: 1 / u, lambda u: -1 / (u * u)),
    "negative": (lambda u: -u, lambda _: flint.arb(-1)),
    "positive": (lambda u: u, lambda _: flint.arb(1)),
    "tanh": (lambda u: u.tanh(), lambda u: 1 - u.tanh() ** 2),
    "sigmoid": (_sigmoid, lambda u: _sigmoid(u) * _sigmoid(-u)),
    "softplus": (lambda u: u.exp().log1p(), _sigmoid),
    "relu": (lambda u: u if u > 0 else flint.arb(0), lambda u: flint.arb(1 if u > 0 else 0)),
    "absolute": (abs, lambda u: flint.arb(1 if u > 0 else -1)),
    "sin": (lambda u: u.sin(), lambda u: u.cos()),
    "cos": (lambda u: u.cos(), lambda u: -u.sin()),
}
