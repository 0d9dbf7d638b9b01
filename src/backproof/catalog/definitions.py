"""Definitions: the texts of the catalogue as expressions, each read once, when it is first needed."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import Final

from backproof.catalog.entry import Axiom, Entry
from backproof.catalog.lookup import function, spelled
from backproof.errors import FormulaError, UnknownNameError
from backproof.language.elaboration import FunctionMeaning, Scope, elaborate
from backproof.language.expression import Expr, Exprlike, apply
from backproof.language.grammar import parse
from backproof.language.program import Definition, Program

AXIS: Final = "n"


@cache
def scalar_definition(name: str) -> tuple[tuple[str, ...], Expr]:
    """The parameters of an elementwise function and its definition in them; hyperparameters are scalars of their name.

    Raises UnknownNameError for a function without a definition: an axiom, an abstract function, or none at all.

    >>> scalar_definition("silu")
    (('u',), u*sigmoid(u))
    """
    entry = _entry(name)
    if not entry.definition:
        raise UnknownNameError(f"{name} has no definition", expected="a function defined from others", got="an axiom")
    return entry.parameters, _read(entry, entry.definition)


@cache
def slope(name: str) -> tuple[tuple[str, ...], Expr]:
    """The parameters of an axiom and its stated slope. Raises UnknownNameError for what is no axiom.

    >>> slope("atan")
    (('u',), (u^2 + 1)^(-1))
    """
    entry = _entry(name)
    if not isinstance(entry, Axiom):
        raise UnknownNameError(f"{name} is no axiom: its slope follows from its definition")
    return entry.parameters, _read(entry, entry.slope)


@cache
def vector_definition(entry: Entry) -> Definition:
    """The definition of an entry that takes vectors; its parameters have one axis of the sort n.

    An activation's definition has one index, a loss's has none.
    """
    if entry.elementwise:
        raise UnknownNameError(f"{entry.name} is elementwise", expected="a function of vectors")
    body = _read(entry, entry.definition)
    return Definition(entry.name, tuple(body.free), body)


def applied(name: str, *arguments: Exprlike, order: int = 0) -> Expr:
    """A function of the catalogue by its name, differentiated by its first argument.

    >>> from backproof.language.expression import tensor
    >>> applied("sigmoid", tensor("z"), order=1)
    sigmoid'(z)
    """
    entry = _entry(name)
    return apply(entry.name, *arguments, orders=(order, *(0 for _ in arguments[1:])))


def _entry(name: str) -> Entry:
    entry = function(name)
    if entry is None:
        raise UnknownNameError(f"{name} has no definition in the catalogue", got=name[:40])
    return entry


def _read(entry: Entry, text: str) -> Expr:
    sorts = () if entry.elementwise else (AXIS,)
    inputs = dict.fromkeys(entry.parameters, sorts)
    inputs |= {hyperparameter.name: () for hyperparameter in entry.hyperparameters}
    readings = elaborate(parse(text), Scope(Program(inputs), functions=function_meanings()), text, entry.name)
    if len(readings[0].sides) != 1:
        raise FormulaError(f"the definition of {entry.name} is not one formula", got=text)
    return readings[0].sides[0].expr


@cache
def function_meanings() -> MappingProxyType[str, FunctionMeaning]:
    """What every written name of a function of the catalogue means."""
    return MappingProxyType(
        {written: FunctionMeaning(e.name, arity=len(e.parameters)) for written, e in spelled().items()}
    )
