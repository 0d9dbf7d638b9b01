"""Kinds of mistakes in code: the names of the contract, what they say, and how they are mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class CodeMistake:
    """A named mistake: the part concerned, a sentence, what to do, and the line where it arises, if that is known.

    `joint` says that it is made together with the one before it; otherwise it is another explanation. `proved` says
    that the derivation with this mistake is proved to be the formula of the code.
    """

    name: str
    detail: str
    says: str
    fix: str
    line: int | None = None
    joint: bool = False
    proved: bool = False


KINDS: Final[dict[str, tuple[str, str]]] = {
    "sign": ("the sign is wrong: {}", "change the sign"),
    "factor": ("the gradient is off by the constant {}", "compare the constants with the definition"),
    "batch-scale": ("the scale of the batch is wrong: {}", "compare with the reduction of the loss"),
    "bias-reduction": ("the gradient of a broadcast array is reduced wrongly: {}", "sum over the broadcast axes"),
    "wrong-reduction": ("a mean stands for a sum, or a sum for a mean: {}", "compare with the forward function"),
    "transpose": ("a transpose is wrong: {}", "transpose it"),
    "wrong-axis": ("a sum or product runs over the wrong axis: {}", "use the axis of the forward function"),
    "extra-slope": ("a slope too many: {}", "delete it: it has cancelled, or was applied before"),
    "missing-slope": ("a slope is missing: {}", "multiply by the slope"),
    "wrong-slope-point": ("the slope is taken at the wrong point: {}", "take f′ at the argument of f"),
    "wrong-activation": ("the slope of another function: {}", "use the slope of the function in forward"),
    "dropped-term": ("something is left out: {}", "put it back"),
    "extra-term": ("something too much: {}", "delete it"),
    "diagonal-jacobian": ("cross terms of the Jacobian are left out: {}", "sum over all outputs"),
    "swapped-target": ("prediction and target are swapped: {}", "swap them"),
    "wrong-layer": ("a quantity of another layer: {}", "use the layer of the left side"),
    "wrong-variable": ("another variable: {}", "use the right one"),
    "stale-variable": ("an older or newer value of the variable: {}", "use the value from the forward pass"),
    "wrong-exponent": ("the exponent is wrong: {}", "compare with the definition"),
    "wrong-index": ("an index or shift is wrong: {}", "compare with the forward function"),
    "missing-regulariser": ("the penalty is missing: {}", "add its slope in the scale of the loss"),
    "regulariser-factor": ("the penalty is off by a factor: {}", "its slope is λw, scaled like the loss"),
    "regulariser-sign": ("the penalty has the wrong sign: {}", "add it"),
    "regularised-bias": ("a penalty that the loss does not have: {}", "leave it out"),
    "hidden-condition": ("true only under a condition that is not stated: {}", "state it, or drop the shortcut"),
    "upstream-ignored": ("the upstream gradient is ignored: {}", "multiply by the upstream gradient"),
    "no-accumulate": ("contributions overwrite each other: {}", "add them up (+=, np.add.at)"),
    "missing-mask": ("a mask is missing: {}", "multiply by the mask of the forward pass"),
    "stopped-gradient": ("a statistic is treated as constant: {}", "differentiate through it"),
    "dtype": ("digits are lost by a type: {}", "compute in the type of the inputs"),
    "in-place": ("an array is changed in place: {}", "make a copy first"),
    "not-a-formula-error": ("the formula is not to blame: {}", ""),
}


def named(name: str, detail: str, line: int | None = None, fix: str | None = None) -> CodeMistake:
    """A mistake of a kind, with its detail."""
    says, mend = KINDS[name]
    return CodeMistake(name, detail, says.format(detail), mend if fix is None else fix, line)
