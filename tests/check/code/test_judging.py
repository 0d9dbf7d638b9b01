from __future__ import annotations

import numpy as np
import pytest

from backproof.check.code.judging import check_gradient, judge
from backproof.check.code.problem import Problem

RNG = np.random.default_rng(5)
W, X, Y = RNG.normal(size=(4, 3)), RNG.normal(size=(5, 4)), RNG.normal(size=(5, 3))


def loss(params, x, y):
    return 0.5 * np.sum((np.tanh(x @ params["W"]) - y) ** 2) / len(x)


def gradient(params, x, y, slope=lambda a: 1 - a**2, scale=1.0):
    a = np.tanh(x @ params["W"])
    return {"W": scale * x.T @ ((a - y) * slope(a)) / len(x)}


def verdict_of(backward, forward=loss, inputs=({"W": W}, X, Y)):
    return check_gradient(backward, forward=forward, inputs=inputs)["W"]


def test_a_right_gradient_is_right():
    assert verdict_of(gradient).verdict == "proved"


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (lambda p, x, y: gradient(p, x, y, scale=2.0), "factor"),
        (lambda p, x, y: gradient(p, x, y, scale=-1.0), "sign"),
        (lambda p, x, y: gradient(p, x, y, scale=5.0), "batch-scale"),
        (lambda p, x, y: gradient(p, x, y, slope=lambda a: 1.0), "missing-slope"),
        (lambda p, x, y: gradient(p, x, y, slope=lambda a: a * (1 - a)), "wrong-activation"),
        (lambda p, x, y: gradient(p, x, y, slope=lambda a: (1 - a**2) ** 2), "extra-slope"),
        (lambda p, x, y: {"W": gradient(p, x, y)["W"].T}, "transpose"),
        (lambda p, x, y: {"W": gradient(p, x, y)["W"].astype(np.float32)}, "dtype"),
        (lambda p, x, y: {"W": (100 * gradient(p, x, y)["W"]).astype(int)}, "dtype"),
        (lambda p, x, y: {"W": gradient(p, x, y)["W"] * np.nan}, "not-a-formula-error"),
    ],
)
def test_a_wrong_gradient_is_named(wrong, name):
    found = verdict_of(wrong)
    assert found.verdict == "refuted"
    assert found.mistakes[0].name == name


def test_a_changed_input_is_blamed():
    def backward(params, x, y):
        result = gradient(params, x, y)
        x *= 2
        return result

    found = verdict_of(backward)
    assert (found.verdict, found.mistakes[0].name) == ("refuted", "in-place")


def test_random_results_are_no_formula_error():
    rng = np.random.default_rng(0)

    def backward(params, x, y):
        return {"W": gradient(params, x, y)["W"] + rng.normal(size=(4, 3))}

    assert "not-a-formula-error" in {m.name for m in verdict_of(backward).mistakes}


def test_a_kink_is_no_mistake():
    weights = np.array([0.0, 1.0, -2.0])

    def forward(params, x, y):
        return np.sum(np.abs(params["W"]) * x) + 0 * np.sum(y)

    def backward(params, x, y):
        return {"W": np.where(params["W"] >= 0, 1.0, -1.0) * x}

    found = verdict_of(backward, forward, ({"W": weights}, np.array([1.0, 2.0, 3.0]), np.ones(3)))
    assert found.verdict == "proved"
    assert found.conditions == ("off the kink",)


def test_a_shortcut_for_one_hot_targets_is_a_condition():
    def forward(params, x, y):
        z = x @ params["W"]
        return -np.sum(y * (z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))))

    def backward(params, x, y):
        e = np.exp(x @ params["W"])
        return {"W": x.T @ (e / e.sum(axis=1, keepdims=True) - y)}

    hot = np.eye(3)[[0, 2, 1, 1, 0]]
    found = verdict_of(backward, forward, ({"W": W}, X, hot))
    assert (found.verdict, found.conditions) == ("proved", ("sum(y) = 1",))
    soft = verdict_of(backward, forward, ({"W": W}, X, np.abs(Y)))
    assert (soft.verdict, soft.mistakes[0].name) == ("refuted", "hidden-condition")


def test_a_function_that_cannot_be_traced_is_measured():
    def forward(params, x, y):
        return float(sum(float(w) ** 3 for w in np.ravel(params["W"].tolist())))

    right = verdict_of(lambda p, x, y: {"W": 3 * p["W"] ** 2}, forward)
    wrong = verdict_of(lambda p, x, y: {"W": 2 * p["W"] ** 2}, forward)
    assert (right.verdict, wrong.verdict) == ("proved", "refuted")


def test_the_shape_of_results_and_arguments_is_free():
    def forward(w, x):
        return np.sum(np.sin(w * x))

    report = check_gradient(lambda w, x: x * np.cos(w * x), forward=forward, inputs=(W, W + 1))
    assert report.ok
    pair = check_gradient(lambda w, x: (x * np.cos(w * x), w * np.cos(w * x)), forward=forward, inputs=(W, W + 1))
    assert [g.name for g in pair.gradients if g.verdict == "proved"] == ["w", "x"]


@pytest.mark.parametrize(
    ("backward", "because"),
    [
        (lambda p, x, y: {}, "no gradient"),
        (lambda p, x, y: 1 / 0, "ZeroDivisionError"),
        (lambda p, x, y: "text", "no gradients"),
    ],
)
def test_what_cannot_be_read_is_said(backward, because):
    found = verdict_of(backward)
    assert found.verdict == "unread"
    assert because in (found.because or "")


def test_a_failing_forward_is_no_verdict():
    def forward(params, x, y):
        raise RuntimeError("no data")

    found = verdict_of(gradient, forward)
    assert found.verdict == "unread"
    assert "no data" in (found.because or "")


def test_the_line_of_the_mistake_is_found():
    def backward(params, x, y):
        a = np.tanh(x @ params["W"])
        error = a - y
        delta = error * (1 - a)
        return {"W": x.T @ delta / len(x)}

    found = verdict_of(backward)
    assert found.verdict == "refuted"
    assert found.line == backward.__code__.co_firstlineno + 3 or found.line == backward.__code__.co_firstlineno + 4


def test_a_mistake_at_another_seed_is_found():
    def backward(params, x, y):
        return gradient(params, x, y, scale=1.0 if x[0, 0] > 0 else 2.0)

    problems = [Problem(loss, backward, ({"W": W}, X * sign, Y), ("params", "x", "y")) for sign in (1, -1)]
    assert judge(problems)["W"].verdict == "refuted"


def test_a_safeguard_left_out_is_a_condition():
    def forward(params, x, y):
        a = 1 / (1 + np.exp(-x @ params["W"]))
        return -np.sum(y * np.log(a + 1e-12) + (1 - y) * np.log(1 - a + 1e-12))

    def backward(params, x, y):
        return {"W": x.T @ (1 / (1 + np.exp(-x @ params["W"])) - y)}

    found = verdict_of(backward, forward, ({"W": 6 * W}, X, (Y > 0) * 1.0))
    assert (found.verdict, found.conditions) == (
        "proved",
        ("right up to the tiny constants of forward (1e-12), which count as 0",),
    )
