"""A shelf: a folder with the functions of the catalogue compiled once, for many files that use them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from backproof import catalog
from backproof.coq import kernel
from backproof.coq.document import Document
from backproof.coq.functions import Functions
from backproof.coq.groups import TIME_LIMIT, Row, seconds_of

SCALAR_MODULES: Final = ("Rules", "Functions", "Scalars", "Activations")


def elementwise_names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The elementwise activations and losses that have a definition."""
    activations = tuple(a.name for a in catalog.activations() if a.elementwise and not a.abstract)
    losses = tuple(entry.name for entry in catalog.losses() if entry.elementwise and not entry.abstract)
    return activations, losses


def functions_document(functions: Functions) -> Document:
    """The module with every elementwise function of the catalogue and its slope."""
    activations, losses = elementwise_names()
    for name in (*activations, *losses):
        if not catalog.is_axiom(name):
            functions.name(name)
    document = Document("The functions of the catalogue and their slopes", SCALAR_MODULES)
    document.add(functions.text(), functions.lemmas)
    return document


class Shelf:
    """The compiled functions; a context, since the folder is removed at its end."""

    def __init__(self) -> None:
        self._functions = Functions()
        document = functions_document(self._functions)
        self.lemmas = tuple(document.theorems)
        self._text = document.text()
        self.lines = self._text.count("\n")

    def __enter__(self) -> Self:
        self._home = tempfile.TemporaryDirectory(prefix="backproof-")
        self.folder = Path(self._home.name)
        self.answer = kernel.check(self._text, TIME_LIMIT, beside=self.folder, keep="catalogue", timed=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._home.cleanup()

    def rows(self) -> tuple[Row, ...]:
        """The slopes, each with the time for its function, where Coq accepted them."""
        if not self.answer.accepted:
            return ()
        marks = {lemma: f"Lemma {lemma} " for lemma in self.lemmas}
        taken = seconds_of(self._text, tuple(marks.values()), self.answer)
        return tuple(Row(lemma, seconds=taken.get(mark)) for lemma, mark in marks.items())

    def functions(self) -> Functions:
        """The functions as known ones, for one file."""
        return self._functions.known()

    def document(self, modules: tuple[str, ...]) -> Document:
        """A file that may use the functions."""
        document = Document("Claims about the catalogue", modules)
        document.add("From Statements Require Import catalogue.")
        return document
