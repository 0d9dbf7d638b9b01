"""Functions that do not come to an end, or fail: a report with the line, within a limit of time."""

from __future__ import annotations

import json
import math
import signal
import time
from pathlib import Path

import numpy as np
import pytest

import backproof
from backproof.check.code.limits import OverdueError, limited, line_in

W = np.array([0.3, -1.2, 0.7])


def loss(w):
    return np.sum(np.tanh(w))


def endless(w):
    while True:
        w = w + 0.0


def failing(w):
    raise ValueError("no gradient today")


def line_of(function, text):
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    start = function.__code__.co_firstlineno
    return next(k for k, row in enumerate(lines[start:], start + 1) if text in row)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system cannot interrupt")
def test_what_does_not_end_is_reported_with_its_line():
    started = time.perf_counter()
    report = backproof.check_gradient(endless, forward=loss, inputs=(W,), seconds=0.5)
    assert time.perf_counter() - started < 10
    (gradient,) = report.gradients
    assert gradient.verdict == "unread"
    assert "0.5 seconds" in gradient.because
    assert gradient.line in (line_of(endless, "while"), line_of(endless, "w = w"))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system cannot interrupt")
def test_a_limit_leaves_the_clock_as_it_was():
    before = signal.getsignal(signal.SIGALRM)
    with limited(30.0) as limit:
        assert limit is not None
        limit.extend(1.0)
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 60
        with limited(1.0) as inner:
            assert inner is None
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert signal.getsignal(signal.SIGALRM) == before
    assert not issubclass(OverdueError, Exception)


def test_a_failure_is_reported_with_its_line():
    report = backproof.check_gradient(failing, forward=loss, inputs=(W,))
    assert report["w"].line == line_of(failing, "raise")
    assert "no gradient today" in report["w"].because


def test_no_line_of_other_files():
    assert line_in(None, {"a.py"}) is None


def test_a_gradient_of_zero_has_no_relative_deviation_in_json():
    report = backproof.check_gradient(lambda w: np.ones(3), forward=lambda w: np.sum(0 * w), inputs=(W,))
    assert math.isinf(report.gradients[0].deviation.relative)

    def refuse(constant):
        raise ValueError(constant)

    data = json.loads(json.dumps(report.data()), parse_constant=refuse)
    assert data["claims"][0]["deviation"]["relative"] is None
