"""Tables: examples and targets from CSV, Parquet, NPZ, MAT and IDX files, or the embedded digits."""

from __future__ import annotations

import csv
import gzip
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO, cast

import numpy as np
from numpy.typing import NDArray

from backproof.errors import BackproofError, FileError

Array = NDArray[Any]
FORMATS: Final = (".csv", ".tsv", ".parquet", ".npy", ".npz", ".mat", ".idx and -ubyte, with .gz or without")
INPUT_NAMES: Final = ("X", "x", "x_train", "X_train", "inputs", "data", "images")
TARGET_NAMES: Final = ("y", "Y", "y_train", "Y_train", "targets", "target", "labels")
IDX_TYPES: Final = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
MOST_CLASSES: Final = 1000


@dataclass
class Table:
    """Examples as rows, the column that is to be predicted, and the names of the columns.

    Where a model is asked, the target may be missing: then `target` is empty.
    """

    inputs: Array
    target: Array
    columns: tuple[str, ...] = field(default_factory=tuple[str, ...])
    goal: str = ""

    @property
    def is_classes(self) -> bool:
        """Whether the target is a class: text, or few distinct whole numbers."""
        values = self.target
        if values.ndim != 1:
            return bool(np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all())
        if values.dtype.kind in "OUSb":
            return True
        distinct = np.unique(values)
        whole = bool(np.isfinite(values).all() and np.equal(values, np.round(values)).all())
        return whole and len(distinct) <= min(MOST_CLASSES, max(2, len(values) // 5))


@dataclass(frozen=True, slots=True)
class Known:
    """What a model takes: how many columns, their names where they have any, and the name of its target."""

    width: int
    columns: tuple[str, ...] = ()
    goal: str = ""


def suffix_of(path: Path) -> str:
    """What tells the format of a file: its suffix, without .gz, or `ubyte`."""
    name = path.name.lower().removesuffix(".gz")
    suffix = Path(name).suffix
    return suffix if suffix in _READERS or "ubyte" not in name else "ubyte"


def read_table(source: str, target: str | None = None, known: Known | None = None) -> Table:
    """The table of a file, or of `digits`. `target` names the column or array to be predicted; the last one otherwise.

    With `known` the columns are those of a model, by name or by number, and the target may be missing.

    Raises FileError for a file that is missing, broken, of an unknown format, or has no such column.
    """
    if source == "digits":
        from backproof.run.digits import digits

        found = digits()
        return Table(found.inputs, found.labels, tuple(f"pixel{k}" for k in range(found.inputs.shape[1])), "digit")
    path = Path(source)
    reader = _READERS.get(suffix_of(path))
    if reader is None:
        raise FileError("the format of the data is not known", expected="digits, or " + ", ".join(FORMATS), got=source)
    try:
        table = reader(path, target, known)
    except BackproofError:
        raise
    except OSError as error:
        raise FileError(f"the data cannot be read: {error.strerror or error}", got=source) from None
    except Exception as error:
        # Readers of formats fail in many ways on a broken file; for a person they are all one.
        raise FileError("the data cannot be read", got=f"{source}: {str(error)[:200]}") from error
    missing = known is not None and not table.target.size
    if not table.inputs.size or not (missing or len(table.inputs) == len(table.target)):
        raise FileError("the data have no examples, or not one target for each", got=source)
    return table


def text_of(path: Path) -> TextIO:
    """A CSV file, packed or not."""
    if path.suffix.lower() == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def header_of(file: TextIO, path: Path) -> tuple[list[str], bool, str]:
    """The names of a CSV file's columns, whether they stand in its first line, and what separates its cells."""
    sample = file.read(65536)
    file.seek(0)
    delimiter = "\t" if suffix_of(path) == ".tsv" else ";" if sample.count(";") > sample.count(",") else ","
    first = next((row for row in csv.reader(file, delimiter=delimiter) if row), None)
    file.seek(0)
    if first is None:
        raise FileError("the table is empty", got=str(path))
    has_names = not all(_is_number(cell) for cell in first)
    names = first if has_names else [f"column{k + 1}" for k in range(len(first))]
    if twice := next((n for k, n in enumerate(names) if n in names[:k]), None):
        raise FileError("two columns have the same name", got=twice)
    return names, has_names, delimiter


def _csv(path: Path, target: str | None, known: Known | None) -> Table:
    with text_of(path) as file:
        names, has_names, delimiter = header_of(file, path)
        rows = [row for row in csv.reader(file, delimiter=delimiter) if row]
    body = rows[1:] if has_names else rows
    for at, row in enumerate(body):
        if len(row) != len(names):
            raise FileError(
                f"row {at + 1 + has_names} has another number of columns",
                expected=str(len(names)),
                got=str(len(row)),
            )
    columns = {name: [row[k] for row in body] for k, name in enumerate(names)}
    return _from_columns(columns, target, path, known)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parquet(path: Path, target: str | None, known: Known | None) -> Table:
    from pyarrow import parquet  # pyright: ignore[reportMissingTypeStubs]

    read: Callable[..., Any] = getattr(parquet, "read_table")  # noqa: B009  (its type is unknown to pyright)
    table = read(path)
    return _from_columns({name: table.column(name).to_pylist() for name in table.column_names}, target, path, known)


def _from_columns(columns: Mapping[str, Sequence[Any]], target: str | None, path: Path, known: Known | None) -> Table:
    inputs, wanted = _chosen(list(columns), target, known)
    arrays: list[Array] = []
    for name in inputs:
        values: list[float] = []
        for at, cell in enumerate(columns[name]):
            try:
                values.append(float(cell))
            except (TypeError, ValueError):
                raise FileError(
                    f"the column {name!r} holds something that is no number",
                    expected="a number in every row",
                    got=f"{cell!r} in example {at + 1} of {path.name}",
                    next="leave the column out, or encode it",
                ) from None
        arrays.append(np.array(values))
    if wanted is None:
        return Table(np.column_stack(arrays), np.empty(0), tuple(inputs))
    cells = columns[wanted]
    if any(cell is None or cell == "" for cell in cells):
        raise FileError(f"the column {wanted!r} has gaps", expected="a target in every row")
    numbers = all(_is_number(str(cell)) for cell in cells)
    goal = np.array([float(cell) for cell in cells] if numbers else [str(cell) for cell in cells])
    return Table(np.column_stack(arrays), goal, tuple(inputs), wanted)


def _chosen(names: list[str], target: str | None, known: Known | None) -> tuple[list[str], str | None]:
    """The columns to learn from, and the one to predict."""
    if target is not None and target not in names:
        raise FileError("the table has no such column", expected=", ".join(names[:30]), got=target)
    if known is None:
        if len(names) < 2:
            raise FileError("the table needs a column to learn from and one to predict", got=", ".join(names))
        wanted = target or names[-1]
        return [n for n in names if n != wanted], wanted
    wanted = target or (known.goal if known.goal in names else None)
    if known.columns and set(known.columns) <= set(names):
        return list(known.columns), wanted
    if wanted is None and len(names) == known.width + 1:
        wanted = names[-1]
    inputs = [n for n in names if n != wanted]
    if len(inputs) != known.width:
        missing = [n for n in known.columns if n not in names]
        raise FileError(
            "the data do not fit the model",
            expected=f"{known.width} columns" + (f", among them {', '.join(missing[:8])}" if missing else ""),
            got=f"{len(inputs)}: {', '.join(inputs[:8])}",
        )
    return inputs, wanted


def _npy(path: Path, target: str | None, known: Known | None) -> Table:
    inputs = np.load(path, allow_pickle=False)
    if target is None and known is None:
        raise FileError("an NPY file holds one array", expected="--target FILE, an NPY file with the targets")
    arrays = {"X": inputs} | ({} if target is None else {"y": np.load(Path(target), allow_pickle=False)})
    return _from_arrays(arrays, None, path, known)


def _npz(path: Path, target: str | None, known: Known | None) -> Table:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return _from_arrays({name: arrays[name] for name in arrays.files}, target, path, known)


def _mat(path: Path, target: str | None, known: Known | None) -> Table:
    import scipy.io

    load: Callable[..., Any] = scipy.io.loadmat  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return _from_arrays(
        {k: np.asarray(v) for k, v in load(path).items() if not k.startswith("__")}, target, path, known
    )


def _from_arrays(arrays: dict[str, Array], target: str | None, path: Path, known: Known | None) -> Table:
    inputs = next((arrays[name] for name in INPUT_NAMES if name in arrays), None)
    wanted = target or next((name for name in TARGET_NAMES if name in arrays), None)
    if inputs is None or (wanted is None and known is None) or (wanted is not None and wanted not in arrays):
        raise FileError(
            "the file has no arrays of inputs and targets",
            expected="X and y, or x_train and y_train",
            got=f"{path.name}: {', '.join(arrays)}",
        )
    goal = np.empty(0) if wanted is None else arrays[wanted]
    goal = goal.ravel() if goal.ndim == 2 and 1 in goal.shape else goal
    flat = inputs.reshape(len(inputs), -1)
    scaled = flat / 255.0 if flat.dtype == np.uint8 else flat.astype(np.float64)
    return Table(scaled, goal, tuple(f"x{k + 1}" for k in range(flat.shape[1])), wanted or "")


def sibling(path: Path) -> Path:
    """Where the labels of a file with images are by its name."""
    return path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))


