"""Evaluation entry by entry, over exact rationals, against values worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product

import pytest

from backproof.errors import LimitError
from backproof.language.expression import Expr, Index, add, apply, delta, max_over, mul, num, size, sum_over, tensor
from backproof.proof.evaluation import Model, Tape

i, j, k = (Index(name, "n") for name in "ijk")
r = Index("r", "m")
x = tensor("x", i)


class Exact:
    """Rational numbers; a maximum has a place unless there is a tie."""

    undefined = Fraction(-999)

    def number(self, value: Fraction | int) -> Fraction:
        return Fraction(value)

    def constant(self, name: str) -> Fraction:
        raise AssertionError(name)

    def power(self, base: Fraction, exponent: Fraction) -> Fraction:
        return base ** int(exponent)

    def function(self, name: str, orders: tuple[int, ...]) -> Callable[..., Fraction]:
        assert not any(orders)
        return {"step": lambda u: Fraction(int(u > 0)), "pair": lambda u, v: u - 2 * v}[name]

    def greatest(self, values: Sequence[Fraction]) -> int | None:
        top = max(values)
        return values.index(top) if values.count(top) == 1 else None


def value(
    expr: Expr, weights: dict[str, list[int]] | None = None, **tensors: tuple[tuple[str, ...], list[int]]
) -> list[Fraction]:
    weights = weights or {}
    exact = {s: [Fraction(w) for w in ws] for s, ws in weights.items()}
    sizes = {"n": 3, "m": 2} | {s: len(ws) for s, ws in weights.items()}
    model = Model(Exact(), sizes, exact, {s: sum(ws, Fraction(0)) for s, ws in exact.items()})
    for name, (sorts, entries) in tensors.items():
        model.set(name, sorts, [Fraction(q) for q in entries])
    (array,) = model.run(Tape.of(expr))
    return array.entries


X = (("n",), [1, 2, 4])
W = (("m", "n"), [1, 2, 3, 4, 5, 6])
A = (("n", "n"), [1, 2, 3, 4, 5, 6, 7, 8, 9])


def test_sums_products_and_sizes() -> None:
    assert value(sum_over(i, x**2) / size("n"), x=X) == [7]
    assert value(sum_over(i, tensor("W", r, i) * x), x=X, W=W) == [17, 38]
    assert value(add(x, mul(2, size("m"))), x=X) == [5, 6, 8]


def test_two_copies_of_one_axis() -> None:
    assert value(sum_over(i, tensor("A", i, i)), A=A) == [15]
    assert value(tensor("A", j, i) - tensor("A", i, j), A=A) == [0, 2, 4, -2, 0, 2, -4, -2, 0]
    assert value(sum_over([i, j], x * tensor("x", j)), x=X) == [49]


def test_kronecker_delta() -> None:
    assert value(sum_over(j, delta(i, j) * tensor("x", j)), x=X) == [1, 2, 4]
    assert value(delta(i, j)) == [1, 0, 0, 0, 1, 0, 0, 0, 1]


def test_functions_of_two_arguments() -> None:
    assert value(apply("pair", x, tensor("x", j)), x=X) == [a - 2 * b for a, b in product((1, 2, 4), repeat=2)]


def test_weights() -> None:
    # Blocks of 2, 1 and 3 equal entries: 1, 1, 2, 4, 4, 4.
    weights = {"n": [2, 1, 3]}
    assert value(sum_over(i, x**2), weights, x=X) == [2 + 4 + 48]
    assert value(size("n"), weights) == [6]
    assert value(sum_over(i, x - sum_over(j, tensor("x", j)) / size("n")), weights, x=X) == [0]


def test_maximum() -> None:
    assert value(max_over(i, x), x=X) == [4]
    assert value(max_over(i, tensor("W", r, i)), W=W) == [3, 6]
    assert value(max_over(i, x), x=(("n",), [4, 4, 1])) == [Exact.undefined]


@pytest.mark.parametrize("scale", [1, 2, -3])
def test_where_the_maximum_is_not(scale: int) -> None:
    top = max_over(j, scale * tensor("x", j))
    indicator = apply("step", top - scale * x)
    assert value(indicator, x=X) == ([1, 1, 0] if scale > 0 else [0, 1, 1])
    assert value(apply("step", -(scale * x) + top), x=X) == value(indicator, x=X)


def test_where_the_maximum_of_rows_is_not() -> None:
    top = max_over(j, tensor("W", r, j))
    assert value(apply("step", top - tensor("W", r, i)), W=W) == [1, 1, 1, 1, 0, 0]  # axes i, r


def test_depth_cannot_break_it() -> None:
    deep: Expr = tensor("u")
    for _ in range(10_000):
        deep = (deep + 1) * num(-1) + tensor("u")
    assert len(value(deep, u=((), [3]))) == 1


def test_too_many_entries_are_refused() -> None:
    model = Model(Exact(), {"n": 400})
    with pytest.raises(LimitError, match="too many entries"):
        model.run(Tape.of(delta(i, j) * delta(j, k)))


def test_the_deadline_is_kept() -> None:
    model = Model(Exact(), {"n": 100})
    model.deadline = 0.0
    with pytest.raises(LimitError, match="too long"):
        model.run(Tape.of(delta(i, j)))


def test_tape_says_what_it_needs() -> None:
    tape = Tape.of(sum_over(i, apply("f", x) * size("m")), delta(r, Index("s", "m")))
    assert tape.names == {"x"}
    assert tape.sorts == {"n", "m"}
    assert tape.deltas == {"m"}
    assert tape.functions == {("f", 1)}
    assert not tape.branches
    assert Tape.of(apply("step", x)).branches
