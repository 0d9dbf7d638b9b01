"""Formulas in the source of a kernel: every part gets a name once, as far outside of the loops as it may stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from backproof.language.expression import Add, Apply, Const, Delta, Expr, Index, Mul, Num, Pow, Size, Tensor, postorder
from backproof.run.forms import is_careful
from backproof.run.interface import Interface, Lines, identifier
from backproof.run.scheduling import COLUMN, ROW, Schedule, Work

_FUNCTIONS: Final = {
    "exp": "exp", "log": "log", "sin": "sin", "cos": "cos", "atan": "atan", "erf": "erf", "erfc": "erfc",
    "log1p": "log1p", "expm1": "expm1", "sigmoid": "sigmoid", "tanh": "tanh", "softplus": "softplus",
    "expdifference": "expdifference", "Phi": "phi", "normal-density": "density",
}  # fmt: skip
_CONSTANTS: Final = {"pi": 3.141592653589793}


@dataclass
class Formulas:
    """The names that a pass has given to parts of its formulas."""

    schedule: Schedule
    interface: Interface
    constants: dict[str, str]
    imports: set[str]
    lines: Lines
    views: list[str] = field(default_factory=list[str])
    top: list[str] = field(default_factory=list[str])
    inner: dict[Expr, str] = field(default_factory=dict[Expr, str])
    outer: dict[Expr, str] = field(default_factory=dict[Expr, str])
    seen: set[str] = field(default_factory=set[str])
    row_views: int = 0
    part: list[str] | None = None  # views of a part of the columns, while one is written
    count: int = 0

    def level(self, node: Expr) -> int:
        """2 inside the loop, 1 for a row, 0 for numbers."""
        found = 0
        for index in node.free:
            found = max(found, 2 if index.name == COLUMN else 1)
        if found < 2 and isinstance(node, Tensor) and node.name in self.schedule.local:
            found = max(found, 1)
        return found

    def prepare(self, bodies: Iterable[Expr]) -> None:
        """Names for what does not change inside the loop, before it starts."""
        for body in bodies:
            for node in postorder(body):
                if self.level(node) < 2 and not isinstance(node, Num | Delta) and self._maximal(node, body):
                    self.text(node)

    def _maximal(self, node: Expr, body: Expr) -> bool:
        return any(node in parent.children and self.level(parent) == 2 for parent in postorder(body))

    def array(self, name: str) -> str:
        return identifier(name)

    def row(self, name: str) -> str:
        """The row of a matrix in this pass."""
        if name in self.schedule.rows:
            return identifier(name)
        view = f"{identifier(name)}_r"
        if view not in self.seen:
            self.seen.add(view)
            self.views.append(f"{view} = {identifier(name)}[r]")
        return view

    def entry(self, node: Expr) -> str:
        """An entry of an array."""
        assert isinstance(node, Tensor)
        if not node.indices:
            return identifier(node.name)
        names = [i.name for i in node.indices]
        if len(names) == 1:
            return self._in_part(identifier(node.name), names[0])
        if names[0] == ROW:
            return self._in_part(self.row(node.name), names[1])
        return f"{identifier(node.name)}[{', '.join(names)}]"

    def _in_part(self, row: str, place: str) -> str:
        if self.part is None or place != COLUMN:
            return f"{row}[{place}]"
        view = f"{row}_part = {row}[low:high]"
        if view not in self.part:
            self.part.append(view)
        return f"{row}_part[{place}]"

    def compared(self, left: Index, right: Index, sign: str) -> str:
        """Two indices compared; a column in 32 bits, of which as many fit into a register as of the numbers."""
        if right.name == COLUMN:
            left, right = right, left
        if left.name != COLUMN or right.name == ROW:
            return f"{left.name} {sign} {right.name}"
        place = f"{right.name} - low" if self.part is not None else right.name
        return f"np.int32({left.name}) {sign} np.int32({place})"

    def store(self, work: Work, value: str) -> None:
        self.lines.add(f"{self.entry(work.target)} = {value}")

    def named(self, node: Expr, text: str) -> str:
        """A short name for the value of a part, so that it is computed once."""
        known = self.inner if self.level(node) == 2 else self.outer
        if isinstance(node, Tensor) and node.name in self.schedule.local:
            name = identifier(node.name)
        else:
            name = f"v{self.count}"
            self.count += 1
        known[node] = name
        if self.level(node) == 0 and not (isinstance(node, Tensor) and node.name in self.schedule.local):
            self.top.append(f"{name} = {text}")
        else:
            self.lines.add(f"{name} = {text}")
        return name

    def text(self, root: Expr) -> str:
        """The source of a formula; its parts are named first, so that no line is long."""
        stack: list[tuple[Expr, bool]] = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if node in self.inner or node in self.outer:
                continue
            if isinstance(node, Num | Const | Size | Delta):
                continue
            if ready:
                self._name(node)
            else:
                stack.append((node, True))
                stack.extend((c, False) for c in reversed(self._parts(node)))
        return self._short(root)

    def _parts(self, node: Expr) -> tuple[Expr, ...]:
        match node:
            case Mul(factors):
                parts: list[Expr] = []
                for factor in factors:
                    if isinstance(factor, Pow) and self._divides(factor, node):
                        parts.append(factor.base)
                    else:
                        parts += _condition(factor) or ([factor] if _condition(factor) is None else [])
                return tuple(parts)
            case _:
                return node.children

    def _divides(self, factor: Pow, node: Expr) -> bool:
        # By an input or a weight twice rather than by its square, which may overflow.
        repeated = factor.exponent == -2 and isinstance(factor.base, Tensor)
        return (factor.exponent == -1 or repeated) and self.level(factor) == self.level(node)

    def _short(self, node: Expr) -> str:
        found = self.inner.get(node) or self.outer.get(node)
        if found is not None:
            return found
        match node:
            case Num(value):
                return self.constant(value)
            case Const(name):
                return self.constant(_CONSTANTS[name])
            case Size(_):
                return "F(m)"
            case Delta(left, right):
                return f"(F(1.0) if {self.compared(left, right, '==')} else F(0.0))"
            case _:
                raise TypeError(f"not an expression: {type(node).__name__}")

    def constant(self, value: Fraction | float) -> str:
        """The name of a number of the kernel's precision."""
        text = repr(float(value))
        if text not in self.constants:
            self.constants[text] = f"c{len(self.constants)}"
        return self.constants[text]

    def _name(self, node: Expr) -> None:
        match node:
            case Tensor(name, indices):
                if not indices and name in self.interface.numbers:
                    self.outer[node] = self.constant(self.interface.numbers[name])
                elif name in self.schedule.local or (not indices):
                    self.outer[node] = identifier(name)
                else:
                    self.named(node, self.entry(node))
            case Add(terms):
                self.named(node, self._sum(terms))
            case Mul(factors):
                self.named(node, self._product(node, factors))
            case Pow(base, exponent):
                self.named(node, self._power(self._short(base), exponent))
            case Apply(name, args, _):
                self.named(node, self._call(name, [self._short(a) for a in args]))
            case _:
                raise TypeError(f"not an expression: {type(node).__name__}")

    def _sum(self, terms: tuple[Expr, ...]) -> str:
        text = ""
        # Indicators and whole numbers add without rounding: first, so that 1 − 1 + u keeps the digits of u.
        ordered = sorted(terms, key=lambda term: (not _is_whole(term), _is_negative(term)))
        for term in ordered:
            shown = self._short(term)
            text += f" + {shown}" if text else shown
        return text

    def _product(self, node: Expr, factors: tuple[Expr, ...]) -> str:
        above: list[str] = []
        below: list[str] = []
        conditions: list[str] = []
        sign = ""
        for factor in factors:
            indicator = self._indicator(factor)
            if indicator is not None:
                conditions.append(indicator)
            elif isinstance(factor, Num) and factor.value == -1:
                sign = "-"
            elif isinstance(factor, Pow) and self._divides(factor, node):
                below += [self._short(factor.base)] * -int(factor.exponent)
            else:
                above.append(self._short(factor))
        text = "*".join(above) or self.constant(1)
        for divisor in below:
            text = f"{text}/{divisor}" if "*" not in text and "/" not in text else f"({text})/{divisor}"
        text = f"-{text}" if sign and "/" not in text and "*" not in text else f"-({text})" if sign else text
        if conditions:
            text = f"({text}) if {' and '.join(conditions)} else {self.constant(0)}"
        return text

    def _indicator(self, factor: Expr) -> str | None:
        match factor:
            case Apply("step", (u,), (0,)):
                return f"{self._short(u)} > {self.constant(0)}"
            case Add((Mul((Num(minus), Apply("step", (u,), (0,)))), Num(plus))) if minus == -1 and plus == 1:
                return f"not ({self._short(u)} > {self.constant(0)})"
            case Add((Mul((Num(minus), Delta(left, right))), Num(plus))) if minus == -1 and plus == 1:
                return self.compared(left, right, "!=")
            case _:
                return None

    def _power(self, base: str, exponent: Fraction) -> str:
        if exponent.denominator == 1 and abs(exponent) <= 4:
            text = "*".join([base] * abs(int(exponent)))
            return text if exponent > 0 else f"{self.constant(1)}/({text})"
        if exponent == Fraction(1, 2):
            return f"np.sqrt({base})"
        if exponent == Fraction(-1, 2):
            return f"{self.constant(1)}/np.sqrt({base})"
        return f"{base}**{self.constant(exponent)}"

    def _call(self, name: str, arguments: list[str]) -> str:
        zero, one = self.constant(0), self.constant(1)
        match name:
            case "step":
                return f"{one} if {arguments[0]} > {zero} else {zero}"
            case "abs":
                return f"abs({arguments[0]})"
            case "sign":
                return (
                    f"({one} if {arguments[0]} > {zero} else {zero}) - ({one} if {arguments[0]} < {zero} else {zero})"
                )
            case "max" | "min":
                return f"{name}({', '.join(arguments)})"
            case _ if is_careful(name):
                self.imports.add(name)
                return f"{name}({', '.join(arguments)})"
            case _:
                called = _FUNCTIONS[name]
                self.imports.add(called)
                return f"{called}({', '.join(arguments)})"


def _condition(factor: Expr) -> list[Expr] | None:
    """What an indicator compares with 0; None for a factor that is none."""
    match factor:
        case Apply("step", (u,), (0,)) | Add((Mul((Num(), Apply("step", (u,), (0,)))), Num())):
            return [u] if isinstance(factor, Apply) or _is_complement(factor) else None
        case Add((Mul((Num(), Delta())), Num())) if _is_complement(factor):
            return []
        case _:
            return None


def _is_complement(factor: Expr) -> bool:
    """Whether the factor is 1 − u."""
    match factor:
        case Add((Mul((Num(minus), _)), Num(plus))):
            return minus == -1 and plus == 1
        case _:
            return False


def _is_whole(term: Expr) -> bool:
    """Whether a term is a whole number: a number, an indicator, or their product."""
    match term:
        case Num(value):
            return value.denominator == 1
        case Apply("step", _, (0,)):
            return True
        case Mul(factors):
            return all(map(_is_whole, factors))
        case _:
            return False


def _is_negative(term: Expr) -> bool:
    return isinstance(term, Mul) and isinstance(term.factors[0], Num) and term.factors[0].value < 0
