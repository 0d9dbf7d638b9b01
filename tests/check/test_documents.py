"""Tests of documents: every kind of delimiter with its place, what is judged, and what is not guessed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from backproof.check.document.commands import expanded
from backproof.check.document.reader import Report, check_document
from backproof.check.files import check_file
from backproof.errors import BackproofError

DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "documents"
needs_documents = pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the published documents are not beside the tree")


def judged(text: str, kind: str = "markdown") -> Report:
    return check_document(text, "notes", kind)


def verdicts(text: str, kind: str = "markdown") -> list[str]:
    return [c.verdict for c in judged(text, kind).claims]


def places(text: str, kind: str = "markdown") -> list[tuple[int, int]]:
    return [(c.where.line, c.where.column) for c in judged(text, kind).claims if c.where]


RIGHT = r"\frac{df}{dx} = 2x"
WRONG = r"\frac{df}{dx} = x"


@pytest.mark.parametrize(
    ("text", "kind", "place"),
    [
        ("Let $f(x) = x^2$. Then ${}$.", "markdown", (1, 25)),
        ("Let $$f(x) = x^2$$ and\n$${}$$", "markdown", (2, 3)),
        ("Let\n$$\nf(x) = x^2\n$$\n\n$$\n{}\n$$\n", "markdown", (7, 1)),
        (r"Let \\(f(x) = x^2\\) and \\({}\\).", "markdown", (1, 29)),
        (r"Let \(f(x) = x^2\) and \[{}\]", "latex", (1, 26)),
        ("Let $f(x) = x^2$\n\\begin{{equation}}\n  {}\n\\end{{equation}}", "latex", (3, 3)),
        ("Let $f(x) = x^2$\n\\begin{{align*}}\n{} \\\\\n\\end{{align*}}", "latex", (3, 1)),
        ("Let :math:`f(x) = x^2` and :math:`{}`.", "rest", (1, 35)),
        ("Let :math:`f(x) = x^2`\n\n.. math::\n\n   {}\n\ntext", "rest", (5, 4)),
        ("Let $f(x) = x^2$\n\n```math\n{}\n```\n", "markdown", (4, 1)),
        ("Let $`f(x) = x^2`$ and $`{}`$", "markdown", (1, 26)),
        ("> Let $f(x) = x^2$\n>\n> * ${}$", "markdown", (3, 6)),
        ("<p>Let $f(x) = x^2$</p><p>${}$</p>", "markdown", (1, 28)),
        ("| Let $f(x) = x^2$ | ${}$ |", "markdown", (1, 23)),
    ],
)
def test_formulas_of_every_delimiter_are_judged_at_their_place(text: str, kind: str, place: tuple[int, int]) -> None:
    for formula, verdict in ((RIGHT, "proved"), (WRONG, "refuted")):
        filled = text.format(formula)
        assert verdicts(filled, kind) == [verdict]
        assert places(filled, kind) == [place]


def test_code_comments_and_prices_are_no_formulas() -> None:
    assert verdicts("```python\ndfdx = 3\n```\n`df/dx = 3` costs $5 and $10, or \\$4.") == []
    assert verdicts("% $\\frac{d}{dx} x = 7$\n\\begin{verbatim}$\\frac{d}{dx} x = 7$\\end{verbatim}", "latex") == []
    assert verdicts("<!-- $\\frac{d}{dx} x = 7$ -->") == []


def test_notebooks_are_judged_at_the_lines_of_their_file() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["Let $f(x) = x^3$.\n", "\n", "So $\\frac{df}{dx} = 3x^2$."]},
        {"cell_type": "code", "source": ["x = 3"]},
        {"cell_type": "markdown", "source": "and $\\frac{df}{dx} = 3x$"},
    ]
    text = json.dumps({"cells": cells, "nbformat": 4}, indent=1)
    report = judged(text, "notebook")
    assert [c.verdict for c in report.claims] == ["proved", "refuted"]
    for claim, formula in zip(report.claims, ("frac{df}{dx} = 3x^2", "frac{df}{dx} = 3x$"), strict=True):
        assert claim.where is not None
        assert formula in text.split("\n")[claim.where.line - 1]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": 3}', "{" * 9_000])
def test_broken_notebooks_are_refused(text: str) -> None:
    with pytest.raises(BackproofError, match="notebook"):
        judged(text, "notebook")


def test_strange_cells_are_passed_over() -> None:
    assert judged('{"cells": [3, {"cell_type": "markdown"}]}', "notebook").claims == ()


def test_a_small_network_with_one_slip() -> None:
    text = r"""
