"""Forward and backward functions as people write them, each right, for the proofs of code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

RNG = np.random.default_rng(12)


@dataclass(frozen=True, slots=True)
class Pair:
    """A forward and a right backward function, with their arguments."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    inputs: tuple[Any, ...]


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


# --- two layers, examples in columns, labels one-hot, softmax from logits -------------------------------------------


def columns_forward(p: Any, x: Any, y: Any) -> Any:
    A1 = np.tanh(p["W1"].dot(x) + p["b1"])
    Z2 = p["W2"].dot(A1) + p["b2"]
    m = x.shape[1]
    return -(1.0 / m) * np.sum(y * np.log(sigmoid(Z2)) + (1 - y) * np.log(1 - sigmoid(Z2)))


def columns_backward(p: Any, x: Any, y: Any) -> Any:
    m = x.shape[1]
    A1 = np.tanh(np.dot(p["W1"], x) + p["b1"])
    A2 = sigmoid(np.dot(p["W2"], A1) + p["b2"])
    dZ2 = A2 - y
    dW2 = (1.0 / m) * np.dot(dZ2, A1.T)
    db2 = (1.0 / m) * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.multiply(np.dot(p["W2"].T, dZ2), 1 - np.power(A1, 2))
    dW1 = (1.0 / m) * np.dot(dZ1, x.T)
    db1 = (1.0 / m) * np.sum(dZ1, axis=1, keepdims=True)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


# --- integer labels, log-softmax, ReLU, L2 --------------------------------------------------------------------------


def labels_forward(p: Any, x: Any, y: Any) -> Any:
    h = np.maximum(0, x @ p["W1"] + p["b1"])
    scores = h @ p["W2"] + p["b2"]
    scores = scores - np.max(scores, axis=1, keepdims=True)
    probs = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
    loss = -np.sum(np.log(probs[np.arange(x.shape[0]), y])) / x.shape[0]
    return loss + 0.5 * 0.01 * (np.sum(p["W1"] * p["W1"]) + np.sum(p["W2"] * p["W2"]))


def labels_backward(p: Any, x: Any, y: Any) -> Any:
    n = x.shape[0]
    h = np.maximum(0, x @ p["W1"] + p["b1"])
    scores = h @ p["W2"] + p["b2"]
    e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    dscores = e / np.sum(e, axis=1, keepdims=True)
    dscores[np.arange(n), y] -= 1
    dscores /= n
    dh = dscores @ p["W2"].T
    dh[h <= 0] = 0
    return {
        "W1": x.T @ dh + 0.01 * p["W1"],
        "b1": np.sum(dh, axis=0),
        "W2": h.T @ dscores + 0.01 * p["W2"],
        "b2": np.sum(dscores, axis=0),
    }


# --- multi-head attention by reshapes and transposes ----------------------------------------------------------------


