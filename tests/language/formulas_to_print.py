"""Formulas as notation for the tests of the printers, with small functions that build them."""

from __future__ import annotations

from fractions import Fraction

from backproof.language.notation import (
    Absolute,
    Big,
    Bracketed,
    Call,
    Cases,
    Derivative,
    Entry,
    Indicator,
    Marked,
    Matrix,
    Negative,
    Norm,
    Notation,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Relation,
    Symbol,
    Transposed,
    Words,
)


def n(value: int | str) -> Number:
    return Number(Fraction(value))


def s(name: str, *subscripts: str, label: Notation | None = None, accent: str | None = None, star: str = "") -> Symbol:
    return Symbol(name, tuple(map(Symbol, subscripts)), label, accent, star)


def plus(*terms: Notation) -> Plus:
    """A sum; a `Negative` stands for a subtracted term."""
    return Plus(tuple((-1, t.body) if isinstance(t, Negative) else (1, t) for t in terms))


def minus(left: Notation, right: Notation) -> Plus:
    return Plus(((1, left), (-1, right)))


def equal(*sides: Notation) -> Relation:
    return Relation(sides, ("=",) * (len(sides) - 1))


def greater(left: Notation, right: Notation) -> Relation:
    return Relation((left, right), (">",))


def times(*factors: Notation, sign: str = "") -> Product:
    return Product(sign, factors)  # type: ignore[arg-type]


a, y, z, m, x, b, W = (s(name) for name in "ayzmxbW")
y_hat = s("y", accent="hat")
next_layer = plus(s("l"), n(1))
error = minus(y_hat, y)
slope = times(y_hat, minus(n(1), y_hat))

CHAIN = equal(Derivative(s("ell"), z), times(Derivative(s("ell"), y_hat), Derivative(y_hat, z), sign="·"))
CANCELLED = times(
    Quotient(error, times(Marked(y_hat, 1, struck=True), Marked(minus(n(1), y_hat), 2, struck=True))),
    times(Marked(y_hat, 1, struck=True), Marked(minus(n(1), y_hat), 2, struck=True)),
    sign="·",
)
RECURSION = times(
    times(Transposed(s("W", label=next_layer)), s("delta", label=next_layer), sign="@"),
    Call(s("f"), (s("z", label=s("l")),), primes=1),
    sign="⊙",
)
LOSS = equal(
    s("J"),
    Negative(
        times(
            Quotient(n(1), m),
            Big("sum", Big("sum", times(s("y", "k", "i"), Call(s("ln"), (s("a", "k", "i"),))), ("k",)), ("i",)),
        )
    ),
)
SOFTMAX = equal(s("p", "i"), Quotient(Power(s("e"), s("z", "i")), Big("sum", Power(s("e"), s("z", "k")), ("k",))))
NORMALISED = equal(
    s("x", accent="hat"), Quotient(minus(x, s("mu")), Call(s("sqrt"), (plus(Power(s("sigma"), n(2)), s("eps")),)))
)
LEAKY = equal(Call(s("f"), (z,)), Cases(((z, greater(z, n(0))), (times(s("alpha"), z), None))))

EVERY_KIND: tuple[Notation, ...] = (
    CHAIN,
    CANCELLED,
    RECURSION,
    LOSS,
    SOFTMAX,
    NORMALISED,
    LEAKY,
    Absolute(minus(a, y)),
    Norm(minus(a, y)),
    Norm(W, "F"),
    Entry(times(W, x, sign="@"), (s("i"),)),
    Indicator(greater(z, n(0))),
    Matrix(((a, y), (z, Quotient(n(1), m)))),
    Bracketed(minus(a, y)),
    Big("sum", s("a", "k"), ("k",), n(1), s("K")),
    Big("max", s("z", "j"), ("j",), without=(s("i"),)),
    Big("sum", a),
    Derivative(s("J"), W, "nabla"),
    Derivative(None, s("W2"), "prefix"),
    Derivative(s("J"), s("z", "i"), order=2),
    Call(s("sin"), (x,), power=n(2)),
    Words("for the output layer"),
    s("W", label=n(2), star="*"),
    n("1/40"),
    n("1/3"),
)
