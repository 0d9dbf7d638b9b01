"""Careful functions: formulas that lose digits in one number, as functions of their own in the source of a kernel.

A formula for float32 is computed in float64, one for float64 in sums of two numbers, and rounded once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from backproof.language.expression import Add, Apply, Const, Expr, Mul, Num, Pow, Tensor, postorder
from backproof.run.forms import DEFINED, careful
from backproof.run.interface import Precision

_SINGLE: Final = {
    "exp": "exp64", "log": "log64", "sigmoid": "sigmoid64", "Phi": "phi64", "normal-density": "density64",
    "log1p": "log1p64", "expm1": "expm164", "softplus": "softplus64",
}  # fmt: skip
_OWN: Final = {name: f"single_{name}" for name in DEFINED}
_PAIRS: Final = {
    "Phi": "phi", "normal-density": "density", "abs": "absolute",
    **{name: name for name in ("exp", "log", "sigmoid", "sign", "log1p", "expm1", "softplus", *DEFINED)},
}  # fmt: skip
_QUICK: Final = ("exp", "sigmoid")


def careful_source(name: str, precision: Precision) -> list[str]:
    """The lines of a scalar function that computes the body with more digits and rounds once."""
    parameters, body, reason = careful(name)
    if precision == "float32" and reason != "root":
        writer = _Single()
        result = writer.text(body)
        rows = [f"{_plain(p)} = np.float64({p})" for p in parameters] + writer.rows
        ending = f"return np.float32({result})"
        decoration = '@njit(error_model="numpy", forceinline=True, fastmath={"contract"})'
    else:
        pairs = _Pairs(quick=reason == "tail")
        high, low = pairs.text(body)
        rows = [*(f"{_plain(p)} = np.float64({p})" for p in parameters), *pairs.rows]
        ending = f"return np.{precision}({high} + {low})"
        decoration = '@njit(error_model="numpy")'
    return [decoration, f"def {name}({', '.join(parameters)}):", *("    " + r for r in rows), "    " + ending, "", ""]


def careful_imports(name: str, precision: Precision) -> list[str]:
    """The imports that the function needs."""
    _, body, reason = careful(name)
    called = {n.name for n in postorder(body) if isinstance(n, Apply)}
    if precision == "float64" or reason == "root":
        return ["from backproof.run import compiled_pairs as pairs"]
    lines = [f"from backproof.run.compiled import {_SINGLE[n]}" for n in called if n in _SINGLE]
    return lines + [f"from backproof.run.compiled_pairs import {_OWN[n]}" for n in called if n in _OWN]


@dataclass
class _Single:
    """Formulas in float64."""

    rows: list[str] = field(default_factory=list[str])
    known: dict[Expr, str] = field(default_factory=dict[Expr, str])

    def text(self, root: Expr) -> str:
        for node in postorder(root):
            if node in self.known:
                continue
            shown = self._shown(node)
            if isinstance(node, Tensor | Num | Const):
                self.known[node] = shown
            else:
                self.known[node] = f"n{len(self.rows)}"
                self.rows.append(f"n{len(self.rows)} = {shown}")
        return self.known[root]

    def _shown(self, node: Expr) -> str:
        match node:
            case Num(value):
                return f"({float(value)!r})"
            case Const("pi"):
                return "np.pi"
            case Tensor(name, ()):
                return _plain(name)
            case Add(terms):
                return " + ".join(self.known[t] for t in sorted(terms, key=_rounding))
            case Mul(factors):
                conditions = [self.known[f.args[0]] for f in factors if isinstance(f, Apply) and f.name == "step"]
                others = [self.known[f] for f in factors if not (isinstance(f, Apply) and f.name == "step")]
                value = "*".join(others) or "1.0"
                if conditions:
                    value = f"({value}) if {' and '.join(f'{c} > 0.0' for c in conditions)} else 0.0"
                return value
            case Pow(base, exponent):
                return _power(self.known[base], exponent)
            case Apply("step", (u,), _):
                return f"1.0 if {self.known[u]} > 0.0 else 0.0"
            case Apply("abs", (u,), _):
                return f"abs({self.known[u]})"
            case Apply("sign", (u,), _):
                return f"np.sign({self.known[u]})"
            case Apply(name, arguments, _):
                called = _SINGLE.get(name) or _OWN[name]
                return f"{called}({', '.join(self.known[a] for a in arguments)})"
            case _:
                raise TypeError(f"not an expression: {type(node).__name__}")


def _power(base: str, exponent: Fraction) -> str:
    if exponent.denominator == 1 and abs(exponent) <= 4:
        text = "*".join([base] * abs(int(exponent)))
        return text if exponent > 0 else f"1.0/({text})"
    if exponent == Fraction(1, 2):
        return f"np.sqrt({base})"
    return f"{base}**({float(exponent)!r})"


@dataclass
class _Pairs:
    """Formulas in sums of two numbers; `quick` where a few digits more than those of one are enough."""

    quick: bool
    rows: list[str] = field(default_factory=list[str])
    known: dict[Expr, tuple[str, str]] = field(default_factory=dict[Expr, tuple[str, str]])
    constants: dict[Fraction, tuple[str, str]] = field(default_factory=dict[Fraction, tuple[str, str]])

    def text(self, root: Expr) -> tuple[str, str]:
        for node in postorder(root):
            if node not in self.known:
                self.known[node] = self._shown(node)
        return self.known[root]

    def _called(self, name: str, *arguments: tuple[str, str]) -> tuple[str, str]:
        found = (f"h{len(self.rows)}", f"l{len(self.rows)}")
        shown = ", ".join(f"{high}, {low}" for high, low in arguments)
        self.rows.append(f"{found[0]}, {found[1]} = pairs.{name}({shown})")
        return found

    def _folded(self, name: str, values: Sequence[tuple[str, str]]) -> tuple[str, str]:
        found = values[0]
        for value in values[1:]:
            found = self._called(name, found, value)
        return found

    def _shown(self, node: Expr) -> tuple[str, str]:
        match node:
            case Num(value):
                high = float(value)
                return f"({high!r})", f"({float(value - Fraction(high))!r})"
            case Const("pi"):
                return "np.pi", "1.2246467991473532e-16"
            case Tensor(name, ()):
                return _plain(name), "0.0"
            case Add(terms):
                return self._folded("add", [self.known[t] for t in sorted(terms, key=_rounding)])
            case Mul(factors):
                conditions = [self.known[f.args[0]] for f in factors if isinstance(f, Apply) and f.name == "step"]
                others = [self.known[f] for f in factors if not (isinstance(f, Apply) and f.name == "step")]
                high, low = self._folded("mul", others) if others else ("1.0", "0.0")
                if not conditions:
                    return high, low
                k = len(self.rows)
                tests = " and ".join(f"pairs.positive({h}, {x})" for h, x in conditions)
                self.rows.append(f"h{k}, l{k} = ({high}, {low}) if {tests} else (0.0, 0.0)")
                return f"h{k}", f"l{k}"
            case Pow(base, exponent):
                if exponent.denominator == 2:
                    found = self._folded("mul", [self._called("root", self.known[base])] * abs(exponent.numerator))
                else:
                    found = self._folded("mul", [self.known[base]] * abs(int(exponent)))
                return found if exponent > 0 else self._called("inverse", found)
            case Apply("step", (u,), _):
                k = len(self.rows)
                test = f"pairs.positive({', '.join(self.known[u])})"
                self.rows.append(f"h{k}, l{k} = (1.0, 0.0) if {test} else (0.0, 0.0)")
                return f"h{k}", f"l{k}"
            case Apply(name, arguments, _):
                called = f"quick_{name}" if self.quick and name in _QUICK else _PAIRS[name]
                return self._called(called, *(self.known[a] for a in arguments))
            case _:
                raise TypeError(f"not an expression: {type(node).__name__}")


def _rounding(term: Expr) -> int:
    """Numbers and inputs are added first: 1 − 1 + exp(u) keeps the digits of exp(u)."""
    inputs = isinstance(term, Tensor) or (
        isinstance(term, Mul) and all(isinstance(f, Num | Tensor) for f in term.factors)
    )
    return 0 if isinstance(term, Num) else 1 if inputs else 2


def _plain(name: str) -> str:
    return f"{name}_"
