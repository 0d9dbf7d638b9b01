"""What the numbers alone say: a type that lost digits, a transpose, an unsummed or averaged gradient."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from backproof.check.code.arguments import numbers
from backproof.check.code.case import Case
from backproof.check.code.kinds import CodeMistake, named


def explain(case: Case) -> dict[str, list[CodeMistake]]:
    """Mistakes that show in the shape or in the digits of a gradient."""
    found: dict[str, list[CodeMistake]] = {}
    for name, comparison in case.wrong.items():
        claim, truth = comparison.claim, comparison.truth
        raw = np.asarray(numbers(case.claims[name]))
        limit = 1e-6 * float(np.max(np.abs(truth), initial=0.0)) + comparison.tolerance
        mistakes: list[CodeMistake] = []
        if comparison.kind == "shape":
            mistakes = _shape(claim, truth, limit)
        elif comparison.kind == "nan":
            mistakes = [named("not-a-formula-error", comparison.says, fix="look for overflow, 0/0 or log 0")]
        elif raw.dtype.kind in "iub":
            mistakes = [named("dtype", f"the result holds integers ({raw.dtype})")]
        elif raw.dtype.kind == "f" and raw.dtype.itemsize < 8 and case.problem.is_double:
            relative = comparison.deviation.relative if comparison.deviation is not None else 1.0
            if relative <= 64 * float(np.finfo(raw.dtype).eps):
                mistakes = [named("dtype", f"the result is {raw.dtype}, the inputs are float64")]
        if not mistakes and comparison.kind == "differs":
            mistakes = _digits(case, name) or _transposed(claim, truth, limit) or _exchanged(case, name, limit)
        if mistakes:
            found[name] = mistakes
    return found


def _digits(case: Case, name: str) -> list[CodeMistake]:
    """A small deviation that looks like one of a shorter type inside the computation."""
    comparison = case.wrong[name]
    relative = comparison.deviation.relative if comparison.deviation is not None else 1.0
    for kind in (np.float32, np.float16):
        same = np.array_equal(comparison.claim, comparison.claim.astype(kind).astype(float))
        if same and relative < 100 * float(np.finfo(kind).eps) and comparison.claim.size > 1:
            return [named("dtype", f"every entry is a {np.dtype(kind)} number")]
    # float32 keeps 7 digits; a formula that is wrong in the eighth only would be a rare one.
    if 1e-16 < relative < 3e-6 and all(
        c.deviation is not None and c.deviation.relative < 3e-6 for c in case.wrong.values()
    ):
        if mentions(case.problem.written_in, "float32", "single", "bfloat16", "f4"):
            return [
                named("dtype", f"a part of the computation keeps 7 digits: it is off by {relative:.1g} of its size")
            ]
        if comparison.deviation is not None and comparison.deviation.ratio is None:
            return [
                named(
                    "not-a-formula-error",
                    f"digits cancel: it is off by {relative:.1g} of its size",
                    fix="avoid differences of nearly equal numbers",
                )
            ]
    if relative < 2e-2 and mentions(case.problem.written_in, "float16", "half", "bfloat16", "f2"):
        if comparison.deviation is not None and comparison.deviation.ratio is None:
            return [
                named("dtype", f"a part of the computation keeps 3 digits: it is off by {relative:.1g} of its size")
            ]
    return []


def mentions(function: Callable[..., Any], *words: str) -> bool:
    """Whether a function's source holds one of these words."""
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        return False
    return any(word in source for word in words)


def _exchanged(case: Case, name: str, limit: float) -> list[CodeMistake]:
    """The gradient of another array under this name."""
    claim = case.wrong[name].claim
    for other, comparison in case.compared.items():
        truth = comparison.truth
        if other != name and truth.shape == claim.shape and claim.size > 1 and np.any(claim):
            if np.max(np.abs(claim - truth)) <= limit:
                return [named("wrong-variable", f"it is the gradient of {other}", fix="give each its own gradient")]
    return []


def _transposed(claim: np.ndarray, truth: np.ndarray, limit: float) -> list[CodeMistake]:
    if truth.ndim == 2 and truth.shape[0] == truth.shape[1] and np.max(np.abs(claim.T - truth)) <= limit:
        return [named("transpose", "the gradient is transposed")]
    return []


def _shape(claim: np.ndarray, truth: np.ndarray, limit: float) -> list[CodeMistake]:
    if claim.ndim == truth.ndim and claim.shape == truth.shape[::-1]:
        if np.max(np.abs(claim.T - truth)) <= limit:
            return [named("transpose", f"the gradient has shape {claim.shape}, the array {truth.shape}")]
    if claim.ndim == truth.ndim and sorted(claim.shape) == sorted(truth.shape):
        return [named("transpose", f"the gradient has shape {claim.shape}, the array {truth.shape}")]
    if claim.size == truth.size:
        if np.max(np.abs(claim.reshape(truth.shape) - truth)) <= limit:
            detail = f"the numbers are right, the shape is {claim.shape} and should be {truth.shape}"
            return [named("wrong-axis", detail, fix="give it the shape of the array")]
    for axes in _subsets(claim.ndim):
        for keep in (True, False):
            total = np.sum(claim, axis=axes, keepdims=keep)
            if total.shape == truth.shape and np.max(np.abs(total - truth)) <= limit:
                return [named("bias-reduction", f"it is not summed over axis {axes}")]
            count = claim.size / max(1, total.size)
            if total.shape == truth.shape and np.max(np.abs(total / count - truth)) <= limit:
                return [named("bias-reduction", f"it is not reduced over axis {axes}")]
    return [named("wrong-axis", f"the gradient has shape {claim.shape}, the array {truth.shape}")]


def _subsets(count: int) -> list[tuple[int, ...]]:
    return [tuple(k for k in range(count) if mask >> k & 1) for mask in range(1, 1 << min(count, 6))]
