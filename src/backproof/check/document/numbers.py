"""Derivatives that a text gives as numbers: true at the point whose values the section gives, to the printed digits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from fractions import Fraction
from typing import Final

from backproof.check.claims import CheckedClaim
from backproof.check.document.forms import formulas
from backproof.check.document.marks import decimals, number
from backproof.check.document.sources import Piece
from backproof.check.given import World
from backproof.check.judging import verdict_of
from backproof.check.names import program_of
from backproof.check.worksheet.reading import name_of
from backproof.errors import BackproofError
from backproof.language.expression import Expr, Num, num
from backproof.language.notation import Relation
from backproof.language.walks import inline, names
from backproof.proof.deciding import decide
from backproof.proof.verdict import Budget, Kind

ROUNDED_BEFORE: Final = 3
MAX_CONDITION: Final = 30
_FOR: Final = re.compile(r"\b(?:for|when|if|at|with|where|für|wenn|pour|si|para)$", re.IGNORECASE)
_QUICK: Final = Budget(seconds=0.5, condition_seconds=0)


def only_value(piece: Piece, words: str) -> tuple[str, Fraction] | None:
    """The name and value of a condition "for β = 1"; None for another formula."""
    nodes = formulas(piece.text) if len(piece.text) < MAX_CONDITION and _FOR.search(words) else ()
    if isinstance(nodes, BackproofError) or len(nodes) != 1 or not isinstance(nodes[0], Relation):
        return None
    relation = nodes[0]
    if len(relation.sides) != 2 or relation.signs[0] != "=":
        return None
    name, value = name_of(relation.sides[0]), number(relation.sides[1])
    return None if name is None or value is None else (name, value)


def at_values(claim: CheckedClaim, given_values: Mapping[str, Fraction]) -> str:
    """What has to be said where a claim is true for the values that the section gives to some names."""
    if claim.left is None or claim.right is None:
        return ""
    program = claim.network.program
    given = {n: v for n, v in given_values.items() if program.inputs.get(n) == ()}
    if not given:
        return ""
    values = {n: ((), num(v)) for n, v in given.items()}
    bodies = {d.name: (d.indices, d.body) for d in reversed(program_of(claim.network).definitions)}
    sides: list[Expr] = []
    for side in (claim.left, claim.right):
        for _ in bodies:
            if not names(side) & set(bodies):
                break
            side = inline(side, bodies)
        sides.append(inline(side, values))
    try:
        verdict = decide(program, sides[0], sides[1], budget=_QUICK)
    except BackproofError:
        return ""
    shown = ", ".join(f"{n} = {v}" for n, v in given.items())
    return f"true at {shown} only, which the text gives" if verdict.kind is Kind.PROVED else ""


def at_a_point(
    world: World, claim: CheckedClaim, given_values: Mapping[str, Fraction], revalued: AbstractSet[str]
) -> CheckedClaim:
    """∂f/∂x = −3 after x = 4, y = −3: a number is the slope at the point that was given."""
    if claim.left is None or claim.right is None:
        return claim
    bodies = {d.name: (d.indices, d.body) for d in world.program.definitions}
    left = claim.left
    for _ in bodies:
        left = inline(left, bodies)
    values = {n: ((), num(v)) for n, v in given_values.items() if n not in bodies}
    left = inline(left, values)
    if names(left):
        missing = ", ".join(sorted(names(left)))
        return replace(claim, verdict="unknown", because=f"a number: true at some point only; not given: {missing}")
    point = ", ".join(f"{n} = {v}" for n, v in given_values.items())
    verdict = verdict_of(world, left, claim.right)
    note = f"at {point}"
    if verdict.kind is Kind.REFUTED and isinstance(claim.right, Num) and verdict.witness is not None:
        digits = decimals(claim.right.value)
        left_ball = verdict.witness.left
        off = abs(Fraction(left_ball.middle) - claim.right.value) + Fraction(left_ball.radius)
        if digits and off * 10**digits <= Fraction(1, 2):
            note = f"{note}, rounded to the {digits} digits that are printed"
            return replace(
                claim, verdict="proved", decision=None, because=None, mistakes=(), notes=(*claim.notes, note)
            )
        if digits > 2 and off * 10**digits <= ROUNDED_BEFORE:
            because = f"{note} it is {left_ball.middle[: digits + 4]}…; rounding on the way may explain it"
            return replace(claim, verdict="unknown", decision=None, because=because, mistakes=())
    if verdict.kind is Kind.REFUTED and revalued:
        because = f"it is false {note}, but the text gives several values to {', '.join(sorted(revalued))}"
        return replace(claim, verdict="unknown", because=because)
    return replace(
        claim,
        verdict=verdict.kind.value,
        decision=verdict,
        because=verdict.because,
        notes=(*claim.notes, note),
    )
