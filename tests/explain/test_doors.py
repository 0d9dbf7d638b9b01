from __future__ import annotations

import backproof


def test_a_derivation_shows_itself() -> None:
    derivation = backproof.derive(backproof.Network())
    assert isinstance(derivation, backproof.Derivation)
    latex = derivation._repr_latex_()
    assert latex.startswith("$$\\begin{aligned}")
    assert latex.count("\\\\\n") == len(derivation.steps) - 1
    assert "\\color{" not in latex
    assert "<math" in derivation.html()


def test_a_claim_shows_itself() -> None:
    (claim,) = backproof.check_claim("2(a - y)", backproof.Network())
    assert isinstance(claim, backproof.CheckedClaim)
    assert claim.verdict == "refuted"
    assert "\\text{refuted}" in claim._repr_latex_()
    assert "a factor 2 too much" in claim.html()
