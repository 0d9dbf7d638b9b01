"""Single characters and short operators of written mathematics, as tables: what sign or name each one is."""

from __future__ import annotations

import re
from typing import Final

from backproof.language.letters import ACCENTS, FRACTIONS, GREEK, LOWERED, RAISED
from backproof.language.parsing.words import GREEK_NAMES

SIGNS: Final[dict[str, str]] = {
    **dict.fromkeys("−–—‐‒﹣－", "-"),
    **dict.fromkeys("⋅∙‧・·", "·"),
    **dict.fromkeys("⊙∘○◦⨀☉•", "⊙"),
    **dict.fromkeys("∗⋆", "*"),
    **dict.fromkeys("÷∕⁄", "/"),
    **dict.fromkeys("⩽≦", "≤"),
    **dict.fromkeys("⩾≧", "≥"),
    **dict.fromkeys("≃≅", "≈"),
    **dict.fromkeys("≜≔≝≐", ":="),
    **dict.fromkeys("⟶↦➝⟼", "→"),
    **dict.fromkeys("⟵", "←"),
    **dict.fromkeys("∑Σ", "Σ"),
    **dict.fromkeys("∏Π", "Π"),
    **dict.fromkeys("′’‘`´ʹ", "'"),
    **dict.fromkeys("‖∥", "‖"),
    **dict.fromkeys("∣❘", "|"),
    **dict.fromkeys("⇒⟹⇔⟺∴", "⇒"),
    **{c: c for c in "×⊗≠≤≥≈∈≡→←∇√∝∼∫±⊕⊖∀∃∪∩∖⊂∉≪≫⌊⌋⌈⌉⟨⟩+-*/^_=<>,;:!'|()[]{}@.?"},
}
NAMED: Final[dict[str, str]] = {
    "∞": "inf",
    "…": "…",
    "⋯": "…",
    "⋮": "…",
    "⋱": "…",
    "⊤": "T",
    "ℓ": "ell",
    "ς": "sigma",
    "𝟙": "1",
    "𝟏": "1",
    "∅": "∅",
    **{c: c for c in "ℝℕℤℚℂ𝔼ℙ"},
    **{letter: GREEK_NAMES.get(name, name) for name, letter in GREEK.items() if letter not in "ΣΠ"},
}
INVISIBLE: Final = frozenset("\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\ufe0e\ufe0f")
OPERATORS: Final = re.compile(r"<=>|\.\.\.|:=|<=|>=|=<|!=|~=|==|->|=>|<-(?=\s)|\*\*|\.\*|\./|\.\^|\+=|-=|\|\|")
OPERATOR_SIGNS: Final[dict[str, str]] = {
    "<=>": "⇒",
    "...": "…",
    "<=": "≤",
    ">=": "≥",
    "=<": "≤",
    "!=": "≠",
    "~=": "≈",
    "==": "=",
    "->": "→",
    "=>": "⇒",
    "<-": "←",
    "**": "^",
    ".*": "⊙",
    "./": "/",
    ".^": "^",
    "||": "‖",
}

FROM_LOWERED: Final[dict[str, str]] = {below: plain for plain, below in reversed(LOWERED.items())}
FROM_RAISED: Final[dict[str, str]] = {**{above: plain for plain, above in reversed(RAISED.items())}, "ᵀ": "T"}
COMBINING: Final[dict[str, str]] = {mark: name for name, mark in ACCENTS.items()} | {"\u0305": "bar", "\u20d6": "vec"}
FROM_FRACTIONS: Final[dict[str, tuple[int, int]]] = {glyph: parts for parts, glyph in FRACTIONS.items()}
