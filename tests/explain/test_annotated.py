"""Documents as pages: the lines as written, with the verdicts in place."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from backproof.check.document.reader import check_document
from backproof.explain.annotated import AROUND, annotated
from backproof.explain.findings import report_html

SHEET = "input w, x, y\nz = w x\na = sigmoid(z)\nJ = 1/2 (a - y)^2\ndJ/dz = (a - y) a (1 - a)\ndJ/dw = (a - y) x\n"
NOTES = "# Notes <script>\n" + "\nwords & more\n" * 10 + f"\n```backproof\n{SHEET}```\n" + "\nend" * 12


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)


def test_every_line_has_its_number_and_claims_their_verdict() -> None:
    report = check_document(NOTES, "notes.md", "markdown")
    shown = annotated(NOTES, report.claims)
    numbers = [int(n) for n in re.findall(r'<li value="(\d+)">', shown)]
    assert numbers == list(range(1, NOTES.rstrip("\n").count("\n") + 2))
    lines = NOTES.split("\n")
    for text, verdict in (("dJ/dz = (a - y) a (1 - a)", "proved"), ("dJ/dw = (a - y) x", "refuted")):
        row = shown.split(f'<li value="{lines.index(text) + 1}">')[1].split("</li>")[0]
        assert f'<code>{text}</code><span class="verdict {verdict}">' in row
        assert ("<details open>" in row) == (verdict == "refuted")


def test_a_report_shows_the_lines_near_its_claims() -> None:
    report = check_document(NOTES, "notes.md", "markdown")
    page = report_html([report])
    assert "2 claims about derivatives found, 2 understood: 1 proved, 1 refuted" in page
    shown = [int(n) for n in re.findall(r'<li value="(\d+)">', page)]
    first = NOTES.split("\n").index("dJ/dz = (a - y) a (1 - a)") + 1
    assert shown == list(range(first - AROUND, first + 1 + AROUND + 1))
    assert page.count(" lines without a claim") == 2
    tags = Tags()
    tags.feed(page)
    assert "script" not in tags.seen


def test_only_what_is_asked_for() -> None:
    report = check_document(NOTES, "notes.md", "markdown")
    page = report_html([report], only=("refuted",))
    assert page.count("<details") == 1
    assert report_html([report], only=()).count("<details") == 0
