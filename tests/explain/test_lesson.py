"""The lesson of a derivation: what is given at its head."""

from __future__ import annotations

import pytest

from backproof.calculus.network import Network, Reduction
from backproof.explain.lesson import lesson
from backproof.language.text import write
from backproof.proof.derivation import derive


@pytest.mark.parametrize(("reduction", "penalty"), [("none", "½λ Σₗ₌₁^L"), ("mean", "λ/(2m) · Σₗ₌₁^L")])
def test_the_penalty_of_any_depth_sums_over_all_layers(reduction: Reduction, penalty: str) -> None:
    network = Network(sizes=("n", "h", "h", "k"), symbolic_depth=True, loss="mse", reduction=reduction, l2="lambda")
    [objective] = [text for text in map(write, lesson(derive(network)).given) if text.startswith("J = ")]
    assert objective.endswith(penalty + " Σᵢ Σₖ (Wᵢₖ⁽ˡ⁾)²")
    assert objective.count("W") == 1
