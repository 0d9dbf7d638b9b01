"""Hostile examples: mistakes that a friendly example hides, and code that is right for all of them."""

from __future__ import annotations

import numpy as np
import pytest

from backproof.check.code import hostile
from backproof.check.code.judging import check_gradient, judge
from backproof.check.code.problem import Problem

RNG = np.random.default_rng(8)
X, Y, W = RNG.normal(size=(6, 4)), RNG.normal(size=(6, 3)), RNG.normal(size=(4, 3))
NAMES = ("params", "x", "y")


def squares(params, x, y):
    return 0.5 * np.sum((x @ params["W"] - y) ** 2) / len(x)


def slope(params, x, y):
    return {"W": x.T @ (x @ params["W"] - y) / len(x)}


def judged(forward, backward, inputs):
    return judge([Problem(forward, backward, inputs, NAMES)])["W"]


def cause(verdict):
    return verdict.mistakes[0].name if verdict.mistakes else None


def test_a_right_gradient_survives_them_all():
    assert judged(squares, slope, ({"W": W}, X, Y)).verdict == "proved"


@pytest.mark.parametrize("count", [1, 5])
def test_a_batch_of_another_length(count):
    def backward(params, x, y):
        return {"W": slope(params, x, y)["W"] * (2 if len(x) == count else 1)}

    found = judged(squares, backward, ({"W": W}, X, Y))
    assert found.verdict == "refuted"
    assert any("batch" in note for note in found.notes)


def test_two_sizes_that_are_equal_in_the_example():
    def backward(params, x, y):
        return {"W": x.T @ (x @ params["W"] - y) / x.shape[1]}

    def forward(params, x, y):
        return 0.5 * np.sum((x @ params["W"] - y) ** 2) / 4

    square = ({"W": W}, X[:4], Y[:4])
    assert judged(squares, backward, square).verdict == "refuted"
    assert judged(forward, lambda p, x, y: {"W": x.T @ (x @ p["W"] - y) / 4}, square).verdict == "proved"


def test_weights_that_are_not_all_one():
    def forward(params, x, y):
        target, weight = y
        return np.sum(weight[:, None] * (x @ params["W"] - target) ** 2)

    def backward(params, x, y):
        target, _ = y
        return {"W": 2 * x.T @ (x @ params["W"] - target)}

    found = judged(forward, backward, ({"W": W}, X, (Y, np.ones(6))))
    assert found.verdict == "refuted"
    right = judged(
        forward, lambda p, x, y: {"W": 2 * x.T @ (y[1][:, None] * (x @ p["W"] - y[0]))}, ({"W": W}, X, (Y, np.ones(6)))
    )
    assert right.verdict == "proved"


def test_a_mask_that_masks_nothing_in_the_example():
    def forward(params, x, y):
        x, mask = x
        return np.sum(np.where(mask[:, None], (x @ params["W"] - y) ** 2, 0))

    def backward(params, x, y):
        return {"W": 2 * x[0].T @ (x[0] @ params["W"] - y)}

    found = judged(forward, backward, ({"W": W}, (X, np.ones(6, bool)), Y))
    assert found.verdict == "refuted"
    assert cause(found) == "missing-mask"


def cross_entropy(params, x, y, ignore_index=-100):
    keep = y != ignore_index
    z = x @ params["W"]
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -np.sum(np.where(keep, logp[np.arange(len(y)), np.where(keep, y, 0)], 0))


def cross_entropy_slope(params, x, y, *, keeps):
    z = x @ params["W"]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    keep = y != -100
    p[np.arange(len(y)), np.where(keep, y, 0)] -= 1
    return {"W": x.T @ (p * keep[:, None] if keeps else p)}


@pytest.mark.parametrize(("keeps", "verdict"), [(True, "proved"), (False, "refuted")])
def test_labels_that_forward_ignores(keeps, verdict):
    labels = np.array([0, 2, 1, 1, 0, 2])
    found = judged(cross_entropy, lambda p, x, y: cross_entropy_slope(p, x, y, keeps=keeps), ({"W": W}, X, labels))
    assert found.verdict == verdict


