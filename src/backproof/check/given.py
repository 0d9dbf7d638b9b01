"""Given networks: programs that a person wrote out, with their adjoints and the names that claims may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from backproof.calculus.network import Network, Section
from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.calculus.unfolding import derivative
from backproof.check.names import catalogue_functions
from backproof.language.expression import Apply, Expr, Tensor
from backproof.language.program import Assumption, Program
from backproof.language.scope import LOSS_LETTERS, FunctionMeaning, Scope
from backproof.language.walks import inline, names, rewrite

LOSS: Final = "J"
TARGETS: Final = ("y", "Y", "t", "T", "p")


@dataclass(frozen=True, eq=False)
class GivenNetwork(Network):
    """A network as its program spells it out, for what a claim about any network asks of it."""

    given: Program = field(default_factory=Program)
    title: str = "as defined"
    unit_axis: int | None = None

    # Two worksheets are two networks, whatever their options say: caches must never take one for the other.
    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @cached_property
    def program(self) -> Program:
        """The definitions as they were written."""
        return self.given

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The one program."""
        return (Section(self.given, (self.last,)),)

    @cached_property
    def last(self) -> str:
        """The greatest layer number among the logits, or none."""
        labels = [n.partition("(")[2].rstrip(")") for n in self.given.names if n[0] in "zZ"]
        return str(max((int(label) for label in labels if label.isdigit()), default="")) if any(labels) else ""

    @cached_property
    def admissible(self) -> tuple[Assumption, ...]:
        """What a cross-entropy takes for granted of its target y: a claim may need it, and then says so."""
        targets = [
            n
            for n, sorts in self.given.inputs.items()
            if n.partition("(")[0] in TARGETS and 1 <= len(sorts) <= 2 and not _assumed(self.given, n)
        ]
        last = self.unit_axis if self.unit_axis is not None else int(self.given.row_vectors)
        axes = {n: (last, 1 - last) if len(self.given.inputs[n]) == 2 else (0,) for n in targets}
        told = self.unit_axis is not None or self.given.row_vectors
        return tuple(Assumption(n, "unit-sum", axis=a) for n in targets for a in (axes[n][:1] if told else axes[n]))

    def describe(self) -> str:
        """The title of what was written."""
        return self.title


def _assumed(program: Program, name: str) -> bool:
    return any(a.tensor == name and a.property == "unit-sum" for a in program.assumptions)


@dataclass(frozen=True)
class OwnFunction:
    """A function of scalars that a person defined: its parameters (scalar tensors) and its body."""

    parameters: tuple[str, ...]
    body: Expr


@dataclass(frozen=True)
class World:
    """A program with everything that formulas about it may use: its adjoints, functions and other names."""

    program: Program
    functions: Mapping[str, int] = field(default_factory=dict[str, int])
    own: Mapping[str, OwnFunction] = field(default_factory=dict[str, OwnFunction])
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    losses: frozenset[str] = LOSS_LETTERS
    layouts: Literal["declared", "vectors", "all"] = "declared"
    sizes: Mapping[str, str] = field(default_factory=dict[str, str])
    batch: str | None = None
    unit_axis: int | None = None
    title: str = "as defined"

    @cached_property
    def network(self) -> GivenNetwork:
        """The program as a network."""
        many = self.batch is not None
        layout = "rows" if self.program.row_vectors else "columns"
        reduction = "sum" if many else "none"
        return GivenNetwork(
            given=self.program, title=self.title, unit_axis=self.unit_axis, layout=layout, reduction=reduction
        )

    @cached_property
    def whole(self) -> Program:
        """The program followed by the adjoint of every name that the loss depends on."""
        if LOSS not in self.program.by_name:
            return self.program
        found = adjoints(self.program, LOSS)
        return self.program.extended(
            d for name, d in found.items() if name != LOSS and d.name not in self.program.names
        )

    @cached_property
    def gradients(self) -> Mapping[str, str]:
        """Every name with an adjoint, and the adjoint's name."""
        known = set(self.whole.names)
        return {n: adjoint_name(LOSS, n) for n in self.program.names if adjoint_name(LOSS, n) in known}

    @cached_property
    def scope(self) -> Scope:
        """The names that a formula may use."""
        functions = dict(catalogue_functions())
        for name, arity in self.functions.items():
            functions[name] = FunctionMeaning(name, arity=arity)
        for name, own in self.own.items():
            functions[name] = FunctionMeaning(own_name(name), arity=len(own.parameters))
        return Scope(
            self.whole,
            aliases=self.aliases,
            functions=functions,
            gradients=self.gradients,
            losses=self.losses,
            differentiate=self.differentiated,
            layouts=self.layouts,
            sizes=self.sizes,
            batch=self.batch,
            unit_axis=self.unit_axis,
        )

    def differentiated(self, expr: Expr, entry: Tensor) -> Expr:
        """The derivative by an entry, through the functions that the person defined."""
        return derivative(self.opened(expr), entry.name, entry.indices)

    def opened(self, expr: Expr) -> Expr:
        """The expression with the person's own functions, and their slopes, replaced by their definitions."""
        if not self.own:
            return expr

        def rule(node: Expr) -> Expr | None:
            if not isinstance(node, Apply) or not node.name.startswith(_MARK):
                return None
            own = self.own[node.name.removeprefix(_MARK)]
            body = own.body
            for parameter, order in zip(own.parameters, node.orders, strict=True):
                for _ in range(order):
                    body = derivative(body, parameter)
            values = {p: ((), a) for p, a in zip(own.parameters, node.args, strict=True)}
            return inline(body, values)

        return rewrite(expr, rule)


# A name that no formula can hold keeps a person's function apart from the catalogue's.
_MARK: Final = "own "


def own_name(name: str) -> str:
    """How a person's own function is called inside expressions until it is opened."""
    return _MARK + name


def reached(program: Program, roots: Sequence[str]) -> set[str]:
    """The names that the definitions of `roots` depend on, themselves included."""
    found: set[str] = set()
    stack = list(roots)
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            definition = program.by_name.get(name)
            stack += names(definition.body) if definition is not None else ()
    return found
