"""Judging an equation in a world that a person wrote out: its verdict, what is right, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backproof import catalog
from backproof.check.causes import causes
from backproof.check.claims import CheckedClaim, Where
from backproof.check.comparison import compare
from backproof.check.given import World
from backproof.check.mistakes import simplest
from backproof.check.right_forms import convention, right_form
from backproof.errors import BackproofError
from backproof.language.expression import Expr, Index
from backproof.language.notating import notate
from backproof.language.notation import Notation, Relation
from backproof.language.program import Program
from backproof.proof.deciding import decide
from backproof.proof.verdict import Budget, Kind, Verdict


@dataclass(frozen=True, slots=True)
class Equation:
    """Two sides over common indices, as text and as expressions; where they stand; a derivative as it was written."""

    text: str
    left: Expr
    right: Expr
    indices: tuple[Index, ...]
    where: Where | None = None
    notes: tuple[str, ...] = ()
    written: Notation | None = None


def verdict_of(
    world: World, left: Expr, right: Expr, *, program: Program | None = None, seconds: float = 3.0
) -> Verdict:
    """Whether both sides are equal in the world."""
    return decide(
        program or world.whole,
        world.opened(left),
        world.opened(right),
        admissible=world.network.admissible,
        budget=Budget(seconds=seconds),
    )


def judged(world: World, equation: Equation, *, explain: bool = True) -> CheckedClaim:
    """The equation with its verdict and, where it is wrong, what is right and which mistakes reproduce it."""
    equation = replace(equation, left=world.opened(equation.left), right=world.opened(equation.right))
    decision = verdict_of(world, equation.left, equation.right)
    left = equation.written or _notated(world.whole, equation.left, equation.indices)
    right = _notated(world.whole, equation.right, equation.indices)
    claim = CheckedClaim(
        equation.text,
        decision.kind.value,
        world.network,
        equation.where,
        Relation((left, right), ("=",)),
        equation.left,
        equation.right,
        equation.indices,
        decision,
        notes=equation.notes,
        because=decision.because,
    )
    return explained(claim, world.whole) if explain and decision.kind is Kind.REFUTED else claim


def explained(claim: CheckedClaim, program: Program) -> CheckedClaim:
    """A refuted claim with the right equation, by what it differs, and the mistakes that reproduce it.

    `program` holds the definitions of the claim's network and their adjoints.
    """
    left, right, decision = claim.left, claim.right, claim.decision
    if left is None or right is None or decision is None:
        return claim
    try:
        correct = right_form(claim.network, program, left, right)
    except BackproofError:
        return claim
    if correct is not None:
        said = claim.read_as.sides[0] if isinstance(claim.read_as, Relation) else _notated(program, left, claim.indices)
        shown = Relation((said, _notated(program, correct, claim.indices)), ("=",))
        claim = replace(claim, correct_expr=correct, correct=shown)
        notes = (*claim.notes, *convention(claim.network, program, left, correct))
        claim = replace(claim, comparison=compare(program, right, correct, claim.indices), notes=notes)
    explanations = causes(claim.network, program, (left, right), correct, claim.indices, decision)
    return replace(claim, mistakes=simplest(explanations), explanations=explanations)


def _notated(program: Program, expr: Expr, indices: Sequence[Index]) -> Notation:
    return notate(expr, program=program, free=tuple(indices), symbols=catalog.symbols())
