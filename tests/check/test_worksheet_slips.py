"""A worksheet of a whole derivation with one planted slip at a time: each is found at its line, with its name."""

from __future__ import annotations

import pytest

from backproof.check.worksheet.sheet import check_worksheet

HEAD = """\
input x in R^n, y in R^k
parameters W1 in R^{h×n}, b1 in R^h, W2 in R^{k×h}, b2 in R^k
function f
z1 = W1 x + b1
a1 = f(z1)
z2 = W2 a1 + b2
a2 = sigmoid(z2)
J = -sum_i (y_i log a2_i + (1 - y_i) log(1 - a2_i))
"""
DERIVATION = """\
dJ/da2 = (a2 - y) / (a2 ⊙ (1 - a2))
delta2 = a2 - y
dJ/dW2 = delta2 a1^T
dJ/db2 = delta2
dJ/da1 = W2^T delta2
delta1 = (W2^T delta2) ⊙ f'(z1)
dJ/dW1 = delta1 x^T
dJ/db1 = delta1
dJ/dx = W1^T delta1
"""
SQUARES = """\
input x in R^n, y in R^n
parameters W1 in R^{n×n}, b1 in R^n, W2 in R^{n×n}, b2 in R^n
z1 = W1 x + b1
a1 = tanh(z1)
z2 = W2 a1 + b2
J = 1/2 ||z2 - y||^2
"""
THREE_LAYERS = """\
input x in R^n, y in R^n
parameters W1 in R^{n×n}, b1 in R^n, W2 in R^{n×n}, b2 in R^n, W3 in R^{n×n}, b3 in R^n
z1 = W1 x + b1
a1 = tanh(z1)
z2 = W2 a1 + b2
a2 = sigmoid(z2)
z3 = W3 a2 + b3
a3 = softmax(z3)
J = -sum_i y_i log a3_i
"""
THREE_STEPS = """\
dJ/da3 = -y / a3
delta3 = a3 (sum_i y_i) - y
dJ/dW3 = delta3 a2^T
delta2 = (W3^T delta3) ⊙ a2 ⊙ (1 - a2)
dJ/dW2 = delta2 a1^T
dJ/db2 = delta2
delta1 = (W2^T delta2) ⊙ (1 - a1 ⊙ a1)
dJ/dW1 = delta1 x^T
"""
# The line of the derivation that is changed (from 0), what it becomes, and the names that explain it.
SLIPS = (
    (0, "dJ/da2 = (y - a2) / (a2 ⊙ (1 - a2))", {"sign", "swapped-target"}),
    (0, "dJ/da2 = 1 / (a2 ⊙ (1 - a2))", {"dropped-term"}),
    (0, "dJ/da2 = (a2 - y) / a2", {"dropped-term"}),
    (0, "dJ/da2 = (a2 - y) / (1 - a2)", {"dropped-term"}),
    (0, "dJ/da2 = 2 (a2 - y) / (a2 ⊙ (1 - a2))", {"factor"}),
    (0, "dJ/da2 = (a2 + y) / (a2 ⊙ (1 - a2))", {"sign"}),
    (1, "delta2 = y - a2", {"sign", "swapped-target"}),
    (1, "delta2 = 2 (a2 - y)", {"factor"}),
    (1, "delta2 = (a2 - y)/2", {"factor"}),
    (1, "delta2 = (a2 - y) ⊙ a2 ⊙ (1 - a2)", {"extra-slope"}),
    (1, "delta2 = (a2 - y) ⊙ sigmoid'(z2)", {"extra-slope"}),
    (1, "delta2 = a2", {"dropped-term"}),
    (1, "delta2 = a2 + y", {"sign"}),
    (1, "delta2 = 3 (y - a2)", {"factor"}),
    (1, "delta2 = a2 - y + b2", {"extra-term"}),
    (2, "dJ/dW2 = -delta2 a1^T", {"sign"}),
    (2, "dJ/dW2 = 2 delta2 a1^T", {"factor"}),
    (2, "dJ/dW2 = delta2 z1^T", {"wrong-variable"}),
    (2, "dJ/dW2 = delta2 a1^T + W2", {"extra-term"}),
    (2, "dJ/dW2 = (delta2 ⊙ a2 ⊙ (1 - a2)) a1^T", {"extra-slope"}),
    (2, "dJ/dW2 = b2 a1^T", {"wrong-variable"}),
    (3, "dJ/db2 = 2 delta2", {"factor"}),
    (3, "dJ/db2 = -delta2", {"sign"}),
    (3, "dJ/db2 = delta2 + b2", {"extra-term"}),
    (3, "dJ/db2 = delta2 ⊙ sigmoid'(z2)", {"extra-slope"}),
    (3, "dJ/db2 = delta2/4", {"factor"}),
    (4, "dJ/da1 = -W2^T delta2", {"sign"}),
    (4, "dJ/da1 = 2 W2^T delta2", {"factor"}),
    (4, "dJ/da1 = W2^T delta2 + a1", {"extra-term"}),
    (4, "dJ/da1 = W2^T y", {"wrong-variable", "dropped-term"}),
    (4, "dJ/da1 = W2^T (delta2 ⊙ a2 ⊙ (1 - a2))", {"extra-slope"}),
    (5, "delta1 = (W2^T delta2) ⊙ f'(a1)", {"wrong-slope-point"}),
    (5, "delta1 = W2^T delta2", {"missing-slope"}),
    (5, "delta1 = (W2^T delta2) ⊙ f(z1)", {"missing-slope"}),
    (5, "delta1 = -(W2^T delta2) ⊙ f'(z1)", {"sign"}),
    (5, "delta1 = (W2^T delta2) ⊙ f'(z1) / 2", {"factor"}),
    (5, "delta1 = f'(z1)", {"dropped-term"}),
    (5, "delta1 = (W2^T delta2) ⊙ f'(z1) ⊙ f'(z1)", {"extra-slope", "wrong-exponent"}),
    (6, "dJ/dW1 = -delta1 x^T", {"sign"}),
    (6, "dJ/dW1 = 4 delta1 x^T", {"factor"}),
    (6, "dJ/dW1 = (W2^T delta2) x^T", {"missing-slope", "wrong-variable"}),
    (6, "dJ/dW1 = delta1 x^T + W1", {"extra-term"}),
    (6, "dJ/dW1 = delta1 x^T - 2 W1", {"extra-term"}),
    (7, "dJ/db1 = W2^T delta2", {"missing-slope", "wrong-variable"}),
    (7, "dJ/db1 = 2 delta1", {"factor"}),
    (7, "dJ/db1 = delta1 + b1", {"extra-term"}),
    (7, "dJ/db1 = -delta1", {"sign"}),
    (8, "dJ/dx = W1^T (W2^T delta2)", {"missing-slope", "wrong-variable"}),
    (8, "dJ/dx = -W1^T delta1", {"sign"}),
    (8, "dJ/dx = W1^T delta1 / 3", {"factor"}),
    (8, "dJ/dx = W1^T delta1 + x", {"extra-term"}),
    (8, "dJ/dx = W1^T ((W2^T delta2) ⊙ f'(a1))", {"wrong-slope-point"}),
)
# The same in layers of one size, where letters, layers, indices and transposes can be taken for each other.
THREE_SLIPS = (
    (0, "dJ/da3 = y / a3", {"sign"}),
    (1, "delta3 = -y ⊙ (1 - a3)", {"diagonal-jacobian"}),
    (1, "delta3 = a3 - 2 y", {"factor"}),
    (2, "dJ/dW3 = delta3 a1^T", {"wrong-layer"}),
    (2, "dJ/dW3 = delta2 a2^T", {"wrong-layer"}),
    (2, "dJ/dW3_{ij} = delta3_i a2_i", {"wrong-index"}),
    (3, "delta2 = (W3^T delta3) ⊙ (1 - a2 ⊙ a2)", {"wrong-activation"}),
    (3, "delta2 = (W2^T delta3) ⊙ a2 ⊙ (1 - a2)", {"wrong-layer"}),
    (3, "delta2 = (W3 delta3) ⊙ a2 ⊙ (1 - a2)", {"transpose"}),
    (3, "delta2 = (W3^T delta3) ⊙ a2", {"missing-slope"}),
    (4, "dJ/dW2 = a1 delta2^T", {"transpose"}),
    (5, "dJ/db2 = delta2 ⊙ delta2", {"extra-factor"}),
    (6, "delta1 = (W2^T delta2) ⊙ (1 - a1)", {"wrong-exponent"}),
    (6, "delta1 = (W2^T delta2) ⊙ a1 ⊙ (1 - a1)", {"wrong-activation"}),
    (6, "delta1 = (W2^T delta3) ⊙ (1 - a1 ⊙ a1)", {"wrong-layer"}),
    (6, "delta1 = delta2 ⊙ (1 - a1 ⊙ a1)", {"dropped-term"}),
    (7, "dJ/dW1 = delta1 a1^T", {"wrong-variable"}),
    (7, "dJ/dW1 = (W2^T delta2) x^T", {"missing-slope"}),
)
MISFITS = (
    (2, "dJ/dW2 = a1 delta2^T"),
    (2, "dJ/dW2 = delta2^T a1"),
    (4, "dJ/da1 = W2 delta2"),
    (5, "delta1 = (W2 delta2) ⊙ f'(z1)"),
    (6, "dJ/dW1 = x delta1^T"),
    (8, "dJ/dx = W1 delta1"),
)


