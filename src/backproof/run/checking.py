"""Checks around training: the gradient against differences, and why a loss is no number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backproof.errors import BackproofError
from backproof.run.kernels import Kernel

Array = NDArray[Any]
CHECKED: Final = 12  # parameters whose slope is compared with a difference before the first step


class TrainingError(BackproofError):
    """Training that cannot begin or go on: numbers that are none, a gradient that is wrong."""


def no_number(kernel: Kernel, theta: Array, arrays: Sequence[Array], where: str) -> TrainingError:
    """Why the loss is no number: the first quantity that is none, and the step."""
    gradient = np.zeros_like(theta)
    kernel(theta, gradient, *arrays)
    culprit = f"the loss J; the largest weight is {np.abs(theta).max():.3g}"
    for vector, prefix in ((theta, ""), (gradient, "d")):
        for place in kernel.interface.parameters:
            if (
                culprit.startswith("the loss")
                and not np.isfinite(vector[place.start : place.start + place.length]).all()
            ):
                culprit = f"{prefix}{place.name.replace('(', '').replace(')', '')}"
    return TrainingError(
        f"training stopped in {where}: a value is no finite number",
        got=culprit,
        next="a smaller learning rate (--rate), gradient clipping (--clip 1), or scaled inputs",
    )


def check_gradient(kernel: Kernel, plain: Kernel, theta: Array, arrays: Sequence[Array], seed: int) -> None:
    """Compares some slopes with differences of the plain NumPy loss in double precision, on a few examples."""
    few = [a[:8] for a in arrays]
    exact = [a.astype(np.float64) for a in few]
    at = theta.astype(np.float64)
    unused, slopes = np.empty_like(at), np.empty_like(theta)
    loss = plain(at, unused, *exact)
    kernel(theta, slopes, *few)
    gradient = slopes.astype(np.float64)
    if not np.isfinite(loss):
        raise TrainingError(
            "the loss of the first weights is no finite number", got=str(loss),
            next="targets inside the loss's domain, scaled inputs, or smaller weights",
        )  # fmt: skip
    chosen = np.random.default_rng(seed).choice(len(at), min(CHECKED, len(at)), replace=False)
    largest = float(np.abs(gradient).max())
    wrong = 0
    worst = (0.0, 0, 0.0)
    for k in chosen:
        step = 1e-5 * max(1.0, float(abs(at[k])))
        values: list[float] = []
        for shift in (step, -step):
            moved = at.copy()
            moved[k] += shift
            values.append(plain(moved, unused, *exact))
        difference = float((values[0] - values[1]) / (2 * step))
        error = float(abs(difference - gradient[k])) / max(largest, 1e-12, 1e-6 * abs(loss))
        if error > 1e-3:
            wrong += 1
        worst = max(worst, (error, int(k), difference))
    # A kink between the two points may spoil one slope or another, not most of them.
    if wrong > len(chosen) // 2:
        place = next(p for p in kernel.interface.parameters if p.start <= worst[1] < p.start + p.length)
        raise TrainingError(
            f"the gradient of {place.name} does not agree with a difference",
            expected=f"{worst[2]:.6g}", got=f"{gradient[worst[1]]:.6g}", next="please report this bug of backproof",
        )  # fmt: skip
