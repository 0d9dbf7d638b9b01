"""The operations of a tape: how each is run, on real or complex arrays, and how it passes a cotangent back."""

# A table of rules of one signature: the types of their operands are Any by design.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

Array: TypeAlias = Any
SMALL: Final = 1e-100

Run: TypeAlias = Callable[..., Array]
PullRule: TypeAlias = Callable[[Any, Array, Sequence[Array], Array, int], Array]


@dataclass(frozen=True, slots=True)
class Operation:
    """How to run an operation on its attribute and operands; and how a cotangent is passed to one operand."""

    run: Run
    pull: PullRule | None = None


def shrunk(array: Array, shape: tuple[int, ...]) -> Array:
    """The transpose of broadcasting: the sum over the axes along which an array of this shape was repeated."""
    array = np.asarray(array)
    if array.shape == shape:
        return array
    if len(array.shape) > len(shape):
        array = array.sum(axis=tuple(range(len(array.shape) - len(shape))))
    axes = tuple(k for k, (have, want) in enumerate(zip(array.shape, shape, strict=False)) if want == 1 and have != 1)
    if axes:
        array = array.sum(axis=axes, keepdims=True)
    return np.broadcast_to(array, shape) if array.shape != shape else array


def _real(value: Array) -> Array:
    return value.real if np.iscomplexobj(value) else value


def _sigmoid(u: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * u))


_erf_real = np.vectorize(math.erf, otypes=[float])


def _erf(u: Array) -> Array:
    if not np.iscomplexobj(u):
        return _erf_real(u)
    return _erf_real(u.real) + 1j * u.imag * 2 / math.sqrt(math.pi) * np.exp(-(u.real**2))


def _softplus(u: Array) -> Array:
    if not np.iscomplexobj(u):
        return np.logaddexp(0, u)
    return np.logaddexp(0, u.real) + 1j * u.imag * _sigmoid(u.real)


