"""Tasks: a table made ready for a network, the loss that suits its target, and what is unwise about a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backproof import catalog
from backproof.errors import UsageError
from backproof.run.tables import Table

Array = NDArray[Any]
SATURATING = ("sigmoid", "tanh", "softmax", "arctan", "softsign", "hard-sigmoid", "hard-tanh")
KEEPS_SLOPE = ("mse", "half-mse", "mae", "huber", "log-cosh")


@dataclass
class Split:
    """Scaled inputs and targets for training and for a test, and how to read an output."""

    inputs: Array
    targets: Array
    test_inputs: Array
    test_targets: Array
    classes: tuple[str, ...] | None
    means: Array
    scales: Array
    constant: tuple[str, ...]

    def score(self, outputs: Array, targets: Array) -> tuple[str, float]:
        """Accuracy for classes, else R²."""
        if self.classes is not None:
            one = outputs.shape[1] == 1
            guesses: Array = np.round(outputs[:, 0]) if one else outputs.argmax(axis=1)
            answers: Array = targets[:, 0] if one else targets.argmax(axis=1)
            return "accuracy", 1 - np.count_nonzero(guesses - answers) / len(answers)
        rest = float(np.sum((targets - outputs) ** 2))
        total = float(np.sum((targets - targets.mean(axis=0)) ** 2))
        return "R²", 1 - rest / total if total else 0.0


def prepared(table: Table, *, outputs: int | None, test: float, seed: int, scale: bool) -> Split:
    """The table split and scaled by the training part's means and deviations; classes become rows with a single 1.

    Raises UsageError for values that are no numbers and for more classes than outputs.
    """
    inputs = np.asarray(table.inputs, np.float64)
    if not np.isfinite(inputs).all():
        row, column = (int(v[0]) for v in np.nonzero(~np.isfinite(inputs)))
        raise UsageError(
            f"the column {table.columns[column]!r} has no number in example {row + 1}",
            next="remove the row, or fill the gap",
        )
    classes: tuple[str, ...] | None = None
    if table.is_classes and table.target.ndim == 1:
        distinct, places = np.unique(table.target, return_inverse=True)
        classes = tuple(_shown(v) for v in distinct)
        width = outputs if outputs is not None else len(classes)
        if len(classes) == 2 and width == 1:
            targets = places.reshape(-1, 1).astype(np.float64)
        elif width < len(classes):
            raise UsageError(
                "the network has fewer outputs than the target has classes", expected=str(len(classes)), got=str(width)
            )
        else:
            targets = np.eye(width)[places]
    else:
        targets = np.asarray(table.target, np.float64).reshape(len(inputs), -1)
        if table.is_classes:
            classes = tuple(str(k) for k in range(targets.shape[1]))
    order = np.random.default_rng(seed).permutation(len(inputs))
    held = round(test * len(inputs))
    chosen, kept = order[:held], order[held:]
    if not len(kept):
        raise UsageError("no examples are left for training", got=f"--test {test}")
    means = inputs[kept].mean(axis=0) if scale else np.zeros(inputs.shape[1])
    deviations = inputs[kept].std(axis=0)
    flat = deviations <= 1e-12 * np.maximum(1, np.abs(inputs[kept]).max(axis=0))
    scales = np.where(flat, 1.0, deviations) if scale else np.ones(inputs.shape[1])
    constant = tuple(np.array(table.columns)[flat].tolist()) if table.columns else ()
    ready = (inputs - means) / scales
    return Split(ready[kept], targets[kept], ready[chosen], targets[chosen], classes, means, scales, constant)


def _shown(value: Any) -> str:
    text = str(value)
    return text.removesuffix(".0")


def suitable(split: Split) -> tuple[str, str, str]:
    """The output activation and the loss that suit the target, and why."""
    if split.classes is None:
        return "identity", "half-mse", "the target is a number: a linear output with the squared error"
    if split.targets.shape[1] == 1:
        return "sigmoid", "bce", "two classes: one probability with binary cross-entropy, δ = a − y"
    return "softmax", "cross-entropy", f"{len(split.classes)} classes: softmax with cross-entropy, δ = a − y"


def saturation(output: str, loss: str, sizes: Sequence[float], gaps: float) -> str | None:
    """Why the last layer hardly learns although it is wrong: |δ| is small where |a − y| is not.

    `sizes` are the means of |δ| in every layer, `gaps` is the mean of |a − y|. None where nothing is to be said.
    """
    if output not in SATURATING or loss not in KEEPS_SLOPE or gaps < 0.05 or not sizes or sizes[-1] > gaps / 10:
        return None
    return (
        f"the output saturates: the mean of |a − y| is {gaps:.3g}, that of |δ| only {sizes[-1]:.3g}, because δ of "
        f"{loss} has the slope of {output} as a factor, almost 0 where an output is sure; cross-entropy cancels it"
    )


def doubts(output: str, loss: str, split: Split) -> list[str]:
    """What is unwise about a pair of output and loss for this target."""
    entry = catalog.loss(loss)
    found: list[str] = []
    if output in SATURATING and loss in KEEPS_SLOPE:
        found.append(
            f"{loss} keeps the slope of {output} in δ: where an output is sure and wrong, that slope is almost 0 "
            "and it hardly learns (cross-entropy cancels it)"
        )
    if entry.pairs_with and output not in entry.pairs_with and not found:
        found.append(f"{loss} expects the outputs of {' or '.join(entry.pairs_with)}; {output} may leave its domain")
    if split.classes is None and entry.target in ("probability", "distribution", "one-hot"):
        low, high = float(split.targets.min()), float(split.targets.max())
        if low < 0 or high > 1:
            found.append(f"{loss} expects targets between 0 and 1; these run from {low:.4g} to {high:.4g}")
    return found
