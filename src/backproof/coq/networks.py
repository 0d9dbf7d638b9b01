"""Networks: a derivation of a network of given depth as a Coq file, one lemma for each layer and each line.

The forward pass and the reverse sweep are written down as they stand in the program. For every layer the file defines the
loss as a function of that layer's values, everything after it computed anew; the lemmas say that the sweep's equations are
the gradients of these functions, and the theorems that the derivation's formulas are.

In a batch every statement about a layer is about one example e, whose vector is a row or a column; the loss is a sum over
examples, each with the factor 1/m where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from backproof import catalog
from backproof.calculus.sweep import adjoint_name
from backproof.coq.conditions import Condition, of_assumption
from backproof.coq.document import Document, comment
from backproof.coq.functions import RANGES, Calls, Functions, formula, hypothesis, prepared
from backproof.coq.identifiers import Identifiers, plain
from backproof.coq.outputs import AXIOM_SLOPES
from backproof.coq.terms import ATOM, Terms
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
    num,
    one,
    opened,
    postorder,
    reindex,
    tensor,
)
from backproof.language.program import Assumption, Definition, Program
from backproof.language.walks import inline, names, rewrite
from backproof.proof.derivation import Derivation, Equation

LOCAL = "v of this layer"
MODULES = (
    "Rules", "Functions", "Scalars", "Activations", "Sums", "Gradients", "Layers", "Softmax", "Vectors", "Batches", "Programs",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A tensor that flows through the network: where its examples' index stands, and its unit index."""

    name: str
    unit: Index
    example: Index | None
    example_first: bool


