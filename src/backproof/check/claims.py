"""Claims: a formula that a person wrote about a network, read, judged and explained."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Literal, cast

from backproof import catalog
from backproof.calculus.network import Network
from backproof.check.comparison import Comparison, compare
from backproof.check.density import is_normal_density, with_density
from backproof.check.gradient_names import with_gradients
from backproof.check.granted import ONE_HOT, usual_values, with_class
from backproof.check.mistakes import Mistake, simplest
from backproof.check.names import program_of, resolved, scope_of
from backproof.check.right_forms import convention, right_form
from backproof.check.updates import OF_UPDATE, ascends, claimed_gradient, is_positive_factor
from backproof.errors import BackproofError, FormulaError, Place, ShapeError
from backproof.language.elaboration import Reading, elaborate
from backproof.language.expression import Apply, Expr, Index, Tensor
from backproof.language.grammar import parse_all
from backproof.language.notating import notate
from backproof.language.notation import Derivative, Notation, Relation, Symbol
from backproof.language.program import Definition, Program
from backproof.language.traversal import pieces_of
from backproof.language.values import WEIGHTS_TURNED
from backproof.proof.deciding import decide
from backproof.proof.verdict import Condition, Verdict, Witness

EQUALS: Final = frozenset({"=", ":=", "≡", "←"})
Judged = Literal["proved", "refuted", "unknown", "unread"]


@dataclass(frozen=True, slots=True)
class Where:
    """Where a claim stands in a file, counted from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True)
class CheckedClaim:
    """One claim and what was found.

    `claim` is the text as written. `read_as` is what was understood; `left` and `right` the expressions over `indices`.
    `correct` is the right equation, where the left side names a gradient, and `comparison` says by what a refuted claim
    differs from it. `mistakes` come simplest first; `explanations` are combinations of mistakes that each reproduce the
    claim exactly. `would_be_right_for` lists networks of the catalogue. `written` is a left side without a name as it
    was written. `because` says what stopped an `unknown` or `unread` claim, and `error` is the error of an unread one.
    """

    claim: str
    verdict: Judged
    network: Network
    where: Where | None = None
    read_as: Notation | None = None
    left: Expr | None = None
    right: Expr | None = None
    indices: tuple[Index, ...] = ()
    decision: Verdict | None = None
    correct: Notation | None = None
    correct_expr: Expr | None = None
    comparison: Comparison | None = None
    mistakes: tuple[Mistake, ...] = ()
    explanations: tuple[tuple[Mistake, ...], ...] = ()
    would_be_right_for: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    written: Notation | None = None
    because: str | None = None
    error: BackproofError | None = None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What a proof needs and does not always hold."""
        return self.decision.open_conditions if self.decision is not None else ()

    @property
    def witness(self) -> Witness | None:
        """The point at which a refuted claim fails."""
        return self.decision.witness if self.decision is not None else None


def check(
    text: str,
    network: Network,
    *,
    explain: bool = True,
    where: Where | None = None,
    notations: Sequence[Notation] | None = None,
) -> tuple[CheckedClaim, ...]:
    """Every step of a claim judged: `A = B = C` is A = B and B = C; a formula alone claims δ of the output layer.

    Nothing is skipped: what cannot be read comes back as `unread` with its reason. With `explain` false, no mistakes
    and no other networks are searched for. `notations` are the parses of the text where it was parsed before.
    """
    equations: list[Relation] = []
    try:
        parsed = notations or parse_all(text, known=scope_of(network).aliases.keys())
        equations = [_as_equation(n) for n in parsed]
        if notations is None:
            equations = [with_gradients(e, network) for e in equations]
        readings = _readings(text, network, equations)
    except BackproofError as error:
        mistakes = _slip_of_shape(equations, network) if explain and isinstance(error, ShapeError) else ()
        unread = CheckedClaim(text, "unread", network, where, because=error.what, error=error, mistakes=mistakes)
        return (_at_equal_sizes(unread) or _with_right_form(unread, equations),) if explain else (unread,)
    program = program_of(network)
    best: tuple[CheckedClaim, ...] = ()
    for reading, written in readings.items():
        judged = tuple(_judged(text, network, program, reading, pair, where) for pair in _pairs(reading, written))
        if not best or _rank(judged) < _rank(best):
            best = judged
        if all(c.verdict == "proved" for c in judged):
            break
    best = tuple(_under_the_layout(c) for c in best)
    if len(readings) > 1 and not any(c.notes for c in best):
        best = tuple(replace(c, notes=(f"one of {len(readings)} readings",)) for c in best)
    best = tuple(_explained(c, program) if explain else c for c in best)
    updates = [n for n in parsed if isinstance(n, Relation) and claimed_gradient(n) is not None]
    return tuple(_of_update(c, updates[0], program) for c in best) if updates else best


def _under_the_layout(claim: CheckedClaim) -> CheckedClaim:
    """A claim that holds with the indices of the weights the other way round does not hold in the network's layout."""
    if claim.verdict != "proved" or WEIGHTS_TURNED not in claim.notes:
        return claim
    rows = claim.network.layout == "rows"
    meant, other = ("i to j", "j to i") if rows else ("j to i", "i to j")
    because = f"it holds where w_ij is the weight from {other}; in the layout of this network it is that from {meant}"
    return replace(claim, verdict="unknown", because=because)


