"""Documents of our own, in the styles in which people publish, with the verdict of every claim known beforehand.

A mark `@@ right wrong` at the end of a line says what holds of the claims that start on it, in order; it is taken away
before the document is read. `any` is said of a claim that depends on a convention that the text does not state.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from backproof.check.claims import CheckedClaim
from backproof.check.document.reader import check_document
from backproof.check.document.sources import SUFFIXES

HERE = Path(__file__).resolve().parent / "documents"
MARK = re.compile(r"[ \t]*@@ ((?:(?:right|wrong|any) ?)+)")
VERDICTS = {"right": "proved", "wrong": "refuted"}


@dataclass
class Outcome:
    """What became of the marked claims of a document."""

    marked: int = 0
    read: int = 0
    judged: int = 0
    false: list[str] = field(default_factory=list[str])
    open: list[str] = field(default_factory=list[str])


def outcome(path: Path) -> Outcome:
    """The marks of a document compared with the verdicts on their lines."""
    marked = path.read_text()
    report = check_document(MARK.sub("", marked), path.name, SUFFIXES[path.suffix])
    lines: dict[int, list[CheckedClaim]] = defaultdict(list)
    for claim in report.claims:
        assert claim.where is not None
        lines[claim.where.line].append(claim)
    found = Outcome()
    for number, line in enumerate(marked.splitlines(), start=1):
        mark = MARK.search(line)
        if mark is None:
            continue
        expected = mark[1].split()
        at = number
        if len(MARK.sub("", line).strip()) < 3:
            # A mark on a line of its own, or behind the end of a display, is that of the formula above it.
            at = next((k for k in range(number, max(number - 8, 0), -1) if k in lines), number)
        claims = lines.get(at, [])
        if len(claims) > len(expected) and len(expected) == 1:
            expected *= len(claims)
        for place, word in enumerate(expected):
            claim = claims[place] if place < len(claims) else None
            if word == "any":
                continue
            found.marked += 1
            verdict = claim.verdict if claim is not None else "not found"
            found.read += verdict in ("proved", "refuted", "unknown")
            if verdict == VERDICTS[word]:
                found.judged += 1
            else:
                because = claim.because if claim is not None else ""
                said = f"{path.name}:{number}: {word}, {verdict}: {claim.claim[:90] if claim else line.strip()} ({because})"
                (found.false if verdict in ("proved", "refuted") else found.open).append(said)
    return found


DOCUMENTS = sorted(p for p in HERE.iterdir() if p.suffix in SUFFIXES)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_no_verdict_is_wrong(path: Path) -> None:
    found = outcome(path)
    assert found.marked
    assert not found.false


if __name__ == "__main__":
    total = Outcome()
    for path in [p for p in DOCUMENTS if not sys.argv[1:] or any(a in p.name for a in sys.argv[1:])]:
        one = outcome(path)
        print(
            f"{path.name}: {one.marked} marked, {one.read} read, {one.judged} judged rightly, {len(one.false)} wrongly"
        )
        for said in (*one.false, *one.open):
            print("   ", said)
        total.marked, total.read = total.marked + one.marked, total.read + one.read
        total.judged, total.false = total.judged + one.judged, total.false + one.false
    print(f"all: {total.marked} marked, {total.read} read, {total.judged} judged rightly, {len(total.false)} wrongly")
