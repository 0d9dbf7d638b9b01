"""How fast, in one run: a training step of six networks, and loss plus output delta, against other libraries.

Each number is the median over blocks of repeats taken in turn, with the spread from the 1st to the 3rd quartile in
brackets. A step is forward, loss, backward and SGD, in float32. backproof is timed as it trains, many steps in one call
(over examples as they lie, like the others), and as a single call of its kernel with the update. `matmul` are the bare
products of a step into memory allocated before; `copy` reads and writes the bytes of logits and delta once, with NumPy.
`--write FILE` writes the tables as Markdown.
"""

# The other libraries are Any here, and so are the arguments of the functions made of them.
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import statistics
import time
import warnings
from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path
from typing import Any

# Threads that spin while they wait take the core from whoever is timed next.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Every library chooses its instructions by itself: an environment that ties OpenBLAS alone to an older processor would
# compare processors.
os.environ.pop("OPENBLAS_CORETYPE", None)

import numpy as np

from backproof import Network
from backproof.run.epochs import Epochs
from backproof.run.interface import Precision
from backproof.run.kernels import loss_kernel
from backproof.run.logits import LossAndDelta
from backproof.run.updates import update as plain_update

RATE = 0.01
NETWORKS = (
    ("2-3-1", "sigmoid", "sigmoid", "mse", 3),
    ("64-32-10", "relu", "softmax", "cross-entropy", 32),
    ("400-25-10", "sigmoid", "sigmoid", "bce", 5000),
    ("784-128-10", "relu", "softmax", "cross-entropy", 64),
    ("784-512-512-10", "relu", "softmax", "cross-entropy", 128),
    ("784-2048-2048-10", "relu", "softmax", "cross-entropy", 512),
)
DELTAS = (("softmax", "cross-entropy", 4096, 1000), ("sigmoid", "bce", 4096, 1000),
          ("softmax", "cross-entropy", 512, 32000), ("sigmoid", "bce", 512, 32000))  # fmt: skip

Step = Callable[[], object]


def sizes_of(text: str) -> list[int]:
    """The layer sizes as numbers."""
    return [int(n) for n in text.split("-")]


