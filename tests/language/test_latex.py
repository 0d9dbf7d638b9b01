"""LaTeX of notation: expected sources by hand, and what every source must obey."""

from __future__ import annotations

import re

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
    W,
    a,
    m,
    minus,
    n,
    s,
    times,
    x,
    y,
    z,
)

from backproof.language.latex import typeset
from backproof.language.notation import (
    Big,
    Call,
    Derivative,
    Indicator,
    Matrix,
    Notation,
    Power,
    Quotient,
    Transposed,
    Words,
)

SOURCES = [
    (
        CHAIN,
        (
            r"\frac{\partial \ell}{\partial z} = "
            r"\frac{\partial \ell}{\partial \hat{y}} \cdot \frac{\partial \hat{y}}{\partial z}"
        ),
    ),
    (RECURSION, r"{W^{(l+1)}}^{\top} \delta^{(l+1)} \odot f'(z^{(l)})"),
    (LOSS, r"J = -\frac{1}{m} \sum_{i} \sum_{k} y_{k i} \ln a_{k i}"),
    (SOFTMAX, r"p_{i} = \frac{e^{z_{i}}}{\sum_{k} e^{z_{k}}}"),
    (NORMALISED, r"\hat{x} = \frac{x - \mu}{\sqrt{\sigma^{2} + \varepsilon}}"),
    (LEAKY, r"f(z) = \begin{cases} z & \text{if } z > 0 \\ \alpha z & \text{otherwise} \end{cases}"),
    (
        CANCELLED,
        (
            r"\frac{\hat{y} - y}{\textcolor{blue}{\cancel{\hat{y}}} \textcolor{orange}{\cancel{(1 - \hat{y})}}} \cdot "
            r"\textcolor{blue}{\cancel{\hat{y}}} \textcolor{orange}{\cancel{(1 - \hat{y})}}"
        ),
    ),
    (Power(Quotient(minus(a, y), m), n(2)), r"\left(\frac{a - y}{m}\right)^{2}"),
    (times(Transposed(W), times(a, y, sign="⊙"), sign="@"), r"W^{\top} (a \odot y)"),
    (Call(s("relu"), (z,), primes=1), r"\operatorname{relu}'(z)"),
    (Call(s("leaky_relu"), (z,)), r"\operatorname{leaky-relu}(z)"),
    (Call(s("ln"), (minus(n(1), a),)), r"\ln(1 - a)"),
    (Call(s("ell"), (a, y)), r"\ell(a, y)"),
    (s("lambda"), r"\lambda"),
    (s("W1"), r"W_{1}"),
    (s("W1", "i", "j"), r"\mathrm{W1}_{i j}"),
    (s("loss"), r"\mathrm{loss}"),
    (s("W", "i", "j", label=n(2)), r"W_{i j}^{(2)}"),
    (Derivative(s("J"), s("w"), "nabla"), r"\nabla_{w} J"),
    (Derivative(s("J"), z, order=2), r"\frac{\partial^{2} J}{\partial z^{2}}"),
    (Big("max", s("z", "k"), ("k",)), r"\max_{k} z_{k}"),
    (Indicator(minus(z, Quotient(a, m))), r"\left[z - \frac{a}{m}\right]"),
    (Matrix(((a, y),)), r"\begin{pmatrix} a & y \end{pmatrix}"),
    (Words("100% & more_or_less"), r"\text{100\% \& more\_or\_less}"),
    (times(n(2), n(3)), r"2 \cdot 3"),
    (n("1/3"), r"\frac{1}{3}"),
    (times(x, Call(s("f"), (z,)), sign="·"), r"x \cdot f(z)"),
]


@pytest.mark.parametrize(("notation", "source"), SOURCES, ids=[t for _, t in SOURCES])
def test_sources(notation: Notation, source: str):
    assert typeset(notation) == source


def test_cancel_can_be_switched_off():
    assert "\\cancel" not in typeset(CANCELLED, cancel=False)
    assert "\\textcolor{blue}{\\hat{y}}" in typeset(CANCELLED, cancel=False)


@pytest.mark.parametrize("notation", EVERY_KIND, ids=lambda e: type(e).__name__)
def test_every_source_is_ascii_and_balanced(notation: Notation):
    source = typeset(notation)
    assert source.isascii()
    assert source.count("{") == source.count("}")
    assert source.count("\\left") == source.count("\\right")
    # Two superscripts on one letter are an error of LaTeX.
    assert not re.search(r"\^\{[^{}]*\}\^", source)


def test_any_depth():
    chain: Notation = z
    for _ in range(10_000):
        chain = Call(s("f"), (chain,))
    assert typeset(chain).count("f(") == 10_000
