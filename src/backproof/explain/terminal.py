"""Lessons and judgements as text: two-dimensional formulas beside their reasons, plain or in colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from backproof.errors import LimitError
from backproof.explain.judgement import Judgement, Phrase
from backproof.explain.lesson import Lesson, Line, Passage
from backproof.explain.sheet import (
    Block,
    Row,
    Span,
    beside,
    boxed,
    coloured,
    padded,
    plain,
    row_width,
    stacked,
    words,
    wrapped,
)
from backproof.language.layout import Mark, draw
from backproof.language.notation import Notation
from backproof.language.text import write

WITHOUT_TERMINAL: Final = 100
WIDEST: Final = 120
NARROWEST: Final = 20
LINEAR_BELOW: Final = 60
LEAST_REASON: Final = 24
NUMBER_COLUMN: Final = 4
GAP: Final = "   "

MARKS: Final = {"proved": "✓ proved", "refuted": "✗ refuted", "unknown": "? unknown", "unread": "! not understood"}
VERDICT_STYLES: Final = {"proved": "good", "refuted": "bad", "unknown": "open", "unread": "open"}
VERDICT_COLUMN: Final = max(len(mark) for mark in ("✓ proved", "? unknown"))


def lesson_text(lesson: Lesson, *, ascii: bool = False, width: int | None = None, colour: bool = False) -> str:
    """The lesson on a page of the terminal; `width` None says that there is no terminal."""
    page = _Page(ascii, _page_width(width), colour)
    return page.shown(page.lesson(lesson))


def judgements_text(
    judgements: Sequence[Judgement], *, ascii: bool = False, width: int | None = None, colour: bool = False
) -> str:
    """The judgements of claims, one below the other."""
    page = _Page(ascii, _page_width(width), colour)
    rows: list[Row] = []
    for judgement in judgements:
        rows += [*([()] if rows else []), *page.judgement(judgement)]
    return page.shown(rows)


@dataclass(frozen=True, slots=True)
class _Page:
    ascii: bool
    width: int
    colour: bool

    def shown(self, rows: Iterable[Row]) -> str:
        return coloured(rows) if self.colour else plain(rows)

    def formula(self, notation: Notation, style: str = "") -> Block:
        """Two-dimensional where there is room, else on one line."""
        if self.width >= LINEAR_BELOW:
            try:
                drawing = draw(notation, ascii=self.ascii, numbered=not self.colour)
            except LimitError:
                drawing = None
            if drawing is not None and drawing.width <= self.width:
                rows = tuple(_styled(drawing.runs(k), style) for k in range(drawing.height))
                return Block(rows, drawing.baseline)
        return words(write(notation, ascii=self.ascii), style)

    def plain_words(self, text: str) -> str:
        """Words with the letters of formulas in them, in ASCII where that is asked for."""
        if not self.ascii:
            return text
        from backproof.explain.lettering import ascii_words

        return ascii_words(text)

    def mark(self, verdict: str) -> str:
        return MARKS[verdict].split(" ", 1)[1] if self.ascii else MARKS[verdict]

    def lesson(self, lesson: Lesson) -> list[Row]:
        rows: list[Row] = [(Span(self.plain_words(lesson.title), "strong"),), ()]
        for definition in lesson.given:
            rows += _indented(self.formula(definition), 2)
        for passage in lesson.passages:
            rows += [(), *self.passage(passage)]
        return [*rows, (), *self.results(lesson)]

    def passage(self, passage: Passage) -> list[Row]:
        rows: list[Row] = [(Span(f"{passage.name}", "strong"), Span(f"  {passage.heading}", "faint"))]
        equals = words(" = ")
        formulas = [self.formula(line.notation, _emphasis(line, passage)) for line in passage.lines]
        lefts = [self.formula(s.left) if passage.shows_left(k) else words("") for k, s in enumerate(passage.lines)]
        indent = max(left.width for left in lefts)
        blocks = [
            beside(_right_aligned(before, indent), equals, formula)
            for before, formula in zip(lefts, formulas, strict=True)
        ]
        widest = max(b.width for b in blocks)
        room = self.width - NUMBER_COLUMN - widest - 2 * len(GAP) - VERDICT_COLUMN
        tall = any(len(b.rows) > 1 for b in blocks)
        for number, (line, block) in enumerate(zip(passage.lines, blocks, strict=True), start=1):
            reason = self.reason(line, room if room >= LEAST_REASON else self.width - NUMBER_COLUMN - 2)
            counter = words(f"{number:>2}".ljust(NUMBER_COLUMN), "faint")
            verdict = words(self.mark(line.verdict), VERDICT_STYLES[line.verdict])
            if tall and number > 1:
                rows.append(())
            if room >= LEAST_REASON:
                shown = beside(counter, padded(block, widest), words(GAP), padded(reason, room), words(GAP), verdict)
                rows += shown.rows
            else:
                rows += beside(counter, block, words(GAP), verdict).rows
                rows += _indented(reason, NUMBER_COLUMN + 2)
        return rows

    def reason(self, line: Line, width: int) -> Block:
        needs = [wrapped(f"needs {write(c, ascii=self.ascii)}", width, "open") for c in line.conditions]
        return stacked([wrapped(self.plain_words(line.why), width), *needs])

    def results(self, lesson: Lesson) -> list[Row]:
        """A frame with every equation, what it needs, and how many are proved."""
        content: list[Row] = []
        verdicts = [p.result.verdict for p in lesson.passages]
        lefts = [self.formula(passage.result.left) for passage in lesson.passages]
        widest = max(left.width for left in lefts)
        for left, passage in zip(lefts, lesson.passages, strict=True):
            right = self.formula(passage.result.notation, VERDICT_STYLES[passage.result.verdict])
            block = beside(_right_aligned(left, widest), words(" = "), right)
            notes: list[Block] = []
            if passage.result.conditions:
                needs = ", ".join(write(c, ascii=self.ascii) for c in passage.result.conditions)
                notes.append(words(f"needs {needs}", "open"))
            if passage.general is not None:
                notes.append(words("without it: ", "faint"))
                notes[-1] = beside(notes[-1], self.formula(passage.general))
            if passage.because is not None:
                notes.append(wrapped(self.plain_words(passage.because), self.width - 8, "open"))
            if len(notes) == 1 and block.width + notes[0].width + 8 <= self.width:
                content += beside(block, words(GAP), notes[0]).rows
            else:
                content += block.rows
                for note in notes:
                    content += _indented(note, 2)
        proved = sum(v == "proved" for v in verdicts)
        whole = "proved" if proved == len(verdicts) else "unknown"
        title = self.mark(whole) if len(verdicts) == 1 else f"{proved} of {len(verdicts)} equations proved"
        return boxed(title, content, min(self.width, 80), VERDICT_STYLES[whole], ascii=self.ascii)

    def judgement(self, judgement: Judgement) -> list[Row]:
        rows: list[Row] = []
        for label, notation, style in (
            ("read as", judgement.read_as, ""),
            ("correct", judgement.correct, "good"),
        ):
            if notation is not None:
                rows += beside(words(f"{label:<9}", "faint"), self.formula(notation, style)).rows
        if not rows:
            rows += beside(words(f"{'claim':<9}", "faint"), wrapped(judgement.claim, self.width - 9)).rows
        rows.append(())
        label_width = max((len(row.label) for row in judgement.rows), default=0)
        content: list[Row] = []
        for row in judgement.rows:
            room = self.width - label_width - 6
            block = self.phrase(row.content, room)
            label = words(row.label.ljust(label_width + 2), "faint")
            content += beside(label, block).rows
        style = VERDICT_STYLES[judgement.verdict]
        return rows + boxed(self.mark(judgement.verdict), content, min(self.width, 80), style, ascii=self.ascii)

    def phrase(self, phrase: Phrase, room: int) -> Block:
        """Words and formulas side by side where they fit, else as wrapped words."""
        blocks = [words(self.plain_words(p)) if isinstance(p, str) else self.formula(p) for p in phrase]
        together = beside(*blocks)
        if together.width <= room:
            return together
        return wrapped("".join(self.plain_words(p) if isinstance(p, str) else self.line(p) for p in phrase), room)

    def line(self, notation: Notation) -> str:
        return write(notation, ascii=self.ascii)


def _page_width(width: int | None) -> int:
    return max(NARROWEST, min(width or WITHOUT_TERMINAL, WIDEST))


def _styled(runs: Iterable[tuple[str, Mark | None]], style: str) -> Row:
    return tuple(Span(t, style) if m is None else Span(t, style, m.pair, m.struck) for t, m in runs)


def _emphasis(line: Line, passage: Passage) -> str:
    return VERDICT_STYLES[line.verdict] if line is passage.result else ""


def _right_aligned(block: Block, width: int) -> Block:
    return Block(tuple((Span(" " * (width - row_width(row))), *row) for row in block.rows), block.baseline)


def _indented(block: Block, by: int) -> list[Row]:
    return [(Span(" " * by), *row) for row in block.rows]
