"""Index notation of expressions: every entry with its indices, Σ_k W_{ki} δ_k."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from backproof.language.arranging import Signed, difference, number, scaled
from backproof.language.expression import (
    Add,
    Apply,
    Const,
    Delta,
    Expr,
    Index,
    Max,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Tensor,
    mul,
    postorder,
)
from backproof.language.naming import Letters, Names, symbol
from backproof.language.notation import (
    Absolute,
    Big,
    Call,
    Derivative,
    Indicator,
    Negative,
    Notation,
    Number,
    Plus,
    Power,
    Relation,
    Symbol,
)
from backproof.language.traversal import extent

SHORT_EXPONENT: Final = 10
EULER: Final = "e"
WORDS: Final = {"log": "ln"}
"""Functions that have another name in writing."""


def with_sign(signed: Signed) -> Notation:
    """The notation with its minus, which a sum takes into its terms: −a − b."""
    sign, notation = signed
    if sign > 0:
        return notation
    if isinstance(notation, Plus):
        return Plus(tuple((-own, term) for own, term in notation.terms))
    return Negative(notation)


def call(names: Names, node: Apply, arguments: Sequence[Notation]) -> Notation:
    """A function of written arguments: e^{…}, |…|, [… > 0], σ′(…), ∂ℓ(a, y)/∂a."""
    order = 0 if node.name == "exp" else sum(node.orders)
    if order == 0 and len(arguments) == 1:
        argument = arguments[0]
        match node.name:
            case "exp" if extent(argument) <= SHORT_EXPONENT and EULER not in names.taken:
                return Power(Symbol(EULER), argument)
            case "abs":
                return Absolute(argument)
            case "step":
                return Indicator(_positive(argument))
            case _:
                pass
    function = names.function(WORDS.get(node.name, node.name))
    if order == 0 or len(arguments) == 1:
        return Call(function, tuple(arguments), primes=order)
    wanted = [k for k, times in enumerate(node.orders) if times]
    if len(wanted) == 1 and isinstance(arguments[wanted[0]], Symbol):
        return Derivative(Call(function, tuple(arguments)), arguments[wanted[0]], order=order)
    marks = tuple(Number(Fraction(k + 1)) for k, times in enumerate(node.orders) for _ in range(times))
    return Call(Symbol(function.name, marks), tuple(arguments))


def _positive(argument: Notation) -> Relation:
    """Whether the argument is positive; a difference a − b as a > b."""
    nothing = Number(Fraction(0))
    match argument:
        case Negative(body):
            return Relation((body, nothing), ("<",))
        case Plus(((1, Number() as left), (-1, right))):
            return Relation((right, left), ("<",))
        case Plus(((1, left), (-1, right))):
            return Relation((left, right), (">",))
        case Plus(((1, left), (1, Number() as right))):
            return Relation((left, Negative(right)), (">",))
        case Plus(terms) if all(sign < 0 for sign, _ in terms):
            return Relation((Plus(tuple((1, term) for _, term in terms)), nothing), ("<",))
        case _:
            return Relation((argument, nothing), (">",))


def power_of(node: Apply) -> tuple[Expr, Expr] | None:
    """Base and exponent of x^γ, which is exp(γ·log x); None for any other exponential."""
    if node.name != "exp" or not isinstance(node.args[0], Mul):
        return None
    product = node.args[0].factors
    logarithms = [f for f in product if isinstance(f, Apply) and f.name == "log" and not any(f.orders)]
    rest = [f for f in product if f not in logarithms]
    if len(logarithms) != 1 or not all(isinstance(f, Tensor | Const | Size) for f in rest) or not rest:
        return None
    return logarithms[0].args[0], mul(*rest)


def raised(base: Signed, exponent: Fraction) -> Signed:
    """A positive power: √x, x², (−x)³ as −x³."""
    sign, notation = base
    if exponent == Fraction(1, 2):
        return 1, Call(Symbol("sqrt"), (with_sign(base),))
    if exponent.denominator != 1:
        return 1, Power(with_sign(base), number(exponent))
    if exponent == 1:
        return base
    return sign ** int(exponent), Power(notation, Number(exponent))


def factors(node: Expr) -> tuple[Expr, ...]:
    """The factors of a product; anything else is its own factor."""
    return node.factors if isinstance(node, Mul) else (node,)


def nest(node: Sum) -> tuple[tuple[Index, ...], Expr]:
    """The indices of directly nested sums, outermost first, and what is summed."""
    indices = [node.index]
    body = node.body
    while isinstance(body, Sum):
        indices.append(body.index)
        body = body.body
    return tuple(indices), body


class Entries:
    """Writes expressions in index notation; the letters of one formula are shared by all its parts.

    Indices in `silent` are not written: (a − y) for (a_i − y_i).
    """

    def __init__(self, names: Names, letters: Letters, silent: frozenset[Index] = frozenset()) -> None:
        self._names = names
        self._letters = letters
        self._silent = silent
        self._written: dict[Expr, Signed] = {}

    def write(self, root: Expr) -> Notation:
        """The notation of an expression."""
        return with_sign(self.signed(root))

    def signed(self, root: Expr) -> Signed:
        """The notation of an expression with its sign apart."""
        for node in postorder(root):
            if node not in self._written:
                self._written[node] = self._node(node)
        return self._written[root]

    def sum(self, indices: Sequence[Index], product: Sequence[Expr]) -> Signed:
        """The sum of a product over indices, outermost first; a factor stands outside of sums it has no part in."""
        for factor in product:
            self.signed(factor)
        levels: list[list[Expr]] = [[] for _ in range(len(indices) + 1)]
        for factor in product:
            levels[max((k + 1 for k, i in enumerate(indices) if i in factor.free), default=0)].append(factor)
        inner: list[Notation] = []
        sign = 1
        for index, level in zip(reversed(indices), reversed(levels[1:]), strict=True):
            own, body = self._product(level, inner)
            sign *= own
            inner = [Big("sum", body, (self._letters.letter(index),))]
        own, result = self._product(levels[0], inner)
        return sign * own, result

    def _index(self, index: Index) -> Notation:
        return Symbol(self._letters.letter(index))

    def _node(self, node: Expr) -> Signed:
        match node:
            case Num(value):
                return (-1 if value < 0 else 1), number(abs(value))
            case Size(name) | Const(name):
                return 1, symbol(name)
            case Tensor(name, indices):
                return 1, self._names.tensor(name, tuple(self._index(i) for i in indices if i not in self._silent))
            case Delta(left, right):
                return 1, Indicator(Relation((self._index(left), self._index(right)), ("=",)))
            case Add(terms):
                return difference([self._written[t] for t in terms])
            case Mul():
                return self._product(node.factors, [])
            case Pow(_, exponent) if exponent < 0:
                return self._product([node], [])
            case Pow(base, exponent):
                return raised(self._written[base], exponent)
            case Apply() if (parts := power_of(node)) is not None:
                base, exponent = parts
                return 1, Power(with_sign(self._written[base]), self.write(exponent))
            case Apply(_, args, _):
                return 1, call(self._names, node, [with_sign(self._written[a]) for a in args])
            case Sum():
                indices, body = nest(node)
                return self.sum(indices, factors(body))
            case Max(index, body):
                return 1, Big("max", with_sign(self._written[body]), (self._letters.letter(index),))
            case _:
                raise TypeError(f"not an expression: {type(node).__name__}")

    def _product(self, product: Sequence[Expr], more: Sequence[Notation]) -> Signed:
        coefficient = Fraction(1)
        sign = 1
        above: list[Notation] = []
        below: list[Notation] = []
        for factor in product:
            if isinstance(factor, Num):
                coefficient *= factor.value
                continue
            if isinstance(factor, Pow) and factor.exponent < 0:
                own, notation = raised(self._written[factor.base], -factor.exponent)
                below.append(notation)
            else:
                own, notation = self._written[factor]
                above.append(notation)
            sign *= own
        if coefficient < 0:
            sign, coefficient = -sign, -coefficient
        return sign, scaled(coefficient, [*above, *more], below)
