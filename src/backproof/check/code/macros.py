"""Softmax and normalisations inside a trace, found by their values, and the usual wrong forms of their Jacobians."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from backproof.check.code.operations import Array
from backproof.check.code.search import Change, Search
from backproof.check.code.tape import Node


def changes(search: Search) -> Iterator[Change]:
    """Wrong Jacobians of every softmax and normalisation."""
    for node in search.trace.nodes:
        value = np.asarray(node.value)
        if not node.active or not node.shape or value.dtype.kind != "f" or not np.all(np.isfinite(value)):
            continue
        for axes in _axes(node.shape):
            if len(axes) == 1 and np.all(value >= 0) and np.allclose(value.sum(axis=axes[0]), 1):
                yield from _softmax(search, node, axes[0])
            if len(axes) == 1 and np.all(value <= 0) and np.allclose(np.exp(value).sum(axis=axes[0]), 1):
                yield from _log_softmax(search, node, axes[0])
            square = np.mean(value * value, axis=axes)
            if np.allclose(square, 1, atol=0.02):
                centred = np.allclose(np.mean(value, axis=axes), 0, atol=1e-9)
                yield from _normalised(search, node, axes, centred=centred)


def _axes(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    long = [k for k, n in enumerate(shape) if n > 1]
    for count in range(1, len(long) + 1):
        yield from itertools.combinations(long, count)


def _ancestors(node: Node) -> Iterator[Node]:
    seen: set[int] = set()
    stack = [node]
    while stack and len(seen) < 40:
        one = stack.pop()
        for parent in one.parents:
            if parent.active and parent.number not in seen:
                seen.add(parent.number)
                stack.append(parent)
                if parent.shape == node.shape:
                    yield parent


def _change(node: Node, delta: Array, kind: str, detail: str, rank: int = 4, scale: float | None = 1.0) -> Change:
    return Change(node, delta, kind, detail, scale, rank)


def _softmax(search: Search, node: Node, axis: int) -> Iterator[Change]:
    p = np.asarray(node.value)
    c = search.cotangent(node)
    for z in _ancestors(node):
        true = search.cotangent(z)
        inner = np.sum(p * c, axis=axis, keepdims=True)
        if not np.allclose(p * (c - inner), true, rtol=1e-6, atol=1e-9 * (1e-300 + float(np.max(np.abs(true))))):
            continue
        yield _change(z, p * (1 - p) * c - true, "diagonal-jacobian", "p(1 − p) in place of the softmax's Jacobian", 3)
        yield _change(z, p * c - true, "diagonal-jacobian", "the sum Σ p·dp is left out", 3)
        yield _change(z, c - true, "missing-slope", "the softmax's Jacobian", 3)
        yield _change(z, (c - inner) - true, "missing-slope", "the factor p of the softmax's Jacobian", 4)
        yield _change(z, p * (c + inner) - true, "sign", "of the sum in the softmax's Jacobian", 4)
        yield _change(
            z,
            p * (c - np.sum(c, axis=axis, keepdims=True)) - true,
            "missing-slope",
            "p inside the sum of the softmax's Jacobian",
            4,
        )
        yield _change(
            z,
            p * (c - np.mean(p * c, axis=axis, keepdims=True)) - true,
            "wrong-reduction",
            "a mean in the softmax's Jacobian",
            4,
        )
        yield _change(
            z,
            p * (c - np.mean(c, axis=axis, keepdims=True)) - true,
            "missing-slope",
            "p inside the sum of the softmax's Jacobian: a plain mean",
            4,
        )
        for other in range(p.ndim):
            if other != axis:
                yield _change(
                    z,
                    p * (c - np.sum(p * c, axis=other, keepdims=True)) - true,
                    "wrong-axis",
                    f"softmax's sum over axis {other}, not {axis}",
                    3,
                )
        yield _change(z, p * (c - np.sum(p * c)) - true, "wrong-axis", "softmax's sum over all axes", 4)
        yield _change(z, true * p * (1 - p) - true, "extra-slope", "p(1 − p)", 3)
        yield from _unit_sum(search, z, p, axis, c * p)


def _log_softmax(search: Search, node: Node, axis: int) -> Iterator[Change]:
    value = np.asarray(node.value)
    p, c = np.exp(value), search.cotangent(node)
    total = np.sum(c, axis=axis, keepdims=True)
    for z in _ancestors(node):
        if not np.all(
            np.ptp(value - np.asarray(z.value), axis=axis) < 1e-9 * (1 + np.max(np.abs(np.asarray(z.value))))
        ):
            continue
        true = search.cotangent(z)
        if not np.allclose(c - p * total, true, rtol=1e-6, atol=1e-9 * (1e-300 + float(np.max(np.abs(true))))):
            continue
        yield _change(z, c - true, "stopped-gradient", "the log-sum-exp", 3)
        levels = np.unique(total)
        if len(levels) == 2 and np.any(levels == 0):
            # Rows that count nothing, such as those of a label that is ignored, with the share of the others.
            everywhere = c - p * levels[levels != 0][0]
            yield _change(z, everywhere - true, "missing-mask", "the rows that forward leaves out", 3)
        yield _change(z, c - value * total - true, "missing-slope", "exp: log p in place of p", 4)
        yield _change(z, c - np.exp(np.asarray(z.value)) * total - true, "missing-slope", "the sum under exp", 4)
        yield _change(z, true * p * (1 - p) - true, "extra-slope", "p(1 − p)", 3)
        for other in range(p.ndim):
            if other != axis:
                yield _change(
                    z,
                    c - p * np.sum(c, axis=other, keepdims=True) - true,
                    "wrong-axis",
                    f"softmax's sum over axis {other}, not {axis}",
                    3,
                )
                with np.errstate(all="ignore"):
                    wrong = np.exp(np.asarray(z.value))
                    wrong = wrong / np.sum(wrong, axis=other, keepdims=True)
                yield _change(z, c - wrong * total - true, "wrong-axis", f"softmax over axis {other}, not {axis}", 3)
        yield from _unit_sum(search, z, p, axis, c)


def _unit_sum(search: Search, z: Node, p: Array, axis: int, c: Array) -> Iterator[Change]:
    """P − y where p·Σy − y is right: Σy was taken to be 1."""
    total = np.sum(c, axis=axis, keepdims=True)
    if np.ptp(total) <= 1e-9 * float(np.max(np.abs(total), initial=1e-300)):
        return
    yield _change(z, p * total, "hidden-condition", "sum(y) = 1", 4)
    for length in {1, *search.graph.lengths}:
        for top in (1.0, -1.0):
            yield _change(z, p * (total + top / length), "hidden-condition", "sum(y) = 1", 3)


def _normalised(search: Search, node: Node, axes: tuple[int, ...], *, centred: bool) -> Iterator[Change]:
    h, c = np.asarray(node.value), search.cotangent(node)

    def mean(a: Array, over: tuple[int, ...] = axes) -> Array:
        return np.mean(a, axis=over, keepdims=True)

    for x in _ancestors(node):
        value = np.asarray(x.value)
        own = value - mean(value) if centred else value
        with np.errstate(all="ignore"):
            ratio = h / own
        if (
            not np.all(np.isfinite(ratio))
            or np.max(np.ptp(ratio, axis=axes) / np.abs(mean(ratio)).reshape(np.ptp(ratio, axis=axes).shape)) > 1e-6
        ):
            continue
        r = mean(ratio)
        true = search.cotangent(x)
        first = mean(c) if centred else 0.0
        if not np.allclose(
            r * (c - first - h * mean(c * h)), true, rtol=1e-5, atol=1e-8 * (1e-300 + float(np.max(np.abs(true))))
        ):
            continue
        second = h * mean(c * h)
        count = int(np.prod([h.shape[k] for k in axes]))
        if not centred:
            yield _change(x, r * (c - mean(c) - second) - true, "extra-term", "the mean of the upstream gradient", 4)
        for variant, kind, detail, rank in (
            (r * c, "stopped-gradient", "mean and variance" if centred else "the mean square", 3),
            (r * (c - first), "stopped-gradient", "the variance" if centred else "the mean square", 3),
            (r * (c - second), "stopped-gradient", "the mean", 3),
            (c - first - second, "missing-slope", "the factor 1/σ of the normalisation", 4),
            (r * (c + first - second), "sign", "of the first mean in the normalisation", 4),
            (r * (c - first + second), "sign", "of the second mean in the normalisation", 4),
            (r * r * (c - first - second), "wrong-exponent", "1/σ² in place of 1/σ", 4),
            (r * (c - first * count - second), "wrong-reduction", "a sum in place of the first mean", 4),
            (r * (c - first - second * count), "wrong-reduction", "a sum in place of the second mean", 4),
            (r * (c - (first + second) * count), "wrong-reduction", "sums in place of means", 4),
            (r * (c - first - mean(c * h)), "dropped-term", "the factor x̂ of the second mean", 4),
            (r * (c - first - h * mean(c)), "dropped-term", "the factor x̂ inside the second mean", 4),
            (r * (c - first - own * mean(c * h)), "wrong-variable", "x − μ in place of x̂", 4),
            (r * (c - first - own * mean(c * own)), "wrong-variable", "x − μ in place of x̂", 4),
            (r * (c - first - own * mean(c * h)), "wrong-exponent", "a power of 1/σ too few in the second mean", 4),
            (r * (c - first - h * mean(c * own)), "wrong-variable", "x − μ in place of x̂", 4),
            (r * (c - first - second * 2), "factor", "2 on the second mean", 5),
            (r * (c - first - second / 2), "factor", "1/2 on the second mean", 5),
        ):
            yield _change(x, variant - true, kind, detail, rank)
        if count > 1:
            for scale in (count / (count - 1), (count - 1) / count):
                yield _change(
                    x, r * (c - first - second * scale) - true, "factor", f"n − 1 = {count - 1} in place of n", 5
                )
                yield _change(
                    x, r * (c - (first + second) * scale) - true, "factor", f"n − 1 = {count - 1} in place of n", 5
                )
        for other in _axes(h.shape):
            if other == axes:
                continue
            a = mean(c, other) if centred else 0.0
            b = h * mean(c * h, other)
            name = f"{other[0] if len(other) == 1 else other}, not {axes[0] if len(axes) == 1 else axes}"
            yield _change(x, r * (c - a - b) - true, "wrong-axis", f"means over axis {name}", 3)
            if centred:
                yield _change(x, r * (c - a - second) - true, "wrong-axis", f"the first mean over axis {name}", 3)
            yield _change(x, r * (c - first - b) - true, "wrong-axis", f"the second mean over axis {name}", 3)
