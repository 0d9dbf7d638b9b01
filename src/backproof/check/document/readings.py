"""Other readings of a formula that is refuted: a refutation has to hold for every plausible meaning of its letters."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from backproof.check.claims import CheckedClaim
from backproof.check.document.making import Setting
from backproof.check.document.means import LETTERS
from backproof.check.given import LOSS, World, reached
from backproof.check.worksheet.sheet import Step
from backproof.errors import BackproofError
from backproof.language.expression import size
from backproof.language.notation import Derivative, Notation, Relation, Symbol, Transposed
from backproof.language.program import Definition
from backproof.language.traversal import fold, with_parts
from backproof.language.walks import inline, names
from backproof.proof.deciding import decide
from backproof.proof.verdict import Budget, Kind

MAX_TRIED: Final = 8
_QUICK: Final = Budget(seconds=0.5, condition_seconds=0.2)


def as_count(setting: Setting, steps: Sequence[Step]) -> str:
    """The letter that makes a claim true if it is the number of terms of a sum; nothing if there is none."""
    world = setting.world
    used = {n for d in world.program.definitions for n in names(d.body)}
    used |= {n for s in steps for side in (s.left, s.right) for n in names(side)}
    letters = [n for n, sorts in world.program.inputs.items() if not sorts and n in LETTERS and n in used]
    sorts = dict.fromkeys(s for sorts in world.program.inputs.values() for s in sorts if not s.isdigit())
    for letter, sort in itertools.islice(itertools.product(letters, sorts), MAX_TRIED):
        values = {letter: ((), size(sort))}
        definitions = tuple(Definition(d.name, d.indices, inline(d.body, values)) for d in world.program.definitions)
        changed = replace(world, program=replace(world.program, definitions=definitions))
        try:
            if all(
                _holds(changed, replace(s, left=inline(s.left, values), right=inline(s.right, values))) for s in steps
            ):
                return letter
        except BackproofError:
            continue
    return ""


def _holds(world: World, step: Step) -> bool:
    verdict = decide(
        world.whole,
        world.opened(step.left),
        world.opened(step.right),
        admissible=world.network.admissible,
        budget=_QUICK,
    )
    return verdict.kind is Kind.PROVED


def transposed_gradients(relation: Relation, matrices: set[str]) -> Relation | None:
    """The relation with every gradient by a matrix transposed, as numerator layout has it; None if there is none."""
    changed = False

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        nonlocal changed
        new = with_parts(node, inside)
        if isinstance(new, Derivative) and isinstance(new.wrt, Symbol) and new.wrt.name in matrices:
            if new.wrt.subscripts or new.order != 1:
                return new
            changed = True
            return Transposed(new, span=node.span)
        return new

    found = fold(relation, rule)
    return found if changed and isinstance(found, Relation) else None


def matrices_of(world: World) -> set[str]:
    """The names with two axes."""
    return {n for n in world.program.names if len(world.program.sorts(n)) == 2}


def left_open(claim: CheckedClaim, because: str) -> CheckedClaim:
    """The claim without a verdict."""
    return replace(claim, verdict="unknown", because=because, mistakes=(), correct=None, decision=None)


def only_for_numbers(claim: CheckedClaim) -> CheckedClaim:
    """What is proved or refuted where matrices fit the definitions, but not this formula."""
    if claim.verdict not in ("proved", "refuted"):
        return claim
    holds = "true" if claim.verdict == "proved" else "false"
    return left_open(claim, f"{holds} if all its letters are numbers; as matrices, the shapes do not fit")


def of_the_loss(claim: CheckedClaim) -> bool:
    """Whether the right side has only names that the loss is made from: a velocity or a moment is something else."""
    program = claim.network.program
    if claim.right is None or LOSS not in program.by_name:
        return False
    return all(n.startswith("∂") or n in reached(program, (LOSS,)) for n in names(claim.right))


def unexplained(claim: CheckedClaim) -> str:
    """What has to be said where the right side has names that the text does not connect with the left side."""
    if claim.left is None or claim.right is None:
        return ""
    program = claim.network.program
    roots = [n for n in names(claim.left) if not n.startswith("∂")]
    roots += [n.removeprefix(f"∂{LOSS}/∂") for n in names(claim.left) | names(claim.right) if n.startswith("∂")]
    roots += [LOSS] if any(n.startswith("∂") for n in names(claim.left)) else []
    known = reached(program, roots) | {d.name for d in program.definitions}
    other = sorted(n for n in names(claim.right) if not n.startswith(("∂", "slope")) and n not in known)
    scalars = [n for n in other if program.inputs.get(n) != ()]
    return f"the text does not say before this formula what {', '.join(scalars)} is" if scalars else ""
