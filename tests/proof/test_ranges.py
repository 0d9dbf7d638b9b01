"""Ranges: every value that a formula takes lies in its range, and what must be seen to be positive is."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from algebra import evaluation
from algebra.generating import KINDS, SHAPES, Generator, I
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from backproof.calculus.unfolding import unfold
from backproof.language.expression import Expr, Index, apply, const, max_over, power, size, sum_over, tensor
from backproof.language.program import Assumption, Definition, Program
from backproof.proof.axiomatic import Axiomatic
from backproof.proof.ranges import INFINITY, Range, Ranges, Value, closed, plus, raised, times

i = Index("i", "n")
z, u = tensor("z", i), tensor("u")
ASSUMED = (
    Assumption("e", "positive"),
    Assumption("b", "binary"),
    Assumption("q", "plus-minus-one"),
    Assumption("y", "unit-sum", axis=0),
)
VIEW = Axiomatic(Program({"z": ("n",), "y": ("n",), "b": ("n",), "q": ("n",), "u": (), "e": ()}))
RANGES = Ranges(VIEW, ASSUMED)


def of(formula: Expr) -> Range:
    return RANGES.of(unfold(formula))


def sigmoid(e: Expr) -> Expr:
    return apply("sigmoid", e)


@pytest.mark.parametrize(
    "formula",
    [
        apply("exp", u),
        1 + apply("exp", u),
        sigmoid(u),
        1 - sigmoid(u),
        sigmoid(u) * (1 - sigmoid(u)),
        apply("softplus", u),
        1 - apply("tanh", u),
        1 + apply("tanh", u),
        sum_over(i, apply("exp", z)),
        apply("exp", z) / sum_over(i, apply("exp", z)),
        u**2 + tensor("e"),
        u * u + tensor("e"),
        power(sum_over(i, z**2) / size("n") + tensor("e"), Fraction(1, 2)),
        max_over(i, apply("exp", z)),
        size("n"),
        const("pi") - 3,
        4 - const("pi"),
        1 + apply("erf", u),
        2 + apply("sin", u),
        sum_over(i, tensor("y", i)),
        2 - tensor("b", i),
        apply("softplus", u) + 1,
    ],
    ids=repr,
)
def test_always_positive(formula: Expr) -> None:
    assert of(formula).positive


@pytest.mark.parametrize(
    "formula",
    [
        u,
        u**2,
        z - u,
        1 - apply("exp", u),
        size("n") - 1,
        apply("step", u),
        1 + apply("sin", u),
        power(u, Fraction(1, 2)),
        tensor("b", i),
        1 - apply("exp", z) / sum_over(i, apply("exp", z)),
        apply("f", u),
        tensor("y", i),
        apply("log", u),
    ],
    ids=repr,
)
def test_not_always_positive(formula: Expr) -> None:
    assert not of(formula).positive


def test_never_zero() -> None:
    assert RANGES.nonzero(tensor("q", i))
    assert RANGES.nonzero(-apply("exp", u))
    assert RANGES.nonzero(tensor("q", i) * apply("exp", u) * tensor("e"))
    assert not RANGES.nonzero(tensor("q", i) * u)
    assert not RANGES.nonzero(tensor("q", i) + 1)


def test_through_names() -> None:
    program = Program(
        {"z": ("n",)},
        (
            Definition("a", (i,), apply("sigmoid", z)),
            Definition("c", (), sum_over(i, tensor("a", i))),
            Definition("d", (), 1 - tensor("c")),
        ),
    )
    ranges = Ranges(Axiomatic(program))
    assert ranges.of(1 - tensor("a", i)).positive
    assert ranges.of(tensor("c")).positive
    assert not ranges.nonzero(tensor("d"))


def test_fixed_sizes() -> None:
    k = Index("k", "5")
    ranges = Ranges(Axiomatic(Program({"w": ("5",)})), (Assumption("w", "binary"),))
    assert ranges.of(sum_over(k, tensor("w", k))) == closed(Fraction(0), Fraction(5))


def contains(found: Range, value: arb) -> bool:
    """Whether the ball may lie in the range."""

    def certainly_above(end: Value) -> bool:
        return end != INFINITY and bool(value > _arb(end))

    def certainly_below(end: Value) -> bool:
        return end != -INFINITY and bool(value < _arb(end))

    return not certainly_above(found.high) and not certainly_below(found.low)


def _arb(value: Value) -> arb:
    if isinstance(value, Fraction):
        return arb(value.numerator) / value.denominator
    return arb("+inf") if value > 0 else arb("-inf")


ends = st.fractions(min_value=-4, max_value=4, max_denominator=4)


@st.composite
def ranges_with_a_value(draw: st.DrawFn) -> tuple[Range, Fraction]:
    low, value, high = sorted(draw(st.lists(ends, min_size=3, max_size=3)))
    kind = draw(st.integers(0, 2))
    bounded = closed(low, high)
    if kind == 1:
        return Range(low - 1, high + 1), value
    if kind == 2:
        return Range(low, INFINITY, low_closed=True), value
    return bounded, value


def inside(found: Range, value: Fraction) -> bool:
    above = found.low < value or (found.low == value and found.low_closed)
    return above and (value < found.high or (value == found.high and found.high_closed))


@given(ranges_with_a_value(), ranges_with_a_value(), st.integers(-3, 4))
def test_arithmetic_of_ranges(first: tuple[Range, Fraction], second: tuple[Range, Fraction], exponent: int) -> None:
    (a, p), (b, q) = first, second
    assert inside(a, p)
    assert inside(plus(a, b), p + q)
    assert inside(times(a, b), p * q)
    if exponent and (p or exponent > 0):
        assert inside(raised(a, Fraction(exponent)), p**exponent)


@settings(max_examples=150)
@given(st.integers(0, 10**6))
def test_values_of_random_formulas_are_in_their_range(seed: int) -> None:
    rng = random.Random(seed)
    formula = Generator(rng).formula(4, [I])
    view = Axiomatic(Program(SHAPES))
    found = Ranges(view, ASSUMED[:3]).of(formula)
    sizes = {"n": rng.randint(1, 3), "m": 2}
    tensors = evaluation.sample(SHAPES, sizes, rng, KINDS)
    for k in range(sizes["n"]):
        try:
            value = evaluation.value(formula, {I: k}, sizes, tensors)
        except evaluation.Nowhere:
            continue
        if value.is_finite():
            assert contains(found, value.real)
