"""Transposes: a claim whose shapes do not fit, where one transpose more or less would make it right.

Such a claim says nothing of these sizes; where all layers have one size it does, and can be refuted there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from backproof.calculus.network import Network
from backproof.check.mistakes import MISTAKES, Mistake, made
from backproof.check.names import program_of, resolved, scope_of
from backproof.errors import BackproofError
from backproof.language.elaboration import elaborate
from backproof.language.notation import Bracketed, Notation, Product, Relation, Symbol, Transposed
from backproof.language.text import write
from backproof.language.traversal import parts, with_parts
from backproof.proof.deciding import decide
from backproof.proof.verdict import Budget, Kind

MOST: Final = 16
_SHARED_LAYOUT: Final = "declared"
_QUICK: Final = Budget(seconds=0.5, condition_seconds=0)


def transposed(notation: Relation, network: Network) -> tuple[Mistake, ...]:
    """The transpose to mend in an equation of two sides, if one is enough to have it proved."""
    if len(notation.sides) != 2:
        return ()
    entry = next(e for e in MISTAKES if e.name == "transpose")
    scope, program = replace(scope_of(network), layouts=_SHARED_LAYOUT), program_of(network)
    left, right = notation.sides
    for tried, (changed, place) in enumerate(_toggled(right)):
        if tried >= MOST:
            break
        try:
            readings = elaborate(Relation((left, changed), notation.signs), scope)
        except BackproofError:
            continue
        for reading in readings:
            sides = tuple(resolved(side.expr, network) for side in reading.sides)
            if decide(program, *sides, admissible=network.admissible, budget=_QUICK).kind is Kind.PROVED:
                return (made(entry, write(place)),)
    return ()


def _toggled(root: Notation) -> Iterator[tuple[Notation, Notation]]:
    """The formula with one transpose put or taken away at each place, and the place; the whole comes first."""
    stack: list[tuple[Notation, tuple[int, ...]]] = [(root, ())]
    while stack:
        node, path = stack.pop(0)
        if isinstance(node, Transposed):
            yield _replaced(root, path, node.body), node.body
        elif isinstance(node, Symbol | Product | Bracketed):
            yield _replaced(root, path, Transposed(node)), node
        if not isinstance(node, Symbol):
            stack += [(part, (*path, k)) for k, part in enumerate(parts(node))]


def _replaced(root: Notation, path: tuple[int, ...], new: Notation) -> Notation:
    nodes = [root]
    for k in path:
        nodes.append(parts(nodes[-1])[k])
    for node, k in zip(reversed(nodes[:-1]), reversed(path), strict=True):
        inside = parts(node)
        new = with_parts(node, (*inside[:k], new, *inside[k + 1 :]))
    return new
