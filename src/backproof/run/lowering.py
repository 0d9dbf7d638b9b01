"""Lowering: a network's definitions and the adjoints of the sweep, as matrix products and elementwise tasks.

A product summed over one index is a matrix product. Any other sum is a task of its own, and the rest of a definition is
elementwise. Functions come down to primitives through their accurate forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoints
from backproof.errors import NetworkError
from backproof.language.expression import (
    Expr,
    Index,
    Max,
    Mul,
    Sum,
    Tensor,
    mul,
    opened,
    postorder,
    sum_over,
    tensor,
)
from backproof.language.program import Definition, Program
from backproof.language.walks import names, rewrite
from backproof.run.forms import lowered

Kind = Literal["assign", "sum", "max", "pick"]


@dataclass(frozen=True, slots=True)
class Operand:
    """A matrix or a vector in a product, transposed or not."""

    name: str
    transposed: bool = False


@dataclass(frozen=True, slots=True)
class Product:
    """target = left · right, for BLAS."""

    target: str
    indices: tuple[Index, ...]
    left: Operand
    right: Operand

    @property
    def reads(self) -> frozenset[str]:
        """The names it needs."""
        return frozenset((self.left.name, self.right.name))


@dataclass(frozen=True, slots=True)
class Task:
    """target[indices] = body, or the sum, the maximum or the place of the maximum of body over `bound`."""

    target: str
    indices: tuple[Index, ...]
    kind: Kind
    body: Expr
    bound: tuple[Index, ...] = ()

    @property
    def reads(self) -> frozenset[str]:
        """The names it needs."""
        found = names(self.body)
        found |= {i.name for i in self.body.free if i.name.startswith("K")}
        return frozenset(found)


Step = Product | Task


@dataclass(frozen=True)
class Lowered:
    """The steps of a program in order, the sorts of every tensor, and what was asked for."""

    program: Program
    steps: tuple[Step, ...]
    sorts: Mapping[str, tuple[str, ...]]
    wanted: tuple[str, ...]


def trained(network: Network, *, weighted: bool = False) -> Program:
    """The network's program with the adjoints of its loss; `weighted` gives every example a weight w.

    Raises NetworkError for what has no numbers: abstract functions, letters for layer sizes, a symbolic depth.
    """
    if network.symbolic_depth or not network.sizes or not all(s.isdigit() for s in network.sizes):
        raise NetworkError("only a network with layer sizes in numbers can run", next="--layers 400-25-10")
    program = network.program
    if weighted:
        program = _weighted(program)
    found = adjoints(program, "J")
    forward = set(program.names)
    return program.extended(d for name, d in found.items() if name in forward and name != "J")


def lower(program: Program, wanted: Iterable[str]) -> Lowered:
    """The steps that compute the wanted names."""
    return _Lowering(program, tuple(wanted)).lowered()


def _weighted(program: Program) -> Program:
    loss = program.by_name["J"]
    batch = next(s for s in program.inputs["Y"] if not s.isdigit())

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Sum) and node.index.sort == batch:
            index, body = opened(node)
            return sum_over(index, mul(tensor("w", index), body))
        return None

    kept = tuple(d for d in program.definitions if d is not loss)
    weighted = Definition("J", (), rewrite(loss.body, rule))
    return Program(dict(program.inputs) | {"w": (batch,)}, (*kept, weighted), program.assumptions, program.row_vectors)


@dataclass
class _Lowering:
    program: Program
    wanted: tuple[str, ...]
    steps: list[Step] = field(default_factory=list[Step])
    made: dict[Expr, Expr] = field(default_factory=dict[Expr, Expr])
    sorts: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def lowered(self) -> Lowered:
        self.sorts.update(self.program.inputs)
        for definition in self._needed():
            self.sorts[definition.name] = definition.sorts
            if definition.name.startswith("K"):
                assert isinstance(definition.body, Sum)
                index, body = opened(definition.body)
                self.steps.append(Task(definition.name, definition.indices, "pick", lowered(body), (index,)))
                continue
            self._define(definition, rewrite(lowered(definition.body), _pulled_out))
        return Lowered(self.program, tuple(self.steps), self.sorts, self.wanted)

    def _needed(self) -> list[Definition]:
        needed = set(self.wanted)
        kept: list[Definition] = []
        for definition in reversed(self.program.definitions):
            if definition.name in needed:
                kept.append(definition)
                needed |= names(definition.body) | {i.name for n in postorder(definition.body) for i in n.free}
        return kept[::-1]

    def _define(self, definition: Definition, body: Expr) -> None:
        if isinstance(body, Sum):
            product = self._product(body, definition.name, definition.indices)
            if product is not None:
                self.steps.append(product)
                return
            index, inner = opened(body)
            inner = self._without_sums(inner)
            self.steps.append(Task(definition.name, definition.indices, "sum", inner, (index,)))
            return
        self.steps.append(Task(definition.name, definition.indices, "assign", self._without_sums(body)))

    def _without_sums(self, root: Expr) -> Expr:
        """The formula with every sum and maximum computed before, innermost first."""

        def rule(node: Expr) -> Expr | None:
            if not isinstance(node, Sum | Max):
                return None
            found = self.made.get(node)
            if found is not None:
                return found
            outer = self._axes(node)
            name = f"t{len(self.made)}"
            self.sorts[name] = tuple(i.sort for i in outer)
            product = self._product(node, name, outer) if isinstance(node, Sum) else None
            if product is None:
                index, body = opened(node)
                kind = "sum" if isinstance(node, Sum) else "max"
                self.steps.append(Task(name, outer, kind, body, (index,)))
            else:
                self.steps.append(product)
            found = self.made[node] = tensor(name, *outer)
            return found

        return rewrite(root, rule)

    def _axes(self, node: Expr) -> tuple[Index, ...]:
        """The free indices of a node, the batch's first, as the tensors inside have them."""
        free = {i for i in node.free if not i.name.startswith("K")}
        for part in postorder(node):
            if isinstance(part, Tensor) and free <= set(part.indices):
                return tuple(i for i in part.indices if i in free)
        return tuple(sorted(free, key=lambda i: (i.sort.isdigit(), i.name)))

    def _product(self, node: Sum, target: str, indices: tuple[Index, ...]) -> Product | None:
        """A sum over one index of a product of two tensors, as a matrix product."""
        index, body = opened(node)
        if not isinstance(body, Mul) or len(body.factors) != 2 or len(indices) > 2:
            return None
        first, second = body.factors
        if not isinstance(first, Tensor) or not isinstance(second, Tensor):
            return None
        for left, right in ((first, second), (second, first)):
            rows = tuple(i for i in left.indices if i != index)
            columns = tuple(i for i in right.indices if i != index)
            plain = index in left.indices and index in right.indices and len(rows) <= 1 and len(columns) <= 1
            if plain and set(rows).isdisjoint(columns) and (*rows, *columns) == indices and (rows or columns):
                turned = (
                    Operand(left.name, len(left.indices) == 2 and left.indices[0] == index),
                    Operand(right.name, len(right.indices) == 2 and right.indices[0] != index),
                )
                return Product(target, indices, *turned)
        return None


def _pulled_out(node: Expr) -> Expr | None:
    """Σ c·f = c·Σ f for factors without the index."""
    if not isinstance(node, Sum):
        return None
    index, body = opened(node)
    if not isinstance(body, Mul):
        return None
    outside = [f for f in body.factors if index not in f.free]
    if not outside:
        return None
    return mul(*outside, sum_over(index, mul(*(f for f in body.factors if index in f.free))))
