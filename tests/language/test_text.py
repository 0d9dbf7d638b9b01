"""One-line text: every kind of notation in Unicode and ASCII, and brackets wherever another formula could be read."""

from __future__ import annotations

from dataclasses import replace

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
    b,
    equal,
    m,
    minus,
    n,
    plus,
    s,
    times,
    x,
    y,
    z,
)

from backproof.errors import LimitError
from backproof.language.grammar import parse
from backproof.language.latex import typeset
from backproof.language.notation import (
    Absolute,
    Big,
    Bracketed,
    Call,
    Derivative,
    Entry,
    Marked,
    Negative,
    Norm,
    Notation,
    Number,
    Power,
    Product,
    Quotient,
    Symbol,
    Transposed,
    Words,
)
from backproof.language.text import write
from backproof.language.traversal import fold, with_parts

WRITTEN = [
    (RECURSION, "W⁽ˡ⁺¹⁾ᵀ δ⁽ˡ⁺¹⁾ ⊙ f′(z⁽ˡ⁾)", "W_(l+1).T @ delta_(l+1) * f'(z_l)"),
    (CHAIN, "∂ℓ/∂z = ∂ℓ/∂ŷ·∂ŷ/∂z", "dell/dz = dell/dyhat*dyhat/dz"),
    (LOSS, "J = −1/m · Σᵢ Σₖ yₖᵢ ln(aₖᵢ)", "J = -1/m * sum_i sum_k y_{k,i}*ln(a_{k,i})"),
    (SOFTMAX, "pᵢ = exp(zᵢ)/(Σₖ exp(zₖ))", "p_i = exp(z_i)/(sum_k exp(z_k))"),
    (NORMALISED, "x̂ = (x − μ)/√(σ² + ε)", "xhat = (x - mu)/sqrt(sigma^2 + eps)"),
    (LEAKY, "f(z) = {z if z > 0; α z otherwise}", "f(z) = {z if z > 0; alpha*z otherwise}"),
    (
        CANCELLED,
        "(ŷ − y)/([1]ŷ [2](1 − ŷ))·[1]ŷ [2](1 − ŷ)",
        "(yhat - y)/([1]yhat*[2](1 - yhat))*[1]yhat*[2](1 - yhat)",
    ),
    (s("W", "i", "j", label=n(2)), "Wᵢⱼ⁽²⁾", "W_{i,j}^{(2)}"),
    (s("delta", "i", "b"), "δ_{i,b}", "delta_{i,b}"),
    (s("z", label=s("L")), "z⁽ᴸ⁾", "z_L"),
    (s("W", label=n(2)), "W⁽²⁾", "W2"),
    (s("W", star="*"), "W^*", "W^*"),
    (n("1/40"), "0.025", "0.025"),
    (n("-1/3"), "−1/3", "-1/3"),
    (Norm(W, "F"), "‖W‖_F", "||W||_F"),
    (Absolute(minus(a, y)), "|a − y|", "|a - y|"),
    (Derivative(s("J"), W, "nabla"), "∇_W J", "nabla_W J"),
    (Derivative(s("J"), z, order=2), "∂²J/∂z²", "d^2J/dz^2"),
    (Derivative(s("H"), Derivative(s("J"), z)), "∂H/∂(∂J/∂z)", "dH/d(dJ/dz)"),
    (Derivative(None, s("W2"), "prefix"), "dW2", "dW2"),
    (Big("sum", s("a", "k"), ("k",), n(1), s("K")), "Σₖ₌₁^K aₖ", "sum_{k=1}^K a_k"),
    (Big("sum", a), "sum(a)", "sum(a)"),
    (Entry(times(W, x, sign="@"), (s("i"),)), "(W x)ᵢ", "(W @ x)_i"),
    (Call(s("ell"), (a, y)), "ℓ(a, y)", "ell(a, y)"),
    (Call(s("sin"), (x,), power=n(2)), "sin²(x)", "sin^2(x)"),
    (Derivative(Call(s("ell"), (a, y)), a), "∂ℓ(a, y)/∂a", "d ell(a, y)/da"),
]


@pytest.mark.parametrize(("notation", "unicode", "ascii"), WRITTEN, ids=[u for _, u, _ in WRITTEN])
def test_both_spellings(notation: Notation, unicode: str, ascii: str):
    assert write(notation) == unicode
    assert write(notation, ascii=True) == ascii


