"""Wording: conditions and witnesses as text that a person reads."""

from __future__ import annotations

from backproof import catalog
from backproof.language.notating import notate
from backproof.language.program import Assumption, Program
from backproof.language.text import write
from backproof.proof.verdict import Condition


def condition_text(condition: Condition, program: Program, *, ascii: bool = False) -> str:
    """A condition as a formula: `sum(y) = 1`, `a > 0`, `z ≠ 0`."""
    if condition.assumption is not None:
        return assumption_text(condition.assumption)
    assert condition.expr is not None
    shown = write(notate(condition.expr, program=program, symbols=catalog.symbols()), ascii=ascii)
    match condition.kind:
        case "nonzero" | "kink":
            return f"{shown} != 0" if ascii else f"{shown} ≠ 0"
        case "positive":
            return f"{shown} > 0"
        case _:
            return f"{shown} = {condition.value}" if condition.value is not None else shown


def assumption_text(assumption: Assumption) -> str:
    """An assumption as a formula.

    >>> assumption_text(Assumption("y", "unit-sum", axis=0))
    'sum(y) = 1'
    """
    name = assumption.tensor
    match assumption.property:
        case "unit-sum":
            return f"sum({name}) = 1"
        case "positive":
            return f"{name} > 0"
        case "nonzero":
            return f"{name} ≠ 0"
        case "symmetric":
            return f"{name} = {name}^T"
        case "binary":
            return f"each entry of {name} is 0 or 1"
        case "equals":
            return f"{name} = {assumption.value}"
        case "in-unit-interval":
            return f"0 < {name} < 1"
        case "plus-minus-one":
            return f"each entry of {name} is -1 or 1"
