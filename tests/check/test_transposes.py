"""Claims whose shapes do not fit because of a transpose."""

from __future__ import annotations

import numpy as np
import pytest

from backproof.calculus.network import Network
from backproof.check.claims import check

SHAPES = Network(sizes=("n", "h", "k"), hidden="tanh")


@pytest.mark.parametrize("sizes", [("n", "h", "k"), ("2", "3", "1"), ("4", "2", "3")])
@pytest.mark.parametrize("text", ["delta_1 = W2 delta_2 * f'(z1)", "dJ/dW2 = a1 delta_2^T", "dW1 = x delta1^T"])
def test_a_wrong_transpose_is_refuted_where_all_layers_have_one_size(sizes: tuple[str, ...], text: str) -> None:
    [claim] = check(text, Network(sizes=sizes, hidden="tanh"))
    assert claim.verdict == "refuted"
    assert [m.name for m in claim.mistakes] == ["transpose"]
    witness = claim.witness
    assert witness is not None
    assert witness.left.middle != witness.right.middle
    assert np.asarray(witness.inputs["W(2)"]).shape == (2, 2)


def test_the_counter_example_is_one_in_numbers() -> None:
    [claim] = check("delta_1 = W2 delta_2 * f'(z1)", SHAPES)
    assert claim.witness is not None
    given = {name: np.asarray(value, dtype=float) for name, value in claim.witness.inputs.items()}

    def loss(z1: np.ndarray) -> float:
        a2 = 1 / (1 + np.exp(-(given["W(2)"] @ np.tanh(z1) + given["b(2)"])))
        y = given["y"]
        return float(np.sum(-y * np.log(a2) - (1 - y) * np.log(1 - a2)))

    z1, at = given["W(1)"] @ given["x"] + given["b(1)"], claim.witness.index
    step = 1e-6 * np.eye(2)[next(iter(at.values())) - 1]
    slope = (loss(z1 + step) - loss(z1 - step)) / 2e-6
    assert float(claim.witness.left.middle) == pytest.approx(slope, rel=1e-6)
    assert float(claim.witness.right.middle) != pytest.approx(slope, rel=1e-3)


@pytest.mark.parametrize("text", ["dJ/dW1 = delta_1 delta_2"])
def test_what_no_transpose_mends_stays_unread(text: str) -> None:
    [claim] = check(text, SHAPES)
    assert claim.verdict == "unread"
