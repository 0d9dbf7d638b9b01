"""Comparing claimed gradients with true ones, with tolerances from how the code reacts to rounding."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from backproof.check.code.arguments import numbers
from backproof.check.code.operations import Array
from backproof.check.code.problem import Problem
from backproof.check.code.truth import Truth
from backproof.check.code.verdicts import Deviation
from backproof.errors import BackproofError

EPSILON: Final = float(np.finfo(float).eps)
RELATIVE: Final = 1e-8
MEASURED: Final = 2e-6
# What deviates by more is no rounding, however badly conditioned the problem is, unless the truth is nearly zero.
GROSS: Final = 1e-2


@dataclass(frozen=True, slots=True)
class Comparison:
    """One claimed gradient beside the true one: `kind` says whether it agrees, deviates, or cannot be compared."""

    kind: str
    claim: Array
    truth: Array
    tolerance: float
    deviation: Deviation | None = None
    says: str = ""


def noise_of(problem: Problem, claims: Mapping[str, Any], truth: Truth) -> dict[str, float]:
    """How much claimed and true gradients move when the inputs move by a few units in the last place."""
    rng = np.random.default_rng(3)
    values = {
        n: v * (1 + 4 * EPSILON * rng.uniform(-1, 1, size=v.shape)) if np.any(v != np.round(v)) else v
        for n, v in problem.values.items()
    }
    found: dict[str, float] = {}
    try:
        again = problem.claimed(values)
    except Exception:
        return {}
    for name, claim in claims.items():
        first, second = np.asarray(numbers(claim)), np.asarray(numbers(again.get(name, claim)))
        if first.shape == second.shape and first.dtype.kind == "f":
            difference = np.abs(first.astype(float) - second.astype(float))
            found[name] = float(np.max(difference, initial=0.0)) if np.all(np.isfinite(difference)) else 0.0
    if truth.again is not None:
        try:
            for name, second in truth.again(values).items():
                difference = np.abs(second - truth.gradients[name])
                if np.all(np.isfinite(difference)):
                    found[name] = found.get(name, 0.0) + float(np.max(difference, initial=0.0))
        except BackproofError:
            pass
    return found


def comparisons(problem: Problem, claims: Mapping[str, Any], truth: Truth, names: list[str]) -> dict[str, Comparison]:
    """Every claimed gradient beside the true one."""
    overall = max((float(np.max(np.abs(g), initial=0.0)) for g in truth.gradients.values()), default=0.0)
    found = {n: compare(n, claims[n], truth, 0.0, overall) for n in names if n in claims}
    if any(
        c.deviation is not None
        and (c.deviation.relative < GROSS or float(np.max(np.abs(c.truth), initial=0.0)) < 1e-9 * overall)
        for c in found.values()
    ):
        noise = noise_of(problem, claims, truth)
        found = {n: compare(n, claims[n], truth, noise.get(n, 0.0), overall) for n in found}
    return found


def compare(name: str, claim: Any, truth: Truth, noise: float, overall: float) -> Comparison:
    """A claimed gradient beside the true one."""
    true = truth.gradients[name]
    try:
        array = numbers(claim)
    except Exception as error:
        return Comparison("none", true, true, 0.0, says=f"it is no array: {error}")
    if array.dtype.kind in "OUS":
        return Comparison("none", array, true, 0.0, says=f"it is no array of numbers but {type(claim).__name__}")
    if array.dtype.kind == "c":
        return Comparison("none", array, true, 0.0, says="it is complex")
    scale = float(np.max(np.abs(true), initial=0.0))
    floor = 1e-13 if truth.trace is not None or "automatic" in truth.method else 1e-9
    share = RELATIVE if floor < 1e-9 else MEASURED
    tolerance = share * scale + 30 * noise + 20 * truth.errors[name] + floor * overall
    integers = array.dtype.kind in "iub"
    array = array.astype(float)
    if array.shape != true.shape:
        if array.size == 1 and true.size == 1:
            array = array.reshape(true.shape)
        else:
            return Comparison("shape", array, true, tolerance, says=f"shape {array.shape} where {true.shape} is right")
    chosen = truth.entries.get(name)
    own, right = (array, true) if chosen is None else (array.ravel()[chosen], true.ravel()[chosen])
    if not np.all(np.isfinite(own)):
        if not np.all(np.isfinite(right)):
            return Comparison("undefined", array, true, tolerance, says="the loss has no slope here")
        count = int(np.sum(~np.isfinite(own)))
        return Comparison("nan", array, true, tolerance, says=f"{count} of {own.size} entries are not finite")
    if not np.all(np.isfinite(right)):
        return Comparison("undefined", array, true, tolerance, says="the loss has no slope here")
    wrong = np.abs(own - right) > tolerance
    if not np.any(wrong):
        return Comparison("agrees", array, true, tolerance)
    deviation = _deviation(array, true, tolerance, chosen)
    says = "it holds integers" if integers else ""
    return Comparison("differs", array, true, tolerance, deviation, says)


def _deviation(array: Array, true: Array, tolerance: float, chosen: Array | None) -> Deviation:
    difference = np.abs(array - true)
    if chosen is not None:
        mask = np.zeros(true.size, bool)
        mask[chosen] = True
        difference = np.where(mask.reshape(true.shape), difference, 0)
    at = np.unravel_index(int(np.argmax(difference)), np.shape(true)) if true.ndim else ()
    scale = float(np.max(np.abs(true), initial=0.0))
    relative = float(np.max(difference)) / scale if scale else math.inf
    wrong = int(np.sum(difference > tolerance))
    return Deviation(
        relative,
        tuple(int(k) for k in at),
        float(array[at]),
        float(true[at]),
        wrong,
        int(true.size),
        ratio_of(array, true),
    )


def ratio_of(yours: Array, true: Array, tolerance: float = 1e-7) -> float | None:
    """The number that the true array is multiplied by, or None."""
    scale = float(np.sum(true * true))
    if not scale:
        return None
    ratio = float(np.sum(yours * true)) / scale
    limit = tolerance * max(float(np.max(np.abs(true))) * abs(ratio), 1e-300)
    return ratio if float(np.max(np.abs(yours - ratio * true))) <= limit else None
