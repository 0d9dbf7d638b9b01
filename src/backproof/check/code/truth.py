"""The true gradient: by the sweep over a trace, by complex steps, or by differences, with an estimate of its error."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from backproof.check.code.arguments import library, numbers
from backproof.check.code.libraries import LIBRARIES
from backproof.check.code.operations import Array
from backproof.check.code.problem import Problem
from backproof.check.code.standins import traced_names
from backproof.check.code.tape import Node, Tape, before, sweep
from backproof.check.code.tracing import Recorder, Traced, UntraceableError
from backproof.errors import BackproofError

MAX_ENTRIES: Final = 1_500
SAMPLED: Final = 48
LARGE: Final = 200_000
EPSILON: Final = float(np.finfo(float).eps)


@dataclass
class Trace:
    """A forward function on a tape, with the nodes that its loss needs."""

    tape: Tape
    output: Node
    nodes: list[Node] = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = before(self.output)


@dataclass
class Truth:
    """The true gradient by name, how far it may be off, and how it was found.

    `entries` restricts a gradient that was not measured whole to the flat places that were.
    """

    gradients: dict[str, Array]
    errors: dict[str, float]
    method: str
    trace: Trace | None = None
    entries: dict[str, Array] = field(default_factory=dict[str, Array])
    value: float = 0.0
    again: Callable[[Mapping[str, Array]], dict[str, Array]] | None = None


def traced(problem: Problem, files: frozenset[str], namespaces: list[dict[str, Any]]) -> Trace:
    """The forward function on a tape. Raises UntraceableError."""
    tape = Tape()
    recorder = Recorder(tape, files, LIBRARIES, library=problem.library)
    inputs = {name: Traced(recorder, tape.enter(name, value)) for name, value in problem.values.items()}
    for name, leaf in problem.leaves.items():
        if name not in inputs and library(leaf.original) and np.ndim(numbers(leaf.original)):
            inputs[name] = Traced(recorder, tape.enter(name, numbers(leaf.original)))
    try:
        with traced_names(recorder, namespaces), np.errstate(all="ignore"):
            arguments = problem.arguments(inputs)
            result = inspect.unwrap(problem.forward)(*arguments)
    except UntraceableError:
        raise
    except Exception as error:
        raise UntraceableError(
            "the forward function does not run on a tape", got=f"{type(error).__name__}: {error}"
        ) from None
    if isinstance(result, tuple | list) and result:
        result = result[0]
    if not isinstance(result, Traced) or np.size(result.value) != 1 or not result.node.active:
        raise UntraceableError("the loss left the tape")
    return Trace(tape, result.node)


def find(problem: Problem, files: frozenset[str], namespaces: list[dict[str, Any]], names: list[str]) -> Truth:
    """The true gradient with respect to the named arrays; what the trace gives is believed only if it is confirmed."""
    value = problem.loss()
    try:
        trace = traced(problem, files, namespaces)
        swept = sweep(trace.nodes, trace.output, keep=False)
        gradients = {
            n: np.array(swept.at(trace.tape.inputs[n])) if n in trace.tape.inputs else np.zeros_like(problem.values[n])
            for n in names
        }
        close = abs(float(trace.output.value) - value) <= 1e-9 * (1 + abs(value))
        if close and _confirmed(problem, gradients, names):
            errors = {n: 1e-12 * _scale(g) for n, g in gradients.items()}
            how = "the derivative of the traced forward function"

            def again(values: Mapping[str, Array]) -> dict[str, Array]:
                moved = problem.at(problem.arguments(values))
                other = traced(moved, files, namespaces)
                found = sweep(other.nodes, other.output, keep=False)
                return {n: np.array(found.at(other.tape.inputs[n])) for n in names if n in other.tape.inputs}

            return Truth(gradients, errors, how, trace, value=value, again=again)
    except (UntraceableError, BackproofError, NotImplementedError, ValueError, IndexError, TypeError, AttributeError):
        pass
    libraries = {library(problem.leaves[n].original) for n in names}
    if libraries <= {"torch", "jax"} and libraries:
        found = (_automatic if libraries == {"torch"} else _automatic_jax)(problem, names)
        if found is not None and _confirmed(problem, found, names):
            errors = {n: 1e-12 * _scale(g) for n, g in found.items()}
            return Truth(found, errors, "automatic differentiation of the forward function", value=value)
    return measured(problem, names, value)


def _automatic(problem: Problem, names: list[str]) -> dict[str, Array] | None:
    import torch

    try:
        tensors = {n: torch.tensor(problem.values[n], requires_grad=True) for n in names}
        result: Any = problem.forward(*problem.arguments(tensors))
        result = result[0] if isinstance(result, tuple | list) else result
        grads: Any = torch.autograd.grad(result, list(tensors.values()), allow_unused=True)
        return {
            n: np.zeros_like(problem.values[n]) if g is None else np.asarray(g.detach().numpy(), dtype=float)
            for n, g in zip(names, grads, strict=True)
        }
    except Exception:
        return None


def _automatic_jax(problem: Problem, names: list[str]) -> dict[str, Array] | None:
    import jax
    import jax.numpy as jnp

    def loss(values: dict[str, Any]) -> Any:
        result: Any = problem.forward(*problem.arguments(values))
        return jnp.reshape(result[0] if isinstance(result, tuple | list) else result, ())

    try:
        with problem.wide():
            grads: Any = jax.grad(loss)({n: jnp.asarray(problem.values[n]) for n in names})
        return {n: np.asarray(grads[n], dtype=float) for n in names}
    except Exception:
        return None


def _scale(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))


def _confirmed(problem: Problem, gradients: Mapping[str, Array], names: list[str]) -> bool:
    """Whether slopes along random directions, taken from the function itself, agree with the gradient."""
    rng = np.random.default_rng(7)
    large = sum(v.size for v in problem.values.values()) > LARGE
    for _ in range(1 if large else 2):
        directions = {n: rng.normal(size=np.shape(gradients[n])) for n in names}
        expected = sum(float(np.sum(directions[n] * gradients[n])) for n in names)
        size = math.sqrt(sum(float(np.sum((directions[n] * gradients[n]) ** 2)) for n in names))
        slope, error = along(problem, directions, expected)
        if not math.isfinite(slope) or not math.isfinite(expected):
            return False
        if abs(slope - expected) > 20 * error + 1e-6 * (abs(expected) + size) + 1e-12:
            return False
    return True


def along(problem: Problem, directions: Mapping[str, Array], expected: float | None = None) -> tuple[float, float]:
    """The slope of the loss along a direction, and how far it may be off, by Richardson's extrapolation.

    It stops early where it meets what is expected.

    Source: C. Ridders, Accurate computation of F′(x), Advances in Engineering Software 4, 1982.
    """
    base = problem.values

    def at(step: float) -> float:
        return problem.loss({n: base[n] + step * d for n, d in directions.items()})

    largest = max((_scale(d) for d in directions.values()), default=1.0) or 1.0
    size = max((_scale(base[n]) for n in directions), default=1.0)
    return extrapolated(at, 0.02 * max(1e-3, min(1.0, size)) / largest, expected)


def extrapolated(at: Callable[[float], float], step: float, expected: float | None = None) -> tuple[float, float]:
    """The slope at 0 of a function of one number, from central differences with shrinking steps."""
    shrink = 2.0
    rows: list[list[float]] = []
    best, error = math.nan, math.inf
    noise = 0.0
    for k in range(7):
        h = step / shrink**k
        up, down = at(h), at(-h)
        noise = max(noise, EPSILON * max(abs(up), abs(down)))
        row = [(up - down) / (2 * h)]
        for j in range(1, k + 1):
            factor = shrink ** (2 * j)
            row.append((factor * row[j - 1] - rows[-1][j - 1]) / (factor - 1))
            guess = max(abs(row[j] - row[j - 1]), abs(row[j] - rows[-1][j - 1])) + 2 * noise / h
            if guess < error:
                best, error = row[j], guess
        rows.append(row)
        if k and error <= 1e-11 * abs(best):
            break
        if k and expected is not None and abs(row[-1] - expected) <= 1e-7 * abs(expected):
            return row[-1], abs(row[-1] - expected)
        if k > 1 and abs(row[-1] - rows[-2][-1]) > 4 * error:
            break
    return best, error


def measured(problem: Problem, names: list[str], value: float) -> Truth:
    """The gradient entry by entry, from the function alone; of large arrays some entries only."""
    rng = np.random.default_rng(11)
    total = sum(problem.values[n].size for n in names)
    gradients: dict[str, Array] = {}
    errors: dict[str, float] = {}
    entries: dict[str, Array] = {}
    complex_works = _complex_works(problem, names)
    for name in names:
        base = problem.values[name]
        count = base.size if total <= MAX_ENTRIES else min(base.size, SAMPLED)
        chosen = np.arange(base.size) if count == base.size else rng.choice(base.size, count, replace=False)
        gradient, worst = np.zeros(base.size), 0.0
        for k in chosen:
            gradient[k], error = _entry(problem, name, int(k), complex_works=complex_works)
            worst = max(worst, error)
        gradients[name], errors[name] = gradient.reshape(base.shape), worst
        if count < base.size:
            entries[name] = chosen
    method = "complex steps" if complex_works else "extrapolated differences"
    return Truth(gradients, errors, method, None, entries, value)


def _entry(problem: Problem, name: str, k: int, *, complex_works: bool) -> tuple[float, float]:
    base = problem.values[name]
    if complex_works:
        moved = base.astype(complex)
        moved.flat[k] += 1e-100j
        slope = float(np.imag(problem.loss({name: moved}))) / 1e-100
        return slope, 1e-13 * abs(slope)

    def at(step: float) -> float:
        moved = base.copy()
        moved.flat[k] += step
        return problem.loss({name: moved})

    return extrapolated(at, 0.02 * max(1e-2, min(1.0, abs(float(base.flat[k])))))


def _complex_works(problem: Problem, names: list[str]) -> bool:
    """Whether the function takes complex numbers and is analytic there: both kinds of step agree."""
    if any(library(problem.leaves[n].original) not in ("numpy", "") for n in names):
        return False
    rng = np.random.default_rng(5)
    directions = {n: rng.normal(size=np.shape(problem.values[n])) for n in names}
    try:
        result = problem.loss({n: problem.values[n] + 1e-100j * d for n, d in directions.items()})
        if not isinstance(result, complex):
            return False
        slope, error = along(problem, directions)
        found = result.imag / 1e-100
        return math.isfinite(found) and abs(found - slope) <= 20 * error + 1e-7 * abs(slope)
    except Exception:
        return False


def ties(trace: Trace) -> bool:
    """Whether the point lies on a kink: something at 0 of an absolute value, or two equal entries of a maximum."""
    for node in trace.nodes:
        match node.op:
            case "maximum" | "minimum":
                a, b = (np.asarray(p.value) for p in node.parents)
                if np.any(np.isclose(a, b, rtol=1e-13, atol=1e-300)):
                    return True
            case "unary" if node.attr in ("absolute", "relu"):
                if np.any(np.asarray(node.parents[0].value) == 0):
                    return True
            case "call" if len(node.parents) == 2:
                a, b = (np.asarray(p.value) for p in node.parents)
                if any(p.active for p in node.parents) and a.dtype.kind == "f" and np.any(a == b):
                    return True
            case _:
                pass
    return False
