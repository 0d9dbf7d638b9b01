"""Derivations: the backpropagation equations of a network, each with its steps, their reasons and their proofs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

from backproof import catalog
from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.calculus.unfolding import derivative
from backproof.errors import UnknownNameError
from backproof.language.expression import (
    Add,
    Apply,
    Expr,
    Index,
    Mul,
    add,
    mul,
    num,
    one,
    power,
    reindex,
    sum_over,
    tensor,
)
from backproof.language.notating import Style, notate
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
from backproof.language.walks import inline, names
from backproof.proof.deciding import decide
from backproof.proof.folding import Folder, weight
from backproof.proof.verdict import Verdict

SHORT_SLOPE = 12


@dataclass(frozen=True, slots=True)
class Line:
    """Both sides as they are shown, what the right side means, and why it follows from the line before."""

    left: Notation
    notation: Notation
    expr: Expr
    why: str


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
        """The equation, left = right."""
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


@dataclass(frozen=True, slots=True)
class _Style:
    """How the factors of a line are written: their indices, and the letters that stand for auxiliary ones."""

    indices: tuple[Index, ...]
    style: Style
    shown: Mapping[Index, Index]


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
        name = equation_name(target)
        steps: list[Step] = []
        for line in lines:
            if steps and steps[-1].notation == line.notation:
                continue
            verdict = decide(self.program, adjoint.head, line.expr, admissible=self.network.admissible)
            steps.append(Step(name, line.left, line.notation, line.expr, line.why, verdict))
        last = steps[-1]
        general = next((s.expr for s in reversed(steps) if not s.verdict.open_conditions), None)
        return Equation(
            name, target, adjoint.indices, last.expr, last.left, last.notation, last.verdict, tuple(steps),
            general if last.verdict.open_conditions else None,
        )  # fmt: skip

    def _notate(self, expr: Expr, indices: tuple[Index, ...], style: Style = "matrix") -> Notation:
        return notate(expr, program=self.program, free=indices, symbols=self.symbols, style=style)

    def _activation_of(self, logits: str) -> Definition:
        name = ("A" if self.network.batch else "a") + logits[1:]
        return self.program.by_name[name]

    def _logits(self, target: str, adjoint: Definition) -> Iterator[Line]:
        activation = self._activation_of(target)
        output = target.partition("(")[2].rstrip(")") == self.network.last
        if isinstance(activation.body, Apply):
            yield from self._elementwise(adjoint, activation, output=output)
        else:
            yield from self._vector(adjoint, activation, output=output)

    def _elementwise(self, adjoint: Definition, activation: Definition, *, output: bool) -> Iterator[Line]:
        indices = adjoint.indices
        through = self._words(activation)
        yield self._line(adjoint, adjoint.body, f"chain rule through {through}")
        upstream = self.program.by_name[adjoint_name("J", activation.name)]
        folder = self.folder(conditional=False)
        slope = _slope_factor(adjoint.body)
        above = inline(tensor(upstream.name, *indices), {upstream.name: (upstream.indices, upstream.body)})
        if output:
            yield from self._output(adjoint, slope, above)
            return
        source = "the layer above receives it through its weights"
        yield self._line(adjoint, mul(above, slope), source)
        explicit = folder.fold(slope)
        if weight(explicit) <= SHORT_SLOPE and explicit is not slope:
            expr = mul(above, explicit)
            why = f"{self._shown(slope, indices)} = {self._shown(explicit, indices)}"
            yield self._line(adjoint, expr, why)

    def _output(self, adjoint: Definition, slope: Expr, above: Expr) -> Iterator[Line]:
        """The loss's slope times the activation's, with what cancels between them."""
        indices, folder = adjoint.indices, self.folder(conditional=False)
        factors = (folder.fold(above), folder.fold(slope))
        both = mul(*factors)
        prime = f"{self._shown(slope, indices)} = {self._shown(factors[1], indices)}"
        reason = f"the slope of {self.network.loss} is {self._shown(factors[0], indices)}; {prime}"
        left, style = self._notate(adjoint.head, indices), _Style(indices, "matrix", {})
        yield Line(left, self._product(style, factors), both, reason)
        pairs = folder.common_factors(*factors)
        if pairs:
            shown = " and ".join(self._shown(p, indices) for p in pairs)
            verb = "cancels" if len(pairs) == 1 else "cancel"
            yield Line(left, self._product(style, factors, pairs), both, f"{shown} {verb}")
        whole = min(folder.fold(mul(above, slope)), both, key=weight)
        if factors[1] is one:
            why = "the slope of the identity is 1"
        else:
            why = "what is left" if pairs else "nothing cancels: the slope stays"
        yield self._line(adjoint, whole, why)
        yield from self._conditional(adjoint, mul(above, slope), whole)

    def _conditional(self, adjoint: Definition, arrives: Expr, whole: Expr) -> Iterator[Line]:
        if self.network.admissible:
            shorter = self.folder(conditional=True).fold(arrives)
            if weight(shorter) < weight(whole):
                yield self._line(adjoint, shorter, "the target sums to 1")

    def _vector(self, adjoint: Definition, activation: Definition, *, output: bool) -> Iterator[Line]:
        """A Jacobian: every output depends on every logit, and the chain rule sums over the outputs."""
        indices, folder = adjoint.indices, self.folder(conditional=False)
        axis = self._unit_axis(activation)
        unit, own = indices[axis], Index("j", indices[axis].sort)
        # A Kronecker delta keeps the index that sorts first: that of the output, so that its factors face the loss's.
        first_index = Index("!", unit.sort)
        others = tuple(first_index if k == axis else i for k, i in enumerate(indices))
        written = tuple(own if k == axis else i for k, i in enumerate(indices))
        shown = {first_index: own}
        upstream = self.program.by_name[adjoint_name("J", activation.name)]
        body = inline(tensor(activation.name, *others), {activation.name: (activation.indices, activation.body)})
        jacobian = derivative(body, adjoint.name.removeprefix("∂J/∂"), indices)
        above = inline(tensor(upstream.name, *others), {upstream.name: (upstream.indices, upstream.body)})
        head = self._notate(adjoint.head, indices, "index")
        raw = sum_over(first_index, mul(tensor(upstream.name, *others), jacobian))
        chain = Big("sum", self._chain(adjoint, activation, written), (own.name,))
        yield Line(head, chain, raw, f"chain rule: every output of {self.network.output} depends on every logit")
        factors = (folder.fold(above) if output else tensor(upstream.name, *others), folder.fold(jacobian))
        both = sum_over(first_index, mul(*factors))
        style = _Style((*written, unit), "index", shown)
        slope = self._shown(reindex(factors[1], shown), style.indices, "index")
        yield Line(head, Big("sum", self._product(style, factors), (own.name,)), both, f"∂a/∂z = {slope}")
        pairs = folder.common_factors(*factors)
        if pairs:
            words = " and ".join(self._shown(reindex(p, shown), style.indices, "index") for p in pairs)
            struck = Big("sum", self._product(style, factors, pairs), (own.name,))
            yield Line(head, struck, both, f"{words} {'cancels' if len(pairs) == 1 else 'cancel'}")
        arrives = inline(adjoint.body, {upstream.name: (upstream.indices, upstream.body)}) if output else adjoint.body
        whole = folder.fold(arrives)
        yield self._line(adjoint, whole, f"the sum over {own.name}, term by term")
        if output:
            yield from self._conditional(adjoint, arrives, whole)

    def _chain(self, adjoint: Definition, activation: Definition, written: tuple[Index, ...]) -> Notation:
        """∂J/∂a_j · ∂a_j/∂z_i."""
        output = self._notate(tensor(activation.name, *written), written, "index")
        logit = self._notate(tensor(adjoint.name.removeprefix("∂J/∂"), *adjoint.indices), adjoint.indices, "index")
        loss = self._notate(tensor("J"), ())
        return Product("·", (Derivative(loss, output), Derivative(output, logit)))

    def _unit_axis(self, activation: Definition) -> int:
        return 1 if len(activation.indices) == 2 and self.network.layout != "columns" else 0

    def _leaf(self, adjoint: Definition) -> Iterator[Line]:
        letter = adjoint.name.removeprefix("∂J/∂")[0]
        why = {
            "W": "each weight multiplies one input of its layer",
            "b": "the bias is added to the logits: slope 1",
        }.get(letter, "the input enters through the first layer's weights")
        if self.network.batch and letter == "b":
            why += ", for each example"
        if letter == "W" and self.network.regulariser is not None:
            why += "; the penalty adds its own slope"
        body = adjoint.body
        if isinstance(body, Add):
            target = adjoint.name.removeprefix("∂J/∂")
            body = add(*sorted(body.terms, key=lambda term: target in names(term)))
        yield self._line(adjoint, body, why)

    def _line(self, adjoint: Definition, expr: Expr, why: str) -> Line:
        relation = notate(replace(adjoint, body=expr), program=self.program, symbols=self.symbols)
        assert isinstance(relation, Relation)
        return Line(relation.sides[0], relation.sides[1], expr, why)

    def _product(self, style: _Style, factors: tuple[Expr, Expr], pairs: tuple[Expr, ...] = ()) -> Notation:
        """Two factors side by side, those that cancel struck, with the number of their pair."""
        return Product("·", tuple(self._fraction(style, factor, pairs) for factor in factors))

    def _fraction(self, style: _Style, factor: Expr, pairs: tuple[Expr, ...]) -> Notation:
        above: list[Notation] = []
        below: list[Notation] = []
        constant, parts = self.folder(conditional=False).parts(factor)
        if not pairs and weight(mul(constant, *(power(p, k) for p, k in parts))) > weight(factor):
            return self._notate(reindex(factor, style.shown), style.indices, style.style)
        if abs(constant) != 1 or not parts:
            above.append(self._notate(num(abs(constant)), ()))
        for part, exponent in parts:
            expr = power(reindex(part, style.shown), abs(exponent))
            shown = self._notate(expr, style.indices, style.style)
            if part in pairs:
                shown = Marked(shown, pairs.index(part) + 1, struck=True)
            (above if exponent > 0 else below).append(shown)
        top = Product("", tuple(above)) if len(above) > 1 else above[0] if above else Number(Fraction(1))
        if constant < 0:
            top = Negative(top)
        if not below:
            return top
        return Quotient(top, Product("", tuple(below)) if len(below) > 1 else below[0])

    def _words(self, definition: Definition) -> str:
        sides = (self._notate(definition.head, definition.indices), self._notate(definition.body, definition.indices))
        return write(Relation(sides, ("=",)))

    def _shown(self, expr: Expr, indices: tuple[Index, ...], style: Style = "matrix") -> str:
        return write(self._notate(expr, indices, style))


def _slope_factor(body: Expr) -> Expr:
    factors = body.factors if isinstance(body, Mul) else (body,)
    return mul(*(f for f in factors if isinstance(f, Apply) and any(f.orders)))
