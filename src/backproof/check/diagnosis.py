"""Diagnosis: the simplest mistakes that reproduce a wrong claim exactly.

Every equation on the way from the loss to the claimed gradient is changed by one or two of the usual mistakes, and the
result compared with the claim in floating point; what agrees is then proved equal to the claim. Numbers only choose
what to prove.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name
from backproof.calculus.unfolding import derivative
from backproof.check.mistakes import (
    EXTRA_TERM,
    FACTOR,
    HIDDEN_CONDITION,
    LATE_MISTAKES,
    MISTAKES,
    Entry,
    Mistake,
    made,
)
from backproof.check.points import Point, agree, constant_ratio, ratio_of, rational
from backproof.check.sites import Site, plainly, shown
from backproof.errors import BackproofError, LimitError
from backproof.language.expression import (
    Apply,
    Expr,
    Index,
    Tensor,
    add,
    apply,
    fresh,
    mul,
    num,
    one,
    postorder,
    power,
    size,
    sum_over,
    tensor,
)
from backproof.language.program import Definition, Program
from backproof.language.walks import inline, names, rewrite
from backproof.proof.deciding import decide
from backproof.proof.folding import Folder, weight
from backproof.proof.verdict import Budget, Kind, Verdict

SECONDS: Final = 1.0
_NO_CONDITIONS: Final = Budget(condition_seconds=0)
SCALES: Final = frozenset({"sign", "batch-scale", "bias-reduction", "wrong-reduction", "factor"})
MAX_PROOFS: Final = 12
MAX_FOUND: Final = 4


@dataclass(frozen=True, slots=True)
class Mutant:
    """One equation changed by one mistake."""

    mistake: Mistake
    target: str
    body: Expr

    @property
    def changes(self) -> dict[str, Expr]:
        """The changed equation by its name."""
        return {self.target: self.body}


def diagnose(
    network: Network, program: Program, left: Tensor, right: Expr, verdict: Verdict
) -> tuple[tuple[Mistake, ...], ...]:
    """Explanations of a refuted claim ∂J/∂t = right, the simplest first, each one mistake or several together."""
    found: list[tuple[Mistake, ...]] = []
    for conditions in verdict.hidden_conditions[:1]:
        from backproof.check.wording import condition_text

        shown = " and ".join(condition_text(c, program) for c in conditions)
        found.append((made(HIDDEN_CONDITION, shown),))
    search = Search(network, program, left, right)
    try:
        explained = list(search.explanations())
    except LimitError:
        explained = []
    return tuple(dict.fromkeys((*explained, *found)))[:MAX_FOUND]


@dataclass
class Search:
    """The search for mistakes that turn the derivation of ∂J/∂t into a given claim."""

    network: Network
    program: Program
    left: Tensor
    right: Expr

    @cached_property
    def target(self) -> str:
        return self.left.name.removeprefix("∂J/∂")

    @cached_property
    def batch(self) -> str | None:
        if not self.network.batch:
            return None
        return self.program.sorts("Y")[1 if self.network.layout == "columns" else 0]

    @cached_property
    def equations(self) -> Mapping[str, Definition]:
        """The adjoints on the way from the loss to the target, latest first, in the form that people write."""
        chain: dict[str, Definition] = {}
        wanted = [self.left.name]
        while wanted:
            name = wanted.pop()
            definition = self.program.by_name.get(name)
            if definition is None or name in chain:
                continue
            chain[name] = self._as_written(definition)
            wanted += [n for n in names(definition.body) if n.startswith("∂")]
        order = [d.name for d in self.program.definitions if d.name in chain]
        return {name: chain[name] for name in order}

    def _as_written(self, definition: Definition) -> Definition:
        """Softmax-like Jacobians as Σ ∂J/∂a ∂a/∂z, and the loss's own slope folded into names."""
        target = definition.name.removeprefix("∂J/∂")
        if target[0] in "zZ":
            activation = self.program.by_name.get(("A" if self.network.batch else "a") + target[1:])
            if activation is not None and not isinstance(activation.body, Apply):
                return replace(definition, body=self._jacobian_form(definition, activation, target))
        if target[0] in "aA" and self._is_output(target):
            return replace(definition, body=self.folder.fold(definition.body))
        return definition

    def _is_output(self, target: str) -> bool:
        return target.partition("(")[2].rstrip(")") == self.network.last

    def _jacobian_form(self, definition: Definition, activation: Definition, target: str) -> Expr:
        axis = 1 if len(definition.indices) == 2 and self.network.layout != "columns" else 0
        unit = definition.indices[axis]
        own = fresh(unit)
        others = tuple(own if k == axis else i for k, i in enumerate(definition.indices))
        body = inline(tensor(activation.name, *others), {activation.name: (activation.indices, activation.body)})
        slope = self.folder.fold(derivative(body, target, definition.indices))
        return sum_over(own, mul(tensor(adjoint_name("J", activation.name), *others), slope))

    @cached_property
    def folder(self) -> Folder:
        return Folder(self.program)

    @cached_property
    def numbers(self) -> Point:
        return Point(self.program)

    @cached_property
    def claim(self) -> np.ndarray:
        return self.numbers.value(self.right, self.indices)

    @cached_property
    def indices(self) -> tuple[Index, ...]:
        return tuple(i for i in self.left.indices)

    def site(self, equation: Definition) -> Site:
        target = equation.name.removeprefix("∂J/∂")
        slope: Expr | None = None
        if target[0] in "zZ":
            activation = self.program.by_name.get(("A" if self.network.batch else "a") + target[1:])
            if activation is not None and isinstance(activation.body, Apply):
                slope = apply(activation.body.name, tensor(target, *equation.indices), orders=(1,))
            elif activation is not None:
                head = tensor(activation.name, *equation.indices)
                slope = mul(head, add(one, mul(-1, head)))
        big = self.network.batch
        label = f"({self.network.last})" if self.network.last else ""
        prediction = tensor(("A" if big else "a") + label)
        penalty = self.network.regulariser
        if penalty is not None:
            penalty = mul(penalty, self._scale())
        return Site(
            self.program, equation, target, self.batch, penalty, slope,
            prediction, tensor("Y" if big else "y"),
        )  # fmt: skip

    def _scale(self) -> Expr:
        return power(size(self.batch), -1) if self.batch and self.network.reduction.startswith("mean") else one

    def mutants(self, equation: Definition, entries: Sequence[Entry] = MISTAKES) -> Iterator[Mutant]:
        site = self.site(equation)
        seen: set[Expr] = {equation.body}
        for entry in entries:
            for body, detail in entry.changes(site):
                if body not in seen and body.free <= frozenset(equation.indices):
                    seen.add(body)
                    yield Mutant(made(entry, detail), equation.name, body)

    def folded(self) -> Definition:
        """The target's equation in its shortest form, which is what a person starts from."""
        equation = self.equations[self.left.name]
        opened = equation.body
        for name in reversed(tuple(self.equations)):
            target = name.removeprefix("∂J/∂")
            if name != self.left.name and target[0] not in "zZ":
                opened = inline(opened, {name: (self.equations[name].indices, self.equations[name].body)})
        return replace(equation, body=self.folder.fold(opened))

    def explanations(self) -> Iterator[tuple[Mistake, ...]]:
        seen: set[tuple[Mistake, ...]] = set()
        found = 0
        for candidate in self._candidates():
            if candidate.mistakes in seen:
                continue
            seen.add(candidate.mistakes)
            if len(seen) > MAX_PROOFS or found >= MAX_FOUND:
                return
            if self._proved(candidate):
                yield candidate.mistakes
                found += 1

    def _candidates(self) -> Iterator[_Candidate]:
        """Systems whose numbers agree with the claim: a factor, one mistake, one with a factor, two mistakes."""
        truth = self.numbers.value(self.left, self.indices)
        scale = self._scale_between(truth)
        scaled = [] if scale is None else [_Candidate({}, (self._scale_mistake(scale),), scale)]
        values = [(m, v) for m in self._singles() if (v := self._value(m.changes)) is not None]
        exact = [_Candidate(m.changes, (m.mistake,), None) for m, value in values if agree(value, self.claim)]
        yield from (*scaled, *exact)
        if scaled or exact:
            return
        late = [m for e in self.equations.values() for m in self.mutants(e, LATE_MISTAKES)]
        values += [(m, v) for m in late if (v := self._value(m.changes)) is not None]
        yield from (_Candidate(m.changes, (m.mistake,), None) for m, v in values if agree(v, self.claim))
        term = self._extra_term(truth)
        if term is not None:
            yield term
        for mutant, value in values:
            scale = self._scale_between(value)
            if scale is not None:
                yield _Candidate(mutant.changes, (mutant.mistake, self._scale_mistake(scale)), scale)
        yield from self._pairs(distinct(values))

    def _singles(self) -> Iterator[Mutant]:
        for equation in (*self.equations.values(), self.folded()):
            yield from self.mutants(equation)

    def _pairs(self, singles: Sequence[Mutant]) -> Iterator[_Candidate]:
        """Two mistakes, and two with a factor, until the time is up; pure factors are left to the comparison."""
        deadline = time.monotonic() + SECONDS
        chosen = [m for m in singles if m.mistake.name not in SCALES]
        for number, first in enumerate(chosen):
            base = replace(self.equations[first.target], body=first.body)
            others = [m for m in chosen[number + 1 :] if m.target != first.target]
            again = (m for m in self.mutants(base) if m.mistake.name not in SCALES)
            for second in itertools.chain(others, again):
                if time.monotonic() > deadline:
                    return
                changes = {**first.changes, **second.changes}
                value = self._value(changes)
                if value is None:
                    continue
                if agree(value, self.claim):
                    yield _Candidate(changes, (first.mistake, second.mistake), None)
                    continue
                scale = self._scale_between(value)
                if scale is not None:
                    yield _Candidate(changes, (first.mistake, second.mistake, self._scale_mistake(scale)), scale)

    def _extra_term(self, truth: np.ndarray) -> _Candidate | None:
        rest = self.claim - truth
        sorts = tuple(i.sort for i in self.indices)
        for name in self.program.names:
            if self.program.sorts(name) == sorts and not name.startswith("∂"):
                term = tensor(name, *self.indices)
                ratio = constant_ratio(rest, self.numbers.value(term, self.indices))
                if ratio is not None:
                    changed = add(self.equations[self.left.name].body, mul(ratio, term))
                    shown = name if ratio == 1 else f"{ratio}·{name}"
                    return _Candidate({self.left.name: changed}, (made(EXTRA_TERM, shown),), None)
        return None

    def _scale_between(self, value: np.ndarray) -> Expr | None:
        """The constant times powers of sizes that takes the value to the claim; None for 1 and where there is none."""
        ratio = ratio_of(self.claim, value)
        if ratio is None:
            return None
        sorts = [s for s in self.numbers.sizes if not s.isdigit()]
        found: list[tuple[int, Expr]] = []
        for count in range(min(3, len(sorts) + 1)):
            for chosen in itertools.combinations(sorts, count):
                for powers in itertools.product((-1, 1), repeat=count):
                    factor = math.prod(self.numbers.sizes[s] ** p for s, p in zip(chosen, powers, strict=True))
                    constant = rational(ratio / factor)
                    if constant is not None:
                        scale = mul(constant, *(power(size(s), p) for s, p in zip(chosen, powers, strict=True)))
                        found.append((abs(constant.numerator) + constant.denominator + 3 * count, scale))
        if not found:
            return None
        simplest_scale = min(found, key=lambda pair: pair[0])[1]
        return None if simplest_scale is one else simplest_scale

    def _scale_mistake(self, scale: Expr) -> Mistake:
        by_name = {entry.name: entry for entry in MISTAKES}
        if scale is num(-1):
            return made(by_name["sign"], "the whole right side")
        within = set(postorder(scale))
        sorts = {sort for sort in self.numbers.sizes if size(sort) in within}
        if self.batch in sorts:
            name = "bias-reduction" if self.target.startswith("b") else "batch-scale"
            return made(by_name[name], f"a factor {shown(scale)} too much")
        inverse = power(scale, -1)
        if weight(inverse) < weight(scale):
            says, fix = f"a factor {shown(inverse)} is missing", f"multiply by {shown(inverse)}"
            return Mistake(FACTOR.name, plainly(scale), says, fix)
        return Mistake(FACTOR.name, plainly(scale), f"a factor {shown(scale)} too much", f"divide by {shown(scale)}")

    def _value(self, changes: Mapping[str, Expr]) -> np.ndarray | None:
        try:
            return self.numbers.changed(self.equations, changes, self.left, self.indices)
        except BackproofError:
            return None

    def _proved(self, candidate: _Candidate) -> bool:
        """Whether the changed system gives exactly the claim; changed equations get new names, so that the claim's own
        names keep their true meaning.
        """
        apart = {name: f"{name}~" for name in self.equations}

        def moved(expr: Expr) -> Expr:
            return rewrite(
                expr,
                lambda n: tensor(apart[n.name], *n.indices) if isinstance(n, Tensor) and n.name in apart else None,
            )

        definitions = [
            Definition(apart[name], d.indices, moved(candidate.changes.get(name, d.body)))
            for name, d in self.equations.items()
        ]
        scale = candidate.scale if candidate.scale is not None else one
        claimed = mul(scale, moved(self.left))
        program = self.program.extended(definitions)
        verdict = decide(program, claimed, self.right, admissible=self.network.admissible, budget=_NO_CONDITIONS)
        return verdict.kind is Kind.PROVED


@dataclass(frozen=True)
class _Candidate:
    changes: Mapping[str, Expr]
    mistakes: tuple[Mistake, ...]
    scale: Expr | None


def distinct(values: Sequence[tuple[Mutant, np.ndarray]]) -> list[Mutant]:
    """One mutant for each different value, the first of them."""
    kept: dict[bytes, Mutant] = {}
    for mutant, value in values:
        size_of = float(np.abs(value).max(initial=0)) or 1.0
        kept.setdefault(np.round(value / size_of, 9).tobytes() + str(round(math.log(size_of), 6)).encode(), mutant)
    return list(kept.values())
