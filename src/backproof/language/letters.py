"""Letters of written mathematics, as tables: Greek names, raised and lowered characters, accents."""

from __future__ import annotations

from typing import Final

GREEK: Final[dict[str, str]] = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "zeta": "ζ",
    "eta": "η",
    "theta": "θ",
    "iota": "ι",
    "kappa": "κ",
    "lambda": "λ",
    "mu": "μ",
    "nu": "ν",
    "xi": "ξ",
    "pi": "π",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "upsilon": "υ",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
    "Gamma": "Γ",
    "Delta": "Δ",
    "Theta": "Θ",
    "Lambda": "Λ",
    "Xi": "Ξ",
    "Pi": "Π",
    "Sigma": "Σ",
    "Phi": "Φ",
    "Psi": "Ψ",
    "Omega": "Ω",
}
"""Greek letters by their English names."""

GLYPHS: Final[dict[str, str]] = {**GREEK, "eps": "ε", "ell": "ℓ"}
"""How a name is drawn as one letter."""

LATEX_LETTERS: Final[dict[str, str]] = {
    **{name: "\\" + name for name in GREEK},
    "epsilon": "\\varepsilon",
    "eps": "\\varepsilon",
    "phi": "\\varphi",
    "ell": "\\ell",
}

RAISED: Final[dict[str, str]] = dict(
    zip(
        "0123456789+−-=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRUVWβγδθφχ",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵁⱽᵂᵝᵞᵟᶿᵠᵡ",
        strict=True,
    )
)
"""Characters that have a raised (superscript) form. ᵀ is left out: it means a transpose."""

LOWERED: Final[dict[str, str]] = dict(
    zip(
        "0123456789+−-=()aehijklmnoprstuvxβγρφχ",
        "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ",
        strict=True,
    )
)
"""Characters that have a lowered (subscript) form."""

ACCENTS: Final[dict[str, str]] = {
    "hat": "\u0302",
    "bar": "\u0304",
    "tilde": "\u0303",
    "dot": "\u0307",
    "vec": "\u20d7",
    "check": "\u030c",
}
"""Combining characters of the accents."""

FRACTIONS: Final[dict[tuple[int, int], str]] = {
    (1, 2): "½",
    (1, 3): "⅓",
    (2, 3): "⅔",
    (1, 4): "¼",
    (3, 4): "¾",
    (1, 5): "⅕",
    (1, 6): "⅙",
    (1, 8): "⅛",
}
"""Fractions that are one character."""


def raised(text: str) -> str | None:
    """The text as raised characters, or None when one of them has no raised form.

    >>> raised("(2)")
    '⁽²⁾'
    """
    return None if any(c not in RAISED for c in text) else "".join(RAISED[c] for c in text)


def lowered(text: str) -> str | None:
    """The text as lowered characters, or None when one of them has no lowered form."""
    return None if any(c not in LOWERED for c in text) else "".join(LOWERED[c] for c in text)