def data(sizes: list[int], batch: int) -> tuple[Any, Any, list[Any]]:
    """Inputs, targets with a single 1, and weights."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(batch, sizes[0])).astype(np.float32)
    targets = np.zeros((batch, sizes[-1]), np.float32)
    targets[np.arange(batch), generator.integers(0, sizes[-1], batch)] = 1
    weights = [(generator.normal(size=pair) / np.sqrt(pair[0])).astype(np.float32) for pair in pairwise(sizes)]
    return inputs, targets, weights


def flat(weights: list[Any]) -> Any:
    """Weights and zero biases as one vector."""
    parts = [part for w in weights for part in (w.ravel(), np.zeros(w.shape[1], np.float32))]
    return np.concatenate(parts)


def ours(layers: str, hidden: str, output: str, loss: str, batch: int) -> dict[str, tuple[Step, int]]:
    """backproof: many steps in one call, and one step alone."""
    sizes = sizes_of(layers)
    network = Network(
        sizes=tuple(layers.split("-")), hidden=hidden, output=output, loss=loss, reduction="mean", layout="rows"
    )
    inputs, targets, weights = data(sizes, batch)
    theta = flat(weights)
    gradient, first, second = np.empty_like(theta), np.zeros_like(theta), np.zeros_like(theta)
    kernel = loss_kernel(network)
    settings = np.array([RATE, 0.0, 0.9, 0.999, 1e-8, 0.0, 0.0])
    steps = max(1, min(200, 2_000_000 // inputs.size))  # what lies in the cache, as it does for the others
    many, goals = np.tile(inputs, (steps, 1)), np.tile(targets, (steps, 1))
    order, losses = np.empty(0, np.int64), np.zeros(steps)
    found: dict[str, tuple[Step, int]] = {}
    if kernel.epoch is not None:
        whole = Epochs(kernel, [many, goals], batch)
        found["backproof"] = (lambda: whole.run(theta, first, second, order, losses, 0, settings, 0), steps)

    def one() -> None:
        kernel(theta, gradient, inputs, targets)
        plain_update(0, theta, gradient, first, second, settings, 1)

    found["backproof, one call"] = (one, 1)
    return found


def matmul(layers: str, batch: int) -> Step:
    """The products of a step, into memory allocated before."""
    sizes = sizes_of(layers)
    inputs, _, weights = data(sizes, batch)
    states = [inputs, *(np.ones((batch, n), np.float32) for n in sizes[1:])]
    backs = [np.ones((batch, n), np.float32) for n in sizes]
    slopes = [np.empty_like(w) for w in weights]

    def step() -> None:
        for k, w in enumerate(weights):
            np.dot(states[k], w, out=states[k + 1])
        for k in reversed(range(len(weights))):
            np.dot(states[k].T, backs[k + 1], out=slopes[k])
            if k:
                np.dot(backs[k + 1], weights[k].T, out=backs[k])
        for state in states[1:]:
            state.fill(1)
        for back in backs:
            back.fill(1)

    return step


def torch_step(layers: str, hidden: str, output: str, loss: str, batch: int, *, compiled: bool) -> Step:
    """PyTorch's usual loop: zero_grad, loss, backward, SGD."""
    torch: Any = importlib.import_module("torch")

    library = torch
    sizes = sizes_of(layers)
    inputs, targets, weights = data(sizes, batch)
    parts: list[Any] = []
    for k, w in enumerate(weights):
        linear = library.nn.Linear(*w.shape)
        with library.no_grad():
            linear.weight.copy_(library.tensor(w.T))
            linear.bias.zero_()
        parts.append(linear)
        if k < len(weights) - 1:
            parts.append(library.nn.ReLU() if hidden == "relu" else library.nn.Sigmoid())
    if output == "sigmoid" and loss == "mse":
        parts.append(library.nn.Sigmoid())
    model = library.nn.Sequential(*parts)
    if compiled:
        model = library.compile(model)
    functions = {
        "cross-entropy": library.nn.CrossEntropyLoss(),
        "bce": library.nn.BCEWithLogitsLoss(),
        "mse": library.nn.MSELoss(),
    }
    function = functions[loss]
    optimiser = library.optim.SGD(model.parameters(), lr=RATE)
    x, y = library.tensor(inputs), library.tensor(targets)
    goal = y.argmax(1) if loss == "cross-entropy" else y

    def step() -> None:
        optimiser.zero_grad()
        function(model(x), goal).backward()
        optimiser.step()

    return step


def jax_step(layers: str, hidden: str, loss: str, batch: int) -> Step:
    """JAX: one compiled step with donated parameters."""
    jax: Any = importlib.import_module("jax")

    nn: Any = jax.nn
    np_: Any = jax.numpy
    inputs, targets, weights = data(sizes_of(layers), batch)
    parameters = [(np_.array(w), np_.zeros(w.shape[1])) for w in weights]
    x, y = np_.array(inputs), np_.array(targets)

    def value(parameters: Any) -> Any:
        a = x
        for k, (w, b) in enumerate(parameters):
            z = a @ w + b
            a = z if k == len(parameters) - 1 else (nn.relu(z) if hidden == "relu" else nn.sigmoid(z))
        if loss == "cross-entropy":
            return -(y * nn.log_softmax(a)).sum(-1).mean()
        if loss == "bce":
            return -(y * nn.log_sigmoid(a) + (1 - y) * nn.log_sigmoid(-a)).sum(-1).mean()
        return ((nn.sigmoid(a) - y) ** 2).sum(-1).mean()

    def stepped(parameters: Any) -> Any:
        slopes = jax.grad(value)(parameters)
        return jax.tree.map(lambda p, g: p - RATE * g, parameters, slopes)

    compiled: Any = jax.jit(stepped, donate_argnums=0)
    state = [parameters]

    def step() -> None:
        state[0] = compiled(state[0])
        jax.block_until_ready(state[0])

    return step


