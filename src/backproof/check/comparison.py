"""Comparing: by what a wrong formula differs from the right one, as a ratio or as a rest."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, Literal

from backproof import catalog
from backproof.algebra import OutOfBudget
from backproof.errors import DomainError
from backproof.language.expression import Add, Expr, Index, add, mul, power, zero
from backproof.language.notating import notate
from backproof.language.notation import Notation
from backproof.language.program import Program
from backproof.proof.folding import Folder, weight

LONGEST: Final = 40
# A ratio says more than a rest, unless the rest is much shorter.
MUCH: Final = 2
REMEMBERED: Final = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """Yours ÷ correct (`ratio`) or yours − correct (`rest`), whichever is shorter: a fact, not a guess."""

    kind: Literal["ratio", "rest"]
    expr: Expr
    notation: Notation


def compare(program: Program, yours: Expr, correct: Expr, indices: tuple[Index, ...]) -> Comparison | None:
    """The shorter of both comparisons, or None where neither is short enough to help."""
    folder = folder_of(program)
    found: list[tuple[int, Literal["ratio", "rest"], Expr]] = []
    ratio = _ratio(folder, yours, correct)
    # A ratio that is a sum says less than the rest.
    if ratio is not None and not isinstance(ratio, Add):
        found.append((weight(ratio), "ratio", ratio))
    # No rest is shorter than a single name.
    if not found or found[0][0] > MUCH:
        rest = folder.fold(add(yours, mul(-1, correct)))
        found.append((MUCH * weight(rest), "rest", rest))
    _, kind, expr = min(found, key=lambda item: item[0])
    if weight(expr) > LONGEST:
        return None
    return Comparison(kind, expr, notate(expr, program=program, free=indices, symbols=catalog.symbols()))


_folders: OrderedDict[int, Folder] = OrderedDict()


def folder_of(program: Program) -> Folder:
    """The folder of a program; those of the last few programs are kept, with the rules that they have found."""
    # The folder holds its program, so that the identity of a remembered program cannot be taken by another one.
    found = _folders.get(id(program))
    if found is None:
        found = _folders[id(program)] = Folder(program)
    _folders.move_to_end(id(program))
    while len(_folders) > REMEMBERED:
        _folders.popitem(last=False)
    return found


def _ratio(folder: Folder, yours: Expr, correct: Expr) -> Expr | None:
    """Yours ÷ correct in lowest terms, without a sign in front where a factor can take it: 1/(a(1 − a))."""
    if yours is zero or correct is zero:
        return None
    try:
        constant, parts = folder.parts(folder.fold(mul(yours, power(correct, -1))))
    except (DomainError, OutOfBudget):
        return None
    factors: list[Expr] = []
    for base, exponent in parts:
        turned = constant < 0 and isinstance(base, Add) and exponent.denominator == 1 and exponent.numerator % 2 == 1
        if turned:
            constant = -constant
        factors.append(power(add(*(mul(-1, t) for t in base.children)) if turned else base, exponent))
    return mul(constant, *factors)
