"""Slopes of functions of single entries: the usual wrong ones, and those of the other activations of the catalogue."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from backproof.check.code.operations import OPERATIONS, Array
from backproof.check.code.tape import STEP, Node

if TYPE_CHECKING:
    from backproof.check.code.derivations import Search
    from backproof.language.expression import Expr

ELEMENTWISE: Final = frozenset(
    {"unary", "add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "where", "cast", "broadcast"}
)


def slope_at(search: Search, u: Node, v: Node, point: Array) -> Array:
    """∂v/∂u with another value of u."""
    values: dict[int, Array] = {u.number: point + 1j * STEP}
    for node in search.trace.nodes[_position(search, u) + 1 : _position(search, v) + 1]:
        if any(p.number in values for p in node.parents) and node.op in ELEMENTWISE:
            values[node.number] = OPERATIONS[node.op].run(
                node.attr, *(values.get(p.number, p.value) for p in node.parents)
            )
    return np.imag(values[v.number]) / STEP


def _position(search: Search, node: Node) -> int:
    places = search.__dict__.get("_places")
    if places is None:
        places = search.__dict__["_places"] = {n.number: k for k, n in enumerate(search.trace.nodes)}
    return places[node.number]


FORMS: Final = {
    "a(1 − a)": lambda a: a * (1 - a),
    "1 − a²": lambda a: 1 - a * a,
    "a": lambda a: a,
    "[a > 0]": lambda a: (a > 0) * 1.0,
}


SLIPS: Final = {
    "1 − a²": {
        "(1 − a)²": lambda a: (1 - a) ** 2,
        "1 − a": lambda a: 1 - a,
        "a²": lambda a: a * a,
        "1 − a³": lambda a: 1 - a**3,
    },
    "a(1 − a)": {
        "1 − a": lambda a: 1 - a,
        "a²(1 − a)": lambda a: a * a * (1 - a),
        "a(1 − a)²": lambda a: a * (1 - a) ** 2,
    },
}


SLOPE_RANKS: Final = {"missing-mask": 3, "dropped-term": 3, "missing-slope": 3, "wrong-slope-point": 4}


def is_close(value: Array, slope: Array) -> bool:
    """Whether a form has the numbers of a slope."""
    return bool(np.allclose(value, slope, rtol=1e-9, atol=1e-12))


def is_linear(search: Search, u: Node, v: Node, slope: Array) -> bool:
    """Whether v has the same slope in u at other values of u."""
    known: dict[tuple[int, int], bool] = search.__dict__.setdefault("_linear", {})
    if (u.number, v.number) not in known:
        elsewhere = slope_at(search, u, v, 0.1 - np.asarray(u.value))
        known[u.number, v.number] = bool(np.allclose(elsewhere, slope, rtol=1e-9))
    return known[u.number, v.number]


def slope_variants(search: Search, u: Node, v: Node, slope: Array) -> Iterator[tuple[str, str, Array]]:
    """Wrong slopes of the function v of u: kind of mistake, detail, and the wrong slope."""
    linear = is_linear(search, u, v, slope)
    masked = linear and len(np.unique(slope)) == 2 and bool(np.any(slope == 0))
    yield "missing-mask" if masked else "dropped-term" if linear else "missing-slope", "", np.ones_like(slope)
    yield "extra-slope", "twice", slope * slope
    if linear:
        return
    at_v, at_u = np.asarray(v.value), np.asarray(u.value)
    if u.number != v.number:
        yield "wrong-slope-point", "f′ at a, not at z", slope_at(search, u, v, at_v)
    with np.errstate(all="ignore"):
        for form, function in FORMS.items():
            if not is_close(function(at_v), slope):
                yield "wrong-activation", f"{form} is the slope of another function", function(at_v)
                continue
            yield "wrong-slope-point", f"{form} with z in place of a", function(at_u)
            for slip, wrong in SLIPS.get(form, {}).items():
                yield "wrong-exponent", f"{slip} in place of {form}", wrong(at_v)


def other_functions(search: Search, u: Node, v: Node, slope: Array) -> Iterator[tuple[str, str, Array]]:
    """The slope of another activation of the catalogue, where v is one: kind of mistake, detail, and the slope."""
    if is_linear(search, u, v, slope):
        return
    at_v = np.asarray(v.value)
    known = activations_at(search, u)
    with np.errstate(all="ignore"):
        for name, own_value, own_slope in known:
            # v = k·f(u) with a factor k that does not depend on u
            scale = 1e-12 * float(np.max(np.abs(at_v * own_slope)))
            if np.allclose(at_v * own_slope, slope * own_value, rtol=1e-8, atol=scale):
                k = np.where(own_slope != 0, slope / own_slope, 0)
                for other, _, other_slope in known:
                    if other != name:
                        yield "wrong-activation", f"the slope of {other}, not of {name}", k * other_slope


def activations_at(search: Search, u: Node) -> list[tuple[str, Array, Array]]:
    """The catalogue's activations and their slopes at a node's value."""
    kept: dict[int, list[tuple[str, Array, Array]]] = search.__dict__.setdefault("_activations", {})
    if u.number in kept:
        return kept[u.number]
    value = np.asarray(u.value, dtype=float).ravel()
    found: list[tuple[str, Array, Array]] = []
    kept[u.number] = found
    if value.size > 20_000:
        return found
    from backproof.calculus.interpreter import evaluate_expr
    from backproof.errors import BackproofError
    from backproof.language.expression import Index

    i = Index("i", "entries")
    for name in _activations():
        try:
            both = [
                np.asarray(
                    evaluate_expr(formula, {"u": value}, indices=(i,), sizes={"entries": value.size}), dtype=float
                )
                for formula in _formulas(name)
            ]
        except BackproofError:
            continue
        if all(np.all(np.isfinite(b)) for b in both):
            found.append((name, both[0].reshape(u.shape), both[1].reshape(u.shape)))
    return found


@cache
def _activations() -> tuple[str, ...]:
    from backproof import catalog

    return tuple(a.name for a in catalog.activations() if a.elementwise and not a.abstract)


@cache
def _formulas(name: str) -> tuple[Expr, Expr]:
    from backproof.language.expression import Index, apply, tensor

    u = tensor("u", Index("i", "entries"))
    return apply(name, u), apply(name, u, orders=(1,))
