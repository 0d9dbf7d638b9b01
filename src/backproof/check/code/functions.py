"""Functions and methods of arrays on a tape, by NumPy's names; each is made of a few operations."""

# A table of rules of one signature: the types of their operands are Any by design.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from backproof.check.code.products import dot, einsum, lift, tensordot
from backproof.check.code.tracing import Recorder, Traced, UntraceableError, plain, stacked

Handler = Callable[..., Any]


def _value(a: Any) -> Any:
    return np.asarray(plain(a))


def _axis(axis: Any) -> Any:
    return tuple(int(k) for k in axis) if isinstance(axis, tuple | list) else axis


def _sum(
    r: Recorder, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **more: Any
) -> Traced:
    del dtype
    if out is not None or more.get("where", True) is not True:
        raise UntraceableError("a sum with out= or where=")
    return r.op("sum", lift(r, a), attr=(_axis(axis), bool(keepdims), False))


def _mean(
    r: Recorder, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **_: Any
) -> Traced:
    del dtype, out
    return r.op("sum", lift(r, a), attr=(_axis(axis), bool(keepdims), True))


def _var(
    r: Recorder,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    **_: Any,
) -> Traced:
    del dtype, out
    a = lift(r, a)
    centred = a - _mean(r, a, axis, keepdims=True)
    squares = centred * centred
    if not ddof:
        return _mean(r, squares, axis, keepdims=keepdims)
    count = np.size(a.value) / max(1, np.size(np.sum(a.value, axis=axis)))
    return _sum(r, squares, axis, keepdims=keepdims) / (count - ddof)


def _std(
    r: Recorder,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    **_: Any,
) -> Traced:
    return r.unary("sqrt", _var(r, a, axis, dtype, out, ddof, keepdims))


