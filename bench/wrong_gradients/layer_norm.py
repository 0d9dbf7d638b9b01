"""Layer norm with gain and shift, weighted by an upstream gradient."""

import numpy as np

EPS = 1e-5


def example(seed):
    rng = np.random.default_rng(seed)
    params = {"gamma": rng.normal(size=6), "beta": rng.normal(size=6)}
    return params, rng.normal(size=(5, 6)) * 2 + 1, rng.normal(size=(5, 6))


def _hat(x):
    mu = x.mean(axis=1, keepdims=True)
    sigma = np.sqrt(((x - mu) ** 2).mean(axis=1, keepdims=True) + EPS)
    return (x - mu) / sigma, sigma


def forward(params, x, y):
    h, _ = _hat(x)
    return np.sum(y * (params["gamma"] * h + params["beta"]))


def _grads(y, h, dx):
    return {"gamma": np.sum(y * h, axis=0), "beta": np.sum(y, axis=0), "x": dx}


def backward(params, x, y):
    h, s = _hat(x)
    g = y * params["gamma"]
    return _grads(y, h, (g - g.mean(1, keepdims=True) - h * (g * h).mean(1, keepdims=True)) / s)


def constant_statistics(params, x, y):
    h, s = _hat(x)
    return _grads(y, h, y * params["gamma"] / s)


def constant_variance(params, x, y):
    h, s = _hat(x)
    g = y * params["gamma"]
    return _grads(y, h, (g - g.mean(1, keepdims=True)) / s)


def constant_mean(params, x, y):
    h, s = _hat(x)
    g = y * params["gamma"]
    return _grads(y, h, (g - h * (g * h).mean(1, keepdims=True)) / s)


def other_axis(params, x, y):
    h, s = _hat(x)
    g = y * params["gamma"]
    return _grads(y, h, (g - g.mean(0, keepdims=True) - h * (g * h).mean(0, keepdims=True)) / s)


def no_gain(params, x, y):
    h, s = _hat(x)
    return _grads(y, h, (y - y.mean(1, keepdims=True) - h * (y * h).mean(1, keepdims=True)) / s)


def gain_without_upstream(params, x, y):
    h, s = _hat(x)
    right = backward(params, x, y)
    return right | {"gamma": np.sum(h, axis=0)}


def gain_over_features(params, x, y):
    h, s = _hat(x)
    right = backward(params, x, y)
    return right | {"gamma": np.mean(y * h, axis=0)}


def plus_second_mean(params, x, y):
    h, s = _hat(x)
    g = y * params["gamma"]
    return _grads(y, h, (g - g.mean(1, keepdims=True) + h * (g * h).mean(1, keepdims=True)) / s)


WRONG = {
    "constant_statistics": ("stopped-gradient",),
    "constant_variance": ("stopped-gradient",),
    "constant_mean": ("stopped-gradient",),
    "other_axis": ("wrong-axis",),
    "no_gain": ("dropped-term", "missing-slope"),
    "gain_without_upstream": ("upstream-ignored",),
    "gain_over_features": ("batch-scale", "bias-reduction"),
    "plus_second_mean": ("sign",),
}
