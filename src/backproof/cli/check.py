"""`backproof check`: judge claims."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from backproof.cli.options import (
    add_network,
    add_output,
    bounded,
    deliver,
    read_network,
    result_format,
    terminal_settings,
)
from backproof.cli.parsing import CommandParser, choice

if TYPE_CHECKING:
    from backproof.check.claims import CheckedClaim

FORMATS: Final = ("text", "latex", "markdown", "html", "ipynb", "json", "github")
DOCUMENTS: Final = (
    ".bp", ".md", ".markdown", ".qmd", ".rmd", ".txt", ".html", ".htm", ".tex", ".rst", ".ipynb",
)  # fmt: skip
PROVED: Final = 0
REFUTED: Final = 1
UNDECIDED: Final = 3
EXAMPLES: Final = """\
  backproof check "(a - y) * f'(z)" --output sigmoid --loss bce
  backproof check "dJ/dW2 = delta_2 a_1^T / m" --layers n-h-k --hidden f --reduction mean
  backproof check '\\frac{\\partial J}{\\partial z} = \\hat y - y' --output softmax --loss cross-entropy
  backproof check "a - y" "2(a - y)" --output identity --loss mse --json
  backproof check notes.md homework.bp --only refuted --format github        (see docs/documents.md)
  backproof check network.py        (runs forward, backward and example of the file; see docs/code.md)
exit codes:
  0 every claim proved    1 at least one refuted    3 none refuted, at least one undecided or not understood
  2 the call itself could not be read
"""


def configure(parser: CommandParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "claims", metavar="CLAIM", nargs="+", help="LHS = RHS, a chain A = B = C, or an RHS alone: δ of the output"
    )
    add_network(parser)
    add_output(parser, FORMATS)
    group = parser.add_argument_group("files")
    group.add_argument(
        "--only", metavar="VERDICTS", type=_verdicts, help="show only these: proved, refuted, unknown, unread"
    )
    group.add_argument(
        "--fail-on",
        metavar="WHAT",
        default="unknown",
        type=choice("reason to fail", ("refuted", "unknown")),
        help="exit code: refuted ignores what is unknown or not understood (unknown)",
    )


def _verdicts(text: str) -> tuple[str, ...]:
    from backproof.cli.documents import shown_verdicts

    return shown_verdicts(text)


def is_document(claim: str) -> bool:
    """Whether an argument names a worksheet or document."""
    return "=" not in claim and claim.strip().lower().endswith(DOCUMENTS)


def _without_network(text: str, unread: tuple[CheckedClaim, ...]) -> tuple[CheckedClaim, ...]:
    """The claim read as a document of one formula: d/dx x² = 2x says nothing about a network."""
    from backproof.check.document.reader import check_document

    if "$" in text or "\n" in text:
        return unread
    judged = check_document(f"${text}$", "").claims
    if not judged or any(c.verdict == "unread" for c in judged):
        return unread
    note = "read without the network: its letters stand for themselves"
    return tuple(replace(c, where=None, notes=(*c.notes, note)) for c in judged)


def run(options: argparse.Namespace) -> int:
    """Judge every claim and show; the exit code says the worst of them."""
    from backproof.cli import code

    if all(map(code.is_code, options.claims)):
        return code.run(options, options.claims)
    if all(map(is_document, options.claims)):
        from backproof.cli import documents

        return documents.run(options, options.claims)
    from backproof.check.claims import check
    from backproof.errors import UnknownNameError
    from backproof.explain.showing import show

    network = read_network(options)
    claims: list[CheckedClaim] = []
    for text in options.claims:
        claim = bounded(text, "the claim")
        judged = check(claim, network)
        strange = all(isinstance(c.error, UnknownNameError) for c in judged)
        claims += _without_network(claim, judged) if strange else judged
    deliver(options, show(claims, result_format(options), **terminal_settings(options)))
    verdicts = {claim.verdict for claim in claims}
    return REFUTED if "refuted" in verdicts else PROVED if verdicts == {"proved"} else UNDECIDED
