"""Operators: the usual slips as changes of one formula, each with a word about it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias

from backproof.check.sites import (
    Change,
    Operator,
    Site,
    everywhere,
    is_penalty,
    is_slope,
    letter_of,
    shown,
    with_part,
    without,
)
from backproof.language.expression import (
    Add,
    Delta,
    Expr,
    Index,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Tensor,
    add,
    fresh,
    mul,
    num,
    one,
    opened,
    postorder,
    power,
    reindex,
    size,
    sum_over,
    tensor,
)
from backproof.language.walks import names, rewrite

Known: TypeAlias = tuple[Index, ...]


def sign(site: Site) -> Iterator[Change]:
    """The sign of one term; that of the whole is a factor −1."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if not is_penalty(site, term):
                    yield Change(with_part(node, k, mul(-1, term)), "of one term")

    return everywhere(site, local)


def factor_of_a_term(site: Site) -> Iterator[Change]:
    """One term of a sum doubled or halved, multiplied or divided by the number of examples."""
    scales = [mul(2), power(mul(2), -1)]
    if site.batch is not None:
        scales += [size(site.batch), power(size(site.batch), -1)]

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if not is_penalty(site, term) and not isinstance(term, Num):
                    for scale in scales:
                        yield Change(with_part(node, k, mul(scale, term)), "{0}", (scale, power(scale, -1)))

    return everywhere(site, local)


def wrong_number(site: Site) -> Iterator[Change]:
    """A number inside the formula that is not the right one."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Num):
            value = node.value
            # A factor −1 is a sign, which has a mistake of its own.
            for other in dict.fromkeys((value + 1, value - 1, value * 2, value / 2)) if value != -1 else ():
                if other not in (0, value):
                    yield Change(num(other), "{0} in place of {1}", (num(other), node))

    return everywhere(site, local)


def swapped_target(site: Site) -> Iterator[Change]:
    """Prediction and target in each other's place."""
    first, second = site.prediction, site.observed
    if first is None or second is None:
        return

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Add) and {first, second} <= names(node):
            swapped = [_renamed(t, {first: second, second: first}) for t in node.terms]
            yield Change(add(*swapped), f"{shown(tensor(second))} − {shown(tensor(first))}")

    yield from everywhere(site, local)


def _renamed(expr: Expr, names_map: dict[str, str]) -> Expr:
    return rewrite(
        expr, lambda n: tensor(names_map[n.name], *n.indices) if isinstance(n, Tensor) and n.name in names_map else None
    )


def transpose(site: Site) -> Iterator[Change]:
    """A square matrix, or the whole right side, transposed."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Tensor) and len(node.indices) == 2 and node.indices[0].sort == node.indices[1].sort:
            yield Change(tensor(node.name, *reversed(node.indices)), shown(tensor(node.name)))

    yield from everywhere(site, local)
    indices = site.equation.indices
    if len(indices) == 2 and indices[0].sort == indices[1].sort:
        turned = reindex(site.equation.body, {indices[0]: indices[1], indices[1]: indices[0]})
        yield Change(turned, "the whole right side")


def wrong_index(site: Site) -> Iterator[Change]:
    """A name with another index that is known where it stands."""

    def local(node: Expr, known: Known) -> Iterator[Change]:
        if isinstance(node, Tensor):
            for k, index in enumerate(node.indices):
                for other in known:
                    if other != index and other.sort == index.sort:
                        new = tensor(node.name, *node.indices[:k], other, *node.indices[k + 1 :])
                        words = (shown(tensor(node.name)), plain_index(other), plain_index(index))
                        yield Change(new, "{0} at {1}, not at {2}", words)

    return everywhere(site, local)


def plain_index(index: Index) -> str:
    """The letter of an index; one that is summed over has a letter of its own."""
    return index.name if index.name.isalpha() else "the index of the sum"


def dropped_term(site: Site) -> Iterator[Change]:
    """A term or a factor left out."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if not is_penalty(site, term):
                    yield Change(without(node, k), "the term {0}", (term,))
        if isinstance(node, Mul):
            for k, factor in enumerate(node.factors):
                if not isinstance(factor, Num) and not is_slope(factor) and not is_size(factor):
                    yield Change(without(node, k), "the factor {0}", (factor,))
        if isinstance(node, Sum):
            yield from _matrix_dropped(node)

    return everywhere(site, local)


