"""Building the world of a worksheet: its declarations and definitions become a program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from backproof.check.given import LOSS, OwnFunction, World
from backproof.check.worksheet.reading import assumed, assumptions, declared, listed, name_of
from backproof.check.worksheet.statements import Statement
from backproof.errors import BackproofError, FormulaError, ShapeError, UnknownNameError
from backproof.language.elaboration import Reading, elaborate
from backproof.language.expression import Index, Tensor, postorder, reindex, sum_over
from backproof.language.grammar import parse, parse_all
from backproof.language.notation import Bracketed, Call, Derivative, Notation, Relation, Symbol
from backproof.language.program import Assumption, Definition, Program
from backproof.language.scope import LOSS_LETTERS
from backproof.language.symbols import index_name
from backproof.language.traversal import parts

DEFINES: Final = ("=", ":=", "≡", "←")


@dataclass
class Builder:
    """What has been declared and defined so far; `sums_loss` lets losses of up to `loss_axes` axes be their sum."""

    title: str = "the worksheet"
    inputs: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    definitions: list[Definition] = field(default_factory=list[Definition])
    later: list[Definition] = field(default_factory=list[Definition])
    assumptions: list[Assumption] = field(default_factory=list[Assumption])
    functions: dict[str, int] = field(default_factory=dict[str, int])
    own: dict[str, OwnFunction] = field(default_factory=dict[str, OwnFunction])
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    loss: str | None = None
    rows: bool = False
    batch: str | None = None
    sums_loss: bool = False
    loss_axes: int = 2
    unit_axis: int | None = None
    words: set[str] = field(default_factory=set[str])
    _world: World | None = None

    @property
    def known(self) -> set[str]:
        """All names of tensors."""
        return {*self.inputs, *(d.name for d in self.definitions), *(d.name for d in self.later)}

    def world(self) -> World:
        """The world as it stands."""
        if self._world is None:
            program = Program(dict(self.inputs), tuple(self.definitions), tuple(self.assumptions), self.rows)
            losses = frozenset({LOSS, self.loss or LOSS})
            self._world = World(
                program,
                dict(self.functions),
                dict(self.own),
                dict(self.aliases),
                losses=losses,
                batch=self.batch,
                unit_axis=self.unit_axis,
                title=self.title,
            )
            if self.later:
                self._world = _with_later(self._world, tuple(self.later))
        return self._world

    def changed(self) -> None:
        """Forgets the world made from what was known before."""
        self._world = None

    def declare(self, statement: Statement) -> None:
        """Sizes, inputs, functions, layout, batch and assumptions."""
        match statement.kind:
            case "sizes":
                pass
            case "inputs":
                for offset, item in listed(statement.body):
                    self._input(statement, offset, item)
            case "function":
                for offset, item in listed(statement.body):
                    self._function(statement, offset, item)
            case "layout":
                self._layout(statement)
            case "batch":
                self.batch = statement.body.strip()
            case "assume":
                self._assume(statement)
            case _:
                raise TypeError(f"not a declaration: {statement.kind}")
        self.changed()

    def _input(self, statement: Statement, offset: int, item: str) -> None:
        try:
            name, sizes, _ = declared(item)
        except BackproofError as error:
            raise placed(error, statement, offset, offset + len(item)) from None
        self.add_input(name, sizes)

    def add_input(self, name: str, sizes: tuple[str, ...]) -> None:
        """A new input. Raises FormulaError if the name is taken."""
        if name in self.known:
            raise FormulaError(f"{name} is declared twice", next="use another name")
        self.inputs[name] = sizes
        self.words.add(name.partition("(")[0])
        self.changed()

    def _function(self, statement: Statement, offset: int, item: str) -> None:
        node = _parsed(statement, offset, offset + len(item), self.words)
        head = node.sides[0] if isinstance(node, Relation) else node
        arguments = tuple(name_of(a) for a in head.arguments) if isinstance(head, Call) else ("u",)
        symbol = head.function if isinstance(head, Call) else head
        name = symbol.name if isinstance(symbol, Symbol) else None
        if name is None or any(a is None for a in arguments):
            raise FormulaError(
                "this is no function",
                place=statement.place(offset, offset + len(item)),
                expected="a name such as f, with its arguments where there are several: ell(a, y)",
            )
        self.words.add(name)
        if isinstance(node, Relation):
            self.define_function(name, tuple(a or "" for a in arguments), node.sides[1], statement)
        else:
            self.functions[name] = len(arguments)

    def define_function(
        self, name: str, parameters: tuple[str, ...], body: Notation, statement: Statement | None = None
    ) -> None:
        """A function of scalars with its formula."""
        text, source = (statement.text, statement.source) if statement is not None else ("", None)
        inner = Program({**self.inputs, **dict.fromkeys(parameters, ())}, (), tuple(self.assumptions))
        world = replace(self.world(), program=inner)
        reading = elaborate(body, world.scope, text, source)[0]
        side = reading.sides[0]
        if not side.is_scalar or side.expr.free:
            raise ShapeError("a function is defined for one number", expected="a scalar", got="a vector or matrix")
        self.own[name] = OwnFunction(parameters, world.opened(side.expr))
        self.functions.pop(name, None)
        self.changed()

    def _layout(self, statement: Statement) -> None:
        word = statement.body.strip().lower()
        if word not in ("rows", "columns"):
            raise FormulaError("unknown layout", place=statement.place(), expected="rows or columns", got=word)
        self.rows = word == "rows"

    def _assume(self, statement: Statement) -> None:
        for offset, item in listed(statement.body):
            try:
                found = assumptions(item, rows=self.rows)
            except BackproofError as error:
                raise placed(error, statement, offset, offset + len(item)) from None
            for node, what, axis, value in found:
                name = self.resolved(node)
                if name is None:
                    raise UnknownNameError(
                        "nothing here has this name",
                        place=statement.place(offset, offset + len(item)),
                        next="declare it before the assumption",
                    )
                self.assumptions.append(assumed(name, what, axis if what == "unit-sum" else None, value))

    def resolved(self, node: Notation) -> str | None:
        """The tensor that a written name stands for."""
        name = name_of(node)
        return name if name in self.known else self.aliases.get(name or "", (None,))[0]

    def defines(self, node: Notation) -> bool:
        """Whether a relation defines a new name from names that stand on their own."""
        if not isinstance(node, Relation) or node.signs[0] not in DEFINES:
            return False
        head = _head(node.sides[0])
        if head is None or head[0] in self.known or head[0] in self.aliases:
            return False
        return not (head[0].startswith("delta") and self._has_gradient(head[0]))

    def _has_gradient(self, name: str) -> bool:
        base, _, label = name.partition("(")
        world = self.world()
        return bool(world.scope.tensors((base,), label.rstrip(")") or None))

    def define(self, node: Relation, statement: Statement, base: int = 0) -> None:
        """A definition, name = formula; with index letters on the left, entry by entry."""
        head = _head(node.sides[0])
        if head is None:
            raise FormulaError(
                "this cannot be defined", place=statement.place(), expected="a name on the left, such as z1 = W1 x + b1"
            )
        name, letters = head
        if name in self.known:
            raise FormulaError(f"{name} is defined twice", place=statement.place(), next="use another name")
        if isinstance(node.sides[0], Call) and (function := _own_head(node.sides[0])) is not None:
            self.define_function(*function, node.sides[1], statement)
            return
        world = self.world()
        text = statement.text[: statement.end]
        del base
        readings = elaborate(node.sides[1], world.scope, text, statement.source)
        definition = _first_definition(name, letters, readings, rows=self.rows, statement=statement)
        definition = replace(definition, body=world.opened(definition.body))
        if name == self.loss:
            if self.sums_loss and 0 < len(definition.indices) <= self.loss_axes:
                definition = replace(definition, indices=(), body=sum_over(definition.indices, definition.body))
            if definition.indices:
                raise ShapeError("the loss is a number", place=statement.place(), expected="a scalar", got="a vector")
            definition = replace(definition, name=LOSS)
            self.aliases[name] = (LOSS,)
        uses_gradients = any(isinstance(n, Tensor) and n.name.startswith("∂") for n in postorder(definition.body))
        after = {d.name for d in self.later}
        depends = any(isinstance(n, Tensor) and n.name in after for n in postorder(definition.body))
        (self.later if uses_gradients or depends else self.definitions).append(definition)
        self.words.add(name.partition("(")[0])
        self.changed()


def _with_later(world: World, later: tuple[Definition, ...]) -> World:
    """The world with definitions that use gradients, after the adjoints."""
    whole = world.whole.extended(later)
    changed = replace(world)
    changed.__dict__["whole"] = whole
    return changed


def _own_head(head: Call) -> tuple[str, tuple[str, ...]] | None:
    if isinstance(head.function, Symbol) and not head.function.subscripts:
        names = [name_of(a) for a in head.arguments]
        if all(names) and not head.primes:
            return head.function.name, tuple(n or "" for n in names)
    return None


def _head(node: Notation) -> tuple[str, tuple[str, ...]] | None:
    """The name on the left of a definition, and its index letters."""
    while isinstance(node, Bracketed):
        node = node.body
    if isinstance(node, Call) and not node.primes and (own := _own_head(node)) is not None:
        layered = name_of(node)
        return (layered, ()) if layered is not None and len(node.arguments) == 1 else (own[0], ())
    if isinstance(node, Symbol) and node.subscripts:
        letters: list[str] = []
        kept: list[Notation] = []
        for sub in node.subscripts:
            found = [index_name(p) for p in parts(sub)] or [index_name(sub)]
            if all(f is not None and f not in ("l", "L") for f in found):
                letters += [f for f in found if f is not None]
            elif letters:
                return None
            else:
                kept.append(sub)
        name = name_of(replace(node, subscripts=tuple(kept)))
        return None if name is None else (name, tuple(letters))
    name = name_of(node)
    return None if name is None else (name, ())


def _first_definition(
    name: str, letters: tuple[str, ...], readings: Sequence[Reading], *, rows: bool, statement: Statement
) -> Definition:
    """The definition by the likeliest reading that fits its left side. Raises what the likeliest one fails by."""
    for reading in readings[1:]:
        try:
            return _definition(name, letters, readings[:1], rows=rows, statement=statement)
        except BackproofError:
            try:
                return _definition(name, letters, (reading,), rows=rows, statement=statement)
            except BackproofError:
                continue
    return _definition(name, letters, readings, rows=rows, statement=statement)


def _definition(
    name: str, letters: tuple[str, ...], readings: Iterable[Reading], *, rows: bool, statement: Statement
) -> Definition:
    reading = next(iter(readings))
    side = reading.sides[0]
    free = {i.name: i for i in side.expr.free if i not in side.axes}
    if letters:
        if side.axes or not set(free) <= set(letters):
            raise ShapeError(
                "the indices of both sides differ",
                place=statement.place(),
                expected=", ".join(letters),
                got=", ".join(sorted(free)) or "no index",
            )
        missing = [letter for letter in letters if letter not in free]
        if missing:
            raise ShapeError(
                f"what {missing[0]} runs over cannot be told from the right side",
                place=statement.place(),
                next="use the index on the right side",
            )
        return Definition(name, tuple(free[letter] for letter in letters), side.expr)
    if free:
        raise ShapeError(
            "the right side has a free index",
            place=statement.place(),
            expected="no free index",
            got=", ".join(sorted(free)),
            next="write the index on the left side too",
        )
    if side.is_vector and (side.row is None) != rows:
        wanted, got = ("a row", "a column") if rows else ("a column", "a row")
        raise ShapeError(
            f"vectors are {'rows' if rows else 'columns'} here",
            place=statement.place(),
            expected=wanted,
            got=got,
            next="transpose it, or change the layout of the worksheet",
        )
    fresh = [Index(letter, axis.sort) for letter, axis in zip("ij", side.axes, strict=False)]
    return Definition(name, tuple(fresh), reindex(side.expr, dict(zip(side.axes, fresh, strict=True))))


def _parsed(statement: Statement, start: int, end: int, known: set[str]) -> Notation:
    try:
        return parse(statement.body[start:end], known=known)
    except BackproofError as error:
        raise placed(error, statement, start, end) from None


def parsed(statement: Statement, known: Iterable[str] = ()) -> tuple[Notation, ...]:
    """All readings of a statement's formula, with the places of the whole worksheet in errors."""
    # The parser reads a text of its own; blanks in front would be slow for long worksheets.
    try:
        return parse_all(statement.body, statement.source, known=tuple(known))
    except BackproofError as error:
        raise placed(error, statement, 0, len(statement.body)) from None


def placed(error: BackproofError, statement: Statement, start: int, end: int) -> BackproofError:
    """The error with its place in the whole worksheet."""
    if error.place is None:
        error.place = statement.place(start, end)
    elif error.place.text != statement.text:
        offset = start if error.place.text != statement.body else 0
        error.place = statement.place(offset + error.place.start, offset + error.place.end)
    return error


def loss_name(heads: Iterable[str]) -> str | None:
    """The name that is the loss: J if it is defined, else the last defined name that people use for a loss."""
    found = [name for name in heads if name in LOSS_LETTERS]
    return LOSS if LOSS in found else found[-1] if found else None


def defined_name(node: Notation) -> str | None:
    """The name that a relation would define."""
    if not isinstance(node, Relation) or isinstance(node.sides[0], Derivative):
        return None
    head = _head(node.sides[0])
    return head[0] if head is not None else None


__all__ = ["Builder", "defined_name", "loss_name", "parsed", "placed"]
