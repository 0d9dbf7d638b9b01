"""Any layout: what a person has is judged as it is, right code as right and wrong code with its mistake."""

# ruff: noqa: N803 - data has the name that it has everywhere

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
import pytest

from backproof.calculus.network import Network
from backproof.check.code.judging import check_gradient
from backproof.errors import BackproofError, UsageError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 4)), RNG.normal(size=(6, 3))
W, B = RNG.normal(size=(4, 3)), RNG.normal(size=3)
LABELS = np.array([0, 2, 1, 1, 0, 2])


def verdicts(report):
    return {g.name: (g.verdict, g.mistakes[0].name if g.mistakes else None) for g in report.gradients}


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    dx, dw, db = dout @ w.T, x.T @ dout, dout.sum(axis=0)
    return dx, dw, db


def averaging_backward(dout, cache):
    x, w = cache
    dx, dw, db = dout @ w.T, x.T @ dout, dout.mean(axis=0)
    return dx, dw, db


def test_a_layer_with_an_upstream_gradient_and_a_cache():
    right = check_gradient(affine_backward, forward=affine_forward, inputs=(X, W, B))
    assert right.ok
    assert [g.name for g in right.gradients] == ["x", "w", "b"]
    wrong = check_gradient(averaging_backward, forward=affine_forward, inputs=(X, W, B))
    assert verdicts(wrong)["b"] == ("refuted", "bias-reduction")
    assert verdicts(wrong)["w"][0] == "proved"


class Classifier:
    """A linear classifier that gives its loss and its gradients by name."""

    def __init__(self, penalty=1.0):
        self.params = {"W": W.copy(), "b": B.copy()}
        self.reg, self.penalty = 0.1, penalty

    def loss(self, X, y):
        scores = X @ self.params["W"] + self.params["b"]
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(len(X)), y]).mean() + 0.5 * self.reg * (self.params["W"] ** 2).sum()
        d = p.copy()
        d[np.arange(len(X)), y] -= 1
        d /= len(X)
        return loss, {"W": X.T @ d + self.penalty * self.reg * self.params["W"], "b": d.sum(axis=0)}


def test_a_method_that_gives_loss_and_gradients():
    assert check_gradient(Classifier().loss, inputs=(X, LABELS)).ok
    assert check_gradient(Classifier(), inputs=(X, LABELS)).ok
    wrong = check_gradient(Classifier(2.0).loss, inputs=(X, LABELS))
    assert verdicts(wrong) == {"params.W": ("refuted", "regulariser-factor"), "params.b": ("proved", None)}


class Dense:
    def __init__(self):
        self.W, self.b = W.copy(), B.copy()

    def forward(self, x):
        self.x = x
        self.a = np.tanh(x @ self.W + self.b)
        return self.a

    def backward(self, upstream):
        dz = upstream * self.slope()
        self.dW, self.db = self.x.T @ dz, dz.sum(axis=0)
        return dz @ self.W.T

    def slope(self):
        return 1 - self.a**2


class Slipped(Dense):
    def slope(self):
        return self.a * (1 - self.a)


def test_a_layer_object_that_keeps_its_gradients():
    assert verdicts(check_gradient(Dense(), inputs=(X,))) == dict.fromkeys(("x", "W", "b"), ("proved", None))
    wrong = check_gradient(Slipped(), inputs=(X,))
    assert set(verdicts(wrong).values()) == {("refuted", "wrong-activation")}


class Chain:
    def __init__(self, kind):
        self.layers = [Dense(), kind()]
        self.layers[1].W, self.layers[1].b = RNG.normal(size=(3, 2)), RNG.normal(size=2)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, upstream):
        for layer in reversed(self.layers):
            upstream = layer.backward(upstream)
        return upstream


def test_a_list_of_layers_in_an_object():
    chain = Chain(Dense)
    assert check_gradient(chain.backward, forward=chain.forward, inputs=(X,)).ok
    wrong = check_gradient(Chain(Slipped), inputs=(X,))
    assert verdicts(wrong)["layers[1].W"] == ("refuted", "wrong-activation")
    assert verdicts(wrong)["layers[0].W"][0] == "refuted"


