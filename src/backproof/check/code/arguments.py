"""Arguments and results of any layout: dicts, lists, tuples, objects of arrays, as one flat table by name, and back."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import copy
import dataclasses
import functools
import types
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Final

import numpy as np

from backproof.check.code.operations import Array
from backproof.errors import LimitError

Path = tuple[Any, ...]
MAX_DEPTH: Final = 32
# What has attributes but is no container of arrays.
NO_STATE: Final = (
    type, types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType, functools.partial,
)  # fmt: skip


def library(value: Any) -> str:
    """The library of an array: `numpy`, `torch`, `jax`, or the empty text for anything else."""
    if isinstance(value, np.ndarray | np.generic):
        return "numpy"
    name = type(value).__module__.partition(".")[0]
    if name == "torch" and hasattr(value, "detach"):
        return "torch"
    return "jax" if name in ("jax", "jaxlib") and hasattr(value, "dtype") else ""


def numbers(value: Any) -> Array:
    """The array's numbers as a NumPy array of their own; float16 and bfloat16 of other libraries become float32."""
    match library(value):
        case "torch":
            plain = value.detach().cpu()
            if str(plain.dtype) == "torch.bfloat16":
                plain = plain.float()
            if plain.is_sparse:
                plain = plain.to_dense()
            return np.array(plain.resolve_conj().resolve_neg().numpy())
        case "jax":
            return np.array(value.astype("float32") if str(value.dtype) == "bfloat16" else value)
        case _:
            return np.array(value)


def like(original: Any, array: Array) -> Any:
    """A new array of the original's library with these numbers and their type."""
    match library(original):
        case "torch":
            import torch

            made = torch.tensor(np.asarray(array))
            return torch.nn.Parameter(made) if isinstance(original, torch.nn.Parameter) else made
        case "jax":
            import jax.numpy as jnp

            return jnp.asarray(array)
        case "numpy":
            return array if isinstance(original, np.ndarray) else array[()]
        case _:
            return type(original)(array) if isinstance(original, float) else array


def is_leaf(value: Any) -> bool:
    """Whether the value is an array or a number; what behaves like an array of NumPy is one."""
    return isinstance(value, int | float | complex) or hasattr(type(value), "__array_ufunc__") or bool(library(value))


def leaves(tree: Any) -> Iterator[tuple[Path, Any]]:
    """The arrays and numbers in a value with the path to each; other things are passed over.

    Inside an object, an array that has two names is one array, and counts where it is met first; in dicts and lists
    every place is an array of its own. Raises LimitError for a value that is nested too deeply.
    """
    yield from _leaves(tree, (), set(), owned=False)


def _leaves(tree: Any, path: Path, seen: set[int], *, owned: bool) -> Iterator[tuple[Path, Any]]:
    if len(path) > MAX_DEPTH:
        raise LimitError("a value is nested too deeply", expected=f"at most {MAX_DEPTH} levels")
    owned = owned or is_object(tree)
    if owned and not isinstance(tree, int | float | complex):
        if id(tree) in seen:
            return
        seen.add(id(tree))
    if is_leaf(tree):
        yield path, tree
        return
    for key, child in children(tree):
        yield from _leaves(child, (*path, key), seen, owned=owned)


def children(tree: Any) -> list[tuple[Any, Any]]:
    """What is directly inside a dict, list, tuple or object."""
    if isinstance(tree, Mapping):
        return list(tree.items())
    fields: Any = getattr(tree, "_fields", None)
    if isinstance(tree, tuple) and fields is not None:
        return [(Attribute(name), getattr(tree, name)) for name in fields]
    if isinstance(tree, list | tuple):
        return list(enumerate(tree))
    if hasattr(tree, "named_parameters") and hasattr(tree, "get_submodule"):
        return [(Attribute(name), value) for name, value in tree.named_parameters()]
    if isinstance(tree, NO_STATE):
        return []
    if dataclasses.is_dataclass(tree):
        return [(Attribute(f.name), getattr(tree, f.name)) for f in dataclasses.fields(tree) if hasattr(tree, f.name)]
    if is_object(tree):
        return [(Attribute(name), value) for name, value in vars(tree).items() if not name.startswith("__")]
    return []


def is_object(value: Any) -> bool:
    """Whether a value is an object with attributes of its own, such as a model or a layer."""
    return hasattr(value, "__dict__") and not isinstance(value, NO_STATE) and not library(value)


class Attribute(str):
    """A step of a path that is an attribute's name."""

    __slots__ = ()


def replaced(tree: Any, put: Callable[[Path, Any], Any]) -> Any:
    """A copy of the value with every array and number replaced; what is one array inside an object stays one."""
    return _replaced(tree, put, (), {}, owned=False)


def _replaced(tree: Any, put: Callable[[Path, Any], Any], path: Path, made: dict[int, Any], *, owned: bool) -> Any:
    owned = owned or is_object(tree)
    shared = owned and not isinstance(tree, int | float | complex)
    if shared and id(tree) in made:
        return made[id(tree)]
    result: Any
    if is_leaf(tree):
        result = put(path, tree)
        if shared:
            made[id(tree)] = result
        return result
    inside = children(tree)
    if not inside:
        return tree
    if hasattr(tree, "named_parameters") and hasattr(tree, "get_submodule"):
        result = _module_with(tree, put, path)
    elif isinstance(tree, Mapping) and not isinstance(tree, MutableMapping):
        kind: Any = type(tree)
        result = kind({key: _replaced(child, put, (*path, key), made, owned=owned) for key, child in inside})
    elif isinstance(tree, tuple):
        parts = [_replaced(child, put, (*path, key), made, owned=owned) for key, child in inside]
        result = type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    else:
        # A copy is known before it is filled: an object may hold itself.
        result = copy.copy(tree)
        if shared:
            made[id(tree)] = result
        for key, child in inside:
            new = _replaced(child, put, (*path, key), made, owned=owned)
            if isinstance(tree, Mapping | list):
                result[key] = new
            elif new is not child:
                object.__setattr__(result, str(key), new)
    if shared:
        made[id(tree)] = result
    return result


def _module_with(module: Any, put: Callable[[Path, Any], Any], path: Path) -> Any:
    made = copy.deepcopy(module)
    for name, value in list(made.named_parameters()):
        owner_name, _, own = name.rpartition(".")
        owner = made.get_submodule(owner_name) if owner_name else made
        del owner._parameters[own]
        new = put((*path, Attribute(name)), value)
        setattr(owner, own, new)
        if str(getattr(new, "dtype", "")) == "torch.float64":
            made.double()
    return made


def written(path: Path) -> str:
    """A path as a person writes it: `W1`, `layers[0].W`, `x[1]`.

    >>> written(("layers", 0, "W"))
    'layers[0].W'
    """
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text
