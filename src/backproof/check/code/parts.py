"""Parts of a loss: penalties, statistics, what is shared, broadcast, or goes round in a loop."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from typing import Final

import numpy as np

from backproof.check.code.graph import Graph, is_slice
from backproof.check.code.tape import Edge, Node, before

SPREADING: Final = frozenset({"add", "subtract", "multiply", "divide", "broadcast", "maximum", "minimum"})
MAX_TERMS: Final = 200
STATISTICAL: Final = frozenset({"unary", "multiply", "power", "subtract", "sum", "max", "min", "reshape"})


def is_penalty(graph: Graph, edge: Edge) -> bool:
    """Whether an arrow leads to a part of the loss that depends on parameters alone, not on data."""
    return depends_on_parameters_alone(graph, edge.user)


def depends_on_parameters_alone(graph: Graph, node: Node) -> bool:
    """Whether a node is a part of a number that is made of parameters alone, such as λ·Σw²."""
    ahead, reached = [node], set[int]()
    while ahead:
        one = ahead.pop()
        if one.number in reached or not _of_parameters(graph, one):
            continue
        if not one.shape and one.op != "input" and _is_summand(graph, one):
            return True
        reached.add(one.number)
        ahead += [e.user for e in graph.outgoing.get(one.number, ())]
    return False


def _is_summand(graph: Graph, node: Node) -> bool:
    """Whether a number enters the loss as a term, perhaps times a constant."""
    for _ in range(MAX_TERMS):
        if node.number == graph.trace.output.number:
            return True
        users = [e.user for e in graph.outgoing.get(node.number, ())]
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


def _of_parameters(graph: Graph, node: Node) -> bool:
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
            if graph.role(node) != "parameter":
                return False
            found = True
        if node.op == "index" and not is_slice(node.attr):
            # Entries that are looked up by the data.
            return False
        below += node.parents
    return found and not graph.all_of_parameters


def is_summed(graph: Graph, node: Node) -> bool:
    """Whether the loss is the sum of a node's entries, perhaps times a constant."""
    for _ in range(MAX_TERMS):
        if node.number == graph.trace.output.number:
            return True
        users = {e.user.number: e.user for e in graph.outgoing.get(node.number, ())}
        if len(users) != 1:
            return False
        (node,) = users.values()
        if node.op not in ("sum", "reshape") and (node.op not in ("multiply", "divide") or np.size(node.value) > 1):
            return False
    return False


def is_statistic(graph: Graph, edge: Edge) -> bool:
    """Whether an arrow leads through a sum or maximum that is then spread over the entries again."""
    frontier = [edge.user]
    for _ in range(8):
        following: list[Node] = []
        for node in frontier:
            if node.op in ("sum", "max", "min"):
                return _spread_later(graph, node)
            following += [e.user for e in graph.outgoing.get(node.number, ())]
        frontier = [n for n in following if n.op in STATISTICAL][:6]
    return False


def _spread_later(graph: Graph, node: Node) -> bool:
    frontier = [node]
    for _ in range(6):
        frontier = [e.user for n in frontier for e in graph.outgoing.get(n.number, ())][:8]
        if any(np.size(n.value) > np.size(node.value) for n in frontier):
            return True
    return False


def is_recurrent(graph: Graph, edge: Edge) -> bool:
    """Whether the same line of a loop runs again on what comes from the arrow."""
    if edge.source.op == "input":
        return False
    twins = [n for n in graph.trace.nodes if (n.line, n.op) == (edge.source.line, edge.source.op)]
    if len(twins) < 2:
        return False
    later = [n for n in graph.trace.nodes if (n.line, n.op) == (edge.user.line, edge.user.op)]
    earlier = {n.number for n in before(edge.user)}
    return any(n.number != edge.user.number and n.number in earlier for n in later)


def is_shared(graph: Graph, node: Node) -> bool:
    """Whether a parameter is used several times in the same way, as in a loop."""
    if node.op != "input" or graph.role(node) != "parameter":
        return False
    uses = [(e.user.op, e.user.line) for e in graph.outgoing.get(node.number, ()) if not is_penalty(graph, e)]
    return len(uses) > 1 and len({op for op, _ in uses}) < len(uses)


def is_broadcast(graph: Graph, name: str) -> bool:
    """Whether an input is repeated along an axis."""
    node = graph.trace.tape.inputs[name]
    ahead = [node]
    for _ in range(3):
        users = [e.user for n in ahead for e in graph.outgoing.get(n.number, ())]
        if any(u.op in SPREADING and np.size(u.value) > np.size(node.value) for u in users):
            return True
        ahead = [u for u in users if u.op in ("reshape", "transpose", "index")]
    return False
