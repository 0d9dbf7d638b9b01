from __future__ import annotations

import random
from fractions import Fraction

import pytest
from algebra.evaluation import differ, sample
from algebra.generating import Generator, I, J
from algebra.identities import A, S, a0, ab, ex, i, j, k, lg, relu, sg, sp, sq, step, x, y, z

from backproof.algebra import Algebra, Limits, OutOfBudget, Undefined
from backproof.errors import DomainError
from backproof.language.expression import Expr, Exprlike, lift, mul, tensor
from backproof.language.program import Assumption

UNIT = Assumption("y", "unit-sum")
BINARY = Assumption("y", "binary")
SIGN = Assumption("y", "plus-minus-one")
SYMMETRIC = Assumption("A", "symmetric")
b0 = tensor("b0")

CASES: dict[str, tuple[tuple[Assumption, ...], Exprlike, Exprlike]] = {
    "unit sum": ((UNIT,), S(i, y[i]), 1),
    "unit sum, two factors": ((UNIT,), S([i, j], y[i] * y[j] * x[j]), S(j, y[j] * x[j])),
    "unit sum in rows": ((Assumption("A", "unit-sum", 1),), S([i, j], A[i, j] * x[i]), S(i, x[i])),
    "unit sum in columns": ((Assumption("A", "unit-sum", 0),), S([i, j], A[i, j] * x[j]), S(j, x[j])),
    "binary": ((BINARY,), y[i] ** 2, y[i]),
    "binary in a function": ((BINARY,), ex(y[i] * x[i]), y[i] * ex(x[i]) + 1 - y[i]),
    "binary and a step": ((BINARY,), step(y[i]), y[i]),
    "binary, the other": ((BINARY,), relu(y[i] - Fraction(1, 2)), y[i] / 2),
    "one-hot": ((UNIT, BINARY), S(i, x[i] * y[i]) ** 2, S(i, x[i] ** 2 * y[i])),
    "one-hot, function": (
        (UNIT, BINARY),
        ex(S(i, x[i] * y[i])) * 0 + S(i, y[i] * ex(x[i])) ** 2,
        S(i, y[i] * ex(2 * x[i])),
    ),
    "one-hot, square of the sum": ((UNIT, BINARY), S(i, y[i] ** 2), S(i, y[i]) ** 2),
    "signs": ((SIGN,), y[i] ** 3, y[i]),
    "signs in a logistic loss": ((SIGN,), -y[i] * sg(-y[i] * z[i]), sg(z[i]) - (1 + y[i]) / 2),
    "signs in softplus": ((SIGN,), sp(-y[i] * z[i]), sp(z[i]) - (1 + y[i]) / 2 * z[i]),
    "symmetric": ((SYMMETRIC,), S(j, A[i, j] * x[j]), S(j, A[j, i] * x[j])),
    "symmetric, trace": ((SYMMETRIC,), S([i, j], A[i, j] ** 2), S([i, j], A[i, j] * A[j, i])),
    "equals": ((Assumption("a0", "equals", value=Fraction(2)),), a0 * x[i], 2 * x[i]),
    "positive": ((Assumption("a0", "positive"),), relu(a0 * z[i]), a0 * relu(z[i])),
    "positive, root": ((Assumption("a0", "positive"),), sq(a0 * a0 * b0 * b0), a0 * ab(b0)),
    "nonzero": ((Assumption("a0", "nonzero"),), step(a0**2), 1),
    "between 0 and 1": ((Assumption("a0", "in-unit-interval"),), step(1 - a0), 1),
    "between 0 and 1, logs": ((Assumption("a0", "in-unit-interval"),), ex(lg(1 - a0) + lg(a0)), a0 * (1 - a0)),
}


@pytest.mark.parametrize("name", CASES)
def test_only_under_the_assumption(name: str):
    assumptions, left, right = CASES[name]
    assert Algebra(assumptions).equal(lift(left), lift(right))


@pytest.mark.parametrize("name", [c for c in CASES if c not in ("nonzero", "between 0 and 1, logs")])
def test_not_without(name: str):
    _, left, right = CASES[name]
    assert not Algebra().equal(lift(left), lift(right))


def test_another_tensor_is_untouched():
    assert not Algebra((UNIT,)).equal(S(i, x[i]), lift(1))
    assert not Algebra((BINARY,)).equal(x[i] ** 2, x[i])
    assert not Algebra((SYMMETRIC,)).equal(tensor("B", i, j), tensor("B", j, i))


KINDS: dict[str, tuple[Assumption, ...]] = {
    "unit-sum": (Assumption("y", "unit-sum"), Assumption("e", "positive")),
    "symmetric": (Assumption("A", "symmetric"), Assumption("e", "in-unit-interval")),
    "one-hot": (Assumption("y", "unit-sum"), Assumption("y", "binary"), Assumption("e", "positive")),
}


def one_hot(size: int, rng: random.Random) -> dict[tuple[int, ...], Fraction]:
    chosen = rng.randrange(size)
    return {(k,): Fraction(k == chosen) for k in range(size)}


def check(seed: str, kind: str) -> tuple[Expr, bool | None]:
    """A random formula under assumptions against its normal form, at data that meet them."""
    rng = random.Random(seed)
    make = Generator(rng)
    scope = rng.choice([[], [I], [I, J]])
    formula = make.formula(rng.choice([3, 4, 5]), scope)
    if rng.random() < 0.5:
        formula = formula * S(k, mul(tensor("y", k), make.formula(2, [*scope, k])))
    algebra = Algebra(KINDS[kind], limits=Limits(seconds=2))
    back = algebra.expression(algebra.normal(formula))
    result = None
    for sizes in ({"n": 2, "m": 2}, {"n": 3, "m": 1}, {"n": 1, "m": 1}):
        kinds = {"e": "in-unit-interval", "y": "unit-sum", "A": "symmetric"} if kind != "one-hot" else {"e": "positive"}
        data = dict(sample(SHAPES, sizes, rng, kinds))
        if kind == "one-hot":
            data["y"] = one_hot(sizes["n"], rng)
        found = differ(formula, back, sizes, data, strict=(True, False))
        if found:
            return formula, True
        result = result if found is None else found
    return formula, result


SHAPES = {
    "x": ("n",),
    "y": ("n",),
    "A": ("n", "n"),
    "W": ("m", "n"),
    "h": ("m",),
    "u": (),
    "e": (),
    "b": ("n",),
    "q": ("n",),
}


@pytest.mark.parametrize("kind", KINDS)
def test_random_formulas_keep_their_value(kind: str):
    agreed = 0
    for number in range(40):
        try:
            formula, wrong = check(f"{kind}-{number}", kind)
        except (DomainError, OutOfBudget, Undefined):
            continue
        assert not wrong, formula
        agreed += wrong is False
    assert agreed > 25
