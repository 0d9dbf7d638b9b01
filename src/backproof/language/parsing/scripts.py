"""Scripts: what hangs on a name or a bracket: subscripts, layer labels, powers, transposes, stars and primes."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from backproof.language.letters import ACCENTS
from backproof.language.notation import (
    Big,
    BigKind,
    Bracketed,
    Call,
    Entry,
    Indicator,
    Matrix,
    Negative,
    Notation,
    Number,
    Power,
    Product,
    Relation,
    Symbol,
    Transposed,
)
from backproof.language.parsing.brackets import arguments, is_condition, listed, placeholder
from backproof.language.parsing.cursor import MAX_CHAIN, SUM, TIGHT, Cursor
from backproof.language.parsing.words import LABEL_LETTERS

SLICES: Final = frozenset({":", "·", "*"})
METHODS: Final[dict[str, BigKind]] = {"sum": "sum", "mean": "mean", "max": "max", "min": "min"}


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


def read_scripts(p: Cursor, *, labelled: bool = True) -> Scripts:
    """All scripts that stand here, in any order. Without `labelled`, a superscript in parentheses is a power."""
    found = Scripts()
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
        items, _ = listed(p, stop)
        p.close(stop)
    else:
        token = p.token
        if p.is_sign(*SLICES):
            p.step()
            items = [Symbol(":", span=p.span(token.start))]
        elif token.kind in ("name", "number", "words", "command"):
            items = [_single(p)]
        else:
            p.fail(p.unexpected(), expected="a subscript")
    p.indexing -= 1
    return tuple(part for item in items for part in _apart(item))


def _apart(item: Notation) -> tuple[Notation, ...]:
    """W_{ij} has the subscripts i and j."""
    match item:
        case Product("", factors) if all(isinstance(f, Symbol | Number) for f in factors):
            return factors
        case Symbol("·" | "*"):
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
    elif labelled and p.is_sign("(", "[") and _label_ends(p, stop):
        found.labels.append(_label(p))
    elif p.is_sign("*", "+", "-") and p.at + 1 == stop:
        found.star = p.step().text
    elif token.kind == "words":
        p.step()
        _power(p, found, Symbol("_".join(token.text.split()), span=p.span(token.start)))
    else:
        _power(p, found, p.expression(SUM))
        if p.at < stop and not p.is_sign("'", "*"):
            p.fail(p.unexpected(), expected="an operator or }")


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
        p.fail("nothing stands in this superscript", p.tokens[stop])
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
        elif p.token.kind in ("name", "number"):
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
        p.fail("an exponent is one expression", p.tokens[stop], expected="one expression in the parentheses")
    return items[0]


def _exponent_name(p: Cursor) -> Notation:
    """A name or number as exponent; e^f(x) has the whole call in the exponent, W^l_{jk} only the l."""
    following = p.peek()
    euler = p.at >= 2 and p.tokens[p.at - 2].text in ("e", "exp") and p.tokens[p.at - 1].text == "^"
    if p.token.kind == "name" and (euler or following.text == "(" and not following.spaced and len(p.token.text) > 1):
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


def with_postfix(p: Cursor, node: Notation, start: int) -> Notation:
    """An operand with what hangs on it: (…)_i, (…)^2, x.T, x.sum(), k!, …|_{z}."""
    for _ in range(MAX_CHAIN):
        hanging = _one_postfix(p, node, start)
        if hanging is None:
            return node
        node = hanging
    raise p.too_deep(p.token)


def _one_postfix(p: Cursor, node: Notation, start: int) -> Notation | None:
    token = p.token
    if token.kind == "method":
        return _method(p, node, start)
    if token.kind != "sign":
        return None
    match token.text:
        case "_":
            p.step()
            lower = subscripts(p)
            if isinstance(node, Number):
                if node.value == 1 and len(lower) == 1 and (condition := condition_in(lower[0])) is not None:
                    return Indicator(condition, span=p.span(start))
                return Symbol(str(node.value), lower, span=p.span(start))
            return Entry(node, lower, span=p.span(start))
        case "^":
            p.step()
            found = Scripts()
            superscript(p, found, labelled=False)
            if found.primes or found.star:
                p.fail("a prime or star hangs on a name only", token, next="name the function")
            if found.exponent is not None:
                node = Power(node, found.exponent, span=p.span(start))
            return Transposed(node, span=p.span(start)) if found.transposed else node
        case "'" if not token.spaced:
            p.fail("a prime hangs on a function's name only", expected="f'(z)", next="write d/dx (…)")
        case "!" if not token.spaced:
            p.step()
            return Call(Symbol("factorial", span=p.span(token.start)), (node,), span=p.span(start))
        case "|" | "‖" if _evaluates(p):
            p.step()
            return evaluated(p, node, start)
        case "[" if not token.spaced and is_index(p, p.at) and isinstance(node, Symbol | Bracketed | Call | Entry):
            return Entry(node, index_list(p), span=p.span(start))
        case _:
            return None


def _evaluates(p: Cursor) -> bool:
    """Whether the bar here is the one of f(x)|_{x=0}."""
    following = p.peek()
    return following.kind == "sign" and following.text == "_" and not (p.inside and p.inside[-1] == p.token.text)


def evaluated(p: Cursor, node: Notation, start: int) -> Notation:
    """…|_{x=0}, after the bar: a call at the given value."""
    if not p.took("_"):
        p.fail(p.unexpected(), expected="a value: |_{x = 0}")
    values = subscripts(p)
    if p.is_sign("^"):
        p.fail("a bar with two limits is an integral", next="write the difference of the two values")
    return Call(node, values, span=p.span(start))


def _method(p: Cursor, node: Notation, start: int) -> Notation:
    token = p.step()
    if token.text in ("T", "t", "transpose"):
        if p.is_sign("(") and token.text != "T":
            arguments(p)
        return Transposed(node, span=p.span(start))
    if not p.is_sign("("):
        p.fail(f".{token.text} is a function of an array", token, expected=f".{token.text}(…)")
    given = arguments(p)
    if token.text == "dot":
        return Product("@", (node, *given), span=p.span(start))
    axes = [axis_of(g) for g in given]
    return Big(METHODS[token.text], node, axis=next((a for a in axes if a is not None), None), span=p.span(start))


def is_option(node: Notation) -> bool:
    """Whether an argument is an option of NumPy: axis=0, keepdims=True."""
    match node:
        case Relation((Symbol("axis" | "dim" | "keepdims" | "keepdim"), _), ("=",)):
            return True
        case _:
            return False


def axis_of(node: Notation) -> int | None:
    """The axis of axis=0, of dim=-1, or of a number alone."""
    if isinstance(node, Relation):
        if not isinstance(node.sides[0], Symbol) or node.sides[0].name not in ("axis", "dim"):
            return None
        node = node.sides[1]
    match node:
        case Number(value) if value.denominator == 1 and value < 100:
            return int(value)
        case Negative(Number(value)) if value.denominator == 1 and value < 100:
            return -int(value)
        case _:
            return None


def is_index(p: Cursor, at: int) -> bool:
    """Whether the bracket at `at` holds indices: [i], [i, j], [:, k], [2], [l+1]."""
    stop = p.mates[at]
    if stop - at > 24 or stop == at + 1:
        return False
    for token in p.tokens[at + 1 : stop]:
        fits = (
            (token.kind == "number" and token.text.isdigit())
            or (
                token.kind == "name"
                and len(token.text) == 1
                and (token.text in "ijklmnpqrstuvbcLt" or token.text == "…")
            )
            or (token.kind == "sign" and token.text in (":", ",", "+", "-"))
        )
        if not fits:
            return False
    return True


def index_list(p: Cursor) -> tuple[Notation, ...]:
    """The indices in the bracket here."""
    stop = p.mate()
    p.step()
    p.indexing += 1
    items: list[Notation] = []
    while p.at < stop:
        if p.is_sign(":"):
            token = p.step()
            items.append(Symbol(":", span=(token.start, token.end)))
        elif not p.took(","):
            items.append(placeholder(p) or p.expression(SUM))
    p.indexing -= 1
    p.close(stop)
    return tuple(items)


def condition_in(node: Notation) -> Notation | None:
    """The condition that a subscript of an indicator holds, with or without brackets."""
    while isinstance(node, Indicator | Bracketed):
        node = node.condition if isinstance(node, Indicator) else node.body
    return node if is_condition(node) else None
