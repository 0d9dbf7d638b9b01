"""Placing the gradients of a result by name, place and shape; nothing that is returned is passed over in silence."""

from __future__ import annotations

import numpy as np
import pytest

import backproof


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def triplet(a, p, n):
    return np.sum(np.maximum(((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + 9, 0))


def triplet_gradient(a, p, n, twice=2.0):
    da = 2 * (n - p)
    dpos = -2 * (a - p)
    dneg = twice * (a - n)
    return da, dpos, dneg


def triplet_slip(a, p, n):
    da, dpos, dneg = triplet_gradient(a, p, n, 1.0)
    return da, dpos, dneg


def test_names_that_are_no_arguments_are_placed_in_order():
    inputs = (normal(0, 3, 4), normal(1, 3, 4), normal(2, 3, 4))
    report = backproof.check_gradient(triplet_gradient, forward=triplet, inputs=inputs)
    assert [g.name for g in report.gradients] == ["a", "p", "n"]
    assert report.ok
    wrong = backproof.check_gradient(triplet_slip, forward=triplet, inputs=inputs)
    assert [g.verdict for g in wrong.gradients] == ["proved", "proved", "refuted"]
    assert wrong["n"].mistakes[0].name == "factor"


def dense(x, w, b):
    return x @ w + b, (x, w)


def expression_first(dout, cache):
    x, w = cache
    dw = x.T @ dout
    db = dout.sum(0)
    return 2 * (dout @ w.T), dw, db


def wrong_shape_first(dout, cache):
    x, w = cache
    dw = x.T @ dout
    db = dout.sum(0)
    return dout.sum(1) * len(w), dw, db


def with_the_output(dout, cache):
    x, w = cache
    dw = x.T @ dout
    db = dout.sum(0)
    out = x @ w
    return dout @ w.T, dw, db, out


@pytest.mark.parametrize("backward", [expression_first, wrong_shape_first])
def test_an_expression_without_a_name_is_judged(backward):
    report = backproof.check_gradient(backward, forward=dense, inputs=(normal(0, 3, 4), normal(1, 4, 2), normal(2, 2)))
    assert report["x"].verdict == "refuted"
    assert report["w"].verdict == report["b"].verdict == "proved"


def test_what_is_no_gradient_is_left_alone():
    inputs = (normal(0, 3, 4), normal(1, 4, 2), normal(2, 2))
    report = backproof.check_gradient(with_the_output, forward=dense, inputs=inputs)
    assert report.ok
    assert len(report.gradients) == 3


def test_an_error_that_looks_like_a_gradient_is_not_that_of_the_targets():
    def loss(params, x, y):
        return np.sum((x @ params["w"] - y) ** 2)

    def gradient(params, x, y):
        delta = 2 * (x @ params["w"] - y)
        dw = x.T @ delta
        return dw, delta

    report = backproof.check_gradient(
        gradient, forward=loss, inputs=({"w": normal(0, 3)}, normal(1, 5, 3), normal(2, 5))
    )
    assert [g.name for g in report.gradients] == ["w"]
    assert report.ok


def test_a_gradient_that_may_be_of_a_parameter_without_one_is_not_read():
    def layer(x, gain, shift):
        return x * gain + shift

    def gradient(dout, x, gain, shift):
        return {"dgain": (dout * x).sum(0), "dbias": dout.sum(0), "dmiddle": dout, "cache": x}

    report = backproof.check_gradient(gradient, forward=layer, inputs=(normal(0, 5, 3), normal(1, 3), normal(2, 3)))
    assert report["gain"].verdict == "proved"
    assert report["dbias"].verdict == "unread"
    assert not report.ok
    assert any("dmiddle, cache" in note for note in report.notes)


def test_x_of_several_arrays_means_the_one_of_its_shape():
    def loss(params, x, y):
        data, weights = x
        return np.sum(weights * (data @ params["w"] - y) ** 2)

    def gradient(params, x, y):
        data, weights = x
        d = 2 * weights * (data @ params["w"] - y)
        return {"w": data.T @ d, "x": np.outer(d, params["w"])}

    inputs = ({"w": normal(0, 3)}, (normal(1, 5, 3), np.abs(normal(2, 5))), normal(3, 5))
    report = backproof.check_gradient(gradient, forward=loss, inputs=inputs)
    assert [g.name for g in report.gradients] == ["w", "x[0]"]
    assert report.ok


def test_exchanged_gradients_are_named():
    def gradient(u, v):
        return {"u": np.cos(v), "v": np.cos(u)}

    def loss(u, v):
        return np.sum(np.sin(u)) + np.sum(np.sin(v))

    report = backproof.check_gradient(gradient, forward=loss, inputs=(normal(0, 4), normal(1, 4)))
    assert [g.mistakes[0].name for g in report.gradients] == ["wrong-variable", "wrong-variable"]
    assert "v" in report["u"].mistakes[0].detail
