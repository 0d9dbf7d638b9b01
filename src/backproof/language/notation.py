"""Notation: formulas the way people write them, before (parsers) and after (printers) they mean an expression.

One tree for both directions. A parser makes notation from text; `elaboration` gives it a meaning as an expression;
`notating` finds notation for an expression; `text`, `layout` (two-dimensional) and `latex` print it. Every node has
a `span` in the text that it was read from (empty for notation that was made), which equality ignores.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

Span = tuple[int, int]
NO_SPAN: Span = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """A piece of written mathematics."""

    span: Span = field(default=NO_SPAN, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Number(Notation):
    """A number as written: 2, 0.5; a fraction of two integers is a `Quotient`."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Symbol(Notation):
    """A name with what hangs on it: ŷ_k, W^{(2)}, z₁^{(l)}, \\mathbf{W}_{xh}.

    `name` is the plain name without accents or fonts (`y`, `delta`, `sigma`, `theta`, `loss`; Greek letters by their
    English names). `accent` is one of `hat`, `bar`, `tilde`, `dot`, `vec`, `check` or None. `subscripts` as written.
    `label` is a superscript in parentheses or brackets (a layer, sample or step): `W^{(l+1)}` has the label l+1. `star`
    is a superscript `*`, `+` or `-`. A bare superscript, `W^2` or `W^L`, is a `Power`: elaboration gives it a
    meaning.
    """

    name: str
    subscripts: tuple[Notation, ...] = ()
    label: Notation | None = None
    accent: str | None = None
    star: str = ""


@dataclass(frozen=True, slots=True)
class Negative(Notation):
    """−x."""

    body: Notation


@dataclass(frozen=True, slots=True)
class Plus(Notation):
    """A sum of terms, each with its sign: a − b + c is ((1, a), (−1, b), (1, c))."""

    terms: tuple[tuple[int, Notation], ...]


ProductSign = Literal["", "*", "·", "×", "⊙", "@", "⊗"]


@dataclass(frozen=True, slots=True)
class Product(Notation):
    """A product of two or more factors with one sign between them.

    "" juxtaposition, "*" the ASCII star, "·" a dot, "×" a cross, "⊙" elementwise (also `.*`, \\odot, \\circ), "@" the
    matrix product, "⊗" the outer product.
    """

    sign: ProductSign
    factors: tuple[Notation, ...]


@dataclass(frozen=True, slots=True)
class Quotient(Notation):
    """numerator / denominator; elementwise where both have axes."""

    numerator: Notation
    denominator: Notation


@dataclass(frozen=True, slots=True)
class Power(Notation):
    """base ^ exponent."""

    base: Notation
    exponent: Notation


@dataclass(frozen=True, slots=True)
class Transposed(Notation):
    """xᵀ."""

    body: Notation


@dataclass(frozen=True, slots=True)
class Call(Notation):
    """A function applied to arguments: f(z), σ′(z), \\exp z, softmax(z), f^{-1}(a) has power −1.

    `function` is a `Symbol` (or a `Derivative` in `∂f/∂z (z)`). `primes` counts the primes. `wrt` numbers
    the argument that is differentiated (`ell_1`), when the function has several. A call of an unknown letter,
    `a(1 − a)`, reads as a product in elaboration: `tight` says that no blank stood before the parenthesis.
    """

    function: Notation
    arguments: tuple[Notation, ...]
    primes: int = 0
    power: Notation | None = None
    tight: bool = True


@dataclass(frozen=True, slots=True)
class Derivative(Notation):
    """∂of/∂wrt, d of/d wrt, ∇_wrt of; `of` is None for a bare `dW2` or `∇_W`, `wrt` is empty words in ∇J.

    `style` is how it was written: "partial" (∂), "total" (d), "nabla" (∇) or "prefix" (dW2). `order` is 2 for ∂²J/∂z².
    """

    of: Notation | None
    wrt: Notation
    style: Literal["partial", "total", "nabla", "prefix"] = "partial"
    order: int = 1


BigKind = Literal["sum", "mean", "max", "min", "prod"]


@dataclass(frozen=True, slots=True)
class Big(Notation):
    """Σ, mean, max, min or Π of a body: over indices with bounds, `\\sum_{k=1}^{K}`, or over all entries of a vector.

    `indices` are names. `lower` and `upper` are the bounds as written or None; another condition, i ∈ B, stands in
    `lower` as a relation. `without` lists excluded values (`j ≠ i`). With no indices, `sum(x)` sums all entries of x;
    `axis` is a NumPy-like axis number or None.
    """

    kind: BigKind
    body: Notation
    indices: tuple[str, ...] = ()
    lower: Notation | None = None
    upper: Notation | None = None
    without: tuple[Notation, ...] = ()
    axis: int | None = None


RelationSign = Literal["=", "≠", "<", "≤", ">", "≥", "≈", "∈", "→", "←", "≡", ":="]


@dataclass(frozen=True, slots=True)
class Relation(Notation):
    """A chain of sides with signs between them: A = B = C."""

    sides: tuple[Notation, ...]
    signs: tuple[RelationSign, ...]


@dataclass(frozen=True, slots=True)
class Indicator(Notation):
    """[z > 0], \\mathbb{1}[z > 0], 1_{z>0}: 1 where the relation holds, else 0."""

    condition: Notation


@dataclass(frozen=True, slots=True)
class Cases(Notation):
    """A case distinction; the condition of the last case may be None (otherwise)."""

    cases: tuple[tuple[Notation, Notation | None], ...]


@dataclass(frozen=True, slots=True)
class Entry(Notation):
    """An entry of a bracketed expression: (W x)_i, W[i, j]. A `Symbol` keeps its subscripts itself."""

    body: Notation
    indices: tuple[Notation, ...]


@dataclass(frozen=True, slots=True)
class Absolute(Notation):
    """|x|."""

    body: Notation


@dataclass(frozen=True, slots=True)
class Norm(Notation):
    """‖x‖, the Euclidean norm; `kind` is "2", "1" or "F"."""

    body: Notation
    kind: str = "2"


@dataclass(frozen=True, slots=True)
class Matrix(Notation):
    """A matrix or vector written out, row by row."""

    rows: tuple[tuple[Notation, ...], ...]


@dataclass(frozen=True, slots=True)
class Bracketed(Notation):
    """Parentheses that the writer put; they keep juxtaposition apart from a call and carry no meaning of their own."""

    body: Notation


@dataclass(frozen=True, slots=True)
class Words(Notation):
    """Words inside a formula: \\text{if}, \\quad for the output layer."""

    text: str


@dataclass(frozen=True, slots=True)
class Marked(Notation):
    """A part that a printer sets apart: a cancelled factor (`struck`) with its pair's number, or a stressed one."""

    body: Notation
    pair: int = 0
    struck: bool = False
