"""The binary focal loss of logits."""

import numpy as np

GAMMA = 2.0


def example(seed):
    rng = np.random.default_rng(seed)
    return {"w": rng.normal(size=3), "b": 0.3}, rng.normal(size=(8, 3)), rng.integers(0, 2, 8) * 1.0


def _probability(params, x, y):
    p = 1 / (1 + np.exp(-(x @ params["w"] + params["b"])))
    return p, np.where(y > 0, p, 1 - p)


def forward(params, x, y):
    _, q = _probability(params, x, y)
    return np.mean(-((1 - q) ** GAMMA) * np.log(q))


def _finish(x, y, p, dq):
    dz = np.where(y > 0, dq, -dq) * p * (1 - p) / len(y)
    return {"w": x.T @ dz, "b": dz.sum()}


def backward(params, x, y):
    p, q = _probability(params, x, y)
    return _finish(x, y, p, GAMMA * (1 - q) ** (GAMMA - 1) * np.log(q) - (1 - q) ** GAMMA / q)


def weight_constant(params, x, y):
    p, q = _probability(params, x, y)
    return _finish(x, y, p, -((1 - q) ** GAMMA) / q)


def gamma_forgotten(params, x, y):
    p, q = _probability(params, x, y)
    return _finish(x, y, p, (1 - q) ** (GAMMA - 1) * np.log(q) - (1 - q) ** GAMMA / q)


def wrong_inner_sign(params, x, y):
    p, q = _probability(params, x, y)
    return _finish(x, y, p, -GAMMA * (1 - q) ** (GAMMA - 1) * np.log(q) - (1 - q) ** GAMMA / q)


WRONG = {
    "weight_constant": ("stopped-gradient", "dropped-term"),
    "gamma_forgotten": ("factor",),
    "wrong_inner_sign": ("sign",),
}
