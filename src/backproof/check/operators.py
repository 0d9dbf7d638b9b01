"""Operators: the usual slips as changes of one equation, each yielding changed bodies with a word about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from backproof import catalog
from backproof.check.sites import Change, Site, everywhere, is_penalty, is_slope, letter_of, same_shape, shown, without
from backproof.language.expression import (
    Add,
    Apply,
    Delta,
    Expr,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Tensor,
    add,
    apply,
    fresh,
    mul,
    one,
    opened,
    power,
    reindex,
    size,
    sum_over,
    tensor,
)
from backproof.language.program import Definition, Program
from backproof.language.walks import inline, names, rewrite
from backproof.proof.folding import Folder


def missing_slope(site: Site) -> Iterator[Change]:
    """A factor f′ left out, or f in its place."""

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Mul):
            for k, factor in enumerate(node.factors):
                if is_slope(factor):
                    yield without(node, k), shown(factor)
        if is_slope(node) and isinstance(node, Apply):
            yield apply(node.name, *node.args, orders=(node.orders[0] - 1,)), shown(node)

    yield from everywhere(site, local)
    if is_slope(site.equation.body):
        yield one, shown(site.equation.body)


def extra_slope(site: Site) -> Iterator[Change]:
    """One slope f′(z) too many."""
    if site.slope is not None:
        yield mul(site.equation.body, site.slope), shown(site.slope)


def wrong_slope_point(site: Site) -> Iterator[Change]:
    """The slope taken at another quantity of the same shape."""

    def local(node: Expr) -> Iterator[Change]:
        if is_slope(node) and isinstance(node, Apply) and isinstance(node.args[0], Tensor):
            for other in same_shape(site, node.args[0]):
                yield (
                    apply(node.name, other, orders=node.orders),
                    f"at {shown(other)}, not at {shown(node.args[0])}",
                )

    return everywhere(site, local)


def wrong_activation(site: Site) -> Iterator[Change]:
    """The slope of another activation of the catalogue."""
    names_tried = tuple(
        entry.name
        for entry in catalog.activations()
        if entry.elementwise and not entry.abstract and not entry.hyperparameters
    )

    def local(node: Expr) -> Iterator[Change]:
        if is_slope(node) and isinstance(node, Apply) and catalog.function(node.name) is not None:
            for name in names_tried:
                if name not in {node.name, "identity", "step"}:
                    yield apply(name, *node.args, orders=node.orders), f"that of {name}, not of {node.name}"

    return everywhere(site, local)


def slope_of_another_output(site: Site) -> Iterator[Change]:
    """The slope of another activation written in its output, 1 − a² for tanh, where a is this layer's output."""

    def local(node: Expr) -> Iterator[Change]:
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
                    yield inline(slope, {"a": ((), output)}), f"that of {name}, not of {node.name}"

    return everywhere(site, local)


@cache
def slopes_in_outputs() -> Mapping[str, Expr]:
    """The slopes of activations that are formulas in the output a alone."""
    z = tensor("z")
    found: dict[str, Expr] = {}
    for entry in catalog.activations():
        if entry.elementwise and not entry.abstract and not entry.hyperparameters and entry.name != "identity":
            program = Program({"z": ()}, (Definition("a", (), apply(entry.name, z)),))
            slope = Folder(program).fold(apply(entry.name, z, orders=(1,)))
            if names(slope) == {"a"}:
                found[entry.name] = slope
    return found


def sign(site: Site) -> Iterator[Change]:
    """The sign of the whole or of one term."""
    yield mul(-1, site.equation.body), "the whole right side"

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if not is_penalty(site, term):
                    yield add(*node.terms[:k], mul(-1, term), *node.terms[k + 1 :]), "of one term"

    yield from everywhere(site, local)


def swapped_target(site: Site) -> Iterator[Change]:
    """Prediction and target in each other's place."""
    if site.prediction is None or site.observed is None:
        return
    first, second = site.prediction, site.observed
    if isinstance(first, Tensor) and isinstance(second, Tensor):

        def local(node: Expr) -> Iterator[Change]:
            if isinstance(node, Add) and {first.name, second.name} <= names(node):
                swapped = [_renamed(t, {first.name: second.name, second.name: first.name}) for t in node.terms]
                yield add(*swapped), f"{shown(second)} − {shown(first)}"

        yield from everywhere(site, local)


def _renamed(expr: Expr, names_map: dict[str, str]) -> Expr:
    return rewrite(
        expr, lambda n: tensor(names_map[n.name], *n.indices) if isinstance(n, Tensor) and n.name in names_map else None
    )


def batch_scale(site: Site) -> Iterator[Change]:
    """1/m once too often, or left out."""
    if site.batch is None:
        return
    m = size(site.batch)
    yield mul(site.equation.body, power(m, -1)), "one 1/m too many"
    yield mul(site.equation.body, m), "1/m is missing"


def bias_reduction(site: Site) -> Iterator[Change]:
    """A bias gradient averaged where it is summed, or the other way round."""
    if site.batch is not None and site.is_bias:
        yield mul(site.equation.body, power(size(site.batch), -1)), "averaged over the batch once too often"
        yield mul(site.equation.body, size(site.batch)), "summed where the mean is right"


