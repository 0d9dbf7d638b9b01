from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from backproof.calculus.network import Network
from backproof.errors import FileError
from backproof.run.kernels import loss_kernel
from backproof.run.streaming import _Writer, held_back, mapped_table, streamed
from backproof.run.watching import watched_loss

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
        (lambda t: t.set_column(0, "a", pa.array(["x"] * 50)), 3, "column 'a' holds something that is no number"),
        (lambda t: t.rename_columns(["a", "c", "b"]), 3, "no such column"),
        (lambda t: t, 2, "label is out of range"),
        (lambda t: t.set_column(1, "kind", pa.array([0.5] * 50)), 3, "label is out of range"),
        (lambda t: t.set_column(1, "kind", pa.array([-1] * 50)), 3, "label is out of range"),
        (lambda t: t.slice(0, 0), 3, "no examples"),
        (lambda t: t.select(["kind"]), 3, "a column to learn from"),
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
    with pytest.raises(FileError, match=r"cannot be read|is empty"):
        mapped_table(tmp_path / name, "b", tmp_path)


@pytest.mark.parametrize("name", ["none.parquet", "none.csv"])
def test_a_missing_file_is_a_clear_error(tmp_path, name) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        mapped_table(tmp_path / name, "b", tmp_path)


# A whole task, streamed


def save(folder, suffix: str, inputs, goal):
    path = folder / f"data{suffix}"
    match suffix:
        case ".npz":
            np.savez_compressed(path, X=inputs, y=goal)
        case ".npy":
            np.save(path, inputs)
            np.save(folder / "goal.npy", goal)
        case "-images-ubyte.gz":
            header = b"\0\0\x0e" + bytes([2]) + struct.pack(">2I", *inputs.shape)
            path.write_bytes(gzip.compress(header + inputs.astype(">f8").tobytes()))
            labels = b"\0\0\x08" + bytes([1]) + struct.pack(">I", len(goal)) + goal.astype("u1").tobytes()
            (folder / "data-labels-ubyte.gz").write_bytes(gzip.compress(labels))
        case _:
            columns = [*(inputs[:, k] for k in range(inputs.shape[1])), goal]
            written(folder, suffix[1:], pa.table(columns, [*"abc", "goal"])).rename(path)
    return path, str(folder / "goal.npy") if suffix == ".npy" else None


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz", ".npy", "-images-ubyte.gz"])
@pytest.mark.parametrize("goals", ["classes", "numbers"])
def test_a_streamed_file_is_split_and_scaled_like_a_table(tmp_path, monkeypatch, suffix, goals) -> None:
    if suffix.endswith(".gz") and goals == "numbers":
        pytest.skip("labels of IDX files are whole numbers")
    monkeypatch.setattr("backproof.run.pieces.PIECE", 64)
    generator = np.random.default_rng(0)
    inputs = generator.normal(3, 5, (400, 3))
    inputs[:, 2] = 7
    goal = generator.integers(0, 3, 400) if goals == "classes" else generator.normal(size=400)
    path, target = save(tmp_path, suffix, inputs, goal)
    split = streamed(path, target, outputs=None, test=0.25, seed=1, scale=True, precision="float64")
    apart = held_back(0, 400, 0.25, 1)
    assert 60 < apart.sum() < 140
    kept, held = inputs[~apart], inputs[apart]
    spread = np.where(kept.std(0) < 1e-9, 1, kept.std(0))
    np.testing.assert_allclose(split.inputs, (kept - kept.mean(0)) / spread, atol=1e-12)
    np.testing.assert_allclose(split.test_inputs, (held - kept.mean(0)) / spread, atol=1e-12)
    aims = np.eye(3)[goal] if goals == "classes" else goal.reshape(-1, 1)
    np.testing.assert_array_equal(split.targets, aims[~apart])
    np.testing.assert_array_equal(split.test_targets, aims[apart])
    assert split.classes == (("0", "1", "2") if goals == "classes" else None)
    assert len(split.constant) == 1
    np.testing.assert_allclose(np.concatenate(list(split.in_order())), (inputs - kept.mean(0)) / spread, atol=1e-12)


def test_classes_may_be_text_that_begins_like_numbers(tmp_path) -> None:
    rows = "\n".join(f"{k},{k % 7},{'1' if k < 90 else 'one'}" for k in range(100))
    (tmp_path / "t.csv").write_text(f"a,b,kind\n{rows}\n")
    split = streamed(tmp_path / "t.csv", None, outputs=None, test=0, seed=0, scale=False)
    assert split.classes == ("1", "one")
    assert split.targets[:, 1].sum() == 10
    assert not len(split.test_inputs)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"a,b\n1,2\nred,3\n", "red"),
        ("t.csv", b"a,b\n1,2\n,3\n", "gap"),
        ("t.csv", b"a,b\n1,2\nnan,3\n", "gap"),
        ("t.csv", b"a,a,b\n1,2,3\n", "same name"),
        ("t.npz", b"PK\x03\x04broken", "cannot be read"),
        ("t-images-ubyte", b"broken", "labels"),
        ("t.mat", b"", "cannot be read in pieces"),
    ],
)
def test_what_cannot_be_streamed_is_a_clear_error(tmp_path, name, content, words) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=words):
        streamed(tmp_path / name, None, outputs=None, test=0.2, seed=0, scale=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
def test_a_full_disk_is_a_clear_error() -> None:
    with pytest.raises(FileError, match="cannot be written"), _Writer(Path("/dev/full"), (10**5, 4), "float64") as file:
        file.write(np.zeros((10**5, 4)))


@pytest.mark.parametrize("reduction", ["mean", "sum", "mean-all"])
def test_a_watched_part_has_the_loss_of_the_whole(monkeypatch, reduction) -> None:
    network = Network(
        sizes=("3", "2"), output="identity", loss="half-mse", reduction=reduction, l2="0.3", layout="rows"
    )
    generator = np.random.default_rng(0)
    theta, x, y = generator.normal(size=8), generator.normal(size=(50, 3)), generator.normal(size=(50, 2))
    kernel = loss_kernel(network, precision="float64", compiled=False)
    weights = {p.name: theta[p.start : p.start + p.length].reshape(p.shape) for p in kernel.interface.parameters}
    size = {"mean": 50, "sum": 1, "mean-all": 100}[reduction]
    gaps = x @ weights["W(1)"] + weights["b(1)"] - y
    expected = (np.sum(gaps**2) / 2 + 0.15 * np.sum(weights["W(1)"] ** 2)) / size
    for piece in (50, 7, 1):
        monkeypatch.setattr("backproof.run.watching.PIECE", piece)
        assert watched_loss(kernel, theta, (x, y), network, {}) == pytest.approx(expected, rel=1e-12)
