"""Documents of our own, in the styles in which people publish, with the verdict of every claim known beforehand.

A mark `@@ right wrong` at the end of a line says what holds of the claims that start on it, in order; it is taken away
before the document is read. `any` is said of a claim that depends on a convention that the text does not state.
"""

from __future__ import annotations

import re
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
                shown = claim.claim[:90] if claim is not None else line.strip()
                said = f"{path.name}:{number}: {word}, {verdict}: {shown} ({because})"
                (found.false if verdict in ("proved", "refuted") else found.open).append(said)
    return found


# A sum over the steps of a recurrent network, a residual that is given as a function of an abstract one, x^k with a
# letter for k, and a product whose shapes do not fit.
OPEN = {
    "ranknet.txt": 1,
    "stackoverflow-bias.md": 1,
    "rnn-bptt.md": 1,
    "gauss-newton.md": 1,
    "bayes-mle.tex": 1,
    "linear-layer-shapes.rst": 1,
}
SLOW = ("attention", "hidden-layer-by-hand", "layer-norm-question")
DOCUMENTS = sorted(p for p in HERE.iterdir() if p.suffix in SUFFIXES)


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, id=p.name, marks=[pytest.mark.slow] if p.stem in SLOW else []) for p in DOCUMENTS],
)
def test_every_claim_gets_its_verdict(path: Path) -> None:
    found = outcome(path)
    assert found.marked
    assert not found.false
    assert len(found.open) <= OPEN.get(path.name, 0), found.open