def transpose(site: Site) -> Iterator[Change]:
    """A square matrix, or the whole right side, transposed."""

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Tensor) and len(node.indices) == 2 and node.indices[0].sort == node.indices[1].sort:
            yield tensor(node.name, *reversed(node.indices)), node.name

    yield from everywhere(site, local)
    indices = site.equation.indices
    if len(indices) == 2 and indices[0].sort == indices[1].sort:
        yield reindex(site.equation.body, {indices[0]: indices[1], indices[1]: indices[0]}), "the whole right side"


def dropped_term(site: Site) -> Iterator[Change]:
    """A term or a factor left out."""

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if not is_penalty(site, term):
                    yield without(node, k), f"the term {shown(term)}"
        if isinstance(node, Mul):
            for k, factor in enumerate(node.factors):
                if not isinstance(factor, Num) and not is_slope(factor):
                    yield without(node, k), f"the factor {shown(factor)}"

    return everywhere(site, local)


def diagonal_jacobian(site: Site) -> Iterator[Change]:
    """Only the own output of a Jacobian, or its Kronecker delta left out."""
    own = site.equation.indices

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Sum) and node.index.sort != site.batch:
            for index in own:
                if index.sort == node.index.sort:
                    bound, body = opened(node)
                    yield reindex(body, {bound: index}), "only the own output is kept"
        if isinstance(node, Delta):
            yield one, "the Kronecker delta is left out"

    return everywhere(site, local)


def wrong_axis(site: Site) -> Iterator[Change]:
    """A sum over the other free axis."""
    own = site.equation.indices

    def local(node: Expr) -> Iterator[Change]:
        if not isinstance(node, Sum):
            return
        bound, body = opened(node)
        for kept in own:
            if kept.sort == bound.sort:
                for other in own:
                    if other != kept and other in body.free:
                        new = fresh(other)
                        yield sum_over(new, reindex(body, {bound: kept, other: new})), f"the sum runs over {other.sort}"

    return everywhere(site, local)


def mean_for_sum(site: Site) -> Iterator[Change]:
    """A mean in place of a sum, or a sum in place of a mean, over an axis that is not the batch."""

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Sum) and node.index.sort != site.batch:
            yield mul(node, power(size(node.index.sort), -1)), f"a mean over {node.index.sort} in place of the sum"
        if isinstance(node, Mul):
            for k, factor in enumerate(node.factors):
                if isinstance(factor, Pow) and isinstance(factor.base, Size) and factor.base.sort != site.batch:
                    yield without(node, k), f"a sum over {factor.base.sort} in place of the mean"

    return everywhere(site, local)


def wrong_layer(site: Site) -> Iterator[Change]:
    """The same letter at another layer."""

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Tensor):
            for other in same_shape(site, node):
                if letter_of(other.name) == letter_of(node.name):
                    yield other, f"{shown(other)} in place of {shown(node)}"

    return everywhere(site, local)


def wrong_variable(site: Site) -> Iterator[Change]:
    """Another letter of the same shape."""

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Tensor):
            for other in same_shape(site, node):
                if letter_of(other.name) != letter_of(node.name):
                    yield other, f"{shown(other)} in place of {shown(node)}"

    return everywhere(site, local)


def missing_regulariser(site: Site) -> Iterator[Change]:
    """The penalty's term left out."""

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if is_penalty(site, term):
                    yield without(node, k), "the term of the penalty"

    return everywhere(site, local)


def regulariser_factor(site: Site) -> Iterator[Change]:
    """The penalty's term off by 2 or by m."""
    scales: list[tuple[Expr, str]] = [(mul(2), "2"), (power(mul(2), -1), "1/2")]
    if site.batch is not None:
        scales += [(size(site.batch), "m"), (power(size(site.batch), -1), "1/m")]

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if is_penalty(site, term):
                    for scale, shown in scales:
                        yield add(*node.terms[:k], mul(scale, term), *node.terms[k + 1 :]), shown

    return everywhere(site, local)


def regulariser_sign(site: Site) -> Iterator[Change]:
    """The penalty subtracted."""

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if is_penalty(site, term):
                    yield add(*node.terms[:k], mul(-1, term), *node.terms[k + 1 :]), "minus the penalty"

    return everywhere(site, local)


def regularised_bias(site: Site) -> Iterator[Change]:
    """A bias gradient with a penalty."""
    if site.penalty is None or not site.is_bias:
        return
    bias = tensor(site.target, *site.equation.indices)
    scales = [one] if site.batch is None else [one, size(site.batch), power(size(site.batch), -1)]
    for scale in scales:
        yield add(site.equation.body, mul(site.penalty, scale, bias)), site.target


def exponent(site: Site) -> Iterator[Change]:
    """A power with another exponent."""

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Pow) and not isinstance(node.base, Size):
            for exponent in (-node.exponent, node.exponent + 1, node.exponent - 1, node.exponent / 2):
                if exponent != node.exponent:
                    yield power(node.base, exponent), f"{exponent} in place of {node.exponent}"

    return everywhere(site, local)


def nothing(site: Site) -> Iterator[Change]:
    """Found by comparing the claim with the truth, not by changing an equation."""
    del site
    return iter(())
