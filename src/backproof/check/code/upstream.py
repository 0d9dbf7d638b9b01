"""Upstream gradients: an output that is no loss becomes one, the sum of its entries, each times a random number."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from typing import Any, Final

import numpy as np

from backproof.check.code.arguments import like, numbers

NOTE: Final = "the loss is the sum of the outputs times random numbers: the upstream gradient"


def upstream_of(output: Any) -> Any:
    """A random upstream gradient of the shape and type of an output, or of each of several."""
    if isinstance(output, tuple | list):
        return tuple(upstream_of(part) for part in output)
    rng = np.random.default_rng(41)
    own = numbers(output)
    drawn = rng.normal(size=own.shape)
    return like(output, drawn.astype(own.dtype) if own.dtype.kind == "f" else drawn)


def weighted(output: Any, upstream: Any) -> Any:
    """The sum of an output's entries, each times an entry of the upstream gradient."""
    if isinstance(output, tuple | list):
        total = 0.0
        for part, weight in zip(output, upstream, strict=False):
            total = total + weighted(part, weight)
        return total
    return (output * upstream).sum()
