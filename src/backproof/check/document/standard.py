"""Networks that a document spells out by layers, recognised by proof: every definition of it holds in the network."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from backproof.calculus.network import Layout, Network, Reduction
from backproof.catalog import activation
from backproof.check.claims import check
from backproof.check.names import catalogue_functions
from backproof.errors import BackproofError, UnknownNameError
from backproof.language.notation import Big, Bracketed, Call, Notation, Number, Power, Product, Relation, Symbol
from backproof.language.reading import bare
from backproof.language.scope import LOSS_LETTERS, label_text
from backproof.language.traversal import pieces_of

MAX_CANDIDATES: Final = 160
MAX_DEFINITIONS: Final = 40
_LAYERED: Final = frozenset("a A z Z h H o s".split())
_LOSSES: Final = ("bce", "half-mse", "cross-entropy", "mse")
_EXAMPLES: Final = frozenset("m N n B M".split())


@dataclass
class Standard:
    """The definitions of a document so far, and the network of layers that they spell out."""

    stated: list[tuple[Relation, str]] = field(default_factory=list[tuple[Relation, str]])
    _found: dict[int, Network | None] = field(default_factory=dict[int, Network | None])

    def state(self, node: Relation, text: str) -> None:
        """Remembers a definition."""
        self.stated.append((node, text))

    def network(self) -> Network | None:
        """The network in which all definitions of layers and of the loss hold; None if there is none."""
        count = len(self.stated)
        if count not in self._found:
            self._found[count] = self._recognised()
        return self._found[count]

    def _recognised(self) -> Network | None:
        stated = list(self._last_ones())
        labels = _labels(n for n, _ in stated)
        if not labels or len(stated) > MAX_DEFINITIONS:
            return None
        for candidate in itertools.islice(_candidates(stated, labels), MAX_CANDIDATES):
            if _spelled_out(candidate, stated):
                return candidate
        return None

    def _last_ones(self) -> Iterator[tuple[Relation, str]]:
        """The last definition of each head, as it is written."""
        last = {_key(n.sides[0]): (n, t) for n, t in self.stated}
        yield from last.values()


def _key(head: Notation) -> str:
    head = bare(head)
    if isinstance(head, Call) and isinstance(head.function, Symbol) and head.function.name in LOSS_LETTERS:
        head = head.function
    if isinstance(head, Symbol) and head.name in LOSS_LETTERS and not head.subscripts:
        return "loss"
    return repr(head)


def _base(node: Notation) -> Symbol | None:
    node = bare(node)
    while isinstance(node, Power | Call):
        node = bare(node.base if isinstance(node, Power) else node.function)
    return node if isinstance(node, Symbol) else None


def _labels(nodes: Iterator[Relation]) -> set[str]:
    """The layers of the logits and activations that are defined."""
    found: set[str] = set()
    for relation in nodes:
        head = bare(relation.sides[0])
        symbol = _base(head)
        if symbol is None or symbol.name not in _LAYERED:
            continue
        label = symbol.label
        if label is None and isinstance(head, Power):
            label = head.exponent
        elif label is None and isinstance(head, Call) and len(head.arguments) == 1:
            label = head.arguments[0]
        elif label is None and symbol.subscripts and isinstance(symbol.subscripts[0], Number):
            label = symbol.subscripts[0]
        inner = bare(label) if label is not None else None
        # \[2](i): the layer and the example.
        first = inner.factors[0] if isinstance(inner, Product) else inner
        text = label_text(first) if first is not None else None
        if text is not None:
            found.add(text)
    return {t for t in found if t.isdigit() or t in ("l", "L", "l+1")}


def _candidates(stated: Sequence[tuple[Relation, str]], labels: set[str]) -> Iterator[Network]:
    numbers = sorted(int(t) for t in labels if t.isdigit())
    symbolic = bool({"l", "l+1"} & labels)
    functions = _functions(n for n, _ in stated)
    hidden = functions or ["sigmoid"]
    outputs = dict.fromkeys([*reversed(functions), "identity"])
    big = any(_is_batch(n) for n, _ in stated)
    layouts: tuple[Layout, ...] = ("columns", "rows", "rows-out-in") if big else ("columns", "rows")
    reductions: tuple[Reduction, ...] = ("mean", "sum", "none") if big else ("none", "mean", "sum")
    if symbolic:
        shapes: list[tuple[tuple[str, ...], bool]] = [(("n", "h", "h", "k"), True)]
    else:
        depth = numbers[-1] if numbers else 0
        if not 1 <= depth <= 6:
            return
        inner = tuple(f"h{k}" for k in range(1, depth))
        shapes = [(("n", *inner, "k"), False), (("n", *inner, "1"), False)]
    losses = (*_LOSSES, "ell") if not any(_key(n.sides[0]) == "loss" for n, _ in stated) else _LOSSES
    for reduction, layout, output, loss, (sizes, deep), inside in itertools.product(
        reductions, layouts, outputs, losses, shapes, hidden
    ):
        try:
            yield Network(sizes, deep, inside, output, loss, reduction, None, layout)
        except BackproofError:
            continue


def _functions(nodes: Iterator[Relation]) -> list[str]:
    """The activations that the definitions use, in order."""
    found: dict[str, None] = {}
    for relation in nodes:
        for node in pieces_of(relation):
            if isinstance(node, Call) and isinstance(node.function, Symbol):
                meaning = catalogue_functions().get(node.function.name)
                name = meaning.name if meaning is not None else node.function.name
                try:
                    found.setdefault(activation(name).name)
                except BackproofError:
                    continue
            elif isinstance(node, Big) and node.kind == "max":
                found.setdefault("relu")
    return list(found)[:4]


def _is_batch(relation: Relation) -> bool:
    """Whether a definition speaks of many examples: capital X, Z or A, or a sum over examples."""
    for node in pieces_of(relation):
        if isinstance(node, Symbol) and node.name in ("X", "Z", "A", "Y", "H"):
            return True
        if isinstance(node, Big) and isinstance(node.upper, Symbol) and node.upper.name in _EXAMPLES:
            return True
    return False


def _spelled_out(network: Network, stated: Sequence[tuple[Relation, str]]) -> bool:
    """Whether every definition of a tensor of the network holds in it, with at least one of a layer."""
    layers = 0
    for node, text in sorted(stated, key=lambda s: _key(s[0].sides[0]) != "loss"):
        head = node.sides[0]
        pair = Relation((head, node.sides[1]), ("=",), span=node.span)
        claims = check(text, network, explain=False, notations=(pair,))
        if any(c.verdict == "unread" for c in claims):
            symbol = _base(head)
            foreign = symbol is not None and symbol.name not in _LAYERED and _key(head) != "loss"
            if foreign or all(isinstance(c.error, UnknownNameError) for c in claims if foreign):
                continue
            return False
        if any(c.verdict != "proved" for c in claims):
            return False
        layers += _key(head) != "loss"
    return layers > 0


def opened_examples(node: Relation) -> Relation:
    """The claim with dZ and dA standing for m times the gradient of the mean loss.

    So is the convention of courses that write dZ = A − Y and dW = (1/m) dZ Aᵀ.
    """
    return replace(node, sides=tuple(_scaled(side) for side in node.sides))


def _scaled(root: Notation) -> Notation:
    from backproof.language.notation import Derivative
    from backproof.language.traversal import fold, with_parts

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        new = with_parts(node, inside)
        if isinstance(new, Derivative) and new.style == "prefix":
            symbol = _base(new.wrt)
            if symbol is not None and symbol.name in ("Z", "A", "z", "a"):
                return Bracketed(Product("", (Symbol("m"), new)), span=node.span)
        return new

    return fold(root, rule)


__all__ = ["Standard", "opened_examples"]
