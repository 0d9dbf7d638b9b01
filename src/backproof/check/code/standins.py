"""Stand-ins: while a function is traced, NumPy, math and float mean functions that keep the tape."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import math
import sys
import types
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from backproof.check.code.functions import FUNCTIONS, MATH, Handler, created
from backproof.check.code.libraries import LAX, NN, called
from backproof.check.code.operations import UNARY
from backproof.check.code.tracing import Recorder, Traced, plain


def _traced(arguments: Any) -> bool:
    return any(isinstance(a, Traced) or (isinstance(a, list | tuple) and _traced(a)) for a in arguments)


class Module:
    """A module in which some names have another meaning; functions that meet traced values go by NumPy's names."""

    def __init__(self, recorder: Recorder, module: Any, own: dict[str, Any]) -> None:
        self._recorder = recorder
        self._module = module
        self._own = own

    def __getattr__(self, name: str) -> Any:
        if name in self._own:
            return self._own[name]
        found = getattr(self._module, name)
        if isinstance(found, types.ModuleType):
            return Module(self._recorder, found, {})
        if name in FUNCTIONS and callable(found):
            return self._either(name, found)
        return found

    def _either(self, name: str, found: Callable[..., Any]) -> Callable[..., Any]:
        def function(*arguments: Any, **options: Any) -> Any:
            if _traced(arguments) or _traced(options.values()):
                if self._module.__name__.partition(".")[0] == "torch":
                    return called(self._recorder, name, list(arguments), options)
                return FUNCTIONS[name](self._recorder, *arguments, **options)
            return found(*arguments, **options)

        return function


def _standin(recorder: Recorder, value: Any) -> Any:
    """What means a module or function of PyTorch or JAX while its file is traced, or None."""
    if not isinstance(value, types.ModuleType):
        return None
    made = created(recorder)
    match value.__name__:
        case "torch":
            own = {name: made[name] for name in ("zeros", "empty", "ones", "full", "eye")}
            return Module(recorder, value, own | {"tensor": made["array"], "as_tensor": made["array"]})
        case "jax.numpy":
            return Module(recorder, np, made)
        case "jax.nn":
            return Module(recorder, value, _either(recorder, value, NN))
        case "jax.lax":
            return Module(recorder, value, _either(recorder, value, LAX))
        case "jax.scipy.special":
            return Module(recorder, value, _either(recorder, value, NN))
        case "jax":
            own: dict[str, Any] = {"numpy": Module(recorder, np, made)}
            for name, table in (("nn", NN), ("lax", LAX)):
                own[name] = Module(recorder, getattr(value, name), _either(recorder, getattr(value, name), table))
            return Module(recorder, value, own)
        case _:
            return None


def _either(recorder: Recorder, module: Any, table: Mapping[str, Handler]) -> dict[str, Any]:
    def function(name: str) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            if any(isinstance(a, Traced) for a in arguments):
                return table[name](recorder, *arguments, **options)
            return getattr(module, name)(*arguments, **options)

        return run

    return {name: function(name) for name in table if hasattr(module, name)}


def numeric(recorder: Recorder, plain_type: type) -> Any:
    """`float` or `int` as a type that leaves traced values on the tape."""

    class Kind(type(plain_type)):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, plain_type)

        def __call__(cls, *arguments: Any) -> Any:
            if arguments and isinstance(arguments[0], Traced):
                value = arguments[0]
                return value.reshape(()) if plain_type is float else plain_type(value.value)
            return plain_type(*arguments)

    del recorder
    return Kind(f"tracing_{plain_type.__name__}", (plain_type,), {})


def _math(recorder: Recorder) -> dict[str, Any]:
    def either(name: str) -> Callable[[Any], Any]:
        def function(u: Any) -> Any:
            return recorder.unary(MATH[name], u) if isinstance(u, Traced) else getattr(math, name)(u)

        return function

    return {name: either(name) for name in MATH if hasattr(math, name)}


def _special(recorder: Recorder) -> dict[str, Any]:
    def either(name: str, module: Any) -> Callable[..., Any]:
        def function(*arguments: Any, **options: Any) -> Any:
            if not _traced(arguments):
                return getattr(module, name)(*arguments, **options)
            if name in FUNCTIONS:
                return FUNCTIONS[name](recorder, *arguments, **options)
            return recorder.unary({"expit": "sigmoid"}.get(name, name), arguments[0])

        return function

    module = sys.modules.get("scipy.special")
    if module is None:
        return {}
    return {name: either(name, module) for name in ("softmax", "logsumexp", "expit", "erf")}


class Cells(dict[str, Any]):
    """The variables of the functions around a function, which mean something else while it is traced."""

    def __init__(self, names: Sequence[str], cells: Sequence[types.CellType]) -> None:
        self._cells = dict(zip(names, cells, strict=False))
        super().__init__({name: _content(cell) for name, cell in self._cells.items()})

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self._cells and isinstance(self[name], types.ModuleType | Module):
            super().__setitem__(name, value)
            self._cells[name].cell_contents = value


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a variable that has no value yet
        return None


def meanings(recorder: Recorder, file_globals: dict[str, Any]) -> dict[str, Any]:
    """The names of a file that mean something else while it is traced."""
    own = created(recorder)
    changed: dict[str, Any] = {"float": numeric(recorder, float), "int": numeric(recorder, int)}
    mathematics, special = _math(recorder), _special(recorder)
    for name, value in file_globals.items():
        if isinstance(value, types.ModuleType):
            match value.__name__:
                case "numpy":
                    changed[name] = Module(recorder, value, own)
                case "math":
                    changed[name] = Module(recorder, value, mathematics)
                case "scipy.special":
                    changed[name] = Module(recorder, value, special)
                case "scipy":
                    changed[name] = Module(recorder, value, {"special": Module(recorder, value.special, special)})
                case _:
                    found = _standin(recorder, value)
                    if found is not None:
                        changed[name] = found
        elif (
            getattr(value, "__module__", "") in ("numpy", "numpy._core.multiarray") and callable(value) and name in own
        ):
            changed[name] = own[name]
        elif getattr(value, "__module__", "") == "math" and name in mathematics:
            changed[name] = mathematics[name]
        elif name in special and callable(value) and getattr(value, "__name__", "") == name:
            changed[name] = special[name]
        elif isinstance(value, np.vectorize) and getattr(value.pyfunc, "__name__", "") in MATH:
            changed[name] = _vectorized(recorder, value)
        elif name not in changed:
            found = _standin(recorder, value) if callable(value) else None
            if found is not None:
                changed[name] = found
    return changed


def _vectorized(recorder: Recorder, function: np.vectorize) -> Callable[[Any], Any]:
    def run(u: Any) -> Any:
        known = MATH[function.pyfunc.__name__]
        return recorder.unary(known, u) if isinstance(u, Traced) and known in UNARY else function(plain(u))

    return run


@contextmanager
def traced_names(recorder: Recorder, namespaces: list[dict[str, Any]]) -> Generator[None]:
    """The stand-ins in place, for as long as the functions are traced."""
    absent = object()
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for namespace in namespaces:
            for name, value in meanings(recorder, namespace).items():
                before.append((namespace, name, namespace.get(name, absent)))
                namespace[name] = value
        yield
    finally:
        for namespace, name, value in reversed(before):
            if value is absent:
                namespace.pop(name, None)
            else:
                namespace[name] = value
