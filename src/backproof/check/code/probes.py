"""Hostile probes: repeated calls, changed inputs, kinks, other points, targets without Σy = 1, batches of one."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import itertools
import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from backproof.check.code import hostile
from backproof.check.code.arguments import is_object, leaves, numbers
from backproof.check.code.comparing import Comparison, comparisons
from backproof.check.code.hostile import moved, same, small_batch
from backproof.check.code.kinds import CodeMistake, named
from backproof.check.code.operations import Array
from backproof.check.code.problem import Problem
from backproof.check.code.truth import Trace, Truth, along, find, ties

NUDGE: Final = 1e-3
SLIGHT: Final = 1e-4
LARGE: Final = 200_000
EXAMPLES: Final = 48


@dataclass
class Manners:
    """How the backward function treats its arguments and repeated calls."""

    mistakes: dict[str, CodeMistake] = field(default_factory=dict[str, CodeMistake])
    notes: list[str] = field(default_factory=list[str])


def manners(problem: Problem, claims: Mapping[str, Any]) -> Manners:
    """Calls backward twice more: are inputs changed, do results stay, do results share memory with inputs?"""
    found = Manners()
    arguments = problem.arguments(double=False)
    before = _snapshot(arguments)
    known = {n: np.array(numbers(v)) for n, v in claims.items()}
    with np.errstate(all="ignore"):
        second = problem.gradients(arguments, {})
    after = _snapshot(arguments)
    damaged = [
        name
        for name, leaf in problem.leaves.items()
        # What an object keeps is its own business: caches, buffers, a step of training.
        if not is_object(problem.inputs[leaf.argument])
        and (place := (leaf.argument, *leaf.path)) in before
        and not _kept(before[place], after.get(place))
    ]
    if damaged:
        found.notes.append("backward changes its inputs: " + ", ".join(damaged))
        for name in known:
            if name in damaged or not set(damaged) & set(known):
                found.mistakes[name] = named("in-place", f"backward changes {', '.join(damaged)}")
    if sum(v.size for v in problem.values.values()) < LARGE:
        mistakes, notes = hostile.layouts(problem, claims)
        found.mistakes = mistakes | found.mistakes
        found.notes += notes
    for name, first in known.items():
        again = np.array(numbers(second[name])) if name in second else first
        if first.shape == again.shape and not same(first, again):
            if same(2 * first, again) or same(first * 1.5, again):
                found.mistakes[name] = named(
                    "no-accumulate", "a buffer is kept from call to call", fix="start from zeros"
                )
                found.mistakes[name] = named("in-place", "a buffer is kept from call to call and never cleared")
            else:
                found.mistakes[name] = named("not-a-formula-error", "two calls give different results")
    return found


def _snapshot(arguments: tuple[Any, ...]) -> dict[Any, Array]:
    return {path: np.array(numbers(v)) for path, v in leaves(list(arguments))}


def _kept(before: Array, after: Array | None) -> bool:
    return after is not None and bool(np.array_equal(before, after, equal_nan=before.dtype.kind in "fc"))


def _right(
    problem: Problem, names: list[str], files: frozenset[str], namespaces: list[dict[str, Any]]
) -> tuple[dict[str, bool], Truth] | None:
    """Which gradients are right at the problem's point; None where that cannot be said."""
    try:
        if not np.isfinite(problem.loss()):
            return None
        truth = find(problem, files, namespaces, names)
        compared = comparisons(problem, problem.claimed(), truth, names)
    except Exception:
        return None
    if any(not np.all(np.isfinite(g)) for g in truth.gradients.values()):
        return None
    kinds = ("agrees", "differs", "shape")
    return {n: c.kind == "agrees" or slight(c) for n, c in compared.items() if c.kind in kinds}, truth


def slight(comparison: Comparison) -> bool:
    """Whether a deviation may be rounding: where functions saturate, both gradients lose digits."""
    return comparison.deviation is not None and comparison.deviation.relative < SLIGHT


def on_a_kink(
    problem: Problem, truth: Truth, names: list[str], files: frozenset[str], namespaces: list[dict[str, Any]]
) -> dict[str, bool]:
    """The gradients that are wrong at this point only because it lies on a kink: right at points beside it."""
    if truth.trace is not None and not ties(truth.trace):
        return {}
    if truth.trace is None and not _one_sided(problem, names):
        return {}
    rng = np.random.default_rng(17)
    good = set(names)
    for _ in range(2):
        beside = {
            n: v + NUDGE * (1 + np.abs(v)) * rng.uniform(-1, 1, size=v.shape)
            for n, v in problem.values.items()
            if problem.role(problem.leaves[n]) not in ("target", "upstream")
        }
        found = _right(moved(problem, beside), names, files, namespaces)
        if found is None:
            return {}
        good &= {n for n, right in found[0].items() if right}
    return dict.fromkeys(good, True)


def _one_sided(problem: Problem, names: list[str]) -> bool:
    """Whether slopes from the left and from the right differ along some direction."""
    rng = np.random.default_rng(13)
    base = problem.loss()
    for _ in range(2):
        directions = {n: rng.normal(size=problem.values[n].shape) for n in names}
        slopes = []
        for h in (1e-5, 1e-6):
            up = problem.loss({n: problem.values[n] + h * d for n, d in directions.items()})
            down = problem.loss({n: problem.values[n] - h * d for n, d in directions.items()})
            slopes.append((up - 2 * base + down) / h)
        if abs(slopes[1]) > 0.5 * abs(slopes[0]) > 1e-6:
            return True
    return False


