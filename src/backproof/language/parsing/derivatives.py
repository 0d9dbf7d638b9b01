"""Derivatives in every spelling: ∂J/∂W, \\frac{dJ}{dz}, d/dx (…), ∇_W J, dW2, ∂_w f, \\pdv{J}{z}."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, Literal

from backproof.language.notation import (
    Call,
    Derivative,
    Matrix,
    Notation,
    Number,
    Power,
    Product,
    Quotient,
    Symbol,
    Words,
)
from backproof.language.parsing import macros
from backproof.language.parsing.brackets import arguments, group
from backproof.language.parsing.chain import divided
from backproof.language.parsing.cursor import JUXTAPOSED, PRODUCT, SUM, TIGHT, Cursor
from backproof.language.parsing.names import argument, head, wide_argument
from backproof.language.parsing.scripts import hung, looks_like_label, subscripts
from backproof.language.parsing.tokens import Token
from backproof.language.parsing.words import ACTIVATIONS, PREFIX_FUNCTIONS

FACTORS: Final = frozenset({"lambda", "alpha", "beta", "gamma", "mu", "eta"})
Style = Literal["partial", "total"]


def is_differential(token: Token) -> bool:
    """Whether the token is a ∂, the d of dx, or a d that stands alone."""
    return token.kind == "d" or (token.kind == "name" and token.text == "d" and token.accent is None)


def stands_alone(p: Cursor) -> bool:
    """Whether the letter d here begins d/dx, d y/d x or d²y/dx²."""
    at = p.at + 1
    if p.tokens[at].text == "^":
        at = _behind_script(p, at)
    if _over_differential(p, at):
        return True
    token = following = p.tokens[at]
    if token.kind == "command" and token.text in macros.ACCENTS:
        at += 1
        token = p.tokens[at]
    if token.kind != "name" and token.text not in ("{", "("):
        return False
    at = p.mates[at] + 1 if p.mates[at] > 0 else at + 1
    while p.tokens[at].kind == "sign" and p.tokens[at].text in ("_", "^"):
        at = _behind_script(p, at)
    if p.tokens[at].text == "(" and not p.tokens[at].spaced:
        at = p.mates[at] + 1
    # LaTeX ignores the blank in d W; in plain text d W is a product.
    prefix = p.lexer.latex and following.kind in ("name", "command") and p.tokens[p.at + 1].text != "^"
    return _over_differential(p, at) or (prefix and not p.asks("differential"))


def _behind_script(p: Cursor, at: int) -> int:
    return p.mates[at + 1] + 1 if p.mates[at + 1] > 0 else min(at + 2, len(p.tokens) - 1)


def _over_differential(p: Cursor, at: int) -> bool:
    slash = p.tokens[min(at, len(p.tokens) - 1)]
    return slash.kind == "sign" and slash.text == "/" and is_differential(p.tokens[at + 1])


def differential(p: Cursor) -> Notation:
    """What begins with ∂ or d: ∂J/∂W, d/dx (…), ∂_w f, or dW alone."""
    token = p.step()
    style: Style = "partial" if token.text == "∂" else "total"
    order = _order(p)
    if style == "partial" and p.took("_"):
        wrt = _one(subscripts(p))
        of = p.operand(TIGHT) if p.starts_factor() else None
        return Derivative(of, wrt, style, order, span=p.span(token.start))
    if p.is_sign("/") and is_differential(p.peek()):
        p.step()
        variables = _variables(p, order, operator=True)
        return _nested(p, _operator_body(p), variables, style, order, token.start)
    of = _numerator(p)
    if style == "total" and isinstance(of, Symbol) and of.name in ACTIVATIONS and p.is_sign("(") and not p.token.spaced:
        slope = Symbol(f"d{of.name}", of.subscripts, of.label, span=p.span(token.start))
        return Call(slope, arguments(p), span=p.span(token.start))
    if p.is_sign("/") and is_differential(p.peek()):
        p.step()
        variables = _variables(p, order, operator=False)
        return _nested(p, of, variables, style, order, token.start)
    return Derivative(None, of, "partial" if style == "partial" else "prefix", order, span=p.span(token.start))


def nabla(p: Cursor) -> Notation:
    """∇_W J, ∇J, ∇²J."""
    token = p.step()
    order = 1
    wrt: Notation | None = None
    while p.is_sign("_", "^"):
        if p.took("_"):
            wrt = _one(subscripts(p))
        else:
            order = _order(p)
    of = _beyond_number(p, p.operand(TIGHT)) if p.starts_factor() else None
    if wrt is None:
        wrt = Words("", span=(token.end, token.end))
    return Derivative(of, wrt, "nabla", order, span=p.span(token.start))


def _beyond_number(p: Cursor, of: Notation) -> Notation:
    """What is differentiated in ∇ ½ (X θ − y)ᵀ (X θ − y): a number alone has no gradient."""
    if not _is_constant(of) or not p.starts_factor():
        return of
    rest = p.expression(JUXTAPOSED)
    factors = rest.factors if isinstance(rest, Product) and rest.sign == "" else (rest,)
    return Product("", (of, *factors), span=p.span(of.span[0]))


def _is_constant(node: Notation) -> bool:
    if isinstance(node, Quotient):
        above = node.numerator
        greek = isinstance(above, Symbol) and above.name in FACTORS and not above.subscripts
        return isinstance(node.denominator, Number) and (greek or isinstance(above, Number))
    return isinstance(node, Number)


def fraction(p: Cursor) -> Notation:
    """\\frac{…}{…}, which may be a derivative."""
    token = p.step()
    if _is_derivative(p):
        return _fraction_derivative(p, token.start)
    numerator = argument(p)
    denominator = argument(p)
    return divided(numerator, denominator, p.span(token.start))


def short(p: Cursor) -> Notation:
    """\\dv{f}{x}, \\pdv{f}{x}, \\dv{x}, \\pdv[2]{f}{x}."""
    token = p.step()
    style: Style = "partial" if macros.DERIVATIVES[token.text] == "partial" else "total"
    order = 1
    if p.is_sign("["):
        at = p.token
        order = _integer(p, group(p), at)
    first = argument(p)
    if not p.is_sign("{"):
        return Derivative(_operator_body(p), first, style, order, span=p.span(token.start))
    variables = [argument(p)]
    while p.is_sign("{") and style == "partial":
        variables.append(argument(p))
    return _nested(p, first, variables, style, order, token.start)


def _is_derivative(p: Cursor) -> bool:
    """Whether both parts of the fraction here begin with ∂ or d."""
    braced = p.is_sign("{")
    first = p.peek() if braced else p.token
    at = p.mate() + 1 if braced else p.at + 1
    below = p.tokens[min(at, len(p.tokens) - 1)]
    if not is_differential(first) or below.text != "{" or below.kind != "sign":
        return False
    if not is_differential(p.tokens[at + 1]) or p.mates[at] == at + 2:
        return False
    following = p.tokens[at + 2]
    return not (following.kind == "sign" and following.text in "+-*/=·^_")


def _fraction_derivative(p: Cursor, start: int) -> Notation:
    of: Notation | None = None
    if p.is_sign("{"):
        stop = p.mate()
        p.step()
        style: Style = "partial" if p.step().text == "∂" else "total"
        order = _order(p)
        if p.at < stop:
            p.inside.append("(")
            of = p.expression(SUM)
            p.inside.pop()
        p.close(stop)
    else:
        style = "partial" if p.step().text == "∂" else "total"
        order = 1
    stop = p.mate()
    p.step()
    variables = _variables(p, order, operator=of is None, stop=stop)
    p.close(stop)
    if of is None:
        return _nested(p, _operator_body(p), variables, style, order, start)
    node = _nested(p, of, variables, style, order, start)
    if p.is_sign("(") and _holds_arguments(p):
        return Call(node, arguments(p), span=p.span(start))
    return node


def _holds_arguments(p: Cursor) -> bool:
    """Whether the parenthesis after a derivative says where it is taken: (u, v) or (x), not a factor (1 − a)."""
    if p.mate() == p.at + 2:
        return p.peek().kind == "name" and not p.token.spaced
    if p.peek().kind == "name" and p.peek(2).text == "=":
        return True
    at, stop = p.at + 1, p.mate()
    while at < stop:
        token = p.tokens[at]
        if token.kind == "sign" and token.text == ",":
            return True
        at = p.mates[at] + 1 if p.mates[at] > 0 else at + 1
    return False


def _order(p: Cursor) -> int:
    """The order after ∂ or d: ∂², d^2."""
    if not p.took("^"):
        return 1
    token = p.token
    if p.is_sign("{"):
        return _integer(p, group(p), token)
    if token.kind != "number":
        raise p.error(p.unexpected(), expected="the order of the derivative, a number")
    p.step()
    return _integer(p, Number(Fraction(token.text)), token)


def _integer(p: Cursor, node: Notation, token: Token) -> int:
    node = getattr(node, "body", node)
    match node:
        case Number(value) if value.denominator == 1 and 1 <= value <= 9:
            return int(value)
        case _:
            raise p.error("this is not the order of a derivative", token, expected="a number from 1 to 9")


def _numerator(p: Cursor) -> Notation:
    """What is differentiated, up to the slash."""
    start = p.token.start
    bare_function = p.is_kind("name") and p.token.text in PREFIX_FUNCTIONS and p.peek().kind == "name"
    found = None if bare_function else head(p)
    if found is None:
        if not p.starts_factor():
            raise p.error(p.unexpected(), expected="what is differentiated")
        p.deeper()
        node = p.operand(TIGHT)
        p.depth -= 1
        return node
    symbol, scripts = found
    if p.is_sign("(") and not p.token.spaced and not scripts.transposed:
        over = _over_differential(p, p.mate() + 1)
        if over or looks_like_label(p, p.at):
            return Call(symbol, arguments(p), scripts.primes, scripts.exponent, span=p.span(start))
    return hung(p, symbol, scripts, start)


def _variables(p: Cursor, order: int, *, operator: bool, stop: int | None = None) -> list[Notation]:
    """The variables after the slash: ∂z, ∂z_i ∂z_j, ∂z²."""
    variables: list[Notation] = []
    while True:
        if not is_differential(p.token):
            raise p.error(p.unexpected(), expected="∂ or d and a variable")
        p.step()
        variable = _variable(p, operator=operator)
        if isinstance(variable, Power) and order > 1 and variable.exponent == Number(Fraction(order)):
            return [variable.base]
        variables.append(variable)
        if stop is None and len(variables) >= order:
            return variables
        if p.at == stop or not is_differential(p.token):
            return variables


def _variable(p: Cursor, *, operator: bool) -> Notation:
    start = p.token.start
    found = head(p)
    if found is None:
        if not p.is_sign("(", "{", "["):
            raise p.error(p.unexpected(), expected="the variable of the derivative")
        return p.operand(TIGHT)
    symbol, scripts = found
    if p.is_sign("(") and not p.token.spaced and not operator and looks_like_label(p, p.at):
        return Call(symbol, arguments(p), span=p.span(start))
    return hung(p, symbol, scripts, start)


def _operator_body(p: Cursor) -> Notation | None:
    if not p.starts_factor():
        return None
    p.deeper()
    start = p.at
    body = _beyond_number(p, wide_argument(p))
    if isinstance(body, Number) and p.is_sign("/"):
        # d/dw 1/(2m) Σ (w x_i − y_i)²: again, a number alone is not what is differentiated.
        p.at = start
        body = p.expression(PRODUCT)
    p.depth -= 1
    return body


def _nested(
    p: Cursor, of: Notation | None, variables: list[Notation], style: Style, order: int, start: int
) -> Derivative:
    """The derivative by several variables, the last one first: ∂²J/∂z_i∂z_j is ∂/∂z_i of ∂J/∂z_j."""
    if len(variables) == 1:
        return Derivative(of, variables[0], style, order, span=p.span(start))
    node = of
    for variable in reversed(variables):
        node = Derivative(node, variable, style, span=p.span(start))
    if not isinstance(node, Derivative):
        raise p.error("a derivative without a variable")
    return node


def _one(items: tuple[Notation, ...]) -> Notation:
    return items[0] if len(items) == 1 else Matrix((items,), span=items[0].span if items else (0, 0))