def test_a_stride_that_leaves_out_the_end():
    def windows(x):
        return [slice(k, k + 3) for k in range(0, x.shape[2] - 2, 2)]

    def forward(params, x, y):
        return sum(np.sum((x[:, :, part] * params["W"]) ** 2) for part in windows(x)) + 0 * np.sum(y)

    def backward(params, x, y):
        whole = x[:, :, : 2 * (x.shape[2] // 2) + 1]
        return {"W": sum(2 * params["W"] * np.sum(whole[:, :, p] ** 2, axis=(0, 1)) for p in windows(whole))}

    image = RNG.normal(size=(2, 3, 7))
    found = judge([Problem(forward, backward, ({"W": RNG.normal(size=3)}, image, RNG.normal(size=2)), NAMES)])
    assert found["W"].verdict == "proved"

    def short(params, x, y):
        return {"W": sum(2 * params["W"] * np.sum(x[:, :, p] ** 2, axis=(0, 1)) for p in windows(x)[:3])}

    ten = RNG.normal(size=(2, 3, 8))
    problem = Problem(forward, short, ({"W": RNG.normal(size=3)}, ten, RNG.normal(size=2)), NAMES)
    assert judge([problem])["W"].verdict == "proved"
    said = [says for says, _ in hostile.sizes(problem)]
    assert any("length 7, not 8" in says for says in said)


def test_an_input_that_may_not_be_written():
    def backward(params, x, y):
        kept = x.copy()
        x -= x.mean(axis=0)
        x[...] = kept
        return slope(params, x, y)

    found = judged(squares, backward, ({"W": W}, X, Y))
    assert (found.verdict, cause(found)) == ("refuted", "in-place")


def test_arrays_that_are_not_contiguous():
    def backward(params, x, y):
        flat = np.lib.stride_tricks.as_strided(x, (x.size,), (x.itemsize,)) if x.flags.c_contiguous else x.ravel("K")
        return slope(params, flat.reshape(x.shape), y)

    found = judged(squares, backward, ({"W": W}, X, Y))
    assert (found.verdict, cause(found)) == ("refuted", "not-a-formula-error")
    assert "not contiguous" in found.mistakes[0].says


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_short_types_are_judged_by_their_precision(kind):
    inputs = ({"W": W.astype(kind)}, X.astype(kind), Y.astype(kind))
    assert judged(squares, slope, inputs).verdict == "proved"
    assert judged(squares, lambda p, x, y: {"W": 2 * slope(p, x, y)["W"]}, inputs).verdict == "refuted"


def test_an_overflow_of_a_short_type():
    def backward(params, x, y):
        return {"W": x.T * kind(300) @ (x @ params["W"] - y) * kind(300) / kind(300) / kind(300) / len(x)}

    kind = np.float16
    found = judged(squares, backward, ({"W": W.astype(kind) * 4}, X.astype(kind) * 8, Y.astype(kind)))
    assert (found.verdict, cause(found)) == ("refuted", "dtype")


def test_large_logits_that_overflow_are_a_note():
    def forward(params, x, y):
        z = x @ params["W"]
        top = z.max(axis=1, keepdims=True)
        return np.sum(np.log(np.exp(z - top).sum(axis=1)) + top[:, 0]) - np.sum(z * y)

    def backward(params, x, y):
        e = np.exp(x @ params["W"])
        return {"W": x.T @ (e / e.sum(axis=1, keepdims=True) - y)}

    report = judge([Problem(forward, backward, ({"W": W}, X, Y), NAMES)])
    assert report["W"].verdict == "proved"
    assert any("overflow" in note for note in report.notes)


def test_code_for_two_axes_with_a_third_is_a_note():
    def backward(params, x, y):
        d = (x @ params["W"] + params["b"] - y) / len(x)
        return {
            "W": np.tensordot(x, d, axes=(range(x.ndim - 1), range(x.ndim - 1))),
            "b": d.sum(axis=0).reshape(-1, 3)[0],
        }

    def forward(params, x, y):
        return 0.5 * np.sum((x @ params["W"] + params["b"] - y) ** 2) / len(x)

    report = judge([Problem(forward, backward, ({"W": W, "b": Y[0]}, X, Y), NAMES)])
    assert report.ok
    assert any("further axis" in note for note in report.notes)


def test_random_numbers_of_forward_are_the_same_in_backward():
    def mask(x):
        return (np.random.uniform(size=x.shape) < 0.8) / 0.8  # noqa: NPY002 - as such code is written

    def forward(params, x, y):
        return 0.5 * np.sum(((x * mask(x)) @ params["W"] - y) ** 2)

    def backward(params, x, y):
        dropped = x * mask(x)
        return {"W": dropped.T @ (dropped @ params["W"] - y)}

    report = judge([Problem(forward, backward, ({"W": W}, X, Y), NAMES)])
    assert report["W"].verdict == "proved"
    assert any("random" in note for note in report.notes)


def test_an_upstream_gradient_is_neither_constant_nor_ones():
    def forward(x):
        return np.tanh(x), x

    def backward(dout, cache):
        return {"x": np.ones_like(dout) * (1 - np.tanh(cache) ** 2)}

    found = check_gradient(backward, forward=forward, inputs=(X,))["x"]
    assert (found.verdict, cause(found)) == ("refuted", "upstream-ignored")


def test_lengths_that_are_bound_to_another_array_are_not_cropped():
    def norm(x, scale):
        mean = x.mean(axis=2, keepdims=True)
        return (x - mean) * scale[:, :, None]

    def norm_gradient(g, x, scale):
        own = g * scale[:, :, None]
        centred = x - x.mean(axis=2, keepdims=True)
        return {"x": own - own.mean(axis=2, keepdims=True), "scale": (g * centred).sum(axis=2)}

    rng = np.random.default_rng(0)
    # A batch of one would be broadcast against the two rows of scale.
    report = check_gradient(norm_gradient, forward=norm, inputs=(rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3))))
    assert report.ok, str(report)


