"""Definitions as a document gives them, and calls of defined functions put in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backproof.check.document.forms import free_letters
from backproof.check.document.marks import Bold
from backproof.check.worksheet.reading import name_of
from backproof.language.notation import Big, Bracketed, Call, Entry, Norm, Notation, Symbol, Transposed
from backproof.language.traversal import fold, pieces_of, with_parts


@dataclass(frozen=True, slots=True)
class Known:
    """A definition as the document gives it: `name(parameters) = body`, from the formula `text`."""

    name: str
    head: Notation
    parameters: tuple[str, ...] | None
    body: Notation
    text: str
    bold: Bold
    order: int


def substituted(known: Known, arguments: Sequence[Notation]) -> Notation | None:
    """The body of a function with the arguments of a call, where it is one of vectors or has parameters of its own.

    None for a function of numbers alone: it stays a call, so that its slopes keep their names.
    """
    if known.parameters is None or len(known.parameters) != len(arguments):
        return None
    of_vectors = any(isinstance(n, Transposed | Norm) for n in pieces_of(known.body))
    others = {name_of(n) for n in pieces_of(known.body) if isinstance(n, Symbol)} - {*known.parameters, "e", "pi"}
    functions = {name_of(n.function) for n in pieces_of(known.body) if isinstance(n, Call)}
    if not of_vectors and not set(known.parameters) & known.bold.whole and not others - functions:
        return None
    bound = {i for n in pieces_of(known.body) if isinstance(n, Big) for i in n.indices}
    if any(free_letters(a) & bound for a in arguments):
        return None
    values = dict(zip(known.parameters, arguments, strict=True))

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        if not isinstance(node, Symbol):
            return with_parts(node, inside)
        plain = replace(node, subscripts=())
        value = values.get(name_of(node) or "")
        if value is not None:
            return value if isinstance(value, Symbol) else Bracketed(value)
        value = values.get(name_of(plain) or "") if node.subscripts else None
        if isinstance(value, Symbol):
            return replace(value, subscripts=(*value.subscripts, *node.subscripts))
        return node if value is None else Entry(Bracketed(value), node.subscripts)

    return Bracketed(fold(known.body, rule))
