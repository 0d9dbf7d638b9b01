"""The ledger: what is listed, what is discharged, and how it is written."""

from __future__ import annotations

from fractions import Fraction

from backproof.calculus.unfolding import unfold
from backproof.language.expression import Expr, Index, apply, fresh, max_over, power, sum_over, tensor
from backproof.language.program import Assumption, Program
from backproof.proof.axiomatic import Axiomatic
from backproof.proof.deciding import decide
from backproof.proof.ledger import readable, side_conditions
from backproof.proof.ranges import Ranges
from backproof.proof.verdict import Kind

i, j = Index("i", "n"), Index("j", "n")
u, v = tensor("u"), tensor("v")
PROGRAM = Program({"u": (), "v": (), "e": (), "x": ("n",), "A": ("n", "n")}, (), (Assumption("e", "positive"),))
RANGES = Ranges(Axiomatic(PROGRAM), PROGRAM.assumptions)


def listed(*formulas: Expr) -> dict[tuple[str, Expr | None], bool]:
    return {(c.kind, c.expr): c.discharged for c in side_conditions([unfold(f) for f in formulas], RANGES)}


def test_denominators() -> None:
    assert listed(1 / u, v / u) == {("nonzero", u): False}
    assert listed(1 / (u * v**2)) == {("nonzero", u): False, ("nonzero", v): False}
    assert listed(1 / (u**2 + tensor("e"))) == {("nonzero", u**2 + tensor("e")): True}


def test_roots_and_logs() -> None:
    half = Fraction(1, 2)
    assert listed(power(u, half)) == {("nonnegative", u): False}
    assert listed(power(u**2, half)) == {("nonnegative", u**2): True}
    assert listed(power(u, -half)) == {("positive", u): False}
    assert listed(apply("log", u)) == {("positive", u): False}
    assert list(listed(apply("log", apply("sigmoid", u))).values()) == [True, True]


def test_kinks() -> None:
    assert listed(apply("relu", u), apply("step", 3 * u)) == {("kink", u): False}
    assert listed(apply("step", apply("exp", u))) == {("kink", apply("exp", u)): True}
    x = tensor("x", i)
    assert listed(apply("step", max_over(j, tensor("x", j)) - x)) == {}


def test_indices_get_letters() -> None:
    x = tensor("x", i)
    assert list(listed(sum_over(i, 1 / x), 1 / tensor("x", j), sum_over(j, 1 / tensor("x", j)))) == [("nonzero", x)]
    assert readable(tensor("A", fresh(j), fresh(i))) == tensor("A", i, j)
    assert readable(tensor("A", j, i)) == tensor("A", i, j)


def test_a_proof_says_where_it_holds() -> None:
    verdict = decide(PROGRAM, 1 / u - 1 / v, (v - u) / (u * v))
    assert verdict.kind is Kind.PROVED
    assert {(c.kind, c.expr) for c in verdict.side_conditions} == {("nonzero", u), ("nonzero", v)}
    assert not verdict.open_conditions


def test_a_proof_without_conditions() -> None:
    verdict = decide(PROGRAM, apply("tanh", u), 2 * apply("sigmoid", 2 * u) - 1)
    assert verdict.kind is Kind.PROVED
    assert not verdict.side_conditions
    assert verdict.conditions
