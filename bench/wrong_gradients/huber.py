"""A linear model with the Huber loss."""

import numpy as np

DELTA = 0.8


def example(seed):
    rng = np.random.default_rng(seed)
    return {"w": rng.normal(size=4), "b": rng.normal()}, rng.normal(size=(9, 4)), rng.normal(size=9) * 2


def forward(params, x, y):
    r = x @ params["w"] + params["b"] - y
    small = np.abs(r) <= DELTA
    return np.mean(np.where(small, 0.5 * r**2, DELTA * (np.abs(r) - 0.5 * DELTA)))


def _residual(params, x, y):
    return x @ params["w"] + params["b"] - y


def _finish(params, x, dr):
    return {"w": x.T @ dr, "b": dr.sum(), "x": np.outer(dr, params["w"])}


def backward(params, x, y):
    r = _residual(params, x, y)
    return _finish(params, x, np.clip(r, -DELTA, DELTA) / len(y))


def never_clipped(params, x, y):
    r = _residual(params, x, y)
    return _finish(params, x, r / len(y))


def sign_lost(params, x, y):
    r = _residual(params, x, y)
    return _finish(params, x, np.where(np.abs(r) <= DELTA, r, DELTA) / len(y))


def delta_lost(params, x, y):
    r = _residual(params, x, y)
    return _finish(params, x, np.where(np.abs(r) <= DELTA, r, np.sign(r)) / len(y))


def summed(params, x, y):
    r = _residual(params, x, y)
    return _finish(params, x, np.clip(r, -DELTA, DELTA))


WRONG = {
    "never_clipped": ("missing-mask", "wrong-activation", "missing-slope"),
    "sign_lost": ("missing-slope", "sign"),
    "delta_lost": ("factor", "dropped-term"),
    "summed": ("batch-scale",),
}