def sklearn_step(layers: str, hidden: str, loss: str, batch: int) -> Step | None:
    """scikit-learn: one partial_fit of a classifier."""
    classifier: Any = importlib.import_module("sklearn.neural_network").MLPClassifier
    sizes = sizes_of(layers)
    if sizes[-1] < 2 or loss != "cross-entropy":
        return None  # its partial_fit knows one softmax; sigmoids are chosen by the target of fit
    inputs, targets, _ = data(sizes, batch)
    model: Any = classifier(
        tuple(sizes[1:-1]), activation="relu" if hidden == "relu" else "logistic", solver="sgd", batch_size=batch
    )
    labels: Any = targets.argmax(1)
    classes = np.arange(sizes[-1])

    def step() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.partial_fit(inputs, labels, classes=classes)

    return step


REST = 0.04  # seconds after which the threads of the library timed before have stopped to spin
BLOCK = 0.02


def interleaved(steps: dict[str, tuple[Step, int]], seconds: float) -> dict[str, list[float]]:
    """Times of one step of each, in blocks taken in turn; before each block a rest, and a call that is not counted."""
    found: dict[str, list[float]] = {name: [] for name in steps}
    repeats: dict[str, int] = {}
    for name, (step, _) in list(steps.items()):
        try:
            step()
            step()
        except Exception as error:  # noqa: BLE001  (a peer that fails is left out, and said)
            print(f"  {name} left out: {str(error)[:90]}")
            del steps[name], found[name]
            continue
        start = time.perf_counter()
        step()
        repeats[name] = max(1, min(200, round(BLOCK / (time.perf_counter() - start))))
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or min(map(len, found.values())) < 5:
        for name, (step, count) in steps.items():
            time.sleep(REST)
            step()
            for _ in range(repeats[name]):
                start = time.perf_counter()
                step()
                found[name].append((time.perf_counter() - start) / count)
    return found


def delta_steps(output: str, loss: str, rows: int, columns: int, precision: Precision) -> dict[str, tuple[Step, int]]:
    """Loss and delta of logits, in backproof, PyTorch and JAX (in float32), and a copy of as many bytes."""
    kernel = LossAndDelta(columns, output, loss, precision=precision)
    generator = np.random.default_rng(0)
    logits = (generator.normal(size=(rows, columns)) * 3).astype(precision)
    targets = np.zeros_like(logits)
    targets[np.arange(rows), generator.integers(0, columns, rows)] = 1
    result, copied = np.empty_like(logits), np.empty_like(logits)
    steps: dict[str, tuple[Step, int]] = {
        "backproof": (lambda: kernel(logits, targets, result), 1),
        "copy": (lambda: (np.copyto(copied, logits), np.copyto(result, targets)), 1),
    }
    if importlib.util.find_spec("torch"):
        torch: Any = importlib.import_module("torch")

        library = torch
        z, y = library.tensor(logits, requires_grad=True), library.tensor(targets)
        functional = library.nn.functional
        goal = y.argmax(1)

        def theirs() -> None:
            z.grad = None
            if output == "softmax":
                functional.cross_entropy(z, goal, reduction="sum").backward()
            else:
                functional.binary_cross_entropy_with_logits(z, y, reduction="sum").backward()

        steps["PyTorch"] = (theirs, 1)
    if importlib.util.find_spec("jax") and precision == "float32":
        jax: Any = importlib.import_module("jax")

        nn: Any = jax.nn
        goals: Any = jax.numpy.array(targets)

        def value(u: Any) -> Any:
            if output == "softmax":
                return -(goals * nn.log_softmax(u)).sum()
            return -(goals * nn.log_sigmoid(u) + (1 - goals) * nn.log_sigmoid(-u)).sum()

        both: Any = jax.jit(jax.value_and_grad(value))
        at: Any = jax.numpy.array(logits)
        steps["JAX"] = (lambda: jax.block_until_ready(both(at)), 1)
    return steps


