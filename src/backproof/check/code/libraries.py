"""PyTorch and JAX as a tape knows them: their functions and methods by NumPy's."""

# A table of rules of one signature: the types of their operands are Any by design.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from backproof.check.code.arguments import library, numbers
from backproof.check.code.functions import FUNCTIONS, METHODS
from backproof.check.code.operations import UNARY
from backproof.check.code.tracing import Recorder, Traced, UntraceableError, plain

Handler = Callable[..., Any]


def torch_function(recorder: Recorder, function: Any, arguments: Any, options: Any) -> Any:
    """A function of PyTorch that met a traced value."""
    name = getattr(function, "__name__", "")
    owner = getattr(function, "__objclass__", None) or getattr(function, "__self__", None)
    if name == "__get__" and owner is not None:
        raise UntraceableError("an attribute of a tensor is not known here")
    arguments = [_numbers(a) for a in arguments]
    return called(recorder, name, arguments, options)


def called(recorder: Recorder, name: str, arguments: Any, options: Mapping[str, Any]) -> Any:
    """A function or method of PyTorch by its name."""
    options = _renamed(options)
    name = name.strip("_") if name.startswith("__") else name
    if name in TORCH:
        return TORCH[name](recorder, *arguments, **options)
    bare = name.removesuffix("_")
    if bare in _OPERATORS:
        first, second = arguments[0], arguments[1]
        alpha = options.get("alpha", 1)
        second = second if alpha == 1 else second * alpha
        result = _OPERATORS[bare](first, second)
    elif bare in UNARY:
        result = recorder.unary(bare, arguments[0])
    elif bare in _FUNCTIONS_OF_TORCH:
        result = FUNCTIONS[_FUNCTIONS_OF_TORCH[bare]](recorder, *arguments, **options)
    else:
        raise UntraceableError(f"torch's {name} is not known here")
    if name.endswith("_") and isinstance(arguments[0], Traced):
        return arguments[0].become(result)
    return result


def _numbers(value: Any) -> Any:
    if isinstance(value, list | tuple) and not hasattr(value, "shape"):
        return type(value)(_numbers(v) for v in value) if type(value) in (list, tuple) else value
    return numbers(value) if library(value) == "torch" else value


def _renamed(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a method of PyTorch by NumPy's names."""
    return {_RENAMED.get(k, k): _numbers(v) for k, v in options.items() if k not in ("dtype", "out", "device")}


_RENAMED: Final = {"dim": "axis", "keepdim": "keepdims"}
_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b, "divide": lambda a, b: a / b, "true_divide": lambda a, b: a / b,
    "radd": lambda a, b: b + a, "rsub": lambda a, b: b - a, "rmul": lambda a, b: b * a, "rdiv": lambda a, b: b / a, "rtruediv": lambda a, b: b / a, "truediv": lambda a, b: a / b,
    "iadd": lambda a, b: a + b, "isub": lambda a, b: a - b, "imul": lambda a, b: a * b, "itruediv": lambda a, b: a / b,
    "pow": lambda a, b: a**b, "rpow": lambda a, b: b**a, "matmul": lambda a, b: a @ b, "rmatmul": lambda a, b: b @ a, "mm": lambda a, b: a @ b, "bmm": lambda a, b: a @ b, "mv": lambda a, b: a @ b,
    "dot": lambda a, b: a @ b, "maximum": np.maximum, "minimum": np.minimum, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b, "le": lambda a, b: a <= b, "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "logical_and": np.logical_and, "and": np.logical_and, "or": np.logical_or,
}  # fmt: skip
_FUNCTIONS_OF_TORCH: Final = {
    "sum": "sum", "mean": "mean", "where": "where", "stack": "stack", "cat": "concatenate", "concat": "concatenate", "einsum": "einsum", "clamp": "clip", "clip": "clip", "reshape": "reshape",
    "zeros_like": "zeros_like", "ones_like": "ones_like", "full_like": "full_like", "empty_like": "empty_like", "outer": "outer", "tril": "tril", "triu": "triu", "squeeze": "squeeze",
    "unsqueeze": "expand_dims", "argmax": "argmax", "logsumexp": "logsumexp", "softmax": "softmax", "cumsum": "cumsum", "diag": "diag", "diagonal": "diagonal", "moveaxis": "moveaxis", "movedim": "moveaxis",
    "prod": "prod", "tensordot": "tensordot", "amax": "max", "amin": "min", "norm": "norm", "flip": "flip", "roll": "roll", "any": "any", "all": "all", "trace": "trace", "repeat_interleave": "repeat",
}  # fmt: skip


