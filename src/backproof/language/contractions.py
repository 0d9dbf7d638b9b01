"""Recognising matrix notation: sums over shared indices as products, transposes and outer products."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from backproof.language.expression import Index
from backproof.language.notation import Notation, Number, Product, Quotient, Transposed


@dataclass(frozen=True, slots=True)
class Piece:
    """Notation with its axes, both as it stands and transposed, each with the number of transposes in it.

    A matrix has rows and columns. A vector has rows only: `upright` is it as a column, `flat` as a row. A scalar has
    neither. `sign` is a leading minus kept apart from the notation.
    """

    upright: Notation
    flat: Notation
    rows: Index | None = None
    columns: Index | None = None
    upright_cost: int = 0
    flat_cost: int = 0
    sign: int = 1

    @property
    def axes(self) -> frozenset[Index]:
        """The axes that are there."""
        return frozenset(i for i in (self.rows, self.columns) if i is not None)

    def shown(self, rows: Index | None, columns: Index | None) -> tuple[Notation, int]:
        """The notation with the given axis as rows, and how many transposes that takes."""
        if (rows is not None and rows == self.rows) or (columns is not None and columns == self.columns):
            return self.upright, self.upright_cost
        return (self.flat, self.flat_cost) if self.axes else (self.upright, self.upright_cost)


def scalar(notation: Notation, sign: int = 1) -> Piece:
    """A piece without axes."""
    return Piece(notation, notation, sign=sign)


def piece(
    rows: Index | None,
    columns: Index | None,
    upright: tuple[Notation, int],
    flat: tuple[Notation, int],
    sign: int = 1,
) -> Piece:
    """A piece from both of its forms; a form gives way to the transpose of the other if that takes fewer transposes."""
    if rows is None and columns is None:
        best = min(upright, flat, key=lambda form: form[1])[0]
        return scalar(best, sign)
    if upright[1] > flat[1] + 1:
        upright = Transposed(flat[0]), flat[1] + 1
    elif flat[1] > upright[1] + 1:
        flat = Transposed(upright[0]), upright[1] + 1
    return Piece(upright[0], flat[0], rows, columns, upright[1], flat[1], sign)


def named(notation: Notation, indices: tuple[Index, ...], *, row_vectors: bool) -> Piece | None:
    """A named tensor: a scalar, a vector or a matrix with two different axes."""
    turned = Transposed(notation), 1
    match indices:
        case ():
            return scalar(notation)
        case (index,):
            own = notation, 0
            return piece(index, None, turned, own) if row_vectors else piece(index, None, own, turned)
        case (rows, columns) if rows != columns:
            return piece(rows, columns, (notation, 0), turned)
        case _:
            return None


def aligned(pieces: Sequence[Piece], build: Callable[[list[Notation]], Notation]) -> Piece | None:
    """One piece from several entry by entry; None where their axes do not fit.

    A vector fits a matrix only as it stands (a bias), never transposed, and not a square one, where one could not see
    along which axis it is repeated.
    """
    widest = max(pieces, key=lambda p: len(p.axes))
    rows, columns = widest.rows, widest.columns
    for other in pieces:
        if not other.axes <= widest.axes:
            return None
        if other.axes and other.axes != widest.axes and not _repeats(other, widest):
            return None
    upright = [_form(p, rows) for p in pieces]
    flat = [_form(p, columns) for p in pieces]
    return piece(
        rows,
        columns,
        (build([n for n, _ in upright]), sum(c for _, c in upright)),
        (build([n for n, _ in flat]), sum(c for _, c in flat)),
    )


def _repeats(vector: Piece, matrix: Piece) -> bool:
    assert matrix.rows is not None
    assert matrix.columns is not None
    if matrix.rows.sort == matrix.columns.sort:
        return False
    rows = matrix.rows if matrix.upright_cost <= matrix.flat_cost else matrix.columns
    if vector.rows == rows:
        return vector.upright_cost <= vector.flat_cost
    return vector.flat_cost <= vector.upright_cost


def _form(part: Piece, rows: Index | None) -> tuple[Notation, int]:
    """A piece within an array of the given axes: a vector is a column along rows, a row along columns."""
    if part.rows is None:
        return part.upright, part.upright_cost
    if part.rows == rows:
        return part.upright, part.upright_cost
    return part.flat, part.flat_cost


def entrywise(pieces: Sequence[tuple[Piece, bool]]) -> Piece | None:
    """The elementwise product of pieces; those marked True are divided by. Chains of matrix products come first."""
    ordered = sorted(pieces, key=lambda item: not _is_chain(item[0]))
    above = [p for p, inverse in ordered if not inverse]
    below = [p for p, inverse in ordered if inverse]

    def build(notations: list[Notation]) -> Notation:
        top = hadamard(notations[: len(above)])
        return Quotient(top, hadamard(notations[len(above) :])) if below else top

    return aligned([*above, *below], build)


def _is_chain(part: Piece) -> bool:
    return isinstance(part.upright, Product) and part.upright.sign == "@"


def hadamard(factors: Iterable[Notation]) -> Notation:
    """The factors with ⊙ between them; 1 when there is none."""
    flat = [
        f
        for factor in factors
        for f in (factor.factors if isinstance(factor, Product) and factor.sign == "⊙" else (factor,))
    ]
    if not flat:
        return Number(Fraction(1))
    return flat[0] if len(flat) == 1 else Product("⊙", tuple(flat))


def contracted(pieces: Sequence[tuple[Piece, bool]], summed: frozenset[Index]) -> Piece | None:
    """The sum over `summed` of a product whose factors are connected by these indices, as a chain A B c.

    None where it is none: an index in three factors or in one only, a trace, more than two open axes.
    """
    if len(pieces) == 2 and len(summed) == 1 and all(p.axes == summed for p, _ in pieces):
        return inner(*(p for p, _ in pieces)) if not any(inverse for _, inverse in pieces) else None
    groups: list[Piece] = []
    for axes in dict.fromkeys(p.axes for p, _ in pieces):
        group = entrywise([(p, inverse) for p, inverse in pieces if p.axes == axes])
        if group is None:
            return None
        groups.append(group)
    at: dict[Index, list[Piece]] = {s: [g for g in groups if s in g.axes] for s in summed}
    if any(len(group) != 2 for group in at.values()):
        return None
    start = next((g for g in groups if len(g.axes) == 1 or g.axes - summed), None)
    if start is None:
        return None
    entered = next(iter(start.axes - summed), None)
    first, current, chain = entered, start, list[tuple[Piece, Index | None, Index | None]]()
    while True:
        leaving = next(iter(current.axes - {entered}), None)
        chain.append((current, entered, leaving))
        if leaving is None or leaving not in summed:
            last = leaving
            break
        current = next(g for g in at[leaving] if g is not current)
        entered = leaving
    if len(chain) != len(groups):
        return None
    forward = [part.shown(left, right) for part, left, right in chain]
    backward = [part.shown(right, left) for part, left, right in reversed(chain)]
    forms = _product(forward), _product(backward)
    if first is None and last is not None:
        return piece(last, None, forms[1], forms[0])
    return piece(first, last, *forms)


def inner(left: Piece, right: Piece) -> Piece:
    """The inner product of two vectors."""
    forward = [left.shown(None, left.rows), right.shown(right.rows, None)]
    backward = [right.shown(None, right.rows), left.shown(left.rows, None)]
    return piece(None, None, _product(forward), _product(backward))


def outer(left: Piece, right: Piece) -> Piece:
    """The outer product of two vectors."""
    forward = [left.shown(left.rows, None), right.shown(None, right.rows)]
    backward = [right.shown(right.rows, None), left.shown(None, left.rows)]
    return piece(left.rows, right.rows, _product(forward), _product(backward))


def _product(forms: Sequence[tuple[Notation, int]]) -> tuple[Notation, int]:
    flat: list[Notation] = []
    for notation, _ in forms:
        flat += notation.factors if isinstance(notation, Product) and notation.sign == "@" else (notation,)
    return Product("@", tuple(flat)), sum(cost for _, cost in forms)
