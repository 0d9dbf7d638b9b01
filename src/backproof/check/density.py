"""The letter φ: any activation, but beside Φ, the normal distribution, its density."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from backproof.language.notation import Call, Notation, Symbol
from backproof.language.traversal import fold, pieces_of, with_parts

_DISTRIBUTION, _DENSITY, _MEANT = "Phi", "phi", "normal_density"


def is_normal_density(formulas: Iterable[Notation]) -> bool:
    """Whether the formulas apply both φ and Φ."""
    calls = (n.function for formula in formulas for n in pieces_of(formula) if isinstance(n, Call))
    return {_DISTRIBUTION, _DENSITY} <= {function.name for function in calls if isinstance(function, Symbol)}


def with_density(formula: Notation) -> Notation:
    """The formula with the normal density for φ."""

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        new = with_parts(node, inside)
        if isinstance(new, Call) and isinstance(new.function, Symbol) and new.function.name == _DENSITY:
            return replace(new, function=replace(new.function, name=_MEANT))
        return new

    return fold(formula, rule)
