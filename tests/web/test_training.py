from __future__ import annotations

import numpy as np
import pytest

from backproof.errors import UnknownNameError
from backproof.web.training import runs, train


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    (run, _) = runs({"output": "sigmoid", "loss": "bce", "start": "usual"})
    before = {name: value.copy() for name, value in run.weights.items()}
    loss = run.step(1.0)["J"]
    assert loss > 0
    moved = before["W(2)"] - run.weights["W(2)"]
    for k in range(moved.shape[1]):
        values = []
        for h in (1e-6, -1e-6):
            (other, _) = runs({"output": "sigmoid", "loss": "bce", "start": "usual"})
            other.weights["W(2)"][0, k] += h
            values.append(other.step(1.0)["J"])
        assert moved[0, k] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-6)


def test_from_a_saturated_start_cross_entropy_learns_first() -> None:
    events = list(train({"loss": "bce", "other": "half-mse", "start": "saturated", "hidden": "tanh"}, 1.0))
    first, last = events[0], events[-1]
    assert first["runs"][0]["error"] == first["runs"][1]["error"]
    assert first["runs"][0]["deltas"][1] > 10 * first["runs"][1]["deltas"][1]
    middle = events[len(events) // 2]["runs"]
    assert middle[0]["error"] < middle[1]["error"]
    assert last["runs"][0]["error"] < 0.1


def test_three_classes() -> None:
    events = list(train({"output": "softmax", "loss": "cross-entropy", "other": "half-mse"}, 1.0))
    assert events[-1]["runs"][0]["error"] < 0.05


def test_what_is_no_number_stops_and_says_so() -> None:
    events = list(train({"output": "identity", "loss": "mse", "other": "half-mse", "hidden": "identity"}, 50.0))
    stopped = events[-1]["runs"]
    assert all("stopped" in run for run in stopped)
    assert len(events) < 200
    assert not any(np.isnan(run.get("J", 0.0)) for event in events for run in event["runs"])


def test_an_unknown_loss_is_an_error() -> None:
    with pytest.raises(UnknownNameError):
        list(train({"loss": "nonsense"}, 1.0))
