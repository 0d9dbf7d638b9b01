"""Statements: what every part of a network's Coq file shares: names, the vectors of layers, the loss as a function
of one.

In a batch every statement about a layer is about one example e, whose vector is a row or a column; the loss is a
sum over examples, each with the factor 1/m where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from backproof import catalog
from backproof.calculus.sweep import adjoint_name
from backproof.coq.conditions import Condition
from backproof.coq.document import MODULES, Document
from backproof.coq.functions import Calls, Functions, prepared
from backproof.coq.identifiers import plain
from backproof.coq.outputs import AXIOM_SLOPES
from backproof.coq.terms import Terms
from backproof.errors import ExportError
from backproof.language.expression import (
    Add,
    Apply,
    Expr,
    Index,
    Mul,
    Sum,
    Tensor,
    add,
    apply,
    mul,
    one,
    opened,
    reindex,
    tensor,
)
from backproof.language.program import Definition, Program
from backproof.language.walks import inline, names, rewrite
from backproof.proof.derivation import Derivation

LOCAL = "v of this layer"


@dataclass(frozen=True, slots=True)
class Place:
    """A tensor that flows through the network: where its examples' index stands, and its unit index."""

    name: str
    unit: Index
    example: Index | None
    example_first: bool


class NetworkStatements:
    """Names and pieces of text for one derivation."""

    def __init__(self, derivation: Derivation, functions: Functions | None = None) -> None:
        self.derivation = derivation
        self.network = derivation.network
        self.program: Program = derivation.program
        self.functions = functions or Functions()
        self.names = self.functions.names
        self.names.of("J")  # before a size or a letter of this name
        self.bound: dict[str, str] = {}
        self.terms = Terms(self.names, self.bound, Calls(self.functions, self.bound).call)
        self.document = Document(f"Backpropagation: {self.network.describe()}", MODULES)
        self.example = self._example_index()
        self.hypotheses: list[str] = []
        self.theorems: list[str] = []

    def _example_index(self) -> Index | None:
        if not self.network.batch:
            return None
        first = next(d for d in self.program.definitions if len(d.indices) == 2)
        unit = 0 if self.network.layout == "columns" else 1
        return first.indices[1 - unit]

    @cached_property
    def chain(self) -> tuple[str, ...]:
        """The tensors from the input to the output, in order."""
        forward = [d.name for d in self.program.definitions if d.name != "J" and not d.name.startswith("∂")]
        start = next(n for n in self.program.inputs if n[0] in ("xX" if self.network.sizes else "zZ"))
        return (start, *forward)

    def place(self, name: str) -> Place:
        """How a tensor of the chain is indexed."""
        sorts = self.program.sorts(name)
        if self.example is None:
            return Place(name, Index("i", sorts[0]), None, example_first=False)
        first = self.network.layout != "columns"
        return Place(name, Index("i", sorts[1] if first else sorts[0]), self.example, example_first=first)

    def entry(self, name: str, place: Place) -> Expr:
        """One entry of a tensor that is indexed like a tensor of the chain."""
        if place.example is None:
            return tensor(name, place.unit)
        pair = (place.example, place.unit) if place.example_first else (place.unit, place.example)
        return tensor(name, *pair)

    def view(self, name: str, place: Place) -> str:
        """The vector of one example, as an argument."""
        head = self.names.of(name)
        if place.example is None:
            return head
        e = self.terms.index(place.example)
        return f"({head} {e})" if place.example_first else f"(fun i => {head} i {e})"

    @cached_property
    def output(self) -> str:
        """The tensor that the loss reads."""
        return self.chain[-1]

    @cached_property
    def data(self) -> tuple[Expr, Expr]:
        """The factor of the loss and the loss of one example."""
        body = self.program.by_name["J"].body
        parts = [t for t in (body.terms if isinstance(body, Add) else (body,)) if self.output in names(t)]
        whole = add(*parts)
        if self.example is None:
            return one, whole
        factors = list(whole.factors) if isinstance(whole, Mul) else [whole]
        sums = [
            f for f in factors if isinstance(f, Sum) and f.index.sort == self.example.sort and self.output in names(f)
        ]
        if len(sums) != 1:
            raise ExportError("the loss is not a sum over the examples of the batch")
        factors.remove(sums[0])
        index, example = opened(sums[0])
        return mul(*factors), reindex(example, {index: self.example})

    @property
    def shares(self) -> bool:
        """Whether the outputs are shares of a whole, or their logarithms: a softmax or a relative of it."""
        return catalog.activation(self.network.output).range in ("distribution", "log-probability")

    @cached_property
    def penalty(self) -> Expr | None:
        """What the loss adds for the weights, if anything."""
        body = self.program.by_name["J"].body
        parts = [t for t in (body.terms if isinstance(body, Add) else (body,)) if self.output not in names(t)]
        return add(*parts) if parts else None

    @property
    def forall(self) -> str:
        """What a statement about one example starts with."""
        if self.example is None:
            return ""
        e = self.terms.index(self.example)
        return f"forall {e}, ({e} < {self.terms.sort(self.example.sort)})%nat -> "

    @property
    def intro(self) -> str:
        """The tactic that takes the example."""
        return "" if self.example is None else f"intros {self.terms.index(self.example)} He. "

    def of_example(self, lemma: str) -> str:
        """A lemma about one example, applied to the example at hand."""
        return lemma if self.example is None else f"({lemma} {self.terms.index(self.example)} He)"

    def tail(self, name: str) -> str:
        """The loss as a function of a layer, of one example."""
        head = f"J_of_{self.names.of(name)}"
        return head if self.example is None else f"({head} {self.terms.index(self.example)})"

    def tail_at(self, name: str, argument: str) -> str:
        """That function at an argument."""
        head = f"J_of_{self.names.of(name)}"
        return f"{head} {argument}" if self.example is None else f"{head} {self.terms.index(self.example)} {argument}"

    def local(self, expr: Expr, name: str) -> Expr:
        """The expression with a tensor of the chain replaced by the function's own argument."""
        place = self.place(name)

        def rule(node: Expr) -> Expr | None:
            if isinstance(node, Tensor) and node.name == name:
                unit = node.indices[0 if place.example is None else 1 if place.example_first else 0]
                return tensor(LOCAL, unit)
            return None

        return rewrite(expr, rule)

    def binder(self, indices: Iterable[Index]) -> str:
        """Fun i j =>"""
        listed = " ".join(self.terms.index(i) for i in indices)
        return f"fun {listed} => " if listed else ""

    def write(self, expr: Expr) -> str:
        """An expression as text."""
        return self.terms.write(prepared(expr))

    def _adjoint(self, name: str) -> str:
        return adjoint_name("J", name)

    def _gradient(self, name: str) -> str:
        return f"gradient_{self.names.of(name)}"

    def _define(self, definition: Definition) -> str:
        name = self.names.of(definition.name)
        body = self.write(definition.body)
        return f"Definition {name} : {type_of(len(definition.indices))} := {self.binder(definition.indices)}{body}."

    def _target(self) -> str:
        return "Y" if self.network.batch else "y"

    def _slope(self, name: str) -> str:
        if catalog.is_axiom(name):
            return AXIOM_SLOPES[name]
        if catalog.function(name) is None:
            return f"slope_{self.functions.call(applied(name, 1))[0]}"
        return f"slope_{plain(name)}"

    def _sides(self) -> str:
        """Side conditions: hypotheses about entries, or plain to see."""
        known = " | ".join(f"apply {h}; assumption" for h in self.hypotheses if not h.startswith("given_"))
        return f"first [assumption | {known} | solve [bp_side]]" if known else "first [assumption | solve [bp_side]]"

    def _next(self, before: str, after: str) -> str:
        """The layer `after` as a function of the argument in place of the layer `before`."""
        return f"(fun {self._unit(after)} => {self._next_entry(before, after)})"

    def _next_entry(self, before: str, after: str) -> str:
        definition = self.program.by_name[after]
        renamed = dict(zip(definition.indices, indices_of(self.place(after)), strict=True))
        return self.write(self.local(reindex(definition.body, renamed), before))

    def _unit(self, name: str) -> str:
        return self.terms.index(self.place(name).unit)


