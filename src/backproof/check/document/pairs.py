"""Pairs of an output activation and a loss that a text names, in words or by their formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from backproof import catalog
from backproof.calculus.network import Network
from backproof.check.document.prose import Named, activations_named, losses_named
from backproof.check.document.sources import Document, Piece
from backproof.check.names import program_of, scope_of
from backproof.errors import BackproofError
from backproof.language.elaboration import elaborate
from backproof.language.expression import Expr, Index, apply, sum_over, tensor
from backproof.language.grammar import parse_all
from backproof.language.notation import Notation, Relation
from backproof.language.walks import names
from backproof.proof.deciding import decide
from backproof.proof.verdict import Budget, Kind

USUAL: Final = (
    ("sigmoid", "bce"),
    ("softmax", "cross-entropy"),
    ("identity", "half-mse"),
    ("sigmoid", "half-mse"),
    ("identity", "mse"),
    ("sigmoid", "mse"),
)
_RECOGNISED: Final = ("mse", "half-mse", "bce", "cross-entropy")
_BLOCK: Final = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*•]|\d{1,2}[.)])\s)")
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z*_])")
_QUICK: Final = Budget(seconds=0.5, condition_seconds=0)


@dataclass(frozen=True, slots=True)
class Pair:
    """An output activation and the losses that words or a formula may mean; `start` and `end` of the sentence."""

    output: str
    losses: tuple[str, ...]
    start: int
    end: int
    block: int

    def networks(self) -> tuple[Network, ...]:
        """The output layers that are meant, one for each reading."""
        return tuple(Network(output=self.output, loss=loss) for loss in self.losses)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence: its span in the document, its words with formulas blanked, and its formulas."""

    start: int
    end: int
    words: str
    formulas: tuple[Piece, ...]
    block: int


def sentences(document: Document) -> Iterator[Sentence]:
    """The sentences of the prose of a document, with the formulas in them."""
    formulas = [p for p in document.pieces if p.kind in ("inline", "display")]
    blanked = list(document.text)
    for piece in document.pieces:
        if piece.kind != "prose":
            blanked[piece.start : piece.start + len(piece.text)] = " " * len(piece.text)
    words = "".join(blanked)
    at = 0
    for number, (start, end) in enumerate(_spans(_BLOCK, words, 0, len(words))):
        for first, last in _spans(_SENTENCE, words, start, end):
            while at < len(formulas) and formulas[at].start < first:
                at += 1
            inside: list[Piece] = []
            k = at
            while k < len(formulas) and formulas[k].start < last:
                inside.append(formulas[k])
                k += 1
            yield Sentence(first, last, words[first:last], tuple(inside), number)


def _spans(pattern: re.Pattern[str], text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for found in pattern.finditer(text, start, end):
        yield start, found.start()
        start = found.end()
    if start < end:
        yield start, end


def pairs(document: Document) -> tuple[Pair, ...]:
    """Every pair that a sentence of the document names."""
    found: list[Pair] = []
    for sentence in sentences(document):
        losses, activations = losses_named(sentence.words), activations_named(sentence.words)
        if not losses or not activations:
            continue
        for loss, activation in zip(losses, activations, strict=False):
            output = activation.names[0]
            meant = _meant(sentence, loss, output)
            found.append(Pair(output, meant, sentence.start, sentence.end, sentence.block))
    return tuple(found)


def _meant(sentence: Sentence, loss: Named, output: str) -> tuple[str, ...]:
    """The losses that a name may mean: what its formula says, or what goes with the activation."""
    behind = [p for p in sentence.formulas if p.start >= sentence.start + loss.end]
    for piece in behind[:1]:
        known = recognised(piece.text)
        if known is not None:
            return (known,)
    if loss.names == ("cross-entropy", "bce"):
        return ("bce",) if output == "sigmoid" else ("cross-entropy",)
    return loss.names


@lru_cache(maxsize=256)
def recognised(text: str) -> str | None:
    """The loss of the catalogue that a formula in ŷ and y is, proved."""
    try:
        notations = parse_all(text)
    except BackproofError:
        return None
    for notation in notations:
        body = notation.sides[-1] if isinstance(notation, Relation) else notation
        known = recognised_notation(body)
        if known is not None:
            return known
    return None


def recognised_notation(body: Notation) -> str | None:
    """The loss of the catalogue that a formula in ŷ and y is, proved for every entry or for their sum."""
    network = Network(output="identity", loss="mse")
    program = program_of(network)
    try:
        readings = elaborate(body, scope_of(network))
    except BackproofError:
        return None
    for reading in readings:
        side = reading.sides[0]
        if not {"a", "y"} <= names(side.expr):
            continue
        for loss in _RECOGNISED:
            for index in side.axes or (None,):
                try:
                    if decide(program, side.expr, _loss(loss, index), budget=_QUICK).kind is Kind.PROVED:
                        return loss
                except BackproofError:
                    continue
    return None


def _loss(name: str, index: Index | None) -> Expr:
    i = index or Index("i", "k")
    if name == "cross-entropy":
        each = -tensor("y", i) * apply("log", tensor("a", i))
    else:
        each = apply(catalog.loss(name).name, tensor("a", i), tensor("y", i))
    return each if index is not None else sum_over(i, each)


def activations_before(words: Sequence[Sentence], start: int, end: int) -> tuple[str, ...]:
    """The activations that the sentence around a formula names, or else one of the two sentences before it."""
    at = next((k for k, s in enumerate(words) if s.start <= start < s.end or start <= s.start < end), None)
    if at is None:
        return ()
    for sentence in reversed(words[max(0, at - 2) : at + 1]):
        if sentence.block == words[at].block and (found := activations_named(sentence.words)):
            return tuple(n.names[0] for n in found)
    return ()
