"""Two layers, tanh and softmax with cross-entropy, examples in rows, L2 on the weights."""

import numpy as np

LAMBDA = 0.3


def example(seed):
    rng = np.random.default_rng(seed)
    params = {
        "W1": rng.normal(size=(5, 4)),
        "b1": rng.normal(size=4),
        "W2": rng.normal(size=(4, 4)),
        "b2": rng.normal(size=4),
    }
    return params, rng.normal(size=(6, 5)), np.eye(4)[rng.integers(0, 4, 6)]


def _layers(params, x):
    a = np.tanh(x @ params["W1"] + params["b1"])
    z = a @ params["W2"] + params["b2"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return a, e / e.sum(axis=1, keepdims=True)


def forward(params, x, y):
    _, p = _layers(params, x)
    penalty = LAMBDA / 2 * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
    return float(-np.sum(y * np.log(p)) / len(x) + penalty)


def _finish(params, x, a, dz2, slope=None, turned=True, penalty=(1.0, 1.0)):
    da = dz2 @ (params["W2"].T if turned else params["W2"])
    dz1 = da * (1 - a**2 if slope is None else slope)
    return {
        "W1": x.T @ dz1 + penalty[0] * LAMBDA * params["W1"],
        "b1": dz1.sum(axis=0),
        "W2": a.T @ dz2 + penalty[1] * LAMBDA * params["W2"],
        "b2": dz2.sum(axis=0),
        "x": dz1 @ params["W1"].T,
    }


def backward(params, x, y):
    a, p = _layers(params, x)
    return _finish(params, x, a, (p - y) / len(x))


def kept_slope(params, x, y):
    a, p = _layers(params, x)
    return _finish(params, x, a, (p - y) * p * (1 - p) / len(x))


def not_transposed(params, x, y):
    a, p = _layers(params, x)
    return _finish(params, x, a, (p - y) / len(x), turned=False)


def transposed_gradient(params, x, y):
    a, p = _layers(params, x)
    grads = _finish(params, x, a, (p - y) / len(x))
    return grads | {"W2": grads["W2"].T}


def no_penalty(params, x, y):
    a, p = _layers(params, x)
    return _finish(params, x, a, (p - y) / len(x), penalty=(0.0, 1.0))


def double_penalty(params, x, y):
    a, p = _layers(params, x)
    return _finish(params, x, a, (p - y) / len(x), penalty=(2.0, 2.0))


def negative_penalty(params, x, y):
    a, p = _layers(params, x)
    return _finish(params, x, a, (p - y) / len(x), penalty=(-1.0, -1.0))


def penalised_bias(params, x, y):
    a, p = _layers(params, x)
    grads = _finish(params, x, a, (p - y) / len(x))
    return grads | {"b1": grads["b1"] + LAMBDA * params["b1"]}


def diagonal(params, x, y):
    a, p = _layers(params, x)
    dp = -y / p / len(x)
    return _finish(params, x, a, dp * p * (1 - p))


def hidden_slope_dropped(params, x, y):
    a, p = _layers(params, x)
    return _finish(params, x, a, (p - y) / len(x), slope=1.0)


def mean_twice(params, x, y):
    a, p = _layers(params, x)
    return _finish(params, x, a, (p - y) / len(x) ** 2)


def integer_buffer(params, x, y):
    a, p = _layers(params, x)
    grads = _finish(params, x, a, (p - y) / len(x))
    whole = np.zeros(4, dtype=int)
    whole[:] = (grads["b2"] * 1000).astype(int)
    return grads | {"b2": whole}


WRONG = {
    "kept_slope": ("extra-slope",),
    "not_transposed": ("transpose",),
    "transposed_gradient": ("transpose",),
    "no_penalty": ("missing-regulariser",),
    "double_penalty": ("regulariser-factor",),
    "negative_penalty": ("regulariser-sign",),
    "penalised_bias": ("regularised-bias",),
    "diagonal": ("diagonal-jacobian",),
    "hidden_slope_dropped": ("missing-slope",),
    "mean_twice": ("batch-scale",),
    "integer_buffer": ("dtype",),
}
