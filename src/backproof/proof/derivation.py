"""Derivations: the backpropagation equations of a network, each with its steps, their reasons and their proofs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from backproof import catalog
from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.calculus.unfolding import derivative
from backproof.errors import UnknownNameError
from backproof.language.expression import (
    Apply,
    Expr,
    Index,
    Mul,
    mul,
    num,
    one,
    power,
    sum_over,
    tensor,
)
from backproof.language.notating import notate
from backproof.language.notation import (
    Big,
    Derivative,
    Marked,
    Negative,
    Notation,
    Number,
    Product,
    Quotient,
    Relation,
)

from backproof.language.program import Definition, Program
from backproof.language.text import write
from backproof.language.walks import inline
from backproof.proof.deciding import decide
from backproof.proof.folding import Folder, weight
from backproof.proof.verdict import Verdict

SHORT_SLOPE = 12


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a derivation: `of` = `notation`, and why; `expr` is what was proved equal to ∂J/∂target."""

    of: str
    left: Notation
    notation: Notation
    expr: Expr
    why: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Equation:
    """One equation of backpropagation: the adjoint of `target` in the names of the network.

    `name` is `delta_L`, `delta_2`, `dW2`, `db2`, `dX`; `expr` is over the target's `indices`. `general` is the form
    that needs no condition, where `expr` needs one.
    """

    name: str
    target: str
    indices: tuple[Index, ...]
    expr: Expr
    left: Notation
    right: Notation
    verdict: Verdict
    steps: tuple[Step, ...]
    general: Expr | None = None

    @property
    def notation(self) -> Relation:
        """left = right."""
        return Relation((self.left, self.right), ("=",))


