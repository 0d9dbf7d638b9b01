"""Reading a document for its claims: every formula with a derivative is judged, or listed with the reason why not."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from backproof.check.claims import CheckedClaim, Where
from backproof.check.document.conditions import Conditions, attached, under
from backproof.check.document.context import Context
from backproof.check.document.declared import Declarations
from backproof.check.document.forms import Forms, formulas
from backproof.check.document.judge import Judge
from backproof.check.document.marks import GRADIENT_LETTERS, has_gradient, number
from backproof.check.document.networks import Networks
from backproof.check.document.prose import runs
from backproof.check.document.sources import Document, Piece, read_document
from backproof.check.document.upstream import named_gradient, written
from backproof.check.updates import gradient_of
from backproof.check.worksheet.reading import name_of
from backproof.check.worksheet.sheet import check_worksheet
from backproof.errors import BackproofError, FormulaError
from backproof.language.notation import (
    Derivative,
    Notation,
    Relation,
    Symbol,
    Transposed,
    Words,
)
from backproof.language.traversal import pieces_of

MAX_CLAIMS: Final = 2_000
_TALKS_OF_GRADIENTS: Final = re.compile(
    r"\\partial|∂|\\nabla|∇|\\frac\s*\{\s*\\?(?:mathrm\{d\}|d)\b|\\delta|δ|\bd[A-Za-z]\w*/d[A-Za-z]"
)
_UPDATE: Final = re.compile(r"`\s*\w+\s*-=[^=\n`]{1,200}`")
_QUESTION: Final = re.compile(r"(?:\\[;,:! ]|\s)*=(?:\\[;,:! ]|\s)*\?+\s*$")
_HEADING: Final = re.compile(r"(?:^|\n)(?:#|\S[^\n]*\n[=\-~^]{4,}\n)|\\(?:sub)*section|\\chapter|<h[1-6]")
_ROWS: Final = re.compile(r"\\\\(?:\[[^\]]*\])?")


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in a document: its claims, and how many formulas it has, with and without derivatives."""

    name: str
    claims: tuple[CheckedClaim, ...]
    formulas: int
    gradients: int
    definitions: int
    text: str = ""

    @property
    def understood(self) -> int:
        """How many claims were read."""
        return sum(c.verdict != "unread" for c in self.claims)

    @property
    def judged(self) -> int:
        """How many claims were proved or refuted."""
        return sum(c.verdict in ("proved", "refuted") for c in self.claims)


def check_document(text: str, name: str, kind: str = "markdown") -> Report:
    """Every claim about a derivative in a document, judged in the order of writing."""
    reader = _Reader(read_document(text, name, kind))
    claims = tuple(itertools.islice(reader.claims(), MAX_CLAIMS))
    return Report(name, claims, reader.formulas, reader.gradients, reader.definitions, text)