def _matrix_dropped(node: Sum) -> Iterator[Change]:
    """A square matrix left out of a product: what it took from one index to another keeps the other."""
    bound, body = opened(node)
    if not isinstance(body, Mul):
        return
    for k, factor in enumerate(body.factors):
        if isinstance(factor, Tensor) and len(factor.indices) == 2 and bound in factor.indices:
            kept = factor.indices[1 if factor.indices[0] == bound else 0]
            if kept.sort == bound.sort and kept != bound:
                yield Change(reindex(without(body, k), {bound: kept}), f"the matrix {shown(tensor(factor.name))}")


def is_size(factor: Expr) -> bool:
    """Whether a factor is a power of a size, 1/m."""
    return isinstance(factor.base if isinstance(factor, Pow) else factor, Size)


def repeated_factor(site: Site) -> Iterator[Change]:
    """A factor written twice."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Mul):
            for factor in node.factors:
                if not isinstance(factor, Num):
                    yield Change(mul(node, factor), "the factor {0} twice", (factor,))

    return everywhere(site, local)


def factor_taken_away(site: Site) -> Iterator[Change]:
    """A factor of a claimed formula that may be one too many."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Mul):
            for k, factor in enumerate(node.factors):
                if not isinstance(factor, Num) and not is_slope(factor):
                    yield Change(without(node, k), "{0}", (factor,))

    return everywhere(site, local)


def term_taken_away(site: Site) -> Iterator[Change]:
    """A term of a claimed formula that may be one too many."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                yield Change(without(node, k), "{0}", (term,))

    return everywhere(site, local)


def diagonal_jacobian(site: Site) -> Iterator[Change]:
    """Only the own output of a Jacobian, or its Kronecker delta left out."""

    def local(node: Expr, known: Known) -> Iterator[Change]:
        if isinstance(node, Sum) and node.index.sort != site.batch:
            for index in known:
                if index.sort == node.index.sort:
                    bound, body = opened(node)
                    yield Change(reindex(body, {bound: index}), "only the own output is kept")
        if isinstance(node, Delta):
            yield Change(one, "the Kronecker delta is left out")

    yield from everywhere(site, local)
    for own in dict.fromkeys(node for node in postorder(site.equation.body) if isinstance(node, Delta)):
        yield Change(mul(own, site.equation.body), "only the own output is kept")


def wrong_axis(site: Site) -> Iterator[Change]:
    """A sum over the other free axis, or none."""
    own = site.equation.indices

    def local(node: Expr, known: Known) -> Iterator[Change]:
        if not isinstance(node, Sum):
            return
        bound, body = opened(node)
        for kept in own:
            if kept.sort == bound.sort:
                for other in own:
                    if other != kept and other in body.free:
                        new = fresh(other)
                        changed = sum_over(new, reindex(body, {bound: kept, other: new}))
                        yield Change(changed, f"the sum runs over {other.sort}")
        for kept in known:
            if kept.sort == bound.sort and bound.sort == site.batch:
                yield Change(reindex(body, {bound: kept}), f"the sum over {bound.sort} is left out")

    return everywhere(site, local)


def mean_for_sum(site: Site) -> Iterator[Change]:
    """A mean in place of a sum, or a sum in place of a mean."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Sum) and node.index.sort != site.batch:
            words = f"a mean over {node.index.sort} in place of the sum"
            yield Change(mul(node, power(size(node.index.sort), -1)), words)
        if isinstance(node, Mul):
            for k, factor in enumerate(node.factors):
                if isinstance(factor, Pow) and isinstance(factor.base, Size) and factor.base.sort != site.batch:
                    yield Change(without(node, k), f"a sum over {factor.base.sort} in place of the mean")

    return everywhere(site, local)


def mean_taken_back(site: Site) -> Iterator[Change]:
    """A claimed mean as a sum, a claimed sum as a mean."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Sum):
            words = f"a sum over {node.index.sort} in place of the mean"
            yield Change(mul(node, power(size(node.index.sort), -1)), words)
        if isinstance(node, Mul):
            for k, factor in enumerate(node.factors):
                if isinstance(factor, Pow) and isinstance(factor.base, Size):
                    yield Change(without(node, k), f"a mean over {factor.base.sort} in place of the sum")

    return everywhere(site, local)


def wrong_layer(site: Site) -> Iterator[Change]:
    """The same letter at another layer."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Tensor):
            for other in site.alike(node):
                if letter_of(other.name) == letter_of(node.name):
                    yield Change(other, "{0} in place of {1}", (other, node))

    return everywhere(site, local)


