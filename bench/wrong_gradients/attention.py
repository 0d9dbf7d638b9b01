"""Scaled dot-product attention of one head with projections and a causal mask."""

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    params = {"Wq": rng.normal(size=(4, 3)), "Wk": rng.normal(size=(4, 3)), "Wv": rng.normal(size=(4, 5))}
    return params, rng.normal(size=(6, 4)), rng.normal(size=(6, 5))


def _attend(params, x):
    q, k, v = x @ params["Wq"], x @ params["Wk"], x @ params["Wv"]
    s = q @ k.T / np.sqrt(q.shape[1])
    s = np.where(np.tril(np.ones(s.shape)) > 0, s, -1e9)
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return q, k, v, e / e.sum(axis=1, keepdims=True)


def forward(params, x, y):
    _, _, v, a = _attend(params, x)
    return np.sum((a @ v) * y)


def _finish(params, x, q, k, ds, dv):
    dq, dk = ds @ k, ds.T @ q
    return {
        "Wq": x.T @ dq,
        "Wk": x.T @ dk,
        "Wv": x.T @ dv,
        "x": dq @ params["Wq"].T + dk @ params["Wk"].T + dv @ params["Wv"].T,
    }


def backward(params, x, y):
    q, k, v, a = _attend(params, x)
    da = y @ v.T
    ds = a * (da - np.sum(a * da, axis=1, keepdims=True)) / np.sqrt(q.shape[1])
    return _finish(params, x, q, k, ds, a.T @ y)


def unscaled(params, x, y):
    q, k, v, a = _attend(params, x)
    da = y @ v.T
    return _finish(params, x, q, k, a * (da - np.sum(a * da, axis=1, keepdims=True)), a.T @ y)


def other_axis(params, x, y):
    q, k, v, a = _attend(params, x)
    da = y @ v.T
    ds = a * (da - np.sum(a * da, axis=0, keepdims=True)) / np.sqrt(q.shape[1])
    return _finish(params, x, q, k, ds, a.T @ y)


def elementwise_softmax(params, x, y):
    q, k, v, a = _attend(params, x)
    return _finish(params, x, q, k, (y @ v.T) * a * (1 - a) / np.sqrt(q.shape[1]), a.T @ y)


def weights_not_transposed(params, x, y):
    q, k, v, a = _attend(params, x)
    da = y @ v.T
    ds = a * (da - np.sum(a * da, axis=1, keepdims=True)) / np.sqrt(q.shape[1])
    return _finish(params, x, q, k, ds, a @ y)


def value_path_forgotten(params, x, y):
    q, k, _, _ = _attend(params, x)
    right = backward(params, x, y)
    _, _, _, a = _attend(params, x)
    return right | {"x": right["x"] - (a.T @ y) @ params["Wv"].T}


def keys_for_queries(params, x, y):
    q, k, v, a = _attend(params, x)
    da = y @ v.T
    ds = a * (da - np.sum(a * da, axis=1, keepdims=True)) / np.sqrt(q.shape[1])
    return backward(params, x, y) | {"Wq": x.T @ (ds @ q)}


WRONG = {
    "unscaled": ("factor", "dropped-term"),
    "other_axis": ("wrong-axis",),
    "elementwise_softmax": ("diagonal-jacobian",),
    "weights_not_transposed": ("transpose",),
    "value_path_forgotten": ("dropped-term",),
    "keys_for_queries": ("wrong-variable", "wrong-layer"),
}
