"""Claims: every spelling of the contract is read, right ones are proved, wrong ones are refuted with their mistake."""

from __future__ import annotations

import pytest

from backproof.calculus.network import Network
from backproof.check.claims import check
from backproof.check.wording import condition_text
from backproof.errors import BackproofError
from backproof.language.text import write

BCE = Network(output="sigmoid", loss="bce")
MSE = Network(output="sigmoid", loss="mse")
HALF = Network(output="sigmoid", loss="half-mse")
SOFTMAX = Network(output="softmax", loss="cross-entropy")
DEEP = Network(("n", "h", "k"))
BATCH = Network(("n", "h", "k"), reduction="mean")
PENALISED = Network(("n", "h", "k"), l2="lambda")
ROWS = Network(("n", "k"), reduction="sum", layout="rows")
RELU = Network(("n", "h", "k"), hidden="relu", reduction="sum", layout="rows")
ENDLESS = Network(("n", "h", "h", "k"), True)


def verdict(text: str, network: Network) -> str:
    return "/".join(c.verdict for c in check(text, network, explain=False))


@pytest.mark.parametrize(
    "text",
    [
        "a - y",
        "δ = a − y",
        "delta = a - y",
        "delta_L = a_L - y",
        "δ^{(L)} = a^{(L)} - y",
        "\\delta^L = a^L - y",
        "δ(L) = a(L) − y",
        "yhat - y",
        "ŷ − y",
        "\\hat y - y",
        "\\hat{y} - t",
        "p - target",
        "h - y",
        "output - target",
        "y_pred - y",
        "dJ/dz = a - y",
        "∂J/∂z = a − y",
        "\\frac{\\partial J}{\\partial z} = a - y",
        "\\frac{\\partial L}{\\partial z^{(L)}} = a^{(L)} - y",
        "\\nabla_z J = a - y",
        "dz = a - y",
        "∂E/∂z_k = a_k - y_k",
        "∂C/∂logits = sigmoid(logits) - y",
        "dloss/dnet = sigma(net) - y",
        "\\sigma(z) - y",
        "σ(z) - y",
        "1/(1 + exp(-z)) - y",
        "\\frac{1}{1+e^{-z}} - y",
        "-(y - a)",
        "a*(1 - y) - y*(1 - a)",
        "(1-y) a - y (1-a)",
        "\\mathbf{a} - \\mathbf{y}",
        "(a - y)/(a*(1-a)) .* f'(z)",
        "\\frac{a-y}{a(1-a)} \\odot \\sigma'(z)",
        "dJ/da * f'(z)",
        "(-y/a + (1-y)/(1-a)) * a*(1-a)",
    ],
)
def test_spellings_of_the_right_delta(text):
    assert verdict(text, BCE) == "proved", [c.because for c in check(text, BCE, explain=False)]


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("2(a - y) a (1 - a)", MSE),
        ("(a - y) f'(z)", HALF),
        ("-(y - y^) * f'(z)", HALF),
        ("2(a-y)", Network(output="identity", loss="mse")),
        ("a - y", SOFTMAX),
        ("a_i sum_k y_k - y_i", SOFTMAX),
        ("(a - y)(1 - a^2)", Network(output="tanh", loss="half-mse")),
        ("dW2 = delta2 @ a1.T", DEEP),
        ("dJ/dW2 = δ2 a1ᵀ", DEEP),
        ("∂J/∂W^{(2)} = δ^{(2)} (a^{(1)})^T", DEEP),
        ("\\frac{\\partial J}{\\partial W^{(1)}} = \\delta^{(1)} x^\\top", DEEP),
        ("\\frac{\\partial C}{\\partial w^2_{jk}} = a^1_k \\delta^2_j", DEEP),
        ("db1 = delta1", DEEP),
        ("\\delta^{(1)} = (W^{(2)})^T \\delta^{(2)} \\odot f'(z^{(1)})", DEEP),
        ("delta1 = (W2.T @ delta2) * a1 * (1 - a1)", DEEP),
        ("δ^{(1)}_i = Σ_k W^{(2)}_{ki} δ^{(2)}_k σ'(z^{(1)}_i)", DEEP),
        ("dW2 = delta2 @ a1.T", BATCH),
        ("dW2 = 1/m (A2 - Y) A1^T", BATCH),
        ("dW2 = 1/m dZ A1^T", Network(("n", "h", "k"), reduction="mean", loss="bce")),
        ("dW1 = delta1 x^T + lambda W1", PENALISED),
        ("delta_l = W_{l+1}^T delta_{l+1} * f'(z_l)", ENDLESS),
        ("dW_l = delta_l a_{l-1}^T", ENDLESS),
        ("∂J/∂b^{(l)} = δ^{(l)}", ENDLESS),
        ("dW2 = A1^T dZ2", Network(("n", "h", "k"), reduction="sum", layout="rows")),
        ("dA1 = dZ2 @ W2.T", Network(("n", "h", "k"), reduction="sum", layout="rows")),
        ("sigma'(z) = a(1-a)", BCE),
        ("∂E/∂net = (o - t) o (1 - o)", HALF),
        ("∂J/∂o = softmax(o) - t", SOFTMAX),
        ("o - t", SOFTMAX),
        ("dz_k = sum_j (a_j - y_j) a_j ([j=k] - a_k)", Network(output="softmax", loss="half-mse")),
        ("(a - y)(Φ(z) + z φ(z))", Network(output="gelu", loss="half-mse")),
        ("(a - y) φ'(z)", Network(output="gelu", loss="half-mse")),
        ("dlogits = (probs - onehot)/N", Network(output="softmax", loss="cross-entropy", reduction="mean")),
        ("dL/dz_i = p_i - 1[i = c]", SOFTMAX),
        ("dL/dz_i = p_i - δ_{iy}", SOFTMAX),
        ("∂ log p_k/∂z_j = [j=k] - p_j", SOFTMAX),
        ("2 (a - y) * sigmoid_prime(z)", MSE),
        ("2 (a - y) * dsigmoid(z)", MSE),
        ("2 (a - y) * d_sigmoid(z)", MSE),
        ("2 (a - y) * np.clip(a, 0, 1) * (1 - a)", MSE),
        ("(a - y) * (z > 0).astype(float)", Network(output="relu", loss="half-mse")),
        ("(a - y) * np.where(z > 0, 1, 0.01)", Network(output="leaky-relu", loss="half-mse")),
        ("δ(L) = ∇_a ℓ ⊙ f′(z(L))", Network(("n", "h", "h", "k"), True, hidden="f", output="f", loss="ell")),
        ("δ = dℓ/da f′(z)", Network(output="f", loss="ell")),
        ("W -= lr * X.T @ dZ", ROWS),
        ("W := W - alpha X^T (A - Y)", ROWS),
        ("W = W + 0.1 * X.T @ (Y - A)", ROWS),
        ("b -= lr * dZ.sum(axis=0)", ROWS),
        ("delta = bce_1(a, y) sigma'(z)", BCE),
        ("\\delta_i = \\ell_1(a_i, y_i) f'(z_i)", Network(output="f", loss="ell")),
    ],
)
def test_right_claims(text, network):
    found = check(text, network, explain=False)
    if text.startswith("dW2 = 1/m dZ"):
        assert found[0].verdict == "refuted"  # δ holds the 1/m of the mean already
        return
    assert {c.verdict for c in found} == {"proved"}, [(c.verdict, c.because) for c in found]


