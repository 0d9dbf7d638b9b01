"""Tables larger than memory: brought into mapped arrays, piece by piece, in two readings.

The first reading counts and measures, the second writes. The arrays are written one after another, not into a mapped
file: on a disk that is full a mapped file ends the process, and a file says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Final, Self
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from backproof.errors import FileError, UsageError
from backproof.run.interface import Precision
from backproof.run.pieces import Stream, TextError, opened
from backproof.run.tables import MOST_CLASSES
from backproof.run.task import Split, shown

Array = NDArray[Any]
FULL: Final = "free some room, or name another folder in the environment variable TMPDIR"


def mapped_table(
    source: Path, target: str, folder: Path, *, classes: int | None = None, precision: Precision = "float32"
) -> tuple[Array, Array]:
    """Inputs and targets of a CSV or Parquet file as mapped .npy files in `folder`, written in constant memory.

    The column `target` is to be predicted: a number, or with `classes` a whole number from 0 below it, which becomes a
    row with a single 1. Parquet is read row group by row group. Raises FileError for a file that cannot be read, a
    column that is missing or no number, a gap, and a label out of range.
    """
    stream = opened(source, target)
    counted = sum(len(goal) for _, goal in stream.read(False))
    if not counted or not stream.columns:
        raise FileError("the table has no examples, or no column to learn from", got=str(source))
    with (
        _Writer(folder / "inputs.npy", (counted, len(stream.columns)), precision) as inputs,
        _Writer(folder / "targets.npy", (counted, classes or 1), precision) as targets,
    ):
        for some, goal in stream.read(False):
            targets.write(goal[:, None] if classes is None else _ones(goal, classes, inputs.rows))
            inputs.write(some)
    return inputs.mapped(), targets.mapped()


@dataclass
class _Writer:
    """An array that is written into a file row by row; its shape is known before."""

    path: Path
    shape: tuple[int, int]
    dtype: str
    rows: int = 0

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("wb")
        except OSError as error:
            raise FileError(f"the arrays cannot be written: {error.strerror}", got=str(self.path), next=FULL) from None
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(self.dtype)), "fortran_order": False}
        np.lib.format.write_array_header_1_0(self._file, header | {"shape": self.shape})
        return self

    def write(self, rows: Array) -> None:
        """Append rows."""
        try:
            self._file.write(np.ascontiguousarray(rows, self.dtype).data)
        except OSError as error:
            raise FileError(f"the arrays cannot be written: {error.strerror}", got=str(self.path), next=FULL) from None
        self.rows += len(rows)

    def __exit__(self, *reason: object) -> None:
        try:
            self._file.close()
        except OSError as error:
            if reason[0] is None:
                raise FileError(
                    f"the arrays cannot be written: {error.strerror}", got=str(self.path), next=FULL
                ) from None

    def mapped(self) -> Array:
        """The array as a mapped file; one without rows has none."""
        return np.load(self.path, mmap_mode="r") if self.rows else np.empty(self.shape, self.dtype)


@dataclass
class _Moments:
    """Mean, spread and largest size of every column, merged piece by piece (Chan, Golub & LeVeque 1979)."""

    count: int = 0
    mean: Array = field(default_factory=lambda: np.zeros(0))
    spread: Array = field(default_factory=lambda: np.zeros(0))
    largest: Array = field(default_factory=lambda: np.zeros(0))

    def see(self, rows: Array) -> None:
        """Take some rows in."""
        if not len(rows):
            return
        mean = rows.mean(axis=0)
        spread = ((rows - mean) ** 2).sum(axis=0)
        largest = np.abs(rows).max(axis=0)
        if not self.count:
            self.count, self.mean, self.spread, self.largest = len(rows), mean, spread, largest
            return
        both = self.count + len(rows)
        apart = mean - self.mean
        self.mean = self.mean + apart * (len(rows) / both)
        self.spread = self.spread + spread + apart**2 * (self.count * len(rows) / both)
        self.largest = np.maximum(self.largest, largest)
        self.count = both


@dataclass
class _Goals:
    """What the targets are: classes, rows with a single 1, or numbers."""

    distinct: set[Any] = field(default_factory=set[Any])
    count: int = 0
    width: int = 0
    text: bool = False
    whole: bool = True
    single: bool = True

    def see(self, goal: Array) -> None:
        """Take some targets in."""
        self.count += len(goal)
        if goal.ndim == 2:
            self.width = goal.shape[1]
            self.single = self.single and bool(np.isin(goal, (0, 1)).all() and (goal.sum(axis=1) == 1).all())
            return
        self.text = goal.dtype.kind == "U"
        if not self.text:
            self.whole = self.whole and bool(np.isfinite(goal).all() and np.equal(goal, np.round(goal)).all())
        if len(self.distinct) <= MOST_CLASSES and (self.text or self.whole):
            self.distinct |= set(np.unique(goal).tolist())

    def classes(self) -> tuple[Any, ...] | None:
        """The classes in order, as for a table in memory; None for numbers to be predicted."""
        if self.width:
            return tuple(range(self.width)) if self.single else None
        if self.text and len(self.distinct) > MOST_CLASSES:
            raise FileError("the target has too many classes", expected=f"at most {MOST_CLASSES}")
        if self.text or (self.whole and len(self.distinct) <= min(MOST_CLASSES, max(2, self.count // 5))):
            return tuple(sorted(self.distinct))
        return None


def streamed(
    source: Path,
    target: str | None,
    *,
    outputs: int | None,
    test: float,
    seed: int,
    scale: bool,
    precision: Precision = "float32",
) -> Split:
    """A file larger than memory made ready for a network: like `task.prepared`, with mapped arrays.

    Whether an example is held back for the test follows from the seed and its number alone. Raises FileError and
    UsageError.
    """
    stream = opened(source, target)
    moments, goals, text = _measured(stream, test, seed)
    if not moments.count:
        raise UsageError("no examples are left for training", got=f"--test {test}")
    named = goals.classes()
    width = outputs if outputs is not None and named is not None else len(named or ()) or goals.width or 1
    if goals.width:
        width = goals.width
    elif named is not None and width < len(named) and not (len(named) == 2 and width == 1):
        raise UsageError(
            "the network has fewer outputs than the target has classes", expected=str(len(named)), got=str(width)
        )
    deviations = np.sqrt(moments.spread / moments.count)
    flat = deviations <= 1e-12 * np.maximum(1, moments.largest)
    columns = len(moments.mean)
    means = moments.mean if scale else np.zeros(columns)
    scales = np.where(flat, 1.0, deviations) if scale else np.ones(columns)
    places = {c: k for k, c in enumerate(named or ())}

    def again() -> Iterator[Array]:
        for some, _ in stream.read(text):
            yield (some - means) / scales

    def aims(goal: Array) -> Array:
        if named is None or goal.ndim == 2:
            return goal.reshape(len(goal), -1)
        found = np.array([places[v] for v in goal.tolist()])
        return found.reshape(-1, 1) if width == 1 else np.eye(width)[found]

    try:
        home = Path(mkdtemp(prefix="backproof-data-"))
    except OSError as error:
        raise FileError(f"the arrays cannot be written: {error.strerror}", next=FULL) from None
    finalize(again, rmtree, home, ignore_errors=True)  # the files go with the split
    held = goals.count - moments.count
    with (
        _Writer(home / "inputs.npy", (moments.count, columns), precision) as inputs,
        _Writer(home / "targets.npy", (moments.count, width), precision) as targets,
        _Writer(home / "test_inputs.npy", (held, columns), precision) as test_inputs,
        _Writer(home / "test_targets.npy", (held, width), precision) as test_targets,
    ):
        low = 0
        for some, goal in stream.read(text):
            apart = held_back(low, len(goal), test, seed)
            ready, wanted = (some - means) / scales, aims(goal)
            inputs.write(ready[~apart])
            targets.write(wanted[~apart])
            test_inputs.write(ready[apart])
            test_targets.write(wanted[apart])
            low += len(goal)
    constant = tuple(np.array(stream.columns)[flat].tolist())
    classes = None if named is None else tuple(shown(c) for c in named)
    return Split(
        inputs.mapped(), targets.mapped(), test_inputs.mapped(), test_targets.mapped(), classes, means, scales,
        constant, stream.columns, stream.target, None, again,
    )  # fmt: skip


def _measured(stream: Stream, test: float, seed: int) -> tuple[_Moments, _Goals, bool]:
    """The first reading; once more as text where a target turns out to be none of numbers."""
    for text in (False, True):
        moments, goals = _Moments(), _Goals()
        try:
            for some, goal in stream.read(text):
                _demand(stream, some, goals.count)
                moments.see(some[~held_back(goals.count, len(goal), test, seed)])
                goals.see(goal)
        except TextError:
            continue
        if not goals.count or not stream.columns:
            raise FileError("the table has no examples, or no column to learn from")
        return moments, goals, text
    raise FileError("the targets are neither numbers nor text")


def _demand(stream: Stream, rows: Array, low: int) -> None:
    if not np.isfinite(rows).all():
        row, column = (int(v[0]) for v in np.nonzero(~np.isfinite(rows)))
        raise UsageError(
            f"the column {stream.columns[column]!r} has no number in example {low + row + 1}",
            next="remove the row, or fill the gap",
        )


def held_back(low: int, count: int, part: float, seed: int) -> Array:
    """Which of the examples from `low` on are held back: drawn from the seed and each one's number (splitmix64)."""
    with np.errstate(over="ignore"):
        x = np.arange(low, low + count, dtype=np.uint64) + np.uint64(1)
        x = x * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed % 2**63) * np.uint64(0xD1B54A32D192ED03)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
        x ^= x >> np.uint64(31)
    return (x >> np.uint64(11)).astype(np.float64) * 2.0**-53 < part


def _ones(values: Array, classes: int, low: int) -> Array:
    wrong = ~((values >= 0) & (values < classes) & (values == np.floor(values)))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise FileError(
            "a label is out of range", expected=f"a whole number from 0 to {classes - 1}",
            got=f"{values[at]} in example {low + at + 1}",
        )  # fmt: skip
    found = np.zeros((len(values), classes))
    found[np.arange(len(values)), values.astype(np.int64)] = 1
    return found
