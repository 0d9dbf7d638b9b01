"""What a document has said so far: definitions, shapes and values, and the world that one formula lives in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from backproof.check.document.marks import GRADIENT_LETTERS, bold_names, pieces_of
from backproof.check.document.shapes import Shapes, uses
from backproof.check.given import World
from backproof.check.names import catalogue_functions
from backproof.check.worksheet.building import Builder
from backproof.check.worksheet.reading import name_of
from backproof.check.worksheet.statements import Statement
from backproof.errors import BackproofError, FormulaError, UnknownNameError
from backproof.language.matrix_functions import BUILTINS
from backproof.language.notation import (
    Big,
    Bracketed,
    Call,
    Derivative,
    Entry,
    Notation,
    Number,
    Relation,
    Symbol,
    Transposed,
    Words,
)
from backproof.language.scope import LOSS_LETTERS
from backproof.language.traversal import parts, with_parts

MAX_VERSIONS: Final = 6
CONSTANTS: Final = frozenset({"e", "pi", "I", "Id", "eye", "ℝ", "1"})
SCALARS: Final = frozenset("lambda eta alpha beta gamma epsilon eps mu rho tau m n N M B K T t k i j l s c".split())


@dataclass(frozen=True, slots=True)
class Known:
    """A definition as the document gives it: `name(parameters) = body`, from the formula `text`."""

    name: str
    head: Notation
    parameters: tuple[str, ...] | None
    body: Notation
    text: str
    bold: frozenset[str]
    order: int


@dataclass(frozen=True, slots=True)
class Setting:
    """A world for one formula, the formula with calls of defined names resolved, and what was assumed of shapes.

    `earlier` says that a definition is used that is not the last one of its letter, so that nothing is refuted by it;
    `tentative` that capitals were taken for matrices and small letters for vectors, which holds if the shapes then fit.
    """

    world: World
    relation: Relation
    uncertain: bool
    earlier: bool
    tentative: bool
    notes: tuple[str, ...]


@dataclass
class Context:
    """Everything that was said before a formula."""

    name: str
    definitions: dict[str, list[Known]] = field(default_factory=dict[str, list[Known]])
    shapes: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    values: dict[str, Fraction] = field(default_factory=dict[str, Fraction])
    _order: itertools.count[int] = field(default_factory=itertools.count)

    def define(self, node: Relation, text: str) -> bool:
        """Keeps a definition; False if the relation is none."""
        head, body = node.sides[0], node.sides[1]
        parameters: tuple[str, ...] | None = None
        symbol: Notation = head
        if isinstance(head, Call) and not head.primes and head.power is None:
            found = [name_of(a) for a in head.arguments]
            if not all(found) or any(isinstance(a, Number) for a in head.arguments):
                return False
            parameters, symbol = tuple(f or "" for f in found), head.function
        if not isinstance(symbol, Symbol):
            return False
        name = name_of(symbol) if parameters is not None else next(iter(uses(symbol)), (None, ()))[0]
        if name is None:
            return False
        known = Known(name, symbol, parameters, body, text, bold_names(node, text), next(self._order))
        self.definitions.setdefault(name, []).append(known)
        return True

    def settings(self, relation: Relation, text: str) -> Iterator[Setting]:
        """Worlds for a formula: with the last definitions first, then with earlier ones.

        Raises BackproofError where no world fits the formula.
        """
        failed: BackproofError | None = None
        found = False
        for number_of, versions in enumerate(self._versions(relation)):
            for matrices in (True, False):
                try:
                    making = _Making(self, relation, text, versions, matrices=matrices)
                    setting = making.setting(earlier=number_of > 0)
                except BackproofError as error:
                    failed = failed or error
                    continue
                if matrices and not making.convention:
                    continue
                found = True
                yield setting
        if not found and failed is not None:
            raise failed

    def _versions(self, relation: Relation) -> Iterator[Mapping[str, Known]]:
        """Which definition each name has: the last one, or for one name another."""
        last = {name: versions[-1] for name, versions in self.definitions.items()}
        found = list(dict.fromkeys(_differentiated(relation)))
        heads = [n for n in found if n in self.definitions]
        if found and "" in found and not heads:
            # The derivative of a formula: its letters stand for themselves, whatever they meant before.
            yield {}
        near: list[Known] = []
        for head in heads:
            same = [k for n, ks in self.definitions.items() if n == head or n.startswith(f"{head}_") for k in ks]
            near += sorted(same, key=lambda k: -k.order)[:MAX_VERSIONS]
        if not near:
            yield last
            return
        tried: list[Mapping[str, Known]] = []
        for known in near:
            base = known.name.partition("_")[0] if known.name not in heads else known.name
            # Another definition of the same letter, with what was defined no later than a little after it.
            versions = {
                **last,
                base: replace(known, name=base, head=Symbol(base) if base != known.name else known.head),
            }
            if versions not in tried:
                tried.append(versions)
                yield versions


def _differentiated(relation: Relation) -> Iterator[str]:
    """The names that are differentiated in a formula."""
    stack: list[Notation] = [relation]
    while stack:
        node = stack.pop()
        if isinstance(node, Derivative) and node.of is not None:
            of = node.of
            while isinstance(of, Bracketed):
                of = of.body
            if isinstance(of, Call):
                of = of.function
            yield name_of(of) or ""
        stack.extend(parts(node))


@dataclass
class _Making:
    context: Context
    relation: Relation
    text: str
    versions: Mapping[str, Known]
    matrices: bool = False
    convention: bool = False
    indices: set[str] = field(default_factory=set[str])
    needed: dict[str, Known] = field(default_factory=dict[str, Known])
    ranks: dict[str, int] = field(default_factory=dict[str, int])
    functions: dict[str, int] = field(default_factory=dict[str, int])
    bold: set[str] = field(default_factory=set[str])
    whole: set[str] = field(default_factory=set[str])
    indexed: set[str] = field(default_factory=set[str])
    transposed: set[str] = field(default_factory=set[str])

    def setting(self, *, earlier: bool) -> Setting:
        relation = self._resolved(self.relation)
        if not isinstance(relation, Relation):
            raise TypeError("a relation stays one")
        self.bold |= bold_names(self.relation, self.text)
        extra = self._loss(relation)
        self._collect(relation if extra is None else Relation((*relation.sides, extra), (*relation.signs, "=")))
        self._check_variables(relation)
        bodies = [Relation((k.head, self._resolved(k.body)), ("=",)) for k in self.needed.values()]
        given = {n: self.context.shapes[n] for n in self.ranks if n in self.context.shapes}
        sizes = Shapes({n: r for n, r in self.ranks.items() if r}, given).sizes([*bodies, relation])
        builder = Builder(title=self.context.name, sums_loss=True)
        for name, rank in self.ranks.items():
            if name not in self.needed:
                builder.add_input(name, sizes.get(name, ()) if rank else ())
        builder.functions.update(self.functions)
        losses = [n for n in self.needed if n in LOSS_LETTERS]
        builder.loss = losses[-1] if losses else None
        self._define(builder)
        guessed = [
            n for n in self.ranks if n[0].isupper() and n not in given and n not in self.bold and n not in self.needed
        ]
        mixed = any(self.ranks.values())
        numbers = sorted(n for n, r in self.ranks.items() if not r and n not in self.needed)
        said = mixed or any(n[0].isupper() for n in numbers)
        notes = (f"read as numbers: {', '.join(numbers)}",) if numbers and said else ()
        if self.convention:
            notes = (*notes, "capitals are read as matrices, small letters as vectors")
        return Setting(
            builder.world(), relation, bool(guessed) and not self.convention and said, earlier, self.convention, notes
        )

    def _loss(self, relation: Relation) -> Notation | None:
        """The loss that δ and dW speak of. Raises UnknownNameError where the text defines none."""
        named = False
        stack: list[Notation] = [relation]
        while stack:
            node = stack.pop()
            stack.extend(parts(node))
            named |= isinstance(node, Derivative) and node.of is not None
            if not (isinstance(node, Derivative) and node.of is None) and not (
                isinstance(node, Symbol) and node.name in GRADIENT_LETTERS and len(node.subscripts) < 2
            ):
                continue
            losses = [k for n, k in self.versions.items() if n in LOSS_LETTERS]
            if not losses:
                raise UnknownNameError("the loss is not defined before this formula")
            return Symbol(max(losses, key=lambda k: k.order).name)
        if not named and not any(isinstance(n, Call) and n.primes for n in pieces_of(relation)):
            raise FormulaError("the formula has no derivative of anything that is named")
        return None

    def _define(self, builder: Builder) -> None:
        waiting = list(self.needed.values())
        failed: BackproofError | None = None
        while waiting:
            rest: list[Known] = []
            for known in waiting:
                body = self._resolved(known.body)
                statement = Statement("define", known.text, 0, len(known.text), self.context.name)
                try:
                    builder.define(Relation((known.head, body), ("=",), span=body.span), statement)
                except UnknownNameError as error:
                    failed = error
                    rest.append(known)
                    continue
                if known.parameters and not any(self.ranks.get(p, 0) for p in known.parameters):
                    try:
                        builder.define_function(known.name, known.parameters, body)
                    except BackproofError:
                        # Calls of this name with other arguments are then not read.
                        builder.own.pop(known.name, None)
            if len(rest) == len(waiting):
                raise failed or FormulaError("the definitions cannot be put in order")
            waiting = rest

    def _resolved(self, node: Notation, depth: int = 0) -> Notation:
        """The formula with f(x, y) replaced by f where f is defined as f(x, y)."""
        if depth > 200:
            raise FormulaError("the formula is nested too deeply")
        if isinstance(node, Call) and not node.primes and node.power is None:
            name = name_of(node.function)
            known = self.versions.get(name or "")
            if known is not None and known.parameters is not None:
                names = tuple(name_of(a) for a in node.arguments)
                if names == known.parameters:
                    return replace(node.function, span=node.span)
            elif known is not None and isinstance(node.function, Symbol) and all(
                isinstance(a, Symbol) and (name_of(a) or "") in self.ranks for a in node.arguments
            ) and len(node.arguments) > 1:  # fmt: skip
                return replace(node.function, span=node.span)
        inside = parts(node)
        if not inside:
            return node
        new = tuple(self._resolved(part, depth + 1) for part in inside)
        return node if all(a is b for a, b in zip(new, inside, strict=True)) else with_parts(node, new)

    def _collect(self, relation: Relation) -> None:
        """The names of the formula and, through their definitions, all that they depend on."""
        todo: list[Notation] = [relation]
        self.whole = {name_of(s) or "" for s, letters in self._symbols(relation) if not letters}
        self._find_indices(relation)
        while todo:
            node = todo.pop()
            for symbol, letters in self._symbols(node):
                name = self._name(symbol, letters)
                if name is None:
                    continue
                if not letters and name in self.indices and name not in self.versions:
                    continue
                if letters:
                    self.indexed.add(name)
                rank = max(self.ranks.get(name, 0), letters)
                first = name not in self.ranks
                self.ranks[name] = rank
                if first and name in self.versions:
                    known = self.versions[name]
                    self.needed[name] = known
                    self.bold |= known.bold
                    body = self._resolved(known.body)
                    self._find_indices(body)
                    todo.append(body)
        for name in self.ranks:
            if name in self.context.shapes:
                self.ranks[name] = len(self.context.shapes[name])
            elif name in self.bold or name in self.transposed:
                self.ranks[name] = max(self.ranks[name], 2 if name[0].isupper() else 1)
        self._by_convention()
        for name in self.needed:
            # What is defined takes its shape from its definition.
            self.ranks[name] = 0 if name not in self.bold and not self.convention else self.ranks[name]

    def _by_convention(self) -> None:
        """W, X and Θ as matrices, and then small letters as vectors, where neither bold letters nor shapes say it."""
        plain = [n for n in self.ranks if n not in self.context.shapes]
        weights = [n for n in plain if n[0] in "WUVX" or n.startswith(("Theta", "theta("))]
        if not self.matrices or not weights or self.bold or any(self.ranks[n] for n in plain if n in self.indexed):
            return
        self.convention = True
        for name in plain:
            base = name.partition("(")[0].partition("_")[0]
            if base in LOSS_LETTERS or base in SCALARS:
                continue
            self.ranks[name] = 2 if name[0].isupper() else 1

    def _find_indices(self, root: Notation) -> None:
        """Letters that stand as indices or as bounds of sums: they are no names."""
        for node in pieces_of(root):
            if isinstance(node, Symbol):
                self.indices |= {letter for _, own in uses(node) for letter in own}
            elif isinstance(node, Big):
                self.indices |= set(node.indices)
                self.indices |= {name_of(node.upper) or ""} if node.upper is not None else set()

    def _name(self, symbol: Symbol, letters: int) -> str | None:
        found = uses(symbol)
        if letters and (whole := [n for n, own in found if own and n in self.whole]):
            # a_ij is an entry of A where A stands in the formula.
            return whole[0]
        for name, own in found:
            known = name in self.versions or name in self.context.shapes or name in self.ranks
            if known and (own or not letters):
                return name
        if not found or found[0][0] in CONSTANTS or found[0][0].startswith("delta"):
            return None
        plain = [name for name, own in found if own]
        return plain[0] if plain and letters else found[0][0]

    def _symbols(self, root: Notation) -> Iterator[tuple[Symbol, int]]:
        """The names in a formula with how many index letters they carry; bounds of sums and indices are none."""
        stack: list[Notation] = [root]
        while stack:
            node = stack.pop()
            match node:
                case Symbol("…"):
                    raise FormulaError("a part of the formula is left out (…)", next="write all of it, or use a sum")
                case Symbol():
                    letters = max((len(own) for _, own in uses(node)), default=0)
                    yield node, letters
                case Big(_, body):
                    stack.append(body)
                case Entry(body, _):
                    stack.append(body)
                case Call(function, arguments):
                    stack.extend(arguments)
                    stack.extend(self._head(function, node))
                case Transposed(Symbol() as inner):
                    if (name := name_of(inner)) is not None and len(name) == 1:
                        self.transposed.add(name)
                    stack.append(inner)
                case Derivative(of, wrt):
                    stack.extend(p for p in (of, wrt) if p is not None and not isinstance(p, Words))
                case Words():
                    continue
                case _:
                    stack.extend(parts(node))

    def _head(self, function: Notation, call: Call) -> Iterator[Notation]:
        """A function's name is a name of its own only if it is defined here or stands for a factor."""
        if not isinstance(function, Symbol):
            yield function
            return
        name = name_of(function) or ""
        if name in self.versions:
            yield function
        elif function.name in catalogue_functions() or function.name in BUILTINS or function.name in CONSTANTS:
            return
        elif call.primes or len(call.arguments) > 1:
            self.functions[function.name] = len(call.arguments)
        elif name in self.ranks:
            yield function
        else:
            self.functions[function.name] = 1

    def _check_variables(self, relation: Relation) -> None:
        """What is differentiated has to depend on the variable: else the definition meant is another one."""
        stack: list[Notation] = [relation]
        while stack:
            node = stack.pop()
            stack.extend(parts(node))
            if not isinstance(node, Derivative) or node.of is None or isinstance(node.wrt, Words):
                continue
            inside = self._depends(node.of)
            wrt = node.wrt.body if isinstance(node.wrt, Bracketed) else node.wrt
            names = {n for n, _ in uses(wrt)} if isinstance(wrt, Symbol) else {name_of(wrt) or ""}
            if not names & inside:
                shown = name_of(wrt) or "the variable"
                of = name_of(node.of)
                if of is not None and of not in self.needed:
                    raise UnknownNameError(f"the text does not define {of} before this formula")
                raise FormulaError(f"what is differentiated does not depend on {shown} as it is defined here")

    def _depends(self, node: Notation) -> set[str]:
        found: set[str] = set()
        todo = [node]
        while todo:
            for symbol, letters in self._symbols(todo.pop()):
                name = self._name(symbol, letters)
                if name is not None and name not in found:
                    found.add(name)
                    if name in self.needed:
                        todo.append(self.needed[name].body)
        return found
