"""Exact diagnoses: the derivation changed by one usual mistake, proved to be the formula of the wrong code.

The equations of the reverse sweep over the forward function are changed by the operators of `check.mistakes`; each
changed derivation is evaluated at the inputs of the example, and one that gives the wrong numbers is then proved.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from backproof.calculus.interpreter import evaluate_expr
from backproof.calculus.sweep import adjoint_name
from backproof.check.code.backward_trace import BackwardTrace
from backproof.check.code.literals import Text
from backproof.check.code.proofs import LOSS, NOTHING, READINGS, System, ratio
from backproof.check.code.truth import Trace
from backproof.check.mistakes import MISTAKES, Mistake, made
from backproof.check.sites import Site
from backproof.errors import BackproofError
from backproof.language.expression import Apply, Expr, Tensor, apply, mul, one, postorder, tensor
from backproof.language.program import Definition, Program
from backproof.language.walks import count, inline, names, rewrite
from backproof.proof.folding import Folder
from backproof.proof.verdict import Kind

SECONDS: Final = 0.7
"""How long the search for exact diagnoses of one backward function may take, in the time of the process."""

AGREES: Final = 1e-7
MOST_PROOFS: Final = 8
MOST_FOUND: Final = 4
MOST_PARTS: Final = 60
"""How many parts an equation may have that is brought to its shortest form."""
SCALES: Final = frozenset({"sign", "factor", "batch-scale", "bias-reduction", "wrong-reduction"})
"""Mistakes that are one number on the whole gradient."""


@dataclass(frozen=True, slots=True)
class Exact:
    """A mistake that is proved to give the formula of the code; `scale` says that it is a number on the whole."""

    mistake: Mistake | None
    scale: Expr | None = None

    def explains(self, name: str) -> bool:
        """Whether it is the mistake of this name."""
        return name in SCALES if self.mistake is None else name == self.mistake.name


def explain(
    trace: Trace, backward: BackwardTrace, wrong: Sequence[str], *, text: Text = NOTHING, seconds: float = SECONDS
) -> dict[str, list[Exact]]:
    """The mistakes that are proved to explain wrong gradients, as far as they can be followed and the time allows."""
    shapes = {n.name: n.shape for n in trace.nodes if n.op == "input"}
    found: dict[str, list[Exact]] = {}
    deadline = time.process_time() + seconds
    for name in wrong:
        if name not in backward.outputs or backward.outputs[name].shape != shapes.get(name):
            continue
        for reading in READINGS:
            if name in found or time.process_time() > deadline:
                break
            try:
                system = System.of(trace, backward, [name], reading, deadline, text)
                system.recognise()
                hits = list(Search(system, name, deadline).hits())
            except (BackproofError, ValueError, IndexError, KeyError, ArithmeticError, RecursionError):
                # Without a formula there is no exact diagnosis; that of the numbers stands.
                break
            if hits:
                found[name] = hits
    return found


@dataclass
class Search:
    """The search for the mistake of one gradient."""

    system: System
    name: str
    deadline: float

    @cached_property
    def adjoint(self) -> Definition:
        return self.system.program.by_name[adjoint_name(LOSS, self.name)]

    @cached_property
    def claim(self) -> Expr:
        return self.system.claimed(self.name, self.adjoint)

    @cached_property
    def given(self) -> Any:
        return np.asarray(self._value(self.claim, self.system.arrays), dtype=float)

    @cached_property
    def chain(self) -> dict[str, Definition]:
        """The adjoints on the way to the gradient that the code does not have as they are, from the loss on."""
        found: dict[str, Definition] = {}
        wanted = [self.adjoint.name]
        while wanted:
            name = wanted.pop()
            if name in self.system.brief.by_name and name not in found:
                # As the sweep gives it, with its slopes.
                definition = found[name] = self.system.raw.get(name, self.system.brief.by_name[name])
                wanted += [n for n in names(definition.body) if n.startswith("∂")]
        return {d.name: found[d.name] for d in self.system.program.definitions if d.name in found}

    @property
    def late(self) -> bool:
        return time.process_time() > self.deadline

    def hits(self) -> Iterator[Exact]:
        """A number on the whole, or else single mistakes."""
        truth = np.asarray(self._value(self.adjoint.head, self.system.arrays), dtype=float)
        number = ratio(self.given, truth)
        if number is not None:
            scale = self.system.number(number)
            if self.system.decided(mul(scale, self.adjoint.head), self.claim).kind is Kind.PROVED:
                yield Exact(None, scale)
            return
        proofs = 0
        found: set[str] = set()
        for equation, entry, body, detail in self._mutants():
            if self.late or proofs >= MOST_PROOFS:
                return
            if entry.name in found:
                continue
            value = self._changed(equation, body)
            if value is None or not self._agrees(value):
                continue
            proofs += 1
            if self._proved(equation, body):
                yield Exact(made(entry, detail))
                found.add(entry.name)
                if len(found) >= MOST_FOUND:
                    return

    def _mutants(self) -> Iterator[tuple[Definition, Any, Expr, str]]:
        seen: set[tuple[str, Expr]] = set()
        for equation in (*reversed(self.chain.values()), *self._folded()):
            site = self._site(equation)
            for entry in MISTAKES:
                for change in entry.changes(site):
                    if self.late:
                        return
                    if (equation.name, change.body) not in seen and change.body.free <= frozenset(equation.indices):
                        seen.add((equation.name, change.body))
                        yield equation, entry, change.body, change.detail

    def _folded(self) -> Iterator[Definition]:
        """The equation of the gradient with all others put in, in its shortest form."""
        others = {n: (d.indices, d.body) for n, d in self.chain.items() if n != self.adjoint.name}
        body = self.adjoint.body
        while not names(body).isdisjoint(others):
            body = inline(body, others)
            if count(body) > MOST_PARTS or self.late:
                return
        yield replace(self.adjoint, body=Folder(self.system.brief).fold(body))

    def _site(self, equation: Definition) -> Site:
        target = equation.name.removeprefix(f"∂{LOSS}/∂")
        forward = [d for d in self.system.program.definitions if not d.name.startswith("∂")]
        functions = {
            node.name
            for d in forward
            for node in postorder(d.body)
            if isinstance(node, Apply) and len(node.args) == 1 and isinstance(node.args[0], Tensor)
            if node.args[0].name == target
        }
        at = tensor(target, *equation.indices)
        slopes = tuple(apply(name, at, orders=(1,)) for name in sorted(functions))
        return Site(self.system.program, equation, target, self._batch, None, slopes, None, None)

    @cached_property
    def _batch(self) -> str | None:
        inputs = self.system.program.inputs
        return next((sorts[0] for name, sorts in inputs.items() if name in ("x", "X") and sorts), None)

    def _value(self, expr: Expr, arrays: Mapping[str, Any]) -> Any:
        with np.errstate(all="ignore"):
            return evaluate_expr(expr, arrays, indices=self.adjoint.indices, sizes=self.system.lengths)

    def _changed(self, equation: Definition, body: Expr) -> Any:
        """The gradient at the inputs of the example, when one equation of its derivation is changed."""
        arrays = dict(self.system.arrays)
        moved: set[str] = set()
        try:
            with np.errstate(all="ignore"):
                for definition in self.chain.values():
                    own = body if definition.name == equation.name else definition.body
                    if definition.name == equation.name or not names(own).isdisjoint(moved):
                        arrays[definition.name] = evaluate_expr(
                            own, arrays, indices=definition.indices, sizes=self.system.lengths
                        )
                        moved.add(definition.name)
        except (BackproofError, ValueError, ArithmeticError):
            return None
        return np.asarray(arrays[self.adjoint.name], dtype=float)

    def _agrees(self, value: Any) -> bool:
        scale = float(np.max(np.abs(self.given), initial=0.0))
        return bool(np.all(np.isfinite(value)) and np.max(np.abs(value - self.given), initial=0.0) <= AGREES * scale)

    def _proved(self, equation: Definition, body: Expr) -> bool:
        """Whether the changed derivation is the formula of the code; its equations get names of their own."""
        apart = {name: f"{name}~" for name in self.chain}

        def moved(expr: Expr) -> Expr:
            return rewrite(
                expr,
                lambda n: tensor(apart[n.name], *n.indices) if isinstance(n, Tensor) and n.name in apart else None,
            )

        changed = [
            Definition(apart[d.name], d.indices, moved(body if d.name == equation.name else d.body))
            for d in self.chain.values()
        ]
        return self._decided(self.system.brief.extended(changed), moved(self.adjoint.head))

    def _decided(self, program: Program, head: Expr) -> bool:
        whole = replace(self.system, program=program)
        whole.brief = program
        return whole.decided(head, mul(one, self.claim)).kind is Kind.PROVED
