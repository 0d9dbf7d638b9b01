"""Lessons: a derivation as passages of lines, each a formula with its reason and verdict, ready for any printer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backproof import catalog
from backproof.check.wording import condition_notation
from backproof.language.notating import notate
from backproof.language.notation import Notation, Relation
from backproof.language.program import Program
from backproof.proof.derivation import Derivation, Equation
from backproof.proof.verdict import Kind, Verdict


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a passage: the right side, why it follows, and what was decided about it."""

    notation: Notation
    why: str
    verdict: Kind
    conditions: tuple[Notation, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """One equation: its left side, the lines that lead to it, and the last of them as its result.

    `general` is the form that needs no condition, where the result needs one. `because` says what stopped the proof
    of a result that is not proved.
    """

    name: str
    heading: str
    left: Notation
    lines: tuple[Line, ...]
    general: Notation | None = None
    because: str | None = None

    @property
    def result(self) -> Line:
        """The last line."""
        return self.lines[-1]

    @property
    def equation(self) -> Notation:
        """Left = result."""
        return Relation((self.left, self.result.notation), ("=",))


@dataclass(frozen=True, slots=True)
class Lesson:
    """A network in words, its definitions, and its passages."""

    title: str
    given: tuple[Notation, ...]
    passages: tuple[Passage, ...]


def lesson(derivation: Derivation) -> Lesson:
    """The lesson of a derivation."""
    network, symbols = derivation.network, catalog.symbols()
    given = tuple(notate(d, program=network.program, symbols=symbols) for d in network.program.definitions)
    return Lesson(network.describe(), given, tuple(_passage(derivation, e) for e in derivation.equations))


def _passage(derivation: Derivation, equation: Equation) -> Passage:
    symbols = catalog.symbols()

    def conditions(verdict: Verdict) -> tuple[Notation, ...]:
        found = (condition_notation(c, derivation.program) for c in verdict.open_conditions)
        return tuple(dict.fromkeys(found))

    general = None
    if equation.general is not None:
        right = notate(equation.general, program=derivation.program, free=equation.indices, symbols=symbols)
        general = Relation((equation.left, right), ("=",))
    return Passage(
        equation.name,
        heading(equation.name, derivation.program),
        equation.left,
        tuple(Line(s.notation, s.why, s.verdict.kind, conditions(s.verdict)) for s in equation.steps),
        general,
        equation.verdict.because if equation.verdict.kind is not Kind.PROVED else None,
    )


def heading(name: str, program: Program) -> str:
    """What an equation is about, in words.

    >>> heading("dW2", Program())
    'weights of layer 2'
    """
    found = re.fullmatch(r"(delta_|dW|db|d)(.+)", name)
    assert found is not None, name
    kind, label = found.groups()
    last = label == "L" or (f"a({label})" not in program.by_name and f"A({label})" not in program.by_name)
    layer = "the last layer" if label == "L" and last else f"layer {label}"
    match kind:
        case "delta_":
            return f"error of {layer}"
        case "dW":
            return f"weights of {layer}"
        case "db":
            return f"biases of {layer}"
        case _:
            return "input of the network"