def _linear_pieces(slope: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda u: u * slope(_real(u))


# Functions of one entry; on complex numbers they carry a tangent in the imaginary part.
UNARY: Final[dict[str, Callable[[Array], Array]]] = {
    "exp": np.exp,
    "exp2": lambda u: np.exp(u * math.log(2)) if np.iscomplexobj(u) else np.exp2(u),
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "cbrt": lambda u: np.cbrt(u.real) + 1j * u.imag / (3 * np.cbrt(u.real) ** 2) if np.iscomplexobj(u) else np.cbrt(u),
    "square": lambda u: u * u,
    "reciprocal": lambda u: 1 / u,
    "negative": np.negative,
    "positive": np.positive,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "arctan": np.arctan,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arcsinh": np.arcsinh,
    "arctanh": np.arctanh,
    "absolute": _linear_pieces(np.sign),
    "relu": _linear_pieces(lambda u: (u > 0) * 1.0),
    "sigmoid": _sigmoid,
    "erf": _erf,
    "softplus": _softplus,
}


def slope(name: str, u: Array) -> Array:
    """The slope of a function of one entry, by the complex step."""
    with np.errstate(all="ignore"):
        return np.imag(UNARY[name](np.asarray(u) + 1j * SMALL)) / SMALL


def _power(_: Any, base: Array, exponent: Array) -> Array:
    if not np.iscomplexobj(base) and not np.iscomplexobj(exponent):
        return np.power(base, exponent)
    b, e = _real(base), _real(exponent)
    value = np.power(b, e)
    moved = np.zeros_like(value, dtype=float)
    if np.iscomplexobj(base):
        moved = moved + base.imag * e * np.power(b, np.asarray(e - 1.0))
    if np.iscomplexobj(exponent):
        moved = moved + exponent.imag * value * np.log(b)
    return value + 1j * moved


def _power_pull(_: Any, out: Array, operands: Sequence[Array], c: Array, slot: int) -> Array:
    base, exponent = operands
    if slot == 0:
        return c * exponent * np.power(base, np.asarray(exponent - 1.0))
    return c * out * np.log(base)


def _extreme(which: str) -> Run:
    def run(_: Any, a: Array, b: Array) -> Array:
        first = _real(a) >= _real(b) if which == "max" else _real(a) <= _real(b)
        return np.where(first, a, b)

    return run


def _extreme_pull(which: str) -> PullRule:
    def pull(_: Any, __: Array, operands: Sequence[Array], c: Array, slot: int) -> Array:
        a, b = operands
        first = a >= b if which == "max" else a <= b
        return c * (first if slot == 0 else ~first)

    return pull


def _sum(attr: Any, a: Array) -> Array:
    axis, keepdims, mean = attr
    total = np.sum(a, axis=axis, keepdims=keepdims)
    return total / (np.size(a) / max(1, np.size(total))) if mean else total


def _spread(attr: Any, out: Array, like: Array) -> Array:
    axis, keepdims = attr[0], attr[1]
    if axis is None:
        return np.broadcast_to(np.reshape(out, (1,) * np.ndim(like)), np.shape(like))
    if not keepdims:
        axes = (axis,) if isinstance(axis, int) else tuple(axis)
        out = np.expand_dims(out, tuple(k % np.ndim(like) for k in axes))
    return np.broadcast_to(out, np.shape(like))


def _sum_pull(attr: Any, out: Array, operands: Sequence[Array], c: Array, _: int) -> Array:
    spread = _spread(attr, c, operands[0])
    return spread / (np.size(operands[0]) / max(1, np.size(out))) if attr[2] else spread


def _top(which: str) -> Run:
    def run(attr: Any, a: Array) -> Array:
        axis, keepdims = attr
        real = _real(np.asarray(a))
        value = getattr(np, which)(real, axis=axis, keepdims=keepdims)
        if not np.iscomplexobj(a):
            return value
        mask = _first_true(real == _spread(attr, value, a), axis)
        return np.sum(np.where(mask, a, 0), axis=axis, keepdims=keepdims)

    return run


def _first_true(mask: Array, axis: Any) -> Array:
    """The mask with the first of several equal extremes alone, along one axis or over all."""
    if axis is None:
        flat = mask.ravel()
        return (np.arange(flat.size) == int(np.argmax(flat))).reshape(mask.shape)
    if isinstance(axis, int):
        return mask & (np.cumsum(mask, axis=axis) == 1)
    return mask


def _top_pull(attr: Any, out: Array, operands: Sequence[Array], c: Array, _: int) -> Array:
    mask = _first_true(np.asarray(operands[0]) == _spread(attr, out, operands[0]), attr[0])
    return _spread(attr, c, operands[0]) * mask


def _matmul_pull(_: Any, __: Array, operands: Sequence[Array], c: Array, slot: int) -> Array:
    a, b = np.asarray(operands[0]), np.asarray(operands[1])
    if a.ndim == 1 and b.ndim == 1:
        return c * (b if slot == 0 else a)
    if a.ndim == 1:
        return _matvec(b, c) if slot == 0 else a[:, None] * c[..., None, :]
    if b.ndim == 1:
        return c[..., None] * b if slot == 0 else _matvec(np.swapaxes(a, -1, -2), c)
    return c @ np.swapaxes(b, -1, -2) if slot == 0 else np.swapaxes(a, -1, -2) @ c


def _matvec(matrix: Array, vector: Array) -> Array:
    return (matrix @ vector[..., None])[..., 0]


def _einsum(attr: Any, *operands: Array) -> Array:
    return np.einsum(attr, *operands, optimize=len(operands) > 2)


def _einsum_pull(attr: Any, _: Array, operands: Sequence[Array], c: Array, slot: int) -> Array:
    left, out = attr.split("->")
    terms = left.split(",")
    own = terms[slot]
    others = [t for k, t in enumerate(terms) if k != slot]
    arrays = [a for k, a in enumerate(operands) if k != slot]
    known = set(out).union(*map(set, others))
    lost = [letter for letter in own if letter not in known]
    if len(set(own)) < len(own):
        raise NotImplementedError
    target = "".join(letter for letter in own if letter in known)
    got = np.einsum(",".join([out, *others]) + "->" + target, c, *arrays)
    for place, letter in enumerate(own):
        if letter in lost:
            got = np.expand_dims(got, place)
    return np.broadcast_to(got, np.shape(operands[slot]))


def _put(attr: Any, whole: Array, part: Array) -> Array:
    key, adding = attr
    whole = np.asarray(whole)
    if np.iscomplexobj(part) and not np.iscomplexobj(whole):
        whole = whole.astype(complex)
    result = whole.copy()
    if adding:
        np.add.at(result, key, part)
    else:
        result[key] = part
    return result


def _put_pull(attr: Any, _: Array, __: Sequence[Array], c: Array, slot: int) -> Array:
    key, adding = attr
    if slot == 1:
        return c[key]
    if adding:
        return c
    kept = np.array(c)
    kept[key] = 0
    return kept


def _index_pull(key: Any, _: Array, operands: Sequence[Array], c: Array, __: int) -> Array:
    back = np.zeros(np.shape(operands[0]))
    np.add.at(back, key, c)
    return back


def _concat_pull(axis: Any, _: Array, operands: Sequence[Array], c: Array, slot: int) -> Array:
    axis = axis % np.ndim(c)
    start = sum(np.shape(o)[axis] for o in operands[:slot])
    own = np.shape(operands[slot])[axis]
    return c[(slice(None),) * axis + (slice(start, start + own),)]


def _cast(dtype: Any, a: Array) -> Array:
    return a if np.iscomplexobj(a) else np.asarray(a).astype(dtype)


def _cumsum_pull(axis: Any, _: Array, __: Sequence[Array], c: Array, ___: int) -> Array:
    return np.flip(np.cumsum(np.flip(c, axis), axis=axis), axis)


def _real_call(attr: Any, *operands: Array) -> Array:
    return attr(*(_real(np.asarray(o)) if isinstance(o, np.ndarray) else o for o in operands))


OPERATIONS: Final[dict[str, Operation]] = {
    "input": Operation(lambda _: None),
    "constant": Operation(lambda _: None),
    "unary": Operation(lambda name, u: UNARY[name](u), lambda name, _, operands, c, __: c * slope(name, operands[0])),
    "add": Operation(lambda _, a, b: np.add(a, b), lambda _, __, ___, c, ____: c),
    "subtract": Operation(lambda _, a, b: np.subtract(a, b), lambda _, __, ___, c, slot: c if slot == 0 else -c),
    "multiply": Operation(lambda _, a, b: np.multiply(a, b), lambda _, __, operands, c, slot: c * operands[1 - slot]),
    "divide": Operation(
        lambda _, a, b: np.divide(a, b),
        lambda _, out, operands, c, slot: c / operands[1] if slot == 0 else -c * out / operands[1],
    ),
    "power": Operation(_power, _power_pull),
    "maximum": Operation(_extreme("max"), _extreme_pull("max")),
    "minimum": Operation(_extreme("min"), _extreme_pull("min")),
    "where": Operation(
        lambda _, condition, a, b: np.where(_real(condition), a, b),
        lambda _, __, operands, c, slot: c * (np.asarray(operands[0], bool) == (slot == 1)),
    ),
    "matmul": Operation(lambda _, a, b: np.matmul(a, b), _matmul_pull),
    "einsum": Operation(_einsum, _einsum_pull),
    "sum": Operation(_sum, _sum_pull),
    "max": Operation(_top("max"), _top_pull),
    "min": Operation(_top("min"), _top_pull),
    "cumsum": Operation(lambda axis, a: np.cumsum(a, axis=axis), _cumsum_pull),
    "reshape": Operation(
        lambda shape, a: np.reshape(a, shape), lambda _, __, operands, c, ___: np.reshape(c, np.shape(operands[0]))
    ),
    "transpose": Operation(
        lambda axes, a: np.transpose(a, axes), lambda axes, _, __, c, ___: np.transpose(c, np.argsort(axes))
    ),
    "index": Operation(lambda key, a: np.asarray(a)[key], _index_pull),
    "put": Operation(_put, _put_pull),
    "broadcast": Operation(lambda shape, a: np.broadcast_to(a, shape), lambda _, __, ___, c, ____: c),
    "concatenate": Operation(lambda axis, *parts: np.concatenate(parts, axis=axis), _concat_pull),
    "cast": Operation(_cast, lambda _, __, ___, c, ____: c),
    "call": Operation(_real_call),
}
