"""The command line: a thin door. Each command is one module here, imported only when it is chosen."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from backproof.cli.failures import explained, internal
from backproof.cli.parsing import CommandParser, commandline, located
from backproof.errors import BackproofError, UsageError

COMMANDS: Final = {
    "derive": "derive the backpropagation equations of a network, each step with its reason and its proof",
    "check": "judge formulas: proved, refuted with a counter-example, or unknown",
    "train": "train a network on data with the derived equations, evaluate, save, predict",
    "compare": "train the same network with two losses from the same start, and show both curves",
    "explore": "open the explorer: derivations, verdicts, curves and live training in a browser",
    "prove": "let Coq's kernel check a derivation, where Coq is installed",
    "catalog": "list the activations, losses, layers and mistakes that backproof knows",
}
OVERVIEW: Final = """\
usage: backproof COMMAND …

Derives, checks and proves the backpropagation formulas of neural networks, exactly.

commands:
{commands}

  backproof COMMAND --help    the options of a command, with examples
  backproof --version         the version

example:
  backproof check "(a - y) * f'(z)" --output sigmoid --loss bce
"""

REFUSED: Final = 2
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; nothing but the code and the two streams leaves."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        _tolerate(stream)
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BackproofError as error:
        print(explained(located(error, arguments)), file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone: nothing is left to say, and the interpreter's own flush must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception as error:
        # The last door: a bug becomes one line on the screen, never a traceback, and never a verdict.
        if os.environ.get("BACKPROOF_DEBUG"):
            raise
        print(internal(error), file=sys.stderr)
        return REFUSED
    return code


def _run(arguments: list[str]) -> int:
    match arguments[:1]:
        case [] | ["-h" | "--help" | "help"]:
            rows = "\n".join(f"  {name:<9} {summary}" for name, summary in COMMANDS.items())
            print(OVERVIEW.format(commands=rows), end="")
            return 0
        case ["-V" | "--version" | "version"]:
            from importlib.metadata import version

            print(f"backproof {version('backproof')}")
            return 0
        case [name, *_] if name in COMMANDS:
            module = importlib.import_module(f"backproof.cli.{name}")
            parser = CommandParser(name, COMMANDS[name], examples=module.EXAMPLES)
            configure: Callable[[CommandParser], None] = module.configure
            configure(parser)
            options = parser.read(arguments[1:])
            return 0 if options is None else module.run(options)
        case _:
            raise UsageError(
                f"there is no command {arguments[0]!r}",
                place=commandline(arguments, 0),
                expected="one of " + ", ".join(COMMANDS),
                next="backproof --help",
            )


def _tolerate(stream: object) -> None:
    """Characters that the stream cannot write become escapes: a narrow encoding is no reason to fail."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
