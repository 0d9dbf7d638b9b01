"""Fingerprints: every number of the tables is computed again, and no network that a claim holds for is passed over."""

from __future__ import annotations

import numpy as np
import pytest

from backproof import Network, catalog
from backproof.calculus.interpreter import evaluate, evaluate_expr
from backproof.check.claims import check
from backproof.check.fingerprints import ACTIVATIONS, LOSSES, OUTPUTS, TARGETS, VECTORS, may_hold
from backproof.check.names import program_of
from backproof.language.expression import Tensor, apply, tensor

# What has no argument with these values, or only one where the slope jumps.
WITHOUT = {"log-sigmoid", "hard-shrink", "thresholded-relu", "step", "log-softmax", "tempered-softmax"}
STEP = 1e-5


def value(name: str, z: float, order: int) -> float:
    return float(evaluate_expr(apply(name, tensor("z"), orders=(order,)), {"z": z}))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_has_these_values_and_slopes(name):
    z, slopes = ACTIVATIONS[name][:2], ACTIVATIONS[name][2:]
    for argument, output, slope in zip(z, OUTPUTS, slopes, strict=True):
        assert value(name, argument, 0) == pytest.approx(output, abs=1e-13)
        assert value(name, argument, 1) == pytest.approx(slope, rel=1e-12)
        difference = (value(name, argument + STEP, 0) - value(name, argument - STEP, 0)) / (2 * STEP)
        assert difference == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("name", VECTORS)
def test_a_softmax_has_these_values(name):
    z, scale = np.array(VECTORS[name][:2]), VECTORS[name][2]
    powers = np.exp(scale * z)
    assert powers / powers.sum() == pytest.approx(OUTPUTS, abs=1e-14)
    found = evaluate(program_of(Network(output=name, loss="half-mse")), {"z": z, "y": TARGETS})
    assert np.asarray(found["a"], float) == pytest.approx(OUTPUTS, abs=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_has_these_slopes(name):
    program = Network(output="identity", loss=name).program
    defaults = {h.name: float(h.default) for h in catalog.loss(name).hyperparameters}

    def loss(k: int, by: float) -> float:
        outputs = [a + by * (i == k) for i, a in enumerate(OUTPUTS)]
        return float(evaluate(program, {"z": outputs, "y": TARGETS} | defaults)["J"])

    swept = evaluate(program_of(Network(output="identity", loss=name)), {"z": OUTPUTS, "y": TARGETS} | defaults)
    assert np.asarray(swept["∂J/∂a"], float) == pytest.approx(LOSSES[name], rel=1e-12)
    for k, slope in enumerate(LOSSES[name]):
        difference = (loss(k, STEP) - loss(k, -STEP)) / (2 * STEP)
        # Two losses hold ln y, which has no slope by a, and no value here.
        assert difference == pytest.approx(slope, rel=1e-6, abs=1e-9) or name in {"kl", "itakura-saito"}


def test_every_function_of_the_catalogue_has_its_numbers():
    assert {e.name for e in catalog.activations() if not e.abstract} == {*ACTIVATIONS, *VECTORS} | WITHOUT
    assert {e.name for e in catalog.losses() if not e.abstract} == set(LOSSES)


@pytest.mark.parametrize(
    ("claim", "output", "loss"),
    [
        ("a - y", "sigmoid", "bce"),
        ("a - y", "softmax", "cross-entropy"),
        ("a - y", "exp", "poisson"),
        ("2(a - y) f'(z)", "gelu", "mse"),
        ("a (a - y - sum_k a_k (a_k - y_k))", "softmax", "half-mse"),
        ("-a (a - y - sum_k a_k (a_k - y_k))", "softmin", "half-mse"),
        ("dJ/da = (a - y)/(a (1 - a))", "tanh", "bce"),
        ("(a - y) * sigma(z)", "softplus", "half-mse"),
        ("exp(z) - y", "exp", "poisson"),
        ("dJ/dz = dJ/da * f'(z)", "mish", "focal"),
    ],
)
def test_a_right_claim_is_not_passed_over(claim, output, loss):
    network = Network(output=output, loss=loss)
    (judged,) = check(claim, network, explain=False)
    assert judged.verdict == "proved"
    assert isinstance(judged.left, Tensor)
    assert judged.right is not None
    assert may_hold(network, judged.left, judged.right)


@pytest.mark.parametrize(("output", "loss"), [("sigmoid", "half-mse"), ("identity", "huber"), ("softmax", "half-mse")])
def test_a_wrong_claim_is_not_looked_at(output, loss):
    (claim,) = check("a - y", Network(output="sigmoid", loss="bce"), explain=False)
    assert claim.left is not None
    assert claim.right is not None
    assert not may_hold(Network(output=output, loss=loss), claim.left, claim.right)
