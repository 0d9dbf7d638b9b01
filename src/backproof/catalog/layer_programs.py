"""Layers as programs: the equations of an entry, read once, and a loss that lets any gradient arrive at its results.

J = Σ G ⊙ y with a given G has ∂J/∂y = G. By the chain rule the gradients of this J are those of every J whose gradient
at y is G.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from backproof.catalog.definitions import function_meanings
from backproof.catalog.layers import Layer, Operand
from backproof.errors import FormulaError
from backproof.language.elaboration import FunctionMeaning, Scope, elaborate
from backproof.language.expression import Expr, Index, add, mul, sum_over, tensor
from backproof.language.grammar import parse
from backproof.language.program import Definition, Program

_EQUATION: Final = re.compile(r"([A-Za-z]\w*?)(?:_([a-z]+))? = (.+)")
_ABSTRACT: Final = {"f": FunctionMeaning("f")}
LOSS: Final = "J"


def arriving(result: str) -> str:
    """The name of the gradient that arrives at a result.

    >>> arriving("y")
    'Gy'
    """
    return f"G{result}"


@cache
def layer_program(layer: Layer) -> Program:
    """The definitions of a layer, with the loss J = Σ G ⊙ result; what is given and G are inputs too.

    >>> from backproof.catalog.lookup import find_layer
    >>> [d.name for d in layer_program(find_layer("rms-norm")).definitions]
    ['v', 'r', 'y', 'J']
    """
    inputs = {o.name: o.sorts for o in layer.operands}
    program = Program(dict(inputs), (), layer.assumptions, row_vectors=True)
    for equation in layer.equations:
        program = program.extended((_definition(layer, program, equation),))
    gradients = {arriving(r): program.sorts(r) for r in layer.results}
    loss = Definition(LOSS, (), add(*(_paired(program.by_name[r]) for r in layer.results)))
    return Program({**inputs, **gradients}, (*program.definitions, loss), layer.assumptions, row_vectors=True)


def operand(layer: Layer, name: str) -> Operand | None:
    """What the layer takes under this name, if it is one of its operands."""
    return next((o for o in layer.operands if o.name == name), None)


def _definition(layer: Layer, program: Program, equation: str) -> Definition:
    found = _EQUATION.fullmatch(equation)
    if found is None:
        raise FormulaError(f"an equation of {layer.name} does not read name_indices = formula", got=equation)
    name, letters, text = found.groups()
    # A name of the layer (its gates f and g) wins over the function that is written by the same letter.
    abstract = {k: v for k, v in _ABSTRACT.items() if k not in program.names}
    scope = Scope(program, functions={**function_meanings(), **abstract}, losses=frozenset(), layouts="declared")
    side = elaborate(parse(text, known=program.names), scope, text, layer.name)[0].sides[0]
    free = {i.name: i for i in side.expr.free}
    if side.axes or set(free) != set(letters or ""):
        raise FormulaError(f"the indices of an equation of {layer.name} differ", expected=letters, got=", ".join(free))
    return Definition(name, tuple(free[letter] for letter in letters or ""), side.expr)


def _paired(definition: Definition) -> Expr:
    indices: tuple[Index, ...] = definition.indices
    return sum_over(indices, mul(tensor(arriving(definition.name), *indices), definition.head))
