"""Balls as people read them, and which conditions are shown."""

from __future__ import annotations

from fractions import Fraction

import pytest

from backproof.language.expression import tensor
from backproof.language.program import Assumption
from backproof.proof.verdict import Ball, Condition, Kind, Verdict


@pytest.mark.parametrize(
    ("middle", "radius", "shown"),
    [
        ("0.333333333333333", "1e-16", "0.333333"),
        ("-2.5", "0", "-2.5"),
        ("1e-40", "2e-40", "0"),
        ("0", "0", "0"),
        ("1.48337123e-307", "1e-330", "1.48337e-307"),
        ("-4.2e-3000", "1e-3030", "-4.2e-3000"),
    ],
)
def test_ball_in_brief(middle: str, radius: str, shown: str) -> None:
    assert Ball(middle, radius).brief() == shown


def test_conditions_are_told_apart() -> None:
    unit = Condition.of(Assumption("y", "unit-sum", axis=0))
    fixed = Condition.of(Assumption("tau", "equals", value=Fraction(1)))
    domain = Condition("nonzero", tensor("a"))
    always = Condition("positive", tensor("e"), discharged=True)
    verdict = Verdict(Kind.PROVED, (unit, fixed, domain, always))
    assert verdict.open_conditions == (unit, fixed)
    assert verdict.side_conditions == (domain,)
    assert fixed.value == 1
