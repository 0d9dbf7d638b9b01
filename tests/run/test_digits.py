from __future__ import annotations

import numpy as np

from backproof.run.digits import digits


def test_the_published_counts_and_range() -> None:
    # The UCI description of the test part: this many images of the digits 0 to 9, pixels 0..16.
    data = digits()
    assert np.bincount(data.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert data.inputs.shape == (1797, 64)
    assert set(np.unique(data.inputs * 16)) == set(range(17))


def test_the_first_image_is_the_one_of_the_file() -> None:
    data = digits()
    first_rows = [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]
    assert (data.inputs[0, :16] * 16).tolist() == first_rows
    assert data.labels[0] == 0


def test_one_hot_rows_hold_the_label() -> None:
    data = digits()
    assert (data.one_hot.sum(axis=1) == 1).all()
    assert (data.one_hot.argmax(axis=1) == data.labels).all()
