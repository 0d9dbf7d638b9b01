"""Checking worksheets and documents that a person names."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

from backproof.cli.options import deliver, result_format, terminal_settings
from backproof.errors import UsageError

FORMATS: Final = ("text", "markdown", "html", "json", "github")
VERDICTS: Final = ("proved", "refuted", "unknown", "unread")


def shown_verdicts(text: str) -> tuple[str, ...]:
    """The verdicts that `--only` names."""
    chosen = tuple(part.strip() for part in text.split(",") if part.strip())
    wrong = next((v for v in chosen if v not in VERDICTS), None)
    if wrong is not None or not chosen:
        raise UsageError("this is no verdict", expected="one of " + ", ".join(VERDICTS), got=wrong or text)
    return chosen


def run(options: argparse.Namespace, names: Sequence[str]) -> int:
    """Judge every claim of the files, show the report, and give the exit code of the contract."""
    from backproof.check.files import check_file, verdicts
    from backproof.explain import findings

    reports = [check_file(name.strip()) for name in names]
    only = options.only or VERDICTS
    match result_format(options):
        case "json":
            shown = findings.report_json(reports, only)
        case "markdown":
            shown = findings.report_markdown(reports, only)
        case "html":
            shown = findings.report_html(reports, only)
        case "github":
            shown = findings.report_github(reports, only)
        case "text":
            settings = terminal_settings(options)
            shown = findings.report_text(reports, only, ascii=settings["ascii"], colour=settings["colour"])
        case other:
            raise UsageError("a report on files has no such format", expected="one of " + ", ".join(FORMATS), got=other)
    deliver(options, shown)
    found = verdicts(reports)
    if "refuted" in found:
        return 1
    return 0 if found <= {"proved"} or options.fail_on == "refuted" else 3
