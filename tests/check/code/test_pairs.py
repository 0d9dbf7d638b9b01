"""Two mistakes at once: both are named."""

from __future__ import annotations

import numpy as np

from backproof.check.code.judging import check_gradient

RNG = np.random.default_rng(12)
X, Y = RNG.normal(size=(7, 4)), RNG.normal(size=(7, 3))
PARAMS = {"W": RNG.normal(size=(4, 5)), "U": RNG.normal(size=(5, 6)), "V": RNG.normal(size=(6, 3))}


def forward(params, x, y):
    a = np.tanh(x @ params["W"])
    h = 1 / (1 + np.exp(-(a @ params["U"])))
    return 0.5 * np.sum((h @ params["V"] - y) ** 2) / len(x)


def gradients(params, x, y, *, tanh=True, sigmoid=True, scale=True, sign=1):
    a = np.tanh(x @ params["W"])
    h = 1 / (1 + np.exp(-(a @ params["U"])))
    d = sign * (h @ params["V"] - y) / (len(x) if scale else 1)
    dh = (d @ params["V"].T) * (h * (1 - h) if sigmoid else 1)
    da = (dh @ params["U"].T) * (1 - a**2 if tanh else 1)
    return {"W": x.T @ da, "U": a.T @ dh, "V": h.T @ d}


def named(**slips):
    report = check_gradient(
        lambda p, x, y: gradients(p, x, y, **slips), forward=forward, inputs=(PARAMS, X, Y), budget=20.0
    )
    return {g.name: {m.name for m in g.mistakes} for g in report.gradients}


def test_a_slope_is_missing_in_two_layers():
    found = named(tanh=False, sigmoid=False)
    assert found["V"] == set()
    assert found["U"] >= {"missing-slope"}
    assert "missing-slope" in found["W"]


def test_a_slope_is_missing_and_the_batch_is_not_averaged():
    found = named(tanh=False, scale=False)
    assert "batch-scale" in found["V"]
    assert "batch-scale" in found["U"]
    assert found["W"] >= {"missing-slope", "batch-scale"}


def test_a_slope_and_a_sign():
    found = named(tanh=False, sign=-1)
    assert "sign" in found["V"]
    assert "sign" in found["U"]
    assert found["W"] >= {"missing-slope", "sign"}


def test_two_mistakes_in_the_only_gradient():
    def loss(w, x):
        return np.sum(np.sin(np.tanh(w * x) * 1.5))

    def backward(w, x):
        a = np.tanh(w * x)
        return {"w": 2 * np.cos(1.5 * a) * 1.5 * x * (1 - a)}

    inputs = (RNG.normal(size=9), RNG.normal(size=9))
    found = check_gradient(backward, forward=loss, inputs=inputs, budget=20.0)["w"]
    assert {m.name for m in found.mistakes} >= {"factor"}
    assert any(m.joint for m in found.mistakes)
