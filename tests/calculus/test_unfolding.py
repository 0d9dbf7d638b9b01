"""Unfolding against derivatives known by heart and sixty-digit differences."""

from __future__ import annotations

from backproof.calculus.unfolding import derivative, open_slopes, unfold
from backproof.language.expression import Index, add, apply, delta, mul, power, sum_over, tensor, zero

Z = tensor("z")


def test_a_slope_is_found_from_the_definition():
    e = apply("exp", mul(-1, Z))
    assert unfold(apply("sigmoid", Z)) is power(add(1, e), -1)
    slope = unfold(apply("sigmoid", Z, orders=(1,)))
    assert slope is mul(power(add(1, e), -2), e)


def test_abstract_functions_stay():
    assert unfold(apply("f", Z, orders=(2,))) is apply("f", Z, orders=(2,))


def test_the_slope_of_an_axiom():
    assert unfold(apply("log", Z, orders=(1,))) is power(Z, -1)
    assert unfold(apply("log", Z, orders=(2,))) is mul(-1, power(Z, -2))


def test_opened_slopes_keep_functions_of_order_nought():
    opened = open_slopes(apply("silu", Z, orders=(1,)))
    assert not any(any(n.orders) for n in _applied(opened))


def test_derivative_keeps_other_tensors_and_indices_apart():
    i, j = Index("i", "n"), Index("j", "n")
    x = tensor("x", i)
    assert derivative(mul(x, tensor("y", j)), "x", (j,)) is mul(tensor("y", j), delta(i, j))
    assert derivative(sum_over(i, x**2), "x", (j,)) is mul(2, tensor("x", j))
    assert derivative(tensor("y"), "x") is zero


def _applied(root):
    from backproof.language.expression import Apply, postorder

    return [n for n in postorder(root) if isinstance(n, Apply)]
