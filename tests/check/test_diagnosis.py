"""Wrong claims and what they are said to be: the usual slips, alone and together, with sentence and fix."""

from __future__ import annotations

import pytest

from backproof.calculus.network import Network
from backproof.check.claims import CheckedClaim, check
from backproof.check.mistakes import NAMED
from backproof.check.wording import condition_text

BCE = Network(output="sigmoid", loss="bce")
SOFTMAX = Network(output="softmax", loss="cross-entropy")
SQUARE = Network(("n", "n", "n"), hidden="f")
DEEP = Network(("n", "h", "k"))
BATCH = Network(("n", "h", "k"), reduction="mean")
ALL = Network(("n", "h", "k"), reduction="mean-all")
PENALISED = Network(("n", "h", "k"), l2="lambda")


def explained(text: str, network: Network) -> CheckedClaim:
    (found,) = check(text, network)
    assert found.verdict == "refuted", (found.verdict, found.because)
    return found


# The claim, the network, and the simplest explanation: names with what is said of them.
CASES = [
    # Conventions: ½, 1/m, the mean over outputs, the regularised bias, the penalty without 1/m.
    ("a - y", Network(output="identity", loss="mse"), [("factor", "a factor 2 is missing")]),
    ("2(a - y)", Network(output="identity", loss="half-mse"), [("factor", "a factor 2 too much")]),
    ("dW2 = (A2 - Y) A1^T", BATCH, [("batch-scale", "a factor m too much")]),
    ("dW2 = 1/m^2 (A2 - Y) A1^T", BATCH, [("batch-scale", "a factor 1/m too much")]),
    ("dZ2 = 1/m (A2 - Y)", ALL, [("wrong-reduction", "a sum over k in place of the mean")]),
    ("db1 = delta1 + lambda b1", PENALISED, [("regularised-bias", "the bias is regularised")]),
    ("db1 = 1/m sum_s delta1_{is}", BATCH, [("bias-reduction", "a factor 1/m too much")]),
    (
        "dW1 = delta1 X^T + lambda W1",
        Network(("n", "h", "k"), l2="lambda", reduction="mean"),
        [("regulariser-factor", "the penalty is off by a factor: m")],
    ),
    # The answer to another question: another layer, another variable, another layout.
    ("db2 = delta1", SQUARE, [("wrong-layer", "δ⁽¹⁾ in place of δ⁽²⁾")]),
    ("delta1 = W1^T delta2 * f'(z1)", SQUARE, [("wrong-layer", "W⁽¹⁾ in place of W⁽²⁾")]),
    ("dW2 = delta2 x^T", SQUARE, [("wrong-variable", "x in place of a⁽¹⁾")]),
    ("dW1_{ij} = delta1_j x_i", SQUARE, [("transpose", "the whole right side")]),
    ("delta1_i = sum_k W2_{ik} delta2_k f'(z1_i)", SQUARE, [("transpose", "W⁽²⁾")]),
    # Terms and factors lost or gained.
    ("a", BCE, [("dropped-term", "the term −y is missing")]),
    ("a - 1", BCE, [("dropped-term", "the factor y is missing")]),
    ("a - y - z", BCE, [("extra-term", "−z")]),
    ("(a - y)^2", BCE, [("extra-factor", "a − y")]),
    ("dW1 = delta1 x^T + W1", DEEP, [("extra-term", "W⁽¹⁾")]),
    # Indices, and slopes at a wrong point.
    ("dW1_{ij} = delta1_i x_i", SQUARE, [("wrong-index", "x at i, not at j")]),
    ("delta1 = (W2^T delta2) * f'(z2)", SQUARE, [("wrong-slope-point", "at z⁽²⁾, not at z⁽¹⁾")]),
    ("delta1 = (W2^T delta2) * f'(a1)", DEEP, [("wrong-slope-point", "at a⁽¹⁾, not at z⁽¹⁾")]),
    # A Jacobian's cross terms.
    (
        "a * (1 - a) * (a - y)",
        Network(output="softmax", loss="half-mse"),
        [("diagonal-jacobian", "only the own output")],
    ),
    # Numbers and exponents inside.
    ("(a - y)(2 - a^2)", Network(output="tanh", loss="half-mse"), [("wrong-number", "2 in place of 1")]),
    ("(a - y)(1 - a^3)", Network(output="tanh", loss="half-mse"), [("wrong-exponent", "3 in place of 2")]),
    ("(a - y)(1 - a)", Network(output="tanh", loss="half-mse"), [("wrong-exponent", "that of a is 1 in place of 2")]),
    ("(a - y)(1 - a)^2", Network(output="tanh", loss="half-mse"), [("wrong-exponent", "(1 − a)² in place of 1 − a²")]),
    ("2a - y", BCE, [("factor", "a factor 2 too much in one term")]),
    # The value for the slope, a chain that was not gone to its end, a matrix left out, the gradient of something else.
    ("(a - y) sigma(z)", Network(output="sigmoid", loss="half-mse"), [("missing-slope", "σ′(z), not σ(z)")]),
    ("-y/a", SOFTMAX, [("missing-slope", "this is ∂J/∂a")]),
    ("dJ/dx = delta1", SQUARE, [("dropped-term", "the matrix W⁽¹⁾")]),
    ("delta1 = (W2^T delta2) * f'(a1)", Network(("n", "h", "k"), hidden="tanh"), [("wrong-slope-point", "at a⁽¹⁾")]),
    # Slopes alone: in the names of the functions, and as they are written out.
    ("sigma'(z) = 1 - sigma(z)^2", BCE, [("wrong-activation", "that of tanh, not of sigmoid")]),
    ("da/dz = a (1 - a)", Network(output="tanh", loss="mse"), [("wrong-activation", "that of sigmoid, not of tanh")]),
    ("silu'(z) = sigma(z) + sigma(z)(1 - sigma(z))", Network(output="silu", loss="mse"), [("dropped-term", "z")]),
    ("da_i/dz_j = a_i (1 - a_j)", SOFTMAX, [("diagonal-jacobian", "the Kronecker delta is left out")]),
    # Two at once, made in the right formula or found in the claimed one.
    ("a - y", Network(output="sigmoid", loss="mse"), [("missing-slope", "σ′(z)"), ("factor", "a factor 2 is missing")]),
    ("dW2 = -2 (a2 - y) z1^T", DEEP, [("wrong-variable", "z⁽¹⁾ in place of a⁽¹⁾"), ("factor", "a factor −2 too much")]),
    (
        "delta1 = W2^T delta2 + a1",
        DEEP,
        [("missing-slope", "σ′(z⁽¹⁾)"), ("extra-term", "a⁽¹⁾")],
    ),
    ("a^2 (1 - a)", Network(output="tanh", loss="half-mse"), [("dropped-term", ""), ("dropped-term", "")]),
]


