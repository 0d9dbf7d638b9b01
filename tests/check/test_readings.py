"""Right and wrong formulas in few words, as people write them, with letters of which the text says nothing.

`snippets.tsv` has a letter for each claim: `R` right and proved, `W` wrong and refuted, `r` and `w` right and wrong
ones that may stay open. Nothing that is wrong may be proved, and nothing that is right may be refuted.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from backproof.check.document.reader import check_document

LINES = (Path(__file__).with_name("snippets.tsv")).read_text().splitlines()
EXPECTED = {
    "R": {"proved"},
    "W": {"refuted"},
    "r": {"proved", "unknown", "unread"},
    "w": {"refuted", "unknown", "unread"},
}


@pytest.mark.parametrize("line", LINES, ids=range(1, len(LINES) + 1))
def test_no_reading_of_a_letter_makes_a_verdict_wrong(line: str) -> None:
    expected, text = line.split("\t", 1)
    claims = check_document(text, "snippet").claims
    assert len(claims) == len(expected)
    for claim, letter in zip(claims, expected, strict=True):
        assert claim.verdict in EXPECTED[letter], (claim.claim, claim.because)
