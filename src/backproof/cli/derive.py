"""`backproof derive`: the equations of a network."""

from __future__ import annotations

import argparse
from typing import Final

from backproof.cli.options import add_network, add_output, deliver, read_network, result_format, terminal_settings
from backproof.cli.parsing import CommandParser

FORMATS: Final = ("text", "latex", "markdown", "html", "ipynb", "json", "coq")
EXAMPLES: Final = """\
  backproof derive --output sigmoid --loss bce
  backproof derive --output softmax --loss cross-entropy --format markdown
  backproof derive --layers 400-25-10 --hidden sigmoid --output sigmoid --loss bce --reduction mean --l2 lambda
  backproof derive --layers n-h..h-k --hidden f --output softmax --loss cross-entropy --of delta_L --of dWl
  backproof derive --layers n-h-k --layout rows --reduction mean -o equations.tex
  backproof derive --output sigmoid --loss bce -o lesson.html
  backproof derive --layers n-h-k --output softmax --loss cross-entropy --format coq -o delta.v
"""


def configure(parser: CommandParser) -> None:
    """The options of the command."""
    parser.add_argument("--of", metavar="NAME", action="append", default=[], help="only this: delta_L, dW2, db1, dX …")
    add_network(parser)
    add_output(parser, FORMATS)


def run(options: argparse.Namespace) -> int:
    """Derive and show; 0 unless an error leaves."""
    from backproof.explain.showing import show
    from backproof.proof.derivation import derive

    derivation = derive(read_network(options), tuple(options.of))
    if options.format == "coq" or (options.format is None and (options.file or "").endswith(".v")):
        from backproof.coq.exporting import export

        deliver(options, export(derivation).text)
        return 0
    deliver(options, show(derivation, result_format(options), **terminal_settings(options)))
    return 0
