"""The small model: what plain small sizes miss, agreement in words, and its bounds."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from algebra.identities import ASSUMPTIONS, CLAIMS, SHAPES
from algebra.identities import Claim as Identity

from backproof.language.expression import Expr, Index, apply, delta, num, power, size, sum_over, tensor
from backproof.language.program import Assumption, Program
from backproof.proof.axiomatic import Axiomatic
from backproof.proof.small_model import SmallModel
from backproof.proof.verdict import Opinion

i, j, k = (Index(name, "n") for name in "ijk")
n = size("n")
PROGRAM = Axiomatic(Program(dict(SHAPES), (), ASSUMPTIONS))


def opinion(left: Expr, right: Expr, *assumptions: Assumption) -> Opinion:
    return SmallModel(PROGRAM, (*ASSUMPTIONS, *assumptions)).opinion(left, right, time.monotonic() + 20)


@pytest.mark.parametrize("claim", CLAIMS, ids=repr)
def test_identities(claim: Identity) -> None:
    # What differs only where a side has no value cannot be told apart by values.
    expected = claim.true or claim.name == "exp(log(relu x))"
    assert opinion(claim.left, claim.right).agrees is expected


@pytest.mark.parametrize("degree", range(1, 7))
def test_polynomials_in_the_size_that_vanish_at_small_sizes(degree: int) -> None:
    product: Expr = num(1)
    for root in range(1, degree + 1):
        product = product * (n - root)
    assert opinion(product, num(0)).agrees is False


def test_cayley_hamilton_of_a_smaller_size() -> None:
    def entry(a: Index, b: Index) -> Expr:
        return tensor("A", a, b)

    trace = sum_over(i, entry(i, i))
    squares = sum_over([i, j], entry(i, j) * entry(j, i))
    a, b = Index("a", "n"), Index("b", "n")
    left = sum_over(i, entry(a, i) * entry(i, b)) - trace * entry(a, b) + (trace**2 - squares) / 2 * delta(a, b)
    assert opinion(left, num(0)).agrees is False


def test_bounds() -> None:
    model = SmallModel(PROGRAM)
    x = tensor("x", i)
    assert model.bounds(sum_over(i, x), num(0)) == {"n": 2}
    cubed = power(sum_over(i, x), 3)
    assert model.bounds(cubed, num(0)) == {"n": 3}
    assert model.bounds(cubed * n, x) == {"n": 5}
    # 1/Σa − 1/Σb has the numerator Σb − Σa over two different denominators.
    one, other = power(sum_over(i, x), -1), power(sum_over(i, tensor("y", i)), -1)
    assert model.bounds(one + tensor("x", k), other) == {"n": 3}


def test_symmetric_and_one_hot_are_kept() -> None:
    a, b = tensor("A", i, j), tensor("A", j, i)
    assert opinion(a, b).agrees is False
    assert opinion(a, b, Assumption("A", "symmetric")).agrees is True
    x = tensor("x", i)
    left, right = sum_over(i, x) ** 2, sum_over(i, x**2)
    assert opinion(left, right).agrees is False
    assert opinion(left, right, Assumption("x", "unit-sum", axis=0), Assumption("x", "binary")).agrees is True


def test_branches_are_looked_at_from_both_sides() -> None:
    u = tensor("a0")
    assert opinion(power(u**2, Fraction(1, 2)), u).agrees is False
    assert opinion(apply("step", u) * u**3, u**2 * apply("step", u) * u).agrees is True


def test_fixed_sizes_keep_their_total() -> None:
    m = Index("m", "400")
    program = Axiomatic(Program({"w": ("400",)}))
    model = SmallModel(program)
    w = tensor("w", m)
    assert model.opinion(sum_over(m, w + 1), sum_over(m, w) + 400, time.monotonic() + 9).agrees is True
    assert model.opinion(sum_over(m, w + 1), sum_over(m, w) + 399, time.monotonic() + 9).agrees is False


def test_words() -> None:
    assert "n = 2" in opinion(sum_over(i, tensor("x", i)), sum_over(j, tensor("x", j))).words
    nowhere = opinion(apply("log", -1 - tensor("a0") ** 2), num(0))
    assert nowhere.agrees is None


def test_weights_are_those_of_sizes() -> None:
    # √(Σ w²) and Σ 1 ≥ 1 need weights above 0 with the right sum, also where there are many of them.
    m = Index("m", "9")
    w = tensor("w", m)
    root = power(sum_over(m, w**2), Fraction(1, 2))
    program = Axiomatic(Program({"w": ("9",), "x": ("n",)}))
    model = SmallModel(program)
    left = root**7 * sum_over(m, w) ** 6
    assert model.opinion(left, root * sum_over(m, w**2) ** 3 * sum_over(m, w) ** 6, time.monotonic() + 9).agrees is True
    assert opinion(apply("step", n - Fraction(1, 2)), num(1)).agrees is True


def test_zeros_agree() -> None:
    x = tensor("x", i)
    masked = opinion(tensor("b0") * x, x * 0, Assumption("b0", "equals", value=Fraction(0)))
    assert masked.agrees is True
    assert "90 digits" in masked.words
