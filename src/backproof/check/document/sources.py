"""Reading documents: where their formulas stand, for every kind of file and delimiter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from backproof.check.document.commands import Expanded, expanded
from backproof.errors import FileError, LimitError

MAX_DOCUMENT: Final = 4 * 1024 * 1024
MAX_FORMULA: Final = 20_000
Kind = Literal["prose", "inline", "display", "code", "worksheet"]

SUFFIXES: Final = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".qmd": "markdown",
    ".rmd": "markdown",
    ".txt": "markdown",
    ".html": "markdown",
    ".htm": "markdown",
    ".tex": "latex",
    ".rst": "rest",
    ".ipynb": "notebook",
    ".bp": "worksheet",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a document: what it is, its text, and its offset in the document's text."""

    kind: Kind
    text: str
    start: int


@dataclass(frozen=True)
class Document:
    """A document as text with its pieces in order; `lines` maps a line of the text to the file's line and column.

    `own` is the text with its own commands put in place, which the pieces are taken from.
    """

    name: str
    original: str
    own: Expanded
    pieces: tuple[Piece, ...]
    lines: Sequence[tuple[int, int]] | None = None

    @property
    def text(self) -> str:
        """The text that the pieces are taken from."""
        return self.own.text

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column in the file, from 1, of an offset of the text."""
        offset = self.own.origin(offset)
        line = self.original.count("\n", 0, offset)
        column = offset - (self.original.rfind("\n", 0, offset) + 1)
        if self.lines is None:
            return line + 1, column + 1
        number, first = self.lines[min(line, len(self.lines) - 1)]
        return number, first + column


def read_document(text: str, name: str, kind: str) -> Document:
    """The document with its pieces. Raises LimitError for a text that is too long, FileError for a broken notebook."""
    if len(text) > MAX_DOCUMENT:
        raise LimitError(
            "the document is too long",
            expected=f"at most {MAX_DOCUMENT // 1024 // 1024} MB of text",
            got=f"{len(text) // 1024} kB",
        )
    if kind == "notebook":
        return _notebook(text, name)
    text = text.replace("\r\n", "\n ").replace("\r", "\n") if "\r" in text else text
    own = expanded(_COMMENT.sub(_blanked, text) if kind == "latex" else text)
    return Document(name, text, own, tuple(pieces(own.text, kind)))


def _blanked(found: re.Match[str]) -> str:
    return " " * len(found[0])


_FENCE: Final = (
    r"^(?P<indent>[ \t>]*)(?P<fence>`{3,}|~{3,})(?P<info>[^\n`]*)\n(?P<inside>.*?)(?:^[ \t>]*(?P=fence)[`~]*[ \t]*$|\Z)"
)
_ENVIRONMENT: Final = (
    r"\\begin\{(?P<env>equation|align|alignat|flalign|gather|multline|eqnarray|displaymath|math|aligned)(?P<star>\*?)\}"
    r"(?P<environment>.+?)\\end\{(?P=env)(?P=star)\}"
)
_MATH: Final = (
    r"\$\$(?P<dollars>.+?)\$\$",
    r"\\\\\[(?P<bracket2>.+?)\\\\\]",
    r"\\\\\((?P<paren2>.+?)\\\\\)",
    r"\\\[(?P<bracket>.+?)\\\]",
    r"\\\((?P<paren>.+?)\\\)",
    _ENVIRONMENT,
    r"(?<![\\$])\$`(?P<gitlab>[^`]+)`\$",
    r"(?<![\\$\w])\$(?P<dollar>(?=\S)[^$\n]+?(?:\n(?!\s*\n)[^$\n]+?){0,6}(?<=\S)|[ ][^$\n]+[ ])(?<!\\)\$(?![\d$])",
)
_CODE: Final = r"(?<!`)(?P<ticks>`{1,2})(?!`)(?P<code>[^`\n]+?)(?P=ticks)(?!`)"
_HIDDEN: Final = r"<!--.*?-->|<(?P<tag>script|style|svg)\b.*?</(?P=tag)>"
_ROLE: Final = r":math:`(?P<role>[^`]+)`"
_DIRECTIVE: Final = (
    r"^(?P<margin>[ \t]*)\.\. math::(?P<first>[^\n]*)\n(?P<directive>(?:[ \t]*\n|(?P=margin)[ \t]+[^\n]*(?:\n|\Z))*)"
)
_VERBATIM: Final = r"\\begin\{(?P<verb>verbatim|lstlisting|minted|comment)\}.*?\\end\{(?P=verb)\}"
_FLAGS: Final = re.MULTILINE | re.DOTALL
_SCANNERS: Final = {
    "markdown": re.compile("|".join((_FENCE, _HIDDEN, *_MATH, _CODE)), _FLAGS),
    "rest": re.compile("|".join((_DIRECTIVE, _ROLE, r"``[^`\n]+``", *_MATH)), _FLAGS),
    "latex": re.compile("|".join((_VERBATIM, *_MATH)), _FLAGS),
}
_COMMENT: Final = re.compile(r"(?<!\\)%[^\n]*")
_ESCAPED: Final = re.compile(r"\\\\(?=[A-Za-z])")
_INLINE: Final = ("paren2", "paren", "dollar", "gitlab", "role")
_DISPLAY: Final = ("dollars", "bracket2", "bracket", "environment", "first", "directive")
_MATH_FENCES: Final = ("math", "latex", "tex", "{math}")


def pieces(text: str, kind: str) -> Iterator[Piece]:
    """The pieces of a text in order; prose stands between the others."""
    doubled = kind != "latex" and "\\\\(" in text
    at = 0
    for found in _SCANNERS.get(kind, _SCANNERS["markdown"]).finditer(text):
        if found.start() > at:
            yield Piece("prose", text[at : found.start()], at)
        yield from _found(found, doubled=doubled)
        at = found.end()
    if at < len(text):
        yield Piece("prose", text[at:], at)


def _found(found: re.Match[str], *, doubled: bool) -> Iterator[Piece]:
    groups = found.groupdict()
    if groups.get("inside") is not None:
        info = (groups.get("info") or "").strip().lower()
        kind: Kind = "code"
        if "backproof" in info.split() or info.strip("{}.") == "backproof":
            kind = "worksheet"
        elif info in _MATH_FENCES:
            kind = "display"
        yield Piece(kind, groups["inside"] or "", found.start("inside"))
        return
    for name in (*_DISPLAY, *_INLINE):
        inside = groups.get(name)
        if inside is not None and inside.strip():
            shown: Kind = "display" if name in _DISPLAY else "inline"
            if doubled:
                inside = _undoubled(inside)
                # A line has no rows: two backslashes before a command are one that was escaped too often.
                inside = _ESCAPED.sub(r" \\", inside) if shown == "inline" else inside
            yield Piece(shown, inside, found.start(name))
    if not any(groups.get(name) is not None for name in (*_DISPLAY, *_INLINE)):
        yield Piece("code", found[0], found.start())


def _undoubled(text: str) -> str:
    r"""LaTeX that was escaped for Markdown, `\\\\` for `\\`, with all offsets kept."""
    return text.replace("\\\\\\\\", "\\\\  ").replace("\\\\{", " \\{").replace("\\\\}", " \\}").replace("\\_", " _")


def _notebook(text: str, name: str) -> Document:
    """A notebook: its Markdown cells one after the other, each line with its place in the file."""
    try:
        loaded: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise FileError("this is no notebook: its JSON cannot be read", got=name) from None
    if not isinstance(loaded, dict) or not isinstance(cast("dict[str, Any]", loaded).get("cells"), list):
        raise FileError("this is no notebook: it has no cells", got=name)
    cells = cast("list[Any]", loaded["cells"])
    whole: list[str] = []
    lines: list[tuple[int, int]] = []
    at = 0
    for cell in cells:
        for row in _rows(cell):
            found, length = _in_json(text, row, at)
            if found >= 0:
                at = found + length
            begin = max(found, 0)
            line = text.count("\n", 0, begin) + 1
            column = begin - (text.rfind("\n", 0, begin) + 1) + 1
            for part in row.rstrip("\n").split("\n"):
                whole.append(part)
                lines.append((line, column))
        whole.append("")
        lines.append(lines[-1] if lines else (1, 1))
    joined = "\n".join(whole)
    own = expanded(joined)
    return Document(name, joined, own, tuple(pieces(own.text, "markdown")), lines or [(1, 1)])


def _rows(cell: Any) -> list[str]:
    """The lines of a Markdown cell; nothing for another cell."""
    if not isinstance(cell, dict):
        return []
    known = cast("dict[str, Any]", cell)
    if known.get("cell_type") != "markdown":
        return []
    source: Any = known.get("source", "")
    if isinstance(source, list):
        return [str(row) for row in cast("list[Any]", source)]
    return str(source).splitlines(keepends=True)


def _in_json(text: str, row: str, at: int) -> tuple[int, int]:
    """Where a string of the notebook stands in its file, behind what was found before."""
    for ascii in (False, True):
        inner = json.dumps(row, ensure_ascii=ascii)[1:-1]
        found = text.find(inner, at)
        if found >= 0:
            return found, len(inner)
    return -1, 0
