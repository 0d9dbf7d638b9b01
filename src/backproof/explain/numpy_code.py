"""The error of an output layer as a NumPy function, printed from its expression."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from backproof import catalog
from backproof.calculus.unfolding import open_slopes
from backproof.errors import ExportError
from backproof.language.expression import (
    Add,
    Apply,
    Const,
    Delta,
    Expr,
    Max,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Tensor,
    postorder,
)
from backproof.language.walks import names
from backproof.proof.derivation import Derivation

FUNCTIONS: Final = {
    "exp": "np.exp({})",
    "log": "np.log({})",
    "sin": "np.sin({})",
    "cos": "np.cos({})",
    "tanh": "np.tanh({})",
    "atan": "np.arctan({})",
    "step": "({} > 0)",
    "sigmoid": "1 / (1 + np.exp(-({})))",
}


def numpy_delta(derivation: Derivation) -> str:
    """A function that gives δ of the last layer; the entries of one example are the last axis of its arrays.

    Raises ExportError for a formula with an open function or with sums that mix two units.
    """
    equation = derivation.equations[0]
    body = open_slopes(equation.expr)
    written = _written(body)
    given = {
        h.name: float(h.default)
        for entry in (catalog.activation(derivation.network.output), catalog.loss(derivation.network.loss))
        for h in entry.hyperparameters
    }
    used = sorted(names(body), key=lambda n: (n in given, n))
    arguments = ", ".join(f"{_name(n)}={given[n]!r}" if n in given else _name(n) for n in used)
    words = derivation.network.describe()
    return f'import numpy as np\n\n\ndef delta({arguments}):\n    """{words}: dJ/dz."""\n    return {written}\n'


def _name(tensor: str) -> str:
    name = tensor.replace("(", "_").replace(")", "")
    if not name.isidentifier():
        raise ExportError(f"{tensor} is no name of Python")
    return name + "_" if name == "lambda" else name


def _written(root: Expr) -> str:
    """The expression with brackets around every sum and product that needs them."""
    text: dict[Expr, str] = {}
    for node in postorder(root):
        text[node] = _piece(node, text)
    return text[root].removeprefix("(").removesuffix(")") if isinstance(root, Add) else text[root]


def _piece(node: Expr, text: dict[Expr, str]) -> str:
    match node:
        case Num(value):
            return _number(value)
        case Const(name):
            return f"np.{name}"
        case Tensor(name, _):
            return _name(name)
        case Add(terms):
            shown = sorted((text[term] for term in terms), key=lambda t: t.startswith("-"))
            return "(" + shown[0] + "".join(f" - {t[1:]}" if t[0] == "-" else f" + {t}" for t in shown[1:]) + ")"
        case Mul((Num(value), factor)) if value == -1:
            return f"-{text[factor]}" if not isinstance(factor, Num) else f"-({text[factor]})"
        case Mul(factors):
            return " * ".join(text[factor] for factor in factors)
        case Pow(base, exponent):
            return f"({text[base]}) ** {_number(exponent)}"
        case Apply(name, (argument,), (0,)) if name in FUNCTIONS:
            return f"({FUNCTIONS[name].format(text[argument])})"
        case Sum(index, body) if body.free == frozenset({index}):
            return f"np.sum({text[body]}, axis=-1, keepdims=True)"
        case Max(index, body) if body.free == frozenset({index}):
            return f"np.max({text[body]}, axis=-1, keepdims=True)"
        case Apply() | Sum() | Max() | Delta() | Size():
            raise ExportError("this formula has no short NumPy form", next="choose another pair")
        case _:
            raise TypeError(f"not an expression: {type(node).__name__}")


def _number(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator) if value >= 0 else f"({value.numerator})"
    return f"({value.numerator} / {value.denominator})"
