"""Curves: an output layer as a list of arithmetic steps that a page computes by itself, for sliders without delay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from backproof import catalog
from backproof.calculus.network import Network
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
from backproof.language.program import Definition
from backproof.proof.derivation import derive

MAX_STEPS: Final = 4_000
UNITS: Final = 3
"""How many units an output like softmax has on the page."""
CONSTANTS: Final = {"pi": 3.141592653589793, "e": 2.718281828459045}

Environment = Mapping[Index, int]


def curves(network: Network) -> dict[str, Any] | None:
    """The steps that give outputs, loss, δ and slopes from z and y; None where the layer has an open function.

    Each step is a list: an operation and the numbers of earlier steps. The answer is JSON for the page.
    """
    output, loss = catalog.activation(network.output), catalog.loss(network.loss)
    if output.abstract or loss.abstract:
        return None
    layer = Network(output=network.output, loss=network.loss)
    units = 1 if output.elementwise and loss.elementwise else UNITS
    program = layer.program
    sort = program.inputs["z"][0]
    derivation = derive(layer, ("delta_L",))
    delta = derivation.equations[0]
    given = {entry.name: float(entry.default) for entry in (*output.hyperparameters, *loss.hyperparameters)}
    tape = _Tape({d.name: d for d in program.definitions}, {sort: units}, given)
    index = Index("i", sort)
    try:
        found: dict[str, Any] = {
            "a": [tape.number(tensor("a", index), {index: k}) for k in range(units)],
            "J": tape.number(tensor("J"), {}),
            "delta": [tape.number(unfold(delta.expr), {delta.indices[0]: k}) for k in range(units)],
        }
        if output.elementwise:
            slope = unfold(catalog.applied(output.name, tensor("z", index), order=1))
            found["slope"] = [tape.number(slope, {index: k}) for k in range(units)]
    except BackproofError:
        return None
    return {"units": units, "steps": tape.steps, "target": loss.target, **found}


@dataclass
class _Tape:
    """Steps for the entries of expressions; sums are written out over the units."""

    definitions: Mapping[str, Definition]
    sizes: Mapping[str, int]
    given: Mapping[str, float]
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
            case Tensor(name, (index,)) if name in ("z", "y"):
                return self.step(name, env[index])
            case _:
                raise LimitError(f"no curve of {node}")

    def step(self, *row: Any) -> int:
        if row not in self.known:
            if len(self.steps) >= MAX_STEPS:
                raise LimitError("a formula is too long for a curve", expected=f"at most {MAX_STEPS} steps")
            self.steps.append(list(row))
            self.known[row] = len(self.steps) - 1
        return self.known[row]
