"""Sites: a formula that a mistake may change, and what the network around it knows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from backproof import catalog
from backproof.errors import DomainError
from backproof.language.expression import (
    Add,
    Apply,
    Expr,
    Index,
    Max,
    Mul,
    Sum,
    Tensor,
    add,
    max_over,
    mul,
    opened,
    postorder,
    rebuilt,
    sum_over,
    tensor,
)
from backproof.language.notating import notate
from backproof.language.program import Definition, Program
from backproof.language.text import write
from backproof.language.walks import names

LONGEST: Final = 48
MOST_PLACES: Final = 200


@dataclass(frozen=True, slots=True)
class Change:
    """A changed formula, and what was done: words with places for parts, `{0} in place of {1}`."""

    body: Expr
    words: str = ""
    parts: tuple[Expr | str, ...] = ()

    @property
    def detail(self) -> str:
        """The words with their parts."""
        return self.words.format(*(p if isinstance(p, str) else shown(p) for p in self.parts))


@dataclass(frozen=True, slots=True)
class Place:
    """What stands somewhere in a formula, how to put something else there, and the indices that are known there."""

    node: Expr
    rebuild: Callable[[Expr], Expr]
    known: tuple[Index, ...]


@dataclass(frozen=True)
class Site:
    """A formula that may be changed: that of the adjoint of `target`, and what the network around it knows.

    `slopes` are f′ at the target's logits, as people write them: f′(z), a(1 − a).
    """

    program: Program
    equation: Definition
    target: str
    batch: str | None
    penalty: Expr | None
    slopes: tuple[Expr, ...]
    prediction: str | None
    observed: str | None

    @property
    def is_bias(self) -> bool:
        """Whether the equation is a bias gradient."""
        return self.target.startswith("b")

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The places of the formula, outermost first. Bound bodies are seen with fresh free indices."""
        found: list[Place] = []
        stack = [Place(self.equation.body, lambda new: new, self.equation.indices)]
        while stack and len(found) < MOST_PLACES:
            place = stack.pop()
            found.append(place)
            node, wrap = place.node, place.rebuild
            if isinstance(node, Sum | Max):
                index, body = opened(node)
                bind = sum_over if isinstance(node, Sum) else max_over
                stack.append(
                    Place(
                        body,
                        lambda new, wrap=wrap, bind=bind, index=index: wrap(bind(index, new)),
                        (*place.known, index),
                    )
                )
                continue
            for k, child in reversed(tuple(enumerate(node.children))):

                def replaced(new: Expr, wrap: Callable[[Expr], Expr] = wrap, node: Expr = node, k: int = k) -> Expr:
                    return wrap(rebuilt(node, (*node.children[:k], new, *node.children[k + 1 :])))

                stack.append(Place(child, replaced, place.known))
        return tuple(found)

    def alike(self, node: Tensor) -> Iterator[Tensor]:
        """Other tensors that could stand in a tensor's place."""
        sorts = tuple(i.sort for i in node.indices)
        # Only what stands before the equation: it may not use itself, nor what is made from it.
        for name in itertools.takewhile(lambda n: n != self.equation.name, self.program.names):
            fits = self.program.sorts(name) == sorts and are_near(name, node.name)
            if fits and name not in {node.name, "J"}:
                other = tensor(name, *node.indices)
                assert isinstance(other, Tensor)
                yield other


Operator = Callable[[Site], Iterator[Change]]


def everywhere(site: Site, local: Callable[[Expr, tuple[Index, ...]], Iterable[Change]]) -> Iterator[Change]:
    """A local change made at every place of the formula."""
    for place in site.places:
        for change in local(place.node, place.known):
            try:
                yield Change(place.rebuild(change.body), change.words, change.parts)
            except DomainError:
                # A change that divides by 0 explains nothing.
                continue


def without(node: Mul | Add, k: int) -> Expr:
    """The product or sum without its part number k."""
    rest = (*node.children[:k], *node.children[k + 1 :])
    return mul(*rest) if isinstance(node, Mul) else add(*rest)


def with_part(node: Mul | Add, k: int, new: Expr) -> Expr:
    """The product or sum with another part number k."""
    parts = (*node.children[:k], new, *node.children[k + 1 :])
    return mul(*parts) if isinstance(node, Mul) else add(*parts)


def is_slope(node: Expr) -> bool:
    """Whether a factor is f′ of something."""
    return isinstance(node, Apply) and len(node.args) == 1 and node.orders[0] > 0


def are_near(first: str, second: str) -> bool:
    """Whether two names belong to the same layer or to neighbours, as far as they have numbers."""
    layers = [name.partition("(")[2].rstrip(")") for name in (first, second)]
    return not all(n.isdigit() for n in layers) or abs(int(layers[0]) - int(layers[1])) <= 1


def letter_of(name: str) -> str:
    """The letter of a name without its layer."""
    return name.partition("(")[0]


def is_penalty(site: Site, term: Expr) -> bool:
    """Whether a term of the equation comes from the penalty: it holds the target itself."""
    return site.penalty is not None and site.target in names(term)


def plainly(expr: Expr) -> str:
    """A constant in plain characters, 1/2."""
    return write(notate(expr), ascii=True)


def shown(expr: Expr) -> str:
    """A part of an equation as text, shortened."""
    # The axes of the longest name in their order: no transpose that the formula itself does not have.
    tensors = [node.indices for node in postorder(expr) if isinstance(node, Tensor)]
    longest = max(tensors, key=len, default=())
    free = longest if expr.free == frozenset(longest) else tuple(sorted(expr.free))
    text = write(notate(expr, free=free, symbols=catalog.symbols()))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
