"""Slips on a left side: the right side of a wrong claim is the gradient by another name."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Final

from backproof.check.claims import CheckedClaim
from backproof.check.mistakes import Mistake
from backproof.check.names import program_of
from backproof.errors import BackproofError
from backproof.language.expression import Tensor, tensor
from backproof.language.walks import names
from backproof.proof.deciding import decide
from backproof.proof.verdict import Budget, Kind

MAX_TRIED: Final = 10
_QUICK: Final = Budget(seconds=0.3, condition_seconds=0)
_MARK: Final = "∂J/∂"


def with_left_side(claim: CheckedClaim) -> CheckedClaim:
    """The refuted claim, with the name whose gradient its right side is, if there is one."""
    left, right = claim.left, claim.right
    if not isinstance(left, Tensor) or not left.name.startswith(_MARK) or right is None or not names(right):
        return claim
    if any(m.name == "left-side" for m in claim.mistakes):
        return claim
    program = program_of(claim.network)
    sorts = program.sorts(left.name)
    others = (
        n
        for n in program.names
        if n.startswith(_MARK) and n != left.name and program.sorts(n) == sorts and n not in names(right)
    )
    for other in itertools.islice(others, MAX_TRIED):
        try:
            same = decide(program, tensor(other, *left.indices), right, budget=_QUICK).kind is Kind.PROVED
        except BackproofError:
            continue
        if same:
            shown = other.removeprefix(_MARK)
            says = f"the right side is the gradient by {shown}, not by {left.name.removeprefix(_MARK)}"
            slip = Mistake("left-side", shown, says, f"write {shown} on the left side")
            if len(claim.explanations[:1]) == 1 and len(claim.explanations[0]) == 1:
                return replace(claim, notes=(*claim.notes, says))
            return replace(claim, mistakes=(slip, *claim.mistakes), explanations=((slip,), *claim.explanations))
    return claim
