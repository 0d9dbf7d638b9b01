"""A recurrent cell over time, with a squared error at every step."""

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    params = {"Wx": rng.normal(size=(3, 4)), "Wh": 0.5 * rng.normal(size=(4, 4)), "b": rng.normal(size=4)}
    return params, rng.normal(size=(5, 2, 3)), rng.normal(size=(5, 2, 4))


def _states(params, x):
    h = np.zeros((x.shape[1], params["b"].size))
    states = [h]
    for step in x:
        h = np.tanh(step @ params["Wx"] + h @ params["Wh"] + params["b"])
        states.append(h)
    return states


def forward(params, x, y):
    loss = 0.0
    for h, target in zip(_states(params, x)[1:], y):
        loss = loss + 0.5 * np.sum((h - target) ** 2)
    return loss


def _through_time(params, x, y, *, carry=True, slope=True, previous=0, turned=True, last_only=False):
    states = _states(params, x)
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    dx, dh = np.zeros_like(x), 0.0
    for t in reversed(range(len(x))):
        h = states[t + 1]
        dh = (h - y[t]) + (dh if carry else 0.0)
        dz = dh * (1 - h**2) if slope else dh
        if last_only:
            grads["Wh"] = states[t + previous].T @ dz
        else:
            grads["Wh"] += states[t + previous].T @ dz
        grads["Wx"] += x[t].T @ dz
        grads["b"] += dz.sum(axis=0)
        dx[t] = dz @ params["Wx"].T
        dh = dz @ (params["Wh"].T if turned else params["Wh"])
    return grads | {"x": dx}


def backward(params, x, y):
    return _through_time(params, x, y)


def no_carry(params, x, y):
    return _through_time(params, x, y, carry=False)


def no_slope(params, x, y):
    return _through_time(params, x, y, slope=False)


def new_state(params, x, y):
    return _through_time(params, x, y, previous=1)


def not_transposed(params, x, y):
    return _through_time(params, x, y, turned=False)


def overwritten(params, x, y):
    return _through_time(params, x, y, last_only=True)


WRONG = {
    "no_carry": ("stopped-gradient", "dropped-term"),
    "no_slope": ("missing-slope",),
    "new_state": ("stale-variable", "wrong-layer", "wrong-index"),
    "not_transposed": ("transpose",),
    "overwritten": ("no-accumulate",),
}
