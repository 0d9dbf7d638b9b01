"""Adapters: whatever a person has, as a pair of functions of the same arguments, a loss and its gradients.

Where the forward function gives an array and no loss, the loss is the sum of its entries, each times a random number:
the upstream gradient, which is neither ones nor constant.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from backproof.calculus.network import Network
from backproof.check.code.arguments import is_leaf, is_object
from backproof.check.code.custom import of_custom_vjp, of_function, of_module
from backproof.check.code.layout import UPSTREAM, argument_names
from backproof.check.code.problem import Problem
from backproof.check.code.programs import loss_of
from backproof.check.code.results import CodeError, at_path
from backproof.check.code.upstream import NOTE, upstream_of, weighted
from backproof.errors import UsageError

Function = Callable[..., Any]
CACHE: Final = re.compile(r"cache|ctx|context|saved|memory|memo|residual|^res$|tape|state|stash|intermediate|caches")
LOSSES: Final = ("loss", "cost", "objective", "forward", "fun")
GRADIENTS: Final = ("backward", "backprop", "gradient", "gradients", "grad", "jac", "partial_fit")


def problem_of(backward: Any, forward: Any, inputs: Sequence[Any]) -> Problem:
    """The problem in what was given. Raises UsageError for what is neither a function nor an object with one."""
    inputs = tuple(inputs)
    kind = _kind(backward)
    if kind == "autograd":
        return of_function(backward, forward, inputs)
    if kind == "custom_vjp":
        return of_custom_vjp(backward, forward, inputs)
    if kind == "object":
        return _of_object(backward, forward, inputs)
    if backward is True:
        backward = forward
    if isinstance(forward, Network | str | Path):
        return _of_program(loss_of(forward), backward, inputs)
    owner = getattr(backward, "__self__", None)
    if owner is not None and is_object(owner):
        return _of_methods(owner, backward, forward, inputs)
    if not callable(backward) or not (forward is None or callable(forward)):
        raise UsageError(
            "this is nothing that can be checked",
            expected="functions, an object with methods, a torch.autograd.Function or a jax.custom_vjp",
            got=type(backward if not callable(backward) else forward).__name__,
        )
    if forward is None or forward is backward:
        return _of_pair(backward, inputs)
    return _of_functions(forward, backward, inputs)


def _kind(value: Any) -> str:
    if isinstance(value, type):
        names = {f"{base.__module__}.{base.__qualname__}" for base in value.__mro__}
        return "autograd" if "torch.autograd.function.Function" in names else ""
    if type(value).__name__ == "custom_vjp" and type(value).__module__.startswith("jax"):
        return "custom_vjp"
    return "object" if is_object(value) else ""


def _of_pair(both: Function, inputs: tuple[Any, ...]) -> Problem:
    """A function that gives (value, gradient), as SciPy's optimisers take it with jac=True."""

    def value(*arguments: Any) -> Any:
        return both(*arguments)[0]

    def gradient(*arguments: Any) -> Any:
        result = both(*arguments)
        if not isinstance(result, tuple | list) or len(result) < 2:
            raise CodeError("the function gives no (value, gradient)", got=type(result).__name__, next="give forward=")
        return result[1] if len(result) == 2 else result

    names = argument_names(both, len(inputs))
    return Problem(value, gradient, inputs, names, (both,), both)


def _of_functions(forward: Function, backward: Function, inputs: tuple[Any, ...]) -> Problem:
    """Two functions; what backward takes is found from the names and the number of its arguments."""
    own = argument_names(forward, len(inputs))
    takes = _required(backward)
    if takes is None or (len(takes) == len(inputs) and not _is_layer(takes, own)):
        return Problem(forward, backward, inputs, own)
    sources = [own.index(name) if name in own else None for name in takes]
    missing = [name for name, source in zip(takes, sources, strict=True) if source is None]
    caches = [name for name in missing if CACHE.search(name)]
    rest = [name for name in missing if name not in caches]
    first, extras = _split(forward(*Problem(forward, backward, inputs, own).arguments(double=False)))
    upstream = not _is_loss(first)
    if upstream and not rest and len(caches) > 1:
        rest = [caches.pop(0)]
    if not upstream and extras and not caches and rest:
        caches = [rest.pop()]
    if upstream and len(rest) > 1 and not caches and extras:
        caches = [rest.pop()]
    if len(rest) > (1 if upstream else 0) or (upstream and not rest):
        raise UsageError(
            "it is not clear what the backward function takes",
            expected="the arguments of forward, the upstream gradient, a cache that forward gives",
            got=", ".join(takes),
            next="wrap it in a function of the arguments of forward",
        )

    def run_backward(*arguments: Any) -> Any:
        given = dict(zip(own, arguments, strict=False))
        if caches:
            kept = _split(forward(*arguments[: len(own)]))[1]
            given |= dict(zip(caches, kept if len(caches) > 1 or len(kept) == 1 else (kept,), strict=False))
        if upstream:
            given[rest[0]] = arguments[-1]
        return backward(*(given[name] for name in takes))

    return _with_upstream(forward, run_backward, inputs, own, first, upstream, (forward, backward), backward)


def _is_layer(takes: list[str], own: tuple[str, ...]) -> bool:
    """Whether backward takes other things than forward, as many as there are: (dout, cache) beside (x, w)."""
    return takes != list(own) and any(CACHE.search(name) for name in takes) and not set(takes) <= set(own)


