"""Proving: both sides are brought to one normal form, names opened only as far as they are needed.

A name that is not opened stands for any value at all, so that what is proved holds for its real value too. The order in
which names are opened decides between milliseconds and never: first adjoints that the claim does not mention, latest
first; then forward names, from the output backwards; last the adjoints that the claim itself is written in.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from backproof.algebra import Algebra, OutOfBudget, Poly, Undefined
from backproof.errors import LimitError
from backproof.language.expression import Expr, add, mul
from backproof.language.program import Assumption
from backproof.language.walks import inline, names
from backproof.proof.axiomatic import Axiomatic
from backproof.proof.recognition import Recognition

MAX_OPENED: Final = 60
AT_ONCE: Final = 4
"""So many adjoints are opened before the difference is brought to its normal form again."""

MAX_ATOMS: Final = 60_000
"""An algebra with more atoms than this is given up for a new one."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What an attempt gave: proved or not, the definitions it opened, what stopped it, and where."""

    proved: bool
    used: tuple[str, ...] = ()
    because: str | None = None
    difference: Expr | None = None


class Prover:
    """Proves claims about one program, under fixed assumptions."""

    def __init__(self, program: Axiomatic, assumptions: Sequence[Assumption] = ()) -> None:
        self.program = program
        self.assumptions = tuple(assumptions)
        self._recognition = Recognition(program)
        self._algebra: Algebra | None = None

    def algebra(self, seconds: float, terms: int) -> Algebra:
        """The algebra of these assumptions, with this much time for its next call."""
        if self._algebra is None or len(self._algebra.atoms) > MAX_ATOMS:
            self._algebra = Algebra(self.assumptions)
        limits = self._algebra.meter.limits
        self._algebra.meter.limits = replace(limits, seconds=max(seconds, 0.0), terms=terms)
        return self._algebra

    def prove(self, left: Expr, right: Expr, deadline: float, terms: int) -> Proof:
        """Try to prove two formulas in axioms equal wherever both have a value."""
        attempt = _Attempt(self, add(left, mul(-1, right)), self._kept(left, right), deadline, terms)
        return attempt.run()

    def recognised(self, formula: Expr, algebra: Algebra) -> Expr:
        """The formula in the program's names, as far as they can be found in it."""
        return self._recognition.named(formula, algebra)

    def _kept(self, left: Expr, right: Expr) -> frozenset[str]:
        """The adjoints that the claim is written in: all that it mentions but the one that is computed last."""
        position = self.program.position
        mentioned = [n for n in names(left, right) if n.startswith("∂") and n in position]
        mentioned.sort(key=position.__getitem__)
        return frozenset(mentioned[:-1])


@dataclass(slots=True)
class _Attempt:
    prover: Prover
    difference: Expr
    kept: frozenset[str]
    deadline: float
    terms: int

    def run(self) -> Proof:
        claimed = self.difference
        used: list[str] = []
        recognised = False
        while True:
            algebra = self.prover.algebra(self.deadline - time.monotonic(), self.terms)
            try:
                poly = algebra.normal(self.difference)
                name = self._next(algebra.tensors(poly), used) if poly else None
                # While an adjoint stands in the difference that the claim does not mention, only what cancels by itself
                # is 0; it is opened anyway.
                zero, stopped = (not poly, None) if self._is_foreign(name) else self._is_zero(poly, algebra)
                if zero:
                    return Proof(proved=True, used=tuple(used))
                if not recognised and not self._is_foreign(name):
                    recognised = True
                    named = self.prover.recognised(claimed, algebra)
                    if named is not claimed:
                        self.difference = named
                        self._open(used, used)
                        continue
            except LimitError as error:
                return self._stopped(used, error.what)
            except Undefined as error:
                return self._stopped(used, f"a formula has no value: {error.what}")
            if name is None:
                return self._stopped(used, stopped or "the difference of the sides does not reduce to 0")
            if time.monotonic() > self.deadline:
                return self._stopped(used, "the time for the proof ran out")
            self._open_with(name, used)

    def _open_with(self, name: str, used: list[str]) -> None:
        """Open a name, and after an adjoint that the claim does not mention a few others of that kind."""
        used.append(name)
        self._open([name], used)
        for _ in range(AT_ONCE - 1):
            if not self._is_foreign(name):
                return
            following = self._next(names(self.difference), used)
            if following is None or not self._is_foreign(following):
                return
            used.append(following)
            self._open([following], used)

    def _is_foreign(self, name: str | None) -> bool:
        """Whether the name is an adjoint that the claim does not mention."""
        return name is not None and name.startswith("∂") and name not in self.kept

    def _is_zero(self, poly: Poly, algebra: Algebra) -> tuple[bool, str | None]:
        try:
            return algebra.is_zero(poly), None
        except OutOfBudget as error:
            return False, error.what

    def _open(self, new: Sequence[str], used: Sequence[str]) -> None:
        """Replace new names by their definitions, and the used ones that come in with them."""
        program = self.prover.program
        while new:
            definitions = {n: program.definition(n) for n in new}
            self.difference = inline(self.difference, {n: (d.indices, d.body) for n, d in definitions.items()})
            found = names(self.difference) if len(new) > 1 else program.uses(new[0])
            new = [n for n in used if n in found]

    def _next(self, found: set[str], used: list[str]) -> str | None:
        position = self.prover.program.position
        candidates = [n for n in found if n in position and n not in used]
        forward = [n for n in candidates if not n.startswith("∂")]
        adjoints = [n for n in candidates if n.startswith("∂") and n not in self.kept]
        for group in (adjoints, forward if len(used) < MAX_OPENED else [], candidates):
            if group:
                return max(group, key=position.__getitem__)
        return None

    def _stopped(self, used: list[str], because: str) -> Proof:
        return Proof(proved=False, used=tuple(used), because=because, difference=self.difference)
