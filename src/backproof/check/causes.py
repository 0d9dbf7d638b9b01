"""Causes of a refuted equation: the mistakes that lead from the right formula to the one that was written."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from backproof.calculus.network import Network
from backproof.calculus.unfolding import open_slopes
from backproof.check.diagnosis import diagnose
from backproof.check.mistakes import Mistake
from backproof.errors import BackproofError
from backproof.language.expression import Expr, Index, Tensor, tensor
from backproof.language.program import Definition, Program
from backproof.language.walks import names
from backproof.proof.verdict import Condition, Verdict

CLAIMED: Final = "∂J/∂(left side)"


def causes(
    network: Network,
    program: Program,
    sides: tuple[Expr, Expr],
    correct: Expr | None,
    indices: tuple[Index, ...],
    decision: Verdict,
) -> tuple[tuple[Mistake, ...], ...]:
    """The explanations of a refuted left = right, the simplest first; none where the search finds none.

    `correct` is the left side in the names of the network, where it has such a form.
    """
    left, right = sides
    try:
        if isinstance(left, Tensor) and left.name.startswith("∂J/∂"):
            return diagnose(network, program, left, right, decision)
        if left.free - set(indices) or not names(left):
            return ()
        # Any other left side is given a name, so that its right value is an equation like those of the derivation.
        named = Definition(CLAIMED, indices, left)
        forms = (open_slopes(left),) if correct is None else (correct, open_slopes(left))
        head = tensor(CLAIMED, *indices)
        if not isinstance(head, Tensor):
            return ()
        decision = replace(decision, hidden_conditions=_telling(decision, names(left)))
        return diagnose(network, program.extended((named,)), head, right, decision, forms)
    except (BackproofError, LookupError, ValueError, AttributeError):
        # An explanation is a help, never a reason to lose a verdict.
        return ()


def _telling(decision: Verdict, variables: set[str]) -> tuple[tuple[Condition, ...], ...]:
    """The conditions that say more than that a function of x is right at x = 0."""
    return tuple(
        conditions
        for conditions in decision.hidden_conditions
        if not any(
            c.assumption is not None and c.assumption.property == "equals" and c.assumption.tensor in variables
            for c in conditions
        )
    )
