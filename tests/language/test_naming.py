"""Names of a program as people write them, and letters of indices."""

from __future__ import annotations

import pytest
from language.formulas_to_print import n, plus, s

from backproof.errors import LimitError
from backproof.language.expression import Index, sum_over, tensor
from backproof.language.naming import Letters, Names, base_of, function_symbol, symbol
from backproof.language.notation import Derivative, Notation, Symbol

NAMES = [
    ("W", s("W")),
    ("W(2)", s("W", label=n(2))),
    ("W(l+1)", s("W", label=plus(s("l"), n(1)))),
    ("z(L)", s("z", label=s("L"))),
    ("yhat", s("y", accent="hat")),
    ("x_bar", s("x", accent="bar")),
    ("W_xh", s("W", "xh")),
    ("z_2", Symbol("z", (n(2),))),
    ("λ", s("lambda")),
    ("what", s("w", accent="hat")),
    ("softmax", s("softmax")),
    ("W1", s("W1")),
]


@pytest.mark.parametrize(("name", "expected"), NAMES, ids=[name for name, _ in NAMES])
def test_plain_names(name: str, expected: Notation):
    assert symbol(name) == expected


ADJOINTS = [
    ("∂J/∂z(2)", s("delta", label=n(2))),
    ("∂J/∂z", s("delta")),
    ("∂J/∂W(2)", Derivative(s("J"), s("W", label=n(2)))),
    ("∂H/∂z", Derivative(s("H"), s("z"))),
    ("∂H/∂∂J/∂z", Derivative(s("H"), s("delta"))),
    ("∂H/∂∂J/∂W", Derivative(s("H"), Derivative(s("J"), s("W")))),
    ("∂∂J/∂s/∂t", Derivative(Derivative(s("J"), s("s")), s("t"))),
]


@pytest.mark.parametrize(("name", "expected"), ADJOINTS, ids=[name for name, _ in ADJOINTS])
def test_adjoints(name: str, expected: Notation):
    assert Names().tensor(name) == expected


def test_indices_of_an_adjoint_stand_on_the_variable():
    assert Names().tensor("∂J/∂W", (s("i"), s("j"))) == Derivative(s("J"), s("W", "i", "j"))
    assert Names().tensor("∂J/∂z(2)", (s("i"),)) == s("delta", "i", label=n(2))


def test_a_taken_delta():
    assert Names(frozenset({"delta"})).tensor("∂J/∂z") == Derivative(s("J"), s("z"))


def test_functions_are_written_with_their_letter_and_without_hyphens():
    assert function_symbol("leaky-relu") == s("leaky_relu")
    assert Names(functions={"sigmoid": "σ"}).function("sigmoid") == s("sigma")
    assert Names(frozenset({"sigma"}), {"sigmoid": "σ"}).function("sigmoid") == s("sigmoid")


def test_the_base_of_a_name():
    assert [base_of(name) for name in ("W(2)", "∂J/∂W(2)", "y", "∂H/∂∂J/∂z")] == ["W", "W", "y", "z"]


def test_an_endless_name_is_refused():
    with pytest.raises(LimitError):
        Names().tensor("∂" * 20_000)


def test_letters_of_indices_bound_in_one_another_differ_and_others_are_shared():
    i, j = Index("i", "n"), Index("j", "n")
    matrix = sum_over((i, j), tensor("W", i, j))
    vector = sum_over(i, tensor("x", i))
    outer, inner = matrix.index, matrix.body.index
    letters = Letters(matrix * vector, (), {"k"})
    assert {letters.letter(outer), letters.letter(inner)} == {"i", "j"}
    assert letters.letter(vector.index) == letters.letter(inner)


def test_a_free_index_keeps_its_letter_unless_it_is_taken():
    i, j = Index("i", "n"), Index("j~7", "m")
    letters = Letters(tensor("W", i, j), (i, j), {"W"})
    assert (letters.letter(i), letters.letter(j)) == ("i", "j")
    assert Letters(tensor("i", i), (i,), {"i"}).letter(i) == "j"
