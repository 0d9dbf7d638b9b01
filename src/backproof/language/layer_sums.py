"""Sums over the layers of a network, Σ_l ‖W^{(l)}‖²: written out, a term for each layer."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from backproof.errors import FormulaError
from backproof.language.notation import Big, Bracketed, Notation, Number, Plus, Power, Symbol
from backproof.language.reading import Reader, bare, letter_of
from backproof.language.scope import label_text, other_case, spellings
from backproof.language.traversal import fold, parts, with_parts

_MAX_LAYERS: Final = 200
_LETTERS: Final = frozenset({"l", "ell"})


def layer_terms(reader: Reader, node: Big) -> Notation | None:
    """The sum written out, if its letter stands for a layer wherever it is used; None for a sum over an index."""
    if node.kind != "sum" or len(node.indices) != 1 or node.indices[0] not in _LETTERS:
        return None
    letter = node.indices[0]
    used = list(_layered(node.body, letter))
    if not used:
        return None
    labels = _common_labels(reader, used)
    if not labels:
        return None
    first, last = _bound(node.lower, labels[0], labels), _bound(node.upper, labels[-1], labels)
    chosen = [label for label in labels if first <= label <= last]
    if not chosen or len(chosen) > _MAX_LAYERS:
        raise FormulaError(
            "the sum over the layers has no layer, or too many", place=reader.source.place(node), got=str(len(chosen))
        )
    reader.note(f"the sum over {letter} read as running over the layers {chosen[0]} to {chosen[-1]}")
    terms = (_at_layer(node.body, letter, label) for label in chosen)
    return Bracketed(Plus(tuple((1, Bracketed(term)) for term in terms), span=node.span), span=node.span)


def _layered(root: Notation, letter: str) -> Iterator[Symbol]:
    """The symbols that carry the letter as a superscript, or as the first of their subscripts."""
    stack = [root]
    while stack:
        node = stack.pop()
        if (
            isinstance(node, Power)
            and letter_of(node.exponent) == letter
            and isinstance(base := bare(node.base), Symbol)
        ):
            yield base
        if isinstance(node, Symbol):
            label = label_text(node.label) if node.label is not None else None
            first = label_text(bare(node.subscripts[0])) if node.subscripts and label is None else None
            if letter in (label, first):
                yield node
        stack.extend(parts(node))


def _common_labels(reader: Reader, symbols: list[Symbol]) -> list[int]:
    """The numbers of the layers in which all the symbols exist."""
    numbers = {name.partition("(")[2].rstrip(")") for name in reader.scope.known}
    labels = sorted(int(n) for n in numbers if n.isdigit())
    bases = {(*spellings(s), *other_case(spellings(s))) for s in symbols}
    return [n for n in labels if all(reader.scope.tensors(b, str(n)) for b in bases)]


def _bound(bound: Notation | None, otherwise: int, labels: list[int]) -> int:
    match label_text(bare(bound)) if bound is not None else None:
        case str(text) if text.isdigit():
            return int(text)
        case "L-1":
            return labels[-1] - 1
        case _:
            return otherwise


def _at_layer(root: Notation, letter: str, label: int) -> Notation:
    """The notation with a number in place of the letter."""

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        if isinstance(node, Symbol) and letter_of(node) == letter:
            return Number(Fraction(label), span=node.span)
        return with_parts(node, inside)

    return fold(root, rule)
