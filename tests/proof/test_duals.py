"""Forward differentiation against slopes worked out by hand, and against wrong adjoints that it must catch."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from flint import arb
from proof.claims import CLAIMS

from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.errors import UnknownNameError
from backproof.language.expression import Expr, Index, apply, max_over, mul, num, power, sum_over, tensor
from backproof.language.program import Definition, Program
from backproof.proof.balls import precision
from backproof.proof.duals import Dual, Duals, check_slopes

i = Index("i", "n")
PROGRAMS = {id(c.program): (c.name, c.program) for c in CLAIMS}.values()


def with_adjoints(program: Program) -> Program:
    return program.extended(adjoints(program, "J").values())


def adjoined(program: Program) -> list[str]:
    return [d.name.removeprefix("∂J/∂") for d in program.definitions if d.name.startswith("∂")]


@pytest.mark.parametrize(
    ("name", "at", "slope"),
    [
        ("exp", Fraction(0), 1),
        ("log", Fraction(4), Fraction(1, 4)),
        ("sin", Fraction(0), 1),
        ("cos", Fraction(0), 0),
        ("atan", Fraction(2), Fraction(1, 5)),
        ("step", Fraction(3), 0),
    ],
)
def test_slopes_of_axioms(name: str, at: Fraction, slope: Fraction) -> None:
    duals = Duals("polynomial")
    moved = duals.number(at) + Dual(arb(0), arb(1))
    found = duals.function(name, (0,))(moved).slope
    assert found is not None
    assert (found - arb(slope.numerator) / slope.denominator).contains(0)


def test_slope_of_erf() -> None:
    with precision(100):
        found = Duals("polynomial").function("erf", (0,))(Dual(arb(1), arb(1))).slope
        assert found is not None
        assert found.overlaps(2 / arb.pi().sqrt() * arb(-1).exp())


@pytest.mark.parametrize("exponent", [Fraction(3), Fraction(-2), Fraction(1, 2), Fraction(-2, 3)])
def test_slopes_of_powers(exponent: Fraction) -> None:
    with precision(100):
        found = Duals("polynomial").power(Dual(arb(8), arb(3)), exponent).slope
        expected = (
            3
            * (arb(exponent.numerator) / exponent.denominator)
            * (arb(8).log() * (arb(exponent.numerator) / exponent.denominator - 1)).exp()
        )
        assert found is not None
        assert found.overlaps(expected)


def test_products() -> None:
    left, right = Dual(arb(2), arb(5)), Dual(arb(3), arb(7))
    product = left * right
    assert product.value == 6
    assert product.slope == 2 * 7 + 5 * 3
    assert (left * Dual(arb(3))).slope == 15
    assert (Dual(arb(2)) * Dual(arb(3))).slope is None


@pytest.mark.parametrize("program", [p for _, p in PROGRAMS], ids=[n for n, _ in PROGRAMS])
def test_the_reverse_sweep_agrees(program: Program) -> None:
    found = check_slopes(program, "J", adjoined(program))
    assert found
    assert all(opinion.agrees is True for opinion in found.values()), found


@pytest.mark.parametrize("program", [p for _, p in PROGRAMS], ids=[n for n, _ in PROGRAMS])
def test_wrong_adjoints_are_caught(program: Program) -> None:
    last = program.definitions[-1]
    for body in (mul(Fraction(9, 10), last.body), mul(-1, last.body), last.body + 1):
        wrong = replace(program, definitions=(*program.definitions[:-1], replace(last, body=body)))
        name = last.name.removeprefix("∂J/∂")
        assert check_slopes(wrong, "J", [name])[name].agrees is False


def loss(body: Expr, **inputs: tuple[str, ...]) -> Program:
    return with_adjoints(Program(inputs, (Definition("J", (), body),)))


@pytest.mark.parametrize(
    "body",
    [
        max_over(i, tensor("v", i)),
        apply("exp", max_over(i, tensor("v", i) ** 2)) * tensor("t"),
        apply("relu", tensor("t")) * apply("sigmoid", tensor("t")),
        power(sum_over(i, tensor("v", i) ** 2), Fraction(1, 2)),
        apply("ell", tensor("t"), sum_over(i, tensor("v", i))),
        sum_over(i, apply("gelu", tensor("v", i)) * apply("tanh", tensor("t"))),
    ],
    ids=["max", "max inside", "relu", "norm", "two arguments", "gelu"],
)
def test_kinds_of_nodes(body: Expr) -> None:
    program = loss(body, v=("n",), t=())
    found = check_slopes(program, "J", adjoined(program))
    assert found
    assert all(opinion.agrees is True for opinion in found.values()), found


def test_fixed_sizes_in_blocks() -> None:
    k = Index("k", "300")
    program = loss(sum_over(k, apply("sigmoid", tensor("w", k)) ** 2), w=("300",))
    assert check_slopes(program, "J", ["w"])["w"].agrees is True


def test_a_loss_without_value_is_said() -> None:
    program = loss(apply("log", -1 - tensor("t") ** 2), t=())
    assert check_slopes(program, "J", ["t"])["t"].agrees is None


def test_a_name_without_adjoint() -> None:
    program = loss(tensor("t") ** 2 + num(0), t=())
    with pytest.raises(UnknownNameError, match="no adjoint"):
        check_slopes(program, "J", ["w"])
    assert adjoint_name("J", "t") in program.by_name
