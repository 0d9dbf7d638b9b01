"""Interfaces: what a kernel takes and gives, and how tensors are called in a source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from backproof.language.expression import show
from backproof.language.program import Definition

Precision = Literal["float32", "float64"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parameter starts in the flat vector of all parameters, and its shape."""

    name: str
    start: int
    shape: tuple[int, ...]

    @property
    def length(self) -> int:
        """How many numbers it has."""
        product = 1
        for n in self.shape:
            product *= n
        return product


@dataclass(frozen=True)
class Interface:
    """What a kernel takes and gives: parameters in one vector, inputs by example, numbers fixed in its source.

    `gradient` says that the adjoints of the parameters are wanted, `outputs` are arrays that are given back.
    """

    parameters: tuple[Place, ...]
    inputs: tuple[str, ...]
    numbers: Mapping[str, float]
    precision: Precision
    gradient: bool = True
    outputs: tuple[str, ...] = ()


def identifier(name: str) -> str:
    """A tensor's name as a Python name.

    >>> identifier("∂J/∂W(2)"), identifier("lambda")
    ('dW2', 'v_lambda')
    """
    short = name.replace("∂J/∂", "d")
    plain = re.sub(r"[()\-]", "", short)
    plain = re.sub(r"[^A-Za-z0-9_]", "_", plain)
    return f"v_{plain}" if plain in ("lambda", "m", "theta") else plain


def equation_text(definition: Definition) -> str:
    """A definition as a comment, the same in every process: fresh indices lose their numbers.

    >>> from backproof.language.expression import Index, tensor
    >>> i = Index("k~7", "n")
    >>> equation_text(Definition("a", (i,), tensor("z", i)))
    'a[k] = z[k]'
    """
    left = f"{definition.name}[{', '.join(i.name for i in definition.indices)}]"
    return re.sub(r"~[0-9]+", "", f"{left} = {show(definition.body)}")


def shape_text(sorts: Iterable[str]) -> str:
    """A shape in the source: sizes as numbers, the number of examples as m."""
    parts = [s if s.isdigit() else "m" for s in sorts]
    return "(" + ", ".join(parts) + ("," if len(parts) == 1 else "") + ")"


@dataclass
class Lines:
    """The lines of a source with their indentation."""

    rows: list[str] = field(default_factory=list[str])
    depth: int = 1

    def add(self, text: str) -> None:
        """One more line."""
        self.rows.append("    " * self.depth + text)
