"""Pieces: a table read again and again, some rows at a time, so that it may be larger than memory.

CSV and Parquet through pyarrow, Parquet row group by row group; NPY mapped; the arrays of an NPZ and of an IDX file as
they are unpacked. A MAT file is not made to be read in pieces.
"""

from __future__ import annotations

import gzip
import math
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from backproof.errors import BackproofError, FileError
from backproof.run.tables import IDX_TYPES, INPUT_NAMES, TARGET_NAMES, header_of, labels_of, suffix_of, text_of

Array = NDArray[Any]
Kind = TypeVar("Kind")
PIECE: Final = 1 << 16  # rows
ENTRIES: Final = 1 << 20  # of the inputs, at most, in a piece of wide rows
SOURCES: Final = ".csv, .tsv, .parquet, .npy, .npz, .idx and -ubyte"


class TextError(FileError):
    """A target that was read as numbers holds something that is none."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A table in pieces: the names of its inputs, the name of its target, and a way to read it from the start.

    `read(text)` gives rows of inputs and their targets: numbers, in one column or more, or text where `text` says so.
    """

    columns: tuple[str, ...]
    target: str
    read: Callable[[bool], Iterator[tuple[Array, Array]]]


def opened(source: Path, target: str | None) -> Stream:
    """The table of a file, to be read in pieces. Raises FileError, here or while it is read."""
    suffix = suffix_of(source)
    openers = {
        ".csv": _csv,
        ".tsv": _csv,
        ".parquet": _parquet,
        ".npy": _npy,
        ".npz": _npz,
        ".idx": _idx,
        "ubyte": _idx,
    }
    if suffix not in openers:
        raise FileError("this format cannot be read in pieces", expected=SOURCES, got=str(source))
    stream = _guarded(source, lambda: openers[suffix](source, target))

    def read(text: bool) -> Iterator[tuple[Array, Array]]:  # noqa: FBT001
        pieces = stream.read(text)
        while (piece := _guarded(source, lambda: next(pieces, None))) is not None:
            yield piece

    return Stream(stream.columns, stream.target, read)


def _guarded(source: Path, act: Callable[[], Kind]) -> Kind:
    """Readers of formats fail in many ways on a broken file; for a person they are all one."""
    try:
        return act()
    except BackproofError:
        raise
    except OSError as error:
        raise FileError(f"the data cannot be read: {error.strerror or error}", got=str(source)) from None
    except ImportError as error:
        raise FileError(
            "this format needs a package that is not installed", got=str(error), next="pip install 'backproof[run]'"
        ) from None
    except Exception as error:
        raise FileError("the data cannot be read", got=f"{source}: {str(error)[:200]}") from error


