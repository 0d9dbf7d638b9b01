"""What a document declares in words and memberships: shapes, and matrices that are symmetric."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from backproof.check.document.context import Context
from backproof.check.document.forms import formulas
from backproof.check.document.marks import number
from backproof.check.document.sources import Document, Piece
from backproof.check.worksheet.reading import name_of, shape
from backproof.errors import BackproofError
from backproof.language.grammar import parse_list
from backproof.language.notation import (
    Power,
    Relation,
    Symbol,
)
from backproof.language.traversal import parts

_SYMMETRIC_BEFORE: Final = re.compile(
    r"symm?[eé]\w*(?:,?\s+positive[- ](?:semi-?)?definite)?"
    r"(?:\s+(?:\w+\s+)?(?:matrix|matrices|matrice|Matrix|matriz))?[\s$*(_]*$"
)

_SYMMETRIC_AFTER: Final = re.compile(r"[\s$)*_,]*(?:(?:is|are|ist|est|es|be)\s+(?:an?\s+|also\s+|\w+\s+)?)?symm?[eé]")


@dataclass
class Declarations:
    """Reads declarations into the context."""

    document: Document
    context: Context

    def words(self, piece: Piece) -> None:
        """Shapes and properties in words: "X is a n × m matrix", "a symmetric matrix A"."""
        self._symmetric(piece)
        before = [p for p in self.document.pieces if p.start < piece.start][-1:]
        found = re.match(r"\s+(?:is|be)\s+(?:a|an)\s*$", piece.text)
        if found and before and before[0].kind == "inline":
            after = next((p for p in self.document.pieces if p.start >= piece.start + len(piece.text)), None)
            if after is not None and after.kind == "inline" and re.search(r"\\times|×", after.text):
                self._shape(before[0].text, after.text)

    def _symmetric(self, piece: Piece) -> None:
        pieces = self.document.pieces
        if "symm" not in piece.text.lower() and "sym\u00e9t" not in piece.text.lower():
            return
        neighbours: list[str] = []
        if _SYMMETRIC_BEFORE.search(piece.text):
            neighbours += [p.text for p in pieces if p.start >= piece.start + len(piece.text)][:1]
        if _SYMMETRIC_AFTER.match(piece.text):
            neighbours += [p.text for p in pieces if p.start < piece.start][-1:]
        for text in neighbours:
            nodes = formulas(text)
            first = nodes[0] if not isinstance(nodes, BackproofError) else None
            symbol = first.sides[0] if isinstance(first, Relation) else first
            if isinstance(symbol, Symbol) and (name := name_of(symbol)) is not None:
                self.context.symmetric.add(name)

    def _shape(self, written: str, sizes: str) -> None:
        try:
            symbol = parse_list(written)[0]
            name = name_of(symbol)
            if name is not None:
                self.context.shapes[name] = shape(sizes)
        except BackproofError:
            return

    def member(self, node: Relation) -> None:
        """A shape, W ∈ ℝ^{h×n}."""
        name = name_of(node.sides[0])
        reals = node.sides[1]
        if name is None or not isinstance(reals, Power) or not isinstance(reals.base, Symbol):
            return
        if reals.base.name not in ("ℝ", "R"):
            return
        exponent = reals.exponent
        factors = parts(exponent) if parts(exponent) and not isinstance(exponent, Symbol) else (exponent,)
        sizes = [name_of(f) or str(number(f) or "") for f in factors]
        if all(re.fullmatch(r"[A-Za-z0-9_()]+", s) for s in sizes):
            kept = [re.sub(r"\W", "_", s).strip("_") for s in sizes if s != "1"]
            self.context.shapes[name] = tuple(kept)
