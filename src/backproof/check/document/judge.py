"""Judging one formula of a document: in the world of its own definitions, else for the networks that it names."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from backproof.calculus.network import Network
from backproof.check.claims import CheckedClaim
from backproof.check.document.conditions import compares, under
from backproof.check.document.context import Context, Setting
from backproof.check.document.forms import Forms, free_letters
from backproof.check.document.gradients import gradients_written_out
from backproof.check.document.marks import has_gradient, number
from backproof.check.document.networks import Networks, better, where
from backproof.check.document.numbers import at_a_point, at_values, only_value
from backproof.check.document.phrases import (
    BY_COLUMNS,
    BY_ROWS,
    DENOMINATOR,
    IN_A_CASE,
    NEGATIVES,
    ONE_EXAMPLE,
    SYMMETRY,
    UP_TO,
)
from backproof.check.document.readings import (
    as_count,
    left_open,
    matrices_of,
    of_the_loss,
    only_for_numbers,
    transposed_gradients,
    unexplained,
)
from backproof.check.document.sources import Document, Piece
from backproof.check.document.vectors import entrywise, same
from backproof.check.judging import Equation, judged
from backproof.check.updates import OF_UPDATE, ascends, gradient_of, is_positive_factor
from backproof.check.worksheet.sheet import Step, chain_of, rank, steps_of
from backproof.check.worksheet.statements import Statement
from backproof.errors import BackproofError, FormulaError, ShapeError
from backproof.language.elaboration import elaborate
from backproof.language.expression import Size, Tensor, postorder
from backproof.language.notation import (
    Cases,
    Derivative,
    Relation,
    Symbol,
)
from backproof.language.scope import LOSS_LETTERS
from backproof.language.walks import names
from backproof.proof.verdict import Budget, Kind

MAX_SECONDS: Final = 120.0

EQUAL: Final = ("=", ":=", "≡")

_NO_EQUATION: Final = {
    "≈": "an approximation is no equation: it is not judged",
    "←": "an update of parameters is no equation: it is not judged",
    "→": "a step towards something is no equation: it is not judged",
}

_FAR_FETCHED: Final = re.compile(r"without a sign read as the elementwise|repeated along")

_FACTORS: Final = ("factor", "wrong-reduction", "batch-scale")
_QUICK: Final = Budget(seconds=0.5, condition_seconds=0)


@dataclass
class Judge:
    """Judges the formulas of a document after what its `context` holds so far.

    `revalued` are names to which the text gave several values.
    """

    document: Document
    context: Context
    forms: Forms
    networks: Networks
    revalued: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        rows, columns = (pattern.search(self.document.text) is not None for pattern in (BY_ROWS, BY_COLUMNS))
        if rows != columns:
            self.context.unit_axes = (int(rows),)
        self.deadline = time.monotonic() + MAX_SECONDS

    def claims(self, node: Relation, piece: Piece) -> Iterator[CheckedClaim]:
        """Each equation of a claim with its verdict."""
        if time.monotonic() > self.deadline:
            yield self.unread(piece, self.text(node, piece), node.span[0], FormulaError("there was no time left"))
            return
        update = gradient_of(node)
        update = gradients_written_out(update, self.context.definitions) if update is not None else None
        if update is not None:
            yield from self._update(node, update, piece)
            return
        if any(sign not in EQUAL for sign in node.signs):
            yield self._no_equation(node, piece)
            return
        entries = entrywise(gradients_written_out(node, self.context.definitions))
        for number_of, part in enumerate(entries, start=1):
            for claim in self._same(part, piece) or self._judged(part, piece):
                if len(entries) > 1:
                    notes = (*claim.notes, f"entry {number_of} of {len(entries)}")
                    claim = replace(claim, claim=self.text(node, piece), notes=notes)
                yield claim

    def _judged(self, node: Relation, piece: Piece) -> Iterator[CheckedClaim]:
        """In the world of the document's own definitions, else for the networks that it names."""
        own_error: BackproofError | None = None
        try:
            found = list(self._own(node, piece))
        except BackproofError as error:
            own_error = error
        else:
            yield from self._reconsidered(found, node, piece)
            return
        # A shape that does not fit in the document's own world is not tried in another one.
        found: list[CheckedClaim] = []
        found = list(self.networks.of_layers(node, piece))
        if not found and not isinstance(own_error, ShapeError):
            stated = any(name in LOSS_LETTERS for name in self.context.definitions)
            found = list(self.networks.judged(node, piece, self.text(node, piece), stated=stated))
        if found:
            yield from found
            return
        if len(node.sides) > 2:
            yield from self._step_by_step(node, piece)
            return
        if len(node.sides) == 2 and number(node.sides[1]) == 0 and isinstance(node.sides[0], Derivative):
            at = where(self.document, piece, node.span[0])
            because = "where the derivative vanishes: a condition on a point, no identity"
            yield CheckedClaim(self.text(node, piece), "unknown", Network(), at, node, because=because)
            return
        yield self.unread(piece, self.text(node, piece), node.span[0], own_error)

    def _no_equation(self, node: Relation, piece: Piece) -> CheckedClaim:
        sign = next((s for s in node.signs if s not in EQUAL), "←")
        because = _NO_EQUATION.get(sign, f"a relation with {sign} is no equation")
        at = where(self.document, piece, node.span[0])
        return CheckedClaim(self.text(node, piece), "unknown", Network(), at, node, because=because)

    def _update(self, node: Relation, claimed: Relation, piece: Piece) -> Iterator[CheckedClaim]:
        """An update w ← w − η g claims that g is the gradient by w, up to a positive factor that η takes in."""
        try:
            found = self._same(claimed, piece) or list(self._own(claimed, piece))
        except BackproofError:
            found = []
        uphill = ascends(node)
        for claim in found:
            proved = claim.verdict == "proved"
            off = claim.verdict == "refuted" and not is_positive_factor(claim.comparison)
            if proved or (off and not uphill and of_the_loss(claim)):
                yield replace(claim, claim=self.text(node, piece), notes=(*claim.notes, OF_UPDATE))
                return
        yield self._no_equation(node, piece)

    def _same(self, node: Relation, piece: Piece) -> list[CheckedClaim]:
        """The definition of the gradient, ∇f = [∂f/∂x_1, …]: both sides are the same entry by entry."""
        if not same(node.sides):
            return []
        at = where(self.document, piece, node.span[0])
        note = "the same on both sides by the definition of the gradient"
        return [CheckedClaim(self.text(node, piece), "proved", Network(), at, node, notes=(note,))]

    def _reconsidered(self, found: list[CheckedClaim], node: Relation, piece: Piece) -> Iterator[CheckedClaim]:
        """What is false in the text's own world may be said of another loss that the sentence names."""
        if not any(c.verdict == "refuted" for c in found):
            yield from found
            return
        other, words = self.networks.instead(node, piece)
        if other and all(c.verdict == "proved" for c in other):
            yield from other
            return
        if apart := self._set_apart(node, piece):
            yield from apart
            return
        limited = self._holds_under_a_condition(node, piece) or self._holds_for_symmetric_matrices(node, piece)
        for claim in found:
            if claim.verdict == "refuted" and limited:
                because = f"true for {limited} only; whether the words around it say so is not certain"
                claim = replace(claim, verdict="unknown", because=because, mistakes=(), explanations=())
            elif claim.verdict == "refuted" and (because := unexplained(claim) or self._conditional(piece)):
                claim = left_open(claim, because)
            elif claim.verdict == "refuted" and (because := at_values(claim, self._values_here(piece))):
                note = because.replace("true at", "for").replace("only, which the text gives", "as the text says")
                notes = (*claim.notes, note)
                claim = replace(claim, verdict="proved", decision=None, because=None, mistakes=(), notes=notes)
            elif claim.verdict == "refuted" and (
                because := self._up_to_a_factor(claim, piece) or at_values(claim, self.context.values)
            ):
                claim = replace(claim, verdict="unknown", because=because, mistakes=(), explanations=())
            elif claim.verdict == "refuted" and words:
                because = f"it is false for the loss that the text defines, but the sentence speaks of {words}"
                claim = replace(claim, verdict="unknown", because=because, mistakes=(), explanations=())
            elif claim.verdict == "refuted":
                claim = replace(claim, would_be_right_for=self.networks.right_for(node, piece))
            yield claim

    def _set_apart(self, node: Relation, piece: Piece) -> list[CheckedClaim]:
        """The claims where they hold if u_o is none of the u_k that are summed; nothing where they do not."""
        before, other = self.context, self.context.set_apart(self.forms.plain(node))
        if other is None:
            return []
        self.context = other
        try:
            claims = list(self._own(node, piece))
        except BackproofError:
            return []
        finally:
            self.context = before
        if not claims or any(c.verdict != "proved" for c in claims):
            return []
        names = ", ".join(sorted(f"{name}_{letter}" for name, letter in other.apart))
        if NEGATIVES.search(self.document.text):
            return [replace(c, notes=(*c.notes, f"{names} is none of the terms that are summed")) for c in claims]
        return [
            left_open(c, f"true if {names} is none of the terms that are summed; the text does not say it")
            for c in claims
        ]

    def _up_to_a_factor(self, claim: CheckedClaim, piece: Piece) -> str:
        """What has to be said where a claim is off by a constant, and its sentence drops such or takes one example."""
        found = claim.comparison
        ratio = list(postorder(found.expr)) if found is not None and found.kind == "ratio" else []
        named = claim.mistakes[0].name if claim.mistakes else ""
        if any(isinstance(n, Tensor) for n in ratio) or not (ratio or named in _FACTORS):
            return ""
        sized = any(isinstance(n, Size) for n in ratio) or named in ("wrong-reduction", "batch-scale")
        if self.networks.says(piece, ONE_EXAMPLE) and sized:
            return "true for one example; the loss that the text defines is that of all examples"
        if self.networks.says(piece, UP_TO):
            return "true up to a constant factor only, which the sentence may leave away"
        return ""

    def _conditional(self, piece: Piece) -> str:
        """What has to be said where the sentence states an inequality or a case: the claim may hold only there."""
        here = next((s for s in self.networks.sentences if s.start <= piece.start < s.end), None)
        texts = [p.text for p in here.formulas] if here is not None else [piece.text]
        held = any(compares(text) for text in texts) or self.networks.says(piece, IN_A_CASE)
        return "the sentence states a condition in which it may hold" if held else ""

    def _values_here(self, piece: Piece) -> dict[str, Fraction]:
        """The values that the sentence of a formula gives as a condition: for β = 1."""
        given = (only_value(p, words) for p, words in self.networks.before(piece))
        return dict(g for g in given if g is not None)

    def _holds_for_symmetric_matrices(self, node: Relation, piece: Piece) -> str:
        """What has to be said where a claim holds for symmetric matrices, of which the text speaks somewhere."""
        if not SYMMETRY.search(self.document.text) or "*" in self.context.symmetric:
            return ""
        before = set(self.context.symmetric)
        self.context.symmetric.add("*")
        try:
            claims = list(self._own(node, piece))
        except BackproofError:
            return ""
        finally:
            self.context.symmetric = before
        return "symmetric matrices" if claims and all(c.verdict == "proved" for c in claims) else ""

    def _holds_under_a_condition(self, node: Relation, piece: Piece) -> str:
        """The condition i = j or i ≠ j that makes a claim true, where the sentence speaks of such a thing in words."""
        plain = self.forms.plain(node)
        places = self.forms.shown_places
        letters = sorted(free_letters(plain) | set(places), key=lambda x: (x in places, x))
        said = self.networks.speaks_of_cases(piece)
        if len(letters) != 2 or isinstance(node.sides[0], Cases) or not (said or places):
            return ""
        for sign in ("=", "≠") if said else ("≠",):
            condition = Relation((Symbol(letters[0]), Symbol(letters[1])), (sign,))
            claimed, notes = under(plain, (condition,), places)
            try:
                if notes and all(c.verdict == "proved" for c in self._own(claimed, piece)):
                    return f"{letters[0]} {sign} {places.get(letters[1], letters[1])}"
            except BackproofError:
                continue
        return ""

    def _step_by_step(self, node: Relation, piece: Piece) -> Iterator[CheckedClaim]:
        """A chain with a side that cannot be read: the others are judged from the last one that could."""
        head = before = node.sides[0]
        failed: BackproofError | None = None
        for after in node.sides[1:]:
            span = (node.span[0], after.span[1])
            found: list[CheckedClaim] = []
            for sides in ((head, before, after), (head, after)) if before is not head else ((head, after),):
                try:
                    found = list(self._own(Relation(sides, ("=",) * (len(sides) - 1), span=span), piece))[-1:]
                    break
                except BackproofError as error:
                    failed = error
            if not found and before is head:
                found = list(self._judged(Relation((head, after), ("=",), span=span), piece))
            if not found:
                found = [
                    self.unread(piece, self.text(replace(node, sides=(before, after)), piece), after.span[0], failed)
                ]
            yield from found
            before = before if all(c.verdict == "unread" for c in found) else after

    def _own(self, node: Relation, piece: Piece) -> Iterator[CheckedClaim]:
        statement = Statement("claim", piece.text, 0, len(piece.text), self.document.name)
        first: list[CheckedClaim] = []
        tentative = sure = False
        for setting in self.context.settings(self.forms.plain(node), piece.text):
            try:
                steps = self._steps(setting, statement)
            except BackproofError:
                if first or setting.tentative or setting.cut:
                    continue
                raise
            proved = all(step.verdict.kind is Kind.PROVED for step in steps)
            if setting.cut and (not proved or setting.vetoed):
                continue
            claims = [self._step(setting, piece, step) for step in steps]
            if not first and setting.other and not proved:
                continue
            if not first:
                if setting.uncertain and not setting.cut and not self._for_matrices(setting, statement):
                    claims = [self._step(replace(setting, uncertain=False), piece, step) for step in steps]
                if setting.vetoed:
                    claims = [only_for_numbers(c) for c in claims]
                elif not proved and (why := self._otherwise(setting, steps, statement)):
                    claims = [left_open(c, why) if c.verdict == "refuted" else c for c in claims]
                first, tentative, sure = claims, setting.tentative, setting.signs
                if all(c.verdict != "refuted" for c in claims) and not (tentative and not proved):
                    break
                continue
            if not all(c.verdict == "proved" for c in claims):
                continue
            if setting.other and not setting.earlier and setting.tentative == tentative:
                first = claims
                break
            if tentative and not setting.earlier:
                # Another reading of letters of which the text says nothing.
                if setting.tentative:
                    first = claims
                elif not (sure or setting.signs):
                    first = [
                        left_open(c, "true if all its letters are numbers; the text does not say it") for c in first
                    ]
                break
            if setting.earlier and (setting.vetoed or setting.other):
                continue
            if self.networks.speaks_of_another(piece):
                note = "by an earlier definition, as the sentence says"
                first = [replace(c, notes=(*c.notes, note)) for c in claims]
                break
            # What an earlier definition makes true is not called wrong under a later one.
            first = [
                left_open(c, "it holds for another definition of the same letter in this text, not for the last one")
                for c in first
            ]
            break
        if not first:
            raise ShapeError("the shapes fit in no reading of this formula")
        yield from (better(c) if c.decision is not None and c.decision.kind is Kind.REFUTED else c for c in first)

    def _for_matrices(self, setting: Setting, statement: Statement) -> bool:
        """Whether a formula in capitals may be true for matrices; what is not read then may be."""
        try:
            other = setting.as_matrices() if setting.as_matrices is not None else None
        except BackproofError:
            return False
        try:
            steps = [] if other is None else self._steps(other, statement)
        except BackproofError:
            return True
        return any(s.verdict.kind is not Kind.REFUTED for s in steps)

    def _otherwise(self, setting: Setting, steps: list[Step], statement: Statement) -> str:
        """What has to be said where a claim is true for another meaning of letters that the text leaves open."""
        refuted = [s for s in steps if s.verdict.kind is Kind.REFUTED]
        if not refuted:
            return ""
        if letter := as_count(setting, refuted):
            return f"true if {letter} is the number of terms of a sum; the text does not say it"
        stated = DENOMINATOR.search(self.document.text) is not None
        turned = None if stated else transposed_gradients(setting.relation, matrices_of(setting.world))
        if turned is not None:
            try:
                other = self._steps(replace(setting, relation=turned), statement)
            except BackproofError:
                return ""
            if all(s.verdict.kind is Kind.PROVED for s in other):
                return "true if the gradient by a matrix is written transposed (numerator layout)"
        return ""

    def _steps(self, setting: Setting, statement: Statement) -> list[Step]:
        best: list[Step] = []
        matrices = any(len(sorts) > 1 for sorts in setting.world.program.inputs.values())
        readings = elaborate(setting.relation, setting.world.scope, statement.text, self.document.name)
        if matrices:
            # Matrices side by side are a matrix product: no far-fetched reading makes a formula true.
            readings = tuple(r for r in readings if not any(_FAR_FETCHED.search(n) for n in r.notes))
        if not readings:
            raise ShapeError("the shapes do not fit in a matrix product")
        for reading in readings:
            steps = list(steps_of(setting.world, chain_of(setting.relation, reading, statement)))
            if not best or rank(steps) < rank(best):
                best = steps
            if all(s.verdict.kind is Kind.PROVED for s in best):
                break
        return best

    def _step(self, setting: Setting, piece: Piece, step: Step) -> CheckedClaim:
        world = setting.world
        text = " ".join(piece.text[step.start : step.end].split())
        notes = (*step.notes, *setting.notes)
        at = where(self.document, piece, step.at)
        equation = Equation(text, step.left, step.right, step.indices, at, notes, step.written)
        claim = judged(world, equation, explain=False)
        if claim.verdict == "refuted" and names(step.left) and not names(step.right):
            return at_a_point(world, claim, self.context.values, self.revalued)
        if claim.verdict == "refuted" and setting.earlier:
            because = "what is differentiated was last defined otherwise; an earlier definition does not make it true"
            return replace(claim, verdict="unknown", because=because)
        if claim.verdict == "refuted" and not has_gradient((setting.relation.sides[0],)):
            because = "the left side is no derivative; as an exact equation it is false"
            return replace(claim, verdict="unknown", because=because)
        if claim.verdict == "refuted" and any("repeated index" in note for note in step.notes):
            return replace(claim, verdict="unknown", because="which repeated indices are summed over is not certain")
        if claim.verdict == "proved" and setting.uncertain and setting.signs:
            because = "true if capital letters are numbers, but the formulas have vectors in them"
            return replace(claim, verdict="unknown", because=because, decision=None)
        if claim.verdict == "refuted" and setting.uncertain:
            because = "the shapes of capital letters are not stated; read as numbers, both sides differ"
            return replace(claim, verdict="unknown", because=because)
        return claim

    def text(self, node: Relation, piece: Piece) -> str:
        start, end = node.sides[0].span[0], node.sides[-1].span[1]
        return " ".join(piece.text[start:end].split()) if start < end else " ".join(piece.text.split())

    def unread(self, piece: Piece, text: str, offset: int, error: BackproofError | None) -> CheckedClaim:
        shown = " ".join(text.split())[:200]
        at = offset
        if error is not None and error.place is not None and error.place.text == piece.text:
            at = error.place.start
        because = error.what if error is not None else "it cannot be read"
        return CheckedClaim(shown, "unread", Network(), where(self.document, piece, at), because=because, error=error)
