"""All equations of a derivation as functions in NumPy, printed from their expressions."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from backproof import catalog
from backproof.calculus.network import Network, Section
from backproof.calculus.sweep import adjoint_name
from backproof.calculus.unfolding import open_slopes
from backproof.check.wording import condition_texts
from backproof.errors import ExportError
from backproof.explain.array_code import ArrayWriter
from backproof.language.expression import Apply, Expr, Size, postorder
from backproof.language.program import Definition, Program
from backproof.language.text import write
from backproof.language.walks import names
from backproof.proof.derivation import Derivation, Equation

DIRECT: Final = {
    "exp": "np.exp", "log": "np.log", "sin": "np.sin", "cos": "np.cos", "atan": "np.arctan", "tanh": "np.tanh",
    "abs": "np.abs", "max": "np.maximum", "min": "np.minimum", "sinh": "np.sinh", "cosh": "np.cosh", "tan": "np.tan",
}  # fmt: skip
"""Functions that NumPy has by itself."""
BESIDE: Final = {"l": "", "L": "", "l+1": "_above", "l-1": "_below", "L-1": "_below"}
"""What is left of a letter for a layer, in a function about one layer and its neighbours."""


def numpy_code(derivation: Derivation) -> str:
    """A module with a function that computes the network and every equation of its derivation.

    Each equation stands above its line; an open function is an argument, and so is its slope. A network of any depth
    has one function for its last layer and one for any other. Raises ExportError for a formula without an array form.
    """
    helpers = _Helpers()
    functions = [_function(derivation, section, helpers) for section in derivation.network.sections]
    words = (
        f'"""{derivation.network.describe()}: the derived equations, as they are, for float64."""\n\n'
        "import math\n\nimport numpy as np\n"
    )
    if "math." not in "".join((*helpers.texts.values(), *functions)):
        words = words.replace("import math\n\n", "")
    return "\n\n".join([words, *helpers.texts.values(), *functions])


def identifier(tensor: str) -> str:
    """The name of a tensor in Python.

    >>> [identifier(t) for t in ("W(2)", "∂J/∂Z(1)", "∂J/∂b(l)", "a(l-1)", "lambda")]
    ['W2', 'delta1', 'db', 'a_below', 'lambda_']
    """
    letter, _, label = tensor.removeprefix("∂J/∂").rstrip(")").partition("(")
    if tensor.startswith("∂J/∂"):
        letter = "delta" if letter in ("z", "Z") else "d" + (letter.upper() if letter == "x" else letter)
    name = letter.replace("-", "_") + BESIDE.get(label, label)
    if not name.isidentifier():
        raise ExportError(f"{tensor} is no name of Python")
    return name + "_" if keyword.iskeyword(name) else name


def _function(derivation: Derivation, section: Section, helpers: _Helpers) -> str:
    labels = {*section.labels, ""}
    equations = [e for e in derivation.equations if e.target.partition("(")[2].rstrip(")") in labels]
    numbers = _hyperparameters(derivation.network)
    backward = [Definition(adjoint_name("J", e.target), e.indices, open_slopes(e.expr)) for e in equations]
    hidden = section.labels == ("l",)
    definitions = list(_needed(section.program, backward, whole=not hidden))
    inputs = _inputs(section.program, derivation.program, (*definitions, *backward), numbers)
    sorts = {node.sort for d in (*definitions, *backward) for node in postorder(d.body) if isinstance(node, Size)}
    writer = ArrayWriter(identifier, helpers.call, _shapes(section.program, inputs))
    lines = [f"{identifier(d.name)} = {writer.definition(d)}" for d in definitions]
    for equation, definition in zip(equations, backward, strict=True):
        lines += [
            f"# {_said(equation, derivation)}",
            f"{identifier(definition.name)} = {writer.definition(definition)}",
        ]
    lines[:0] = [f"{writer.length(sort)} = {writer.measured(sort)}" for sort in sorted(sorts | writer.used)]
    results = ", ".join(f'"{e.name}": {identifier(d.name)}' for e, d in zip(equations, backward, strict=True))
    lines.append(f"return {{{results}}}" if hidden else f"return J, {{{results}}}")
    bodies = [d.body for d in (*definitions, *backward)]
    given = [*map(identifier, inputs), *_open_functions(bodies)]
    given += [f"{identifier(name)}={value!r}" for name, value in helpers.numbers(bodies, numbers).items()]
    head = "hidden_layer" if hidden else "last_layer" if derivation.network.symbolic_depth else "gradients"
    shown = "\n".join("    " + line for line in lines)
    return f"def {head}({', '.join(given)}):\n{shown}\n"


def _said(equation: Equation, derivation: Derivation) -> str:
    conditions = condition_texts(equation.verdict.open_conditions, derivation.program)
    return write(equation.notation) + (f", needs {', '.join(conditions)}" if conditions else "")


def _needed(program: Program, backward: Sequence[Definition], *, whole: bool) -> Iterator[Definition]:
    """The forward definitions that the loss or the equations use."""
    wanted = {name for d in backward for name in names(d.body)} | ({"J"} if whole else set[str]())
    kept: list[Definition] = []
    for definition in reversed(program.definitions):
        if definition.name in wanted and (whole or definition.name != "J"):
            kept.append(definition)
            wanted |= names(definition.body)
    return reversed(kept)


def _inputs(
    program: Program, whole: Program, definitions: Iterable[Definition], numbers: Mapping[str, float]
) -> dict[str, tuple[str, ...]]:
    """What the definitions take, with its sorts; hyperparameters of the catalogue apart."""
    made: set[str] = set()
    taken: dict[str, None] = {}
    for definition in definitions:
        taken |= dict.fromkeys(sorted(names(definition.body) - made))
        made.add(definition.name)
    known = {**{d.name: tuple(i.sort for i in d.indices) for d in whole.definitions}, **whole.inputs, **program.inputs}
    first = [name for name in known if name in taken and not name.startswith("∂")]
    last = [name for name in taken if name.startswith("∂")]
    return {name: known[name] for name in (*first, *last) if name not in numbers}


def _hyperparameters(network: Network) -> dict[str, float]:
    names = (network.hidden,) if network.sizes else ()
    entries = (*(catalog.activation(name) for name in (*names, network.output)), catalog.loss(network.loss))
    return {h.name: float(h.default) for entry in entries for h in entry.hyperparameters}


def _shapes(program: Program, inputs: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """How each size is read off an array."""
    found: dict[str, str] = {}
    for name, sorts in {**inputs, **{d.name: tuple(i.sort for i in d.indices) for d in program.definitions}}.items():
        for axis, sort in enumerate(sorts):
            found.setdefault(sort, f"{identifier(name)}.shape[{axis}]")
    return found


def _open_functions(bodies: Iterable[Expr]) -> list[str]:
    """Open functions and their slopes, as arguments."""
    found = {
        _open_name(node.name, node.orders): None
        for body in bodies
        for node in postorder(body)
        if isinstance(node, Apply) and catalog.function(node.name) is None
    }
    return list(found)


def _open_name(name: str, orders: tuple[int, ...]) -> str:
    if not any(orders):
        return name
    return f"{name}_slope" + ("" if sum(orders) == 1 else str(sum(orders)))


@dataclass
class _Helpers:
    """The functions of the catalogue that are used, each once, in the order of their use."""

    texts: dict[str, str] = field(default_factory=dict[str, str])
    needs: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])

    def call(self, name: str, orders: tuple[int, ...], arguments: Sequence[str]) -> str:
        """An application of a function in Python."""
        if catalog.function(name) is None:
            return f"{_open_name(name, orders)}({', '.join(arguments)})"
        if any(orders):
            raise ExportError(f"the slope of {name} is not written out")
        if name == "step":
            return f"np.heaviside({arguments[0]}, 0.0)"
        if name == "erf":
            return f"np.vectorize(math.erf)({arguments[0]})"
        if name in DIRECT:
            return f"{DIRECT[name]}({', '.join(arguments)})"
        self.define(name)
        return f"{_helper_name(name)}({', '.join((*arguments, *map(identifier, self.needs[name])))})"

    def define(self, name: str) -> None:
        """Write the function, unless it is written."""
        if name in self.needs:
            return
        parameters, body = catalog.scalar_definition(name)
        entry = catalog.function(name)
        own = entry.hyperparameters if entry is not None else ()
        self.needs[name] = self.numbers((body,), {h.name: float(h.default) for h in own})
        text = ArrayWriter(identifier, self.call, {}).definition(Definition(name, (), body))
        given = [*map(identifier, parameters), *(f"{identifier(n)}={v!r}" for n, v in self.needs[name].items())]
        self.texts[name] = f"def {_helper_name(name)}({', '.join(given)}):\n    return {text}\n"

    def numbers(self, bodies: Iterable[Expr], own: Mapping[str, float]) -> dict[str, float]:
        """The hyperparameters that formulas and the functions in them use, with what is usual."""
        found: dict[str, float] = {}
        for body in bodies:
            found |= {n: own[n] for n in sorted(names(body)) if n in own}
            applied = {node.name for node in postorder(body) if isinstance(node, Apply)}
            for name in sorted(applied - set(DIRECT)):
                if catalog.function(name) is not None and not catalog.is_axiom(name):
                    self.define(name)
                    found |= self.needs[name]
        return found


def _helper_name(name: str) -> str:
    plain = name.replace("-", "_")
    return plain + "_loss" if any(entry.name == name for entry in catalog.losses()) else plain
