from __future__ import annotations

import pytest

from backproof.calculus.network import Network
from backproof.check.claims import check
from backproof.language.text import write


@pytest.mark.parametrize(
    ("claim", "network", "kind", "expected"),
    [
        ("(a - y) * f'(z)", Network(output="sigmoid", loss="bce"), "ratio", "a(1 − a)"),
        ("a - y", Network(output="sigmoid", loss="half-mse"), "ratio", "1/(a(1 − a))"),
        ("a - y", Network(output="identity", loss="mse"), "ratio", "½"),
        ("y - a", Network(output="sigmoid", loss="bce"), "ratio", "−1"),
        (
            "dW2 = 1/m (A2 - Y) A1^T",
            Network(("n", "h", "k"), reduction="mean", l2="lambda"),
            "rest",
            "−λ/m · W⁽²⁾",
        ),
        ("da_i/dz_j = a_i (1 - a_j)", Network(output="softmax", loss="cross-entropy"), "rest", "aᵢ(1 − [i = j])"),
        ("dW1 = W2^T (a2 - y) x^T", Network(("n", "h", "k"), hidden="tanh"), "ratio", "1/(1 − (a⁽¹⁾)²)"),
        ("a - y + 3", Network(output="sigmoid", loss="bce"), "rest", "3"),
    ],
)
def test_the_difference_to_the_right_answer(claim: str, network: Network, kind: str, expected: str) -> None:
    (checked,) = check(claim, network)
    assert checked.verdict == "refuted"
    assert checked.comparison is not None
    assert (checked.comparison.kind, write(checked.comparison.notation)) == (kind, expected)


def test_a_right_answer_has_none() -> None:
    (checked,) = check("a - y", Network(output="sigmoid", loss="bce"))
    assert checked.comparison is None
