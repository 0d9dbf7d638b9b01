"""A mixture of linear experts with a softmax gate."""

# Names as such code has them.
# ruff: noqa: N806

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    return (
        {"G": rng.normal(size=(4, 3)), "E": rng.normal(size=(3, 4, 2))},
        rng.normal(size=(6, 4)),
        rng.normal(size=(6, 2)),
    )


def forward(params, x, y):
    g = x @ params["G"]
    g = np.exp(g - g.max(1, keepdims=True))
    g /= g.sum(1, keepdims=True)
    o = np.einsum("ni,kio->nko", x, params["E"])
    out = (g[:, :, None] * o).sum(1)
    return 0.5 * ((out - y) ** 2).sum(1).mean()


def backward(params, x, y):
    g = x @ params["G"]
    g = np.exp(g - g.max(1, keepdims=True))
    g /= g.sum(1, keepdims=True)
    o = np.einsum("ni,kio->nko", x, params["E"])
    out = (g[:, :, None] * o).sum(1)
    d = (out - y) / len(x)
    dg = (o * d[:, None, :]).sum(2)
    do = g[:, :, None] * d[:, None, :]
    dE = np.einsum("ni,nko->kio", x, do)
    dl = g * (dg - (g * dg).sum(1, keepdims=True))
    return {"G": x.T @ dl, "E": dE}


def no_gate(params, x, y):
    g = x @ params["G"]
    g = np.exp(g - g.max(1, keepdims=True))
    g /= g.sum(1, keepdims=True)
    o = np.einsum("ni,kio->nko", x, params["E"])
    out = (g[:, :, None] * o).sum(1)
    d = (out - y) / len(x)
    dg = (o * d[:, None, :]).sum(2)
    do = np.ones_like(g)[:, :, None] * d[:, None, :]
    dE = np.einsum("ni,nko->kio", x, do)
    dl = g * (dg - (g * dg).sum(1, keepdims=True))
    return {"G": x.T @ dl, "E": dE}


def diagonal_alone(params, x, y):
    g = x @ params["G"]
    g = np.exp(g - g.max(1, keepdims=True))
    g /= g.sum(1, keepdims=True)
    o = np.einsum("ni,kio->nko", x, params["E"])
    out = (g[:, :, None] * o).sum(1)
    d = (out - y) / len(x)
    dg = (o * d[:, None, :]).sum(2)
    do = g[:, :, None] * d[:, None, :]
    dE = np.einsum("ni,nko->kio", x, do)
    dl = g * (1 - g) * dg
    return {"G": x.T @ dl, "E": dE}


def plain_mean(params, x, y):
    g = x @ params["G"]
    g = np.exp(g - g.max(1, keepdims=True))
    g /= g.sum(1, keepdims=True)
    o = np.einsum("ni,kio->nko", x, params["E"])
    out = (g[:, :, None] * o).sum(1)
    d = (out - y) / len(x)
    dg = (o * d[:, None, :]).sum(2)
    do = g[:, :, None] * d[:, None, :]
    dE = np.einsum("ni,nko->kio", x, do)
    dl = g * (dg - dg.mean(1, keepdims=True))
    return {"G": x.T @ dl, "E": dE}


def not_averaged(params, x, y):
    g = x @ params["G"]
    g = np.exp(g - g.max(1, keepdims=True))
    g /= g.sum(1, keepdims=True)
    o = np.einsum("ni,kio->nko", x, params["E"])
    out = (g[:, :, None] * o).sum(1)
    d = out - y
    dg = (o * d[:, None, :]).sum(2)
    do = g[:, :, None] * d[:, None, :]
    dE = np.einsum("ni,nko->kio", x, do)
    dl = g * (dg - (g * dg).sum(1, keepdims=True))
    return {"G": x.T @ dl, "E": dE}


WRONG = {
    "no_gate": ("dropped-term", "missing-slope"),
    "diagonal_alone": ("diagonal-jacobian",),
    "plain_mean": ("wrong-variable", "dropped-term", "diagonal-jacobian", "missing-slope"),
    "not_averaged": ("batch-scale",),
}
