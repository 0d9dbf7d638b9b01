"""The printed NumPy functions against central differences of the loss that they compute."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from backproof import catalog
from backproof.calculus.network import Network
from backproof.explain.numpy_code import numpy_code
from backproof.proof.derivation import derive

TARGETS: dict[str, Any] = {
    "real": lambda r, n: r.normal(size=n),
    "probability": lambda r, n: r.uniform(0.1, 0.9, n),
    "plus-minus-one": lambda r, n: r.choice([-1.0, 1.0], n),
    "count": lambda r, n: r.integers(1, 5, n).astype(float),
    "positive": lambda r, n: r.uniform(0.5, 2, n),
    "distribution": lambda r, n: r.dirichlet(np.ones(n)),
    "one-hot": lambda r, n: np.eye(n)[r.integers(n)],
}


def module(network: Network) -> dict[str, Any]:
    space: dict[str, Any] = {}
    text = numpy_code(derive(network))
    compile(text, "written", "exec")
    exec(text, space)
    return space


def differences(function: Any, given: dict[str, Any], name: str, h: float = 1e-6) -> Any:
    found = np.zeros_like(given[name])
    for at in np.ndindex(found.shape):
        up, down = ({**given, name: given[name].copy()} for _ in range(2))
        up[name][at] += h
        down[name][at] -= h
        found[at] = (function(**up)[0] - function(**down)[0]) / (2 * h)
    return found


PAIRS = [(a, loss.name) for loss in catalog.losses() if not loss.abstract for a in loss.pairs_with] + [
    ("gelu", "half-mse"),
    ("softmax", "half-mse"),
    ("selu", "huber"),
    ("mish", "quantile"),
    ("tempered-softmax", "kl"),
]


FEW = (("sigmoid", "bce"), ("softmax", "cross-entropy"), ("gelu", "half-mse"))


@pytest.mark.parametrize(
    ("output", "loss"), [pair if pair in FEW else pytest.param(*pair, marks=pytest.mark.slow) for pair in PAIRS]
)
def test_every_pair(output: str, loss: str) -> None:
    random = np.random.default_rng(3)
    given = {"z": random.normal(size=4), "y": TARGETS[catalog.loss(loss).target](random, 4)}
    gradients = module(Network(output=output, loss=loss))["gradients"]
    assert gradients(**given)[1]["delta_L"] == pytest.approx(differences(gradients, given, "z"), rel=1e-6, abs=1e-8)


def shapes(network: Network, examples: int) -> dict[str, Any]:
    random = np.random.default_rng(5)
    widths = [3, 4, 2][: len(network.sizes)]
    rows = network.layout != "columns"
    given: dict[str, Any] = {}
    for k, (below, above) in enumerate(pairwise(widths), start=1):
        weights = random.normal(size=(above, below))
        given |= {
            f"W{k}": weights.T.copy() if network.layout == "rows" else weights,
            f"b{k}": random.normal(size=above),
        }
    x, y = random.normal(size=(widths[0], examples)), random.dirichlet(np.ones(widths[-1]), examples).T
    if not network.batch:
        return {**given, "x": x[:, 0], "y": y[:, 0]}
    return {**given, "X": x.T if rows else x, "Y": y.T.copy() if rows else y}


@pytest.mark.parametrize(
    "network",
    [
        Network(sizes=("n", "h", "k"), output="softmax", loss="cross-entropy", reduction="mean", l2="lambda"),
        pytest.param(
            Network(sizes=("n", "h", "k"), hidden="gelu", loss="focal", reduction="mean-all", layout="rows", l2="0.3"),
            marks=pytest.mark.slow,
        ),
        Network(sizes=("3", "4", "2"), hidden="leaky-relu", loss="bce", reduction="sum", layout="rows-out-in"),
        Network(sizes=("n", "h", "k"), hidden="tanh", output="softmax", loss="half-mse"),
        Network(sizes=("n", "k"), output="identity", loss="huber"),
    ],
)
def test_all_equations_of_layers(network: Network) -> None:
    given = shapes(network, 5)
    if network.l2 == "lambda":
        given["lambda_"] = 0.4
    gradients = module(network)["gradients"]
    found = gradients(**given)[1]
    assert set(found) == {e.name for e in derive(network).equations}
    inputs = {name: given[name] for name in given if isinstance(given[name], np.ndarray) and name not in ("y", "Y")}
    for name in inputs:
        expected = differences(gradients, given, name)
        assert found["d" + name.upper()[0] + name[1:] if name in "xX" else "d" + name] == pytest.approx(
            expected, rel=1e-5, abs=1e-8
        ), name


def test_any_depth_is_a_last_layer_and_any_other() -> None:
    network = Network(("n", "h", "h", "k"), symbolic_depth=True, hidden="f", output="softmax", loss="cross-entropy")
    space = module(network)
    random = np.random.default_rng(2)
    below, above = ({"W": random.normal(size=(3, 3)), "b": random.normal(size=3)} for _ in range(2))
    x, y = random.normal(size=3), np.array([0.0, 1.0, 0.0])

    def whole(z: Any) -> Any:
        a = np.tanh(z)
        return space["last_layer"](a_below=a, **above, y=y)[0]

    z = below["W"] @ x + below["b"]
    top = space["last_layer"](a_below=np.tanh(z), **above, y=y)[1]["delta_L"]
    found = space["hidden_layer"](
        a_below=x, **below, W_above=above["W"], delta_above=top, f_slope=lambda u: 1 - np.tanh(u) ** 2
    )
    h = 1e-6
    expected = [(whole(z + h * e) - whole(z - h * e)) / (2 * h) for e in np.eye(3)]
    assert found["delta_l"] == pytest.approx(np.array(expected), rel=1e-6, abs=1e-9)
    assert found["dWl"] == pytest.approx(np.outer(expected, x), rel=1e-6, abs=1e-9)


def test_the_equation_stands_above_its_line() -> None:
    text = numpy_code(derive(Network(sizes=("n", "h", "k"), output="softmax", loss="cross-entropy")))
    assert "    # δ⁽¹⁾ = W⁽²⁾ᵀ δ⁽²⁾ ⊙ a⁽¹⁾ ⊙ (1 − a⁽¹⁾)\n    delta1 = W2.T @ delta2 * a1 * (1 - a1)\n" in text
    assert "# δ⁽²⁾ = a⁽²⁾ − y, needs sum(y) = 1" in text
