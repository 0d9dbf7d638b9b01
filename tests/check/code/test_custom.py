"""Custom gradients of PyTorch and JAX; without these libraries the tests are left out, and pytest says so."""

from __future__ import annotations

import numpy as np
import pytest

from backproof.check.code.judging import check_gradient

# PyTorch and JAX take seconds to be imported.
pytestmark = pytest.mark.slow
RNG = np.random.default_rng(1)
X, W, B = RNG.normal(size=(6, 4)), RNG.normal(size=(3, 4)), RNG.normal(size=3)


def verdicts(report):
    return {g.name: (g.verdict, g.mistakes[0].name if g.mistakes else None) for g in report.gradients}


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed: its tests run in .ci/run")


@pytest.fixture(scope="module")
def jax():
    return pytest.importorskip("jax", reason="JAX is not installed: its tests run in .ci/run")


def linear(torch, slip=""):
    class Linear(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w, b):
            ctx.save_for_backward(x, w)
            return x.mm(w.t()) + b

        @staticmethod
        def backward(ctx, upstream):
            x, w = ctx.saved_tensors
            if slip == "upstream":
                upstream = torch.ones_like(upstream)
            return upstream.mm(w), upstream.t().mm(x), upstream.mean(0) if slip == "mean" else upstream.sum(0)

    return Linear


@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_an_autograd_function(torch, kind):
    inputs = tuple(torch.tensor(a, dtype=getattr(torch, kind)) for a in (X, W, B))
    assert check_gradient(linear(torch), inputs=inputs).ok
    assert verdicts(check_gradient(linear(torch, "mean"), inputs=inputs))["b"] == ("refuted", "bias-reduction")
    ignored = verdicts(check_gradient(linear(torch, "upstream"), inputs=inputs))
    assert {verdict for verdict, _ in ignored.values()} == {"refuted"}
    assert ("refuted", "upstream-ignored") in ignored.values()


def test_an_autograd_function_beside_a_reference(torch):
    class Swish(torch.autograd.Function):
        @staticmethod
        def forward(x, beta):
            return x * torch.sigmoid(beta * x)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0], output)
            ctx.beta = inputs[1]

        @staticmethod
        def backward(ctx, upstream):
            x, y = ctx.saved_tensors
            s = torch.sigmoid(ctx.beta * x)
            return upstream * (ctx.beta * y + s * (1 - ctx.beta * y)), None

    x = torch.tensor(X)
    assert check_gradient(Swish, forward=lambda x, _: torch.nn.functional.silu(x), inputs=(x, 1.0)).ok
    assert (
        verdicts(check_gradient(Swish, forward=lambda x, _: torch.nn.functional.relu(x), inputs=(x, 1.0)))["x"][0]
        == "refuted"
    )


def module(torch, scale):
    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.W = torch.nn.Parameter(torch.tensor(W.T.copy()))
            self.b = torch.nn.Parameter(torch.tensor(B))

        def forward(self, x):
            self.x, self.h = x, torch.tanh(x @ self.W + self.b)
            return self.h

        def backward(self, upstream):
            dz = upstream * (1 - self.h**2)
            self.W.grad, self.b.grad = self.x.t() @ dz, scale * dz.sum(0)
            return dz @ self.W.t()

    return Layer()


def test_a_module_with_a_method_for_its_gradients(torch):
    x = torch.tensor(X)
    assert set(verdicts(check_gradient(module(torch, 1), inputs=(x,)))) == {"x", "W", "b"}
    assert check_gradient(module(torch, 1), inputs=(x,)).ok
    assert verdicts(check_gradient(module(torch, -1), inputs=(x,)))["b"] == ("refuted", "sign")


def test_a_module_whose_gradients_come_from_functions(torch):
    function = linear(torch, "mean")

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.tensor(W))
            self.b = torch.nn.Parameter(torch.tensor(B))

        def forward(self, x):
            return torch.tanh(function.apply(x, self.w, self.b))

    found = verdicts(check_gradient(Net(), inputs=(torch.tensor(X),)))
    assert found["w"][0] == "proved"
    assert found["b"][0] == "refuted"


def test_bfloat16_is_judged_by_its_own_precision(torch):
    inputs = tuple(torch.tensor(a, dtype=torch.bfloat16) for a in (X, W, B))
    assert check_gradient(linear(torch), inputs=inputs).ok
    assert verdicts(check_gradient(linear(torch, "mean"), inputs=inputs))["b"][0] == "refuted"


def custom_tanh(jax, slope):
    jnp = jax.numpy

    @jax.custom_vjp
    def activation(x):
        return jnp.tanh(x)

    def forward(x):
        y = jnp.tanh(x)
        return y, y

    def backward(y, upstream):
        return (upstream * (1 - y**2 if slope else 1 - y),)

    activation.defvjp(forward, backward)
    return activation


def test_a_custom_vjp(jax):
    x = jax.numpy.asarray(X)
    assert check_gradient(custom_tanh(jax, True), inputs=(x,)).ok
    assert verdicts(check_gradient(custom_tanh(jax, False), inputs=(x,))) == {"x": ("refuted", "wrong-exponent")}


def test_a_custom_vjp_with_arguments_that_are_not_differentiated(jax):
    from functools import partial

    jnp = jax.numpy

    @partial(jax.custom_vjp, nondiff_argnums=(1,))
    def scaled(params, power, y):
        return jnp.sum((params["w"] - y) ** power)

    def forward(params, power, y):
        return scaled(params, power, y), (params, y)

    def backward(power, kept, upstream):
        params, y = kept
        return {"w": upstream * (params["w"] - y) ** (power - 1)}, None

    scaled.defvjp(forward, backward)
    report = check_gradient(scaled, inputs=({"w": jnp.asarray(W)}, 2, jnp.asarray(W + 1)))
    assert verdicts(report) == {"w": ("refuted", "factor")}
