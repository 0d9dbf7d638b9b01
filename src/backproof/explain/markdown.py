"""Lessons and judgements as Markdown: a numbered list, one formula a step, what cancels said in words too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from backproof.explain.judgement import Judgement, Phrase
from backproof.explain.lesson import Lesson, Passage
from backproof.language.latex import typeset
from backproof.language.notation import Notation

MARKS: Final = {"proved": "✓ proved", "refuted": "✗ refuted", "unknown": "? unknown", "unread": "! not understood"}
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|$~])")


def lesson_markdown(lesson: Lesson) -> str:
    """The lesson as a document."""
    parts = [f"# {escaped(lesson.title)}", *(_display(notation) for notation in lesson.given)]
    for passage in lesson.passages:
        parts += _passage(passage)
    return "\n\n".join(parts) + "\n"


def _passage(passage: Passage) -> list[str]:
    parts = [f"## {passage.heading[0].upper()}{passage.heading[1:]}"]
    for number, line in enumerate(passage.lines):
        left = f"{typeset(line.left)} = " if passage.shows_left(number) else "= "
        why = f"{number + 1}. {escaped(line.why)} ({MARKS[line.verdict]})"
        parts.append(f"{why}\n\n   $${left}{typeset(line.notation)}$$")
    result = f"**{MARKS[passage.result.verdict]}**: ${typeset(passage.equation)}$"
    if passage.result.conditions:
        result += ", needs " + ", ".join(f"${typeset(c)}$" for c in passage.result.conditions)
    if passage.general is not None:
        result += f"; without it ${typeset(passage.general)}$"
    if passage.because is not None:
        result += f" ({escaped(passage.because)})"
    return [*parts, result]


def judgements_markdown(judgements: Sequence[Judgement]) -> str:
    """The judgements as a document."""
    return "\n\n".join(_judgement(judgement) for judgement in judgements) + "\n"


def _judgement(judgement: Judgement) -> str:
    rows = [f"## {MARKS[judgement.verdict]}: {code(judgement.claim)}", ""]
    for label, notation in (("read as", judgement.read_as), ("correct", judgement.correct)):
        if notation is not None:
            rows.append(f"- {label}: ${typeset(notation)}$")
    rows += [
        f"- {row.label}: {_phrase(row.content)}" if row.label else f"  {_phrase(row.content)}" for row in judgement.rows
    ]
    return "\n".join(rows)


def _phrase(phrase: Phrase) -> str:
    return "".join(f"${typeset(part)}$" if isinstance(part, Notation) else escaped(part) for part in phrase)


def _display(notation: Notation) -> str:
    return f"$${typeset(notation)}$$"


def escaped(text: str) -> str:
    r"""The words with what Markdown would take for its own behind a backslash.

    >>> print(escaped("a_k * [z > 0]"))
    a\_k \* \[z \> 0\]
    """
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """The text as a piece of code on one line, fenced by more backticks than it holds in a row."""
    flat = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", flat)), default=0) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"
