from __future__ import annotations

import pytest

from backproof.web.answers import LONGEST_CLAIM, explain_network, judge_claim, judge_document

SHEET = "input w, x, y\nz = w x\na = sigmoid(z)\nJ = 1/2 (a - y)^2\ndJ/dz = (a - y) a (1 - a)\ndJ/dw = (a - y) x\n"


def test_a_network_has_its_lesson_and_its_copies() -> None:
    answer = explain_network({})
    assert answer["title"] == "sigmoid with bce"
    assert 'id="delta_L"' in answer["html"]
    assert "\\documentclass" in answer["copies"]["LaTeX"]["text"]
    assert answer["copies"]["Markdown"]["text"].startswith("# sigmoid with bce")
    assert "return a - y" in answer["copies"]["NumPy"]["text"]
    assert "Theorem" in answer["copies"]["Coq"]["text"]


def test_what_cannot_be_copied_says_why() -> None:
    copies = explain_network({"output": "softmax", "loss": "cross-entropy"})["copies"]
    assert "elementwise" in copies["Coq"]["because"]


@pytest.mark.parametrize(
    "choice",
    [
        {"output": "nonsense"},
        {"layers": "2-3-4-5-6-7-8-9"},
        {"layers": "0-1"},
        {"loss": "x" * 100},
        {"l2": "__import__('os')"},
        {"layers": "<script>"},
    ],
)
def test_a_network_that_cannot_be_is_an_error_card(choice: dict[str, str]) -> None:
    answer = explain_network(choice)
    assert answer["curves"] is None
    assert "unread-card" in answer["html"]
    assert "<script" not in answer["html"]


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [("a - y", "proved"), ("\\hat y - y", "proved"), ("(a-y)*a*(1-a)", "refuted"), ("(a - ", "unread"), ("", "unread")],
)
def test_a_typed_formula(claim: str, verdict: str) -> None:
    quick, full = (judge_claim({}, claim, explained=e) for e in (False, True))
    assert quick["verdicts"] == full["verdicts"] == [verdict]


def test_a_refused_formula_has_a_caret_and_a_refuted_one_its_reasons() -> None:
    assert "^" in judge_claim({}, "(a - ", explained=True)["html"]
    html = judge_claim({}, "(a-y)*a*(1-a)", explained=True)["html"]
    for words in ("read as", "extra-slope", "counter-example", "sigmoid with half-mse"):
        assert words in html


def test_a_long_formula_is_refused() -> None:
    assert "too long" in judge_claim({}, "a" * (LONGEST_CLAIM + 1), explained=False)["html"]


def test_a_document_has_its_verdicts_in_place() -> None:
    answer = judge_document(SHEET)
    assert answer["verdicts"] == ["proved", "refuted"]
    lines = answer["html"].split("<li>")
    assert "proved" in lines[5]
    assert "refuted" in lines[6]


def test_markdown_is_judged_in_its_blocks() -> None:
    answer = judge_document(f"# Notes <b>\n\n```backproof\n{SHEET}```\n")
    assert answer["verdicts"] == ["proved", "refuted"]
    assert "&lt;b&gt;" in answer["html"]


def test_formulas_in_prose_are_judged() -> None:
    text = (
        "# Notes\n\nThe output is $a = \\sigma(z)$ with the loss $J = -y \\ln a - (1 - y) \\ln(1 - a)$.\n\n"
        "Then $\\frac{\\partial J}{\\partial z} = a - y$.\n"
    )
    assert judge_document(text)["verdicts"] == ["proved"]
