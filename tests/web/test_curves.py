"""The steps that the page computes, against plain NumPy and central differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from backproof.calculus.network import Network
from backproof.web.curves import curves, hidden_layers

OPERATIONS: dict[str, Any] = {
    "exp": np.exp,
    "log": lambda u: np.log(np.abs(u)),
    "sin": np.sin,
    "cos": np.cos,
    "atan": np.arctan,
    "erf": np.vectorize(math.erf),
    "step": lambda u: (u > 0) * 1.0,
}


def run(found: dict[str, Any], z: list[float], y: list[float]) -> dict[str, Any]:
    """The same small machine as the page's."""
    v: list[float] = []
    for name, *inside in found["steps"]:
        match name:
            case "c":
                v.append(inside[0])
            case "z" | "y":
                v.append((z if name == "z" else y)[inside[0]])
            case "+":
                v.append(math.fsum(v[k] for k in inside))
            case "*":
                v.append(math.prod(v[k] for k in inside))
            case "max":
                v.append(max(v[k] for k in inside))
            case "^":
                v.append(float(np.float64(v[inside[0]]) ** inside[1]))
            case _:
                v.append(float(OPERATIONS[name](v[inside[0]])))
    return {
        key: v[at] if isinstance(at, int) else [v[k] for k in at]
        for key, at in found.items()
        if key not in ("steps", "units", "outputs", "target", "layer")
    }


def test_sigmoid_with_bce_is_what_everyone_knows() -> None:
    found = curves(Network())
    assert found is not None
    now = run(found, [4.0], [0.0])
    a = 1 / (1 + math.exp(-4))
    assert now["a"] == pytest.approx([a])
    assert now["J"] == pytest.approx(-math.log(1 - a))
    assert now["delta"] == pytest.approx([a])
    assert now["slope"] == pytest.approx([a * (1 - a)])


@pytest.mark.parametrize(
    ("output", "loss", "y"),
    [
        ("softmax", "cross-entropy", [0.0, 1.0, 0.0]),
        ("softmax", "half-mse", [0.0, 1.0, 0.0]),
        ("log-softmax", "nll", [1.0, 0.0, 0.0]),
        ("gelu", "huber", [0.3]),
        ("tanh", "mse", [0.5]),
        ("exp", "poisson", [2.0]),
        ("mish", "log-cosh", [-0.5]),
        ("sigmoid", "focal", [1.0]),
    ],
)
def test_delta_is_the_slope_of_the_loss(output: str, loss: str, y: list[float]) -> None:
    found = curves(Network(output=output, loss=loss))
    assert found is not None
    z, h = [0.7, -0.4, 0.2][: found["units"]], 1e-5
    for k, delta in enumerate(run(found, z, y)["delta"]):
        up, down = ([*z[:k], z[k] + e, *z[k + 1 :]] for e in (h, -h))
        expected = (run(found, up, y)["J"] - run(found, down, y)["J"]) / (2 * h)
        assert delta == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_an_open_function_has_no_curve() -> None:
    assert curves(Network(output="f", loss="mse")) is None


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        (Network(sizes=("n", "h", "k")), "1"),
        (Network(sizes=("400", "25", "10", "4"), hidden="gelu", output="softmax", loss="cross-entropy"), "2"),
        (Network(("n", "h", "h", "k"), symbolic_depth=True, hidden="tanh", output="identity", loss="mse"), "1"),
    ],
)
def test_delta_of_a_hidden_layer_is_the_slope_of_the_loss(network: Network, layer: str) -> None:
    assert layer in hidden_layers(network)
    found = curves(network, layer)
    assert found is not None
    z, h = [0.7, -0.4, 0.2][: found["units"]], 1e-5
    y = [0.0, 1.0, 0.0][: found["outputs"]]
    at = run(found, z, y)
    assert max(abs(delta) for delta in at["delta"]) > 0.01
    for k, delta in enumerate(at["delta"]):
        up, down = ([*z[:k], z[k] + e, *z[k + 1 :]] for e in (h, -h))
        expected = (run(found, up, y)["J"] - run(found, down, y)["J"]) / (2 * h)
        assert delta == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_no_layer_no_curve() -> None:
    assert hidden_layers(Network()) == hidden_layers(Network(sizes=("n", "k"))) == ()
    assert curves(Network(sizes=("n", "h", "k"), hidden="f"), "1") is None
    assert curves(Network(sizes=("n", "h", "k")), "2") is None


def test_a_network_of_layers_shows_the_curve_of_its_last_layer() -> None:
    assert curves(Network(sizes=("n", "h", "k"))) == curves(Network())
