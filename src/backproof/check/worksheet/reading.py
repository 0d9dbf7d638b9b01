"""Declarations of a worksheet: names, shapes and assumptions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from backproof.errors import BackproofError, FormulaError
from backproof.language.grammar import parse
from backproof.language.notation import (
    Big,
    Bracketed,
    Call,
    Entry,
    Negative,
    Notation,
    Number,
    Power,
    Quotient,
    Relation,
    Symbol,
    Transposed,
)
from backproof.language.program import Assumption, Property
from backproof.language.scope import label_text

_MEMBER: Final = re.compile(r"\s(?:in|∈|\\in)\s|∈|\\in\b|(?<!:):(?!=)")
_REALS: Final = re.compile(r"(?:\\mathbb\s*\{?\s*R\s*\}?|ℝ|\bR\b|\breal\b)\s*(?:\^|\*\*)?\s*")
_TIMES: Final = re.compile(r"\s*(?:×|\\times|\bx\b|\bby\b|\*|,)\s*")
_SUPERSCRIPT: Final = re.compile(r"[ⁿᵐᵏʰᵈ¹²³⁰-⁹]+")
_SIZE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_']*|[1-9][0-9]{0,8}")
_TRAILING: Final = re.compile(r"(.*?[A-Za-z])_?(\d+)")


def listed(text: str) -> Iterator[tuple[int, str]]:
    """The items of a list with commas between them, outside brackets, with their offsets."""
    depth = start = 0
    for at, char in enumerate(text + ","):
        depth += (char in "([{") - (char in ")]}")
        if (char == "," and depth <= 0) or char == ";" or at == len(text):
            item = text[start:at]
            if item.strip():
                yield start + len(item) - len(item.lstrip()), item.strip()
            start = at + 1


def name_of(node: Notation) -> str | None:
    """The name of a program that a written symbol stands for: `W(1)` for W1, W_1 and W^{(1)}, `yhat` for ŷ.

    >>> name_of(Symbol("W1")), name_of(Symbol("y", accent="hat"))
    ('W(1)', 'yhat')
    """
    while isinstance(node, Bracketed):
        node = node.body
    if isinstance(node, Call) and not node.primes and node.power is None and len(node.arguments) == 1:
        label = label_text(node.arguments[0])
        base = name_of(node.function)
        return f"{base}({label})" if base and label and "(" not in base and _layer(label) else None
    if isinstance(node, Power):
        label, base = label_text(node.exponent), name_of(node.base)
        return f"{base}({label})" if base and label in ("l", "L") and "(" not in base else None
    if not isinstance(node, Symbol):
        return None
    base = node.name + (node.accent or "") + node.star
    label = label_text(node.label) if node.label is not None else None
    if node.label is not None and label is None:
        return None
    if label is not None:
        return f"{base}({label})" if not node.subscripts else None
    if node.subscripts:
        below = [label_text(s) for s in node.subscripts]
        if any(b is None for b in below):
            return None
        joined = "".join(b or "" for b in below)
        return f"{base}({joined})" if joined.isdigit() else f"{base}_{joined}"
    digits = _TRAILING.fullmatch(base) if node.accent is None else None
    return f"{digits[1]}({digits[2]})" if digits else base


def _layer(label: str) -> bool:
    return label.isdigit() or label[0] in "lL"


def declared(text: str) -> tuple[str, tuple[str, ...], bool]:
    """A name with its shape, and whether it is a row: `x in R^n`, `W : h × n`, `b[h]`, `eps`."""
    parts = _MEMBER.split(text, maxsplit=1)
    if len(parts) == 2:
        name, sizes = parts[0].strip(), shape(parts[1])
    else:
        bracket = re.fullmatch(r"(.*?)\s*\[([^\[\]]*)\]", text)
        name, sizes = (bracket[1], shape(bracket[2])) if bracket else (text, ())
    key = name_of(parse(name))
    if key is None:
        raise FormulaError("this is not a name", expected="a name such as x, W1 or W^{(1)}", got=repr(name)[:60])
    row = len(sizes) == 2 and sizes[0] == "1"
    kept = tuple(s for s in sizes if s != "1") if len(sizes) == 2 else sizes
    return key, kept, row


def shape(text: str) -> tuple[str, ...]:
    """The sizes of a written shape.

    >>> shape("R^{h x n}"), shape("ℝ^n"), shape("(m, 10)"), shape("scalar")
    (('h', 'n'), ('n',), ('m', '10'), ())
    """
    inner = _REALS.sub("", text.strip(), count=1).strip()
    if inner.lower() in ("", "scalar", "number", "1"):
        return ()
    inner = inner.strip("(){}[] ")
    sizes = tuple(part.strip("{}$ ").replace("\\_", "_") for part in _TIMES.split(inner) if part.strip("{}$ "))
    if not 1 <= len(sizes) <= 3 or not all(_SIZE.fullmatch(s) for s in sizes):
        raise FormulaError(
            "this shape cannot be read", expected="a shape such as R^n, R^{h×n}, [h, n] or scalar", got=repr(text)[:60]
        )
    return sizes


_WORDS: Final[dict[str, tuple[Property, ...]]] = {
    "one-hot": ("unit-sum", "binary"),
    "binary": ("binary",),
    "positive": ("positive",),
    "nonzero": ("nonzero",),
    "symmetric": ("symmetric",),
    "a distribution": ("unit-sum",),
    "a probability": ("in-unit-interval",),
}
_IN_WORDS: Final = re.compile(rf"(.+?)\s+(?:is\s+)?({'|'.join(_WORDS)})\s*")


def assumptions(text: str, *, rows: bool = False) -> tuple[tuple[Notation, Property, int | None, Fraction | None], ...]:
    """What an assumption says: the tensor, its property, the axis and the value.

    >>> assumptions("sum(y) = 1")[0][1:]
    ('unit-sum', 0, None)
    """
    words = _IN_WORDS.fullmatch(text.strip())
    if words:
        node = parse(words[1])
        return tuple((node, p, 0 if p == "unit-sum" else None, None) for p in _WORDS[words[2]])
    node = parse(text)
    found = _property(node, rows=rows) if isinstance(node, Relation) else None
    if found is None:
        raise FormulaError(
            "this assumption cannot be used",
            expected="sum(y) = 1, x > 0, x != 0, 0 < p < 1, y in {0, 1}, A^T = A, eps = 0, or: y is one-hot",
            got=repr(text)[:60],
        )
    return (found,)


def _property(node: Relation, *, rows: bool) -> tuple[Notation, Property, int | None, Fraction | None] | None:
    match node:
        case Relation((Big("sum", body) as total, Number(value)), ("=",)) if value == 1:
            axis = total.axis if total.axis is not None else 1 if rows else 0
            return _bare(body), "unit-sum", axis, None
        case Relation((Transposed(inner), other), ("=",)) if inner == other:
            return inner, "symmetric", None, None
        case Relation((other, Transposed(inner)), ("=",)) if inner == other:
            return inner, "symmetric", None, None
        case Relation((body, Number(value)), (">",)) if value == 0:
            return _bare(body), "positive", None, None
        case Relation((body, Number(value)), ("≠",)) if value == 0:
            return _bare(body), "nonzero", None, None
        case Relation((Number(low), body, Number(high)), ("<", "<")) if (low, high) == (0, 1):
            return _bare(body), "in-unit-interval", None, None
        case Relation((body, Call(Symbol("set"), values)), ("∈",)):
            numbers = {_number(v) for v in values}
            if numbers == {0, 1}:
                return _bare(body), "binary", None, None
            if numbers == {-1, 1}:
                return _bare(body), "plus-minus-one", None, None
            return None
        case Relation((body, right), ("=",)) if (value := _number(right)) is not None:
            return _bare(body), "equals", None, value
        case _:
            return None


def _bare(node: Notation) -> Notation:
    """The tensor whose entries the formula speaks of: y for y_k and sum_k y_k."""
    while isinstance(node, Bracketed):
        node = node.body
    if isinstance(node, Entry):
        return node.body
    if isinstance(node, Symbol) and node.subscripts and all(_letter(s) for s in node.subscripts):
        return Symbol(node.name, (), node.label, node.accent, node.star)
    return node


def _letter(node: Notation) -> bool:
    return isinstance(node, Symbol) and len(node.name) == 1


def _number(node: Notation) -> Fraction | None:
    match node:
        case Number(value):
            return value
        case Negative(body):
            inner = _number(body)
            return None if inner is None else -inner
        case Quotient(Number(top), Number(bottom)) if bottom:
            return top / bottom
        case _:
            return None


def assumed(tensor: str, what: Property, axis: int | None, value: Fraction | None) -> Assumption:
    """The assumption about a named tensor. Raises FormulaError for a value that is no assumption."""
    try:
        return Assumption(tensor, what, axis, value)
    except BackproofError:
        raise FormulaError("this assumption cannot be used") from None
