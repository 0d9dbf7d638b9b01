"""Lessons and judgements as LaTeX documents that compile alone: amsmath, cancel and xcolor, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from backproof.explain.judgement import Judgement, Phrase
from backproof.explain.lesson import Lesson, Passage
from backproof.explain.lettering import latex_words
from backproof.language.latex import typeset
from backproof.language.notation import Notation

HEAD: Final = r"""\documentclass{article}
\usepackage[a4paper, margin=25mm]{geometry}
\usepackage{amsmath, cancel, xcolor}
\setlength{\parindent}{0pt}
\allowdisplaybreaks
\begin{document}
"""
TAIL: Final = "\\end{document}\n"
VERDICTS: Final = {"proved": "proved", "refuted": "refuted", "unknown": "unknown", "unread": "not understood"}


def lesson_latex(lesson: Lesson) -> str:
    """The lesson as a document."""
    parts = [HEAD, f"\\section*{{{latex_words(lesson.title)}}}\n"]
    if lesson.given:
        rows = " \\\\\n".join("  &" + typeset(notation) for notation in lesson.given)
        parts.append(f"\\begin{{align*}}\n{rows}\n\\end{{align*}}\n")
    parts += [_passage(passage) for passage in lesson.passages]
    return "\n".join(parts) + "\n" + TAIL


def _passage(passage: Passage) -> str:
    rows: list[str] = []
    for number, line in enumerate(passage.lines):
        left = typeset(line.left) + " " if passage.shows_left(number) else ""
        why = f"\\parbox[c]{{65mm}}{{\\raggedright {latex_words(line.why)}}}"
        rows.append(f"  {left}&= {typeset(line.notation)} && {why}")
    body = " \\\\\n".join(rows)
    heading = latex_words(passage.heading[0].upper() + passage.heading[1:])
    text = f"\\subsection*{{{heading}}}\n\\begin{{align*}}\n{body}\n\\end{{align*}}\n"
    verdict = VERDICTS[passage.result.verdict]
    if passage.result.conditions:
        verdict += ", needs " + ", ".join(f"${typeset(c)}$" for c in passage.result.conditions)
    if passage.general is not None:
        verdict += f"; without it ${typeset(passage.general)}$"
    if passage.because is not None:
        verdict += ": " + latex_words(passage.because)
    return text + f"\\emph{{{verdict}}}\n"


def judgements_latex(judgements: Sequence[Judgement]) -> str:
    """The judgements as a document."""
    return HEAD + "\n".join(_judgement(judgement) for judgement in judgements) + TAIL


def _judgement(judgement: Judgement) -> str:
    rows: list[str] = []
    for label, notation in (("read as", judgement.read_as), ("correct", judgement.correct)):
        if notation is not None:
            rows.append(f"\\item[{label}] $\\displaystyle {typeset(notation)}$")
    rows += [f"\\item[{latex_words(row.label)}] {_phrase(row.content)}" for row in judgement.rows]
    title = f"{VERDICTS[judgement.verdict]}: \\texttt{{{latex_words(judgement.claim)}}}"
    body = "\n".join(rows)
    return f"\\section*{{{title}}}\n\\begin{{description}}\n{body}\n\\end{{description}}\n"


def _phrase(phrase: Phrase) -> str:
    return "".join(f"${typeset(part)}$" if isinstance(part, Notation) else latex_words(part) for part in phrase)


def math_of_lesson(lesson: Lesson) -> str:
    """The lesson as one displayed formula for a notebook, which has no document around it."""
    rows: list[str] = []
    for passage in lesson.passages:
        for number, line in enumerate(passage.lines):
            left = typeset(line.left) if passage.shows_left(number) else ""
            rows.append(f"{left} &= {typeset(line.notation)} && \\text{{{latex_words(line.why)}}}")
    return _displayed(rows)


def math_of_judgement(judgement: Judgement) -> str:
    """The judgement as one displayed formula for a notebook."""
    rows = [f"\\text{{{VERDICTS[judgement.verdict]}}} &&"]
    for label, notation in (("read as", judgement.read_as), ("correct", judgement.correct)):
        if notation is not None:
            rows.append(f"\\text{{{label}}} && {typeset(notation)}")
    for row in judgement.rows:
        content = " ".join(
            typeset(part) if isinstance(part, Notation) else f"\\text{{{latex_words(part)}}}" for part in row.content
        )
        rows.append(f"\\text{{{latex_words(row.label)}}} && {content}")
    return _displayed(rows)


def _displayed(rows: Sequence[str]) -> str:
    return "$$\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}$$"
