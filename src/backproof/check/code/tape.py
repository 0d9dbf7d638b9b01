"""Tapes: what a function over arrays did, as a list of operations that can be run again and swept in reverse.

Only three things happen on a tape: a function of single entries, a linear rearrangement (indexing, reshaping,
broadcasting, concatenating), and a product summed over axes. Slopes of functions are found by the complex step, so
that there is no table of derivatives here; the rearrangements and sums are transposed. An operation can be run on
complex numbers, where the imaginary part carries a tangent.

Source: W. Squire, G. Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40, 1998.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from backproof.check.code.operations import OPERATIONS, Array, shrunk
from backproof.errors import LimitError

STEP: Final = 1e-100
MAX_NODES: Final = 20_000


@dataclass(slots=True, eq=False)
class Node:
    """One operation: its operands, its value, the line that asked for it, and whether it depends on an input."""

    number: int
    op: str
    parents: tuple[Node, ...]
    attr: Any
    value: Array
    line: int = 0
    active: bool = False
    name: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return np.shape(self.value)


@dataclass(slots=True, frozen=True)
class Edge:
    """The operand `slot` of a node, as an arrow from what is used to what uses it."""

    source: Node
    user: Node
    slot: int


Cotangents = dict[int, Array]
Pull = Callable[[Edge, Array, Array, Cotangents], Array]
Extra = Array | Callable[[Cotangents], Array]


@dataclass(slots=True)
class Tape:
    """Nodes in the order of running. `lost` says that a number left the tape and may have come back as a constant."""

    nodes: list[Node] = field(default_factory=list[Node])
    inputs: dict[str, Node] = field(default_factory=dict[str, Node])
    lost: bool = False

    def enter(self, name: str, value: Array) -> Node:
        """An input, which may be differentiated."""
        node = self._append("input", (), None, value, 0, active=np.asarray(value).dtype.kind == "f")
        node.name = name
        self.inputs[name] = node
        return node

    def constant(self, value: Array, line: int = 0) -> Node:
        """A value that depends on no input."""
        return self._append("constant", (), None, value, line, active=False)

    def record(self, op: str, parents: Sequence[Node], attr: Any = None, line: int = 0) -> Node:
        """Run an operation and note it."""
        operation = OPERATIONS[op]
        with np.errstate(all="ignore"):
            value = operation.run(attr, *(p.value for p in parents))
        active = operation.pull is not None and any(p.active for p in parents)
        if active and np.asarray(value).dtype.kind != "f":
            active = False
        return self._append(op, tuple(parents), attr, value, line, active=active)

    def _append(self, op: str, parents: tuple[Node, ...], attr: Any, value: Array, line: int, *, active: bool) -> Node:
        if len(self.nodes) >= MAX_NODES:
            raise LimitError("the function does too many operations to follow", expected=f"at most {MAX_NODES}")
        node = Node(len(self.nodes), op, parents, attr, value, line, active)
        self.nodes.append(node)
        return node


def before(output: Node) -> list[Node]:
    """The nodes that an output depends on, in the order of running, itself last."""
    seen: set[int] = set()
    found: list[Node] = []
    stack = [output]
    while stack:
        node = stack.pop()
        if node.number not in seen:
            seen.add(node.number)
            found.append(node)
            stack.extend(node.parents)
    return sorted(found, key=lambda n: n.number)


def edges_of(nodes: Iterable[Node]) -> list[Edge]:
    """The arrows between active nodes."""
    return [Edge(p, n, k) for n in nodes if n.active for k, p in enumerate(n.parents) if p.active]


def pulled(edge: Edge, cotangent: Array) -> Array:
    """What the cotangent of the user gives to the source."""
    pull = OPERATIONS[edge.user.op].pull
    assert pull is not None
    with np.errstate(all="ignore"):
        operands = [p.value for p in edge.user.parents]
        given = pull(edge.user.attr, edge.user.value, operands, cotangent, edge.slot)
    return shrunk(given, edge.source.shape)


@dataclass(slots=True)
class Sweep:
    """The cotangents of all nodes, and what each arrow contributed."""

    cotangents: dict[int, Array]
    contributions: dict[tuple[int, int], Array]

    def at(self, node: Node) -> Array:
        """The cotangent of a node, zero where nothing arrives."""
        found = self.cotangents.get(node.number)
        return np.zeros(node.shape) if found is None else found


def sweep(
    nodes: Sequence[Node],
    output: Node,
    *,
    change: Pull | None = None,
    seed: Array | None = None,
    keep: bool = True,
    extra: Mapping[int, Extra] | None = None,
) -> Sweep:
    """∂output/∂node for every node, by one walk backwards.

    `change` may put something in place of what an arrow contributes: it is given the arrow, the cotangent of its user,
    the contribution, and all cotangents so far. `extra` is added to the cotangents of some nodes, by their numbers; it
    may depend on the cotangents of later nodes.
    """
    cotangents: dict[int, Array] = {output.number: np.ones(output.shape) if seed is None else seed}
    contributions: dict[tuple[int, int], Array] = {}
    for node in reversed(nodes):
        arrived = cotangents.get(node.number)
        if extra is not None and node.number in extra:
            more = extra[node.number]
            more = more(cotangents) if callable(more) else more
            arrived = more if arrived is None else arrived + more
            cotangents[node.number] = arrived
        if arrived is None or not node.active:
            continue
        for slot, parent in enumerate(node.parents):
            if not parent.active:
                continue
            edge = Edge(parent, node, slot)
            given = pulled(edge, arrived)
            if change is not None:
                given = change(edge, arrived, given, cotangents)
            if keep:
                contributions[node.number, slot] = given
            present = cotangents.get(parent.number)
            cotangents[parent.number] = given if present is None else present + given
    return Sweep(cotangents, contributions)


def tangents(nodes: Sequence[Node], directions: Mapping[str, Array]) -> dict[int, Array]:
    """The derivative of every node along a direction of the inputs, by running again with an imaginary step."""
    values: dict[int, Array] = {}
    found: dict[int, Array] = {}
    with np.errstate(all="ignore"):
        for node in nodes:
            if node.op == "input" and node.name in directions:
                values[node.number] = node.value + 1j * STEP * directions[node.name]
            elif node.active and node.parents and any(p.number in found for p in node.parents):
                values[node.number] = OPERATIONS[node.op].run(node.attr, *(values[p.number] for p in node.parents))
            else:
                values[node.number] = node.value
            if np.iscomplexobj(values[node.number]):
                found[node.number] = np.imag(values[node.number]) / STEP
    return found


def rerun(nodes: Sequence[Node], changed: Mapping[int, Array], wanted: Iterable[Node]) -> dict[int, Array]:
    """The values of the wanted nodes when some nodes have other values: only what depends on those is run again."""
    values: dict[int, Array] = dict(changed)
    with np.errstate(all="ignore"):
        for node in nodes:
            if node.number not in values and any(p.number in values for p in node.parents):
                operands = (values.get(p.number, p.value) for p in node.parents)
                values[node.number] = OPERATIONS[node.op].run(node.attr, *operands)
    return {node.number: values.get(node.number, node.value) for node in wanted}
