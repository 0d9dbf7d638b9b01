"""The axioms: the few functions whose slope is stated. Every other slope in backproof is proved from a definition.

Sums, products and rational powers belong to the language; their rules are in the sweep. DLMF is the NIST Digital
Library of Mathematical Functions, https://dlmf.nist.gov.
"""

from __future__ import annotations

from typing import Final

from backproof.catalog.entry import Axiom, positive

AXIOMS: Final = (
    Axiom(
        name="exp",
        parameters=("u",),
        definition="",
        slope="exp(u)",
        aliases=("\\exp",),
        symbol="exp",
        source="DLMF 4.7.7",
    ),
    Axiom(
        name="log",
        parameters=("u",),
        definition="",
        slope="1/u",
        aliases=("ln", "\\log", "\\ln"),
        symbol="ln",
        domain=(positive("u"),),
        source="DLMF 4.7.1",
    ),
    Axiom(
        name="sin",
        parameters=("u",),
        definition="",
        slope="cos(u)",
        aliases=("\\sin",),
        symbol="sin",
        source="DLMF 4.20.1",
    ),
    Axiom(
        name="cos",
        parameters=("u",),
        definition="",
        slope="-sin(u)",
        aliases=("\\cos",),
        symbol="cos",
        source="DLMF 4.20.2",
    ),
    Axiom(
        name="atan",
        parameters=("u",),
        definition="",
        slope="1/(1 + u^2)",
        aliases=("arc-tangent",),
        symbol="arctan",
        source="DLMF 4.24.9",
    ),
    Axiom(
        name="erf",
        parameters=("u",),
        definition="",
        slope="2/sqrt(pi)*exp(-u^2)",
        aliases=("\\operatorname{erf}",),
        symbol="erf",
        source="DLMF 7.10.1 with n = 0",
    ),
    Axiom(
        name="step",
        parameters=("u",),
        definition="",
        slope="0",
        aliases=("heaviside", "Heaviside", "H", "\\theta"),
        symbol="step",
        kink="step(0) = 0; there is no slope at 0, and its slope is 0 everywhere else",
        source="DLMF 1.16.13, with the value 0 at 0",
    ),
)
