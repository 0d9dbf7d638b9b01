"""A character model as a vanilla recurrent network, in the style of a well-known hundred lines."""

# Names as such code has them.
# ruff: noqa: N806

import numpy as np

HIDDEN, VOCABULARY = 5, 4


def example(seed):
    rng = np.random.default_rng(seed)
    params = {
        "Wxh": rng.normal(size=(HIDDEN, VOCABULARY)) * 0.5,
        "Whh": rng.normal(size=(HIDDEN, HIDDEN)) * 0.5,
        "Why": rng.normal(size=(VOCABULARY, HIDDEN)) * 0.5,
        "bh": rng.normal(size=(HIDDEN, 1)) * 0.1,
        "by": rng.normal(size=(VOCABULARY, 1)) * 0.1,
    }
    text = rng.integers(0, VOCABULARY, 8)
    return params, list(text[:-1]), list(text[1:])


def _forward(p, inputs, targets):
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.zeros((HIDDEN, 1))
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((VOCABULARY, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(p["Wxh"], xs[t]) + np.dot(p["Whh"], hs[t - 1]) + p["bh"])
        ys[t] = np.dot(p["Why"], hs[t]) + p["by"]
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
    return loss, xs, hs, ps


def forward(params, x, y):
    return _forward(params, x, y)[0]


def _backward(p, inputs, targets, slip=""):
    _, xs, hs, ps = _forward(p, inputs, targets)
    dWxh, dWhh, dWhy = np.zeros_like(p["Wxh"]), np.zeros_like(p["Whh"]), np.zeros_like(p["Why"])
    dbh, dby = np.zeros_like(p["bh"]), np.zeros_like(p["by"])
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        if slip != "target":
            dy[targets[t]] -= 1
        dWhy += np.dot(dy, hs[t].T)
        dby += dy
        dh = np.dot(p["Why"].T, dy)
        if slip != "carry":
            dh = dh + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        if slip == "slope":
            dhraw = (1 - hs[t]) * dh
        dbh += dhraw
        dWxh += np.dot(dhraw, xs[t].T)
        dWhh += np.dot(dhraw, hs[t].T if slip == "state" else hs[t - 1].T)
        dhnext = np.dot(p["Whh"].T, dh if slip == "raw" else dhraw)
        if slip == "turned":
            dhnext = np.dot(p["Whh"], dhraw)
    if slip == "clip":
        for dparam in [dWxh, dWhh, dWhy, dbh, dby]:
            np.clip(dparam, -0.5, 0.5, out=dparam)
    if slip == "mean":
        dby = dby / len(inputs)
    return {"Wxh": dWxh, "Whh": dWhh, "Why": dWhy, "bh": dbh, "by": dby}


def backward(params, x, y):
    return _backward(params, x, y)


def target_kept(params, x, y):
    return _backward(params, x, y, "target")


def no_carry(params, x, y):
    return _backward(params, x, y, "carry")


def linear_slope(params, x, y):
    return _backward(params, x, y, "slope")


def same_state(params, x, y):
    return _backward(params, x, y, "state")


def carry_without_slope(params, x, y):
    return _backward(params, x, y, "raw")


def carry_turned(params, x, y):
    return _backward(params, x, y, "turned")


def averaged_output_bias(params, x, y):
    return _backward(params, x, y, "mean")


WRONG = {
    "target_kept": ("dropped-term", "swapped-target", "stopped-gradient"),
    "no_carry": ("stopped-gradient", "dropped-term"),
    "linear_slope": ("wrong-exponent", "wrong-activation"),
    "same_state": ("stale-variable", "wrong-layer", "wrong-index"),
    "carry_without_slope": ("missing-slope",),
    "carry_turned": ("transpose",),
    "averaged_output_bias": ("bias-reduction", "batch-scale", "factor", "wrong-reduction"),
}
