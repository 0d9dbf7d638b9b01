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
from backproof.coq.statements import Place, applied, entrywise_slope, indices_of
from backproof.coq.terms import ATOM, SUM
from backproof.language.expression import Add, Expr, Index, Sum, Tensor, add, opened, postorder, reindex, sum_over
from backproof.language.program import Definition
from backproof.language.walks import inline, names, rewrite
from backproof.proof.derivation import Derivation, Equation

LAYERS = {"l": "l", "l+1": "(S l)", "l-1": "(pred l)", "L": "L", "L-1": "(pred L)"}
SAME = "cbv beta; first [reflexivity | ring | apply Sum_ext; intros; ring | field; bp_vside]"


class DepthWriter(NetworkWriter):
    """Writes one derivation of symbolic depth.

    In a batch every family has an example's index beside the unit's, and what is said of layers is said of every
    example; `stored` is the transpose of the weights where they are stored by rows.
    """

    def __init__(self, derivation: Derivation) -> None:
        super().__init__(derivation)
        self.document.modules = (*MODULES, "Network")
        batch = self.network.batch
        self.z, self.a, self.x = ("Z", "A", "X") if batch else ("z", "a", "x")
        taken = ("size", "L", "l", "W", "b", self.z, self.a, self.x, "delta", "decay", "by_rows")
        for word in (*taken, "J_of_layer", "dJ_da", "updL", "tail", "deltas", "zs", "as_"):
            self.names.new(word)
        self.bound["index l"] = "l"

    @cached_property
    def chain(self) -> tuple[str, ...]:
        """The output layer: its z and its a."""
        return ("Z(L)", "A(L)") if self.network.batch else ("z(L)", "a(L)")

    @cached_property
    def stored(self) -> str:
        """The family of weights, from unit j to unit i, as an argument."""
        return "by_rows" if self.network.layout == "rows" else "W"

    @cached_property
    def _arguments(self) -> str:
        return f"size {self.stored} b {self._hidden()[0]}"

    @cached_property
    def _output_sort(self) -> str:
        return self.place(self.output).unit.sort

    def _of_layer(self, family: str, layer: str) -> str:
        """The vector of one example in one layer, as an argument."""
        if self.example is None:
            return f"({family} {layer})"
        e = self.terms.index(self.example)
        return f"({family} {layer} {e})" if self.network.layout != "columns" else f"(fun i => {family} {layer} i {e})"

    def _of_matrix(self, name: str) -> str:
        """The vector of one example in a matrix of the batch, as an argument."""
        if self.example is None:
            return name
        e = self.terms.index(self.example)
        return f"({name} {e})" if self.network.layout != "columns" else f"(fun i => {name} i {e})"

    def _axes(self, unit: str) -> str:
        """The indices of an entry, in their order."""
        if self.example is None:
            return unit
        e = self.terms.index(self.example)
        return f"{e} {unit}" if self.network.layout != "columns" else f"{unit} {e}"

    def _variables(self) -> str:
        output = self._output_sort
        self.bound[f"size {output}"] = f"{self.names.new('outputs')}"
        name = self.bound[f"size {output}"]
        function, _ = self._hidden()
        vectors = "nat -> R" if self.example is None else "nat -> nat -> R"
        entry, target = self._axes("i"), self.names.of(self._target())
        vector = "nat -> " * (1 if self.example is None else 2) + "R"
        rows = self.network.layout == "rows"
        weight, below = f"W (S l) {'j i' if rows else 'i j'}", f"{self.a} l {self._axes('j')}"
        product = f"{weight} * {below}" if self.network.layout == "columns" else f"{below} * {weight}"
        step = "reflexivity" if self.network.layout == "columns" else "f_equal; apply Sum_ext; intros; ring"
        opened = f"{self.z}, {self.a}{', by_rows' if rows else ''}"
        count = "" if self.example is None else self._count_of_examples()
        lines = [
            "(** Layers 1 ... L; layer 0 is the input. size l is the number of units of layer l. *)",
            "Variables (size : nat -> nat) (L : nat).",
            "Hypothesis one_layer : (0 < L)%nat.",
            "Hypothesis positive_size : forall l, (0 < size l)%nat.",
            *([count] if count else []),
            f"Variables (W : nat -> nat -> nat -> R) (b : nat -> nat -> R) ({self.x} {target} : {vectors}).",
            f"Definition {name} : nat := size L.",
            f"Lemma positive_{name} : (0 < {name})%nat. Proof. apply positive_size. Qed.",
            *self._letters(),
        ]
        if rows:
            lines += [
                "(** Weights are stored by rows: W l j i is the weight from unit j to unit i. *)",
                "Definition by_rows (l : nat) : nat -> nat -> R := fun i j => W l j i.",
            ]
        arguments, at = self._arguments, self._of_matrix(self.x)
        lines += [
            (
                f"(** The forward pass: {self.z} l = W l ({self.a} (l - 1)) + b l, {self.a} l = f ({self.z} l), "
                f"and {self.a} 0 is the input. *)"
            ),
            f"Definition {self.z} : nat -> {vector} := fun l {entry} => zs {arguments} {at} l i.",
            f"Definition {self.a} : nat -> {vector} := fun l {entry} => as_ {arguments} {at} l i.",
            f"Lemma z_layer l {entry} : {self.z} (S l) {entry} = Sum (size l) (fun j => {product}) + b (S l) i.",
            f"Proof. unfold {opened}; rewrite zs_step; unfold affine; {step}. Qed.",
            f"Lemma a_layer l {entry} : (0 < l)%nat -> {self.a} l {entry} = {function} ({self.z} l {entry}).",
            "Proof. destruct l; [lia | reflexivity]. Qed.",
            f"Definition {self.names.of(self.chain[0])} : {vector} := {self.z} L.",
        ]
        return "\n".join(lines)

    def _count_of_examples(self) -> str:
        assert self.example is not None
        m = self.terms.sort(self.example.sort)
        return f"Variable {m} : nat.\nHypothesis positive_{m} : (0 < {m})%nat."

    def _forward(self) -> str:
        """As for a given depth; the loss has the penalty of every layer."""
        return "\n".join([*self._decay(), super()._forward()])

    def _decay(self) -> list[str]:
        if self.penalty is None:
            return []
        saved = dict(self.bound)
        self._at_layer()
        _, hidden = self.derivation.network.sections
        body = hidden.program.by_name["J"].body
        own = add(*(t for t in terms_of(body) if names(t) & {"W(l)"} and not any(n.startswith("∂") for n in names(t))))
        self.bound["W(l)"] = "V"
        text = self.write(self._sorted(own))
        self.bound.clear()
        self.bound.update(saved)
        return [
            "(** What the loss adds for the weights V of layer l. *)",
            f"Definition decay (l : nat) (V : nat -> nat -> R) : R := {text}.",
        ]

    def _define(self, definition: Definition) -> str:
        if definition.name != "J" or self.penalty is None:
            return super()._define(definition)
        data = add(*(t for t in terms_of(definition.body) if self.output in names(t)))
        return f"Definition J : R := {self.write(data)} + {self._penalty_text()}."

    def _penalty_text(self) -> str:
        return "Sum L (fun q => decay (S q) (W (S q)))"

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
        last, hidden = self.chain[0], f"{self.z}(l)"
        if last in equations:
            parts += self._layer_equation(equations[last])
        parts.append(self._induction())
        if hidden in equations:
            parts.append(self._recursion(equations[hidden]))
        for target in ("W(l)", "b(l)", "W(L)", "b(L)"):
            if target in equations:
                parts.append(self._parameter(equations[target]))
        return parts

    def _induction(self) -> str:
        function, slope = self._hidden()
        adjoint, whole = self.names.of(self._adjoint(self.chain[0])), f"J_of_{self.names.of(self.chain[0])}"
        kinks = self._kinks()
        lemma = self._slope(self.network.hidden)
        sides = " | ".join(
            [*(f"apply hidden_domain_{k}; assumption" for k in range(len(kinks))), "assumption", "solve [bp_side]"]
        )
        arguments, start, every = self._arguments, self._of_matrix(self.x), self.forall
        e = "" if self.example is None else self.terms.index(self.example)
        head = f"(l : nat) ({e} : nat)" if e else "(l : nat)"
        whole = f"({whole} {e})" if e else whole
        last = self._of_matrix(adjoint)
        entry = self._axes("i")
        vector = "nat -> R" if not e else "nat -> nat -> R"
        z, delta, tail = self._of_layer(self.z, "l"), self._of_layer("delta", "l"), self._tail("l")
        point, gradient = f"{self.z} l {self._axes('j')}", self.of_example(self._gradient(self.chain[0]))
        slopes = self.of_example("hidden_slope")
        return "\n".join(
            [
                (
                    f"(** The loss as a function of layer l{', of one example' if e else ''}, and delta of layer l, "
                    "for every l. *)"
                ),
                f"Definition J_of_layer {head} : (nat -> R) -> R := tail {arguments} {whole} l (L - l).",
                f"Definition delta (l : nat) : {vector} := fun {entry} =>",
                f"  deltas {arguments} {slope} {start} {last} l (L - l) i.",
                *(
                    f"Hypothesis hidden_domain_{k} : {every}forall l i, (0 < l < L)%nat -> (i < size l)%nat -> {c}."
                    for k, c in enumerate(kinks)
                ),
                f"Lemma hidden_slope : {every}forall l j, (0 < l < L)%nat -> (j < size l)%nat ->",
                f"  is_derive {function} ({point}) ({slope} ({point})).",
                f"Proof. intros; cbv beta; apply {lemma}; first [{sides}]. Qed.",
                "(** At the last layer they are what was proved above. *)",
                f"Lemma delta_last {entry} : delta L {entry} = {adjoint} {entry}.",
                "Proof. unfold delta; rewrite Nat.sub_diag; reflexivity. Qed.",
                "(** Backpropagation is right at every layer: by induction from the last one. *)",
                f"Theorem delta_is_gradient : {every}forall l, (0 < l <= L)%nat ->",
                f"  is_grad (size l) {tail} {z} {delta}.",
                "Proof.",
                f"  {self.intro}intros l Hl.",
                f"  refine (delta_all {arguments} {slope} {whole} {start} L {last} _ _ (L - l) l _ _);",
                "    [| | lia | lia].",
                f"  - exact {gradient}.",
                f"  - exact {slopes}.",
                "Qed.",
                f"Corollary delta_is_partial : {every}forall l i, (0 < l <= L)%nat -> (i < size l)%nat ->",
                f"  is_derive (fun t => {tail[1:-1]} (upd {z} i t)) ({self.z} l {entry}) (delta l {entry}).",
                "Proof.",
                f"  {self.intro}intros l i Hl Hi; apply (is_grad_partial (size l) {tail} {z} {delta}); [assumption |].",
                "  apply delta_is_gradient; assumption.",
                "Qed.",
                "(** The same at W a + b, which is z. *)",
                f"Lemma gradient_affine : {every}forall l, (0 < l <= L)%nat ->",
                (
                    f"  is_grad (size l) {tail} (affine (size (pred l)) ({self.stored} l) (b l) "
                    f"{self._of_layer(self.a, '(pred l)')}) {delta}."
                ),
                "Proof.",
                f"  {self.intro}intros [| l] Hl; [lia |].",
                (
                    f"  assert (H : is_grad (size (S l)) {self._tail('(S l)')} (zs {arguments} {start} (S l)) "
                    f"{self._of_layer('delta', '(S l)')})"
                ),
                f"    by exact (delta_is_gradient {f'{e} He ' if e else ''}(S l) Hl).",
                "  rewrite zs_step in H. exact H.",
                "Qed.",
                self._remember("delta_is_gradient", "delta_is_partial"),
            ]
        ).rstrip("\n")

    def _tail(self, layer: str) -> str:
        """The loss as a function of a layer, of one example."""
        return (
            f"(J_of_layer {layer})"
            if self.example is None
            else f"(J_of_layer {layer} {self.terms.index(self.example)})"
        )

    def _remember(self, *names: str) -> str:
        self.theorems.extend(names)
        return ""

    def _kinks(self) -> list[str]:
        """What the slope of the hidden activation needs, at z l i."""
        name = self.network.hidden
        if catalog.function(name) is None or catalog.is_axiom(name):
            return []
        one = formula(name)
        at = Index("i", "hidden")
        point = self.entry(f"{self.z}(l)", self._placed(at))
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
            for letter in ("W", "b", self.a, self.z):
                self.bound[f"{letter}({label})"] = f"({letter} {text})"
            self.bound[f"∂J/∂{self.z}({label})"] = f"(delta {text})"
            self.bound[f"∂J/∂{self.a}({label})"] = f"(dJ_da {text})"
            self.bound[f"size {label}"] = f"(size {text})"

    def _placed(self, unit: Index) -> Place:
        return Place("", unit, self.example, example_first=self.network.layout != "columns")

    def _sorted(self, root: Expr) -> Expr:
        """The expression with every bound index running over the size of its layer: in the program all are h."""

        def rule(node: Expr) -> Expr | None:
            if not isinstance(node, Sum) or (self.example is not None and node.index.sort == self.example.sort):
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
        place = self._placed(Index("i", "l"))
        renamed = dict(zip(equation.indices, indices_of(place), strict=True))
        upstream = self.program.by_name[f"∂J/∂{self.a}(l)"]
        body = reindex(upstream.body, dict(zip(upstream.indices, indices_of(place), strict=True)))
        i = self.terms.index(place.unit)
        entry = " ".join(self.terms.index(x) for x in indices_of(place))
        vector = "nat -> R" if self.example is None else "nat -> nat -> R"
        head = f"{self.forall}forall l {i}, (0 < l < L)%nat -> ({i} < size l)%nat ->"
        parts = [
            (
                f"(** What layer l + 1 sends back, as the sweep writes it. *)\n"
                f"Definition dJ_da (l : nat) : {vector} := fun {entry} => {self.write(self._sorted(body))}."
            )
        ]
        before = f"delta l {entry}"
        lemmas: list[str] = []
        opened = f"dJ_da, delta, {self.z}{', by_rows' if self.stored != 'W' else ''}"
        for k, step in enumerate(equation.steps):
            text = self.write(self._sorted(reindex(step.expr, renamed)))
            if text == before:
                continue
            lemmas.append(f"delta_l_line_{k + 1}")
            if len(lemmas) == 1:
                proof = (
                    f"intros. unfold {opened}. replace (L - l)%nat with (S (L - S l)) by lia. cbn [deltas]. "
                    "cbv beta. first [ring | field; bp_side | f_equal; apply Sum_ext; intros; ring]."
                )
            else:
                proof = (
                    f"intros. unfold dJ_da in *. rewrite ?a_layer by lia. generalize ({self.z} l). intros. "
                    "first [reflexivity | bp_line]."
                )
            parts.append(
                f"(** {comment(step.why)} *)\nLemma {lemmas[-1]} : {head}\n  {before}\n  = {text}.\nProof. {proof} Qed."
            )
            before = text
        lines = "".join(f"eapply eq_trans; [apply {lemma}; assumption |]. " for lemma in lemmas)
        parts.append(
            f"Theorem delta_l : {head}\n  delta l {entry} = {before}.\nProof. intros. {lines}reflexivity. Qed."
        )
        self.theorems.append("delta_l")
        return "\n".join(parts)

    def _parameter(self, equation: Equation) -> str:
        """The slope in one weight or bias of a layer: of the data, and of the penalty."""
        self._at_layer()
        target = equation.target
        label = target.partition("(")[2].rstrip(")")
        layer, below = LAYERS[label], LAYERS[f"{label}-1"]
        weight = target[0] == "W"
        rows = weight and self.network.layout == "rows"
        letters = [self.terms.index(i) for i in equation.indices]
        sizes = [f"size {layer}", f"size {below}"] if weight else [f"size {layer}"]
        bounds = "".join(
            f"({x} < {s})%nat -> " for x, s in zip(letters, reversed(sizes) if rows else sizes, strict=True)
        )
        own = self.bound[target]
        moved = f"({'updM' if weight else 'upd'} {own} {' '.join(letters)} t)"
        weights, bias = (f"({self.stored} {layer})", moved) if not weight else (moved, f"(b {layer})")
        if rows:
            weights = f"(fun r q => {moved} q r)"
        function = f"{self._tail(layer)[1:-1]} (affine (size {below}) {weights} {bias} {self._of_layer(self.a, below)})"
        if self.example is not None:
            function = f"Sum {self.terms.sort(self.example.sort)} (fun {self.terms.index(self.example)} => {function})"
        result = self.terms.write(prepared(self._sorted(equation.expr)), SUM)
        quantified = f"forall {'l ' if label == 'l' else ''}{' '.join(letters)}, "
        range_ = "(0 < l <= L)%nat -> " if label == "l" else ""
        where = f"({own[1:-1]} {' '.join(letters)})"
        proof = f"eapply d_eq; [apply {self._theorem(weight, rows, layer, below)} | {SAME}]"
        penalised = weight and self.penalty is not None
        if penalised:
            function += f" + Sum L (fun q => decay (S q) (updL W {layer} {moved} (S q)))"
            data = self.terms.write(prepared(self._sorted(self._data_slope(equation))), ATOM)
            extra = self.terms.write(prepared(self._sorted(self._penalty_slope(equation))), ATOM)
            proof = (
                f"eapply d_eq; [apply d_plus with (a := {data}) (b := {extra}) | {SAME}].\n  - {proof}.\n"
                f"  - apply (d_layers L decay W {layer}); [lia | unfold decay; bp_penalty]"
            )
        self.theorems.append(equation.name)
        return (
            f"(** {comment(equation.steps[-1].why)} *)\n"
            f"Theorem {equation.name} : {quantified}{range_}{bounds}\n"
            f"  is_derive (fun t => {function})\n"
            f"    {where} ({result}).\n"
            f"Proof.\n  intros; pose proof positive_{self.terms.sort(self._output_sort)}; {proof}.\nQed."
        )

    def _theorem(self, weight: bool, rows: bool, layer: str, below: str) -> str:  # noqa: FBT001
        """The theorem of the library about one weight or bias, at the gradient of this layer."""
        above, under = f"(size {layer})", f"(size {below})"
        matrix = f"({'W' if rows else self.stored} {layer})"
        end = "_rows" if rows else ""
        bounds = "[assumption | assumption |" if weight else "[assumption |"
        if self.example is None:
            name = f"bp_{'weight' if weight else 'bias'}{end}"
            a = self._of_layer(self.a, below)
            where = f"{above} {under} {self._tail(layer)} {matrix} (b {layer}) {a} {self._of_layer('delta', layer)}"
            return f"({name} {where}); {bounds} apply gradient_affine; lia]"
        e = self.terms.index(self.example)
        a, delta = (f"(fun {e} => {self._of_layer(family, at)})" for family, at in ((self.a, below), ("delta", layer)))
        where = (
            f"{self.terms.sort(self.example.sort)} {under} {above} (fun {e} => {self._tail(layer)}) {matrix} "
            f"(b {layer}) {a} {delta}"
        )
        name = f"batch_{'weight' if weight else 'bias'}{end}"
        return f"({name} {where}); first [assumption | intros; apply gradient_affine; [assumption | lia]]"


def terms_of(body: Expr) -> tuple[Expr, ...]:
    """The terms of a sum."""
    return body.terms if isinstance(body, Add) else (body,)
