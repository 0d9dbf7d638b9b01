"""The printed NumPy function against central differences of the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backproof.calculus.network import Network
from backproof.errors import ExportError
from backproof.explain.numpy_code import numpy_delta
from backproof.proof.derivation import derive


def delta(output: str, loss: str) -> Any:
    space: dict[str, Any] = {}
    exec(numpy_delta(derive(Network(output=output, loss=loss))), space)
    return space["delta"]


def test_sigmoid_with_bce_is_the_error() -> None:
    assert delta("sigmoid", "bce")(np.array([0.25]), np.array([1.0])) == np.array([-0.75])


def test_tanh_with_mse() -> None:
    z, y, h = np.array([0.3, -1.2]), np.array([1.0, 0.25]), 1e-6
    found = delta("tanh", "mse")(np.tanh(z), y)
    expected = ((np.tanh(z + h) - y) ** 2 - (np.tanh(z - h) - y) ** 2) / (2 * h)
    assert found == pytest.approx(expected, rel=1e-8)


def test_softmax_with_cross_entropy() -> None:
    a, y = np.array([[0.2, 0.3, 0.5]]), np.array([[0.0, 1.0, 0.0]])
    assert delta("softmax", "cross-entropy")(a, y) == pytest.approx(np.array([[0.2, -0.7, 0.5]]))


def test_an_open_function_has_no_code() -> None:
    with pytest.raises(ExportError):
        numpy_delta(derive(Network(output="f", loss="mse")))