class NetworkWriter:
    """Writes one derivation."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.network = derivation.network
        self.program: Program = derivation.program
        self.names = Identifiers()
        self.functions = Functions(self.names)
        self.bound: dict[str, str] = {}
        self.terms = Terms(self.names, self.bound, Calls(self.functions, self.bound).call)
        self.document = Document(f"Backpropagation: {self.network.describe()}", MODULES)
        self.example = self._example_index()
        self.hypotheses: list[str] = []

    # the parts of the program

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
        sums = [f for f in factors if isinstance(f, Sum) and f.index.sort == self.example.sort and self.output in names(f)]
        if len(sums) != 1:
            raise ExportError("the loss is not a sum over the examples of the batch")
        factors.remove(sums[0])
        index, example = opened(sums[0])
        return mul(*factors), reindex(example, {index: self.example})

    @cached_property
    def penalty(self) -> Expr | None:
        """What the loss adds for the weights, if anything."""
        body = self.program.by_name["J"].body
        parts = [t for t in (body.terms if isinstance(body, Add) else (body,)) if self.output not in names(t)]
        return add(*parts) if parts else None

    # pieces of text

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
        """fun i j =>"""
        listed = " ".join(self.terms.index(i) for i in indices)
        return f"fun {listed} => " if listed else ""

    def write(self, expr: Expr) -> str:
        """An expression as text."""
        return self.terms.write(prepared(expr))

    # the file

    def text(self) -> str:
        """The whole file."""
        body = [self._variables(), self._forward(), self._tails(), self._backward(), *self._equations()]
        # Written last, since only now every function is known.
        abstract = self._abstract()
        if self.functions.written:
            self.document.add(self.functions.text())
        self.document.add("Section Network.")
        if abstract:
            self.document.add(abstract)
        for part in body:
            self.document.add(part)
        self.document.add("End Network.", self.theorems)
        return self.document.text()

    theorems: list[str]

    def _variables(self) -> str:
        self.theorems = []
        sorts = dict.fromkeys(s for n in self.program.names for s in self.program.sorts(n))
        lines = ["(** Sizes, inputs and parameters. *)"]
        for sort in sorts:
            name = self.terms.sort(sort)
            if sort.isdigit():
                lines.append(f"Definition {name} : nat := {sort}.")
            else:
                lines.append(f"Variable {name} : nat.")
        lines += [f"Hypothesis positive_{self.terms.sort(s)} : (0 < {self.terms.sort(s)})%nat." for s in sorts if not s.isdigit()]
        lines += [
            f"Lemma positive_{self.terms.sort(s)} : (0 < {self.terms.sort(s)})%nat. Proof. unfold {self.terms.sort(s)}; lia. Qed."
            for s in sorts
            if s.isdigit()
        ]
        for name, axes in self.program.inputs.items():
            lines.append(f"Variable {self.names.of(name)} : {_type(len(axes))}.")
        for assumption in self.program.assumptions:
            lines += self._given(assumption)
        return "\n".join(lines)

    def _given(self, assumption: Assumption) -> list[str]:
        """A hypothesis about a single number."""
        condition = of_assumption(assumption)
        if condition is None or self.program.sorts(assumption.tensor):
            return []
        label = self.names.new(f"given_{self.names.of(assumption.tensor)}")
        self.hypotheses.append(label)
        return [f"Hypothesis {label} : {hypothesis(condition, self.terms)}."]

    def _abstract(self) -> str:
        lines: list[str] = []
        for name, arity in self.functions.abstract.items():
            head = self.functions.call(applied(name, arity))[0]
            lines.append(f"Variables {head} {head}' : {' -> '.join(['R'] * (arity + 1))}.")
            rest = " ".join(f"y{k}" for k in range(1, arity))
            binder = f"u {rest}".strip()
            function = head if arity == 1 else f"(fun u => {head} {binder})"
            lines.append(f"Hypothesis slope_{head} : forall {binder}, is_derive {function} u ({head}' {binder}).")
        return "\n".join(["(** Any differentiable function. *)", *lines]) if lines else ""

    def _define(self, definition: Definition) -> str:
        name = self.names.of(definition.name)
        body = self.write(definition.body)
        return f"Definition {name} : {_type(len(definition.indices))} := {self.binder(definition.indices)}{body}."

    def _forward(self) -> str:
        lines = ["(** The forward pass. *)"]
        lines += [self._define(self.program.by_name[n]) for n in (*self.chain[1:], "J")]
        lines += self._domains()
        return "\n".join(lines)

    def _domains(self) -> list[str]:
        """What must hold of the layers' values: off kinks, inside the domain of the loss."""
        lines: list[str] = []
        for name in self.chain[1:]:
            definition = self.program.by_name[name]
            if isinstance(definition.body, Apply) and catalog.function(definition.body.name) is not None:
                inner = definition.body
                if not catalog.is_axiom(inner.name):
                    parameters = formula(inner.name).parameters
                    values = dict(zip(parameters, inner.args, strict=True))
                    needs = [c for c in formula(inner.name).needs if set(names(c.expr)) & set(parameters)]
                    lines += self._entrywise(name, [_at(c, values) for c in needs], f"domain_{self.names.of(name)}")
                elif inner.name == "step":
                    lines += self._entrywise(
                        name, [Condition("nonzero", inner.args[0])], f"domain_{self.names.of(name)}"
                    )
        entry = catalog.loss(self.network.loss)
        last = self.program.by_name[self.output]
        wanted = [c for a in entry.domain if (c := of_assumption(a)) is not None]
        if entry.elementwise and catalog.function(entry.name) is not None:
            wanted = [c for c in formula(entry.name).needs if set(entry.parameters) & names(c.expr)]
        if not wanted:
            return lines
        value = self.entry(self.output, self.place(self.output))
        loss_values = {entry.parameters[0]: value}
        if len(entry.parameters) > 1:
            loss_values[entry.parameters[1]] = self.entry(self._target(), self.place(self.output))
        conditions = [_at(c, loss_values) for c in wanted]
        proved = [c for c in conditions if c.expr == value and self._in_range(c.kind, last)]
        head = self.names.of(self.output)
        for condition in proved:
            lines.append(f"Lemma range_{head} : {self._for_all_entries(self.output)}{hypothesis(condition, self.terms)}.")
            unfolded = ", ".join(self.names.of(n) for n in (self.output,))
            lines.append(f"Proof. intros; unfold {unfolded}; first [solve [bp_side] | solve [bp_vside]]. Qed.")
            self.hypotheses.append(f"range_{head}")
        others = [c for c in conditions if c not in proved]
        return lines + self._entrywise(self.output, others, f"inside_{head}")

    def _target(self) -> str:
        return "Y" if self.network.batch else "y"

    def _in_range(self, kind: str, definition: Definition) -> bool:
        if isinstance(definition.body, Apply):
            known = RANGES.get(definition.body.name)
            return known is not None and (kind != "in-unit-interval" or known.endswith("< 1"))
        return kind in ("positive", "nonzero") and catalog.activation(self.network.output).range == "distribution"

    def _for_all_entries(self, name: str) -> str:
        place = self.place(name)
        i = self.terms.index(place.unit)
        return f"{self.forall}forall {i}, ({i} < {self.terms.sort(place.unit.sort)})%nat -> "

    def _entrywise(self, name: str, conditions: Sequence[Condition], label: str) -> list[str]:
        place = self.place(name)
        lines: list[str] = []
        for k, condition in enumerate(conditions):
            used = self.program.by_name[name].indices
            renamed = {u: n for u, n in zip(used, _indices(place), strict=True)}
            text = hypothesis(Condition(condition.kind, reindex(condition.expr, renamed)), self.terms)
            lines.append(f"Hypothesis {label}_{k} : {self._for_all_entries(name)}{text}.")
            self.hypotheses.append(f"{label}_{k}")
        return lines

    def _tails(self) -> str:
        """The loss as a function of every layer."""
        self.bound[LOCAL] = self.names.new("v")
        v = self.bound[LOCAL]
        binder = "" if self.example is None else f"({self.terms.index(self.example)} : nat) "
        factor, example = self.data
        lines = [
            "(** The loss as a function of each layer, with all that comes after the layer computed anew"
            + (" (of one example)." if self.example is not None else ".")
            + (" The penalty on the weights is left out: it does not depend on a layer." if self.penalty else "")
            + " *)"
        ]
        body = self.write(self.local(example, self.output))
        if factor is not one:
            body = f"{self.terms.write(factor, ATOM)} * ({body})"
        lines.append(f"Definition J_of_{self.names.of(self.output)} {binder}({v} : nat -> R) : R := {body}.")
        for before, after in zip(reversed(self.chain[:-1]), reversed(self.chain[1:]), strict=True):
            lines.append(
                f"Definition J_of_{self.names.of(before)} {binder}({v} : nat -> R) : R := "
                f"{self.tail_at(after, self._next(before, after))}."
            )
        lines.append(self._together())
        return "\n".join(lines)

    def _next(self, before: str, after: str) -> str:
        """The layer `after` as a function of the argument in place of the layer `before`."""
        return f"(fun {self._unit(after)} => {self._next_entry(before, after)})"

    def _next_entry(self, before: str, after: str) -> str:
        definition = self.program.by_name[after]
        renamed = {u: n for u, n in zip(definition.indices, _indices(self.place(after)), strict=True)}
        return self.write(self.local(reindex(definition.body, renamed), before))

    def _unit(self, name: str) -> str:
        return self.terms.index(self.place(name).unit)

    def _together(self) -> str:
        """The loss of the network is that function of the input."""
        start = self.chain[0]
        place = self.place(start)
        if self.example is None:
            total = f"J_of_{self.names.of(start)} {self.names.of(start)}"
        else:
            e, m = self.terms.index(self.example), self.terms.sort(self.example.sort)
            total = f"Sum {m} (fun {e} => J_of_{self.names.of(start)} {e} {self.view(start, place)})"
        if self.penalty is not None:
            total += f" + {self.terms.write(self.penalty, ATOM)}"
        unfolded = ", ".join(f"J_of_{self.names.of(n)}" for n in self.chain)
        forward = ", ".join(self.names.of(n) for n in reversed(self.chain[1:]))
        self.theorems.append("loss_of_the_network")
        return (
            f"Theorem loss_of_the_network : J = {total}.\n"
            f"Proof. unfold J, {unfolded}, {forward}. bp_together. Qed."
        )

    # the reverse sweep

    def _adjoint(self, name: str) -> str:
        return adjoint_name("J", name)

    def _gradient(self, name: str) -> str:
        return f"gradient_{self.names.of(name)}"

    def _statement(self, name: str) -> str:
        place = self.place(name)
        n = self.terms.sort(place.unit.sort)
        return (
            f"Lemma {self._gradient(name)} : {self.forall}\n  is_grad {n} {self.tail(name)} "
            f"{self.view(name, place)} {self.view(self._adjoint(name), place)}."
        )

    def _backward(self) -> str:
        parts = ["(** The reverse sweep: each equation is the gradient of the loss at its layer. *)"]
        wanted = list(self.chain)
        for name in reversed(wanted):
            if self._adjoint(name) not in self.program.by_name:
                continue
            parts.append(self._define(self.program.by_name[self._adjoint(name)]))
            parts.append(self._statement(name))
            after = wanted[wanted.index(name) + 1] if name != self.output else None
            parts.append(f"Proof.\n  {self.intro}{self._loss_proof() if after is None else self._layer_proof(name, after)}\nQed.")
        return "\n".join(parts)

    def _loss_proof(self) -> str:
        entry = catalog.loss(self.network.loss)
        factor, example = self.data
        name = self.output
        place = self.place(name)
        opened_head = f"J_of_{self.names.of(name)}"
        adjoint = self.names.of(self._adjoint(name))
        ranges = "".join(
            f"pose proof {self.of_example(h)} as {h}_here. " for h in self.hypotheses if h.startswith(("range_", "inside_"))
        )
        if entry.elementwise and isinstance(example, Sum) and isinstance(example.body, Apply):
            i, loss = self._opened_loss(example)
            n = self.terms.sort(place.unit.sort)
            v, a = self.bound[LOCAL], self.names.new("a")
            letters = " ".join(self.terms.call(loss)) if self.terms.call else ""
            at_value = self.write(reindex(loss.args[0], {}))
            target = self.terms.write(loss.args[1], ATOM)
            head = letters.split(" ")[0]
            slope = " ".join([f"{head}'", *letters.split(" ")[1:]])
            term = f"(fun {i} {a} => {letters} {a} {target})"
            slopes = f"(fun {i} => {slope} ({at_value}) {target})"
            inner = f"apply (sum_grad {n} {term} {slopes}); intros {i} H{i}; cbv beta; apply {self._slope(entry.name)}; {self._sides()}"
            scale = f"apply (grad_scal {n} (fun {v} => Sum {n} (fun {i} => {letters} ({v} {i}) {target})) _ {slopes}); " if (
                factor is not one
            ) else ""
            del a
            return (
                f"{ranges}unfold {opened_head}. eapply is_grad_eq.\n  - {scale}{inner}.\n"
                f"  - intros; unfold {adjoint}; cbv beta; first [ring | field; bp_vside]."
            )
        return (
            f"{ranges}unfold {opened_head}. eapply is_grad_eq.\n  - repeat bp_grad1; bp_vside.\n"
            f"  - intros; unfold {adjoint}; bp_sum_algebra."
        )

    def _opened_loss(self, example: Sum) -> tuple[str, Apply]:
        index, body = opened(example)
        unit = self.place(self.output).unit
        body = reindex(body, {index: unit})
        assert isinstance(body, Apply)
        return self.terms.index(unit), body

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

    def _layer_proof(self, before: str, after: str) -> str:
        definition = self.program.by_name[after]
        if after[0] in "aA":
            if isinstance(definition.body, Apply):
                return self._map_proof(before, after, definition.body)
            if before[0] in "zZ" and definition.body == self.program.by_name[after].body and not isinstance(
                definition.body, Tensor
            ):
                return self._vector_proof(before, after)
        if isinstance(definition.body, Tensor):
            return self._vector_proof(before, after)
        return self._dense_proof(before, after)

    def _map_proof(self, before: str, after: str, body: Apply) -> str:
        place = self.place(after)
        n = self.terms.sort(place.unit.sort)
        letters = list(self.terms.call(body)) if self.terms.call else []
        function = letters[0] if len(letters) == 1 else f"({' '.join(letters)})"
        slope = entrywise_slope(self, body)
        adjoint = self.names.of(self._adjoint(before))
        return (
            "eapply is_grad_eq.\n"
            f"  - apply (bp_map {n} {self.tail(after)} {function} {slope} {self.view(before, place)} "
            f"{self.view(self._adjoint(after), place)} {self.of_example(self._gradient(after))}).\n"
            f"    intros; cbv beta; apply {self._slope(body.name)}; {self._sides()}.\n"
            f"  - intros; unfold {adjoint}; cbv beta; first [ring | field; bp_vside]."
        )

    def _vector_proof(self, before: str, after: str) -> str:
        place = self.place(after)
        n = self.terms.sort(place.unit.sort)
        adjoint = self.names.of(self._adjoint(before))
        upstream = self.of_example(self._gradient(after))
        name = self.network.output
        common = f"{self.tail(after)} {self.view(before, place)} {self.view(self._adjoint(after), place)}"
        if name in ("softmax", "log-softmax"):
            theorem = "bp_softmax" if name == "softmax" else "bp_log_softmax"
            first = f"exact ({theorem} {n} {common} positive_{n} {upstream})"
        else:
            function = f"(fun {self.bound[LOCAL]} => {self._next(before, after)})"
            first = (
                f"eapply (backprop_step {n} {n} {self.tail(after)} {function} {self.view(before, place)} "
                f"{self.view(self._adjoint(after), place)}); [exact {upstream} | intros i Hi; repeat bp_grad1; bp_vside]"
            )
        return (
            f"eapply is_grad_eq.\n  - {first}.\n"
            f"  - intros; unfold {adjoint}, softmax, log_softmax, logsumexp, Z; bp_sum_algebra."
        )

    def _dense_proof(self, before: str, after: str) -> str:
        place, inside = self.place(after), self.place(before)
        m, n = self.terms.sort(place.unit.sort), self.terms.sort(inside.unit.sort)
        label = after[1:]
        weights = self.names.of(f"W{label}")
        matrix = weights if self.network.layout != "rows" else f"(fun i j => {weights} j i)"
        function = f"(fun {self.bound[LOCAL]} => {self._next(before, after)})"
        adjoint = self.names.of(self._adjoint(before))
        return (
            "eapply is_grad_eq.\n"
            f"  - apply (bp_dense {m} {n} {self.tail(after)} {function} {matrix} {self.names.of(f'b{label}')} "
            f"{self.view(before, inside)} {self.view(self._adjoint(after), place)}); "
            f"[intros; unfold affine; f_equal; apply Sum_ext; intros; ring | exact {self.of_example(self._gradient(after))}].\n"
            f"  - intros; unfold {adjoint}; cbv beta; apply Sum_ext; intros; ring."
        )

    # the equations of the derivation

    def _equations(self) -> list[str]:
        return [part for equation in self.derivation.equations for part in self._equation(equation)]

    def _equation(self, equation: Equation) -> list[str]:
        if equation.target in self.chain:
            return self._layer_equation(equation)
        return [self._parameter_equation(equation)]

    def _sum_condition(self, equation: Equation) -> str:
        """Σy = 1, for a line that needs it."""
        (assumption,) = self.network.admissible
        target = self.names.of(assumption.tensor)
        n = self.terms.sort(self.place(self.output).unit.sort)
        del equation
        return f"Sum {n} (fun i => {self._target_entry(target)}) = 1"

    def _target_entry(self, target: str) -> str:
        if self.example is None:
            return f"{target} i"
        e = self.terms.index(self.example)
        return f"{target} {e} i" if self.network.layout != "columns" else f"{target} i {e}"

    def _layer_equation(self, equation: Equation) -> list[str]:
        place = self.place(equation.target)
        renamed = dict(zip(equation.indices, _indices(place), strict=True))
        i, n = self.terms.index(place.unit), self.terms.sort(place.unit.sort)
        label = plain(equation.name)
        adjoint = self.write(self.entry(self._adjoint(equation.target), place))
        bounds = f"{self.forall}forall {i}, ({i} < {n})%nat -> "
        parts: list[str] = []
        before, needed = adjoint, False
        lemmas: list[str] = []
        for k, step in enumerate(equation.steps):
            text = self.write(reindex(step.expr, renamed))
            if text == before:
                continue
            needed = needed or bool(step.verdict.open_conditions)
            premise = f"{self._sum_condition(equation)} -> " if needed else ""
            name = f"{label}_line_{k + 1}"
            lemmas.append(name)
            parts.append(
                f"(** {comment(step.why)} *)\nLemma {name} : {bounds}{premise}\n  {before}\n  = {text}.\n"
                f"Proof. {self._line_proof(equation)} Qed."
            )
            before = text
        premise = f"{self._sum_condition(equation)} -> " if needed else ""
        view = self.view(equation.target, place)
        result = f"(fun {i} => {before})"
        start = f"exact {self.of_example(self._gradient(equation.target))}"
        hsum = "intros Hsum. " if needed else ""
        lines = "".join(f"eapply eq_trans; [apply {lemma}; assumption |]. " for lemma in lemmas)
        self.theorems += [label, f"{label}_entry"]
        parts.append(
            f"Theorem {label} : {self.forall}{premise}\n  is_grad {n} {self.tail(equation.target)} {view} {result}.\n"
            f"Proof.\n  {self.intro}{hsum}eapply is_grad_eq; [{start} |].\n  intros {i} H{i}. cbv beta. {lines}reflexivity.\nQed."
        )
        parts.append(
            f"(** The same with partial derivatives: {comment(equation.target)} moves in one entry. *)\n"
            f"Corollary {label}_entry : {self.forall}{premise}forall {i}, ({i} < {n})%nat ->\n"
            f"  is_derive (fun t => {self.tail_at(equation.target, f'(upd {view} {i} t)')}) ({view} {i}) ({before}).\n"
            f"Proof. intros; apply (is_grad_partial {n} {self.tail(equation.target)} {view} {result}); auto. "
            f"apply {label}; assumption. Qed."
        )
        return parts

    def _line_proof(self, equation: Equation) -> str:
        target = equation.target
        after = self.chain[self.chain.index(target) + 1] if target != self.output else target
        known = "".join(
            f"try pose proof ({h} {'_ ltac:(eassumption) ' if self.example else ''}_ ltac:(eassumption)). "
            for h in self.hypotheses
            if not h.startswith("given_")
        )
        opened_names = [self._adjoint(target), self._adjoint(after)]
        if target[0] in "zZ":
            opened_names.append(after)
        unfolded = ", ".join(dict.fromkeys(self.names.of(n) for n in opened_names))
        conditions = "match goal with H : Sum _ _ = 1 |- _ => rewrite ?H end; " if self.network.admissible else ""
        del conditions
        return f"intros. {known}first [reflexivity | solve [unfold {unfolded}; reflexivity] | unfold {unfolded} in *; bp_vector_line]."

    def _parameter_equation(self, equation: Equation) -> str:
        target = equation.target
        label = plain(equation.name)
        after = ("Z" if self.network.batch else "z") + target[1:]
        place = self.place(after)
        sorts = self.program.sorts(target)
        letters = [self.terms.index(i) for i in equation.indices]
        bounds = "".join(f"({x} < {self.terms.sort(s)})%nat -> " for x, s in zip(letters, sorts, strict=True))
        own = self.names.of(target)
        moved = f"({'updM' if len(letters) == 2 else 'upd'} {own} {' '.join(letters)} t)"
        definition = self.program.by_name[after]
        renamed = {u: n for u, n in zip(definition.indices, _indices(place), strict=True)}
        unit = self.names.new("r") if self.terms.index(place.unit) in letters else self.terms.index(place.unit)
        apart = {place.unit: Index("r", place.unit.sort)}
        body = reindex(reindex(definition.body, renamed), apart)
        saved = dict(self.bound)
        self.bound[target] = moved
        unit = self.terms.index(apart[place.unit])
        inside = self.write(body)
        self.bound.clear()
        self.bound.update(saved)
        function = self.tail_at(after, f"(fun {unit} => {inside})")
        if self.example is not None:
            function = f"Sum {self.terms.sort(self.example.sort)} (fun {self.terms.index(self.example)} => {function})"
        at = f"({own} {' '.join(letters)})"
        result = self.write(equation.expr)
        why = comment(equation.steps[-1].why)
        tactic = "bp_shared_parameter" if self.example is not None else "bp_parameter"
        tactic += f" {self._gradient(after)} {self.names.of(after)}"
        self.theorems.append(label)
        if self.penalty is None or target[0] == "b":
            return (
                f"(** {why} *)\nTheorem {label} : forall {' '.join(letters)}, {bounds}\n"
                f"  is_derive (fun t => {function}) {at} ({result}).\nProof. {tactic}. Qed."
            )
        self.bound[target] = moved
        penalty = self.terms.write(prepared(self.penalty), ATOM)
        self.bound.clear()
        self.bound.update(saved)
        slope = self.write(self.program.by_name[self._adjoint(target)].body)
        del slope
        data = self._data_slope(target, equation)
        extra = self._penalty_slope(target, equation)
        return (
            f"(** {why} *)\nTheorem {label} : forall {' '.join(letters)}, {bounds}\n"
            f"  is_derive (fun t => {function} + {penalty}) {at} ({result}).\n"
            "Proof.\n"
            f"  intros; eapply d_eq.\n"
            f"  - apply d_plus with (a := {self.terms.write(prepared(data), ATOM)}) (b := {self.terms.write(prepared(extra), ATOM)}).\n"
            f"    + {tactic}.\n    + bp_penalty.\n"
            "  - cbv beta; first [ring | field; bp_vside].\nQed."
        )

    def _data_slope(self, target: str, equation: Equation) -> Expr:
        body = equation.expr
        terms = body.terms if isinstance(body, Add) else (body,)
        kept = [t for t in terms if any(n.startswith("∂") for n in names(t))]
        return add(*kept)

    def _penalty_slope(self, target: str, equation: Equation) -> Expr:
        body = equation.expr
        terms = body.terms if isinstance(body, Add) else (body,)
        kept = [t for t in terms if not any(n.startswith("∂") for n in names(t))]
        return add(*kept) if kept else num(0)


def entrywise_slope(writer: NetworkWriter, node: Apply) -> str:
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


def _type(axes: int) -> str:
    return " -> ".join(["nat"] * axes + ["R"])


def _indices(place: Place) -> tuple[Index, ...]:
    if place.example is None:
        return (place.unit,)
    return (place.example, place.unit) if place.example_first else (place.unit, place.example)


def _at(condition: Condition, values: dict[str, Expr]) -> Condition:
    return Condition(condition.kind, inline(condition.expr, {n: ((), v) for n, v in values.items()}))