@pytest.mark.parametrize(
    ("text", "network", "mistake"),
    [
        ("(a - y) * f'(z)", BCE, "extra-slope"),
        ("(a - y) a (1 - a)", BCE, "extra-slope"),
        ("-(y - y^) * f'(z)", BCE, "extra-slope"),
        ("a - y", HALF, "missing-slope"),
        ("2(a - y)", MSE, "missing-slope"),
        ("(a - y) a (1 - a)", MSE, "factor"),
        ("a - y", Network(output="identity", loss="mse"), "factor"),
        ("y - a", BCE, "sign"),
        ("y - a", BCE, "swapped-target"),
        ("(a - y) f'(a)", HALF, "wrong-slope-point"),
        ("(a - y)(1 - a^2)", HALF, "wrong-activation"),
        ("2(a - y) a (1 - a)", Network(output="softmax", loss="mse"), "diagonal-jacobian"),
        ("dW2 = 1/m delta2 a1^T", BATCH, "batch-scale"),
        ("dW2 = (A2 - Y) A1^T", BATCH, "batch-scale"),
        ("db2 = 1/m sum_s delta2_{ks}", BATCH, "bias-reduction"),
        ("delta_l = W_{l+1} delta_{l+1} * f'(z_l)", ENDLESS, "transpose"),
        ("delta_l = W_{l+1}^T delta_{l+1} * f'(a_l)", ENDLESS, "wrong-slope-point"),
        ("delta_l = W_{l+1}^T delta_{l+1}", ENDLESS, "missing-slope"),
        ("dW1 = delta1 x^T", PENALISED, "missing-regulariser"),
        ("dW1 = delta1 x^T + 2 lambda W1", PENALISED, "regulariser-factor"),
        ("dW1 = delta1 x^T - lambda W1", PENALISED, "regulariser-sign"),
        ("db1 = delta1 + lambda b1", PENALISED, "regularised-bias"),
        ("dW2 = delta2 z1^T", DEEP, "wrong-variable"),
        ("∂E/∂net = (t - o) o (1 - o)", HALF, "sign"),
        ("W += lr * X.T @ dZ", ROWS, "sign"),
        ("dL/dz_i = p_i + 1[i = c]", SOFTMAX, "sign"),
        ("(a - y) * sigmoid_prime(z)", MSE, "factor"),
        ("(a - y) * np.where(z > 0, 1, 0.2)", Network(output="leaky-relu", loss="half-mse"), "hidden-condition"),
        ("∂a/∂z = diag(a (1 - a))", SOFTMAX, "diagonal-jacobian"),
        (
            "dW1 = x^T (dZ2 W2^T)",
            Network(("n", "h", "k"), hidden="relu", reduction="sum", layout="rows"),
            "missing-slope",
        ),
    ],
)
def test_wrong_claims_are_refuted_and_named(text, network, mistake):
    (found,) = check(text, network)
    assert found.verdict == "refuted", (found.verdict, found.because)
    assert mistake in [m.name for m in found.mistakes], found.mistakes
    assert found.witness is not None
    assert found.correct is not None


