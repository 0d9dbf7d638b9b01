"""A dense layer with inverted dropout by a given mask."""

import numpy as np

KEEP = 0.75


def example(seed):
    rng = np.random.default_rng(seed)
    mask = (rng.uniform(size=(6, 5)) < KEEP) * 1.0
    return {"W": rng.normal(size=(3, 5)), "v": rng.normal(size=5)}, (rng.normal(size=(6, 3)), mask), rng.normal(size=6)


def forward(params, x, y):
    data, mask = x
    a = np.tanh(data @ params["W"]) * mask / KEEP
    return 0.5 * np.mean((a @ params["v"] - y) ** 2)


def _gradients(params, x, y, *, masked=True, keep=KEEP, dropped_value=True):
    data, mask = x
    a = np.tanh(data @ params["W"])
    d = a * mask / KEEP
    do = (d @ params["v"] - y) / len(y)
    da = do[:, None] * params["v"]
    da = da * mask / keep if masked else da
    dz = da * (1 - a**2)
    return {"W": data.T @ dz, "v": (d if dropped_value else a).T @ do}


def backward(params, x, y):
    return _gradients(params, x, y)


def mask_forgotten(params, x, y):
    return _gradients(params, x, y, masked=False, keep=1.0)


def keep_forgotten(params, x, y):
    return _gradients(params, x, y, keep=1.0)


def undropped_value(params, x, y):
    return _gradients(params, x, y, dropped_value=False)


WRONG = {
    "mask_forgotten": ("missing-mask",),
    "keep_forgotten": ("factor",),
    "undropped_value": ("wrong-variable", "missing-mask", "wrong-layer", "stale-variable"),
}
