"""Index expressions as NumPy: sums of products become matrix products, the rest is broadcast."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from backproof.errors import ExportError
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
from backproof.language.program import Definition

ADD: Final = 1
MUL: Final = 2
POWER: Final = 4
ATOM: Final = 5
HALF: Final = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of Python, how tightly it holds together, and what the axes of its array are."""

    text: str
    level: int
    axes: tuple[Index, ...] = ()

    def at(self, level: int) -> str:
        """The text, in brackets where it must hold tighter."""
        return self.text if self.level >= level else f"({self.text})"


@dataclass
class ArrayWriter:
    """Writes definitions of one program; `used` collects the sorts whose lengths it needs."""

    identifier: Callable[[str], str]
    call: Callable[[str, tuple[int, ...], Sequence[str]], str]
    shapes: Mapping[str, str]
    used: set[str] = field(default_factory=set[str])

    def definition(self, definition: Definition) -> str:
        """The right side of a definition, with its axes in the order of the head."""
        pieces: dict[Expr, Piece] = {}
        order = definition.indices
        for node in postorder(definition.body):
            if node not in pieces:
                pieces[node] = self._piece(node, pieces, order)
        made = pieces[definition.body]
        if any(i not in made.axes for i in order):
            lengths = "".join(f"{self._length(i.sort)}, " for i in order)
            return f"np.broadcast_to({self._aligned(made, order)}, ({lengths.rstrip()}))"
        return self._aligned(made, order)

    def length(self, sort: str) -> str:
        """The name of a size."""
        return f"size_{sort}" if sort.isdigit() else f"n_{sort}"

    def measured(self, sort: str) -> str:
        """The size of a sort, read off an array."""
        if sort not in self.shapes:
            raise ExportError(f"no array shows the size {sort}")
        return self.shapes[sort]

    def _length(self, sort: str) -> str:
        self.used.add(sort)
        return self.length(sort)

    def _piece(self, node: Expr, pieces: Mapping[Expr, Piece], order: Sequence[Index]) -> Piece:
        match node:
            case Num(value):
                return _number(value)
            case Size(sort):
                return Piece(self._length(sort), ATOM)
            case Const(name):
                return Piece(f"np.{name}", ATOM)
            case Tensor(name, indices):
                if len(set(indices)) < len(indices):
                    raise ExportError(f"a diagonal of {name} has no short NumPy form")
                return Piece(self.identifier(name), ATOM, indices)
            case Delta(left, right):
                return Piece(f"np.eye({self._length(left.sort)})", ATOM, (left, right))
            case Add(terms):
                axes = _union([pieces[t] for t in terms], order)
                signed = sorted((_signed(t, pieces) for t in terms), key=lambda found: found[0])
                texts = [("- " if minus else "+ ") + self._aligned(p, axes, MUL) for minus, p in signed]
                first = "-" + texts[0][2:] if texts[0][0] == "-" else texts[0][2:]
                return Piece(" ".join([first, *texts[1:]]), ADD, axes)
            case Mul(factors):
                return self._product([pieces[f] for f in factors], factors, pieces, order)
            case Pow(base, exponent):
                return self._power(pieces[base], exponent)
            case Apply(name, arguments, orders):
                inside = [pieces[a] for a in arguments]
                axes = _union(inside, order)
                return Piece(self.call(name, orders, [self._aligned(p, axes) for p in inside]), ATOM, axes)
            case Sum():
                return self._sum(node, pieces, order)
            case Max(index, body):
                return _reduced("max", pieces[body], index)
            case _:
                raise TypeError(f"not an expression: {type(node).__name__}")

    def _product(
        self, made: Sequence[Piece], factors: Sequence[Expr], pieces: Mapping[Expr, Piece], order: Sequence[Index]
    ) -> Piece:
        """A product, its negative powers below a stroke."""
        axes = _union(made, order)
        above: list[str] = []
        below: list[str] = []
        sign = ""
        # A matrix product stands first, where it needs no brackets.
        for factor, piece in sorted(zip(factors, made, strict=True), key=lambda pair: pair[1].level != MUL):
            match factor:
                case Num(value):
                    sign = "-" if value < 0 else ""
                    top, bottom = abs(value.numerator), value.denominator
                    if top != 1:
                        above.insert(0, str(top))
                    if bottom != 1:
                        below.append(str(bottom))
                case Pow(base, exponent) if exponent < 0:
                    inverse = self._power(pieces[base], -exponent)
                    below.append(self._aligned(inverse, axes, POWER))
                case _:
                    above.append(self._aligned(piece, axes, POWER if above else MUL))
        text = " * ".join(above) or "1"
        if below:
            text += " / " + (below[0] if len(below) == 1 else f"({' * '.join(below)})")
        return Piece(sign + text, MUL, axes)

    @staticmethod
    def _power(base: Piece, exponent: Fraction) -> Piece:
        if exponent == 1:
            return base
        if exponent < 0:
            return Piece(f"1 / {ArrayWriter._power(base, -exponent).at(POWER)}", MUL, base.axes)
        if exponent == HALF:
            return Piece(f"np.sqrt({base.text})", ATOM, base.axes)
        return Piece(f"{base.at(ATOM)} ** {_number(exponent).at(ATOM)}", POWER, base.axes)

    def _sum(self, node: Sum, pieces: Mapping[Expr, Piece], order: Sequence[Index]) -> Piece:
        """A sum: as a matrix product where it is one."""
        index, body = node.index, node.body
        factors = body.factors if isinstance(body, Mul) else (body,)
        inside = [f for f in factors if index in f.free]
        outside = [f for f in factors if index not in f.free]
        groups: dict[frozenset[Index], list[Expr]] = {}
        for factor in inside:
            groups.setdefault(factor.free - {index}, []).append(factor)
        kept = sorted(groups, key=lambda rest: [order.index(i) if i in order else len(order) for i in sorted(rest)])
        if len(groups) == 2 and not kept[0] & kept[1] and all(len(rest) <= 1 for rest in kept):
            left, right = (self._factor(groups[rest], pieces, order) for rest in kept)
            if not kept[0]:
                left, right, kept = right, left, kept[::-1]
            rows, columns = tuple(kept[0]), tuple(kept[1])
            first = self._aligned(left, (*rows, index), MUL)
            second = self._aligned(right, (index, *columns), POWER)
            made = Piece(f"{first} @ {second}", MUL, (*rows, *columns))
        else:
            made = _reduced("sum", self._factor(inside, pieces, order), index)
        if not outside:
            return made
        return self._product([*(pieces[f] for f in outside), made], [*outside, node], pieces, order)

    def _factor(self, factors: Sequence[Expr], pieces: Mapping[Expr, Piece], order: Sequence[Index]) -> Piece:
        if len(factors) == 1:
            return pieces[factors[0]]
        return self._product([pieces[f] for f in factors], factors, pieces, order)

    @staticmethod
    def _aligned(piece: Piece, axes: Sequence[Index], level: int = 0) -> str:
        """The piece with its axes in this order, and new ones of length 1 where it would not spread by itself."""
        own = tuple(i for i in axes if i in piece.axes)
        text, held = piece.text, piece.level
        if own != piece.axes:
            text, held = f"{piece.at(ATOM)}.T", ATOM
            if own != piece.axes[::-1]:
                text = f"np.transpose({piece.text}, ({', '.join(str(piece.axes.index(i)) for i in own)}))"
        if own:
            marks = [":" if i in own else "None" for i in axes[axes.index(own[0]) :]]
            if "None" in marks:
                text, held = f"{text if held == ATOM else f'({text})'}[{', '.join(marks)}]", ATOM
        return text if held >= level else f"({text})"


