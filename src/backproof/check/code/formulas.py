"""Formulas: what is on a tape as expressions over indexed tensors, with definitions where a value has its own name.

What a formula takes for given: arrays of constants, masks and index arrays are tensors of which only their kind is used
(zeros and ones, one in each row); two of them are the same where their numbers are. The greatest entry of an axis is
such a tensor too, and it must then be shown that the loss does not depend on it.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportUnknownParameterType=false

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, product
from math import prod
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from backproof.check.code.axes import Axis, FormlessError, Sizes
from backproof.check.code.tape import Node
from backproof.language.expression import Apply, Expr, Index, Num, Tensor, mul, num, power, reindex, size, tensor
from backproof.language.program import Assumption, Definition

Numbers = Literal["letters", "sizes", "digits"]
"""How sizes and numbers are read. `letters`: sizes as letters. `sizes`: so, and a number that equals a size, and is not
written in the code, as that size. `digits`: sizes as the numbers that they are."""

Places: TypeAlias = tuple[tuple[Index, ...], ...]
LETTERS: Final = "ijklpqrstuvw"
LINEAR: Final = ("negative", "positive")
RESERVED: Final = ("", "J")
HALF: Final = Fraction(1, 2)
MOST_SIZES: Final = 12
ORDINARY: Final = frozenset({0.5, 2.0})
"""Numbers that are never taken for a size."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A value: the indices of its axes, and its expression in them.

    `present` is 1 where the value is finite and 0 where it is −∞. `written` says which entries of an array of zeros
    something was put into.
    """

    axes: Places
    expr: Expr
    present: Expr | None = None
    written: Any = None

    @property
    def indices(self) -> tuple[Index, ...]:
        """All indices, axis after axis."""
        return tuple(i for axis in self.axes for i in axis)


@dataclass(slots=True)
class Formulas:
    """The formulas of the nodes of several tapes, over common tensors."""

    sizes: Sizes
    reading: Numbers
    names: Mapping[int, str] = field(default_factory=dict[int, str])
    written: Mapping[int, frozenset[float]] = field(default_factory=dict[int, frozenset[float]])
    inputs: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    assumptions: list[Assumption] = field(default_factory=list[Assumption])
    definitions: list[Definition] = field(default_factory=list[Definition])
    of: dict[int, Formula] = field(default_factory=dict[int, Formula])
    uses: dict[int, int] = field(default_factory=dict[int, int])
    opaque: dict[Any, str] = field(default_factory=dict[Any, str])
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    extremes: list[str] = field(default_factory=list[str])
    doubtful: bool = False
    read: dict[float, str] = field(default_factory=dict[float, str])
    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    inner: set[int] = field(default_factory=set[int])
    fixed: set[int] = field(default_factory=set[int])
    infinite: list[float] = field(default_factory=list[float])
    bodies: dict[Any, str] = field(default_factory=dict[Any, str])

    def look(self, nodes: Iterable[Node], same: Mapping[int, Node]) -> None:
        """See how nodes are used, before formulas are made; `same` are nodes that do what another one does."""
        for node in nodes:
            parents = [same.get(id(p), p) for p in node.parents]
            for parent in parents:
                self.uses[id(parent)] = self.uses.get(id(parent), 0) + 1
            if node.op == "unary" and node.attr not in LINEAR:
                self.inner.update(id(p) for p in parents)
            if node.op == "constant" or (node.parents and all(id(p) in self.fixed for p in node.parents)):
                self.fixed.add(id(node))

    def __getitem__(self, node: Node) -> Formula:
        return self.of[id(node)]

    def sort(self, part: int) -> str:
        """The sort of a size."""
        if self.reading == "digits":
            return str(self.sizes.lengths[part])
        return f"n{part + 1}"

    def indices(self, axes: Sequence[Axis]) -> Places:
        """Indices for axes, by their place."""
        letters = iter(LETTERS)
        try:
            return tuple(tuple(Index(next(letters), self.sort(s)) for s in axis) for axis in axes)
        except StopIteration:
            raise FormlessError("an array has too many axes") from None

    def own(self, node: Node) -> Places:
        """The indices of a node."""
        return self.indices(self.sizes.axes(node))

    def at(self, node: Node, places: Places) -> Expr:
        """The formula of a node at other indices, broadcast to more axes in front."""
        return moved(self[node], places)

    def number(self, value: float, line: int = 0) -> Expr:
        """A number of the code, met on a line."""
        if not math.isfinite(value):
            raise FormlessError("a number is not finite")
        if self.reading == "sizes" and abs(value) not in {0.0, 1.0, *self.written.get(line, ())}:
            found = self._as_size(abs(value))
            if found is not None and abs(value) in ORDINARY:
                self.doubtful = True
            elif found is not None:
                self.read[abs(value)] = found[1]
                return mul(-1 if value < 0 else 1, found[0])
        return num(Fraction(repr(float(value))))

    def _as_size(self, value: float) -> tuple[Expr, str] | None:
        """A number that is a size, a product of some, twice that, or one over it; or the root of one."""
        roots = dict.fromkeys(s for axes in self.sizes.inputs.values() for axis in axes for s in self.sizes.flat(axis))
        single = [(size(self.sort(s)), float(self.sizes.lengths[s])) for s in roots]
        several = [
            (mul(*(a for a, _ in chosen)), prod(x for _, x in chosen))
            for count in (2, 3)
            for chosen in combinations(single[:MOST_SIZES], count)
        ]
        rational = abs(value - float(Fraction(value).limit_denominator(10_000))) < 1e-12 * value
        exponents = (Fraction(1), Fraction(-1)) if rational else (HALF, -HALF)
        for group, times, exponent in product((single, several), (Fraction(1), Fraction(2), HALF), exponents):
            for expr, length in group:
                if math.isclose(float(times) * length ** float(exponent), value, rel_tol=1e-14):
                    return mul(times, power(expr, exponent)), f"{length:g}"
        return None

    def tensor(self, kind: str, key: Any, parts: Sequence[int], *assumed: Assumption, value: Any = None) -> str:
        """The name of a tensor of which only its kind is known; the same key is the same tensor."""
        sorts = tuple(self.sort(s) for s in parts)
        found = self.opaque.get((key, sorts))
        if found is None:
            found = self.opaque[key, sorts] = f"{kind}{len(self.opaque) + 1}"
            self.inputs[found] = sorts
            self.values[found] = value
            self.assumptions += [Assumption(found, a.property, a.axis, a.value) for a in assumed]
        return found

    def selection(self, where: Any, source: Axis, target: Axis) -> Callable[[Sequence[Index], Sequence[Index]], Expr]:
        """[place = where(target)] as a tensor of zeros and ones, one in each column."""
        flat = np.asarray(where).ravel()
        length = self.sizes.length(source)
        shape = [self.sizes.lengths[s] for s in (*source, *target)]
        value = (np.arange(length)[:, None] == flat[None, :]).astype(float).reshape(shape)
        assumed = [Assumption("", "binary")]
        if len(source) == 1:
            assumed.append(Assumption("", "unit-sum", 0))
        name = self.tensor("select", ("select", flat.tobytes(), length), (*source, *target), *assumed, value=value)
        return lambda places, results: tensor(name, *places, *results)

    def deserves(self, node: Node, formula: Formula) -> bool:
        if formula.present is not None or formula.written is not None or isinstance(formula.expr, Num | Tensor):
            return False
        if node.op in ("transpose", "reshape", "broadcast", "cast", "constant", "input"):
            return False
        if node.op == "unary" and node.attr in LINEAR:
            return False
        named = node.op in ("matmul", "einsum", "sum", "unary", "index", "put", "concatenate", "power")
        named = named or (isinstance(formula.expr, Apply) and formula.expr.name == "sigmoid")
        return named or id(node) in self.inner or self.uses.get(id(node), 0) > 1

    def named(self, node: Node, formula: Formula) -> Formula:
        """The formula behind a name; an equal formula has the name already."""
        found = self.bodies.get((formula.expr, formula.indices))
        if found is None:
            wanted = self.names.get(id(node), "")
            taken = {*self.inputs, *(d.name for d in self.definitions), *RESERVED}
            found = wanted if wanted not in taken else f"t{len(self.definitions) + 1}"
            self.bodies[formula.expr, formula.indices] = found
            self.definitions.append(Definition(found, formula.indices, formula.expr))
            self.nodes[found] = node
        return Formula(formula.axes, tensor(found, *formula.indices))


def moved(formula: Formula, places: Places) -> Expr:
    """The expression at other indices; axes of the formula that are not there are left out in front."""
    mapping: dict[Index, Index] = {}
    for own, given in zip(reversed(formula.axes), reversed(places), strict=False):
        if own and len(own) == len(given):
            mapping.update(zip(own, given, strict=True))
        elif own:
            raise FormlessError("the parts of two axes do not fit")
    return reindex(formula.expr, mapping)


def key_of(attr: Any) -> Any:
    """Something to compare two attributes of operations by: their arrays, slices and functions."""
    match attr:
        case np.ndarray():
            return attr.tobytes(), attr.shape, attr.dtype.str
        case tuple() | list():
            return tuple(key_of(a) for a in attr)
        case slice():
            return "slice", key_of(attr.start), key_of(attr.stop), key_of(attr.step)
        case np.dtype():
            return attr.str
        case _:
            return same_code(attr) if callable(attr) else attr


def same_code(function: Any) -> Any:
    """What makes two functions the same: their code, and what it has closed over."""
    code = getattr(function, "__code__", None)
    if code is None:
        return function
    return code, tuple(repr(cell.cell_contents) for cell in function.__closure__ or ())
