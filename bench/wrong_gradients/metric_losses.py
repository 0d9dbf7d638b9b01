"""Losses over embeddings: triplet margin, cosine similarity, KL of a Gaussian, Gaussian likelihood, hinge."""

# Names as such code has them.

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    params = {"W": rng.normal(size=(4, 3)), "mu": rng.normal(size=3), "logvar": rng.normal(size=3) * 0.5}
    return params, rng.normal(size=(3, 5, 4)), rng.integers(0, 3, size=5)


def _parts(p, x):
    a, q, n = (part @ p["W"] for part in x)
    return a, q, n


def forward(p, x, y):
    a, q, n = _parts(p, x)
    margin = np.maximum(0, ((a - q) ** 2).sum(axis=1) - ((a - n) ** 2).sum(axis=1) + 1)
    norm_a, norm_q = np.linalg.norm(a, axis=1), np.linalg.norm(q, axis=1)
    cosine = (a * q).sum(axis=1) / (norm_a * norm_q)
    kl = -0.5 * np.sum(1 + p["logvar"] - p["mu"] ** 2 - np.exp(p["logvar"]))
    nll = 0.5 * np.sum((n - p["mu"]) ** 2 / np.exp(p["logvar"]) + p["logvar"])
    wide = n - n[np.arange(len(y)), y][:, None] + 1
    wide = np.where(np.eye(3)[y] > 0, 0, np.maximum(0, wide))
    return margin.sum() + (1 - cosine).sum() + kl + nll + wide.sum() / len(y)


def _grad(p, x, y, slip=""):
    a, q, n = _parts(p, x)
    active = (((a - q) ** 2).sum(axis=1) - ((a - n) ** 2).sum(axis=1) + 1 > 0)[:, None]
    if slip == "margin":
        active = np.ones_like(active)
    da, dq, dn = active * 2 * (n - q), active * -2 * (a - q), active * 2 * (a - n)
    if slip == "negative":
        dn = -dn
    na, nq = np.linalg.norm(a, axis=1, keepdims=True), np.linalg.norm(q, axis=1, keepdims=True)
    cosine = (a * q).sum(axis=1, keepdims=True) / (na * nq)
    da = da - (q / (na * nq) - (0 if slip == "norm" else cosine * a / na**2))
    dq = dq - (a / (na * nq) - (0 if slip == "norm" else cosine * q / (nq if slip == "square" else nq**2)))
    s2 = np.exp(p["logvar"])
    dmu = p["mu"] - ((n - p["mu"]) / s2).sum(axis=0)
    if slip == "kl":
        dmu = -p["mu"] - ((n - p["mu"]) / s2).sum(axis=0)
    dlogvar = -0.5 * (1 - s2) + 0.5 * (1 - (n - p["mu"]) ** 2 / s2).sum(axis=0)
    if slip == "logvar":
        dlogvar = -0.5 * (1 - s2) + 0.5 * (1 / s2 - (n - p["mu"]) ** 2 / s2**2).sum(axis=0)
    dn = dn + (n - p["mu"]) / s2
    wide = n - n[np.arange(len(y)), y][:, None] + 1
    on = (wide > 0) & ~(np.eye(3)[y] > 0)
    dwide = on / len(y)
    if slip != "true":
        dwide[np.arange(len(y)), y] -= on.sum(axis=1) / len(y)
    dn = dn + dwide
    return {"W": x[0].T @ da + x[1].T @ dq + x[2].T @ dn, "mu": dmu, "logvar": dlogvar}


def backward(params, x, y):
    return _grad(params, x, y)


def margin_ignored(params, x, y):
    return _grad(params, x, y, "margin")


def negative_pulled(params, x, y):
    return _grad(params, x, y, "negative")


def norms_held_constant(params, x, y):
    return _grad(params, x, y, "norm")


def norm_not_squared(params, x, y):
    return _grad(params, x, y, "square")


def divergence_sign(params, x, y):
    return _grad(params, x, y, "kl")


def slope_for_the_variance(params, x, y):
    return _grad(params, x, y, "logvar")


def true_class_left_out(params, x, y):
    return _grad(params, x, y, "true")


WRONG = {
    "margin_ignored": ("missing-slope", "missing-mask"),
    "negative_pulled": ("sign",),
    "norms_held_constant": ("stopped-gradient", "dropped-term"),
    "norm_not_squared": ("wrong-exponent", "factor", "wrong-variable"),
    "divergence_sign": ("sign", "regulariser-sign"),
    "slope_for_the_variance": ("missing-slope", "wrong-variable", "wrong-exponent"),
    "true_class_left_out": ("dropped-term", "stopped-gradient"),
}
