"""Custom gradients of PyTorch and JAX: torch.autograd.Function, torch.nn.Module and jax.custom_vjp as problems.

They are called as their libraries call them. While they are traced, `forward` and `backward` are called directly, with
a context that keeps what is saved.
"""

# A person's values have any type, and the optional libraries have no types here.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from backproof.check.code.arguments import is_leaf, leaves, library
from backproof.check.code.layout import UPSTREAM
from backproof.check.code.problem import Problem
from backproof.check.code.results import CodeError
from backproof.check.code.tracing import Traced
from backproof.check.code.upstream import NOTE, upstream_of, weighted

Function = Callable[..., Any]


class Context:
    """What autograd hands to `forward` and `backward` of a Function."""

    def __init__(self, count: int) -> None:
        self.saved_tensors: tuple[Any, ...] = ()
        self.needs_input_grad = (True,) * count

    def save_for_backward(self, *tensors: Any) -> None:
        self.saved_tensors = tensors

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        return self.saved_tensors

    def mark_non_differentiable(self, *_: Any) -> None: ...

    def mark_dirty(self, *_: Any) -> None: ...

    def set_materialize_grads(self, _: bool) -> None: ...

    save_for_forward = mark_dirty


def _is_traced(arguments: Any) -> bool:
    return any(isinstance(v, Traced) for _, v in leaves(list(arguments)))


def _parameters(function: Function, skip: int, count: int) -> tuple[str, ...]:
    names = tuple(inspect.signature(function).parameters)[skip:]
    return names[:count] if len(names) >= count else tuple(f"x{k + 1}" for k in range(count))


def of_function(function: Any, forward: Any, inputs: tuple[Any, ...]) -> Problem:
    """A torch.autograd.Function, beside a reference or its own forward."""
    import torch

    separate = "setup_context" in {name for base in function.__mro__[:-1] for name in _own(base)}
    names = _parameters(function.forward, 0 if separate else 1, len(inputs))

    def run(*arguments: Any) -> tuple[Any, Context]:
        context = Context(len(arguments))
        if not separate:
            return function.forward(context, *arguments), context
        output = function.forward(*arguments)
        function.setup_context(context, arguments, output)
        return output, context

    def output_of(*arguments: Any) -> Any:
        if forward is not None:
            return forward(*arguments)
        return run(*arguments)[0] if _is_traced(arguments) else function.apply(*arguments)

    def loss(*arguments: Any) -> Any:
        return weighted(output_of(*arguments[:-1]), arguments[-1])

    def gradient(*arguments: Any) -> dict[str, Any]:
        *data, upstream = arguments
        if _is_traced(arguments):
            context = run(*data)[1]
            found = function.backward(context, *(upstream if isinstance(upstream, tuple) else (upstream,)))
            found = found if isinstance(found, tuple | list) else (found,)
            return {n: g for n, g in zip(names, found, strict=False) if g is not None}
        live = [_live(a) for a in data]
        with torch.enable_grad():
            output = function.apply(*live)
        wanted = [k for k, a in enumerate(live) if getattr(a, "requires_grad", False)]
        found = _gradients(output, [live[k] for k in wanted], upstream)
        return {names[k]: g for k, g in zip(wanted, found, strict=True) if g is not None}

    probe = Problem(loss, gradient, inputs, names)
    output = output_of(*probe.arguments(double=False))
    origins = (function.forward, function.backward, *((forward,) if callable(forward) else ()))
    whole = (*inputs, upstream_of(_detached(output)))
    return Problem(loss, gradient, whole, (*names, UPSTREAM), origins, function.backward, (NOTE,))


def _own(base: Any) -> set[str]:
    return set(vars(base)) if not base.__module__.startswith("torch.") else set()


def _live(value: Any) -> Any:
    if library(value) == "torch" and value.is_floating_point():
        return value.detach().requires_grad_()
    return value


def _detached(output: Any) -> Any:
    if isinstance(output, tuple | list):
        return tuple(_detached(part) for part in output)
    return output.detach()


def _gradients(output: Any, wanted: Sequence[Any], upstream: Any) -> Sequence[Any]:
    import torch

    outputs, weights = (output, upstream) if isinstance(output, tuple) else ((output,), (upstream,))
    pairs = [(o, w) for o, w in zip(outputs, weights, strict=True) if o.requires_grad]
    if not pairs or not wanted:
        raise CodeError("the output does not depend on the inputs for autograd", next="return it from the Function")
    chosen: Any = [w.to(o.dtype) for o, w in pairs]
    return torch.autograd.grad([o for o, _ in pairs], list(wanted), chosen, allow_unused=True)


