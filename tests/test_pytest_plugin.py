from __future__ import annotations

import numpy as np
import pytest

from backproof.pytest_plugin import Backproof, assert_gradient

W = np.array([0.3, -1.2, 0.7])


def loss(w):
    return np.sum(np.tanh(w))


def test_a_right_gradient_passes():
    assert assert_gradient(lambda w: 1 - np.tanh(w) ** 2, forward=loss, inputs=(W,)).ok


def test_the_failure_is_the_diagnosis():
    with pytest.raises(AssertionError, match="missing-slope"):
        Backproof().assert_gradient(lambda w: np.ones(3), forward=loss, inputs=(W,))
