"""Proofs of code: right backward functions of many kinds are proved, wrong ones never."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.check.code.programs_to_prove import PAIRS, Pair, normal, sigmoid

import backproof
from backproof.check.code.backward_trace import traced as backward_traced
from backproof.check.code.grounds import grounded
from backproof.check.code.judging import sources
from backproof.check.code.literals import Text, text_of
from backproof.check.code.problem import Problem
from backproof.check.code.proofs import Proofs, prove
from backproof.check.code.truth import traced

SECONDS = 20.0


def proofs(forward: Callable[..., Any], backward: Callable[..., Any], *inputs: Any) -> Proofs:
    problem = Problem(forward, backward, inputs)
    files, namespaces = sources(problem)
    claims = problem.claimed()
    back = backward_traced(problem, files, namespaces, scalars=True)
    assert back is not None
    names = [n for n in problem.float_leaves if n in claims]
    return prove(traced(problem, files, namespaces), back, names, text=text_of(files), seconds=SECONDS)


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_right_gradients_are_proved_for_any_sizes(pair: Pair) -> None:
    found = proofs(pair.forward, pair.backward, *pair.inputs)
    assert dict(found.because) == {}
    assert {proof.sizes for proof in found.proved.values()} == {"any"}


def scaled(name: str, value: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def change(backward: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(*args: Any) -> Any:
            right = backward(*args)
            return {**right, name: value * right[name]}

        return wrong

    return change


@pytest.mark.parametrize(
    ("key", "name", "value"),
    [
        ("columns", "W1", -1.0),
        ("columns", "b2", 7.0),
        ("labels", "W2", 2.0),
        ("norm", "x", 0.5),
        ("lstm", "c", 1.000001),
        ("words", "E", 5.0),
    ],
)
def test_a_factor_is_never_proved(key: str, name: str, value: float) -> None:
    pair = PAIRS[key]
    found = proofs(pair.forward, scaled(name, value)(pair.backward), *pair.inputs)
    assert name not in found.proved
    assert found.proved.keys() == {n for n in found.proved if n != name}


# --- slips that agree, or nearly agree, at the example -------------------------------------------------------------

X, Y, W = normal(5, 3), normal(5, 4), normal(3, 4)


def squares(w: Any, x: Any, y: Any) -> Any:
    return np.sum((x @ w - y) ** 2) / len(x)


def test_a_number_that_happens_to_be_a_size_is_said() -> None:
    def computed(w: Any, x: Any, y: Any) -> Any:
        return {"w": 2 * x.T @ (x @ w - y) / len(x)}

    def written(w: Any, x: Any, y: Any) -> Any:
        return {"w": 2 * x.T @ (x @ w - y) / 5}

    right = proofs(squares, computed, W, X, Y).proved["w"]
    assert (right.sizes, right.read) == ("any", ("5",))
    assert proofs(squares, written, W, X, Y).proved["w"].sizes == "those of the example"


def test_what_holds_only_where_values_agree_is_not_proved() -> None:
    """Σy = 1 at the example, and a value of the forward pass that is the same number there as another one."""

    def loss(z: Any, y: Any) -> Any:
        p = np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)
        return -np.sum(y * np.log(p))

    def shortcut(z: Any, y: Any) -> Any:
        return {"z": np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True) - y}

    targets = np.eye(4)[[0, 2, 1]]
    assert proofs(loss, shortcut, normal(3, 4), targets).proved == {}
    report = backproof.check_gradient(shortcut, forward=loss, inputs=(normal(3, 4), targets))
    assert report["z"].basis == "proved"
    assert report["z"].conditions == ("sum(y) = 1",)


def test_values_put_twice_in_one_place_are_not_added() -> None:
    def loss(e: Any, tokens: Any) -> Any:
        return np.sum(e[tokens] ** 2)

    def overwritten(e: Any, tokens: Any) -> Any:
        found = np.zeros_like(e)
        found[tokens] = 2 * e[tokens]
        return {"e": found}

    def added(e: Any, tokens: Any) -> Any:
        found = np.zeros_like(e)
        np.add.at(found, tokens, 2 * e[tokens])
        return {"e": found}

    tokens = np.array([0, 2, 2, 1])
    assert proofs(loss, overwritten, normal(4, 3), tokens).proved == {}
    assert proofs(loss, added, normal(4, 3), tokens).proved["e"].sizes == "any"


def test_a_maximum_counts_only_where_the_loss_does_not_depend_on_it() -> None:
    def stable(z: Any) -> Any:
        top = z.max()
        return np.log(np.sum(np.exp(z - top))) + top

    def pooled(z: Any) -> Any:
        return z.max() ** 2

    def softmax(z: Any) -> Any:
        e = np.exp(z - z.max())
        return {"z": e / e.sum()}

    def chosen(z: Any) -> Any:
        return {"z": 2 * z.max() * (z == z.max())}

    assert proofs(stable, softmax, normal(6)).proved["z"].sizes == "any"
    found = proofs(pooled, chosen, normal(6))
    assert found.proved == {}
    assert found.because["z"] == "the loss depends on a greatest entry itself"


def test_the_positive_part_of_an_output_is_that_of_its_input_and_the_negative_is_not() -> None:
    def loss(z: Any) -> Any:
        return np.sum(np.maximum(z, 0) ** 2)

    def right(z: Any) -> Any:
        h = np.maximum(z, 0)
        return {"z": 2 * h * (h > 0)}

    def other(z: Any) -> Any:
        h = np.maximum(z, 0)
        return {"z": 2 * h * (h >= 0) + (h < 0)}

    def wrong(z: Any) -> Any:
        h = np.maximum(z, 0)
        return {"z": 2 * h + (h >= 0) * 1e-9}

    assert set(proofs(loss, right, normal(6)).proved) == {"z"}
    assert set(proofs(loss, other, normal(6)).proved) == {"z"}
    assert proofs(loss, wrong, normal(6)).proved == {}


def test_a_shape_that_differs_and_a_lost_value_are_reasons() -> None:
    def turned(w: Any, x: Any, y: Any) -> Any:
        return {"w": (2 * x.T @ (x @ w - y) / len(x)).T}

    def lost(w: Any, x: Any, y: Any) -> Any:
        return {"w": np.array((2 * x.T @ (x @ w - y) / len(x)).tolist()) * 1.0}

    assert "shape differs" in proofs(squares, turned, W, X, Y).because["w"]
    assert proofs(squares, lost, W, X, Y).proved.keys() <= {"w"}


def test_narrow_numbers_and_short_times_leave_the_verdict_measured() -> None:
    def narrow(w: Any, x: Any, y: Any) -> Any:
        return {"w": (2 * x.T @ (x @ w - y).astype(np.float32).astype(float) / len(x))}

    def right(w: Any, x: Any, y: Any) -> Any:
        return {"w": 2 * x.T @ (x @ w - y) / len(x)}

    assert "fewer digits" in proofs(squares, narrow, W, X, Y).because["w"]
    problem = Problem(squares, right, (W, X, Y))
    files, namespaces = sources(problem)
    report = backproof.check_gradient(right, forward=squares, inputs=(W, X, Y))
    verdicts, notes = grounded(problem, {"w": report["w"]}, files, namespaces, seconds=-1.0)
    assert verdicts["w"].verdict == "proved"
    assert notes == ["measured, not proved: the time for the proof ran out"]


def test_rounding_at_large_weights_is_no_mistake() -> None:
    """The loss loses its digits where a sigmoid saturates; the gradient is right, and its formula is proved there."""
    rng = np.random.default_rng(0)
    pair = PAIRS["columns"]
    params = {
        "W1": rng.normal(size=(25, 40)) * 0.3, "b1": rng.normal(size=(25, 1)),
        "W2": rng.normal(size=(10, 25)), "b2": rng.normal(size=(10, 1)),
    }  # fmt: skip
    inputs = params, rng.normal(size=(40, 64)), np.eye(10)[rng.integers(0, 10, 64)].T
    report = backproof.check_gradient(pair.backward, forward=pair.forward, inputs=inputs)
    assert {g.verdict for g in report.gradients} == {"proved"}


def test_a_part_of_joined_arrays_is_that_part() -> None:
    def loss(w: Any, x: Any) -> Any:
        a = np.hstack([np.ones((len(x), 1)), np.tanh(np.hstack([np.ones((len(x), 1)), x]) @ w)])
        return np.sum(a[:, 1:] ** 3) + np.sum(a)

    def gradient(w: Any, x: Any) -> Any:
        a1 = np.hstack([np.ones((len(x), 1)), x])
        a2 = np.hstack([np.ones((len(x), 1)), np.tanh(a1 @ w)])
        return {"w": a1.T @ ((3 * a2[:, 1:] ** 2 + 1) * (1 - a2[:, 1:] ** 2))}

    assert set(proofs(loss, gradient, normal(4, 5), normal(6, 3)).proved) == {"w"}


def test_the_report_says_what_is_proved_and_for_which_sizes() -> None:
    pair = PAIRS["columns"]
    report = backproof.check_gradient(pair.backward, forward=pair.forward, inputs=pair.inputs)
    assert {g.basis for g in report.gradients} == {"proved"}
    assert "proved for all numbers and any sizes (7 read as a size)" in str(report)
    assert str(report).startswith("W1  right, proved")
    assert report.data()["claims"][0]["basis"] == "proved"


def test_numbers_and_names_are_read_from_the_text(tmp_path) -> None:
    path = tmp_path / "code.py"
    path.write_text("def f(x):\n    z = 3 * x\n    return z ** 2\n")
    assert text_of([str(path)]) == Text({2: frozenset({3.0}), 3: frozenset({2.0})}, {2: "z"})
    assert text_of([str(tmp_path / "none.py")]) == Text()


def loops(w: Any, x: Any) -> Any:
    h = np.zeros(3)
    for t in range(x.shape[0]):
        h = np.tanh(x[t] * w + 0.5 * h)
    return np.sum(h**2)


def through_time(w: Any, x: Any) -> Any:
    states = [np.zeros(3)]
    for t in range(x.shape[0]):
        states.append(np.tanh(x[t] * w + 0.5 * states[-1]))
    dw, dh = np.zeros_like(w), 2 * states[-1]
    for t in reversed(range(x.shape[0])):
        dz = dh * (1 - states[t + 1] ** 2)
        dw += dz * x[t]
        dh = 0.5 * dz
    return {"w": dw}


def test_a_loop_is_proved_step_by_step() -> None:
    assert set(proofs(loops, through_time, normal(3), normal(9, 3)).proved) == {"w"}


def silu(w: Any, x: Any) -> Any:
    return np.mean((x @ w) * sigmoid(x @ w))


def silu_backward(w: Any, x: Any) -> Any:
    z = x @ w
    s = sigmoid(z)
    return {"w": x.T @ (s * (1 + z * (1 - s))) / z.size}


def test_a_gate_is_proved() -> None:
    assert set(proofs(silu, silu_backward, normal(3), normal(5, 3)).proved) == {"w"}


# --- the mistake proved ---------------------------------------------------------------------------------------------


def one_layer(w: Any, b: Any, x: Any, y: Any) -> Any:
    return np.sum((np.tanh(x @ w + b) - y) ** 2) / len(x)


def one_layer_wrong(slip: str) -> Callable[..., Any]:
    def backward(w: Any, b: Any, x: Any, y: Any) -> Any:
        a = np.tanh(x @ w + b)
        d = 2 * (a - y) / len(x)
        d = d if slip == "missing-slope" else d * (1 - a**2)
        d = d * (1 - a**2) if slip == "extra-slope" else d
        d = -d if slip == "sign" else d
        d = d * len(x) if slip == "batch-scale" else d
        return {"w": x.T @ d, "b": d.sum(axis=0)}

    return backward


@pytest.mark.parametrize("slip", ["missing-slope", "extra-slope", "sign", "batch-scale"])
def test_a_named_mistake_is_proved_to_be_the_formula_of_the_code(slip: str) -> None:
    inputs = normal(3, 4), normal(4), normal(6, 3), normal(6, 4)
    report = backproof.check_gradient(one_layer_wrong(slip), forward=one_layer, inputs=inputs)
    for gradient in report.gradients[:2]:
        assert gradient.verdict == "refuted"
        assert any(m.proved for m in gradient.mistakes)
        assert slip == "batch-scale" or gradient.mistakes[0].name == slip
    assert "likely cause, proved: " in str(report)


def test_a_mistake_that_gives_other_numbers_is_not_proved() -> None:
    def noisy(w: Any, b: Any, x: Any, y: Any) -> Any:
        right = one_layer_wrong("none")(w, b, x, y)
        return {"w": right["w"] + 0.01 * np.arange(12).reshape(3, 4), "b": right["b"]}

    inputs = normal(3, 4), normal(4), normal(6, 3), normal(6, 4)
    report = backproof.check_gradient(noisy, forward=one_layer, inputs=inputs)
    assert report["w"].verdict == "refuted"
    assert not any(m.proved for m in report["w"].mistakes)
    assert report["b"].basis == "proved"


# --- PyTorch and JAX ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_code_of_pytorch_is_proved() -> None:
    torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed")
    functional: Any = torch.nn.functional

    def loss(p: Any, x: Any, y: Any) -> Any:
        h = torch.relu(functional.linear(x, p["W1"], p["b1"]))
        return functional.cross_entropy(h @ p["W2"].t() + p["b2"], y)

    def gradient(p: Any, x: Any, y: Any) -> Any:
        z = x @ p["W1"].t() + p["b1"]
        h = torch.relu(z)
        d = torch.softmax(h @ p["W2"].t() + p["b2"], dim=1)
        d[torch.arange(len(y)), y] -= 1
        d /= len(y)
        dz = d @ p["W2"] * (z > 0).double()
        return {"W1": dz.t() @ x, "b1": dz.sum(0), "W2": d.t() @ h, "b2": d.sum(0)}

    arrays = {"W1": normal(6, 3), "b1": normal(6), "W2": normal(4, 6), "b2": normal(4)}
    params = {n: torch.tensor(v) for n, v in arrays.items()}
    labels = torch.tensor([0, 1, 2, 3, 1, 2, 0])
    report = backproof.check_gradient(gradient, forward=loss, inputs=(params, torch.tensor(normal(7, 3)), labels))
    assert {g.basis for g in report.gradients} == {"proved"}


@pytest.mark.slow
def test_code_of_jax_is_proved() -> None:
    jax: Any = pytest.importorskip("jax", reason="JAX is not installed")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy

    def loss(p: Any, x: Any, y: Any) -> Any:
        h = jax.nn.sigmoid(x @ p["W"] + p["b"])
        return jnp.mean(jnp.sum((h - y) ** 2, axis=1))

    def gradient(p: Any, x: Any, y: Any) -> Any:
        h = jax.nn.sigmoid(jnp.dot(x, p["W"]) + p["b"])
        d = 2 * (h - y) / x.shape[0] * h * (1 - h)
        return {"W": jnp.einsum("bi,bj->ij", x, d), "b": jnp.sum(d, axis=0)}

    params = {"W": jnp.asarray(normal(3, 4)), "b": jnp.asarray(normal(4))}
    inputs = params, jnp.asarray(normal(6, 3)), jnp.asarray(normal(6, 4))
    report = backproof.check_gradient(gradient, forward=loss, inputs=inputs)
    assert {g.verdict for g in report.gradients} == {"proved"}
