"""Results: the gradients in whatever a backward function gives or leaves behind, by the names of the arrays.

A result may be a dict by name, a tuple in the order of the arrays or of their shapes, a value and a gradient, a
dataclass, or nothing: then the gradients are looked for beside the parameters, or in the step that these have made.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import ast
import inspect
import math
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from backproof.check.code.arguments import Path, children, is_leaf, is_object, library, written
from backproof.check.code.layout import UPSTREAM, Layout
from backproof.errors import BackproofError

PREFIX: Final = re.compile(r"^(?:d[LJECl]_?/?d_?|dloss_?d?_?|grad_?|nabla_|delta_|∂L?/?∂?|D_|d_|d|g_|g)(?=\w)")
SUFFIX: Final = re.compile(r"(?:_?grads?_?|\.grad|_bar|_g)$")
COLLECTIONS: Final = ("grads", "grad", "gradients", "gradient", "grad_params", "dparams", "d")
NUMBERS: Final = ("data", "value", "val", "v", "x")
RATES: Final = ("lr", "learning_rate", "eta", "eta0", "alpha", "step_size", "rate", "learning_rate_init", "step")


class CodeError(BackproofError):
    """A function of a person that failed or gave something that is no gradient."""


def named(layout: Layout, result: Any, arguments: tuple[Any, ...], before: Mapping[str, Any]) -> dict[str, Any]:
    """The gradients of a result by the names of the arrays they belong to. Raises CodeError where there are none.

    `before` holds the arrays as they were when the backward function was called.
    """
    if result is None or any(result is a for a in arguments if is_object(a)):
        found = dict(_beside(layout, arguments)) or _steps(layout, arguments, before)
        if found:
            return found
        raise _no_gradients(result)
    if isinstance(result, Mapping):
        return _by_keys(layout, result)
    if is_leaf(result):
        return _single(layout, result) | (dict(_beside(layout, arguments)) if _owns(arguments) else {})
    if isinstance(result, list | tuple):
        if _is_value_first(layout, result):
            return named(layout, result[1], arguments, before)
        return _by_order(layout, result) | (dict(_beside(layout, arguments)) if _owns(arguments) else {})
    inside = children(result)
    if inside:
        return _by_keys(layout, {str(key): value for key, value in inside}, whole=False)
    raise _no_gradients(result)


def _single(layout: Layout, result: Any) -> dict[str, Any]:
    """One array: the gradient of the only data of a layer, or of the first array."""
    names = list(layout.float_leaves)
    if _owns(layout.inputs):
        data = [n for n in names if layout.role(layout.leaves[n]) != "upstream" and layout.leaves[n].argument]
        same = [n for n in data if np.shape(layout.values[n]) == np.shape(result)]
        names = same or data or names
    return dict.fromkeys(names[:1], result)


def _no_gradients(result: Any) -> CodeError:
    return CodeError(
        "the backward function gives no gradients", expected="a dict of gradients by name", got=type(result).__name__
    )


def _size(value: Any) -> int:
    return math.prod(np.shape(value))


def _owns(arguments: tuple[Any, ...]) -> bool:
    return any(is_object(a) for a in arguments)


def _is_value_first(layout: Layout, result: Sequence[Any]) -> bool:
    """Whether a result is (loss, gradients), as SciPy's optimisers and many classes have it."""
    if len(result) != 2 or not is_leaf(result[0]) or _size(result[0]) != 1:
        return False
    if not is_leaf(result[1]):
        return True
    shapes = [np.shape(layout.values[n]) for n in layout.float_leaves]
    return shapes[:2] != [np.shape(r) for r in result]


def _by_keys(layout: Layout, result: Mapping[Any, Any], *, whole: bool = True) -> dict[str, Any]:
    """The gradients by their keys; with `whole`, arrays that belong to nothing that is known keep their key."""
    found: dict[str, Any] = {}
    for path, value in _flat(result, lambda path: meant(layout, written(path)) is not None):
        name = meant(layout, written(path))
        if name is None and value is not None:
            name = _of_argument(layout, written(path), value, found)
        if value is None or (name is None and not (whole and is_leaf(value) and np.shape(value))):
            continue
        found.setdefault(name if name is not None else written(path), value)
    return found


def _of_argument(layout: Layout, key: str, value: Any, found: Mapping[str, Any]) -> str | None:
    """The array for the key `x` or `dx`, where x is several arrays: the first of the same shape."""
    bare = key if key in layout.names else PREFIX.sub("", key)
    inside = [n for n, leaf in layout.float_leaves.items() if layout.names[leaf.argument] == bare and n not in found]
    return next((n for n in inside if np.shape(layout.values[n]) == np.shape(value)), None)


