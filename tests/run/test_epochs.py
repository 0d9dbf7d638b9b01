from __future__ import annotations

import numpy as np
import pytest

from backproof.run import epochs
from backproof.run.epochs import orders


@pytest.mark.parametrize("examples", [10, 64, 65, 129, 1000])
def test_every_example_comes_once_in_whole_batches(monkeypatch, examples) -> None:
    monkeypatch.setattr(epochs, "IN_MEMORY", 64)
    parts = list(orders(examples, 7, 3, 5))
    assert sorted(np.concatenate(parts).tolist()) == list(range(examples))
    assert sum(len(p) % 7 != 0 for p in parts) <= 1  # the last part of the file alone may end inside a batch
    again = list(orders(examples, 7, 3, 5))
    assert all((a == b).all() for a, b in zip(parts, again, strict=True))
    assert [p.tolist() for p in orders(examples, 7, 3, 6)] != [p.tolist() for p in parts]


def test_many_examples_are_taken_part_by_part(monkeypatch) -> None:
    monkeypatch.setattr(epochs, "IN_MEMORY", 64)
    for part in orders(1000, 7, 0, 0):
        assert part.max() - part.min() < 64


def test_all_at_once_are_taken_as_they_lie() -> None:
    (order,) = orders(5, 5, 0, 0)
    assert not len(order)
