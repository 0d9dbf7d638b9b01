"""Residual blocks with layer norm before a GELU network."""

# Names as such code has them.

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    p = {}
    for k in range(2):
        p[f"A{k}"] = rng.normal(size=(4, 6)) * 0.5
        p[f"B{k}"] = rng.normal(size=(6, 4)) * 0.5
    return p, rng.normal(size=(5, 4)), rng.normal(size=(5, 4))


def ln(x):
    m = x.mean(-1, keepdims=True)
    s = np.sqrt(((x - m) ** 2).mean(-1, keepdims=True) + 1e-5)
    return (x - m) / s, s


def gelu(x):
    return 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3)))


def dgelu(x):
    t = np.tanh(0.7978845608 * (x + 0.044715 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.7978845608 * (1 + 3 * 0.044715 * x**2)


def forward(params, x, y):
    h = x
    for k in range(2):
        n, s = ln(h)
        a = n @ params[f"A{k}"]
        h = h + gelu(a) @ params[f"B{k}"]
    return np.mean((h - y) ** 2)


def backward(params, x, y):
    h, saved = x, []
    for k in range(2):
        n, s = ln(h)
        a = n @ params[f"A{k}"]
        g = gelu(a)
        saved.append((n, s, a, g))
        h = h + g @ params[f"B{k}"]
    dh = 2 * (h - y) / h.size
    out = {}
    for k in (1, 0):
        n, s, a, g = saved[k]
        out[f"B{k}"] = g.T @ dh
        da = dh @ params[f"B{k}"].T * dgelu(a)
        out[f"A{k}"] = n.T @ da
        dn = da @ params[f"A{k}"].T
        dx = (dn - dn.mean(-1, keepdims=True) - n * (dn * n).mean(-1, keepdims=True)) / s
        dh = dh + dx
    out["x"] = dh
    return out


def no_shortcut(params, x, y):
    h, saved = x, []
    for k in range(2):
        n, s = ln(h)
        a = n @ params[f"A{k}"]
        g = gelu(a)
        saved.append((n, s, a, g))
        h = h + g @ params[f"B{k}"]
    dh = 2 * (h - y) / h.size
    out = {}
    for k in (1, 0):
        n, s, a, g = saved[k]
        out[f"B{k}"] = g.T @ dh
        da = dh @ params[f"B{k}"].T * dgelu(a)
        out[f"A{k}"] = n.T @ da
        dn = da @ params[f"A{k}"].T
        dx = (dn - dn.mean(-1, keepdims=True) - n * (dn * n).mean(-1, keepdims=True)) / s
        dh = dx
    out["x"] = dh
    return out


def no_branch(params, x, y):
    h, saved = x, []
    for k in range(2):
        n, s = ln(h)
        a = n @ params[f"A{k}"]
        g = gelu(a)
        saved.append((n, s, a, g))
        h = h + g @ params[f"B{k}"]
    dh = 2 * (h - y) / h.size
    out = {}
    for k in (1, 0):
        n, s, a, g = saved[k]
        out[f"B{k}"] = g.T @ dh
        da = dh @ params[f"B{k}"].T * dgelu(a)
        out[f"A{k}"] = n.T @ da
    out["x"] = dh
    return out


def variance_frozen(params, x, y):
    h, saved = x, []
    for k in range(2):
        n, s = ln(h)
        a = n @ params[f"A{k}"]
        g = gelu(a)
        saved.append((n, s, a, g))
        h = h + g @ params[f"B{k}"]
    dh = 2 * (h - y) / h.size
    out = {}
    for k in (1, 0):
        n, s, a, g = saved[k]
        out[f"B{k}"] = g.T @ dh
        da = dh @ params[f"B{k}"].T * dgelu(a)
        out[f"A{k}"] = n.T @ da
        dn = da @ params[f"A{k}"].T
        dx = (dn - dn.mean(-1, keepdims=True)) / s
        dh = dh + dx
    out["x"] = dh
    return out


WRONG = {
    "no_shortcut": ("dropped-term", "stopped-gradient"),
    "no_branch": ("dropped-term", "stopped-gradient"),
    "variance_frozen": ("stopped-gradient",),
}
