"""Depth: a derivation for a symbolic number of layers, proved for every depth and all widths by induction.

The network is a family of layers 1 … L of sizes `size 1` … `size L`. The output layer is written as for a network
of given depth; the recursion for delta is the induction step, and proofs/Network.v carries out the induction.
"""

from __future__ import annotations

from functools import cached_property

from backproof import catalog
from backproof.coq.conditions import Condition
from backproof.coq.document import MODULES, comment
from backproof.coq.functions import formula, hypothesis, prepared
from backproof.coq.networks import NetworkWriter
from backproof.coq.statements import applied, entrywise_slope
from backproof.coq.terms import SUM
from backproof.errors import ExportError
from backproof.language.expression import Expr, Index, Sum, Tensor, opened, postorder, reindex, sum_over, tensor
from backproof.language.walks import inline, rewrite
from backproof.proof.derivation import Derivation, Equation

LAYERS = {"l": "l", "l+1": "(S l)", "l-1": "(pred l)", "L": "L", "L-1": "(pred L)"}


class DepthWriter(NetworkWriter):
    """Writes one derivation of symbolic depth."""

    def __init__(self, derivation: Derivation) -> None:
        if derivation.network.batch or derivation.network.l2:
            raise ExportError(
                "a symbolic depth is exported for one example without a penalty",
                next="use --reduction none without --l2, or give the sizes of all layers",
            )
        super().__init__(derivation)
        self.document.modules = (*MODULES, "Network")
        for word in ("size", "L", "l", "W", "b", "z", "a", "delta", "x", "J_of_layer", "dJ_da"):
            self.names.new(word)
        self.bound["index l"] = "l"

    @cached_property
    def chain(self) -> tuple[str, ...]:
        """The output layer: its z and its a."""
        return ("z(L)", "a(L)")

    def _variables(self) -> str:
        output = self.program.sorts("z(L)")[0]
        self.bound[f"size {output}"] = f"{self.names.new('outputs')}"
        name = self.bound[f"size {output}"]
        function, _ = self._hidden()
        lines = [
            "(** Layers 1 ... L; layer 0 is the input. size l is the number of units of layer l. *)",
            "Variables (size : nat -> nat) (L : nat).",
            "Hypothesis one_layer : (0 < L)%nat.",
            "Hypothesis positive_size : forall l, (0 < size l)%nat.",
            "Variables (W : nat -> nat -> nat -> R) (b : nat -> nat -> R) (x y : nat -> R).",
            f"Definition {name} : nat := size L.",
            f"Lemma positive_{name} : (0 < {name})%nat. Proof. apply positive_size. Qed.",
            *self._letters(),
            "(** The forward pass: z l = W l (a (l - 1)) + b l, a l = f (z l), and a 0 is the input. *)",
            f"Definition z : nat -> nat -> R := zs size W b {function} x.",
            f"Definition a : nat -> nat -> R := as_ size W b {function} x.",
            "Lemma z_layer l i : z (S l) i = Sum (size l) (fun j => W (S l) i j * a l j) + b (S l) i.",
            "Proof. unfold z; rewrite zs_step; reflexivity. Qed.",
            f"Lemma a_layer l i : (0 < l)%nat -> a l i = {function} (z l i).",
            "Proof. destruct l; [lia | reflexivity]. Qed.",
            f"Definition {self.names.of('z(L)')} : nat -> R := z L.",
        ]
        return "\n".join(lines)

    def _letters(self) -> list[str]:
        scalars = [n for n, axes in self.program.inputs.items() if not axes]
        lines = [f"Variable {self.names.of(n)} : R." for n in scalars]
        for assumption in self.program.assumptions:
            lines += self._given(assumption)
        return lines

    def _hidden(self) -> tuple[str, str]:
        """The hidden activation and its slope, as arguments."""
        node = applied(self.network.hidden, 1)
        letters = list(self.terms.call(node)) if self.terms.call else []
        function = letters[0] if len(letters) == 1 else f"({' '.join(letters)})"
        return function, entrywise_slope(self, node)

    # the induction

    def _equations(self) -> list[str]:
        parts: list[str] = []
        equations = {e.target: e for e in self.derivation.equations}
        if "z(L)" in equations:
            parts += self._layer_equation(equations["z(L)"])
        parts.append(self._induction())
        if "z(l)" in equations:
            parts.append(self._recursion(equations["z(l)"]))
        for target in ("W(l)", "b(l)", "W(L)", "b(L)"):
            if target in equations:
                parts.append(self._parameter(equations[target]))
        return parts

    def _induction(self) -> str:
        function, slope = self._hidden()
        adjoint, whole = self.names.of("∂J/∂z(L)"), f"J_of_{self.names.of('z(L)')}"
        kinks = self._kinks()
        lemma = self._slope(self.network.hidden)
        sides = " | ".join(
            [*(f"apply hidden_domain_{k}; assumption" for k in range(len(kinks))), "assumption", "solve [bp_side]"]
        )
        arguments = f"size W b {function}"
        return "\n".join(
            [
                "(** The loss as a function of layer l, and delta of layer l, for every l. *)",
                f"Definition J_of_layer (l : nat) : (nat -> R) -> R := tail {arguments} {whole} l (L - l).",
                f"Definition delta (l : nat) : nat -> R := deltas {arguments} {slope} x {adjoint} l (L - l).",
                *(
                    f"Hypothesis hidden_domain_{k} : forall l i, (0 < l < L)%nat -> (i < size l)%nat -> {c}."
                    for k, c in enumerate(kinks)
                ),
                "Lemma hidden_slope l j : (0 < l < L)%nat -> (j < size l)%nat ->",
                f"  is_derive {function} (z l j) ({slope} (z l j)).",
                f"Proof. intros; cbv beta; apply {lemma}; first [{sides}]. Qed.",
                "(** At the last layer they are what was proved above. *)",
                f"Lemma delta_last : delta L = {adjoint}. Proof. unfold delta; rewrite Nat.sub_diag; reflexivity. Qed.",
                "(** Backpropagation is right at every layer: by induction from the last one. *)",
                "Theorem delta_is_gradient l : (0 < l <= L)%nat -> is_grad (size l) (J_of_layer l) (z l) (delta l).",
                "Proof.",
                "  intros Hl. unfold J_of_layer, delta, z.",
                f"  apply (delta_all {arguments} {slope} {whole} x L {adjoint}); [| | lia | lia].",
                f"  - exact {self._gradient('z(L)')}.",
                "  - intros; apply hidden_slope; assumption.",
                "Qed.",
                "Corollary delta_is_partial l i : (0 < l <= L)%nat -> (i < size l)%nat ->",
                "  is_derive (fun t => J_of_layer l (upd (z l) i t)) (z l i) (delta l i).",
                "Proof.",
                "  intros; apply (is_grad_partial (size l) (J_of_layer l) (z l) (delta l)); [assumption |].",
                "  apply delta_is_gradient; assumption.",
                "Qed.",
                self._remember("delta_is_gradient", "delta_is_partial"),
            ]
        ).rstrip("\n")

    def _remember(self, *names: str) -> str:
        self.theorems.extend(names)
        return ""

    def _kinks(self) -> list[str]:
        """What the slope of the hidden activation needs, at z l i."""
        name = self.network.hidden
        if catalog.function(name) is None or catalog.is_axiom(name):
            return []
        one = formula(name)
        point = tensor("z(l)", Index("i", "hidden"))
        self._at_layer()
        needs = [
            c for c in one.needs if one.parameters[0] in {n.name for n in postorder(c.expr) if isinstance(n, Tensor)}
        ]
        return [
            hypothesis(Condition(c.kind, inline(c.expr, {one.parameters[0]: ((), point)})), self.terms) for c in needs
        ]

    def _at_layer(self) -> None:
        """The names of layers l − 1, l and l + 1, written through the families."""
        for label, text in LAYERS.items():
            for letter in "Wba":
                self.bound[f"{letter}({label})"] = f"({letter} {text})"
            self.bound[f"∂J/∂z({label})"] = f"(delta {text})"
            self.bound[f"∂J/∂a({label})"] = f"(dJ_da {text})"
            self.bound[f"size {label}"] = f"(size {text})"
            self.bound[f"z({label})"] = f"(z {text})"

    def _sorted(self, root: Expr) -> Expr:
        """The expression with every bound index running over the size of its layer: in the program all are h."""

        def rule(node: Expr) -> Expr | None:
            if not isinstance(node, Sum):
                return None
            index, body = opened(node)
            for inner in postorder(body):
                if isinstance(inner, Tensor) and index in inner.indices:
                    layer = self._layer_of(inner, inner.indices.index(index))
                    if layer is not None and layer != index.sort:
                        new = Index(index.name, layer)
                        return sum_over(new, reindex(body, {index: new}))
            return None

        return rewrite(root, rule)

    def _layer_of(self, node: Tensor, axis: int) -> str | None:
        """The layer that an axis of a tensor belongs to; of the weights, the second axis is the layer below."""
        label = node.name.partition("(")[2].rstrip(")")
        if label not in LAYERS:
            return None
        rows = self.network.layout == "rows"
        if node.name[0] == "W" and axis == (0 if rows else 1):
            return {"l": "l-1", "l+1": "l", "L": "L-1"}[label]
        return label

    def _recursion(self, equation: Equation) -> str:
        self._at_layer()
        i = self.terms.index(equation.indices[0])
        upstream = self.program.by_name["∂J/∂a(l)"]
        body = reindex(upstream.body, {upstream.indices[0]: equation.indices[0]})
        head = f"forall l {i}, (0 < l < L)%nat -> ({i} < size l)%nat ->"
        parts = [
            (
                f"(** What layer l + 1 sends back, as the sweep writes it. *)\n"
                f"Definition dJ_da (l : nat) : nat -> R := fun {i} => {self.terms.write(prepared(self._sorted(body)))}."
            )
        ]
        before = f"delta l {i}"
        lemmas: list[str] = []
        for k, step in enumerate(equation.steps):
            text = self.terms.write(prepared(self._sorted(step.expr)))
            if text == before:
                continue
            lemmas.append(f"delta_l_line_{k + 1}")
            if len(lemmas) == 1:
                proof = (
                    "intros. unfold delta, dJ_da. replace (L - l)%nat with (S (L - S l)) by lia. cbn [deltas]. "
                    "fold z. fold (delta (S l)). unfold delta. cbv beta. first [ring | field; bp_side]."
                )
            else:
                proof = (
                    "intros. unfold dJ_da in *. rewrite ?a_layer by lia. generalize (z l). intros. "
                    "first [reflexivity | bp_line]."
                )
            parts.append(
                f"(** {comment(step.why)} *)\nLemma {lemmas[-1]} : {head}\n  {before}\n  = {text}.\nProof. {proof} Qed."
            )
            before = text
        lines = "".join(f"eapply eq_trans; [apply {lemma}; assumption |]. " for lemma in lemmas)
        parts.append(f"Theorem delta_l : {head}\n  delta l {i} = {before}.\nProof. intros. {lines}reflexivity. Qed.")
        self.theorems.append("delta_l")
        return "\n".join(parts)

    def _parameter(self, equation: Equation) -> str:
        self._at_layer()
        target = equation.target
        label = target.partition("(")[2].rstrip(")")
        layer = LAYERS[label]
        letters = [self.terms.index(i) for i in equation.indices]
        own = self.bound[target]
        rows = self.network.layout == "rows" and target[0] == "W"
        sizes = [f"size {layer}", f"size {LAYERS[f'{label}-1']}"] if target[0] == "W" else [f"size {layer}"]
        bounds = "".join(
            f"({x} < {s})%nat -> " for x, s in zip(letters, reversed(sizes) if rows else sizes, strict=True)
        )
        if rows:
            raise ExportError(
                "weights stored by rows are not exported for a symbolic depth", next="use --layout columns"
            )
        moved = f"({'updM' if target[0] == 'W' else 'upd'} {own} {' '.join(letters)} t)"
        weights, bias = (moved, f"(b {layer})") if target[0] == "W" else (f"(W {layer})", moved)
        below = LAYERS[f"{label}-1"]
        result = self.terms.write(prepared(self._sorted(equation.expr)), SUM)
        quantified = f"forall {'l ' if label == 'l' else ''}{' '.join(letters)}, "
        range_ = "(0 < l <= L)%nat -> " if label == "l" else ""
        theorem = "bp_weight" if target[0] == "W" else "bp_bias"
        self.theorems.append(equation.name)
        where = f"({own} {' '.join(letters)})"
        return (
            f"(** {comment(equation.steps[-1].why)} *)\n"
            f"Theorem {equation.name} : {quantified}{range_}{bounds}\n"
            f"  is_derive (fun t => J_of_layer {layer} (affine (size {below}) {weights} {bias} (a {below})))\n"
            f"    {where} ({result}).\n"
            f"Proof.\n  intros; apply ({theorem} (size {layer}) (size {below}) (J_of_layer {layer})); auto.\n"
            f"  assert (E : forall k, (0 < k)%nat -> z k = affine (size (pred k)) (W k) (b k) (a (pred k))).\n"
            f"  {{ intros [| k] Hk; [lia | unfold z; rewrite zs_step; reflexivity]. }}\n"
            f"  rewrite <- E by lia. apply delta_is_gradient; lia.\nQed."
        )
