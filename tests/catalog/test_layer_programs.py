"""Every layer of the catalogue: derived gradients against differences of the forward pass, and against PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
import pytest

from backproof import catalog
from backproof.calculus.exact_numbers import digits
from backproof.calculus.interpreter import evaluate
from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.catalog import Layer
from backproof.catalog.layers import LAYERS, Operand
from backproof.errors import FormulaError

SIZES = {
    "m": 3, "n": 4, "h": 2, "d": 2, "v": 5, "r": 4, "s": 5, "c": 2, "q": 3, "k": 2, "l": 3, "t": 3,
}  # fmt: skip
STEP = mpmath.mpf(10) ** -20


def shift(places: int, outputs: int, offsets: int, stride: int = 1, padding: int = 0) -> np.ndarray:
    """1 where place p is stride·i + u − padding."""
    p, i, u = np.ogrid[:places, :outputs, :offsets]
    return (p == stride * i + u - padding).astype(float)


def example(layer: Layer, seed: int = 0) -> dict[str, np.ndarray]:
    """Inputs of a layer, what is given among them as its meaning asks."""
    rng = np.random.default_rng(seed)
    values: dict[str, np.ndarray] = {}
    for operand in layer.operands:
        values[operand.name] = given(operand, rng) if operand.role == "given" else numbers(operand.sorts, rng)
    program = catalog.layer_program(layer)
    for result in layer.results:
        values[catalog.arriving(result)] = numbers(program.sorts(result), rng)
    return values


def numbers(sorts: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    return np.round(rng.normal(size=[SIZES[s] for s in sorts]), 3)


def given(operand: Operand, rng: np.random.Generator) -> np.ndarray:
    shape = [SIZES[s] for s in operand.sorts]
    match operand.name, len(shape):
        case (("eps" | "p"), 0):
            return np.array(0.25)
        case "x", 2:
            return np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
        case (("S" | "T"), 3):
            return shift(*shape)
        case "M", 2:
            return np.tril(np.ones(shape))
        case _:
            return (rng.uniform(size=shape) < 0.6).astype(float)


FUNCTIONS: dict[str, Any] = {"f": [lambda u: u * u * u + 2 * u, lambda u: 3 * u * u + 2]}


@pytest.mark.parametrize("layer", LAYERS, ids=lambda entry: entry.name)
def test_gradients_agree_with_differences_of_the_forward_pass_to_many_digits(layer: Layer) -> None:
    """The slope along a random direction, from the definitions alone, with 60 digits and a step of 10⁻²⁰."""
    program, values = catalog.layer_program(layer), example(layer)
    found = adjoints(program, "J")
    whole = program.extended(found[n] for n in found if n != "J")
    rng = np.random.default_rng(1)
    exact = digits(60)
    with mpmath.workdps(60):
        every = evaluate(whole, values, numbers=exact, functions=FUNCTIONS)

        def loss(name: str, direction: np.ndarray, sign: int) -> Any:
            moved = np.vectorize(mpmath.mpf, otypes=[object])(values[name]) + sign * STEP * direction
            return evaluate(program, {**values, name: moved}, numbers=exact, functions=FUNCTIONS)["J"]

        for name in layer.differentiated:
            direction = np.vectorize(mpmath.mpf, otypes=[object])(np.round(rng.normal(size=np.shape(values[name])), 2))
            expected = np.sum(np.asarray(every[adjoint_name("J", name)]) * direction)
            slope = (loss(name, direction, 1) - loss(name, direction, -1)) / (2 * STEP)
            assert abs(_number(slope) - _number(expected)) <= 1e-30 * (1 + abs(_number(expected))), name
            assert abs(_number(expected)) > 1e-6, f"{name} has no part in the check"


def _number(value: Any) -> Any:
    return np.asarray(value, dtype=object).reshape(-1)[0]


def test_each_result_has_a_gradient_that_arrives_and_what_is_given_is_declared() -> None:
    for layer in LAYERS:
        program = catalog.layer_program(layer)
        assert program.definitions[-1].name == "J"
        assert {*layer.results} <= set(program.by_name), layer.name
        assert layer.source, layer.name
        for name in (o.name for o in layer.operands if o.role == "given"):
            operand = catalog.operand(layer, name)
            assert operand is not None
            assert operand.meaning, (layer.name, name)
        for assumption in layer.assumptions:
            assert assumption.tensor in program.inputs


def test_a_wrong_equation_is_refused() -> None:
    bad = Layer(name="bad", operands=(Operand("x", ("n",)),), equations=("y_j = x_i",), results=("y",), source="none")
    with pytest.raises(FormulaError):
        catalog.layer_program(bad)
    worse = Layer(name="worse", operands=(), equations=("no equation",), results=(), source="none")
    with pytest.raises(FormulaError):
        catalog.layer_program(worse)


def references() -> Mapping[str, Callable[..., Any]]:
    """What PyTorch computes for the same inputs, result by result."""
    import torch

    F: Any = torch.nn.functional

    def heads(v: Any) -> Any:
        q, k, w = (torch.einsum("tj,jai->ati", v["x"], v[name]) for name in "FGH")
        return torch.einsum("ati,aio->to", F.scaled_dot_product_attention(q, k, w), v["W"])

    def cell(kind: str, names: str, v: Any) -> tuple[Any, ...]:
        order = {"lstm": "ufgo", "gru": "rug"}.get(kind, "")
        wi = torch.cat([v["W" + g].T for g in order]) if order else v["W"].T
        wh = torch.cat([v["U" + g].T for g in order]) if order else v["U"].T
        bi = torch.cat([v["b" + g] for g in order]) if order else v["b"]
        zero = torch.zeros_like(bi)
        if kind == "gru":
            zero = torch.cat([zero[:4], v["q"]])
            return (torch.gru_cell(v["x"], v["s"], wi, wh, bi, zero),)
        if kind == "lstm":
            return tuple(torch.lstm_cell(v["x"], (v["s"], v["q"]), wi, wh, bi, zero))
        return (torch.rnn_tanh_cell(v["x"], v["s"], wi, wh, bi, zero),)

    def grouped(v: Any) -> Any:
        m, q, c, r = v["x"].shape
        flat = F.group_norm(v["x"].reshape(m, q * c, r), q, v["g"].reshape(-1), v["b"].reshape(-1), 0.25)
        return flat.reshape(m, q, c, r)

    def normalised(v: Any) -> Any:
        return F.batch_norm(v["x"], None, None, v["g"], v["b"], training=True, eps=0.25)

    return {
        "dense": lambda v: F.linear(v["x"], v["W"].T, v["b"]),
        "residual": lambda v: v["x"] + (v["x"] ** 3 + 2 * v["x"]) @ v["W"],
        "dropout": lambda v: v["x"] * v["d"] / 0.75,
        "embedding": lambda v: F.embedding(v["x"].argmax(1), v["E"]),
        "softmax": lambda v: torch.softmax(v["z"], 1),
        "layer-norm": lambda v: F.layer_norm(v["x"], (4,), v["g"], v["b"], 0.25),
        "rms-norm": lambda v: F.rms_norm(v["x"], (4,), v["g"], 0.25),
        "batch-norm": normalised,
        "group-norm": grouped,
        "conv-1d": lambda v: F.conv1d(v["x"], v["w"], v["b"]),
        "conv-2d": lambda v: F.conv2d(v["x"], v["w"], v["b"]),
        "attention": lambda v: F.scaled_dot_product_attention(v["Q"], v["K"], v["V"]),
        "masked-attention": lambda v: F.scaled_dot_product_attention(v["Q"], v["K"], v["V"], v["M"].bool()),
        "multi-head-attention": heads,
        "rnn": lambda v: cell("rnn", "h", v),
        "lstm": lambda v: cell("lstm", "hc", v),
        "gru": lambda v: cell("gru", "h", v),
    }


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS, ids=lambda entry: entry.name)
def test_results_and_gradients_agree_with_pytorch(layer: Layer) -> None:
    torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed")
    values = example(layer, seed=2)
    tensors = {n: torch.tensor(v, requires_grad=n in layer.differentiated) for n, v in values.items()}
    results = references()[layer.name](tensors)
    results = results if isinstance(results, tuple) else (results,)
    loss = sum((tensors[catalog.arriving(n)] * r).sum() for n, r in zip(layer.results, results, strict=True))
    loss.backward()
    program = catalog.layer_program(layer)
    found = adjoints(program, "J")
    every = evaluate(program.extended(found[n] for n in found if n != "J"), values, functions=FUNCTIONS)
    for name, result in zip(layer.results, results, strict=True):
        np.testing.assert_allclose(every[name], result.detach().numpy(), rtol=1e-10, atol=1e-12)
    for name in layer.differentiated:
        own = np.asarray(every[adjoint_name("J", name)], dtype=float)
        np.testing.assert_allclose(own, tensors[name].grad.numpy(), rtol=1e-8, atol=1e-11, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize(("stride", "padding", "places", "outputs"), [(2, 0, 6, 3), (1, 1, 4, 5), (2, 1, 5, 3)])
def test_one_convolution_is_every_stride_and_padding(stride: int, padding: int, places: int, outputs: int) -> None:
    torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed")
    layer = catalog.find_layer("conv1d")
    rng = np.random.default_rng(4)
    values = {
        "x": rng.normal(size=(3, 2, places)),
        "w": rng.normal(size=(2, 2, 2)),
        "b": rng.normal(size=2),
        "S": shift(places, outputs, 2, stride, padding),
        "Gy": rng.normal(size=(3, 2, outputs)),
    }
    tensors = {n: torch.tensor(v, requires_grad=n in "xwb") for n, v in values.items()}
    result = torch.nn.functional.conv1d(tensors["x"], tensors["w"], tensors["b"], stride=stride, padding=padding)
    (result * tensors["Gy"]).sum().backward()
    program = catalog.layer_program(layer)
    found = adjoints(program, "J")
    every = evaluate(program.extended(found[n] for n in found if n != "J"), values)
    np.testing.assert_allclose(every["y"], result.detach().numpy(), rtol=1e-10)
    for name in "xwb":
        np.testing.assert_allclose(every[f"∂J/∂{name}"], tensors[name].grad.numpy(), rtol=1e-10)
