"""Big operators: Σ, Π, max, min and mean, over indices with bounds or over all entries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from backproof.language.notation import (
    Big,
    BigKind,
    Bracketed,
    Call,
    Indicator,
    Matrix,
    Notation,
    Number,
    Power,
    Product,
    Relation,
    Symbol,
    Transposed,
)
from backproof.language.parsing.brackets import arguments, group, listed
from backproof.language.parsing.cursor import JUXTAPOSED, PRODUCT, SUM, TIGHT, Cursor
from backproof.language.parsing.postfix import axis_of, is_option

KINDS: Final[dict[str, BigKind]] = {
    "Σ": "sum",
    "Π": "prod",
    "sum": "sum",
    "prod": "prod",
    "max": "max",
    "min": "min",
    "mean": "mean",
    "sup": "max",
}


@dataclass(slots=True)
class _Bounds:
    indices: list[str] = field(default_factory=list[str])
    lower: Notation | None = None
    upper: Notation | None = None
    without: list[Notation] = field(default_factory=list[Notation])


def big(p: Cursor, level: int) -> Notation:
    """A big operator; `level` says how far its body reaches."""
    bounds = _Bounds()
    braced = False
    if p.is_kind("command"):
        p.step()
        _lower(p, bounds)
        braced = p.took("{")
    token = p.step()
    if braced:
        p.step()
    kind = KINDS[token.text]
    word = token.kind == "name"
    while p.is_sign("_", "^", "'"):
        if p.took("_"):
            _lower(p, bounds)
        elif p.is_sign("'"):
            raise p.error("a prime hangs on a function's name only")
        else:
            p.step()
            bounds.upper = _script(p)
    if word and p.is_sign("(", "\\{") and not (bounds.indices and _reaches_further(p, kind, level)):
        return _of_arguments(p, kind, bounds, token.text, token.start)
    if not p.starts_factor() and not p.is_sign("-"):
        if word or token.text in "ΣΠ":
            return _bare(p, kind, bounds, token.start)
        raise p.error(p.unexpected(), expected=f"what {token.text} runs over")
    if word and kind in ("max", "min"):
        body = p.expression(JUXTAPOSED) if level < TIGHT else p.operand(TIGHT)
    elif level >= TIGHT:
        body = p.expression(JUXTAPOSED)
    elif p.lexer.text and kind in ("sum", "prod") and "sums" in p.lexer.swaps:
        body = p.expression(SUM)
    else:
        body = p.expression(PRODUCT)
        if p.is_sign("+", "-") and kind == "sum":
            p.asks("sums")
    return _made(p, kind, body, bounds, token.start)


def _reaches_further(p: Cursor, kind: BigKind, level: int) -> bool:
    """Whether the parentheses after sum_k are a part of its body: sum_k (a_k − y_k)^2 c_k is read as it is with Σ."""
    here, p.at = p.at, p.mate() + 1
    beyond = p.is_sign("^") or (kind == "sum" and level < TIGHT and p.starts_factor())
    p.at = here
    return beyond


def stands_here(p: Cursor) -> bool:
    """Whether a big operator stands here, plain or as \\underset{i}{\\max}."""
    token = p.token
    if token.kind == "command" and token.text == "underset" and p.peek().text == "{":
        at = p.mate(p.at + 1) + 1
        token = p.tokens[at]
        if token.text == "{" and p.mates[at] == at + 2:
            token = p.tokens[at + 1]
    if token.kind == "sign":
        return token.text in ("Σ", "Π")
    return token.kind == "name" and token.text in KINDS and not token.accent


def _made(p: Cursor, kind: BigKind, body: Notation, bounds: _Bounds, start: int, axis: int | None = None) -> Big:
    return Big(
        kind,
        body,
        tuple(bounds.indices),
        bounds.lower,
        bounds.upper,
        tuple(bounds.without),
        axis,
        span=p.span(start),
    )


def _bare(p: Cursor, kind: BigKind, bounds: _Bounds, start: int) -> Notation:
    """The name of the operator alone, as in a sentence; Σ may be the name of a matrix."""
    if bounds.indices or bounds.lower is not None:
        raise p.error(p.unexpected(), expected="what the sum runs over")
    name = {"sum": "Sigma", "prod": "Pi"}.get(kind, kind) if p.text[start : start + 1] in "ΣΠ" else kind
    symbol = Symbol(name, span=p.span(start))
    if bounds.upper is None:
        return symbol
    if isinstance(bounds.upper, Symbol) and bounds.upper.name == "T":
        return Transposed(symbol, span=p.span(start))
    return Power(symbol, bounds.upper, span=p.span(start))


def _of_arguments(p: Cursor, kind: BigKind, bounds: _Bounds, name: str, start: int) -> Notation:
    """sum(x), sum_k(p_k g_k), max(0, z), mean(x, axis=0)."""
    given = list(arguments(p))
    axis: int | None = None
    for node in [n for n in given if is_option(n)]:
        given.remove(node)
        axis = axis_of(node) if axis is None else axis
    if not given:
        raise p.error(f"{name} has no argument", p.tokens[p.at - 1], expected="an argument in the parentheses")
    if len(given) > 1:
        symbol = Symbol(name, span=(start, start + len(name)))
        return Call(symbol, tuple(given), span=p.span(start))
    return _made(p, kind, given[0], bounds, start, axis)


def _script(p: Cursor) -> Notation:
    """A bound above the operator."""
    if p.is_sign("{", "("):
        inner = group(p)
        return inner.body if isinstance(inner, Bracketed) else inner
    if p.is_kind("name", "number"):
        token = p.step()
        if token.kind == "name":
            return Symbol(token.text, accent=token.accent, span=p.span(token.start))
        p.at -= 1
    return p.operand(TIGHT)


def _lower(p: Cursor, bounds: _Bounds) -> None:
    """What stands below: k, k = 1, j ≠ i, 1 ≤ i ≤ n, i, j."""
    start = p.token
    p.indexing += 1
    if p.is_sign("{", "("):
        stop = p.mate()
        p.step()
        if p.is_kind("command") and p.token.text == "substack":
            p.step()
            inner = p.mate()
            p.step()
            items, _ = listed(p, inner)
            p.close(inner)
        else:
            items, _ = listed(p, stop)
        p.close(stop)
    else:
        items = [_script(p)]
    p.indexing -= 1
    for item in items:
        _bound(p, item, bounds, start.start)
    if not items:
        raise p.error("nothing stands below the sign", start, expected="an index, such as k or k = 1")


def _bound(p: Cursor, item: Notation, bounds: _Bounds, start: int) -> None:
    while isinstance(item, Indicator | Bracketed):
        item = item.condition if isinstance(item, Indicator) else item.body
    match item:
        case Symbol():
            bounds.indices.append(_index(p, item))
        case Product("", factors):
            bounds.indices += [_index(p, f) for f in factors]
        case Matrix((row,)):
            bounds.indices += [_index(p, f) for f in row]
        case Relation((Symbol() as index, value), ("=",)):
            bounds.indices.append(_index(p, index))
            bounds.lower = value
        case Relation((Symbol() as index, value), ("≠",)):
            name = _index(p, index)
            if name not in bounds.indices:
                bounds.indices.append(name)
            bounds.without.append(value)
        case Relation((low, Symbol() as index, high), ("≤" | "=", "≤")):
            bounds.indices.append(_index(p, index))
            bounds.lower, bounds.upper = low, high
        case Relation((Symbol() as index, *_), _):
            name = _index(p, index)
            if name not in bounds.indices:
                bounds.indices.append(name)
            bounds.lower = item
        case _:
            raise p.error(
                "this cannot stand below a sum",
                p.tokens[p.at - 1]._replace(start=start),
                expected="an index, such as k, k = 1 or j ≠ i",
            )


def _index(p: Cursor, node: Notation) -> str:
    """The name of an index: i, k', i_1."""
    match node:
        case Symbol(name, (), None, None, ""):
            return name
        case Symbol(name, (Number(value),), None, None, "") if value.denominator == 1:
            return f"{name}{value}"
        case _:
            raise p.error(
                "this is not an index", p.tokens[p.at - 1]._replace(start=node.span[0]), expected="a letter, such as k"
            )