def of_module(module: Any, forward: Any, inputs: tuple[Any, ...]) -> Problem:
    """A torch.nn.Module whose gradients come from autograd through Functions with a hand-written backward."""
    import torch

    own = _parameters(type(module).forward, 1, len(inputs))
    names = ("self", *own)

    def output_of(module: Any, *data: Any) -> Any:
        return forward(module, *data) if forward is not None else module(*data)

    def scalar(output: Any) -> bool:
        return not isinstance(output, tuple) and output.ndim == 0

    def loss(*arguments: Any) -> Any:
        output = output_of(arguments[0], *arguments[1 : 1 + len(inputs)])
        return weighted(output, arguments[-1]) if len(arguments) > 1 + len(inputs) else output

    def gradient(model: Any, *arguments: Any) -> dict[str, Any]:
        live = [_live(a) for a in arguments[: len(inputs)]]
        parameters = dict(model.named_parameters())
        with torch.enable_grad():
            output = model(*live)
        floats = {n: a for n, a in zip(own, live, strict=True) if getattr(a, "requires_grad", False)}
        both = parameters | floats
        upstream = arguments[-1] if len(arguments) > len(inputs) else torch.ones_like(output)
        found = _gradients(output, list(both.values()), upstream)
        return {n: g for n, g in zip(both, found, strict=True) if g is not None}

    probe = Problem(loss, gradient, (module, *inputs), names)
    output = output_of(*probe.arguments(double=False))
    origins = (type(module).forward, *((forward,) if callable(forward) else ()))
    if scalar(output):
        return Problem(loss, gradient, (module, *inputs), names, origins, type(module).forward)
    whole = (module, *inputs, upstream_of(_detached(output)))
    return Problem(loss, gradient, whole, (*names, UPSTREAM), origins, type(module).forward, (NOTE,))


def of_custom_vjp(function: Any, forward: Any, inputs: tuple[Any, ...]) -> Problem:
    """A jax.custom_vjp, beside a reference or its own function."""
    import jax

    names = _parameters(function.fun, 0, len(inputs))
    fixed = tuple(k % len(inputs) for k in function.nondiff_argnums)
    moving = [k for k in range(len(inputs)) if k not in fixed]
    plain = inspect.unwrap(forward) if forward is not None else None

    def output_of(*arguments: Any) -> Any:
        if _is_traced(arguments):
            return (plain or inspect.unwrap(function.fun))(*arguments)
        return (forward or function.fun)(*arguments)

    def loss(*arguments: Any) -> Any:
        return weighted(output_of(*arguments[:-1]), arguments[-1])

    def gradient(*arguments: Any) -> dict[str, Any]:
        *data, upstream = arguments
        if _is_traced(arguments):
            kept = inspect.unwrap(function.fwd)(*data)[1]
            found = inspect.unwrap(function.bwd)(*(data[k] for k in fixed), kept, upstream)
        else:

            def moved(*given: Any) -> Any:
                whole = list(data)
                for k, value in zip(moving, given, strict=True):
                    whole[k] = value
                return function(*whole)

            _, pull = jax.vjp(moved, *(data[k] for k in moving))
            said = function.bwd(*(data[k] for k in fixed), function.fwd(*data)[1], upstream)
            # JAX puts zeros for None, which says that there is no gradient, not that it is zero.
            found = [g if said[k] is not None else None for k, g in enumerate(pull(upstream))]
        return {names[k]: g for k, g in zip(moving, found, strict=True) if g is not None and _is_real(g)}

    probe = Problem(loss, gradient, inputs, names)
    output = output_of(*probe.arguments(double=False))
    origins = (function.fun, function.fwd, function.bwd, *((forward,) if callable(forward) else ()))
    whole = (*inputs, upstream_of(output))
    return Problem(loss, gradient, whole, (*names, UPSTREAM), origins, function.bwd, (NOTE,))


def _is_real(gradient: Any) -> bool:
    """JAX gives gradients of integers a type without numbers."""
    return not (is_leaf(gradient) and str(getattr(gradient, "dtype", "")) == "float0")
