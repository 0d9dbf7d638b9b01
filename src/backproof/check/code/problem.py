"""Problems: a forward and a backward function with their arguments, seen as a loss of named arrays."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from backproof.check.code.arguments import Path, is_leaf, leaves, library, like, numbers, replaced, written
from backproof.check.code.operations import Array
from backproof.errors import BackproofError


class CodeError(BackproofError):
    """A function of a person that failed or gave something that is no gradient."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One array among the arguments: the name that its gradient has, the argument it is in, and the path to it."""

    name: str
    argument: int
    path: Path
    original: Any

    @property
    def is_float(self) -> bool:
        return np.asarray(numbers(self.original)).dtype.kind in "fV"


@dataclass
class Problem:
    """The two functions and the arguments that both take."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    inputs: tuple[Any, ...]
    names: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.names:
            self.names = argument_names(self.forward, len(self.inputs))

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
    def library(self) -> str:
        """The library that most arrays are of."""
        found = [library(leaf.original) for leaf in self.float_leaves.values()]
        return next((name for name in ("torch", "jax") if name in found), "numpy")

    @cached_property
    def is_double(self) -> bool:
        """Whether all arrays are float64."""
        return all(np.asarray(numbers(leaf.original)).dtype.itemsize >= 8 for leaf in self.float_leaves.values())

    @cached_property
    def values(self) -> dict[str, Array]:
        """The numbers of the arrays that a gradient can belong to, in float64."""
        return {n: np.asarray(numbers(leaf.original), dtype=np.float64) for n, leaf in self.float_leaves.items()}

    def arguments(self, changed: Mapping[str, Any] | None = None, *, double: bool = True) -> tuple[Any, ...]:
        """Fresh arguments, with some arrays changed; floats in float64, or in their own types."""
        by_place = {(leaf.argument, leaf.path): name for name, leaf in self.leaves.items()}

        def put(k: int) -> Callable[[Path, Any], Any]:
            def fresh(path: Path, original: Any) -> Any:
                name = by_place[k, path]
                if changed is not None and name in changed:
                    array = changed[name]
                    if not isinstance(array, np.ndarray | np.generic | float):
                        return array
                    if not double and library(original):
                        array = np.asarray(array).astype(np.asarray(numbers(original)).dtype)
                    return like(original, array)
                if not library(original):
                    return original
                own = numbers(original)
                if double and own.dtype.kind == "f":
                    own = own.astype(np.float64)
                return like(original, own)

            return fresh

        return tuple(replaced(value, put(k)) for k, value in enumerate(self.inputs))

    def loss(self, changed: Mapping[str, Any] | None = None) -> Any:
        """The loss as one number, possibly complex. Raises CodeError when it is none."""
        with np.errstate(all="ignore"):
            result = self.forward(*self.arguments(changed))
        return one_number(result)

    def claimed(self, changed: Mapping[str, Any] | None = None, *, double: bool = True) -> dict[str, Array]:
        """What the backward function gives, by the names of the arrays. Raises CodeError when it is no gradient."""
        with np.errstate(all="ignore"):
            result = self.backward(*self.arguments(changed, double=double))
        return self.named(result)

    def named(self, result: Any) -> dict[str, Any]:
        """The gradients of a result by the names of the arrays they belong to."""
        if isinstance(result, Mapping):
            return self._by_keys(result)
        if isinstance(result, list | tuple):
            return self._by_order(result)
        if is_leaf(result) and self.float_leaves:
            first = next(iter(self.float_leaves))
            return {first: result}
        raise CodeError(
            "the backward function gives no gradients",
            expected="a dict of gradients by name",
            got=type(result).__name__,
        )

    def _by_keys(self, result: Mapping[Any, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path, value in _gradients(result):
            name = self._meant(written(path))
            if name is not None:
                found[name] = value
        return found

    def _meant(self, key: str) -> str | None:
        """The array that a key means: W1, dW1, grad_W1, W1_grad, params.W1."""
        key = key.removeprefix("params.")
        forms = [
            key,
            re.sub(r"^(d|d_|grad_|g_|∂|nabla_)(?=\w)", "", key),
            re.sub(r"(_grad|\.grad|_g)$", "", key),
        ]
        first = [name for name in self.names if name in key]
        for form in forms:
            if form in self.leaves:
                return form
            flat = re.sub(r"\W", "", form)
            for name in self.leaves:
                if re.sub(r"\W", "", name) == flat:
                    return name
        del first
        return None

    def _by_order(self, result: Sequence[Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        names = list(self.float_leaves)
        flat = [value for _, value in leaves(list(result))]
        whole = [name for name in names if self.leaves[name].argument == 0]
        for name, value in zip(whole if len(flat) == len(whole) else names, flat, strict=False):
            found[name] = value
        return found


def _gradients(tree: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    if isinstance(tree, Mapping):
        return [item for key, value in tree.items() for item in _gradients(value, (*path, key))]
    if isinstance(tree, list | tuple):
        return [item for key, value in enumerate(tree) for item in _gradients(value, (*path, key))]
    return [(path, tree)]


def _bracketed(path: Path) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)


def argument_names(function: Callable[..., Any], count: int) -> tuple[str, ...]:
    """The names of a function's arguments, or x1, x2, … where they cannot be known."""
    try:
        names = tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = ()
    return names[:count] if len(names) >= count else tuple(f"x{k + 1}" for k in range(count))


def one_number(result: Any) -> Any:
    """The loss in a result: a number, an array of one number, or the first of a tuple."""
    if isinstance(result, tuple | list) and result:
        result = result[0]
    if not is_leaf(result):
        raise CodeError("the forward function gives no number", expected="a loss", got=type(result).__name__)
    array = numbers(result)
    if array.size != 1:
        raise CodeError(
            "the forward function does not give one number",
            expected="a loss",
            got=f"an array of shape {array.shape}",
            next="sum or average it in forward, as the backward function assumes",
        )
    value = array.reshape(()).item()
    return value if isinstance(value, complex) else float(value)
