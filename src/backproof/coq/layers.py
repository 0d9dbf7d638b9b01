"""Layers: the reverse sweep in Coq; each of its equations is the gradient of the loss at its layer, proved from
the next.
"""

from __future__ import annotations

from backproof import catalog
from backproof.coq.statements import (
    LOCAL,
    NetworkStatements,
    entrywise_slope,
)
from backproof.coq.terms import ATOM
from backproof.language.expression import (
    Apply,
    Sum,
    Tensor,
    one,
    opened,
    reindex,
)


class LayerProofs(NetworkStatements):
    """Lemmas about the layers."""

    def _backward(self) -> str:
        parts = ["(** The reverse sweep: each equation is the gradient of the loss at its layer. *)"]
        wanted = list(self.chain)
        for name in reversed(wanted):
            if self._adjoint(name) not in self.program.by_name:
                continue
            parts.append(self._define(self.program.by_name[self._adjoint(name)]))
            parts.append(self._statement(name))
            after = wanted[wanted.index(name) + 1] if name != self.output else None
            parts.append(
                f"Proof.\n  {self.intro}{self._loss_proof() if after is None else self._layer_proof(name, after)}\nQed."
            )
        return "\n".join(parts)

    def _statement(self, name: str) -> str:
        place = self.place(name)
        n = self.terms.sort(place.unit.sort)
        return (
            f"Lemma {self._gradient(name)} : {self.forall}\n  is_grad {n} {self.tail(name)} "
            f"{self.view(name, place)} {self.view(self._adjoint(name), place)}."
        )

    def _loss_proof(self) -> str:
        entry = catalog.loss(self.network.loss)
        factor, example = self.data
        name = self.output
        place = self.place(name)
        opened_head = f"J_of_{self.names.of(name)}"
        adjoint = self.names.of(self._adjoint(name))
        ranges = "".join(
            f"pose proof {self.of_example(h)} as {h}_here. "
            for h in self.hypotheses
            if h.startswith(("range_", "inside_"))
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
            inner = (
                f"apply (sum_grad {n} {term} {slopes}); intros {i} H{i}; cbv beta; "
                f"apply {self._slope(entry.name)}; {self._sides()}"
            )
            scale = (
                f"apply (grad_scal {n} (fun {v} => Sum {n} (fun {i} => {letters} ({v} {i}) {target})) _ {slopes}); "
                if (factor is not one)
                else ""
            )
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

    def _layer_proof(self, before: str, after: str) -> str:
        definition = self.program.by_name[after]
        if after[0] in "aA":
            if isinstance(definition.body, Apply):
                return self._map_proof(before, after, definition.body)
            if (
                before[0] in "zZ"
                and definition.body == self.program.by_name[after].body
                and not isinstance(definition.body, Tensor)
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
            f"  - unfold J_of_{self.names.of(before)}. "
            f"apply (bp_map {n} {self.tail(after)} {function} {slope} {self.view(before, place)} "
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
                f"{self.view(self._adjoint(after), place)}); "
                f"[exact {upstream} | intros i Hi; repeat bp_grad1; bp_vside]"
            )
        return (
            f"eapply is_grad_eq.\n  - {first}.\n"
            f"  - intros; unfold {adjoint}, softmax, log_softmax, logsumexp, sum_exp; bp_sum_algebra."
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
            f"  - unfold J_of_{self.names.of(before)}. "
            f"apply (bp_dense {m} {n} {self.tail(after)} {function} {matrix} {self.names.of(f'b{label}')} "
            f"{self.view(before, inside)} {self.view(self._adjoint(after), place)}); "
            "[intros; unfold affine; f_equal; apply Sum_ext; intros; ring "
            f"| exact {self.of_example(self._gradient(after))}].\n"
            f"  - intros; unfold {adjoint}; cbv beta; apply Sum_ext; intros; ring."
        )
