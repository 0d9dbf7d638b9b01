"""Spellings that people use, each with the notation that it must become, built by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from backproof.language.grammar import parse, parse_all, parse_list
from backproof.language.notation import (
    Absolute,
    Big,
    Bracketed,
    Call,
    Cases,
    Derivative,
    Entry,
    Indicator,
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


def s(name: str, *subscripts: Notation, label: Notation | None = None, accent: str | None = None) -> Symbol:
    return Symbol(name, subscripts, label, accent)


def n(value: int | str) -> Number:
    return Number(Fraction(value))


def minus(left: Notation, *right: Notation) -> Plus:
    return Plus(((1, left), *((-1, r) for r in right)))


def plus(*terms: Notation) -> Plus:
    return Plus(tuple((1, t) for t in terms))


def times(*factors: Notation, sign: str = "") -> Product:
    return Product(sign, factors)


def equal(*sides: Notation) -> Relation:
    return Relation(sides, ("=",) * (len(sides) - 1))


def call(name: str | Notation, *arguments: Notation, primes: int = 0, tight: bool = True) -> Call:
    return Call(s(name) if isinstance(name, str) else name, arguments, primes, tight=tight)


a, b, c, d, e, f, g, h, i, j, k, m, p, x, y, z = (s(name) for name in "abcdefghijkmpxyz")
l_, L, J, W, X = s("l"), s("L"), s("J"), s("W"), s("X")
one, two = n(1), n(2)
half = Quotient(one, two)
yhat = s("y", accent="hat")
delta, sigma, theta, eta, eps = (s(name) for name in ("delta", "sigma", "theta", "eta", "eps"))
next_layer = plus(l_, one)
positive = Relation((z, n(0)), (">",))

SPELLINGS: dict[str, Notation] = {
    # numbers
    "2": two,
    "2.5": n("2.5"),
    ".5": n("0.5"),
    "1e-8": n("1e-8"),
    "1/2": half,
    "½": half,
    r"\frac12": half,
    r"\frac1{2}": half,
    r"\tfrac{1}2": half,
    # names
    "yhat": yhat,
    "y_hat": yhat,
    "ŷ": yhat,
    "y\u0302": yhat,
    r"\hat y": yhat,
    r"\hat{y}": yhat,
    r"\hat{\mathbf{y}}": yhat,
    r"{\hat{\mathbf y}}": yhat,
    r"\widehat{y}": yhat,
    "x̄": s("x", accent="bar"),
    r"\overline{x}": s("x", accent="bar"),
    r"\tilde\theta": s("theta", accent="tilde"),
    "σ": sigma,
    r"\sigma": sigma,
    "sigma": sigma,
    r"\varepsilon": eps,
    r"\epsilon": eps,
    "ε": eps,
    "ϵ": eps,
    "eps": eps,
    "ℓ": s("ell"),
    r"\ell": s("ell"),
    r"\mathcal{L}": L,
    "𝐖": W,
    r"\boldsymbol{W}": W,
    r"\bm W": W,
    r"{\bf W}": W,
    r"\textbf{W}": W,
    r"\textcolor{red}{W}": W,
    r"\color{red} W": W,
    r"\boxed{W}": W,
    r"\mathbb{R}": s("ℝ"),
    "ℝ": s("ℝ"),
    "W2": s("W2"),
    "delta2": s("delta2"),
    "δ2": s("delta2"),
    "dout": s("dout"),
    "logits": s("logits"),
    r"\text{loss}": s("loss"),
    # subscripts and labels
    "x_i": s("x", i),
    "z₁": s("z", one),
    "z_{10}": s("z", n(10)),
    "x_{ij}": s("x", i, j),
    "x_{i,j}": s("x", i, j),
    "W_ij": s("W", i, j),
    "xᵢⱼ": s("x", i, j),
    "y_pred": s("y", s("pred")),
    r"y\_pred": s("y", s("pred")),
    r"w_{\text{area}}": s("w", s("area")),
    r"W_{xh}": s("W", x, h),
    "a^{(L)}": s("a", label=L),
    "a^(L)": s("a", label=L),
    "a⁽ᴸ⁾": s("a", label=L),
    "W^{[2]}": s("W", label=two),
    "W^{(l+1)}": s("W", label=next_layer),
    "W⁽ˡ⁺¹⁾": s("W", label=next_layer),
    "W_{ij}^{(l)}": s("W", i, j, label=l_),
    "W^{(l)}_{ij}": s("W", i, j, label=l_),
    "a^{[l](i)}": s("a", l_, label=i),
    "a^{<t>}": s("a", label=s("t")),
    r"a^{\langle t \rangle}": s("a", label=s("t")),
    "a^{x,l}": s("a", x, label=l_),
    "w^*": Symbol("w", star="*"),
    r"\mathbf{w}^{*}": Symbol("w", star="*"),
    "w_5^{+}": Symbol("w", (n(5),), star="+"),
    "W[1]": s("W", one),
    "W[i, j]": s("W", i, j),
    "W[:, k]": s("W", s(":"), k),
    "W_{:,k}": s("W", s(":"), k),
    "x_{k'}": s("x", s("k'")),
    "δ^l": Power(delta, l_),
    "w^l_{jk}": Power(s("w", j, k), l_),
    # powers and transposes
    "x^2": Power(x, two),
    "x²": Power(x, two),
    "x**2": Power(x, two),
    "x^{-1}": Power(x, Negative(one)),
    "x^-1": Power(x, Negative(one)),
    "x⁻¹": Power(x, Negative(one)),
    "2^3^4": Power(two, Power(n(3), n(4))),
    "e^{-z}": Power(e, Negative(z)),
    "e^-z": Power(e, Negative(z)),
    "e^z_k": Power(e, s("z", k)),
    "-x^2": Negative(Power(x, two)),
    "W^T": Transposed(W),
    "Wᵀ": Transposed(W),
    "W.T": Transposed(W),
    r"W^\top": Transposed(W),
    r"\mathbf{W}^\top": Transposed(W),
    r"W^{\mathsf T}": Transposed(W),
    r"W^\intercal": Transposed(W),
    "w_1^Tx": times(Transposed(s("w", one)), x),
    "(W^{(l+1)})^T": Transposed(Bracketed(s("W", label=next_layer))),
    "W^{[l]T}": Transposed(s("W", label=l_)),
    "W^T_{ij}": Entry(Transposed(W), (i, j)),
    "W_{ij}^T": Transposed(s("W", i, j)),
    # products
    "a b": times(a, b),
    "ab": times(a, b),
    "2ab": times(two, a, b),
    r"\mathbf{U}\mathbf{V}": times(s("U"), s("V")),
    "Wx": times(W, x),
    r"x_ia_{ij}x_j": times(s("x", i), s("a", i, j), s("x", j)),
    r"-p_kp_i": Negative(times(s("p", k), s("p", i))),
    "a * b": times(a, b, sign="*"),
    r"a \cdot b": times(a, b, sign="·"),
    "a·b": times(a, b, sign="·"),
    r"a \times b": times(a, b, sign="×"),
    "a ⊙ b": times(a, b, sign="⊙"),
    r"a \odot b": times(a, b, sign="⊙"),
    r"a \circ b": times(a, b, sign="⊙"),
    "a .* b": times(a, b, sign="⊙"),
    r"a \bullet b": times(a, b, sign="⊙"),
    "a @ b": times(a, b, sign="@"),
    r"a \otimes b": times(a, b, sign="⊗"),
    "a * b * c": times(a, b, c, sign="*"),
    "a b ⊙ c": times(times(a, b), c, sign="⊙"),
    "x * W @ y": times(times(x, W, sign="*"), y, sign="@"),
    # quotients
    "a/b": Quotient(a, b),
    "a ./ b": Quotient(a, b),
    "a b / c": Quotient(times(a, b), c),
    "a/b*c": times(Quotient(a, b), c, sign="*"),
    "1/2 x": times(half, x),
    "1/2m": Quotient(one, times(two, m)),
    "1/2(a-y)^2": times(half, Power(Bracketed(minus(a, y)), two)),
    "1/m X^T d": times(Quotient(one, m), Transposed(X), d),
    r"\frac{a}{b}c": times(Quotient(a, b), c),
    "1/m (a - y)": times(Quotient(one, m), Bracketed(minus(a, y))),
    "1/(m (a))": Quotient(one, Bracketed(call("m", a, tight=False))),
    "1/(2m)": Quotient(one, Bracketed(times(two, m))),
    # sums
    "a - y": minus(a, y),
    "a − y": minus(a, y),
    "a - y.": minus(a, y),
    "-a + b": Plus(((-1, a), (1, b))),
    "a - b + c": Plus(((1, a), (-1, b), (1, c))),
    "a - -b": minus(a, Negative(b)),
    # functions
    "f(x)": call("f", x),
    "f'(z)": call("f", z, primes=1),
    "f′(z)": call("f", z, primes=1),
    r"\sigma^\prime(z)": call("sigma", z, primes=1),
    r"f^{\prime\prime}(z)": call("f", z, primes=2),
    "f''(z)": call("f", z, primes=2),
    "f'": Call(f, (), primes=1),
    r"f'\left(z^{(l)}\right)": call("f", s("z", label=l_), primes=1),
    r"g^{[l]\prime}(z)": Call(s("g", label=l_), (z,), primes=1),
    "a(L)": call("a", L),
    "a (1 - a)": call("a", minus(one, a), tight=False),
    "y(1-y)^2": times(y, Power(Bracketed(minus(one, y)), two)),
    "f(x)^2": Power(call("f", x), two),
    "tanh(x)^2": Power(call("tanh", x), two),
    r"\tanh^2 x": Call(s("tanh"), (x,), power=two, tight=False),
    "W(l+1)^T": Transposed(call("W", next_layer)),
    r"\exp z": call("exp", z, tight=False),
    r"\exp(z)": call("exp", z),
    r"\log p_i": call("log", s("p", i), tight=False),
    r"\log 2x": call("log", times(two, x), tight=False),
    r"\log\sigma(z)": call("log", call("sigma", z), tight=False),
    "ylog(a)": times(y, call("log", a)),
    r"-y\text{log}(\hat{y})": Negative(times(y, call("log", yhat))),
    r"\operatorname{softmax}(z)": call("softmax", z),
    r"\text{ReLU}(x)": call("ReLU", x),
    r"\mathrm{diag}(x)": call("diag", x),
    "np.exp(x)": call("exp", x),
    "log₂ x": call("log2", x, tight=False),
    "sqrt(x)": call("sqrt", x),
    "√x": call("sqrt", x),
    r"\sqrt{d_k}": call("sqrt", s("d", k)),
    r"\sqrt[3]{x}": Power(x, Quotient(one, n(3))),
    "max(0, z)": call("max", n(0), z),
    r"\max(0, z)": call("max", n(0), z),
    "(h_\\theta(x))_k": Entry(Bracketed(call(s("h", theta), x)), (k,)),
    "p(y|x)": call("p", y, x),
    r"p(y \mid x)": call("p", y, x),
    r"\exp(-|\epsilon|)": call("exp", Negative(Absolute(eps))),
    r"\sigma(z)(1-\sigma(z))": times(call("sigma", z), Bracketed(minus(one, call("sigma", z)))),
    r"\left.\frac{df}{dx}\right|_{x=2}": Call(Derivative(f, x, "total"), (equal(x, two),)),
    # derivatives
    "dJ/dW2": Derivative(J, s("W2"), "total"),
    "∂J/∂W^{(2)}": Derivative(J, s("W", label=two)),
    r"\frac{\partial J}{\partial W^{(2)}}": Derivative(J, s("W", label=two)),
    "∂L/∂z_i": Derivative(L, s("z", i)),
    r"\partial J / \partial z": Derivative(J, z),
    r"\frac{dJ}{dz}": Derivative(J, z, "total"),
    r"\frac{\mathrm{d} J}{\mathrm{d} z}": Derivative(J, z, "total"),
    r"\frac {d f} {d x}": Derivative(f, x, "total"),
    r"\frac{dx_i}{dx_k}": Derivative(s("x", i), s("x", k), "total"),
    r"\frac{df(x)}{dx}": Derivative(call("f", x), x, "total"),
    r"\frac{\delta J}{\delta z_i}": Derivative(J, s("z", i)),
    "d/dx ½ x^2": Derivative(times(Quotient(one, two), Power(x, two)), x, "total"),
    "d/dx 1/2 x^2 + 1": plus(Derivative(times(Quotient(one, two), Power(x, two)), x, "total"), one),
    "d/dx (x^2)": Derivative(Power(x, two), x, "total"),
    "d(x^2)/dx": Derivative(Bracketed(Power(x, two)), x, "total"),
    r"\frac{d}{dx}(ax) + 1": plus(Derivative(times(a, x), x, "total"), one),
    r"\frac{\partial}{\partial z_i} J": Derivative(J, s("z", i)),
    r"\frac{\partial}{\partial w_1}": Derivative(None, s("w", one)),
    r"\dv{f}{x}": Derivative(f, x, "total"),
    r"\pdv{f}{x}": Derivative(f, x),
    r"\partial_w f": Derivative(f, s("w")),
    "∂²J/∂z²": Derivative(J, z, order=2),
    r"\partial^2 J/\partial z^2": Derivative(J, z, order=2),
    r"\frac{d^2f}{dx_idx_j}": Derivative(Derivative(f, s("x", j), "total"), s("x", i), "total"),
    r"\nabla_{W^{(2)}} J": Derivative(J, s("W", label=two), "nabla"),
    "∇_W J": Derivative(J, W, "nabla"),
    "∇_W": Derivative(None, W, "nabla"),
    "∇f": Derivative(f, Words(""), "nabla"),
    "dW2": Derivative(None, s("W2"), "prefix"),
    "dz": Derivative(None, z, "prefix"),
    "dW[1]": Derivative(None, s("W", one), "prefix"),
    "d_W": Derivative(None, W, "prefix"),
    "d_k": s("d", k),
    "dout/dnet": Derivative(s("out"), s("net"), "total"),
    "∂L/∂a ∂a/∂z": times(Derivative(L, a), Derivative(a, z)),
    "∂J/∂z(l)": Derivative(J, call("z", l_)),
    # big operators
    r"\sum_k x_k": Big("sum", s("x", k), ("k",)),
    "Σ_k x_k": Big("sum", s("x", k), ("k",)),
    "Σₖ xₖ": Big("sum", s("x", k), ("k",)),
    "sum_k x_k": Big("sum", s("x", k), ("k",)),
    "sum_k(p_k x_k)": Big("sum", times(s("p", k), s("x", k)), ("k",)),
    "sum_k(x_k) * b": times(Big("sum", s("x", k), ("k",)), b, sign="*"),
    "a/sum_k(x_k) b": times(Quotient(a, Big("sum", s("x", k), ("k",))), b),
    r"\sum_{k=1}^{K} x_k": Big("sum", s("x", k), ("k",), one, s("K")),
    r"\sum^n_{i=1} x_i": Big("sum", s("x", i), ("i",), one, s("n")),
    "Σᵢ₌₁ⁿ xᵢ": Big("sum", s("x", i), ("i",), one, s("n")),
    r"\sum_{j\neq i} x_j": Big("sum", s("x", j), ("j",), without=(i,)),
    r"\sum_{i,j} x_{ij}": Big("sum", s("x", i, j), ("i", "j")),
    r"\sum_{1 \le i \le n} x_i": Big("sum", s("x", i), ("i",), one, s("n")),
    r"\sum_k a_k + b": plus(Big("sum", s("a", k), ("k",)), b),
    r"\sum_k a_k \cdot b": Big("sum", times(s("a", k), b, sign="·"), ("k",)),
    r"a/\sum_k b_k": Quotient(a, Big("sum", s("b", k), ("k",))),
    "sum(y)": Big("sum", y),
    "mean(x)": Big("mean", x),
    "np.sum(x, axis=1, keepdims=True)": Big("sum", x, axis=1),
    "x.sum(axis=0)": Big("sum", x, axis=0),
    r"\max_j z_j": Big("max", s("z", j), ("j",)),
    r"\underset{j}{\max} z_j": Big("max", s("z", j), ("j",)),
    r"\prod_{i=1}^n x_i": Big("prod", s("x", i), ("i",), one, s("n")),
    # brackets, norms, indicators, cases, matrices
    r"\left( a \right)": Bracketed(a),
    r"\Big[ a \Bigr]": Bracketed(a),
    r"\{a\}": Bracketed(a),
    "|x|": Absolute(x),
    "2|x|": times(two, Absolute(x)),
    "|x||y|": times(Absolute(x), Absolute(y)),
    r"\|x\|": Norm(x),
    r"\|x\|_2^2": Power(Norm(x), two),
    "‖x‖²": Power(Norm(x), two),
    "||x||": Norm(x),
    r"\lVert x \rVert_1": Norm(x, "1"),
    r"\|W\|_F": Norm(W, "F"),
    "[z > 0]": Indicator(positive),
    "(z > 0)": positive,
    "(z > 0) * y": times(Indicator(positive), y, sign="*"),
    r"\mathbb{1}[z>0]": Indicator(positive),
    r"\mathbb{1}_{z>0}": Indicator(positive),
    r"\mathbf{1}_{\{z > 0\}}": Indicator(positive),
    r"\mathbf 1\{z>0\}": Indicator(positive),
    "1_{z>0}": Indicator(positive),
    "1[z > 0]": Indicator(positive),
    "I(z > 0)": Indicator(positive),
    r"\begin{cases} x & \text{if } z > 0 \\ 0 & \text{otherwise} \end{cases}": Cases(((x, positive), (n(0), None))),
    r"\left\{\begin{array}{ll} x, & z > 0 \\ 0 & else \end{array}\right.": Cases(((x, positive), (n(0), None))),
    "{x if z > 0; 0 otherwise}": Cases(((x, positive), (n(0), None))),
    r"\begin{bmatrix} a & b \\ c & d \end{bmatrix}": Matrix(((a, b), (c, d))),
    r"\left[\begin{matrix} a \\ b \end{matrix}\right]": Matrix(((a,), (b,))),
    "[a, b]": Matrix(((a, b),)),
    "[[a, b], [c, d]]": Matrix(((a, b), (c, d))),
    "[a, b; c, d]": Matrix(((a, b), (c, d))),
    "(x, y)": Matrix(((x, y),)),
    r"\underbrace{x}_{\text{data loss}} + y": plus(x, y),
    # relations
    "a = b = c": equal(a, b, c),
    "a == b": equal(a, b),
    r"a &= b \\ &= c": equal(a, b, c),
    r"\begin{aligned} a &= b \\ &\quad + c \end{aligned}": equal(a, plus(b, c)),
    r"a \overset{!}{=} b": equal(a, b),
    "a := b": Relation((a, b), (":=",)),
    r"a \mathrel{:=} b": Relation((a, b), (":=",)),
    "a ← b": Relation((a, b), ("←",)),
    r"a \gets b": Relation((a, b), ("←",)),
    "W -= b": Relation((W, minus(W, b)), ("←",)),
    r"a \neq b": Relation((a, b), ("≠",)),
    "a <= b": Relation((a, b), ("≤",)),
    r"a \equiv b": Relation((a, b), ("≡",)),
    r"W \in \mathbb{R}^{h \times d}": Relation((W, Power(s("ℝ"), times(h, d, sign="×"))), ("∈",)),
    r"\quad a\, = \! b \label{x} \tag{1} \nonumber": equal(a, b),
}


@pytest.mark.parametrize("text", SPELLINGS)
def test_each_spelling_is_read(text: str) -> None:
    assert parse(text) == SPELLINGS[text]


def test_the_recursion_of_delta_in_three_spellings() -> None:
    wanted = equal(
        s("delta", label=l_),
        times(
            times(Transposed(Bracketed(s("W", label=next_layer))), s("delta", label=next_layer)),
            call("f", s("z", label=l_), primes=1),
            sign="⊙",
        ),
    )
    for text in (
        "δ^{(l)} = (W^{(l+1)})^T δ^{(l+1)} ⊙ f'(z^{(l)})",
        r"\delta^{(l)} = (W^{(l+1)})^\top \delta^{(l+1)} \odot f'(z^{(l)})",
        "delta^(l) = (W^(l+1))^T delta^(l+1) .* f'(z^(l))",
    ):
        assert parse(text) == wanted


def test_a_cross_entropy_with_two_sums() -> None:
    sample = s("y", k, label=i)
    hypothesis = Entry(Bracketed(call(s("h", theta), s("x", label=i))), (k,))
    body = Bracketed(plus(times(sample, call("log", hypothesis)), s("…")))
    outer = Big("sum", Big("sum", body, ("k",), one, s("K")), ("i",), one, m)
    text = r"-\frac{1}{m}\sum_{i=1}^{m}\sum_{k=1}^{K} [y_k^{(i)} \log((h_\theta(x^{(i)}))_k) + ...]"
    assert parse(text) == Negative(times(Quotient(one, m), outer))


def test_a_power_behind_the_parentheses_of_a_sum_is_one_of_each_term() -> None:
    assert parse("sum_k (a_k - y_k)^2") == parse("Σ_k (a_k - y_k)^2")
    assert parse("sum_k (a_k - y_k) c_k (d_k + e_k)") == parse("Σ_k (a_k - y_k) c_k (d_k + e_k)")
    assert parse("mean_k (a_k - y_k)^2") == parse("mean_k ((a_k - y_k)^2)")
    assert isinstance(parse("sum(a - y)^2"), Power)


def test_a_hat_behind_the_letter() -> None:
    error = Negative(Bracketed(minus(y, yhat)))
    slope = call("f", call("z", n(3)), primes=1)
    assert parse("-(y - y^) * f'(z(3))") == Negative(times(error.body, slope, sign="*"))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("1/2m", times(half, m)),
        ("1/2(a-y)", Quotient(one, times(two, Bracketed(minus(a, y))))),
        ("xyz", times(x, y, z)),
        ("ab", s("ab")),
        ("dW2", s("dW2")),
        ("x^(2)", Power(x, two)),
        ("x^(n-m)", s("x", label=minus(s("n"), m))),
        ("y(1-y)^2", Power(call("y", minus(one, y)), two)),
        ("Σ_k a_k + b", Big("sum", plus(s("a", k), b), ("k",))),
        ("a ⊙ b · c", times(a, times(b, c, sign="·"), sign="⊙")),
        (r"\log a b", call("log", times(a, b), tight=False)),
        (r"\delta_ij", s("delta", i, j)),
    ],
)
def test_a_text_that_can_be_read_in_two_ways_is_read_in_both(text: str, other: Notation) -> None:
    trees = parse_all(text)
    assert trees[0] == parse(text)
    assert other in trees[1:]


def test_a_plain_text_has_one_reading() -> None:
    assert parse_all("(a - y) * f'(z)") == (parse("(a - y) * f'(z)"),)


def test_names_that_the_caller_knows_are_not_cut() -> None:
    assert parse("ab", known={"ab"}) == s("ab")
    assert parse("dW2", known={"dW2"}) == s("dW2")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("x = 4, y = 2", (equal(x, n(4)), equal(y, two))),
        (r"a = b \\ c = d", (equal(a, b), equal(c, d))),
        (r"a = b \qquad c = d", (equal(a, b), equal(c, d))),
        (r"f = a \quad \rightarrow \quad g = b", (equal(f, a), equal(g, b))),
        (r"a = b \Rightarrow c = d", (equal(a, b), equal(c, d))),
        (r"a = b \text{ if } z > 0", (equal(a, b), Words("if"), positive)),
        (r"a = b \text{ and hence } c = d", (equal(a, b), Words("and hence"), equal(c, d))),
        ("= b", (equal(Words(""), b),)),
        (r"\begin{align} a &= b, \\ c &= d. \end{align}", (equal(a, b), equal(c, d))),
        (
            r"\left( a + \right. \\ \left. b \right) = c",
            (equal(Bracketed(plus(a, b)), c),),
        ),
    ],
)
def test_several_formulas_in_one_text(text: str, parts: tuple[Notation, ...]) -> None:
    assert parse_list(text) == parts


def test_every_node_knows_where_it_was_written() -> None:
    tree = parse(r"\frac{a}{b} - \hat y_k")
    assert isinstance(tree, Plus)
    (_, quotient), (_, symbol) = tree.terms
    assert tree.span == (0, 22)
    assert quotient.span == (0, 11)
    assert symbol.span == (14, 22)


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("max(0, |x|)", Absolute(x)),
        ("max(0, |x|^2)", Power(Absolute(x), Number(Fraction(2)))),
        (r"\max(0, \|x\|)", Norm(x, "2")),
        (r"\max(0, \|x\|^2)", Power(Norm(x, "2"), Number(Fraction(2)))),
    ],
)
def test_a_bar_after_a_comma_opens(text: str, second: Notation) -> None:
    found = parse(text)
    assert isinstance(found, Call)
    assert found.arguments[1] == second