With $\mathbf{W} \in \mathbb{R}^{k \times n}$ and $\mathbf{x} \in \mathbb{R}^n$ let
$$\begin{aligned}\mathbf{z} &= \mathbf{W}\mathbf{x} + \mathbf{b} \\ \mathbf{a} &= \sigma(\mathbf{z})\end{aligned}$$
and $L = \frac12 \|\mathbf{a} - \mathbf{y}\|^2$. Then
$$\frac{\partial L}{\partial \mathbf{z}} = (\mathbf{a} - \mathbf{y}) \odot \sigma'(\mathbf{z})$$
$$\frac{\partial L}{\partial \mathbf{W}} = \frac{\partial L}{\partial \mathbf{z}} \mathbf{x}^T$$
$$\frac{\partial L}{\partial \mathbf{b}} = 2 \frac{\partial L}{\partial \mathbf{z}}$$
$$\frac{\partial L}{\partial \mathbf{x}} = \mathbf{W} \frac{\partial L}{\partial \mathbf{z}}$$
"""
    report = judged(text)
    assert [c.verdict for c in report.claims] == ["proved", "proved", "refuted", "unread"]
    assert [m.name for m in report.claims[2].mistakes][:1] == ["factor"]
    assert "shape" in (report.claims[3].because or "")


def test_softmax_index_notation_and_cases() -> None:
    text = r"""
