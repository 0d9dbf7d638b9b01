from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from backproof.errors import BackproofError, FileError
from backproof.run.tables import Known, read_table
from backproof.run.task import doubts, prepared, suitable

CSV = "length,width,kind\n1.5,2,a\n3,4e0,b\n-1,0,a\n"


def test_csv_with_names(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(CSV)
    table = read_table(str(path))
    assert table.inputs.tolist() == [[1.5, 2], [3, 4], [-1, 0]]
    assert table.target.tolist() == ["a", "b", "a"]
    assert table.columns == ("length", "width")
    assert table.is_classes


def test_csv_without_names_and_with_semicolons(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("1;2;0.5\n3;4;0.25\n")
    table = read_table(str(path), "column1")
    assert table.inputs.tolist() == [[2, 0.5], [4, 0.25]]
    assert table.target.tolist() == [1, 3]


def test_parquet(tmp_path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "t.parquet"
    parquet.write_table(pyarrow.table({"a": [1, 2], "b": [0.5, 1.5], "y": ["u", "v"]}), path)
    table = read_table(str(path))
    assert table.inputs.tolist() == [[1, 0.5], [2, 1.5]]
    assert table.target.tolist() == ["u", "v"]


def test_npz_and_mat(tmp_path) -> None:
    inputs, target = np.array([[[0, 255]], [[51, 0]]], np.uint8), np.array([[1], [2]])
    np.savez(tmp_path / "t.npz", x_train=inputs, y_train=target)
    assert read_table(str(tmp_path / "t.npz")).inputs.tolist() == [[0, 1], [0.2, 0]]
    scipy_io = pytest.importorskip("scipy.io")
    scipy_io.savemat(tmp_path / "t.mat", {"X": inputs / 255.0, "y": target})
    table = read_table(str(tmp_path / "t.mat"))
    assert table.inputs.tolist() == [[0, 1], [0.2, 0]]
    assert table.target.tolist() == [1, 2]


def test_idx(tmp_path) -> None:
    images = b"\0\0\x08\x03" + struct.pack(">3I", 2, 1, 2) + bytes([0, 255, 51, 0])
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x02\x07\x03"))
    table = read_table(str(tmp_path / "train-images-idx3-ubyte.gz"))
    assert table.inputs.tolist() == [[0, 1], [0.2, 0]]
    assert table.target.tolist() == [7, 3]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"", "empty"),
        ("t.csv", b"a,b\n1,2\n3\n", "row 3 has another number of columns"),
        ("t.csv", b"a,b\nred,2\n", "no number"),
        ("t.csv", b"a,b\n1,\n", "gaps"),
        ("t.csv", b"a\n1\n", "one to predict"),
        ("t.csv", b"\xff\xfe\x00", "cannot be read"),
        ("t.npz", b"PK\x03\x04broken", "cannot be read"),
        ("t.parquet", b"PAR1broken", "cannot be read"),
        ("t.mat", b"broken", "cannot be read"),
        ("t-images-ubyte", b"broken", "labels"),
        ("t.docx", b"", "not known"),
    ],
)
def test_broken_files_are_clear_errors(tmp_path, name, content, words) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileError) as failure:
        read_table(str(path))
    assert words in str(failure.value)


def test_a_missing_file_and_column_are_clear_errors(tmp_path) -> None:
    with pytest.raises(FileError, match="No such file"):
        read_table(str(tmp_path / "none.csv"))
    path = tmp_path / "t.csv"
    path.write_text(CSV)
    with pytest.raises(FileError, match="no such column"):
        read_table(str(path), "height")


def test_the_split_scales_by_its_training_part_alone(tmp_path) -> None:
    path = tmp_path / "t.csv"
    rows = "\n".join(f"{k},7,{'ab'[k % 2]}" for k in range(20))
    path.write_text("x,same,y\n" + rows)
    split = prepared(read_table(str(path)), outputs=None, test=0.25, seed=0, scale=True)
    assert split.inputs.shape == (15, 2)
    assert split.test_inputs.shape == (5, 2)
    assert split.inputs[:, 0].mean() == pytest.approx(0)
    assert split.inputs[:, 0].std() == pytest.approx(1)
    assert split.constant == ("same",)
    assert split.classes == ("a", "b")
    assert suitable(split)[:2] == ("softmax", "cross-entropy")
    assert prepared(read_table(str(path)), outputs=1, test=0, seed=0, scale=True).targets.shape == (20, 1)


def test_unwise_pairs_are_named(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "\n".join(f"{k},{k / 3 + 0.1}" for k in range(9)))
    split = prepared(read_table(str(path)), outputs=None, test=0, seed=0, scale=True)
    assert suitable(split)[:2] == ("identity", "half-mse")
    assert "keeps the slope of sigmoid" in doubts("sigmoid", "mse", split)[0]
    assert doubts("identity", "half-mse", split) == []
    assert any("between 0 and 1" in doubt for doubt in doubts("sigmoid", "bce", split))


def test_values_that_are_no_numbers_are_named(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,z,y\n1,2,a\n3,nan,b\n")
    with pytest.raises(BackproofError, match="'z' has no number in example 2"):
        prepared(read_table(str(path)), outputs=None, test=0, seed=0, scale=True)


def test_a_packed_csv_file(tmp_path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(CSV.encode()))
    (tmp_path / "u.csv").write_text(CSV, "utf-8")
    packed, plain = read_table(str(path)), read_table(str(tmp_path / "u.csv"))
    assert packed.inputs.tolist() == plain.inputs.tolist()
    assert packed.columns == plain.columns


def test_the_columns_of_a_model_are_found_by_name_and_by_number(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("b,note,a\n1,2,3\n4,5,6\n", "utf-8")
    table = read_table(str(path), known=Known(2, ("a", "b"), "kind"))
    assert table.inputs.tolist() == [[3, 1], [6, 4]]
    assert not table.target.size
    table = read_table(str(path), known=Known(2, ("u", "v"), "w"))  # other names: the last column is the target
    assert table.inputs.tolist() == [[1, 2], [4, 5]]
    assert table.target.tolist() == [3, 6]
    with pytest.raises(FileError, match="do not fit the model"):
        read_table(str(path), known=Known(5, ("a", "b", "c", "d", "e"), "w"))
