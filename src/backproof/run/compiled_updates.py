"""Update rules and epochs for compiled kernels: one call for many steps, so that a small network waits for nothing.

An epoch takes the kernel as an argument, by its address: it is compiled once for all networks.
"""

# Numba compiles these functions for the types that it meets; types written here would say nothing to it.
# pyright: basic, reportCallIssue=false
# ruff: noqa: ANN001, ANN201, ANN202

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit, types


@njit(nogil=True, error_model="numpy", fastmath={"contract", "nsz"}, no_cpython_wrapper=True, no_cfunc_wrapper=True)
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


@njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def fill(batch, source, order, low, high):
    """The rows of a batch, in the order that was drawn."""
    width = source.shape[1]
    for k in range(low, high):
        row = order[k]
        for c in range(width):
            batch[k - low, c] = source[row, c]


def _epoch(
    run, theta, gradient, work, inputs, targets, order, some, goals, losses, rule, first, second, settings, count
):
    size = some.shape[0]
    total = len(order) or len(inputs)
    for step in range(len(losses)):
        low = step * size
        high = min(low + size, total)
        if len(order):
            fill(some, inputs, order, low, high)
            fill(goals, targets, order, low, high)
            losses[step] = run(theta, gradient, work, some[: high - low], goals[: high - low])
        else:
            losses[step] = run(theta, gradient, work, inputs[low:high], targets[low:high])
        if not np.isfinite(losses[step]):
            return step
        update(rule, theta, gradient, first, second, settings, count + step + 1)
    return -1


def _weighted_epoch(
    run, theta, gradient, work, inputs, targets, weights, order, some, goals, shares, losses, rule, first, second,
    settings, count,
):  # fmt: skip
    size = some.shape[0]
    total = len(order) or len(inputs)
    for step in range(len(losses)):
        low = step * size
        high = min(low + size, total)
        if len(order):
            fill(some, inputs, order, low, high)
            fill(goals, targets, order, low, high)
            for k in range(low, high):
                shares[k - low] = weights[order[k]]
            losses[step] = run(theta, gradient, work, some[: high - low], goals[: high - low], shares[: high - low])
        else:
            losses[step] = run(theta, gradient, work, inputs[low:high], targets[low:high], weights[low:high])
        if not np.isfinite(losses[step]):
            return step
        update(rule, theta, gradient, first, second, settings, count + step + 1)
    return -1


@cache
def epoch_of(precision: str, *, weighted: bool) -> Any:
    """The compiled epoch of a precision; its first argument is the kernel."""
    number = types.float32 if precision == "float32" else types.float64
    vector, matrix = types.Array(number, 1, "C"), types.Array(number, 2, "C")
    given, share = types.Array(number, 2, "C", readonly=True), types.Array(number, 1, "C", readonly=True)
    doubles, places = types.Array(types.float64, 1, "C"), types.Array(types.int64, 1, "C")
    extra = weighted * (share,)
    kernel = types.FunctionType(types.float64(vector, vector, vector, given, given, *extra))
    signature = types.int64(
        kernel, vector, vector, vector, given, given, *extra, places, matrix, matrix, *(weighted * (vector,)), doubles,
        types.int64, vector, vector, doubles, types.int64,
    )  # fmt: skip
    function = _weighted_epoch if weighted else _epoch
    return njit(signature, cache=True, nogil=True, error_model="numpy")(function)