class Regression:
    """A regression that learns in place, with the names of scikit-learn."""

    def __init__(self, factor):
        self.coef_, self.intercept_, self.eta, self.factor = W[:, 0].copy(), 0.3, 0.01, factor

    def loss(self, X, y):
        return np.mean((X @ self.coef_ + self.intercept_ - y) ** 2)

    def partial_fit(self, X, y):
        r = X @ self.coef_ + self.intercept_ - y
        self.coef_ = self.coef_ - self.eta * self.factor * X.T @ r / len(y)
        self.intercept_ = self.intercept_ - self.eta * 2 * np.mean(r)
        return self


@pytest.mark.parametrize(("factor", "expected"), [(2, ("proved", None)), (1, ("refuted", "factor"))])
def test_a_step_of_training_is_a_gradient(factor, expected):
    model = Regression(factor)
    found = verdicts(check_gradient(model.partial_fit, forward=model.loss, inputs=(X, Y[:, 0])))
    assert found == {"coef_": expected, "intercept_": ("proved", None)}


@dataclasses.dataclass
class Weights:
    W: np.ndarray
    b: np.ndarray


class Gradients(NamedTuple):
    W: np.ndarray
    b: np.ndarray


def squares(p, x, y):
    return ((x @ p.W + p.b - y) ** 2).sum()


def test_dataclasses_and_named_tuples():
    def right(p, x, y):
        r = 2 * (x @ p.W + p.b - y)
        return Weights(x.T @ r, r.sum(axis=0))

    def wrong(p, x, y):
        r = 2 * (x @ p.W + p.b - y)
        return Gradients(x.T @ r, r.mean(axis=0))

    assert check_gradient(right, forward=squares, inputs=(Weights(W, B), X, Y)).ok
    assert verdicts(check_gradient(wrong, forward=squares, inputs=(Weights(W, B), X, Y)))["b"] == (
        "refuted",
        "bias-reduction",
    )


class Columns:
    """A network in columns with lists of weights and biases, whose gradients come as (biases, weights)."""

    def __init__(self):
        self.biases = [RNG.normal(size=(n, 1)) for n in (5, 3)]
        self.weights = [RNG.normal(size=s) for s in ((5, 4), (3, 5))]

    def cost(self, x, y):
        for b, w in zip(self.biases, self.weights, strict=True):
            x = np.tanh(w @ x + b)
        return 0.5 * np.sum((x - y) ** 2)

    def backprop(self, x, y):
        values = [x]
        for b, w in zip(self.biases, self.weights, strict=True):
            values.append(np.tanh(w @ values[-1] + b))
        nabla_b, nabla_w = [0, 0], [0, 0]
        delta = (values[2] - y) * (1 - values[2] ** 2)
        nabla_b[1], nabla_w[1] = delta, delta @ values[1].T
        delta = (self.weights[1].T @ delta) * (1 - values[1] ** 2)
        nabla_b[0], nabla_w[0] = delta, delta @ values[0].T
        return nabla_b, nabla_w


def test_lists_in_another_order_are_placed_by_their_shapes():
    net = Columns()
    report = check_gradient(net.backprop, forward=net.cost, inputs=(X[:1].T, Y[:1].T))
    assert report.ok
    assert {g.name for g in report.gradients} == {"biases[0]", "biases[1]", "weights[0]", "weights[1]"}


def fun(w, X, y):
    return np.sum((X @ w - y) ** 2)


def both(w, X, y):
    r = X @ w - y
    return np.sum(r**2), 2 * X.T @ r


def test_functions_for_the_optimisers_of_scipy():
    inputs = (W[:, 0], X, Y[:, 0])
    assert check_gradient(lambda w, X, y: 2 * X.T @ (X @ w - y), forward=fun, inputs=inputs).ok
    assert verdicts(check_gradient(lambda w, X, y: X.T @ (X @ w - y), forward=fun, inputs=inputs)) == {
        "w": ("refuted", "factor")
    }
    assert check_gradient(both, inputs=inputs).ok
    assert check_gradient(True, forward=both, inputs=inputs).ok


