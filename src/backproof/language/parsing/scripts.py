"""Scripts: what hangs on a name or a bracket: subscripts, layer labels, powers, transposes, stars and primes."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from backproof.language.letters import ACCENTS
from backproof.language.notation import (
    Bracketed,
    Call,
    Derivative,
    Entry,
    Indicator,
    Matrix,
    Negative,
    Notation,
    Number,
    Power,
    Product,
    Symbol,
    Transposed,
)
from backproof.language.parsing.brackets import is_condition, listed
from backproof.language.parsing.cursor import MAX_CHAIN, SUM, TIGHT, Cursor
from backproof.language.parsing.words import LABEL_LETTERS

SLICES: Final = frozenset({":", "·", "*", "⊙"})


@dataclass(slots=True)
class Scripts:
    """Everything that hangs on one name."""

    subscripts: list[Notation] = field(default_factory=list[Notation])
    labels: list[Notation] = field(default_factory=list[Notation])
    star: str = ""
    hat: bool = False
    primes: int = 0
    transposed: bool = False
    exponent: Notation | None = None
    lower_after_transpose: bool = False


def read_scripts(p: Cursor, *, labelled: bool = True, found: Scripts | None = None) -> Scripts:
    """All scripts that stand here, in any order. Without `labelled`, a superscript in parentheses is a power."""
    found = found or Scripts()
    while True:
        if p.is_sign("'") and (not p.token.spaced or p.lexer.latex):
            p.step()
            found.primes += 1
        elif p.took("_"):
            found.lower_after_transpose = found.transposed
            found.subscripts += subscripts(p)
        elif p.is_sign("^") and _is_hat(p):
            p.step()
            found.hat = True
        elif p.is_sign("^"):
            p.step()
            superscript(p, found, labelled=labelled)
        else:
            return found


def _is_hat(p: Cursor) -> bool:
    """Whether the ^ here is the hat of y^, with nothing raised after it."""
    following = p.peek()
    if p.token.spaced or p.token.start == p.token.end:
        return False
    if following.kind == "stop" or (
        following.kind == "sign" and following.text in (")", "]", "}", ",", ";", "=", "|", "/", ".")
    ):
        return True
    return following.kind == "sign" and following.spaced and following.text in ("+", "-", "*", "·", "⊙", "×", "@")


def subscripts(p: Cursor) -> tuple[Notation, ...]:
    """The subscripts after `_`: x_{ij} and x_{i,j} have two."""
    p.indexing += 1
    if p.is_sign("{", "("):
        stop = p.mate()
        p.step()
        items = _range(p, stop) or listed(p, stop)[0]
        p.close(stop)
    else:
        token = p.token
        if p.is_sign("+", "-"):
            p.step()
            items = [Symbol(token.text, span=p.span(token.start))]
        elif p.is_sign(*SLICES):
            p.step()
            items = [Symbol(":", span=p.span(token.start))]
        elif token.kind in ("name", "number", "words", "command"):
            items = [_single(p)]
        else:
            raise p.error(p.unexpected(), expected="a subscript")
    p.indexing -= 1
    return tuple(part for item in items for part in _apart(item))


def _range(p: Cursor, stop: int) -> list[Notation]:
    """A range 1:t, as one name, or nothing if none stands here; `+` alone as in (x)_+."""
    inside = p.tokens[p.at : stop]
    plain = all(t.kind in ("name", "number") or t.text in (":", "+", "-") for t in inside)
    ranged = len(inside) > 1 and any(t.text == ":" for t in inside)
    if not plain or not (ranged or (len(inside) == 1 and inside[0].text in ("+", "-"))):
        return []
    start = p.token.start
    p.at = stop
    return [Symbol("".join(t.text for t in inside), span=p.span(start))]


def _apart(item: Notation) -> tuple[Notation, ...]:
    """W_{ij} has the subscripts i and j."""
    match item:
        case Product("", factors) if all(isinstance(f, Symbol | Number) for f in factors):
            return factors
        case Derivative(None, Symbol() as second) if item.style == "prefix":
            # No differential stands below: W_{dk} has the subscripts d and k.
            return Symbol("d", span=item.span), second
        case Symbol("·" | "*" | "⊙"):
            return (Symbol(":", span=item.span),)
        case _:
            return (item,)


def _single(p: Cursor) -> Notation:
    """One name, number or command that is a script without braces."""
    token = p.token
    if token.kind == "command":
        return p.operand(TIGHT)
    p.step()
    span = p.span(token.start)
    if token.kind == "number":
        return Number(Fraction(token.text), span=span)
    if token.kind == "words":
        return Symbol("_".join(token.text.split()), span=span)
    return Symbol(token.text, accent=token.accent, span=span)


def superscript(p: Cursor, found: Scripts, *, labelled: bool) -> None:
    """What stands after `^`, added to the scripts."""
    token = p.token
    if p.is_sign("{"):
        stop = p.mate()
        p.step()
        if p.at == stop:
            raise p.error("nothing stands in this superscript", token, expected="an exponent, a label or T")
        p.inside.append("{")
        while p.at < stop:
            _raised(p, found, stop, labelled=labelled)
        p.inside.pop()
        p.close(stop)
    elif token.kind == "name" and token.text == "T" and token.accent is None:
        p.step()
        found.transposed = True
    elif p.took("'"):
        found.primes += 1
    elif p.is_sign("*") or (p.is_sign("+", "-") and not _operand_follows(p)):
        found.star = p.step().text
    elif p.is_sign("[") and labelled:
        found.labels.append(_label(p))
    elif p.is_sign("(") and labelled:
        if looks_like_label(p, p.at) != p.asks("labels"):
            found.labels.append(_label(p))
        else:
            _power(p, found, _chained(p))
    else:
        _power(p, found, _chained(p))


def _raised(p: Cursor, found: Scripts, stop: int, *, labelled: bool) -> None:
    """One part of a superscript in braces: a prime, T, a label, a star, or else an exponent up to the end."""
    token = p.token
    following = p.peek()
    ends = p.at + 1 == stop or (following.kind == "sign" and following.text in ("(", "[", "'", "*"))
    if p.took("^"):
        return
    if p.took("'"):
        found.primes += 1
    elif token.kind == "name" and token.text == "T" and token.accent is None and ends:
        p.step()
        found.transposed = True
    elif (labelled and p.is_sign("(", "[") and _label_ends(p, stop)) or (labelled and p.is_sign("⟨")):
        found.labels.append(_label(p))
    elif p.is_sign("<") and p.tokens[stop - 1].text == ">":
        p.step()
        found.labels.append(p.expression(SUM))
        p.expect(">")
    elif p.is_sign("*", "+", "-") and p.at + 1 == stop:
        found.star = p.step().text
    elif token.kind == "words":
        p.step()
        _power(p, found, Symbol("_".join(token.text.split()), span=p.span(token.start)))
    else:
        exponent: Notation | None = p.expression(SUM)
        while p.took(","):
            # a^{x,l}: a sample and a layer.
            found.labels += [] if exponent is None else [exponent]
            found.labels.append(p.expression(SUM))
            exponent = None
        if exponent is not None:
            _power(p, found, exponent)
        if p.at < stop and not p.is_sign("'", "*"):
            raise p.error(p.unexpected(), expected="an operator or }")


def _label_ends(p: Cursor, stop: int) -> bool:
    """Whether the bracket here is a whole label: the superscript ends behind it, or T, a prime or a label follows."""
    after = p.mate() + 1
    token = p.tokens[after]
    if after == stop:
        return True
    if token.kind == "name":
        return token.text == "T"
    return token.kind == "sign" and token.text in ("'", "(", "[", "*", "^")


def _label(p: Cursor) -> Notation:
    start = p.token.start
    stop = p.mate()
    p.step()
    items, _ = listed(p, stop)
    p.close(stop)
    if not items:
        raise p.error("nothing stands in this superscript", p.tokens[stop])
    return items[0] if len(items) == 1 else Matrix((tuple(items),), span=p.span(start))


def _operand_follows(p: Cursor) -> bool:
    """Whether the + or − of a superscript is the sign of an exponent."""
    following = p.peek()
    if following.spaced:
        return False
    return following.kind in ("number", "name", "command", "d") or (
        following.kind == "sign" and following.text in ("(", "[", "{", "√", "|open")
    )


def _chained(p: Cursor) -> Notation:
    """An exponent without braces; a tower 2^3^4 is 2^(3^4)."""
    tower: list[Notation] = []
    while True:
        start = p.token.start
        negative = p.took("-")
        if p.is_sign("("):
            part = _inside(p)
        elif p.is_kind("name", "number"):
            part = _exponent_name(p)
        else:
            part = p.operand(TIGHT)
        tower.append(Negative(part, span=p.span(start)) if negative else part)
        if len(tower) > MAX_CHAIN:
            raise p.too_deep(p.token)
        if not p.is_sign("^") or (p.peek().kind == "name" and p.peek().text == "T") or p.peek().text in ("'", "*"):
            break
        p.step()
    exponent = tower.pop()
    while tower:
        base = tower.pop()
        exponent = Power(base, exponent, span=(base.span[0], exponent.span[1]))
    return exponent


def _inside(p: Cursor) -> Notation:
    """The exponent in parentheses, which only group it."""
    node = p.operand(TIGHT) if p.tokens[p.mate() + 1].text == "!" else None
    if node is not None:
        return node
    stop = p.mate()
    p.step()
    items, _ = listed(p, stop)
    p.close(stop)
    if len(items) != 1:
        raise p.error("an exponent is one expression", p.tokens[stop], expected="one expression in the parentheses")
    return items[0]


def _exponent_name(p: Cursor) -> Notation:
    """A name or number as exponent; e^f(x) has the whole call in the exponent, W^l_{jk} only the l."""
    following = p.peek()
    euler = p.at >= 2 and p.tokens[p.at - 2].text in ("e", "exp") and p.tokens[p.at - 1].text == "^"
    if p.is_kind("name") and (euler or (following.text == "(" and not following.spaced and len(p.token.text) > 1)):
        return p.operand(TIGHT)
    return _single(p)


def _power(p: Cursor, found: Scripts, exponent: Notation) -> None:
    if found.exponent is not None:
        exponent = Product("", (found.exponent, exponent), span=p.span(found.exponent.span[0]))
    found.exponent = exponent


def looks_like_label(p: Cursor, at: int) -> bool:
    """Whether the bracket at `at` holds a layer, a sample or a step: (2), (l), (L-1), (i)."""
    inside = p.tokens[at + 1 : p.mates[at]]
    if not inside or len(inside) > 3:
        return False
    first = inside[0]
    if len(inside) == 1 and first.kind == "number":
        return first.text.isdigit()
    if first.kind != "name" or first.text not in LABEL_LETTERS or first.accent:
        return False
    return len(inside) == 1 or (
        len(inside) == 3 and inside[1].text in ("+", "-") and inside[2].kind == "number" and inside[2].text.isdigit()
    )


def labelled_symbol(
    p: Cursor, name: str, accent: str | None, base: Symbol | None, found: Scripts, start: int
) -> Symbol:
    """The name with its subscripts and its label. Of two labels, a^{[l](i)}, the first is a subscript."""
    if accent is None and found.subscripts and isinstance(mark := found.subscripts[0], Symbol) and mark.name in ACCENTS:
        accent = mark.name
        del found.subscripts[0]
    lower = [*(base.subscripts if base else ()), *(found.labels[:-1]), *found.subscripts]
    label = found.labels[-1] if found.labels else None
    if base is not None and base.label is not None:
        if label is not None:
            lower.insert(0, base.label)
        else:
            label = base.label
    star = found.star or (base.star if base else "")
    return Symbol(name, tuple(lower), label, "hat" if found.hat else accent, star, span=p.span(start))


def hung(p: Cursor, symbol: Symbol, found: Scripts, start: int) -> Notation:
    """The symbol with its power, transpose and primes, where it is not called."""
    node: Notation = symbol
    split = found.transposed and found.lower_after_transpose and _reads_entry(symbol)
    if split:
        node = Symbol(symbol.name, (), symbol.label, symbol.accent, symbol.star, span=symbol.span)
    if found.primes:
        if p.indexing:
            node = Symbol(
                symbol.name + "'" * found.primes, symbol.subscripts, symbol.label, symbol.accent, span=symbol.span
            )
        else:
            node = Call(node, (), primes=found.primes, span=p.span(start))
    if found.exponent is not None:
        node = Power(node, found.exponent, span=p.span(start))
    if found.transposed:
        node = Transposed(node, span=p.span(start))
    return Entry(node, symbol.subscripts, span=p.span(start)) if split else node


def _reads_entry(symbol: Symbol) -> bool:
    """W^T_{ij} is an entry of the transposed matrix, w^T_j the transposed vector w_j."""
    return (
        len(symbol.subscripts) == 2
        and all(isinstance(s, Symbol) and s.name in "ijklmnpqrs" for s in symbol.subscripts)
        and symbol.subscripts[0] != symbol.subscripts[1]
    )


def condition_in(node: Notation) -> Notation | None:
    """The condition that a subscript of an indicator holds, with or without brackets."""
    while isinstance(node, Indicator | Bracketed):
        node = node.condition if isinstance(node, Indicator) else node.body
    return node if is_condition(node) else None
