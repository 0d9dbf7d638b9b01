"""Arguments and results of any layout: dicts, lists, tuples, objects of arrays, as one flat table by name, and back."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from backproof.check.code.operations import Array
from backproof.errors import LimitError

Path = tuple[Any, ...]
MAX_LEAVES: Final = 10_000
MAX_DEPTH: Final = 32


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
    """Whether the value is an array or a number."""
    return bool(library(value)) or isinstance(value, int | float | complex)


def leaves(tree: Any, path: Path = (), depth: int = 0) -> Iterator[tuple[Path, Any]]:
    """The arrays and numbers in a value with the path to each; other things are passed over."""
    if depth > MAX_DEPTH:
        raise LimitError("a value is nested too deeply", expected=f"at most {MAX_DEPTH} levels")
    if is_leaf(tree):
        yield path, tree
        return
    for key, child in children(tree):
        yield from leaves(child, (*path, key), depth + 1)


def children(tree: Any) -> list[tuple[Any, Any]]:
    """What is directly inside a dict, list, tuple or object."""
    if isinstance(tree, Mapping):
        return list(tree.items())
    if isinstance(tree, list | tuple):
        return list(enumerate(tree))
    if hasattr(tree, "named_parameters"):
        return [(Attribute(name), value) for name, value in tree.named_parameters()]
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return [(Attribute(f.name), getattr(tree, f.name)) for f in dataclasses.fields(tree)]
    if hasattr(tree, "__dict__") and not callable(tree) and not isinstance(tree, type):
        return [(Attribute(name), value) for name, value in vars(tree).items() if not name.startswith("__")]
    return []


class Attribute(str):
    """A step of a path that is an attribute's name."""

    __slots__ = ()


def replaced(tree: Any, put: Callable[[Path, Any], Any], path: Path = ()) -> Any:
    """A copy of the value with every array and number replaced."""
    if is_leaf(tree):
        return put(path, tree)
    if isinstance(tree, Mapping):
        made = {k: replaced(v, put, (*path, k)) for k, v in tree.items()}
        kind: Any = type(tree)
        return made if kind is dict else kind(made)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(replaced(v, put, (*path, k)) for k, v in enumerate(tree)))
    if isinstance(tree, list | tuple):
        return type(tree)(replaced(v, put, (*path, k)) for k, v in enumerate(tree))
    inside = children(tree)
    if not inside:
        return tree
    if hasattr(tree, "named_parameters"):
        return _module_with(tree, put, path)
    made = copy.copy(tree)
    for key, child in inside:
        object.__setattr__(made, str(key), replaced(child, put, (*path, key)))
    return made


def _module_with(module: Any, put: Callable[[Path, Any], Any], path: Path) -> Any:
    made = copy.deepcopy(module)
    for name, value in list(made.named_parameters()):
        owner_name, _, own = name.rpartition(".")
        owner = made.get_submodule(owner_name) if owner_name else made
        del owner._parameters[own]
        setattr(owner, own, put((*path, Attribute(name)), value))
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
