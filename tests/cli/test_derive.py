"""`backproof derive`, from the command line to the documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backproof.cli import main

MATCHED = ("--output", "sigmoid", "--loss", "bce")


def derived(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["derive", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


@pytest.mark.parametrize(
    ("options", "result"),
    [
        (MATCHED, "δ = a − y"),
        (("--output", "sigmoid", "--loss", "mse"), "δ = 2(a − y)·a(1 − a)"),
        (("--output", "identity", "--loss", "mse"), "δ = 2(a − y)"),
        (("--output", "identity", "--loss", "half-mse"), "δ = a − y"),
        (("--output", "softmax", "--loss", "cross-entropy"), "δ = a − y"),
    ],
)
def test_the_error_of_the_output_layer(
    options: tuple[str, ...], result: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = derived(capsys, *options)
    assert "╭─ ✓ proved" in shown
    assert f"│ {result} " in shown


def test_cancelled_factors_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    shown = derived(capsys, *MATCHED)
    assert shown.count("[1]a") == 2
    assert shown.count("[2](1 − a)") == 2


def test_the_condition_and_the_form_without_it(capsys: pytest.CaptureFixture[str]) -> None:
    shown = derived(capsys, "--output", "softmax", "--loss", "cross-entropy")
    assert "needs sum(y) = 1" in shown
    assert "without it: δ = a Σ yₖ − y" in shown


def test_json_keeps_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(derived(capsys, "--layers", "n-h-k", *MATCHED, "--json"))
    assert set(data) == {"equations", "steps"}
    assert all(set(e) == {"name", "text", "latex", "verdict", "conditions"} for e in data["equations"])
    assert all(set(s) == {"of", "text", "latex", "why"} for s in data["steps"])
    assert [e["name"] for e in data["equations"]] == ["delta_2", "delta_1", "dW2", "db2", "dW1", "db1", "dX"]
    assert {e["verdict"] for e in data["equations"]} == {"proved"}
    assert {s["of"] for s in data["steps"]} == {e["name"] for e in data["equations"]}
    assert data["equations"][2]["text"] == "∂J/∂W⁽²⁾ = δ⁽²⁾ a⁽¹⁾ᵀ"


def test_json_names_the_condition(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(derived(capsys, "--output", "softmax", "--loss", "cross-entropy", "--json"))
    assert data["equations"][0]["conditions"] == ["sum(y) = 1"]


def test_only_what_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(derived(capsys, "--layers", "n-h-k", "--of", "dW1", "--of", "delta_L", "--json"))
    assert [e["name"] for e in data["equations"]] == ["dW1", "delta_2"]


@pytest.mark.parametrize("layout", ["columns", "rows", "rows-out-in"])
def test_a_batch_in_every_layout(layout: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--layers", "n-h-k", "--hidden", "f", *MATCHED, "--reduction", "mean", "--l2", "lambda")
    data = json.loads(derived(capsys, *options, "--layout", layout, "--json"))
    texts = {e["name"]: e["text"] for e in data["equations"]}
    assert {e["verdict"] for e in data["equations"]} == {"proved"}
    expected = {
        "columns": "∂J/∂W⁽²⁾ = δ⁽²⁾ A⁽¹⁾ᵀ + λ/m W⁽²⁾",
        "rows": "∂J/∂W⁽²⁾ = A⁽¹⁾ᵀ δ⁽²⁾ + λ/m W⁽²⁾",
        "rows-out-in": "∂J/∂W⁽²⁾ = δ⁽²⁾ᵀ A⁽¹⁾ + λ/m W⁽²⁾",
    }
    plain = texts["dW2"].translate(str.maketrans("·()", "   "))
    assert plain.split() == expected[layout].translate(str.maketrans("()", "  ")).split()


def test_symbolic_depth_gives_the_recursion(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(derived(capsys, "--layers", "n-h..h-k", "--hidden", "f", *MATCHED, "--json"))
    texts = {e["name"]: e["text"] for e in data["equations"]}
    assert texts["delta_L"] == "δ⁽ᴸ⁾ = a⁽ᴸ⁾ − y"
    assert texts["delta_l"] == "δ⁽ˡ⁾ = W⁽ˡ⁺¹⁾ᵀ δ⁽ˡ⁺¹⁾ ⊙ f′(z⁽ˡ⁾)"
    assert texts["dWl"] == "∂J/∂W⁽ˡ⁾ = δ⁽ˡ⁾ a⁽ˡ⁻¹⁾ᵀ"


def test_a_file_says_its_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, start in (
        ("x.tex", "\\documentclass"),
        ("x.md", "# sigmoid"),
        ("x.json", "{"),
        ("x.txt", "sigmoid with"),
    ):
        assert derived(capsys, *MATCHED, "-o", str(tmp_path / name)) == ""
        assert (tmp_path / name).read_text("utf-8").startswith(start)


def test_ascii_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    options = (
        "--layers",
        "n-h-k",
        "--reduction",
        "mean",
        "--l2",
        "λ",
        "--output",
        "softmax",
        "--loss",
        "cross-entropy",
    )
    assert derived(capsys, *options, "--ascii").isascii()


def test_a_layer_of_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    shown = derived(capsys, "layernorm", "--of", "dx")
    assert shown.startswith("layer-norm; the gradient that arrives is Gy at y; eps: a small positive number")
    assert "╭─ ✓ proved" in shown
    data = json.loads(derived(capsys, "attention", "--json"))
    assert [e["name"] for e in data["equations"]] == ["dO", "dA", "dD", "dS", "dQ", "dK", "dV"]
    assert {e["verdict"] for e in data["equations"]} == {"proved"}
    for form in ("latex", "markdown", "html"):
        assert "in the names of the layer" in derived(capsys, "rnn", "--of", "dz", "--format", form)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("dropuot",), "did you mean dropout?"),
        (("dropout", "--of", "dq"), "no equation 'dq'"),
        (("dropout", "--layers", "n-k"), "a layer or a network, not both"),
        (("dropout", "--format", "coq"), "a layer is not written for Coq"),
        (("dropout", "--format", "ipynb"), "a layer has no notebook"),
    ],
)
def test_a_layer_that_cannot_be_derived_so(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["derive", *arguments]) == 2
    assert words in capsys.readouterr().err
