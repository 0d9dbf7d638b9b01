"""Names that a document gives to gradients, g = ∂L/∂h: what is written with them is meant with the derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from backproof.language.notation import Bracketed, Call, Derivative, Notation, Product, Relation, Symbol
from backproof.language.reading import letter_of
from backproof.language.scope import LOSS_LETTERS
from backproof.language.traversal import fold, with_parts


@dataclass(frozen=True, slots=True)
class Upstream:
    """A name of a gradient, with the index letters that stood on it."""

    name: str
    letters: tuple[str, ...]
    gradient: Derivative


def named_gradient(node: Relation) -> Upstream | None:
    """The name that g = ∂L/∂h or ∂L/∂h = g gives to a gradient; None for another relation."""
    if len(node.sides) != 2 or node.signs[0] not in ("=", ":=", "≡"):
        return None
    for symbol, gradient in (node.sides, node.sides[::-1]):
        if not isinstance(symbol, Symbol) or not isinstance(gradient, Derivative) or symbol.label is not None:
            continue
        letters = [letter_of(s) for s in symbol.subscripts]
        named = gradient.of is not None and isinstance(gradient.of, Symbol) and gradient.of.name in LOSS_LETTERS
        own = isinstance(gradient.wrt, Symbol) and written(gradient.wrt) != written(symbol)
        if named and own and gradient.order == 1 and all(letters):
            return Upstream(written(symbol), tuple(x or "" for x in letters), gradient)
    return None


def written(symbol: Symbol) -> str:
    """The name with its accent."""
    return f"{symbol.name}{symbol.accent or ''}{symbol.star}"


def with_gradients(root: Relation, known: Mapping[str, Upstream]) -> Relation:
    """The relation with the named gradients in place of their names."""

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        match node:
            case Symbol():
                found = known.get(written(node)) if node.label is None else None
                letters = [letter_of(s) for s in node.subscripts]
                if found is None or len(letters) != len(found.letters) or not all(letters):
                    return node
                mapping = dict(zip(found.letters, letters, strict=True))
                return Bracketed(fold(found.gradient, _renaming(mapping)), span=node.span)
            case Call(Symbol() as function):
                if function != inside[0] and len(node.arguments) == 1 and not node.primes and node.power is None:
                    # What stands before a bracket is a factor: g (1 − z).
                    return Product("", (inside[0], Bracketed(inside[1])), span=node.span)
                new = with_parts(node, inside)
                return replace(new, function=function) if isinstance(new, Call) else new
            case Derivative(_, Symbol() as wrt):
                new = with_parts(node, inside)
                return replace(new, wrt=wrt) if isinstance(new, Derivative) else new
            case _:
                return with_parts(node, inside)

    found = fold(root, rule)
    return found if isinstance(found, Relation) else root


def _renaming(mapping: Mapping[str, str | None]) -> Callable[[Notation, tuple[Notation, ...]], Notation]:
    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        if isinstance(node, Symbol):
            new = ((s, mapping.get(letter_of(s) or "")) for s in node.subscripts)
            return replace(node, subscripts=tuple(s if letter is None else Symbol(letter) for s, letter in new))
        return with_parts(node, inside)

    return rule
