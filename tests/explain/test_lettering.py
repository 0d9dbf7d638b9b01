from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.explain.lettering import ascii_words, latex_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("δ⁽ᴸ⁾ = a − y", "delta^(L) = a - y"),
        ("ŷₖ(1 − ŷₖ) cancels", "yhat_k(1 - yhat_k) cancels"),
        ("½ ⊙ ∂J/∂z ≠ 0", "1/2 * dJ/dz != 0"),
        ("Wᵀδ", "W.Tdelta"),
        ("漢", "?"),
    ],
)
def test_ascii(text: str, expected: str) -> None:
    assert ascii_words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50% of a_b & {c}", r"50\% of a\_b \& \{c\}"),
        ("z⁽²⁾", "z$^{(2)}$"),
        ("aₖ ≤ ½", r"a$_{k}$ $\le$ $\tfrac{1}{2}$"),
        ("ŷ", r"$\hat{y}$"),
        (r"\input{x}$", r"\textbackslash{}input\{x\}\$"),
    ],
)
def test_latex(text: str, expected: str) -> None:
    assert latex_words(text) == expected


@given(st.text())
def test_any_text_becomes_ascii(text: str) -> None:
    assert ascii_words(text).isascii()
    assert latex_words(text).isascii()
