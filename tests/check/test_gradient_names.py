"""Names of gradients in code and notes: each is the gradient that people mean by it."""

from __future__ import annotations

import pytest

from backproof.calculus.network import Network
from backproof.check.claims import check

TORCH = Network(("n", "k"), reduction="mean", layout="rows-out-in")
DEEP = Network(("n", "h", "k"))
ONE = Network(("n", "1"))

RIGHT = [
    ("grad_weight = grad_output.t() @ input", TORCH),
    ("grad_input = grad_output @ weight", TORCH),
    ("grad_bias = grad_output.sum(0)", TORCH),
    ("dW = dout.T @ x", TORCH),
    ("dX = dY @ W", TORCH),
    ("weight.grad = dZ.T @ X", TORCH),
    ("\\bar{W} = \\bar{Z}^\\top X", TORCH),
    ("∇W = δᵀ X", TORCH),
    ("∇b = 1ᵀ δ", TORCH),
    ("G_W = G_Z^T X", TORCH),
    ("W_grad = z_grad.T @ X", TORCH),
    ("δ_hidden = W2ᵀ δ_output ⊙ a1 ⊙ (1 − a1)", DEEP),
    ("hidden_delta = W2.T @ output_delta * a1 * (1 - a1)", DEEP),
    ("error_hidden = W2.T.dot(error_output) * hidden * (1 - hidden)", DEEP),
    ("J_z = a - y", Network()),
    ("J'(z) = a - y", Network()),
    ("δJ/δz = a - y", Network()),
    ("gradient = predictions - targets", Network()),
    ("∂L/∂θ = (p − y) x", ONE),
    ("∂L/∂w = (σ(wᵀx + b) − y) x", ONE),
    ("∂L/∂w_j = (p − y) x_j", ONE),
    ("w ← w − η (p − y) x", ONE),
]


@pytest.mark.parametrize(("text", "network"), RIGHT)
def test_right_claims_are_proved(text: str, network: Network) -> None:
    assert [c.verdict for c in check(text, network, explain=False)] == ["proved"]


@pytest.mark.parametrize(
    ("text", "network", "mistake"),
    [
        ("grad_input = grad_output @ weight.t()", Network(("n", "n"), layout="rows-out-in"), "transpose"),
        ("grad_bias = grad_output.mean(0)", TORCH, "bias-reduction"),
        ("W_grad = X_grad.T @ X", Network(("n", "n"), layout="rows-out-in", reduction="mean"), None),
        ("hidden_delta = W2.T @ output_delta", DEEP, "missing-slope"),
        ("J'(z) = y - a", Network(), "sign"),
        ("∂L/∂w = x (y − ŷ)", ONE, "sign"),
        ("∂L/∂w = 2 (p − y) x", ONE, "factor"),
    ],
)
def test_wrong_claims_are_refuted_and_named(text: str, network: Network, mistake: str | None) -> None:
    (found,) = check(text, network)
    assert found.verdict == "refuted"
    assert mistake is None or mistake in [m.name for m in found.mistakes]


def test_a_matrix_of_one_row_is_no_vector() -> None:
    # W2 is 1×h here: without its transpose the product is no column.
    (found,) = check("delta_1 = W2 delta_2 * f'(z1)", Network(("n", "h", "1")), explain=False)
    assert found.verdict != "proved"


def test_a_bar_over_something_else_is_no_gradient() -> None:
    assert check("\\bar{q} = a - y", Network(), explain=False)[0].verdict == "unread"
