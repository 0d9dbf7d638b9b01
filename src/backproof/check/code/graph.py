"""Graphs: what a search knows of a trace before anything is changed, found once and shared."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from backproof.check.code.arguments import library, numbers
from backproof.check.code.operations import Array
from backproof.check.code.problem import Problem
from backproof.check.code.tape import Edge, Node, edges_of
from backproof.check.code.truth import Trace

Region = tuple[Node, Node, Array]
Activation = tuple[str, Array, Array]


@dataclass
class Graph:
    """A trace with its arrows, and what has been found in it: none of it depends on a change of the derivation.

    `regions` are the functions of single entries, `linear` says which of them have the same slope everywhere, and
    `activations` holds the activations of the catalogue at the values of a node.
    """

    trace: Trace
    problem: Problem
    regions: list[Region] | None = None
    linear: dict[tuple[int, int], bool] = field(default_factory=dict[tuple[int, int], bool])
    activations: dict[int, list[Activation]] = field(default_factory=dict[int, list[Activation]])

    @cached_property
    def edges(self) -> list[Edge]:
        """All arrows between nodes that depend on an input."""
        return edges_of(self.trace.nodes)

    @cached_property
    def outgoing(self) -> dict[int, list[Edge]]:
        """The arrows from each node, by its number."""
        found: dict[int, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.source.number, []).append(edge)
        return found

    @cached_property
    def reach(self) -> dict[int, frozenset[str]]:
        """The inputs that each node depends on."""
        found: dict[int, frozenset[str]] = {}
        for node in self.trace.nodes:
            own = frozenset([node.name]) if node.op == "input" else frozenset()
            found[node.number] = own.union(*(found.get(p.number, frozenset()) for p in node.parents if p.active))
        return found

    @cached_property
    def places(self) -> dict[int, int]:
        """The place of each node in the order of running."""
        return {n.number: k for k, n in enumerate(self.trace.nodes)}

    @cached_property
    def lengths(self) -> Mapping[int, str]:
        """Lengths of axes in this problem, with where they are seen."""
        found: dict[int, str] = {}
        for name, leaf in self.problem.leaves.items():
            shape = np.shape(self.problem.values[name]) if name in self.problem.values else ()
            for axis, length in enumerate(shape):
                if length > 1 and (self.problem.role(leaf) == "data" or length not in found):
                    found.setdefault(length, f"the length of axis {axis} of {name}")
        return found

    @cached_property
    def batch_lengths(self) -> list[int]:
        """Lengths that axes of the data have in common: the number of examples."""
        leaves = {n: leaf for n, leaf in self.problem.leaves.items() if self.problem.role(leaf) != "parameter"}
        shapes = [np.shape(self.problem.values[n]) for n in leaves if np.ndim(self.problem.values.get(n, 0))]
        shapes += [
            np.shape(numbers(leaf.original))
            for n, leaf in leaves.items()
            if n not in self.problem.values and library(leaf.original) and np.ndim(numbers(leaf.original))
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
        return sorted(n for n in common if n > 1) or ([first[0]] if first[0] > 1 else [])

    def role(self, node: Node) -> str:
        """What an input is for: `parameter`, `data`, `target`, `upstream`."""
        return self.problem.role(self.problem.leaves[node.name])

    @cached_property
    def all_of_parameters(self) -> bool:
        """Whether no data enters the loss as arrays or look-ups: then nothing can be told to be a penalty."""
        return not any(
            (n.op == "input" and n.shape and self.role(n) != "parameter") or (n.op == "index" and not is_slice(n.attr))
            for n in self.trace.nodes
        )


def is_slice(key: object) -> bool:
    """Whether a key of an index takes parts of axes, and looks nothing up."""
    keys = key if isinstance(key, tuple) else (key,)
    return all(isinstance(k, slice) or k is None or k is Ellipsis for k in keys)


def is_mask(node: Node) -> bool:
    """Whether a node that depends on no parameter holds zeros and one other number."""
    if node.active and node.op != "input":
        return False
    values = np.unique(np.asarray(node.value, dtype=float))
    return len(values) == 2 and 0.0 in values
