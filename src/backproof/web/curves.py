"""Curves: a layer as a list of arithmetic steps that a page computes by itself, for sliders without delay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from backproof import catalog
from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name
from backproof.calculus.unfolding import unfold
from backproof.errors import BackproofError, LimitError
from backproof.language.expression import (
    Add,
    Apply,
    Const,
    Delta,
    Expr,
    Index,
    Max,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Tensor,
    tensor,
)
from backproof.language.program import Definition, Program
from backproof.proof.derivation import derive
from backproof.web.demonstration import CLASSES, demonstration, proved_program, takes_vectors

MAX_STEPS: Final = 4_000
HIDDEN_UNITS: Final = 3
CONSTANTS: Final = {"pi": 3.141592653589793, "e": 2.718281828459045}

Environment = Mapping[Index, int]


def hidden_layers(network: Network) -> tuple[str, ...]:
    """The labels of the hidden layers whose curves can be drawn, from the last one back."""
    if not network.sizes or any(_open(network)):
        return ()
    shown = demonstration(network, usual=HIDDEN_UNITS, most=HIDDEN_UNITS, vectors=False)
    return tuple(str(k) for k in range(shown.depth - 1, 0, -1))


def curves(network: Network, layer: str = "") -> dict[str, Any] | None:
    """The steps that give outputs, loss, δ and slopes of a layer from its z and from y; None with an open function.

    `layer` is the label of a hidden layer; without it the output layer is meant. Each step is a list: an operation
    and the numbers of earlier steps. The answer is JSON for the page. δ is computed by the proved equations.
    """
    if any(_open(network)[: 3 if layer else 2]):
        return None
    vectors = takes_vectors(network.output, network.loss)
    if layer:
        if layer not in hidden_layers(network):
            return None
        plain = Network(network.sizes, network.symbolic_depth, network.hidden, network.output, network.loss)
        shown = demonstration(plain, usual=HIDDEN_UNITS, most=HIDDEN_UNITS, vectors=vectors)
        of = tuple(f"delta_{k}" for k in range(shown.depth, int(layer) - 1, -1))
    else:
        shown, of = Network(output=network.output, loss=network.loss), ("delta_L",)
    return _curves(proved_program(derive(shown, of)), shown, layer)


def _open(network: Network) -> tuple[bool, bool, bool]:
    output, loss = catalog.activation(network.output), catalog.loss(network.loss)
    return output.abstract, loss.abstract, bool(network.sizes) and catalog.activation(network.hidden).abstract


def _curves(program: Program, network: Network, layer: str) -> dict[str, Any] | None:
    own = f"({layer})" if layer else ""
    z, a, delta = f"z{own}", f"a{own}", adjoint_name("J", f"z{own}")
    activation, loss = catalog.activation(network.hidden if layer else network.output), catalog.loss(network.loss)
    vectors = takes_vectors(network.output, network.loss)
    sizes = {s: int(s) if s.isdigit() else CLASSES if vectors else 1 for s in _sorts(program)}
    sort = next(d.indices[0].sort for d in program.definitions if d.name == a)
    given = {
        h.name: float(h.default)
        for entry in (catalog.activation(network.output), activation, loss)
        for h in entry.hyperparameters
    }
    definitions = {d.name: d for d in program.definitions if d.name != z}
    tape = _Tape(definitions, sizes, given, z)
    index = Index("i", sort)
    units = range(sizes[sort])
    try:
        found: dict[str, Any] = {
            "a": [tape.number(tensor(a, index), {index: k}) for k in units],
            "J": tape.number(tensor("J"), {}),
            "delta": [tape.number(tensor(delta, index), {index: k}) for k in units],
        }
        if activation.elementwise:
            slope = unfold(catalog.applied(activation.name, tensor(z, index), order=1))
            found["slope"] = [tape.number(slope, {index: k}) for k in units]
    except BackproofError:
        return None
    outputs = sizes[network.sizes[-1]] if layer else len(units)
    about = {"layer": layer, "units": len(units), "outputs": outputs, "target": loss.target}
    return {**about, "steps": tape.steps, **found}


def _sorts(program: Program) -> set[str]:
    heads = (i.sort for d in program.definitions for i in d.indices)
    return {*heads, *(sort for axes in program.inputs.values() for sort in axes)}


def weight(name: str, at: Sequence[int]) -> float:
    """The number that stands in the layers above a hidden layer: fixed, of either sign, none of them small."""
    turn = sum((3, 5)[k] * value for k, value in enumerate(at)) + sum(map(ord, name))
    return (-1) ** (turn // 2) * (0.5 + 0.25 * (turn % 5))


@dataclass
class _Tape:
    """Steps for the entries of expressions; sums are written out over the units."""

    definitions: Mapping[str, Definition]
    sizes: Mapping[str, int]
    given: Mapping[str, float]
    z: str
    steps: list[list[Any]] = field(default_factory=list[list[Any]])
    known: dict[tuple[Any, ...], int] = field(default_factory=dict[tuple[Any, ...], int])
    done: dict[tuple[Expr, frozenset[tuple[Index, int]]], int] = field(
        default_factory=dict[tuple[Expr, frozenset[tuple[Index, int]]], int]
    )

    def number(self, root: Expr, at: Environment) -> int:
        """The number of the step that has the value of an expression at values of its free indices."""
        stack = [(root, dict(at))]
        while stack:
            node, env = stack[-1]
            key = self.key(node, env)
            if key in self.done:
                stack.pop()
                continue
            inside = self.inside(node, env)
            missing = [(child, own) for child, own in inside if self.key(child, own) not in self.done]
            if missing:
                stack.extend(missing)
            else:
                self.done[key] = self.made(node, env, [self.done[self.key(child, own)] for child, own in inside])
                stack.pop()
        return self.done[self.key(root, dict(at))]

    @staticmethod
    def key(node: Expr, env: Environment) -> tuple[Expr, frozenset[tuple[Index, int]]]:
        return node, frozenset((index, env[index]) for index in node.free)

    def inside(self, node: Expr, env: dict[Index, int]) -> list[tuple[Expr, dict[Index, int]]]:
        """What a value is computed from, each with the values of its indices."""
        match node:
            case Add(terms):
                return [(term, env) for term in terms]
            case Mul(factors):
                return [(factor, env) for factor in factors]
            case Pow(base, _):
                return [(base, env)]
            case Apply(_, args, _):
                return [(argument, env) for argument in args]
            case Sum(index, body) | Max(index, body):
                return [(body, {**env, index: value}) for value in range(self.sizes[index.sort])]
            case Tensor(name, indices) if name in self.definitions:
                own = self.definitions[name]
                values = {i: env[j] for i, j in zip(own.indices, indices, strict=True)}
                return [(unfold(own.body), values)]
            case _:
                return []

    def made(self, node: Expr, env: Environment, values: list[int]) -> int:
        match node:
            case Num(value):
                return self.step("c", float(value))
            case Const(name):
                return self.step("c", CONSTANTS[name])
            case Size(sort):
                return self.step("c", float(self.sizes[sort]))
            case Delta(left, right):
                return self.step("c", 1.0 if env[left] == env[right] else 0.0)
            case Add() | Sum():
                return self.step("+", *values)
            case Mul():
                return self.step("*", *values)
            case Max():
                return self.step("max", *values)
            case Pow(_, exponent):
                return self.step("^", *values, float(exponent))
            case Apply(name, _, _):
                return self.step(name, *values)
            case Tensor(name, ()) if name in self.given and name not in self.definitions:
                return self.step("c", self.given[name])
            case Tensor(name, _) if name in self.definitions:
                return values[0]
            case Tensor(name, (index,)) if name in (self.z, "y"):
                return self.step("y" if name == "y" else "z", env[index])
            case Tensor(name, indices) if name.startswith(("W(", "b(")):
                return self.step("c", weight(name, [env[index] for index in indices]))
            case _:
                raise LimitError(f"no curve of {node}")

    def step(self, *row: Any) -> int:
        if row not in self.known:
            if len(self.steps) >= MAX_STEPS:
                raise LimitError("a formula is too long for a curve", expected=f"at most {MAX_STEPS} steps")
            self.steps.append(list(row))
            self.known[row] = len(self.steps) - 1
        return self.known[row]
