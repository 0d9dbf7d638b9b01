"""MathML: only elements and attributes of MathML Core, well-formed, and the structure that a reader expects."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from explain.mathml_core import core
from hypothesis import given, settings
from hypothesis import strategies as st
from language.formulas_to_print import n

from backproof.errors import LimitError
from backproof.explain.mathml import formula, presentation
from backproof.language.notation import (
    Absolute,
    Big,
    Bracketed,
    Call,
    Cases,
    Derivative,
    Entry,
    Indicator,
    Marked,
    Matrix,
    Negative,
    Norm,
    Notation,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Relation,
    Symbol,
    Transposed,
    Words,
)

A, Y = Symbol("a"), Symbol("y")

LETTERS = st.sampled_from(["a", "z", "W1", "delta", "Sigma", "softmax", "ell", "<", "&", "x_y"])
LEAVES = st.one_of(
    st.builds(Number, st.fractions(-3, 3, max_denominator=7)),
    st.builds(Symbol, LETTERS, accent=st.sampled_from([None, "hat", "bar", "vec"]), star=st.sampled_from(["", "*"])),
    st.builds(Words, st.text(st.characters(codec="utf-8", exclude_categories=("C",)), max_size=5)),
)


def grown(inner: st.SearchStrategy[Notation]) -> st.SearchStrategy[Notation]:
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    two = st.lists(inner, min_size=2, max_size=3).map(tuple)
    signed = st.tuples(st.sampled_from([1, -1]), inner)
    optional = st.one_of(st.none(), inner)
    return st.one_of(
        st.builds(Symbol, LETTERS, some, optional),
        st.builds(Negative, inner),
        st.builds(Plus, st.lists(signed, min_size=2, max_size=3).map(tuple)),
        st.builds(Product, st.sampled_from(["", "*", "·", "×", "⊙", "@", "⊗"]), two),
        st.builds(Quotient, inner, inner),
        st.builds(Power, inner, inner),
        st.builds(Transposed, inner),
        st.builds(Call, st.builds(Symbol, LETTERS), some, st.integers(0, 2), optional),
        st.builds(
            Derivative,
            optional,
            inner,
            st.sampled_from(["partial", "total", "nabla", "prefix"]),
            st.integers(1, 2),
        ),
        st.builds(Big, st.sampled_from(["sum", "mean", "max", "min", "prod"]), inner, st.just(("k",)), optional),
        st.builds(Big, st.sampled_from(["sum", "mean"]), inner),
        st.tuples(inner, inner).map(lambda sides: Relation(sides, ("≤",))),
        st.builds(Indicator, inner),
        st.lists(st.tuples(inner, optional), min_size=1, max_size=2).map(lambda rows: Cases(tuple(rows))),
        st.builds(Entry, inner, some),
        st.builds(Absolute, inner),
        st.builds(Norm, inner),
        st.tuples(inner, inner).map(lambda row: Matrix((row, row))),
        st.builds(Bracketed, inner),
        st.builds(Marked, inner, st.integers(0, 30), st.booleans()),
    )


def checked(notation: Notation) -> ET.Element:
    return core(formula(notation))


@given(st.recursive(LEAVES, grown, max_leaves=12))
@settings(max_examples=150, deadline=None)
def test_every_notation_is_well_formed_core(notation: Notation) -> None:
    checked(notation)


def words(markup: str) -> str:
    return "".join(ET.fromstring(markup).itertext()).replace("\u2062", "").replace("\u2061", "")


@pytest.mark.parametrize(
    ("notation", "text"),
    [
        (Plus(((1, A), (-1, Y))), "a−y"),
        (Product("⊙", (Symbol("delta"), Call(Symbol("sigma"), (Symbol("z"),), 1))), "δ⊙σ′(z)"),
        (Product("", (A, Plus(((1, n(1)), (-1, A))))), "a(1−a)"),
        (Symbol("y", accent="hat"), "yˆ"),
        (Negative(Plus(((1, A), (1, Y)))), "−(a+y)"),
        (Symbol("loss"), "loss"),
        (Words("if & only if <"), "if & only if <"),
    ],
)
def test_what_is_read(notation: Notation, text: str) -> None:
    assert words(presentation(notation)) == text


def test_a_fraction_needs_no_brackets() -> None:
    root = checked(Quotient(Plus(((1, A), (-1, Y))), A))
    (fraction,) = root
    assert fraction.tag == "mfrac"
    assert "(" not in "".join(fraction.itertext())


def test_a_layer_and_a_transpose_stand_on_one_level() -> None:
    root = checked(Transposed(Symbol("W", label=Number(n(2).value))))
    (raised,) = root
    assert raised.tag == "msup"
    assert [c.tag for c in raised] == ["mi", "mrow"]
    assert "".join(raised[1].itertext()) == "(2)⊤"


def test_a_power_of_an_indexed_name_has_both_scripts() -> None:
    (both,) = checked(Power(Symbol("a", (Symbol("k"),)), n(2)))
    assert [c.tag for c in both] == ["mi", "mrow", "mrow"]


def test_sums_have_their_limits_below() -> None:
    root = checked(Big("sum", Y, ("k",)))
    assert root.find(".//munder/mo").text == "∑"  # type: ignore[union-attr]


def test_a_cancelled_factor_is_struck_with_its_number_beside() -> None:
    root = checked(Quotient(Marked(A, 2, struck=True), Marked(Plus(((1, n(1)), (-1, A))), 2, struck=True)))
    struck = root.findall(".//mrow[@class='struck']")
    assert ["".join(s.itertext()) for s in struck] == ["a", "1−a"]
    assert len(root.findall(".//mrow[@class='p2']")) == 2
    assert [t.text for t in root.findall(".//mtext[@class='pair']")] == ["②", "②"]


def test_words_for_people_who_hear() -> None:
    root = checked(Relation((Derivative(Symbol("J"), Symbol("z")), Marked(A, 1, struck=True)), ("=",)))
    assert root.get("alttext") == "d J by d z equals cancelled factor number 1 a"


def test_names_cannot_leave_their_element() -> None:
    root = checked(Product("", (Symbol('<script>"'), Words("</math><script>"))))
    assert root.findall(".//script") == []


def test_depth_is_no_limit() -> None:
    deep: Notation = A
    for _ in range(10_000):
        deep = Power(deep, n(2))
    with pytest.raises(LimitError):
        presentation(deep)
