"""Mistakes: the usual slips, each an operator on an equation of the derivation.

An operator yields changed bodies of one equation. The search in `diagnosis` combines them until one reproduces the
wrong claim; what it finds is then proved. To add a mistake, add an entry to `MISTAKES`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from backproof import catalog
from backproof.errors import DomainError
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
from backproof.language.notating import notate
from backproof.language.program import Definition, Program
from backproof.language.text import write
from backproof.language.walks import inline, names, places, rewrite
from backproof.proof.folding import Folder

LONGEST: Final = 48


@dataclass(frozen=True, slots=True)
class Mistake:
    """A named mistake: `detail` is the constant or the part concerned, `says` a sentence, `fix` what to do."""

    name: str
    detail: str
    says: str
    fix: str


def made(entry: Entry, detail: str) -> Mistake:
    """The entry with its detail filled in."""
    return Mistake(entry.name, detail, entry.says.format(detail=detail), entry.fix.format(detail=detail))


def simplest(explanations: Sequence[tuple[Mistake, ...]]) -> tuple[Mistake, ...]:
    """The mistakes to show: all of the simplest explanation, then other single mistakes with names of their own."""
    if not explanations:
        return ()
    chosen = list(explanations[0])
    for explanation in explanations[1:]:
        if len(explanation) == 1 and explanation[0].name not in {m.name for m in chosen}:
            alone = len(explanations[0]) == 1 or explanation[0].name == "hidden-condition"
            chosen += explanation if alone else ()
    return tuple(chosen)


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


@dataclass(frozen=True, slots=True)
class Entry:
    """A mistake: its name in the contract, the sentence that says it, how to mend it, and how it is made."""

    name: str
    says: str
    fix: str
    changes: Operator


def _at(site: Site, local: Callable[[Expr], Iterable[Change]]) -> Iterator[Change]:
    """A local change made at every place of the equation."""
    for node, rebuild in places(site.equation.body):
        for new, detail in local(node):
            try:
                yield rebuild(new), detail
            except DomainError:
                # A change that divides by 0 explains nothing.
                continue


def _without(node: Mul | Add, k: int) -> Expr:
    rest = (*node.children[:k], *node.children[k + 1 :])
    return mul(*rest) if isinstance(node, Mul) else add(*rest)


def is_slope(node: Expr) -> bool:
    """Whether a factor is f′ of something."""
    return isinstance(node, Apply) and len(node.args) == 1 and node.orders[0] > 0


def _missing_slope(site: Site) -> Iterator[Change]:
    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Mul):
            for k, factor in enumerate(node.factors):
                if is_slope(factor):
                    yield _without(node, k), shown(factor)
        if is_slope(node) and isinstance(node, Apply):
            yield apply(node.name, *node.args, orders=(node.orders[0] - 1,)), shown(node)

    yield from _at(site, local)
    if is_slope(site.equation.body):
        yield one, shown(site.equation.body)


def _extra_slope(site: Site) -> Iterator[Change]:
    if site.slope is not None:
        yield mul(site.equation.body, site.slope), shown(site.slope)


def _wrong_slope_point(site: Site) -> Iterator[Change]:
    def local(node: Expr) -> Iterator[Change]:
        if is_slope(node) and isinstance(node, Apply) and isinstance(node.args[0], Tensor):
            for other in _same_shape(site, node.args[0]):
                yield (
                    apply(node.name, other, orders=node.orders),
                    f"at {shown(other)}, not at {shown(node.args[0])}",
                )

    return _at(site, local)


def _wrong_activation(site: Site) -> Iterator[Change]:
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

    return _at(site, local)


def _slope_of_another_output(site: Site) -> Iterator[Change]:
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

    return _at(site, local)


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


def _sign(site: Site) -> Iterator[Change]:
    yield mul(-1, site.equation.body), "the whole right side"

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if not _is_penalty(site, term):
                    yield add(*node.terms[:k], mul(-1, term), *node.terms[k + 1 :]), "of one term"

    yield from _at(site, local)


def _swapped_target(site: Site) -> Iterator[Change]:
    if site.prediction is None or site.observed is None:
        return
    first, second = site.prediction, site.observed
    if isinstance(first, Tensor) and isinstance(second, Tensor):

        def local(node: Expr) -> Iterator[Change]:
            if isinstance(node, Add) and {first.name, second.name} <= names(node):
                swapped = [_renamed(t, {first.name: second.name, second.name: first.name}) for t in node.terms]
                yield add(*swapped), f"{shown(second)} − {shown(first)}"

        yield from _at(site, local)


def _renamed(expr: Expr, names_map: dict[str, str]) -> Expr:
    return rewrite(
        expr, lambda n: tensor(names_map[n.name], *n.indices) if isinstance(n, Tensor) and n.name in names_map else None
    )


def _batch_scale(site: Site) -> Iterator[Change]:
    if site.batch is None:
        return
    m = size(site.batch)
    yield mul(site.equation.body, power(m, -1)), "one 1/m too many"
    yield mul(site.equation.body, m), "1/m is missing"


def _bias_reduction(site: Site) -> Iterator[Change]:
    if site.batch is not None and site.is_bias:
        yield mul(site.equation.body, power(size(site.batch), -1)), "averaged over the batch once too often"
        yield mul(site.equation.body, size(site.batch)), "summed where the mean is right"


def _transpose(site: Site) -> Iterator[Change]:
    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Tensor) and len(node.indices) == 2 and node.indices[0].sort == node.indices[1].sort:
            yield tensor(node.name, *reversed(node.indices)), node.name

    yield from _at(site, local)
    indices = site.equation.indices
    if len(indices) == 2 and indices[0].sort == indices[1].sort:
        yield reindex(site.equation.body, {indices[0]: indices[1], indices[1]: indices[0]}), "the whole right side"


def _dropped_term(site: Site) -> Iterator[Change]:
    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if not _is_penalty(site, term):
                    yield _without(node, k), f"the term {shown(term)}"
        if isinstance(node, Mul):
            for k, factor in enumerate(node.factors):
                if not isinstance(factor, Num) and not is_slope(factor):
                    yield _without(node, k), f"the factor {shown(factor)}"

    return _at(site, local)


def _diagonal_jacobian(site: Site) -> Iterator[Change]:
    own = site.equation.indices

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Sum) and node.index.sort != site.batch:
            for index in own:
                if index.sort == node.index.sort:
                    bound, body = opened(node)
                    yield reindex(body, {bound: index}), "only the own output is kept"
        if isinstance(node, Delta):
            yield one, "the Kronecker delta is left out"

    return _at(site, local)


def _wrong_axis(site: Site) -> Iterator[Change]:
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

    return _at(site, local)


def _mean_for_sum(site: Site) -> Iterator[Change]:
    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Sum) and node.index.sort != site.batch:
            yield mul(node, power(size(node.index.sort), -1)), f"a mean over {node.index.sort} in place of the sum"
        if isinstance(node, Mul):
            for k, factor in enumerate(node.factors):
                if isinstance(factor, Pow) and isinstance(factor.base, Size) and factor.base.sort != site.batch:
                    yield _without(node, k), f"a sum over {factor.base.sort} in place of the mean"

    return _at(site, local)


def _wrong_layer(site: Site) -> Iterator[Change]:
    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Tensor):
            for other in _same_shape(site, node):
                if _letter(other.name) == _letter(node.name):
                    yield other, f"{shown(other)} in place of {shown(node)}"

    return _at(site, local)


def _wrong_variable(site: Site) -> Iterator[Change]:
    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Tensor):
            for other in _same_shape(site, node):
                if _letter(other.name) != _letter(node.name):
                    yield other, f"{shown(other)} in place of {shown(node)}"

    return _at(site, local)


def _missing_regulariser(site: Site) -> Iterator[Change]:
    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if _is_penalty(site, term):
                    yield _without(node, k), "the term of the penalty"

    return _at(site, local)


def _regulariser_factor(site: Site) -> Iterator[Change]:
    scales: list[tuple[Expr, str]] = [(mul(2), "2"), (power(mul(2), -1), "1/2")]
    if site.batch is not None:
        scales += [(size(site.batch), "m"), (power(size(site.batch), -1), "1/m")]

    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if _is_penalty(site, term):
                    for scale, shown in scales:
                        yield add(*node.terms[:k], mul(scale, term), *node.terms[k + 1 :]), shown

    return _at(site, local)


def _regulariser_sign(site: Site) -> Iterator[Change]:
    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Add):
            for k, term in enumerate(node.terms):
                if _is_penalty(site, term):
                    yield add(*node.terms[:k], mul(-1, term), *node.terms[k + 1 :]), "minus the penalty"

    return _at(site, local)


def _regularised_bias(site: Site) -> Iterator[Change]:
    if site.penalty is None or not site.is_bias:
        return
    bias = tensor(site.target, *site.equation.indices)
    scales = [one] if site.batch is None else [one, size(site.batch), power(size(site.batch), -1)]
    for scale in scales:
        yield add(site.equation.body, mul(site.penalty, scale, bias)), site.target


def _exponent(site: Site) -> Iterator[Change]:
    def local(node: Expr) -> Iterator[Change]:
        if isinstance(node, Pow) and not isinstance(node.base, Size):
            for exponent in (-node.exponent, node.exponent + 1, node.exponent - 1, node.exponent / 2):
                if exponent != node.exponent:
                    yield power(node.base, exponent), f"{exponent} in place of {node.exponent}"

    return _at(site, local)


def _same_shape(site: Site, node: Tensor) -> Iterator[Tensor]:
    sorts = tuple(i.sort for i in node.indices)
    # Only what stands before the equation: it may not use itself, nor what is made from it.
    for name in itertools.takewhile(lambda n: n != site.equation.name, site.program.names):
        alike = name.startswith("∂") == node.name.startswith("∂") and site.program.sorts(name) == sorts
        if alike and name not in {node.name, "J"}:
            other = tensor(name, *node.indices)
            assert isinstance(other, Tensor)
            yield other


def _letter(name: str) -> str:
    return name.partition("(")[0]


def _is_penalty(site: Site, term: Expr) -> bool:
    return site.penalty is not None and site.target in names(term)


def shown(expr: Expr) -> str:
    """A part of an equation as text, shortened."""
    text = write(notate(expr, symbols=catalog.symbols()))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _nothing(site: Site) -> Iterator[Change]:
    """Found by comparing the claim with the truth, not by changing an equation."""
    del site
    return iter(())


MISTAKES: Final = (
    Entry("extra-slope", "the slope {detail} was kept, but it has cancelled here", "delete {detail}", _extra_slope),
    Entry("missing-slope", "the slope {detail} is missing", "multiply by {detail}", _missing_slope),
    Entry("sign", "the sign is wrong: {detail}", "change the sign", _sign),
    Entry("swapped-target", "prediction and target are swapped: {detail}", "swap them", _swapped_target),
    Entry("batch-scale", "the scale of the batch is wrong: {detail}", "compare with the reduction of J", _batch_scale),
    Entry("bias-reduction", "the bias gradient is reduced wrongly: {detail}", "sum δ over the batch", _bias_reduction),
    Entry("transpose", "a transpose is wrong: {detail}", "transpose it", _transpose),
    Entry(
        "diagonal-jacobian",
        "cross terms of the Jacobian are left out: {detail}",
        "sum over all outputs",
        _diagonal_jacobian,
    ),
    Entry("wrong-slope-point", "the slope is taken at the wrong point: {detail}", "take f′ at z", _wrong_slope_point),
    Entry("missing-regulariser", "{detail} is missing", "add λw in the scale of J", _missing_regulariser),
    Entry(
        "regulariser-factor",
        "the penalty is off by a factor: {detail}",
        "its slope is λw, scaled like J",
        _regulariser_factor,
    ),
    Entry("regulariser-sign", "the penalty has the wrong sign: {detail}", "add it", _regulariser_sign),
    Entry(
        "regularised-bias", "the bias is regularised: {detail}", "leave biases out of the penalty", _regularised_bias
    ),
    Entry(
        "wrong-activation",
        "the slope of another activation: {detail}",
        "use the slope of this layer",
        _wrong_activation,
    ),
    Entry("dropped-term", "{detail} is missing", "put it back", _dropped_term),
    Entry("wrong-axis", "a sum runs over the wrong axis: {detail}", "sum over the other axis", _wrong_axis),
    Entry("wrong-reduction", "{detail}", "compare with the definition", _mean_for_sum),
    Entry("wrong-layer", "a quantity of another layer: {detail}", "use the layer of the left side", _wrong_layer),
    Entry("wrong-variable", "another variable: {detail}", "use the right one", _wrong_variable),
    Entry("wrong-exponent", "an exponent is wrong: {detail}", "correct it", _exponent),
)

LATE_MISTAKES: Final = (
    Entry(
        "wrong-activation",
        "the slope of another activation: {detail}",
        "use the slope of this layer",
        _slope_of_another_output,
    ),
)
"""Mistakes that take longer to make, tried where none of the others explains a claim."""

FACTOR: Final = Entry("factor", "a factor {detail} too much", "divide by {detail}", _nothing)
EXTRA_TERM: Final = Entry("extra-term", "a term too many: {detail}", "delete it", _nothing)
HIDDEN_CONDITION: Final = Entry(
    "hidden-condition", "true only under a condition that is not stated: {detail}", "state it", _nothing
)
