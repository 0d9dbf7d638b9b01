"""Updates of parameters: w ← w − η g says, through a step size and a sign, that g is the gradient by w."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final

from backproof.check.comparison import Comparison
from backproof.check.names import BIASES, WEIGHTS
from backproof.language.expression import Num, Tensor, postorder
from backproof.language.notation import (
    Bracketed,
    Call,
    Derivative,
    Negative,
    Notation,
    Number,
    Plus,
    Product,
    Quotient,
    Relation,
    Symbol,
)
from backproof.language.reading import bare
from backproof.language.traversal import pieces_of

STEP_SIZES: Final = frozenset({"eta", "alpha", "epsilon", "eps", "lr", "gamma", "learning_rate", "rho"})

OF_UPDATE: Final = "an update against the gradient, up to a factor that the step size takes in"


def gradient_of(node: Relation, *, any_step: bool = False) -> Relation | None:
    """The equation ∂J/∂w = g that an update of w claims; None for any other relation.

    With `any_step`, what is taken from w is a step even where no letter is a step size: w ← w − 0.1 g, w ← w − g.

    >>> w, eta, g = Symbol("w"), Symbol("eta"), Symbol("g")
    >>> step = Plus(((1, w), (-1, Product("", (eta, g)))))
    >>> gradient_of(Relation((w, step), ("←",))).sides[1]
    Symbol(name='g', subscripts=(), label=None, accent=None, star='')
    """
    if len(node.sides) != 2 or node.signs[0] not in ("←", ":=", "="):
        return None
    head, body = (bare(s) for s in node.sides)
    if not isinstance(head, Symbol) or not isinstance(body, Plus):
        return None
    kept = [(sign, bare(t)) for sign, t in body.terms]
    if (1, head) not in kept or len(kept) != 2:
        return None
    sign, step = next(t for t in kept if t != (1, head))
    found = _without_step_size(step)
    if found is None and any_step:
        found = _without_number(step)
    if found is None:
        return None
    target = Derivative(None, head, span=head.span)
    losses = {bare(d.of) for d in pieces_of(found) if isinstance(d, Derivative) and d.of is not None}
    if len(losses) == 1:
        target = replace(target, of=losses.pop())
    claimed = found if sign < 0 else Negative(found, span=found.span)
    return Relation((target, claimed), ("=",), span=node.span)


def claimed_gradient(relation: Relation) -> Relation | None:
    """The gradient that an update claims: of a parameter with any step, of anything else with a named step size."""
    head = relation.sides[0]
    parameter = isinstance(head, Symbol) and head.name.rstrip("0123456789") in (*WEIGHTS, *BIASES)
    return gradient_of(relation, any_step=parameter)


def _is_step_size(node: Notation) -> bool:
    inner = bare(node)
    return isinstance(inner, Symbol) and inner.name in STEP_SIZES and not inner.subscripts


def is_positive_factor(found: Comparison | None) -> bool:
    """Whether a refuted claim differs from the truth by a positive constant only, which a step size takes in."""
    if found is None or found.kind != "ratio":
        return False
    nodes = list(postorder(found.expr))
    return not any(isinstance(n, Tensor) or (isinstance(n, Num) and n.value <= 0) for n in nodes)


def ascends(node: Relation) -> bool:
    """Whether the update adds the step: it goes uphill, as it should where something is maximised."""
    body = bare(node.sides[1])
    head = bare(node.sides[0])
    return isinstance(body, Plus) and any(sign > 0 and bare(term) != head for sign, term in body.terms)


def _without_number(step: Notation) -> Notation:
    match step:
        case Product(_, (Number(), only)):
            return only
        case Product(_, (Number(), *rest)):
            return replace(step, factors=tuple(rest))
        case Product(_, (Product() as first, *rest)):
            return replace(step, factors=(_without_number(first), *rest))
        case _:
            return step


def _without_step_size(step: Notation) -> Notation | None:
    """What the step size multiplies."""
    match step:
        case Call(function, (argument,), 0, None) if _is_step_size(function):
            return argument
        case Product(_, (Call(function, (argument,), 0, None), *rest)) if _is_step_size(function):
            return replace(step, factors=(Bracketed(argument, span=argument.span), *rest))
        case Product(_, factors):
            for k, factor in enumerate(factors):
                rest = (*factors[:k], *factors[k + 1 :])
                if _is_step_size(factor):
                    return rest[0] if len(rest) == 1 else replace(step, factors=rest)
                inner = bare(factor)
                if isinstance(inner, Product) and (within := _without_step_size(inner)) is not None:
                    return replace(step, factors=(within, *rest))
                if isinstance(inner, Quotient) and _is_step_size(inner.numerator):
                    return replace(step, factors=(replace(inner, numerator=Number(Fraction(1))), *rest))
            return None
        case Quotient(Product() as above, below):
            inner = _without_step_size(above)
            return None if inner is None else replace(step, numerator=inner, denominator=below)
        case _:
            return None
