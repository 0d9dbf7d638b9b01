"""Documents: a whole Coq file, from its first comment to the axioms it prints at its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

MODULES = (
    "Rules", "Functions", "Scalars", "Activations", "Sums", "Gradients", "Layers", "Softmax", "Vectors", "Shares",
    "Batches", "Programs",
)  # fmt: skip

CLOSING = "(** Everything that is proved above, and the axioms that the proofs use. *)"


@dataclass
class Document:
    """The parts of a Coq file in order, and the theorems that it proves."""

    title: str
    modules: tuple[str, ...] = MODULES
    parts: list[str] = field(default_factory=list[str])
    theorems: list[str] = field(default_factory=list[str])

    def add(self, text: str, theorems: Iterable[str] = ()) -> None:
        """Append a part; `theorems` are the names it proves for a reader."""
        self.parts.append(text.rstrip("\n"))
        self.theorems.extend(theorems)

    def text(self) -> str:
        """The file."""
        head = [
            f"(** * {comment(self.title)}",
            "",
            "    Made by backproof from the derivation that it shows; whether it is a proof, Coq says. To check it,",
            "    in a copy of backproof's sources: make -C proofs, then coqc -Q build/proofs Backproof this_file.v",
            "    Numbers are real numbers, not floats. Indices run from 0. *)",
            "",
            "From Coq Require Import Reals Psatz Lia.",
            "From Coquelicot Require Import Coquelicot.",
            f"From Backproof Require Import {' '.join(self.modules)}.",
            "Open Scope R_scope.",
        ]
        tail: list[str] = []
        if self.theorems:
            proofs = ", ".join(f"@{t}" for t in self.theorems)
            tail = [
                CLOSING,
                f"Definition everything := ({proofs})."
                if len(self.theorems) > 1
                else f"Definition everything := {proofs}.",
                "Print Assumptions everything.",
            ]
        return "\n".join(head) + "\n\n" + "\n\n".join([*self.parts, "\n".join(tail)]).rstrip("\n") + "\n"


def comment(text: str) -> str:
    """Text that cannot end a comment, nor start one or a string.

    >>> comment('a *) "b')
    "a * ) 'b"
    """
    return text.replace("(*", "( *").replace("*)", "* )").replace('"', "'")
