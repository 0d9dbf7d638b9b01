"""Deciding a claim: ask the small model; where it sees a difference, refute; else prove.

`proved` comes from the exact route only, and only if the small model does not contradict it; `refuted` only from a
certified witness. Everything else is `unknown`, with what stopped it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Final

from backproof.calculus.unfolding import unfold
from backproof.errors import DisagreementError
from backproof.language.expression import Expr, Num, postorder
from backproof.language.program import Assumption, Program
from backproof.proof import conditions
from backproof.proof.axiomatic import Axiomatic
from backproof.proof.ledger import side_conditions
from backproof.proof.points import TRIES, is_deep
from backproof.proof.proving import Proof, Prover
from backproof.proof.ranges import Ranges
from backproof.proof.small_model import SmallModel
from backproof.proof.verdict import Budget, Condition, Kind, Verdict, Witness
from backproof.proof.witness import Refuter, Search, Sides

REMEMBERED: Final = 4
REMEMBERED_SETTINGS: Final = 64
MOST_ADMISSIBLE: Final = 4
QUICK_SECONDS: Final = 0.3
SEARCH_SHARE: Final = 0.4
USUAL: Final = Budget()


def decide(
    program: Program,
    left: Expr,
    right: Expr,
    *,
    assumptions: Sequence[Assumption] = (),
    admissible: Sequence[Assumption] = (),
    budget: Budget = USUAL,
) -> Verdict:
    """Whether left = right in the program, for all sizes and data.

    `assumptions` hold besides the program's own. A claim that needs some of the `admissible` ones is proved with them
    as conditions. The program holds the adjoints that the claim mentions, after its forward definitions.

    >>> from backproof.language.expression import apply, tensor
    >>> x = tensor("x")
    >>> decide(Program({"x": ()}), apply("exp", 2 * x), apply("exp", x) ** 2).kind
    <Kind.PROVED: 'proved'>
    """
    return decider(program).decide(left, right, assumptions=assumptions, admissible=admissible, budget=budget)


_deciders: OrderedDict[int, Decider] = OrderedDict()


def decider(program: Program) -> Decider:
    """The decider of a program; those of the last few programs are kept, with what they have evaluated."""
    # The decider holds its program, so that the identity of a remembered program cannot be taken by another one.
    found = _deciders.get(id(program))
    if found is None or found.program is not program:
        found = _deciders[id(program)] = Decider(program)
    _deciders.move_to_end(id(program))
    while len(_deciders) > REMEMBERED:
        _deciders.popitem(last=False)
    return found


class Decider:
    """Decides claims about one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.view = Axiomatic(program)
        self._settings: OrderedDict[frozenset[Assumption], _Setting] = OrderedDict()

    def decide(
        self,
        left: Expr,
        right: Expr,
        *,
        assumptions: Sequence[Assumption] = (),
        admissible: Sequence[Assumption] = (),
        budget: Budget = USUAL,
    ) -> Verdict:
        """Whether left = right, for all sizes and data."""
        deadline = time.monotonic() + budget.seconds
        claim = _Claim.of(left, right, deadline, budget)
        given = (*self.program.assumptions, *assumptions)
        verdict = self._setting(given).settled(claim)
        if verdict.kind is Kind.PROVED:
            return verdict
        reached = set(self.view.reach(claim.sides.tape.names))
        useful = [a for a in admissible if a not in given and a.tensor in reached][:MOST_ADMISSIBLE]
        for count in range(1, len(useful) + 1):
            for chosen in combinations(useful, count):
                better = self._setting((*given, *chosen)).settled(claim)
                if better.kind is Kind.PROVED:
                    needed = tuple(Condition.of(a) for a in chosen)
                    return replace(better, conditions=(*needed, *better.conditions), without=verdict.witness)
                if better.kind is Kind.REFUTED and count == len(useful):
                    # A witness that keeps to the target's convention is the better one.
                    verdict, given = better, (*given, *chosen)
        if verdict.kind is Kind.REFUTED and budget.condition_seconds > 0:
            return self._explained(claim, given, verdict, reached)
        return verdict

    def _setting(self, assumptions: Sequence[Assumption]) -> _Setting:
        key = frozenset(assumptions)
        found = self._settings.get(key)
        if found is None:
            found = self._settings[key] = _Setting(self.view, tuple(assumptions))
        self._settings.move_to_end(key)
        while len(self._settings) > REMEMBERED_SETTINGS:
            self._settings.popitem(last=False)
        return found

    def _explained(self, claim: _Claim, given: tuple[Assumption, ...], verdict: Verdict, reached: set[str]) -> Verdict:
        """The refuted claim with the factors of its difference and the conditions that would make it true."""
        deadline = min(claim.deadline, time.monotonic() + claim.budget.condition_seconds)
        brief = replace(claim, deadline=deadline)
        parts = self._setting(given).factors(brief)
        inputs = [n for n in self.program.inputs if n in reached]
        signs = self.view.branches(claim.sides.tape)

        def holds(chosen: tuple[Assumption, ...]) -> bool:
            # A candidate such as ε = 0 takes the place of what was assumed of the same tensor.
            kept = tuple(a for a in given if not any(a.tensor == c.tensor and c.property == "equals" for c in chosen))
            return self._setting((*kept, *chosen)).holds(brief)

        numbers = sorted({n.value for side in (claim.left, claim.right) for n in postorder(side) if isinstance(n, Num)})
        candidates = conditions.candidates(self.program, inputs, given, signs=signs, numbers=numbers)
        found = conditions.search(candidates, holds, deadline)
        return replace(verdict, factors=parts, hidden_conditions=(*conditions.size_conditions(parts), *found))