def _flat(tree: Any, whole: Callable[[Path], bool], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The gradients in nested dicts and lists; a list of numbers is one array where it belongs to one."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _flat(value, whole, (*path, key))
    elif isinstance(tree, list | tuple):
        if whole(path) and _is_plain(tree):
            yield path, np.asarray(tree, dtype=float)
            return
        for key, value in enumerate(tree):
            yield from _flat(value, whole, (*path, key))
    else:
        yield path, tree


def _is_plain(values: Sequence[Any]) -> bool:
    """Whether nested lists hold numbers alone, in rows of one length."""
    try:
        return np.asarray(values).dtype.kind in "if" and len(values) > 0
    except (TypeError, ValueError, BackproofError):
        return False


def meant(layout: Layout, key: str) -> str | None:
    """The array that a key means: W1, dW1, grad_W1, W1_grad, params.W1, dL_dW1, gradients.weights[0]."""
    first = layout.names[0] if layout.names else "params"
    key = key.removeprefix("params.").removeprefix(first + ".")
    bare = SUFFIX.sub("", key)
    forms = [key, PREFIX.sub("", key), bare, PREFIX.sub("", bare)]
    # A key such as dweights[0] or grads.W1: the prefix may stand before any part.
    forms += [".".join(PREFIX.sub("", part) for part in key.split("."))]
    forms += [form.partition(".")[2] for form in list(forms) if form.partition(".")[0] in COLLECTIONS]
    known = layout.leaves
    for form in forms:
        if form in known:
            return form
        if form in layout.names:
            inside = [n for n, leaf in layout.float_leaves.items() if layout.names[leaf.argument] == form]
            if len(inside) == 1:
                return inside[0]
    for same in (_letters, lambda text: _letters(text).lower()):
        for form in forms:
            found = [name for name in known if same(name) == same(form)]
            if len(found) == 1:
                return found[0]
        for form in forms:
            found = [name for name in known if same(name.rpartition(".")[2]) == same(form) and form]
            if len(found) == 1:
                return found[0]
    return None


def _letters(text: str) -> str:
    return re.sub(r"\W|_+$", "", text)


def _by_order(layout: Layout, result: Sequence[Any]) -> dict[str, Any]:
    by_name = _by_returned_names(layout, result)
    if by_name is not None:
        return by_name
    if len(result) == len(layout.inputs) and any(g is None for g in result):
        return _by_keys(layout, {a: g for a, g in zip(layout.names, result, strict=True) if g is not None})
    numbers_alone = not any(isinstance(leaf.original, float) for leaf in layout.float_leaves.values())
    flat = [v for _, v in _flat(list(result), lambda path: bool(path) and numbers_alone) if v is not None]
    everything = list(layout.float_leaves)
    first = [n for n in everything if layout.leaves[n].argument == 0]
    for gradients in (flat, flat[1:] if flat and is_leaf(flat[0]) and _size(flat[0]) == 1 else []):
        for names in (first, everything):
            placed = _placed(layout, names, gradients)
            if placed is not None:
                return placed
    return dict(zip(first if len(flat) == len(first) else everything, flat, strict=False))


def _placed(layout: Layout, names: list[str], gradients: list[Any]) -> dict[str, Any] | None:
    """The gradients by the shapes of the arrays, in their order where that is free; None where they do not fit."""
    if not gradients or len(gradients) > len(names) or not all(map(is_leaf, gradients)):
        return None
    shapes = [np.shape(g) for g in gradients]
    own = {name: np.shape(layout.values[name]) for name in names}
    if len(gradients) == len(names) and all(own[n] == s for n, s in zip(names, shapes, strict=True)):
        return dict(zip(names, gradients, strict=True))
    if len(gradients) < len(names):
        if all(own[n] == s for n, s in zip(names, shapes, strict=False)):
            return dict(zip(names, gradients, strict=False))
        return None
    if sorted(own.values()) != sorted(shapes):
        return None
    left = list(names)
    found: dict[str, Any] = {}
    for gradient, shape in zip(gradients, shapes, strict=True):
        name = next(n for n in left if own[n] == shape)
        left.remove(name)
        found[name] = gradient
    return found


def _by_returned_names(layout: Layout, result: Sequence[Any]) -> dict[str, Any] | None:
    """By the names in `return dW1, db1, dW2, db2`; what has no known name by its place among those that have one.

    None where the names do not fit the result, or no array has one of them.
    """
    keys = returned_names(layout.written_in)
    if len(keys) != len(result):
        return None
    known = [meant(layout, key) if key else None for key in keys]
    placed = [name for name in known if name is not None]
    if not placed or len(set(placed)) < len(placed):
        return None
    left = _open(layout, placed, len(result))
    found: dict[str, Any] = {}
    loose: dict[str, Any] = {}
    for k, (key, name, value) in enumerate(zip(keys, known, result, strict=True)):
        if value is None:
            continue
        value = value if is_leaf(value) or not isinstance(value, list) else np.asarray(value, dtype=float)
        if name is not None:
            found[name] = value
        elif is_leaf(value) and (is_gradient(key) if key else k or np.shape(value)):
            same = next((n for n in left if np.shape(layout.values[n]) == np.shape(value)), None)
            if same is None:
                loose[key or f"result[{k}]"] = value
            else:
                left.remove(same)
                found[same] = value
    if len(loose) == len(left) and (UPSTREAM in layout.names or _is_flat(layout)):
        return found | dict(zip(left, loose.values(), strict=True))
    return found | {key: value for key, value in loose.items() if np.shape(value)}


def _is_flat(layout: Layout) -> bool:
    """Whether every argument is an array or a number."""
    return all(map(is_leaf, layout.inputs))


def _open(layout: Layout, placed: Sequence[str], count: int) -> list[str]:
    """The arrays that a gradient without a known name may belong to: of a loss the parameters, of a function of
    arrays that gives as many as it takes all of them, of a layer all but the upstream gradient.
    """
    others = [n for n in layout.float_leaves if n not in placed]
    if UPSTREAM in layout.names:
        return [n for n in others if layout.role(layout.leaves[n]) != "upstream"]
    if _is_flat(layout) and count == len(layout.inputs):
        return others
    return [n for n in others if layout.role(layout.leaves[n]) == "parameter"]


def is_gradient(key: str) -> bool:
    """Whether a name is one that gradients have: dx, grad_w, w_grad."""
    return PREFIX.sub("", key) != key or SUFFIX.sub("", key) != key


def returned_names(function: Callable[..., Any]) -> list[str]:
    """The names in the last `return a, b, c` of a function; the empty text for what is no name."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return []
    returns = [n for n in ast.walk(tree) if isinstance(n, ast.Return) and isinstance(n.value, ast.Tuple)]
    if not returns:
        return []
    last = max(returns, key=lambda n: n.lineno).value
    assert isinstance(last, ast.Tuple)
    return [part.id if isinstance(part, ast.Name) else "" for part in last.elts]


def _beside(layout: Layout, arguments: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """The gradients that objects hold beside their parameters: dW beside W, W.grad, grads["W"], dweights[0]."""
    for name, leaf in layout.float_leaves.items():
        chain = list(_chain(arguments[leaf.argument], leaf.path))
        if not any(is_object(container) for container, _ in chain):
            continue
        found = next((g for container, rest in reversed(chain) for g in _near(container, rest)), None)
        if found is not None:
            yield name, found


def _chain(tree: Any, path: Path) -> Iterator[tuple[Any, Path]]:
    """Every container on the way to an array, with the rest of the way."""
    for k, key in enumerate(path):
        yield tree, path[k:]
        tree = _step(tree, key)


def at_path(tree: Any, path: Path) -> Any:
    """What is at the end of a path."""
    for key in path:
        tree = _step(tree, key)
    return tree


def _step(tree: Any, key: Any) -> Any:
    if isinstance(tree, Mapping):
        return tree.get(key)
    if isinstance(tree, list | tuple) and isinstance(key, int):
        return tree[key] if key < len(tree) else None
    for part in str(key).split("."):
        tree = getattr(tree, part, None)
    return tree


def _near(container: Any, rest: Path) -> Iterator[Any]:
    key, after = str(rest[0]), rest[1:]
    bare = key.rstrip("_")
    own = _step(container, rest[0])
    if not after and library(own) == "torch" and own.grad is not None:
        yield own.grad
    variants = [
        f"d{bare}",
        f"d_{bare}",
        f"grad_{bare}",
        f"{bare}_grad",
        f"grad{bare}",
        f"{bare}_grad_",
        f"nabla_{bare}",
    ]
    variants += [f"g{bare}", f"{bare}grad", f"d{key}", f"nabla_{bare[:1]}", f"d{bare[:1]}", f"grads_{bare}"]
    if bare in NUMBERS:
        variants += ["grad", "g", "adjoint"]
    for variant in variants:
        yield from _found(_step(container, variant) if variant != key else None, after)
    if isinstance(container, list | tuple):
        return
    for collection in COLLECTIONS:
        store = _step(container, collection)
        if isinstance(store, Mapping | list | tuple) or is_object(store):
            for start in ([rest[0]], *[[v] for v in variants], []):
                yield from _found(store, (*start, *after))
            if after and isinstance(after[-1], str):
                last = after[-1]
                for form in (last, f"d{last}", f"d_{last}", f"grad_{last}"):
                    yield from _found(store, (form,))


def _found(tree: Any, path: Path) -> Iterator[Any]:
    tree = at_path(tree, path)
    if tree is not None and not callable(tree) and (is_leaf(tree) or (isinstance(tree, list) and _is_plain(tree))):
        yield tree if is_leaf(tree) else np.asarray(tree, dtype=float)


def _steps(layout: Layout, arguments: tuple[Any, ...], before: Mapping[str, Any]) -> dict[str, Any]:
    """What a step of training subtracted, over the learning rate: for objects that learn in place."""
    found: dict[str, Any] = {}
    for name, leaf in layout.float_leaves.items():
        model = arguments[leaf.argument]
        if not is_object(model):
            continue
        now = at_path(model, leaf.path)
        rate = next((r for r in (getattr(model, key, None) for key in RATES) if isinstance(r, int | float) and r), None)
        start = before.get(name, layout.values[name])
        if rate is None or now is None or np.shape(now) != np.shape(start):
            continue
        step = (start - now) * (1 / rate)
        if np.any(step != 0):
            found[name] = step
    return found
