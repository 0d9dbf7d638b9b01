"""Networks: a derivation of a network of given depth as a Coq file, one lemma for each layer and each line.

The forward pass and the reverse sweep are written down as they stand in the program. For every layer the file
defines the loss as a function of that layer's values, everything after it computed anew; the lemmas say that the
sweep's equations are the gradients of these functions, and the theorems that the derivation's formulas are.
"""

from __future__ import annotations

from collections.abc import Sequence

from backproof import catalog
from backproof.coq.conditions import Condition, can_vanish, conditions, is_positive, of_assumption
from backproof.coq.equations import EquationProofs
from backproof.coq.functions import RANGES, divisors, formula, hypothesis
from backproof.coq.outputs import scalar
from backproof.coq.statements import (
    LOCAL,
    applied,
    condition_at,
    indices_of,
    type_of,
)
from backproof.coq.terms import ATOM
from backproof.language.expression import (
    Add,
    Apply,
    Expr,
    Mul,
    Pow,
    Sum,
    Tensor,
    add,
    apply,
    mul,
    one,
    postorder,
    power,
    reindex,
)
from backproof.language.program import Assumption, Definition
from backproof.language.walks import names


def share(body: Expr, value: Expr, kind: str) -> tuple[Expr, Expr, Expr] | None:
    """The numerator, the share and the denominator of an activation whose outputs are shares of a whole, or logarithms
    of shares.
    """
    match kind, body:
        case "distribution", Mul(factors):
            below = mul(*(f for f in factors if isinstance(f, Pow)))
            return mul(*(f for f in factors if not isinstance(f, Pow))), value, power(below, -1)
        case "log-probability", Add(terms):
            logarithms = [n.args[0] for n in postorder(body) if isinstance(n, Apply) and n.name == "log"]
            above = add(*(t for t in terms if not any(isinstance(n, Apply) for n in postorder(t))))
            return (apply("exp", above), apply("exp", value), logarithms[0]) if len(logarithms) == 1 else None
        case _:
            return None