def shown(times: list[float]) -> str:
    """The median in microseconds, with the quartiles."""
    low, middle, high = statistics.quantiles(times, n=4)
    return f"{middle * 1e6:.3g} ({low * 1e6:.3g}–{high * 1e6:.3g})"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows])


def main() -> None:
    """Time everything and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each row (3)")
    parser.add_argument("--largest", type=int, default=len(NETWORKS), help="how many of the networks (6)")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out: it needs a C++ compiler")
    parser.add_argument("--write", metavar="FILE")
    options = parser.parse_args()
    texts = [f"One run on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; microseconds; networks in float32."]
    rows: list[list[str]] = []
    names = ["backproof", "backproof, one call", "matmul", "PyTorch", "PyTorch compiled", "JAX", "scikit-learn"]
    for layers, hidden, output, loss, batch in NETWORKS[: options.largest]:
        start = time.perf_counter()
        steps = ours(layers, hidden, output, loss, batch)
        steps["matmul"] = (matmul(layers, batch), 1)
        if importlib.util.find_spec("torch"):
            steps["PyTorch"] = (torch_step(layers, hidden, output, loss, batch, compiled=False), 1)
            if not options.no_compile:
                steps["PyTorch compiled"] = (torch_step(layers, hidden, output, loss, batch, compiled=True), 1)
        if importlib.util.find_spec("jax"):
            steps["JAX"] = (jax_step(layers, hidden, loss, batch), 1)
        if importlib.util.find_spec("sklearn"):
            theirs = sklearn_step(layers, hidden, loss, batch)
            if theirs is not None:
                steps["scikit-learn"] = (theirs, 1)
        times = interleaved(steps, options.seconds)
        peers = [statistics.median(times[n]) for n in times if n not in ("backproof", "backproof, one call", "matmul")]
        mine = statistics.median(times.get("backproof", times["backproof, one call"]))
        cells = [shown(times[n]) if n in times else "–" for n in names]
        bare = mine / statistics.median(times["matmul"])
        rows.append([f"{layers}, {batch}", *cells, f"{min(peers) / mine:.2f}" if peers else "–", f"{bare:.2f}"])
        print(layers, " | ".join(rows[-1][1:]), f"[{time.perf_counter() - start:.0f} s]", flush=True)
    texts.append(table(["network, batch", *names, "fastest peer / backproof", "backproof / matmul"], rows))
    rows = []
    kinds: tuple[Precision, ...] = ("float32", "float64")
    for (output, loss, count, columns), precision in product(DELTAS, kinds):
        times = interleaved(delta_steps(output, loss, count, columns, precision), options.seconds)
        copy = statistics.median(times["copy"])
        names = ["backproof", "copy", "PyTorch", "JAX"]
        ratios = [f"{statistics.median(times[n]) / copy:.2f}" for n in ("backproof", "PyTorch", "JAX") if n in times]
        rows.append(
            [
                f"{output}, {count}×{columns}, {precision}",
                *(shown(times[n]) if n in times else "–" for n in names),
                " / ".join(ratios),
            ]
        )
        print(" | ".join(rows[-1]), flush=True)
    texts.append(
        table(
            ["loss and delta", "backproof", "copy", "PyTorch", "JAX", "against copy: backproof / PyTorch / JAX"], rows
        )
    )
    if options.write:
        path = Path(options.write)
        before = path.read_text("utf-8").split("<!-- table -->")[0] if path.exists() else ""
        path.write_text(before + "<!-- table -->\n\n" + "\n\n".join(texts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
