"""Layouts: arrays in any nesting of arguments as one table by name, with what each of them is for."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from backproof.check.code.arguments import Path, is_leaf, leaves, numbers, written
from backproof.check.code.operations import Array

UPSTREAM: Final = "upstream"
ROLES: Final = (
    dict.fromkeys(("x", "X", "inputs", "input", "data", "features", "images", "inp", "xs", "A_prev"), "data")
    | dict.fromkeys(("y", "Y", "target", "targets", "label", "labels", "t", "y_true", "ys"), "target")
    | {UPSTREAM: "upstream"}
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One array among the arguments: the name that its gradient has, the argument it is in, and the path to it."""

    name: str
    argument: int
    path: Path
    original: Any

    @property
    def is_float(self) -> bool:
        """Whether a gradient can belong to it."""
        return np.asarray(numbers(self.original)).dtype.kind in "fV"


@dataclass
class Layout:
    """The arguments of a pair of functions, and the function that a person wrote the gradient in."""

    inputs: tuple[Any, ...]
    names: tuple[str, ...]
    written_in: Callable[..., Any]

    @cached_property
    def leaves(self) -> dict[str, Leaf]:
        """All arrays and numbers of the arguments by name."""
        found: dict[str, Leaf] = {}
        for k, (argument, value) in enumerate(zip(self.names, self.inputs, strict=True)):
            for path, original in leaves(value):
                inside = k == 0 and not is_leaf(value) and len(self.inputs) > 1
                name = written(path) if inside else argument + (f"{_bracketed(path)}" if path else "")
                found[name if name not in found else f"{argument}.{name}"] = Leaf(name, k, path, original)
        return found

    @cached_property
    def float_leaves(self) -> dict[str, Leaf]:
        """The arrays that a gradient can belong to."""
        return {name: leaf for name, leaf in self.leaves.items() if leaf.is_float}

    @cached_property
    def values(self) -> dict[str, Array]:
        """The numbers of the arrays that a gradient can belong to, in float64."""
        return {n: np.asarray(numbers(leaf.original), dtype=np.float64) for n, leaf in self.float_leaves.items()}

    def role(self, leaf: Leaf) -> str:
        """What an array is for: `parameter`, `data`, `target`, or the `upstream` gradient."""
        known = ROLES.get(self.names[leaf.argument])
        if leaf.argument == 0 and (known is None or UPSTREAM not in self.names):
            return "parameter"
        if known is None and UPSTREAM in self.names:
            return "parameter"
        return known or {1: "data", 2: "target"}.get(leaf.argument, "data")


def _bracketed(path: Path) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)


def argument_names(function: Callable[..., Any], count: int) -> tuple[str, ...]:
    """The names of a function's arguments, or x1, x2, … where they cannot be known."""
    try:
        names = tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = ()
    return names[:count] if len(names) >= count else tuple(f"x{k + 1}" for k in range(count))
