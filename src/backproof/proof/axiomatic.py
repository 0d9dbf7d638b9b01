"""A program in axioms: its definitions unfolded one by one, when they are needed, and who uses whom."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from functools import cached_property

from backproof.calculus.unfolding import unfold
from backproof.language.program import Definition, Program
from backproof.language.walks import names
from backproof.proof.evaluation import Tape


class Axiomatic:
    """A view of a program. An input wins over a definition of the same name: it is what the name means."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._definitions: dict[str, Definition] = {}
        self._uses: dict[str, frozenset[str]] = {}
        self._tapes: dict[str, Tape] = {}
        self._branches: dict[str, bool] = {}
        self._sums: dict[str, bool] = {}

    @cached_property
    def position(self) -> dict[str, int]:
        """The place of every definition in the program; inputs are not in it."""
        inputs = self.program.inputs
        return {d.name: k for k, d in enumerate(self.program.definitions) if d.name not in inputs}

    @cached_property
    def sorts(self) -> tuple[str, ...]:
        """The sorts of all axes, in the order in which they first occur."""
        program = self.program
        found: dict[str, None] = {}
        for sorts in program.inputs.values():
            found.update(dict.fromkeys(sorts))
        for definition in program.definitions:
            found.update(dict.fromkeys(definition.sorts))
        return tuple(found)

    def definition(self, name: str) -> Definition:
        """A definition with its body in axioms."""
        found = self._definitions.get(name)
        if found is None:
            given = self.program.by_name[name]
            found = self._definitions[name] = Definition(name, given.indices, unfold(given.body))
        return found

    def uses(self, name: str) -> frozenset[str]:
        """The names in the body of a definition."""
        found = self._uses.get(name)
        if found is None:
            found = self._uses[name] = frozenset(names(self.definition(name).body))
        return found

    def tape(self, name: str) -> Tape:
        """The body of a definition, ready to be evaluated."""
        found = self._tapes.get(name)
        if found is None:
            found = self._tapes[name] = Tape.of(self.definition(name).body)
        return found

    def reach(self, roots: Iterable[str], known: Container[str] = ()) -> list[str]:
        """All names that the roots need, definitions after what they use; `known` ones are not followed."""
        done: set[str] = set()
        order: list[str] = []
        stack = [(name, False) for name in roots]
        while stack:
            name, ready = stack.pop()
            if name in done or name in known:
                continue
            if ready or name not in self.position:
                done.add(name)
                order.append(name)
                continue
            stack.append((name, True))
            stack.extend((used, False) for used in self.uses(name) if used not in done and used not in known)
        return order

    def branches(self, tape: Tape) -> bool:
        """Whether formulas have indicators, roots or maxima, in their own text or in a definition that they need."""
        return self._anywhere(tape, self._branches, lambda own: own.branches)

    def sums(self, tape: Tape) -> bool:
        """Whether formulas have sums or sizes, in their own text or in a definition that they need."""
        return self._anywhere(tape, self._sums, lambda own: own.sums)

    def _anywhere(self, tape: Tape, known: dict[str, bool], has: Callable[[Tape], bool]) -> bool:
        for name in self.reach(tape.names, known):
            defined = name in self.position
            known[name] = defined and (has(self.tape(name)) or any(known[used] for used in self.uses(name)))
        return has(tape) or any(known[name] for name in tape.names)
