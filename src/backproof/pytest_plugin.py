"""The pytest plugin: a fixture `backproof` and `assert_gradient`, whose failure message is the diagnosis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from backproof.check.code.verdicts import CodeReport


def assert_gradient(backward: Any, *, forward: Any = None, inputs: Sequence[Any]) -> CodeReport:
    """Fail the test unless every gradient that `backward` gives is that of the loss that `forward` gives, at `inputs`.

    Both may be whatever `backproof.check_gradient` takes. Raises AssertionError with the diagnosis for a wrong
    gradient, and for one that could not be judged.
    """
    __tracebackhide__ = True
    from backproof.check.code.judging import check_gradient

    report = check_gradient(backward, forward=forward, inputs=inputs)
    if not report.ok:
        raise AssertionError("a gradient is not right\n" + str(report))
    return report


class Backproof:
    """What the fixture offers: `assert_gradient` and `check_gradient`."""

    assert_gradient = staticmethod(assert_gradient)

    @staticmethod
    def check_gradient(backward: Any, *, forward: Any = None, inputs: Sequence[Any]) -> CodeReport:
        """The report on a backward function, without failing."""
        from backproof.check.code.judging import check_gradient

        return check_gradient(backward, forward=forward, inputs=inputs)


@pytest.fixture(name="backproof", scope="session")
def backproof_fixture() -> Backproof:
    """Checks of hand-written gradients: `backproof.assert_gradient(backward, forward=loss, inputs=(…))`."""
    return Backproof()