def test_two_mistakes_at_once():
    (found,) = check("a - y", MSE)
    assert {m.name for m in found.mistakes} == {"missing-slope", "factor"}


def test_what_a_wrong_claim_would_be_right_for():
    (found,) = check("(a - y) * f'(z)", BCE)
    assert "sigmoid with half-mse" in found.would_be_right_for
    (found,) = check("a - y", MSE)
    assert "sigmoid with bce" in found.would_be_right_for


def test_softmax_needs_its_condition():
    (found,) = check("a - y", SOFTMAX)
    assert [condition_text(c, found.network.program) for c in found.conditions] == ["sum(y) = 1"]
    (general,) = check("a_i sum_k y_k - y_i", SOFTMAX)
    assert general.conditions == ()


def test_a_letter_with_two_meanings_has_one_of_them_in_a_formula():
    # ∂J/∂z = a − y holds; ∂J/∂o = o − y holds neither for logits nor for outputs.
    assert verdict("∂J/∂o = o - y", BCE) == "refuted"
    assert verdict("∂J/∂o = a - y", BCE) == "proved"


def test_an_update_that_differs_by_a_positive_factor_is_left_open():
    (found,) = check("b -= lr * dZ.mean(axis=0)", ROWS)
    assert found.verdict == "unknown"
    assert "positive factor" in (found.because or "")


@pytest.mark.parametrize(("layout", "text"), [("columns", "∂E/∂w_ij = x_i δ_j"), ("rows", "∂E/∂w_ji = x_i δ_j")])
def test_indices_of_weights_the_other_way_round_are_left_open(layout, text):
    network = Network(("n", "k"), layout=layout)
    (found,) = check(text, network)
    assert found.verdict == "unknown"
    assert "w_ij is the weight from" in (found.because or "")
    assert verdict(text.replace("x_i", "2 x_i"), network) == "refuted"


