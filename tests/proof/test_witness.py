"""Witnesses against values worked out by hand, and the points that must be left out."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest

from backproof.language.expression import Expr, Index, apply, delta, power, sum_over, tensor
from backproof.language.program import Assumption, Definition, Program
from backproof.proof.axiomatic import Axiomatic
from backproof.proof.points import TRIES
from backproof.proof.witness import Refuter, Search, Sides

i, j = Index("i", "n"), Index("j", "n")
u = tensor("u")
ALL = range(len(TRIES))


def search(
    left: Expr, right: Expr, program: Program | None = None, *assumptions: Assumption, kinks: bool = False
) -> Search:
    program = program or Program({"u": (), "v": ("n",), "A": ("n", "n")})
    refuter = Refuter(Axiomatic(program), (*program.assumptions, *assumptions), kinks=kinks)
    return refuter.search(Sides.of(left, right), ALL, time.monotonic() + 20)


def test_a_witness_by_hand() -> None:
    found = search(u**2, 2 * u).witness
    assert found is not None
    value = found.inputs["u"]
    assert isinstance(value, Fraction)
    assert Fraction(found.left.middle) == value**2
    assert Fraction(found.right.middle) == 2 * value
    assert found.left.radius == found.right.radius == "0"


def test_equal_sides_have_no_witness() -> None:
    found = search(apply("exp", 2 * u), apply("exp", u) ** 2)
    assert found.witness is None
    assert found.compared == len(ALL)


def test_tiny_differences_are_found() -> None:
    found = search(apply("exp", u), apply("exp", u) * (1 + Fraction(1, 10**30)))
    assert found.witness is not None


def test_differences_below_the_precision_need_more_of_it() -> None:
    # ((1 + t) − 1) − t with t = 10^−80 is 0; with 10^−81 more it is not. 160 bits see neither.
    big = apply("exp", u) * 10**70
    assert search(big + Fraction(1, 10**20) - big, 0 * u + Fraction(1, 10**20)).witness is None
    assert search(big + Fraction(1, 10**20) - big, 0 * u + Fraction(1, 10**21)).witness is not None


@pytest.mark.parametrize(
    "nowhere", [apply("log", -(u**2)), power(-1 - u**2, Fraction(1, 2)), 1 / (u - u), apply("log", u - u)]
)
def test_points_without_value_are_left_out(nowhere: Expr) -> None:
    found = search(nowhere, nowhere + 1)
    assert found.witness is None
    assert found.compared == 0
    assert found.nowhere


def test_kinks_are_left_out() -> None:
    # At the kink of relu(relu u), which is u < 0, the slope is a convention.
    relu = u * apply("step", u)
    left, right = apply("step", relu), 1 - apply("step", -relu)
    assert search(left, right).witness is None
    assert search(left, right, kinks=True).witness is not None


def test_sizes_and_index() -> None:
    found = search(tensor("A", i, j), tensor("A", j, i)).witness
    assert found is not None
    assert found.sizes == {"n": 2}
    assert found.index["i"] != found.index["j"]
    matrix = found.inputs["A"]
    assert isinstance(matrix, tuple)
    row = matrix[found.index["i"] - 1]
    assert isinstance(row, tuple)
    assert Fraction(found.left.middle) == row[found.index["j"] - 1]


def test_size_one_is_tried_first() -> None:
    found = search(sum_over(i, tensor("v", i)), 2 * sum_over(i, tensor("v", i))).witness
    assert found is not None
    assert found.sizes == {"n": 1}


def test_assumptions_are_kept() -> None:
    matrix = tensor("A", i, j)
    assert search(matrix, tensor("A", j, i), None, Assumption("A", "symmetric")).witness is None
    assert search(sum_over(i, tensor("v", i)), 1 + 0 * u, None, Assumption("v", "unit-sum", axis=0)).witness is None


def test_abstract_functions_are_reported() -> None:
    found = search(apply("f", u, orders=(1,)), apply("f", u)).witness
    assert found is not None
    assert set(found.functions) == {"f"}


def test_large_fixed_sizes_come_in_blocks() -> None:
    k = Index("k", "512")
    program = Program({"w": ("512",)})
    found = search(sum_over(k, tensor("w", k)), 511 * tensor("w", k), program).witness
    assert found is not None
    lengths, entries = found.blocks["512"], found.inputs["w"]
    assert isinstance(entries, tuple)
    assert sum(lengths) == 512
    total = sum(n * q for n, q in zip(lengths, entries, strict=True) if isinstance(q, Fraction))
    assert Fraction(found.left.middle) == total


def test_fixed_sizes_with_a_delta_are_evaluated_whole() -> None:
    a, b = Index("a", "30"), Index("b", "30")
    program = Program({"w": ("30",)})
    found = search(delta(a, b) * tensor("w", a), tensor("w", a) * tensor("w", b), program).witness
    assert found is not None
    assert not found.blocks
    entries = found.inputs["w"]
    assert isinstance(entries, tuple)
    assert len(entries) == 30


def test_a_size_that_is_too_large_is_given_up() -> None:
    a, b = Index("a", "1000000"), Index("b", "1000000")
    found = search(delta(a, b), 2 * delta(a, b), Program())
    assert found.witness is None
    assert found.cut
    assert not found.nowhere


def test_a_point_where_the_loss_has_a_value_is_preferred() -> None:
    # J = log u has a value for u > 0 only; its slope 1/u everywhere.
    program = Program({"u": ()}, (Definition("J", (), apply("log", u)), Definition("∂J/∂u", (), 1 / u)))
    for wrong in (2 / u, 1 / u + 1, -1 / u):
        found = search(tensor("∂J/∂u"), wrong, program).witness
        assert found is not None
        value = found.inputs["u"]
        assert isinstance(value, Fraction)
        assert value > 0


def test_witnesses_are_repeatable() -> None:
    assert search(u**3, u).witness == search(u**3, u).witness