def _of_update(claim: CheckedClaim, update: Relation, program: Program) -> CheckedClaim:
    """What is said of w ← w − η g, where the right side of the claim is g."""
    claim = replace(claim, notes=(*claim.notes, OF_UPDATE))
    if claim.verdict != "refuted" or claim.left is None or claim.right is None:
        return claim
    correct = right_form(claim.network, program, claim.left, claim.right)
    found = compare(program, claim.right, correct, claim.indices) if correct is not None else None
    because = None
    if is_positive_factor(found):
        because = "it differs from the gradient by a positive factor, which the step size may hold"
    elif ascends(update) and any(isinstance(n, Symbol) and n.name == "delta" for n in pieces_of(update)):
        because = "it adds to the parameter: δ may be meant with the opposite sign"
    if because is None:
        return claim
    return replace(claim, verdict="unknown", because=because, mistakes=(), explanations=(), would_be_right_for=())


def _slip_of_shape(equations: Sequence[Relation], network: Network) -> tuple[Mistake, ...]:
    """One transpose that would mend a claim whose shapes do not fit."""
    from backproof.check.transposes import transposed

    return next((found for equation in equations if (found := transposed(equation, network))), ())


def _at_equal_sizes(claim: CheckedClaim) -> CheckedClaim | None:
    """A claim with a wrong transpose says something where all layers have one size, and is false there."""
    if not claim.mistakes or not claim.network.sizes or claim.error is None:
        return None
    square = replace(claim.network, sizes=("n",) * len(claim.network.sizes))
    judged = check(claim.claim, square, explain=False, where=claim.where)
    if len(judged) != 1 or judged[0].verdict != "refuted":
        return None
    [refuted] = judged
    if refuted.left is None or refuted.right is None:
        return None
    program = program_of(square)
    correct = right_form(square, program, refuted.left, refuted.right)
    shown = _equation(refuted.left, correct, refuted.indices, program) if correct is not None else None
    misfit = claim.error.what + (f": {claim.error.got}" if claim.error.got else "")
    notes = (*refuted.notes, misfit, "the counter-example has layers of one size, where the shapes do fit")
    explained = replace(refuted, mistakes=claim.mistakes, explanations=(claim.mistakes,), notes=notes)
    return replace(explained, correct=shown, correct_expr=correct)


def _with_right_form(claim: CheckedClaim, equations: Sequence[Relation]) -> CheckedClaim:
    """A claim whose shapes do not fit, with what its left side is, where that is a gradient."""
    if not isinstance(claim.error, ShapeError):
        return claim
    scope, program = scope_of(claim.network), program_of(claim.network)
    for equation in equations:
        left = equation.sides[0]
        with suppress(BackproofError):
            for reading in elaborate(left, scope):
                gradient = reading.sides[0].expr
                if isinstance(gradient, Tensor) and gradient.name.startswith("∂J/∂"):
                    correct = right_form(claim.network, program, gradient, gradient)
                    if correct is not None:
                        shown = _equation(gradient, correct, gradient.indices, program)
                        return replace(claim, correct=shown, correct_expr=correct)
    return claim


def _as_equation(notation: Notation) -> Relation:
    """The claim as an equation: a formula alone claims δ of the output layer, an update the gradient in it."""
    if isinstance(notation, Relation):
        return claimed_gradient(notation) or notation
    return Relation((Symbol("delta", label=Symbol("L")), notation), ("=",))


def _readings(text: str, network: Network, equations: Sequence[Relation]) -> dict[Reading, Relation]:
    """Every way to read the claim, the likeliest first, with the equation as it was written."""
    found: list[tuple[Reading, Relation]] = []
    first_error: BackproofError | None = None
    for equation in equations:
        other = next((s for s in equation.signs if s not in EQUALS), None)
        if other is not None:
            place = Place(text, *equation.span)
            raise FormulaError(f"a claim with {other} is not judged", place=place, expected="an equation, A = B")
        try:
            for reading in _elaborated(equation, network, text):
                sides = tuple(replace(side, expr=resolved(side.expr, network)) for side in reading.sides)
                found.append((replace(reading, sides=sides), equation))
        except BackproofError as error:
            first_error = first_error or error
    if not found:
        raise first_error or FormulaError("there is nothing to read", place=Place(text, 0, len(text)))
    readings: dict[Reading, Relation] = {}
    for reading, equation in sorted(found, key=lambda item: item[0].cost):
        readings.setdefault(reading, equation)
    return readings