Let $p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$ and $L = -\sum_i y_i \log p_i$. Then
$$\frac{\partial p_i}{\partial z_j} = p_i(\delta_{ij} - p_j)$$
$$\frac{\partial p_i}{\partial z_j} = \begin{cases} p_i(1-p_i) & i = j \\ -p_i p_j & i \neq j\end{cases}$$
$$\frac{\partial p_i}{\partial z_j} = p_i(1 - p_j)$$
$$\frac{\partial L}{\partial z_i} = p_i - y_i$$
"""
    report = judged(text)
    assert [c.verdict for c in report.claims] == ["proved", "proved", "refuted", "proved"]
    assert [c.kind for c in report.claims[3].conditions if c.assumption] == ["unit-sum"]


def test_pairs_that_prose_names() -> None:
    claim = r"so $\frac{\partial J}{\partial z} = \hat y - y$."
    assert verdicts("We use binary cross-entropy with a sigmoid output, " + claim) == ["proved"]
    assert verdicts("With the categorical cross-entropy after a softmax layer " + claim) == ["proved"]
    report = judged(r"The squared error $(\hat y - y)^2$ with a linear output is simple, " + claim)
    assert [c.verdict for c in report.claims] == ["refuted"]
    assert report.claims[0].mistakes[0].name == "factor"


def test_a_loss_that_is_not_stated_is_a_condition() -> None:
    (claim,) = judged("It says that δ(L) = a(L) − y for the last layer.").claims
    assert claim.verdict == "proved"
    assert "not stated" in (claim.because or "")
    (nowhere,) = judged("It says that δ(L) = a(L) + 7y for the last layer.").claims
    assert nowhere.verdict == "unknown"


def test_chains_and_lines_that_go_on() -> None:
    text = "Let $f(x) = (x + 1)^2$.\n\n$$\\frac{df}{dx} = 2(x + 1) = 2x + 1$$\n\nhence\n\n$$= 2x + 1$$"
    assert verdicts(text)[:2] == ["proved", "refuted"]


def test_numbers_are_slopes_at_the_point_that_is_given() -> None:
    text = r"Let $f(x, y) = x y$. At $x = 4$, $y = -3$ we have $\frac{\partial f}{\partial x} = {}$."
    assert verdicts(text.replace("{}", "-3")) == ["proved"]
    assert verdicts(text.replace("{}", "5")) == ["refuted"]
    assert verdicts(r"Let $f(x, y) = x y$. Then $\frac{\partial f}{\partial x} = 5$.") == ["unknown"]


@pytest.mark.parametrize(
    "text",
    [
        r"Let $f(x) = x^2$. Then $f(x + h) = f(x) + h \frac{df}{dx}$.",
        r"Let $f(x) = x^2$. Then $f(x + h) \approx f(x) + h \frac{df}{dx}$.",
        r"Let $L = w^2$. Update $w \leftarrow w - \eta v$, or $w \leftarrow v - \eta \frac{dL}{dw}$.",
        r"Let $L = w^2$. Update $w \leftarrow w - \alpha \frac{m}{\sqrt{v} + \epsilon}$.",
        r"Here $\frac{\partial f}{\partial q} = \frac{\partial h}{\partial r} s$.",
        r"$\frac{\partial L}{\partial x} = \left[\frac{\partial L}{\partial x_1}, \ldots\right]$",
        r"Let $f(x) = x^2$, $f_c(x) = c + x$, $f(x) = e^x$. Then $\frac{df}{dx} = 2x$.",
        r"$\frac{\partial L}{\partial W} = \lim_{h \to 0} q$",
        r"$\frac{\partial L = 3$",
    ],
)
def test_nothing_is_guessed_into_a_verdict(text: str) -> None:
    assert all(c.verdict in ("unknown", "unread") and c.because for c in judged(text).claims)


def test_commands_of_a_document_are_put_in_place_and_places_kept() -> None:
    text = (
        "\\newcommand{\\pd}[2]{\\frac{\\partial #1}{\\partial #2}}\n"
        "\\def\\vw{\\mathbf{w}}\n\\DeclareMathOperator{\\tr}{tr}\n"
        "Let $L = \\frac12 \\vw^T \\vw$. Then $\\pd{L}{\\vw} = \\vw$ and $\\pd{L}{\\vw} = 2\\vw$.\n"
    )
    assert verdicts(text, "latex") == ["proved", "refuted"]
    line = text.split("\n")[3]
    assert places(text, "latex") == [(4, line.index("\\pd") + 1), (4, line.rindex("\\pd") + 1)]


@pytest.mark.parametrize(
    "text",
    [
        r"\newcommand{\a}{\a\a} $\a = 1$",
        r"\newcommand{\a}{xxxxxxxxxx}\newcommand{\b}{\a\a\a\a\a\a\a\a}"
        r"\newcommand{\c}{\b\b\b\b\b\b\b\b}" + r"$\c$" * 4_000,
        r"\newcommand{\a}[9]{#9#8} $\a{1}$ \a",
        r"\def\a#1#2{#2#1}\def\a{} \a\a\a",
        "\\newcommand{\\a}{" * 500,
    ],
)
def test_commands_cannot_grow_without_bound(text: str) -> None:
    started = time.process_time()
    assert len(expanded(text).text) < 3_000_000
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("For $i = j$ we have ", "."),
        ("", ", where $i = j$."),
        ("**Case 1:** $i = j$.\n\n", ""),
        ("If $i = j$, then\n\n", ""),
    ],
)
def test_conditions_before_and_after(before: str, after: str) -> None:
    start = r"Let $p_i = \frac{e^{z_i}}{\sum_k e^{z_k}}$." + "\n\n"
    right = r"$\frac{\partial p_i}{\partial z_j} = p_i (1 - p_i)$"
    wrong = r"$\frac{\partial p_i}{\partial z_j} = p_i (2 - p_i)$"
    assert verdicts(start + before + right + after) == ["proved"]
    assert verdicts(start + before + wrong + after) == ["refuted"]
    assert verdicts(start + right) == ["refuted"]


def test_each_equation_of_a_chain_over_several_lines() -> None:
    text = "Let $f(x) = (x + 1)^2$.\n\n$$\\frac{df}{dx}$$\n$$= 2(x + 1)$$\n$$= 2x + 1$$\n$$= 2x + 2$$"
    text = text.replace("$$\\frac{df}{dx}$$\n$$= 2(x + 1)$$", "$$\\frac{df}{dx} = 2(x + 1)$$")
    assert verdicts(text) == ["proved", "refuted", "proved"]
    assert places(text) == [(3, 3), (4, 5), (5, 5)]


def test_a_loss_that_is_never_stated_may_be_any_function() -> None:
    text = r"Let $y = w x$. Then $\frac{\partial L}{\partial x} = w \frac{\partial L}{\partial y}$"
    assert verdicts(text + ".") == ["proved"]
    assert verdicts(text.replace("= w", "= x") + ".") == ["refuted"]
    # Nothing says how y depends on x.
    assert verdicts(text.removeprefix("Let $y = w x$. ")) == ["unread"]


def test_networks_of_any_depth() -> None:
    text = r"""
