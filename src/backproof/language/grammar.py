"""The grammar: parse text in ASCII, Unicode or LaTeX, freely mixed, into notation.

Where people write the same text with two meanings, `parse_all` gives all trees, the likeliest first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import combinations
from typing import Final, TypeVar

from backproof.errors import BackproofError, FormulaError, LimitError, Place
from backproof.language.notation import Notation
from backproof.language.parsing.commands import Lexer
from backproof.language.parsing.parser import Parser
from backproof.language.parsing.tokens import Choice

Result = TypeVar("Result")

MAX_READINGS: Final = 8
MAX_TRIES: Final = 24
MAX_ALTERNATIVES_LENGTH: Final = 5_000


def parse(text: str, source: str | None = None, *, known: Collection[str] = ()) -> Notation:
    """The formula, relation or chain of relations that the text is, in its likeliest reading.

    `known` are words that are names where the text is read (`dout`, `ab`). Raises FormulaError with the place of what
    cannot be read, and LimitError for a text that is too long or nested too deeply.

    >>> parse("a - y")
    Plus(terms=((1, Symbol(name='a', subscripts=(), label=None, accent=None, star='')), \
(-1, Symbol(name='y', subscripts=(), label=None, accent=None, star=''))))
    """
    return _single(Lexer(text, source, known))


def parse_all(text: str, source: str | None = None, *, known: Collection[str] = ()) -> tuple[Notation, ...]:
    """All ways to read the text as one formula, the likeliest first, at most 8.

    Raises what `parse` raises where there is none.

    >>> [type(tree).__name__ for tree in parse_all("1/2m")]
    ['Quotient', 'Product']
    """
    first = Lexer(text, source, known)
    found: list[Notation] = []
    error: FormulaError | None = None
    try:
        found.append(_single(first))
    except FormulaError as failed:
        error = failed
    if len(text) <= MAX_ALTERNATIVES_LENGTH:
        for swaps in _swaps(tuple(first.met)):
            if len(found) == MAX_READINGS:
                break
            try:
                tree = _single(Lexer(text, source, known, swaps))
            except BackproofError:
                continue
            if tree not in found:
                found.append(tree)
    if error is not None and not found:
        raise error
    return tuple(found)


def parse_list(text: str, source: str | None = None, *, known: Collection[str] = ()) -> tuple[Notation, ...]:
    """The formulas of a text one after the other, with the `Words` between them, as documents write them.

    A relation without a left side, as in a line that goes on with `= …`, has empty `Words` there.

    >>> [type(part).__name__ for part in parse_list("x = 1, y = 2 if z > 0")]
    ['Relation', 'Relation', 'Words', 'Relation']
    """
    return _bounded(Lexer(text, source, known), Parser.several)


def _single(lexer: Lexer) -> Notation:
    return _bounded(lexer, Parser.single)


def _bounded(lexer: Lexer, read: Callable[[Parser], Result]) -> Result:
    """What the parser reads; a call from deep inside other calls has less room for nested formulas."""
    try:
        return read(Parser(lexer))
    except RecursionError:
        raise LimitError(
            "the formula is nested too deeply",
            place=Place(lexer.text, 0, min(len(lexer.text), 1), lexer.source),
            next="give names to parts of the formula",
        ) from None


def _swaps(met: tuple[Choice, ...]) -> Iterator[tuple[Choice, ...]]:
    """The choices to take the other way: one of them, then two at once."""
    tries = 0
    for size in (1, 2):
        for swaps in combinations(met, size):
            if tries == MAX_TRIES:
                return
            tries += 1
            yield swaps
