"""Tokens: the pieces of a formula, the same ones whether it is written in ASCII, Unicode or LaTeX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

Kind = Literal[
    "number", "name", "d", "sign", "command", "words", "row", "newline", "gap", "begin", "end", "method", "stop"
]


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

BREAKS: Final[frozenset[Kind]] = frozenset(("newline", "gap"))
_CONTINUES: Final = frozenset("+-*·×⊙⊗@/=≠<>≤≥≈∈≡→←^_(") | {":=", "-=", "+=", "\\{"}


def lines_joined(tokens: list[Token], end: int) -> Iterator[Token]:
    """The tokens without line ends and gaps inside one formula and without punctuation at the end; then a `stop`."""
    last = len(tokens)
    while last and (
        tokens[last - 1].kind in BREAKS
        or (tokens[last - 1].kind == "sign" and tokens[last - 1].text in (".", ",", ";", ":", "?"))
    ):
        last -= 1
    previous: Token | None = None
    waiting: Token | None = None
    kept = _brackets_joined(tokens[:last])
    for k, token in enumerate(kept):
        if token.kind in BREAKS:
            waiting = waiting or token
            continue
        if waiting is not None and previous is not None and not (_goes_on(previous) or _goes_on(token, ahead=True)):
            yield Token("newline", waiting.text, waiting.start, waiting.end)
        if token.text == "→" and (waiting is not None or kept[min(k + 1, len(kept) - 1)].kind == "gap"):
            # f = x y  →  ∂f/∂x = y, with wide gaps, is two formulas.
            token = token._replace(text="⇒")
        previous, waiting = token, None
        yield token
    yield Token("stop", "", end, end, spaced=True)


def _goes_on(token: Token, *, ahead: bool = False) -> bool:
    """Whether a formula goes on after the token, or into it from the line before."""
    return token.kind == "sign" and token.text in _CONTINUES and not (ahead and token.text in ("(", "\\{"))


def _brackets_joined(tokens: list[Token]) -> list[Token]:
    """The tokens without \\right. … \\left. around the end of a line, which carry a bracket over to the next line."""
    kept: list[Token] = []
    for token in tokens:
        if token.text == "left." and token.kind == "sign":
            back = len(kept) - 1
            while back >= 0 and kept[back].kind in BREAKS:
                back -= 1
            if 0 <= back < len(kept) - 1 and kept[back].kind == "sign" and kept[back].text == "right.":
                del kept[back:]
                continue
        kept.append(token)
    return kept
