"""Unfolding: catalogue functions replaced by their definitions, until only axioms and abstract functions are left.

The slope of a catalogue function is found by the reverse sweep over its definition; only an axiom states its own.
"""

from __future__ import annotations

from functools import cache, lru_cache

from backproof import catalog
from backproof.calculus.sweep import adjoints
from backproof.language.expression import Apply, Expr, Index, fresh, reindex, zero
from backproof.language.program import Definition, Program
from backproof.language.walks import inline, rewrite


@lru_cache(maxsize=2048)
def unfold(root: Expr) -> Expr:
    """The expression with axioms of order 0 and abstract functions only.

    >>> from backproof.language.expression import tensor
    >>> unfold(catalog.applied("sigmoid", tensor("z"), order=0))
    (exp((-1)*z) + 1)^(-1)
    """
    return rewrite(root, _unfolded)


def open_slopes(root: Expr) -> Expr:
    """The expression with the slopes of catalogue functions written out, the functions themselves left as names.

    >>> from backproof.language.expression import apply, tensor
    >>> open_slopes(apply("half-mse", tensor("a"), tensor("y"), orders=(1, 0)))
    a + (-1)*y
    """

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Apply) or not any(node.orders) or catalog.function(node.name) is None:
            return None
        parameters, body = _opened_slope(node.name, node.orders)
        return inline(body, {p: ((), argument) for p, argument in zip(parameters, node.args, strict=True)})

    return rewrite(root, rule)


def derivative(root: Expr, name: str, indices: tuple[Index, ...] = ()) -> Expr:
    """∂root/∂name[indices], for a formula in its own right: every tensor in it stands for itself.

    >>> from backproof.language.expression import tensor
    >>> derivative(tensor("x") ** 3, "x")
    3*x^2
    """
    # Free indices of the formula are parameters here: fresh names keep them apart from the letters of the sweep.
    apart = {i: fresh(i) for i in root.free}
    program = Program({name: tuple(i.sort for i in indices)}, (Definition("J", (), reindex(root, apart)),))
    found = adjoints(program, "J").get(name)
    if found is None:
        return zero
    back = {v: k for k, v in apart.items()} | dict(zip(found.indices, indices, strict=True))
    return reindex(found.body, back)


def _unfolded(node: Expr) -> Expr | None:
    if not isinstance(node, Apply) or catalog.function(node.name) is None:
        return None
    if catalog.is_axiom(node.name) and not any(node.orders):
        return None
    parameters, body = _formula(node.name, node.orders)
    return inline(body, {p: ((), argument) for p, argument in zip(parameters, node.args, strict=True)})


@cache
def _opened_slope(name: str, orders: tuple[int, ...]) -> tuple[tuple[str, ...], Expr]:
    if catalog.is_axiom(name):
        return _formula(name, orders)
    parameters, body = catalog.scalar_definition(name)
    for parameter, order in zip(parameters, orders, strict=True):
        for _ in range(order):
            body = open_slopes(derivative(body, parameter))
    return parameters, body


@cache
def _formula(name: str, orders: tuple[int, ...]) -> tuple[tuple[str, ...], Expr]:
    """The parameters of a catalogue function and its derivative of these orders, in axioms."""
    lowest = next((k for k, order in enumerate(orders) if order), None)
    if lowest is None:
        parameters, body = catalog.scalar_definition(name)
        return parameters, unfold(body)
    lower = (*orders[:lowest], orders[lowest] - 1, *orders[lowest + 1 :])
    if catalog.is_axiom(name) and sum(orders) == 1:
        parameters, slope = catalog.slope(name)
        return parameters, unfold(slope)
    parameters, body = _formula(name, lower)
    return parameters, unfold(derivative(body, parameters[lowest]))
