"""Tasks: a table made ready for a network, the loss that suits its target, and what is unwise about a pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backproof import catalog
from backproof.errors import UsageError
from backproof.run.model import Model
from backproof.run.tables import Table

Array = NDArray[Any]
SATURATING = ("sigmoid", "tanh", "softmax", "arctan", "softsign", "hard-sigmoid", "hard-tanh")
KEEPS_SLOPE = ("mse", "half-mse", "mae", "huber", "log-cosh")
PIECE: Final = 1 << 16  # rows


@dataclass
class Split:
    """Scaled inputs and targets for training and for a test, and how to read an output.

    `places` says in which row of the table each example stood, those for training first. Of a table that was brought
    into files instead, `again` reads its scaled inputs in the table's order.
    """

    inputs: Array
    targets: Array
    test_inputs: Array
    test_targets: Array
    classes: tuple[str, ...] | None
    means: Array
    scales: Array
    constant: tuple[str, ...]
    columns: tuple[str, ...] = ()
    goal: str = ""
    places: Array | None = None
    again: Callable[[], Iterator[Array]] | None = None

    def notes(self) -> dict[str, Any]:
        """What a model keeps of its data, to read other data in the same way."""
        return {
            "classes": self.classes,
            "means": self.means.tolist(),
            "scales": self.scales.tolist(),
            "columns": list(self.columns),
            "target": self.goal,
        }

    def in_order(self) -> Iterator[Array]:
        """All inputs in the order of the table, in pieces."""
        if self.again is not None:
            yield from self.again()
            return
        whole = np.concatenate([self.inputs, self.test_inputs])
        if self.places is not None:
            whole[self.places] = whole.copy()
        for low in range(0, len(whole), PIECE):
            yield whole[low : low + PIECE]

    def score(self, outputs: Array, targets: Array) -> tuple[str, float]:
        """Accuracy for classes, else R²."""
        return self._score(targets, lambda low, high: outputs[low:high])

    def scored(self, model: Model, inputs: Array, targets: Array) -> tuple[str, float]:
        """The same for a model, whose outputs are computed in pieces."""
        return self._score(targets, lambda low, high: model.outputs(inputs[low:high]))

    def _score(self, targets: Array, outputs: Callable[[int, int], Array]) -> tuple[str, float]:
        wrong, rest, total = 0, 0.0, 0.0
        mean = targets.mean(axis=0, dtype=np.float64)
        for low in range(0, len(targets), PIECE):
            answers, found = targets[low : low + PIECE], outputs(low, low + PIECE)
            if self.classes is None:
                rest += float(np.sum((answers - found) ** 2, dtype=np.float64))
                total += float(np.sum((answers - mean) ** 2, dtype=np.float64))
            elif found.shape[1] == 1:
                wrong += int(np.count_nonzero((found[:, 0] > 0.5) != (answers[:, 0] > 0.5)))
            else:
                wrong += int(np.count_nonzero(found.argmax(axis=1) != answers.argmax(axis=1)))
        if self.classes is not None:
            return "accuracy", 1 - wrong / len(targets)
        return "R²", 1 - rest / total if total else 0.0


def prepared(table: Table, *, outputs: int | None, test: float, seed: int, scale: bool) -> Split:
    """The table split and scaled by the training part's means and deviations; classes become rows with a single 1.

    Raises UsageError for values that are no numbers and for more classes than outputs.
    """
    inputs = _numbers(table)
    classes: tuple[str, ...] | None = None
    if table.is_classes and table.target.ndim == 1:
        distinct, places = np.unique(table.target, return_inverse=True)
        classes = tuple(shown(v) for v in distinct)
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
    places = np.concatenate([kept, chosen])
    return Split(
        ready[kept], targets[kept], ready[chosen], targets[chosen], classes, means, scales, constant,
        table.columns, table.goal, places,
    )  # fmt: skip


def fitted(table: Table, model: Model) -> Split:
    """A table in the way of a model: its scales, its classes. The targets are empty where the table has none.

    Raises UsageError for data that do not fit, and for a class that the model does not know.
    """
    inputs = _numbers(table)
    width, units = int(model.network.sizes[0]), int(model.network.sizes[-1])
    means = np.asarray(model.notes.get("means", np.zeros(width)), np.float64)
    scales = np.asarray(model.notes.get("scales", np.ones(width)), np.float64)
    if inputs.shape[1] != width:
        raise UsageError("the data do not fit the model", expected=f"{width} columns", got=f"{inputs.shape[1]}")
    named = model.notes.get("classes")
    classes = tuple(str(c) for c in named) if named else None
    targets = np.empty((0, units))
    if table.target.size and classes is not None and table.target.ndim == 1:
        places = {c: k for k, c in enumerate(classes)}
        found = [shown(v) for v in table.target]
        strange = next((c for c in found if c not in places), None)
        if strange is not None:
            raise UsageError(
                "the model does not know this class", expected=", ".join(classes[:30]), got=strange,
                next="--target names another column",
            )  # fmt: skip
        known = np.array([places[c] for c in found])
        targets = known.reshape(-1, 1).astype(np.float64) if units == 1 else np.eye(units)[known]
    elif table.target.size:
        if table.target.dtype.kind in "OUS":
            raise UsageError("the target is text, and the model predicts numbers", got=table.goal)
        targets = np.asarray(table.target, np.float64).reshape(len(inputs), -1)
        if targets.shape[1] != units:
            raise UsageError("the targets do not fit the model", expected=str(units), got=str(targets.shape[1]))
    nothing = np.empty((0, width))
    return Split(
        (inputs - means) / scales, targets, nothing, targets[:0], classes, means, scales, (), table.columns, table.goal
    )


def _numbers(table: Table) -> Array:
    inputs = np.asarray(table.inputs, np.float64)
    if not np.isfinite(inputs).all():
        row, column = (int(v[0]) for v in np.nonzero(~np.isfinite(inputs)))
        raise UsageError(
            f"the column {table.columns[column]!r} has no number in example {row + 1}",
            next="remove the row, or fill the gap",
        )
    return inputs


def shown(value: Any) -> str:
    """A class as text: whole numbers without .0."""
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
