"""Mistakes: the usual slips, each an operator on a formula of the derivation.

An operator yields changed formulas. The search in `diagnosis` makes mistakes in the right formula and takes them out of
the claimed one, until both meet; what it finds is then proved. To add a mistake, add an entry to `MISTAKES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from backproof.check import operators as change
from backproof.check import slopes
from backproof.check.operators import nothing, turned
from backproof.check.sites import Operator


@dataclass(frozen=True, slots=True)
class Mistake:
    """A named mistake: `detail` is the constant or the part concerned, `says` a sentence, `fix` what to do."""

    name: str
    detail: str
    says: str
    fix: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A mistake: its name in the contract, the sentence that says it, and how to mend it.

    `changes` makes it in a right formula; `undone` takes it out of a claimed one.
    """

    name: str
    says: str
    fix: str
    changes: Operator
    undone: Operator = nothing


def made(entry: Entry, detail: str) -> Mistake:
    """The entry with its detail filled in."""
    return Mistake(entry.name, detail, entry.says.format(detail=detail), entry.fix.format(detail=detail))


def simplest(explanations: Sequence[tuple[Mistake, ...]]) -> tuple[Mistake, ...]:
    """The mistakes to show: all of the simplest explanation, then other single mistakes with names of their own."""
    if not explanations:
        return ()
    # The same slip twice is said once.
    chosen = list(dict.fromkeys(explanations[0]))
    for explanation in explanations[1:]:
        if len(explanation) == 1 and explanation[0].name not in {m.name for m in chosen}:
            alone = len(explanations[0]) == 1 or explanation[0].name == "hidden-condition"
            chosen += explanation if alone else ()
    return tuple(chosen)


MISTAKES: Final = (
    Entry(
        "extra-slope",
        "the slope {detail} was kept, but it has cancelled here",
        "delete {detail}",
        slopes.extra_slope,
        slopes.slope_for_value,
    ),
    Entry(
        "missing-slope",
        "the slope {detail} is missing",
        "multiply by {detail}",
        slopes.missing_slope,
        slopes.slope_put_in,
    ),
    Entry("sign", "the sign is wrong: {detail}", "change the sign", change.sign, change.sign),
    Entry(
        "swapped-target",
        "prediction and target are swapped: {detail}",
        "swap them",
        change.swapped_target,
        change.swapped_target,
    ),
    Entry(
        "batch-scale",
        "the scale of the batch is wrong: {detail}",
        "compare with the reduction of J",
        nothing,
    ),
    Entry(
        "bias-reduction",
        "the bias gradient is reduced wrongly: {detail}",
        "sum δ over the batch",
        nothing,
    ),
    Entry("transpose", "a transpose is wrong: {detail}", "transpose it", change.transpose, change.transpose),
    Entry(
        "diagonal-jacobian",
        "cross terms of the Jacobian are missing: {detail}",
        "sum over all outputs",
        change.diagonal_jacobian,
    ),
    Entry(
        "wrong-slope-point",
        "the slope is taken at the wrong point: {detail}",
        "take f′ at z",
        slopes.wrong_slope_point,
        turned(slopes.wrong_slope_point),
    ),
    Entry(
        "missing-regulariser",
        "{detail} is missing",
        "add λw in the scale of J",
        change.missing_regulariser,
        change.regulariser_put_in,
    ),
    Entry(
        "regulariser-factor",
        "the penalty is off by a factor: {detail}",
        "its slope is λw, scaled like J",
        change.regulariser_factor,
        turned(change.regulariser_factor),
    ),
    Entry(
        "regulariser-sign",
        "the penalty has the wrong sign: {detail}",
        "add it",
        change.regulariser_sign,
        change.regulariser_sign,
    ),
    Entry(
        "regularised-bias",
        "the bias is regularised: {detail}",
        "leave biases out of the penalty",
        change.regularised_bias,
        change.bias_penalty_taken_away,
    ),
    Entry("dropped-term", "{detail} is missing", "put it back", change.dropped_term),
    Entry(
        "wrong-activation",
        "the slope of another activation: {detail}",
        "use the slope of this layer",
        slopes.wrong_activation,
        turned(slopes.wrong_activation),
    ),
    Entry("wrong-axis", "a sum runs over the wrong axis: {detail}", "sum over the other axis", change.wrong_axis),
    Entry("wrong-reduction", "{detail}", "compare with the definition", change.mean_for_sum, change.mean_taken_back),
    Entry(
        "wrong-layer",
        "a quantity of another layer: {detail}",
        "use the layer of the left side",
        change.wrong_layer,
        turned(change.wrong_layer),
    ),
    Entry(
        "wrong-variable",
        "another variable: {detail}",
        "use the right one",
        change.wrong_variable,
        turned(change.wrong_variable),
    ),
    Entry("wrong-index", "a wrong index: {detail}", "correct it", change.wrong_index, turned(change.wrong_index)),
    Entry("wrong-exponent", "an exponent is wrong: {detail}", "correct it", change.exponent, turned(change.exponent)),
    Entry(
        "wrong-number", "a number is wrong: {detail}", "correct it", change.wrong_number, turned(change.wrong_number)
    ),
)


