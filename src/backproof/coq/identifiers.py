"""Identifiers: a valid Coq name for every name of a program, no two alike, none that hides what a file uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

# Words of Coq's language, names of the library and of Coquelicot that generated files use, and what these files bind.
RESERVED: Final = frozenset(
    """
    as at cofix else end exists exists2 fix for forall fun if in let match mod return then using where with by do
    Prop Set Type SProp Definition Lemma Theorem Proof Qed Section End Variable Variables Hypothesis Fixpoint Check
    Print R nat O S INR IZR Sum SumD kron upd updM Rabs Rinv Rpower PI exp ln sqrt sin cos atan tanh sinh cosh erf
    step Phi phi pow pred eq is_derive is_grad is_gradM is_jac affine curve sigmoid softplus softmax log_softmax
    logsumexp sum_exp mean t u H He Hi Hj Hl Hsum E everything
    """.split()
)
_OTHER: Final = re.compile(r"[^A-Za-z0-9_]+")


def plain(name: str) -> str:
    """A name with letters, digits and underscores only.

    >>> plain("leaky-relu"), plain("W(2)"), plain("z(l+1)"), plain("∂J/∂a(2)")
    ('leaky_relu', 'W2', 'z_l_plus_1', 'dJ_da2')
    """
    text = name.replace("∂", "d").replace("/", "_").replace("+", "_plus_")
    text = re.sub(r"\((\d+)\)", r"\1", text)
    text = re.sub(r"(?<=[A-Za-z])-(?=\d)", "_minus_", text)
    text = _OTHER.sub("_", text).strip("_")
    return text if text and not text[0].isdigit() else f"n{text}"


class Identifiers:
    """The Coq names of one file, each given once.

    >>> names = Identifiers({"W": "W"})
    >>> names.of("R"), names.of("w"), names.of("R")
    ('R_', 'w', 'R_')
    """

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        self._names: dict[str, str] = dict(given or {})
        self._taken = {*RESERVED, *self._names.values()}

    def copy(self) -> Identifiers:
        """The same names, to be added to without changing these."""
        again = Identifiers(self._names)
        again._taken |= self._taken
        return again

    def of(self, name: str, wanted: str | None = None) -> str:
        """The identifier of a name of the program; a new one is as close to `wanted` as can be."""
        if name not in self._names:
            self._names[name] = self.new(plain(wanted or name))
        return self._names[name]

    def new(self, wanted: str) -> str:
        """An identifier that is not taken yet, as close to the wanted one as can be."""
        chosen = wanted
        while chosen in self._taken:
            chosen += "_"
        self._taken.add(chosen)
        return chosen
