"""Group norm over channels and pixels, weighted by an upstream gradient."""

import numpy as np

EPS, GROUPS = 1e-5, 2


def example(seed):
    rng = np.random.default_rng(seed)
    return {"gamma": rng.normal(size=4)}, rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 4, 5))


def _hat(x):
    n, c, p = x.shape
    g = x.reshape(n, GROUPS, -1)
    mu = g.mean(axis=2, keepdims=True)
    sigma = np.sqrt(g.var(axis=2, keepdims=True) + EPS)
    return (g - mu) / sigma, sigma


def forward(params, x, y):
    h, _ = _hat(x)
    return np.sum(y * h.reshape(x.shape) * params["gamma"][None, :, None])


def backward(params, x, y):
    h, s = _hat(x)
    g = (y * params["gamma"][None, :, None]).reshape(h.shape)
    dx = (g - g.mean(2, keepdims=True) - h * (g * h).mean(2, keepdims=True)) / s
    return {"gamma": np.sum(y * h.reshape(x.shape), axis=(0, 2)), "x": dx.reshape(x.shape)}


def constant_variance(params, x, y):
    h, s = _hat(x)
    g = (y * params["gamma"][None, :, None]).reshape(h.shape)
    return backward(params, x, y) | {"x": ((g - g.mean(2, keepdims=True)) / s).reshape(x.shape)}


def summed_over_groups(params, x, y):
    h, s = _hat(x)
    g = (y * params["gamma"][None, :, None]).reshape(h.shape)
    dx = (g - g.mean(1, keepdims=True) - h * (g * h).mean(1, keepdims=True)) / s
    return backward(params, x, y) | {"x": dx.reshape(x.shape)}


def no_inverse_sigma(params, x, y):
    h, _ = _hat(x)
    g = (y * params["gamma"][None, :, None]).reshape(h.shape)
    dx = g - g.mean(2, keepdims=True) - h * (g * h).mean(2, keepdims=True)
    return backward(params, x, y) | {"x": dx.reshape(x.shape)}


WRONG = {
    "constant_variance": ("stopped-gradient",),
    "summed_over_groups": ("wrong-axis",),
    "no_inverse_sigma": ("missing-slope", "dropped-term"),
}
