"""Terms: an expression as a term of Coq, over the reals.

The text is made from the same tree as the printed formula. Vectors are functions of natural numbers, and an index
that runs from 1 to n on paper runs over the numbers below n. Division by 0 and the logarithm and root of negative
numbers have values in Coq, so statements carry their domains as hypotheses (`conditions`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from backproof.coq.identifiers import Identifiers
from backproof.errors import ExportError
from backproof.language.expression import (
    Add,
    Apply,
    Const,
    Delta,
    Expr,
    Index,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Tensor,
    postorder,
)

AXIOMS: Final[Mapping[str, str]] = {
    "exp": "exp", "log": "ln", "sin": "sin", "cos": "cos", "atan": "atan", "erf": "erf", "step": "step",
}  # fmt: skip
"""The axioms of the catalogue as Coq's functions; `erf` and `step` are defined in proofs/Functions.v."""

ATOM, APPLICATION, POWER, SIGN, PRODUCT, SUM = range(6)


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of Coq text and how loosely it binds."""

    text: str
    level: int
    negated: str | None = None
    """Of −x, the text of x as a term of a sum."""

    def within(self, level: int) -> str:
        """The text where only something that binds at least as tightly as `level` may stand."""
        return self.text if self.level <= level else f"({self.text})"


@dataclass
class Terms:
    """Writes expressions as Coq terms.

    `names` gives identifiers to tensors and sizes, `fixed` says what else a tensor, an index or a size is written as
    (an argument of a theorem, `W (S l)` for a layer), `call` writes functions of the catalogue and abstract ones.

    >>> from backproof.language.expression import Index, apply, sum_over, tensor
    >>> i = Index("i", "n")
    >>> Terms().write(sum_over(i, tensor("x", i) ** 2) / 2 - apply("exp", tensor("b")))
    '1 / 2 * Sum n (fun i0 => x i0 ^ 2) - exp b'
    """

    names: Identifiers = field(default_factory=Identifiers)
    fixed: Mapping[str, str] = field(default_factory=dict[str, str])
    call: Callable[[Apply], tuple[str, ...]] | None = None

    def tensor(self, name: str) -> str:
        """A tensor as an atom."""
        return self.fixed.get(name) or self.names.of(name)

    def sort(self, sort: str) -> str:
        """A size as a natural number."""
        wanted = f"size_{sort}" if sort.isdigit() else sort
        return self.fixed.get(f"size {sort}") or self.names.of(f"size {sort}", wanted)

    def index(self, index: Index) -> str:
        """An index as a natural number; a bound one by the height of its binder."""
        if index.name.startswith("#"):
            return f"i{index.name[1:]}"
        return self.fixed.get(f"index {index.name}") or self.names.of(f"index {index.name}", index.name)

    def write(self, root: Expr, level: int = SUM) -> str:
        """The expression as text that may stand where `level` is allowed."""
        done: dict[Expr, Written] = {}
        for node in postorder(root):
            done[node] = self._written(node, done)
        return done[root].within(level)

    def _written(self, node: Expr, done: Mapping[Expr, Written]) -> Written:
        match node:
            case Num(value):
                return _number(value)
            case Size(sort):
                return Written(f"INR {self.sort(sort)}", APPLICATION)
            case Const(name):
                if name != "pi":
                    raise ExportError(f"the constant {name} has no Coq name")
                return Written("PI", ATOM)
            case Tensor(name, indices):
                arguments = [self.index(i) for i in indices]
                return _applied(self.tensor(name), arguments)
            case Delta(left, right):
                return _applied("kron", [self.index(left), self.index(right)])
            case Add(terms):
                return Written(_sum([done[t] for t in terms]), SUM)
            case Mul(factors):
                return self._product(factors, done)
            case Pow(base, exponent):
                return _power(done[base], exponent)
            case Apply():
                return _applied_words(self._head(node), [done[a].within(ATOM) for a in node.args])
            case Sum(index, body):
                return Written(
                    f"Sum {self.sort(index.sort)} (fun {self.index(index)} => {done[body].text})", APPLICATION
                )
            case _:
                raise ExportError(
                    f"{type(node).__name__.lower()} has no Coq form yet",
                    expected="sums, products, powers and functions",
                    next="the other statements are exported without it",
                )

    def _head(self, node: Apply) -> tuple[str, ...]:
        if self.call is not None:
            return self.call(node)
        if node.name in AXIOMS and not any(node.orders):
            return (AXIOMS[node.name],)
        raise ExportError(f"the function {node.name} has no Coq definition here")

    def _product(self, factors: tuple[Expr, ...], done: Mapping[Expr, Written]) -> Written:
        above: list[Written] = []
        below: list[Written] = []
        sign = ""
        for factor in factors:
            if isinstance(factor, Num) and factor.value < 0:
                sign = "- "
                if factor.value != -1:
                    above.append(_number(-factor.value))
            elif isinstance(factor, Pow) and factor.exponent < 0:
                below.append(_power(done[factor.base], -factor.exponent))
            else:
                above.append(done[factor])
        if not above and len(below) == 1:
            inverse = f"/ {below[0].within(POWER)}"
            return Written(f"- {inverse}", SIGN, inverse) if sign else Written(inverse, SIGN)
        top = " * ".join(w.within(PRODUCT if k == 0 else POWER) for k, w in enumerate(above)) or "1"
        if below:
            bottom = " * ".join(w.within(POWER) for w in below)
            top += f" / {bottom if len(below) == 1 else f'({bottom})'}"
        elif sign and len(above) == 1:
            return Written(f"- {above[0].within(POWER)}", SIGN, above[0].within(PRODUCT))
        return Written(f"- ({top})", SIGN, top) if sign else Written(top, PRODUCT)


def _number(value: Fraction) -> Written:
    if value.denominator == 1:
        return Written(str(value), ATOM) if value >= 0 else Written(f"- {-value}", SIGN, str(-value))
    text = f"{abs(value.numerator)} / {value.denominator}"
    return Written(text, PRODUCT) if value > 0 else Written(f"- ({text})", SIGN, text)


def _applied(head: str, arguments: list[str]) -> Written:
    if arguments and head.startswith("(") and head.endswith(")"):
        head = head[1:-1]  # what `fixed` gives is an atom; applied further it needs no parentheses
    return Written(" ".join([head, *arguments]), APPLICATION if arguments or " " in head else ATOM)


def _applied_words(head: tuple[str, ...], arguments: list[str]) -> Written:
    words = [*head, *arguments]
    return Written(" ".join(words), APPLICATION if len(words) > 1 else ATOM)


def _power(base: Written, exponent: Fraction) -> Written:
    if exponent < 0:
        return Written(f"/ {_power(base, -exponent).within(POWER)}", SIGN)
    if exponent == 1:
        return base
    if exponent.denominator == 1:
        return Written(f"{base.within(APPLICATION)} ^ {exponent}", POWER)
    if exponent.denominator == 2:
        root = Written(f"sqrt {base.within(ATOM)}", APPLICATION)
        return root if exponent.numerator == 1 else Written(f"{root.text} ^ {exponent.numerator}", POWER)
    return Written(f"Rpower {base.within(ATOM)} ({exponent.numerator} / {exponent.denominator})", APPLICATION)


def _sum(terms: list[Written]) -> str:
    text = ""
    first = next((k for k, t in enumerate(terms) if t.negated is None), 0)
    for k, written in enumerate([terms[first], *terms[:first], *terms[first + 1 :]]):
        if k == 0:
            text = written.within(SUM)
        elif written.negated is not None:
            text += f" - {written.negated}"
        else:
            text += f" + {written.within(PRODUCT)}"
    return text
