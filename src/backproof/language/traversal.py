"""Walks over notation, with an explicit stack: no depth of a formula can break them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from backproof.language.notation import (
    Absolute,
    Big,
    Bracketed,
    Call,
    Cases,
    Derivative,
    Entry,
    Indicator,
    Marked,
    Matrix,
    Negative,
    Norm,
    Notation,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Relation,
    Symbol,
    Transposed,
    Words,
)

Result = TypeVar("Result")


def parts(node: Notation) -> tuple[Notation, ...]:
    """The notation directly inside `node`, in the order of its fields."""
    if type(node) is Symbol:
        return node.subscripts if node.label is None else (*node.subscripts, node.label)
    match node:
        case Number() | Words():
            return ()
        case Plus(terms):
            return tuple(term for _, term in terms)
        case Product(_, factors):
            return factors
        case Quotient(numerator, denominator):
            return numerator, denominator
        case Power(base, exponent):
            return base, exponent
        case Call(function, arguments, _, power):
            return (function, *arguments) if power is None else (function, *arguments, power)
        case Derivative(of, wrt):
            return (wrt,) if of is None else (of, wrt)
        case Big(_, body, _, lower, upper, without):
            return (body, *(bound for bound in (lower, upper) if bound is not None), *without)
        case Relation(sides):
            return sides
        case Indicator(condition):
            return (condition,)
        case Cases(cases):
            return tuple(part for case in cases for part in case if part is not None)
        case Entry(body, indices):
            return body, *indices
        case Matrix(rows):
            return tuple(entry for row in rows for entry in row)
        case Negative(body) | Transposed(body) | Absolute(body) | Norm(body) | Bracketed(body) | Marked(body):
            return (body,)
        case _:
            raise TypeError(f"not notation: {type(node).__name__}")


def with_parts(node: Notation, new: tuple[Notation, ...]) -> Notation:
    """The node with other parts, in the order of `parts`."""
    if not new:
        return node
    left = iter(new)

    def take(old: Notation | None) -> Notation | None:
        return None if old is None else next(left)

    def take_all(old: tuple[Any, ...]) -> tuple[Notation, ...]:
        return tuple(next(left) for _ in old)

    match node:
        case Symbol():
            return replace(node, subscripts=take_all(node.subscripts), label=take(node.label))
        case Plus(terms):
            return replace(node, terms=tuple((sign, next(left)) for sign, _ in terms))
        case Product(_, factors):
            return replace(node, factors=take_all(factors))
        case Quotient():
            return replace(node, numerator=next(left), denominator=next(left))
        case Power():
            return replace(node, base=next(left), exponent=next(left))
        case Call(_, arguments, _, power):
            return replace(node, function=next(left), arguments=take_all(arguments), power=take(power))
        case Derivative(of, _):
            return replace(node, of=take(of), wrt=next(left))
        case Big(_, _, _, lower, upper, without):
            return replace(node, body=next(left), lower=take(lower), upper=take(upper), without=take_all(without))
        case Relation(sides):
            return replace(node, sides=take_all(sides))
        case Indicator():
            return replace(node, condition=next(left))
        case Cases(cases):
            return replace(node, cases=tuple((next(left), take(condition)) for _, condition in cases))
        case Entry(_, indices):
            return replace(node, body=next(left), indices=take_all(indices))
        case Matrix(rows):
            return replace(node, rows=tuple(take_all(row) for row in rows))
        case Negative() | Transposed() | Absolute() | Norm() | Bracketed() | Marked():
            return replace(node, body=next(left))
        case _:
            raise TypeError(f"not notation: {type(node).__name__}")


def pieces_of(root: Notation) -> Iterator[Notation]:
    """Every piece of a formula, the whole first."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(parts(node))


def fold(root: Notation, rule: Callable[[Notation, tuple[Result, ...]], Result]) -> Result:
    """The result of `rule` at the root, where `rule` sees a node and the results of its parts."""
    done: dict[int, Result] = {}
    stack: list[tuple[Notation, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if id(node) in done:
            continue
        inside = parts(node)
        if ready or not inside:
            done[id(node)] = rule(node, tuple(done[id(part)] for part in inside))
        else:
            stack.append((node, True))
            stack.extend((part, False) for part in reversed(inside))
    return done[id(root)]


def extent(root: Notation) -> int:
    """How many pieces the notation has when it is written out; a shared piece counts each time."""

    def rule(_node: Notation, inside: tuple[int, ...]) -> int:
        return 1 + sum(inside)

    return fold(root, rule)
