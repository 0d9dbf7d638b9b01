"""Lessons and judgements as web pages: one file each, readable without a script, a network or a screen."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final

from backproof.explain.judgement import Judgement, Phrase, Row
from backproof.explain.lesson import Lesson, Line, Passage
from backproof.explain.mathml import formula
from backproof.explain.speech import spoken
from backproof.language.notation import Notation, Relation
from backproof.language.text import write

MARKS: Final = {
    "proved": ("✓", "proved"),
    "refuted": ("✗", "refuted"),
    "unknown": ("?", "unknown"),
    "unread": ("!", "not understood"),
}
BROAD, WIDE = 34, 64
"""From how many characters on a formula leaves no room beside it: in a column, on a page."""
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; base-uri 'none'; form-action 'none'"
FOOT: Final = (
    "Every line was derived and decided exactly by backproof: “proved” holds for all sizes and all data where both "
    "sides are defined. Equal numbers and colours mark the factors that cancel each other."
)


def lesson_html(lesson: Lesson) -> str:
    """The lesson as a page."""
    return document(lesson.title, f"<main>{lesson_body(lesson)}</main>", FOOT)


def judgements_html(judgements: Sequence[Judgement]) -> str:
    """The judgements of claims as a page."""
    body = "".join(judgement_card(judgement) for judgement in judgements)
    return document("Checked formulas", f"<main>{body}</main>", FOOT)


def document(title: str, body: str, foot: str, *, style: str = "", policy: str = POLICY, head: str = "") -> str:
    """A page of its own, with its style and font inside."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{words(title)} · backproof</title>\n<style>\n{face()}{asset('page.css')}{style}</style>\n{head}"
        f"</head>\n<body>\n<header><h1>{words(title)}</h1></header>\n{body}\n<footer><p>{words(foot)}</p></footer>\n"
        "</body>\n</html>\n"
    )


@cache
def asset(name: str) -> str:
    """A text file that belongs to pages."""
    return (files("backproof.explain") / "assets" / name).read_text("utf-8")


@cache
def face() -> str:
    """The font of formulas as a style rule that holds it."""
    font = (files("backproof.explain") / "assets" / "stix-two-math-subset.woff2").read_bytes()
    data = base64.b64encode(font).decode("ascii")
    return (
        '@font-face { font-family: "backproof math"; font-display: block; '
        f'src: url("data:font/woff2;base64,{data}") format("woff2"); }}\n'
    )


def words(text: str) -> str:
    """The text as it stands in a page."""
    return escape(text, quote=False)


def mark(verdict: str) -> str:
    """The verdict with its sign."""
    sign, word = MARKS[verdict]
    shown = f'<span aria-hidden="true">{sign} </span><span class="word">{word}</span>'
    return f'<span class="verdict {verdict}">{shown}</span>'


def lesson_body(lesson: Lesson) -> str:
    """What is given, the results, and every passage as a card."""
    given = "".join(f"<li>{formula(notation, block=True)}</li>" for notation in lesson.given)
    results = "".join(f"<li>{_result(passage)}</li>" for passage in lesson.passages)
    parts = [
        _card("Given", f'<ul class="formulas">{given}</ul>') if given else "",
        _card("Result" if len(lesson.passages) == 1 else "Results", f'<ul class="results">{results}</ul>'),
        *(passage_card(passage) for passage in lesson.passages),
    ]
    return "\n".join(parts)


def _card(title: str, content: str) -> str:
    scroll = f'<div class="scroll" role="group" tabindex="0" aria-label="{escape(title)}">{content}</div>'
    return f'<section class="card"><h2>{words(title)}</h2>{scroll}</section>'


def _result(passage: Passage) -> str:
    text = formula(passage.equation, block=True) + mark(passage.result.verdict)
    if passage.result.conditions:
        text += f'<span class="unknown">needs {_listed(passage.result.conditions)}</span>'
    if passage.general is not None:
        text += f'<span class="quiet">without it {formula(passage.general, block=True)}</span>'
    if passage.because is not None:
        text += f'<span class="quiet">{words(passage.because)}</span>'
    return text


def passage_card(passage: Passage) -> str:
    """The steps to one equation as a card."""
    heading = passage.heading[0].upper() + passage.heading[1:]
    steps = "\n".join(_step(passage, number, line) for number, line in enumerate(passage.lines))
    name = escape(passage.name, quote=True)
    longest = max(len(write(line.notation)) for line in passage.lines)
    kind = "steps" + (" broad" if longest > BROAD else "") + (" wide" if longest > WIDE else "")
    return (
        f'<section class="card" id="{name}"><h2>{words(heading)} <code class="quiet">{name}</code></h2>\n'
        f'<div class="scroll" role="group" tabindex="0" aria-label="steps to {escape(heading.lower(), quote=True)}">'
        f'<ol class="{kind}">\n{steps}\n</ol></div></section>'
    )


def _step(passage: Passage, number: int, line: Line) -> str:
    left = formula(line.left, block=True) if passage.shows_left(number) else ""
    needs = f'<span class="needs">needs {_listed(line.conditions)}</span>' if line.conditions else ""
    heard = words(f"Step {number + 1}: {spoken(Relation((line.left, line.notation), ('=',)))}.")
    return (
        f'<li><span class="heard">{heard}</span><span class="number" aria-hidden="true">{number + 1}</span>'
        f'<span class="left" aria-hidden="true">{left}</span>'
        f'<span class="right" aria-hidden="true">{formula(line.notation, block=True, equals=True)}</span>'
        f'<span class="why">{words(line.why)}{needs}</span>{mark(line.verdict)}</li>'
    )


def _listed(formulas: Sequence[Notation]) -> str:
    return ", ".join(formula(f) for f in formulas)


def judgement_card(judgement: Judgement) -> str:
    """What was found about a claim as a card."""
    rows = [
        _pair(label, formula(notation, block=True))
        for label, notation in (("read as", judgement.read_as), ("correct", judgement.correct))
        if notation is not None
    ]
    rows += [_judged_row(judgement, row) for row in judgement.rows]
    verdict = judgement.verdict
    return (
        f'<article class="card judgement {verdict}-card"><h2>{mark(verdict)} <code>{words(judgement.claim)}</code></h2>'
        f'<div class="scroll" role="group" tabindex="0" aria-label="explanation">'
        f'<dl class="rows">{"".join(rows)}</dl></div></article>'
    )


def _judged_row(judgement: Judgement, row: Row) -> str:
    if judgement.verdict == "unread" and not row.label:
        # A line of the claim with carets below it: every character keeps its column.
        return _pair("", f"<pre>{_phrase(row.content)}</pre>")
    return _pair(row.label, _phrase(row.content))


def _pair(label: str, content: str) -> str:
    return f"<dt>{words(label)}</dt><dd>{content}</dd>"


def _phrase(phrase: Phrase) -> str:
    return "".join(formula(part, block=True) if isinstance(part, Notation) else words(part) for part in phrase)
