"""Lessons: a derivation as passages of lines, each a formula with its reason and verdict, ready for any printer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

from backproof import catalog
from backproof.calculus.network import Network
from backproof.catalog import Layer
from backproof.check.wording import condition_notation
from backproof.language.expression import Add, Apply, Expr, add, apply, postorder, tensor
from backproof.language.notating import notate
from backproof.language.notation import Big, Notation, Number, Plus, Product, Relation, Symbol
from backproof.language.program import Program
from backproof.language.walks import names
from backproof.proof.derivation import Derivation, Equation
from backproof.proof.layer_derivation import LayerDerivation
from backproof.proof.verdict import Kind, Verdict


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a passage: left = notation, why it follows, and what was decided about it."""

    left: Notation
    notation: Notation
    why: str
    verdict: Kind
    conditions: tuple[Notation, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """One equation: the lines that lead to it, and the last of them as its result.

    `general` is the form that needs no condition, where the result needs one. `because` says what stopped the proof
    of a result that is not proved.
    """

    name: str
    heading: str
    lines: tuple[Line, ...]
    general: Notation | None = None
    because: str | None = None

    @property
    def result(self) -> Line:
        """The last line."""
        return self.lines[-1]

    @property
    def equation(self) -> Notation:
        """The last line as an equation."""
        return Relation((self.result.left, self.result.notation), ("=",))

    def shows_left(self, at: int) -> bool:
        """Whether a line shows its left side: the first one, and where it is written in another way than above."""
        return at == 0 or self.lines[at].left != self.lines[at - 1].left


@dataclass(frozen=True, slots=True)
class Lesson:
    """A network or layer in words, its definitions, and its passages."""

    title: str
    given: tuple[Notation, ...]
    passages: tuple[Passage, ...]


def lesson(derivation: Derivation | LayerDerivation) -> Lesson:
    """The lesson of a derivation."""
    if isinstance(derivation, LayerDerivation):
        return _layer_lesson(derivation)
    network, symbols = derivation.network, catalog.symbols()
    given = tuple(notate(d, program=network.program, symbols=symbols) for d in network.program.definitions)
    if network.symbolic_depth and network.regulariser is not None:
        given = (*given[:-1], _objective(network))
    functions = tuple(_definitions(network.program))
    passages = (_passage(derivation.program, e, heading(e.name, network.last)) for e in derivation.equations)
    return Lesson(network.describe(), given + functions, tuple(passages))


def _objective(network: Network) -> Notation:
    """J of a network of any depth: the program of the last layer has its own penalty, all layers have one each."""
    last, hidden = (section.program for section in network.sections)
    symbols = catalog.symbols()
    whole = last.by_name["J"]
    data = replace(whole, body=add(*(t for t in _terms(whole.body) if "W(L)" not in names(t))))
    [own] = (t for t in _terms(hidden.by_name["J"].body) if names(t) & {"W(l)"} and "∂J/∂Z(l+1)" not in names(t))
    penalty = notate(own, program=hidden, symbols=symbols)
    *scale, squares = penalty.factors if isinstance(penalty, Product) else (penalty,)
    over_layers = Big("sum", squares, ("l",), Number(Fraction(1)), Symbol("L"))
    equation = cast("Relation", notate(data, program=last, symbols=symbols))
    loss = equation.sides[-1]
    terms = loss.terms if isinstance(loss, Plus) else ((1, loss),)
    objective = Plus((*terms, (1, Product("", (*scale, over_layers)))))
    return replace(equation, sides=(*equation.sides[:-1], objective))


def _terms(body: Expr) -> tuple[Expr, ...]:
    return body.terms if isinstance(body, Add) else (body,)


def _layer_lesson(derivation: LayerDerivation) -> Lesson:
    layer, program = derivation.layer, catalog.layer_program(derivation.layer)
    given = tuple(notate(d, program=program, symbols=catalog.symbols()) for d in program.definitions)
    passages = (_passage(derivation.program, e, _layer_heading(layer, e.target)) for e in derivation.equations)
    arriving = " and ".join(f"{catalog.arriving(r)} at {r}" for r in layer.results)
    takes = "; ".join(f"{o.name}: {o.meaning}" for o in layer.operands if o.role == "given")
    title = f"{layer.name}; the gradient that arrives is {arriving}" + (f"; {takes}" if takes else "")
    return Lesson(title, given + tuple(_definitions(program)), tuple(passages))


def _layer_heading(layer: Layer, target: str) -> str:
    operand = catalog.operand(layer, target)
    if operand is None:
        return "result of the layer" if target in layer.results else "inside the layer"
    return operand.meaning or ("learnt" if operand.role == "parameter" else "what the layer takes")


def _definitions(program: Program) -> Iterator[Notation]:
    """What the catalogue says of the functions that a program applies, in the order of their use."""
    applied = (n for d in program.definitions for n in postorder(d.body) if isinstance(n, Apply))
    for name in dict.fromkeys(node.name for node in applied):
        if catalog.function(name) is not None and not catalog.is_axiom(name):
            parameters, body = catalog.scalar_definition(name)
            sides = (apply(name, *(tensor(p) for p in parameters)), body)
            left, right = (notate(side, symbols=catalog.symbols()) for side in sides)
            yield Relation((left, right), ("=",))


def _passage(program: Program, equation: Equation, heading: str) -> Passage:
    symbols = catalog.symbols()

    def conditions(verdict: Verdict) -> tuple[Notation, ...]:
        found = (condition_notation(c, program) for c in verdict.open_conditions)
        return tuple(dict.fromkeys(found))

    general = None
    if equation.general is not None:
        right = notate(equation.general, program=program, free=equation.indices, symbols=symbols)
        general = Relation((equation.left, right), ("=",))
    return Passage(
        equation.name,
        heading,
        tuple(Line(s.left, s.notation, s.why, s.verdict.kind, conditions(s.verdict)) for s in equation.steps),
        general,
        equation.verdict.because if equation.verdict.kind is not Kind.PROVED else None,
    )


def heading(name: str, last: str) -> str:
    """What an equation is about, in words; `last` is the label of the last layer.

    >>> heading("dW2", "3"), heading("delta_3", "3")
    ('weights of layer 2', 'error of the last layer')
    """
    found = re.fullmatch(r"(delta_|dW|db|d)(.+)", name)
    assert found is not None, name
    kind, label = found.groups()
    layer = "the last layer" if label in (last, "L") else f"layer {label}"
    match kind:
        case "delta_":
            return f"error of {layer}"
        case "dW":
            return f"weights of {layer}"
        case "db":
            return f"biases of {layer}"
        case _:
            return "input of the network"
