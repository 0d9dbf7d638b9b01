"""Naming: a change that reproduces wrong numbers, as a mistake of the contract in words."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backproof.check.code.kinds import CodeMistake, named
from backproof.check.code.tape import Edge, Node, before

if TYPE_CHECKING:
    from backproof.check.code.derivations import Hit, Search


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
            if _shared(search, change.node):
                return named("no-accumulate", used)
            others = [e for e in search.outgoing.get(change.node.number, ()) if e is not change.edge]
            statistic = any(_is_statistic(search, e) for e in others)
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
            q = _node(search, int(change.detail))
            sign = "1/" if change.kind == "extra-divisor" else ""
            if _is_slope(q):
                return named("extra-slope", f"{sign}{label(search, q)}")
            return named("extra-slope" if not sign else "wrong-exponent", f"the factor {sign}{label(search, q)}")
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
    if hit.change.node.op != "input" and _depends_on_parameters_alone(search, hit.change.node):
        return named({"-1": "regulariser-sign", "0": "missing-regulariser"}.get(text, "regulariser-factor"), text)
    if text == "-1":
        return named("sign", "the whole gradient" if hit.change.detail else f"of what comes from {place}")
    if text == "0":
        return named("dropped-term", f"nothing arrives through {place}")
    for length in batch_lengths(search):
        for power in (-2, -1, 1, 2):
            if length == 2:
                # 2 is more often a forgotten constant than the number of examples.
                break
            if abs(factor - float(length) ** power) <= 1e-6 * abs(factor):
                says = f"{text} too much"
                if _is_broadcast(search, hit) and len(hit.covers) == 1:
                    return named("bias-reduction", says)
                return named("batch-scale", says)
    if " (" in text and _is_broadcast(search, hit) and len(hit.covers) == 1:
        return named("bias-reduction", f"{text} too much")
    return named("factor", text)


def batch_lengths(search: Search) -> list[int]:
    """Lengths that axes of the data have in common: the number of examples."""
    shapes = [
        np.shape(search.case.problem.values[n])
        for n, leaf in search.case.problem.leaves.items()
        if search.case.problem.role(leaf) != "parameter"
        and n in search.case.problem.values
        and np.ndim(search.case.problem.values[n])
    ]
    import itertools

    from backproof.check.code.arguments import library, numbers

    shapes += [
        np.shape(numbers(leaf.original))
        for n, leaf in search.case.problem.leaves.items()
        if search.case.problem.role(leaf) != "parameter"
        and n not in search.case.problem.values
        and library(leaf.original)
        and np.ndim(numbers(leaf.original))
    ]
    if len(shapes) < 2:
        return [shapes[0][0]] if shapes else []
    first = [s[0] for s in shapes]
    if len(set(first)) == 1 and first[0] > 1:
        return [first[0]]
    last = [s[-1] for s in shapes]
    if len(set(last)) == 1 and last[0] > 1:
        return [last[0]]
    common = set(shapes[0]).intersection(*map(set, shapes[1:]))
    del itertools
    return sorted(n for n in common if n > 1) or ([first[0]] if first[0] > 1 else [])


def _is_broadcast(search: Search, hit: Hit) -> bool:
    """Whether the one gradient concerned belongs to an array that was repeated along an axis."""
    (name, *_) = hit.covers
    node = search.trace.tape.inputs[name]
    ahead = [node]
    for _ in range(3):
        users = [e.user for n in ahead for e in search.outgoing.get(n.number, ())]
        if any(u.op in SPREADING and np.size(u.value) > np.size(node.value) for u in users):
            return True
        ahead = [u for u in users if u.op in ("reshape", "transpose", "index")]
    return False


def _contribution(search: Search, hit: Hit, edge: Edge) -> CodeMistake:
    """A contribution left out, or with another factor."""
    factor = 1 + hit.scale
    text = search.constant(hit) if hit.change.scale is None else None
    penalty = _is_penalty(search, edge)
    where = f"what comes from line {edge.user.line} of forward"
    if abs(factor) < 1e-6:
        if penalty:
            return named("missing-regulariser", where)
        if _is_statistic(search, edge):
            return named("stopped-gradient", f"{label(search, edge.user)} in line {edge.user.line} of forward")
        if _shared(search, edge.source):
            return named("no-accumulate", where)
        if _is_recurrent(search, edge):
            return named("stopped-gradient", f"{where}: the earlier steps")
        return named("dropped-term", where)
    if abs(factor + 1) < 1e-6:
        return named("regulariser-sign" if penalty else "sign", f"of {where}")
    if penalty:
        return named("regulariser-factor", text or f"{factor:.6g}")
    for length in batch_lengths(search):
        if any(abs(factor - float(length) ** power) <= 1e-6 * abs(factor) for power in (-1, 1)):
            return named("batch-scale", f"{text} in {where}")
    return named("factor", f"{text or f'{factor:.6g}'} in {where}")


def _is_penalty(search: Search, edge: Edge) -> bool:
    """Whether an arrow leads to a part of the loss that depends on parameters alone, not on data."""
    return _depends_on_parameters_alone(search, edge.user)


def _depends_on_parameters_alone(search: Search, node: Node) -> bool:
    """Whether a node is a part of a number that is made of parameters alone, such as λ·Σw²."""
    ahead, reached = [node], set[int]()
    while ahead:
        one = ahead.pop()
        if one.number in reached or not _of_parameters(search, one):
            continue
        if not one.shape and one.op != "input" and _is_summand(search, one):
            return True
        reached.add(one.number)
        ahead += [e.user for e in search.outgoing.get(one.number, ())]
    return False


def _is_summand(search: Search, node: Node) -> bool:
    """Whether a number enters the loss as a term, perhaps times a constant."""
    for _ in range(MAX_TERMS):
        if node.number == search.trace.output.number:
            return True
        users = [e.user for e in search.outgoing.get(node.number, ())]
        if len(users) != 1 or users[0].op not in ("add", "subtract", "multiply", "divide", "unary", "reshape", "sum"):
            return False
        (user,) = users
        if user.op in ("multiply", "divide") and any(
            p.active and p is not node and p.op != "input" for p in user.parents
        ):
            return False
        if user.op == "unary" and user.attr not in ("negative", "positive"):
            return False
        node = user
    return False


def _of_parameters(search: Search, node: Node) -> bool:
    """Whether a node depends on whole parameters, and on no data but numbers such as λ."""
    below: list[Node] = [node]
    seen: set[int] = set()
    found = False
    while below:
        node = below.pop()
        if node.number in seen:
            continue
        seen.add(node.number)
        if node.op == "input" and node.shape:
            if _role(search, node) != "parameter":
                return False
            found = True
        if node.op == "index" and not _is_slice(node.attr):
            # Entries that are looked up by the data.
            return False
        below += node.parents
    return found and not _all_of_parameters(search)


def _all_of_parameters(search: Search) -> bool:
    """Whether no data enters the loss as arrays or look-ups: then nothing can be told to be a penalty."""
    known = search.__dict__.get("_all_of_parameters")
    if known is None:
        known = search.__dict__["_all_of_parameters"] = not any(
            (n.op == "input" and n.shape and _role(search, n) != "parameter")
            or (n.op == "index" and not _is_slice(n.attr))
            for n in search.trace.nodes
        )
    return known


def _is_slice(key: Any) -> bool:
    keys = key if isinstance(key, tuple) else (key,)
    return all(isinstance(k, slice) or k is None or k is Ellipsis for k in keys)


def _role(search: Search, node: Node) -> str:
    return search.case.problem.role(search.case.problem.leaves[node.name])


def _is_statistic(search: Search, edge: Edge) -> bool:
    """Whether an arrow leads through a sum or maximum that is then spread over the entries again."""
    frontier = [edge.user]
    for _ in range(8):
        following: list[Node] = []
        for node in frontier:
            if node.op in ("sum", "max", "min"):
                return _spread_later(search, node)
            following += [e.user for e in search.outgoing.get(node.number, ())]
        frontier = [n for n in following if n.op in STATISTICAL][:6]
    return False


SPREADING = frozenset({"add", "subtract", "multiply", "divide", "broadcast", "maximum", "minimum"})
MAX_TERMS = 200
STATISTICAL = frozenset({"unary", "multiply", "power", "subtract", "sum", "max", "min", "reshape"})


def _spread_later(search: Search, node: Node) -> bool:
    frontier = [node]
    for _ in range(6):
        frontier = [e.user for n in frontier for e in search.outgoing.get(n.number, ())][:8]
        if any(np.size(n.value) > np.size(node.value) for n in frontier):
            return True
    return False


def _is_recurrent(search: Search, edge: Edge) -> bool:
    """Whether the same line of a loop runs again on what comes from the arrow."""
    if edge.source.op == "input":
        return False
    twins = [n for n in search.trace.nodes if (n.line, n.op) == (edge.source.line, edge.source.op)]
    if len(twins) < 2:
        return False
    later = [n for n in search.trace.nodes if (n.line, n.op) == (edge.user.line, edge.user.op)]
    earlier = {n.number for n in before(edge.user)}
    return any(n.number != edge.user.number and n.number in earlier for n in later)


def _shared(search: Search, node: Node) -> bool:
    """Whether a parameter is used several times in the same way, as in a loop."""
    if node.op != "input" or _role(search, node) != "parameter":
        return False
    uses = [(e.user.op, e.user.line) for e in search.outgoing.get(node.number, ()) if not _is_penalty(search, e)]
    return len(uses) > 1 and len({op for op, _ in uses}) < len(uses)


def _missing(search: Search, edge: Edge, other: Node) -> str:
    if other.op == "input" and _role(search, other) in ("target", "upstream") and edge.user.op == "multiply":
        return "upstream-ignored"
    return "dropped-term"


def _operand(search: Search, edge: Edge, number: int) -> CodeMistake:
    wrong = _node(search, number)
    right = edge.user.parents[1 - edge.slot]
    detail = f"{label(search, wrong)} in place of {label(search, right)}"
    is_value, should = np.asarray(wrong.value, dtype=float), np.asarray(right.value, dtype=float)
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
    if q.number == target.number and _role(search, q) == "parameter":
        if any(_is_penalty(search, e) for e in search.outgoing.get(q.number, ())):
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
    source = source_line(search, node.line)
    return f"`{source}`" if source else f"{what} (line {node.line})"


def source_line(search: Search, line: int) -> str:
    """The left side of the person's line, if it is an assignment to a name."""
    import linecache

    for file in search.case.files:
        text = linecache.getline(file, line).strip()
        head, equals, _ = text.partition("=")
        if equals and head.strip().replace("_", "a").isalnum():
            return head.strip()
    return ""
