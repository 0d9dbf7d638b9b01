"""Every error that leaves the package: what happened, where, expected and got, what to do next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a text that a person wrote: its source, the text and a span of characters."""

    text: str
    start: int
    end: int
    source: str | None = None

    @property
    def line(self) -> int:
        """Line number of the start, counted from 1."""
        return self.text.count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        """Column of the start, counted from 1."""
        return self.start - (self.text.rfind("\n", 0, self.start) + 1) + 1

    def caret(self, width: int = 76) -> str:
        """The line of the place, cut to `width` characters, with a row of carets below it."""
        begin = self.text.rfind("\n", 0, self.start) + 1
        stop = self.text.find("\n", self.start)
        line = self.text[begin : stop if stop >= 0 else len(self.text)].replace("\t", " ")
        at = self.start - begin
        left = max(0, min(at - width // 2, len(line) - width))
        shown = line[left : left + width]
        marks = max(1, min(self.end - self.start, len(shown) - (at - left)))
        return shown + "\n" + " " * (at - left) + "^" * marks


class BackproofError(Exception):
    """Something that backproof cannot do with what it was given.

    Attributes: `what` happened, `place` in the person's text, what was `expected` and what it `got`,
    and what to do `next`.
    """

    def __init__(
        self,
        what: str,
        *,
        place: Place | None = None,
        expected: str | None = None,
        got: str | None = None,
        next: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.place = place
        self.expected = expected
        self.got = got
        self.next = next

    def __str__(self) -> str:
        lines = [self.what]
        if self.place is not None:
            source = f"{self.place.source}:" if self.place.source else ""
            lines[0] = f"{source}{self.place.line}:{self.place.column}: {self.what}"
            lines += ["  " + row for row in self.place.caret().split("\n")]
        if self.expected is not None:
            lines.append(f"  expected: {self.expected}")
        if self.got is not None:
            lines.append(f"  got:      {self.got}")
        if self.next is not None:
            lines.append(f"  next:     {self.next}")
        return "\n".join(lines)


class FormulaError(BackproofError):
    """A formula that cannot be read: a slip of syntax, never judged as a slip of mathematics."""


class ShapeError(BackproofError):
    """Two shapes that do not fit; the error names both."""


class UnknownNameError(BackproofError):
    """A name that nothing defines: a variable, a function, a catalogue entry."""


class NetworkError(BackproofError):
    """A network that cannot be built from what was said."""


class LimitError(BackproofError):
    """A formula, text or computation that is larger than backproof's bounds."""


class DomainError(BackproofError):
    """A formula evaluated where it has no value: 1/0, log of 0."""


class UsageError(BackproofError):
    """A command that cannot be understood: an unknown option, a missing value."""


class FileError(BackproofError):
    """A file that cannot be read or written."""


class DisagreementError(BackproofError):
    """The two deciders disagree: a bug of backproof, never shown as a verdict."""


class ExportError(BackproofError):
    """A formula or network that has no Coq form."""
