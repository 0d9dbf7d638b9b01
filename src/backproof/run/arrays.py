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
