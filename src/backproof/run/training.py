"""Training: a network, data and settings in; a model with its history out.

Every epoch's order of examples follows from the seed and the number of the epoch alone, so that a run that was cut off
goes on bit for bit as if it had not been.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backproof.calculus.network import Network
from backproof.errors import FileError, ShapeError, UsageError
from backproof.run.checking import TrainingError, check_gradient, no_number
from backproof.run.epochs import Epochs, orders
from backproof.run.initialising import initial
from backproof.run.interface import Precision
from backproof.run.kernels import Kernel, has_numba, loss_kernel, parameters_of, sizes_kernel
from backproof.run.model import Model, load_model
from backproof.run.updates import RULES
from backproof.run.watching import watched_loss

Array = NDArray[Any]
OPTIMISERS: Final = ("sgd", "nesterov", "adam", "adamw", "lbfgs", "cg")
REPLAYED: Final = ("lbfgs", "cg")  # resumed by doing the same steps again
SCHEDULES: Final = ("constant", "cosine", "step", "exponential")
BACKENDS: Final = ("auto", "numba", "numpy")
LOOKED_AT: Final = 65_536
WORTH_COMPILING: Final = 4.0  # seconds that NumPy would need


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to train. `batch` 0 is all examples at once; `patience` 0 never stops early; `clip` 0 never clips.

    `epochs` are iterations for lbfgs and cg. `rate` None takes the optimiser's usual rate. `sizes` records the mean of
    |δ| in every layer. `backend` auto compiles where training is long enough to gain by it.
    """

    optimiser: str = "adam"
    rate: float | None = None
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    decay: float = 0.0
    epochs: int = 20
    batch: int = 64
    seed: int = 0
    schedule: str = "constant"
    clip: float = 0.0
    patience: int = 0
    tolerance: float = 0.0
    initialiser: str = "auto"
    check_gradient: bool = True
    precision: Precision = "float32"
    sizes: bool = False
    backend: str = "auto"

    def __post_init__(self) -> None:
        if self.optimiser not in OPTIMISERS:
            raise UsageError(
                f"there is no optimiser {self.optimiser!r}", expected=", ".join(OPTIMISERS), got=self.optimiser
            )
        if self.schedule not in SCHEDULES:
            raise UsageError(
                f"there is no schedule {self.schedule!r}", expected=", ".join(SCHEDULES), got=self.schedule
            )
        if self.backend not in BACKENDS:
            raise UsageError(f"there is no backend {self.backend!r}", expected=", ".join(BACKENDS), got=self.backend)
        for name, least in (("epochs", 0), ("batch", 0), ("patience", 0), ("decay", 0.0), ("clip", 0.0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} must be at least {least}", got=str(getattr(self, name)))
        if self.rate is not None and not (self.rate > 0 and math.isfinite(self.rate)):
            raise UsageError("the learning rate must be positive", got=str(self.rate))

    @property
    def usual_rate(self) -> float:
        """The rate of the first epoch."""
        return self.rate if self.rate is not None else 1e-3 if self.optimiser in ("adam", "adamw") else 0.1

    def rate_at(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0."""
        done = epoch / max(1, self.epochs)
        match self.schedule:
            case "cosine":
                return self.usual_rate * (1 + math.cos(math.pi * done)) / 2
            case "step":
                return self.usual_rate * 0.1 ** (int(done >= 0.5) + int(done >= 0.75))
            case "exponential":
                return self.usual_rate * 0.01**done
            case _:
                return self.usual_rate


@dataclass
class Data:
    """Examples as rows, their targets, their weights, and a part that is only watched."""

    inputs: Array
    targets: Array
    weights: Array | None = None
    watched: tuple[Array, Array] | None = None


@dataclass
class _State:
    """What an epoch changes: parameters, the optimiser's memory, and counts."""

    theta: Array
    first: Array
    second: Array
    best: Array
    epoch: int = 0
    count: int = 0
    best_loss: float = math.inf
    waited: int = 0


Report = Callable[[dict[str, Any]], None]


@dataclass
class Trainer:
    """Trains one network. `numbers` are values of letters: hyperparameters, a symbolic L2 weight."""

    network: Network
    settings: Settings = field(default_factory=Settings)
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        self.backend = "numpy"
        self.network = replace(self.network, layout="rows", reduction=_reduction(self.network))

    def fit(
        self,
        data: Data,
        *,
        start: Array | None = None,
        report: Report | None = None,
        checkpoint: Path | None = None,
        resume: bool = False,
        notes: dict[str, Any] | None = None,
    ) -> Model:
        """Train, and give the model with the weights of the last epoch, or of the best one with `patience`.

        `report` gets every epoch's record. With `checkpoint` the model is written after each epoch; `resume` goes on
        from that file bit for bit, `lbfgs` and `cg` by doing the same steps again. Ctrl-C ends training; the model so
        far is given. Raises TrainingError for data or losses that are no numbers, and for a gradient that a difference
        contradicts.
        """
        data = self._admitted(data)
        state, history = self._started(start)
        self.backend = self._backend(len(data.inputs))
        resumed = resume and checkpoint is not None and checkpoint.exists()
        if resumed and checkpoint is not None:
            saved = self._resumed(checkpoint)
            if not self._replays:  # SciPy's memory is in no file: the same steps are done again
                state, history = saved
        kernel = self._kernel(data, compiled=self.backend == "numba")
        if self.settings.check_gradient and not resumed:
            check_gradient(
                kernel,
                self._kernel(data, compiled=False, precision="float64"),
                state.theta,
                self._arrays(data),
                self.settings.seed,
            )
        model = Model(self.network, state.theta, history, notes or {}, self.numbers)
        try:
            # What overflows is found in the losses, and named: NumPy need not warn of it as well.
            with np.errstate(all="ignore"):
                run = self._minimise if self._replays else self._descend
                run(kernel, state, data, model, report, checkpoint)
        except KeyboardInterrupt:
            model.notes["interrupted"] = True
        if self.settings.patience and np.isfinite(state.best_loss):
            model.theta = state.best
        else:
            model.theta = state.theta
        return model

    def _kernel(self, data: Data, *, compiled: bool, precision: Precision | None = None) -> Kernel:
        return loss_kernel(
            self.network,
            precision=precision or self.settings.precision,
            weighted=data.weights is not None,
            compiled=compiled,
            numbers=self.numbers,
        )

    def _backend(self, examples: int) -> str:
        """What computes: a compiler pays only for long training; the choice depends on sizes alone."""
        if not has_numba():
            return "numpy"
        if self.settings.backend != "auto":
            return self.settings.backend
        units = sum(int(n) for n in self.network.sizes)
        steps = -(-examples // (self.settings.batch or examples))
        seconds = self.settings.epochs * (steps * 2e-4 + examples * units * 1.5e-8)
        return "numba" if seconds > WORTH_COMPILING else "numpy"

    # Data

    def _admitted(self, data: Data) -> Data:
        dtype = np.dtype(self.settings.precision)
        inputs = np.ascontiguousarray(data.inputs, dtype)
        targets = np.ascontiguousarray(data.targets, dtype)
        width, units = int(self.network.sizes[0]), int(self.network.sizes[-1])
        if inputs.ndim != 2 or inputs.shape[1] != width:
            raise ShapeError(
                "the inputs do not fit the first layer", expected=f"rows of {width}", got=f"shape {inputs.shape}"
            )
        if targets.shape != (len(inputs), units):
            raise ShapeError(
                "the targets do not fit the last layer",
                expected=f"shape ({len(inputs)}, {units})",
                got=f"shape {targets.shape}",
            )
        if not len(inputs):
            raise TrainingError("there are no examples")
        for name, values in (("inputs", inputs), ("targets", targets)):
            _demand_numbers(name, values)
        weights = data.weights
        if weights is not None:
            weights = np.asarray(weights, np.float64)
            if (
                weights.shape != (len(inputs),)
                or not np.isfinite(weights).all()
                or (weights < 0).any()
                or not weights.sum()
            ):
                raise TrainingError("the sample weights do not fit", expected=f"{len(inputs)} numbers ≥ 0, not all 0")
            weights = np.ascontiguousarray(weights * (len(weights) / weights.sum()), dtype)
        watched = data.watched
        if watched is not None:
            watched = (np.ascontiguousarray(watched[0], dtype), np.ascontiguousarray(watched[1], dtype))
        return Data(inputs, targets, weights, watched)

    def _started(self, start: Array | None) -> tuple[_State, list[dict[str, Any]]]:
        dtype = np.dtype(self.settings.precision)
        places = parameters_of(self.network)
        if start is None:
            theta = initial(places, self.settings.initialiser, self.network.hidden, self.settings.seed, dtype)
        else:
            theta = np.array(start, dtype)
        return _State(theta, np.zeros_like(theta), np.zeros_like(theta), theta.copy()), []

    # Checkpoints

    def _write(self, model: Model, state: _State, path: Path) -> None:
        counts: dict[str, Any] = {
            "epoch": state.epoch,
            "count": state.count,
            "best_loss": state.best_loss,
            "waited": state.waited,
        }
        if not math.isfinite(state.best_loss):
            counts["best_loss"] = None  # JSON has no infinity
        tensors = {"first": state.first, "second": state.second, "best": state.best}
        model.theta = state.theta
        model.save(path, tensors, settings=asdict(self.settings), counts=counts, backend=self.backend)

    def _resumed(self, path: Path) -> tuple[_State, list[dict[str, Any]]]:
        model, tensors, notes = load_model(path)
        if model.network != self.network:
            raise FileError(
                "the checkpoint is of another network", expected=self.network.describe(), got=model.network.describe()
            )
        try:
            counts = notes["counts"]
            settings = dict(notes["settings"])
            self.backend = str(notes["backend"])
            state = _State(
                model.theta, tensors["first"], tensors["second"], tensors["best"], int(counts["epoch"]),
                int(counts["count"]),
                math.inf if counts["best_loss"] is None else float(counts["best_loss"]), int(counts["waited"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            raise FileError("the file holds a model but no state of its training", got=str(path)) from None
        ours = asdict(self.settings)
        for name, value in settings.items():
            if name not in ("epochs", "check_gradient", "sizes", "backend") and ours.get(name) != value:
                raise FileError(
                    f"the checkpoint was trained with another {name}", expected=str(value), got=str(ours.get(name)),
                    next="the same settings, or another file",
                )  # fmt: skip
        return state, model.history

    # Steps

    def _descend(
        self, kernel: Kernel, state: _State, data: Data, model: Model, report: Report | None, checkpoint: Path | None
    ) -> None:
        settings = self.settings
        examples = len(data.inputs)
        size = min(settings.batch or examples, examples)
        epochs = Epochs(kernel, self._arrays(data), size)
        while state.epoch < settings.epochs:
            before = state.theta.copy()
            total, done = 0.0, 0
            for order in orders(examples, size, settings.seed, state.epoch):
                count = len(order) or examples
                losses = np.zeros(-(-count // size))
                failed = self._epoch(epochs, state, order, losses)
                if failed >= 0:
                    state.theta[:] = before if not np.isfinite(state.theta).all() else state.theta
                    raise self._no_number(state, data, done + failed)
                done += len(losses)
                state.count += len(losses)
                total += float(np.sum(losses * np.minimum(size, count - size * np.arange(len(losses)))))
            state.epoch += 1
            record: dict[str, Any] = {"epoch": state.epoch, "loss": total / examples}
            if self._watch(kernel, state, data, record, model, report):
                state.epoch, last = settings.epochs, state.epoch
                model.notes["stopped_early"] = last
            if checkpoint is not None:
                self._write(model, state, checkpoint)

    def _arrays(self, data: Data) -> list[Array]:
        return [a for a in (data.inputs, data.targets, data.weights) if a is not None]

    def _epoch(self, epochs: Epochs, state: _State, order: Array, losses: Array) -> int:
        settings = self.settings
        momentum = settings.momentum if settings.optimiser in ("sgd", "nesterov") else 0.0
        decay = settings.decay if settings.optimiser != "adam" else 0.0
        numbers = np.array(
            [
                settings.rate_at(state.epoch),
                momentum,
                settings.beta1,
                settings.beta2,
                settings.eps,
                decay,
                settings.clip,
            ]
        )
        rule = RULES["adam" if settings.optimiser == "adamw" else settings.optimiser]
        return epochs.run(state.theta, state.first, state.second, order, losses, rule, numbers, state.count)

    def _watch(
        self, kernel: Kernel, state: _State, data: Data, record: dict[str, Any], model: Model, report: Report | None
    ) -> bool:
        """Completes an epoch's record, and says whether to stop."""
        watched = record["loss"]
        if data.watched is not None:
            watched = record["watched"] = watched_loss(kernel, state.theta, data.watched, self.network, self.numbers)
        if self.settings.sizes:
            record["delta"] = self._sizes(state.theta, data)
        model.history.append(record)
        if report is not None:
            report(record)
        if watched < state.best_loss - self.settings.tolerance:
            state.best_loss, state.waited = watched, 0
            state.best[:] = state.theta
        else:
            state.waited += 1
        return bool(self.settings.patience) and state.waited >= self.settings.patience

    def _sizes(self, theta: Array, data: Data) -> list[float]:
        """The mean of |δ| in every layer, over the first examples, as if each were alone."""
        kernel = sizes_kernel(self.network, precision=self.settings.precision, numbers=self.numbers)
        some = slice(0, 256)
        inputs, targets = data.inputs[some], data.targets[some]
        places = [np.zeros(1, theta.dtype) for _ in kernel.interface.outputs]
        kernel.run(theta, theta, kernel.work(len(inputs)), inputs, targets, *places)
        per_example = len(inputs) if self.network.reduction == "mean" else 1
        counts = [len(inputs) * int(n) for n in self.network.sizes[1:]]
        return [float(p[0]) * per_example / n for p, n in zip(places, counts, strict=True)]

    def _no_number(self, state: _State, data: Data, step: int) -> TrainingError:
        kernel = self._kernel(data, compiled=False)
        some = [a[:LOOKED_AT] for a in self._arrays(data)]
        return no_number(kernel, state.theta, some, f"epoch {state.epoch + 1}, step {step + 1}")

    # Whole batches

    @property
    def _replays(self) -> bool:
        return self.settings.optimiser in REPLAYED

    def _minimise(
        self, kernel: Kernel, state: _State, data: Data, model: Model, report: Report | None, checkpoint: Path | None
    ) -> None:
        import scipy.optimize

        arrays = self._arrays(data)
        gradient = np.empty_like(state.theta)

        def value(vector: Array) -> tuple[float, Array]:
            loss = kernel(vector.astype(gradient.dtype), gradient, *arrays)
            return loss, gradient.astype(np.float64)

        def loss_and_gradient(vector: Array) -> tuple[float, Array]:
            loss, slope = value(vector)
            if not np.isfinite(loss):
                raise self._no_number(state, data, state.epoch)
            return loss, slope

        def each(vector: Array) -> None:
            state.theta[:] = vector
            state.epoch += 1
            record: dict[str, Any] = {"epoch": state.epoch, "loss": value(vector)[0]}
            stop = self._watch(kernel, state, data, record, model, report)
            if checkpoint is not None:
                self._write(model, state, checkpoint)
            if stop:
                raise StopIteration

        method = {"lbfgs": "L-BFGS-B", "cg": "CG"}[self.settings.optimiser]
        minimize: Callable[..., Any] = scipy.optimize.minimize  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        result = minimize(
            loss_and_gradient,
            state.theta.astype(np.float64),
            jac=True,
            method=method,
            callback=each,
            options={"maxiter": self.settings.epochs},
        )
        if "stopped_early" not in model.notes:
            state.theta[:] = result.x
        if checkpoint is not None:
            self._write(model, state, checkpoint)


def _demand_numbers(name: str, values: Array) -> None:
    """Looks at every value, in pieces: the data may be a mapped file larger than memory."""
    for low in range(0, len(values), LOOKED_AT):
        wrong = np.argwhere(~np.isfinite(values[low : low + LOOKED_AT]))
        if len(wrong):
            row, column = (int(v) for v in wrong[0])
            raise TrainingError(
                f"the {name} hold a value that is no finite number",
                got=f"row {low + row + 1}, column {column + 1}",
                next="remove the row, or fill the gap",
            )


def _reduction(network: Network) -> Any:
    return "mean" if network.reduction == "none" else network.reduction
