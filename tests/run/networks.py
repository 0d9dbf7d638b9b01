"""Small networks, data and weights for the tests of kernels and training."""

from __future__ import annotations

import numpy as np

from backproof.calculus.interpreter import evaluate
from backproof.calculus.network import Network
from backproof.proof.derivation import with_adjoints
from backproof.run.kernels import parameters_of


def network(hidden: str = "tanh", output: str = "softmax", loss: str = "cross-entropy", **options: object) -> Network:
    settings = {"sizes": ("4", "5", "3"), "reduction": "mean", "layout": "rows"} | options
    return Network(hidden=hidden, output=output, loss=loss, **settings)


def examples(seed: int = 0, count: int = 7, wide: int = 4, classes: int = 3):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(count, wide)), np.eye(classes)[generator.integers(0, classes, count)]


def weights(net: Network, seed: int = 1):
    return np.random.default_rng(seed).normal(size=sum(p.length for p in parameters_of(net)))


def reference(net: Network, theta, inputs, targets, **numbers: float):
    """The loss and the gradient as the interpreter computes the raw adjoints of the sweep."""
    program = with_adjoints(net)
    values = {p.name: theta[p.start : p.start + p.length].reshape(p.shape) for p in parameters_of(net)}
    found = evaluate(program, {"X": inputs, "Y": targets, **values, **numbers})
    gradient = np.concatenate([np.ravel(found["∂J/∂" + p.name]) for p in parameters_of(net)])
    return float(found["J"]), gradient
