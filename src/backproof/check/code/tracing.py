"""Tracing: arrays that note on a tape what a function does with them.

A `Traced` stands in place of an array. NumPy hands it every function and operator that it meets
(`__array_ufunc__`, `__array_function__`); what is not known here raises `UntraceableError`, and the function is then
judged by its numbers alone. Only the functions of the file that is checked are ever run with it.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np

from backproof.check.code.arguments import library, numbers
from backproof.check.code.operations import UNARY, Array
from backproof.check.code.tape import Node, Tape
from backproof.errors import BackproofError

MAX_FRAMES: Final = 16


class UntraceableError(BackproofError):
    """Something that a tape does not know."""


class Vocabulary(Protocol):
    """What functions and methods of the libraries do on a tape, by their names."""

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """NumPy's functions."""
        ...

    @property
    def methods(self) -> Mapping[str, Callable[..., Any]]:
        """The methods of NumPy's arrays."""
        ...

    def met(self, recorder: Recorder, function: Any, arguments: Any, options: Any) -> Any:
        """A function of PyTorch that met a traced value."""
        ...

    def called(self, recorder: Recorder, name: str, arguments: Any, options: Mapping[str, Any]) -> Any:
        """A function or method of PyTorch by its name."""
        ...

    def at(self, array: Traced) -> Any:
        """JAX's `x.at`."""
        ...


class Recorder:
    """The tape in use, the words that it knows, and the files whose lines are noted."""

    def __init__(
        self,
        tape: Tape,
        files: frozenset[str],
        vocabulary: Vocabulary,
        *,
        library: str = "numpy",
        copying: bool = False,
    ) -> None:
        self.tape = tape
        self.files = files
        self.vocabulary = vocabulary
        self.library = library
        self.copying = copying

    def line(self) -> int:
        """The line of the person's file that is being run."""
        frame = sys._getframe(1)
        for _ in range(MAX_FRAMES):
            if frame is None:
                return 0
            if frame.f_code.co_filename in self.files:
                return frame.f_lineno
            frame = frame.f_back
        return 0

    def node(self, value: Any) -> Node:
        """The node of a traced value, or a constant."""
        if isinstance(value, Traced):
            return value.node
        if isinstance(value, list | tuple):
            value = self.gathered(value)
            if isinstance(value, Traced):
                return value.node
        array = np.asarray(_foreign(value))
        if array.dtype == object:
            raise UntraceableError("a value of another kind meets the arrays", got=type(value).__name__)
        return self.tape.constant(array if array.ndim else value, self.line())

    def op(self, op: str, *operands: Any, attr: Any = None) -> Traced:
        """Run an operation on traced and plain values."""
        return Traced(self, self.tape.record(op, [self.node(o) for o in operands], attr, self.line()))

    def unary(self, name: str, operand: Any) -> Traced:
        """A function of one entry by its name."""
        return self.op("unary", operand, attr=name)

    def call(self, function: Callable[..., Array], *operands: Any) -> Traced:
        """A function without slopes: a comparison, an index of a maximum."""
        return self.op("call", *operands, attr=function)

    def constant(self, value: Array) -> Traced:
        """A new array."""
        return Traced(self, self.tape.constant(value, self.line()))

    def gathered(self, parts: Any) -> Any:
        """Nested lists of numbers and traced values as one value."""
        if isinstance(parts, Traced) or not isinstance(parts, list | tuple):
            return parts
        inner = [self.gathered(p) for p in parts]
        if not any(isinstance(p, Traced) for p in inner):
            return np.asarray(inner)
        return stacked(self, inner, 0)


def stacked(recorder: Recorder, parts: Sequence[Any], axis: int) -> Traced:
    """Arrays of one shape along a new axis."""
    rows: list[Any] = []
    for part in parts:
        shape = np.shape(part.value if isinstance(part, Traced) else part)
        at = axis % (len(shape) + 1)
        rows.append(recorder.op("reshape", part, attr=(*shape[:at], 1, *shape[at:])))
    return recorder.op("concatenate", *rows, attr=axis)


def _foreign(value: Any) -> Any:
    """The numbers of an array of another library."""
    return numbers(value) if library(value) in ("torch", "jax") else value


def _flattened(values: Any) -> Iterator[Any]:
    for value in values.values() if isinstance(values, dict) else values:
        if isinstance(value, list | tuple | dict) and not isinstance(value, Traced):
            yield from _flattened(value)
        else:
            yield value


