"""Reading a command line: argparse, with errors in the shape of all others and formulas that may start with a minus."""

from __future__ import annotations

import argparse
import difflib
import shlex
from collections.abc import Callable, Collection, Sequence
from typing import NoReturn

from backproof.errors import BackproofError, Place, UsageError


class CommandParser(argparse.ArgumentParser):
    """The parser of one command; its errors are `UsageError`s."""

    def __init__(self, name: str, summary: str, examples: str) -> None:
        super().__init__(
            prog=f"backproof {name}",
            description=summary[0].upper() + summary[1:] + ".",
            epilog="examples:\n" + examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            add_help=False,
        )
        self.add_argument("-h", "--help", action="store_true", help="show this help")

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, next=f"{self.prog} --help")

    def read(self, arguments: Sequence[str]) -> argparse.Namespace | None:
        """The options, or None after help was printed."""
        if "-h" in arguments or "--help" in arguments:
            self.print_help()
            return None
        options, unknown = self.parse_known_intermixed_args([self._shielded(a) for a in arguments])
        if unknown:
            known = [text for action in self._actions for text in action.option_strings]
            near = difflib.get_close_matches(unknown[0].split("=")[0], known, n=1)
            raise UsageError(
                "this option is not known" if unknown[0].startswith("-") else "this argument is one too many",
                expected=near[0] if near else None,
                got=unknown[0],
                next=f"{self.prog} --help",
            )
        return options

    def _shielded(self, argument: str) -> str:
        """A formula such as −(y − a)/a is no option; a blank in front of it says so to argparse."""
        if argument.startswith("-") and not argument.startswith("--") and argument not in self._option_string_actions:
            return " " + argument
        return argument


def choice(what: str, values: Collection[str]) -> Callable[[str], str]:
    """A converter that takes one of the values."""

    def read(text: str) -> str:
        if text not in values:
            raise UsageError(f"there is no {what} {text!r}", expected="one of " + ", ".join(values), got=text)
        return text

    return read


def commandline(arguments: Sequence[str], at: int) -> Place:
    """One argument as a place in the command line as it was typed."""
    shown = [shlex.quote(a) for a in ("backproof", *arguments)]
    start = sum(len(part) + 1 for part in shown[: at + 1])
    return Place(" ".join(shown), start, start + len(shown[at + 1]))


def located(error: BackproofError, arguments: Sequence[str]) -> BackproofError:
    """The error with a place in the command line, where it has none and names an argument in `got`."""
    if error.place is None and error.got is not None:
        got = error.got.strip("'")
        for at, argument in enumerate(arguments):
            if got and (argument == got or argument.endswith("=" + got)):
                error.place = commandline(arguments, at)
                error.got = None
                break
    return error