def wrong_variable(site: Site) -> Iterator[Change]:
    """Another letter of the same shape."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Tensor):
            for other in site.alike(node):
                if letter_of(other.name) != letter_of(node.name):
                    yield Change(other, "{0} in place of {1}", (other, node))

    return everywhere(site, local)


def missing_regulariser(site: Site) -> Iterator[Change]:
    """The penalty's term left out."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if is_penalty(site, term):
                    yield Change(without(node, k), "the term of the penalty")

    return everywhere(site, local)


def regulariser_put_in(site: Site) -> Iterator[Change]:
    """The penalty's term added."""
    if site.penalty is not None and site.target.startswith("W"):
        weights = tensor(site.target, *site.equation.indices)
        yield Change(add(site.equation.body, mul(site.penalty, weights)), "the term of the penalty")


def regulariser_factor(site: Site) -> Iterator[Change]:
    """The penalty's term off by 2 or by m."""
    scales = [mul(2), power(mul(2), -1)]
    if site.batch is not None:
        scales += [size(site.batch), power(size(site.batch), -1)]

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if is_penalty(site, term):
                    for scale in scales:
                        yield Change(with_part(node, k, mul(scale, term)), "{0}", (scale, power(scale, -1)))

    return everywhere(site, local)


def regulariser_sign(site: Site) -> Iterator[Change]:
    """The penalty subtracted."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if is_penalty(site, term):
                    yield Change(with_part(node, k, mul(-1, term)), "minus the penalty")

    return everywhere(site, local)


def regularised_bias(site: Site) -> Iterator[Change]:
    """A bias gradient with a penalty."""
    if site.penalty is None or not site.is_bias:
        return
    bias = tensor(site.target, *site.equation.indices)
    scales = [one] if site.batch is None else [one, size(site.batch), power(size(site.batch), -1)]
    for scale in scales:
        yield Change(add(site.equation.body, mul(site.penalty, scale, bias)), site.target)


def bias_penalty_taken_away(site: Site) -> Iterator[Change]:
    """The term of a bias gradient that holds the bias left out."""
    if site.is_bias:
        yield from missing_regulariser(site)


def exponent(site: Site) -> Iterator[Change]:
    """A power with another exponent."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Pow) and not isinstance(node.base, Size):
            old = node.exponent
            for new in dict.fromkeys((-old, old + 1, old - 1, old / 2, old * 2)):
                if new not in (0, old):
                    words = (node.base, str(new), str(old))
                    yield Change(power(node.base, new), "that of {0} is {1} in place of {2}", words)

    return everywhere(site, local)


def turned(operator: Operator) -> Operator:
    """An operator that undoes itself, read backwards: what it puts in is what was right."""

    def backwards(site: Site) -> Iterator[Change]:
        return (Change(c.body, c.words, _other_way(c.parts)) for c in operator(site))

    return backwards


def _other_way(parts: tuple[Expr | str, ...]) -> tuple[Expr | str, ...]:
    return (*parts[:-2], parts[-1], parts[-2]) if len(parts) > 1 else parts


def power_of_each_term(site: Site) -> Iterator[Change]:
    """1 − a² for (1 − a)², and the other way."""

    def local(node: Expr, _: Known) -> Iterator[Change]:
        if isinstance(node, Pow) and isinstance(node.base, Add) and node.exponent.denominator == 1:
            powers = (power(_unsigned(t), node.exponent) for t in node.base.terms)
            apart = add(*(mul(-1, p) if _is_negative(t) else p for t, p in zip(node.base.terms, powers, strict=True)))
            yield Change(apart, "{0} in place of {1}", (apart, node))
        if isinstance(node, Add):
            for exponent in {t.exponent for t in map(_unsigned, node.terms) if isinstance(t, Pow)}:
                roots = [_root(t, exponent) for t in node.terms]
                if all(r is not None for r in roots):
                    whole = power(add(*(r for r in roots if r is not None)), exponent)
                    yield Change(whole, "{0} in place of {1}", (whole, node))

    return everywhere(site, local)


def _unsigned(term: Expr) -> Expr:
    return mul(-1, term) if _is_negative(term) else term


def _is_negative(term: Expr) -> bool:
    first = term.factors[0] if isinstance(term, Mul) else term
    return isinstance(first, Num) and first.value < 0


def _root(term: Expr, exponent: Fraction) -> Expr | None:
    """What a term is a power of, with the term's sign; 1 is every power of 1."""
    plain = _unsigned(term)
    if isinstance(plain, Pow) and plain.exponent == exponent:
        return mul(-1, plain.base) if _is_negative(term) else plain.base
    return term if plain is one else None


def nothing(site: Site) -> Iterator[Change]:
    """Found by comparing the claim with the truth, not by changing an equation."""
    del site
    return iter(())