@dataclass(frozen=True, slots=True)
class _Claim:
    """Both sides in axioms, and how long the decision may take."""

    left: Expr
    right: Expr
    sides: Sides
    deadline: float
    budget: Budget

    @staticmethod
    def of(left: Expr, right: Expr, deadline: float, budget: Budget) -> _Claim:
        left, right = unfold(left), unfold(right)
        return _Claim(left, right, Sides.of(left, right), deadline, budget)


class _Setting:
    """Claims on one program under fixed assumptions."""

    def __init__(self, view: Axiomatic, assumptions: tuple[Assumption, ...]) -> None:
        self.view = view
        self.assumptions = assumptions

    @cached_property
    def refuter(self) -> Refuter:
        return Refuter(self.view, self.assumptions)

    @cached_property
    def refuter_at_kinks(self) -> Refuter:
        return Refuter(self.view, self.assumptions, kinks=True)

    @cached_property
    def prover(self) -> Prover:
        return Prover(self.view, self.assumptions)

    @cached_property
    def small_model(self) -> SmallModel:
        return SmallModel(self.view, self.assumptions)

    @cached_property
    def ranges(self) -> Ranges:
        return Ranges(self.view, self.assumptions)

    def settled(self, claim: _Claim) -> Verdict:
        # A first evaluation of a very deep program may be slow; the proof gets the greater part of the time.
        early = time.monotonic() + SEARCH_SHARE * (claim.deadline - time.monotonic())
        more = self.refuter.tries
        # One evaluation of the small model tells most wrong claims; the gradients of a deep program may vanish in it.
        deep = is_deep(self.view)
        opinion = None if deep else self.small_model.opinion(claim.left, claim.right, early)
        if opinion is None or opinion.agrees is None:
            found, more = self._first(claim, early)
            if found.nowhere:
                found = self.refuter_at_kinks.search(claim.sides, range(len(TRIES)), early)
            if found.witness is not None:
                return _refuted(found.witness)
            if found.nowhere:
                return Verdict(Kind.UNKNOWN, because="a side had no value at any point that was tried")
        if opinion is None:
            opinion = self.small_model.opinion(claim.left, claim.right, early)
        if opinion.agrees is False:
            # False with near certainty: a point is likelier to be found than a proof.
            found = self.refuter.search(claim.sides, more, early)
            if found.witness is not None:
                return _refuted(found.witness)
        if claim.left is claim.right:
            proof = Proof(proved=True)
        else:
            proof = self.prover.prove(claim.left, claim.right, claim.deadline, claim.budget.terms)
        if proof.proved:
            if opinion.agrees is False:
                error = DisagreementError(
                    "the proof and the small model disagree: this is a bug of backproof",
                    got=f"the small model {opinion.words}",
                    next="please report the claim",
                )
                return Verdict(Kind.UNKNOWN, because=str(error), second_opinion=opinion.words)
            return Verdict(Kind.PROVED, self._ledger(claim, proof), used=proof.used, second_opinion=opinion.words)
        for refuter, tries in ((self.refuter, more), (self.refuter_at_kinks, range(len(TRIES)))):
            later = refuter.search(claim.sides, tries, max(claim.deadline, _soon()))
            if later.witness is not None:
                return _refuted(later.witness)
        because = f"{proof.because}; {opinion.words}"
        return Verdict(Kind.UNKNOWN, used=proof.used, because=because, second_opinion=opinion.words)

    def _first(self, claim: _Claim, deadline: float) -> tuple[Search, range]:
        """The search at the first point where both sides have a value, and the tries that are left."""
        found, more = Search(None, 0), self.refuter.tries
        while found.nowhere and more:
            found, more = self.refuter.search(claim.sides, more[:1], deadline), more[1:]
        return found, more

    def holds(self, claim: _Claim) -> bool:
        """Whether the claim is proved under these assumptions, and nothing speaks against it."""
        if not self.small_model.opinion(claim.left, claim.right, claim.deadline).agrees:
            return False
        return self.prover.prove(claim.left, claim.right, claim.deadline, claim.budget.terms).proved

    def factors(self, claim: _Claim) -> tuple[Expr, ...]:
        proof = self.prover.prove(claim.left, claim.right, claim.deadline, claim.budget.terms)
        remaining = claim.deadline - time.monotonic()
        if proof.difference is None or remaining <= 0:
            return ()
        algebra = self.prover.algebra(remaining, claim.budget.terms)
        return conditions.factors(proof.difference, algebra, self.ranges)

    def _ledger(self, claim: _Claim, proof: Proof) -> tuple[Condition, ...]:
        opened = [self.view.definition(n).body for n in proof.used]
        return side_conditions((claim.left, claim.right, *opened), self.ranges)


def _refuted(witness: Witness) -> Verdict:
    return Verdict(Kind.REFUTED, witness=witness)


def _soon() -> float:
    """A moment for the cheap checks that follow a proof attempt which took all the time."""
    return time.monotonic() + QUICK_SECONDS
