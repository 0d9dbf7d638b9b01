"""Diagnosis: the simplest mistakes that reproduce a wrong claim exactly.

Mistakes are made in the right formula and taken out of the claimed one; where both meet, the claim is explained.
Numbers at random points choose what is worth proving: a table of the right formula with every single mistake is kept
for each gradient, and a pair of mistakes is found by comparing it with the claim with every single mistake taken out.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from backproof.calculus.network import Network
from backproof.check.lines import Lines, Slip, Table, lines_of
from backproof.check.mistakes import (
    AS_USUAL,
    EXTRA_FACTOR,
    EXTRA_TERM,
    FACTOR,
    HIDDEN_CONDITION,
    MISTAKES,
    SEARCHED,
    Mistake,
    made,
)
from backproof.check.rows import Row, Rows, dot, equal_rows, is_finite, is_zero, proportional_rows, scaled, stacked
from backproof.check.sites import plainly, shown
from backproof.errors import BackproofError
from backproof.language.expression import (
    Expr,
    Tensor,
    add,
    mul,
    num,
    one,
    postorder,
    power,
    reindex,
    size,
)
from backproof.language.program import Program
from backproof.language.walks import names
from backproof.proof.deciding import decide
from backproof.proof.folding import weight
from backproof.proof.verdict import Budget, Kind, Verdict

SECONDS: Final = 2.0
"""Of this thread: a busy machine finds the same explanations as an idle one."""
QUICK: Final = Budget(seconds=1.5, condition_seconds=0)
MAX_PROOFS: Final = 60
MAX_FOUND: Final = 4
BY_NAME: Final = {entry.name: entry for entry in MISTAKES}
GENERIC: Final = MISTAKES.index(BY_NAME["wrong-number"])
"""From this rank on a mistake could be made in any formula: it is said only where none of the usual ones is found."""
ADDED: Final = len(SEARCHED) + 1
"""The rank of a factor or a term that was added as a whole."""
NEARLY_PARALLEL: Final = 1e-6
MAX_LIKELY: Final = 40
"""As many meetings of numbers are looked at; more of them mean that the numbers say little."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Mistakes that may explain the claim: they do if both sides are equal."""

    parts: tuple[Slip | Mistake, ...]
    left: Expr
    right: Expr
    rank: int

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the mistakes."""
        return tuple(p.name for p in self.parts)

    @property
    def distance(self) -> int:
        """How many names one side has and the other has not: each of them has to be opened in a proof."""
        return len(names(self.left) ^ names(self.right))

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The mistakes in words."""
        return tuple(p.mistake if isinstance(p, Slip) else p for p in self.parts)


def diagnose(
    network: Network, program: Program, left: Tensor, right: Expr, verdict: Verdict, forms: tuple[Expr, ...] = ()
) -> tuple[tuple[Mistake, ...], ...]:
    """Explanations of a refuted claim ∂J/∂t = right, the simplest first, each one mistake or several together.

    `forms` are other ways to write the right side.
    """
    explained: list[tuple[Mistake, ...]] = []
    lines = lines_of(network, program, left.name, forms)
    if len(set(left.indices)) == len(lines.indices):
        claim = reindex(right, dict(zip(left.indices, lines.indices, strict=True)))
        try:
            explained = list(Search(lines, claim).explanations())
        except BackproofError:
            # A formula that is too large to be compared stays without an explanation.
            explained = []
    for conditions in verdict.hidden_conditions[:1]:
        from backproof.check.wording import condition_text

        stated = " and ".join(condition_text(c, program) for c in conditions)
        explained.append((made(HIDDEN_CONDITION, stated),))
        if any(c.assumption is not None and c.assumption.value not in (None, 0, 1) for c in conditions):
            # A number that the claim writes for a letter, α = 0.2, says more than two mistakes together.
            explained.sort(key=len)
    return tuple(dict.fromkeys(explained))[:MAX_FOUND]


