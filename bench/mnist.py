"""MNIST, 784-128-10 with Adam, ten epochs, side by side: seconds and test accuracy of backproof, PyTorch, scikit-learn.

The same batches of 64, float32, and rate 0.002 that falls along a cosine (constant in scikit-learn, which has no other
for Adam). Compiling is not counted, and said. Run: python bench/mnist.py [--data mnist.npz]
"""

# The other libraries are Any here, and so are the arguments of the functions made of them.
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import argparse
import math
import os
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.pop("OPENBLAS_CORETYPE", None)  # as in `training_speed.py`

import numpy as np

from backproof import Network
from backproof.run.training import Data, Settings, Trainer

EPOCHS, BATCH, RATE, HIDDEN = 10, 64, 2e-3, 128
REST = 0.1  # seconds after which the threads of the library before have stopped to spin
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist.npz"
Predict = Callable[[Any], Any]


def ours(inputs: Any, labels: Any) -> tuple[float, Predict]:
    """backproof: seconds of all epochs, and a function from images to digits."""
    network = Network(sizes=("784", str(HIDDEN), "10"), hidden="relu", output="softmax", loss="cross-entropy",
                      reduction="mean")  # fmt: skip
    data = Data(inputs, np.eye(10, dtype=np.float32)[labels])
    settings = Settings(optimiser="adam", rate=RATE, schedule="cosine", epochs=EPOCHS, batch=BATCH, backend="numba")
    start = time.perf_counter()
    Trainer(network, settings).fit(Data(data.inputs[:BATCH], data.targets[:BATCH]))
    print(f"backproof was compiled, or found compiled, in {time.perf_counter() - start:.1f} s", flush=True)
    time.sleep(REST)
    start = time.perf_counter()
    model = Trainer(network, settings).fit(data)
    return time.perf_counter() - start, lambda images: model.outputs(images).argmax(1)


def pytorch(inputs: Any, labels: Any) -> tuple[float, Predict]:
    """PyTorch's usual loop over shuffled batches."""
    torch: Any = import_module("torch")
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    function = nn.CrossEntropyLoss()
    x, y = torch.tensor(inputs), torch.tensor(labels)
    start = time.perf_counter()
    for epoch in range(EPOCHS):
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 + math.cos(math.pi * epoch / EPOCHS)) / 2
        for chosen in torch.randperm(len(x)).split(BATCH):
            optimiser.zero_grad()
            function(model(x[chosen]), y[chosen]).backward()
            optimiser.step()
    return time.perf_counter() - start, lambda images: model(torch.tensor(images)).argmax(1).numpy()


def scikit_learn(inputs: Any, labels: Any) -> tuple[float, Predict]:
    """scikit-learn's fit, which says that ten epochs were not enough for it."""
    classifier: Any = import_module("sklearn.neural_network").MLPClassifier
    model: Any = classifier((HIDDEN,), solver="adam", batch_size=BATCH, learning_rate_init=RATE, random_state=0,
                            alpha=0,                            max_iter=EPOCHS)  # fmt: skip
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(inputs, labels)
    return time.perf_counter() - start, model.predict


def main() -> None:
    """Train one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    with np.load(options.data, allow_pickle=False) as arrays:
        inputs, test = (arrays[f"x_{part}"].reshape(-1, 784) / np.float32(255) for part in ("train", "test"))
        labels, answers = arrays["y_train"].astype(np.int64), arrays["y_test"]
    trainings: dict[str, Callable[[Any, Any], tuple[float, Predict]]]
    trainings = {"backproof": ours, "PyTorch": pytorch, "scikit-learn": scikit_learn}
    modules = {"PyTorch": "torch", "scikit-learn": "sklearn"}
    for name, training in trainings.items():
        if name in modules and not find_spec(modules[name]):
            continue
        time.sleep(REST)
        seconds, answer = training(inputs, labels)
        correct: Any = answer(test) == answers
        print(f"{name}: {seconds:.1f} s, {100 * correct.mean():.2f} % of the test digits", flush=True)


if __name__ == "__main__":
    main()
