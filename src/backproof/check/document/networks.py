"""Claims about an output layer: judged for the pairs of activation and loss that a document names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from backproof.calculus.network import Network
from backproof.check.claims import CheckedClaim, Where, check
from backproof.check.document.left_sides import with_left_side
from backproof.check.document.pairs import (
    USUAL,
    Pair,
    Sentence,
    activations_before,
    pairs,
    recognised_notation,
    sentences,
)
from backproof.check.document.prose import activations_named, losses_named
from backproof.check.document.sources import Document, Piece
from backproof.check.document.standard import Standard, opened_examples
from backproof.check.judging import explained
from backproof.check.names import program_of
from backproof.language.notation import Derivative, Relation, Symbol

_INSTEAD: Final = re.compile(
    r"\b(?:instead|other|another|if|were|had|whereas|while|unlike|contrast|compare[ds]?|under)\b"
    r"|\b(?:stattdessen|au lieu|en vez)\b",
    re.IGNORECASE,
)
_CASES: Final = re.compile(
    r"\b(?:equal|same|differ\w*|distinct|diagonal\w*|otherwise|cases?|else|match\w*|correct class|true class)\b|≠"
    r"|\b(?:gleich|verschieden|sonst|égaux|différents?|sinon|iguales|distintos|otro caso)\b",
    re.IGNORECASE,
)
_ALL_OF_THEM: Final = re.compile(r"\b(?:all|each|every|both|any|either)\b", re.IGNORECASE)


@dataclass
class Networks:
    """The output layers that a document speaks of."""

    document: Document
    standard: Standard = field(default_factory=Standard)
    per_example: bool = False
    pairs: tuple[Pair, ...] = field(init=False)
    sentences: tuple[Sentence, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.pairs = pairs(self.document)
        self.sentences = tuple(sentences(self.document))

    def judged(self, node: Relation, piece: Piece, text: str, *, stated: bool) -> Iterator[CheckedClaim]:
        """The claim for the output layers that the text names; nothing if it speaks of no output layer.

        `stated` says that the text defines a loss: then no usual loss is supposed in its place.
        """
        meant = self._meant(node, piece)
        if meant:
            judgements = [(n, self._checked(node, piece, text, n)) for n in meant]
            judgements = [(n, claims) for n, claims in judgements if all(c.verdict != "unread" for c in claims)]
            if self._of_all(piece) or len(meant) == 1:
                for _, claims in judgements:
                    yield from (better(c) for c in claims)
            elif judgements:
                yield from self._some(judgements)
            return
        if not stated:
            yield from self._unstated(node, piece, text)

    def speaks_of_another(self, piece: Piece) -> bool:
        """Whether the sentence compares with something else: "if instead the cost were …"."""
        sentence = next((s for s in self.sentences if s.start <= piece.start < s.end), None)
        return (
            sentence is not None and _INSTEAD.search(sentence.words) is not None and bool(losses_named(sentence.words))
        )

    def says(self, piece: Piece, pattern: re.Pattern[str]) -> bool:
        """Whether the sentence of a formula, or the one before a display, says such a thing."""
        at = next((k for k, s in enumerate(self.sentences) if s.start <= piece.start < s.end), None)
        if at is None:
            return False
        first = at if self.sentences[at].words.strip() else max(0, at - 1)
        return any(pattern.search(s.words) for s in self.sentences[first : at + 1])

    def before(self, piece: Piece) -> Iterator[tuple[Piece, str]]:
        """The formulas of a sentence before a formula, each with the words right before it."""
        at = next((s for s in self.sentences if s.start <= piece.start < s.end), None)
        for formula in at.formulas if at is not None else ():
            if formula.start < piece.start:
                yield formula, self.document.text[max(0, formula.start - 20) : formula.start].rstrip("$\\(` ")

    def speaks_of_cases(self, piece: Piece) -> bool:
        """Whether the sentence of a formula, or the one before a display, speaks of equal or different indices."""
        at = next((k for k, s in enumerate(self.sentences) if s.start <= piece.start < s.end), None)
        if at is None:
            return False
        near = (
            self.sentences[at : at + 1] if self.sentences[at].words.strip() else self.sentences[max(0, at - 1) : at + 2]
        )
        return any(_CASES.search(s.words) for s in near)

    def instead(self, node: Relation, piece: Piece) -> tuple[list[CheckedClaim], str]:
        """The claim for a loss that its own sentence names instead, and that loss in words; nothing without one."""
        sentence = next((s for s in self.sentences if s.start <= piece.start < s.end), None)
        if sentence is None or not _INSTEAD.search(sentence.words):
            return [], ""
        named = losses_named(sentence.words)
        outputs = [n.names[0] for n in activations_named(sentence.words)] or ["sigmoid", "identity", "softmax"]
        for loss in (name for n in named for name in n.names):
            for output in outputs:
                network = Network(output=output, loss=loss)
                claims = self._checked(node, piece, piece.text, network)
                if claims and all(c.verdict == "proved" for c in claims):
                    note = f"for {network.describe()}, as the sentence says"
                    return [replace(c, notes=(*c.notes, note)) for c in claims], loss
        return [], " or ".join(name for n in named for name in n.names)

    def right_for(self, node: Relation, piece: Piece) -> tuple[str, ...]:
        """The usual pairs of output and loss for which a claim about an output layer would be right."""
        found: list[str] = []
        for output, loss in USUAL:
            network = Network(output=output, loss=loss)
            claims = self._checked(node, piece, piece.text, network)
            if claims and all(c.verdict == "proved" for c in claims):
                found.append(network.describe())
        return tuple(found)

    def of_layers(self, node: Relation, piece: Piece) -> Iterator[CheckedClaim]:
        """The claim for the network that the text spells out by layers; nothing if there is none or it is unread."""
        network = self.standard.network()
        if network is None:
            return
        first: tuple[CheckedClaim, ...] = ()
        for scaled in (True, False) if self.per_example else (False, True):
            if scaled and network.reduction != "mean":
                continue
            read = opened_examples(node) if scaled else node
            if scaled and read == node:
                continue
            claims = self._checked(read, piece, piece.text, network)
            if any(c.verdict == "unread" for c in claims):
                return
            proved = all(c.verdict == "proved" for c in claims)
            if scaled and proved:
                self.per_example = True
                note = "dZ and dA stand for the gradients of the sum over the examples, m times those of the mean"
                claims = tuple(replace(c, notes=(*c.notes, note)) for c in claims)
            if proved or not first:
                first = claims
            if proved:
                break
        yield from (better(c) for c in first)

    def _meant(self, node: Relation, piece: Piece) -> tuple[Network, ...]:
        """The networks in force at a formula: those of the last sentences that name pairs, if there are any."""
        explicit = _differentiated_loss(node)
        before = [p for p in self.pairs if p.start <= piece.start]
        if explicit is not None:
            same = [p for p in self.pairs if explicit in p.losses]
            if same:
                return (Network(output=same[-1].output, loss=explicit),)
            outputs = [o for o, loss in USUAL if loss == explicit]
            return tuple(Network(output=o, loss=explicit) for o in (*outputs, "f"))
        group: list[Pair] = []
        for pair in reversed(before):
            if group and group[0].start - pair.end > 60:
                break
            group.insert(0, pair)
        return tuple(dict.fromkeys(n for pair in group for n in pair.networks()))

    def _of_all(self, piece: Piece) -> bool:
        sentence = next((s for s in self.sentences if s.start <= piece.start < s.end), None)
        if sentence is None:
            return False
        near = [s for s in self.sentences if s.start <= sentence.start][-2:]
        return any(_ALL_OF_THEM.search(s.words) for s in near)

    def _unstated(self, node: Relation, piece: Piece, text: str) -> Iterator[CheckedClaim]:
        """No loss is stated yet: the usual pairs for which the claim holds are its condition."""
        named = activations_before(self.sentences, piece.start, piece.start + len(piece.text))
        choices = [Network(output=o, loss=loss) for o, loss in USUAL if not named or o in named]
        judgements = [(n, self._checked(node, piece, text, n)) for n in choices]
        judgements = [
            (n, claims) for n, claims in judgements if all(c.verdict != "unread" and not _far(c) for c in claims)
        ]
        yield from self._some(judgements, stated=False)

    def _some(
        self, judgements: Sequence[tuple[Network, tuple[CheckedClaim, ...]]], *, stated: bool = True
    ) -> Iterator[CheckedClaim]:
        """One claim from its verdicts for several networks: it holds for some, and that is its condition."""
        if not judgements:
            return
        holds = [(n, c) for n, c in judgements if all(k.verdict == "proved" for k in c)]
        fails = [(n, c) for n, c in judgements if any(k.verdict == "refuted" for k in c)]
        if not holds:
            network, claims = judgements[0]
            shown = "; ".join(n.describe() for n, _ in judgements)
            words = "it is false for all that the text names" if stated else "the loss is not stated; it is false for"
            for claim in claims:
                if claim.verdict == "refuted":
                    claim = replace(claim, verdict="unknown", because=f"{words}: {shown}")
                yield claim
            del network
            return
        _, claims = holds[0]
        supposed = "; or ".join(n.describe() for n, _ in holds)
        notes = [f"true for {supposed}" + ("" if stated else " (the loss is not stated before this formula)")]
        for network, wrong in fails:
            explained_ones = [better(c) for c in wrong if c.verdict == "refuted"]
            mistakes = [m for c in explained_ones for m in c.mistakes[:1]]
            why = f": {mistakes[0].name}, {mistakes[0].says}" if mistakes else ""
            notes.append(f"not for {network.describe()}{why}")
        for claim in claims:
            yield replace(claim, notes=(*claim.notes, *notes), because=notes[0])

    def _checked(self, node: Relation, piece: Piece, text: str, network: Network) -> tuple[CheckedClaim, ...]:
        claims = check(text, network, explain=False, notations=(node,))
        if len(claims) != len(node.sides) - 1:
            return tuple(replace(c, where=where(self.document, piece, node.span[0])) for c in claims)
        ats = [node.span[0], *(side.span[0] for side in node.sides[2:])]
        return tuple(replace(c, where=where(self.document, piece, at)) for c, at in zip(claims, ats, strict=True))


def _far(claim: CheckedClaim) -> bool:
    """Whether a claim was read with another variable than it names."""
    return any("does not occur; read as" in note for note in claim.notes)


def better(claim: CheckedClaim) -> CheckedClaim:
    """A refuted claim with what is right and what went wrong."""
    if claim.verdict != "refuted":
        return claim
    return with_left_side(explained(claim, program_of(claim.network)))


def where(document: Document, piece: Piece, offset: int) -> Where:
    """The place in the file of an offset in a piece."""
    line, column = document.position(piece.start + offset)
    return Where(document.name, line, column)


def _differentiated_loss(node: Relation) -> str | None:
    """The loss of the catalogue whose formula is differentiated."""
    for side in node.sides:
        if isinstance(side, Derivative) and side.of is not None and not isinstance(side.of, Symbol):
            known = recognised_notation(side.of)
            if known is not None:
                return known
    return None
