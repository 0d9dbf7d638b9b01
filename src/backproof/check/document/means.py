r"""Means whose number of terms is a letter, \frac1m \sum_i: m is what i runs to, where the text says nothing else."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace
from fractions import Fraction
from typing import Final

from backproof.language.notation import Big, Notation, Number, Product, Quotient, Relation, Symbol
from backproof.language.reading import bare
from backproof.language.traversal import fold, pieces_of, with_parts

LETTERS: Final = frozenset("m n N M B K k d D H T p P C J S L".split())
_ONE: Final = Number(Fraction(1))


def counted(root: Notation, taken: AbstractSet[str]) -> tuple[Notation, dict[str, str]]:
    """The formula with the means' sums running to their number of terms; each such letter with its index.

    Letters in `taken` have a meaning of their own.

    >>> from backproof.language.grammar import parse
    >>> counted(parse("1/m sum_i x_i"), set())[1]
    {'m': 'i'}
    """
    found: dict[str, str] = {}
    if not any(isinstance(n, Big) for n in pieces_of(root)):
        return root, found

    def bounded(node: Notation, letter: str | None) -> Notation | None:
        inner = bare(node)
        if letter is None or letter in taken or not isinstance(inner, Big) or inner.kind != "sum":
            return None
        if len(inner.indices) != 1 or inner.upper is not None or inner.lower is not None or inner.without:
            return None
        index = inner.indices[0]
        if index == letter or found.setdefault(letter, index) != index:
            return None
        return replace(inner, lower=_ONE, upper=Symbol(letter))

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        new = with_parts(node, inside)
        match new:
            case Product(_, factors):
                letters = [(k, _divisor(f)) for k, f in enumerate(factors)]
                for k, letter in letters:
                    for later in range(k + 1, len(factors)):
                        changed = bounded(factors[later], letter)
                        if changed is not None:
                            return replace(new, factors=(*factors[:later], changed, *factors[later + 1 :]))
                return new
            case Quotient(numerator, denominator):
                changed = bounded(numerator, _letter(denominator))
                if changed is not None:
                    return replace(new, numerator=changed)
                inner = bare(numerator)
                if isinstance(inner, Product):
                    for k, factor in enumerate(inner.factors):
                        changed = bounded(factor, _letter(denominator))
                        if changed is not None:
                            factors = (*inner.factors[:k], changed, *inner.factors[k + 1 :])
                            return replace(new, numerator=replace(inner, factors=factors))
                return new
            case _:
                return new

    return fold(root, rule), found


def counted_relation(root: Relation, taken: AbstractSet[str]) -> tuple[Relation, dict[str, str]]:
    """`counted` of both sides."""
    new, found = counted(root, taken)
    if not isinstance(new, Relation):
        raise TypeError("a relation stays one")
    return new, found


def _divisor(node: Notation) -> str | None:
    """The m of 1/m, 1/(2m) or λ/m."""
    inner = bare(node)
    return _letter(inner.denominator) if isinstance(inner, Quotient) else None


def _letter(node: Notation) -> str | None:
    inner = bare(node)
    factors = inner.factors if isinstance(inner, Product) else (inner,)
    letters = [f for f in map(bare, factors) if not isinstance(f, Number)]
    if len(letters) != 1 or not isinstance(letters[0], Symbol):
        return None
    symbol = letters[0]
    plain = not symbol.subscripts and symbol.label is None and symbol.accent is None
    return symbol.name if plain and symbol.name in LETTERS else None
