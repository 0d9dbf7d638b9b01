"""Names: symbols with their scripts and accents, and functions applied to arguments, with or without parentheses."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final

from backproof.language.notation import (
    Bracketed,
    Call,
    Derivative,
    Indicator,
    Negative,
    Notation,
    Number,
    Power,
    Product,
    Quotient,
    Relation,
    Symbol,
)
from backproof.language.parsing import macros
from backproof.language.parsing.brackets import arguments, group
from backproof.language.parsing.cursor import JUXTAPOSED, TIGHT, Cursor
from backproof.language.parsing.postfix import index_list, is_index
from backproof.language.parsing.scripts import (
    Scripts,
    condition_in,
    hung,
    labelled_symbol,
    looks_like_label,
    read_scripts,
)
from backproof.language.parsing.tokens import Token
from backproof.language.parsing.words import FUNCTION_LETTERS, GREEK_NAMES, PREFIX_FUNCTIONS

TRACES: Final = frozenset({"tr", "Tr", "trace"})

INDICATORS: Final = frozenset({"1", "I", "indicator"})
EXPECTATIONS: Final = frozenset({"𝔼", "ℙ", "𝕍", "Var", "Cov", "set"})
LOGARITHMS: Final = {2: "log2", 10: "log10"}


def named(p: Cursor) -> Notation:
    """A name, what hangs on it, and its arguments."""
    token = p.step()
    return continued(p, Symbol(token.text, accent=token.accent, span=(token.start, token.end)), token.start)


def head(p: Cursor) -> tuple[Symbol, Scripts] | None:
    """A name with its scripts but without arguments, if one stands here: a name, \\hat{y}, or a name in braces."""
    token = p.token
    if token.kind == "name":
        p.step()
        base = Symbol(token.text, accent=token.accent, span=(token.start, token.end))
    elif token.kind == "command" and token.text in macros.ACCENTS:
        base = accented(p)
    elif p.is_sign("{"):
        inner = group(p)
        if not isinstance(inner, Symbol):
            return None
        base = inner
    else:
        return None
    return scripted(p, base, token.start)


def scripted(p: Cursor, base: Symbol, start: int) -> tuple[Symbol, Scripts]:
    """The symbol with the scripts that stand here, and the indices of W[i, j]."""
    labelled = base.name != "e" or bool(base.subscripts)
    found = read_scripts(p, labelled=labelled)
    if p.is_sign("[") and not p.token.spaced and not found.transposed and not p.lexer.latex and is_index(p, p.at):
        found.subscripts += index_list(p)
        read_scripts(p, labelled=labelled, found=found)
    return labelled_symbol(p, base.name, base.accent, base, found, start), found


def continued(p: Cursor, base: Symbol, start: int) -> Notation:
    """A symbol that was read, with its scripts and arguments."""
    symbol, found = scripted(p, base, start)
    if _is_gradient(symbol) and not found.labels and not p.asks("differential"):
        return Derivative(None, symbol.subscripts[0], "prefix", span=p.span(start))
    if symbol.name in INDICATORS and (indicator := _indicator(p, symbol, found, start)) is not None:
        return indicator
    if symbol.name in PREFIX_FUNCTIONS and not found.transposed and not symbol.star and symbol.accent is None:
        return _prefix(p, symbol, found, start)
    if p.is_sign("(", "‖open") and _calls(p, symbol, found):
        return _called(p, symbol, found, start)
    if p.is_sign("[", "\\{") and (
        symbol.name in EXPECTATIONS or (symbol.name == "E" and not p.token.spaced and not is_index(p, p.at))
    ):
        return _called(p, symbol, found, start)
    return hung(p, symbol, found, start)


def _is_gradient(symbol: Symbol) -> bool:
    """Whether the symbol is d_W, a gradient in code; d_k is a size."""
    below = symbol.subscripts[0] if len(symbol.subscripts) == 1 else None
    return symbol.name == "d" and symbol.accent is None and isinstance(below, Symbol) and below.name[:1].isupper()


def _calls(p: Cursor, symbol: Symbol, found: Scripts) -> bool:
    """Whether the parenthesis here holds the arguments of the symbol."""
    if found.transposed or symbol.star or not p.is_sign("("):
        return False
    stop = p.mate()
    after = p.tokens[stop + 1]
    several = any(t.kind == "sign" and t.text in (",", ";", "mid") for t in _top_level(p))
    if (
        found.primes
        or several
        or symbol.name in FUNCTION_LETTERS
        or (len(symbol.name) > 1 and symbol.name not in GREEK_NAMES)
    ):
        return True
    if looks_like_label(p, p.at) and not p.token.spaced:
        return True
    if after.kind == "sign" and after.text == "^":
        # y(1 − y)²: the square belongs to the parenthesis, unless y is a function.
        return p.asks("factor")
    if p.below_slash:
        # 1/m (a − y) is a fraction of the parenthesis, (a − y)/a(1 − a) has it below the line; both are tried.
        return p.token.spaced == p.asks("factor")
    return True


def _top_level(p: Cursor) -> list[Token]:
    found: list[Token] = []
    at, stop = p.at + 1, p.mate()
    while at < stop:
        found.append(p.tokens[at])
        at = p.mates[at] + 1 if p.mates[at] > 0 else at + 1
    return found


def _called(p: Cursor, symbol: Symbol, found: Scripts, start: int) -> Notation:
    tight = not p.token.spaced
    given = arguments(p)
    return Call(symbol, given, found.primes, found.exponent, tight, span=p.span(start))


def _indicator(p: Cursor, symbol: Symbol, found: Scripts, start: int) -> Notation | None:
    """1_{z>0}, 1[z > 0], I(z > 0), 1\\{z > 0\\}."""
    if len(symbol.subscripts) == 1:
        condition = condition_in(symbol.subscripts[0])
        if condition is not None:
            return _with_power(Indicator(condition, span=p.span(start)), found.exponent)
    if p.is_sign("(", "[", "\\{") and not symbol.subscripts and _holds_condition(p):
        inner = group(p)
        if isinstance(inner, Indicator):
            return Indicator(inner.condition, span=p.span(start))
        if isinstance(inner, Relation):
            return Indicator(inner, span=p.span(start))
        return Product("", (symbol, inner), span=p.span(start))
    return None


def _with_power(node: Notation, exponent: Notation | None) -> Notation:
    return node if exponent is None else Power(node, exponent, span=node.span)


def _holds_condition(p: Cursor) -> bool:
    signs = frozenset("=≠<≤>≥")
    at, stop = p.at + 1, p.mate()
    while at < stop:
        token = p.tokens[at]
        if token.kind == "sign" and token.text in signs:
            return True
        at = p.mates[at] + 1 if p.mates[at] > 0 else at + 1
    return False


def _prefix(p: Cursor, symbol: Symbol, found: Scripts, start: int) -> Notation:
    """A function that may stand before its argument without parentheses: log p, tanh² z."""
    if symbol.name == "log" and len(symbol.subscripts) == 1:
        base = symbol.subscripts[0]
        if isinstance(base, Number) and base.value in LOGARITHMS:
            symbol = replace(symbol, name=LOGARITHMS[int(base.value)], subscripts=())
    if p.is_sign("(", "[", "\\{"):
        tight = not p.token.spaced
        given = arguments(p)
        if not given:
            raise p.error(f"{symbol.name} has no argument", expected="an argument in the parentheses")
        return Call(symbol, given, found.primes, found.exponent, tight, span=p.span(start))
    negative = p.is_sign("-") and not p.peek().spaced and p.token.spaced
    if negative:
        p.step()
    if not p.starts_factor():
        if negative:
            p.at -= 1
        return hung(p, symbol, found, start)
    # A trace is of the whole product of matrices behind it.
    argument = p.expression(JUXTAPOSED) if symbol.name in TRACES else _argument(p)
    argument = argument.body if isinstance(argument, Bracketed) else argument
    if negative:
        argument = Negative(argument, span=p.span(argument.span[0]))
    return Call(symbol, (argument,), found.primes, found.exponent, tight=False, span=p.span(start))


def _argument(p: Cursor) -> Notation:
    """What a function without parentheses applies to: one operand, with a number before it; log 2x is log(2x)."""
    start = p.token.start
    if p.is_sign("Σ", "Π"):
        return p.operand()
    p.deeper()
    first = p.operand(TIGHT)
    factors = [first]
    while p.is_kind("name", "command") and p.token.text not in PREFIX_FUNCTIONS and p.starts_factor():
        if not isinstance(factors[-1], Number) and not p.asks("arguments"):
            break
        factors.append(p.operand(TIGHT))
    p.depth -= 1
    return first if len(factors) == 1 else Product("", tuple(factors), span=p.span(start))


def accented(p: Cursor) -> Symbol:
    """\\hat y, \\bar{x}_i: the accent belongs to the name."""
    token = p.step()
    inner = argument(p)
    inner = inner.body if isinstance(inner, Bracketed) else inner
    if not isinstance(inner, Symbol):
        raise p.error(
            f"\\{token.text} stands over more than a name", token, next="give the expression a name of its own"
        )
    if inner.accent is not None:
        raise p.error(f"{inner.name} has two accents", token, next="use another name")
    return replace(inner, accent=macros.ACCENTS[token.text], span=p.span(token.start))


def argument(p: Cursor) -> Notation:
    """The argument of a command: a group in braces, or one token."""
    token = p.token
    if p.is_sign("{"):
        return group(p)
    if token.kind == "name":
        p.step()
        return Symbol(token.text, accent=token.accent, span=(token.start, token.end))
    if token.kind == "number":
        p.step()
        return Number(Fraction(token.text), span=(token.start, token.end))
    if token.kind == "command":
        p.deeper()
        node = p.operand(TIGHT)
        p.depth -= 1
        return node
    raise p.error(p.unexpected(), expected="an argument in braces")


def command(p: Cursor) -> Notation:
    """A LaTeX command with arguments, fractions and derivatives apart."""
    token = p.token
    if token.text in macros.ACCENTS:
        base = accented(p)
        return continued(p, base, token.start)
    p.step()
    match token.text:
        case "sqrt":
            return _root(p, token.start)
        case "abs" | "norm":
            raise p.error(f"\\{token.text} is not read here", token, next="write |x| or \\|x\\|")
        case "overset" | "stackrel":
            argument(p)
            return argument(p)
        case "underset":
            below = argument(p)
            over = argument(p)
            if not isinstance(over, Symbol):
                return over
            return continued(p, replace(over, subscripts=(*over.subscripts, below)), token.start)
        case name if name in macros.BRACES:
            body = argument(p)
            while p.took("_", "^"):
                argument(p) if not p.is_kind("words") else p.step()
            return body
        case _:
            raise p.error(
                f"\\{token.text} is not part of the formula language", token, next="write it with + − · / and powers"
            )


def _root(p: Cursor, start: int) -> Notation:
    order: Notation | None = None
    if p.is_sign("["):
        order = group(p)
        order = order.body if isinstance(order, Bracketed) else order
    body = argument(p)
    if order is None:
        return Call(Symbol("sqrt", span=(start, start + 5)), (body,), span=p.span(start))
    one = Number(Fraction(1), span=order.span)
    return Power(body, Quotient(one, order, span=order.span), span=p.span(start))


def root_sign(p: Cursor) -> Notation:
    """√x, √(x + 1)."""
    token = p.step()
    p.deeper()
    body = p.operand(TIGHT) if not p.is_sign("(") else group(p)
    p.depth -= 1
    body = body.body if isinstance(body, Bracketed) else body
    return Call(Symbol("sqrt", span=(token.start, token.end)), (body,), span=p.span(token.start))


def wide_argument(p: Cursor) -> Notation:
    """Factors side by side, as an operator d/dx applies to them; only the bracket where one follows directly."""
    if not p.is_sign("(", "[", "{", "\\{"):
        return p.expression(JUXTAPOSED)
    node = p.operand(TIGHT)
    return node.body if isinstance(node, Bracketed) else node
