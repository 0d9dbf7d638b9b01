"""Vectors and matrices written out: entry by entry, or from the first entry to the last with dots between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

from backproof.language.notation import (
    Bracketed,
    Derivative,
    Matrix,
    Negative,
    Notation,
    Number,
    Plus,
    Product,
    Quotient,
    Relation,
    Symbol,
    Transposed,
)
from backproof.language.reading import bare, letter_of
from backproof.language.traversal import fold, pieces_of, with_parts

LETTER: Final = "i"
_ONE: Final = Number(Fraction(1))
_LAST: Final = frozenset({"n", "N", "m", "d", "k", "K", "p", "D", "h", "T"})


def entrywise(node: Relation) -> tuple[Relation, ...]:
    """A relation between vectors that are written out as one relation for each entry; else the relation itself."""
    if (general := _general_entry(node)) is not None:
        return (general,)
    sides = [_entries(side) for side in node.sides]
    first = sides[0]
    if first is None or any(s is None or len(s) != len(first) for s in sides):
        return (node,)
    columns: Iterator[tuple[Notation, ...]] = zip(*(s or [] for s in sides), strict=True)
    return tuple(replace(node, sides=entries) for entries in columns)


def _entries(node: Notation) -> list[Notation] | None:
    """The entries of a matrix, also with numbers before it, divided by one, with a minus, or added to another."""
    inner = bare(node)
    match inner:
        case Matrix(rows):
            found = [e for row in rows for e in row]
            return None if any(_dots(e) for e in found) else found
        case Transposed(body) if isinstance(bare(body), Matrix):
            matrix = bare(body)
            # A row turned into a column keeps the order of its entries.
            vector = isinstance(matrix, Matrix) and (len(matrix.rows) == 1 or all(len(r) == 1 for r in matrix.rows))
            return _entries(matrix) if vector else None
        case Negative(body):
            found = _entries(body)
            return None if found is None else [Negative(_in_brackets(e), span=node.span) for e in found]
        case Quotient(numerator, denominator) if (found := _entries(numerator)) is not None:
            return [Quotient(e, denominator, span=node.span) for e in found]
        case Product("" | "·" | "*", factors):
            matrices = [f for f in factors if isinstance(bare(f), Matrix)]
            found = _entries(matrices[0]) if len(matrices) == 1 else None
            if found is None:
                return None
            rest = tuple(f for f in factors if f is not matrices[0])
            if any(isinstance(n, Matrix) for f in rest for n in pieces_of(f)):
                return None
            return [Product("", (*rest, _in_brackets(e)), span=node.span) for e in found]
        case Plus(terms):
            lists = [_entries(term) for _, term in terms]
            if any(found is None or len(found) != len(lists[0] or []) for found in lists):
                return None
            signs = [sign for sign, _ in terms]
            columns = zip(*(found or [] for found in lists), strict=True)
            return [Plus(tuple(zip(signs, column, strict=True)), span=node.span) for column in columns]
        case _:
            return None


def _in_brackets(node: Notation) -> Notation:
    return Bracketed(node, span=node.span)


def _dots(node: Notation) -> bool:
    return isinstance(bare(node), Symbol) and bare(node) == Symbol("…")


# From the first entry to the last


def _general_entry(node: Relation) -> Relation | None:
    """A relation with [v_1, …, v_n] on a side, as one about the entry i."""
    sides: list[Notation] = []
    general = False
    for side in node.sides:
        entry = _general(side)
        if entry is not None:
            general = True
            sides.append(entry)
            continue
        entry = _entry_of(side)
        if entry is None:
            return None
        sides.append(entry)
    return replace(node, sides=tuple(sides)) if general else None


def _general(side: Notation) -> Notation | None:
    inner = bare(side)
    while isinstance(inner, Transposed):
        inner = bare(inner.body)
    if not isinstance(inner, Matrix) or not (len(inner.rows) == 1 or all(len(r) == 1 for r in inner.rows)):
        return None
    entries = [e for row in inner.rows for e in row]
    if sum(map(_dots, entries)) != 1 or len(entries) < 3 or _dots(entries[0]) or _dots(entries[-1]):
        return None
    shown: list[tuple[Notation, Notation]] = []
    for number, entry in enumerate(entries, start=1):
        if _dots(entry):
            break
        shown.append((entry, Number(Fraction(number))))
    last = next((Symbol(n) for n in sorted(_LAST) if _at(entries[-1], Symbol(n)) != entries[-1]), None)
    if last is None:
        return None
    shown.append((entries[-1], last))
    forms = {repr(_at(entry, place)) for entry, place in shown}
    return replace(_at(entries[0], _ONE), span=side.span) if len(forms) == 1 else None


def _at(root: Notation, place: Notation) -> Notation:
    """The entry with the letter i for its place."""

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        if isinstance(node, Symbol) and node.subscripts:
            subs = tuple(Symbol(LETTER) if bare(s) == place else s for s in node.subscripts)
            return replace(node, subscripts=subs)
        return with_parts(node, inside)

    return fold(root, rule)


def _entry_of(side: Notation) -> Notation | None:
    """The entry i of a gradient ∂f/∂x or of a product of numbers with a named vector."""
    inner = bare(side)
    match inner:
        case Derivative(of, wrt) if isinstance(bare(wrt), Symbol):
            symbol = bare(wrt)
            if not isinstance(symbol, Symbol) or symbol.subscripts or not symbol.name:
                return None
            return replace(inner, of=of, wrt=replace(symbol, subscripts=(Symbol(LETTER),)), style="partial")
        case Symbol() if not inner.subscripts:
            return replace(inner, subscripts=(Symbol(LETTER),))
        case Negative(body):
            entry = _entry_of(body)
            return None if entry is None else replace(inner, body=entry)
        case Product("" | "·", (Number() as number, vector)):
            entry = _entry_of(vector)
            return None if entry is None else replace(inner, factors=(number, entry))
        case _:
            return None


def same(sides: Sequence[Notation]) -> bool:
    """Whether all sides are written the same, whatever sign of the derivative they use."""

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        new = with_parts(node, inside)
        return replace(new, style="partial") if isinstance(new, Derivative) and new.style != "prefix" else bare(new)

    first, *rest = (fold(side, rule) for side in sides)
    return all(side == first for side in rest)


def numbered(body: Notation, name: str) -> list[int]:
    """The entries of a vector that a formula names by numbers from 1 on, x_1 and x_2; none if it names others."""
    found = {
        int(place.value)
        for n in pieces_of(body)
        if isinstance(n, Symbol) and n.name == name and len(n.subscripts) == 1
        if isinstance(place := bare(n.subscripts[0]), Number)
    }
    return sorted(found) if found == set(range(1, len(found) + 1)) else []


def written_out(node: Notation) -> bool:
    """Whether a vector or matrix is written out with dots in it."""
    return any(isinstance(n, Matrix) and any(_dots(e) for row in n.rows for e in row) for n in pieces_of(node))


def numbered_entry(node: Relation, indexed: set[str]) -> Relation:
    """∂/∂x_1 of a formula in x_i: what is said of the entry 1 is said of any entry, by a letter of its own."""
    numbers = {
        (n.name, bare(n.subscripts[0]))
        for root in node.sides
        for n in pieces_of(root)
        if isinstance(n, Symbol) and len(n.subscripts) == 1 and isinstance(bare(n.subscripts[0]), Number)
    }
    chosen = {(name, place) for name, place in numbers if name in indexed}
    if not chosen or len({place for _, place in chosen}) > 1:
        return node
    taken = {
        letter_of(s) for root in node.sides for n in pieces_of(root) if isinstance(n, Symbol) for s in n.subscripts
    }
    letter = next((x for x in "pqrsuv" if x not in taken), None)
    if letter is None:
        return node

    def rule(part: Notation, inside: tuple[Notation, ...]) -> Notation:
        if isinstance(part, Symbol) and len(part.subscripts) == 1 and (part.name, bare(part.subscripts[0])) in chosen:
            return replace(part, subscripts=(Symbol(letter),))
        return with_parts(part, inside)

    found = fold(node, rule)
    return found if isinstance(found, Relation) else node
