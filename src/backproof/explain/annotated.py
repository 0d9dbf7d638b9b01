"""Documents with their verdicts in place: the lines as they were written, each claim explained below its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from backproof.explain.judgement import judgement
from backproof.explain.page import judgement_card, mark, words

if TYPE_CHECKING:
    from backproof.check.claims import CheckedClaim

AROUND: Final = 4
"""How many lines are shown before and after a claim, where lines are left out."""
LONGEST: Final = 1_000


def annotated(text: str, claims: Sequence[CheckedClaim], *, whole: bool = True) -> str:
    """The text as a list of numbered lines with the verdicts of its claims; not `whole`, only lines near a claim."""
    return "".join(_lines(text, claims, whole=whole))


def _lines(text: str, claims: Sequence[CheckedClaim], *, whole: bool) -> Iterator[str]:
    by_line: dict[int, list[CheckedClaim]] = {}
    for claim in claims:
        by_line.setdefault(claim.where.line if claim.where is not None else 1, []).append(claim)
    lines = text.rstrip("\n").split("\n")
    near = {n + k for n in by_line for k in range(-AROUND, AROUND + 1)}
    yield '<ol class="document">'
    left_out = 0
    for number, line in enumerate(lines, start=1):
        if not whole and number not in near:
            left_out += 1
            continue
        if left_out:
            yield _gap(left_out)
            left_out = 0
        yield from _line(number, line, by_line.get(number, []))
    if left_out:
        yield _gap(left_out)
    yield "</ol>"


def _gap(count: int) -> str:
    return f'<li class="gap">{count} line{"" if count == 1 else "s"} without a claim</li>'


def _line(number: int, line: str, claims: Sequence[CheckedClaim]) -> Iterator[str]:
    marks = "".join(mark(claim.verdict) for claim in claims)
    yield f'<li value="{number}"><code>{words(line[:LONGEST]) or "&nbsp;"}</code>{marks}'
    if claims:
        cards = "".join(judgement_card(judgement(claim)) for claim in claims)
        opened = " open" if any(claim.verdict != "proved" for claim in claims) else ""
        yield f"<details{opened}><summary>why</summary>{cards}</details>"
    yield "</li>"
