"""Conditions: indicators and case distinctions, as steps and Kronecker deltas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from backproof.errors import FormulaError
from backproof.language.expression import Expr, add, apply, delta, mul
from backproof.language.notation import Cases, Indicator, Notation, Relation, RelationSign, Words
from backproof.language.reading import Reader, Steps, bare, letter_of
from backproof.language.shapes import Typed

_OTHERWISE: Final = frozenset({"otherwise", "else", "if otherwise", "sonst", "elsewhere", "other"})


def read_indicator(reader: Reader, node: Indicator) -> Steps:
    """[z > 0]: 1 where the relation holds, else 0."""
    result = yield from _condition(reader, node.condition)
    return result


def read_comparison(reader: Reader, node: Relation) -> Steps:
    """Z > 0 where a value is expected, as in code: its indicator."""
    if any(sign not in ("<", "≤", ">", "≥") for sign in node.signs):
        raise FormulaError("an equation stands where a value is expected", next="put a condition in brackets: [i = j]")
    reader.note("a comparison read as 1 where it holds, else 0")
    result = yield from _condition(reader, node)
    return result


def read_cases(reader: Reader, node: Cases) -> Steps:
    """A case distinction: each value times its indicator; the last condition may be absent."""
    values: list[Typed] = []
    conditions: list[Typed | None] = []
    for value, condition in node.cases:
        values.append((yield value))
        if condition is None or _is_otherwise(condition):
            conditions.append(None)
        else:
            conditions.append((yield from _condition(reader, condition)))
    if None in conditions[:-1]:
        raise FormulaError("only the last case may be without a condition")
    given = [c for c in conditions if c is not None]
    exprs, shape = reader.elementwise([*values, *given], "the shapes of the cases do not fit")
    return replace(shape, expr=_combined(exprs[: len(values)], exprs[len(values) :]))


def _combined(values: Sequence[Expr], conditions: Sequence[Expr]) -> Expr:
    terms = [mul(c, v) for c, v in zip(conditions, values, strict=False)]
    if len(values) > len(conditions):
        terms.append(mul(*(add(1, mul(-1, c)) for c in conditions), values[-1]))
    return add(*terms)


def _condition(reader: Reader, node: Notation) -> Steps:
    """The indicator of a relation, or of a chain of relations."""
    relation = bare(node)
    if not isinstance(relation, Relation):
        raise FormulaError(
            "a condition must be a relation", place=reader.source.place(node), expected="a condition such as z > 0"
        )
    found: list[Typed] = []
    for left, sign, right in zip(relation.sides, relation.signs, relation.sides[1:], strict=False):
        first, second = letter_of(left), letter_of(right)
        if sign in ("=", "≠") and first is not None and second is not None:
            found.append(_letters_equal(reader, first, second, equal=sign == "="))
            continue
        a = yield left
        b = yield right
        exprs, shape = reader.elementwise((a, b), "the shapes in a condition do not fit")
        found.append(replace(shape, expr=_indicator(reader, relation, sign, exprs[0], exprs[1])))
    exprs, shape = reader.elementwise(found, "the shapes in a condition do not fit")
    return replace(shape, expr=mul(*exprs))


def _indicator(reader: Reader, node: Notation, sign: RelationSign, left: Expr, right: Expr) -> Expr:
    match sign:
        case ">":
            return apply("step", add(left, mul(-1, right)))
        case "<":
            return apply("step", add(right, mul(-1, left)))
        case "≥":
            return add(1, mul(-1, apply("step", add(right, mul(-1, left)))))
        case "≤":
            return add(1, mul(-1, apply("step", add(left, mul(-1, right)))))
        case _:
            raise FormulaError(
                f"the condition {sign} between numbers cannot be read",
                place=reader.source.place(node),
                expected="<, ≤, > or ≥, or = between two index letters",
            )


def _letters_equal(reader: Reader, first: str, second: str, *, equal: bool) -> Typed:
    left, right = reader.letter(first), reader.letter(second)
    reader.run_over(left, right.sort, "the condition")
    same = delta(left, right)
    return Typed(same if equal else add(1, mul(-1, same)))


def _is_otherwise(node: Notation) -> bool:
    inner = bare(node)
    return isinstance(inner, Words) and inner.text.strip(" ,.;").lower() in _OTHERWISE
