"""Derivations of layers: each equation proved, and some as textbooks print them."""

from __future__ import annotations

import pytest

from backproof import catalog
from backproof.catalog.layers import LAYERS, Layer
from backproof.errors import UnknownNameError
from backproof.language.text import write
from backproof.proof.layer_derivation import derive_layer
from backproof.proof.verdict import Kind


@pytest.mark.parametrize("layer", LAYERS, ids=lambda entry: entry.name)
def test_every_equation_of_every_layer_is_proved(layer: Layer) -> None:
    derivation = derive_layer(layer)
    assert [s for s in derivation.steps if s.verdict.kind is not Kind.PROVED] == []
    assert {e.name for e in derivation.equations} >= {f"d{n}" for n in (*layer.differentiated, *layer.results)}


PRINTED = {
    ("layer-norm", "dx"): "∂J/∂xᵢⱼ = (∂J/∂hᵢⱼ·n − hᵢⱼ Σₖ ∂J/∂hᵢₖ·hᵢₖ − Σₖ ∂J/∂hᵢₖ)/(sᵢ n)",
    ("softmax", "dz"): "δᵢⱼ = aᵢⱼ(∂J/∂aᵢⱼ − Σₖ ∂J/∂aᵢₖ·aᵢₖ)",
    ("attention", "dS"): "∂J/∂Sₜₛ = Aₜₛ(∂J/∂Aₜₛ − Σₖ ∂J/∂Aₜₖ·Aₜₖ)",
    ("attention", "dQ"): "∂J/∂Q = 1/√d · (∂J/∂S) K",
    ("rnn", "dz"): "δ = ∂J/∂h ⊙ (1 − h²)",
    ("dense", "dW"): "∂J/∂W = xᵀ δ",
    ("embedding", "dE"): "∂J/∂E = xᵀ ∂J/∂y",
}


@pytest.mark.parametrize(("layer", "name"), PRINTED)
def test_printed_as_in_textbooks(layer: str, name: str) -> None:
    (equation,) = derive_layer(catalog.find_layer(layer), (name,)).equations
    assert write(equation.notation) == PRINTED[layer, name]


def test_an_unknown_equation_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="dq"):
        derive_layer(catalog.find_layer("dense"), ("dq",))
