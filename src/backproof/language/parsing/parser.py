"""The parser: operators by their precedence, operands by what they begin with.

From loose to tight: relations; + and −; products with a sign and quotients, from left to right; factors side by side;
powers and everything else that hangs on an operand.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from backproof.errors import FormulaError
from backproof.language.notation import (
    Bracketed,
    Negative,
    Notation,
    Number,
    Plus,
    Product,
    Relation,
    RelationSign,
    Symbol,
    Words,
)
from backproof.language.parsing import macros
from backproof.language.parsing.bigs import KINDS, big, stands_here
from backproof.language.parsing.brackets import absolute, environment, group
from backproof.language.parsing.chain import PRODUCTS, Chain
from backproof.language.parsing.commands import Lexer
from backproof.language.parsing.cursor import (
    ELEMENTWISE,
    JUXTAPOSED,
    PRODUCT,
    SUM,
    TIGHT,
    Cursor,
)
from backproof.language.parsing.derivatives import differential, fraction, is_differential, nabla, short, stands_alone
from backproof.language.parsing.names import command, continued, named, root_sign
from backproof.language.parsing.postfix import evaluated, with_postfix

RELATIONS: Final[dict[str, RelationSign]] = {
    **{sign: sign for sign in ("=", "≠", "<", "≤", ">", "≥", "≈", "∈", "→", "←", "≡", ":=")},
}
UPDATES: Final[dict[str, int]] = {"+=": 1, "-=": -1}
FACTOR_SIGNS: Final = frozenset({"(", "[", "{", "\\{", "∇", "√", "Σ", "Π", "|open", "‖open", "left.", "⟨"})
BETWEEN: Final = frozenset({",", ";", ":", ".", "⇒"})


class Parser(Cursor):
    """Reads expressions by the precedence of their operators."""

    def __init__(self, lexer: Lexer) -> None:
        super().__init__(lexer)
        signs = {t.text for t in self.tokens if t.kind == "sign"}
        mixed = ("⊙" in signs and bool(signs & {"·", "×", "@", "*", "⊗"})) or {"*", "@"} <= signs
        self._elementwise: frozenset[str] = frozenset()
        if mixed and self.asks("elementwise"):
            self._elementwise = frozenset({"⊙", "*"} if "@" in signs else {"⊙"})

    def single(self) -> Notation:
        """The whole text as one formula."""
        if self.is_kind("stop"):
            raise self.error("there is no formula", expected="a formula, such as a - y")
        node = self.relation()
        if isinstance(node, Relation) and node.sides[0] == Words(""):
            self.at = 0
            raise self.error("nothing stands before the relation sign", expected="a left side")
        if not self.is_kind("stop"):
            several = self.is_kind("words", "newline") or self.is_sign(*BETWEEN)
            raise self.error(
                "here is more than one formula" if several else self.unexpected(),
                expected="one formula" if several else "an operator or the end",
                next="check them one by one" if several else None,
            )
        return node

    def several(self) -> tuple[Notation, ...]:
        """All formulas of the text, and the words between them."""
        parts: list[Notation] = []
        fresh = True
        while not self.is_kind("stop"):
            token = self.token
            if token.kind == "newline" or self.is_sign(*BETWEEN):
                self.step()
                fresh = True
            elif token.kind == "words":
                self.step()
                parts.append(Words(token.text, span=(token.start, token.end)))
                fresh = True
            elif fresh:
                parts.append(self.relation())
                fresh = False
            else:
                raise self.error(self.unexpected(), expected="an operator, a comma or the end")
        if not parts:
            raise self.error("there is no formula", expected="a formula, such as a - y")
        return tuple(parts)

    def relation(self) -> Notation:
        """An expression, or a chain A = B = C."""
        start = self.token.start
        first: Notation = (
            Words("", span=(start, start)) if not self.inside and self._relation_sign() else self.expression(SUM)
        )
        sides = [first]
        signs: list[RelationSign] = []
        while True:
            if self.is_sign(*UPDATES):
                direction = UPDATES[self.step().text]
                right = self.expression(SUM)
                sides.append(Plus(((1, sides[-1]), (direction, right)), span=self.span(start)))
                signs.append("←")
                continue
            sign = self._relation_sign()
            if sign is None:
                break
            self._step_relation()
            sides.append(self.expression(SUM))
            signs.append(sign)
        return sides[0] if not signs else Relation(tuple(sides), tuple(signs), span=self.span(start))

    def _relation_sign(self) -> RelationSign | None:
        """The relation sign that stands here, plain, negated or with something above it."""
        token = self.token
        if token.kind == "sign":
            if token.text == ":" and not self.inside and self.at and self.peek().kind not in ("stop", "words"):
                return "∈"
            return RELATIONS.get(token.text)
        if token.kind == "command" and token.text == "not":
            return "≠" if self.peek().text == "=" else None
        if token.kind == "command" and token.text in ("overset", "stackrel", "underset"):
            inner = self._stacked()
            return RELATIONS.get(self.tokens[inner].text) if inner else None
        return None

    def _stacked(self) -> int:
        """Where the sign of \\overset{!}{=} stands, or 0."""
        at = self.at + 1
        at = self.mates[at] + 1 if self.mates[at] > 0 else at + 1
        if at >= len(self.tokens) - 1:
            return 0
        braced = self.tokens[at].text == "{"
        inner = at + 1 if braced else at
        return inner if not braced or self.mates[at] == inner + 1 else 0

    def _step_relation(self) -> None:
        if self.is_kind("sign"):
            self.step()
        elif self.token.text == "not":
            self.at += 2
        else:
            inner = self._stacked()
            self.at = inner + (2 if self.tokens[inner - 1].text == "{" else 1)

    def expression(self, level: int = SUM) -> Notation:
        """What stands here, up to the first operator that binds less tightly than `level`."""
        self.deeper()
        start = self.token.start
        chain = Chain(self, start, self.operand(level))
        while True:
            token = self.token
            if token.kind == "sign" and token.text in macros.UNSUPPORTED:
                raise self._refusal()
            if token.kind == "sign" and token.text in "+-" and level <= SUM:
                self.step()
                chain.add("+" if token.text == "+" else "-", self.expression(ELEMENTWISE))
            elif token.kind == "sign" and token.text in PRODUCTS:
                own = ELEMENTWISE if token.text in self._elementwise else PRODUCT
                if own < level:
                    break
                self.step()
                chain.add(PRODUCTS[token.text], self.expression(own + 1))
            elif token.kind == "sign" and token.text == "/":
                if level > PRODUCT:
                    break
                self.step()
                chain.over(self._denominator())
            elif level <= JUXTAPOSED and self.starts_factor():
                chain.add("", self._factor())
            else:
                break
        self.depth -= 1
        return chain.node()

    def _factor(self) -> Notation:
        """A factor that stands directly after another one."""
        if self.is_kind("number") and self.tokens[self.at - 1].kind == "number":
            raise self.error("two numbers stand side by side", expected="an operator between them")
        return self.operand(JUXTAPOSED)

    def _denominator(self) -> Notation:
        """What stands below a slash. 1/2m is 1/(2m); 1/2 m, 1/2(a − y) and 1/m (a − y) are fractions of the rest."""
        start = self.token.start
        self.below_slash = True
        first = self.operand(TIGHT)
        self.below_slash = False
        factors = [first]
        while (
            self.starts_factor()
            and not self.token.spaced
            and not self.is_sign("Σ", "Π")
            and self.token.text not in KINDS
        ):
            name = self.is_kind("name")
            likely = name and isinstance(factors[-1], Number | Symbol)
            if likely == self.asks("quotient"):
                break
            factors.append(self._factor())
        return first if len(factors) == 1 else Product("", tuple(factors), span=self.span(start))

    def starts_factor(self) -> bool:
        """Whether what stands here could be a factor after another one."""
        token = self.token
        match token.kind:
            case "number" | "name" | "d" | "begin":
                return True
            case "command":
                return token.text != "not" and self._relation_sign() is None
            case "sign" if token.text in ("|", "‖"):
                return self._opens_bar(token.text)
            case "sign":
                return token.text in FACTOR_SIGNS
            case _:
                return False

    def _opens_bar(self, bar: str) -> bool:
        """Whether a bar that stands where an operator could opens an absolute value: 2|x|, but not p(y|x)."""
        if self.inside and self.inside[-1] == bar:
            return False
        return self.bars_left(bar) % 2 == 0

    def operand(self, level: int = TIGHT) -> Notation:
        """One operand, with the signs before it and the scripts after it."""
        token = self.token
        if token.kind == "sign" and token.text in "+-":
            return self._signed(level)
        if stands_here(self):
            node = big(self, level)
            closed = token.kind != "sign" and self.tokens[self.at - 1].text in (")", "\\}")
            return with_postfix(self, node, token.start) if closed or isinstance(node, Symbol) else node
        return with_postfix(self, self._primary(), token.start)

    def _signed(self, level: int) -> Notation:
        token = self.token
        negative = False
        while self.is_sign("+", "-"):
            negative ^= self.step().text == "-"
        body = self.expression(max(level, ELEMENTWISE))
        return Negative(body, span=self.span(token.start)) if negative else body

    def _primary(self) -> Notation:
        token = self.token
        match token.kind:
            case "number":
                self.step()
                return Number(Fraction(token.text), span=(token.start, token.end))
            case "name":
                return differential(self) if is_differential(token) and stands_alone(self) else named(self)
            case "d":
                return differential(self)
            case "command" if token.text in macros.FRACTIONS:
                return fraction(self)
            case "command" if token.text in macros.DERIVATIVES:
                return short(self)
            case "command":
                return command(self)
            case "begin":
                return environment(self)
            case "words":
                self.step()
                return Symbol("_".join(token.text.split()), span=(token.start, token.end))
            case "sign":
                return self._sign()
            case _:
                raise self.error(self.unexpected(), expected="a name, a number or a bracket")

    def _sign(self) -> Notation:
        token = self.token
        match token.text:
            case "{":
                return self._braced()
            case "(" | "[" | "\\{" | "⟨":
                return group(self)
            case "|" | "‖" | "|open" | "‖open":
                return absolute(self)
            case "∇":
                return nabla(self)
            case "√":
                return root_sign(self)
            case "left.":
                return self._between_bars()
            case text if text in macros.UNSUPPORTED:
                raise self._refusal()
            case _:
                raise self.error(self.unexpected(), expected="a name, a number or a bracket")

    def _braced(self) -> Notation:
        """A group in braces; what hangs on {\\hat y} hangs on the name, and empty braces are nothing."""
        token = self.token
        if self.mate() == self.at + 1:
            self.at += 2
            return self.operand(TIGHT)
        node = group(self)
        return continued(self, node, token.start) if isinstance(node, Symbol) else node

    def _between_bars(self) -> Notation:
        """\\left. … \\right|_{x = 0}."""
        token = self.step()
        stop = self.mate(self.at - 1)
        self.inside.append("(")
        body = self.expression(SUM)
        self.inside.pop()
        closing = self.tokens[stop]
        self.close(stop)
        if closing.text in ("|close", "‖close") and self.is_sign("_", "^"):
            return evaluated(self, body, token.start)
        return Bracketed(body, span=self.span(token.start))

    def _refusal(self) -> FormulaError:
        """What is wrong with a sign that is understood and refused."""
        what, instead = macros.UNSUPPORTED[self.token.text]
        return self.error(what, next=instead)