def softmax_backward(slope):
    def backward(params, x, y):
        h = np.tanh(x @ params["W1"] + params["b1"])
        e = np.exp(h @ params["W2"] + params["b2"])
        d = (e / e.sum(axis=1, keepdims=True) - y) / len(x)
        dh = (d @ params["W2"].T) * (1 - h**2 if slope else 1)
        return {"W1": x.T @ dh, "b1": dh.sum(axis=0), "W2": h.T @ d, "b2": d.sum(axis=0)}

    return backward


@pytest.mark.slow
def test_a_network_is_the_forward_function():
    network = Network(
        ("4", "5", "3"), hidden="tanh", output="softmax", loss="cross-entropy", reduction="mean", layout="rows"
    )
    params = {"W1": RNG.normal(size=(4, 5)), "b1": RNG.normal(size=5), "W2": RNG.normal(size=(5, 3)), "b2": B}
    right = check_gradient(softmax_backward(True), forward=network, inputs=(params, X, np.eye(3)[LABELS]))
    assert right.ok
    wrong = verdicts(check_gradient(softmax_backward(False), forward=network, inputs=(params, X, np.eye(3)[LABELS])))
    assert wrong["W1"] == ("refuted", "missing-slope")
    assert wrong["W2"][0] == "proved"


SHEET = "input w[n], x[n], y\nJ = 1/2 (w^T x - y)^2\n"


def test_a_worksheet_is_the_forward_function(tmp_path):
    path = tmp_path / "neuron.bp"
    path.write_text(SHEET)
    inputs = (W[:, 0], X[0], 0.3)
    for forward in (SHEET, path, str(path)):
        assert check_gradient(lambda w, x, y: (w @ x - y) * x, forward=forward, inputs=inputs)["w"].verdict == "proved"
    wrong = check_gradient(lambda w, x, y: 2 * (w @ x - y) * x, forward=SHEET, inputs=inputs)
    assert verdicts(wrong)["w"] == ("refuted", "factor")


def test_a_scalar_engine_whose_result_is_a_list_of_numbers():
    def forward(params, x, y):
        return sum((w * v - y) ** 2 for w, v in zip(params["w"], x, strict=True))

    def backward(params, x, y):
        return {"w": [float(2 * (w * v - y) * v) for w, v in zip(params["w"], x, strict=True)]}

    assert check_gradient(backward, forward=forward, inputs=({"w": W[:, 0]}, X[0], 0.5)).ok


def test_a_gradient_of_nothing_known_is_said():
    def backward(params, x, y):
        d = 2 * (x @ params["W"] - y)
        return {"dW": x.T @ d, "dZ": d}

    def forward(params, x, y):
        return np.sum((x @ params["W"] - y) ** 2)

    report = check_gradient(backward, forward=forward, inputs=({"W": W}, X, Y))
    assert report.ok
    assert any("dZ" in note for note in report.notes)


def test_a_gradient_of_the_only_array_of_an_argument():
    def backward(params, x, y):
        return {"x": (x[0] @ params["W"] - y) @ params["W"].T}

    def forward(params, x, y):
        return np.sum((x[0] @ params["W"] - y) ** 2)

    report = check_gradient(backward, forward=forward, inputs=({"W": W}, (X, LABELS), Y))
    assert verdicts(report)["x[0]"] == ("refuted", "factor")


def test_what_cannot_be_called_is_an_error():
    with pytest.raises(UsageError):
        check_gradient(3, forward=fun, inputs=(W,))
    with pytest.raises(UsageError):
        check_gradient(lambda a, b, c, d: a, forward=affine_forward, inputs=(X, W, B))
    with pytest.raises(BackproofError):
        check_gradient(lambda w: w, forward="no such file.bp", inputs=(W,))