@pytest.mark.parametrize(("text", "network", "expected"), CASES, ids=[c[0] for c in CASES])
def test_the_simplest_explanation(text, network, expected):
    first = explained(text, network).explanations[0]
    assert [m.name for m in first] == [name for name, _ in expected]
    for mistake, (_, words) in zip(first, expected, strict=True):
        assert words in mistake.says
        assert mistake.fix


@pytest.mark.parametrize(
    ("text", "network", "other"),
    [
        ("(a - y) * f'(z)", BCE, "sigmoid with half-mse"),
        ("a - y", Network(output="sigmoid", loss="half-mse"), "identity with half-mse"),
        ("a - y", Network(output="tanh", loss="half-mse"), "softmax with cross-entropy"),
        ("db1 = W2^T delta2", DEEP, "n-h-k, hidden identity, output sigmoid with bce"),
    ],
)
def test_the_answer_to_another_question(text, network, other, monkeypatch):
    monkeypatch.setattr("backproof.check.questions.SECONDS", 60.0)
    monkeypatch.setattr("backproof.check.questions.MAX_ANSWERS", 60)
    assert other in explained(text, network).would_be_right_for


@pytest.mark.parametrize(
    ("text", "network", "condition"),
    [
        ("dZ2 = 1/m (A2 - Y)", ALL, "k = 1"),
        ("delta1_i = sum_k W2_{ik} delta2_k f'(z1_i)", SQUARE, "W⁽²⁾ᵀ = W⁽²⁾"),
        ("dW1 = delta1 x^T", PENALISED, "λ = 0"),
    ],
)
def test_conditions_that_would_make_it_true(text, network, condition):
    found = explained(text, network)
    said = [m for e in found.explanations for m in e if m.name == "hidden-condition"]
    assert [m.detail for m in said] == [condition]


def test_a_claim_that_needs_the_target_to_sum_to_1_is_right_under_that_condition():
    (found,) = check("a - y", SOFTMAX)
    assert found.verdict == "proved"
    assert [condition_text(c, found.network.program) for c in found.conditions] == ["sum(y) = 1"]


def test_simpler_explanations_stand_alone():
    found = explained("(a - y) a (1 - a)", BCE)
    assert {len(e) for e in found.explanations} == {1}


def test_the_right_formula_has_no_mistakes():
    (found,) = check("a - y", BCE)
    assert (found.verdict, found.explanations, found.mistakes) == ("proved", (), ())


@pytest.mark.parametrize(
    ("text", "names"),
    [("dW1 = -delta1 x^T", ["sign"]), ("delta1 = W2^T delta2", ["missing-slope"])],
)
def test_many_layers_of_one_shape(text, names):
    first = explained(text, Network(("4",) * 12, hidden="tanh")).explanations[0]
    assert [m.name for m in first] == names


def test_every_name_is_listed_once():
    names = [entry.name for entry in NAMED]
    assert len(names) == len(set(names))


def test_a_slip_that_was_made_twice_is_said_once():
    found = explained("(a - y) z (1 - z)", Network(output="sigmoid", loss="half-mse"))
    assert [m.detail for m in found.mistakes] == ["z in place of a"]


def test_a_slope_that_is_right_at_a_single_point_is_wrong():
    found = explained("tanh'(z) = 1 - tanh(z)", Network(output="tanh", loss="mse"))
    assert {m.name for e in found.explanations for m in e} == {"wrong-exponent"}


def test_the_gradient_of_another_quantity():
    found = explained("dJ/da = a - y", BCE)
    assert ("left-side", "z") in [(m.name, m.detail) for e in found.explanations for m in e]