def plain(value: Any) -> Any:
    """The numbers of a traced value, which then leave the tape; of tuples and lists the same."""
    if isinstance(value, Traced):
        return value.value
    if isinstance(value, tuple):
        return tuple(plain(v) for v in value)
    if isinstance(value, list):
        return [plain(v) for v in value]
    if library(value) in ("torch", "jax"):
        return numbers(value)
    if isinstance(value, slice):
        return slice(plain(value.start), plain(value.stop), plain(value.step))
    return value


_BINARY: Final = {
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "divide": "divide",
    "true_divide": "divide",
    "power": "power",
    "float_power": "power",
    "maximum": "maximum",
    "minimum": "minimum",
    "fmax": "maximum",
    "fmin": "minimum",
    "matmul": "matmul",
}
_RENAMED: Final = {"abs": "absolute", "fabs": "absolute", "conjugate": "positive", "expit": "sigmoid"}
_FLAT: Final = {
    "sign",
    "floor",
    "ceil",
    "rint",
    "trunc",
    "isnan",
    "isfinite",
    "isinf",
    "logical_not",
    "invert",
    "signbit",
}
_COMPARE: Final = {
    "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_xor",
    "bitwise_and", "bitwise_or", "bitwise_xor", "floor_divide", "remainder", "mod", "heaviside",
}  # fmt: skip


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """An array on a tape."""

    __slots__ = ("node", "recorder")
    __array_priority__ = 1000

    def __init__(self, recorder: Recorder, node: Node) -> None:
        self.recorder = recorder
        self.node = node

    @property
    def value(self) -> Array:
        return self.node.value

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> Any:
        return np.ndim(self.value)

    @property
    def size(self) -> Any:
        if self.recorder.library == "torch":
            return lambda axis=None: self.shape if axis is None else self.shape[axis]
        return int(np.size(self.value))

    @property
    def dtype(self) -> Any:
        return np.asarray(self.value).dtype

    @property
    def T(self) -> Traced:
        return self.transpose()

    @property
    def real(self) -> Traced:
        return self

    def __len__(self) -> int:
        return len(np.asarray(self.value))

    def __iter__(self) -> Iterator[Traced]:
        return (self[k] for k in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __float__(self) -> float:
        self.recorder.tape.lost |= self.node.active
        return float(self.value)

    def __int__(self) -> int:
        self.recorder.tape.lost |= self.node.active
        return int(self.value)

    def __index__(self) -> int:
        return int(np.asarray(self.value).__index__())

    def __array__(self, *_: Any, **__: Any) -> Array:
        if not self.node.active:
            return np.asarray(self.value)
        raise UntraceableError("a traced array was turned into a plain one")

    def __getitem__(self, key: Any) -> Traced:
        return self.recorder.op("index", self, attr=plain(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, Traced) and key.dtype == bool and key.shape == self.shape and not np.ndim(plain(value)):
            # A mask on the tape keeps what it was made of; this is the same choice entry by entry.
            self.node = self.recorder.op("where", key, value, self).node
            return
        self.node = self.recorder.op("put", self, value, attr=(plain(key), False)).node

    # In place, a name and its aliases change together; this value becomes the new one.
    def become(self, other: Traced) -> Traced:
        self.node = other.node
        return self

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        out = options.pop("out", None)
        called = str(ufunc.__name__)
        name = _RENAMED.get(called, called)
        recorder = self.recorder
        if method == "reduce" and name in ("add", "maximum", "minimum"):
            axis, keepdims = options.get("axis", 0), options.get("keepdims", False)
            kind = {"add": "sum", "maximum": "max", "minimum": "min"}[name]
            attr = (axis, keepdims, False) if kind == "sum" else (axis, keepdims)
            return recorder.op(kind, *inputs, attr=attr)
        if method == "at" and name in ("add", "subtract"):
            target, key, part = inputs
            if not isinstance(target, Traced):
                raise UntraceableError("an array that is not on the tape is changed")
            part = part if name == "add" else -part
            target.become(recorder.op("put", target, part, attr=(plain(key), True)))
            return None
        if method == "outer" and name == "multiply":
            a, b = inputs
            return np.reshape(a, (*np.shape(plain(a)), *(1,) * np.ndim(plain(b)))) * b
        if method != "__call__":
            raise UntraceableError(f"{name}.{method} is not known here")
        options.pop("dtype", None)
        options.pop("casting", None)
        if options.get("where", True) is not True:
            raise UntraceableError(f"{name} with where= is not known here")
        result = _called(recorder, name, ufunc, inputs)
        if out is None:
            return result
        target = out[0]
        if not isinstance(target, Traced):
            raise UntraceableError("an array that is not on the tape is changed")
        return result if self.recorder.copying else target.become(result)

    def __array_function__(self, function: Any, _: Any, args: Any, options: Any) -> Any:
        handler = self.recorder.vocabulary.functions.get(function.__name__)
        if handler is None:
            raise UntraceableError(f"numpy.{function.__name__} is not known here")
        return handler(self.recorder, *args, **options)

    @classmethod
    def __torch_function__(cls, function: Any, _: Any, args: Any = (), options: Any = None) -> Any:
        first = next(a for a in _flattened((args, options or {})) if isinstance(a, Traced))
        return first.recorder.vocabulary.met(first.recorder, function, args, options or {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.recorder.library == "torch":
            return self._torch_attribute(name)
        method = self.recorder.vocabulary.methods.get(name)
        if method is None:
            raise AttributeError(name)
        return lambda *args, **options: method(self.recorder, self, *args, **options)

    def _torch_attribute(self, name: str) -> Any:
        match name:
            case "mT":
                return self.recorder.op("transpose", self, attr=(*range(self.ndim - 2), self.ndim - 1, self.ndim - 2))
            case "requires_grad" | "is_cuda":
                return False
            case "device":
                return "cpu"
            case "data":
                return self
            case _:
                vocabulary = self.recorder.vocabulary
                return lambda *args, **options: vocabulary.called(
                    self.recorder, name, [self, *map(_foreign, args)], options
                )

    @property
    def at(self) -> Any:
        return self.recorder.vocabulary.at(self)

    def transpose(self, *axes: Any) -> Traced:
        if self.recorder.library == "torch" and len(axes) == 2 and self.ndim != 2:
            first, second = axes
            swapped = list(range(self.ndim))
            swapped[first], swapped[second] = swapped[second], swapped[first]
            axes = tuple(swapped)
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        if order is None or len(order) == 0:
            order = tuple(reversed(range(self.ndim)))
        return self.recorder.op("transpose", self, attr=tuple(k % self.ndim for k in order))

    def reshape(self, *shape: Any, order: str = "C") -> Traced:
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        wanted = tuple(int(n) for n in wanted)
        if order == "F":
            back = self.transpose().reshape(tuple(reversed(wanted)))
            return back.transpose()
        return self.recorder.op("reshape", self, attr=np.reshape(self.value, wanted).shape)

    def view(self, *shape: Any) -> Traced:
        return self.reshape(*shape)

    def item(self, *key: Any) -> Traced:
        return self[key] if key else self.reshape(())

    def astype(self, dtype: Any, **_: Any) -> Traced:
        return self.recorder.op("cast", self, attr=np.dtype(_dtype(dtype)))

    def clone(self) -> Traced:
        return self.copy()

    def copy(self, *_: Any, **__: Any) -> Traced:
        return Traced(self.recorder, self.node)

    def tolist(self) -> Any:
        return [row.tolist() for row in self] if self.ndim else self

    def fill(self, value: Any) -> None:
        self[...] = value


def _dtype(dtype: Any) -> Any:
    return {"tracing_float": float, "tracing_int": int}.get(getattr(dtype, "__name__", ""), dtype)


def _called(recorder: Recorder, name: str, ufunc: Any, inputs: Sequence[Any]) -> Traced:
    if name in _BINARY:
        return recorder.op(_BINARY[name], *inputs)
    if name in UNARY and len(inputs) == 1:
        return recorder.unary(name, inputs[0])
    if name in _FLAT or name in _COMPARE:
        return recorder.call(ufunc, *inputs)
    match name:
        case "logaddexp":
            a, b = inputs
            return b + recorder.unary("softplus", a - b)
        case "hypot":
            return recorder.unary("sqrt", inputs[0] * inputs[0] + inputs[1] * inputs[1])
        case "deg2rad" | "radians":
            return inputs[0] * (math.pi / 180)
        case "log_ndtr" | "erfc":
            return 1 - recorder.unary("erf", inputs[0]) if name == "erfc" else _unknown(name)
        case "xlogy":
            return inputs[0] * recorder.unary("log", inputs[1])
        case "ndtr":
            return 0.5 * (1 + recorder.unary("erf", inputs[0] / math.sqrt(2)))
        case "log_expit":
            return -recorder.unary("softplus", -inputs[0])
        case _:
            return _unknown(name)


def _unknown(name: str) -> Traced:
    raise UntraceableError(f"{name} is not known here")
