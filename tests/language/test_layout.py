"""Two-dimensional layout, compared with pictures drawn by hand."""

from __future__ import annotations

import pytest
from language.formulas_to_print import (
    CANCELLED,
    CHAIN,
    EVERY_KIND,
    LEAKY,
    LOSS,
    NORMALISED,
    RECURSION,
    SOFTMAX,
    a,
    equal,
    m,
    minus,
    n,
    plus,
    s,
    times,
    y,
    z,
)

from backproof.errors import LimitError
from backproof.language.blocks import Mark, beside, line, scripted, stacked
from backproof.language.layout import draw
from backproof.language.notation import (
    Big,
    Call,
    Cases,
    Derivative,
    Indicator,
    Matrix,
    Notation,
    Power,
    Quotient,
    Transposed,
)

PICTURES = {
    "chain rule": (
        CHAIN,
        """
∂ℓ   ∂ℓ   ∂ŷ
── = ── · ──
∂z   ∂ŷ   ∂z
""",
    ),
    "cancelled": (
        CANCELLED,
        """
 ŷ − y
──────── · ŷ(1 − ŷ)
ŷ(1 − ŷ)
""",
    ),
    "recursion": (RECURSION, "\nW⁽ˡ⁺¹⁾ᵀ δ⁽ˡ⁺¹⁾ ⊙ f′(z⁽ˡ⁾)\n"),
    "loss": (
        LOSS,
        """
      1
J = − ─ Σ Σ yₖᵢ ln(aₖᵢ)
      m i k
""",
    ),
    "softmax": (
        SOFTMAX,
        """
       zᵢ
      e
pᵢ = ─────
        zₖ
     Σ e
     k
""",
    ),
    "normalised": (
        NORMALISED,
        """
     x − μ
x̂ = ───────
     ______
    √σ² + ε
""",
    ),
    "root of a fraction": (
        Call(s("sqrt"), (Quotient(minus(a, y), n(2)),)),
        """
   _____
  ╱a − y
 ╱ ─────
√    2
""",
    ),
    "two cases": (
        LEAKY,
        """
       ⎧ z    if z > 0
f(z) = ⎨
       ⎩ α z  otherwise
""",
    ),
    "three cases": (
        Cases(((z, Indicator(a)), (Quotient(a, z), Indicator(y)), (n(0), None))),
        """
⎧ z  if [a]
⎪ a
⎨ ─  if [y]
⎪ z
⎩ 0  otherwise
""",
    ),
    "a power of a fraction": (
        Power(Quotient(minus(a, y), m), n(2)),
        """
       2
⎛a − y⎞
⎜─────⎟
⎝  m  ⎠
""",
    ),
    "a fraction of fractions": (
        Quotient(Quotient(a, y), plus(m, n(1))),
        """
   a
   ─
   y
───────
 m + 1
""",
    ),
    "sum with bounds": (
        Big("sum", Power(minus(s("a", "k"), s("y", "k")), n(2)), ("k",), n(1), s("K")),
        """
 K
 Σ  (aₖ − yₖ)²
k=1
""",
    ),
    "subscripts without a low form": (
        plus(s("delta", "i", "b"), s("W", "i", "b", label=n(2))),
        """
       (2)
δ   + W
 ib    ib
""",
    ),
    "matrix": (
        Matrix(((a, y), (Quotient(n(1), m), n(0)))),
        """
⎡a  y⎤
⎢1   ⎥
⎢─  0⎥
⎣m   ⎦
""",
    ),
    "transposed fraction": (
        Transposed(Quotient(a, m)),
        """
   T
⎛a⎞
⎜─⎟
⎝m⎠
""",
    ),
    "half": (times(Quotient(n(1), n(2)), Power(minus(a, y), n(2))), "\n½(a − y)²\n"),
}

ASCII_PICTURES = {
    "loss": (
        LOSS,
        """
      1
J = - - sum sum y_{k,i}*ln(a_{k,i})
      m  i   k
""",
    ),
    "chain rule": (
        CHAIN,
        """
dell   dell    dyhat
---- = ----- * -----
 dz    dyhat    dz
""",
    ),
    "recursion": (RECURSION, "\nW_(l+1).T @ delta_(l+1) * f'(z_l)\n"),
    "normalised": (
        NORMALISED,
        """
             x - mu
xhat = -------------------
       sqrt(sigma^2 + eps)
""",
    ),
    "a power of a fraction": (
        Power(Quotient(minus(a, y), m), s("k")),
        """
       k
/a - y\\
|-----|
\\  m  /
""",
    ),
}


@pytest.mark.parametrize(("notation", "picture"), PICTURES.values(), ids=PICTURES)
def test_unicode_pictures(notation: Notation, picture: str):
    assert f"\n{draw(notation)}\n" == picture


@pytest.mark.parametrize(("notation", "picture"), ASCII_PICTURES.values(), ids=ASCII_PICTURES)
def test_ascii_pictures(notation: Notation, picture: str):
    assert f"\n{draw(notation, ascii=True)}\n" == picture


@pytest.mark.parametrize("notation", EVERY_KIND, ids=lambda e: type(e).__name__)
def test_every_block_is_a_rectangle_with_its_baseline_inside(notation: Notation):
    for ascii in (False, True):
        block = draw(notation, ascii=ascii)
        assert {len(row) for row in block.rows} == {block.width}
        assert 0 <= block.baseline < block.height
        assert not ascii or str(block).isascii()


def test_marks_stay_with_their_cells():
    block = draw(CANCELLED)
    first, second = Mark(1, struck=True), Mark(2, struck=True)
    assert block.runs(2) == (("ŷ", first), ("(1 − ŷ)", second), ("           ", None))
    assert block.runs(1) == (("──────── · ", None), ("ŷ", first), ("(1 − ŷ)", second))


def test_an_accent_shares_the_cell_of_its_letter():
    assert draw(s("x", accent="hat")).width == 1
    assert draw(equal(s("x", accent="hat"), s("y"))).width == len("x = y")


def test_blocks_meet_on_their_baselines():
    tall = stacked([line("a"), line("-"), line("b")], 1)
    block = beside(line("x"), tall)
    assert block.lines == (" a", "x-", " b")
    assert block.baseline == 1
    assert scripted(line("x"), line("2"), line("i")).lines == (" 2", "x", " i")


def test_a_nabla_has_its_variable_below():
    assert draw(Derivative(s("J"), s("w"), "nabla")).lines == ("∇  J", " w")


def test_a_formula_too_large_for_any_screen_is_refused():
    tower: Notation = z
    for _ in range(10_000):
        tower = Quotient(n(1), plus(n(1), tower))
    with pytest.raises(LimitError) as refused:
        draw(tower)
    assert refused.value.next == "write it on one line"
    row = plus(*(s("x", label=n(k)) for k in range(1, 1_000)))
    with pytest.raises(LimitError):
        draw(row)