@dataclass
class _Reader:
    document: Document
    formulas: int = 0
    gradients: int = 0
    definitions: int = 0
    chain: tuple[Notation, ...] = ()
    chain_conditions: tuple[Relation, ...] = ()
    named: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self.context = Context(self.document.name)
        self.networks = Networks(self.document)
        self.forms = Forms.of(itertools.chain.from_iterable(map(_texts, self.document.pieces)))
        self.conditions = Conditions(self.document, self.forms)
        self.context.summed, self.context.classes = self.forms.summed, self.forms.classes
        self.context.samples, self.context.ranged = self.forms.samples, self.forms.ranged
        self.judge = Judge(self.document, self.context, self.forms, self.networks)
        self.declared = Declarations(self.document, self.context)

    def claims(self) -> Iterator[CheckedClaim]:
        for piece in self.document.pieces:
            match piece.kind:
                case "worksheet":
                    yield from self._worksheet(piece)
                case "prose":
                    if _HEADING.search(piece.text):
                        self.context.values.clear()
                        self.judge.revalued.clear()
                    for run in runs(piece.text):
                        yield from self._formula(Piece("inline", run.text, piece.start + run.start), loose=True)
                    self.declared.words(piece)
                case "inline" | "display":
                    yield from self._formula(piece)
                case "code":
                    if _UPDATE.fullmatch(piece.text):
                        yield from self._formula(Piece("inline", piece.text.strip("`"), piece.start + 1), loose=True)

    def _worksheet(self, piece: Piece) -> Iterator[CheckedClaim]:
        line, column = self.document.position(piece.start)
        for claim in check_worksheet(piece.text, self.document.name):
            place = claim.where
            if place is not None:
                first = column - 1 if place.line == 1 else 0
                place = Where(self.document.name, place.line + line - 1, place.column + first)
            yield replace(claim, where=place)

    def _formula(self, piece: Piece, *, loose: bool = False) -> Iterator[CheckedClaim]:
        self.formulas += not loose
        talks = _TALKS_OF_GRADIENTS.search(piece.text) is not None
        if len(piece.text) > 20_000:
            yield self.judge.unread(piece, piece.text, 0, FormulaError("the formula is too long"))
            return
        for text, start in self._parsable(piece):
            part = Piece(piece.kind, text, piece.start + start)
            found = formulas(text)
            if isinstance(found, BackproofError):
                error = found
                if talks and "=" in text and not loose:
                    self.gradients += 1
                    yield self.judge.unread(part, text, 0, error)
                continue
            for node, conditions in attached(found):
                if isinstance(node, Relation):
                    yield from self._relation(node, part, conditions, loose=loose)

    def _parsable(self, piece: Piece) -> Iterator[tuple[str, int]]:
        """The formula as a whole, or its rows where the whole cannot be read."""
        text = _QUESTION.sub(lambda m: " " * len(m[0]), piece.text)
        if not isinstance(formulas(text), BackproofError) or "\\\\" not in text:
            yield text, 0
            return
        blanked = re.sub(r"\\(?:begin|end)\{(?:aligned|align|split|gathered|cases|array|eqnarray)\*?\}(?:\{[^}]*\})?|&",
                         lambda m: " " * len(m[0]), text)  # fmt: skip
        at = 0
        for found in [*_ROWS.finditer(blanked), None]:
            end = found.start() if found is not None else len(blanked)
            row = blanked[at:end]
            if row.strip():
                first = len(row) - len(row.lstrip())
                yield row.strip(), at + first
            at = found.end() if found is not None else end

    def _relation(
        self, node: Relation, piece: Piece, conditions: tuple[Relation, ...], *, loose: bool
    ) -> Iterator[CheckedClaim]:
        before: tuple[Notation, ...] = ()
        node = self.forms.with_primes(node)
        if node.sides[0] == Words(""):
            # A line that goes on with "= …".
            if not self.chain:
                return
            before, conditions = self.chain, conditions or self.chain_conditions
            at = (node.span[0], node.span[0])
            shown = tuple(replace(side, span=at) for side in before)
            node = replace(node, sides=(*shown, *node.sides[1:]), signs=("=", *node.signs))
        self.chain = (node.sides[0], node.sides[-1])
        try:
            yield from self._read(node, piece, conditions, before, loose=loose)
        finally:
            self.named |= {written(n) for n in pieces_of(node) if isinstance(n, Symbol)}

    def _read(
        self,
        node: Relation,
        piece: Piece,
        conditions: tuple[Relation, ...],
        before: tuple[Notation, ...],
        *,
        loose: bool,
    ) -> Iterator[CheckedClaim]:
        if "∈" in node.signs:
            at = node.signs.index("∈")
            if at == 0:
                self.declared.member(node)
                return
            # A = B ∈ ℝⁿ: the equation is what is claimed.
            node = replace(node, sides=node.sides[: at + 1], signs=node.signs[:at])
        if self._names_a_gradient(node):
            return
        if has_gradient(node.sides) or gradient_of(node) is not None:
            if loose and not _plausible(node):
                return
            self.gradients += 1
            conditions = tuple(map(self.forms.at_place, conditions or self.conditions.around(piece)))
            self.chain_conditions = conditions
            conditioned, notes = self._under(node, conditions) if conditions else (node, ())
            conditioned = conditioned if notes else node
            claims = list(self.judge.claims(conditioned, piece))
            # The step that an earlier line ended with was judged there.
            known = bool(before) and len(claims) == len(node.sides) - 1
            for claim in claims[1:] if known else claims:
                yield replace(claim, notes=(*claim.notes, *notes)) if notes else claim
            return
        self._definition(node, piece)

    def _under(self, node: Relation, conditions: tuple[Relation, ...]) -> tuple[Relation, tuple[str, ...]]:
        return under(self.forms.plain(node), conditions, self.forms.shown_places)

    def _names_a_gradient(self, node: Relation) -> bool:
        """Whether a relation only names a gradient, g = ∂L/∂h; the name then stands for it in all that follows."""
        found = named_gradient(self.forms.plain(node))
        if found is None or found.name in self.context.definitions or found.name in self.forms.upstream:
            return False
        if found.name in GRADIENT_LETTERS and self.context.losses():
            return False
        if not isinstance(node.sides[0], Symbol) and (found.name in self.named or self.context.losses()):
            return False
        self.forms.upstream[found.name] = found
        self.definitions += 1
        return True

    def _definition(self, node: Relation, piece: Piece) -> None:
        if node.signs[0] not in ("=", ":=", "≡"):
            return
        if isinstance(node.sides[0], Symbol):
            self.forms.upstream.pop(written(node.sides[0]), None)
        self.networks.standard.state(node, piece.text)
        node = self.forms.plain(node)
        name = name_of(node.sides[0])
        if len(node.sides) == 2 and any(
            isinstance(a, Transposed) and a.body == b for a, b in (node.sides, node.sides[::-1])
        ):
            symbol = next(s for s in node.sides if not isinstance(s, Transposed))
            self.context.symmetric.add(name_of(symbol) or "")
            return
        value = number(node.sides[1])
        if value is not None:
            if name is not None and isinstance(node.sides[0], Symbol):
                if self.context.values.setdefault(name, value) != value:
                    self.judge.revalued.add(name)
                self.context.values[name] = value
            return
        if self.context.define(node, piece.text):
            self.definitions += 1


def _texts(piece: Piece) -> Iterator[str]:
    """The formulas of a piece, in prose those without delimiters."""
    if piece.kind in ("inline", "display"):
        yield piece.text
    elif piece.kind == "prose":
        yield from (run.text for run in runs(piece.text))


def _plausible(node: Relation) -> bool:
    """Whether a formula found in prose has the left side of a claim."""
    left = node.sides[0]
    return isinstance(left, Derivative) or has_gradient((left,)) or gradient_of(node) is not None
