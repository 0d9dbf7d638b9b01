"""Mistakes of arrangement and the like, each planted in a small function: the name that is found."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import backproof


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def named(backward, forward, inputs):
    report = backproof.check_gradient(backward, forward=forward, inputs=inputs)
    wrong = [g for g in report.gradients if g.verdict == "refuted"]
    assert wrong, str(report)
    return {m.name for g in wrong for m in g.mistakes}


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def joined(w, x):
    z = x @ w
    u, v = z[:, :3], z[:, 3:]
    return np.sum(np.tanh(u) * v**2)


def parts_exchanged(w, x):
    u, v = (x @ w)[:, :3], (x @ w)[:, 3:]
    du, dv = (1 - np.tanh(u) ** 2) * v**2, 2 * v * np.tanh(u)
    return x.T @ np.concatenate([dv, du], axis=1)


def bias(x, b):
    return np.tanh(x + b)


def bias_of_the_first(g, x, b):
    d = g * (1 - np.tanh(x + b) ** 2)
    return {"x": d, "b": d[0]}


def scores(t, y):
    return sum((t[a, b] ** 2 for a, b in itertools.pairwise(y)), start=np.sum(np.sin(t)))


def row_and_column(t, y):
    d = np.cos(t)
    for a, b in itertools.pairwise(y):
        d[b, a] += 2 * t[a, b]
    return d


def loops(u, x):
    total = 0.0
    for row in x:
        total = total + np.sum(np.tanh(row @ u) ** 2)
    return total


def last_pass_alone(u, x):
    d = np.zeros_like(u)
    for row in x:
        a = np.tanh(row @ u)
        d = np.outer(row, 2 * a * (1 - a**2))
    return d


def einsum_layer(q, k):
    return np.einsum("hgd,hd->hg", q, k)


def first_group_alone(dout, q, k):
    return {"q": np.einsum("hg,hd->hgd", dout, k), "k": dout[:, 0, None] * q[:, 0]}


def classes(z, y):
    return -np.log(softmax(z)[np.arange(len(y)), y]).sum()


def all_rows_looked_up(z, y):
    d = softmax(z)
    d[:, y] -= 1
    return d


def pooled(x):
    return x.reshape(len(x), -1, 2).max(axis=2)


def mean_in_place_of_max(g, x):
    return np.repeat(g, 2, axis=1) / 2


def other_extreme(g, x):
    parts = x.reshape(len(x), -1, 2)
    return (g[:, :, None] * (parts == parts.min(axis=2, keepdims=True))).reshape(x.shape)


def rooted(u):
    return np.sum(np.sqrt(1 + u**2))


def root_too_few(u):
    return u / (1 + u**2)


def rectified(x, w):
    return np.maximum(x @ w, 0)


def condition_on_the_upstream(g, x, w):
    d = g * (g > 0)
    return {"x": d @ w.T, "w": x.T @ d}


def penalised(theta, x, y):
    return np.sum((x @ theta - y) ** 2) + 0.35 * np.sum(theta[1:] ** 2)


def penalty_on_all(theta, x, y):
    return 2 * x.T @ (x @ theta - y) + 0.7 * theta


def moved_axes(x, w):
    return np.sum(np.tanh(np.transpose(x, (2, 0, 1)) * w))


def order_of_axes(x, w):
    d = (1 - np.tanh(np.transpose(x, (2, 0, 1)) * w) ** 2) * w
    return np.transpose(d, (2, 1, 0))


CASES = {
    "parts exchanged": (parts_exchanged, joined, (normal(0, 4, 6), normal(1, 5, 4)), {"wrong-index"}),
    "first row": (bias_of_the_first, bias, (normal(0, 5, 3), normal(1, 3)), {"bias-reduction"}),
    "row and column": (row_and_column, scores, (normal(0, 3, 3), np.array([0, 1, 2, 1])), {"wrong-index"}),
    "last pass": (last_pass_alone, loops, (normal(0, 3, 2), normal(1, 4, 3)), {"no-accumulate"}),
    "first group": (first_group_alone, einsum_layer, (normal(0, 2, 3, 4), normal(1, 2, 4)), {"bias-reduction"}),
    "look-up": (all_rows_looked_up, classes, (normal(0, 4, 3), np.array([0, 2, 1, 1])), {"wrong-index"}),
    "mean for max": (mean_in_place_of_max, pooled, (normal(0, 3, 6),), {"wrong-activation"}),
    "min for max": (other_extreme, pooled, (normal(0, 3, 6),), {"wrong-slope-point"}),
    "root": (root_too_few, rooted, (normal(0, 5),), {"wrong-exponent"}),
    "upstream": (condition_on_the_upstream, rectified, (normal(0, 4, 3), normal(1, 3, 2)), {"wrong-slope-point"}),
    "penalty": (penalty_on_all, penalised, (normal(0, 4), normal(1, 6, 4), normal(2, 6)), {"regularised-bias"}),
    "axes": (order_of_axes, moved_axes, (normal(0, 3, 3, 3), normal(1, 3, 3, 3)), {"wrong-axis", "transpose"}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_mistake_is_named(case):
    backward, forward, inputs, kinds = case
    assert kinds & named(backward, forward, inputs)


def test_two_signs_at_once():
    def rotated(x, angle):
        a, b = x[:, :2], x[:, 2:]
        return np.concatenate([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], axis=1)

    def forward_again(g, x, angle):
        return {"x": rotated(g, angle)}

    assert "sign" in named(forward_again, rotated, (normal(0, 3, 4), 0.7))
