"""A linear layer with weights in polar form."""

# Names as such code has them.

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    return {"v": rng.normal(size=(3, 4)), "g": rng.normal(size=3)}, rng.normal(size=(6, 4)), rng.normal(size=(6, 3))


def forward(params, x, y):
    v, g = params["v"], params["g"]
    w = g[:, None] * v / np.sqrt((v**2).sum(1, keepdims=True))
    o = x @ w.T
    return ((o - y) ** 2).sum() / len(x)


def backward(params, x, y):
    v, g = params["v"], params["g"]
    n = np.sqrt((v**2).sum(1, keepdims=True))
    w = g[:, None] * v / n
    o = x @ w.T
    dw = (2 * (o - y) / len(x)).T @ x
    dg = (dw * v / n).sum(1)
    dv = g[:, None] / n * dw - g[:, None] * dg[:, None] / n**2 * v
    return {"v": dv, "g": dg}


def norm_not_squared(params, x, y):
    v, g = params["v"], params["g"]
    n = np.sqrt((v**2).sum(1, keepdims=True))
    w = g[:, None] * v / n
    o = x @ w.T
    dw = (2 * (o - y) / len(x)).T @ x
    dg = (dw * v / n).sum(1)
    dv = g[:, None] / n * dw - g[:, None] * dg[:, None] / n * v
    return {"v": dv, "g": dg}


def no_second(params, x, y):
    v, g = params["v"], params["g"]
    n = np.sqrt((v**2).sum(1, keepdims=True))
    w = g[:, None] * v / n
    o = x @ w.T
    dw = (2 * (o - y) / len(x)).T @ x
    dg = (dw * v / n).sum(1)
    dv = g[:, None] / n * dw
    return {"v": dv, "g": dg}


def norm_left_out(params, x, y):
    v, g = params["v"], params["g"]
    n = np.sqrt((v**2).sum(1, keepdims=True))
    w = g[:, None] * v / n
    o = x @ w.T
    dw = (2 * (o - y) / len(x)).T @ x
    dg = (dw * v).sum(1)
    dv = g[:, None] / n * dw - g[:, None] * dg[:, None] / n**2 * v
    return {"v": dv, "g": dg}


def half_the_slope(params, x, y):
    v, g = params["v"], params["g"]
    n = np.sqrt((v**2).sum(1, keepdims=True))
    w = g[:, None] * v / n
    o = x @ w.T
    dw = ((o - y) / len(x)).T @ x
    dg = (dw * v / n).sum(1)
    dv = g[:, None] / n * dw - g[:, None] * dg[:, None] / n**2 * v
    return {"v": dv, "g": dg}


WRONG = {
    "norm_not_squared": ("wrong-exponent", "wrong-slope-point", "factor", "missing-slope"),
    "no_second": ("stopped-gradient", "dropped-term"),
    "norm_left_out": ("missing-slope", "dropped-term"),
    "half_the_slope": ("factor",),
}
