"""Training for the eye: one small network, two losses, one start; the interpreter computes every gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backproof import catalog
from backproof.calculus.interpreter import evaluate
from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.errors import BackproofError
from backproof.language.program import Program

STEPS: Final = 600
EVERY: Final = 4
HIDDEN_UNITS: Final = 4
SATURATED: Final = 4.0
"""The bias of the output units at a saturated start: a sigmoid is at 0.98 before it has learned anything."""

Array = NDArray[np.float64]


@dataclass
class Run:
    """One network in training."""

    loss: str
    program: Program
    weights: dict[str, Array]
    inputs: Mapping[str, Array]
    stopped: str | None = None

    def step(self, rate: float) -> dict[str, Any]:
        """One step of gradient descent; what it found before the step."""
        try:
            with np.errstate(all="ignore"):
                values = evaluate(self.program, {**self.weights, **self.inputs})
        except BackproofError as error:
            self.stopped = error.what
            return {}
        loss, output = float(np.asarray(values["J"])), np.asarray(values["A(2)"])
        gradients = {name: np.asarray(values[adjoint_name("J", name)]) for name in self.weights}
        if not np.isfinite(loss) or not all(np.isfinite(g).all() for g in gradients.values()):
            self.stopped = (
                "the loss or a gradient is not a number any more: a log of 0 or an overflow; try a smaller rate"
            )
            return {}
        for name, gradient in gradients.items():
            self.weights[name] = self.weights[name] - rate * gradient
        error = float(np.mean(np.abs(output - self.inputs["Y"])))
        sizes = output.shape[1]
        deltas = [float(np.mean(np.abs(np.asarray(values[adjoint_name("J", f"Z({k})")])))) * sizes for k in (1, 2)]
        return {"J": loss, "error": error, "deltas": deltas}


def runs(choice: Mapping[str, str]) -> list[Run]:
    """Two networks with the same start and different losses. Raises UnknownNameError and NetworkError."""
    output, hidden = choice.get("output", "sigmoid"), choice.get("hidden", "tanh")
    losses = (choice.get("loss", "bce"), choice.get("other", "half-mse"))
    vector = not all(e.elementwise for e in (catalog.activation(output), *(catalog.loss(name) for name in losses)))
    inputs, weights = _data(vector=vector), _start(3 if vector else 1, choice.get("start", "usual"))
    made: list[Run] = []
    for loss in losses:
        width = "3" if vector else "1"
        network = Network(("2", str(HIDDEN_UNITS), width), hidden=hidden, output=output, loss=loss, reduction="mean")
        program = network.program
        whole = Program(program.inputs, (*program.definitions, *adjoints(program, "J").values()), program.assumptions)
        targets = inputs["Y"]
        if catalog.loss(loss).target == "plus-minus-one":
            targets = 2 * targets - 1
        made.append(Run(loss, whole, {k: v.copy() for k, v in weights.items()}, {"X": inputs["X"], "Y": targets}))
    return made


def _data(*, vector: bool) -> dict[str, Array]:
    """The four points of exclusive or; for three classes, three points around each of three corners."""
    if not vector:
        return {"X": np.array([[-1, -1, 1, 1], [-1, 1, -1, 1]], float), "Y": np.array([[0, 1, 1, 0]], float)}
    angles = np.array([0.3 * k + 2.0944 * c for c in range(3) for k in (-1, 0, 1)])
    return {"X": np.array([np.cos(angles), np.sin(angles)]), "Y": np.repeat(np.eye(3), 3, axis=1)}


def _start(outputs: int, start: str) -> dict[str, Array]:
    random = np.random.default_rng(7)
    return {
        "W(1)": random.normal(0, 1.2, (HIDDEN_UNITS, 2)),
        "b(1)": random.normal(0, 0.4, HIDDEN_UNITS),
        "W(2)": random.normal(0, 0.8, (outputs, HIDDEN_UNITS)),
        "b(2)": np.array([SATURATED if start == "saturated" and k == 0 else 0.0 for k in range(outputs)]),
    }


def train(choice: Mapping[str, str], rate: float) -> Iterator[dict[str, Any]]:
    """What happens, step by step, until both runs are done or have failed."""
    both = runs(choice)
    for step in range(STEPS + 1):
        shown: list[dict[str, Any]] = []
        for run in both:
            now = {} if run.stopped else run.step(rate)
            shown.append({"loss": run.loss, **now, **({"stopped": run.stopped} if run.stopped else {})})
        if step % EVERY == 0 or any(run.stopped for run in both):
            yield {"step": step, "of": STEPS, "runs": shown}
        if all(run.stopped for run in both):
            return
