"""A gated unit: a sigmoid gate times a tanh candidate, with a residual connection."""

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    params = {"Wg": rng.normal(size=(4, 4)), "Wc": rng.normal(size=(4, 4)), "b": rng.normal(size=4)}
    return params, rng.normal(size=(5, 4)), rng.normal(size=(5, 4))


def _parts(params, x):
    g = 1 / (1 + np.exp(-(x @ params["Wg"] + params["b"])))
    return g, np.tanh(x @ params["Wc"])


def forward(params, x, y):
    g, c = _parts(params, x)
    return np.mean((x + g * c - y) ** 2)


def _finish(params, x, do, dgz, dcz, *, residual=True):
    dx = dgz @ params["Wg"].T + dcz @ params["Wc"].T
    return {"Wg": x.T @ dgz, "Wc": x.T @ dcz, "b": dgz.sum(axis=0), "x": dx + do if residual else dx}


def backward(params, x, y):
    g, c = _parts(params, x)
    do = 2 * (x + g * c - y) / x.size
    return _finish(params, x, do, do * c * g * (1 - g), do * g * (1 - c**2))


def residual_forgotten(params, x, y):
    g, c = _parts(params, x)
    do = 2 * (x + g * c - y) / x.size
    return _finish(params, x, do, do * c * g * (1 - g), do * g * (1 - c**2), residual=False)


def gate_forgotten(params, x, y):
    g, c = _parts(params, x)
    do = 2 * (x + g * c - y) / x.size
    return _finish(params, x, do, do * c * g * (1 - g), do * (1 - c**2))


def slopes_exchanged(params, x, y):
    g, c = _parts(params, x)
    do = 2 * (x + g * c - y) / x.size
    return _finish(params, x, do, do * c * (1 - g**2), do * g * (1 - c**2))


def averaged_over_rows(params, x, y):
    g, c = _parts(params, x)
    do = 2 * (x + g * c - y) / len(x)
    return _finish(params, x, do, do * c * g * (1 - g), do * g * (1 - c**2))


def gate_of_the_candidate(params, x, y):
    g, c = _parts(params, x)
    do = 2 * (x + g * c - y) / x.size
    return _finish(params, x, do, do * c * c * (1 - c), do * g * (1 - c**2))


WRONG = {
    "residual_forgotten": ("dropped-term",),
    "gate_forgotten": ("dropped-term",),
    "slopes_exchanged": ("wrong-activation",),
    "averaged_over_rows": ("factor", "batch-scale"),
    "gate_of_the_candidate": ("wrong-slope-point", "wrong-variable"),
}
