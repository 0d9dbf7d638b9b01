"""Programs: a network as an ordered list of definitions in index notation, and what is assumed of its inputs."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Literal

from backproof.errors import UnknownNameError
from backproof.language.expression import Expr, Index, tensor
from backproof.language.walks import names

Property = Literal[
    "unit-sum", "positive", "nonzero", "symmetric", "binary", "equals", "in-unit-interval", "plus-minus-one"
]


@dataclass(frozen=True, slots=True)
class Assumption:
    """A property of a named tensor that a proof may use.

    `unit-sum`: the entries sum to 1 over axis `axis`. `positive`, `nonzero`, `binary` (0 or 1), `in-unit-interval`
    (strictly between 0 and 1), `plus-minus-one` (−1 or 1): of each entry. `symmetric`: a square matrix equals its
    transpose. `equals`: a scalar has the `value`. A one-hot vector is `unit-sum` and `binary`.
    """

    tensor: str
    property: Property
    axis: int | None = None
    value: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """One equation of a program: `name[indices] = body`, for all values of the indices."""

    name: str
    indices: tuple[Index, ...]
    body: Expr

    @property
    def head(self) -> Expr:
        """The left side, as an expression."""
        return tensor(self.name, *self.indices)

    @property
    def sorts(self) -> tuple[str, ...]:
        """The sizes of the defined tensor's axes."""
        return tuple(i.sort for i in self.indices)


@dataclass(frozen=True)
class Program:
    """Inputs (name → the sorts of its axes) and definitions, each using inputs and earlier definitions only.

    `row_vectors` says how vectors are written in matrix notation: as rows (z = x W + b) or as columns (z = W x + b).
    """

    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    definitions: tuple[Definition, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    row_vectors: bool = False

    @cached_property
    def by_name(self) -> Mapping[str, Definition]:
        """The definitions by name."""
        return {d.name: d for d in self.definitions}

    def sorts(self, name: str) -> tuple[str, ...]:
        """The sizes of the axes of an input or a defined tensor."""
        if name in self.inputs:
            return self.inputs[name]
        if name in self.by_name:
            return self.by_name[name].sorts
        raise UnknownNameError(f"nothing defines {name}", expected="one of " + ", ".join(self.names))

    @property
    def names(self) -> tuple[str, ...]:
        """All names, inputs first."""
        return (*self.inputs, *self.by_name)

    def extended(self, definitions: Iterable[Definition]) -> Program:
        """The program with more definitions at its end."""
        return replace(self, definitions=(*self.definitions, *definitions))

    def needed(self, expr: Expr, known: Container[str] = ()) -> list[Definition]:
        """The definitions that a formula needs, each after what it uses, without those of the `known` names."""
        found: list[Definition] = []
        done: set[str] = set()
        stack = [(name, False) for name in names(expr)]
        while stack:
            name, ready = stack.pop()
            if name in done or name in known or name not in self.by_name:
                continue
            definition = self.by_name[name]
            if ready:
                done.add(name)
                found.append(definition)
            else:
                stack.append((name, True))
                stack.extend((used, False) for used in names(definition.body))
        return found
