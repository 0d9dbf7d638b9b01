from __future__ import annotations

from backproof.language.expression import Index, apply, sum_over, tensor
from backproof.language.walks import inline

u, x, y = tensor("u"), tensor("x"), tensor("y")
i = Index("i", "n")


def test_a_value_may_be_the_negative_of_its_own_name() -> None:
    assert inline(apply("exp", -u), {"u": ((), -u)}) is apply("exp", u)
    assert inline(u - 1, {"u": ((), u + 1)}) is u
    assert inline(2 * u, {"u": ((), u / 2)}) is u


def test_names_are_replaced_at_once() -> None:
    assert inline(x - y, {"x": ((), y), "y": ((), x)}) is y - x
    assert inline(-x + y, {"x": ((), -y), "y": ((), -x)}) is y - x


def test_a_value_inside_a_sum_goes_to_its_index() -> None:
    body = sum_over(i, tensor("v", i) * -1)
    assert inline(body, {"v": ((i,), -tensor("v", i))}) is sum_over(i, tensor("v", i))