def _elaborated(equation: Relation, network: Network, text: str) -> tuple[Reading, ...]:
    """The readings of an equation; where its letters do not fit, one may be the class of the example."""
    if "phi" not in (network.output, network.hidden) and is_normal_density((equation,)):
        equation = cast("Relation", with_density(equation))
    try:
        return elaborate(equation, scope_of(network), text)
    except BackproofError:
        known = with_class(equation, network)
        if known == equation:
            raise
        return tuple(replace(r, notes=(*r.notes, ONE_HOT)) for r in elaborate(known, scope_of(network), text))


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two sides; a derivative that has no name, ∂aᵢ/∂zⱼ, also as it was written."""

    left: Expr
    right: Expr
    indices: tuple[Index, ...]
    written: Derivative | None


def _pairs(reading: Reading, equation: Relation) -> Iterator[_Pair]:
    """The equations of a reading: each two neighbours of a chain."""
    for (left, right), node in zip(itertools.pairwise(reading.sides), equation.sides, strict=False):
        letters = tuple(sorted((left.expr.free | right.expr.free) - {*left.axes, *right.axes}))
        axes = tuple(dict.fromkeys((*left.axes, *right.axes)))
        indices = left.expr.indices if isinstance(left.expr, Tensor) else (*axes, *letters)
        written = node if isinstance(node, Derivative) and not isinstance(left.expr, Tensor | Apply) else None
        yield _Pair(left.expr, right.expr, tuple(dict.fromkeys(indices)), written)


def _judged(
    text: str, network: Network, program: Program, reading: Reading, pair: _Pair, where: Where | None
) -> CheckedClaim:
    admissible = (*network.admissible, *usual_values(network, pair.right))
    decision = decide(program, pair.left, pair.right, admissible=admissible)
    read = _equation(pair.left, pair.right, pair.indices, program, pair.written)
    return CheckedClaim(
        text,
        decision.kind.value,
        network,
        where,
        read,
        pair.left,
        pair.right,
        pair.indices,
        decision,
        notes=reading.notes,
        because=decision.because,
        written=pair.written,
    )


def _equation(
    left: Expr, right: Expr, indices: tuple[Index, ...], program: Program, written: Notation | None = None
) -> Notation:
    """Left = right, both in matrix notation or both with indices."""
    symbols = catalog.symbols()
    if isinstance(left, Tensor) and left.indices == indices:
        return notate(Definition(left.name, indices, right), program=program, symbols=symbols)
    if written is not None:
        return Relation((written, notate(right, program=program, free=indices, symbols=symbols, style="index")), ("=",))
    sides = (notate(side, program=program, free=indices, symbols=symbols) for side in (left, right))
    return Relation(tuple(sides), ("=",))


def _rank(claims: tuple[CheckedClaim, ...]) -> tuple[int, ...]:
    order = {"proved": 0, "refuted": 2, "unknown": 1, "unread": 3}
    return tuple(sorted((order[c.verdict] for c in claims), reverse=True))


def _explained(claim: CheckedClaim, program: Program) -> CheckedClaim:
    """What is right, what went wrong, and for which networks the claim would hold."""
    left, right, decision = claim.left, claim.right, claim.decision
    if left is None or right is None or decision is None:
        return claim
    correct = right_form(claim.network, program, left, right)
    if correct is left and claim.written is None:
        correct = None
    if correct is not None:
        shown = _equation(left, correct, claim.indices, program, claim.written)
        claim = replace(claim, correct_expr=correct, correct=shown)
    if claim.verdict != "refuted":
        return claim
    # Numbers, and NumPy with them, are needed only where something is wrong.
    from backproof.check.causes import causes
    from backproof.check.questions import would_be_right_for

    if correct is not None:
        notes = (*claim.notes, *convention(claim.network, program, left, correct))
        claim = replace(claim, comparison=compare(program, right, correct, claim.indices), notes=notes)
    explanations = causes(claim.network, program, (left, right), correct, claim.indices, decision)
    others = would_be_right_for(claim.network, left, right)
    return replace(claim, mistakes=simplest(explanations), explanations=explanations, would_be_right_for=others)
