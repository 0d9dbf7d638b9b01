from __future__ import annotations

import pytest

from backproof.web.answers import (
    LONGEST_CLAIM,
    copy_network,
    explain_network,
    judge_claim,
    judge_document,
    layer_curves,
    whole_page,
)

SHEET = "input w, x, y\nz = w x\na = sigmoid(z)\nJ = 1/2 (a - y)^2\ndJ/dz = (a - y) a (1 - a)\ndJ/dw = (a - y) x\n"


def test_a_network_has_its_lesson() -> None:
    answer = explain_network({})
    assert answer["title"] == "sigmoid with bce"
    assert 'id="delta_L"' in answer["html"]
    assert answer["curves"]["units"] == 1
    assert answer["hidden"] == []


LAYERS = {"layers": "n-h-k", "output": "softmax", "loss": "cross-entropy"}


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("LaTeX", ("\\documentclass", "{W^{(2)}}^{\\top}", "\\frac{\\partial J}{\\partial b^{(1)}}")),
        ("Markdown", ("## Error of layer 1", "## Weights of the last layer", "## Biases of layer 1")),
        ("NumPy", ("delta2 = a2 - y", "delta1 = W2.T @ delta2", "dW2 = ", "db1 = ", "dX = ")),
        ("Coq", ("Theorem delta_2", "Theorem delta_1", "Theorem dW2", "Theorem dW1", "Theorem db1")),
    ],
)
def test_a_copy_has_all_equations(form: str, words: tuple[str, ...]) -> None:
    text = copy_network(LAYERS, form)["text"]
    assert [word for word in words if word not in text] == []


def test_what_cannot_be_copied_says_why() -> None:
    assert "no form" in copy_network({}, "nonsense")["because"]
    assert "no loss" in copy_network({"loss": "nonsense"}, "Coq")["because"]


def test_the_page_is_made_with_the_first_answer() -> None:
    text = whole_page({"loss": "half-mse"})["page"]
    assert "sigmoid with half-mse" in text
    assert "{{" not in text.split("<style>")[0]


def test_hidden_layers_have_curves() -> None:
    assert explain_network(LAYERS)["hidden"] == ["1"]
    found = layer_curves(LAYERS, "1")["curves"]
    assert (found["layer"], found["units"], found["outputs"]) == ("1", 3, 3)
    assert layer_curves(LAYERS, "7")["curves"] is None


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
    lines = answer["html"].split("<li ")
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
