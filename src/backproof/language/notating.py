"""From expressions to notation: matrix notation where there is one, index notation else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final, Literal

from backproof.errors import LimitError
from backproof.language.arranging import difference, scaled, scaled_array, with_nice_signs
from backproof.language.contractions import Piece, aligned, contracted, entrywise, named, outer, piece, scalar
from backproof.language.entries import EULER, Entries, call, factors, nest, raised, with_sign
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
    postorder,
)
from backproof.language.naming import Letters, Names, base_of
from backproof.language.notation import Notation, Relation
from backproof.language.program import Definition, Program
from backproof.language.traversal import extent

Style = Literal["matrix", "index"]
MAX_PIECES: Final = 50_000


def notate(
    what: Definition | Expr,
    *,
    program: Program | None = None,
    free: tuple[Index, ...] = (),
    style: Style = "matrix",
    symbols: Mapping[str, str] | None = None,
) -> Notation:
    """How people write an expression, or the equation of a definition.

    `free` are the axes of the value in their order, rows before columns; a definition brings its own. `symbols` has
    the letters of functions, `{"sigmoid": "sigma"}`. Where no matrix notation exists the whole formula is in index
    notation. Raises LimitError for a formula of more than 50,000 pieces.

    >>> from backproof.language.expression import sum_over, tensor
    >>> from backproof.language.text import write
    >>> i, k = Index("i", "n"), Index("k", "m")
    >>> write(notate(sum_over(k, tensor("W", k, i) * tensor("delta", k)), free=(i,)))
    'Wᵀ δ'
    """
    program = program or Program()
    if isinstance(what, Definition):
        body, free, head = what.body, what.indices, what.head
    else:
        body, head = what, None
        free = (*free, *sorted(what.free - set(free)))
    root = with_nice_signs(body)
    names = Names(frozenset(base_of(name) for name in program.names), symbols or {})
    result = None if style == "index" else _without_indices(root, free, names, program, whole=head is not None)
    if result is not None:
        if isinstance(head, Tensor):
            result = Relation((names.tensor(head.name), result), ("=",))
    else:
        entries = Entries(names, _letters(root, free, names))
        result = entries.write(root)
        if head is not None:
            result = Relation((entries.write(head), result), ("=",))
    pieces = extent(result)
    if pieces > MAX_PIECES:
        raise LimitError(
            "a formula is too large to write down",
            expected=f"at most {MAX_PIECES} pieces",
            got=str(pieces) if pieces < 10**9 else "far more",
            next="give names to parts of the formula",
        )
    return result


def _letters(root: Expr, free: Sequence[Index], names: Names) -> Letters:
    sizes = {node.sort for node in postorder(root) if isinstance(node, Size)}
    return Letters(root, free, {*names.taken, *sizes, EULER})


def _without_indices(
    root: Expr, free: tuple[Index, ...], names: Names, program: Program, *, whole: bool
) -> Notation | None:
    """The formula without its free indices, or None where it cannot be written so.

    A `whole` side of an equation must show all axes of the other side; a part may lack some.
    """
    if _is_elementwise(root, free, program):
        return Entries(names, _letters(root, (), names), frozenset(free)).write(root)
    if len(free) > 2:
        return None
    found = _Arrays(names, Entries(names, _letters(root, free, names)), row_vectors=program.row_vectors).piece(root)
    if found is None or not found.axes <= frozenset(free) or (whole and len(found.axes) < len(free)):
        return None
    match free:
        case (rows, columns) if len(found.axes) == 2:
            notation, _ = found.shown(rows, columns)
        case _ if program.row_vectors:
            notation = found.flat
        case _:
            notation = found.upright
    return with_sign((found.sign, notation))


def _is_elementwise(root: Expr, free: tuple[Index, ...], program: Program) -> bool:
    """Whether a single free index can go without saying: there are vectors only, and no sum or delta involves it."""
    if len(free) > 1 or any(len(program.sorts(name)) > 1 for name in program.names):
        return False
    outside = frozenset(free)
    for node in postorder(root):
        match node:
            case Tensor(_, indices) if len(indices) > 1:
                return False
            case Delta():
                return False
            case Sum() if any(f.free & outside and f.free - outside for f in _summed(node)):
                return False
            case Max() if node.free & outside:
                return False
            case _:
                pass
    return True


def _summed(node: Sum) -> tuple[Expr, ...]:
    """The factors under directly nested sums, apart from sums."""
    _, body = nest(node)
    return tuple(f for f in factors(body) if not isinstance(f, Sum))


class _Arrays:
    """Finds matrix notation, from the inside out; None for a part that has none."""

    def __init__(self, names: Names, entries: Entries, *, row_vectors: bool) -> None:
        self._names = names
        self._entries = entries
        self._row_vectors = row_vectors
        self._found: dict[Expr, Piece | None] = {}

    def piece(self, root: Expr) -> Piece | None:
        for node in postorder(root):
            self._found[node] = self._node(node)
        return self._found[root]

    def _node(self, node: Expr) -> Piece | None:
        match node:
            case Num() | Size() | Const():
                return _scalar(self._entries.signed(node))
            case Tensor(name, indices):
                if len(indices) > 2:
                    return None
                return named(self._names.tensor(name), indices, row_vectors=self._row_vectors)
            case Add(terms):
                return self._sum_of_terms(terms)
            case Mul():
                return self._product(node.factors, ())
            case Sum():
                indices, body = nest(node)
                return self._product(factors(body), indices)
            case Pow(base, exponent):
                inside = self._found[base]
                if inside is None:
                    return None
                return self._product((node,), ()) if exponent < 0 else _raised(inside, exponent)
            case Apply(_, args, _):
                found = [self._found[a] for a in args]
                inside = [p for p in found if p is not None]
                if len(inside) < len(found):
                    return None
                signs = [p.sign for p in inside]
                return aligned(inside, lambda parts: call(self._names, node, _signed(signs, parts)))
            case Max():
                return None if node.free else _scalar(self._entries.signed(node))
            case Delta():
                return None
            case _:
                raise TypeError(f"not an expression: {type(node).__name__}")

    def _sum_of_terms(self, terms: Sequence[Expr]) -> Piece | None:
        found = [self._found[t] for t in terms]
        inside = [p for p in found if p is not None]
        if len(inside) < len(found):
            return None
        signs = [p.sign for p in inside]
        result = aligned(inside, lambda parts: difference(list(zip(signs, parts, strict=True)))[1])
        return result if result is None or any(s > 0 for s in signs) else _negative(result)

    def _product(self, product: Sequence[Expr], summed: tuple[Index, ...]) -> Piece | None:
        coefficient = Fraction(1)
        sign = 1
        items: list[tuple[Expr, Piece, bool]] = []
        for factor in product:
            if isinstance(factor, Num):
                coefficient *= factor.value
                continue
            inverse = isinstance(factor, Pow) and factor.exponent < 0
            inside = self._found[factor.base if isinstance(factor, Pow) and inverse else factor]
            if inside is None:
                return None
            if isinstance(factor, Pow) and inverse:
                inside = _raised(inside, -factor.exponent)
            sign *= inside.sign
            items.append((factor, inside, inverse))
        if coefficient < 0:
            sign, coefficient = -sign, -coefficient
        arrays = [(p, inverse) for f, p, inverse in items if p.axes and not f.free & frozenset(summed)]
        above = [p.upright for _, p, inverse in items if not p.axes and not inverse]
        below = [p.upright for _, p, inverse in items if not p.axes and inverse]
        for indices, connected in _components(items, summed):
            result = self._connected(connected, indices)
            if result is None:
                return None
            if result.axes:
                arrays.append((result, False))
            else:
                sign *= result.sign
                above.append(result.upright)
        core = _together(arrays)
        if arrays and core is None:
            return None
        if core is None:
            return _scalar((sign, scaled(coefficient, above, below)))
        return piece(
            core.rows,
            core.columns,
            (scaled_array(coefficient, above, below, core.upright), core.upright_cost),
            (scaled_array(coefficient, above, below, core.flat), core.flat_cost),
            sign,
        )

    def _connected(self, items: Sequence[tuple[Expr, Piece, bool]], indices: tuple[Index, ...]) -> Piece | None:
        """A sum of a product whose factors hang together by the summed indices."""
        summed = frozenset(indices)
        closed = all(p.axes <= summed for _, p, _ in items)
        if not closed or all(isinstance(f, Tensor) for f, _, _ in items):
            result = contracted([(p, inverse) for _, p, inverse in items], summed)
            if result is not None or not closed:
                return result
        sign, notation = self._entries.sum(indices, [f for f, _, _ in items])
        # The signs of the factors are counted already.
        for _, part, _ in items:
            sign *= part.sign
        return _scalar((sign, notation))


def _components(
    items: Sequence[tuple[Expr, Piece, bool]], summed: tuple[Index, ...]
) -> list[tuple[tuple[Index, ...], list[tuple[Expr, Piece, bool]]]]:
    """The factors that share summed indices, with these indices."""
    groups: list[tuple[set[Index], list[int]]] = []
    for place, (factor, _, _) in enumerate(items):
        touched = {i for i in summed if i in factor.free}
        if not touched:
            continue
        members = [place]
        for group in [g for g in groups if g[0] & touched]:
            groups.remove(group)
            touched |= group[0]
            members += group[1]
        groups.append((touched, members))
    return [
        (tuple(i for i in summed if i in touched), [items[k] for k in sorted(members)]) for touched, members in groups
    ]


def _together(arrays: Sequence[tuple[Piece, bool]]) -> Piece | None:
    """The product of arrays: elementwise on equal axes, outer of two vectors, a vector repeated over a matrix."""
    groups: dict[frozenset[Index], Piece] = {}
    for axes in dict.fromkeys(p.axes for p, _ in arrays):
        group = entrywise([(p, inverse) for p, inverse in arrays if p.axes == axes])
        if group is None:
            return None
        groups[axes] = group
    vectors = [p for axes, p in groups.items() if len(axes) == 1]
    matrices = [p for axes, p in groups.items() if len(axes) == 2]
    if len(matrices) > 1 or len(vectors) > 2:
        return None
    if len(vectors) == 2:
        vectors = [outer(*vectors)]
    parts = [*vectors, *matrices]
    return entrywise([(p, False) for p in parts]) if len(parts) > 1 else parts[0] if parts else None


def _scalar(signed: tuple[int, Notation]) -> Piece:
    return scalar(signed[1], signed[0])


def _negative(part: Piece) -> Piece:
    return Piece(part.upright, part.flat, part.rows, part.columns, part.upright_cost, part.flat_cost, -part.sign)


def _signed(signs: Sequence[int], parts: Sequence[Notation]) -> list[Notation]:
    return [with_sign(signed) for signed in zip(signs, parts, strict=True)]


def _raised(base: Piece, exponent: Fraction) -> Piece:
    sign, upright = raised((base.sign, base.upright), exponent)
    _, flat = raised((base.sign, base.flat), exponent)
    return piece(base.rows, base.columns, (upright, base.upright_cost), (flat, base.flat_cost), sign)
