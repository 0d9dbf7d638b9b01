"""Sources for NumPy alone: the same steps, one array operation after another, where numba is not installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from backproof.language.expression import (
    Add,
    Apply,
    Const,
    Delta,
    Expr,
    Index,
    Mul,
    Num,
    Pow,
    Size,
    Tensor,
    postorder,
    tensor,
)
from backproof.language.walks import inline
from backproof.run.forms import careful, is_careful
from backproof.run.interface import Interface, equation_text, identifier
from backproof.run.lowering import Product, Task
from backproof.run.scheduling import Schedule

_NAMES: Final = {"Phi": "phi", "normal-density": "density", "max": "maximum", "min": "minimum", "abs": "absolute"}


def array_source(schedule: Schedule, interface: Interface) -> str:
    """The module of a schedule, for NumPy."""
    lowered = schedule.lowered
    rows: list[str] = [f"m = {identifier(interface.inputs[0])}.shape[0]"]
    for place in interface.parameters:
        stop = place.start + place.length
        rows.append(f"{identifier(place.name)} = theta[{place.start}:{stop}].reshape({place.shape})")
    for name, value in interface.numbers.items():
        rows.append(f"{identifier(name)} = F({value!r})")
    for step in lowered.steps:
        rows += _product(step) if isinstance(step, Product) else _task(step)
    if interface.gradient:
        for place in interface.parameters:
            stop = place.start + place.length
            rows.append(f"grad[{place.start}:{stop}] = np.ravel({identifier('∂J/∂' + place.name)})")
    rows += [f"{identifier(name)}_out[...] = {identifier(name)}" for name in interface.outputs]
    rows.append("return float(J)" if "J" in lowered.wanted else "return 0.0")
    outputs = [f"{identifier(name)}_out" for name in interface.outputs]
    taken = ", ".join(["theta", "grad", "work", *map(identifier, interface.inputs), *outputs])
    made = {s.target for s in lowered.steps}
    head = [
        '"""A kernel that backproof wrote, for NumPy. The equations it computes:',
        "",
        *(f"    {equation_text(d)}" for d in lowered.program.definitions if d.name in made),
        '"""',
        "",
        "import numpy as np",
        "",
        "from backproof.run import arrays",
        "",
        f"F = np.{interface.precision}",
        "G = np.float64 if F is np.float32 else np.longdouble",
        "",
        "",
        f"def run({taken}):",
    ]
    return "\n".join([*head, *("    " + row for row in rows)]) + "\n"


def _product(step: Product) -> list[str]:
    left, right = (identifier(o.name) + (".T" if o.transposed else "") for o in (step.left, step.right))
    return [f"{identifier(step.target)} = np.dot({left}, {right})"]


def _task(step: Task) -> list[str]:
    axes = (*step.indices, *step.bound)
    target = identifier(step.target)
    if step.kind == "pick":
        assert isinstance(step.body, Tensor)
        axis = step.body.indices.index(step.bound[0])
        return [f"{target} = np.argmax({identifier(step.body.name)}, axis={axis})"]
    writer = _Writer(axes, target)
    text = writer.text(step.body)
    if step.kind == "assign":
        if axes and len(step.body.free & set(axes)) < len(axes):
            shape = ", ".join(i.sort if i.sort.isdigit() else "m" for i in axes)
            text = f"np.broadcast_to({text}, ({shape},)).copy()"
        return [*writer.rows, f"{target} = {text}"]
    reduced = "sum" if step.kind == "sum" else "max"
    return [*writer.rows, f"{target} = np.{reduced}({text}, axis=-1)"]


@dataclass
class _Writer:
    axes: Sequence[Index]
    target: str
    kind: str = "F"
    rows: list[str] = field(default_factory=list[str])
    known: dict[Expr, str] = field(default_factory=dict[Expr, str])

    def text(self, root: Expr) -> str:
        for node in postorder(root):
            if node not in self.known:
                text = self._shown(node)
                if isinstance(node, Tensor | Num | Const | Size):
                    self.known[node] = text
                else:
                    name = f"{self.target}_{len(self.rows)}"
                    self.rows.append(f"{name} = {text}")
                    self.known[node] = name
        return self.known[root]

    def _shown(self, node: Expr) -> str:
        match node:
            case Num(value):
                return f"{self.kind}({float(value)!r})"
            case Const(_):
                return f"{self.kind}(np.pi)"
            case Size(_):
                return f"{self.kind}(m)"
            case Tensor(name, indices):
                return self._entry(name, indices)
            case Delta(left, right):
                return f"{self.kind}(1)*({self._place(left)} == {self._place(right)})"
            case Add(terms):
                return " + ".join(self.known[t] for t in terms)
            case Mul(factors):
                conditions = [f for f in factors if isinstance(f, Apply) and f.name == "step"]
                others = [f for f in factors if f not in conditions]
                text = "*".join(self.known[f] for f in others) or f"{self.kind}(1)"
                for condition in conditions:
                    text = f"np.where({self.known[condition]} > 0, {text}, {self.kind}(0))"
                return text
            case Pow(base, exponent):
                return self._power(self.known[base], exponent)
            case Apply(name, args, _) if is_careful(name):
                return self._careful(name, [self.known[a] for a in args])
            case Apply(name, args, _):
                return f"arrays.{_NAMES.get(name, name)}({', '.join(self.known[a] for a in args)})"
            case _:
                raise TypeError(f"not an expression: {type(node).__name__}")

    def _careful(self, name: str, arguments: Sequence[str]) -> str:
        """A formula that loses digits, in numbers with more of them, rounded once."""
        parameters, body, _ = careful(name)
        made: dict[str, Expr] = {}
        inner = _Writer(self.axes, f"{self.target}_{len(self.rows)}", "G")
        for parameter, argument in zip(parameters, arguments, strict=True):
            made[parameter] = tensor(f"wide {argument}")
            inner.known[made[parameter]] = f"arrays.wide({argument})"
        result = inner.text(inline(body, {p: ((), e) for p, e in made.items()}))
        self.rows += inner.rows
        return f"F({result})" if not self.axes else f"({result}).astype(F)"

    def _power(self, base: str, exponent: Fraction) -> str:
        if exponent == -1:
            return f"{self.kind}(1)/({base})"
        if exponent == Fraction(1, 2):
            return f"np.sqrt({base})"
        return f"({base})**{self.kind}({float(exponent)!r})"

    def _place(self, index: Index) -> str:
        """The values of an index, or of a chosen place K, along the axes."""
        if index.name.startswith("K"):
            row = self.axes[0]
            return f"{index.name}{self._spread((row,))}" if len(self.axes) > 1 else index.name
        length = index.sort if index.sort.isdigit() else "m"
        return f"np.arange({length}){self._spread((index,))}"

    def _entry(self, name: str, indices: tuple[Index, ...]) -> str:
        plain = identifier(name)
        if not indices:
            return plain
        chosen = [i for i in indices if i.name.startswith("K")]
        if chosen:
            row = next(i for i in indices if i not in chosen)
            places = ", ".join(i.name if i in chosen else "np.arange(m)" for i in indices)
            return f"{plain}[{places}]{self._spread((row,))}"
        order = tuple(i for i in self.axes if i in indices)
        if order != indices and len(order) == len(indices):
            plain += ".T"
        return f"{plain}{self._spread(order)}"

    def _spread(self, own: tuple[Index, ...]) -> str:
        if len(own) == len(self.axes):
            return ""
        return "[" + ", ".join(":" if i in own else "None" for i in self.axes) + "]"
