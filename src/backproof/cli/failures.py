"""Errors as a person reads them on standard error: what happened, where, expected, got, what to do next."""

from __future__ import annotations

from typing import Final

from backproof.errors import BackproofError
from backproof.explain.sheet import visible

LONGEST: Final = 300


def explained(error: BackproofError) -> str:
    """The error as lines for standard error."""
    lines = [f"error: {visible(error.what, LONGEST)}"]
    if error.place is not None:
        source = error.place.source
        many = "\n" in error.place.text
        if source or many:
            lines.append(f"  in {source + ', ' if source else ''}line {error.place.line}, column {error.place.column}:")
        lines += ["    " + visible(row, LONGEST) for row in error.place.caret().split("\n")]
    for label, value in (("expected", error.expected), ("got", error.got), ("next", error.next)):
        if value is not None:
            lines.append(f"  {label + ':':<10}{visible(value, LONGEST)}")
    return "\n".join(lines)


def internal(error: Exception) -> str:
    """One line for a bug of our own."""
    kind = type(error).__name__
    return (
        f"internal error: {kind}: {visible(str(error), 120)}. This is a bug of backproof and no verdict; "
        "please report it with the command that you typed (BACKPROOF_DEBUG=1 shows where)"
    )
