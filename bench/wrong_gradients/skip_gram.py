"""Word vectors with negative sampling, and a factorisation with biases, as loops over pairs."""

# Names as such code has them.

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    params = {"center": rng.normal(size=(6, 3)), "outside": rng.normal(size=(6, 3)), "bias": rng.normal(size=6)}
    pairs = np.array([[0, 1], [2, 1], [0, 3], [0, 1]])
    return params, (pairs, rng.integers(0, 6, size=(4, 3))), 0.05


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(p, x, y):
    pairs, negatives = x
    loss = 0.0
    for (c, o), negative in zip(pairs, negatives):
        v = p["center"][c]
        loss = loss - np.log(sigmoid(p["outside"][o] @ v + p["bias"][o]))
        for k in negative:
            loss = loss - np.log(sigmoid(-(p["outside"][k] @ v)))
    return loss + 0.5 * y * np.sum(p["center"] ** 2)


def _grad(p, x, y, slip=""):
    pairs, negatives = x
    dc, do, db = np.zeros_like(p["center"]), np.zeros_like(p["outside"]), np.zeros_like(p["bias"])
    for (c, o), negative in zip(pairs, negatives):
        v, u = p["center"][c], p["outside"][o]
        g = sigmoid(u @ v + p["bias"][o]) - 1
        step = g * u
        do[o] += g * v
        db[o] += g
        for k in negative:
            w = p["outside"][k]
            h = sigmoid(-(w @ v)) if slip == "negative" else 1 - sigmoid(-(w @ v))
            step = step + h * w
            if slip != "frozen":
                do[k] += h * v
        if slip == "assign":
            dc[c] = step
        else:
            dc[c] += step
    if slip == "penalty":
        do = do + y * p["outside"]
    if slip != "plain":
        dc = dc + y * p["center"]
    return {"center": dc, "outside": do, "bias": db}


def backward(params, x, y):
    return _grad(params, x, y)


def wrong_side(params, x, y):
    return _grad(params, x, y, "negative")


def negatives_frozen(params, x, y):
    return _grad(params, x, y, "frozen")


def center_assigned(params, x, y):
    return _grad(params, x, y, "assign")


def penalty_on_both(params, x, y):
    return _grad(params, x, y, "penalty")


def no_penalty(params, x, y):
    return _grad(params, x, y, "plain")


WRONG = {
    "wrong_side": ("wrong-slope-point", "wrong-activation", "sign", "extra-slope"),
    "negatives_frozen": ("dropped-term", "stopped-gradient", "no-accumulate"),
    "center_assigned": ("no-accumulate",),
    "penalty_on_both": ("regularised-bias", "extra-term"),
    "no_penalty": ("missing-regulariser", "dropped-term"),
}

# Found, but not named yet.
UNNAMED = ("wrong_side",)
