"""Definitions and slopes against PyTorch's own functions and its automatic differentiation, kinks included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof import catalog
from backproof.calculus.exact_numbers import digits
from backproof.calculus.interpreter import evaluate, evaluate_expr
from backproof.calculus.sweep import adjoints
from backproof.language.expression import Index, apply, sum_over, tensor
from backproof.language.program import Definition, Program

torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed")
F: Any = torch.nn.functional
pytestmark = pytest.mark.slow

UNIT_INDEX = Index("i", "n")
POINTS = np.array([-20, -6.5, -3, -1, -0.75, -0.5, -0.1, 0, 0.1, 0.5, 0.75, 1, 2.5, 3, 6, 6.5, 20])
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda u: u * 1,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky-relu": F.leaky_relu,
    "relu6": F.relu6,
    "elu": F.elu,
    "selu": F.selu,
    "celu": F.celu,
    "softplus": lambda u: F.softplus(u, beta=1, threshold=100),
    "softsign": F.softsign,
    "silu": F.silu,
    "mish": F.mish,
    "gelu": F.gelu,
    "gelu-tanh": lambda u: F.gelu(u, approximate="tanh"),
    "exp": torch.exp,
    "arctan": torch.atan,
    "hard-tanh": F.hardtanh,
    "hard-sigmoid": F.hardsigmoid,
    "hard-swish": F.hardswish,
    "log-sigmoid": F.logsigmoid,
    "tanhshrink": F.tanhshrink,
    "soft-shrink": F.softshrink,
    "hard-shrink": F.hardshrink,
    "thresholded-relu": lambda u: F.threshold(u, 1, 0),
    "sin": torch.sin,
}
# PyTorch 2.13 has the constants of these in single precision (the slope 1/6) or to 16 digits.
PRECISION = {"hard-sigmoid": 1e-7, "selu": 1e-12}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_their_slopes(name: str) -> None:
    # At 3 PyTorch takes the slope of hard-swish from the left, 1.5; our text takes it from the right, and says so.
    points = POINTS[POINTS != 3] if name == "hard-swish" else POINTS
    leaf = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    outputs = ACTIVATIONS[name](leaf)
    outputs.sum().backward()
    for order, expected in ((0, outputs.detach()), (1, leaf.grad)):
        formula = apply(name, tensor("u", UNIT_INDEX), orders=(order,))
        found = evaluate_expr(formula, {"u": points}, indices=(UNIT_INDEX,), numbers=digits(40)).astype(float)
        np.testing.assert_allclose(found, expected.numpy(), rtol=PRECISION.get(name, 1e-12), atol=1e-15)


UNIT = np.array([0.05, 0.3, 0.5, 0.8, 0.99])
LOGITS = np.array([-4, -0.5, 0.0, 1.0, 3.0])
LABELS = np.array([0.0, 1.0, 0.25, 1.0, 0.0])
SIGNS = np.array([-1.0, 1, -1, 1, 1])
COUNTS = np.array([0.0, 1, 4, 2, 7])
LOSSES: dict[str, tuple[Any, Any, Callable[[Any, Any], Any]]] = {
    "mse": (LOGITS, LABELS, lambda a, y: F.mse_loss(a, y, reduction="sum")),
    "bce": (UNIT, LABELS, lambda a, y: F.binary_cross_entropy(a, y, reduction="sum")),
    "bce-with-logits": (LOGITS, LABELS, lambda a, y: F.binary_cross_entropy_with_logits(a, y, reduction="sum")),
    "mae": (LOGITS, LABELS + 0.1, lambda a, y: F.l1_loss(a, y, reduction="sum")),
    "huber": (LOGITS, LABELS, lambda a, y: F.huber_loss(a, y, reduction="sum")),
    "smooth-l1": (LOGITS, LABELS, lambda a, y: F.smooth_l1_loss(a, y, reduction="sum")),
    "soft-margin": (LOGITS, SIGNS, lambda a, y: F.soft_margin_loss(a, y, reduction="sum")),
    "poisson": (UNIT, COUNTS, lambda a, y: F.poisson_nll_loss(a, y, log_input=False, eps=0, reduction="sum")),
    "poisson-with-log-rate": (LOGITS, COUNTS, lambda a, y: F.poisson_nll_loss(a, y, log_input=True, reduction="sum")),
    "cross-entropy-with-logits": (LOGITS, UNIT / 2.64, F.cross_entropy),
    "kl": (UNIT / 2.64, np.array([0.1, 0.2, 0.3, 0.15, 0.25]), lambda a, y: F.kl_div(a.log(), y, reduction="sum")),
    "nll": (LOGITS, np.array([0.0, 0, 0, 1, 0]), lambda a, y: F.nll_loss(a[None], y.argmax()[None], reduction="sum")),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_their_slopes(name: str) -> None:
    predictions, targets, theirs = LOSSES[name]
    entry = catalog.loss(name)
    if entry.elementwise:
        body = sum_over(UNIT_INDEX, apply(name, tensor("a", UNIT_INDEX), tensor("y", UNIT_INDEX)))
    else:
        body = catalog.vector_definition(entry).body
    program = Program({"a": ("n",), "y": ("n",)}, (Definition("J", (), body),))
    program = program.extended(adjoints(program, "J").values())
    found = evaluate(program, {"a": predictions, "y": targets})
    leaf = torch.tensor(predictions, dtype=torch.float64, requires_grad=True)
    expected = theirs(leaf, torch.tensor(targets, dtype=torch.float64))
    expected.backward()
    np.testing.assert_allclose(found["J"], expected.item(), rtol=1e-12)
    np.testing.assert_allclose(found["∂J/∂a"], leaf.grad.numpy(), rtol=1e-11, atol=1e-15)
