"""The 400-25-10 network of 10,285 parameters with the extra f′: the time of its verdict.

Times are those of the processor, in one thread, so that other work on the machine does not count. The first verdict
holds what is imported and found once; the second is that of a process that has judged before.

Run: OMP_NUM_THREADS=1 python bench/large_network.py [EXAMPLES | FILE.npz with X and y]
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

import numpy as np

from backproof.check.code.judging import judge
from backproof.check.code.problem import Problem

Arrays = dict[str, Any]


def example(source: str) -> tuple[Arrays, Any, Any]:
    """Weights of the course's network, and its digits or so many examples like them."""
    rng = np.random.default_rng(4)
    params = {
        "Theta1": rng.uniform(-0.12, 0.12, (25, 401)),
        "Theta2": rng.uniform(-0.12, 0.12, (10, 26)),
    }
    if source.endswith(".npz"):
        with np.load(source, allow_pickle=False) as digits:
            return params, digits["X"], np.eye(10)[digits["y"] % 10]
    count = int(source)
    return params, rng.uniform(0, 1, (count, 400)), np.eye(10)[rng.integers(0, 10, count)]


def sigmoid(z: Any) -> Any:
    """The logistic function."""
    return 1 / (1 + np.exp(-z))


def layers(params: Arrays, x: Any) -> tuple[Any, Any, Any]:
    """The activations of the network, with columns of ones."""
    ones = np.ones((len(x), 1))
    a1 = np.hstack([ones, x])
    a2 = np.hstack([ones, sigmoid(a1 @ params["Theta1"].T)])
    return a1, a2, sigmoid(a2 @ params["Theta2"].T)


def forward(params: Arrays, x: Any, y: Any) -> Any:
    """Cross-entropy summed over outputs, averaged over examples."""
    _, _, a3 = layers(params, x)
    return -np.sum(y * np.log(a3) + (1 - y) * np.log(1 - a3)) / len(x)


def gradients(params: Arrays, x: Any, y: Any, *, extra: bool) -> Arrays:
    """The gradients, with the extra slope of the question or without it."""
    a1, a2, a3 = layers(params, x)
    d3 = a3 - y
    if extra:
        d3 = d3 * a3 * (1 - a3)
    d2 = (d3 @ params["Theta2"])[:, 1:] * a2[:, 1:] * (1 - a2[:, 1:])
    return {"Theta1": d2.T @ a1 / len(x), "Theta2": d3.T @ a2 / len(x)}


def right(params: Arrays, x: Any, y: Any) -> Arrays:
    """The right gradients."""
    return gradients(params, x, y, extra=False)


def wrong(params: Arrays, x: Any, y: Any) -> Arrays:
    """The gradients with the extra slope."""
    return gradients(params, x, y, extra=True)


def main() -> None:
    """Time one gradient and the verdicts about both."""
    inputs = example(sys.argv[1] if len(sys.argv) > 1 else "5000")
    times: list[float] = []
    for _ in range(7):
        started = time.process_time()
        wrong(*inputs)
        times.append(time.process_time() - started)
    unit = statistics.median(times)
    print(f"{len(inputs[1])} examples, one gradient: {unit * 1e3:.1f} ms")
    for which, function in (("first", wrong), ("again", wrong), ("right", right)):
        started = time.process_time()
        report = judge([Problem(forward, function, inputs, ("params", "x", "y"))])
        seconds = time.process_time() - started
        print(f"{which}: {seconds:.2f} s = {seconds / unit:.1f} evaluations of the gradient")
    print(report)


if __name__ == "__main__":
    main()
