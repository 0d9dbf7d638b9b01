"""Points in plain numbers: their values are those of the reference interpreter."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backproof import Network, catalog
from backproof.calculus.interpreter import evaluate_expr
from backproof.check.few_points import FewPoint, is_small
from backproof.check.names import program_of
from backproof.language.expression import Index, apply, delta, max_over, mul, num, power, sum_over, tensor
from backproof.language.program import Definition, Program

I, J = Index("i", "n"), Index("j", "n")
X, Y = tensor("x", I), tensor("x", J)
PROGRAM = Program({"x": ("n",), "c": ()}, (Definition("w", (I,), apply("exp", X)),))


@pytest.mark.parametrize(
    ("expr", "indices"),
    [
        (mul(tensor("c"), X) + 3, (I,)),
        (sum_over(J, mul(X, power(Y, 2))), (I,)),
        (mul(delta(I, J), X) - mul(X, Y), (I, J)),
        (mul(delta(I, J), X) - mul(X, Y), (J, I)),
        (max_over(J, Y) - X, (I,)),
        (apply("sigmoid", X, orders=(1,)), (I,)),
        (apply("gelu", X), (I,)),
        (apply("huber", X, tensor("c"), orders=(1, 0)), (I,)),
        (tensor("c"), (I,)),
        (tensor("w", I) - apply("exp", X), (I,)),
    ],
)
def test_values_are_those_of_the_interpreter(expr, indices):
    point = FewPoint(PROGRAM)
    row = point.row(expr, indices).values
    x, c = point.row(X, (I,)).values, point.row(tensor("c"), ()).values[0]
    known = {"x": np.array(x), "c": c, "w": np.exp(x)}
    expected = evaluate_expr(expr, known, indices=indices, sizes={"n": len(x)})
    assert np.allclose(row, np.asarray(expected, float).ravel(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("entry", [e for e in catalog.activations() if e.elementwise and not e.abstract])
def test_every_activation_has_its_value_and_slope(entry):
    point = FewPoint(PROGRAM)
    x = np.array(point.row(X, (I,)).values)
    for orders in ((0,), (1,)):
        expected = np.asarray(evaluate_expr(apply(entry.name, X, orders=orders), {"x": x}, indices=(I,)), float)
        row = np.array(point.row(apply(entry.name, X, orders=orders), (I,)).values)
        assert np.allclose(row, expected, rtol=1e-12, atol=1e-12, equal_nan=True)


def test_hyperparameters_have_the_values_of_the_point():
    program = Program({"x": ("n",), "kappa": ()}, (Definition("J", (), sum_over(J, apply("huber", Y, num(0)))),))
    point = FewPoint(program)
    x, kappa = point.row(X, (I,)).values, point.row(tensor("kappa"), ()).values[0]
    expected = sum(u * u / 2 if abs(u) <= kappa else kappa * (abs(u) - kappa / 2) for u in x)
    assert FewPoint(program).row(tensor("J"), ()).values[0] == pytest.approx(expected, rel=1e-12)


def test_what_has_no_value_is_not_a_number():
    point = FewPoint(PROGRAM)
    assert all(map(math.isnan, point.row(apply("log", -power(X, 2)), (I,)).values))
    assert all(map(math.isnan, point.row(power(X - X + tensor("c") - tensor("c"), -1), (I,)).values))


def test_a_unit_sum_is_kept():
    network = Network(output="softmax", loss="cross-entropy")
    point = FewPoint(program_of(network), network.admissible)
    (sort,) = network.program.sorts("y")
    index = Index("i", sort)
    assert sum(point.row(tensor("y", index), (index,)).values) == pytest.approx(1, abs=1e-12)


def test_matrices_are_not_small():
    assert is_small(program_of(Network(output="softmax", loss="cross-entropy")))
    assert not is_small(program_of(Network(("n", "h", "k"))))
