"""GELU in its tanh form."""

import numpy as np

C = np.sqrt(2 / np.pi)


def example(seed):
    rng = np.random.default_rng(seed)
    return {"W": rng.normal(size=(4, 3))}, rng.normal(size=(5, 4)), rng.normal(size=(5, 3))


def forward(params, x, y):
    z = x @ params["W"]
    return np.sum(y * 0.5 * z * (1 + np.tanh(C * (z + 0.044715 * z**3))))


def _with(params, x, y, slope):
    dz = y * slope
    return {"W": x.T @ dz, "x": dz @ params["W"].T}


def _parts(params, x):
    z = x @ params["W"]
    return z, np.tanh(C * (z + 0.044715 * z**3))


def backward(params, x, y):
    z, t = _parts(params, x)
    return _with(params, x, y, 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * C * (1 + 3 * 0.044715 * z**2))


def slope_of_the_other_form(params, x, y):
    z, _ = _parts(params, x)
    from math import erf

    cdf = 0.5 * (1 + np.vectorize(erf)(z / np.sqrt(2)))
    return _with(params, x, y, cdf + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi))


def first_term_only(params, x, y):
    _, t = _parts(params, x)
    return _with(params, x, y, 0.5 * (1 + t))


def inner_slope_forgotten(params, x, y):
    z, t = _parts(params, x)
    return _with(params, x, y, 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * C)


def three_forgotten(params, x, y):
    z, t = _parts(params, x)
    return _with(params, x, y, 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * C * (1 + 0.044715 * z**2))


WRONG = {
    "slope_of_the_other_form": ("wrong-activation",),
    "first_term_only": ("dropped-term", "stopped-gradient"),
    "inner_slope_forgotten": ("dropped-term", "missing-slope"),
    "three_forgotten": ("factor",),
}
