"""Attention of several heads with joined projections."""

# Names as such code has them.
# ruff: noqa: N803, N806

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    C = 4
    return (
        {"Wqkv": rng.normal(size=(C, 3 * C)) * 0.5, "Wo": rng.normal(size=(C, C)) * 0.7},
        rng.normal(size=(2, 3, C)),
        rng.normal(size=(2, 3, C)),
    )


def split(x, H):
    B, T, C = x.shape
    return x.reshape(B, T, H, C // H).transpose(0, 2, 1, 3)


def merge(x):
    B, H, T, D = x.shape
    return x.transpose(0, 2, 1, 3).reshape(B, T, H * D)


def forward(params, x, y):
    H = 2
    qkv = x @ params["Wqkv"]
    C = x.shape[-1]
    q, k, v = (split(qkv[..., i * C : (i + 1) * C], H) for i in range(3))
    s = np.einsum("bhtd,bhsd->bhts", q, k) / np.sqrt(C // H)
    e = np.exp(s)
    p = e / e.sum(-1, keepdims=True)
    o = np.einsum("bhts,bhsd->bhtd", p, v)
    out = merge(o) @ params["Wo"]
    return ((out - y) ** 2).mean()


def backward(params, x, y):
    H = 2
    qkv = x @ params["Wqkv"]
    C = x.shape[-1]
    q, k, v = (split(qkv[..., i * C : (i + 1) * C], H) for i in range(3))
    sc = 1 / np.sqrt(C // H)
    s = np.einsum("bhtd,bhsd->bhts", q, k) * sc
    e = np.exp(s)
    p = e / e.sum(-1, keepdims=True)
    o = np.einsum("bhts,bhsd->bhtd", p, v)
    m = merge(o)
    out = m @ params["Wo"]
    dout = 2 * (out - y) / out.size
    dWo = np.einsum("bti,btj->ij", m, dout)
    do = split(dout @ params["Wo"].T, H)
    dp = np.einsum("bhtd,bhsd->bhts", do, v)
    dv = np.einsum("bhts,bhtd->bhsd", p, do)
    ds = p * (dp - (dp * p).sum(-1, keepdims=True)) * sc
    dq = np.einsum("bhts,bhsd->bhtd", ds, k)
    dk = np.einsum("bhts,bhtd->bhsd", ds, q)
    dqkv = np.concatenate([merge(dq), merge(dk), merge(dv)], axis=-1)
    return {"Wqkv": np.einsum("bti,btj->ij", x, dqkv), "Wo": dWo, "x": dqkv @ params["Wqkv"].T}


def mean_over_examples_alone(params, x, y):
    H = 2
    qkv = x @ params["Wqkv"]
    C = x.shape[-1]
    q, k, v = (split(qkv[..., i * C : (i + 1) * C], H) for i in range(3))
    sc = 1 / np.sqrt(C // H)
    s = np.einsum("bhtd,bhsd->bhts", q, k) * sc
    e = np.exp(s)
    p = e / e.sum(-1, keepdims=True)
    o = np.einsum("bhts,bhsd->bhtd", p, v)
    m = merge(o)
    out = m @ params["Wo"]
    dout = 2 * (out - y) / len(out)
    dWo = np.einsum("bti,btj->ij", m, dout)
    do = split(dout @ params["Wo"].T, H)
    dp = np.einsum("bhtd,bhsd->bhts", do, v)
    dv = np.einsum("bhts,bhtd->bhsd", p, do)
    ds = p * (dp - (dp * p).sum(-1, keepdims=True)) * sc
    dq = np.einsum("bhts,bhsd->bhtd", ds, k)
    dk = np.einsum("bhts,bhtd->bhsd", ds, q)
    dqkv = np.concatenate([merge(dq), merge(dk), merge(dv)], axis=-1)
    return {"Wqkv": np.einsum("bti,btj->ij", x, dqkv), "Wo": dWo, "x": dqkv @ params["Wqkv"].T}


def queries_and_keys_exchanged(params, x, y):
    H = 2
    qkv = x @ params["Wqkv"]
    C = x.shape[-1]
    q, k, v = (split(qkv[..., i * C : (i + 1) * C], H) for i in range(3))
    sc = 1 / np.sqrt(C // H)
    s = np.einsum("bhtd,bhsd->bhts", q, k) * sc
    e = np.exp(s)
    p = e / e.sum(-1, keepdims=True)
    o = np.einsum("bhts,bhsd->bhtd", p, v)
    m = merge(o)
    out = m @ params["Wo"]
    dout = 2 * (out - y) / out.size
    dWo = np.einsum("bti,btj->ij", m, dout)
    do = split(dout @ params["Wo"].T, H)
    dp = np.einsum("bhtd,bhsd->bhts", do, v)
    dv = np.einsum("bhts,bhtd->bhsd", p, do)
    ds = p * (dp - (dp * p).sum(-1, keepdims=True)) * sc
    dq = np.einsum("bhts,bhsd->bhtd", ds, k)
    dk = np.einsum("bhts,bhtd->bhsd", ds, q)
    dqkv = np.concatenate([merge(dk), merge(dq), merge(dv)], axis=-1)
    return {"Wqkv": np.einsum("bti,btj->ij", x, dqkv), "Wo": dWo, "x": dqkv @ params["Wqkv"].T}


def unscaled(params, x, y):
    H = 2
    qkv = x @ params["Wqkv"]
    C = x.shape[-1]
    q, k, v = (split(qkv[..., i * C : (i + 1) * C], H) for i in range(3))
    sc = 1 / np.sqrt(C // H)
    s = np.einsum("bhtd,bhsd->bhts", q, k) * sc
    e = np.exp(s)
    p = e / e.sum(-1, keepdims=True)
    o = np.einsum("bhts,bhsd->bhtd", p, v)
    m = merge(o)
    out = m @ params["Wo"]
    dout = 2 * (out - y) / out.size
    dWo = np.einsum("bti,btj->ij", m, dout)
    do = split(dout @ params["Wo"].T, H)
    dp = np.einsum("bhtd,bhsd->bhts", do, v)
    dv = np.einsum("bhts,bhtd->bhsd", p, do)
    ds = p * (dp - (dp * p).sum(-1, keepdims=True))
    dq = np.einsum("bhts,bhsd->bhtd", ds, k)
    dk = np.einsum("bhts,bhtd->bhsd", ds, q)
    dqkv = np.concatenate([merge(dq), merge(dk), merge(dv)], axis=-1)
    return {"Wqkv": np.einsum("bti,btj->ij", x, dqkv), "Wo": dWo, "x": dqkv @ params["Wqkv"].T}


def output_not_transposed(params, x, y):
    H = 2
    qkv = x @ params["Wqkv"]
    C = x.shape[-1]
    q, k, v = (split(qkv[..., i * C : (i + 1) * C], H) for i in range(3))
    sc = 1 / np.sqrt(C // H)
    s = np.einsum("bhtd,bhsd->bhts", q, k) * sc
    e = np.exp(s)
    p = e / e.sum(-1, keepdims=True)
    o = np.einsum("bhts,bhsd->bhtd", p, v)
    m = merge(o)
    out = m @ params["Wo"]
    dout = 2 * (out - y) / out.size
    dWo = np.einsum("bti,btj->ij", m, dout)
    do = split(dout @ params["Wo"], H)
    dp = np.einsum("bhtd,bhsd->bhts", do, v)
    dv = np.einsum("bhts,bhtd->bhsd", p, do)
    ds = p * (dp - (dp * p).sum(-1, keepdims=True)) * sc
    dq = np.einsum("bhts,bhsd->bhtd", ds, k)
    dk = np.einsum("bhts,bhtd->bhsd", ds, q)
    dqkv = np.concatenate([merge(dq), merge(dk), merge(dv)], axis=-1)
    return {"Wqkv": np.einsum("bti,btj->ij", x, dqkv), "Wo": dWo, "x": dqkv @ params["Wqkv"].T}


def weights_not_transposed(params, x, y):
    H = 2
    qkv = x @ params["Wqkv"]
    C = x.shape[-1]
    q, k, v = (split(qkv[..., i * C : (i + 1) * C], H) for i in range(3))
    sc = 1 / np.sqrt(C // H)
    s = np.einsum("bhtd,bhsd->bhts", q, k) * sc
    e = np.exp(s)
    p = e / e.sum(-1, keepdims=True)
    o = np.einsum("bhts,bhsd->bhtd", p, v)
    m = merge(o)
    out = m @ params["Wo"]
    dout = 2 * (out - y) / out.size
    dWo = np.einsum("bti,btj->ij", m, dout)
    do = split(dout @ params["Wo"].T, H)
    dp = np.einsum("bhtd,bhsd->bhts", do, v)
    dv = np.einsum("bhts,bhsd->bhtd", p, do)
    ds = p * (dp - (dp * p).sum(-1, keepdims=True)) * sc
    dq = np.einsum("bhts,bhsd->bhtd", ds, k)
    dk = np.einsum("bhts,bhtd->bhsd", ds, q)
    dqkv = np.concatenate([merge(dq), merge(dk), merge(dv)], axis=-1)
    return {"Wqkv": np.einsum("bti,btj->ij", x, dqkv), "Wo": dWo, "x": dqkv @ params["Wqkv"].T}


WRONG = {
    "mean_over_examples_alone": ("batch-scale", "factor"),
    "queries_and_keys_exchanged": ("wrong-index", "wrong-variable", "wrong-layer", "stale-variable"),
    "unscaled": ("factor", "dropped-term"),
    "output_not_transposed": ("transpose",),
    "weights_not_transposed": ("transpose", "wrong-axis", "wrong-index"),
}
