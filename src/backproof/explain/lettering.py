"""Words that hold letters of formulas, for printers that cannot show those letters: ASCII and LaTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from backproof.language.letters import ACCENTS, FRACTIONS, GREEK, LOWERED, RAISED

_PLAIN: Final = {
    **{letter: name for name, letter in GREEK.items()},
    **{character: f"{top}/{bottom}" for (top, bottom), character in FRACTIONS.items()},
    **{accent: name for name, accent in ACCENTS.items()},
    "ℓ": "ell", "∂": "d", "′": "'", "−": "-", "·": "*", "⊙": "*", "×": "x", "Σ": "sum ", "Π": "prod ", "√": "sqrt",
    "∇": "nabla ", "ᵀ": ".T", "≠": "!=", "≤": "<=", "≥": ">=", "≈": "~", "∈": "in", "→": "->", "←": "<-", "‖": "||",
    "÷": "/", "…": "...", "–": "-", "—": "-", "ŷ": "yhat", "⊗": "(x)", "≡": "==", "“": '"', "”": '"', "’": "'",
}  # fmt: skip
_LATEX: Final = {
    **{letter: rf"$\{name}$" for name, letter in GREEK.items()},
    **{character: rf"$\tfrac{{{top}}}{{{bottom}}}$" for (top, bottom), character in FRACTIONS.items()},
    "ℓ": r"$\ell$", "∂": r"$\partial$", "′": "$'$", "−": "$-$", "·": r"$\cdot$", "⊙": r"$\odot$", "×": r"$\times$",
    "Σ": r"$\sum$", "Π": r"$\prod$", "√": r"$\surd$", "∇": r"$\nabla$", "ᵀ": r"$^{\top}$", "≠": r"$\neq$",
    "≤": r"$\le$", "≥": r"$\ge$", "≈": r"$\approx$", "∈": r"$\in$", "→": r"$\to$", "←": r"$\leftarrow$",
    "‖": r"$\|$", "…": r"\ldots{}", "–": "--", "—": "---", "⊗": r"$\otimes$", "≡": r"$\equiv$", "<": "$<$",
    ">": "$>$", "|": "$|$", "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "^": r"\^{}", "%": r"\%",
    "&": r"\&", "#": r"\#", "$": r"\$", "~": r"\textasciitilde{}", "÷": r"$\div$", "“": "``", "”": "''", "’": "'",
}  # fmt: skip
_LATEX_ACCENTS: Final = {
    "\u0302": r"\hat", "\u0304": r"\bar", "\u0303": r"\tilde", "\u0307": r"\dot",
    "\u20d7": r"\vec", "\u030c": r"\check",
}  # fmt: skip
_LOWER: Final = {shown: plain for plain, shown in LOWERED.items()}
_RAISE: Final = {shown: plain for plain, shown in RAISED.items()}
_RUNS: Final = re.compile(f"([{''.join(map(re.escape, _LOWER))}]+)|([{''.join(map(re.escape, _RAISE))}]+)")


def ascii_words(text: str) -> str:
    """The words in ASCII.

    >>> ascii_words("σ′ = a(1 − a), z⁽²⁾ ≠ 0")
    "sigma' = a(1 - a), z^(2) != 0"
    """

    def run(found: re.Match[str]) -> str:
        lower, upper = found.groups()
        if lower is not None:
            return "_" + "".join(_LOWER[c] for c in lower).replace("−", "-")
        return "^" + "".join(_RAISE[c] for c in upper).replace("−", "-")

    return "".join(_PLAIN.get(c, c if c.isascii() else "?") for c in _spread(_RUNS.sub(run, text), _PLAIN))


def latex_words(text: str) -> str:
    r"""The words as LaTeX text for any engine.

    >>> print(latex_words("σ′ = ŷ_k & more"))
    $\sigma$$'$ = $\hat{y}$\_k \& more
    """
    written: list[str] = []
    done = 0
    for found in _RUNS.finditer(text):
        lower, upper = found.groups()
        table, sign, letters = (_RAISE, "^", upper) if lower is None else (_LOWER, "_", lower)
        inside = "".join(_LATEX.get(table[c], table[c]).strip("$") for c in letters)
        written += [_latex_run(text[done : found.start()]), f"${sign}{{{inside}}}$"]
        done = found.end()
    return "".join(written) + _latex_run(text[done:])


def _latex_run(text: str) -> str:
    written: list[str] = []
    for character in _spread(text, _LATEX):
        if character in _LATEX_ACCENTS and written:
            written[-1] = f"${_LATEX_ACCENTS[character]}{{{written[-1].strip('$')}}}$"
        elif not unicodedata.combining(character):
            written.append(_LATEX.get(character, character if character.isascii() else "?"))
    return "".join(written)


def _spread(text: str, known: Mapping[str, str]) -> Iterator[str]:
    """The characters, those that the table does not know taken apart into a letter and its accents."""
    for character in unicodedata.normalize("NFC", text):
        if character in known:
            yield character
        else:
            yield from unicodedata.normalize("NFD", character)
