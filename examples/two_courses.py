"""The two courses settled: which error of the last layer is right, a − y or (a − y)·f′(z)?

Both formulas are derived, judged under both losses, and put to the gradient check on 1,797 real handwritten digits.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import backproof

COURSES = {"first course": "a - y", "second course": "(a - y) * f'(z)"}
LOSSES = ("bce", "half-mse")
STEP = 1e-5
ACCEPTED = 1e-6
PROBED = 40

Floats = NDArray[np.float64]


def title(text: str) -> None:
    """A heading."""
    print(f"\n{text}\n{'─' * len(text)}")


def derived() -> None:
    """The error of the last layer for both losses, with the factors that cancel."""
    title("1. Derived: the error δ = ∂J/∂z of a sigmoid output, from the definition of the loss alone")
    for loss in LOSSES:
        print()
        derivation = backproof.derive(backproof.Network(output="sigmoid", loss=loss))
        print(backproof.show(derivation), end="")


def judged() -> None:
    """Both formulas under both losses, and two statements that are often seen."""
    title("2. Judged: what each course teaches, under each loss")
    for loss in LOSSES:
        network = backproof.Network(output="sigmoid", loss=loss)
        for course, claim in COURSES.items():
            report(f"{course}, loss {loss}", claim, network)
    title("3. Two statements of the answer to that question that do not hold as they stand")
    report("squared error without the ½, identity output", "a - y", backproof.Network(output="identity", loss="mse"))
    slope = "dJ/da = 1 / (a (1 - a))"
    report("the slope of binary cross-entropy", slope, backproof.Network(output="sigmoid", loss="bce"))


def report(what: str, claim: str, network: backproof.Network) -> None:
    """One claim and its judgement."""
    print(f"\n{what}: {claim}")
    print(backproof.show(backproof.check_claim(claim, network)), end="")


def checked() -> None:
    """The gradient check on real digits, with either formula put in the place of δ."""
    title("4. Measured: the gradient check on 1,797 handwritten digits, a 64-25-10 network of sigmoids")
    data = backproof.digits()
    random = np.random.default_rng(41212)
    values: dict[str, Any] = {"X": data.inputs, "Y": data.one_hot}
    for layer, (below, above) in enumerate([(64, 25), (25, 10)], start=1):
        values[f"W({layer})"] = random.normal(0, 0.3, (above, below))
        values[f"b({layer})"] = random.normal(0, 0.3, above)
    print(f"J is the sum over the examples; {PROBED} weights moved by ±{STEP:g}; ratio ‖g − n‖ / ‖g + n‖\n")
    print(f"{'':<10}" + "".join(f"{f'δ = {claim}':<32}" for claim in COURSES.values()))
    for loss in LOSSES:
        network = backproof.Network(
            ("64", "25", "10"), output="sigmoid", loss=loss, reduction="sum", layout="rows-out-in"
        )
        probes = [(f"W({k})", place(random, values[f"W({k})"].shape)) for k in (1, 2) for _ in range(PROBED // 2)]
        numeric = differences(network, values, probes)
        cells: list[str] = []
        for claim in COURSES.values():
            ratio = relative(gradient(network, values, claim, probes), numeric)
            cells.append(f"{ratio:8.1e}  {'accepted' if ratio < ACCEPTED else 'REJECTED'}")
        print(f"{loss:<10}" + "".join(f"{cell:<32}" for cell in cells))


def place(random: np.random.Generator, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A random place in an array of this shape."""
    return tuple(int(random.integers(length)) for length in shape)


def differences(
    network: backproof.Network, values: Mapping[str, Any], probes: list[tuple[str, tuple[int, ...]]]
) -> Floats:
    """Central differences of J: the network's own definitions, evaluated twice for each weight."""
    slopes: list[float] = []
    for name, place in probes:
        ends: list[float] = []
        for side in (STEP, -STEP):
            moved = values[name].copy()
            moved[place] += side
            ends.append(float(backproof.evaluate(network.program, {**values, name: moved})["J"]))
        slopes.append((ends[0] - ends[1]) / (2 * STEP))
    return np.array(slopes)


def gradient(
    network: backproof.Network, values: Mapping[str, Any], claim: str, probes: list[tuple[str, tuple[int, ...]]]
) -> Floats:
    """The derived gradients, with the claim in the place of the error of the last layer."""
    [judged] = backproof.check_claim(claim, network)
    program = backproof.derive(network).program
    assert judged.right is not None
    delta = "∂J/∂Z(2)"
    definitions = tuple(
        replace(d, indices=judged.indices, body=judged.right) if d.name == delta else d for d in program.definitions
    )
    found = backproof.evaluate(replace(program, definitions=definitions), values)
    return np.array([float(found[f"∂J/∂{name}"][place]) for name, place in probes])


def relative(one: Floats, other: Floats) -> float:
    """How far apart two gradients are."""
    return float(np.linalg.norm(one - other) / np.linalg.norm(one + other))


def main() -> None:
    """Everything, and the answer."""
    start = time.perf_counter()
    print("Two courses teach two errors of the last layer: a − y, and (a − y)·f′(z). Which one is right?")
    derived()
    judged()
    checked()
    title("Answer")
    print("Both courses are right, each for its own loss. With binary cross-entropy the slope f′(z) = a(1 − a) of the")
    print(
        "sigmoid cancels against the denominator of ∂J/∂a, and δ = a − y. With the squared error nothing cancels, and"
    )
    print("δ = (a − y)·f′(z). Hidden layers keep their f′ under every loss.")
    print(f"\n{time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