def entrywise_slope(writer: NetworkStatements, node: Apply) -> str:
    """The slope of an activation, as an argument."""
    if catalog.is_axiom(node.name):
        return f"(fun u => {Terms(fixed={'u': 'u'}).write(prepared(apply(node.name, tensor('u'), orders=(1,))))})"
    letters = list(writer.terms.call(node)) if writer.terms.call else []
    primed = [f"{letters[0]}'", *letters[1:]]
    return primed[0] if len(primed) == 1 else f"({' '.join(primed)})"


def applied(name: str, arity: int) -> Apply:
    """A function applied to arguments that stand for any."""
    node = apply(name, *(tensor(f"argument {k}") for k in range(arity)))
    assert isinstance(node, Apply)
    return node


def type_of(axes: int) -> str:
    """The type of a tensor with so many axes."""
    return " -> ".join(["nat"] * axes + ["R"])


def indices_of(place: Place) -> tuple[Index, ...]:
    """The indices of an entry, in the order of the axes."""
    if place.example is None:
        return (place.unit,)
    return (place.example, place.unit) if place.example_first else (place.unit, place.example)


def condition_at(condition: Condition, values: dict[str, Expr]) -> Condition:
    """A condition on a function's parameters, at its arguments."""
    return Condition(condition.kind, inline(condition.expr, {n: ((), v) for n, v in values.items()}))