def worksheet(line: int, text: str) -> tuple[str, int]:
    rows: list[str] = [*DERIVATION.splitlines()]
    rows[line] = text
    return HEAD + "\n".join(rows) + "\n", len(HEAD.splitlines()) + line + 1


def test_the_derivation_itself_is_proved() -> None:
    claims = check_worksheet(HEAD + DERIVATION)
    assert [c.verdict for c in claims] == ["proved"] * 9


def test_enough_slips_are_planted() -> None:
    assert len(SLIPS) >= 50
    assert {line for line, _, _ in SLIPS} == set(range(9))


@pytest.mark.slow
@pytest.mark.parametrize(("line", "text", "names"), SLIPS, ids=[f"{line}: {text}" for line, text, _ in SLIPS])
def test_a_slip_is_found_at_its_line_with_its_name(line: int, text: str, names: set[str]) -> None:
    sheet, number = worksheet(line, text)
    claims = check_worksheet(sheet)
    first = next(c for c in claims if c.verdict != "proved")
    assert first.verdict == "refuted"
    assert first.where is not None
    assert first.where.line == number
    assert {m.name for m in first.mistakes} & names, [m.name for m in first.mistakes]
    # Nothing else is wrong: what follows is stated with names, not with the slip.
    assert all(c.verdict == "proved" for c in claims if c is not first)


