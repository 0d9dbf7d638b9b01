"""Judgements: a checked claim as labelled phrases of words and formulas, ready for any printer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from backproof import catalog
from backproof.check.wording import condition_notation
from backproof.explain.sheet import visible
from backproof.language.expression import Tensor, tensor
from backproof.language.notating import notate
from backproof.language.notation import Matrix, Negative, Notation, Number, Quotient, Relation
from backproof.proof.verdict import Nested, Witness

if TYPE_CHECKING:
    from backproof.check.claims import CheckedClaim, Judged

Phrase = tuple[str | Notation, ...]

LONGEST: Final = 400


@dataclass(frozen=True, slots=True)
class Row:
    """A label and what it says."""

    label: str
    content: Phrase


@dataclass(frozen=True, slots=True)
class Judgement:
    """A claim (cut when it is long), how it was read, what is correct, its verdict, and rows that explain it."""

    claim: str
    verdict: Judged
    read_as: Notation | None
    correct: Notation | None
    rows: tuple[Row, ...]


def judgement(checked: CheckedClaim) -> Judgement:
    """The judgement of a checked claim."""
    correct = checked.correct if checked.verdict in ("refuted", "unread") else None
    claim = visible(checked.claim, LONGEST)
    return Judgement(claim, checked.verdict, checked.read_as, correct, tuple(_rows(checked)))


def _rows(checked: CheckedClaim) -> Iterator[Row]:
    program = checked.network.program
    match checked.verdict:
        case "proved":
            yield Row("equal", ("for all sizes and all data where both sides are defined",))
        case "refuted":
            yield from _refuted(checked)
        case "unread" if checked.error is not None:
            yield Row("because", (checked.error.what,))
            yield from _error_rows(checked)
            yield from _causes(checked)
        case "unknown" | "unread":
            yield Row("because", (checked.because or "",))
    for condition in checked.conditions:
        yield Row("needs", (condition_notation(condition, program),))
    for note in checked.notes:
        yield Row("note", (note,))


def _error_rows(checked: CheckedClaim) -> Iterator[Row]:
    error = checked.error
    assert error is not None
    if error.place is not None:
        for row in error.place.caret(60).split("\n"):
            yield Row("", (row,))
    for label, value in (("expected", error.expected), ("got", error.got), ("next", error.next)):
        if value is not None:
            yield Row(label, (value,))


def _refuted(checked: CheckedClaim) -> Iterator[Row]:
    if checked.comparison is not None:
        words = "yours ÷ correct = " if checked.comparison.kind == "ratio" else "yours − correct = "
        yield Row("difference", (words, checked.comparison.notation))
    yield from _causes(checked)
    if checked.would_be_right_for:
        yield Row("would be right for", ("; ".join(checked.would_be_right_for),))
    if checked.witness is not None:
        yield from witness_rows(checked, checked.witness)
    if checked.mistakes and checked.mistakes[0].fix:
        yield Row("fix", (checked.mistakes[0].fix,))


def _causes(checked: CheckedClaim) -> Iterator[Row]:
    """The mistakes: those of the simplest explanation belong together, the others are alternatives."""
    together = set(checked.explanations[0]) if checked.explanations else set(checked.mistakes[:1])
    for number, mistake in enumerate(checked.mistakes):
        label = "likely cause" if number == 0 else "and" if mistake in together else "or"
        yield Row(label, (f"{mistake.name}: {mistake.says}",))


def witness_rows(checked: CheckedClaim, witness: Witness) -> Iterator[Row]:
    """The counter-example: exact inputs, then both values."""
    program = checked.network.program
    given: list[str | Notation] = []
    for name, value in witness.inputs.items():
        head = notate(tensor(name), program=program, symbols=catalog.symbols())
        given += [", " if given else "", Relation((head, exact(value)), ("=",))]
    label = "counter-example"
    if given:
        yield Row(label, tuple(given))
        label = ""
    at = ", ".join(f"{letter} = {value}" for letter, value in witness.index.items())
    left, right = ("correct", "yours") if names_gradient(checked) else ("left side", "right side")
    values = [f"{left} {witness.left.brief()}", f"{right} {witness.right.brief()}"]
    if left == "correct":
        values.reverse()
    yield Row(label, (", ".join(values) + (f", at {at}" if at else ""),))


def names_gradient(checked: CheckedClaim) -> bool:
    """Whether the left side is a gradient, so that the right side is the person's answer."""
    return isinstance(checked.left, Tensor) and checked.left.name.startswith("∂")


def exact(value: Nested) -> Notation:
    """Exact numbers as they are written: a number, a vector as one row, a matrix as rows."""
    if isinstance(value, Fraction):
        top = Number(Fraction(abs(value.numerator)))
        written = top if value.denominator == 1 else Quotient(top, Number(Fraction(value.denominator)))
        return Negative(written) if value < 0 else written
    if len(value) == 1:
        return exact(value[0])
    if all(isinstance(entry, Fraction) for entry in value):
        return Matrix((tuple(exact(entry) for entry in value),))
    rows = [row if isinstance(row, tuple) else (row,) for row in value]
    return Matrix(tuple(tuple(exact(entry) for entry in row) for row in rows))
