"""Candidates for hidden conditions, which of them are told, and what is read off factors."""

from __future__ import annotations

import time
from fractions import Fraction

from backproof.algebra import Algebra
from backproof.language.expression import Index, apply, num, size, sum_over, tensor
from backproof.language.program import Assumption, Program
from backproof.proof.axiomatic import Axiomatic
from backproof.proof.conditions import candidates, factors, search, size_conditions
from backproof.proof.deciding import decide
from backproof.proof.ranges import Ranges
from backproof.proof.verdict import Budget, Kind

i = Index("i", "n")
u, t = tensor("u"), tensor("t")
n = size("n")
PROGRAM = Program({"u": (), "t": (), "y": ("n",), "A": ("n", "n"), "W": ("m", "n"), "T": ("n", "n", "n")})
SOON = 60.0


def soon() -> float:
    return time.monotonic() + SOON


def test_candidates() -> None:
    found = candidates(PROGRAM, ["u", "y", "A", "W", "T"], (Assumption("y", "binary"),), signs=False)
    said = {(a.tensor, a.property, a.axis, a.value) for a in found}
    assert ("u", "equals", None, Fraction(0)) in said
    assert ("u", "positive", None, None) in said
    assert ("y", "unit-sum", 0, None) in said
    assert ("y", "binary", None, None) not in said
    assert ("A", "symmetric", None, None) in said
    assert {a.property for a in found if a.tensor == "W"} == {"unit-sum", "binary"}
    assert not [a for a in found if a.tensor == "T"]
    assert any(a == Assumption("y", "positive") for a in candidates(PROGRAM, ["y"], (), signs=True))


def test_single_conditions_come_before_pairs() -> None:
    one, other = Assumption("y", "unit-sum", axis=0), Assumption("y", "binary")
    assert len(search([one, other], lambda _: True, soon())) == 2
    (pair,) = search([one, other], lambda chosen: len(chosen) == 2, soon())
    assert [c.assumption for c in pair] == [one, other]
    assert search([one, other], lambda _: False, soon()) == ()


def test_points_are_no_conditions() -> None:
    zero, one = (Assumption(name, "equals", value=Fraction(1)) for name in "ut")
    assert search([zero, one], lambda chosen: len(chosen) == 2, soon()) == ()


def test_a_case_of_a_sign_is_not_told_beside_it() -> None:
    one, positive = Assumption("u", "equals", value=Fraction(1)), Assumption("u", "positive")
    assert [c.assumption for (c,) in search([one, positive], lambda _: True, soon())] == [positive]


def test_the_deadline_is_kept() -> None:
    assert search([Assumption("u", "positive")], lambda _: True, 0.0) == ()


def test_factors() -> None:
    ranges = Ranges(Axiomatic(PROGRAM))
    assert set(factors(apply("exp", u) * (n - 1) * (t - 2), Algebra(), ranges)) == {n - 1, t - 2}
    assert factors(u + t, Algebra(), ranges) == ()


def test_sizes_are_read_off_factors() -> None:
    parts = (n - 1, 2 * n - 6, 3 * n - 2, n + 4, u - 1, n - t)
    assert [(c.expr, c.value) for (c,) in size_conditions(parts)] == [(n, 1), (n, 3)]


def test_conditions_are_sufficient_and_needed() -> None:
    y = tensor("y", i)
    verdict = decide(PROGRAM, u * sum_over(i, y), u)
    assert verdict.kind is Kind.REFUTED
    told = [[c.assumption for c in conditions] for conditions in verdict.hidden_conditions]
    assert [Assumption("y", "unit-sum", axis=0)] in told
    for conditions in told:
        chosen = [a for a in conditions if a is not None]
        assert decide(PROGRAM, u * sum_over(i, y), u, assumptions=chosen).kind is Kind.PROVED


def test_no_search_without_time() -> None:
    verdict = decide(PROGRAM, u * t, u, budget=Budget(condition_seconds=0))
    assert verdict.kind is Kind.REFUTED
    assert verdict.hidden_conditions == ()
    assert decide(PROGRAM, u * t, u).hidden_conditions
    assert decide(PROGRAM, u + 1, u + num(2)).hidden_conditions == ()