def _top(which: str) -> Handler:
    def top(r: Recorder, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Traced:
        del out
        return r.op(which, lift(r, a), attr=(_axis(axis), bool(keepdims)))

    return top


def _flat(function: Callable[..., Any]) -> Handler:
    """A function without slopes, run on the numbers."""

    def run(r: Recorder, *args: Any, **options: Any) -> Any:
        first, rest = args[0], args[1:]
        chosen = {k: plain(v) for k, v in options.items()}
        if isinstance(first, Traced) and not any(isinstance(a, Traced) for a in rest):
            return r.call(lambda value: function(value, *rest, **chosen), first)
        return r.constant(np.asarray(function(*(plain(a) for a in args), **chosen)))

    return run


def _where(r: Recorder, condition: Any, *choices: Any) -> Any:
    if not choices:
        return tuple(r.constant(k) for k in np.nonzero(_value(condition)))
    return r.op("where", condition, *choices)


def _reshape(r: Recorder, a: Any, shape: Any = None, order: str = "C", newshape: Any = None, **_: Any) -> Traced:
    return lift(r, a).reshape(shape if shape is not None else newshape, order=order)


def _transpose(r: Recorder, a: Any, axes: Any = None) -> Traced:
    return lift(r, a).transpose(axes)


def _swapaxes(r: Recorder, a: Any, first: int, second: int) -> Traced:
    a = lift(r, a)
    order = list(range(a.ndim))
    order[first], order[second] = order[second], order[first]
    return a.transpose(order)


def _moveaxis(r: Recorder, a: Any, source: Any, destination: Any) -> Traced:
    a = lift(r, a)
    marks = np.moveaxis(np.empty(tuple(range(1, a.ndim + 1))), source, destination).shape
    return a.transpose([m - 1 for m in marks])


def _expand(r: Recorder, a: Any, axis: Any) -> Traced:
    a = lift(r, a)
    return r.op("reshape", a, attr=np.expand_dims(a.value, axis).shape)


def _squeeze(r: Recorder, a: Any, axis: Any = None) -> Traced:
    a = lift(r, a)
    return r.op("reshape", a, attr=np.squeeze(a.value, axis).shape)


def _ravel(r: Recorder, a: Any, order: str = "C") -> Traced:
    return lift(r, a).reshape(-1, order=order)


def _concatenate(r: Recorder, parts: Any, axis: Any = 0, **_: Any) -> Traced:
    if axis is None:
        return r.op("concatenate", *(_ravel(r, p) for p in parts), attr=0)
    return r.op("concatenate", *(lift(r, p) for p in parts), attr=axis)


def _stack(r: Recorder, parts: Any, axis: int = 0, **_: Any) -> Traced:
    return stacked(r, [lift(r, p) for p in parts], axis)


def _hstack(r: Recorder, parts: Any, **_: Any) -> Traced:
    rows = [lift(r, p) for p in parts]
    return _concatenate(r, rows, 0 if rows[0].ndim < 2 else 1)


def _vstack(r: Recorder, parts: Any, **_: Any) -> Traced:
    rows = [lift(r, p) for p in parts]
    return _concatenate(r, [p.reshape(1, -1) if p.ndim < 2 else p for p in rows], 0)


def _column_stack(r: Recorder, parts: Any) -> Traced:
    rows = [lift(r, p) for p in parts]
    return _concatenate(r, [p.reshape(-1, 1) if p.ndim < 2 else p for p in rows], 1)


@dataclass(frozen=True, slots=True)
class Filled:
    """An array of one number, as large as another one."""

    value: float

    def __call__(self, like: Any) -> Any:
        return np.full(np.shape(like), self.value)


def _like(value: float) -> Handler:
    def like(r: Recorder, a: Any, dtype: Any = None, **_: Any) -> Traced:
        del dtype
        return r.call(Filled(value), a) if isinstance(a, Traced) else r.constant(np.full(np.shape(plain(a)), value))

    return like


def _full_like(r: Recorder, a: Any, fill: Any, **_: Any) -> Traced:
    return r.op("broadcast", fill, attr=np.shape(plain(a)))


def _pad(r: Recorder, a: Any, width: Any, mode: str = "constant", constant_values: Any = 0, **_: Any) -> Traced:
    if mode != "constant":
        raise UntraceableError("padding of another kind than with a constant")
    a = lift(r, a)
    whole = r.constant(np.pad(np.zeros(a.shape), width, constant_values=constant_values))
    inside = np.pad(np.ones(a.shape, bool), width)
    corner = [int(np.nonzero(inside.any(axis=tuple(j for j in range(a.ndim) if j != k)))[0][0]) for k in range(a.ndim)]
    whole[tuple(slice(c, c + n) for c, n in zip(corner, a.shape, strict=True))] = a
    return whole


def _clip(r: Recorder, a: Any, low: Any = None, high: Any = None, out: Any = None, **more: Any) -> Traced:
    del out
    a = lift(r, a)
    low = more.get("min", more.get("a_min", low))
    high = more.get("max", more.get("a_max", high))
    if low is not None:
        a = r.op("maximum", a, low)
    return r.op("minimum", a, high) if high is not None else a


def _norm(r: Recorder, a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Traced:
    a = lift(r, a)
    if ord not in (None, 2, "fro") or (ord == 2 and axis is None and a.ndim > 1):
        raise UntraceableError("a norm of another order than 2")
    return r.unary("sqrt", _sum(r, a * a, axis, keepdims=keepdims))


def _prod(r: Recorder, a: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Traced:
    a = lift(r, a)
    if axis is None:
        a, axis = a.reshape(-1), 0
    rows = [a[(slice(None),) * (axis % a.ndim) + (k,)] for k in range(a.shape[axis])]
    total = rows[0]
    for row in rows[1:]:
        total = total * row
    return _expand(r, total, axis) if keepdims else total


def _repeat(r: Recorder, a: Any, repeats: Any, axis: Any = None) -> Traced:
    a = lift(r, a)
    if axis is None:
        a, axis = a.reshape(-1), 0
    where = np.repeat(np.arange(a.shape[axis]), plain(repeats))
    return a[(slice(None),) * (axis % a.ndim) + (where,)]


def _tile(r: Recorder, a: Any, reps: Any) -> Traced:
    a = lift(r, a)
    where = np.tile(np.arange(np.size(a.value)).reshape(a.shape), reps)
    return a.reshape(-1)[where]


def _rearranged(function: Callable[..., Any]) -> Handler:
    """A function that only moves entries: what it does to their numbers is what it does to them."""

    def moved(r: Recorder, a: Any, *args: Any, **options: Any) -> Any:
        a = lift(r, a)
        where = function(np.arange(np.size(a.value)).reshape(a.shape), *map(plain, args), **options)
        if isinstance(where, list | tuple):
            return [a.reshape(-1)[w] for w in where]
        return a.reshape(-1)[where]

    return moved


def _masked(function: Callable[..., Any]) -> Handler:
    def masked(r: Recorder, a: Any, k: int = 0) -> Traced:
        a = lift(r, a)
        return a * function(np.ones(a.shape), k)

    return masked


def _take(r: Recorder, a: Any, indices: Any, axis: Any = None, **_: Any) -> Traced:
    a = lift(r, a)
    if axis is None:
        return a.reshape(-1)[plain(indices)]
    return a[(slice(None),) * (axis % a.ndim) + (plain(indices),)]


def _take_along(r: Recorder, a: Any, indices: Any, axis: Any = -1) -> Traced:
    a = lift(r, a)
    where = np.take_along_axis(np.arange(np.size(a.value)).reshape(a.shape), _value(indices), axis)
    return a.reshape(-1)[where]


def _outer(r: Recorder, a: Any, b: Any, out: Any = None) -> Traced:
    del out
    return r.op("multiply", _ravel(r, a).reshape(-1, 1), _ravel(r, b).reshape(1, -1))


def _cumsum(r: Recorder, a: Any, axis: Any = None, **_: Any) -> Traced:
    return r.op("cumsum", _ravel(r, a) if axis is None else lift(r, a), attr=0 if axis is None else axis)


def _trace(r: Recorder, a: Any, **_: Any) -> Traced:
    return einsum(r, "ii->", a)


def _array(r: Recorder, a: Any, dtype: Any = None, **_: Any) -> Traced:
    a = lift(r, a)
    return a if dtype is None or a.node.active else a.astype(dtype)


def _sort(r: Recorder, a: Any, axis: int = -1, **_: Any) -> Traced:
    return _take_along(r, a, np.argsort(_value(a), axis=axis), axis)


def _copyto(r: Recorder, target: Any, value: Any, **options: Any) -> None:
    where = options.get("where", True)
    key = ... if where is True else plain(where)
    if not isinstance(target, Traced):
        raise UntraceableError("an array that is not on the tape is changed")
    target[key] = r.op("broadcast", value, attr=target.shape)[key]


def _softmax(r: Recorder, a: Any, axis: Any = -1) -> Traced:
    a = lift(r, a)
    raised = r.unary("exp", a - r.call(lambda v: np.max(v, axis=axis, keepdims=True), a))
    return raised / _sum(r, raised, axis, keepdims=True)


def _logsumexp(r: Recorder, a: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Traced:
    a = lift(r, a)
    top = r.call(lambda v: np.max(v, axis=axis, keepdims=True), a)
    total = r.unary("log", _sum(r, r.unary("exp", a - top), axis, keepdims=True)) + top
    return total if keepdims else _squeeze(r, total, axis)


def _shape_of(r: Recorder, a: Any) -> Any:
    del r
    return np.shape(plain(a))


FUNCTIONS: Final[dict[str, Handler]] = {
    "sum": _sum, "nansum": _sum, "mean": _mean, "average": lambda r, a, axis=None, weights=None, **_: _mean(r, a, axis) if weights is None else _sum(r, a * weights, axis) / np.sum(weights),
    "var": _var, "std": _std, "max": _top("max"), "amax": _top("max"), "min": _top("min"), "amin": _top("min"),
    "where": _where, "dot": dot, "inner": lambda r, a, b: tensordot(r, a, b, axes=((-1,), (-1,))) if np.ndim(plain(a)) and np.ndim(plain(b)) else r.op("multiply", a, b),
    "vdot": lambda r, a, b: _sum(r, lift(r, a) * b), "outer": _outer, "tensordot": tensordot, "einsum": einsum,
    "matmul": lambda r, a, b, **_: r.op("matmul", a, b),
    "reshape": _reshape, "transpose": _transpose, "permute_dims": _transpose, "swapaxes": _swapaxes, "moveaxis": _moveaxis, "expand_dims": _expand, "squeeze": _squeeze,
    "ravel": _ravel, "concatenate": _concatenate, "concat": _concatenate, "stack": _stack, "hstack": _hstack, "vstack": _vstack, "column_stack": _column_stack,
    "zeros_like": _like(0.0), "empty_like": _like(0.0), "ones_like": _like(1.0), "full_like": _full_like,
    "pad": _pad, "clip": _clip, "norm": _norm, "prod": _prod, "repeat": _repeat, "tile": _tile,
    "flip": _rearranged(np.flip), "fliplr": _rearranged(np.fliplr), "flipud": _rearranged(np.flipud), "roll": _rearranged(np.roll), "rot90": _rearranged(np.rot90), "rollaxis": _rearranged(np.rollaxis),
    "split": _rearranged(np.split), "array_split": _rearranged(np.array_split), "hsplit": _rearranged(np.hsplit), "vsplit": _rearranged(np.vsplit), "unstack": _rearranged(lambda a, axis=0: list(np.moveaxis(a, axis, 0))),
    "diagonal": _rearranged(np.diagonal), "diag": lambda r, a, k=0: _rearranged(np.diag)(r, a, k) if np.ndim(plain(a)) == 2 else _diagonal(r, a),
    "sliding_window_view": _rearranged(np.lib.stride_tricks.sliding_window_view), "atleast_1d": _rearranged(np.atleast_1d), "atleast_2d": _rearranged(np.atleast_2d),
    "triu": _masked(np.triu), "tril": _masked(np.tril), "take": _take, "take_along_axis": _take_along, "cumsum": _cumsum, "trace": _trace,
    "sort": _sort, "broadcast_to": lambda r, a, shape, **_: r.op("broadcast", a, attr=tuple(np.atleast_1d(shape))), "copy": lambda r, a, **_: lift(r, a).copy(),
    "copyto": _copyto, "nan_to_num": lambda r, a, **_: lift(r, a), "shape": _shape_of, "ndim": lambda r, a: np.ndim(plain(a)), "size": lambda r, a, axis=None: np.size(plain(a), axis),
    "square": lambda r, a: r.unary("square", a), "softmax": _softmax, "logsumexp": _logsumexp, "real_if_close": lambda r, a, **_: a, "real": lambda r, a: a, "sinc": lambda r, a: _unsupported(),
    "diff": lambda r, a, **_: lift(r, a)[..., 1:] - lift(r, a)[..., :-1],
    **{name: _flat(getattr(np, name)) for name in ("argmax", "argmin", "argsort", "all", "any", "isclose", "allclose", "array_equal", "nonzero", "count_nonzero", "unique", "bincount", "searchsorted", "round", "around", "digitize", "result_type", "iscomplexobj", "isin")},
}  # fmt: skip


def _unsupported() -> Any:
    raise UntraceableError("this function is not known here")


def _diagonal(r: Recorder, a: Any) -> Traced:
    a = lift(r, a)
    return a.reshape(-1, 1) * np.eye(np.size(a.value))


METHODS: Final[dict[str, Handler]] = {
    name: FUNCTIONS[name]
    for name in (
        "sum", "mean", "var", "std", "max", "min", "dot", "prod", "ravel", "squeeze", "repeat", "cumsum", "clip", "swapaxes", "diagonal", "trace", "take",
        "argmax", "argmin", "argsort", "all", "any", "nonzero", "round",
    )
} | {"flatten": _ravel, "conj": lambda r, a: a}  # fmt: skip


def created(r: Recorder) -> dict[str, Callable[..., Any]]:
    """Functions of NumPy that make arrays, so that what is later written into them is on the tape."""

    def shaped(value: float) -> Callable[..., Any]:
        def make(shape: Any, dtype: Any = None, *_: Any, **__: Any) -> Traced:
            kind = np.dtype(
                float
                if dtype is None
                else {"tracing_float": float, "tracing_int": int}.get(getattr(dtype, "__name__", ""), dtype)
            )
            return r.constant(
                np.full(
                    plain(shape),
                    value,
                    kind
                    if kind.kind in "biu"
                    else np.promote_types(kind, float)
                    if kind.kind == "f" and kind.itemsize >= 8
                    else kind,
                )
            )

        return make

    def eye(*args: Any, **options: Any) -> Any:
        options.pop("dtype", None)
        return r.constant(np.eye(*map(plain, args), **options))

    def full(shape: Any, value: Any, **_: Any) -> Traced:
        return r.op("broadcast", value, attr=tuple(np.atleast_1d(plain(shape)).tolist()))

    return {
        "zeros": shaped(0.0), "empty": shaped(0.0), "ones": shaped(1.0), "full": full, "eye": eye, "identity": eye,
        "array": lambda a, dtype=None, **_: _array(r, a, dtype), "asarray": lambda a, dtype=None, **_: _array(r, a, dtype),
        "ascontiguousarray": lambda a, **_: _array(r, a), "asfortranarray": lambda a, **_: _array(r, a), "float64": lambda a=0.0: lift(r, a),
    }  # fmt: skip


MATH: Final = {
    name: name
    for name in (
        "exp",
        "log",
        "log1p",
        "expm1",
        "sqrt",
        "sin",
        "cos",
        "tan",
        "tanh",
        "sinh",
        "cosh",
        "erf",
        "log2",
        "log10",
        "cbrt",
    )
} | {"atan": "arctan", "asin": "arcsin", "acos": "arccos", "fabs": "absolute"}