class NetworkWriter(EquationProofs):
    """Writes one derivation."""

    def text(self) -> str:
        """The whole file."""
        for part in self.parts():
            self.document.add(part)
        self.document.theorems.extend(self.theorems)
        return self.document.text()

    def parts(self) -> list[str]:
        """The functions that the derivation needs, and a section with its lemmas and theorems."""
        body = [self._variables(), self._forward(), self._tails(), self._backward(), *self._equations()]
        # Written last, since only now every function is known.
        abstract = [text] if (text := self._abstract()) else []
        functions = [self.functions.text()] if self.functions.written else []
        return [*functions, "Section Network.", *abstract, *body, "End Network."]

    def _variables(self) -> str:
        sorts = dict.fromkeys(s for n in self.program.names for s in self.program.sorts(n))
        lines = ["(** Sizes, inputs and parameters. *)"]
        for sort in sorts:
            name = self.terms.sort(sort)
            if sort.isdigit():
                lines.append(f"Definition {name} : nat := {sort}.")
            else:
                lines.append(f"Variable {name} : nat.")
        lines += [
            f"Hypothesis positive_{self.terms.sort(s)} : (0 < {self.terms.sort(s)})%nat."
            for s in sorts
            if not s.isdigit()
        ]
        lines += [
            f"Lemma positive_{self.terms.sort(s)} : (0 < {self.terms.sort(s)})%nat.\n"
            f"Proof. unfold {self.terms.sort(s)}; lia. Qed."
            for s in sorts
            if s.isdigit()
        ]
        for name, axes in self.program.inputs.items():
            lines.append(f"Variable {self.names.of(name)} : {type_of(len(axes))}.")
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

    def _forward(self) -> str:
        lines = ["(** The forward pass. *)"]
        lines += [self._define(self.program.by_name[n]) for n in (*self.chain[1:], "J")]
        lines += self._domains()
        return "\n".join(lines)

    def _domains(self) -> list[str]:
        """What must hold of the layers' values: off kinks, inside the domain of the loss."""
        lines: list[str] = []
        for name in self.chain[1:]:
            body = self.program.by_name[name].body
            if isinstance(body, Apply) and catalog.function(body.name) is not None:
                needs = [*self._needs(body), *self._divisors(body)]
                lines += self._entrywise(name, needs, f"domain_{self.names.of(name)}")
        return lines + self._shares_of_whole() + self._domain_of_loss() + self._domain_of_whole()

    def _shares_of_whole(self) -> list[str]:
        """Behind a softmax: the numerator is the share times the denominator, and the shares sum to 1."""
        definition, place = self.program.by_name[self.output], self.place(self.output)
        body = reindex(definition.body, dict(zip(definition.indices, indices_of(place), strict=True)))
        parts = share(body, self.entry(self.output, place), catalog.activation(self.network.output).range)
        if parts is None:
            return []
        above, value, whole = (self.write(p) for p in parts)
        head, n, i = self.names.of(self.output), self.terms.sort(place.unit.sort), self.terms.index(place.unit)
        return [
            f"Lemma share_{head} : {self._for_all_entries(self.output)}{above} = {value} * ({whole}).",
            f"Proof. intros; unfold {head}; bp_share. Qed.",
            f"Lemma unit_{head} : {self.forall}Sum {n} (fun {i} => {value}) = 1.",
            f"Proof. intros; pose proof positive_{n}; apply unit_of_shares with ({whole}) (fun {i} => {above});",
            f"  [bp_vside | intros; apply share_{head}; assumption | reflexivity]. Qed.",
        ]

    def _needs(self, call: Apply) -> list[Condition]:
        """What an activation's slope needs of its argument."""
        if catalog.is_axiom(call.name):
            return [Condition("nonzero", call.args[0])] if call.name == "step" else []
        one = formula(call.name)
        values = dict(zip(one.parameters, call.args, strict=True))
        return [condition_at(c, values) for c in one.needs if set(names(c.expr)) & set(one.parameters)]

    def _divisors(self, call: Apply) -> list[Condition]:
        """What the printed lines divide by where the activation itself does not: there they say nothing."""
        (argument,) = call.args
        if catalog.is_axiom(call.name) or not isinstance(argument, Tensor):
            return []
        equation = next((e for e in self.derivation.equations if e.target == argument.name), None)
        steps = () if equation is None else equation.steps
        own = {argument.name, *formula(call.name).letters}
        renamed = {} if equation is None else dict(zip(equation.indices, argument.indices, strict=True))
        bases = {reindex(d, renamed) for step in steps for d in divisors(step.expr) if names(d) <= own}
        positive = frozenset(a.tensor for a in self.program.assumptions if a.property == "positive")
        found = [d for d in bases if not any(isinstance(n, Sum) for n in postorder(d))]
        found = [d for d in found if not is_positive(d, positive) and can_vanish(scalar(d), positive)]
        known = {c.expr for c in self._needs(call)}
        return [Condition("nonzero", d) for d in sorted(set(found) - known, key=repr)]

    def _domain_of_loss(self) -> list[str]:
        """What the loss needs of every entry of the output and of the target; a lemma where the activation gives it."""
        entry = catalog.loss(self.network.loss)
        wanted = [c for a in entry.domain if (c := of_assumption(a)) is not None]
        if entry.elementwise and catalog.function(entry.name) is not None:
            wanted = [c for c in formula(entry.name).needs if set(entry.parameters) & names(c.expr)]
        value = self.entry(self.output, self.place(self.output))
        target = self.entry(self._target(), self.place(self.output))
        arguments = dict(zip(entry.parameters, (value, target), strict=False))
        found = [condition_at(c, arguments) for c in wanted]
        last = self.program.by_name[self.output]
        proved = [c for c in found if c.expr == value and self._in_range(c.kind, last)]
        head = self.names.of(self.output)
        lines: list[str] = []
        for condition in proved:
            lines += [
                f"Lemma range_{head} : {self._for_all_entries(self.output)}{hypothesis(condition, self.terms)}.",
                f"Proof. intros; unfold {head}; first [solve [bp_side] | solve [bp_vside]]. Qed.",
            ]
            self.hypotheses.append(f"range_{head}")
        return lines + self._entrywise(self.output, [c for c in found if c not in proved], f"inside_{head}")

    def _domain_of_whole(self) -> list[str]:
        """What the loss of a whole vector needs beyond its entries: a sum that it divides by."""
        _, example = self.data
        if catalog.loss(self.network.loss).elementwise:
            return []
        wanted = [c for c in conditions(example) if not any(i.name.startswith("#") for i in c.expr.free)]
        label = f"whole_{self.names.of(self.output)}"
        return [f"Hypothesis {label}_{k} : {self.forall}{hypothesis(c, self.terms)}." for k, c in enumerate(wanted)]

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
            renamed = dict(zip(used, indices_of(place), strict=True))
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
            + (" What depends on no layer is left out." if self.penalty else "")
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

    def _penalty_text(self) -> str:
        assert self.penalty is not None
        return self.terms.write(self.penalty, ATOM)

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
            total += f" + {self._penalty_text()}"
        unfolded = ", ".join(f"J_of_{self.names.of(n)}" for n in self.chain)
        forward = ", ".join(self.names.of(n) for n in reversed(self.chain[1:]))
        self.theorems.append("loss_of_the_network")
        return f"Theorem loss_of_the_network : J = {total}.\nProof. unfold J, {unfolded}, {forward}. bp_together. Qed."
