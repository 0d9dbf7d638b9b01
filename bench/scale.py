"""What an example costs, and how much memory training takes, as the examples grow from a thousand to ten millions.

Each size is trained in a process of its own, from mapped .npy files and from Parquet and CSV files that are brought
into mapped files first. The memory is the largest part that belongs to the process alone (RssAnon): pages of mapped
files are the system's, which takes them back when it needs them. `--write FILE` writes the table as Markdown.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

WIDE = 16
CLASSES = 4
PIECE = 100_000


def own_memory() -> float:
    """The memory of this process alone, in MB."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return 0.0


def write(folder: Path, kind: str, count: int) -> None:
    """Files of so many examples, written piece by piece; the class is the place of the largest of the first inputs."""
    pieces = (drawn(low, min(count, low + PIECE)) for low in range(0, count, PIECE))
    if kind == "npy":
        create: Any = np.lib.format.open_memmap
        inputs = create(folder / "inputs.npy", "w+", "float32", (count, WIDE))
        targets = create(folder / "targets.npy", "w+", "float32", (count, CLASSES))
        for low, (some, labels) in zip(range(0, count, PIECE), pieces, strict=True):
            inputs[low : low + len(some)] = some
            targets[low : low + len(some)] = np.eye(CLASSES)[labels]
        return
    arrow: Any = import_module("pyarrow")
    schema = arrow.schema([*((f"x{k}", arrow.float32()) for k in range(WIDE)), ("kind", arrow.int32())])
    module = import_module(f"pyarrow.{kind}")
    with getattr(module, "ParquetWriter" if kind == "parquet" else "CSVWriter")(
        folder / f"data.{kind}", schema
    ) as file:
        for some, labels in pieces:
            file.write_table(arrow.table([*some.T, labels.astype(np.int32)], schema=schema))


def drawn(low: int, high: int) -> tuple[Any, Any]:
    """Some examples and their classes."""
    some = np.random.default_rng(low).normal(size=(high - low, WIDE)).astype(np.float32)
    return some, some[:, :CLASSES].argmax(1)


def train(folder: Path, kind: str) -> dict[str, float]:
    """One epoch over the file, the second of two: seconds for reading, seconds for the epoch, the most memory in MB."""
    from backproof import Network
    from backproof.run.streaming import mapped_table
    from backproof.run.training import Data, Settings, Trainer

    most = [own_memory()]
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.01):
            most[0] = max(most[0], own_memory())

    threading.Thread(target=watch, daemon=True).start()
    start = time.perf_counter()
    if kind == "npy":
        inputs, targets = (np.load(folder / f"{n}.npy", mmap_mode="r") for n in ("inputs", "targets"))
    else:
        inputs, targets = mapped_table(folder / f"data.{kind}", "kind", folder, classes=CLASSES)
    read = time.perf_counter() - start
    network = Network(
        sizes=(str(WIDE), "32", str(CLASSES)), hidden="relu", output="softmax", loss="cross-entropy", reduction="mean"
    )
    times = [0.0]
    settings = Settings(epochs=2, batch=64, backend="numba")
    model = Trainer(network, settings).fit(Data(inputs, targets), report=lambda _: times.append(time.perf_counter()))
    stop.set()
    return {"read": read, "epoch": times[2] - times[1], "memory": most[0], "loss": model.history[-1]["loss"]}


def main() -> None:
    """Measure every size in its own process, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=7, help="the power of ten of the most examples (7)")
    parser.add_argument("--kinds", default="npy,parquet,csv")
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("--one", nargs=2, metavar=("FOLDER", "KIND"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(train(Path(options.one[0]), options.one[1])))
        return
    rows = ["| file | examples | reading, µs per example | an epoch, µs per example | memory, MB |",
            "| --- | --- | --- | --- | --- |"]  # fmt: skip
    for kind in options.kinds.split(","):
        for power in range(3, options.largest + 1):
            with tempfile.TemporaryDirectory() as folder:
                write(Path(folder), kind, 10**power)
                answer = subprocess.run(
                    [sys.executable, __file__, "--one", folder, kind], check=True, capture_output=True, text=True
                )
            found = json.loads(answer.stdout)
            costs = [f"{found[part] / 10**power * 1e6:.3g}" for part in ("read", "epoch")]
            rows.append(f"| {kind} | 10^{power} | {costs[0]} | {costs[1]} | {found['memory']:.0f} |")
            print(rows[-1], flush=True)
    if options.write:
        path = Path(options.write)
        before = path.read_text("utf-8").split("<!-- scale -->")
        after = before[1].split("<!-- end -->", 1)[1] if len(before) > 1 else ""
        table = "\n".join(rows)
        path.write_text(f"{before[0]}<!-- scale -->\n\n{table}\n\n<!-- end -->{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
