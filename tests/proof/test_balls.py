"""Balls: no value is never a number, roots and kinks, and exact derivatives of what stands for abstract functions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, ctx

from backproof.calculus.unfolding import derivative, unfold
from backproof.errors import UnknownNameError
from backproof.language.expression import Expr
from backproof.proof.balls import Balls, ball, differentiated, precision, shown, stand_in, stand_in_formula
from backproof.proof.evaluation import Model, Tape

HALF = Fraction(1, 2)


def failing() -> None:
    with precision(999):
        assert ctx.prec == 999
        raise RuntimeError


def test_precision_is_put_back() -> None:
    before = ctx.prec
    with pytest.raises(RuntimeError):
        failing()
    assert ctx.prec == before


@pytest.mark.parametrize(
    ("base", "exponent"),
    [(arb(-1), HALF), (arb(0), -HALF), (arb(0), Fraction(-1)), (arb(-8), Fraction(1, 3)), (arb("0 +/- 1"), HALF)],
)
def test_powers_without_value(base: arb, exponent: Fraction) -> None:
    assert not Balls().power(base, exponent).is_finite()


def test_powers() -> None:
    balls = Balls()
    assert balls.power(arb(-2), Fraction(3)).contains(-8)
    assert balls.power(arb(-2), Fraction(-2)).contains(arb(1) / 4)
    assert balls.power(arb(8), Fraction(-2, 3)).contains(arb(1) / 4)
    assert balls.power(arb(0), HALF) == 0


def test_log_and_step() -> None:
    balls, at_kinks = Balls(), Balls(kinks=True)
    log, step = balls.function("log", (0,)), balls.function("step", (0,))
    assert not log(arb(-1)).is_finite()
    assert not log(arb(0)).is_finite()
    assert step(arb(3)) == 1
    assert step(arb(-3)) == 0
    assert not step(arb(0)).is_finite()
    assert at_kinks.function("step", (0,))(arb(0)) == 0
    assert not balls.doubtful
    assert not step(arb("0 +/- 1e-30")).is_finite()
    assert balls.doubtful


def test_greatest() -> None:
    assert Balls().greatest([arb(1), arb(3), arb(2)]) == 1
    assert Balls().greatest([arb(3), arb(3)]) is None
    assert Balls().greatest([arb("nan"), arb(3)]) is None


def test_unknown_constants_and_slopes_are_refused() -> None:
    with pytest.raises(UnknownNameError):
        Balls().constant("tau")
    with pytest.raises(UnknownNameError):
        Balls().function("exp", (1,))


def test_shown_contains_the_ball() -> None:
    with precision(200):
        value = arb(2) / 3
        found = shown(value, 20)
        assert (arb(found.middle) + arb(f"0 +/- {found.radius}")).contains(value)
        assert shown(arb(7)).radius in ("0", "0e+0")


def test_differentiated() -> None:
    assert differentiated((Fraction(5),), 1) == (0,)
    assert differentiated((Fraction(0), Fraction(0), Fraction(0), Fraction(1)), 2) == (0, 6)


def evaluated(formula: Expr, **values: Fraction) -> arb:
    model = Model(Balls(), {})
    for name, value in values.items():
        model.set(name, (), [ball(value)])
    return model.run(Tape.of(formula))[0].entries[0]


@pytest.mark.parametrize("style", ["polynomial", "wave"])
@pytest.mark.parametrize("name", ["f", "g", "ell", "anything"])
def test_stand_ins_are_the_derivatives_of_their_formula(name: str, style: str) -> None:
    at = Fraction(-7, 8)
    formula = stand_in_formula(name, 1, style)
    with precision(120):
        for order in range(5):
            assert evaluated(formula, u=at).overlaps(stand_in(name, (order,), style)(ball(at)))
            formula = unfold(derivative(formula, "u"))


@pytest.mark.parametrize("style", ["polynomial", "wave"])
def test_stand_ins_of_two_arguments(style: str) -> None:
    a, b = Fraction(3, 8), Fraction(-5, 4)
    formula = stand_in_formula("ell", 2, style)
    mixed = unfold(derivative(derivative(formula, "u1"), "u2"))
    with precision(120):
        assert evaluated(formula, u1=a, u2=b).overlaps(stand_in("ell", (0, 0), style)(ball(a), ball(b)))
        assert evaluated(mixed, u1=a, u2=b).overlaps(stand_in("ell", (1, 1), style)(ball(a), ball(b)))


@pytest.mark.parametrize("style", ["polynomial", "wave"])
def test_stand_ins_do_not_vanish_where_claims_hide(style: str) -> None:
    for name in ("f", "g", "h", "ell", "psi"):
        f = stand_in(name, (0,), style)
        slope = stand_in(name, (1,), style)
        assert abs(f(arb(0))) > 0
        assert abs(slope(arb(0))) > 0
        assert abs(f(arb(1)) + f(arb(-1))) > 0
        assert abs(f(arb(1)) - f(arb(-1))) > 0
