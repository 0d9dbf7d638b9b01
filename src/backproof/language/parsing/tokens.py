"""Tokens: the pieces of a formula, the same ones whether it is written in ASCII, Unicode or LaTeX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

Kind = Literal["number", "name", "d", "sign", "command", "words", "row", "newline", "begin", "end", "method", "stop"]


class Token(NamedTuple):
    """A piece of a formula.

    `text` is canonical: `\\sigma`, `σ` and `sigma` are all `sigma`. `spaced` says that a blank stands before it.
    """

    kind: Kind
    text: str
    start: int
    end: int
    spaced: bool = False
    accent: str | None = None


Choice = Literal["letters", "differential", "labels", "quotient", "elementwise", "factor", "sums", "arguments"]
"""What can be read in two ways; which of them is the likelier is written at each place that asks."""

_CONTINUES: Final = frozenset("+-*·×⊙⊗@/=≠<>≤≥≈∈≡→←^_(") | {":=", "-=", "+=", "\\{"}


def lines_joined(tokens: list[Token], end: int) -> Iterator[Token]:
    """The tokens without line ends inside one formula and without punctuation at the end; a `stop` after them."""
    last = len(tokens)
    while last and (
        tokens[last - 1].kind == "newline"
        or (tokens[last - 1].kind == "sign" and tokens[last - 1].text in (".", ",", ";", ":", "?"))
    ):
        last -= 1
    tokens = _brackets_joined(tokens[:last])
    last = len(tokens)
    previous: Token | None = None
    for k in range(last):
        token = tokens[k]
        if token.kind == "newline":
            following = next((t for t in tokens[k + 1 : last] if t.kind != "newline"), None)
            if previous is None or following is None or previous.kind == "newline":
                continue
            if (previous.kind == "sign" and previous.text in _CONTINUES) or (
                following.kind == "sign" and following.text in _CONTINUES - {"(", "\\{"}
            ):
                continue
        previous = token
        yield token
    yield Token("stop", "", end, end, spaced=True)


def _brackets_joined(tokens: list[Token]) -> list[Token]:
    """The tokens without \\right. … \\left. around the end of a line, which carry a bracket over to the next line."""
    kept: list[Token] = []
    for token in tokens:
        if token.text == "left." and token.kind == "sign":
            back = len(kept) - 1
            while back >= 0 and kept[back].kind == "newline":
                back -= 1
            if 0 <= back < len(kept) - 1 and kept[back].kind == "sign" and kept[back].text == "right.":
                del kept[back:]
                continue
        kept.append(token)
    return kept
