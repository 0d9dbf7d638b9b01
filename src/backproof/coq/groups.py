"""Groups: many theorems in one Coq file, and what Coq says of each.

A theorem that Coq does not accept is taken out and listed with Coq's message, and the others are checked again: one
failure hides no other.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backproof.coq import kernel
from backproof.coq.document import CLOSING, Document
from backproof.coq.identifiers import plain
from backproof.coq.kernel import Answer

TIME_LIMIT = 300.0


@dataclass(frozen=True, slots=True)
class Claim:
    """What one derivation claims: the text of its statements and proofs, and the names of its theorems."""

    name: str
    words: str
    text: str
    theorems: tuple[str, ...] = ()

    @property
    def lines(self) -> int:
        """How long it is."""
        return self.text.count("\n")


@dataclass(frozen=True, slots=True)
class Row:
    """One accepted claim: how long its text is, and how long Coq took for it, where that is known."""

    words: str
    lines: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What Coq said of a group of claims: those that failed and those that were left out, each with the reason."""

    group: str
    claims: int
    lines: int
    seconds: float
    axioms: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    empty: tuple[tuple[str, str], ...] = ()
    rows: tuple[Row, ...] = ()

    @property
    def accepted(self) -> int:
        """How many claims Coq accepted."""
        return self.claims - len(self.failed)


@dataclass(frozen=True, slots=True)
class Group:
    """Claims for one file. `failed` could not be written, `empty` would say nothing; each with the reason."""

    name: str
    claims: tuple[Claim, ...]
    failed: tuple[tuple[str, str], ...] = ()
    empty: tuple[tuple[str, str], ...] = ()


def check_group(group: Group, head: Callable[[], Document], folder: Path) -> Outcome:
    """Let Coq check the claims in one file; those that it rejects are taken out, and the rest is checked again."""
    lost = list(group.failed)
    good: list[Claim] = []
    left = list(group.claims)
    text = ""
    answer = Answer("accepted")
    seconds = 0.0
    while left:
        text = _text(left, head())
        answer = kernel.check(text, TIME_LIMIT, beside=folder, keep=f"group_{plain(group.name)}", timed=True)
        seconds += answer.seconds
        if answer.accepted:
            good += left
            break
        culprit = _claim_at(text, answer.place, left)
        if culprit is None:
            lost += [(c.words, short(answer.message)) for c in left]
            break
        # Coq reads a file in order: what stands above the culprit is right, and waits for the last run.
        lost.append((culprit.words, short(answer.message)))
        place = left.index(culprit)
        good, left = good + left[:place], left[place + 1 :]
    if good and len(good) < len(group.claims):
        text = _text(good, head())
        answer = kernel.check(text, TIME_LIMIT, beside=folder, keep=f"group_{plain(group.name)}", timed=True)
        seconds += answer.seconds
        if not answer.accepted:
            lost += [(c.words, short(answer.message)) for c in good]
    total = len(group.claims) + len(group.failed)
    lines = sum(c.lines for c in group.claims)
    if not answer.accepted:
        return Outcome(group.name, total, lines, seconds, (), tuple(lost), group.empty)
    taken = seconds_of(text, [_mark(c) for c in good], answer)
    rows = tuple(Row(c.words, c.lines, taken.get(_mark(c))) for c in good)
    return Outcome(group.name, total, lines, seconds, answer.axioms, tuple(lost), group.empty, rows)


def seconds_of(text: str, marks: Sequence[str], answer: Answer) -> dict[str, float]:
    """How long Coq took for what follows each mark in a file, up to the next mark or the file's end.

    >>> seconds_of("(** a *) é Qed. (** b *) Qed.", ["(** a *)", "(** b *)"], Answer("accepted", times=((12, 1.5),)))
    {'(** a *)': 1.5, '(** b *)': 0.0}
    """
    starts = sorted((len(text[: text.index(mark)].encode()), mark) for mark in marks)
    places = [place for place, _ in starts]
    taken = dict.fromkeys(marks, 0.0)
    end = len(text[: text.index(CLOSING)].encode()) if CLOSING in text else len(text.encode())
    for start, seconds in answer.times:
        if places and places[0] <= start < end:
            taken[starts[bisect_right(places, start) - 1][1]] += seconds
    return taken if answer.times else {}


def _text(claims: Sequence[Claim], document: Document) -> str:
    for claim in claims:
        document.add(f"{_mark(claim)}\n{claim.text}", claim.theorems or (claim.name,))
    return document.text()


def _mark(claim: Claim) -> str:
    return f"(** {claim.name} *)"


def _claim_at(text: str, line: int | None, claims: Sequence[Claim]) -> Claim | None:
    if line is None:
        return None
    above = "\n".join(text.split("\n")[:line])
    marked = {_mark(c): c for c in claims}
    return next((marked[mark] for mark in reversed(re.findall(r"^\(\*\* \w+ \*\)$", above, re.MULTILINE))), None)


def short(message: str) -> str:
    """The beginning of a message, on one line."""
    return " ".join(message.split())[:160]
