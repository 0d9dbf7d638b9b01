"""Networks and worksheets as forward functions: their loss, computed from a person's arrays by name."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from backproof.calculus.interpreter import evaluate
from backproof.calculus.network import Network
from backproof.calculus.number_systems import Float64, Values
from backproof.check.code.arguments import library, numbers
from backproof.check.code.tracing import Traced
from backproof.check.names import TARGETS
from backproof.errors import FileError, FormulaError, UnknownNameError
from backproof.language.program import Program

LOSS: Final = "J"
LETTERS: Final = "ijklmnopqrstuvwxyzabcdefgh"
INPUTS: Final = ("x", "inputs", "input", "data", "features")
WEIGHTS: Final = ("w", "weights", "weight", "theta", "kernel")
BIASES: Final = ("b", "biases", "bias", "intercept")
PENALTIES: Final = ("lambda", "lam", "lambd", "reg", "l2", "weightdecay", "lmbda")


class TracedFloat64(Float64):
    """Float64 in arrays that may be on a tape."""

    def array(self, value: object) -> Values:
        return value if isinstance(value, Traced) else super().array(value)

    def power(self, base: Values, exponent: Any) -> Values:
        return super().power(base, exponent) if not isinstance(base, Traced) else base ** float(exponent)

    def product(self, operands: Sequence[tuple[Values, Sequence[int]]], result: Sequence[int]) -> Values:
        if not any(isinstance(array, Traced) for array, _ in operands):
            return super().product(operands, result)
        order = sorted({axis for _, own in operands for axis in own})
        letter = {axis: LETTERS[k] for k, axis in enumerate(order)}
        terms = ",".join("".join(letter[axis] for axis in own) for _, own in operands)
        return np.einsum(f"{terms}->{''.join(letter[axis] for axis in result)}", *(array for array, _ in operands))


def loss_of(forward: Network | str | Path) -> Callable[[Mapping[str, Any]], Any]:
    """The loss of a network, of a worksheet's text or of a worksheet file, as a function of arrays by name.

    An array belongs to the tensor of its name in any writing (`W1`, `weights[0]`, `x`, `labels`). Raises FileError,
    FormulaError, and UnknownNameError for a tensor that no array belongs to.
    """
    program = forward.program if isinstance(forward, Network) else _worksheet(forward)
    if LOSS not in program.by_name:
        raise FormulaError("the worksheet defines no loss", expected="J = …")
    system = TracedFloat64()

    def loss(arrays: Mapping[str, Any]) -> Any:
        values: dict[str, Any] = {}
        for name, own in assigned(program, list(arrays)).items():
            values[name] = _shaped(arrays[own], program.inputs[name], values, program)
        return evaluate(program, values, numbers=system)[LOSS]

    return loss


def _worksheet(source: str | Path) -> Program:
    from backproof.check.worksheet.sheet import program_of

    if not isinstance(source, Path) and ("\n" in source or "=" in source):
        return program_of(source)
    try:
        text = Path(source).read_text("utf-8-sig", errors="replace")
    except OSError as error:
        raise FileError(f"the worksheet cannot be read: {error.strerror}", got=str(source)) from None
    return program_of(text, str(source))


def assigned(program: Program, names: Sequence[str]) -> dict[str, str]:
    """The array for each tensor of a program. Raises UnknownNameError for a tensor without one."""
    found: dict[str, str] = {}
    left = list(names)
    for tensor in program.inputs:
        name = next((n for n in left if _bare(n) == _bare(tensor)), None)
        if name is not None:
            found[tensor] = name
            left.remove(name)
    for group in (INPUTS, WEIGHTS, BIASES, PENALTIES, tuple({word.lower() for word in TARGETS})):
        open_ones = sorted((t for t in program.inputs if t not in found and _word(t) in group), key=_number)
        same = sorted((n for n in left if _word(n) in group), key=_number)
        if open_ones and len(same) == len(open_ones):
            found |= dict(zip(open_ones, same, strict=True))
    return _complete(program, found, names)


def _complete(program: Program, found: dict[str, str], names: Sequence[str]) -> dict[str, str]:
    missing = [t for t in program.inputs if t not in found and t not in _optional(program)]
    if missing:
        raise UnknownNameError(
            f"no array is given for {', '.join(missing)}",
            expected="arrays by the names of the formula: " + ", ".join(program.inputs),
            got=", ".join(names) or "none",
        )
    return found


def _optional(program: Program) -> set[str]:
    """Hyperparameters, for which the catalogue has a value."""
    return {t for t, sorts in program.inputs.items() if not sorts and t not in ("x", "y") and _bare(t) not in PENALTIES}


def _bare(name: str) -> str:
    return re.sub(r"\W|_", "", name).lower()


def _word(name: str) -> str:
    return re.sub(r"\d+", "", _bare(name))


def _number(name: str) -> tuple[int, str]:
    digits = re.findall(r"\d+", name)
    return (int(digits[-1]) if digits else 0, name)


def _shaped(array: Any, sorts: Sequence[str], known: Mapping[str, Any], program: Program) -> Any:
    """The array in the shape of the tensor: a bias as a row or column becomes a vector, class labels 0 and 1."""
    if library(array) in ("torch", "jax"):
        array = numbers(array)
    shape = np.shape(array)
    if len(shape) == len(sorts) + 1 and 1 in shape and sorts:
        axis = shape.index(1)
        return np.reshape(array, shape[:axis] + shape[axis + 1 :])
    if len(shape) == len(sorts) - 1 and not isinstance(array, Traced) and np.asarray(array).dtype.kind in "iu":
        lengths = {s: int(s) for s in sorts if s.isdigit()}
        for name, value in known.items():
            lengths |= dict(zip(program.inputs[name], np.shape(value), strict=False))
        count = next((lengths[s] for s in sorts if s in lengths and lengths[s] not in shape), 0)
        hot = np.eye(count)[np.asarray(array)] if count > int(np.max(array, initial=0)) else None
        if hot is not None:
            classes_first = lengths.get(sorts[0]) == count and len(sorts) == 2
            return hot.T if classes_first else hot
    return array
