"""Worlds for a formula that fits in none as the definitions stand: turned round, of two layers, or of each example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from backproof.check.document.shapes import uses
from backproof.check.document.solving import solved
from backproof.check.document.substitution import Known
from backproof.check.worksheet.reading import name_of
from backproof.language.notation import Call, Derivative, Notation, Number, Relation, Symbol
from backproof.language.reading import letter_of
from backproof.language.traversal import fold, pieces_of, with_parts

World = tuple[Relation, Mapping[str, Known], str]
BELOW = "below"


def other_worlds(relation: Relation, versions: Mapping[str, Known], samples: AbstractSet[str]) -> Iterator[World]:
    """A relation and definitions that may be meant, with what has to be said about them."""
    yield from _named_inside(relation, versions)
    yield from _turned_round(relation, versions)
    yield from _two_layers(relation, versions)
    yield from _of_each_example(relation, versions, samples)


def _named_inside(relation: Relation, versions: Mapping[str, Known]) -> Iterator[World]:
    """∂ŷ/∂z with ŷ = σ(wx + b) and z = wx + b: ŷ is σ(z)."""
    variables = {
        name
        for node in pieces_of(relation)
        if isinstance(node, Derivative) and isinstance(node.wrt, Symbol)
        for name, _ in uses(node.wrt)[:1]
        if name in versions
    }
    for name in sorted(variables):
        inner = versions[name]
        if isinstance(inner.body, Symbol | Number) or not isinstance(inner.head, Symbol):
            continue

        def rule(part: Notation, inside: tuple[Notation, ...], inner: Known = inner) -> Notation:
            new = with_parts(part, inside)
            return inner.head if new == inner.body else new

        named = {n: k if n == name else replace(k, body=fold(k.body, rule)) for n, k in versions.items()}
        if changed := sorted(n for n, k in named.items() if k.body != versions[n].body):
            yield relation, named, f"{name} stands in {', '.join(changed)}, by its definition"


def _turned_round(relation: Relation, versions: Mapping[str, Known]) -> Iterator[World]:
    """∂f/∂v with v = log σ² and f in σ: σ is e^{v/2}."""
    for node in pieces_of(relation):
        if not isinstance(node, Derivative) or not isinstance(node.wrt, Symbol):
            continue
        for name, _ in uses(node.wrt):
            if name not in versions:
                continue
            inside = {n for s in pieces_of(versions[name].body) if isinstance(s, Symbol) for n, _ in uses(s)[:1]}
            for other in sorted(inside - set(versions)):
                if (known := solved(versions[name], other)) is not None:
                    kept = {n: k for n, k in versions.items() if n != name}
                    yield relation, {**kept, other: known}, f"{other} by {name}, from the definition of {name}"


def _two_layers(relation: Relation, versions: Mapping[str, Known]) -> Iterator[World]:
    """o_k = σ(net_k), net_k = Σ_j w_kj o_j: the o_j are those of the layer below."""
    for name, known in versions.items():
        if not isinstance(known.head, Symbol):
            continue
        own = next((letters for _, letters in uses(known.head)), ())
        inner = _letters_below(name, versions)
        if len(own) != 1 or len(inner) != 1 or {len(letters) for letters in inner} != {1} or own in inner:
            continue
        below = next(iter(inner))

        def renamed(node: Notation, name: str = name, below: tuple[str, ...] = below) -> Notation:
            def rule(part: Notation, inside: tuple[Notation, ...]) -> Notation:
                if isinstance(part, Symbol) and (name, below) in uses(part)[:1]:
                    return replace(part, name=f"{part.name}{BELOW}")
                return with_parts(part, inside)

            return fold(node, rule)

        letters = {ls for n in pieces_of(relation) if isinstance(n, Symbol) for u, ls in uses(n)[:1] if u == name}
        claim = renamed(relation)
        if letters <= {own, below} and isinstance(claim, Relation):
            changed = {n: replace(k, body=renamed(k.body)) for n, k in versions.items()}
            note = f"{name} with the index {below[0]} is that of the layer below"
            yield claim, changed, note


def _letters_below(name: str, versions: Mapping[str, Known]) -> set[tuple[str, ...]]:
    """The indices with which a name occurs in what it is defined from."""
    found: set[tuple[str, ...]] = set()
    seen: set[str] = set()
    stack = [name]
    while stack:
        for node in pieces_of(versions[stack.pop()].body):
            for inner, letters in uses(node)[:1] if isinstance(node, Symbol) else ():
                if inner == name:
                    found.add(letters)
                elif inner in versions and inner not in seen:
                    seen.add(inner)
                    stack.append(inner)
    return found


def _of_each_example(relation: Relation, versions: Mapping[str, Known], samples: AbstractSet[str]) -> Iterator[World]:
    """Where h = σ(θᵀx) and then h^{(i)} stands, the definition is that of each example."""
    nodes = [n for root in (relation, *(k.body for k in versions.values())) for n in pieces_of(root)]
    for letter in sorted(samples):
        of_examples = {
            n.name for n in nodes if isinstance(n, Symbol) and n.subscripts and letter_of(n.subscripts[0]) == letter
        }
        plain = {n for n, k in versions.items() if n in of_examples and not _indexed(k.head)}
        if not plain:
            continue

        def lifted(node: Notation, letter: str = letter, names: frozenset[str] = frozenset(of_examples)) -> Notation:
            def rule(part: Notation, inside: tuple[Notation, ...]) -> Notation:
                new = with_parts(part, inside)
                if not isinstance(new, Symbol) or new.name not in names or new.label is not None:
                    return new
                its_own = bool(new.subscripts) and letter_of(new.subscripts[0]) == letter
                return new if its_own else replace(new, subscripts=(Symbol(letter), *new.subscripts))

            return fold(node, rule)

        changed = {
            n: replace(k, head=lifted(_head(k)), body=lifted(k.body), parameters=None) if n in plain else k
            for n, k in versions.items()
        }
        yield relation, changed, f"the definition of {', '.join(sorted(plain))} is that of each example {letter}"


def _head(known: Known) -> Notation:
    return known.head.function if isinstance(known.head, Call) else known.head


def _indexed(head: Notation) -> bool:
    symbol = head.function if isinstance(head, Call) else head
    return isinstance(symbol, Symbol) and (bool(symbol.subscripts) or name_of(symbol) is None)
