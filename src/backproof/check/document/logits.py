"""Logits that a text does not name: beside h = tanh(W_1 x + b_1), δ_1 is the gradient at W_1 x + b_1."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Final

from backproof.check.document.marks import GRADIENT_LETTERS
from backproof.check.document.shapes import uses
from backproof.language.notation import Bracketed, Call, Notation, Plus, Product, Relation, Symbol
from backproof.language.traversal import pieces_of

WEIGHTS: Final = frozenset({"W", "w", "Theta", "theta", "U", "V"})
LOGITS: Final = "z"


def unnamed(relation: Relation, defined: Collection[str]) -> tuple[Symbol, ...]:
    """The logits that a formula's δ speak of and that are not defined: z_1 for δ_1."""
    deltas = [n for n in pieces_of(relation) if isinstance(n, Symbol) and n.name in GRADIENT_LETTERS]
    if any(len(own) > 1 for d in deltas for _, own in uses(d)[:1]):
        return ()
    wanted = dict.fromkeys(replace(d, name=LOGITS, accent=None, span=(0, 0)) for d in deltas)
    return tuple(z for z in wanted if not {name for name, _ in uses(z)} & set(defined))


def named(written: Iterable[tuple[Relation, str]], logits: Collection[Symbol]) -> list[tuple[Relation, str]] | None:
    """The definitions with z_1 = W_1 x + b_1 and h = tanh(z_1) in place of h = tanh(W_1 x + b_1).

    None where a logit is not found, or found twice.
    """
    found: list[tuple[Relation, str]] = []
    places: list[Symbol] = []
    for node, text in written:
        for new in _split(node, logits):
            found.append((new, text))
            if new.sides[0] in logits and isinstance(new.sides[0], Symbol):
                places.append(new.sides[0])
    return found if len(places) == len(set(places)) == len(logits) else None


def _split(node: Relation, logits: Collection[Symbol]) -> Iterator[Relation]:
    body = _bare(node.sides[1])
    call = body if isinstance(body, Call) and len(body.arguments) == 1 and isinstance(body.function, Symbol) else None
    inside = _bare(call.arguments[0]) if call is not None else body
    own = next((z for z in logits if _is_linear(inside, z)), None) if len(node.sides) == 2 else None
    if own is None:
        yield node
        return
    yield Relation((own, inside), ("=",), span=node.span)
    yield replace(node, sides=(node.sides[0], own if call is None else replace(call, arguments=(own,))))


def _is_linear(body: Notation, logits: Symbol) -> bool:
    """Whether a term of the body is a product with the weights of that layer."""
    terms = [_bare(t) for _, t in body.terms] if isinstance(body, Plus) else [body]
    return any(
        isinstance(part, Symbol)
        and part.name in WEIGHTS
        and (part.subscripts, part.label) == (logits.subscripts, logits.label)
        for term in terms
        if isinstance(term, Product)
        for part in pieces_of(term)
    )


def _bare(node: Notation) -> Notation:
    while isinstance(node, Bracketed):
        node = node.body
    return node
