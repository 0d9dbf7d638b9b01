"""Tables larger than memory: CSV and Parquet brought into mapped arrays, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backproof.errors import FileError
from backproof.run.interface import Precision

Array = NDArray[Any]
MOST_CLASSES: Final = 1000
PIECE: Final = 1 << 16  # rows


def mapped_table(
    source: Path, target: str, folder: Path, *, classes: int | None = None, precision: Precision = "float32"
) -> tuple[Array, Array]:
    """Inputs and targets of a CSV or Parquet file as mapped .npy files in `folder`, written in constant memory.

    The column `target` is to be predicted: a number, or with `classes` a whole number from 0 below it, which becomes a
    row with a single 1. Parquet is read row group by row group. Raises FileError for a file that cannot be read, a
    column that is missing or no number, a gap, and a label out of range.
    """
    counted = 0
    width: list[str] = []
    for piece in _pieces(source):
        names = [str(n) for n in piece.schema.names]
        if target not in names:
            raise FileError("the table has no such column", expected=", ".join(names[:30]), got=target)
        width = [n for n in names if n != target]
        counted += piece.num_rows
    if not counted or not width:
        raise FileError("the table has no examples, or no column to learn from", got=str(source))
    create: Callable[..., Array] = np.lib.format.open_memmap
    try:
        inputs = create(folder / "inputs.npy", "w+", precision, (counted, len(width)))
        targets = create(folder / "targets.npy", "w+", precision, (counted, classes or 1))
        low = 0
        for piece in _pieces(source):
            high = low + piece.num_rows
            for k, name in enumerate(width):
                inputs[low:high, k] = _numbers(piece, name, low)
            values = _numbers(piece, target, low)
            targets[low:high] = values[:, None] if classes is None else _ones(values, classes, low)
            low = high
        inputs.flush()
        targets.flush()
    except OSError as error:
        raise FileError(f"the arrays cannot be written: {error.strerror}", got=str(folder)) from None
    return np.load(folder / "inputs.npy", mmap_mode="r"), np.load(folder / "targets.npy", mmap_mode="r")


def _pieces(source: Path) -> Iterator[Any]:
    try:
        if source.suffix.lower() == ".parquet":
            parquet: Any = import_module("pyarrow.parquet")
            # A row group at a time: `iter_batches` keeps what it has read until the file is closed.
            with parquet.ParquetFile(source) as file:
                for k in range(file.num_row_groups):
                    yield from file.read_row_group(k).to_batches(PIECE)
        else:
            csv: Any = import_module("pyarrow.csv")
            with csv.open_csv(source) as reader:
                yield from reader
    except OSError as error:
        raise FileError(f"the data cannot be read: {error}", got=str(source)) from None
    except ValueError as error:  # pyarrow's errors about what is in a file
        raise FileError("the data cannot be read", got=f"{source}: {str(error)[:200]}") from None


def _numbers(piece: Any, name: str, low: int) -> Array:
    column = piece.column(piece.schema.get_field_index(name))
    if column.null_count:
        row = low + int(np.argmax(np.asarray(column.is_null()))) + 1
        raise FileError(f"the column {name!r} has a gap", got=f"example {row}", next="remove the row, or fill the gap")
    values = np.asarray(column)
    if values.dtype.kind not in "iufb":
        raise FileError(f"the column {name!r} is not numeric", got=str(piece.schema.field(name).type))
    return values


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