@dataclass
class Search:
    """The search for mistakes that turn a gradient's formula into a given claim."""

    lines: Lines
    right: Expr

    @cached_property
    def claim(self) -> Row:
        return self.lines.row(self.right)

    @cached_property
    def undone(self) -> Table:
        return self.lines.undone(self.right)

    @property
    def truth(self) -> Expr:
        """The right formula as it is proved with: by its name."""
        return self.lines.definition.head

    def explanations(self) -> Iterator[tuple[Mistake, ...]]:
        """Explanations that are proved; those with more mistakes only where no simpler one is found."""
        if not is_finite(self.claim) or not is_finite(self.lines.truth):
            return
        deadline = time.thread_time() + SECONDS
        proofs = 0
        for stage in (
            self._usual,
            self._one,
            self._one_taken_out,
            self._two,
            self._two_apart,
            self._two_lost,
            self._three,
        ):
            found: set[tuple[str, ...]] = set()
            likely = sorted(itertools.islice(stage(), MAX_LIKELY), key=lambda c: (c.rank, c.distance))
            for candidate in likely:
                late = proofs > 0 and time.thread_time() > deadline
                if len(found) >= MAX_FOUND or proofs >= MAX_PROOFS or late:
                    break
                if found and candidate.rank >= GENERIC:
                    break
                same = candidate.names
                if same not in found:
                    proofs += 1
                    if self._proved(candidate):
                        found.add(same)
                        yield candidate.mistakes
            if found or time.thread_time() > deadline:
                return

    def _proved(self, candidate: Candidate) -> bool:
        around = self.lines.around
        try:
            verdict = decide(
                around.program, candidate.left, candidate.right, admissible=around.network.admissible, budget=QUICK
            )
        except BackproofError:
            return False
        return verdict.kind is Kind.PROVED

    def _usual(self) -> Iterator[Candidate]:
        """A factor, a slope too many or missing, or another of the commonest mistakes: most claims end here."""
        yield from (c for c in self._scaled(self.right_alone) if not c.rank)
        for k in equal_rows(self.lines.usual.rows, self.claim):
            slip = self.lines.usual.slips[k]
            yield Candidate((slip,), slip.body, self.right, rank(slip))
        yield from (c for c in self._with_factors(self.right_alone, scaled=False) if c.rank < GENERIC)

    def _one(self) -> Iterator[Candidate]:
        """One mistake of any kind, a factor of the network or a term too many."""
        for k in equal_rows(self.lines.wrong.rows, self.claim):
            slip = self.lines.wrong.slips[k]
            yield Candidate((slip,), slip.body, self.right, rank(slip))
        yield from self._scaled(self.right_alone)
        yield from self._with_factors(self.right_alone, scaled=False)
        yield from self._with_terms(self.right_alone)

    def _one_taken_out(self) -> Iterator[Candidate]:
        """One mistake that is found in the claim as it is written."""
        for k in equal_rows(self.undone.rows, self.lines.truth):
            slip = self.undone.slips[k]
            yield Candidate((slip,), self.truth, slip.body, rank(slip))

    def _two(self) -> Iterator[Candidate]:
        """One mistake and a factor, a term, or a factor of the network; two of these."""
        wrong = Bases.of(self.lines.wrong)
        yield from self._scaled(wrong)
        yield from self._with_factors(self.right_alone, scaled=True)
        yield from self._with_two_factors()
        yield from self._with_a_term_and_scaled()
        yield from self._with_factors(wrong, scaled=False)
        yield from self._with_terms(wrong)

    def _two_apart(self) -> Iterator[Candidate]:
        """One mistake taken out of the claim, and one made, or a factor, or a term."""
        wrong, undone, truth = self.lines.wrong, self.undone, self.lines.truth
        for out, row in zip(undone.slips, undone.rows, strict=True):
            for k in equal_rows(wrong.rows, row) if not is_zero(row) else ():
                first = wrong.slips[k]
                yield Candidate((first, out), first.body, out.body, rank(first) + rank(out))
        for k, ratio in proportional_rows(undone.rows, truth):
            scale = self._scale(1 / ratio)
            if scale is not None and scale is not one:
                out = undone.slips[k]
                yield Candidate((out, self._scale_mistake(scale)), mul(scale, self.truth), out.body, rank(out))
        factors, values = self.lines.factors
        for factor, value in zip(factors, values, strict=True):
            for rows, against, extra in ((undone.rows, truth * value, True), (undone.rows * value, truth, False)):
                for k in equal_rows(rows, against):
                    out = undone.slips[k]
                    left = mul(factor, self.truth) if extra else self.truth
                    right = out.body if extra else mul(factor, out.body)
                    mistakes = (out, self._factor_mistake(factor, extra=extra))
                    yield Candidate(mistakes, left, right, rank(out) + ADDED)
        for term, value in zip(*self.lines.terms, strict=True):
            for k, ratio in proportional_rows(undone.rows - truth, value):
                scale, out = self._scale(1 / ratio), undone.slips[k]
                if scale is not None:
                    left = add(self.truth, mul(scale, term))
                    yield Candidate((out, self._term_mistake(scale, term)), left, out.body, rank(out) + ADDED)

    def _two_lost(self) -> Iterator[Candidate]:
        """Two things left out."""
        pairs, rows = self.lines.lost
        for k in equal_rows(rows, self.claim):
            first, second = pairs[k].first, pairs[k].second
            yield Candidate((first, second), second.body, self.right, rank(first) + rank(second))

    def _three(self) -> Iterator[Candidate]:
        """One mistake made, one taken out, and a factor."""
        wrong, undone = self.lines.wrong, self.undone
        for out, row in zip(undone.slips, undone.rows, strict=True):
            for k, ratio in proportional_rows(wrong.rows, row):
                scale, first = self._scale(ratio), wrong.slips[k]
                if scale is not None and scale is not one:
                    mistakes = (first, out, self._scale_mistake(scale))
                    yield Candidate(mistakes, mul(scale, first.body), out.body, rank(first) + rank(out))
        yield from self._with_factors(Bases.of(wrong), scaled=True)
        pairs, rows = self.lines.lost
        for k, ratio in proportional_rows(rows, self.claim):
            scale = self._scale(ratio)
            if scale is not None and scale is not one:
                first, second = pairs[k].first, pairs[k].second
                mistakes = (first, second, self._scale_mistake(scale))
                yield Candidate(mistakes, mul(scale, second.body), self.right, rank(first) + rank(second))

    @cached_property
    def right_alone(self) -> Bases:
        """The right formula."""
        return Bases((None,), (self.truth,), stacked([self.lines.truth], self.lines.truth))

    def _scaled(self, bases: Bases) -> Iterator[Candidate]:
        """A formula times a constant and powers of sizes."""
        for k, ratio in proportional_rows(bases.rows, self.claim):
            scale = self._scale(ratio)
            if scale is not None and scale is not one:
                mistakes = (*bases.mistakes(k), self._scale_mistake(scale))
                yield Candidate(
                    mistakes, mul(scale, bases.bodies[k]), self.right, bases.rank(k) + self._scale_rank(scale)
                )

    def _with_factors(self, bases: Bases, *, scaled: bool) -> Iterator[Candidate]:
        """A formula with a factor of the network too many, or without it, and with `scaled` times a constant."""
        factors, values = self.lines.factors
        for factor, value in zip(factors, values, strict=True):
            sides = ((bases.rows * value, self.claim, True), (bases.rows, self.claim * value, False))
            for rows, against, extra in sides:
                for k, ratio in proportional_rows(rows, against):
                    scale = self._scale(ratio)
                    if scale is None or (scale is not one) != scaled:
                        continue
                    mistakes = (*bases.mistakes(k), self._factor_mistake(factor, extra=extra))
                    if scaled:
                        mistakes += (self._scale_mistake(scale),)
                    left = mul(scale, factor, bases.bodies[k]) if extra else mul(scale, bases.bodies[k])
                    right = self.right if extra else mul(factor, self.right)
                    yield Candidate(mistakes, left, right, bases.rank(k) + self._factor_rank(factor))

    def _with_two_factors(self) -> Iterator[Candidate]:
        """The right formula with two factors too many, two missing, or one of each."""
        factors, values = self.lines.factors
        truth, claim = self.lines.truth, self.claim
        for first, value in zip(factors, values, strict=True):
            sides = (
                (values * value * truth, claim, True, True),
                (values * truth, claim * value, False, True),
                (values * value * claim, truth, False, False),
            )
            for rows, against, first_extra, second_extra in sides:
                for k in equal_rows(rows, against) if not is_zero(against) else ():
                    second = factors[k]
                    if first is second and first_extra != second_extra:
                        continue
                    above = [f for f, e in ((first, first_extra), (second, second_extra)) if e]
                    below = [f for f, e in ((first, first_extra), (second, second_extra)) if not e]
                    mistakes = (
                        self._factor_mistake(first, extra=first_extra),
                        self._factor_mistake(second, extra=second_extra),
                    )
                    rank_of = self._factor_rank(first) + self._factor_rank(second)
                    yield Candidate(mistakes, mul(*above, self.truth), mul(*below, self.right), rank_of)

    def _with_terms(self, bases: Bases) -> Iterator[Candidate]:
        """A formula with a term too many."""
        rests = self.claim - bases.rows
        for term, value in zip(*self.lines.terms, strict=True):
            for k, ratio in proportional_rows(rests, value):
                scale = self._scale(1 / ratio)
                if scale is not None:
                    mistakes = (*bases.mistakes(k), self._term_mistake(scale, term))
                    left = add(bases.bodies[k], mul(scale, term))
                    yield Candidate(mistakes, left, self.right, bases.rank(k) + ADDED)

    def _with_a_term_and_scaled(self) -> Iterator[Candidate]:
        """The right formula times a constant, and a term too many."""
        if self.claim.size <= 2:
            return
        truth, claim = self.lines.truth, self.claim
        for term, value in zip(*self.lines.terms, strict=True):
            # Least squares in two unknowns.
            aa, ab, bb = dot(truth, truth), dot(truth, value), dot(value, value)
            determinant = aa * bb - ab * ab
            if determinant <= NEARLY_PARALLEL * aa * bb:
                continue
            ac, bc = dot(truth, claim), dot(value, claim)
            outer, inner = (ac * bb - bc * ab) / determinant, (bc * aa - ac * ab) / determinant
            rest = claim - scaled(truth, outer) - scaled(value, inner)
            if equal_rows(stacked([claim - rest], claim), claim):
                scale, weight_of = self._scale(outer), self._scale(inner)
                if scale is not None and scale is not one and weight_of is not None:
                    mistakes = (self._scale_mistake(scale), self._term_mistake(weight_of, term))
                    left = add(mul(scale, self.truth), mul(weight_of, term))
                    yield Candidate(mistakes, left, self.right, ADDED)

    def _scale(self, ratio: float) -> Expr | None:
        """A number as a simple constant times powers of sizes, or None."""
        return self.lines.around.scales.nearest(ratio)

    def _scale_rank(self, scale: Expr) -> int:
        """A factor comes first, unless it is a size that a mean or a sum may have brought."""
        others = {size(s) for s in self.lines.around.points[0].sizes if s != self.lines.around.batch}
        return SEARCHED.index(BY_NAME["wrong-reduction"]) + 1 if others & set(postorder(scale)) else 0

    def _scale_mistake(self, scale: Expr) -> Mistake:
        if scale is num(-1):
            return made(BY_NAME["sign"], "the whole right side")
        batch = self.lines.around.batch
        if batch is not None and size(batch) in set(postorder(scale)):
            name = "bias-reduction" if self.lines.target.startswith("b") else "batch-scale"
            return made(BY_NAME[name], f"a factor {shown(scale)} too much")
        inverse = power(scale, -1)
        if weight(inverse) < weight(scale):
            says, fix = f"a factor {shown(inverse)} is missing", f"multiply by {shown(inverse)}"
            return Mistake(FACTOR.name, plainly(scale), says, fix)
        return Mistake(FACTOR.name, plainly(scale), f"a factor {shown(scale)} too much", f"divide by {shown(scale)}")

    def _factor_mistake(self, factor: Expr, *, extra: bool) -> Mistake:
        if factor in self.lines.slopes:
            return made(BY_NAME["extra-slope" if extra else "missing-slope"], shown(factor))
        if extra:
            return made(EXTRA_FACTOR, shown(factor))
        return made(BY_NAME["dropped-term"], f"the factor {shown(factor)}")

    def _factor_rank(self, factor: Expr) -> int:
        return 1 if factor in self.lines.slopes else ADDED

    def _term_mistake(self, scale: Expr, term: Expr) -> Mistake:
        return made(EXTRA_TERM, shown(mul(scale, term)))


@dataclass(frozen=True)
class Bases:
    """Formulas to go on from, with the mistakes that made them and their values."""

    slips: tuple[Slip | None, ...]
    bodies: tuple[Expr, ...]
    rows: Rows

    @staticmethod
    def of(table: Table) -> Bases:
        """A table of single mistakes."""
        return Bases(table.slips, tuple(s.body for s in table.slips), table.rows)

    def mistakes(self, k: int) -> tuple[Slip | Mistake, ...]:
        """The mistakes that made a formula."""
        slip = self.slips[k]
        return () if slip is None else (slip,)

    def rank(self, k: int) -> int:
        """How far-fetched they are."""
        slip = self.slips[k]
        return 0 if slip is None else rank(slip)


def rank(slip: Slip) -> int:
    """How far-fetched a mistake is: the usual ones come first in the list; any number could be another one."""
    usual = AS_USUAL.get(slip.entry)
    place = SEARCHED.index(slip.entry if usual is None else BY_NAME[usual])
    return place if place != GENERIC else len(SEARCHED)
