"""Sites: an equation of a derivation that a mistake may change, and what the network around it knows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from backproof import catalog
from backproof.errors import DomainError
from backproof.language.expression import (
    Add,
    Apply,
    Expr,
    Mul,
    Tensor,
    add,
    mul,
    tensor,
)
from backproof.language.notating import notate
from backproof.language.program import Definition, Program
from backproof.language.text import write
from backproof.language.walks import names, places

LONGEST: Final = 48


@dataclass(frozen=True)
class Site:
    """An equation that may be changed: the adjoint of `target`, and what the network around it knows."""

    program: Program
    equation: Definition
    target: str
    batch: str | None
    penalty: Expr | None
    slope: Expr | None
    prediction: Expr | None
    observed: Expr | None

    @property
    def is_bias(self) -> bool:
        """Whether the equation is a bias gradient."""
        return self.target.startswith("b")


Change = tuple[Expr, str]


Operator = Callable[[Site], Iterator[Change]]


def everywhere(site: Site, local: Callable[[Expr], Iterable[Change]]) -> Iterator[Change]:
    """A local change made at every place of the equation."""
    for node, rebuild in places(site.equation.body):
        for new, detail in local(node):
            try:
                yield rebuild(new), detail
            except DomainError:
                # A change that divides by 0 explains nothing.
                continue


def without(node: Mul | Add, k: int) -> Expr:
    """The product or sum without its part number k."""
    rest = (*node.children[:k], *node.children[k + 1 :])
    return mul(*rest) if isinstance(node, Mul) else add(*rest)


def is_slope(node: Expr) -> bool:
    """Whether a factor is f′ of something."""
    return isinstance(node, Apply) and len(node.args) == 1 and node.orders[0] > 0


def same_shape(site: Site, node: Tensor) -> Iterator[Tensor]:
    """Other tensors that could stand in a tensor's place."""
    sorts = tuple(i.sort for i in node.indices)
    # Only what stands before the equation: it may not use itself, nor what is made from it.
    for name in itertools.takewhile(lambda n: n != site.equation.name, site.program.names):
        alike = name.startswith("∂") == node.name.startswith("∂") and site.program.sorts(name) == sorts
        if alike and name not in {node.name, "J"}:
            other = tensor(name, *node.indices)
            assert isinstance(other, Tensor)
            yield other


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
    text = write(notate(expr, symbols=catalog.symbols()))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
