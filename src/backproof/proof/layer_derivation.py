"""Derivations of layers: the gradient of all that a layer of the catalogue takes, and of every step inside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import permutations
from typing import Final

from backproof import catalog
from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.catalog import Layer
from backproof.errors import UnknownNameError
from backproof.language.expression import Add, Apply, Expr, Pow, add, postorder, power, reindex, tensor
from backproof.language.notating import notate
from backproof.language.notation import Relation
from backproof.language.program import Definition, Program
from backproof.language.walks import inline, names, rewrite
from backproof.proof.deciding import decide
from backproof.proof.derivation import Equation, Line, Step
from backproof.proof.folding import Folder, weight
from backproof.proof.verdict import Budget, Kind

MAX_INLINED: Final = 12
HALF: Final = Fraction(1, 2)
SLOPE: Final = 4
"""By how much a slope may grow when it is written out, 1 − h² for tanh′(z)."""
BUDGET: Final = Budget(condition_seconds=0.0)


@dataclass(frozen=True)
class LayerDerivation:
    """All gradients of a layer. `program` holds its definitions and the raw adjoints of the sweep."""

    layer: Layer
    program: Program
    equations: tuple[Equation, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, equation by equation."""
        return tuple(step for equation in self.equations for step in equation.steps)


def layer_with_adjoints(layer: Layer) -> Program:
    """The program of a layer followed by the adjoint of every name, but of those that are only given."""
    program = catalog.layer_program(layer)
    wanted = {*layer.differentiated, *program.by_name} - {"J"}
    found = adjoints(program, "J", frozenset(wanted))
    return program.extended(found.values())


def derive_layer(layer: Layer, of: Sequence[str] = ()) -> LayerDerivation:
    """The gradients of a layer, or those named in `of` (`dx`, `dW`, `dmu`), proved step by step.

    >>> derivation = derive_layer(catalog.find_layer("dropout"))
    >>> [(e.name, e.verdict.kind.value) for e in derivation.equations]
    [('dy', 'proved'), ('dx', 'proved')]
    """
    deriver = _Deriver(layer, layer_with_adjoints(layer))
    known = {f"d{name}": name for name in deriver.targets}
    missing = next((name for name in of if name not in known), None)
    if missing is not None:
        raise UnknownNameError(f"no equation {missing!r}", expected=", ".join(known), got=missing)
    chosen = [known[name] for name in of] or deriver.targets
    return LayerDerivation(layer, deriver.program, tuple(deriver.equation(t) for t in chosen))


@dataclass
class _Deriver:
    layer: Layer
    program: Program

    @cached_property
    def folder(self) -> Folder:
        return Folder(self.program)

    @cached_property
    def targets(self) -> list[str]:
        """The results first, then what is inside, from the results back, then what the layer takes."""
        order = [d.name.removeprefix("∂J/∂") for d in self.program.definitions if d.name.startswith("∂")]
        inside = [n for n in order if n not in self.program.inputs]
        return [*inside, *(n for n in self.layer.differentiated if n in order)]

    def equation(self, target: str) -> Equation:
        adjoint = self.program.by_name[adjoint_name("J", target)]
        steps: list[Step] = []
        for line in self._lines(target, adjoint):
            if steps and steps[-1].notation == line.notation:
                continue
            verdict = decide(self.program, adjoint.head, line.expr, budget=BUDGET)
            steps.append(Step(f"d{target}", line.left, line.notation, line.expr, line.why, verdict))
        last = steps[-1]
        return Equation(
            f"d{target}", target, adjoint.indices, last.expr, last.left, last.notation, last.verdict, tuple(steps)
        )

    def _lines(self, target: str, adjoint: Definition) -> Iterator[Line]:
        if target in self.layer.results and names(adjoint.body) == {catalog.arriving(target)}:
            yield self._line(adjoint, adjoint.body, "the gradient that arrives")
            return
        users = [d.name for d in catalog.layer_program(self.layer).definitions if target in names(d.body)]
        said = " and ".join(u for u in users if u != "J") or "the result"
        yield self._line(adjoint, adjoint.body, f"chain rule through {said}")
        short = self._rooted(self.folder.fold(adjoint.body))
        slopes = any(isinstance(n, Apply) and any(n.orders) for n in postorder(adjoint.body))
        if weight(short) < weight(adjoint.body) + (SLOPE if slopes else 0):
            yield self._line(adjoint, short, "in the names of the layer")
        through = self._closed(adjoint)
        if through is not None:
            yield self._line(adjoint, *through)

    def _closed(self, adjoint: Definition) -> tuple[Expr, str] | None:
        """The gradient with the statistics' own gradients put in: those with fewer axes than the target."""
        sorts = adjoint.sorts
        inside = (d for d in self.program.definitions if d.name.startswith("∂") and d.name not in self._arriving)
        small = {d.name for d in inside if len(d.sorts) < len(sorts)}
        used = [n for n in names(adjoint.body) if n in small]
        if not used or adjoint.name.removeprefix("∂J/∂") in self.layer.parameters:
            return None
        bodies = {n: (self.program.by_name[n].indices, self.program.by_name[n].body) for n in small}
        body = adjoint.body
        for _ in range(MAX_INLINED):
            if names(body).isdisjoint(bodies):
                break
            body = inline(body, bodies)
        closed = self.folder.fold(self._without_zeros(adjoint, self._rooted(self.folder.fold(body))))
        told = " and ".join(sorted(f"∂J/∂{n.removeprefix('∂J/∂')}" for n in used))
        return closed, f"with {told} put in"

    @cached_property
    def _arriving(self) -> frozenset[str]:
        return frozenset(adjoint_name("J", r) for r in self.layer.results)

    def _rooted(self, expr: Expr) -> Expr:
        """The formula with s for √v, where the layer has the definition s = √v."""
        roots = {
            d.body.base: d for d in self.program.definitions if isinstance(d.body, Pow) and d.body.exponent == HALF
        }

        def rule(node: Expr) -> Expr | None:
            if isinstance(node, Pow) and node.exponent.denominator == 2:
                for base, definition in roots.items():
                    for axes in permutations(node.base.free, len(definition.indices)):
                        if reindex(base, dict(zip(definition.indices, axes, strict=True))) is node.base:
                            return power(tensor(definition.name, *axes), 2 * node.exponent)
            return None

        return rewrite(expr, rule)

    def _without_zeros(self, adjoint: Definition, expr: Expr) -> Expr:
        """The sum without the terms that are provably 0, such as one with Σ (x − μ)."""
        for term in expr.terms if isinstance(expr, Add) else ():
            rest = add(*(t for t in expr.terms if t is not term)) if isinstance(expr, Add) else expr
            if decide(self.program, adjoint.head, rest, budget=BUDGET).kind is Kind.PROVED:
                expr = rest
        return expr

    def _line(self, adjoint: Definition, expr: Expr, why: str) -> Line:
        relation = notate(replace(adjoint, body=expr), program=self.program, symbols=catalog.symbols())
        assert isinstance(relation, Relation)
        return Line(relation.sides[0], relation.sides[1], expr, why)
