"""Hostile examples made from a person's own: other batches, sizes, masks, labels, magnitudes, memory layouts, types."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from backproof.check.code.arguments import is_object, leaves, library, numbers, replaced
from backproof.check.code.kinds import CodeMistake, named
from backproof.check.code.operations import Array
from backproof.check.code.problem import Problem
from backproof.check.code.results import CodeError

MAX_AXES: Final = 5
MAX_TRIES: Final = 24
EPSILONS: Final = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23}


def examples(problem: Problem) -> Iterator[tuple[str, Problem]]:
    """Other examples of the same kind, each with what is said when a mistake shows only there."""
    rng = np.random.default_rng(23)
    for count in (1, uneven(problem)):
        small = small_batch(problem, count) if count else None
        if small is not None:
            yield f"shows with a batch of {count if count > 1 else 'one'}", small
    weights = {n: v for n, v in problem.values.items() if problem.role(problem.leaves[n]) == "parameter" and _free(v)}
    for says, low, high in (
        ("shows with other weights", 0.5, 1.6),
        ("shows with large weights", 3.0, 4.0),
        ("shows with small weights", 0.01, 0.1),
    ):
        yield says, moved(problem, {n: alike(v, v * rng.uniform(low, high, v.shape)) for n, v in weights.items()})
    data = {n: v for n, v in problem.values.items() if problem.role(problem.leaves[n]) == "data" and _free(v)}
    if data:
        other = {n: alike(v, v * rng.uniform(0.5, 1.6, v.shape)) for n, v in data.items()}
        yield "shows with other data", moved(problem, other)
    upstream = {n: v for n, v in problem.values.items() if problem.role(problem.leaves[n]) == "upstream"}
    if upstream:
        yield (
            "shows with another upstream gradient",
            moved(problem, {n: 3 * rng.normal(size=v.shape) for n, v in upstream.items()}),
        )
    yield from _choices(problem, rng)


def moved(problem: Problem, values: Mapping[str, Array]) -> Problem:
    """The problem at another point."""
    return problem.at(problem.arguments(values))


def alike(own: Array, other: Array) -> Array:
    """Other numbers with what the own ones have in common: symmetry, order, rows or columns of sum 1, orthogonality.

    Code may rest on any of these, and forward does not say so.
    """
    if own.ndim == 2 and own.shape[0] == own.shape[1] > 1:
        if np.allclose(own, own.T):
            return np.tril(other) + np.tril(other, -1).T
        if np.allclose(own @ own.T, np.eye(len(own))):
            return own
    if own.ndim == 1 and own.size > 2 and np.all(np.diff(own) > 0):
        return np.sort(other)
    for axis in (-1, 0) if own.ndim and np.all(own >= 0) else ():
        if own.shape[axis] > 1 and np.allclose(np.sum(own, axis=axis), 1):
            return other / np.sum(other, axis=axis, keepdims=True)
    return other


def _free(values: Array) -> bool:
    """Whether an array holds measured numbers, not counts, masks or one-hot rows."""
    return bool(np.any(values != np.round(values)))


def _choices(problem: Problem, rng: np.random.Generator) -> Iterator[tuple[str, Problem]]:
    """Other masks, weights of examples or classes, labels, and labels to be ignored."""
    masks: dict[str, Any] = {}
    weights: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    for name, leaf in problem.leaves.items():
        if problem.role(leaf) == "parameter" or not library(leaf.original) or not np.ndim(leaf.original):
            continue
        own = numbers(leaf.original)
        if own.dtype == bool and own.size > 1:
            masks[name] = own ^ (rng.uniform(size=own.shape) < 0.3)
        elif own.dtype.kind == "f" and own.size > 1 and np.all(own == 1):
            weights[name] = rng.uniform(0.5, 1.5, size=own.shape)
        elif own.dtype.kind in "iu" and own.ndim == 1 and problem.role(leaf) == "target":
            drawn = rng.integers(own.min(), own.max() + 1, size=own.shape)
            # Numbers that are all different may be an order, which no number may enter twice.
            labels[name] = (rng.permutation(own) if len(np.unique(own)) == own.size else drawn).astype(own.dtype)
    if masks:
        yield "shows with another mask", moved(problem, masks)
    if weights:
        yield "shows with weights that are not all 1", moved(problem, weights)
    if labels:
        yield "shows with other labels", moved(problem, labels)
        ignored = _ignored(problem)
        if ignored is not None:
            chosen = {
                n: np.where(rng.uniform(size=v.shape) < 0.4, ignored, v).astype(v.dtype) for n, v in labels.items()
            }
            yield f"shows with labels of {ignored}, which forward ignores", moved(problem, chosen)


def _ignored(problem: Problem) -> int | None:
    """The label that forward says it ignores: a default or a constant with such a name."""
    for function in problem.origins or (problem.forward,):
        try:
            source = inspect.getsource(inspect.unwrap(function))
        except (OSError, TypeError):
            continue
        found = re.search(r"(?i)\b\w*ignore\w*\s*[:=]+\s*(-\d+)|(?i:ignore)\w*\D{0,12}(-\d+)", source)
        if found is not None:
            return int(found.group(1) or found.group(2))
        space = getattr(inspect.unwrap(function), "__globals__", {})
        for name in re.findall(r"(?i)\b\w*ignore\w*\b", source):
            if isinstance(space.get(name), int):
                return int(space[name])
    return None


def small_batch(problem: Problem, count: int) -> Problem | None:
    """The problem with its first examples alone, where data and targets have examples along their first axis."""
    if problem.library == "jax":
        # JAX reads past the end of an array without a word: code for a given length would be accused.
        return None
    data = _examples(problem)
    lengths = {len(array) for array in data.values()}
    if len(lengths) != 1 or min(lengths) <= count or (len(problem.inputs) != 3 and len(data) < 2):
        return None
    # One example is broadcast against anything; several are not.
    if count == 1 and not _grows(problem, data, {(n, 0) for n in data}):
        return None
    return problem.at(problem.arguments({n: array[:count] for n, array in data.items()}))


def _examples(problem: Problem) -> dict[str, Array]:
    return {
        n: numbers(leaf.original)
        for n, leaf in problem.leaves.items()
        if problem.role(leaf) != "parameter" and library(leaf.original) and np.ndim(leaf.original)
    }


def uneven(problem: Problem) -> int:
    """An odd number of examples, at least 3 and fewer than there are; 0 where there is none."""
    lengths = {len(array) for array in _examples(problem).values()}
    if len(lengths) != 1:
        return 0
    (length,) = lengths
    odd = length - 1 if length % 2 == 0 else length - 2
    return odd if odd >= 3 else 0


def sizes(problem: Problem) -> Iterator[tuple[str, Problem]]:
    """The problem with one of its sizes smaller, in the fewest arrays that forward then still takes.

    Two sizes that are equal in the example hide which of them a formula means; a stride that divides a length hides
    what happens at the end.
    """
    arrays = {
        n: numbers(leaf.original)
        for n, leaf in problem.leaves.items()
        if library(leaf.original) and np.ndim(leaf.original) and problem.role(leaf) != "upstream"
    }
    if problem.library == "jax" or any(problem.role(leaf) == "upstream" for leaf in problem.leaves.values()):
        return
    by_length: dict[int, list[tuple[str, int]]] = {}
    for name, array in arrays.items():
        for axis, length in enumerate(array.shape):
            if length >= 3:
                by_length.setdefault(length, []).append((name, axis))
    batch = {(n, 0) for n in _examples(problem)}
    # A target with a class less may no longer sum to 1.
    shares = {
        n for n, v in arrays.items() if problem.role(problem.leaves[n]) == "target" and np.all((v >= 0) & (v <= 1))
    }
    tries = 0
    for length, axes in by_length.items():
        kept: list[set[tuple[str, int]]] = []
        if len(axes) > MAX_AXES or (len(axes) == 1 and arrays[axes[0][0]].ndim < 3):
            continue
        subsets = itertools.chain.from_iterable(itertools.combinations(axes, k) for k in range(1, len(axes) + 1))
        for subset in map(set, subsets):
            together = batch & set(axes)
            if any(known <= subset for known in kept) or (subset & together and not together <= subset):
                continue
            if any(name in shares and axis > 0 for name, axis in subset):
                continue
            # One side alone of a square matrix: most functions of it mean nothing then.
            if len(subset) == 1 and len(set(arrays[next(iter(subset))[0]].shape[-2:])) == 1:
                continue
            tries += 1
            if tries > MAX_TRIES:
                return
            other = _cropped(problem, arrays, subset)
            if other is not None and _grows(problem, arrays, subset):
                kept.append(subset)
                where = ", ".join(f"axis {axis} of {name}" for name, axis in sorted(subset))
                yield f"shows when {where} has length {length - 1}, not {length}", other


def _grows(problem: Problem, arrays: Mapping[str, Array], axes: set[tuple[str, int]]) -> bool:
    """Whether forward also takes these axes one longer, their last entry repeated.

    If it does not, their length is bound to that of another array, and a shorter one only runs because it is
    broadcast or looked up in part: forward then means another thing.
    """
    changed: dict[str, Array] = {}
    for name, axis in axes:
        array = changed.get(name, arrays[name])
        length = array.shape[axis]
        changed[name] = np.take(array, [*range(length), length - 1], axis=axis)
    try:
        problem.at(problem.arguments(changed)).loss()
    except Exception:  # forward is not made for these sizes
        return False
    return True


def _cropped(problem: Problem, arrays: Mapping[str, Array], axes: set[tuple[str, int]]) -> Problem | None:
    changed: dict[str, Array] = {}
    for name, axis in axes:
        array = changed.get(name, arrays[name])
        changed[name] = np.take(array, range(array.shape[axis] - 1), axis=axis)
    other = problem.at(problem.arguments(changed))
    try:
        if not np.isfinite(other.loss()):
            return None
        other.claimed()
    except Exception:  # forward or backward is not made for these sizes
        return None
    return other


def leading(problem: Problem) -> Problem | None:
    """The problem with a further axis before those of the data, where both functions take that."""
    data = _examples(problem)
    if (
        not data
        or problem.library == "jax"
        or any(problem.role(leaf) == "upstream" for leaf in problem.leaves.values())
    ):
        return None
    other = problem.at(problem.arguments({n: np.stack([v, v[::-1]]) for n, v in data.items()}))
    try:
        claims = other.claimed()
    except Exception:  # backward is not made for more axes
        return None
    fits = all(np.shape(numbers(g)) == np.shape(problem.values[n]) for n, g in claims.items() if n not in data)
    return other if fits else None


def layouts(problem: Problem, claims: Mapping[str, Any]) -> tuple[dict[str, CodeMistake], list[str]]:
    """What backward does with arrays that may not be written, and that are not contiguous."""
    mistakes: dict[str, CodeMistake] = {}
    notes: list[str] = []
    for says, change in (("read-only", _read_only), ("not contiguous", _strided)):
        arguments = problem.arguments(double=False)
        touched = False
        for k, argument in enumerate(arguments):
            if not is_object(argument):
                touched |= _changed_in_place(arguments, k, change)
        if not touched:
            continue
        arguments = tuple(_with(argument, change) for argument in arguments)
        try:
            again = problem.gradients(arguments, {})
        except Exception as error:
            if says == "read-only" and "read-only" in str(error):
                found = named("in-place", "backward writes into an array that it was given")
                mistakes |= dict.fromkeys(claims, found)
            else:
                notes.append(f"backward fails for arrays that are {says}: {type(error).__name__}: {error}"[:200])
            continue
        for name, claim in claims.items():
            if name in again and not same(np.array(numbers(claim)), np.array(numbers(again[name]))):
                mistakes[name] = named("not-a-formula-error", f"other numbers for arrays that are {says}")
    return mistakes, notes


def _changed_in_place(arguments: tuple[Any, ...], k: int, change: Callable[[Array], Array]) -> bool:
    return any(isinstance(v, np.ndarray) and v.ndim and change(v) is not v for _, v in leaves(arguments[k]))


def _with(argument: Any, change: Callable[[Array], Array]) -> Any:
    if is_object(argument):
        return argument
    return replaced(argument, lambda _, v: change(v) if isinstance(v, np.ndarray) and v.ndim else v)


def _read_only(array: Array) -> Array:
    fixed = array.copy()
    fixed.flags.writeable = False
    return fixed


def _strided(array: Array) -> Array:
    """The same numbers, in every second place of a larger array that is stored by columns."""
    whole = np.zeros((*(2 * n for n in array.shape),), dtype=array.dtype, order="F")
    view = whole[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def same(a: Array, b: Array) -> bool:
    """Whether two results of one function are the same but for the order of additions."""
    if a.shape != b.shape:
        return False
    if a.dtype.kind not in "fc":
        return bool(np.array_equal(a, b))
    limit = 1e-4 if a.dtype.itemsize <= 4 else 1e-10
    scale = float(np.max(np.abs(a[np.isfinite(a)]), initial=0.0))
    return bool(np.allclose(a, b, rtol=limit, atol=limit * scale, equal_nan=True))


def own_types(problem: Problem, claims: Mapping[str, Any], truth: Mapping[str, Array]) -> dict[str, CodeMistake]:
    """Gradients that are far worse in the type of the inputs than rounding in this type explains.

    What rounding explains is found by moving the inputs by a unit in the last place of the type: the condition of the
    problem.
    """
    kinds = {
        str(leaf.original.dtype).removeprefix("torch.")
        for leaf in problem.float_leaves.values()
        if library(leaf.original)
    }
    epsilon = max((EPSILONS[k] for k in kinds if k in EPSILONS), default=0.0)
    if not epsilon:
        return {}
    rng = np.random.default_rng(43)
    name_of = max((k for k in kinds if k in EPSILONS), key=lambda k: EPSILONS[k])
    shaken = {n: v * (1 + epsilon * rng.uniform(-1, 1, size=v.shape)) for n, v in problem.values.items()}
    found: dict[str, CodeMistake] = {}
    try:
        double, moved_claims = problem.claimed(), problem.claimed(shaken)
    except Exception:  # the functions are made for one type alone
        return {}
    for name, claim in claims.items():
        if name not in truth or name not in double or np.shape(claim) != np.shape(truth[name]):
            continue
        own = numbers(claim).astype(float)
        right = truth[name]
        condition = float(np.max(np.abs(numbers(moved_claims[name]) - numbers(double[name])), initial=0.0))
        limit = 100 * (condition + epsilon * float(np.max(np.abs(right), initial=0.0)))
        if not np.all(np.isfinite(own)) and np.all(np.isfinite(right)):
            found[name] = named("dtype", f"not finite in {name_of}, where it is in float64")
        elif np.max(np.abs(own - right), initial=0.0) > limit:
            found[name] = named("dtype", f"far from its value in float64 when computed in {name_of}")
    return found


def overflowing(problem: Problem) -> str | None:
    """Whether backward gives what is not finite for large logits, where the loss is finite; what is then to be said."""
    weights = {n: v for n, v in problem.values.items() if problem.role(problem.leaves[n]) == "parameter" and _free(v)}
    for factor in (30.0, 300.0):
        other = moved(problem, {n: factor * v for n, v in weights.items()})
        try:
            if not np.isfinite(other.loss()):
                return None
            claims = other.claimed()
        except (CodeError, ArithmeticError, ValueError):
            return None
        bad = [n for n, g in claims.items() if not np.all(np.isfinite(numbers(g)))]
        if bad:
            return f"with weights {factor:g} times as large {', '.join(bad)} is not finite, while the loss is: overflow"
    return None
