"""Comparing: by what a wrong formula differs from the right one, as a ratio or as a rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from backproof import catalog
from backproof.algebra import OutOfBudget
from backproof.errors import DomainError
from backproof.language.expression import Expr, Index, add, mul, power, zero
from backproof.language.notating import notate
from backproof.language.notation import Notation
from backproof.language.program import Program
from backproof.proof.folding import Folder, weight

LONGEST: Final = 40
# A ratio says more than a rest, even than one that is a little shorter.
HANDICAP: Final = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """Yours ÷ correct (`ratio`) or yours − correct (`rest`), whichever is shorter: a fact, not a guess."""

    kind: Literal["ratio", "rest"]
    expr: Expr
    notation: Notation


def compare(program: Program, yours: Expr, correct: Expr, indices: tuple[Index, ...]) -> Comparison | None:
    """The shorter of both comparisons, or None where neither is short enough to help."""
    folder = Folder(program)
    found: list[tuple[int, Literal["ratio", "rest"], Expr]] = []
    if yours is not zero and correct is not zero:
        try:
            ratio = folder.tidy(folder.fold(mul(yours, power(correct, -1))))
            found.append((weight(ratio), "ratio", ratio))
        except (DomainError, OutOfBudget):
            pass
    rest = folder.fold(add(yours, mul(-1, correct)))
    found.append((weight(rest) + HANDICAP, "rest", rest))
    length, kind, expr = min(found, key=lambda item: item[0])
    if length > LONGEST:
        return None
    return Comparison(kind, expr, notate(expr, program=program, free=indices, symbols=catalog.symbols()))
