from __future__ import annotations

import numpy as np
import pytest

from backproof.calculus.network import Network
from backproof.errors import NetworkError, UnknownNameError
from backproof.web.training import runs, train


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    (run, _) = runs(Network(), "half-mse", "usual")
    before = {name: value.copy() for name, value in run.weights.items()}
    loss = run.step(1.0)["J"]
    assert loss > 0
    moved = before["W(2)"] - run.weights["W(2)"]
    (other, _) = runs(Network(), "half-mse", "usual")
    for k in range(moved.shape[1]):
        values = []
        for h in (1e-6, -1e-6):
            other.weights = {name: value.copy() for name, value in before.items()}
            other.weights["W(2)"][0, k] += h
            values.append(other.step(1.0)["J"])
        assert moved[0, k] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-6)


def test_from_a_saturated_start_cross_entropy_learns_first() -> None:
    first, *events = train(Network(hidden="sigmoid"), "half-mse", "saturated", 1.0)
    assert first == {"network": "2-4-1", "equations": 14, "proved": 14, "soft": False}
    start, last = events[0], events[-1]
    assert start["runs"][0]["error"] == start["runs"][1]["error"]
    assert start["runs"][0]["deltas"][1] > 10 * start["runs"][1]["deltas"][1]
    middle = events[len(events) // 2]["runs"]
    assert middle[0]["error"] < middle[1]["error"]
    assert last["runs"][0]["error"] < 0.1


@pytest.mark.parametrize(
    ("network", "sizes"),
    [
        (Network(sizes=("n", "h", "k"), hidden="tanh"), "2-4-1"),
        (Network(sizes=("400", "25", "7", "10"), hidden="relu", layout="rows", l2="lambda"), "2-25-7-1"),
        (
            Network(
                ("n", "h", "h", "k"), symbolic_depth=True, hidden="tanh", output="softmax", loss="cross-entropy",
                reduction="mean-all", layout="rows-out-in", l2="0.01",
            ),
            "2-4-4-4-3",
        ),
    ],
)  # fmt: skip
def test_the_chosen_layers_are_trained_and_the_gradient_is_checked(network: Network, sizes: str) -> None:
    events = train(network, "half-mse", "usual", 0.1)
    first, second = next(events), next(events)
    assert first["network"] == sizes
    assert first["proved"] == first["equations"] == 2 * (3 * sizes.count("-") + 1)
    for run in second["runs"]:
        assert len(run["deltas"]) == sizes.count("-")
        exact, difference = run["check"]
        assert exact == pytest.approx(difference, rel=1e-5)


def test_delta_is_that_of_one_example_whatever_the_reduction() -> None:
    found = [
        next(iter(runs(Network(reduction=how), "half-mse", "usual"))).step(0.0)["deltas"]
        for how in ("none", "sum", "mean", "mean-all")
    ]
    for other in found[1:]:
        assert other == pytest.approx(found[0])


def test_three_classes() -> None:
    events = list(train(Network(output="softmax", loss="cross-entropy"), "half-mse", "usual", 1.0))
    assert events[-1]["runs"][0]["error"] < 0.05


def test_what_is_no_number_stops_and_says_so() -> None:
    network = Network(sizes=("n", "h", "k"), output="identity", loss="mse", hidden="identity")
    events = list(train(network, "half-mse", "usual", 50.0))
    stopped = events[-1]["runs"]
    assert all("stopped" in run for run in stopped)
    assert len(events) < 200
    assert not any(np.isnan(run.get("J", 0.0)) for event in events[1:] for run in event["runs"])


@pytest.mark.parametrize(
    ("output", "loss", "soft"),
    [("softmax", "kl", True), ("exp", "itakura-saito", True), ("softmax", "categorical-focal", False)],
)
def test_losses_without_a_value_at_zero_and_those_with_a_number_of_their_own(
    output: str, loss: str, soft: bool
) -> None:
    events = train(Network(output=output, loss=loss, hidden="tanh"), "half-mse", "usual", 0.1)
    assert next(events)["soft"] is soft
    for run in next(events)["runs"]:
        assert run["check"][0] == pytest.approx(run["check"][1], rel=1e-5)


@pytest.mark.parametrize(
    "network", [Network(output="f"), Network(sizes=("n", "h", "k"), hidden="g"), Network(loss="ell")]
)
def test_an_open_function_is_not_trained(network: Network) -> None:
    with pytest.raises(NetworkError):
        next(train(network, "half-mse", "usual", 1.0))


def test_an_unknown_loss_is_an_error() -> None:
    with pytest.raises(UnknownNameError):
        list(train(Network(), "nonsense", "usual", 1.0))