FACTOR: Final = Entry("factor", "a factor {detail} too much", "divide by {detail}", nothing)


EXTRA_TERM: Final = Entry("extra-term", "a term too many: {detail}", "delete it", nothing)


HIDDEN_CONDITION: Final = Entry(
    "hidden-condition", "true only under a condition that is not stated: {detail}", "state it", nothing
)


VALUE_FOR_SLOPE: Final = Entry(
    "missing-slope",
    "the slope belongs here, not the value: {detail}",
    "differentiate",
    slopes.value_for_slope,
    slopes.slope_for_its_value,
)


NOT_THROUGH: Final = Entry(
    "missing-slope",
    "the slope of the activation is missing: this is {detail}",
    "multiply by the slope of the activation",
    nothing,
)


LEFT_SIDE: Final = Entry(
    "left-side", "the right side is the gradient by {detail}", "write {detail} on the left side", nothing
)


POWER_OF_TERMS: Final = Entry(
    "wrong-exponent",
    "a power of a sum is not the sum of the powers: {detail}",
    "correct it",
    change.power_of_each_term,
    turned(change.power_of_each_term),
)


OTHER_FORMS: Final = (
    VALUE_FOR_SLOPE,
    NOT_THROUGH,
    LEFT_SIDE,
    POWER_OF_TERMS,
    Entry(
        "wrong-activation",
        "the slope of another activation: {detail}",
        "use the slope of this layer",
        slopes.slope_of_another_output,
    ),
    Entry(
        "factor",
        "a factor {detail} too much in one term",
        "divide the term by {detail}",
        change.factor_of_a_term,
        turned(change.factor_of_a_term),
    ),
    Entry("extra-factor", "{detail}", "delete one", change.repeated_factor),
    Entry("extra-factor", "a factor too many: {detail}", "delete it", nothing, change.factor_taken_away),
    Entry("extra-term", "a term too many: {detail}", "delete it", nothing, change.term_taken_away),
)
"""Other ways to make and to undo mistakes that are listed above."""


AS_USUAL: Final = {
    VALUE_FOR_SLOPE: "missing-slope",
    NOT_THROUGH: "missing-slope",
    LEFT_SIDE: "wrong-variable",
    POWER_OF_TERMS: "wrong-exponent",
}
"""Those that are as usual as a mistake of the list above."""


RARER: Final = frozenset(
    {"wrong-activation", "wrong-axis", "wrong-reduction", "wrong-variable", "wrong-exponent", "wrong-number"}
)
COMMONEST: Final = (*(entry for entry in MISTAKES if entry.name not in RARER), VALUE_FOR_SLOPE)
"""The mistakes that are looked for first; where one of them explains a claim, no rarer one is looked for."""


EXTRA_FACTOR: Final = OTHER_FORMS[-2]
SEARCHED: Final = (*MISTAKES, *OTHER_FORMS)
NAMED: Final = (*MISTAKES, FACTOR, EXTRA_FACTOR, EXTRA_TERM, HIDDEN_CONDITION, LEFT_SIDE)
"""All mistakes by their names, each once."""