def _step(width: int) -> int:
    """How many rows make a piece."""
    return max(1, min(PIECE, ENTRIES // max(1, width)))


def _chosen(names: list[str], target: str | None) -> tuple[tuple[str, ...], str]:
    wanted = names[-1] if target is None else target
    if wanted not in names:
        raise FileError("the table has no such column", expected=", ".join(names[:30]), got=wanted)
    if len(names) < 2:
        raise FileError("the table needs a column to learn from and one to predict", got=", ".join(names))
    return tuple(n for n in names if n != wanted), wanted


# Tables of columns


def _csv(path: Path, target: str | None) -> Stream:
    arrow: Any = import_module("pyarrow")
    module: Any = import_module("pyarrow.csv")
    with text_of(path) as file:
        names, has_names, delimiter = header_of(file, path)
    columns, wanted = _chosen(names, target)

    def read(text: bool) -> Iterator[tuple[Array, Array]]:  # noqa: FBT001
        types = dict.fromkeys(columns, arrow.float64()) | {wanted: arrow.string()}
        with module.open_csv(
            path,
            read_options=module.ReadOptions(column_names=names, skip_rows=int(has_names)),
            parse_options=module.ParseOptions(delimiter=delimiter),
            convert_options=module.ConvertOptions(column_types=types),
        ) as reader:
            yield from _columns(reader, columns, wanted, text=text)

    return Stream(columns, wanted, read)


def _parquet(path: Path, target: str | None) -> Stream:
    parquet: Any = import_module("pyarrow.parquet")
    with parquet.ParquetFile(path) as file:
        names = [str(n) for n in file.schema_arrow.names]
    columns, wanted = _chosen(names, target)

    def batches() -> Iterator[Any]:
        # A row group at a time: `iter_batches` keeps what it has read until the file is closed.
        with parquet.ParquetFile(path) as file:
            for k in range(file.num_row_groups):
                yield from file.read_row_group(k).to_batches(_step(len(columns)))

    return Stream(columns, wanted, lambda text: _columns(batches(), columns, wanted, text=text))


def _columns(
    batches: Iterator[Any], columns: tuple[str, ...], wanted: str, *, text: bool
) -> Iterator[tuple[Array, Array]]:
    low = 0
    for batch in batches:
        inputs = np.empty((batch.num_rows, len(columns)))
        for k, name in enumerate(columns):
            inputs[:, k] = _numbers(batch, name, low)
        yield inputs, _target(batch, wanted, low, text=text)
        low += batch.num_rows


def _whole(batch: Any, name: str, low: int) -> Any:
    column = batch.column(batch.schema.get_field_index(name))
    if column.null_count:
        row = low + int(np.argmax(np.asarray(column.is_null()))) + 1
        raise FileError(f"the column {name!r} has a gap", got=f"example {row}", next="remove the row, or fill the gap")
    return column


def _numbers(batch: Any, name: str, low: int) -> Array:
    values = np.asarray(_whole(batch, name, low))
    if values.dtype.kind not in "iufb":
        raise FileError(
            f"the column {name!r} holds something that is no number",
            expected="a number in every row",
            got=f"{values.flat[0]!r} in example {low + 1}",
            next="leave the column out, or encode it",
        )
    return values


def _target(batch: Any, name: str, low: int, *, text: bool) -> Array:
    column = _whole(batch, name, low)
    values = np.asarray(column)
    if text:
        found = np.asarray([str(v) for v in values.tolist()])
        if (found == "").any():
            raise FileError(f"the column {name!r} has gaps", expected="a target in every row")
        return found
    if values.dtype.kind in "iufb":
        return values.astype(np.float64)
    arrow: Any = import_module("pyarrow")
    try:
        return np.asarray(column.cast(arrow.float64()))
    except ValueError:
        raise TextError(f"the column {name!r} is no column of numbers") from None


# Arrays


def _npy(path: Path, target: str | None) -> Stream:
    if target is None:
        raise FileError("an NPY file holds one array", expected="--target FILE, an NPY file with the targets")
    inputs, goal = np.load(path, mmap_mode="r"), np.load(Path(target), mmap_mode="r")
    if len(inputs) != len(goal):
        raise FileError("not one target for each example", expected=str(len(inputs)), got=str(len(goal)))

    def read(text: bool) -> Iterator[tuple[Array, Array]]:  # noqa: FBT001
        step = _step(math.prod(inputs.shape[1:]))
        for low in range(0, len(inputs), step):
            yield _rows(inputs[low : low + step]), _goal(goal[low : low + step], text=text)

    return Stream(_named(inputs.shape), Path(target).stem, read)


def _npz(path: Path, target: str | None) -> Stream:
    with zipfile.ZipFile(path) as archive:
        names = [n.removesuffix(".npy") for n in archive.namelist()]
        first = next((n for n in INPUT_NAMES if n in names), None)
        wanted = target or next((n for n in TARGET_NAMES if n in names), None)
        if first is None or wanted is None or wanted not in names:
            raise FileError(
                "the file has no arrays of inputs and targets",
                expected="X and y, or x_train and y_train",
                got=f"{path.name}: {', '.join(names)}",
            )
        shapes = [_npy_header(archive.open(f"{n}.npy"))[0] for n in (first, wanted)]
    goal = wanted

    def read(text: bool) -> Iterator[tuple[Array, Array]]:  # noqa: FBT001
        with ExitStack() as stack:
            archive = stack.enter_context(zipfile.ZipFile(path))
            inputs, targets = (stack.enter_context(archive.open(f"{n}.npy")) for n in (first, goal))
            step = _step(math.prod(shapes[0][1:]))
            rows = _unpacked(inputs, *_npy_header(inputs), step)
            yield from _both(rows, _unpacked(targets, *_npy_header(targets), step), text)

    if shapes[0][0] != shapes[1][0]:
        raise FileError("not one target for each example", expected=str(shapes[0][0]), got=str(shapes[1][0]))
    return Stream(_named(shapes[0]), goal, read)


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = reader(file)
    if fortran and sum(n > 1 for n in shape) > 1:
        raise FileError("an array that is stored column by column cannot be read in pieces", expected="rows, C order")
    if dtype.hasobject or not shape:
        raise FileError("the file holds something that is no array of numbers", got=str(dtype))
    return shape, dtype


def _idx(path: Path, target: str | None) -> Stream:
    other = labels_of(path, target)

    def header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
        start = file.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in IDX_TYPES:
            raise FileError("this is no IDX file", got=str(path))
        return struct.unpack(f">{start[3]}I", file.read(4 * start[3])), np.dtype(IDX_TYPES[start[2]])

    def unpacking(file: Path) -> IO[bytes]:
        with file.open("rb") as begin:
            zipped = begin.read(2) == b"\x1f\x8b"
        return cast("IO[bytes]", gzip.open(file)) if zipped else file.open("rb")

    with unpacking(path) as file:
        shape, _ = header(file)

    def read(text: bool) -> Iterator[tuple[Array, Array]]:  # noqa: FBT001
        with unpacking(path) as images, unpacking(other) as labels:
            step = _step(math.prod(shape[1:]))
            rows = _unpacked(images, *header(images), step)
            yield from _both(rows, _unpacked(labels, *header(labels), step), text)

    return Stream(_named(shape), "label", read)


def _unpacked(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any], step: int) -> Iterator[Array]:
    """An array from a stream of bytes, some rows at a time."""
    row = math.prod(shape[1:])
    for low in range(0, shape[0], step):
        count = min(step, shape[0] - low)
        data = file.read(count * row * dtype.itemsize)
        if len(data) < count * row * dtype.itemsize:
            raise FileError("the file is cut off", expected=f"{shape[0]} rows")
        yield np.frombuffer(data, dtype).reshape(count, *shape[1:])


def _both(inputs: Iterator[Array], targets: Iterator[Array], text: bool) -> Iterator[tuple[Array, Array]]:  # noqa: FBT001
    for some, goal in zip(inputs, targets, strict=True):
        if len(some) != len(goal):
            raise FileError("not one target for each example", expected=str(len(some)), got=str(len(goal)))
        yield _rows(some), _goal(goal, text=text)


def _rows(values: Array) -> Array:
    flat = values.reshape(len(values), -1)
    return flat / 255.0 if flat.dtype == np.uint8 else flat.astype(np.float64)


def _goal(values: Array, *, text: bool) -> Array:
    values = values.ravel() if values.ndim == 2 and values.shape[1] == 1 else values
    if values.dtype.kind in "SU":
        if not text:
            raise TextError("the targets are text")
        return values.astype(str)
    return values.astype(np.float64)


def _named(shape: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(f"x{k + 1}" for k in range(math.prod(shape[1:])))
