"""The loss and δ of a last layer from its logits alone: one pass over the rows, in two threads where that pays."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name
from backproof.errors import ShapeError
from backproof.language.program import Program
from backproof.run.array_source import array_source
from backproof.run.interface import Interface, Precision
from backproof.run.kernels import has_numba, load, numbers_of
from backproof.run.lowering import lower, trained
from backproof.run.scheduling import schedule
from backproof.run.source import compiled_source, work_size
from backproof.run.stabilising import accurate

Array = NDArray[Any]
PART: Final = 1 << 19  # entries; fewer are done before a second thread has begun


class LossAndDelta:
    """The sum of the losses of examples, and δ = ∂J/∂Z, from logits Z and targets Y with a row for each example.

    `output` and `loss` are the catalogue's; `numbers` are values of hyperparameters.
    """

    def __init__(
        self,
        units: int,
        output: str = "softmax",
        loss: str = "cross-entropy",
        *,
        precision: Precision = "float32",
        numbers: dict[str, float] | None = None,
    ) -> None:
        network = Network(sizes=("1", str(units)), output=output, loss=loss, reduction="sum", layout="rows")
        whole = accurate(trained(network), network)
        kept = tuple(d for d in whole.definitions if d.name != "Z(1)")
        program = Program({**whole.inputs, "Z(1)": ("m", str(units))}, kept, (), whole.row_vectors)
        delta = adjoint_name("J", "Z(1)")
        interface = Interface(
            (), ("Z(1)", "Y"), numbers_of(network, numbers), precision, gradient=False, outputs=(delta,)
        )
        plan = schedule(lower(program, ("J", delta)))
        compiled = has_numba()
        module, self.path = load((compiled_source if compiled else array_source)(plan, interface))
        self._run = module.run
        self._sizes = work_size(plan, interface) if compiled else (0, 0)
        self.units, self.dtype = units, np.dtype(precision)
        self._work: list[Array] = []

    def __call__(self, logits: Array, targets: Array, delta: Array | None = None) -> tuple[float, Array]:
        """The loss, and δ, written into `delta` where it is given. Raises ShapeError."""
        if logits.ndim != 2 or logits.shape[1] != self.units or targets.shape != logits.shape:
            raise ShapeError(
                "logits and targets do not fit", expected=f"two arrays with {self.units} columns",
                got=f"{logits.shape} and {targets.shape}",
            )  # fmt: skip
        logits, targets = (np.ascontiguousarray(a, self.dtype) for a in (logits, targets))
        delta = np.empty_like(logits) if delta is None else delta
        threads = min(os.cpu_count() or 1, 2) if logits.size >= 2 * PART else 1
        step = max(1, PART // self.units) if threads > 1 else max(1, len(logits))
        starts = range(0, len(logits), step)
        values = np.zeros(len(starts))
        per_example, fixed = self._sizes
        needed = per_example * step + fixed + 16
        if len(self._work) < threads or self._work[0].size < needed:
            self._work = [np.empty(needed, self.dtype) for _ in range(threads)]
        waiting = iter(range(len(starts)))  # each thread takes the next part: none waits for one that begins late

        def run(work: Array) -> None:
            for k in waiting:
                rows = slice(starts[k], starts[k] + step)
                values[k] = self._run(work, work, work, logits[rows], targets[rows], delta[rows])

        if threads == 1:
            run(self._work[0])
        else:
            _keep_apart()
            other = _second_thread().submit(run, self._work[1])
            run(self._work[0])
            if not other.cancel():
                other.result()
        return float(values.sum()), delta


@cache
def _second_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "backproof")


@cache
def _place() -> tuple[int, Callable[[], int]] | None:
    """The system's number of the second thread, and a function for the processor that runs the first; Linux alone."""
    find = getattr(ctypes.CDLL(None), "sched_getcpu", None) if hasattr(os, "sched_setaffinity") else None
    return None if find is None else (_second_thread().submit(threading.get_native_id).result(), find)


def _keep_apart() -> None:
    """Tells the system not to wake the second thread on the processor of the first, where it would wait for it."""
    place = _place()
    if place is None:
        return
    thread, find = place
    others = os.sched_getaffinity(0) - {find()}
    if others and os.sched_getaffinity(thread) != others:
        os.sched_setaffinity(thread, others)
