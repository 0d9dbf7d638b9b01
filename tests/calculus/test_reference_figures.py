"""The published figures of two courses, from their own data: J, gradients, gradient checks, trainings.

The networks are written in backproof's definitions, the gradients come from the reverse sweep, and the interpreter
evaluates both; every expected number was measured elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backproof.calculus.interpreter import evaluate
from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.language.expression import Expr, Index, add, apply, mul, num, power, size, sum_over, tensor
from backproof.language.program import Definition, Program

Floats = NDArray[np.float64]
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(
    not (DATA / "ex4weights.mat").exists(), reason=f"the course's weights and digits are not in {DATA}"
)


@dataclass(frozen=True)
class Course:
    """A network of sigmoid layers whose examples are rows, with its gradient."""

    program: Program
    weights: tuple[str, ...]

    def gradient(self, values: Mapping[str, object]) -> tuple[float, Floats]:
        """J and all gradient entries in one vector, weight by weight, column by column."""
        found = evaluate(self.program, values)
        parts = [np.ravel(found[adjoint_name("J", name)], order="F") for name in self.weights]
        return float(found["J"]), np.concatenate(parts)

    def with_delta(self, delta: Expr, indices: tuple[Index, ...]) -> Course:
        """The same backward equations with another δ of the output layer in place of the right one."""
        last = adjoint_name("J", "z2")
        definitions = tuple(Definition(last, indices, delta) if d.name == last else d for d in self.program.definitions)
        return Course(replace(self.program, definitions=definitions), self.weights)


E, J, H, K = Index("e", "m"), Index("j", "n"), Index("i", "h"), Index("k", "c")
OUTPUT, TARGET = tensor("a2", E, K), tensor("y", E, K)


def course(loss: str, *, scale: Expr, biases: bool = True, l2: Fraction | int = 0) -> Course:
    """Two sigmoid layers; the loss summed over outputs and examples, times `scale`, plus scale·λ/2·Σw²."""
    inputs = {"x": ("m", "n"), "y": ("m", "c"), "w1": ("h", "n"), "w2": ("c", "h")}
    z1: Expr = sum_over(J, mul(tensor("w1", H, J), tensor("x", E, J)))
    z2: Expr = sum_over(H, mul(tensor("w2", K, H), tensor("a1", E, H)))
    weights = ("w1", "w2")
    if biases:
        inputs |= {"b1": ("h",), "b2": ("c",)}
        z1, z2 = add(z1, tensor("b1", H)), add(z2, tensor("b2", K))
        weights = ("b1", "w1", "b2", "w2")
    penalty = add(*(sum_over(p, power(tensor(w, *p), 2)) for w, p in (("w1", (H, J)), ("w2", (K, H)))))
    data = sum_over((E, K), apply(loss, OUTPUT, TARGET))
    program = Program(
        inputs,
        (
            Definition("z1", (E, H), z1),
            Definition("a1", (E, H), apply("sigmoid", tensor("z1", E, H))),
            Definition("z2", (E, K), z2),
            Definition("a2", (E, K), apply("sigmoid", tensor("z2", E, K))),
            Definition("J", (), mul(scale, add(data, mul(Fraction(l2, 2), penalty)))),
        ),
    )
    return Course(program.extended(adjoints(program, "J").values()), weights)


def shifted(program: Course, values: dict[str, Any], step: float = 1e-4) -> Floats:
    """The gradient by central differences, as the courses check it."""
    slopes: list[float] = []
    forward = replace(program.program, definitions=program.program.definitions[:5])
    for name in program.weights:
        for place in np.ndindex(*values[name].shape[::-1]):
            at = place[::-1]
            ends: list[float] = []
            for side in (step, -step):
                moved = values[name].copy()
                moved[at] += side
                ends.append(float(evaluate(forward, values | {name: moved})["J"]))
            slopes.append((ends[0] - ends[1]) / (2 * step))
    return np.array(slopes)


def ratio(gradient: Floats, numeric: Floats) -> float:
    return float(np.linalg.norm(gradient - numeric) / np.linalg.norm(gradient + numeric))


@cache
def digits() -> dict[str, Any]:
    from scipy.io import loadmat

    weights: Any = loadmat(str(DATA / "ex4weights.mat"))
    with np.load(DATA / "ex4_digits_rebuilt.npz", allow_pickle=False) as file:
        x, labels = file["X"], file["y"]
    theta1, theta2 = weights["Theta1"], weights["Theta2"]
    return {
        "x": x,
        "y": (labels[:, None] == np.arange(1, 11)).astype(float),
        "b1": theta1[:, 0],
        "w1": theta1[:, 1:],
        "b2": theta2[:, 0],
        "w2": theta2[:, 1:],
    }


MEAN = power(size("m"), -1)


@needs_data
@pytest.mark.parametrize(
    ("l2", "cost", "total", "norm"),
    [
        (0, 0.2876291651613190, 0.0260474338528967, 1.893155e-2),
        (1, 0.3837698590909237, 0.0099559365856836, 1.291313e-2),
        (3, 0.5760512469501331, -0.0222270579487426, 3.765284e-3),
    ],
)
def test_the_digits_network(l2: int, cost: float, total: float, norm: float) -> None:
    found, gradient = course("bce", scale=MEAN, l2=l2).gradient(digits())
    assert found == pytest.approx(cost, rel=1e-12)
    # The entries are summed with cancellation: ten thousand of them, of both signs, up to 1e-3.
    assert float(np.sum(gradient)) == pytest.approx(total, rel=1e-12, abs=1e-14)
    assert float(np.linalg.norm(gradient)) == pytest.approx(norm, rel=1e-6)


@needs_data
def test_the_digits_network_recognises_its_digits() -> None:
    values = digits()
    outputs = evaluate(course("bce", scale=MEAN).program, values)["a2"]
    right = np.argmax(outputs, axis=1) == np.argmax(values["y"], axis=1)
    assert float(np.mean(right)) == pytest.approx(0.9752, abs=1e-12)


def sines(rows: int, columns: int) -> Floats:
    return np.sin(np.arange(1, rows * columns + 1)).reshape((rows, columns), order="F") / 10


def small_network() -> dict[str, Any]:
    theta1, theta2 = sines(5, 4), sines(3, 6)
    labels = 1 + np.arange(1, 6) % 3
    return {
        "x": sines(5, 3),
        "y": (labels[:, None] == np.arange(1, 4)).astype(float),
        "b1": theta1[:, 0],
        "w1": theta1[:, 1:],
        "b2": theta2[:, 0],
        "w2": theta2[:, 1:],
    }


SLOPE = apply("sigmoid", tensor("z2", E, K), orders=(1,))
SHORT = mul(MEAN, add(OUTPUT, mul(-1, TARGET)))
LONG = mul(SHORT, SLOPE)


@pytest.mark.parametrize(
    ("loss", "delta", "expected"),
    [
        ("bce", SHORT, 2.35e-11),
        ("bce", LONG, 0.600238),
        ("half-mse", LONG, 3.27e-10),
        ("half-mse", SHORT, 0.600238),
    ],
)
def test_the_gradient_check_tells_the_deltas_apart(loss: str, delta: Expr, expected: float) -> None:
    network, values = course(loss, scale=MEAN), small_network()
    _, gradient = network.with_delta(delta, (E, K)).gradient(values)
    found = ratio(gradient, shifted(network, values))
    if expected > 1e-3:
        assert found == pytest.approx(expected, abs=5e-7)
    else:
        assert expected / 3 < found < expected * 3


def test_a_wrong_delta_points_the_right_way() -> None:
    network, values = course("bce", scale=MEAN), small_network()
    _, right = network.gradient(values)
    _, wrong = network.with_delta(LONG, (E, K)).gradient(values)
    cosine = float(right @ wrong / np.linalg.norm(right) / np.linalg.norm(wrong))
    assert cosine > 0.9999
    assert float(np.linalg.norm(wrong) / np.linalg.norm(right)) == pytest.approx(0.2498, abs=5e-5)


def grades(seed: int) -> dict[str, Any]:
    random = np.random.RandomState(seed)
    return {
        "x": np.array([[3, 5], [5, 1], [10, 2]]) / [10, 5],
        "y": np.array([[75], [82], [93]]) / 100,
        "w1": random.randn(2, 3).T,
        "w2": random.randn(3, 1).T,
    }


def test_the_network_of_three_students() -> None:
    network = course("half-mse", scale=num(1), biases=False)
    wrong = network.with_delta(add(OUTPUT, mul(-1, TARGET)), (E, K))
    found: list[tuple[float, float]] = []
    for seed in range(25):
        values = grades(seed)
        numeric = shifted(network, values)
        found.append((ratio(network.gradient(values)[1], numeric), ratio(wrong.gradient(values)[1], numeric)))
    right, without = np.array(found).T
    assert 7e-11 < float(np.median(right)) < 7e-10
    assert float(np.max(right)) < 1e-7
    assert float(np.min(without)) > 0.55
    assert float(np.max(without)) < 0.95


def neuron(loss: str) -> Program:
    z = add(mul(tensor("w"), tensor("x")), tensor("b"))
    program = Program(
        {"x": (), "y": (), "w": (), "b": ()},
        (
            Definition("z", (), z),
            Definition("a", (), apply("sigmoid", tensor("z"))),
            Definition("J", (), apply(loss, tensor("a"), tensor("y"))),
        ),
    )
    return program.extended(adjoints(program, "J").values())


@pytest.mark.parametrize(
    ("loss", "start", "before", "after", "places"),
    [
        ("half-mse", (0.6, 0.9), 0.8176, 0.0940, 4),
        ("half-mse", (2.0, 2.0), 0.9820, 0.203, 3),
        ("bce", (2.0, 2.0), 0.9820, 0.0120, 4),
    ],
)
def test_one_neuron_learns(loss: str, start: tuple[float, float], before: float, after: float, places: int) -> None:
    program, (weight, bias) = neuron(loss), start
    outputs: list[float] = []
    for _ in range(301):
        found = evaluate(program, {"x": 1, "y": 0, "w": weight, "b": bias})
        outputs.append(float(found["a"]))
        weight -= 0.15 * found[adjoint_name("J", "w")]
        bias -= 0.15 * found[adjoint_name("J", "b")]
    assert round(outputs[0], 4) == before
    # The last of 301 updates starts from this output: the page shows it before it changes the weights.
    assert round(outputs[300], places) == after
    if start == (2.0, 2.0) and loss == "half-mse":
        assert round(outputs[150], 3) == 0.933


def unpacked(vector: Floats, like: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    at = 0
    for name in names:
        count = like[name].size
        found[name] = vector[at : at + count].reshape(like[name].shape, order="F")
        at += count
    return found


def objective(network: Course, values: dict[str, Any]) -> Callable[[Floats], tuple[float, Floats]]:
    return lambda vector: network.gradient(values | unpacked(vector, values, network.weights))


@pytest.mark.slow
def test_three_students_trained_with_bfgs() -> None:
    from scipy.optimize import minimize

    network = course("half-mse", scale=num(1), biases=False)
    costs: list[float] = []
    for seed in range(60):
        values = grades(seed)
        start = np.concatenate([np.ravel(values[w], order="F") for w in network.weights])
        options = {"maxiter": 200}
        found: Any = minimize(objective(network, values), start, jac=True, method="BFGS", options=options)
        costs.append(float(found.fun))
    stuck = [cost for cost in costs if abs(cost - 1.227e-3) < 1e-5]
    assert 1e-11 < float(np.median(costs)) < 1e-7
    assert 1 <= len(stuck) <= 15


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize(("loss", "low", "high"), [("bce", 0.955, 0.973), ("half-mse", 0.935, 0.95)])
def test_digits_trained_for_fifty_iterations(loss: str, low: float, high: float) -> None:
    from scipy.optimize import minimize

    network, values = course(loss, scale=MEAN, l2=1), digits()
    random = np.random.default_rng(0)
    start = np.concatenate([random.uniform(-0.12, 0.12, values[w].size) for w in network.weights])
    found: Any = minimize(objective(network, values), start, jac=True, method="CG", options={"maxiter": 50})
    outputs = evaluate(network.program, values | unpacked(found.x, values, network.weights))["a2"]
    assert low < float(np.mean(np.argmax(outputs, axis=1) == np.argmax(values["y"], axis=1))) < high
