from __future__ import annotations

import csv
import json
import math
from xml.etree import ElementTree as ET

import pytest

from backproof.cli import main
from backproof.cli.training_options import curve

QUICK = ("--layers", "64-8-10", "--epochs", "3", "--rate", "0.01")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "kernels"))


def said(capsys, *arguments: str) -> str:
    assert main(list(arguments)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_the_digits_are_learnt_saved_and_predicted(capsys, tmp_path) -> None:
    model, answers = tmp_path / "m.safetensors", tmp_path / "a.csv"
    text = said(capsys, "train", "--data", "digits", *QUICK, "--save", str(model))
    assert "softmax with cross-entropy, δ = a − y" in text
    assert "|δ| at 2" in text
    text = said(capsys, "train", "--data", "digits", "--model", str(model), "--predict", str(answers))
    assert "accuracy on 1797" in text
    rows = list(csv.reader(answers.read_text("utf-8").splitlines()))
    assert rows[0] == [*(f"p({k})" for k in range(10)), "class"]
    assert len(rows) == 1798
    assert sum(map(float, rows[1][:10])) == pytest.approx(1, abs=1e-5)


@pytest.fixture
def flowers(tmp_path):
    """Two kinds of flowers, and the same without their kinds, in another order of columns."""
    rows = [(k * 37 % 100, k * 53 % 100) for k in range(200)]
    kinds = ["iris" if a + b > 100 else "rose" for a, b in rows]
    whole = "\n".join(f"{a},{b},{kind}" for (a, b), kind in zip(rows, kinds, strict=True))
    (tmp_path / "flowers.csv").write_text(f"a,b,kind\n{whole}\n", "utf-8")
    (tmp_path / "new.csv").write_text("b,note,a\n" + "\n".join(f"{b},7,{a}" for a, b in rows) + "\n", "utf-8")
    return tmp_path, kinds


@pytest.mark.parametrize("way", [(), ("--stream",)])
def test_answers_stand_in_the_order_of_the_file(capsys, flowers, way) -> None:
    folder, kinds = flowers
    model, answers = str(folder / "m.safetensors"), folder / "answers.csv"
    data = ("train", "--data", str(folder / "flowers.csv"))

    def agreement() -> float:
        found = [row[-1] for row in csv.reader(answers.read_text("utf-8").splitlines())][1:]
        return sum(a == b for a, b in zip(found, kinds, strict=True)) / len(kinds)

    said(capsys, *data, *way, "--epochs", "30", "--rate", "0.02", "--save", model, "--predict", str(answers))
    assert agreement() > 0.9
    answers.unlink()
    text = said(capsys, *data, "--model", model, "--predict", str(answers))
    assert "accuracy on 200 examples" in text
    assert agreement() > 0.9
    answers.unlink()
    text = said(capsys, "train", "--data", str(folder / "new.csv"), "--model", model, "--predict", str(answers))
    assert "no targets" in text
    assert agreement() > 0.9


def test_a_model_keeps_the_classes_that_it_learnt(capsys, flowers) -> None:
    folder, kinds = flowers
    model = str(folder / "m.safetensors")
    rows = (folder / "flowers.csv").read_text("utf-8").splitlines()
    said(capsys, "train", "--data", str(folder / "flowers.csv"), "--epochs", "30", "--rate", "0.02", "--save", model)
    some = folder / "roses.csv"
    some.write_text("\n".join([rows[0], *(r for r in rows if r.endswith("rose"))]), "utf-8")
    text = said(capsys, "train", "--data", str(some), "--model", model)
    shown = float(text.rpartition(": ")[2].removesuffix(" %\n"))
    assert f"accuracy on {kinds.count('rose')} examples" in text
    assert shown > 90
    some.write_text(some.read_text("utf-8").replace("rose", "tulip"), "utf-8")
    assert main(["train", "--data", str(some), "--model", model]) == 2
    assert "does not know this class" in capsys.readouterr().err


def test_json_and_resuming(capsys, tmp_path) -> None:
    model = str(tmp_path / "m.safetensors")
    whole = json.loads(said(capsys, "train", "--data", "digits", *QUICK, "--json"))
    said(capsys, "train", "--data", "digits", *QUICK, "--epochs", "1", "--save", model)
    rest = json.loads(said(capsys, "train", "--data", "digits", *QUICK, "--save", model, "--resume", "--json"))
    assert rest["history"] == whole["history"]
    assert rest["score"]["test"] > 0.5


def test_an_unwise_pair_is_named(capsys) -> None:
    text = said(capsys, "train", "--data", "digits", *QUICK, "--output", "sigmoid", "--loss", "mse")
    assert "unwise: mse keeps the slope of sigmoid" in text


def test_compare_starts_both_from_the_same_weights(capsys) -> None:
    results = json.loads(said(capsys, "compare", "--data", "digits", *QUICK, "--losses", "mse,half-mse", "--json"))
    assert [r["loss"] for r in results] == ["mse", "half-mse"]
    assert "bce" in said(capsys, "compare", "--data", "digits", *QUICK, "--epochs", "1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train",), "nothing to learn from"),
        (("train", "--data", "none.csv"), "No such file"),
        (("train", "--data", "digits", "--layers", "3-2"), "does not fit the data"),
        (("train", "--data", "digits", "--layers", "64-2"), "fewer outputs"),
        (("train", "--data", "digits", "--epochs", "-1"), "whole number"),
        (("train", "--data", "digits", "--rate", "fast"), "must be a number"),
        (("train", "--data", "digits", "--resume"), "--save"),
        (("train", "--data", "digits", "--test", "1"), "below 1"),
        (("train", "--data", "digits", "--model", "none"), "cannot be read"),
        (("compare", "--data", "digits", "--losses", "mse"), "two losses"),
        (("compare", "--data", "digits", "--losses", "mse,nonsense"), "nonsense"),
    ],
)
def test_mistakes_are_explained(arguments, words, capsys) -> None:
    assert main(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert "Traceback" not in err


def test_a_curve_is_as_long_as_asked() -> None:
    assert len(curve([1.0] * 1000)) == 40
    assert curve([0.0, 0.0]) == "▁▁"
    assert curve([1.0]) == "█"


def points_of(path) -> list[list[tuple[float, float]]]:
    root = ET.parse(path).getroot()
    lines = root.iter("{http://www.w3.org/2000/svg}polyline")
    return [[tuple(map(float, p.split(","))) for p in line.get("points").split()] for line in lines]


def test_a_plot_has_the_curves_of_the_history(capsys, tmp_path) -> None:
    path = tmp_path / "p.svg"
    history = json.loads(said(capsys, "train", "--data", "digits", *QUICK, "--json", "--plot", str(path)))["history"]
    loss, watched, *deltas = points_of(path)
    assert len(loss) == len(watched) == 3
    assert len(deltas) == 2
    for points, values in ((loss, [r["loss"] for r in history]), (deltas[1], [r["delta"][1] for r in history])):
        # On a logarithmic scale equal ratios are equal distances, downwards.
        (_, first), (_, second), (_, third) = points
        ratio = math.log(values[0] / values[1]) / math.log(values[0] / values[2])
        assert (second - first) / (third - first) == pytest.approx(ratio, abs=0.02)


def test_a_saturating_output_is_seen_and_explained(capsys, tmp_path) -> None:
    # 1 is to be learnt from x = 100 or so with weights that make every output 0: σ′ is almost 0 there.
    path, plot = tmp_path / "t.csv", tmp_path / "p.svg"
    rows = "\n".join(f"{100 + k},{'b' if k % 2 else 'a'}" for k in range(40))
    path.write_text("x,kind\n" + rows + "\n")
    common = (
        "--data",
        str(path),
        "--layers",
        "1-2",
        "--no-scale",
        "--output",
        "sigmoid",
        "--epochs",
        "2",
        "--test",
        "0",
    )
    text = said(capsys, "compare", *common, "--losses", "bce,mse", "--seed", "1", "--plot", str(plot))
    bce, mse = text.split("1-2, ")[1:]
    assert "the output saturates" not in bce
    assert "the output saturates: the mean of |a − y| is 0.5" in mse
    assert len(points_of(plot)) == 4
    assert "the output saturates" in plot.read_text("utf-8")


def test_plots_are_svg(capsys, tmp_path) -> None:
    assert main(["train", "--data", "digits", "--plot", str(tmp_path / "p.png")]) == 2
    assert "drawn as SVG" in capsys.readouterr().err
    assert main(["train", "--data", "digits", *QUICK, "--plot", str(tmp_path / "no" / "p.svg")]) == 2
    assert "cannot be written" in capsys.readouterr().err
