"""An embedding with repeated tokens, a mask for padding, and a linear read-out."""

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, 5, size=(3, 6))
    tokens[0, :3] = 2
    mask = np.ones((3, 6))
    mask[0, 5:], mask[2, 3:] = 0, 0
    return {"E": rng.normal(size=(5, 4)), "w": rng.normal(size=4)}, (tokens, mask), rng.normal(size=(3, 6))


def forward(params, x, y):
    tokens, mask = x
    scores = np.tanh(params["E"][tokens]) @ params["w"]
    return np.sum(mask * (scores - y) ** 2) / np.sum(mask)


def _gradients(params, x, y, *, add=True, masked=True, count=None):
    tokens, mask = x
    hidden = np.tanh(params["E"][tokens])
    ds = 2 * (hidden @ params["w"] - y) / (np.sum(mask) if count is None else count)
    ds = ds * mask if masked else ds
    de = ds[..., None] * params["w"] * (1 - hidden**2)
    table = np.zeros_like(params["E"])
    if add:
        np.add.at(table, tokens, de)
    else:
        table[tokens] += de
    return {"E": table, "w": np.einsum("bt,btd->d", ds, hidden)}


def backward(params, x, y):
    return _gradients(params, x, y)


def assigned(params, x, y):
    return _gradients(params, x, y, add=False)


def padding_counts(params, x, y):
    return _gradients(params, x, y, masked=False)


def all_positions(params, x, y):
    return _gradients(params, x, y, count=y.size)


WRONG = {
    "assigned": ("no-accumulate",),
    "padding_counts": ("missing-mask",),
    "all_positions": ("factor", "batch-scale"),
}
