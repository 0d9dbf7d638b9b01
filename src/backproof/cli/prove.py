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
from backproof.errors import FileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backproof.calculus.network import Network
    from backproof.coq.exporting import Export
    from backproof.coq.groups import Outcome
    from backproof.coq.kernel import Answer
    from backproof.language.expression import Expr

EXAMPLES: Final = """\
  backproof prove --output sigmoid --loss bce
  backproof prove "delta = (a - y)*sigma'(z)" --output sigmoid --loss bce
  backproof prove --layers n-h-k --hidden sigmoid --output softmax --loss cross-entropy
  backproof prove --layers n-h..h-k --hidden f --output softmax --loss cross-entropy -o depth.v
  backproof prove --catalogue
"""
DOCUMENTS: Final = (".bp", ".md", ".markdown", ".qmd", ".rmd", ".txt", ".html", ".htm", ".tex", ".rst", ".ipynb")
REJECTED: Final = 1
UNDECIDED: Final = 3
AXIOMS: Final = "the standard axioms of Coq's real numbers"


def configure(parser: CommandParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "claims", nargs="*", metavar="CLAIM", help="about delta of the output layer: Coq gets it, or its negation"
    )
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
    """Export, let Coq check, and say what it said: 0 accepted, 1 rejected or a claim that is wrong, 3 not decided."""
    if options.catalogue:
        return _catalogue(options)
    from backproof.coq.exporting import export
    from backproof.proof.derivation import derive

    network = read_network(options)
    if options.claims:
        return max(_claim(text, network, options) for text in options.claims)
    file = export(derive(network))
    answer = _asked(file, options)
    print(_json(network.describe(), file, answer) if options.json else _said(network.describe(), file, answer))
    return _code(answer)


def _asked(file: Export, options: argparse.Namespace) -> Answer:
    """What Coq says of a file, which is kept where the person wants it."""
    from backproof.coq import kernel

    if options.file is not None:
        try:
            Path(options.file).write_text(file.text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise FileError(f"the file cannot be written: {error.strerror}", got=options.file) from None
    return kernel.check(file.text, max(1.0, min(options.limit, 3600.0)))


def _claim(text: str, network: Network, options: argparse.Namespace) -> int:
    """A claim that backproof has decided, before Coq: the claim itself, or that it is wrong."""
    from backproof.check.claims import check
    from backproof.coq.claims import export_claim

    if Path(text).suffix.lower() in DOCUMENTS:
        raise UsageError(
            "worksheets and documents have no Coq form yet", expected="a claim, or a network in options", got=text,
            next=f"backproof check {text}",
        )  # fmt: skip
    if len(options.claims) > 1 and options.file is not None:
        raise UsageError("-o keeps one file", expected="one claim", got=f"{len(options.claims)} claims")
    worst = 0
    for found in check(text, network):
        if found.error is not None:
            raise found.error
        if found.verdict not in ("proved", "refuted") or found.right is None or not _is_delta(found.left):
            raise UsageError(
                "Coq gets claims about delta of the output layer that backproof has decided",
                expected="delta = …", got=f"{found.claim} ({found.verdict})",
            )  # fmt: skip
        wrong = found.verdict == "refuted"
        file = export_claim(network, found.right, wrong=wrong)
        answer = _asked(file, options)
        words = f"{network.describe()}: {'it is wrong that ' if wrong else ''}{found.claim.strip()}"
        print(_json(words, file, answer) if options.json else _said(words, file, answer))
        worst = max(worst, REJECTED if wrong and answer.accepted else _code(answer))
    return worst


def _is_delta(left: Expr | None) -> bool:
    from backproof.language.expression import Tensor

    return isinstance(left, Tensor) and left.name == "∂J/∂z"


def _code(answer: Answer) -> int:
    return {"accepted": 0, "rejected": REJECTED}.get(answer.status, UNDECIDED)


def _short(axiom: str) -> str:
    return axiom.rpartition(".")[2]


def _said(words: str, file: Export, answer: Answer) -> str:
    from backproof.coq import kernel

    count = len(file.theorems)
    lines = [words, f"{count} theorem{'s' * (count > 1)}: {', '.join(file.theorems)}"]
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
            lines.append("  next: allow more time with --limit SECONDS; --layers n-h..h-k proves every depth at once")
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
