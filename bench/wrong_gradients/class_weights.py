"""Cross-entropy with class weights and ignored examples, normalised by the weights that count."""

import numpy as np

WEIGHTS = np.array([0.5, 2.0, 1.5])


def example(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 8)
    labels[3] = -1
    return {"W": rng.normal(size=(4, 3))}, rng.normal(size=(8, 4)), labels


def _terms(params, x, y):
    z = x @ params["W"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    keep = y >= 0
    return p, np.where(keep, WEIGHTS[np.where(keep, y, 0)], 0.0), np.where(keep, y, 0)


def forward(params, x, y):
    p, weight, label = _terms(params, x, y)
    return -np.sum(weight * np.log(p[np.arange(len(y)), label])) / np.sum(weight)


def _finish(params, x, p, label, scale):
    dz = p.copy()
    dz[np.arange(len(label)), label] -= 1
    dz = dz * scale[:, None]
    return {"W": x.T @ dz, "x": dz @ params["W"].T}


def backward(params, x, y):
    p, weight, label = _terms(params, x, y)
    return _finish(params, x, p, label, weight / np.sum(weight))


def unweighted(params, x, y):
    p, weight, label = _terms(params, x, y)
    return _finish(params, x, p, label, (y >= 0) / np.sum(weight))


def ignored_counts(params, x, y):
    p, weight, label = _terms(params, x, y)
    return _finish(params, x, p, label, WEIGHTS[label] / np.sum(weight))


def by_examples(params, x, y):
    p, weight, label = _terms(params, x, y)
    return _finish(params, x, p, label, weight / len(y))


WRONG = {
    "unweighted": ("dropped-term", "missing-mask"),
    "ignored_counts": ("missing-mask",),
    "by_examples": ("factor", "batch-scale"),
}