def _with_upstream(
    forward: Function,
    backward: Function,
    inputs: tuple[Any, ...],
    names: tuple[str, ...],
    first: Any,
    upstream: bool,
    origins: tuple[Function, ...],
    formulas: Function,
) -> Problem:
    if not upstream:
        return Problem(forward, backward, inputs, names, origins, formulas)

    def loss(*arguments: Any) -> Any:
        return weighted(_split(forward(*arguments[:-1]))[0], arguments[-1])

    return Problem(loss, backward, (*inputs, upstream_of(first)), (*names, UPSTREAM), origins, formulas, (NOTE,))


def _split(result: Any) -> tuple[Any, tuple[Any, ...]]:
    """The output of a forward function, and what it keeps for backward."""
    if isinstance(result, tuple) and len(result) > 1:
        return result[0], tuple(result[1:])
    if isinstance(result, tuple | list) and result:
        return result[0], ()
    return result, ()


def _is_loss(value: Any) -> bool:
    return is_leaf(value) and int(np.prod(np.shape(value), dtype=int)) == 1


def _required(function: Function) -> list[str] | None:
    """The arguments that a function needs by position; None where they are any number."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return [
        p.name for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]


def _method(owner: Any, names: Sequence[str], count: int | None = None) -> Function | None:
    """The first of these methods, which takes so many arguments besides the object."""
    for name in names:
        found = inspect.getattr_static(type(owner), name, None)
        if inspect.isfunction(found) and (count is None or len(_required(found) or ()) == count + 1):
            return found
    return None


def _of_object(owner: Any, forward: Any, inputs: tuple[Any, ...]) -> Problem:
    """A model or layer with methods for both."""
    if hasattr(owner, "named_parameters") and _own_backward(owner) is None:
        return of_module(owner, forward, inputs)
    backward = _own_backward(owner) if hasattr(owner, "named_parameters") else _method(owner, GRADIENTS)
    if backward is None and callable(owner) and not hasattr(owner, "named_parameters"):
        if forward is None:
            return _of_pair(owner, inputs)
        return _of_functions(forward, owner, inputs)
    loss = _method(owner, LOSSES, len(inputs))
    if backward is None and loss is not None and forward is None:
        return _of_methods(owner, loss, None, inputs)
    if backward is None:
        raise UsageError(
            "the object has no method for its gradients",
            expected="one of " + ", ".join(GRADIENTS),
            got=type(owner).__name__,
        )
    return _of_methods(owner, backward, forward if forward is not None else loss, inputs)


def _own_backward(module: Any) -> Function | None:
    return next((vars(c)["backward"] for c in type(module).__mro__ if "backward" in vars(c)), None)


def _of_methods(owner: Any, backward: Any, forward: Any, inputs: tuple[Any, ...]) -> Problem:
    """Methods of one object, which holds the parameters and may keep what forward left for backward."""
    backward = getattr(backward, "__func__", backward)
    if forward is None:
        return _of_pair(backward, (owner, *inputs))
    bound = getattr(forward, "__self__", None) is owner
    forward = getattr(forward, "__func__", forward) if bound else forward
    if not bound and len(argument_names(forward, len(inputs) + 1)) == len(inputs) + 1:
        takes = _required(forward)
        if takes is not None and len(takes) == len(inputs):

            def ignoring(owner: Any, *arguments: Any) -> Any:
                del owner
                return forward(*arguments)

            whole = ignoring
        else:
            whole = forward
    else:
        whole = forward
    inside = _required(forward) or []
    own = ("self", *([n for n in inside if n != "self"] + [f"x{k}" for k in range(len(inputs))])[: len(inputs)])
    takes = [n for n in _required(backward) or [] if n != "self"]
    problem = Problem(whole, backward, (owner, *inputs), own)
    arguments = problem.arguments(double=False)
    first = _split(whole(*arguments))[0]
    upstream = not _is_loss(first)
    known = all(name in own for name in takes)
    loose = [name for name in takes if name not in own]
    same = len(takes) == len(inputs) and not upstream

    def run_backward(owner: Any, *given: Any) -> Any:
        data = given[: len(inputs)]
        if not same or not takes:
            # What forward leaves in the object is what backward needs.
            output = whole(owner, *data)
        else:
            whole(owner, *data)
            return backward(owner, *data)
        by_name = dict(zip(own[1:], data, strict=False))
        kept = _split(output)[1]
        for name in loose:
            if CACHE.search(name) and kept:
                by_name[name] = kept[0] if len(kept) == 1 else kept
            elif upstream:
                by_name[name] = given[-1]
        return backward(owner, *(by_name[name] for name in takes))

    if not known and not upstream and not same and not any(CACHE.search(n) for n in loose):
        raise UsageError("it is not clear what the backward method takes", got=", ".join(takes))
    return _with_upstream(whole, run_backward, (owner, *inputs), own, first, upstream, (forward, backward), backward)


def _of_program(loss: Callable[[dict[str, Any]], Any], backward: Any, inputs: tuple[Any, ...]) -> Problem:
    """A network or worksheet as the forward function: its loss by the names of the arguments."""
    names = argument_names(backward, len(inputs))
    problem = Problem(lambda *_: 0.0, backward, inputs, names)
    order = {(leaf.argument, leaf.path): name for name, leaf in problem.leaves.items()}

    def forward(*arguments: Any) -> Any:
        found = {name: at_path(arguments[k], path) for (k, path), name in order.items()}
        return loss(found)

    return Problem(forward, backward, inputs, names, (backward,), backward)
