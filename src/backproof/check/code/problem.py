"""Problems: a forward and a backward function with their arguments, seen as a loss of named arrays."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from backproof.check.code.arguments import Path, is_leaf, is_object, library, like, numbers, replaced
from backproof.check.code.layout import UPSTREAM, Layout, Leaf, argument_names
from backproof.check.code.operations import Array
from backproof.check.code.results import CodeError, named


@dataclass
class Problem:
    """The two functions and the arguments that both take."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    inputs: tuple[Any, ...]
    names: tuple[str, ...] = ()
    # The person's own functions, where `forward` and `backward` only call them, and the one with the formulas.
    origins: tuple[Callable[..., Any], ...] = ()
    formulas: Callable[..., Any] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.names:
            self.names = argument_names(self.forward, len(self.inputs))

    @property
    def written_in(self) -> Callable[..., Any]:
        """The function that a person wrote the gradient in."""
        return self.formulas or self.backward

    @cached_property
    def layout(self) -> Layout:
        """The arguments as arrays by name."""
        return Layout(self.inputs, self.names, self.written_in)

    @property
    def leaves(self) -> dict[str, Leaf]:
        """All arrays and numbers of the arguments by name."""
        return self.layout.leaves

    @property
    def float_leaves(self) -> dict[str, Leaf]:
        """The arrays that a gradient can belong to."""
        return self.layout.float_leaves

    @property
    def values(self) -> dict[str, Array]:
        """The numbers of the arrays that a gradient can belong to, in float64."""
        return self.layout.values

    def role(self, leaf: Leaf) -> str:
        """What an array is for: `parameter`, `data`, `target`, or the `upstream` gradient."""
        return self.layout.role(leaf)

    def at(self, inputs: tuple[Any, ...]) -> Problem:
        """The same functions with other arguments."""
        return replace(self, inputs=inputs)

    @cached_property
    def wanted(self) -> list[str]:
        """The arrays whose gradients have to be given: the parameters of a loss, where they are all known."""
        if UPSTREAM in self.names or is_object(self.inputs[0]):
            return []
        return [n for n, leaf in self.float_leaves.items() if leaf.argument == 0 and library(leaf.original)]

    def wide(self) -> contextlib.AbstractContextManager[Any]:
        """A context in which JAX keeps float64."""
        if self.library != "jax":
            return contextlib.nullcontext()
        import jax

        enabled: Any = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
        return enabled(True)

    @cached_property
    def library(self) -> str:
        """The library that most arrays are of."""
        found = [library(leaf.original) for leaf in self.float_leaves.values()]
        return next((name for name in ("torch", "jax") if name in found), "numpy")

    @cached_property
    def is_double(self) -> bool:
        """Whether all arrays are float64."""
        return all(np.asarray(numbers(leaf.original)).dtype.itemsize >= 8 for leaf in self.float_leaves.values())

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
        with np.errstate(all="ignore"), self.wide():
            return one_number(self.forward(*self.arguments(changed)))

    def claimed(self, changed: Mapping[str, Any] | None = None, *, double: bool = True) -> dict[str, Array]:
        """What the backward function gives, by the names of the arrays. Raises CodeError when it is no gradient."""
        with np.errstate(all="ignore"), self.wide() if double else contextlib.nullcontext():
            return self.gradients(self.arguments(changed, double=double), changed or {})

    def gradients(self, arguments: tuple[Any, ...], before: Mapping[str, Any]) -> dict[str, Any]:
        """What the backward function gives for these arguments, by the names of the arrays."""
        return named(self.layout, self.backward(*arguments), arguments, before)


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
