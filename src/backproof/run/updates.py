"""Update rules: how a gradient changes the parameters, as NumPy operations.

SGD with momentum: B. Polyak 1964; Nesterov's form as in Sutskever et al. 2013. Adam: Kingma & Ba 2015, with the weight
decay of Loshchilov & Hutter 2019 apart from the gradient.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SETTINGS: Final = ("rate", "momentum", "beta1", "beta2", "eps", "decay", "clip")
RULES: Final = {"sgd": 0, "nesterov": 1, "adam": 2}


def update(rule: int, theta: Array, gradient: Array, first: Array, second: Array, settings: Array, count: int) -> None:
    """One step in place: rule 0 is SGD with momentum, 1 is Nesterov's, 2 is Adam; `count` is the number of the step."""
    rate, momentum, beta1, beta2, eps, decay, clip = (float(v) for v in settings)
    if clip > 0:
        norm = float(np.sqrt(np.sum(np.square(gradient, dtype=np.float64))))
        if norm > clip:
            gradient *= clip / norm
    theta *= 1 - rate * decay
    if rule == RULES["adam"]:
        first *= beta1
        first += (1 - beta1) * gradient
        second *= beta2
        second += (1 - beta2) * np.square(gradient)
        theta -= rate * (first / (1 - beta1**count)) / (np.sqrt(second / (1 - beta2**count)) + eps)
    elif momentum == 0:
        theta -= rate * gradient
    else:
        first *= momentum
        first += gradient
        theta -= rate * (gradient + momentum * first if rule == RULES["nesterov"] else first)