def _axis_extreme(which: str) -> Handler:
    def run(r: Recorder, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if isinstance(axis, Traced | np.ndarray):
            return np.maximum(a, axis) if which == "max" else np.minimum(a, axis)
        value = r.op(which, a, attr=(axis, keepdims))
        if axis is None:
            return value
        found = r.call(lambda v: getattr(np, "arg" + which)(v, axis=axis), a)
        return _Extreme(value, found)

    return run


class _Extreme(tuple[Any, Any]):
    """The pair that torch.max gives along an axis."""

    __slots__ = ()

    def __new__(cls, values: Any, indices: Any) -> Self:
        return tuple.__new__(cls, (values, indices))

    @property
    def values(self) -> Any:
        return self[0]

    @property
    def indices(self) -> Any:
        return self[1]


def _variance(
    r: Recorder, a: Any, axis: Any = None, unbiased: bool | None = None, keepdims: bool = False, correction: int = 1
) -> Any:
    ddof = correction if unbiased is None else int(unbiased)
    return FUNCTIONS["var"](r, a, axis, ddof=ddof, keepdims=keepdims)


def _log_softmax(r: Recorder, a: Any, axis: Any = -1, **_: Any) -> Any:
    return a - FUNCTIONS["logsumexp"](r, a, axis, keepdims=True)


def _silu(r: Recorder, a: Any) -> Any:
    return a * r.unary("sigmoid", a)


def _gelu(r: Recorder, a: Any, approximate: Any = "none") -> Any:
    if approximate in ("tanh", True):
        return 0.5 * a * (1 + r.unary("tanh", float(np.sqrt(2 / np.pi)) * (a + 0.044715 * a**3)))
    return 0.5 * a * (1 + r.unary("erf", a / float(np.sqrt(2))))


def _leaky(r: Recorder, a: Any, negative_slope: float = 0.01) -> Any:
    return r.op("where", a > 0, a, negative_slope * a)


def _elu(r: Recorder, a: Any, alpha: float = 1.0) -> Any:
    return r.op("where", a > 0, a, alpha * r.unary("expm1", np.minimum(a, 0)))


def _reduced(r: Recorder, loss: Any, reduction: str) -> Any:
    if reduction == "none":
        return loss
    return FUNCTIONS["mean" if reduction == "mean" else "sum"](r, loss)


def _mse_loss(r: Recorder, a: Any, y: Any, reduction: str = "mean", **_: Any) -> Any:
    return _reduced(r, (a - y) ** 2, reduction)


def _bce(r: Recorder, a: Any, y: Any, reduction: str = "mean", **_: Any) -> Any:
    return _reduced(r, -(y * r.unary("log", a)) - (1 - y) * r.unary("log", 1 - a), reduction)


def _bce_logits(r: Recorder, z: Any, y: Any, reduction: str = "mean", **_: Any) -> Any:
    return _reduced(r, r.unary("softplus", z) - y * z, reduction)


def _cross_entropy(r: Recorder, z: Any, y: Any, reduction: str = "mean", **more: Any) -> Any:
    if any(v for k, v in more.items() if k != "ignore_index"):
        raise UntraceableError("cross_entropy with weights or smoothing")
    logp = _log_softmax(r, z, 1 if np.ndim(plain(z)) > 1 else 0)
    return _nll(r, logp, y, reduction)


def _nll(r: Recorder, logp: Any, y: Any, reduction: str = "mean", **_: Any) -> Any:
    target = np.asarray(plain(y))
    if target.dtype.kind == "f":
        total = -FUNCTIONS["sum"](r, y * logp, 1)
    else:
        total = -logp[np.arange(len(target)), target]
    return _reduced(r, total, reduction)


def _gather(r: Recorder, a: Any, axis: int, index: Any) -> Any:
    return FUNCTIONS["take_along_axis"](r, a, index, axis)


def _masked_fill(r: Recorder, a: Any, mask: Any, value: Any) -> Any:
    return r.op("where", mask, value, a)


def _layer_norm(r: Recorder, a: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    axes = tuple(range(-len(tuple(shape)), 0))
    centred = a - FUNCTIONS["mean"](r, a, axes, keepdims=True)
    h = centred / r.unary("sqrt", FUNCTIONS["mean"](r, centred * centred, axes, keepdims=True) + eps)
    h = h if weight is None else h * weight
    return h if bias is None else h + bias


def _shape(args: tuple[Any, ...]) -> tuple[int, ...]:
    return (
        tuple(args[0]) if len(args) == 1 and isinstance(args[0], tuple | list) else tuple(int(plain(a)) for a in args)
    )


def _expand(r: Recorder, a: Any, *shape: Any) -> Any:
    wanted = _shape(shape)
    own = (1,) * (len(wanted) - a.ndim) + a.shape
    return r.op("broadcast", a, attr=tuple(o if w == -1 else w for w, o in zip(wanted, own, strict=True)))


def _swap(r: Recorder, a: Any, first: int = 0, second: int = 1) -> Any:
    return FUNCTIONS["swapaxes"](r, a, first, second)


def _index_add(r: Recorder, a: Any, axis: int, index: Any, source: Any) -> Any:
    key = (slice(None),) * (axis % a.ndim) + (plain(index),)
    return a.become(r.op("put", a, source, attr=(key, True)))


def _setitem(_: Recorder, a: Any, key: Any, value: Any) -> None:
    if not isinstance(a, Traced):
        raise UntraceableError("a tensor that is not on the tape is changed")
    a[key] = value


TORCH: Final[dict[str, Handler]] = {
    "linear": lambda r, x, w, b=None: x @ _swap(r, w, -1, -2) + b if b is not None else x @ _swap(r, w, -1, -2),
    "relu": lambda r, a, inplace=False: r.unary("relu", a), "sigmoid": lambda r, a: r.unary("sigmoid", a), "tanh": lambda r, a: r.unary("tanh", a), "softplus": lambda r, a: r.unary("softplus", a),
    "silu": lambda r, a, inplace=False: _silu(r, a), "gelu": _gelu, "leaky_relu": _leaky, "elu": _elu, "logsigmoid": lambda r, a: -r.unary("softplus", -a),
    "softmax": lambda r, a, axis=-1, **_: FUNCTIONS["softmax"](r, a, axis), "log_softmax": _log_softmax, "mse_loss": _mse_loss, "binary_cross_entropy": _bce,
    "binary_cross_entropy_with_logits": _bce_logits, "cross_entropy": _cross_entropy, "nll_loss": _nll, "max": _axis_extreme("max"), "min": _axis_extreme("min"),
    "var": _variance, "std": lambda r, a, *args, **more: r.unary("sqrt", _variance(r, a, *args, **more)), "rsqrt": lambda r, a: 1 / r.unary("sqrt", a), "gather": _gather,
    "masked_fill": _masked_fill, "layer_norm": _layer_norm, "embedding": lambda r, index, weight, *_: weight[plain(index)], "neg": lambda r, a: -a, "abs": lambda r, a: r.unary("absolute", a),
    "view": lambda r, a, *shape: a.reshape(*shape), "reshape": lambda r, a, *shape: a.reshape(*shape), "flatten": lambda r, a, start=0, stop=-1: a.reshape(*a.shape[:start], -1),
    "permute": lambda r, a, *axes: a.transpose(_shape(axes)), "t": lambda r, a: a.transpose(), "transpose": _swap, "unsqueeze": FUNCTIONS["expand_dims"],
    "expand": _expand, "expand_as": lambda r, a, other: _expand(r, a, other.shape), "size": lambda r, a, axis=None: a.shape if axis is None else a.shape[axis], "numel": lambda r, a: np.size(plain(a)),
    "dim": lambda r, a: np.ndim(plain(a)), "detach": lambda r, a: a, "clone": lambda r, a: a.copy(), "contiguous": lambda r, a: a, "double": lambda r, a: a, "requires_grad_": lambda r, a, *_: a,
    "float": lambda r, a: a if a.node.active else a.astype(float), "to": lambda r, a, *_: a, "type_as": lambda r, a, *_: a, "cpu": lambda r, a: a, "long": lambda r, a: a.astype(int), "bool": lambda r, a: a.astype(bool),
    "half": lambda r, a: a.astype(np.float16), "index_add_": _index_add, "setitem": _setitem, "getitem": lambda r, a, key: a[key], "addmm": lambda r, c, a, b: c + a @ b, "zero_": lambda r, a: a.become(r.constant(np.zeros(a.shape))),
    "new_zeros": lambda r, a, *shape: r.constant(np.zeros(_shape(shape))), "one_hot": lambda r, a, count: r.constant(np.eye(count)[plain(a)]), "square": lambda r, a: a * a, "invert": lambda r, a: ~a, "logical_not": lambda r, a: ~a,
    "chunk": lambda r, a, n, axis=0: FUNCTIONS["array_split"](r, a, n, axis), "split": lambda r, a, size, axis=0: FUNCTIONS["split"](r, a, list(range(size, a.shape[axis], size)), axis), "len": lambda r, a: len(a),
    "sum_to_size": lambda r, a, *shape: FUNCTIONS["sum"](r, a, tuple(k for k, (n, w) in enumerate(zip(a.shape, _shape(shape), strict=False)) if n != w), keepdims=True), "unbind": lambda r, a, axis=0: list(FUNCTIONS["moveaxis"](r, a, axis, 0)),
}  # fmt: skip
NN: Final[dict[str, Handler]] = {
    "relu": TORCH["relu"], "sigmoid": TORCH["sigmoid"], "expit": TORCH["sigmoid"], "softplus": TORCH["softplus"], "silu": TORCH["silu"], "swish": TORCH["silu"], "log_sigmoid": TORCH["logsigmoid"],
    "gelu": lambda r, a, approximate=True: _gelu(r, a, approximate), "leaky_relu": _leaky, "elu": _elu, "softmax": TORCH["softmax"], "log_softmax": _log_softmax, "logsumexp": FUNCTIONS["logsumexp"],
    "tanh": TORCH["tanh"], "erf": lambda r, a: r.unary("erf", a), "one_hot": lambda r, a, count, **_: r.constant(np.eye(count)[plain(a)]),
}  # fmt: skip
LAX: Final[dict[str, Handler]] = {
    "rsqrt": TORCH["rsqrt"], "exp": lambda r, a: r.unary("exp", a), "log": lambda r, a: r.unary("log", a), "tanh": TORCH["tanh"], "erf": NN["erf"], "logistic": TORCH["sigmoid"],
    "dot": lambda r, a, b: a @ b, "square": lambda r, a: a * a, "sqrt": lambda r, a: r.unary("sqrt", a),
}  # fmt: skip


class At:
    """JAX's x.at[key].set(value) and .add(value)."""

    def __init__(self, array: Traced, key: Any = None) -> None:
        self._array = array
        self._key = key

    def __getitem__(self, key: Any) -> At:
        return At(self._array, plain(key))

    def set(self, value: Any) -> Traced:
        return self._array.recorder.op("put", self._array, value, attr=(self._key, False))

    def add(self, value: Any) -> Traced:
        return self._array.recorder.op("put", self._array, value, attr=(self._key, True))

    def multiply(self, value: Any) -> Traced:
        return self.set(self._array[self._key] * value)


@dataclass(frozen=True, slots=True)
class Libraries:
    """The words of NumPy, PyTorch and JAX."""

    functions: Mapping[str, Handler]
    methods: Mapping[str, Handler]

    def met(self, recorder: Recorder, function: Any, arguments: Any, options: Any) -> Any:
        """A function of PyTorch that met a traced value."""
        return torch_function(recorder, function, arguments, options)

    def called(self, recorder: Recorder, name: str, arguments: Any, options: Mapping[str, Any]) -> Any:
        """A function or method of PyTorch by its name."""
        return called(recorder, name, arguments, options)

    def at(self, array: Traced) -> At:
        """JAX's `x.at`."""
        return At(array)


LIBRARIES: Final = Libraries(FUNCTIONS, METHODS)