def test_what_arrays_have_in_common_is_kept():
    rng = np.random.default_rng(0)
    symmetric = rng.normal(size=(4, 4))
    symmetric = symmetric + symmetric.T
    other = hostile.alike(symmetric, symmetric * rng.uniform(size=(4, 4)))
    assert np.array_equal(other, other.T)
    times = np.array([0.0, 0.3, 0.35, 0.9])
    assert np.all(np.diff(hostile.alike(times, times * rng.uniform(0.5, 2, 4))) >= 0)
    shares = rng.uniform(size=(3, 4))
    shares /= shares.sum(1, keepdims=True)
    assert np.allclose(hostile.alike(shares, shares * rng.uniform(0.5, 2, (3, 4))).sum(1), 1)
    turned = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert np.array_equal(hostile.alike(turned, 2 * turned), turned)
    free = rng.normal(size=(3, 4))
    assert np.array_equal(hostile.alike(free, 2 * free), 2 * free)


def test_a_gradient_that_needs_a_symmetric_matrix_is_not_accused():
    rng = np.random.default_rng(1)
    a = rng.normal(size=(4, 4))
    report = check_gradient(
        lambda x, a, b: {"x": a @ x - b},
        forward=lambda x, a, b: 0.5 * x @ a @ x - b @ x,
        inputs=(rng.normal(size=4), a @ a.T, rng.normal(size=4)),
    )
    assert report.ok, str(report)


def test_an_order_stays_an_order():
    def loss(p, x, y):
        ranked = (x @ p["w"])[y]
        return -np.sum(ranked - np.log(np.cumsum(np.exp(ranked)[::-1])[::-1]))

    def gradient(p, x, y):
        ranked = np.exp((x @ p["w"])[y])
        total = np.cumsum(ranked[::-1])[::-1]
        d = np.zeros(len(x))
        d[y] = ranked * np.cumsum(1 / total) - 1
        return {"w": x.T @ d}

    rng = np.random.default_rng(2)
    inputs = ({"w": rng.normal(size=3)}, rng.normal(size=(7, 3)), rng.permutation(7))
    assert check_gradient(gradient, forward=loss, inputs=inputs).ok


def test_one_side_of_a_square_matrix_is_not_cropped():
    rng = np.random.default_rng(3)
    report = check_gradient(
        lambda a: np.diag(-2 / np.diag(a)),
        forward=lambda a: -2 * np.sum(np.log(np.diag(a))),
        inputs=(np.tril(rng.uniform(0.5, 1.5, (4, 4))),),
    )
    assert report.ok, str(report)
