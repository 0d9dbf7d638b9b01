"""What is no mistake of the formula: buffers that are kept, aliases, randomness, an updated weight, cancellation."""

import numpy as np

_buffer = {"total": 0.0}
_noise = np.random.default_rng(3)


def example(seed):
    rng = np.random.default_rng(seed)
    return (
        {"W": rng.normal(size=(4, 3)), "V": rng.normal(size=(3, 3))},
        rng.normal(size=(5, 4)),
        rng.normal(size=(5, 3)),
    )


def _layers(params, x):
    a = np.tanh(x @ params["W"])
    return a, a @ params["V"]


def forward(params, x, y):
    _, o = _layers(params, x)
    return 0.5 * np.sum((o - y) ** 2)


def backward(params, x, y):
    a, o = _layers(params, x)
    do = o - y
    dz = (do @ params["V"].T) * (1 - a**2)
    return {"W": x.T @ dz, "V": a.T @ do, "x": dz @ params["W"].T}


def kept_buffer(params, x, y):
    right = backward(params, x, y)
    _buffer["total"] = _buffer["total"] + right["W"]
    return right | {"W": _buffer["total"]}


def updated_weight(params, x, y):
    a, o = _layers(params, x)
    do = o - y
    dv = a.T @ do
    v = params["V"] - 0.1 * dv
    dz = (do @ v.T) * (1 - a**2)
    return {"W": x.T @ dz, "V": dv, "x": dz @ params["W"].T}


def alias(params, x, y):
    a, o = _layers(params, x)
    do = o - y
    dz = do @ params["V"].T
    slope = a
    slope *= a
    dz = dz * (1 - slope)
    return {"W": x.T @ dz, "V": a.T @ do, "x": dz @ params["W"].T}


def noisy(params, x, y):
    right = backward(params, x, y)
    return right | {"W": right["W"] + 0.01 * _noise.normal(size=right["W"].shape)}


def single_precision(params, x, y):
    a, o = _layers(params, x)
    do = (o - y).astype(np.float32)
    dz = (do @ params["V"].T.astype(np.float32)) * (1 - a**2)
    return {"W": x.T @ dz, "V": a.T @ do, "x": dz @ params["W"].T}


def not_finite(params, x, y):
    right = backward(params, x, y)
    with np.errstate(all="ignore"):
        return right | {"V": right["V"] + np.log(np.minimum(right["V"], 0) * 0)}


WRONG = {
    "kept_buffer": ("in-place", "no-accumulate"),
    "updated_weight": ("stale-variable",),
    "alias": ("in-place",),
    "noisy": ("not-a-formula-error",),
    "single_precision": ("dtype",),
    "not_finite": ("not-a-formula-error",),
}
