"""Epochs: all steps over the examples in one order, in one call of compiled code, or step by step in NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backproof.run.kernels import Kernel
from backproof.run.updates import update

Array = NDArray[Any]


IN_MEMORY: Final = 1 << 20  # examples whose order is drawn at once


def orders(examples: int, size: int, seed: int, epoch: int) -> Iterator[Array]:
    """The order of an epoch, from its seed and number alone; one part after another where there are many examples.

    Of more than a million examples, parts that lie together are taken in a drawn order, and the examples inside a part:
    a file is read part by part, and the memory for the order stays the same. All in one batch are taken as they lie,
    which an empty order says.
    """
    generator = np.random.default_rng((seed, epoch))
    if examples <= size:
        yield np.empty(0, np.int64)
    elif examples <= IN_MEMORY:
        yield generator.permutation(examples)
    else:
        part = max(1, IN_MEMORY // size) * size
        for k in generator.permutation(-(-examples // part)):
            yield k * part + generator.permutation(min(part, examples - k * part))


@dataclass
class Epochs:
    """Runs epochs of a kernel over arrays: inputs, targets, and weights where there are any, in batches of `size`."""

    kernel: Kernel
    arrays: Sequence[Array]
    size: int

    def __post_init__(self) -> None:
        self._batches = [np.empty((self.size, *a.shape[1:]), a.dtype) for a in self.arrays]
        self._gradient = np.empty(sum(p.length for p in self.kernel.interface.parameters), self.kernel.dtype)

    def run(
        self, theta: Array, first: Array, second: Array, order: Array, losses: Array, rule: int, settings: Array,
        count: int,
    ) -> int:  # fmt: skip
        """All steps, the loss of each written into `losses`; the number of the step whose loss is no number, or −1.

        An empty `order` takes the examples as they lie. `settings` as in `updates.SETTINGS`; `count` steps were done
        before.
        """
        if self.kernel.epoch is not None:
            return self.kernel.epoch(
                theta, self._gradient, self.kernel.work(self.size), *self.arrays, order, *self._batches, losses,
                rule, first, second, settings, count,
            )  # fmt: skip
        for step in range(len(losses)):
            place = slice(step * self.size, (step + 1) * self.size)
            chosen = order[place] if len(order) else place
            losses[step] = self.kernel(theta, self._gradient, *(a[chosen] for a in self.arrays))
            if not np.isfinite(losses[step]):
                return step
            update(rule, theta, self._gradient, first, second, settings, count + step + 1)
        return -1
