"""What `train` and `compare` share: the options of training, the network that suits the data, and what is printed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from backproof.cli.parsing import CommandParser, choice
from backproof.errors import UsageError

if TYPE_CHECKING:
    from backproof.calculus.network import Network
    from backproof.run.model import Model
    from backproof.run.task import Split
    from backproof.run.training import Settings

OPTIMISERS: Final = ("sgd", "nesterov", "adam", "adamw", "lbfgs", "cg")
SCHEDULES: Final = ("constant", "cosine", "step", "exponential")
INITIALISERS: Final = ("auto", "glorot", "he", "course", "sine", "zeros")
STREAMED_FROM: Final = 64 << 20  # bytes
BARS: Final = "▁▂▃▄▅▆▇█"


def add_training(parser: CommandParser) -> None:
    """The options of data and training."""
    data = parser.add_argument_group("data")
    data.add_argument("--data", metavar="FILE", help="digits, or a CSV, Parquet, NPY, NPZ, MAT or IDX file")
    data.add_argument("--target", metavar="NAME", help="the column or array to predict (the last column, or y)")
    data.add_argument(
        "--test", metavar="PART", type=number("test"), default=0.2, help="part held back for a test (0.2)"
    )
    data.add_argument("--no-scale", action="store_true", help="take inputs as they are, without mean 0 and deviation 1")
    data.add_argument("--stream", action="store_true",
                      help="for more data than memory: read piece by piece, keep the arrays on disk "
                      "(CSV, Parquet, NPY, NPZ, IDX; by itself from 64 MB on; not MAT)")  # fmt: skip
    group = parser.add_argument_group("training")
    group.add_argument("--optimiser", type=choice("optimiser", OPTIMISERS), default="adam", metavar="NAME",
                       help=", ".join(OPTIMISERS) + " (adam)")  # fmt: skip
    group.add_argument("--rate", type=number("rate"), metavar="η", help="learning rate (0.001 for adam, else 0.1)")
    group.add_argument(
        "--momentum", type=number("momentum"), default=0.9, metavar="μ", help="for sgd and nesterov (0.9)"
    )
    group.add_argument(
        "--decay", type=number("decay"), default=0.0, metavar="λ", help="weight decay of adamw and sgd (0)"
    )
    group.add_argument(
        "--epochs", type=whole("epochs"), default=20, metavar="N", help="epochs, or iterations of lbfgs, cg (20)"
    )
    group.add_argument(
        "--batch", type=whole("batch"), default=32, metavar="N", help="examples in a batch, 0 for all (32)"
    )
    group.add_argument("--seed", type=whole("seed"), default=0, metavar="N", help="of weights and order (0)")
    group.add_argument("--schedule", type=choice("schedule", SCHEDULES), default="constant", metavar="NAME",
                       help=", ".join(SCHEDULES) + " (constant)")  # fmt: skip
    group.add_argument(
        "--clip", type=number("clip"), default=0.0, metavar="NORM", help="longest gradient, 0 for any (0)"
    )
    group.add_argument("--patience", type=whole("patience"), default=0, metavar="N",
                       help="stop after so many epochs without progress on the test part (never)")  # fmt: skip
    group.add_argument("--initialiser", type=choice("initialiser", INITIALISERS), default="auto", metavar="NAME",
                       help=", ".join(INITIALISERS))  # fmt: skip
    group.add_argument("--precision", type=choice("precision", ("float32", "float64")), default="float32",
                       metavar="TYPE", help="float32 or float64 (float32)")  # fmt: skip
    group.add_argument("--no-check", action="store_true", help="leave out the gradient check before the first step")


def add_suiting_network(parser: CommandParser) -> None:
    """The options of a network whose output and loss follow from the target where they are not given."""
    group = parser.add_argument_group("network")
    group.add_argument("--layers", metavar="SIZES", help="all layer sizes, 64-32-10 (one hidden layer of 32)")
    group.add_argument("--hidden", metavar="ACT", default="relu", help="activation of the hidden layers (relu)")
    group.add_argument("--output", metavar="ACT", help="activation of the last layer (what suits the target)")
    group.add_argument("--loss", metavar="LOSS", help="the loss (what suits the target)")
    group.add_argument("--l2", metavar="λ", help="L2 weight: λ/2·Σw² over the number of examples, biases excluded")


def number(what: str) -> Callable[[str], float]:
    """A converter that takes a number."""

    def read(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise UsageError(f"--{what} must be a number", got=text) from None

    return read


def whole(what: str) -> Callable[[str], int]:
    """A converter that takes a whole number from 0."""

    def read(text: str) -> int:
        if not text.isdigit() or len(text) > 9:
            raise UsageError(f"--{what} must be a whole number", got=text)
        return int(text)

    return read


def split_of(options: argparse.Namespace) -> Split:
    """The data that the options name, split and scaled."""
    if options.data is None:
        raise UsageError("there is nothing to learn from", expected="--data FILE, or --data digits")
    if not 0 <= options.test < 1:
        raise UsageError("--test must be at least 0 and below 1", got=str(options.test))
    outputs = first = None
    if options.layers is not None:
        from backproof.calculus.network import parse_layers

        sizes, _ = parse_layers(options.layers)
        first, outputs = (int(n) if n.isdigit() else None for n in (sizes[0], sizes[-1]))
    how: dict[str, Any] = {
        "outputs": outputs,
        "test": options.test,
        "seed": options.seed,
        "scale": not options.no_scale,
    }
    if streams(options):
        from backproof.run.streaming import streamed

        split = streamed(Path(options.data), options.target, precision=options.precision, **how)
    else:
        from backproof.run.tables import read_table
        from backproof.run.task import prepared

        table = read_table(options.data, options.target)
        _demand_width(first, table.inputs.shape[1], options)
        split = prepared(table, **how)
    _demand_width(first, split.inputs.shape[1], options)
    return split


def _demand_width(first: int | None, width: int, options: argparse.Namespace) -> None:
    if first is not None and first != width:
        raise UsageError("the first layer does not fit the data", expected=str(width), got=options.layers)


def streams(options: argparse.Namespace) -> bool:
    """Whether the data are read piece by piece: where it is asked for, and for large files."""
    if options.stream or options.data == "digits":
        return options.stream and options.data != "digits"
    path = Path(options.data)
    try:
        return path.stat().st_size >= STREAMED_FROM and path.suffix.lower() != ".mat"
    except OSError:
        return False


def network_of(options: argparse.Namespace, split: Split, loss: str | None = None) -> Network:
    """The network that the options say, completed by what suits the target."""
    from backproof.calculus.network import Network, parse_layers
    from backproof.run.task import suitable

    output, usual, _ = suitable(split)
    sizes = (str(split.inputs.shape[1]), "32", str(split.targets.shape[1]))
    if options.layers is not None:
        sizes, _ = parse_layers(options.layers)
    return Network(
        sizes=sizes,
        hidden=options.hidden,
        output=options.output or output,
        loss=loss or options.loss or usual,
        reduction="mean",
        l2=options.l2,
        layout="rows",
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that the options say."""
    from backproof.run.training import Settings

    return Settings(
        optimiser=options.optimiser,
        rate=options.rate,
        momentum=options.momentum,
        decay=options.decay,
        epochs=options.epochs,
        batch=options.batch,
        seed=options.seed,
        schedule=options.schedule,
        clip=options.clip,
        patience=options.patience,
        initialiser=options.initialiser,
        precision=options.precision,
        check_gradient=not options.no_check,
        sizes=True,
    )


