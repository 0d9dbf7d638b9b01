from __future__ import annotations

import numpy as np
import pytest

from backproof.errors import FileError
from backproof.run.streaming import mapped_table

pa = pytest.importorskip("pyarrow")
csv, parquet = pytest.importorskip("pyarrow.csv"), pytest.importorskip("pyarrow.parquet")


def table(count: int = 50):
    generator = np.random.default_rng(0)
    return pa.table({"a": generator.normal(size=count), "kind": generator.integers(0, 3, count), "b": np.arange(count)})


def written(folder, kind: str, what):
    path = folder / f"t.{kind}"
    if kind == "parquet":
        parquet.write_table(what, path, row_group_size=16)
    else:
        csv.write_csv(what, path)
    return path


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_table_becomes_mapped_arrays(tmp_path, kind) -> None:
    what = table()
    inputs, targets = mapped_table(written(tmp_path, kind, what), "kind", tmp_path, classes=3, precision="float64")
    assert isinstance(inputs, np.memmap)
    assert isinstance(targets, np.memmap)
    assert (inputs == np.column_stack([what["a"], what["b"]])).all()
    assert (targets == np.eye(3)[np.asarray(what["kind"])]).all()
    values = mapped_table(tmp_path / f"t.{kind}", "a", tmp_path)[1]
    assert values.dtype == np.float32
    assert (values[:, 0] == np.asarray(what["a"], np.float32)).all()


@pytest.mark.parametrize(
    ("change", "classes", "words"),
    [
        (lambda t: t.set_column(0, "a", pa.array([None, *range(49)])), 3, "column 'a' has a gap"),
        (lambda t: t.set_column(0, "a", pa.array(["x"] * 50)), 3, "column 'a' is not numeric"),
        (lambda t: t.rename_columns(["a", "c", "b"]), 3, "no such column"),
        (lambda t: t, 2, "label is out of range"),
        (lambda t: t.set_column(1, "kind", pa.array([0.5] * 50)), 3, "label is out of range"),
        (lambda t: t.set_column(1, "kind", pa.array([-1] * 50)), 3, "label is out of range"),
        (lambda t: t.slice(0, 0), 3, "no examples"),
        (lambda t: t.select(["kind"]), 3, "no column to learn from"),
    ],
)
def test_what_cannot_be_used_is_a_clear_error(tmp_path, change, classes, words) -> None:
    path = written(tmp_path, "parquet", change(table()))
    with pytest.raises(FileError, match=words):
        mapped_table(path, "kind", tmp_path, classes=classes)


@pytest.mark.parametrize(
    ("name", "content"), [("t.parquet", b"PAR1 cut off"), ("t.csv", b"a,b\n1,2\n3\n"), ("t.csv", b"")]
)
def test_a_broken_file_is_a_clear_error(tmp_path, name, content) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match="cannot be read"):
        mapped_table(tmp_path / name, "b", tmp_path)


@pytest.mark.parametrize("name", ["none.parquet", "none.csv"])
def test_a_missing_file_is_a_clear_error(tmp_path, name) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        mapped_table(tmp_path / name, "b", tmp_path)
