"""Reports on worksheets and documents: terminal, Markdown, web page, JSON, and annotations for GitHub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from backproof.explain.judgement import judgement
from backproof.explain.terminal import MARKS
from backproof.language.text import write

if TYPE_CHECKING:
    from backproof.check.claims import CheckedClaim
    from backproof.check.document.reader import Report

VERDICTS: Final = ("proved", "refuted", "unknown", "unread")
LONGEST: Final = 160
WIDEST: Final = 100
_COLOURS: Final = {"proved": "\x1b[32m", "refuted": "\x1b[31m", "unknown": "\x1b[33m", "unread": "\x1b[33m"}
_PLAIN: Final = "\x1b[0m"
_LEVELS: Final = {"refuted": "error", "unknown": "warning", "unread": "warning"}


def summary(reports: Iterable[Report]) -> str:
    """One line on what was found, understood and judged."""
    claims = [claim for report in reports for claim in report.claims]
    counts = Counter(claim.verdict for claim in claims)
    if not claims:
        return "no claim about a derivative was found"
    read = len(claims) - counts["unread"]
    named = ", ".join(f"{counts[v]} {v}" for v in ("proved", "refuted", "unknown") if counts[v])
    return f"{len(claims)} claims about derivatives found, {read} understood" + (f": {named}" if named else "")


def report_text(
    reports: Sequence[Report], only: Collection[str] = VERDICTS, *, ascii: bool = False, colour: bool = False
) -> str:
    """The claims one below the other, wrong ones with a caret, the right formula and the likely cause."""
    rows: list[str] = []
    for report in reports:
        lines = report.text.split("\n")
        for claim in report.claims:
            if claim.verdict in only:
                rows += _claim_rows(claim, lines, ascii=ascii, colour=colour)
    shown = "\n".join((*rows, "", summary(reports)) if rows else (summary(reports),)) + "\n"
    if not ascii:
        return shown
    from backproof.explain.lettering import ascii_words

    return ascii_words(shown)


def _claim_rows(claim: CheckedClaim, lines: Sequence[str], *, ascii: bool, colour: bool) -> Iterator[str]:
    mark = MARKS[claim.verdict].split(" ", 1)[1] if ascii else MARKS[claim.verdict]
    if colour:
        mark = f"{_COLOURS[claim.verdict]}{mark}{_PLAIN}"
    yield f"{place(claim)}: {mark}  {brief(visible(claim.claim))}"
    if claim.verdict == "refuted" and claim.where is not None and claim.where.file.endswith(".bp"):
        line = lines[claim.where.line - 1] if claim.where.line <= len(lines) else ""
        if len(line) <= WIDEST:
            yield f"    {visible(line)}"
            yield "    " + " " * (claim.where.column - 1) + "^"
    for label, text in details(claim, ascii=ascii):
        yield f"    {label + ':':<14}{visible(text)}"


def details(claim: CheckedClaim, *, ascii: bool = False) -> Iterator[tuple[str, str]]:
    """What is said about a claim, each with its label."""
    for row in judgement(claim).rows:
        if row.label in ("equal", "counter-example", "", "difference") and claim.verdict != "unread":
            continue
        if row.label:
            yield row.label, "".join(p if isinstance(p, str) else write(p, ascii=ascii) for p in row.content)
    if claim.verdict == "refuted":
        if claim.correct is not None:
            yield "correct", write(claim.correct, ascii=ascii)
        elif claim.read_as is not None:
            yield "read as", write(claim.read_as, ascii=ascii)
    if claim.verdict in ("proved", "refuted") and claim.network.describe() != (claim.where.file if claim.where else ""):
        yield "for", claim.network.describe()


def place(claim: CheckedClaim) -> str:
    """file:line:column, as editors and terminals understand it."""
    where = claim.where
    return f"{visible(where.file)}:{where.line}:{where.column}" if where is not None else "claim"


def brief(text: str) -> str:
    """The text on one line of bounded length."""
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 1] + "…"


def visible(text: str) -> str:
    """Control characters made visible: no document can drive a terminal."""
    return "".join(c if c.isprintable() else "�" for c in text.replace("\t", " ").replace("\n", " "))


def report_markdown(reports: Sequence[Report], only: Collection[str] = VERDICTS) -> str:
    """A table of the claims, and what is wrong with the refuted ones."""
    from backproof.explain.markdown import code, escaped

    parts: list[str] = []
    for report in reports:
        parts.append(f"# {escaped(report.name)}\n\n{escaped(summary([report]))}")
        rows = [c for c in report.claims if c.verdict in only]
        if rows:
            table = ["| line | verdict | claim | |", "|---|---|---|---|"]
            for claim in rows:
                line = claim.where.line if claim.where is not None else ""
                said = "; ".join(f"{label}: {text}" for label, text in details(claim))
                shown = code(brief(visible(claim.claim))).replace("|", "\\|")
                table.append(f"| {line} | {MARKS[claim.verdict]} | {shown} | {escaped(brief(said))} |")
            parts.append("\n".join(table))
    return "\n\n".join(parts) + "\n"


def report_html(reports: Sequence[Report], only: Collection[str] = VERDICTS) -> str:
    """A page with the lines around all claims, each with its verdict and its reasons, and everything inside."""
    from backproof.explain.annotated import annotated
    from backproof.explain.page import FOOT, document, words

    body: list[str] = []
    for report in reports:
        claims = [claim for claim in report.claims if claim.verdict in only]
        body.append(f'<section class="card"><h2>{words(report.name)}</h2><p>{words(summary([report]))}</p>')
        body.append(f"{annotated(report.text, claims, whole=False) if claims else ''}</section>")
    return document("Checked documents", f"<main>{''.join(body)}</main>", FOOT)


def report_github(reports: Sequence[Report], only: Collection[str] = VERDICTS) -> str:
    """Workflow commands: an error for each refuted claim, a warning for each that is not decided or not understood."""
    rows: list[str] = []
    for report in reports:
        for claim in report.claims:
            if claim.verdict not in only or claim.verdict not in _LEVELS or claim.where is None:
                continue
            name = claim.mistakes[0].name if claim.mistakes else claim.verdict
            message = "\n".join((brief(claim.claim), *(f"{label}: {text}" for label, text in details(claim))))
            properties = ",".join(
                f"{key}={_property(str(value))}"
                for key, value in (
                    ("file", claim.where.file),
                    ("line", claim.where.line),
                    ("col", claim.where.column),
                    ("title", f"backproof: {name}"),
                )
            )
            rows.append(f"::{_LEVELS[claim.verdict]} {properties}::{_message(message)}")
    rows.append(f"::notice title=backproof::{_message(summary(reports))}")
    return "\n".join(rows) + "\n"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def report_json(reports: Sequence[Report], only: Collection[str] = VERDICTS) -> str:
    """The contract's JSON; the summary counts all claims, also those that are not shown."""
    import json

    from backproof.explain.json import claim_data

    claims = [claim for report in reports for claim in report.claims]
    counts = Counter(claim.verdict for claim in claims)
    data = {
        "claims": [{**claim_data(claim), "for": claim.network.describe()} for claim in claims if claim.verdict in only],
        "summary": {verdict: counts[verdict] for verdict in VERDICTS},
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
