"""Equations: the formulas that a derivation shows, line by line, as theorems about the gradients of the sweep."""

from __future__ import annotations

from collections.abc import Sequence

from backproof.coq.document import comment
from backproof.coq.functions import prepared
from backproof.coq.identifiers import plain
from backproof.coq.layers import LayerProofs
from backproof.coq.statements import (
    indices_of,
)
from backproof.coq.terms import ATOM
from backproof.language.expression import (
    Add,
    Expr,
    Index,
    add,
    num,
    reindex,
)
from backproof.language.walks import names
from backproof.proof.derivation import Equation


class EquationProofs(LayerProofs):
    """Theorems for the equations."""

    def _equations(self) -> list[str]:
        return [part for equation in self.derivation.equations for part in self._equation(equation)]

    def _equation(self, equation: Equation) -> list[str]:
        if equation.target in self.chain:
            return self._layer_equation(equation)
        return [self._parameter_equation(equation)]

    def _sum_condition(self) -> str:
        """Σy = 1, for a line that needs it."""
        (assumption,) = self.network.admissible
        target = self.names.of(assumption.tensor)
        n = self.terms.sort(self.place(self.output).unit.sort)
        return f"Sum {n} (fun i => {self._target_entry(target)}) = 1"

    def _target_entry(self, target: str) -> str:
        if self.example is None:
            return f"{target} i"
        e = self.terms.index(self.example)
        return f"{target} {e} i" if self.network.layout != "columns" else f"{target} i {e}"

    def _layer_equation(self, equation: Equation) -> list[str]:
        place = self.place(equation.target)
        renamed = dict(zip(equation.indices, indices_of(place), strict=True))
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
            premise = f"{self._sum_condition()} -> " if needed else ""
            name = f"{label}_line_{k + 1}"
            lemmas.append(name)
            parts.append(
                f"(** {comment(step.why)} *)\nLemma {name} : {bounds}{premise}\n  {before}\n  = {text}.\n"
                f"Proof. {self._line_proof(equation, lemmas[:-1], adjoint)} Qed."
            )
            before = text
        premise = f"{self._sum_condition()} -> " if needed else ""
        view = self.view(equation.target, place)
        result = f"(fun {i} => {before})"
        start = f"exact {self.of_example(self._gradient(equation.target))}"
        hsum = "intros Hsum. " if needed else ""
        lines = "".join(f"eapply eq_trans; [apply {lemma}; assumption |]. " for lemma in lemmas)
        self.theorems += [label, f"{label}_entry"]
        parts.append(
            f"Theorem {label} : {self.forall}{premise}\n  is_grad {n} {self.tail(equation.target)} {view} {result}.\n"
            f"Proof.\n  {self.intro}{hsum}eapply is_grad_eq; [{start} |].\n"
            f"  intros {i} H{i}. cbv beta. {lines}reflexivity.\nQed."
        )
        parts.append(
            f"(** The same with partial derivatives: {comment(equation.target)} moves in one entry. *)\n"
            f"Corollary {label}_entry : {self.forall}{premise}forall {i}, ({i} < {n})%nat ->\n"
            f"  is_derive (fun t => {self.tail_at(equation.target, f'(upd {view} {i} t)')}) ({view} {i}) ({before}).\n"
            f"Proof. intros; apply (is_grad_partial {n} {self.tail(equation.target)} {view} {result}); auto. "
            f"apply {label}; assumption. Qed."
        )
        return parts

    def _line_proof(self, equation: Equation, earlier: Sequence[str], start: str) -> str:
        target = equation.target
        after = self.chain[self.chain.index(target) + 1] if target != self.output else target
        known = "".join(
            f"try pose proof ({h} {'_ ltac:(eassumption) ' if self.example else ''}_ ltac:(eassumption)). "
            for h in self.hypotheses
            if not h.startswith("given_")
        )
        adjoints = [self._adjoint(target), self._adjoint(after)]
        everything = [*adjoints, after] if target[0] in "zZ" else adjoints
        sweep = ", ".join(dict.fromkeys(self.names.of(n) for n in adjoints))
        whole = ", ".join(dict.fromkeys(self.names.of(n) for n in everything))
        attempts = [
            "reflexivity",
            f"solve [unfold {whole}; reflexivity]",
            *self._shares(target, sweep),
            "solve [bp_vector_quick]",
            f"solve [unfold {sweep} in *; bp_vector_quick]",
            f"solve [unfold {sweep} in *; bp_open_slopes; bp_sum_algebra]",
            f"solve [unfold {whole} in *; bp_vector_quick]",
            *_from_the_start(earlier, start, sweep),
            f"unfold {whole} in *; bp_vector_line",
        ]
        return f"intros. {known}\n  first\n  [ " + "\n  | ".join(attempts) + " ]."

    def _shares(self, target: str, sweep: str) -> list[str]:
        """The attempt with the outputs as shares of a whole, behind a softmax."""
        if target != self.chain[-2] or not self.shares:
            return []
        head = self.names.of(self.output)
        return [f"solve [unfold {sweep} in *; bp_shares share_{head} unit_{head}]"]

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
        renamed = dict(zip(definition.indices, indices_of(place), strict=True))
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
        data = self._data_slope(equation)
        extra = self._penalty_slope(equation)
        return (
            f"(** {why} *)\nTheorem {label} : forall {' '.join(letters)}, {bounds}\n"
            f"  is_derive (fun t => {function} + {penalty}) {at} ({result}).\n"
            "Proof.\n"
            f"  intros; eapply d_eq.\n"
            f"  - apply d_plus with (a := {self.terms.write(prepared(data), ATOM)})\n"
            f"      (b := {self.terms.write(prepared(extra), ATOM)}).\n"
            f"    + {tactic}.\n    + bp_penalty.\n"
            "  - cbv beta; first [ring | field; bp_vside].\nQed."
        )

    def _data_slope(self, equation: Equation) -> Expr:
        body = equation.expr
        terms = body.terms if isinstance(body, Add) else (body,)
        kept = [t for t in terms if any(n.startswith("∂") for n in names(t))]
        return add(*kept)

    def _penalty_slope(self, equation: Equation) -> Expr:
        body = equation.expr
        terms = body.terms if isinstance(body, Add) else (body,)
        kept = [t for t in terms if not any(n.startswith("∂") for n in names(t))]
        return add(*kept) if kept else num(0)


def _from_the_start(earlier: Sequence[str], start: str, sweep: str) -> list[str]:
    """The attempt to compare with the sweep's own equation, which the earlier lines lead back to."""
    if not earlier:
        return []
    chain = "".join(f"eapply eq_trans; [apply {lemma}; assumption | " for lemma in earlier[:-1])
    chain += f"apply {earlier[-1]}; assumption" + "]" * (len(earlier) - 1)
    return [f"solve [transitivity ({start}); [symmetry; {chain} | unfold {sweep}; bp_vector_quick]]"]