def heads_forward(p: Any, x: Any, y: Any) -> Any:
    B, T, D = x.shape
    H = 2
    q, k, v = ((x @ p[name]).reshape(B, T, H, D // H).transpose(0, 2, 1, 3) for name in ("Wq", "Wk", "Wv"))
    s = q @ k.transpose(0, 1, 3, 2) / np.sqrt(D // H)
    s = np.where(np.tril(np.ones((T, T))) == 0, -np.inf, s)
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    o = (a @ v).transpose(0, 2, 1, 3).reshape(B, T, D)
    return np.sum(o @ p["Wo"] * y)


def heads_backward(p: Any, x: Any, y: Any) -> Any:
    B, T, D = x.shape
    H = 2
    q, k, v = ((x @ p[name]).reshape(B, T, H, D // H).transpose(0, 2, 1, 3) for name in ("Wq", "Wk", "Wv"))
    s = q @ k.transpose(0, 1, 3, 2) / np.sqrt(D // H)
    s = np.where(np.tril(np.ones((T, T))) == 0, -np.inf, s)
    a = np.exp(s - s.max(axis=-1, keepdims=True))
    a = a / a.sum(axis=-1, keepdims=True)
    o = (a @ v).transpose(0, 2, 1, 3).reshape(B, T, D)
    dWo = np.einsum("bti,btj->ij", o, y)
    do = (y @ p["Wo"].T).reshape(B, T, H, D // H).transpose(0, 2, 1, 3)
    da = do @ v.transpose(0, 1, 3, 2)
    dv = a.transpose(0, 1, 3, 2) @ do
    ds = a * (da - np.sum(da * a, axis=-1, keepdims=True)) / np.sqrt(D // H)
    dq = ds @ k
    dk = ds.transpose(0, 1, 3, 2) @ q
    dq, dk, dv = (g.transpose(0, 2, 1, 3).reshape(B, T, D) for g in (dq, dk, dv))
    dx = dq @ p["Wq"].T + dk @ p["Wk"].T + dv @ p["Wv"].T
    grads = {n: np.einsum("bti,btj->ij", x, g) for n, g in (("Wq", dq), ("Wk", dk), ("Wv", dv))}
    return grads | {"Wo": dWo, "x": dx}


# --- layer norm by its three terms, over the last axis of three -----------------------------------------------------


def norm_forward(p: Any, x: Any, y: Any) -> Any:
    mu = x.mean(-1, keepdims=True)
    xhat = (x - mu) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return 0.5 * np.mean((p["g"] * xhat + p["b"] - y) ** 2)


def norm_backward(p: Any, x: Any, y: Any) -> Any:
    N = x.shape[-1]
    mu = x.mean(-1, keepdims=True)
    istd = 1 / np.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + 1e-5)
    xhat = (x - mu) * istd
    dy = (p["g"] * xhat + p["b"] - y) / x.size
    dxhat = dy * p["g"]
    dx = (istd / N) * (N * dxhat - dxhat.sum(-1, keepdims=True) - xhat * (dxhat * xhat).sum(-1, keepdims=True))
    return {"g": (dy * xhat).sum((0, 1)), "b": dy.sum((0, 1)), "x": dx}


# --- one LSTM step with joined gates --------------------------------------------------------------------------------


def lstm_forward(p: Any, x: Any, h: Any, c: Any, y: Any) -> Any:
    z = np.concatenate([x, h], axis=1) @ p["W"] + p["b"]
    n = h.shape[1]
    i, f, o, g = sigmoid(z[:, :n]), sigmoid(z[:, n : 2 * n]), sigmoid(z[:, 2 * n : 3 * n]), np.tanh(z[:, 3 * n :])
    new = f * c + i * g
    return np.sum((o * np.tanh(new) - y) ** 2)


def lstm_backward(p: Any, x: Any, h: Any, c: Any, y: Any) -> Any:
    xh = np.concatenate([x, h], axis=1)
    z = xh @ p["W"] + p["b"]
    n = h.shape[1]
    i, f, o, g = sigmoid(z[:, :n]), sigmoid(z[:, n : 2 * n]), sigmoid(z[:, 2 * n : 3 * n]), np.tanh(z[:, 3 * n :])
    new = f * c + i * g
    t = np.tanh(new)
    dh = 2 * (o * t - y)
    dc = dh * o * (1 - t**2)
    dz = np.concatenate([dc * g * i * (1 - i), dc * c * f * (1 - f), dh * t * o * (1 - o), dc * i * (1 - g**2)], axis=1)
    dxh = dz @ p["W"].T
    return {"W": xh.T @ dz, "b": dz.sum(0), "x": dxh[:, : x.shape[1]], "h": dxh[:, x.shape[1] :], "c": dc * f}


# --- an embedding, pooled, with a padding mask ----------------------------------------------------------------------


def words_forward(p: Any, tokens: Any, mask: Any, y: Any) -> Any:
    e = p["E"][tokens] * mask[:, :, None]
    pooled = e.sum(axis=1) / mask.sum(axis=1, keepdims=True)
    return np.mean((pooled @ p["w"] - y) ** 2)


def words_backward(p: Any, tokens: Any, mask: Any, y: Any) -> Any:
    e = p["E"][tokens] * mask[:, :, None]
    count = mask.sum(axis=1, keepdims=True)
    pooled = e.sum(axis=1) / count
    r = 2 * (pooled @ p["w"] - y) / len(y)
    de = (np.outer(r, p["w"]) / count)[:, None, :] * mask[:, :, None]
    dE = np.zeros_like(p["E"])
    np.add.at(dE, tokens, de)
    return {"E": dE, "w": pooled.T @ r}


# --- a convolution over time by a loop over the kernel --------------------------------------------------------------


def filter_forward(p: Any, x: Any, y: Any) -> Any:
    k = p["w"].shape[2]
    out = x.shape[2] - k + 1
    z = sum(np.einsum("nct,oc->not", x[:, :, u : u + out], p["w"][:, :, u]) for u in range(k)) + p["b"][None, :, None]
    return np.sum(np.maximum(z, 0.1 * z) * y)


def filter_backward(p: Any, x: Any, y: Any) -> Any:
    k = p["w"].shape[2]
    out = x.shape[2] - k + 1
    z = sum(np.einsum("nct,oc->not", x[:, :, u : u + out], p["w"][:, :, u]) for u in range(k)) + p["b"][None, :, None]
    dz = y * np.where(z > 0, 1.0, 0.1)
    dw, dx = np.zeros_like(p["w"]), np.zeros_like(x)
    for u in range(k):
        dw[:, :, u] = np.einsum("not,nct->oc", dz, x[:, :, u : u + out])
        dx[:, :, u : u + out] += np.einsum("not,oc->nct", dz, p["w"][:, :, u])
    return {"w": dw, "b": dz.sum(axis=(0, 2)), "x": dx}


# --- a deep network in loops over lists -----------------------------------------------------------------------------


def deep_forward(p: Any, x: Any, y: Any) -> Any:
    a = x
    for W, b in zip(p["W"], p["b"], strict=True):
        a = sigmoid(a @ W + b)
    return np.sum((a - y) ** 2) / (2 * len(x))


def deep_backward(p: Any, x: Any, y: Any) -> Any:
    activations = [x]
    for W, b in zip(p["W"], p["b"], strict=True):
        activations.append(sigmoid(activations[-1] @ W + b))
    dW, db = [], []
    delta = (activations[-1] - y) / len(x) * activations[-1] * (1 - activations[-1])
    for level in range(len(p["W"]) - 1, -1, -1):
        dW.insert(0, activations[level].T @ delta)
        db.insert(0, delta.sum(axis=0))
        if level:
            delta = delta @ p["W"][level].T * activations[level] * (1 - activations[level])
    return {"W": dW, "b": db}


PAIRS = {
    "columns": Pair(
        columns_forward,
        columns_backward,
        (
            {"W1": normal(4, 3), "b1": normal(4, 1), "W2": normal(2, 4), "b2": normal(2, 1)},
            normal(3, 7),
            RNG.integers(0, 2, (2, 7)) * 1.0,
        ),
    ),
    "labels": Pair(
        labels_forward,
        labels_backward,
        (
            {"W1": normal(5, 6), "b1": normal(6), "W2": normal(6, 4), "b2": normal(4)},
            normal(7, 5),
            np.array([0, 1, 2, 3, 1, 2, 0]),
        ),
    ),
    "heads": Pair(
        heads_forward,
        heads_backward,
        ({n: normal(6, 6) for n in ("Wq", "Wk", "Wv", "Wo")}, normal(2, 5, 6), normal(2, 5, 6)),
    ),
    "norm": Pair(norm_forward, norm_backward, ({"g": normal(6), "b": normal(6)}, normal(3, 4, 6), normal(3, 4, 6))),
    "lstm": Pair(
        lstm_forward,
        lstm_backward,
        ({"W": normal(3 + 4, 16), "b": normal(16)}, normal(5, 3), normal(5, 4), normal(5, 4), normal(5, 4)),
    ),
    "words": Pair(
        words_forward,
        words_backward,
        (
            {"E": normal(9, 4), "w": normal(4)},
            RNG.integers(0, 9, (5, 6)),
            np.array([[1.0] * k + [0.0] * (6 - k) for k in (6, 3, 4, 2, 5)]),
            normal(5),
        ),
    ),
    "filter": Pair(
        filter_forward, filter_backward, ({"w": normal(2, 3, 4), "b": normal(2)}, normal(5, 3, 9), normal(5, 2, 6))
    ),
    "deep": Pair(
        deep_forward,
        deep_backward,
        (
            {"W": [normal(3, 4), normal(4, 5), normal(5, 4), normal(4, 2)], "b": [normal(n) for n in (4, 5, 4, 2)]},
            normal(6, 3),
            normal(6, 2),
        ),
    ),
}