$z^l = W^l a^{l-1} + b^l$ and $a^l = \sigma(z^l)$ with $C = \frac12 \|y - a^L\|^2$.
$$\delta^l = ((W^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)$$
$$\delta^l = ((W^{l+1})^T \delta^{l+1}) \odot a^l$$
"""
    assert verdicts(text) == ["proved", "refuted"]


def test_dz_without_the_mean_is_a_convention_of_its_own() -> None:
    text = r"""
$Z^{[1]} = W^{[1]} X + b^{[1]}$, $A^{[1]} = \sigma(Z^{[1]})$ and
$J = -\frac1m \sum_{i=1}^m (y^{(i)} \log a^{[1](i)} + (1 - y^{(i)}) \log(1 - a^{[1](i)}))$.
$$dZ^{[1]} = A^{[1]} - Y$$
$$dW^{[1]} = \frac1m dZ^{[1]} X^T$$
$$dW^{[1]} = dZ^{[1]} X^T$$
"""
    report = judged(text)
    assert [c.verdict for c in report.claims][:2] == ["proved", "proved"]
    assert any("sum over the examples" in note for note in report.claims[0].notes)


def test_a_matrix_that_is_called_symmetric() -> None:
    claim = r"Let $f = \mathbf{x}^T \mathbf{A} \mathbf{x}$. Then $\nabla_{\mathbf{x}} f = 2 \mathbf{A} \mathbf{x}$."
    assert verdicts(claim) == ["refuted"]
    assert verdicts(r"Take a symmetric matrix $\mathbf{A}$. " + claim) == ["proved"]
    assert verdicts(r"Here $\mathbf{A}^T = \mathbf{A}$. " + claim) == ["proved"]
    assert verdicts("Some matrices are symmetric. " + claim) == ["unknown"]


@pytest.mark.parametrize(
    ("update", "verdict"),
    [
        (r"w \leftarrow w - \eta (w x - y) x", "proved"),
        (r"w := w - \alpha \frac{1}{2} (w x - y) x", "unknown"),
        (r"w \leftarrow w - \eta (y - w x) x", "refuted"),
        (r"w \leftarrow w - \eta (w x - y)", "refuted"),
        (r"w \leftarrow w - \eta \frac{\partial J}{\partial w}", "proved"),
        (r"w \leftarrow w + \eta (w x - y) x", "unknown"),
    ],
)
def test_updates_claim_a_gradient(update: str, verdict: str) -> None:
    assert verdicts(rf"Let $J = \frac12 (w x - y)^2$. Then ${update}$.") == [verdict]


def test_would_be_right_for_another_pair() -> None:
    text = r"Let $a = \sigma(z)$ and $J = \frac12 (a - y)^2$. Then $\frac{\partial J}{\partial z} = a - y$."
    (claim,) = judged(text).claims
    assert claim.verdict == "refuted"
    assert "sigmoid with bce" in claim.would_be_right_for


@pytest.mark.parametrize(
    ("number", "verdict"),
    # σ′(0.3) = 0.244458311690745869…
    [("0.2445", "proved"), ("0.24", "proved"), ("0.244458", "proved"), ("0.2447", "unknown"), ("0.26", "refuted")],
)
def test_numbers_that_are_printed_to_a_few_digits(number: str, verdict: str) -> None:
    text = r"Let $a = \frac{1}{1+e^{-z}}$ with $z = 0.3$. Then $\frac{da}{dz} = NUMBER$."
    assert verdicts(text.replace("NUMBER", number)) == [verdict]


def test_a_slip_on_the_left_side_is_named() -> None:
    text = (
        r"Let $a = \tanh(w x + b)$, $q = a u + c$ and $L = \frac12 (q - y)^2$. "
        r"Then $\frac{\partial L}{\partial u} = (q - y) u (1 - a^2) x$."
    )
    (claim,) = judged(text).claims
    assert claim.verdict == "refuted"
    assert (claim.mistakes[0].name, claim.mistakes[0].detail) == ("left-side", "w")


def test_a_document_without_claims_is_empty() -> None:
    report = judged("Some words and $a = b + c$, nothing more.")
    assert report.claims == ()
    assert report.formulas == 1


def test_worksheets_inside_documents_keep_their_lines() -> None:
    text = "# Notes\n\n```backproof\ninput u\nq = u^2\ndq/du = 3 u\n```\n"
    assert verdicts(text) == ["refuted"]
    assert places(text) == [(6, 1)]


@needs_documents
def test_two_courses() -> None:
    report = check_file(str(DOCUMENTS / "two-courses.txt"))
    found = [(c.where.line if c.where else 0, c.verdict, c.network.describe()) for c in report.claims]
    assert found == [
        (1, "proved", "sigmoid with bce"),
        (3, "proved", "sigmoid with half-mse"),
        (3, "proved", "sigmoid with half-mse"),
        (25, "refuted", "identity with mse"),
        (25, "proved", "sigmoid with bce"),
        (25, "proved", "softmax with cross-entropy"),
        (27, "refuted", "sigmoid with bce"),
    ]
    assert report.claims[3].mistakes[0].name == "factor"
    assert report.claims[6].mistakes[0].name == "dropped-term"
    assert [c.kind for c in report.claims[5].conditions if c.assumption] == ["unit-sum"]
    assert any("extra-slope" in note for note in report.claims[1].notes)


@needs_documents
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("cs231n/optimization-2.md", 23),
        ("d2l/linear-regression.md", 1),
        ("d2l/multivariable-calculus.md", 48),
    ],
)
def test_published_chapters_are_judged_without_a_wrong_verdict(name: str, least: int) -> None:
    report = check_file(str(DOCUMENTS / name))
    # Every equation that these chapters state as true is true.
    assert not [c.claim for c in report.claims if c.verdict == "refuted"]
    assert sum(c.verdict == "proved" for c in report.claims) >= least


def test_a_function_of_nothing_cannot_be_read() -> None:
    (claim,) = judged(r"A gate $y = g x + (1 - g) F()$ has $\frac{\partial y}{\partial x} = g + (1 - g) F'(x)$.").claims
    assert claim.verdict == "unread"
    assert "between the brackets" in (claim.because or "")


def test_a_softmax_of_a_matrix_may_run_over_rows_or_columns() -> None:
    text = r"Let $P = \mathrm{softmax}(S)$ and $dS_{ij} = P_{ij}(dP_{ij} - \sum_k P_{ik} dP_{ik})$."
    assert verdicts(text) == ["proved"]
    assert verdicts("Row-wise softmax. " + text) == ["proved"]
    assert verdicts("Column-wise softmax. " + text) == ["refuted"]


def test_a_name_for_a_gradient_is_no_claim() -> None:
    text = r"""With $h = \tanh(Wx + b)$ and the upstream gradient $g = \frac{\partial L}{\partial h}$:
$$\frac{\partial L}{\partial b} = g \odot (1 - h \odot h)$$
$$\frac{\partial L}{\partial x} = W^T g$$"""
    assert verdicts(text) == ["proved", "refuted"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"$f = s^3$ and $v = \log s^2$, so $\frac{\partial f}{\partial v} = \frac32 s^3$", "proved"),
        (r"$f = s^3$ and $v = \log s^2$, so $\frac{\partial f}{\partial v} = 3 s^3$", "refuted"),
        (r"$f = s^3$ and $v = 1/(2s + 1)$, so $\frac{\partial f}{\partial v} = -\frac32 s^2 (2s+1)^2$", "proved"),
        (r"$f = s^3$ and $v = e^{-s}$, so $\frac{\partial f}{\partial v} = -3s^2/v$", "proved"),
        (r"$f = s^3$ and $v = \sqrt{s}$, so $\frac{\partial f}{\partial v} = 6 v^4$", "refuted"),
    ],
)
def test_definitions_are_turned_round(text: str, expected: str) -> None:
    assert verdicts(text) == [expected]


def test_one_letter_for_two_layers() -> None:
    text = r"""$E = \frac12\sum_k (o_k - t_k)^2$, $o_k = \sigma(net_k)$ and $net_k = \sum_j w_{kj} o_j$, so
$$\frac{\partial E}{\partial w_{kj}} = (o_k - t_k) o_k (1 - o_k) o_j$$
$$\frac{\partial E}{\partial w_{kj}} = (o_k - t_k) o_k (1 - o_k) o_k$$"""
    assert verdicts(text) == ["proved", "refuted"]


def test_a_definition_without_examples_is_that_of_each() -> None:
    text = "h = σ(θᵀx), J(θ) = −(1/m) Σᵢ [y⁽ⁱ⁾ log h⁽ⁱ⁾ + (1 − y⁽ⁱ⁾) log(1 − h⁽ⁱ⁾)]\n"
    assert verdicts(text + "∂J/∂θⱼ = (1/m) Σᵢ (h⁽ⁱ⁾ − y⁽ⁱ⁾) xⱼ⁽ⁱ⁾") == ["proved"]
    assert verdicts(text + "∂J/∂θⱼ = (1/m) Σᵢ (y⁽ⁱ⁾ − h⁽ⁱ⁾) xⱼ⁽ⁱ⁾") == ["refuted"]


def test_a_vector_beside_those_that_are_summed() -> None:
    text = r"$J = -\log \sigma(u_o^\top v_c) - \sum_{k=1}^K \log \sigma(-u_k^\top v_c)$. {}"
    claim = r"$$\frac{\partial J}{\partial u_o} = (\sigma(u_o^\top v_c) - 1) v_c$$"
    assert verdicts("With negative samples " + text.replace("{}", claim)) == ["proved"]
    assert verdicts("Let " + text.replace("{}", claim)) == ["unknown"]
    assert verdicts("With negative samples " + text.replace("{}", claim.replace("- 1", "+ 1"))) == ["refuted"]


@pytest.mark.parametrize(
    "text",
    [
        r"$f = \|x\|^2 D()$, $\frac{\partial f}{\partial x} = 2x^T D()$",
        r"$\frac{\partial f}{\partial x} = x^.5$ and $\frac.52 = \frac{\partial f}{\partial x}$",
        r"$a_i = b_i$, $b_i = a$, $\frac{\partial a_i}{\partial b_i} = a_i$",
    ],
)
def test_broken_formulas_are_left_unread(text: str) -> None:
    assert all(v in ("unread", "unknown") for v in verdicts(text))


def test_a_power_of_a_bracket_is_not_that_of_the_factor_before_it() -> None:
    assert verdicts(r"$f = p(1-p)^2$ so $\frac{df}{dp} = (1-p)^2 - 2p(1-p)$") == ["proved"]
    assert verdicts(r"$f = p(1-p)^2$ so $\frac{df}{dp} = 2p(1-p)(1-2p)$") == ["refuted"]


def test_letters_below_are_no_differentials() -> None:
    text = (
        r"$o_{nk} = \sum_d x_{nd} W_{dk}$ and $L = \sum_n \sum_k o_{nk}^2$, so $\frac{\partial L}{\partial W_{dk}} = "
    )
    assert verdicts(text + r"2 \sum_n x_{nd} o_{nk}$") == ["proved"]
    assert verdicts(text + r"\sum_n x_{nd} o_{nk}$") == ["refuted"]


def test_commands_within_their_own_arguments_end() -> None:
    text = r"\newcommand{\der}[2]{\frac{d #1}{d #2}} $\der{\der{\der{\der\der{f}}}{x}}{\der}$"
    assert judged(text + r" \der[\der{\der]{\der", "latex") is not None


@pytest.mark.parametrize("slope", ["g" + "'" * 60 + "(x)", r"\sigma" + "'" * 60 + "(x)", r"\frac{d^{60} g}{dx^{60}}"])
def test_derivatives_of_a_high_order_are_not_worked_out(slope: str) -> None:
    started = time.monotonic()
    assert all(v == "unread" for v in verdicts(rf"$g(x) = e^{{-x^2}}$, ${slope} = x$"))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"$f = (ax + b)^3$: $f'(x) = 3a(ax + b)^2$", "proved"),
        (r"$f = (ax + b)^3$: $f'(x) = 3(ax + b)^2$", "refuted"),
        (r"$f = \sum_w e^{s_w}$, so $\frac{\partial f}{\partial s_w} = f p_w$ with $p_w = e^{s_w}/f$", "unknown"),
        (r"$L = \max(0, 1 - y w^T x)$: for $y w^T x < 1$, $\frac{\partial L}{\partial w} = -y x$", "unknown"),
    ],
)
def test_what_is_explained_later_is_not_wrong(text: str, expected: str) -> None:
    assert verdicts(text) == [expected]
