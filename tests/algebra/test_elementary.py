from __future__ import annotations

from fractions import Fraction

import pytest
from algebra.identities import S, a0, b0, c0, ex, i, n, sq, x

from backproof.algebra import Algebra
from backproof.language.expression import Expr, apply, const, lift, num

pi = const("pi")


def sin(e: Expr) -> Expr:
    return apply("sin", e)


def cos(e: Expr) -> Expr:
    return apply("cos", e)


TRUE = {
    "triple angle": (sin(3 * a0), 3 * sin(a0) - 4 * sin(a0) ** 3),
    "product to sum": (2 * sin(a0) * cos(b0), sin(a0 + b0) + sin(a0 - b0)),
    "three angles": (cos(a0 + b0 + c0) + cos(a0 + b0 - c0), 2 * cos(a0 + b0) * cos(c0)),
    "fractions of angles": (cos(a0 / 3), 4 * cos(a0 / 9) ** 3 - 3 * cos(a0 / 9)),
    "half a turn": (sin(a0 + pi), -sin(a0)),
    "a whole turn": (cos(a0 - 2 * pi), cos(a0)),
    "tangent": (sin(2 * a0) / (1 + cos(2 * a0)), sin(a0) / cos(a0)),
    "inside a function of a sum": (S(i, 1 / (1 + sin(x[i]) ** 2 + cos(x[i]) ** 2)), n / 2),
    "exponents over three": (
        ex(1 / (a0 * (a0 + 1) * (a0 + 2))) ** 2,
        ex(1 / a0) / ex(1 / (a0 + 1)) ** 2 * ex(1 / (a0 + 2)),
    ),
    "exponents, symbolic": (ex(1 / (a0**2 - b0**2)) ** 2, (ex(1 / (b0 * (a0 - b0))) / ex(1 / (b0 * (a0 + b0))))),
    "exponents and a half": (ex(a0 / (2 * (1 + a0))), sq(ex(num(1))) / sq(ex(1 / (1 + a0)))),
}
FALSE = {
    "sine of a sum": (sin(a0 + b0), sin(a0) + sin(b0)),
    "cosine of a double angle": (cos(2 * a0), 1 - sin(a0) ** 2),
    "a third of a turn": (sin(a0 + pi / 3), cos(a0)),
    "sine of a product": (sin(a0 * b0), sin(a0) * sin(b0)),
    "exponents, sign": (ex(1 / (a0 * (a0 + 1))), ex(1 / a0) * ex(1 / (a0 + 1))),
}


@pytest.mark.parametrize("name", TRUE)
def test_true(name: str):
    left, right = TRUE[name]
    assert Algebra().equal(left, lift(right))


@pytest.mark.parametrize("name", FALSE)
def test_false(name: str):
    left, right = FALSE[name]
    assert not Algebra().equal(left, right)


def test_powers_of_numbers():
    algebra = Algebra()
    root = Fraction(1, 3)
    assert algebra.equal(lift(num(2)) ** root * lift(num(4)) ** root, num(2))
    assert algebra.equal(sq(num(Fraction(8, 9))), sq(num(2)) * Fraction(2, 3))
    assert not algebra.equal(sq(num(2)) + sq(num(3)), sq(num(5)))
