"""Tests of documents: every kind of delimiter with its place, what is judged, and what is not guessed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
