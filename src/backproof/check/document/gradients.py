"""Gradients by all variables at once: ∇f of f(x, y) as the row of its partial derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from backproof.check.document.marks import number
from backproof.check.document.substitution import Known
from backproof.check.document.vectors import numbered
from backproof.check.worksheet.reading import name_of
from backproof.language.notation import Call, Derivative, Matrix, Notation, Number, Relation, Symbol, Words
from backproof.language.traversal import fold, with_parts


def gradients_written_out(node: Relation, definitions: Mapping[str, Sequence[Known]]) -> Relation:
    """∇f by the variables of f(x, y): the row of partial derivatives, or for f(w) the gradient by w."""

    def written(side: Notation, inside: tuple[Notation, ...] = ()) -> Notation:
        side = with_parts(side, inside) if inside else side
        inner = side.function if isinstance(side, Call) and isinstance(side.function, Derivative) else side
        call = side if inner is not side else inner.of if isinstance(inner, Derivative) else None
        if isinstance(call, Call) and any(number(a) is not None for a in call.arguments):
            return side
        if isinstance(inner, Derivative) and inner.style == "nabla" and isinstance(inner.wrt, Words) and inner.of:
            of = inner.of.function if isinstance(inner.of, Call) else inner.of
            versions = definitions.get(name_of(of) or "")
            parameters = versions[-1].parameters if versions else None
            if parameters and len(parameters) > 1 and inside == ():
                row = tuple(Derivative(of, Symbol(p), span=side.span) for p in parameters)
                return Matrix((row,), span=side.span)
            if versions and parameters and len(parameters) == 1 and inside:
                head = versions[-1].head
                if places := numbered(versions[-1].body, parameters[0]):
                    symbols = (Symbol(parameters[0], (Number(Fraction(k)),)) for k in places)
                    return Matrix((tuple(Derivative(of, s, span=side.span) for s in symbols),), span=side.span)
                wrt = head.arguments[0] if isinstance(head, Call) else Symbol(parameters[0])
                return replace(inner, of=of, wrt=wrt, span=side.span)
        return side

    sides = (fold(s, written) for s in node.sides)
    return replace(node, sides=tuple(written(s) for s in sides))
