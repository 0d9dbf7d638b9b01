from __future__ import annotations

import json

import pytest

from backproof.cli import main
from backproof.coq import kernel


def test_without_coq_it_says_how_to_install_it_and_keeps_the_file(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(kernel, "coqc", lambda: None)
    file = tmp_path / "delta.v"
    assert main(["prove", "--output", "sigmoid", "--loss", "bce", "-o", str(file)]) == 3
    said = capsys.readouterr().out
    assert "Coq is not installed" in said
    assert "apt install coq" in said
    assert "accepted" not in said
    assert "Theorem delta_L" in file.read_text(encoding="utf-8")


def test_the_catalogue_without_coq(monkeypatch, capsys):
    monkeypatch.setattr(kernel, "coqc", lambda: None)
    assert main(["prove", "--catalogue"]) == 3
    assert "apt install coq" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "code"), [("accepted", 0), ("rejected", 1), ("too long", 3)])
def test_exit_codes_and_words(status, code, monkeypatch, capsys):
    monkeypatch.setattr(kernel, "check", lambda *_args: kernel.Answer(status, ("A.classic",), 1.0, "a message"))
    monkeypatch.setattr(kernel, "version", lambda: "8.16.1")
    assert main(["prove", "--output", "sigmoid", "--loss", "bce"]) == code
    said = capsys.readouterr().out
    assert ("accepted by Coq 8.16.1" in said) == (status == "accepted")
    assert main(["prove", "--output", "sigmoid", "--loss", "bce", "--json"]) == code
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["axioms"]) == (status, ["classic"])


def test_a_file_that_cannot_be_written(capsys, tmp_path):
    assert main(["prove", "--output", "sigmoid", "-o", str(tmp_path)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_derive_writes_coq(capsys):
    assert main(["derive", "--output", "sigmoid", "--loss", "bce", "--format", "coq"]) == 0
    assert "Print Assumptions everything." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("claim", "code", "words"),
    [("delta = a - y", 0, "sigmoid with bce: delta"), ("delta = (a - y)*sigma'(z)", 1, "it is wrong that")],
)
def test_a_claim_goes_to_coq_or_its_negation_does(claim, code, words, monkeypatch, capsys):
    asked = []

    def check(text, *_args):
        asked.append(text)
        return kernel.Answer("accepted", ("A.classic",), 1.0)

    monkeypatch.setattr(kernel, "check", check)
    monkeypatch.setattr(kernel, "version", lambda: "8.16.1")
    assert main(["prove", claim, "--output", "sigmoid", "--loss", "bce"]) == code
    assert words in capsys.readouterr().out
    assert ("Theorem the_claim : ~ (forall" in asked[0]) == bool(code)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("homework.bp",), "have no Coq form"),
        (("delta =",), "ends too early"),
        (("delta = a - y", "--output", "softmax", "--loss", "cross-entropy"), "unit by unit"),
        (("delta_2 = a_2 - y", "--layers", "n-h-k"), "about delta of the output layer"),
        (("dW = delta x^T",), "nothing here is called"),
    ],
)
def test_claims_that_are_not_for_coq_are_refused_with_the_way_out(arguments, words, capsys):
    assert main(["prove", *arguments]) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert "accepted" not in out


@pytest.mark.slow
def test_the_askers_formula_is_refuted_by_coq(capsys):
    if kernel.coqc() is None:
        pytest.skip(kernel.HOW_TO_INSTALL)
    pair = ["--output", "sigmoid", "--loss", "bce"]
    assert main(["prove", "delta = (a - y)*sigma'(z)", *pair]) == 1
    assert "accepted by Coq" in capsys.readouterr().out
    assert main(["prove", "delta = a - y", *pair]) == 0
    assert "accepted by Coq" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("layers", ["n-h-k", "n-h..h-k"])
def test_the_promised_networks_end_in_accepted(layers, capsys):
    if kernel.coqc() is None:
        pytest.skip(kernel.HOW_TO_INSTALL)
    options = ["--hidden", "sigmoid", "--output", "softmax", "--loss", "cross-entropy"]
    assert main(["prove", "--layers", layers, *options]) == 0
    assert "accepted by Coq" in capsys.readouterr().out
