"""Options that several commands share: the network, and how results are shown."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from backproof.cli.parsing import CommandParser, choice
from backproof.errors import FileError, LimitError

if TYPE_CHECKING:
    from backproof.calculus.network import Network

LONGEST_TEXT: Final = 256 * 1024
REDUCTIONS: Final = ("none", "sum", "mean", "mean-all")
LAYOUTS: Final = ("columns", "rows", "rows-out-in")
SUFFIXES: Final = {
    ".tex": "latex",
    ".md": "markdown",
    ".html": "html",
    ".ipynb": "ipynb",
    ".json": "json",
    ".txt": "text",
}


def add_network(parser: CommandParser) -> None:
    """The options that say a feed-forward network."""
    group = parser.add_argument_group("network (with no --layers: the output layer alone)")
    group.add_argument("--layers", metavar="SIZES", help="layer sizes: 400-25-10, n-h-k, or n-h..h-k for any depth L")
    group.add_argument("--hidden", metavar="ACT", default="sigmoid", help="activation of the hidden layers (sigmoid)")
    group.add_argument("--output", metavar="ACT", default="sigmoid", help="activation of the last layer (sigmoid)")
    group.add_argument("--loss", metavar="LOSS", default="bce", help="the loss (bce)")
    group.add_argument(
        "--reduction",
        metavar="HOW",
        default="none",
        type=choice("reduction", REDUCTIONS),
        help="none: one example; sum, mean, mean-all: over m examples (none)",
    )
    group.add_argument("--l2", metavar="λ", help="L2 weight, a number or a letter: λ/2·Σw², biases excluded")
    group.add_argument(
        "--layout",
        metavar="HOW",
        default="columns",
        type=choice("layout", LAYOUTS),
        help="columns: z = W a + b; rows: Z = A W + b; rows-out-in: Z = A Wᵀ + b (columns)",
    )


def read_network(options: argparse.Namespace) -> Network:
    """The network that the options say."""
    from backproof.calculus.network import Network, parse_layers

    sizes, symbolic = parse_layers(options.layers) if options.layers is not None else ((), False)
    return Network(
        sizes=sizes,
        symbolic_depth=symbolic,
        hidden=options.hidden,
        output=options.output,
        loss=options.loss,
        reduction=options.reduction,
        l2=options.l2,
        layout=options.layout,
    )


def add_output(parser: CommandParser, formats: tuple[str, ...]) -> None:
    """The options that say how a result is shown and where it goes."""
    group = parser.add_argument_group("result")
    group.add_argument("--format", metavar="FORMAT", type=choice("format", formats), help=", ".join(formats))
    group.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    group.add_argument("--ascii", action="store_true", help="text in ASCII alone")
    group.add_argument("-o", metavar="FILE", dest="file", help="write to a file; .tex, .md, .html … say the format")


def result_format(options: argparse.Namespace) -> str:
    """The format asked for, or the one that the file's name says, or text."""
    if options.format is not None:
        return options.format
    return SUFFIXES.get(Path(options.file or "").suffix.lower(), "text")


def deliver(options: argparse.Namespace, document: str) -> None:
    """Write a document to the file asked for, or to standard output."""
    text = document if document.endswith("\n") else document + "\n"
    if options.file is None or options.file == "-":
        sys.stdout.write(text)
        return
    try:
        Path(options.file).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise FileError(f"the file cannot be written: {error.strerror}", got=options.file) from None


def terminal_settings(options: argparse.Namespace) -> dict[str, Any]:
    """What the terminal can show: its width, or None where there is none; colour; and whether ASCII alone is wanted."""
    to_terminal = options.file is None and sys.stdout.isatty()
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    narrow = options.file is None and not encoding.startswith(("utf", "cp65001"))
    width = None
    if to_terminal:
        import shutil

        width = shutil.get_terminal_size().columns
    colour = to_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return {"ascii": options.ascii or narrow, "width": width, "colour": colour}


def bounded(text: str, what: str) -> str:
    """The text without the blanks around it, if it is not longer than backproof reads."""
    if len(text) > LONGEST_TEXT:
        raise LimitError(
            f"{what} is too long",
            expected=f"at most {LONGEST_TEXT // 1024} kB of text",
            got=f"{len(text) // 1024} kB",
            next="check its formulas one by one",
        )
    return text.strip()
