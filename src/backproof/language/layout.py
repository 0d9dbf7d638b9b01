"""Notation in two dimensions: stacked fractions, limits under sums, roots and braces, cell by cell.

Every cell keeps the mark of the part it belongs to, so that a terminal can colour or strike the two factors of a pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backproof.language.blocks import (
    Block,
    Mark,
    beside,
    brace,
    fence,
    line,
    marked,
    radical,
    scripted,
    stacked,
)
from backproof.language.letters import FRACTIONS, raised
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
from backproof.language.precedence import needs_brackets, unmarked
from backproof.language.spelling import Spelling, is_one_character
from backproof.language.traversal import fold, parts

__all__ = ["Block", "Mark", "draw"]


def draw(notation: Notation, *, ascii: bool = False, numbered: bool = False) -> Block:
    """The formula in two dimensions; `numbered` writes the number of its pair before every struck part.

    Raises LimitError when it would be wider than 2,000 cells or higher than 200; `write` still gives it on one line.

    >>> from backproof.language.notation import Quotient, Symbol
    >>> print(draw(Quotient(Symbol("a"), Symbol("m"))))
    a
    ─
    m
    """
    return fold(notation, _Draughtsman(Spelling(ascii), numbered).rule).whole


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A block with the mark that it gets, and the tag before it, after its brackets are drawn."""

    block: Block
    mark: Mark | None = None
    tag: str = ""

    @property
    def whole(self) -> Block:
        block = marked(self.block, self.mark)
        return beside(line(self.tag), block) if self.tag else block


