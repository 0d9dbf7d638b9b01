"""Checking a Python file that a person names: its functions are run, in a process of their own."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from typing import Any, Final

from backproof.cli.options import deliver, result_format
from backproof.errors import UsageError

TARGET: Final = re.compile(r".*\.py(:[A-Za-z_]\w*)?")
FORMATS: Final = ("text", "markdown", "json", "github")


def is_code(claim: str) -> bool:
    """Whether an argument of `check` names a Python file: `FILE.py` or `FILE.py:NAME`."""
    return TARGET.fullmatch(claim.strip()) is not None


def run(options: argparse.Namespace, targets: Sequence[str]) -> int:
    """Judge the gradients of each file, show the reports, and give the exit code of the contract."""
    from backproof.check.code.running import check_file
    from backproof.explain.code import github, markdown, text

    reports = [check_file(target.strip()) for target in targets]
    match result_format(options):
        case "json":
            deliver(options, json.dumps(merged(reports), ensure_ascii=False, indent=2))
        case "markdown":
            deliver(options, "\n".join(markdown(report) for report in reports))
        case "github":
            deliver(options, "\n".join(github(report) for report in reports))
        case "text":
            deliver(options, "\n".join(text(report) for report in reports))
        case other:
            raise UsageError(
                "a report about code has no such format", expected="one of " + ", ".join(FORMATS), got=other
            )
    verdicts = {claim["verdict"] for report in reports for claim in report["claims"]}
    return 1 if "refuted" in verdicts else 0 if verdicts == {"proved"} else 3


def merged(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several reports as one."""
    claims = [claim for report in reports for claim in report["claims"]]
    summary = {key: sum(r["summary"][key] for r in reports) for key in ("proved", "refuted", "unknown", "unread")}
    return {"claims": claims, "summary": summary, "notes": [note for r in reports for note in r["notes"]]}
