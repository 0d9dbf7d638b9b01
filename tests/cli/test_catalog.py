from __future__ import annotations

import json

import pytest

from backproof.cli import main

# The activations and losses that the project promises at least.
ACTIVATIONS = """identity sigmoid tanh relu leaky-relu elu selu softplus softsign silu mish gelu gelu-tanh exp arctan
hard-tanh softmax log-softmax f""".split()
LOSSES = """mse half-mse bce bce-with-logits cross-entropy cross-entropy-with-logits nll mae huber log-cosh hinge
squared-hinge poisson gamma kl focal ell""".split()
LAYERS = """dense conv-1d conv-2d layer-norm rms-norm batch-norm group-norm attention masked-attention
multi-head-attention rnn lstm gru embedding dropout residual""".split()


def test_the_promised_entries_are_listed_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert list(data) == ["activations", "losses", "layers", "mistakes"]
    assert set(ACTIVATIONS) <= {entry["name"] for entry in data["activations"]}
    assert set(LOSSES) <= {entry["name"] for entry in data["losses"]}
    assert all(entry["notes"]["source"] for kind in ("activations", "losses", "layers") for entry in data[kind])


def test_the_promised_layers_are_listed_with_their_equations(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "layers", "--json"]) == 0
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)["layers"]}
    assert set(LAYERS) <= set(found)
    assert "y_eoi = sum_a sum_u sum_p w_oau*S_piu*x_eap + b_o" in found["conv-1d"]["formulas"]
    assert found["dropout"]["notes"]["d"] == "the mask of the forward pass, 0 or 1"


def test_the_promised_mistakes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "mistakes"]) == 0
    shown = capsys.readouterr().out
    for name in (
        "extra-slope missing-slope factor sign wrong-activation swapped-target diagonal-jacobian transpose batch-scale"
    ).split():
        assert f"  {name}\n" in shown


def test_one_kind_as_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "losses", "--format", "markdown"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("## Losses")
    assert "Activations" not in shown
