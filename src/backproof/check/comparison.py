"""Comparing: by what a wrong formula differs from the right one, as a ratio or as a rest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from backproof import catalog
from backproof.algebra import OutOfBudget
from backproof.errors import DomainError
from backproof.language.expression import Add, Delta, Expr, Index, Pow, add, mul, postorder, power, zero
from backproof.language.notating import notate
from backproof.language.notation import Notation
from backproof.language.program import Assumption, Program
from backproof.language.walks import inline, names
from backproof.proof.folding import Folder, weight

LONGEST: Final = 40
# A ratio says more than a rest, unless the rest is much shorter.
Found: TypeAlias = tuple[int, Literal["ratio", "rest"], Expr]
"""How long a comparison reads, its kind, and what it is."""

MUCH: Final = 2
CLEAR: Final = 4
DEEPEST: Final = 2
REMEMBERED: Final = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """Yours ÷ correct (`ratio`) or yours − correct (`rest`), whichever is shorter: a fact, not a guess."""

    kind: Literal["ratio", "rest"]
    expr: Expr
    notation: Notation


def compare(program: Program, yours: Expr, correct: Expr, indices: tuple[Index, ...]) -> Comparison | None:
    """The shortest of all comparisons, or None where none is short enough to help."""
    folder = folder_of(program)
    found: list[Found] = []
    ratio = _ratio(folder, yours, correct)
    if ratio is not None and not _says_little(ratio):
        found.append((weight(ratio), "ratio", ratio))
    # No rest is shorter than a single name, and few are as clear as a short product.
    if not found or found[0][0] > (MUCH if _divides_by_a_sum(found[0][2]) else CLEAR):
        rest = folder.fold(add(yours, mul(-1, correct)))
        found.append((MUCH * weight(rest), "rest", rest))
        found += _opened(folder, yours, correct)
    _, kind, expr = min(found, key=lambda item: item[0])
    if weight(expr) > LONGEST:
        return None
    return Comparison(kind, expr, notate(expr, program=program, free=indices, symbols=catalog.symbols()))


def _divides_by_a_sum(ratio: Expr) -> bool:
    return any(isinstance(n, Pow) and n.exponent < 0 and isinstance(n.base, Add) for n in postorder(ratio))


def _says_little(ratio: Expr) -> bool:
    """Whether a ratio is a sum, or tells equal indices from others: then the rest says more."""
    return isinstance(ratio, Add) or any(isinstance(n, Delta) for n in postorder(ratio))


def _opened(folder: Folder, yours: Expr, correct: Expr) -> Iterator[Found]:
    """Both comparisons with the gradients put in that only one side names: A − Y is δ, and none is left."""
    known = folder.program.by_name
    opened = False
    for _ in range(DEEPEST):
        lone = [n for n in names(yours) ^ names(correct) if n.startswith("∂J/∂") and n in known]
        if not lone:
            break
        bodies = {n: (known[n].indices, _short(folder, n)) for n in lone}
        yours, correct = inline(yours, bodies), inline(correct, bodies)
        opened = True
    if opened:
        with suppress(DomainError, OutOfBudget):
            rest = folder.tidy(add(yours, mul(-1, correct)))
            yield MUCH * weight(rest), "rest", rest
            ratio = _ratio(folder, yours, correct, deep=False)
            if ratio is not None and not _says_little(ratio):
                yield weight(ratio), "ratio", ratio


@lru_cache(maxsize=32)
def _short(folder: Folder, gradient: str) -> Expr:
    """A gradient in the names of the network, the slope of the loss put in."""
    known = folder.program.by_name
    body = known[gradient].body
    inner = {n: (known[n].indices, known[n].body) for n in names(body) if n.startswith("∂J/∂") and n[4:5] in "aA"}
    return folder.fold(inline(body, inner))


_folders: OrderedDict[tuple[int, tuple[Assumption, ...]], Folder] = OrderedDict()


def folder_of(program: Program, assumptions: tuple[Assumption, ...] = ()) -> Folder:
    """The folder of a program; those of the last few programs are kept, with the rules that they have found."""
    # The folder holds its program, so that the identity of a remembered program cannot be taken by another one.
    key = id(program), assumptions
    found = _folders.get(key)
    if found is None:
        found = _folders[key] = Folder(program, assumptions)
    _folders.move_to_end(key)
    while len(_folders) > REMEMBERED:
        _folders.popitem(last=False)
    return found


def _ratio(folder: Folder, yours: Expr, correct: Expr, *, deep: bool = True) -> Expr | None:
    """Yours ÷ correct in lowest terms, without a sign in front where a factor can take it: 1/(a(1 − a)).

    `deep` looks for names in it; without, it is what cancels by itself.
    """
    if yours is zero or correct is zero:
        return None
    try:
        quotient = mul(yours, power(correct, -1))
        constant, parts = folder.parts(folder.fold(quotient) if deep else folder.tidy(quotient), joined=True)
    except (DomainError, OutOfBudget):
        return None
    factors: list[Expr] = []
    for base, exponent in parts:
        turned = constant < 0 and isinstance(base, Add) and exponent.denominator == 1 and exponent.numerator % 2 == 1
        if turned:
            constant = -constant
        factors.append(power(add(*(mul(-1, t) for t in base.children)) if turned else base, exponent))
    return mul(constant, *factors)