@dataclass
class Probed:
    """What the probes found: gradients that are wrong elsewhere, and conditions that others need."""

    wrong: dict[str, str] = field(default_factory=dict[str, str])
    problems: dict[str, Problem] = field(default_factory=dict[str, Problem])
    conditions: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    notes: list[str] = field(default_factory=list[str])


def probe(
    problem: Problem, names: list[str], files: frozenset[str], namespaces: list[dict[str, Any]], deadline: float
) -> Probed:
    """Other points, until the time is over: small batches, targets of another kind, other weights."""
    found = Probed()
    certain = True
    for says, other in itertools.chain(hostile.examples(problem), hostile.sizes(problem)):
        if time.perf_counter() > deadline:
            found.notes.append("not all probes were run: the gradient takes long")
            return found
        judged = _right(other, names, files, namespaces)
        if judged is None or ties_of(judged[1]):
            continue
        bad = [n for n, right in judged[0].items() if not right and n not in found.wrong]
        if bad and "has length" in says:
            certain = judged[1].trace is not None and not loops_over_entries(judged[1].trace)
        if bad and not certain:
            # A loop over entries may pass over what is missing: forward then means another thing.
            found.notes.append(f"{', '.join(bad)}: another gradient than that of forward {says}")
            break
        for name in bad:
            found.wrong[name] = says
            found.problems[name] = other
    if not found.wrong:
        _targets(problem, names, files, namespaces, found)
        _further(problem, names, files, namespaces, found)
    return found


def _further(
    problem: Problem, names: list[str], files: frozenset[str], namespaces: list[dict[str, Any]], found: Probed
) -> None:
    """What is worth a note, but no mistake: more axes than the code may be made for, overflow."""
    deeper = hostile.leading(problem)
    judged = None if deeper is None else _right(deeper, names, files, namespaces)
    if judged is not None and not all(judged[0].values()):
        bad = ", ".join(n for n, right in judged[0].items() if not right)
        found.notes.append(f"with a further axis before the others forward runs, and {bad} is wrong")
    overflow = hostile.overflowing(problem)
    if overflow is not None:
        found.notes.append(overflow)


def loops_over_entries(trace: Trace) -> bool:
    """Whether single entries are looked up one after the other."""
    return any(
        n.op == "index"
        and any(isinstance(k, int | np.integer) for k in (n.attr if isinstance(n.attr, tuple) else (n.attr,)))
        for n in trace.nodes
    )


def steady(problem: Problem) -> Problem:
    """The problem, with the same random numbers in every call where its functions draw some."""
    try:
        first, second = problem.loss(), problem.loss()
    except Exception:
        return problem
    if first == second or (np.isnan(first) and np.isnan(second)):
        return problem
    note = "forward draws random numbers: both functions were given the same ones, from a fixed seed"
    origins = problem.origins or (problem.forward, problem.backward)
    return replace(
        problem,
        forward=_seeded(problem.forward),
        backward=_seeded(problem.backward),
        origins=origins,
        formulas=problem.written_in,
        notes=(*problem.notes, note),
    )


def _seeded(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any) -> Any:
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002 - a person's code may use the generator that everybody shares
        if "torch" in sys.modules:
            sys.modules["torch"].manual_seed(0)
        return function(*arguments)

    return run


def ties_of(truth: Truth) -> bool:
    """Whether a traced point lies on a kink."""
    return truth.trace is not None and ties(truth.trace)


def excerpt(problem: Problem) -> Problem | None:
    """A large problem with few of its examples, where both functions run on them."""
    if sum(v.size for v in problem.values.values()) < LARGE:
        return None
    small = small_batch(problem, EXAMPLES)
    if small is None:
        return None
    try:
        small.claimed()
        return small if np.isfinite(small.loss()) else None
    except Exception:  # a person's code may not be made for other sizes; then the whole is judged
        return None


def whole_agrees(problem: Problem, claims: Mapping[str, Any], names: list[str]) -> bool:
    """Whether claimed gradients agree with slopes of the loss along random directions, one array after the other."""
    rng = np.random.default_rng(37)
    for name in names:
        direction = rng.normal(size=problem.values[name].shape)
        claim = np.asarray(numbers(claims[name]), dtype=float)
        if claim.shape != direction.shape:
            return False
        expected = float(np.sum(direction * claim))
        slope, error = along(problem, {name: direction}, expected)
        if not abs(slope - expected) <= 20 * error + 1e-5 * float(np.linalg.norm(direction * claim)):
            return False
    return True


def _targets(
    problem: Problem, names: list[str], files: frozenset[str], namespaces: list[dict[str, Any]], found: Probed
) -> None:
    """Whether the gradients need targets that sum to 1 or that are 0 and 1."""
    targets = {
        n: v
        for n, v in problem.values.items()
        if problem.role(problem.leaves[n]) == "target" and v.ndim and np.all(v >= 0) and np.all(v <= 1)
    }
    if not targets:
        return
    rng = np.random.default_rng(29)
    free = {n: rng.uniform(0.1, 0.9, size=v.shape) for n, v in targets.items()}
    judged = _right(moved(problem, free), names, files, namespaces)
    if judged is None or all(judged[0].values()) or ties_of(judged[1]):
        return
    needs = "0 or 1 in every target"
    for axis in (-1, 0):
        if all(np.allclose(np.sum(v, axis=axis), 1) for v in targets.values()):
            whole = {n: v / v.sum(axis=axis, keepdims=True) for n, v in free.items()}
            other = _right(moved(problem, whole), names, files, namespaces)
            if other is not None and all(other[0].values()):
                needs = "sum(y) = 1"
                break
    for name, right in judged[0].items():
        if not right:
            found.conditions[name] = (needs,)
