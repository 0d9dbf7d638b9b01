"""A dense layer with a sigmoid and half the squared error, averaged over the examples."""

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    params = {"W": rng.normal(size=(4, 3)), "b": rng.normal(size=3)}
    return params, rng.normal(size=(7, 4)), rng.uniform(0.1, 0.9, size=(7, 3))


def _output(params, x):
    return 1 / (1 + np.exp(-(x @ params["W"] + params["b"])))


def forward(params, x, y):
    a = _output(params, x)
    return 0.5 * np.sum((a - y) ** 2) / len(x)


def backward(params, x, y):
    a = _output(params, x)
    dz = (a - y) * a * (1 - a) / len(x)
    return {"W": x.T @ dz, "b": dz.sum(axis=0), "x": dz @ params["W"].T}


def no_slope(params, x, y):
    a = _output(params, x)
    dz = (a - y) / len(x)
    return {"W": x.T @ dz, "b": dz.sum(axis=0), "x": dz @ params["W"].T}


def factor_two(params, x, y):
    a = _output(params, x)
    dz = 2 * (a - y) * a * (1 - a) / len(x)
    return {"W": x.T @ dz, "b": dz.sum(axis=0), "x": dz @ params["W"].T}


def target_first(params, x, y):
    a = _output(params, x)
    dz = (y - a) * a * (1 - a) / len(x)
    return {"W": x.T @ dz, "b": dz.sum(axis=0), "x": dz @ params["W"].T}


def not_averaged(params, x, y):
    a = _output(params, x)
    dz = (a - y) * a * (1 - a)
    return {"W": x.T @ dz, "b": dz.sum(axis=0), "x": dz @ params["W"].T}


def averaged_bias(params, x, y):
    a = _output(params, x)
    dz = (a - y) * a * (1 - a) / len(x)
    return {"W": x.T @ dz, "b": dz.mean(axis=0), "x": dz @ params["W"].T}


def slope_of_the_input(params, x, y):
    z = x @ params["W"] + params["b"]
    a = 1 / (1 + np.exp(-z))
    dz = (a - y) * z * (1 - z) / len(x)
    return {"W": x.T @ dz, "b": dz.sum(axis=0), "x": dz @ params["W"].T}


def slope_of_tanh(params, x, y):
    a = _output(params, x)
    dz = (a - y) * (1 - a**2) / len(x)
    return {"W": x.T @ dz, "b": dz.sum(axis=0), "x": dz @ params["W"].T}


def slope_twice(params, x, y):
    a = _output(params, x)
    dz = (a - y) * a * (1 - a) * a * (1 - a) / len(x)
    return {"W": x.T @ dz, "b": dz.sum(axis=0), "x": dz @ params["W"].T}


def float16_products(params, x, y):
    a = _output(params, x)
    dz = (a - y) * a * (1 - a) / len(x)
    return {"W": (x.T @ dz).astype(np.float16).astype(np.float64), "b": dz.sum(axis=0), "x": dz @ params["W"].T}


def changes_its_input(params, x, y):
    a = _output(params, x)
    dz = (a - y) * a * (1 - a) / len(x)
    dw = x.T @ dz
    x -= x.mean(axis=0)
    return {"W": dw, "b": dz.sum(axis=0), "x": dz @ params["W"].T}


WRONG = {
    "no_slope": ("missing-slope",),
    "factor_two": ("factor",),
    "target_first": ("sign", "swapped-target"),
    "not_averaged": ("batch-scale",),
    "averaged_bias": ("bias-reduction", "batch-scale"),
    "slope_of_the_input": ("wrong-slope-point",),
    "slope_of_tanh": ("wrong-activation",),
    "slope_twice": ("extra-slope",),
    "float16_products": ("dtype",),
    "changes_its_input": ("in-place",),
}
