"""Slips with slopes: f′ left out, kept, taken at the wrong point, or of another function."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TypeAlias

from backproof import catalog
from backproof.check.sites import Change, Site, are_near, everywhere, is_slope, without
from backproof.language.expression import (
    Apply,
    Expr,
    Index,
    Mul,
    Sum,
    Tensor,
    apply,
    mul,
    one,
    opened,
    reindex,
    sum_over,
    tensor,
)
from backproof.language.walks import inline

Known: TypeAlias = tuple[Index, ...]


def missing_slope(site: Site) -> Iterator[Change]:
    """A factor f′ left out."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Mul):
            for k, factor in enumerate(node.factors):
                if is_slope(factor):
                    yield Change(without(node, k), "{0}", (factor,))

    yield from everywhere(site, local)
    if is_slope(site.equation.body):
        yield Change(one, "{0}", (site.equation.body,))


def value_for_slope(site: Site) -> Iterator[Change]:
    """The value f in the place of f′."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if is_slope(node) and isinstance(node, Apply):
            value = apply(node.name, *node.args, orders=(node.orders[0] - 1,))
            yield Change(value, "{0}, not {1}", (node, value))

    return everywhere(site, local)


def slope_for_its_value(site: Site) -> Iterator[Change]:
    """The slope f′ in the place of a claimed f."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Apply) and len(node.args) == 1 and catalog.function(node.name) in catalog.activations():
            slope = apply(node.name, *node.args, orders=(node.orders[0] + 1,))
            yield Change(slope, "{0}, not {1}", (slope, node))

    return everywhere(site, local)


def slope_put_in(site: Site) -> Iterator[Change]:
    """A factor f′ more: at the target's logits, or at those of the layer of an output."""
    for slope in site.slopes:
        yield Change(mul(site.equation.body, slope), "{0}", (slope,))

    def local(node: Expr, known: Known) -> Iterator[Change]:
        if isinstance(node, Sum):
            bound, body = opened(node)
            for slope in slopes_at(site, (*known, bound)):
                if bound in slope.free:
                    yield Change(sum_over(bound, mul(body, slope)), "{0}", (slope,))

    yield from everywhere(site, local)


def slopes_at(site: Site, known: Known) -> Iterator[Expr]:
    """The slopes of elementwise layers at their logits, for all indices that are known."""
    for definition in site.program.definitions:
        body = definition.body
        of_layer = definition.name[0] in "aA" and are_near(definition.name, site.target)
        if of_layer and isinstance(body, Apply) and not any(body.orders) and len(body.args) == 1:
            for indices in fitting(definition.sorts, known):
                moved = reindex(body.args[0], dict(zip(definition.indices, indices, strict=True)))
                yield apply(body.name, moved, orders=(1,))


def fitting(sorts: tuple[str, ...], known: Known) -> Iterator[Known]:
    """The different indices that are known and have these sorts, in every order."""
    for chosen in itertools.permutations(known, len(sorts)):
        if tuple(i.sort for i in chosen) == sorts:
            yield chosen


def extra_slope(site: Site) -> Iterator[Change]:
    """One slope f′(z) too many."""
    for slope in site.slopes:
        yield Change(mul(site.equation.body, slope), "{0}", (slope,))


def slope_for_value(site: Site) -> Iterator[Change]:
    """A slope taken away: a factor f′, or f″ in the place of f′."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Mul):
            for k, factor in enumerate(node.factors):
                if is_slope(factor):
                    yield Change(without(node, k), "{0}", (factor,))

    return everywhere(site, local)


def wrong_slope_point(site: Site) -> Iterator[Change]:
    """The slope taken at another quantity of the same shape."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if is_slope(node) and isinstance(node, Apply) and isinstance(node.args[0], Tensor):
            for other in site.alike(node.args[0]):
                yield Change(apply(node.name, other, orders=node.orders), "at {0}, not at {1}", (other, node.args[0]))

    return everywhere(site, local)


def wrong_activation(site: Site) -> Iterator[Change]:
    """The slope of another activation of the catalogue."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if is_slope(node) and isinstance(node, Apply):
            for name in elementwise_activations():
                if name not in {node.name, "identity", "step"}:
                    slope = apply(name, *node.args, orders=node.orders)
                    yield Change(slope, "that of {0}, not of {1}", (name, node.name))

    return everywhere(site, local)


@cache
def elementwise_activations() -> tuple[str, ...]:
    """The activations of the catalogue that need no other number."""
    return tuple(
        entry.name
        for entry in catalog.activations()
        if entry.elementwise and not entry.abstract and not entry.hyperparameters
    )


def slope_of_another_output(site: Site) -> Iterator[Change]:
    """The slope of another activation written in its output, 1 − a² for tanh, where a is this layer's output."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if (
            is_slope(node)
            and isinstance(node, Apply)
            and isinstance(node.args[0], Tensor)
            and node.args[0].name[0] in "zZ"
        ):
            logits = node.args[0]
            output = tensor(("A" if logits.name[0] == "Z" else "a") + logits.name[1:], *logits.indices)
            for name, slope in slopes_in_outputs().items():
                if name != node.name:
                    yield Change(inline(slope, {"a": ((), output)}), "that of {0}, not of {1}", (name, node.name))

    return everywhere(site, local)


@cache
def slopes_in_outputs() -> Mapping[str, Expr]:
    """The slopes of activations that are formulas in the output a alone, as every textbook has them."""
    a = tensor("a")
    return {"sigmoid": mul(a, 1 - a), "tanh": 1 - a**2, "exp": a}
