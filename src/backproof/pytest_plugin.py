"""The pytest plugin: a fixture `backproof` with `assert_gradient`, whose failure message is the diagnosis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest

from backproof.check.code.verdicts import CodeReport

# As in check_gradient, whose module is imported late.
BUDGET: Final = 8.0
PATIENCE: Final = 60.0


class Backproof:
    """What the fixture offers: `assert_gradient` and `check_gradient`."""

    # What they need is imported when they are called: every run of pytest loads this file.
    @staticmethod
    def assert_gradient(
        backward: Any, *, forward: Any = None, inputs: Sequence[Any], budget: float = BUDGET, seconds: float = PATIENCE
    ) -> CodeReport:
        """Fail with the diagnosis unless every gradient is right; it takes what `backproof.check_gradient` takes."""
        __tracebackhide__ = True
        from backproof.check.code.asserting import assert_gradient

        return assert_gradient(backward, forward=forward, inputs=inputs, budget=budget, seconds=seconds)

    @staticmethod
    def check_gradient(
        backward: Any, *, forward: Any = None, inputs: Sequence[Any], budget: float = BUDGET, seconds: float = PATIENCE
    ) -> CodeReport:
        """The report on a backward function, without failing."""
        from backproof.check.code.judging import check_gradient

        return check_gradient(backward, forward=forward, inputs=inputs, budget=budget, seconds=seconds)


assert_gradient = Backproof.assert_gradient


@pytest.fixture(name="backproof", scope="session")
def backproof_fixture() -> Backproof:
    """Checks of hand-written gradients: `backproof.assert_gradient(backward, forward=loss, inputs=(…))`."""
    return Backproof()
