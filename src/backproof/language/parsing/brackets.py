"""Brackets: groups, lists, sets, absolute values, norms, matrices and case distinctions."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from backproof.language.notation import (
    Absolute,
    Bracketed,
    Call,
    Cases,
    Indicator,
    Matrix,
    Norm,
    Notation,
    Number,
    Power,
    Relation,
    Symbol,
    Words,
)
from backproof.language.parsing.cursor import SUM, Cursor
from backproof.language.parsing.tokens import Token

SEPARATORS: Final = (",", ";", "mid", "|", "‖")
OPEN: Final = ("(", "[", "{", "\\{", "⟨")
COMPARISONS: Final = frozenset("=≠<≤>≥")
OTHERWISE: Final = frozenset({"otherwise", "else", "if otherwise", "elsewhere", "other", "sonst"})
IF: Final = frozenset({"if", "for", "when", "where", "with", "falls", "si", "and"})


def listed(p: Cursor, stop: int) -> tuple[list[Notation], list[str]]:
    """The expressions up to the bracket at `stop`, and the separators between them."""
    p.inside.append("(")
    below, p.below_slash = p.below_slash, False
    items: list[Notation] = []
    separators: list[str] = []
    while p.at < stop:
        # A bar after an expression separates, p(x | y); at the start of one it opens, max(0, |x|).
        if p.is_sign(*SEPARATORS) and (len(items) > len(separators) or p.is_sign(",", ";")):
            separators.append(p.step().text)
            continue
        if len(items) > len(separators):
            raise p.error(p.unexpected(), expected="an operator, a comma or " + p.written(p.tokens[stop]))
        items.append(placeholder(p) or p.relation())
    p.inside.pop()
    p.below_slash = below
    return items, separators


def placeholder(p: Cursor) -> Notation | None:
    """A sign that stands for an argument or a whole axis: f(·), max(0, −), W[:, i]."""
    token, following = p.token, p.peek()
    ends = following.kind == "stop" or (following.kind == "sign" and following.text in (",", ";", ")", "]", "}", "\\}"))
    if token.kind == "sign" and token.text in (":", "·", "*", "-", "×") and ends:
        p.step()
        return Symbol(":" if token.text == ":" else "·", span=(token.start, token.end))
    return None


def arguments(p: Cursor) -> tuple[Notation, ...]:
    """The arguments in the bracket here."""
    stop = p.mate()
    p.step()
    items, _ = listed(p, stop)
    p.close(stop)
    return tuple(items)


def group(p: Cursor) -> Notation:
    """What stands in the bracket here."""
    token = p.token
    stop = p.mate()
    p.step()
    if token.text in ("{", "\\{") and (cases := _braced_cases(p, token, stop)) is not None:
        return cases
    items, separators = listed(p, stop)
    p.close(stop)
    span = p.span(token.start)
    if not items:
        raise p.error("nothing stands between the brackets", token, expected="an expression")
    if len(items) > 1 or separators:
        return _collection(token.text, items, separators, span)
    item = items[0]
    if token.text == "{":
        return item
    if (
        token.text == "("
        and isinstance(item, Relation)
        and not p.inside
        and p.at == len(p.tokens) - 1
        and stop == p.mates[0]
    ):
        return item
    if is_condition(item):
        return Indicator(item, span=span)
    if token.text == "[" and isinstance(item, Matrix):
        return Matrix(item.rows, span=span)
    return Bracketed(item, span=span)


def is_condition(node: Notation) -> bool:
    """Whether the notation is a condition: z > 0, i = j."""
    return isinstance(node, Relation) and COMPARISONS.issuperset(node.signs)


def _collection(bracket: str, items: list[Notation], separators: list[str], span: tuple[int, int]) -> Notation:
    """Several expressions in one bracket: a row, a column or matrix, a set."""
    if bracket in ("\\{", "{"):
        return Call(Symbol("set", span=span), tuple(items), span=span)
    if bracket == "[" and all(isinstance(item, Matrix) and len(item.rows) == 1 for item in items):
        return Matrix(tuple(item.rows[0] for item in items if isinstance(item, Matrix)), span=span)
    if bracket == "[" and ";" in separators:
        rows: list[list[Notation]] = [[]]
        for item, separator in zip(items, [*separators, ";"], strict=False):
            rows[-1].append(item)
            if separator == ";":
                rows.append([])
        return Matrix(tuple(tuple(row) for row in rows if row), span=span)
    return Matrix((tuple(items),), span=span)


def absolute(p: Cursor) -> Notation:
    """|x|, the bar being here."""
    token = p.step()
    bar = token.text[0]
    if token.text.endswith("open"):
        stop = p.mate(p.at - 1)
        items, _ = listed(p, stop)
        p.close(stop)
        if len(items) != 1:
            raise p.error("between bars stands one expression", token)
        body = items[0]
    else:
        p.inside.append(bar)
        body = p.expression(SUM)
        p.inside.pop()
        if not p.took(bar):
            raise p.error(f"{bar} is never closed" if p.is_kind("stop") else p.unexpected(), token, expected=bar)
    if bar == "|" and not p.is_sign("_"):
        return Absolute(body, span=p.span(token.start))
    return _norm(p, body, token)


def _norm(p: Cursor, body: Notation, opening: Token) -> Notation:
    kind, power = "2", None
    while p.is_sign("_", "^"):
        if p.step().text == "_":
            at = p.token
            written = group(p) if p.is_sign("{") else _name_or_number(p)
            match written:
                case Number(value) if value in (1, 2):
                    kind = str(value)
                case Symbol("F" | "f" | "Fro" | "fro"):
                    kind = "F"
                case _:
                    raise p.error("this norm is not known here", at, expected="_1, _2 or _F")
        else:
            power = group(p) if p.is_sign("{") else _name_or_number(p)
    norm = Norm(body, kind, span=p.span(opening.start))
    return norm if power is None else Power(norm, power, span=p.span(opening.start))


def _name_or_number(p: Cursor) -> Notation:
    token = p.token
    if token.kind not in ("name", "number"):
        raise p.error(p.unexpected(), expected="a name or a number")
    p.step()
    span = (token.start, token.end)
    return Number(Fraction(token.text), span=span) if token.kind == "number" else Symbol(token.text, span=span)


def environment(p: Cursor) -> Notation:
    """A matrix or a case distinction between \\begin and \\end."""
    token = p.token
    stop = p.mate()
    p.step()
    if token.text == "cases":
        return _cases(p, token, stop)
    rows: list[tuple[Notation, ...]] = []
    row: list[Notation] = []
    p.inside.append("(")
    while p.at < stop:
        if p.took("&", ","):
            continue
        if p.is_kind("row"):
            p.step()
            rows.append(tuple(row))
            row = []
            continue
        row.append(p.relation())
        if p.at < stop and not p.is_sign("&", ",", ";") and not p.is_kind("row"):
            raise p.error(p.unexpected(), expected="& or \\\\ or \\end")
    p.inside.pop()
    p.close(stop)
    rows.append(tuple(row))
    filled = tuple(r for r in rows if r)
    if not filled:
        raise p.error("the matrix is empty", token, expected="at least one entry")
    return Matrix(filled, span=p.span(token.start))


def _braced_cases(p: Cursor, token: Token, stop: int) -> Notation | None:
    """{a if c; b otherwise}, or \\left\\{ \\begin{array} … \\right."""
    if p.is_kind("begin") and p.token.text == "array" and p.mate() + 1 == stop:
        inner = p.mate()
        p.step()
        cases = _cases(p, token, inner)
        p.close(stop)
        return cases
    if p.is_kind("begin") and p.mate() + 1 == stop and token.text == "\\{" and p.tokens[stop].text == "right.":
        cases = environment(p)
        p.close(stop)
        return cases
    at = p.at
    while at < stop:
        inner = p.tokens[at]
        if inner.kind == "words":
            return _cases(p, token, stop) if _is_condition_word(inner) else None
        at = p.mates[at] + 1 if p.mates[at] > 0 else at + 1
    return None


def _is_condition_word(token: Token) -> bool:
    first = token.text.strip(" ,.;").lower()
    return first in OTHERWISE or first.split()[0] in IF if first else False


def _cases(p: Cursor, token: Token, stop: int) -> Notation:
    p.inside.append("(")
    cases: list[tuple[Notation, Notation | None]] = []
    while p.at < stop:
        if p.is_kind("row") or p.is_sign(";", ",", "&"):
            p.step()
            continue
        value = p.relation()
        cases.append((value, _case_condition(p, stop)))
        if p.at < stop and not p.is_kind("row") and not p.is_sign(";", ","):
            raise p.error(p.unexpected(), expected="the next case or the end of the cases")
    p.inside.pop()
    p.close(stop)
    if not cases:
        raise p.error("a case distinction without cases", token)
    return Cases(tuple(cases), span=p.span(token.start))


def _case_condition(p: Cursor, stop: int) -> Notation | None:
    words = ""
    start = p.token.start
    if (spoken := _spoken(p, stop)) is not None:
        return spoken
    while p.at < stop and (p.is_sign(",", "&", ":") or p.is_kind("words")):
        token = p.step()
        if token.kind == "words":
            words = token.text.strip(" ,.;:").lower()
            if words in OTHERWISE:
                while p.at < stop and not p.is_kind("row") and not p.is_sign(";"):
                    p.step()
                return None
    if p.at >= stop or p.is_kind("row") or p.is_sign(";"):
        return Words(words, span=p.span(start)) if words and words not in IF else None
    condition = p.relation()
    while isinstance(condition, Indicator | Bracketed):
        condition = condition.condition if isinstance(condition, Indicator) else condition.body
    return condition


def _spoken(p: Cursor, stop: int) -> Notation | None:
    """A condition that goes on in words after a formula: if j is an output neuron."""
    at, seen_formula = p.at, False
    while at < stop and p.tokens[at].kind != "row":
        token = p.tokens[at]
        if token.kind == "words":
            if seen_formula and not _is_condition_word(token):
                break
        elif token.text not in (",", "&", "{", "}"):
            seen_formula = True
        at += 1
    else:
        return None
    start = p.token.start
    spoken: list[str] = []
    while p.at < stop and not p.is_kind("row"):
        token = p.tokens[p.at]
        spoken += [] if token.text in ("{", "}", "&") else [token.text]
        p.at += 1
    if spoken and spoken[0].lower() in IF:
        del spoken[0]
    return Words(" ".join(spoken).strip(" ,.;"), span=p.span(start))
