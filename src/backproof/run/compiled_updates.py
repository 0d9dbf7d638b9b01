"""Update rules and epochs for compiled kernels: one call for many steps, so that a small network waits for nothing."""

# Numba compiles these functions for the types that it meets; types written here would say nothing to it.
# pyright: basic
# ruff: noqa: ANN001, ANN201

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz"})
def update(rule, theta, gradient, first, second, settings, count):
    """One step: rule 0 is SGD with momentum, 1 is Nesterov's, 2 is Adam; settings as in `updates.SETTINGS`."""
    kind = theta.dtype.type
    rate, momentum = kind(settings[0]), kind(settings[1])
    beta1, beta2, eps = kind(settings[2]), kind(settings[3]), kind(settings[4])
    decay, clip = kind(settings[5]), settings[6]
    if clip > 0.0:
        square = 0.0
        for k in range(len(gradient)):
            square += np.float64(gradient[k]) * np.float64(gradient[k])
        norm = np.sqrt(square)
        if norm > clip:
            factor = kind(clip / norm)
            for k in range(len(gradient)):
                gradient[k] *= factor
    if rule == 2:
        scale1 = kind(1.0 / (1.0 - settings[2] ** count))
        scale2 = kind(1.0 / (1.0 - settings[3] ** count))
        rest1, rest2 = kind(1.0) - beta1, kind(1.0) - beta2
        shrink = kind(1.0) - rate * decay
        for k in range(len(theta)):
            g = gradient[k]
            u = beta1 * first[k] + rest1 * g
            v = beta2 * second[k] + rest2 * g * g
            first[k] = u
            second[k] = v
            theta[k] = shrink * theta[k] - rate * (u * scale1) / (np.sqrt(v * scale2) + eps)
    elif momentum == 0:
        shrink = kind(1.0) - rate * decay
        for k in range(len(theta)):
            theta[k] = shrink * theta[k] - rate * gradient[k]
    else:
        shrink = kind(1.0) - rate * decay
        for k in range(len(theta)):
            v = momentum * first[k] + gradient[k]
            first[k] = v
            theta[k] = shrink * theta[k] - rate * (gradient[k] + momentum * v if rule == 1 else v)
