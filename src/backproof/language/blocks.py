"""Blocks: rectangles of characters with a baseline, and the ways to put them together.

Every cell keeps the mark of the part of the formula that it belongs to.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from backproof.errors import LimitError

UNICODE_FENCES: Final = {
    "(": "⎛⎜⎝",
    ")": "⎞⎟⎠",
    "[": "⎡⎢⎣",
    "]": "⎤⎥⎦",
    "|": "│││",
    "‖": "║║║",
}
ASCII_FENCES: Final = {"(": "/|\\", ")": "\\|/", "[": "[[[", "]": "]]]", "|": "|||", "‖": "|||"}
MAX_WIDTH: Final = 2_000
MAX_HEIGHT: Final = 200


@dataclass(frozen=True, slots=True)
class Mark:
    """The pair that a cell belongs to, and whether it is struck out."""

    pair: int
    struck: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One character position: a letter with its accents, and its mark."""

    character: str = " "
    mark: Mark | None = None


Row = tuple[Cell, ...]
BLANK: Final = Cell()


@dataclass(frozen=True)
class Block:
    """A rectangle of cells; `baseline` is the row on which the formula's line of writing lies."""

    rows: tuple[Row, ...]
    baseline: int = 0

    @property
    def width(self) -> int:
        """How many columns."""
        return len(self.rows[0])

    @property
    def height(self) -> int:
        """How many rows."""
        return len(self.rows)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The rows as plain text, without blanks at their ends."""
        return tuple("".join(cell.character for cell in row).rstrip() for row in self.rows)

    def runs(self, row: int) -> tuple[tuple[str, Mark | None], ...]:
        """One row as pieces of text with equal marks."""
        found: list[tuple[str, Mark | None]] = []
        for cell in self.rows[row]:
            if found and found[-1][1] == cell.mark:
                found[-1] = found[-1][0] + cell.character, cell.mark
            else:
                found.append((cell.character, cell.mark))
        return tuple(found)

    def __str__(self) -> str:
        return "\n".join(self.lines)


def line(text: str) -> Block:
    """Text on one row; combining characters stay in the cell of their letter."""
    cells: list[Cell] = []
    for character in text:
        if cells and unicodedata.combining(character):
            cells[-1] = Cell(cells[-1].character + character)
        else:
            cells.append(Cell(character))
    return Block((tuple(cells),))


def beside(*blocks: Block) -> Block:
    """Blocks in a row on one baseline."""
    above = max(b.baseline for b in blocks)
    below = max(b.height - b.baseline for b in blocks)
    width = sum(b.width for b in blocks)
    _check(width, above + below)
    rows: list[list[Cell]] = [[] for _ in range(above + below)]
    for block in blocks:
        top = above - block.baseline
        for k, row in enumerate(rows):
            inside = 0 <= k - top < block.height
            row.extend(block.rows[k - top] if inside else (BLANK,) * block.width)
    return Block(tuple(tuple(row) for row in rows), above)


def stacked(blocks: Sequence[Block], baseline: int, *, left: bool = False) -> Block:
    """Blocks on top of each other, centred or on the left; `baseline` counts the rows of the result."""
    width = max(b.width for b in blocks)
    _check(width, sum(b.height for b in blocks))
    rows: list[Row] = []
    for block in blocks:
        before = 0 if left else (width - block.width) // 2
        after = width - block.width - before
        rows += [(BLANK,) * before + row + (BLANK,) * after for row in block.rows]
    return Block(tuple(rows), baseline)


def scripted(base: Block, above: Block | None, below: Block | None) -> Block:
    """A base with a block at its upper right and one at its lower right."""
    width = max(b.width for b in (above, below) if b is not None)
    empty = Block((((BLANK,) * width),) * base.height)
    column = [b for b in (above, empty, below) if b is not None]
    height = above.height if above is not None else 0
    return beside(base, stacked(column, height + base.baseline, left=True))


def fence(sign: str, block: Block, *, ascii: bool) -> Block:
    """A bracket as high as the block."""
    if block.height == 1:
        return line(sign)
    top, middle, bottom = (ASCII_FENCES if ascii else UNICODE_FENCES)[sign]
    return pillar(top + middle * (block.height - 2) + bottom, block.baseline)


def brace(body: Block, *, ascii: bool) -> Block:
    """The brace of a case distinction."""
    if body.height == 1:
        return line("{")
    column = list("{" * body.height if ascii else "⎧" + "⎪" * (body.height - 2) + "⎩")
    if not ascii:
        column[body.height // 2] = "⎨"
    return pillar(column, body.baseline)


def radical(body: Block) -> Block:
    """The body under a root whose hook leans over as many rows as it has: √ below, ╱ above it."""
    height = body.height
    hook = tuple(
        tuple(Cell("√" if k == height - 1 else "╱") if c == height - 1 - k else BLANK for c in range(height))
        for k in range(height)
    )
    covered = stacked([line("_" * body.width), body], body.baseline + 1, left=True)
    return beside(Block(hook, body.baseline), covered)


def pillar(characters: Sequence[str], baseline: int) -> Block:
    """Characters on top of each other."""
    return Block(tuple((Cell(c),) for c in characters), baseline)


def _check(width: int, height: int) -> None:
    if width > MAX_WIDTH or height > MAX_HEIGHT:
        raise LimitError(
            "a formula is too large to draw",
            expected=f"at most {MAX_WIDTH} columns and {MAX_HEIGHT} rows",
            got=f"{width} columns and {height} rows",
            next="write it on one line",
        )


def marked(block: Block, mark: Mark | None) -> Block:
    """The block with a mark on every cell that has none."""
    if mark is None:
        return block
    rows = tuple(tuple(c if c.mark is not None else Cell(c.character, mark) for c in row) for row in block.rows)
    return Block(rows, block.baseline)
