"""Naming: a change that reproduces wrong numbers, as a mistake of the contract in words."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import linecache

import numpy as np

from backproof.check.code.kinds import CodeMistake, named
from backproof.check.code.parts import (
    depends_on_parameters_alone,
    is_broadcast,
    is_penalty,
    is_recurrent,
    is_shared,
    is_statistic,
    is_summed,
)
from backproof.check.code.search import Hit, Search
from backproof.check.code.tape import Edge, Node


def spoken(search: Search, hit: Hit) -> CodeMistake:
    """The mistake that a hit stands for."""
    change = hit.change
    place = f"line {change.node.line} of forward" if change.node.line else change.node.name
    match change.kind:
        case "scale":
            return _scaled(search, hit, place)
        case "edge":
            assert change.edge is not None
            return _contribution(search, hit, change.edge)
        case "alone":
            assert change.edge is not None
            used = f"only the use in line {change.edge.user.line} of forward counts"
            if is_shared(search.graph, change.node):
                return named("no-accumulate", used)
            others = [e for e in search.graph.outgoing.get(change.node.number, ()) if e is not change.edge]
            statistic = any(is_statistic(search.graph, e) for e in others)
            return named("stopped-gradient" if statistic else "dropped-term", used)
        case "missing-factor":
            assert change.edge is not None
            other = change.edge.user.parents[1 - change.edge.slot]
            return named(
                _missing(search, change.edge, other),
                f"the factor {label(search, other)} of line {change.edge.user.line} of forward",
            )
        case "operand":
            assert change.edge is not None
            return _operand(search, change.edge, int(change.detail))
        case "extra-term" if change.detail.isdigit():
            return _extra_term(search, hit)
        case "extra-factor" | "extra-divisor":
            return _extra_factor(search, change.node, _node(search, int(change.detail)), change.kind)
        case "missing-slope":
            detail = (
                f"of {change.detail} in line {change.node.line}"
                if change.detail and " " not in change.detail
                else change.detail
            )
            return named("missing-slope", detail or f"of the function of {label(search, change.node)}")
        case "extra-slope":
            return named("extra-slope", change.detail or f"at {label(search, change.node)}")
        case "upstream-ignored":
            return named("upstream-ignored", f"at {place}")
        case kind:
            return named(kind, change.detail or place)


def _scaled(search: Search, hit: Hit, place: str) -> CodeMistake:
    factor = 1 + hit.scale
    text = search.constant(hit) or f"{factor:.6g}"
    if hit.change.node.op != "input" and depends_on_parameters_alone(search.graph, hit.change.node):
        return named({"-1": "regulariser-sign", "0": "missing-regulariser"}.get(text, "regulariser-factor"), text)
    if text == "-1":
        return named("sign", "the whole gradient" if hit.change.detail else f"of what comes from {place}")
    if text == "0":
        return named("dropped-term", f"nothing arrives through {place}")
    for length in search.graph.batch_lengths:
        for power in (-2, -1, 1, 2):
            if length == 2:
                # 2 is more often a forgotten constant than the number of examples.
                break
            if abs(factor - float(length) ** power) <= 1e-6 * abs(factor):
                says = f"{text} too much"
                if is_broadcast(search.graph, next(iter(hit.covers))) and len(hit.covers) == 1:
                    return named("bias-reduction", says)
                return named("batch-scale", says)
    short = text in ("1/2", "1/3", "1/4") or " (" in text
    if short and is_broadcast(search.graph, next(iter(hit.covers))) and len(hit.covers) == 1:
        return named("bias-reduction", f"{text} too much")
    return named("factor", text)


def _contribution(search: Search, hit: Hit, edge: Edge) -> CodeMistake:
    """A contribution left out, or with another factor."""
    factor = 1 + hit.scale
    text = search.constant(hit) if hit.change.scale is None else None
    penalty = is_penalty(search.graph, edge)
    where = f"what comes from line {edge.user.line} of forward"
    if abs(factor) < 1e-6:
        if penalty:
            return named("missing-regulariser", where)
        if is_statistic(search.graph, edge):
            return named("stopped-gradient", f"{label(search, edge.user)} in line {edge.user.line} of forward")
        if is_shared(search.graph, edge.source):
            return named("no-accumulate", where)
        if is_recurrent(search.graph, edge):
            return named("stopped-gradient", f"{where}: the earlier steps")
        return named("dropped-term", where)
    if abs(factor + 1) < 1e-6:
        return named("regulariser-sign" if penalty else "sign", f"of {where}")
    if penalty:
        return named("regulariser-factor", text or f"{factor:.6g}")
    for length in search.graph.batch_lengths:
        if any(abs(factor - float(length) ** power) <= 1e-6 * abs(factor) for power in (-1, 1)):
            return named("batch-scale", f"{text} in {where}")
    return named("factor", f"{text or f'{factor:.6g}'} in {where}")


def _extra_factor(search: Search, node: Node, q: Node, kind: str) -> CodeMistake:
    """A factor too many; dividing by a factor of forward leaves it out, as multiplying by a divisor does."""
    what, divides = label(search, q), kind == "extra-divisor"
    if depends_on_parameters_alone(search.graph, node):
        return named("regulariser-factor", f"{'1/' if divides else ''}{what}")
    if _is_operand(search, q, divisor=not divides):
        return named("dropped-term", f"the {'factor' if divides else 'division by'} {what}")
    if _is_slope(q) or not divides:
        return named("extra-slope", f"{'1/' if divides else ''}{what}")
    return named("wrong-exponent", f"the factor 1/{what}")


def _is_operand(search: Search, q: Node, *, divisor: bool) -> bool:
    """Whether forward divides by a value, or multiplies by it."""
    for node in search.trace.nodes:
        if divisor and node.op == "divide" and _bare(node.parents[1]).number == q.number:
            return True
        if not divisor and node.op in ("multiply", "matmul") and any(_bare(p).number == q.number for p in node.parents):
            return True
    return False


def _bare(node: Node) -> Node:
    """What is only reshaped, spread, or of the other sign."""
    while node.op in ("reshape", "broadcast") or (node.op == "unary" and node.attr == "negative"):
        node = node.parents[0]
    return node


def _missing(search: Search, edge: Edge, other: Node) -> str:
    if other.op == "input" and edge.user.op == "multiply":
        role = search.graph.role(other)
        # A target that the output is multiplied by, and no more, is an upstream gradient by another name.
        if role == "upstream" or (role == "target" and is_summed(search.graph, edge.user)):
            return "upstream-ignored"
    return "dropped-term"


def _operand(search: Search, edge: Edge, number: int) -> CodeMistake:
    wrong = _node(search, number)
    right = edge.user.parents[1 - edge.slot]
    detail = f"{label(search, wrong)} in place of {label(search, right)}"
    for product, part, kind in ((wrong, right, "extra-slope"), (right, wrong, "dropped-term")):
        if product.op == "multiply" and part.number in (numbers := [p.number for p in product.parents]):
            factor = product.parents[1 - numbers.index(part.number)]
            return named(kind, f"the factor {label(search, factor)}")
    if (
        right.active
        and right.op in ("unary", "maximum", "where")
        and any(p.number == wrong.number for p in right.parents)
    ):
        return named("wrong-variable", f"{detail}: before the function, not after it")
    is_value, should = np.asarray(wrong.value, dtype=float), np.asarray(right.value, dtype=float)
    if is_value.shape == should.shape and is_value.size > 1:
        with np.errstate(all="ignore"):
            for text, form in (
                ("its square", is_value**2),
                ("its root", np.sqrt(is_value)),
                ("1 over it", 1 / is_value),
            ):
                if np.allclose(form, should, rtol=1e-9, atol=0) and not np.allclose(is_value, should):
                    return named("wrong-exponent", f"{label(search, wrong)} in place of {text}")
    if is_value.shape == should.shape and np.any(should == 0) and not np.all(should == 0):
        if np.array_equal(is_value[should != 0], should[should != 0]):
            return named("missing-mask", f"{label(search, wrong)} has entries that {label(search, right)} leaves out")
        if np.array_equal(is_value != 0, should != 0) and len(np.unique(is_value)) == 2:
            return named("dropped-term", f"the weights in {label(search, right)}")
    if wrong.line and wrong.line == right.line and wrong.op == right.op:
        return named("stale-variable", detail)
    if right.op == "input" or wrong.op == "input":
        return named("wrong-layer" if right.op == wrong.op == "input" else "wrong-variable", detail)
    return named("wrong-layer" if wrong.op == right.op else "wrong-variable", detail)


def _extra_term(search: Search, hit: Hit) -> CodeMistake:
    q = _node(search, int(hit.change.detail))
    target = hit.change.node
    if q.number == target.number and search.graph.role(q) == "parameter":
        if any(is_penalty(search.graph, e) for e in search.graph.outgoing.get(q.number, ())):
            return named("regulariser-factor", f"{hit.scale:.6g}·{q.name} too much")
        return named("regularised-bias", f"{hit.scale:.6g}·{q.name} too much")
    return named("extra-term", f"{hit.scale:.6g}·{label(search, q)}")


def _is_slope(node: Node) -> bool:
    return node.op in ("call", "cast")


def _node(search: Search, number: int) -> Node:
    return search.trace.tape.nodes[number]


def label(search: Search, node: Node) -> str:
    """A node in words: the input's name, or the operation and its line."""
    if node.name:
        return node.name
    what = node.attr if node.op == "unary" else node.op
    source = assigned_name(search, node)
    if source:
        return f"`{source}`"
    return f"{what} (line {node.line})" if node.line else f"a value of forward ({what})"


def assigned_name(search: Search, node: Node) -> str:
    """The left side of the person's line, if the value of the node is assigned to a name there."""
    if any(n.line == node.line and n.number > node.number for n in search.trace.nodes):
        return ""
    for file in search.case.files:
        text = linecache.getline(file, node.line).strip()
        head, equals, _ = text.partition("=")
        if equals and head.strip().replace("_", "a").isalnum():
            return head.strip()
    return ""
