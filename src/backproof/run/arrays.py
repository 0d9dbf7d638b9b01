"""Primitives of kernels without a compiler: the same functions on whole arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

exp, log, sin, cos, atan = np.exp, np.log, np.sin, np.cos, np.arctan
absolute = np.abs
tanh, log1p, expm1, sign, maximum, minimum = np.tanh, np.log1p, np.expm1, np.sign, np.maximum, np.minimum


def sigmoid(u: Array) -> Array:
    """1/(1 + exp(−u)), through exp(−|u|)."""
    e = np.exp(-np.abs(u))
    w = 1 / (1 + e)
    return np.where(u > 0, w, e * w)


def softplus(u: Array) -> Array:
    """ln(1 + exp(u)), through exp(−|u|)."""
    return np.maximum(u, 0) + np.log1p(np.exp(-np.abs(u)))


def expdifference(u: Array, v: Array) -> Array:
    """exp(u − v), with what the difference rounds away."""
    d = u - v
    t = d - u
    lost = (u - (d - t)) - (v + t)
    e = np.exp(d)
    return np.where(e > 0, e + e * lost, e)


def wide(u: Array) -> Array:
    """Numbers of the next larger type; for float64 the machine's largest, which on some machines is no larger."""
    return np.asarray(u, np.float64 if np.asarray(u).dtype == np.float32 else np.longdouble)


def expm2(v: Array) -> Array:
    """exp(v) − 1 − v, without cancelling near 0."""
    return np.where(np.abs(v) < 1, _rest(v, 2), np.expm1(v) - v)


def expm3(v: Array) -> Array:
    """exp(v) − 1 − v − v²/2, without cancelling near 0."""
    return np.where(np.abs(v) < 1, _rest(v, 3), np.expm1(v) - v - v * v / 2)


def _rest(v: Array, first: int) -> Array:
    near = np.where(np.abs(v) < 1, v, 0)
    total = np.zeros_like(near)
    for k in range(22, first - 1, -1):
        total = total * near + near.dtype.type(1) / math.factorial(k)
    return total * near**first


def logsoftplus(u: Array) -> Array:
    """log(softplus(u)); far below 0 by u − exp(u)/2, whose next term is less than the last digit."""
    return np.where(u > -40, np.log(softplus(np.maximum(u, -40))), u - np.exp(np.minimum(u, 0)) / 2)


def softplusratio(u: Array) -> Array:
    """σ(u)/softplus(u); far below 0 by 1 − exp(u)/2, whose next term is less than the last digit."""
    near = np.maximum(u, -40)
    return np.where(u > -40, sigmoid(near) / softplus(near), 1 - np.exp(np.minimum(u, 0)) / 2)


def geluslope(u: Array) -> Array:
    """Φ(u) + u·φ(u); beside its zero r by φ(r)(2 − r²)(u − r) + …, where the two terms cancel."""
    near = (u + 0.7517915246935645) - 1.4956759177009883e-17  # the first sum is exact there
    series = near * (0.4314939923140469 + near * (0.388284982990552 - near * (0.018199676398671 + 0.1140082333 * near)))
    return np.where(np.abs(near) < 1e-4, series, phi(u) + u * density(u))


def step(u: Array) -> Array:
    """[u > 0]."""
    return np.asarray(u > 0).astype(np.asarray(u).dtype)


def erf(u: Array) -> Array:
    """The error function, entry by entry."""
    return _each(math.erf, u)


def erfc(u: Array) -> Array:
    """1 − erf, entry by entry."""
    return _each(math.erfc, u)


def phi(u: Array) -> Array:
    """The normal distribution function."""
    return 0.5 * erfc(-u * math.sqrt(0.5))


def density(u: Array) -> Array:
    """The normal density."""
    return np.asarray(np.exp(-u * u / 2) / math.sqrt(2 * math.pi)).astype(np.asarray(u).dtype)


def _each(function: Any, u: Array) -> Array:
    values = np.asarray(u)
    flat = [function(float(v)) for v in values.ravel()]
    return np.array(flat, values.dtype).reshape(values.shape)
