"""Asserting: a check of gradients for tests, which fails with the diagnosis as its message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backproof.check.code.judging import BUDGET, check_gradient
from backproof.check.code.limits import PATIENCE
from backproof.check.code.verdicts import CodeReport


def assert_gradient(
    backward: Any, *, forward: Any = None, inputs: Sequence[Any], budget: float = BUDGET, seconds: float = PATIENCE
) -> CodeReport:
    """Fail unless every gradient that `backward` gives is that of the loss that `forward` gives, at `inputs`.

    It takes what `check_gradient` takes and gives the same report. Raises AssertionError with the diagnosis for a wrong
    gradient and for one that could not be judged, and UsageError for what cannot be called so.

    >>> import numpy as np
    >>> def loss(w):
    ...     return np.sum(np.tanh(w))
    >>> assert_gradient(lambda w: 1 - np.tanh(w) ** 2, forward=loss, inputs=(np.array([0.3, -1.2]),)).ok
    True
    """
    __tracebackhide__ = True
    report = check_gradient(backward, forward=forward, inputs=inputs, budget=budget, seconds=seconds)
    if not report.ok:
        raise AssertionError("a gradient is not right\n" + str(report))
    return report
