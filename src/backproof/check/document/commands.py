r"""A document's own commands: \newcommand, \def and \DeclareMathOperator put in place, with the places kept."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MAX_BODY: Final = 2_000
MAX_COMMANDS: Final = 500
MAX_DEPTH: Final = 20
MAX_GROWTH: Final = 1_000_000
_DEFINITION: Final = re.compile(
    r"\\(?:(?:re|provide)?newcommand|providecommand|DeclareRobustCommand)\*?\s*(?:\{\s*\\(?P<braced>[A-Za-z]+)\s*\}|\\(?P<bare>[A-Za-z]+))"
    r"\s*(?:\[(?P<count>[0-9])\])?\s*(?:\[(?P<default>[^\]\n]{0,80})\])?\s*(?=\{)"
    r"|\\def\s*\\(?P<plain>[A-Za-z]+)\s*(?P<marks>(?:\#[1-9])*)\s*(?=\{)"
    r"|\\DeclareMathOperator(?P<star>\*?)\s*\{?\s*\\(?P<operator>[A-Za-z]+)\s*\}?\s*(?=\{)"
)
_COMMAND: Final = re.compile(r"\\([A-Za-z]+)")
_MARK: Final = re.compile(r"#([1-9])")


@dataclass(frozen=True, slots=True)
class Command:
    """A command: how many arguments it takes, the value of the first one where it may be left out, and its body."""

    count: int
    default: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text with its commands put in place.

    From `starts[k]` on, its offsets are those of the original at `origins[k]`; what a command was replaced by lies at
    the command itself.
    """

    text: str
    starts: Sequence[int] = (0,)
    origins: Sequence[int] = (0,)
    fixed: Sequence[bool] = (False,)

    def origin(self, offset: int) -> int:
        """The offset in the original text."""
        k = bisect_right(self.starts, offset) - 1
        return self.origins[k] if self.fixed[k] else self.origins[k] + offset - self.starts[k]


def expanded(text: str) -> Expanded:
    r"""The text with its own commands put in place; their definitions become blanks.

    >>> expanded(r"\newcommand{\vx}[1]{\mathbf{#1}}$\vx{w}$").text.strip()
    '$\\mathbf{w}$'
    """
    if "\\newcommand" not in text and "\\def" not in text and "command" not in text and "MathOperator" not in text:
        return Expanded(text)
    commands, blanks = _definitions(text)
    return _applied(text, commands, blanks) if commands else Expanded(text)


def _definitions(text: str) -> tuple[dict[str, Command], list[tuple[int, int]]]:
    commands: dict[str, Command] = {}
    blanks: list[tuple[int, int]] = []
    end = 0
    for found in _DEFINITION.finditer(text):
        if found.start() < end or len(commands) == MAX_COMMANDS:
            continue
        close = _closing(text, found.end())
        if close is None or close - found.end() > MAX_BODY:
            continue
        body = text[found.end() + 1 : close]
        name = found["braced"] or found["bare"] or found["plain"] or found["operator"]
        if found["operator"]:
            body = f"\\operatorname{found['star']}{{{body}}}"
        count = int(found["count"] or 0) or len(found["marks"] or "") // 2
        inner = _applied(body, commands, []).text
        if len(inner) <= MAX_BODY and not re.search(rf"\\{name}(?![A-Za-z])", inner):
            commands[name] = Command(count, found["default"], inner)
        end = close + 1
        blanks.append((found.start(), end))
    return commands, blanks


def _applied(text: str, commands: dict[str, Command], blanks: Sequence[tuple[int, int]], depth: int = 0) -> Expanded:
    out: list[str] = []
    starts, origins, fixed = [0], [0], [False]
    at = length = grown = 0
    skip = list(blanks)

    def put(piece: str, origin: int, *, still: bool) -> None:
        nonlocal length
        starts.append(length)
        origins.append(origin)
        fixed.append(still)
        out.append(piece)
        length += len(piece)

    for found in _COMMAND.finditer(text):
        start = found.start()
        while skip and skip[0][1] <= start:
            skip.pop(0)
        if start < at or (skip and skip[0][0] <= start):
            continue
        command = commands.get(found[1])
        if command is None or grown > MAX_GROWTH:
            continue
        arguments, end = _arguments(text, found.end(), command)
        if arguments is None:
            continue
        body = _MARK.sub(lambda m, a=arguments: a[int(m[1]) - 1] if int(m[1]) <= len(a) else "", command.body)
        if re.search(r"\\[A-Za-z]+$", body) and text[end : end + 1].isalpha():
            body += " "
        if any(f"\\{name}" in argument for argument in arguments for name in commands):
            inner = len(body) <= MAX_BODY and depth < MAX_DEPTH
            body = _applied(body, commands, [], depth + 1).text if inner else body
        grown += len(body)
        put(text[at:start], at, still=False)
        put(body, start, still=True)
        at = end
    put(text[at:], at, still=False)
    whole = "".join(out)
    if blanks:
        # Definitions are no formulas: blanks of the same length, so that lines and offsets stay.
        for start, end in blanks:
            left = bisect_right(origins, start) - 1
            moved = starts[left] + start - origins[left]
            piece = whole[moved : moved + end - start]
            whole = whole[:moved] + re.sub(r"[^\n]", " ", piece) + whole[moved + end - start :]
    return Expanded(whole, starts, origins, fixed)


def _arguments(text: str, at: int, command: Command) -> tuple[list[str] | None, int]:
    found: list[str] = []
    if command.default is not None:
        optional = re.compile(r"\s*\[([^\]\n]{0,80})\]").match(text, at)
        found.append(optional[1] if optional else command.default)
        at = optional.end() if optional else at
    while len(found) < command.count:
        blank = re.compile(r"[ \t]*\n?[ \t]*").match(text, at)
        start = blank.end() if blank else at
        if text[start : start + 1] == "{":
            close = _closing(text, start)
            if close is None or close - start > MAX_BODY:
                return None, at
            found.append(text[start + 1 : close])
            at = close + 1
        else:
            single = re.compile(r"\\[A-Za-z]+|[^\s\\{}$]").match(text, start)
            if single is None:
                return None, at
            found.append(single[0])
            at = single.end()
    return found, at


def _closing(text: str, start: int) -> int | None:
    """Where the brace that opens at `start` closes."""
    depth = 0
    at = start
    while at < len(text) and at - start <= MAX_BODY + 1:
        char = text[at]
        if char == "\\":
            at += 2
            continue
        depth += (char == "{") - (char == "}")
        if not depth:
            return at
        at += 1
    return None