def _union(pieces: Sequence[Piece], order: Sequence[Index]) -> tuple[Index, ...]:
    """The axes of a combination: those of its largest part where they are all, else in the order of the head."""
    every = {i for piece in pieces for i in piece.axes}
    for piece in pieces:
        if len(piece.axes) == len(every):
            return piece.axes
    return tuple(sorted(every, key=lambda i: (order.index(i) if i in order else len(order), i.name)))


def _reduced(what: str, piece: Piece, index: Index) -> Piece:
    axes = tuple(i for i in piece.axes if i != index)
    if not axes:
        return Piece(f"np.{what}({piece.text})", ATOM)
    return Piece(f"np.{what}({piece.text}, axis={piece.axes.index(index)})", ATOM, axes)


def _signed(term: Expr, pieces: Mapping[Expr, Piece]) -> tuple[bool, Piece]:
    """Whether a term is taken away, and the term without its sign."""
    piece = pieces[term]
    if piece.text.startswith("-") and piece.level == MUL:
        return True, Piece(piece.text[1:], MUL, piece.axes)
    if isinstance(term, Num) and term.value < 0:
        return True, _number(-term.value)
    return False, piece


def _number(value: Fraction) -> Piece:
    if value.denominator == 1:
        return Piece(str(value.numerator), ATOM if value >= 0 else ADD)
    return Piece(f"{value.numerator} / {value.denominator}", MUL if value >= 0 else ADD)
