"""The plugin in a project of somebody: the fixture, the function, and the failure message, which is the diagnosis."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import backproof
from backproof.pytest_plugin import Backproof, assert_gradient

pytest_plugins = ["pytester"]

W = np.array([0.3, -1.2, 0.7])

PROJECT = """
    import numpy as np
    import backproof as package

    W = np.array([0.3, -1.2, 0.7])

    def loss(w):
        return np.sum(np.tanh(w))

    def right(w):
        return {"w": 1 - np.tanh(w) ** 2}

    def wrong(w):
        return {"w": np.ones(3)}

    def test_right(backproof):
        assert backproof.assert_gradient(right, forward=loss, inputs=(W,))["w"].verdict == "proved"

    def test_without_the_fixture():
        package.assert_gradient(right, forward=loss, inputs=(W,))

    def test_report(backproof):
        assert not backproof.check_gradient(wrong, forward=loss, inputs=(W,)).ok

    def test_wrong(backproof):
        backproof.assert_gradient(wrong, forward=loss, inputs=(W,))
"""


def loss(w):
    return np.sum(np.tanh(w))


def test_a_right_gradient_passes():
    assert assert_gradient(lambda w: 1 - np.tanh(w) ** 2, forward=loss, inputs=(W,)).ok


def test_the_failure_is_the_diagnosis():
    with pytest.raises(AssertionError, match="missing-slope"):
        Backproof().assert_gradient(lambda w: np.ones(3), forward=loss, inputs=(W,))


def test_all_doors_take_the_same():
    wanted = list(inspect.signature(backproof.check_gradient).parameters.values())
    for door in (backproof.assert_gradient, Backproof.assert_gradient, Backproof.check_gradient):
        assert list(inspect.signature(door).parameters.values()) == wanted


def test_a_project_of_somebody(pytester):
    pytester.makepyfile(PROJECT)
    loaded = [] if _is_installed() else ["-p", "backproof.pytest_plugin"]
    result = pytester.runpytest_inprocess("-q", *loaded)
    result.assert_outcomes(passed=3, failed=1)
    text = "\n".join(result.outlines)
    assert "likely cause, proved: missing-slope" in text
    assert "a gradient is not right" in text
    # The message is the diagnosis; no frame of the package is shown.
    assert "judging.py" not in text
    assert "asserting.py" not in text


def _is_installed():
    from importlib.metadata import entry_points

    return any(point.value == "backproof.pytest_plugin" for point in entry_points(group="pytest11"))
