"""Batch norm in training, weighted by an upstream gradient."""

import numpy as np

EPS = 1e-5


def example(seed):
    rng = np.random.default_rng(seed)
    params = {"gamma": rng.normal(size=4), "beta": rng.normal(size=4)}
    return params, rng.normal(size=(8, 4)), rng.normal(size=(8, 4))


def forward(params, x, y):
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    h = (x - mu) / np.sqrt(var + EPS)
    return np.sum(y * (params["gamma"] * h + params["beta"]))


def backward(params, x, y):
    m = len(x)
    mu, var = x.mean(axis=0), x.var(axis=0)
    inverse = 1 / np.sqrt(var + EPS)
    h = (x - mu) * inverse
    dh = y * params["gamma"]
    dvar = np.sum(dh * (x - mu), axis=0) * -0.5 * inverse**3
    dmu = -np.sum(dh, axis=0) * inverse
    dx = dh * inverse + dvar * 2 * (x - mu) / m + dmu / m
    return {"gamma": np.sum(y * h, axis=0), "beta": np.sum(y, axis=0), "x": dx}


def variance_ignored(params, x, y):
    right = backward(params, x, y)
    inverse = 1 / np.sqrt(x.var(axis=0) + EPS)
    dh = y * params["gamma"]
    return right | {"x": (dh - dh.mean(axis=0)) * inverse}


def per_feature(params, x, y):
    right = backward(params, x, y)
    inverse = 1 / np.sqrt(x.var(axis=0) + EPS)
    h = (x - x.mean(axis=0)) * inverse
    dh = y * params["gamma"]
    dx = inverse * (dh - dh.mean(axis=1, keepdims=True) - h * (dh * h).mean(axis=1, keepdims=True))
    return right | {"x": dx}


def eval_mode(params, x, y):
    right = backward(params, x, y)
    return right | {"x": y * params["gamma"] / np.sqrt(x.var(axis=0) + EPS)}


def shift_averaged(params, x, y):
    return backward(params, x, y) | {"beta": np.mean(y, axis=0)}


def half_missing(params, x, y):
    m = len(x)
    mu, var = x.mean(axis=0), x.var(axis=0)
    inverse = 1 / np.sqrt(var + EPS)
    dh = y * params["gamma"]
    dvar = -np.sum(dh * (x - mu), axis=0) * inverse**3
    dx = dh * inverse + dvar * 2 * (x - mu) / m - np.sum(dh, axis=0) * inverse / m
    return backward(params, x, y) | {"x": dx}


WRONG = {
    "variance_ignored": ("stopped-gradient",),
    "per_feature": ("wrong-axis",),
    "eval_mode": ("stopped-gradient",),
    "shift_averaged": ("bias-reduction", "batch-scale"),
    "half_missing": ("factor",),
}
