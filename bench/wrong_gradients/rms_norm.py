"""RMS norm with a gain, weighted by an upstream gradient."""

import numpy as np

EPS = 1e-6


def example(seed):
    rng = np.random.default_rng(seed)
    return {"gamma": rng.normal(size=5)}, rng.normal(size=(4, 5)), rng.normal(size=(4, 5))


def _hat(x):
    r = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPS)
    return x * r, r


def forward(params, x, y):
    return np.sum(y * params["gamma"] * _hat(x)[0])


def _with(params, x, y, dx):
    return {"gamma": np.sum(y * _hat(x)[0], axis=0), "x": dx}


def backward(params, x, y):
    h, r = _hat(x)
    g = y * params["gamma"]
    return _with(params, x, y, r * (g - h * np.mean(g * h, axis=-1, keepdims=True)))


def constant_rms(params, x, y):
    _, r = _hat(x)
    return _with(params, x, y, r * y * params["gamma"])


def sum_for_mean(params, x, y):
    h, r = _hat(x)
    g = y * params["gamma"]
    return _with(params, x, y, r * (g - h * np.sum(g * h, axis=-1, keepdims=True)))


def centred(params, x, y):
    h, r = _hat(x)
    g = y * params["gamma"]
    return _with(params, x, y, r * (g - g.mean(-1, keepdims=True) - h * np.mean(g * h, axis=-1, keepdims=True)))


def raw_gain(params, x, y):
    return backward(params, x, y) | {"gamma": np.sum(y * x, axis=0)}


WRONG = {
    "constant_rms": ("stopped-gradient",),
    "sum_for_mean": ("wrong-reduction", "factor"),
    "centred": ("extra-term",),
    "raw_gain": ("wrong-variable", "missing-slope", "dropped-term"),
}
