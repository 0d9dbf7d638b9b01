from __future__ import annotations

import pytest
from language.formulas_to_print import n

from backproof.explain.speech import spoken
from backproof.language.notation import (
    Big,
    Call,
    Marked,
    Negative,
    Notation,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Relation,
    Symbol,
    Transposed,
)

A, Y = Symbol("a"), Symbol("y")
ERROR = Plus(((1, A), (-1, Y)))


@pytest.mark.parametrize(
    ("notation", "words"),
    [
        (Relation((Symbol("delta"), ERROR), ("=",)), "delta equals a minus y"),
        (Product("", (A, Plus(((1, n(1)), (-1, A))))), "a times the quantity 1 minus a, end"),
        (Quotient(ERROR, A), "the fraction a minus y over a, end of fraction"),
        (Quotient(n(1), Symbol("m")), "1 over m"),
        (Call(Symbol("sigma"), (Symbol("z"),), 1), "sigma prime of z"),
        (Power(A, n(2)), "a squared"),
        (Product("⊙", (A, Y)), "a elementwise times y"),
        (Transposed(Symbol("W", label=Number(n(2).value))), "W of layer 2 transposed"),
        (Big("sum", Y, ("k",)), "the sum over k of y"),
        (Marked(A, 1, struck=True), "cancelled factor number 1 a"),
        (Symbol("y", (Symbol("k"),), accent="hat"), "y hat sub k"),
    ],
)
def test_how_it_is_read_out(notation: Notation, words: str) -> None:
    assert spoken(notation) == words


def test_depth_is_no_limit() -> None:
    deep: Notation = A
    for _ in range(10_000):
        deep = Negative(deep)
    assert spoken(deep).count("minus") == 10_000
