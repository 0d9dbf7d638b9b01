"""Training for the eye: the chosen network, made small, with two losses and one start, by the proved equations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backproof import catalog
from backproof.calculus.interpreter import evaluate
from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name
from backproof.errors import BackproofError, NetworkError
from backproof.language.program import Program
from backproof.proof.derivation import Derivation, derive
from backproof.proof.verdict import Kind
from backproof.web.demonstration import CLASSES, INPUTS, demonstration, proved_program, takes_vectors

STEPS: Final = 600
EVERY: Final = 4
CHECKED_EVERY: Final = 60
HIDDEN_UNITS: Final = 4
MOST_UNITS: Final = 32
SATURATED: Final = 4.0
"""The bias of the output units at a saturated start: a sigmoid is at 0.98 before it has learned anything."""
PENALTY: Final = 0.01
"""What stands for λ where it is a letter."""
SURE: Final = 0.9
"""How sure targets are where a loss has no value at 0 or 1."""
NO_NUMBER: Final = "the loss or a gradient is not a number any more: a log of 0 or an overflow; try a smaller rate"

Array = NDArray[np.float64]


@dataclass
class Run:
    """One network in training: `program` computes the loss and, by its proved equations, the gradients."""

    network: Network
    derivation: Derivation
    program: Program
    weights: dict[str, Array]
    inputs: Mapping[str, Array | float]
    examples: int
    stopped: str | None = None
    soft: bool = False

    def step(self, rate: float, *, checked: bool = False) -> dict[str, Any]:
        """One step of gradient descent; what it found before the step."""
        try:
            with np.errstate(all="ignore"):
                values = evaluate(self.program, {**self.weights, **self.inputs})
        except BackproofError as error:
            self.stopped = error.what
            return {}
        loss, output = float(np.asarray(values["J"])), np.asarray(values[f"A({self.network.depth})"])
        gradients = {name: np.asarray(values[adjoint_name("J", name)]) for name in self.weights}
        if not np.isfinite(loss) or not all(np.isfinite(g).all() for g in gradients.values()):
            self.stopped = NO_NUMBER
            return {}
        found: dict[str, Any] = {"J": loss, "error": float(np.mean(np.abs(output - self.inputs["Y"])))}
        found["deltas"] = [self.size_of_delta(values, k) for k in range(1, self.network.depth + 1)]
        if checked:
            found["check"] = self.difference(gradients)
        for name, gradient in gradients.items():
            self.weights[name] = self.weights[name] - rate * gradient
        return found

    def has_loss(self) -> bool:
        """Whether the loss is a number at the start; a log of a target of 0 is none."""
        with np.errstate(all="ignore"):
            values = evaluate(self.network.program, {**self.weights, **self.inputs})
        return bool(np.isfinite(np.asarray(values["J"])))

    def soften(self, classes: int) -> None:
        """Targets a little away from 0 and 1."""
        self.inputs = {**self.inputs, "Y": SURE * self.inputs["Y"] + (1 - SURE) / classes}
        self.soft = True

    def size_of_delta(self, values: Mapping[str, Any], layer: int) -> float:
        """The mean of |δ| over units and examples, for one example: a mean in the loss is undone."""
        scale = {"mean": self.examples, "mean-all": self.examples * int(self.network.sizes[-1])}
        delta = np.asarray(values[adjoint_name("J", f"Z({layer})")])
        return float(np.mean(np.abs(delta))) * scale.get(self.network.reduction, 1)

    def difference(self, gradients: Mapping[str, Array], h: float = 1e-5) -> list[float]:
        """The slope of the loss in one direction: by the equations, and as a central difference."""
        random = np.random.default_rng(11)
        way = {name: random.normal(size=w.shape) for name, w in sorted(self.weights.items())}
        ends: list[float] = []
        for sign in (h, -h):
            moved = {name: w + sign * way[name] for name, w in self.weights.items()}
            with np.errstate(all="ignore"):
                ends.append(float(np.asarray(evaluate(self.network.program, {**moved, **self.inputs})["J"])))
        return [sum(float(np.sum(gradients[n] * way[n])) for n in way), (ends[0] - ends[1]) / (2 * h)]


def runs(network: Network, other: str, start: str) -> list[Run]:
    """Two networks with the same start and different losses.

    Raises UnknownNameError, and NetworkError where a function is open.
    """
    losses = (network.loss, catalog.loss(other).name)
    named = (catalog.activation(network.hidden), catalog.activation(network.output), *map(catalog.loss, losses))
    if any(entry.abstract for entry in named):
        raise NetworkError("an open function has no numbers to train with", next="choose functions of the catalogue")
    vectors = takes_vectors(network.output, *losses)
    network = replace(network, reduction="mean" if network.reduction == "none" else network.reduction)
    small = demonstration(network, usual=HIDDEN_UNITS, most=MOST_UNITS, vectors=vectors)
    points, targets = _data(vectors=vectors)
    weights = _start(small, start)
    made: list[Run] = []
    for loss in losses:
        own = replace(small, loss=loss)
        derivation = derive(own)
        wanted = 2 * targets - 1 if catalog.loss(loss).target == "plus-minus-one" else targets
        inputs: dict[str, Array | float] = {"X": points, "Y": wanted}
        if own.layout != "columns":
            inputs = {"X": points.T, "Y": wanted.T}
        entries = (catalog.activation(own.hidden), catalog.activation(own.output), catalog.loss(loss))
        inputs |= {h.name: float(h.default) for e in entries for h in e.hyperparameters if h.name in own.program.inputs}
        inputs |= {name: PENALTY for name in own.program.inputs if name == own.l2}
        own_weights = {name: w.copy() for name, w in weights.items()}
        made.append(Run(own, derivation, proved_program(derivation), own_weights, inputs, points.shape[1]))
    if not all(run.has_loss() for run in made):
        for run in made:
            run.soften(CLASSES if vectors else 2)
    return made


def _data(*, vectors: bool) -> tuple[Array, Array]:
    """The four points of exclusive or; for three classes, three points around each of three corners."""
    if not vectors:
        return np.array([[-1, -1, 1, 1], [-1, 1, -1, 1]], float), np.array([[0, 1, 1, 0]], float)
    angles = np.array([0.3 * k + 2.0944 * c for c in range(CLASSES) for k in (-1, 0, 1)])
    return np.array([np.cos(angles), np.sin(angles)]), np.repeat(np.eye(CLASSES), 3, axis=1)


def _start(network: Network, start: str) -> dict[str, Array]:
    """Random weights, the same for every loss; a saturated start has a large bias at the first output."""
    random = np.random.default_rng(7)
    widths = [int(size) for size in network.sizes]
    made: dict[str, Array] = {}
    for k in range(1, len(widths)):
        spread = 1.2 if widths[k - 1] == INPUTS else 1.6 / np.sqrt(widths[k - 1])
        weights = random.normal(0, spread, (widths[k], widths[k - 1]))
        made[f"W({k})"] = weights.T.copy() if network.layout == "rows" else weights
        made[f"b({k})"] = random.normal(0, 0.4, widths[k]) if k < network.depth else np.zeros(widths[k])
    if start == "saturated":
        made[f"b({network.depth})"][0] = SATURATED
    return made


def train(network: Network, other: str, start: str, rate: float) -> Iterator[dict[str, Any]]:
    """What happens, step by step, until both runs are done or have failed; first what is trained."""
    both = runs(network, other, start)
    equations = [e for run in both for e in run.derivation.equations]
    proved = sum(e.verdict.kind is Kind.PROVED for e in equations)
    sizes = "-".join(both[0].network.sizes)
    yield {"network": sizes, "equations": len(equations), "proved": proved, "soft": both[0].soft}
    for step in range(STEPS + 1):
        shown: list[dict[str, Any]] = []
        for run in both:
            now = {} if run.stopped else run.step(rate, checked=step % CHECKED_EVERY == 0)
            shown.append({"loss": run.network.loss, **now, **({"stopped": run.stopped} if run.stopped else {})})
        if step % EVERY == 0 or any(run.stopped for run in both):
            yield {"step": step, "of": STEPS, "runs": shown}
        if all(run.stopped for run in both):
            return
