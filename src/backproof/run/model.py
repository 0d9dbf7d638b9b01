"""Models: a network with numbers for its weights, how it got them, and its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from backproof.calculus.network import Network
from backproof.errors import FileError, NetworkError, ShapeError
from backproof.run import safetensors
from backproof.run.interface import Precision
from backproof.run.kernels import Kernel, output_kernel, parameters_of

Array = NDArray[Any]
MOST_AT_ONCE = 4096


@dataclass
class Model:
    """A trained network.

    `theta` is the flat vector of weights, `history` one record for each epoch, `notes` what else belongs to the model:
    the classes, the means and scales of its columns.
    """

    network: Network
    theta: Array
    history: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    notes: dict[str, Any] = field(default_factory=dict[str, Any])
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])
    _kernel: Kernel | None = None

    @property
    def precision(self) -> Precision:
        """The type of its numbers."""
        return cast("Precision", self.theta.dtype.name)

    def weights(self) -> dict[str, Array]:
        """Every weight matrix and bias by its name."""
        places = parameters_of(self.network)
        return {p.name: self.theta[p.start : p.start + p.length].reshape(p.shape) for p in places}

    def outputs(self, examples: Array) -> Array:
        """The outputs of the last layer for examples as rows; in pieces, so that memory stays constant."""
        width = int(self.network.sizes[0])
        if examples.ndim != 2 or examples.shape[1] != width:
            raise ShapeError(
                "the examples do not fit", expected=f"rows of {width} numbers", got=f"shape {examples.shape}"
            )
        if self._kernel is None:
            self._kernel = output_kernel(self.network, precision=self.precision, numbers=self.numbers)
        result = np.empty((len(examples), int(self.network.sizes[-1])), self.theta.dtype)
        unused = np.empty(0, self.theta.dtype)
        for low in range(0, len(examples), MOST_AT_ONCE):
            piece = np.ascontiguousarray(examples[low : low + MOST_AT_ONCE], self.theta.dtype)
            self._kernel.run(self.theta, unused, self._kernel.work(len(piece)), piece, result[low : low + len(piece)])
        return result

    def save(self, path: Path, state: Mapping[str, Array] | None = None, **notes: Any) -> None:
        """Write the model, and the `state` of its training, into a safetensors file."""
        tensors = {**self.weights(), **{f"state/{k}": v for k, v in (state or {}).items()}}
        network = {k: v for k, v in asdict(self.network).items() if not k.startswith("_")}
        safetensors.save(
            path,
            tensors,
            {
                "backproof": 1,
                "network": network,
                "history": self.history,
                "notes": self.notes,
                "numbers": dict(self.numbers),
                **notes,
            },
        )


def load_model(path: Path) -> tuple[Model, dict[str, Array], dict[str, Any]]:
    """A model, the state of its training, and all notes of the file. Raises FileError."""
    tensors, notes = safetensors.load(path)
    try:
        fields = dict(notes["network"])
        fields["sizes"] = tuple(fields["sizes"])
        network = Network(**fields)
        places = parameters_of(network)
        theta = np.concatenate([tensors[p.name].reshape(-1) for p in places])
        if any(tensors[p.name].shape != p.shape for p in places):
            raise ValueError("a weight has another shape")
    except (KeyError, TypeError, ValueError, NetworkError) as error:
        raise FileError(
            "this file holds no model of backproof",
            expected="a file that backproof train wrote",
            got=f"{path}: {error}",
        ) from None
    model = Model(
        network, theta, list(notes.get("history", [])), dict(notes.get("notes", {})), notes.get("numbers", {})
    )
    state = {name.removeprefix("state/"): t for name, t in tensors.items() if name.startswith("state/")}
    return model, state, notes