@dataclass(frozen=True, slots=True)
class _Draughtsman:
    spelling: Spelling
    numbered: bool

    @property
    def ascii(self) -> bool:
        return self.spelling.ascii

    def rule(self, node: Notation, inside: tuple[_Drawn, ...]) -> _Drawn:
        if isinstance(node, Marked):
            tag = f"[{node.pair}]" if self.numbered and node.struck and node.pair else ""
            return _Drawn(inside[0].whole, Mark(node.pair, node.struck), tag)
        shown = [
            (
                _Drawn(self.fenced(drawn.block), drawn.mark, drawn.tag)
                if needs_brackets(node, k, child, stacked=True)
                else drawn
            ).whole
            for k, (child, drawn) in enumerate(zip(parts(node), inside, strict=True))
        ]
        return _Drawn(self.block(node, shown))

    def block(self, node: Notation, shown: list[Block]) -> Block:
        match node:
            case Number(value):
                return line(self.spelling.number(value))
            case Words(text):
                return line(text)
            case Symbol():
                return self.symbol(node, shown)
            case Negative():
                return self.negative(shown[0])
            case Plus(terms):
                pieces = [self.negative(shown[0]) if terms[0][0] < 0 else shown[0]]
                for (sign, _), term in zip(terms[1:], shown[1:], strict=True):
                    pieces += [line(f" {self.spelling.minus if sign < 0 else '+'} "), term]
                return beside(*pieces)
            case Product():
                return self.product(node, shown)
            case Quotient(Number(top), Number(bottom)) if not self.ascii and is_one_character(node):
                return line(FRACTIONS[int(top), int(bottom)])
            case Quotient():
                bars = any(
                    isinstance(unmarked(side), Quotient | Derivative) for side in (node.numerator, node.denominator)
                )
                return self.fraction(*shown, margin=1 if bars else 0)
            case Power():
                return self.raised(shown[0], shown[1])
            case Transposed():
                if shown[0].height > 1:
                    return scripted(shown[0], line("T"), None)
                return beside(shown[0], line(".T" if self.ascii else "ᵀ"))
            case Call():
                return self.call(node, shown)
            case Derivative():
                return self.derivative(node, shown)
            case Big():
                return self.big(node, shown)
            case Relation(_, signs):
                pieces = [shown[0]]
                for sign, side in zip(signs, shown[1:], strict=True):
                    pieces += [line(f" {self.spelling.relation(sign)} "), side]
                return beside(*pieces)
            case Indicator():
                return self.fenced(shown[0], "[", "]")
            case Cases(cases):
                return self.cases(cases, shown)
            case Entry():
                below = self.listed(shown[1:])
                return scripted(shown[0], None, below)
            case Absolute():
                return self.fenced(shown[0], "|", "|")
            case Norm(_, kind):
                body = (
                    self.fenced(shown[0], "‖", "‖")
                    if not self.ascii
                    else self.fenced(self.fenced(shown[0], "|", "|"), "|", "|")
                )
                return body if kind == "2" else scripted(body, None, line(kind))
            case Matrix(rows):
                return self.matrix(len(rows), shown)
            case Bracketed():
                return self.fenced(shown[0])
            case _:
                raise TypeError(f"not notation: {type(node).__name__}")

    def negative(self, block: Block) -> Block:
        """A minus before a block; a blank keeps it apart from the bar of a fraction."""
        return beside(line(self.spelling.minus + (" " if block.height > 1 else "")), block)

    def fenced(self, block: Block, left: str = "(", right: str = ")") -> Block:
        """The block between brackets as high as itself."""
        return beside(fence(left, block, ascii=self.ascii), block, fence(right, block, ascii=self.ascii))

    def symbol(self, node: Symbol, shown: list[Block]) -> Block:
        flat = [block.lines[0] for block in shown if block.height == 1]
        if len(flat) == len(shown):
            text = self.spelling.symbol(node, flat)
            if self.ascii or not (shown or node.star) or not any(c in text for c in "_^"):
                return line(text)
        base = line(self.spelling.symbol(Symbol(node.name, accent=node.accent), []))
        subscripts = shown[: len(node.subscripts)]
        above = ([self.fenced(shown[-1])] if node.label is not None else []) + ([line(node.star)] if node.star else [])
        return scripted(base, beside(*above) if above else None, self.listed(subscripts) if subscripts else None)

    def listed(self, blocks: Sequence[Block]) -> Block:
        pieces = [blocks[0]]
        separator = "" if all(b.width == 1 for b in blocks) else ","
        for block in blocks[1:]:
            pieces += [line(separator), block] if separator else [block]
        return beside(*pieces)

    def raised(self, base: Block, exponent: Block) -> Block:
        if self.ascii and base.height == 1 and exponent.lines == ("2",):
            return beside(base, line("^"), exponent)
        if base.height == 1 and exponent.height == 1 and not self.ascii:
            text = raised(exponent.lines[0].replace(" ", ""))
            if text is not None:
                return beside(base, marked(line(text), exponent.rows[0][0].mark))
        return scripted(base, exponent, None)

    def product(self, node: Product, shown: list[Block]) -> Block:
        pieces = [shown[0]]
        for left, right, block in zip(node.factors, node.factors[1:], shown[1:], strict=False):
            sign = self.between(node, unmarked(left), unmarked(right), pieces[-1], block)
            pieces += [line(sign), block] if sign else [block]
        return beside(*pieces)

    def between(self, node: Product, left: Notation, right: Notation, before: Block, after: Block) -> str:
        if node.sign == "" and isinstance(left, Quotient) and isinstance(right, Quotient):
            return " * " if self.ascii else " · "
        if node.sign == "":
            if isinstance(left, Quotient):
                return "" if is_one_character(left) and not self.ascii else " "
            first = "(" if after.height > 1 and after.rows[0][0].character in "⎛/" else after.lines[after.baseline]
            return self.spelling.between(left, right, first or " ")
        if node.sign == "·" and (before.height > 1 or after.height > 1):
            return " * " if self.ascii else " · "
        return self.spelling.products[node.sign]

    def fraction(self, top: Block, bottom: Block, margin: int = 0) -> Block:
        """One above the other; the bar of a fraction of fractions is longer than theirs by a margin."""
        width = max(top.width, bottom.width) + 2 * margin
        return stacked([top, line(("-" if self.ascii else "─") * width), bottom], top.height)

    def call(self, node: Call, shown: list[Block]) -> Block:
        arguments = shown[1 : 1 + len(node.arguments)]
        function = unmarked(node.function)
        if isinstance(function, Symbol) and function.name == "sqrt" and len(arguments) == 1 and not node.primes:
            return self.root(arguments[0])
        name = beside(shown[0], line(self.spelling.prime * node.primes)) if node.primes else shown[0]
        if node.power is not None:
            name = self.raised(name, shown[-1])
        inside = [arguments[0]]
        for argument in arguments[1:]:
            inside += [line(", "), argument]
        return beside(name, self.fenced(beside(*inside)))

    def root(self, body: Block) -> Block:
        if self.ascii:
            return beside(line("sqrt"), self.fenced(body))
        if body.height == 1 and body.width == 1:
            return beside(line("√"), body)
        return radical(body)

    def derivative(self, node: Derivative, shown: list[Block]) -> Block:
        wrt = shown[-1]
        order = [] if node.order == 1 else [line(self.spelling.order(node.order))]
        match node.style:
            case "nabla":
                sign = line("nabla" if self.ascii else "∇")
                nabla = sign if node.wrt == Words("") else scripted(sign, None, wrt)
                return beside(nabla, line(" "), shown[0]) if node.of is not None else nabla
            case "prefix":
                return beside(line("d"), wrt)
            case _:
                d = line("d" if self.ascii or node.style == "total" else "∂")
                return self.fraction(beside(d, *order, *shown[:-1]), beside(d, wrt, *order))

    def big(self, node: Big, shown: list[Block]) -> Block:
        left = iter(shown)
        body = next(left)
        lower = next(left) if node.lower is not None else None
        upper = next(left) if node.upper is not None else None
        without = list(left)
        if not node.indices and lower is None:
            return beside(line(node.kind), self.fenced(body))
        below = [line(",".join(node.indices))] if node.indices else []
        if lower is not None:
            below = [*below, line("="), lower] if below and not isinstance(node.lower, Relation) else [lower]
        for value in without:
            below += [line("!=" if self.ascii else "≠"), value]
        sign = line(self.spelling.big(node.kind))
        column = [*([upper] if upper is not None else []), sign, beside(*below)]
        head = stacked(column, upper.height if upper is not None else 0)
        return beside(head, line(" "), body)

    def cases(self, cases: Sequence[tuple[Notation, Notation | None]], shown: list[Block]) -> Block:
        left = iter(shown)
        pairs = [(next(left), None if condition is None else next(left)) for _, condition in cases]
        width = max(value.width for value, _ in pairs)
        rows = [
            beside(value, line(" " * (width - value.width + 2)), line("otherwise"))
            if condition is None
            else beside(value, line(" " * (width - value.width + 2)), line("if "), condition)
            for value, condition in pairs
        ]
        if len(rows) == 2 and rows[0].height == rows[1].height == 1:
            rows.insert(1, line(""))
        body = stacked(rows, 0, left=True)
        body = Block(body.rows, body.height // 2)
        return beside(brace(body, ascii=self.ascii), line(" "), body)

    def matrix(self, count: int, shown: list[Block]) -> Block:
        columns = len(shown) // count
        grid = [shown[k * columns : (k + 1) * columns] for k in range(count)]
        widths = [max(row[c].width for row in grid) for c in range(columns)]
        rows: list[Block] = []
        for row in grid:
            cells: list[Block] = []
            for c, block in enumerate(row):
                before = (widths[c] - block.width) // 2
                after = widths[c] - block.width - before + (2 if c < columns - 1 else 0)
                cells += [b for b in (line(" " * before), block, line(" " * after)) if b.width]
            rows.append(beside(*cells))
        body = stacked(rows, 0, left=True)
        return self.fenced(Block(body.rows, body.height // 2), "[", "]")
