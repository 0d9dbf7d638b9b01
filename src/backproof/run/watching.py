"""Watching: the loss of examples that are not learnt from, in pieces, so that memory stays constant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backproof.calculus.network import Network
from backproof.language.expression import Num
from backproof.language.walks import names
from backproof.run.kernels import Kernel, parameters_of

Array = NDArray[Any]
PIECE: Final = 1 << 13  # examples


def watched_loss(
    kernel: Kernel, theta: Array, part: tuple[Array, Array], network: Network, numbers: Mapping[str, float]
) -> float:
    """The loss of a part of the data, each example with the weight 1."""
    inputs, targets = part
    slopes, whole = np.empty_like(theta), 0.0
    mean, apart = network.reduction != "sum", penalty(theta, network, numbers)
    for low in range(0, len(inputs), PIECE):
        some = [a[low : low + PIECE] for a in part]
        count = len(some[0])
        if "w" in kernel.interface.inputs:
            some.append(np.ones(count, inputs.dtype))
        loss = kernel(theta, slopes, *some)
        if count == len(targets):
            return loss
        # Each piece has the penalty in it: over its own examples where the loss is a mean.
        whole += (loss * count if mean else loss) - apart
    return (whole + apart) / (len(inputs) if mean else 1)


def penalty(theta: Array, network: Network, numbers: Mapping[str, float]) -> float:
    """λ/2·Σw², before it is divided by the number of examples; divided by that of outputs in a mean over both."""
    weight = network.regulariser
    if weight is None:
        return 0.0
    value = float(weight.value) if isinstance(weight, Num) else float(numbers[next(iter(names(weight)))])
    weights = (theta[p.start : p.start + p.length] for p in parameters_of(network) if p.name.startswith("W"))
    squares = sum(float(np.sum(w.astype(np.float64) ** 2)) for w in weights)
    return value / 2 * squares / (int(network.sizes[-1]) if network.reduction == "mean-all" else 1)
