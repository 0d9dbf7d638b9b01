from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.explain.sheet import Block, Span, beside, boxed, coloured, plain, row_width, text_width, words, wrapped


def test_accents_take_no_column() -> None:
    assert text_width("y\u0302 − 1") == 5
    assert text_width("漢") == 2


def test_blocks_meet_on_their_baselines() -> None:
    fraction = Block(((Span("a"),), (Span("─"),), (Span("m"),)), 1)
    assert plain(beside(words("J = "), fraction, words(" + 1")).rows) == "    a\nJ = ─ + 1\n    m\n"


@given(
    st.lists(st.text(st.characters(codec="ascii", exclude_categories=["C", "Z"]), min_size=1), min_size=1),
    st.integers(1, 40),
)
def test_wrapping_loses_no_word_and_breaks_no_width(parts: list[str], width: int) -> None:
    block = wrapped(" ".join(parts), width)
    lines = ["".join(span.text for span in row) for row in block.rows]
    assert " ".join(lines).split(" ") == parts
    assert all(len(line) <= width or " " not in line for line in lines)


@pytest.mark.parametrize("ascii", [True, False])
def test_a_box_is_a_rectangle(ascii: bool) -> None:
    rows = boxed("proved", [(Span("δ = a − y", "good"),), (Span("x" * 50),)], 30, "good", ascii=ascii)
    assert len({row_width(row) for row in rows}) == 1
    assert len(rows) == 4


def test_colour_keeps_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    shown = coloured([(Span("a", "good"), Span("b", pair=1, struck=True), Span(" [x]"))])
    assert "\x1b[" in shown
    import re

    assert re.sub(r"\x1b\[[0-9;]*m", "", shown) == "ab [x]\n"
    assert re.search(r"\x1b\[[0-9;]*9[0-9;]*mb", shown), "the struck letter has the code 9"