def test_an_update_that_adds_a_delta_is_left_open():
    (found,) = check("w_ij ← w_ij + η δ_i x_j", Network(("n", "k")))
    assert (found.verdict, found.mistakes) == ("unknown", ())


def test_each_step_of_a_chain_is_judged():
    chain = check("delta = dJ/da * f'(z) = (a - y)/(a(1-a)) * a(1-a) = (a - y)/2", BCE, explain=False)
    assert [c.verdict for c in chain] == ["proved", "proved", "refuted"]


@pytest.mark.parametrize(
    "text",
    ["", "   ", "a - ", "J = diag(a)", "dz = 2 (a - y) tanh_backward(z)", "δ = (a - y) * sigmoid_prime(a)",
     "(a - y", "a - y)", "\\frac{a}{", "a - q17", "dW7 = a", "foo(a)",
     "9^9^9^9", "1/0", "(" * 100_000 + "a", "a" * 200_000, "\\unknownmacro a", "a ≤ y"],
)  # fmt: skip
def test_what_cannot_be_read_says_why(text):
    found = check(text, DEEP)
    assert [c.verdict for c in found] == ["unread"]
    assert found[0].because
    assert isinstance(found[0].error, BackproofError)


def test_what_was_read_is_shown_back():
    (found,) = check("\\sigma'(z) (\\hat y - t)", BCE, explain=False)
    assert found.read_as is not None
    assert write(found.read_as) == "δ = σ′(z)·(a − y)"


def test_an_unknown_is_never_shown_as_correct(monkeypatch):
    from backproof.check import claims
    from backproof.proof.verdict import Kind, Verdict

    monkeypatch.setattr(claims, "decide", lambda *_, **__: Verdict(Kind.UNKNOWN, because="stopped"))
    (found,) = check("a - y", BCE)
    assert (found.verdict, found.because) == ("unknown", "stopped")


def test_another_shape_that_does_not_fit_has_no_named_mistake():
    (found,) = check("db2 = delta2 delta2^T", DEEP)
    assert (found.verdict, found.mistakes) == ("unread", ())


def test_a_factor_with_one_entry_is_a_number_where_nothing_else_fits() -> None:
    network = Network(("2", "3", "1"), hidden="tanh")
    assert verdict("delta_1 = W2^T delta_2 * f'(z2)", network) == "refuted"
    assert verdict("dW2 = (a2 - y) * a1^T", network) == "proved"


@pytest.mark.parametrize(
    ("text", "network", "mistake"),
    [
        ("da_i/dz_j = a_i([i=j] - a_i)", SOFTMAX, "wrong-index"),
        ("da_i/dz_j = a_i(1 - a_j)", SOFTMAX, "diagonal-jacobian"),
        ("sigma'(z) = sigma(z)(1 + sigma(z))", BCE, "sign"),
        ("dJ/da = (a - y)/(a(1 - y))", BCE, "wrong-variable"),
    ],
)
def test_slopes_and_jacobians_have_causes_too(text: str, network: Network, mistake: str) -> None:
    [claim] = check(text, network)
    assert claim.verdict == "refuted"
    assert mistake in [m.name for m in claim.mistakes]


@pytest.mark.parametrize(
    ("claim", "network", "correct"),
    [
        ("dW1 = delta1 a1^T", DEEP, "∂J/∂W⁽¹⁾ = δ⁽¹⁾ xᵀ"),
        ("db2 = A2 - Y", BATCH, "∂J/∂bᵢ⁽²⁾ = Σₖ δᵢₖ⁽²⁾"),
    ],
)
def test_where_shapes_do_not_fit_the_right_formula_is_shown(claim: str, network: Network, correct: str) -> None:
    [found] = check(claim, network)
    assert found.verdict == "unread"
    assert found.correct is not None
    assert write(found.correct) == correct


def test_what_the_right_formula_takes_for_granted_is_said() -> None:
    [claim] = check("y - a", SOFTMAX)
    assert "the correct formula takes for granted that sum(y) = 1" in claim.notes
    [claim] = check("y - a", Network(output="softmax", loss="half-mse"))
    assert not any("granted" in note for note in claim.notes)
