"""The lines of a worksheet: what each one says, and where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from backproof.errors import FormulaError, LimitError, Place

MAX_TEXT: Final = 256 * 1024
MAX_STATEMENTS: Final = 4_000

KEYWORDS: Final = {
    "size": "sizes",
    "sizes": "sizes",
    "input": "inputs",
    "inputs": "inputs",
    "parameter": "inputs",
    "parameters": "inputs",
    "constant": "inputs",
    "constants": "inputs",
    "function": "function",
    "functions": "function",
    "define": "define",
    "let": "define",
    "loss": "loss",
    "assume": "assume",
    "assumption": "assume",
    "claim": "claim",
    "check": "claim",
    "show": "claim",
    "layout": "layout",
    "batch": "batch",
    "examples": "batch",
}
_KEYWORD: Final = re.compile(rf"({'|'.join(KEYWORDS)})\b:?(?=\s|$)", re.IGNORECASE)
_GOES_ON: Final = re.compile(r"\s*(?:=|≡|≈|\+|·|⊙|×|\\(?:times|cdot|odot)\b)")
_UNFINISHED: Final = re.compile(r"(?:[=+\-*/·⊙×(\[{,]|\\\\)\s*\Z")
_COMMENT: Final = re.compile(r"(?<![\\{])#[^\n]*|(?<![:\w])//[^\n]*")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its kind, and the span of what follows its keyword.

    `text` is as long as the source, with the comments and line ends of the statement blanked: offsets are the same.
    """

    kind: str
    text: str
    start: int
    end: int
    source: str | None = None

    @property
    def body(self) -> str:
        """What the statement says, without its keyword."""
        return self.text[self.start : self.end]

    def place(self, start: int | None = None, end: int | None = None) -> Place:
        """A part of the statement as a place; offsets count from the start of `body`."""
        first = self.start + (start or 0)
        return Place(self.text, first, self.start + end if end is not None else self.end, self.source)


def statements(text: str, source: str | None = None) -> Iterator[Statement]:
    """The statements of a worksheet in order.

    A line goes on where the next one starts with a relation or an operator, or where brackets are open.

    >>> [(s.kind, s.body) for s in statements("input x in R^n  # data\\nJ = sum(x)\\n  = x^T 1")]
    [('inputs', 'x in R^n'), ('formula', 'J = sum(x)   = x^T 1')]
    """
    if len(text) > MAX_TEXT:
        raise LimitError("the worksheet is too long", expected=f"at most {MAX_TEXT // 1024} kB of text")
    plain = _COMMENT.sub(lambda m: " " * len(m[0]), text).replace("\t", " ").replace("\r", " ")
    starts: list[int] = []
    ends: list[int] = []
    depth = 0
    position = 0
    for line in plain.split("\n"):
        stop = position + len(line)
        if line.strip():
            goes_on = bool(ends) and (
                depth > 0 or _GOES_ON.match(line) is not None or _UNFINISHED.search(plain[starts[-1] : ends[-1]])
            )
            if goes_on:
                ends[-1] = stop
            else:
                starts.append(position)
                ends.append(stop)
                depth = 0
            depth = max(0, depth + _opened(line))
        else:
            depth = 0
        position = stop + 1
    if len(starts) > MAX_STATEMENTS:
        raise LimitError("the worksheet has too many lines", expected=f"at most {MAX_STATEMENTS} statements")
    flat = plain.replace("\n", " ")
    for start, end in zip(starts, ends, strict=True):
        yield _statement(text, flat, start, end, source)


def _opened(line: str) -> int:
    return sum(line.count(c) for c in "([{") - sum(line.count(c) for c in ")]}")


def _statement(text: str, flat: str, start: int, end: int, source: str | None) -> Statement:
    start += len(flat[start:end]) - len(flat[start:end].lstrip())
    end = start + len(flat[start:end].rstrip())
    found = _KEYWORD.match(flat, start, end)
    kind = KEYWORDS[found[1].lower()] if found else "formula"
    if kind == "loss" and found is not None and flat[found.end() : end].lstrip().startswith(("=", ":=")):
        # "loss = …" defines a name.
        kind, found = "formula", None
    begin = start if found is None else found.end()
    begin += len(flat[begin:end]) - len(flat[begin:end].lstrip())
    if begin >= end:
        raise FormulaError(
            "nothing follows this word",
            place=Place(text, start, end, source),
            expected="names or a formula",
        )
    # Line ends stay outside the statement only, so that a place in it shows its own line.
    own = text[:start] + flat[start:end] + text[end:]
    return Statement(kind, own, begin, end, source)


_BLOCK: Final = re.compile(
    r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*\{?\.?backproof\b[^\n]*\n(?P<body>.*?)"
    r"(?:^(?P=indent)(?P=fence)[`~]*[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)


def blocks(text: str) -> Iterator[tuple[int, int]]:
    """The spans of the fenced blocks marked `backproof` in a Markdown text."""
    for found in _BLOCK.finditer(text):
        yield found.span("body")
