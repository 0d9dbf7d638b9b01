"""`backproof derive`: the equations of a network, or of a layer of the catalogue."""

from __future__ import annotations

import argparse
from typing import Final

from backproof.cli.options import add_network, add_output, deliver, read_network, result_format, terminal_settings
from backproof.cli.parsing import CommandParser
from backproof.errors import UsageError

FORMATS: Final = ("text", "latex", "markdown", "html", "ipynb", "json", "coq")
EXAMPLES: Final = """\
  backproof derive --output sigmoid --loss bce
  backproof derive --output softmax --loss cross-entropy --format markdown
  backproof derive --layers 400-25-10 --hidden sigmoid --output sigmoid --loss bce --reduction mean --l2 lambda
  backproof derive --layers n-h..h-k --hidden f --output softmax --loss cross-entropy --of delta_L --of dWl
  backproof derive --layers n-h-k --layout rows --reduction mean -o equations.tex
  backproof derive --output sigmoid --loss bce -o lesson.html
  backproof derive --layers n-h-k --output softmax --loss cross-entropy --format coq -o delta.v
  backproof derive layer-norm --of dx
"""


def configure(parser: CommandParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "layer", metavar="LAYER", nargs="?", help="a layer (backproof catalog layers) alone, no network"
    )
    parser.add_argument("--of", metavar="NAME", action="append", default=[], help="only this: delta_L, dW2, db1, dX …")
    add_network(parser)
    add_output(parser, FORMATS)


def run(options: argparse.Namespace) -> int:
    """Derive and show; 0 unless an error leaves."""
    from backproof.explain.showing import show
    from backproof.proof.derivation import derive

    if options.layer is not None:
        return _layer(options)
    derivation = derive(read_network(options), tuple(options.of))
    if options.format == "coq" or (options.format is None and (options.file or "").endswith(".v")):
        from backproof.coq.exporting import export

        deliver(options, export(derivation).text)
        return 0
    deliver(options, show(derivation, result_format(options), **terminal_settings(options)))
    return 0


def _layer(options: argparse.Namespace) -> int:
    from backproof import catalog
    from backproof.explain.showing import show
    from backproof.proof.layer_derivation import derive_layer

    if options.layers is not None:
        raise UsageError("a layer or a network, not both", expected="LAYER or --layers", got=options.layer)
    if options.format == "coq":
        raise UsageError("a layer is not written for Coq", expected=", ".join(f for f in FORMATS if f != "coq"))
    derivation = derive_layer(catalog.find_layer(options.layer), tuple(options.of))
    deliver(options, show(derivation, result_format(options), **terminal_settings(options)))
    return 0
