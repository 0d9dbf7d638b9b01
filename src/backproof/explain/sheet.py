"""Sheets: lines of styled text, laid out by us, shown plain or in the colours of a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

STYLES: Final = {
    "": "",
    "faint": "dim",
    "strong": "bold",
    "good": "green",
    "bad": "red",
    "open": "yellow",
    "good strong": "bold green",
    "bad strong": "bold red",
    "open strong": "bold yellow",
}
PAIRS: Final = ("blue", "magenta", "cyan", "yellow", "red", "green")


class Span(NamedTuple):
    """A piece of a line in one style; `pair` numbers a cancelled pair from 1, `struck` says that it is crossed out."""

    text: str
    style: str = ""
    pair: int = 0
    struck: bool = False


Row = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a two-dimensional formula; `baseline` counts from 0."""

    rows: tuple[Row, ...]
    baseline: int = 0

    @property
    def width(self) -> int:
        """The widest row, in columns of the terminal."""
        return max((row_width(row) for row in self.rows), default=0)


def text_width(text: str) -> int:
    """How many columns a text takes: combining marks none, wide characters two."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def row_width(row: Iterable[Span]) -> int:
    """How many columns a row takes."""
    return sum(text_width(span.text) for span in row)


def visible(text: str, longest: int | None = None) -> str:
    """The text with control characters made visible, so that no input can drive a terminal, cut to a length."""
    shown = "".join(c if c.isprintable() else "�" for c in text)
    return shown if longest is None or len(shown) <= longest else shown[: longest - 1] + "…"


def words(text: str, style: str = "") -> Block:
    """One line of text as a block."""
    return Block(((Span(text, style),),))


def beside(*blocks: Block) -> Block:
    """Blocks side by side, baselines on one line."""
    above = max(b.baseline for b in blocks)
    below = max(len(b.rows) - b.baseline for b in blocks)
    rows: list[Row] = []
    for level in range(-above, below):
        row: list[Span] = []
        for block in blocks:
            at = level + block.baseline
            inside = block.rows[at] if 0 <= at < len(block.rows) else ()
            row += [*inside, Span(" " * (block.width - row_width(inside)))]
        rows.append(tuple(row))
    return Block(tuple(rows), above)


def padded(block: Block, width: int) -> Block:
    """The block with blanks at its right."""
    return Block(tuple((*row, Span(" " * (width - row_width(row)))) for row in block.rows), block.baseline)


def stacked(blocks: Sequence[Block], baseline: int = 0) -> Block:
    """Blocks below each other."""
    return Block(tuple(row for block in blocks for row in block.rows), baseline)


def wrapped(text: str, width: int, style: str = "") -> Block:
    """Words broken into lines of at most a width; a longer word has a line of its own."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and text_width(lines[-1]) + 1 + text_width(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return Block(tuple((Span(line, style),) for line in lines))


def boxed(title: str, content: Sequence[Row], width: int, style: str, *, ascii: bool) -> list[Row]:
    """Rows in a frame with a title."""
    corners = "++++-|" if ascii else "╭╮╰╯─│"
    top_left, top_right, bottom_left, bottom_right, dash, bar = corners
    inner = max([width - 4, text_width(title) + 4, *(row_width(row) for row in content)])
    head = (Span(f"{top_left}{dash} ", style), Span(title, f"{style} strong"))
    rest = dash * (inner - text_width(title) - 1)
    rows: list[Row] = [(*head, Span(f" {rest}{top_right}", style))]
    for row in content:
        fill = " " * (inner - row_width(row))
        rows.append((Span(f"{bar} ", style), *row, Span(f"{fill} {bar}", style)))
    rows.append((Span(bottom_left + dash * (inner + 2) + bottom_right, style),))
    return rows


def plain(rows: Iterable[Row]) -> str:
    """The rows without styles."""
    return "\n".join("".join(visible(span.text) for span in row).rstrip() for row in rows) + "\n"


def coloured(rows: Iterable[Row]) -> str:
    """The rows with the escape codes of the terminal that standard output is."""
    from rich.console import Console
    from rich.style import Style
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    with console.capture() as capture:
        for row in rows:
            line = Text()
            for span in row:
                style = Style.parse(STYLES[span.style] or "none")
                if span.pair:
                    style += Style(color=PAIRS[(span.pair - 1) % len(PAIRS)], strike=span.struck)
                line.append(visible(span.text), style)
            line.rstrip()
            console.print(line)
    return capture.get()
