"""Convolution, ReLU, maximum pooling and an affine layer as functions with caches, loops over positions."""

# Names as such code has them.
# ruff: noqa: N806

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    params = {"w": rng.normal(size=(3, 2, 3, 2)), "b": rng.normal(size=3), "V": rng.normal(size=(12, 4))}
    return params, rng.normal(size=(2, 2, 6, 5)), rng.integers(0, 4, size=2)


def conv_forward(x, w, b):
    n, _, h, wd = x.shape
    f, _, kh, kw = w.shape
    out = np.zeros((n, f, h - kh + 1, wd - kw + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            patch = x[:, :, i : i + kh, j : j + kw]
            out[:, :, i, j] = np.tensordot(patch, w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out, (x, w)


def conv_backward(dout, cache, slip=""):
    x, w = cache
    kh, kw = w.shape[2:]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            patch = x[:, :, i : i + kh, j : j + kw]
            dw += np.tensordot(dout[:, :, i, j], patch, axes=([0], [0]))
            piece = np.tensordot(dout[:, :, i, j], w[:, :, ::-1, ::-1] if slip == "flip" else w, axes=([1], [0]))
            if slip == "assign":
                dx[:, :, i : i + kh, j : j + kw] = piece
            else:
                dx[:, :, i : i + kh, j : j + kw] += piece
    db = dout.mean(axis=(0, 2, 3)) if slip == "mean" else dout.sum(axis=(0, 2, 3))
    return dx, dw, db


def pool_forward(x):
    n, c, h, w = x.shape
    r = x.reshape(n, c, h // 2, 2, w // 2, 2)
    return r.max(axis=3).max(axis=4), (x, r)


def pool_backward(dout, cache, slip=""):
    x, r = cache
    top = r.max(axis=(3, 5), keepdims=True)
    mask = r == top
    spread = dout[:, :, :, None, :, None] * (np.ones_like(mask) / 4 if slip == "average" else mask)
    return spread.reshape(x.shape)


def _run(p, x):
    c, conv = conv_forward(x, p["w"], p["b"])
    a = np.maximum(0, c)
    o, pool = pool_forward(a)
    flat = o.reshape(len(x), -1)
    s = flat @ p["V"]
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return c, conv, pool, o.shape, flat, e / e.sum(axis=1, keepdims=True)


def forward(params, x, y):
    probs = _run(params, x)[-1]
    return -np.mean(np.log(probs[np.arange(len(x)), y]))


def _grad(params, x, y, slip=""):
    c, conv, pool, shape, flat, probs = _run(params, x)
    ds = probs.copy()
    ds[np.arange(len(x)), y] -= 1
    if slip != "scale":
        ds /= len(x)
    dV = flat.T @ ds
    do = (ds @ params["V"].T).reshape(shape)
    da = pool_backward(do, pool, slip)
    dc = da if slip == "relu" else da * (c > 0)
    if slip == "below":
        dc = da * (c < 0)
    dx, dw, db = conv_backward(dc, conv, slip)
    return {"w": dw, "b": db, "V": dV, "x": dx}


def backward(params, x, y):
    return _grad(params, x, y)


def kernel_turned(params, x, y):
    return _grad(params, x, y, "flip")


def overlaps_assigned(params, x, y):
    return _grad(params, x, y, "assign")


def bias_averaged(params, x, y):
    return _grad(params, x, y, "mean")


def pooled_like_an_average(params, x, y):
    return _grad(params, x, y, "average")


def no_relu(params, x, y):
    return _grad(params, x, y, "relu")


def not_averaged(params, x, y):
    return _grad(params, x, y, "scale")


def relu_the_wrong_way(params, x, y):
    return _grad(params, x, y, "below")


WRONG = {
    "kernel_turned": ("wrong-index",),
    "overlaps_assigned": ("no-accumulate",),
    "bias_averaged": ("bias-reduction", "batch-scale", "wrong-reduction"),
    "pooled_like_an_average": (
        "wrong-activation",
        "missing-mask",
        "wrong-reduction",
        "missing-slope",
        "wrong-variable",
    ),
    "no_relu": ("missing-slope",),
    "not_averaged": ("batch-scale", "factor"),
    "relu_the_wrong_way": ("wrong-variable", "wrong-slope-point", "wrong-activation"),
}
