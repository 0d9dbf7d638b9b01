"""Tiny constants that guard a logarithm: what leaves them out is right up to them, by certified bounds."""

from __future__ import annotations

import numpy as np
import pytest

from backproof.check.code.judging import check_gradient

RNG = np.random.default_rng(0)
W, X = RNG.normal(size=(4, 3)), RNG.normal(size=(5, 4))
Y = (RNG.normal(size=(5, 3)) > 0) * 1.0


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def added(params, x, y):
    a = sigmoid(x @ params["W"])
    return -np.sum(y * np.log(a + 1e-12) + (1 - y) * np.log(1 - a + 1e-12))


def clipped(params, x, y):
    a = np.clip(sigmoid(x @ params["W"]), 1e-7, 1 - 1e-7)
    return -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a))


def short(params, x, y):
    return {"W": x.T @ (sigmoid(x @ params["W"]) - y)}


@pytest.mark.parametrize("forward", [added, clipped])
@pytest.mark.parametrize("factor", [1, 6, 20, 60])
def test_the_short_formula_is_right_up_to_the_constant(forward, factor):
    found = check_gradient(short, forward=forward, inputs=({"W": factor * W}, X, Y))["W"]
    assert found.verdict == "proved"
    if factor >= 20:
        assert "right up to the tiny constants" in found.conditions[0]


@pytest.mark.parametrize("factor", [1, 20, 60])
@pytest.mark.parametrize(
    "slip", [lambda a, y: (a - y) * a * (1 - a), lambda a, y: 1.00001 * (a - y), lambda a, y: y - a]
)
def test_a_mistake_is_none_the_less_found(factor, slip):
    def backward(params, x, y):
        return {"W": x.T @ slip(sigmoid(x @ params["W"]), y)}

    found = check_gradient(backward, forward=added, inputs=({"W": factor * W}, X, Y), budget=0.5)
    assert found["W"].verdict == "refuted"
