"""Conditions of a formula: "for i ≠ j" before or after it, in its own line or in the sentence around it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from backproof.check.document.forms import Forms, formulas
from backproof.check.document.sources import Document, Piece
from backproof.errors import BackproofError
from backproof.language.notation import Big, Cases, Indicator, Notation, Number, Relation, Symbol, Words
from backproof.language.reading import bare, letter_of
from backproof.language.text import write
from backproof.language.traversal import fold, pieces_of, with_parts

_IF: Final = (
    r"(?:if|for|when|where|whenever|case|cases|with|assuming|that|wenn|falls|für|fall|si|cas|pour|cuando|caso|para)"
)
_AFTER: Final = re.compile(rf"[\s,;.(*_:–—-]*{_IF}\s*(?:the\s+case\s+)?[(*_]*\s*", re.IGNORECASE)
_BEFORE: Final = re.compile(rf"\b{_IF}\b(?:\s*(?:the\s+case|\d+|[a-z])\b)?[\s(:.*_–—-]*$", re.IGNORECASE)
_ENDS: Final = re.compile(r"[.!?]\s+[A-Z]|\n\s*#|\n\s*[-*]\s|\n\n.*\S.*\n\n", re.DOTALL)
_ORDERS: Final = (("<",), (">",), ("≤",), ("≥",))
_LETTERS: Final = frozenset("abcdijklmnopqrstuvw")
_NEW: Final = re.compile(r"\n\n|[.!?]\s+[A-Z*]")
MAX_BETWEEN: Final = 120


@dataclass
class Conditions:
    """The conditions on index letters that the text around a formula states."""

    document: Document
    forms: Forms

    def around(self, piece: Piece) -> tuple[Relation, ...]:
        """What holds for a formula because the text right before or right after it says so."""
        pieces = self.document.pieces
        at = next((k for k, p in enumerate(pieces) if p.start <= piece.start < p.start + len(p.text)), None)
        if at is None:
            return ()
        after = self._after(at)
        return (after,) if after is not None else tuple(self._before(at))

    def _after(self, at: int) -> Relation | None:
        pieces = self.document.pieces
        if at + 2 >= len(pieces) or pieces[at + 1].kind != "prose" or not _AFTER.fullmatch(pieces[at + 1].text):
            return None
        return self._only(pieces[at + 2])

    def _only(self, piece: Piece) -> Relation | None:
        return only_condition(piece, self.forms)

    def _before(self, at: int) -> Iterator[Relation]:
        pieces = self.document.pieces
        words = ""
        for k in range(at - 1, max(at - 6, 0), -1):
            piece = pieces[k]
            if piece.kind == "prose":
                words = piece.text + words
                if len(words) > MAX_BETWEEN or _ENDS.search(words):
                    return
                continue
            condition = self._only(piece)
            if condition is None:
                return
            before = pieces[k - 1].text if pieces[k - 1].kind == "prose" else ""
            # What stands right behind an earlier formula is that formula's condition.
            behind = k >= 2 and pieces[k - 2].kind in ("inline", "display") and _AFTER.fullmatch(before) is not None
            behind = behind and self._only(pieces[k - 2]) is None and not _NEW.search(before)
            if _BEFORE.search(before) and not behind:
                yield condition
            return


def is_condition(node: Notation, classes: AbstractSet[str] = frozenset()) -> bool:
    """Whether a relation only compares two index letters, i = j or i ≠ j, or a name with a number, x > 0.

    >>> is_condition(Relation((Symbol("i"), Symbol("j")), ("≠",)))
    True
    """
    if isinstance(node, Relation) and node.signs in _ORDERS and isinstance(bare(node.sides[0]), Symbol):
        # x > 0: which branch of a function is meant.
        return isinstance(bare(node.sides[1]), Number)
    if isinstance(node, Relation) and node.signs == ("≠",) and isinstance(bare(node.sides[1]), Number):
        return letter_of(node.sides[0]) in _LETTERS
    return (
        isinstance(node, Relation)
        and node.signs in (("=",), ("≠",))
        and all((letter := letter_of(s)) is not None and letter in _LETTERS | classes for s in node.sides)
    )


def compares(text: str) -> bool:
    """Whether a formula compares two quantities, y wᵀx < 1; a name compared with a number is a branch that is read."""
    nodes = formulas(text)
    roots = () if isinstance(nodes, BackproofError) else nodes
    return any(isinstance(n, Relation) and n.signs in _ORDERS and not is_condition(n) for n in roots)


def only_condition(piece: Piece, forms: Forms) -> Relation | None:
    """The condition that a formula is, if it is nothing else."""
    if piece.kind not in ("inline", "display") or len(piece.text) > 40:
        return None
    nodes = formulas(piece.text)
    found = [n for n in (() if isinstance(nodes, BackproofError) else nodes) if not isinstance(n, Words)]
    if len(found) != 1 or not isinstance(found[0], Relation):
        return None
    condition = forms.condition(found[0])
    return condition if is_condition(condition, forms.classes) else None


def attached(nodes: Sequence[Notation]) -> Iterator[tuple[Notation, tuple[Relation, ...]]]:
    """Each formula of a list with the conditions that stand behind it, or before it where none stands behind."""
    rest = [
        # A condition in brackets, (j ≠ 1).
        n.condition if isinstance(n, Indicator) and is_condition(n.condition) else n
        for n in nodes
        if not isinstance(n, Words)
    ]
    waiting: list[Relation] = []
    for k, node in enumerate(rest):
        if isinstance(node, Relation) and is_condition(node):
            if k == 0 or is_condition(rest[k - 1]):
                waiting.append(node)
            continue
        behind: list[Relation] = []
        for other in rest[k + 1 :]:
            if not (isinstance(other, Relation) and is_condition(other)):
                break
            behind.append(other)
        leads = bool(waiting) and not any(isinstance(n, Relation) and is_condition(n) for n in rest[: k - len(waiting)])
        yield node, tuple(waiting if leads and len(waiting) == k else behind)
        waiting = []


def under(
    node: Relation, conditions: Iterable[Relation], hidden: Mapping[str, str] | None = None
) -> tuple[Relation, tuple[str, ...]]:
    """The claim under conditions, and what has to be said about it; `hidden` are letters that its names
    may carry, with what they stand for.
    """
    notes: list[str] = []
    letters = {letter_of(s) for n in pieces_of(node) if isinstance(n, Symbol) for s in n.subscripts}
    hidden = hidden or {}
    letters |= set(hidden)
    letters |= {c for n in pieces_of(node) if isinstance(n, Symbol) for s in n.subscripts for c in _run(s)}
    for condition in conditions:
        sign = condition.signs[0]
        left, right = (letter_of(s) or "" for s in condition.sides)
        if (sign,) in _ORDERS:
            left, right = (write(s) for s in condition.sides)
        elif not {left, right} <= letters:
            continue
        notes.append(f"for {hidden.get(left, left)} {sign} {hidden.get(right, right)}, as the text says")
        if sign == "=":
            node = _same(node, left, right)
        else:
            nothing = Number(Fraction(0))
            sides = tuple(Cases(((s, condition), (nothing, None)), span=s.span) for s in node.sides)
            node = replace(node, sides=sides)
    return node, tuple(notes)


def _run(sub: Notation) -> str:
    inner = bare(sub)
    return inner.name if isinstance(inner, Symbol) and 2 <= len(inner.name) <= 3 and inner.name.isalpha() else ""


def _same(node: Relation, kept: str, dropped: str) -> Relation:
    def rule(part: Notation, inside: tuple[Notation, ...]) -> Notation:
        if isinstance(part, Symbol) and letter_of(part) == dropped and not part.subscripts:
            return replace(part, name=kept)
        new = with_parts(part, inside)
        if isinstance(new, Symbol) and new.subscripts:
            subs = tuple(
                replace(s, name=s.name.replace(dropped, kept)) if isinstance(s, Symbol) and dropped in _run(s) else s
                for s in new.subscripts
            )
            return replace(new, subscripts=subs)
        if isinstance(new, Big) and dropped in new.indices:
            return part
        return new

    found = fold(node, rule)
    return found if isinstance(found, Relation) else node
