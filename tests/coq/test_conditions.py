from __future__ import annotations

from backproof.coq.conditions import Condition, conditions, is_positive
from backproof.language.expression import apply, tensor

a, y, z = tensor("a"), tensor("y"), tensor("z")


def test_the_domain_of_a_loss_follows_its_argument():
    tanh = apply("tanh", z)
    assert conditions(apply("bce", tanh, y)) == (Condition("in-unit-interval", tanh),)


def test_a_kink_is_a_condition():
    assert conditions(apply("relu", z)) == (Condition("nonzero", z),)


def test_what_is_positive_at_sight_is_none():
    assert conditions(apply("softplus", z)) == ()
    assert conditions(apply("log", 1 + apply("exp", z) + z**2)) == ()
    assert not is_positive(z**2 - 1)
    assert not is_positive(a + y, frozenset({"a"}))


def test_no_condition_is_lost():
    assert set(conditions(apply("log", a) / y)) == {Condition("nonzero", y), Condition("positive", a)}
