"""The network of 10,285 parameters with the extra f′: found and named at the price of a few evaluations."""

from __future__ import annotations

import importlib.util
import statistics
import time
from pathlib import Path

import pytest

import backproof

PATH = Path(__file__).parents[3] / "bench" / "large_network.py"


@pytest.fixture(scope="module")
def network():
    spec = importlib.util.spec_from_file_location("large_network", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_extra_slope_is_named_in_few_evaluations(network):
    params, x, y = network.example("2000")
    assert sum(p.size for p in params.values()) == 10_285
    examples = 0

    def wrong(params, x, y):
        nonlocal examples
        examples += len(x)
        return network.wrong(params, x, y)

    def forward(params, x, y):
        nonlocal examples
        examples += len(x)
        return network.forward(params, x, y)

    report = backproof.check_gradient(wrong, forward=forward, inputs=(params, x, y))
    assert [g.verdict for g in report.gradients] == ["refuted", "refuted"]
    assert {g.mistakes[0].name for g in report.gradients} == {"extra-slope"}
    # Both functions together saw no more examples than in three evaluations.
    assert examples <= 3 * len(x)


@pytest.mark.slow
def test_the_verdict_takes_at_most_twenty_evaluations_of_the_gradient(network):
    inputs = network.example("5000")

    def seconds(function):
        started = time.process_time()
        function()
        return time.process_time() - started

    unit = statistics.median(seconds(lambda: network.wrong(*inputs)) for _ in range(9))
    check = lambda: backproof.check_gradient(network.wrong, forward=network.forward, inputs=inputs)  # noqa: E731
    assert min(seconds(check) for _ in range(4)) <= 20 * unit