def seen_saturation(model: Model, split: Split) -> str | None:
    """What is to be said about a last layer that hardly learns, measured on the first examples."""
    import numpy as np

    from backproof.run.task import saturation

    last = next((record["delta"] for record in reversed(model.history) if "delta" in record), None)
    if last is None:
        return None
    some = slice(0, 256)
    gaps = float(np.abs(model.outputs(split.inputs[some]) - split.targets[some]).mean())
    return saturation(model.network.output, model.network.loss, last, gaps)


def curve(values: Sequence[float], width: int = 40) -> str:
    """Numbers as a row of bars, the largest the highest.

    >>> curve([4.0, 2.0, 1.0, 0.0])
    '█▅▃▁'
    """
    if not values:
        return ""
    step = max(1, -(-len(values) // width))
    shown = [values[k] for k in range(0, len(values), step)]
    top = max(*shown, 1e-300) if len(shown) > 1 else max(shown[0], 1e-300)
    return "".join(BARS[min(7, max(0, round(7 * v / top)))] for v in shown)


class Progress:
    """One line on standard error that grows with the epochs, where a person looks at it."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.shown = sys.stderr.isatty()

    def __call__(self, record: dict[str, Any]) -> None:
        """Shows an epoch."""
        if self.shown:
            done = round(24 * record["epoch"] / max(1, self.epochs))
            bar = "█" * done + "░" * (24 - done)
            sys.stderr.write(f"\r{bar} {record['epoch']}/{self.epochs}  loss {record['loss']:.6g}   ")
            sys.stderr.flush()

    def end(self) -> None:
        """Leaves the line."""
        if self.shown:
            sys.stderr.write("\r" + " " * 78 + "\r")
