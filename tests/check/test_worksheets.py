"""Tests of worksheets: declarations, definitions, chains judged step by step, places and blocks in Markdown."""

from __future__ import annotations

import pytest

from backproof.check.worksheet.sheet import check_blocks, check_worksheet

NEURON = """\
input x in R^n, t
parameters w in R^n, b
z = w^T x + b
a = sigmoid(z)
J = 1/2 (a - t)^2
"""


def verdicts(text: str) -> list[str]:
    return [c.verdict for c in check_worksheet(text)]


@pytest.mark.parametrize(
    "claim",
    [
        "dJ/dw = (a - t) a (1 - a) x",
        "∂J/∂b = (a − t) σ'(z)",
        r"\frac{\partial J}{\partial w} = (a - t)\, a (1 - a)\, x",
        "dJ/dw_i = (a - t) a (1 - a) x_i",
        "da/dz = a (1 - a)",
        "da/dz = sigmoid(z) - sigmoid(z)^2",
        "d/db (a - t)^2 = 2 (a - t) a (1 - a)",
    ],
)
def test_right_claims_are_proved(claim: str) -> None:
    assert verdicts(NEURON + claim) == ["proved"]


@pytest.mark.parametrize(
    ("claim", "name"),
    [
        ("dJ/dw = (a - t) x", "missing-slope"),
        ("dJ/dw = 2 (a - t) a (1 - a) x", "factor"),
        ("dJ/db = -(a - t) a (1 - a)", "sign"),
        ("dJ/da = a - t + b", "extra-term"),
    ],
)
def test_wrong_claims_are_refuted_with_a_name(claim: str, name: str) -> None:
    (found,) = check_worksheet(NEURON + claim)
    assert found.verdict == "refuted"
    assert name in {m.name for m in found.mistakes}
    assert found.correct is not None
    assert found.witness is not None


def test_a_chain_is_judged_step_by_step() -> None:
    claims = check_worksheet(
        NEURON + "dJ/db = (a - t) a (1 - a)\n  = a^2 - t a (1 - a)\n  = a (a - t (1 - a))\n  = (a - t) (a - a^2)\n"
    )
    assert [c.verdict for c in claims] == ["proved", "refuted", "proved", "proved"]
    assert [c.where.line for c in claims if c.where] == [6, 7, 8, 9]
    assert any("a line before it is wrong" in note for note in claims[2].notes)
    assert any("equal to the first side" in note for note in claims[3].notes)


def test_a_slip_that_is_carried_along_is_explained_once() -> None:
    claims = check_worksheet(NEURON + "dJ/dz = 2 (a - t) a (1 - a)\ndJ/db = 2 (a - t) a (1 - a)\n")
    assert [c.verdict for c in claims] == ["refuted", "refuted"]
    assert "factor" in {m.name for m in claims[0].mistakes}
    assert [m.name for m in claims[1].mistakes] == ["carried-along"]
    assert claims[1].mistakes[0].detail == "line 6"


def test_steps_around_one_that_cannot_be_read_are_judged() -> None:
    claims = check_worksheet(NEURON + "dJ/db = (a - t) a (1 - a)\n = (a - q) a\n = (a - t) (a - a^2)")
    assert [c.verdict for c in claims] == ["proved", "unread", "proved"]
    assert claims[1].where is not None
    assert (claims[1].where.line, claims[1].where.column) == (7, 9)


def test_softmax_needs_its_condition_or_an_assumption() -> None:
    sheet = "input z in R^k, y in R^k\n{}\np = softmax(z)\nJ = -sum_i y_i log p_i\ndJ/dz = p - y"
    (conditional,) = check_worksheet(sheet.format(""))
    assert [c.kind for c in conditional.conditions if c.assumption] == ["unit-sum"]
    for line in ("assume sum(y) = 1", "assume y is one-hot"):
        (given,) = check_worksheet(sheet.format(line))
        assert given.verdict == "proved"
        assert not given.conditions


def test_jacobians_abstract_functions_and_own_functions() -> None:
    assert verdicts("input z in R^k\np = softmax(z)\ndp_i/dz_j = p_i (delta_{ij} - p_j)") == ["proved"]
    assert verdicts("input u\nfunction g\nq = g(u)^2\ndq/du = 2 g(u) g'(u)") == ["proved"]
    assert verdicts("input u\nfunction s(x) = 1/(1 + e^{-x})\nds/du = s(u) (1 - s(u))\nq = s(2 u)") == ["proved"]
    assert verdicts("function s(x) = x^3\ninput u\nq = s(u)\ndq/du = 3 u^2\ndq/du = s'(u)") == ["proved", "proved"]


def test_rows_and_batches() -> None:
    sheet = """\
layout rows
input X in R^{m x n}, Y in R^{m x k}
parameters W in R^{n x k}, b in R^k
Z = X W + b
A = sigmoid(Z)
J = -sum(Y ⊙ log(A) + (1 - Y) ⊙ log(1 - A)) / m
dJ/dZ = (A - Y) / m
dJ/dW = X^T (A - Y) / m
dJ/dW = X^T (A - Y)
"""
    assert verdicts(sheet) == ["proved", "proved", "refuted"]


def test_names_for_gradients() -> None:
    sheet = NEURON + "delta = dJ/dz\ndelta = (a - t) a (1 - a)\ndJ/dw = delta x"
    assert verdicts(sheet) == ["proved"] * len(verdicts(sheet))
    assert len(verdicts(sheet)) >= 2


@pytest.mark.parametrize(
    "line",
    [
        "input",
        "input x in R^{",
        "claim",
        "a b c d = = 3",
        "assume tomorrow",
        "function 3",
        "layout diagonal",
        "dJ/dw = (a - t",
        "dJ/dq = 1",
        "input x in R^n",
        "z = w^T w",
        "sum(",
        "\\frac{1}{",
        "claim 7",
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(line: str) -> None:
    claims = check_worksheet(NEURON + line + "\n")
    assert claims
    assert all(c.verdict in ("unread", "refuted") for c in claims)
    assert all(c.because for c in claims if c.verdict == "unread")
    assert all(c.where is not None and c.where.line in (6, 1) for c in claims)


def test_comments_and_line_ends() -> None:
    text = NEURON.replace("\n", "\r\n") + "# a comment = 3\r\n\tdJ/db = (a - t) a (1 - a)  # the end\r\n"
    (claim,) = check_worksheet(text)
    assert claim.verdict == "proved"
    assert claim.where is not None
    assert (claim.where.line, claim.where.column) == (7, 2)


def test_blocks_in_markdown_keep_their_lines() -> None:
    first = f"```backproof\n{NEURON}dJ/db = 3\n```\n"
    second = "~~~ {.backproof}\ninput u\nq = u^2\ndq/du = 2 u\n~~~\n"
    text = f"# Title\n\n{first}\ntext\n\n{second}"
    claims = check_blocks(text, "notes.md")
    assert [c.verdict for c in claims] == ["refuted", "proved"]
    assert [c.where.line for c in claims if c.where] == [9, 17]


def test_deep_and_long_worksheets_end() -> None:
    deep = "input x\nq = " + "(" * 5_000 + "x" + ")" * 5_000 + "\n"
    assert all(c.verdict == "unread" for c in check_worksheet(deep))
    many = "input x\n" + "".join(f"q{k} = x + {k}\n" for k in range(60)) + "dq3/dx = 1\n"
    assert verdicts(many) == ["proved"]