@pytest.mark.slow
@pytest.mark.parametrize(("line", "text", "names"), THREE_SLIPS, ids=[f"{k}: {text}" for k, text, _ in THREE_SLIPS])
def test_a_slip_between_layers_of_one_size_is_found_with_its_name(line: int, text: str, names: set[str]) -> None:
    rows = THREE_STEPS.splitlines()
    rows[line] = text
    wrong = [c for c in check_worksheet(THREE_LAYERS + "\n".join(rows) + "\n") if c.verdict != "proved"]
    assert [(c.verdict, c.where and c.where.line) for c in wrong] == [
        ("refuted", len(THREE_LAYERS.splitlines()) + line + 1)
    ]
    assert wrong[0].mistakes[0].name in names


@pytest.mark.parametrize(("line", "text"), MISFITS)
def test_a_shape_that_does_not_fit_is_an_error_at_its_line(line: int, text: str) -> None:
    sheet, number = worksheet(line, text)
    wrong = [c for c in check_worksheet(sheet) if c.verdict != "proved"]
    assert len(wrong) == 1
    assert wrong[0].verdict == "unread"
    assert wrong[0].where is not None
    assert wrong[0].where.line == number


@pytest.mark.parametrize(
    ("claim", "names"),
    [
        ("dJ/dW2 = (a1 (z2 - y)^T)", {"transpose"}),
        ("dJ/da1 = W2 (z2 - y)", {"transpose"}),
        ("dJ/dz1 = (W2 (z2 - y)) ⊙ (1 - a1 ⊙ a1)", {"transpose"}),
        ("dJ/dW1 = x ((W2^T (z2 - y)) ⊙ (1 - a1 ⊙ a1))^T", {"transpose"}),
    ],
)
def test_a_wrong_transpose_of_a_square_matrix_is_named(claim: str, names: set[str]) -> None:
    (found,) = check_worksheet(SQUARES + claim)
    assert found.verdict == "refuted"
    assert {m.name for m in found.mistakes} & names
