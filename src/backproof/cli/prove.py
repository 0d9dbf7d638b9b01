"""`backproof prove`: a derivation before Coq's kernel."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backproof.cli.options import add_network, read_network
from backproof.cli.parsing import CommandParser
from backproof.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backproof.coq.exporting import Export
    from backproof.coq.groups import Outcome
    from backproof.coq.kernel import Answer

EXAMPLES: Final = """\
  backproof prove --output sigmoid --loss bce
  backproof prove --layers n-h-k --hidden sigmoid --output softmax --loss cross-entropy
  backproof prove --layers n-h..h-k --hidden f --output softmax --loss cross-entropy -o depth.v
  backproof prove --catalogue
"""
REJECTED: Final = 1
UNDECIDED: Final = 3
AXIOMS: Final = "the standard axioms of Coq's real numbers"


def configure(parser: CommandParser) -> None:
    """The options of the command."""
    add_network(parser)
    group = parser.add_argument_group("proof")
    group.add_argument("--catalogue", action="store_true", help="check every slope, every pair and a list of networks")
    group.add_argument(
        "--only", metavar="GROUP", action="append", default=[], help="with --catalogue: these groups only"
    )
    group.add_argument("--limit", metavar="SECONDS", type=float, default=120.0, help="time that Coq may take (120)")
    group.add_argument("--json", action="store_true", help="the result as JSON")
    group.add_argument(
        "-o", metavar="FILE", dest="file", help="keep the Coq file here, also where Coq is not installed"
    )


def run(options: argparse.Namespace) -> int:
    """Export, let Coq check, and say what it said: 0 accepted, 1 rejected, 3 not decided."""
    if options.catalogue:
        return _catalogue(options)
    from backproof.coq import kernel
    from backproof.coq.exporting import export
    from backproof.proof.derivation import derive

    network = read_network(options)
    file = export(derive(network))
    if options.file is not None:
        try:
            Path(options.file).write_text(file.text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise FileError(f"the file cannot be written: {error.strerror}", got=options.file) from None
    answer = kernel.check(file.text, max(1.0, min(options.limit, 3600.0)))
    print(_json(network.describe(), file, answer) if options.json else _said(network.describe(), file, answer))
    return _code(answer)


def _code(answer: Answer) -> int:
    return {"accepted": 0, "rejected": REJECTED}.get(answer.status, UNDECIDED)


def _short(axiom: str) -> str:
    return axiom.rpartition(".")[2]


def _said(words: str, file: Export, answer: Answer) -> str:
    from backproof.coq import kernel

    lines = [words, f"{len(file.theorems)} theorems: {', '.join(file.theorems)}"]
    match answer.status:
        case "accepted":
            lines.append(f"accepted by Coq {kernel.version()}: {file.lines} lines in {answer.seconds:.1f} s")
            lines.append(f"axioms used: {', '.join(map(_short, answer.axioms)) or 'none'} ({AXIOMS})")
        case "not installed":
            lines.append("not checked: Coq is not installed here")
            lines.append(f"  next: {answer.message}")
            lines.append("  without Coq: `-o FILE` writes the proof for somebody who has it")
        case "too long":
            lines.append(f"not checked: {answer.message}")
            lines.append("  next: allow more time with --limit SECONDS")
        case "rejected":
            where = f" at line {answer.place}" if answer.place else ""
            lines.append(f"NOT accepted by Coq{where}: {answer.message}")
            lines.append("  this does not refute the formulas: the proof that was written for them is not one")
    return "\n".join(lines)


def _json(words: str, file: Export, answer: Answer) -> str:
    return json.dumps(
        {
            "network": words,
            "status": answer.status,
            "theorems": list(file.theorems),
            "axioms": [_short(a) for a in answer.axioms],
            "lines": file.lines,
            "seconds": round(answer.seconds, 2),
            "message": answer.message or None,
        },
        ensure_ascii=False,
        indent=2,
    )


def _catalogue(options: argparse.Namespace) -> int:
    from backproof.coq import kernel
    from backproof.coq.catalogue import check_everything

    if kernel.coqc() is None:
        print("not checked: Coq is not installed here", file=sys.stderr)
        print(f"  next: {kernel.HOW_TO_INSTALL}", file=sys.stderr)
        return UNDECIDED
    outcomes = check_everything(tuple(options.only))
    return _catalogue_json(outcomes) if options.json else _table(outcomes)


def _table(outcomes: Iterable[Outcome]) -> int:
    """A line for each group of claims, checked in one file, and below it a line for each claim."""
    begin = time.monotonic()
    print(f"{'claim':<72} {'accepted':>9} {'lines':>7} {'seconds':>8}  axioms")
    claims = accepted = 0
    failed: list[tuple[str, str]] = []
    empty: list[tuple[str, str]] = []
    for outcome in outcomes:
        claims += outcome.claims
        accepted += outcome.accepted
        failed += outcome.failed
        empty += outcome.empty
        axioms = ", ".join(_short(a) for a in outcome.axioms) or "-"
        counted = f"{outcome.accepted}/{outcome.claims}"
        print(f"{outcome.group:<72} {counted:>9} {outcome.lines:>7} {outcome.seconds:>8.1f}  {axioms}")
        for row in outcome.rows:
            lines = "" if row.lines is None else str(row.lines)
            seconds = "" if row.seconds is None else f"{row.seconds:.2f}"
            print(f"{f'  {row.words}':<72} {'yes':>9} {lines:>7} {seconds:>8}")
        sys.stdout.flush()
    print(f"{accepted} of {claims} claims accepted by Coq ({100 * accepted / max(1, claims):.1f} %)", end="")
    print(f" in {time.monotonic() - begin:.0f} s; the axioms are {AXIOMS}")
    for words, reason in failed:
        print(f"  not accepted: {words}: {reason}")
    for reason in dict.fromkeys(r for _, r in empty):
        print(f"  left out, since {reason}: {', '.join(words for words, r in empty if r == reason)}")
    return REJECTED if failed else 0


def _catalogue_json(outcomes: Iterable[Outcome]) -> int:
    found = list(outcomes)
    groups = [
        {
            "group": outcome.group,
            "claims": outcome.claims,
            "accepted": outcome.accepted,
            "lines": outcome.lines,
            "seconds": round(outcome.seconds, 2),
            "axioms": [_short(a) for a in outcome.axioms],
            "rows": [{"claim": r.words, "lines": r.lines, "seconds": r.seconds} for r in outcome.rows],
            "not accepted": dict(outcome.failed),
            "left out": dict(outcome.empty),
        }
        for outcome in found
    ]
    print(json.dumps(groups, ensure_ascii=False, indent=2))
    return REJECTED if any(outcome.failed for outcome in found) else 0