@dataclass(frozen=True)
class Derivation:
    """All equations of a network. `program` holds the forward definitions and the raw adjoints of the sweep."""

    network: Network
    program: Program
    equations: tuple[Equation, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, equation by equation."""
        return tuple(step for equation in self.equations for step in equation.steps)

    def equation(self, name: str) -> Equation:
        """The equation of this name. Raises UnknownNameError."""
        for equation in self.equations:
            if equation.name == name:
                return equation
        raise UnknownNameError(f"no equation {name}", expected=", ".join(e.name for e in self.equations))


def with_adjoints(network: Network) -> Program:
    """The network's program followed by the adjoint of every name, as the reverse sweep gives them."""
    found: dict[str, Definition] = {}
    for section in network.sections:
        for definition in adjoints(section.program, "J").values():
            inner = definition.name.removeprefix("∂J/∂")
            if definition.name not in network.program.inputs and inner != "J" and not inner.startswith("∂"):
                found.setdefault(definition.name, definition)
    return network.program.extended(found.values())


def equation_name(target: str) -> str:
    """The plain name of the equation for ∂J/∂target.

    >>> [equation_name(t) for t in ("z", "Z(2)", "W(l)", "x")]
    ['delta_L', 'delta_2', 'dWl', 'dX']
    """
    letter, _, label = target.rstrip(")").partition("(")
    if letter in ("z", "Z"):
        return f"delta_{label or 'L'}"
    return f"d{letter}{label}" if label else f"d{letter.upper()}"


def derive(network: Network, of: Sequence[str] = ()) -> Derivation:
    """Every backpropagation equation of the network, or those named in `of`, proved step by step."""
    program = with_adjoints(network)
    deriver = _Deriver(network, program)
    targets = list(deriver.targets())
    if of:
        known = {equation_name(t): t for t in targets}
        if network.sizes and not network.symbolic_depth:
            known["delta_L"] = known[f"delta_{network.last}"]
        missing = next((name for name in of if name not in known), None)
        if missing is not None:
            raise UnknownNameError(f"no equation {missing!r}", expected=", ".join(known))
        targets = [known[name] for name in of]
    return Derivation(network, program, tuple(deriver.equation(t) for t in targets))


@dataclass
class _Deriver:
    network: Network
    program: Program
    folders: dict[bool, Folder] = field(default_factory=dict[bool, Folder])

    @cached_property
    def symbols(self) -> Mapping[str, str]:
        return catalog.symbols()

    def targets(self) -> Iterator[str]:
        """Logits first, from the last layer back, then weights and biases, then the input."""
        labels = [label for section in self.network.sections for label in section.labels]
        big = self.network.batch
        for label in labels:
            yield f"{'Z' if big else 'z'}({label})" if label else ("Z" if big else "z")
        for label in labels:
            if label:
                yield f"W({label})"
                yield f"b({label})"
        if self.network.sizes and not self.network.symbolic_depth:
            yield "X" if big else "x"

    def folder(self, *, conditional: bool) -> Folder:
        if conditional not in self.folders:
            self.folders[conditional] = Folder(self.program, self.network.admissible if conditional else ())
        return self.folders[conditional]

    def equation(self, target: str) -> Equation:
        adjoint = self.program.by_name[adjoint_name("J", target)]
        lines = list(self._logits(target, adjoint) if target[0] in "zZ" else self._leaf(adjoint))
        left = self._notate(adjoint.head, adjoint.indices)
        name = equation_name(target)
        steps: list[Step] = []
        for notation, expr, why in lines:
            if steps and steps[-1].notation == notation:
                continue
            verdict = decide(self.program, adjoint.head, expr, admissible=self.network.admissible)
            steps.append(Step(name, left, notation, expr, why, verdict))
        last = steps[-1]
        general = next((s.expr for s in reversed(steps) if not s.verdict.open_conditions), None)
        return Equation(
            name, target, adjoint.indices, last.expr, left, last.notation, last.verdict, tuple(steps),
            general if last.verdict.open_conditions else None,
        )  # fmt: skip

    def _notate(self, expr: Expr, indices: tuple[Index, ...], style: str = "matrix") -> Notation:
        return notate(expr, program=self.program, free=indices, symbols=self.symbols, style=style)

    def _activation_of(self, logits: str) -> Definition:
        name = ("A" if self.network.batch else "a") + logits[1:]
        return self.program.by_name[name]

    def _logits(self, target: str, adjoint: Definition) -> Iterator[tuple[Notation, Expr, str]]:
        activation = self._activation_of(target)
        output = target.partition("(")[2].rstrip(")") == self.network.last
        if isinstance(activation.body, Apply):
            yield from self._elementwise(adjoint, activation, output=output)
        else:
            yield from self._vector(adjoint, activation, output=output)

    def _elementwise(
        self, adjoint: Definition, activation: Definition, *, output: bool
    ) -> Iterator[tuple[Notation, Expr, str]]:
        indices = adjoint.indices
        entry_name = activation.body.name if isinstance(activation.body, Apply) else ""
        through = self._words(activation)
        yield self._notate(adjoint.body, indices), adjoint.body, f"chain rule through {through}"
        upstream = self.program.by_name[adjoint_name("J", activation.name)]
        arrives = inline(adjoint.body, {upstream.name: (upstream.indices, upstream.body)})
        folder = self.folder(conditional=False)
        slope = _slope_factor(adjoint.body)
        above = inline(tensor(upstream.name, *indices), {upstream.name: (upstream.indices, upstream.body)})
        if output:
            whole = folder.fold(arrives)
            first, second = folder.fold(above), folder.fold(slope)
            yield from self._cancelled(indices, folder, first, second, whole, entry_name)
            yield from self._conditional(indices, arrives, whole)
            return
        source = "the layer above receives it through its weights"
        yield self._notate(mul(above, slope), indices), mul(above, slope), source
        explicit = folder.fold(slope)
        if weight(explicit) <= SHORT_SLOPE and explicit is not slope:
            expr = mul(above, explicit)
            why = f"{self._shown(slope, indices)} = {self._shown(explicit, indices)}"
            yield self._notate(expr, indices), expr, why

    def _cancelled(
        self, indices: tuple[Index, ...], folder: Folder, first: Expr, second: Expr, whole: Expr, entry_name: str
    ) -> Iterator[tuple[Notation, Expr, str]]:
        both = mul(first, second)
        slope = apply_slope_words(entry_name, self._shown(second, indices), self.symbols)
        loss = self.network.loss
        reason = f"∂J/∂a of {loss}: {self._shown(first, indices)}; {slope}"
        yield self._product(indices, folder, (first, second), marked=False), both, reason
        pairs = folder.common_factors(first, second)
        if pairs:
            shown = " and ".join(self._shown(p, indices) for p in pairs)
            verb = "cancels" if len(pairs) == 1 else "cancel"
            yield self._product(indices, folder, (first, second), marked=True), both, f"{shown} {verb}"
        why = "what is left" if pairs else "nothing cancels: the slope stays"
        if second is one:
            why = "the slope of the identity is 1"
        yield self._notate(whole, indices), whole, why

    def _conditional(
        self, indices: tuple[Index, ...], arrives: Expr, whole: Expr
    ) -> Iterator[tuple[Notation, Expr, str]]:
        if self.network.admissible:
            shorter = self.folder(conditional=True).fold(arrives)
            if weight(shorter) < weight(whole):
                yield self._notate(shorter, indices), shorter, "the target sums to 1"

    def _vector(
        self, adjoint: Definition, activation: Definition, *, output: bool
    ) -> Iterator[tuple[Notation, Expr, str]]:
        indices, folder = adjoint.indices, self.folder(conditional=False)
        axis = self._unit_axis(activation)
        unit = indices[axis]
        own = Index("k" if unit.name != "k" else "j", unit.sort)
        others = tuple(own if position == axis else i for position, i in enumerate(indices))
        logits = adjoint.name.removeprefix("∂J/∂")
        body = inline(tensor(activation.name, *others), {activation.name: (activation.indices, activation.body)})
        jacobian = derivative(body, logits, indices)
        upstream = self.program.by_name[adjoint_name("J", activation.name)]
        above = inline(tensor(upstream.name, *others), {upstream.name: (upstream.indices, upstream.body)})
        left = Derivative(self._entry(tensor("J"), ()), self._entry(tensor(activation.name, *others), others))
        right = Derivative(
            self._entry(tensor(activation.name, *others), others), self._entry(tensor(logits, *indices), indices)
        )
        chain = Big("sum", Product("", (left, right)), (own.name,))
        raw = sum_over(own, mul(tensor(upstream.name, *others), jacobian))
        yield chain, raw, f"chain rule: every output of {self.network.output} depends on every logit"
        slope, first = folder.fold(jacobian), folder.fold(above)
        both = sum_over(own, mul(first, slope))
        inner = self._product((*others, unit), folder, (first, slope), marked=False, style="index")
        shown = f"∂a/∂z = {self._shown(slope, (*others, unit), 'index')}"
        yield Big("sum", inner, (own.name,)), both, shown
        pairs = folder.common_factors(first, slope)
        if pairs:
            inner = self._product((*others, unit), folder, (first, slope), marked=True, style="index")
            written = " and ".join(self._shown(p, (*others, unit), "index") for p in pairs)
            yield Big("sum", inner, (own.name,)), both, f"{written} cancels"
        arrives = inline(adjoint.body, {upstream.name: (upstream.indices, upstream.body)}) if output else adjoint.body
        whole = folder.fold(arrives)
        yield self._notate(whole, indices), whole, "the sum over k, term by term"
        if output:
            yield from self._conditional(indices, arrives, whole)

    def _unit_axis(self, activation: Definition) -> int:
        return 1 if len(activation.indices) == 2 and self.network.layout != "columns" else 0

    def _leaf(self, adjoint: Definition) -> Iterator[tuple[Notation, Expr, str]]:
        letter = adjoint.name.removeprefix("∂J/∂")[0]
        why = {
            "W": "each weight multiplies one input of its layer",
            "b": "the bias is added to the logits: slope 1",
        }.get(letter, "the input enters through the first layer's weights")
        if self.network.batch and letter == "b":
            why += ", for each example"
        if letter == "W" and self.network.regulariser is not None:
            why += "; the penalty adds its own slope"
        yield self._notate(adjoint.body, adjoint.indices), adjoint.body, why

    def _product(
        self,
        indices: tuple[Index, ...],
        folder: Folder,
        factors: tuple[Expr, Expr],
        *,
        marked: bool,
        style: str = "matrix",
    ) -> Notation:
        """Two factors side by side, those that cancel marked with the number of their pair."""
        pairs = folder.common_factors(*factors) if marked else ()
        written: list[Notation] = []
        for factor in factors:
            above: list[Notation] = []
            below: list[Notation] = []
            constant, parts = folder.parts(factor)
            if abs(constant) != 1 or not parts:
                above.append(self._notate(num(constant), (), style))
            for part, exponent in parts:
                shown = self._notate(power(part, abs(exponent)), indices, style)
                if part in pairs:
                    shown = Marked(shown, pairs.index(part) + 1, struck=True)
                (above if exponent > 0 else below).append(shown)
            top: Notation = Product("", tuple(above)) if len(above) > 1 else above[0] if above else Number(constant)
            if constant == -1:
                top = Negative(top) if above else Number(constant)
            if below:
                top = Quotient(top, Product("", tuple(below)) if len(below) > 1 else below[0])
            written.append(top)
        return Product("·", tuple(written))

    def _entry(self, expr: Expr, indices: tuple[Index, ...]) -> Notation:
        return self._notate(expr, indices, "index")

    def _words(self, definition: Definition) -> str:
        sides = (self._notate(definition.head, definition.indices), self._notate(definition.body, definition.indices))
        return write(Relation(sides, ("=",)))

    def _shown(self, expr: Expr, indices: tuple[Index, ...], style: str = "matrix") -> str:
        return write(self._notate(expr, indices, style))


def apply_slope_words(name: str, shown: str, symbols: Mapping[str, str]) -> str:
    """σ′ = a(1 − a), in the function's symbol."""
    return f"{symbols.get(name, name)}′ = {shown}"


def _slope_factor(body: Expr) -> Expr:
    factors = body.factors if isinstance(body, Mul) else (body,)
    return mul(*(f for f in factors if isinstance(f, Apply) and any(f.orders)))