BRACKETS = [
    (minus(a, minus(y, z)), "a − (y − z)"),
    (minus(a, Negative(y)), "a − (−y)"),
    (times(a, Negative(y), sign="·"), "a·(−y)"),
    (times(minus(a, y), z), "(a − y) z"),
    (times(a, minus(n(1), a)), "a(1 − a)"),
    (times(n(2), s("x")), "2x"),
    (times(n(2), s("e")), "2 e"),
    (times(n(2), a, y), "2a y"),
    (Quotient(a, times(y, z)), "a/(y z)"),
    (Quotient(Quotient(a, y), z), "(a/y)/z"),
    (Quotient(a, Quotient(y, z)), "a/(y/z)"),
    (Quotient(n(1), Derivative(s("J"), z)), "1/(∂J/∂z)"),
    (times(a, Quotient(y, m), sign="·"), "a·(y/m)"),
    (times(Quotient(n(1), m), a), "1/m · a"),
    (times(Quotient(n(1), n(2)), a), "½a"),
    (Power(minus(a, y), n(2)), "(a − y)²"),
    (Power(Power(a, n(2)), n(3)), "(a²)³"),
    (Power(Negative(a), n(2)), "(−a)²"),
    (Negative(Power(a, n(2))), "−a²"),
    (Power(s("a", label=n(1)), n(2)), "(a⁽¹⁾)²"),
    (Power(Call(s("sqrt"), (a,)), n(3)), "(√a)³"),
    (Power(a, Quotient(n(1), n(3))), "a^(⅓)"),
    (Power(n("1/2"), n(2)), "(0.5)²"),
    (Transposed(minus(a, y)), "(a − y)ᵀ"),
    (Transposed(times(W, x, sign="@")), "(W x)ᵀ"),
    (Transposed(Derivative(s("J"), W)), "(∂J/∂W)ᵀ"),
    (Transposed(s("W", label=n(2))), "W⁽²⁾ᵀ"),
    (times(times(a, y, sign="⊙"), Transposed(x), sign="@"), "(a ⊙ y) xᵀ"),
    (times(a, times(W, x, sign="@"), sign="⊙"), "a ⊙ W x"),
    (times(a, times(y, z, sign="⊙"), sign="⊙"), "a ⊙ (y ⊙ z)"),
    (times(Big("sum", s("y", "k"), ("k",)), a), "(Σₖ yₖ) a"),
    (times(a, Big("sum", s("y", "k"), ("k",))), "a Σₖ yₖ"),
    (Big("sum", minus(s("a", "k"), s("y", "k")), ("k",)), "Σₖ (aₖ − yₖ)"),
    (Big("sum", times(minus(s("a", "k"), s("y", "k")), s("x", "k")), ("k",)), "Σₖ (aₖ − yₖ) xₖ"),
    (plus(Big("sum", s("y", "k"), ("k",)), b), "Σₖ yₖ + b"),
    (Quotient(Big("sum", s("y", "k"), ("k",)), m), "(Σₖ yₖ)/m"),
    (times(Derivative(s("J"), a), Transposed(x), sign="@"), "(∂J/∂a) xᵀ"),
    (times(Derivative(s("J"), a), a, sign="⊙"), "∂J/∂a ⊙ a"),
    (equal(equal(a, y), z), "(a = y) = z"),
    (times(Marked(minus(a, y), 3, struck=True), z), "[3](a − y) z"),
    (times(Marked(minus(a, y), 3), z), "(a − y) z"),
]


@pytest.mark.parametrize(("notation", "expected"), BRACKETS, ids=[e for _, e in BRACKETS])
def test_brackets_where_another_formula_could_be_read(notation: Notation, expected: str):
    assert write(notation) == expected


def test_brackets_after_the_word_sum_hold_all_that_is_summed():
    difference = minus(s("a", "k"), s("y", "k"))
    assert write(Big("sum", Power(difference, n(2)), ("k",)), ascii=True) == "sum_k ((a_k - y_k)^2)"
    assert write(Big("sum", times(difference, s("x", "k")), ("k",)), ascii=True) == "sum_k ((a_k - y_k) * x_k)"
    assert write(Big("max", Power(difference, n(2)), ("k",))) == "maxₖ ((aₖ − yₖ)²)"


def test_ascii_star_does_not_tear_a_matrix_product_apart():
    # Python reads a * W @ x as (a * W) @ x.
    assert write(times(a, times(W, x, sign="@"), sign="⊙"), ascii=True) == "a * (W @ x)"


def meaning(notation: Notation) -> Notation:
    """The notation without brackets, with one sign for all products and one style of derivatives and exponentials."""

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        match with_parts(node, inside):
            case Bracketed(body):
                return body
            case Product(_, factors):
                return Product("", tuple(g for f in factors for g in (f.factors if isinstance(f, Product) else (f,))))
            case Call(Symbol("exp"), (exponent,)):
                return Power(s("e"), exponent)
            case Call() as call:
                return replace(call, tight=True)
            case Derivative() as derivative:
                return replace(derivative, style="partial")
            case other:
                return other

    return fold(notation, rule)


READABLE = [
    CHAIN,
    LOSS,
    SOFTMAX,
    NORMALISED,
    *(e for e in EVERY_KIND[7:] if not isinstance(e, Words | Number | Symbol)),
]
READABLE.remove(Derivative(None, s("W2"), "prefix"))


@pytest.mark.parametrize("notation", READABLE, ids=write)
def test_the_parser_reads_the_same_notation_back(notation: Notation):
    for text in (write(notation), write(notation, ascii=True), typeset(notation)):
        assert meaning(parse(text)) == meaning(notation), text


@pytest.mark.parametrize("notation", EVERY_KIND, ids=lambda e: type(e).__name__)
def test_ascii_is_ascii(notation: Notation):
    assert write(notation, ascii=True).isascii()


def test_any_depth():
    chain: Notation = z
    for _ in range(10_000):
        chain = Power(plus(n(1), chain), n(2))
    assert write(chain).endswith("z)²" + ")²" * 9_999)


def test_a_library_is_not_written():
    doubled: Notation = z
    for _ in range(60):
        doubled = times(doubled, doubled, sign="⊙")
    with pytest.raises(LimitError):
        write(doubled)
