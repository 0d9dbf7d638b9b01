"""Conditions of a verdict, as formulas that a person can read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from backproof import catalog
from backproof.language.expression import Expr, tensor
from backproof.language.notating import notate
from backproof.language.notation import Big, Entry, Notation, Number, Power, Relation, RelationSign, Symbol, Transposed
from backproof.language.program import Assumption, Program
from backproof.language.text import write
from backproof.proof.verdict import Condition

ZERO = Number(Fraction(0))
ONE = Number(Fraction(1))


def condition_notation(condition: Condition, program: Program) -> Notation:
    """A condition as people write it: Σ y = 1, z ≠ 0, 0 < a < 1."""
    if condition.assumption is not None:
        return assumption_notation(condition.assumption, program)
    assert condition.expr is not None
    subject = _shown(condition.expr, program)
    match condition.kind:
        case "positive":
            return Relation((subject, ZERO), (">",))
        case "nonzero" | "kink":
            return Relation((subject, ZERO), ("≠",))
        case "size" | "equals":
            return Relation((subject, Number(condition.value or Fraction(0))), ("=",))
        case "in-unit-interval":
            return Relation((ZERO, subject, ONE), ("<", "<"))
        case _:
            raise TypeError(f"a condition without its assumption: {condition.kind}")


def assumption_notation(assumption: Assumption, program: Program) -> Notation:
    """An assumption about a named tensor as people write it."""
    name = notate(tensor(assumption.tensor), program=program, symbols=catalog.symbols())
    signs: tuple[RelationSign, ...] = ("=",)
    match assumption.property:
        case "unit-sum":
            return Relation((_total(name, len(program.sorts(assumption.tensor)), assumption.axis or 0), ONE), signs)
        case "positive":
            return Relation((name, ZERO), (">",))
        case "nonzero":
            return Relation((name, ZERO), ("≠",))
        case "in-unit-interval":
            return Relation((ZERO, name, ONE), ("<", "<"))
        case "symmetric":
            return Relation((Transposed(name), name), signs)
        case "binary":
            return Relation((Power(name, Number(Fraction(2))), name), signs)
        case "plus-minus-one":
            return Relation((Power(name, Number(Fraction(2))), ONE), signs)
        case "equals":
            return Relation((name, Number(assumption.value or Fraction(0))), signs)


def _total(name: Notation, axes: int, axis: int) -> Notation:
    """The sum of a vector, or Σₖ Yₖₛ over one axis of a batch."""
    if axes == 1:
        return Big("sum", name)
    letters = tuple(Symbol("k" if k == axis else other) for k, other in zip(range(axes), "str", strict=False))
    return Big(
        "sum", Entry(name, letters) if not isinstance(name, Symbol) else replace(name, subscripts=letters), ("k",)
    )


def condition_text(condition: Condition, program: Program, *, ascii: bool = False) -> str:
    """The condition on one line: `sum(y) = 1`, `z ≠ 0`."""
    return write(condition_notation(condition, program), ascii=ascii)


def condition_texts(conditions: Iterable[Condition], program: Program) -> list[str]:
    """The conditions as lines of ASCII text, each once."""
    return list(dict.fromkeys(condition_text(c, program, ascii=True) for c in conditions))


def _shown(expr: Expr, program: Program) -> Notation:
    free = tuple(sorted(expr.free))
    return notate(expr, program=program, free=free, symbols=catalog.symbols(), style="index")
