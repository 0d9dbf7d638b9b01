"""Exporting: the Coq file of a derivation."""

from __future__ import annotations

from dataclasses import dataclass

from backproof.coq.depth import DepthWriter
from backproof.coq.networks import NetworkWriter
from backproof.proof.derivation import Derivation


@dataclass(frozen=True, slots=True)
class Export:
    """A Coq file and the names of its theorems."""

    text: str
    theorems: tuple[str, ...]

    @property
    def lines(self) -> int:
        """How long the file is."""
        return self.text.count("\n")


def export(derivation: Derivation) -> Export:
    """The Coq file that states and proves what the derivation shows. Raises ExportError for what has no Coq form.

    >>> from backproof.calculus.network import Network
    >>> from backproof.proof.derivation import derive
    >>> file = export(derive(Network(output="sigmoid", loss="bce")))
    >>> "delta_L" in file.theorems
    True
    """
    writer = (DepthWriter if derivation.network.symbolic_depth else NetworkWriter)(derivation)
    text = writer.text()
    return Export(text, tuple(writer.theorems))
