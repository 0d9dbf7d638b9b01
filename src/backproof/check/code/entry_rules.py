"""Rules for single entries: a value computed entry by entry from values of the same axes, as a formula."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from backproof.check.code.axes import FormlessError, reduced
from backproof.check.code.formulas import HALF, Formula, Formulas, Places, moved, same_code
from backproof.check.code.functions import Filled
from backproof.check.code.tape import Node
from backproof.language.expression import (
    Add,
    Apply,
    Expr,
    Num,
    Pow,
    Tensor,
    add,
    apply,
    delta,
    mul,
    one,
    power,
    reindex,
    tensor,
    zero,
)
from backproof.language.program import Assumption

INFINITE: Final = -1e8
"""A number that stands for −∞: its exponential is 0 in floating point, whatever is added to it."""


def named_input(f: Formulas, node: Node) -> Formula:
    """An array that the functions are given."""
    places = f.own(node)
    indices = tuple(i for axis in places for i in axis)
    f.inputs[node.name] = tuple(i.sort for i in indices)
    f.values[node.name] = node.value
    return Formula(places, tensor(node.name, *indices))


def constant(f: Formulas, node: Node) -> Formula:
    """A value that depends on no input: a number, zeros, the unit matrix, or an array of which nothing is known."""
    value, places = np.asarray(node.value), f.own(node)
    if value.dtype.kind not in "fiub":
        raise FormlessError("a value is no real number")
    if value.dtype.kind == "f" and value.dtype.itemsize < 8:
        raise FormlessError("a number has fewer digits than a float64")
    if value.size and np.all(value == value.flat[0]):
        written = np.zeros(value.shape, bool) if value.ndim and value.flat[0] == 0 else None
        if value.flat[0] <= INFINITE:
            f.infinite.append(float(value.flat[0]))
            return Formula(places, zero, present=zero)
        return Formula(places, f.number(float(value.flat[0]), node.line), written=written)
    if not np.all(np.isfinite(value)):
        raise FormlessError("a constant is not finite")
    if value.ndim == 2 and places[0] and len(places[0]) == 1 and np.array_equal(value, np.eye(*value.shape)):
        first, second = f.sizes.axes(node)
        if first == second:
            return Formula(places, delta(places[0][0], places[1][0]))
    return unknown(f, node, ("constant", value.astype(float).tobytes(), value.shape))


def unknown(f: Formulas, node: Node, key: Any, kind: str = "constant") -> Formula:
    """A value of which nothing is used but that it may hold zeros and ones; the same key is the same value."""
    places, value = f.own(node), np.asarray(node.value).astype(float)
    assumed = [Assumption("", "binary")] if np.all((value == 0) | (value == 1)) else []
    parts = [s for axis in f.sizes.axes(node) for s in axis]
    name = f.tensor(kind, key, parts, *assumed, value=value.reshape([f.sizes.lengths[s] for s in parts]))
    return Formula(places, tensor(name, *(i for axis in places for i in axis)))


UNARY: Final[Mapping[str, Callable[[Expr], Expr]]] = MappingProxyType(
    {
        "exp2": lambda u: apply("exp", mul(u, apply("log", 2))),
        "expm1": lambda u: add(apply("exp", u), -1),
        "log1p": lambda u: apply("log", add(1, u)),
        "log2": lambda u: mul(apply("log", u), power(apply("log", 2), -1)),
        "log10": lambda u: mul(apply("log", u), power(apply("log", 10), -1)),
        "sqrt": lambda u: power(u, HALF),
        "square": lambda u: power(u, 2),
        "reciprocal": lambda u: power(u, -1),
        "negative": lambda u: mul(-1, u),
        "positive": lambda u: u,
        **{
            own: lambda u, name=name: apply(name, u)
            for own, name in {
                "arctan": "atan",
                "arcsin": "asin",
                "arccos": "acos",
                "arcsinh": "asinh",
                "arctanh": "atanh",
                "absolute": "abs",
                **{n: n for n in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "erf")},
                **{n: n for n in ("relu", "sigmoid", "softplus")},
            }.items()
        },
    }
)


def unary(f: Formulas, node: Node) -> Formula:
    """A function of each entry."""
    (parent,) = node.parents
    inner = f[parent]
    rule = UNARY.get(node.attr)
    if rule is None:
        raise FormlessError(f"{node.attr} has no formula here")
    if inner.present is not None:
        if node.attr != "exp":
            raise FormlessError("something else than exp is done to −∞")
        return Formula(inner.axes, mul(inner.present, apply("exp", inner.expr)))
    return Formula(inner.axes, rule(inner.expr))


def entrywise(rule: Callable[..., Expr]) -> Callable[[Formulas, Node], Formula]:
    """A rule for an operation entry by entry, with broadcasting."""

    def made(f: Formulas, node: Node) -> Formula:
        places = f.own(node)
        if any(f[p].present is not None for p in node.parents):
            return _with_infinities(f, node, places)
        return Formula(places, rule(*(f.at(p, places) for p in node.parents)))

    return made


def _with_infinities(f: Formulas, node: Node, places: Places) -> Formula:
    """Sums of something with −∞, and a choice between a number and −∞."""
    parts = [f[p] for p in node.parents]
    exprs = [f.at(p, places) for p in node.parents]

    def present(part: Formula) -> Expr:
        return one if part.present is None else moved(Formula(part.axes, part.present), places)

    match node.op:
        case "multiply" if any(part.present is None for part in parts):
            mask = next(p for p, part in zip(node.parents, parts, strict=True) if part.present is None)
            value = np.asarray(mask.value)
            if not np.all((value == 0) | (value == 1)):
                raise FormlessError("−∞ stands in a place that has no formula here")
            return Formula(places, zero, _not(f.at(mask, places)))
        case "add":
            return Formula(places, add(*exprs), mul(*(present(p) for p in parts)))
        case "subtract" if parts[1].present is None:
            return Formula(places, add(exprs[0], mul(-1, exprs[1])), present(parts[0]))
        case "where":
            condition, a, b = exprs
            there = add(mul(condition, present(parts[1])), mul(add(1, mul(-1, condition)), present(parts[2])))
            # What is kept is 0 where it is not chosen, so that the other branch needs no value there.
            kept = a if isinstance(b, Num) else b if isinstance(a, Num) else None
            if kept is None:
                raise FormlessError("−∞ stands in a place that has no formula here")
            return Formula(places, kept, there)
        case _:
            raise FormlessError("−∞ stands in a place that has no formula here")


def raised(f: Formulas, node: Node) -> Formula:
    """A power: with a simple rational exponent, or as exp(e log b)."""
    base, exponent = node.parents
    places = f.own(node)
    raised = np.asarray(exponent.value)
    if exponent.op == "constant" and raised.size and np.all(raised == raised.flat[0]):
        simple = Fraction(repr(float(raised.flat[0])))
        if simple.denominator <= 12:
            return Formula(places, power(f.at(base, places), simple))
    return Formula(places, apply("exp", mul(f.at(exponent, places), apply("log", f.at(base, places)))))


def larger(a: Expr, b: Expr) -> Expr:
    """max(a, b) by the positive part."""
    if b is zero:
        return apply("relu", a)
    return apply("relu", b) if a is zero else add(b, apply("relu", add(a, mul(-1, b))))


def chosen_by(condition: Expr, a: Expr, b: Expr) -> Expr:
    """A where the condition is 1, b where it is 0."""
    return add(mul(condition, a), mul(add(1, mul(-1, condition)), b))


def _above(a: Expr, b: Expr) -> Expr:
    return apply("step", add(a, mul(-1, b)))


def _not(a: Expr) -> Expr:
    return add(1, mul(-1, a))


COMPARED: Final[Mapping[str, Callable[..., Expr]]] = MappingProxyType(
    {
        "greater": _above,
        "less": lambda a, b: _above(b, a),
        "greater_equal": lambda a, b: _not(_above(b, a)),
        "less_equal": lambda a, b: _not(_above(a, b)),
        "sign": lambda a: add(mul(2, apply("step", a)), -1),
    }
)


def _or(a: Expr, b: Expr) -> Expr:
    return add(a, b, mul(-1, a, b))


POSITIVE: Final[Mapping[str, int]] = MappingProxyType({"greater": 0, "less_equal": 0, "less": 1, "greater_equal": 1})
"""Which operand of a comparison with 0 is positive, or else not."""

LOGICAL: Final[Mapping[str, Callable[..., Expr]]] = MappingProxyType(
    {
        "logical_and": mul,
        "bitwise_and": mul,
        "logical_or": _or,
        "bitwise_or": _or,
        "logical_not": _not,
        "invert": _not,
    }
)


def call(f: Formulas, node: Node) -> Formula:
    """A function without slopes: a comparison, or something of which nothing is known."""
    places = f.own(node)
    if isinstance(node.attr, Filled):
        written = np.zeros(node.shape, bool) if node.shape and not node.attr.value else None
        return Formula(places, f.number(node.attr.value, node.line), written=written)
    name = node.attr.__name__ if isinstance(node.attr, np.ufunc) else ""
    floats = any(np.asarray(p.value).dtype.kind == "f" for p in node.parents)
    if name in COMPARED and floats:
        parts = [f.at(p, places) for p in node.parents]
        if name in POSITIVE and parts[1 - POSITIVE[name]] is zero:
            # max(z, 0) > 0 where z > 0; of max(z, 0) ≥ 0 and < 0 this is not so.
            parts[POSITIVE[name]] = _below_relu(f, parts[POSITIVE[name]])
        return Formula(places, COMPARED[name](*parts))
    if name in LOGICAL and all(np.asarray(p.value).dtype.kind == "b" for p in node.parents):
        return Formula(places, LOGICAL[name](*(f.at(p, places) for p in node.parents)))
    parents = tuple((f[p].expr, f[p].axes) for p in node.parents)
    key = ("call", same_code(node.attr), parents)
    found = unknown(f, node, key, "chosen")
    if not name and np.asarray(node.value).dtype.kind == "f" and isinstance(found.expr, Tensor):
        f.extremes.append(found.expr.name)
    return found


def quotient(a: Expr, b: Expr) -> Expr:
    """A over b."""
    return mul(a, power(b, -1))


def divided(f: Formulas, node: Node) -> Formula:
    """A quotient; 1/(1 + e⁻ᵘ) is the logistic function of u."""
    found = entrywise(quotient)(f, node)
    if found.present is None and isinstance(found.expr, Pow) and found.expr.exponent == -1:
        match opened(f, found.expr.base):
            case Add((raised, Num(value))) if value == 1:
                inner = opened(f, raised)
                if isinstance(inner, Apply) and inner.name == "exp" and not any(inner.orders):
                    return Formula(found.axes, apply("sigmoid", mul(-1, inner.args[0])))
            case _:
                pass
    return found


def opened(f: Formulas, expr: Expr) -> Expr:
    """The expression that a name stands for, or the expression itself."""
    if not isinstance(expr, Tensor) or expr.name not in f.nodes:
        return expr
    definition = next(d for d in f.definitions if d.name == expr.name)
    return reindex(definition.body, dict(zip(definition.indices, expr.indices, strict=True)))


def _below_relu(f: Formulas, expr: Expr) -> Expr:
    """The z of max(z, 0); any other expression as it is."""
    body = opened(f, expr)
    return body.args[0] if isinstance(body, Apply) and body.name == "relu" and not any(body.orders) else expr


def extreme(f: Formulas, node: Node) -> Formula:
    """The greatest or least entry along axes: a value of its own, which the loss must not depend on."""
    (parent,) = node.parents
    inner = f[parent]
    found = unknown(f, node, (node.op, reduced(node), inner.expr, inner.axes, inner.present), "top")
    if isinstance(found.expr, Tensor):
        f.extremes.append(found.expr.name)
    return found
