"""What the writer of a claim takes for granted: the usual value of a hyperparameter, the class of a one-hot target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from backproof import catalog
from backproof.calculus.network import Network
from backproof.language.expression import Expr, Num, postorder
from backproof.language.notation import Indicator, Notation, Relation, Symbol
from backproof.language.program import Assumption
from backproof.language.reading import bare
from backproof.language.traversal import fold, pieces_of, with_parts

ONE_HOT: Final = "the letter of a class in [i = c] is read as the class of the one-hot target: y_i"
_ANYWHERE: Final = frozenset({Fraction(0), Fraction(1), Fraction(2), Fraction(1, 2)})
"""Numbers that stand in formulas for many reasons."""


def usual_values(network: Network, right: Expr) -> Iterator[Assumption]:
    """The usual values of hyperparameters, α = 0.01, as far as the claim writes the number for the letter."""
    written = {node.value for node in postorder(right) if isinstance(node, Num)}
    hidden = (catalog.activation(network.hidden),) if network.sizes else ()
    for entry in (*hidden, catalog.activation(network.output), catalog.loss(network.loss)):
        for parameter in entry.hyperparameters:
            if parameter.default in written and parameter.default not in _ANYWHERE:
                yield Assumption(parameter.name, "equals", value=parameter.default)


def with_class(notation: Notation, network: Network) -> Notation:
    """The claim with y_i for [i = c] and δ_ic, where c stands for nothing else: for the class of the example."""
    if catalog.loss(network.loss).target not in ("distribution", "one-hot"):
        return notation
    letters = Counter(n.name for n in pieces_of(notation) if isinstance(n, Symbol))
    pairs = [pair for node in pieces_of(notation) if (pair := _compared(node)) is not None]
    compared = Counter(letter for pair in pairs for letter in pair)
    classes = {c for _, c in pairs if letters[c] == compared[c] and letters[c] == sum(c == k for _, k in pairs)}

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        pair = _compared(node)
        if pair is not None and pair[1] in classes and pair[0] not in classes:
            return Symbol("y", (Symbol(pair[0], span=node.span),), span=node.span)
        return with_parts(node, inside)

    return fold(notation, rule) if classes else notation


def _compared(node: Notation) -> tuple[str, str] | None:
    """The two letters of [i = c] or of δ_ic."""
    match node:
        case Indicator(condition) if isinstance(relation := bare(condition), Relation) and relation.signs == ("=",):
            sides = tuple(bare(side) for side in relation.sides)
        case Symbol("delta", (first, second), None, None, ""):
            sides = (bare(first), bare(second))
        case _:
            return None
    names = [side.name for side in sides if isinstance(side, Symbol) and not side.subscripts and side.label is None]
    return (names[0], names[1]) if len(names) == 2 and names[0] != names[1] else None
