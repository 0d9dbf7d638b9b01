"""What torch's gradcheck and JAX's check_grads say of the same functions: found or not; neither names a mistake.

Both are given the functions as custom gradients over NumPy, in float64, with their own default tolerances.
"""

from __future__ import annotations

import importlib.util

import numpy as np


def ask(module, name):
    """For each peer that is installed, whether it finds the gradient wrong."""
    answers = {}
    if importlib.util.find_spec("torch") is not None:
        answers["gradcheck"] = _gradcheck(module, name)
    if importlib.util.find_spec("jax") is not None:
        answers["check_grads"] = _check_grads(module, name)
    return answers


def _parts(module, name):
    params, x, y = module.example(0)
    names = [key for key, value in params.items() if np.asarray(value).dtype.kind == "f"]
    arrays = [np.array(params[key], dtype=float) for key in names]

    def loss(*values):
        return float(module.forward(params | dict(zip(names, values)), x, y))

    def gradient(*values):
        grads = getattr(module, name)(params | dict(zip(names, values)), x, y)
        return [np.asarray(grads[key if key in grads else "d" + key], dtype=float) for key in names]

    return arrays, loss, gradient


def _gradcheck(module, name):
    import torch

    arrays, loss, gradient = _parts(module, name)

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            ctx.save_for_backward(*tensors)
            return torch.tensor(loss(*(t.detach().numpy() for t in tensors)), dtype=torch.float64)

        @staticmethod
        def backward(ctx, upstream):
            grads = gradient(*(t.detach().numpy() for t in ctx.saved_tensors))
            return tuple(upstream * torch.as_tensor(g) for g in grads)

    try:
        return not torch.autograd.gradcheck(
            Function.apply, [torch.tensor(a, requires_grad=True) for a in arrays], raise_exception=False
        )
    except Exception:
        return True


def _check_grads(module, name):
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    arrays, loss, gradient = _parts(module, name)

    @jax.custom_vjp
    def function(*values):
        return jax.pure_callback(
            lambda *v: np.float64(loss(*map(np.asarray, v))), jax.ShapeDtypeStruct((), np.float64), *values
        )

    def run(*values):
        return function(*values), values

    def back(values, upstream):
        shapes = tuple(jax.ShapeDtypeStruct(v.shape, np.float64) for v in values)
        grads = jax.pure_callback(lambda *v: tuple(gradient(*map(np.asarray, v))), shapes, *values)
        return tuple(upstream * g for g in grads)

    function.defvjp(run, back)
    try:
        check_grads(function, tuple(arrays), order=1, modes=["rev"])
    except Exception:
        return True
    return False
