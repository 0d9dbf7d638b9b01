"""`backproof catalog`: what backproof knows."""

from __future__ import annotations

import argparse
from typing import Final

from backproof.cli.options import add_output, deliver, result_format, terminal_settings
from backproof.cli.parsing import CommandParser, choice

FORMATS: Final = ("text", "markdown", "json")
KINDS: Final = ("activations", "losses", "layers", "mistakes")
EXAMPLES: Final = """\
  backproof catalog
  backproof catalog losses
  backproof catalog activations --json
"""


def configure(parser: CommandParser) -> None:
    """The options of the command."""
    kinds = ", ".join(KINDS)
    parser.add_argument("kinds", metavar="KIND", nargs="*", type=choice("kind", KINDS), help=f"{kinds} (all)")
    add_output(parser, FORMATS)


def run(options: argparse.Namespace) -> int:
    """List the kinds asked for."""
    from backproof.explain.catalogue import catalogue_json, catalogue_markdown, catalogue_text

    kinds = options.kinds or KINDS
    match result_format(options):
        case "json":
            deliver(options, catalogue_json(kinds))
        case "markdown":
            deliver(options, catalogue_markdown(kinds))
        case _:
            deliver(options, catalogue_text(kinds, **terminal_settings(options)))
    return 0