def labels_of(path: Path, target: str | None) -> Path:
    """The file with the labels of an IDX file with images."""
    if target is not None:
        return Path(target)
    other = sibling(path)
    if other == path or not other.exists():
        raise FileError("an IDX file holds images or labels", expected="both; --target FILE names the labels")
    return other


def _idx(path: Path, target: str | None, known: Known | None) -> Table:
    alone = sibling(path) == path or not sibling(path).exists()
    if target is None and known is not None and alone:
        labels = np.empty(0)
    else:
        labels = _idx_array(labels_of(path, target))
    images = _idx_array(path)
    flat = images.reshape(len(images), -1)
    scaled = flat / 255.0 if flat.dtype == np.uint8 else flat.astype(np.float64)
    return Table(scaled, labels, tuple(f"pixel{k}" for k in range(flat.shape[1])), "label")


def _idx_array(path: Path) -> Array:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in IDX_TYPES:
        raise FileError("this is no IDX file", got=str(path))
    axes = data[3]
    shape = struct.unpack(f">{axes}I", data[4 : 4 + 4 * axes])
    values = np.frombuffer(data, IDX_TYPES[data[2]], offset=4 + 4 * axes)
    if values.size != int(np.prod(shape)):
        raise FileError("the IDX file is cut off", expected=f"{int(np.prod(shape))} values", got=str(values.size))
    return values.reshape(shape)


_READERS: Final[dict[str, Callable[[Path, str | None, Known | None], Table]]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
    ".npy": _npy,
    ".npz": _npz,
    ".mat": _mat,
    ".idx": _idx,
    "ubyte": _idx,
}
