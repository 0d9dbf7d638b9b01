"""Making the world of one formula: its names, their shapes, and the definitions that it needs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from backproof.check.document.marks import GRADIENT_LETTERS, Bold, bold_names, pieces_of
from backproof.check.document.shapes import Shapes, uses
from backproof.check.document.substitution import Known, substituted
from backproof.check.given import World
from backproof.check.names import catalogue_functions
from backproof.check.worksheet.building import Builder, loss_name
from backproof.check.worksheet.reading import name_of
from backproof.check.worksheet.statements import Statement
from backproof.errors import BackproofError, FormulaError, UnknownNameError
from backproof.language.letters import GREEK
from backproof.language.matrix_functions import BUILTINS
from backproof.language.notation import (
    Big,
    Bracketed,
    Call,
    Derivative,
    Entry,
    Notation,
    Number,
    Plus,
    Product,
    Relation,
    Symbol,
    Transposed,
    Words,
)
from backproof.language.scope import LOSS_LETTERS
from backproof.language.traversal import parts, with_parts

CONSTANTS: Final = frozenset({"e", "pi", "I", "Id", "eye", "ℝ", "1"})
CAPITAL_NUMBERS: Final = frozenset(("T", "N", "M", "K", "Delta"))
VECTOR_FUNCTIONS: Final = frozenset({"softmax", "diag"})
UNKNOWN_LOSSES: Final = LOSS_LETTERS | {"ell", "l"}
SCALARS: Final = frozenset("lambda eta alpha beta gamma epsilon eps mu rho tau m n N M B K T t k i j l s c".split())


@dataclass(frozen=True, slots=True)
class Setting:
    """A world for one formula, the formula with calls of defined names resolved, and what was assumed of shapes.

    `cut` says that the variables are left undefined, so that only what is proved counts;
    `earlier` says that a definition is used that is not the last one of its letter, so that nothing is refuted by it;
    `tentative` that capitals were taken for matrices and small letters for vectors, which holds if the shapes then fit.
    """

    world: World
    relation: Relation
    uncertain: bool
    earlier: bool
    tentative: bool
    notes: tuple[str, ...]
    cut: bool = False


@dataclass
class Making:
    """Makes the world of one formula from chosen definitions; `name` and `shapes` are the document's."""

    name: str
    shapes: Mapping[str, tuple[str, ...]]
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
    bounds: set[str] = field(default_factory=set[str])
    pending: list[Call] = field(default_factory=list[Call])
    of_vectors: bool = False
    families: set[str] = field(default_factory=set[str])
    slopes: dict[str, str] = field(default_factory=dict[str, str])

    def setting(self, *, earlier: bool) -> Setting:
        """The world. Raises BackproofError where the formula cannot be read with these definitions."""
        relation = self._resolved(self.relation)
        if not isinstance(relation, Relation):
            raise TypeError("a relation stays one")
        self._embolden(bold_names(self.relation, self.text))
        opened = self._any_loss(relation)
        extra = self._loss(relation)
        self._collect(relation if extra is None else Relation((*relation.sides, extra), (*relation.signs, "=")))
        self._check_variables(relation)
        self._check_functions(relation)
        self._open_losses()
        bodies = [Relation((k.head, self._resolved(k.body)), ("=",)) for k in self.needed.values()]
        given = {n: self.shapes[n] for n in self.ranks if n in self.shapes}
        heads = {n: self._own_rank(k) for n, k in self.needed.items()}
        sizes = Shapes({n: r for n, r in (self.ranks | heads).items() if r}, given).sizes([*bodies, relation])
        builder = Builder(title=self.name, sums_loss=True)
        for name, rank in self.ranks.items():
            if name not in self.needed:
                builder.add_input(name, sizes.get(name, ()) if rank else ())
        builder.functions.update(self.functions)
        builder.loss = loss_name(sorted(self.needed, key=lambda n: self.needed[n].order))
        self._define(builder)
        known = {*given, *self.bold, *self.needed, *CAPITAL_NUMBERS}
        known |= {n for n in self.indexed if self.ranks.get(n) == 2}
        guessed = [n for n in self.ranks if n[0].isupper() and n not in known]
        mixed = any(self.ranks.values())
        numbers = sorted(n for n, r in self.ranks.items() if not r and n not in self.needed)
        said = mixed or any(n[0].isupper() for n in numbers)
        notes = (f"read as numbers: {', '.join(numbers)}",) if numbers and said else ()
        if opened:
            notes = (*notes, opened)
        if self.convention:
            notes = (*notes, "capitals are read as matrices, small letters as vectors")
        return Setting(
            builder.world(), relation, bool(guessed) and not self.convention and said, earlier, self.convention, notes
        )

    def _own_rank(self, known: Known) -> int:
        """How many axes a defined name has, by the indices on its head."""
        letters = max((len(own) for _, own in uses(known.head)), default=0) if isinstance(known.head, Symbol) else 0
        return letters or self.ranks.get(known.name, 0)

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
            losses = [k for n, k in self.versions.items() if n in UNKNOWN_LOSSES]
            if not losses:
                raise UnknownNameError("the loss is not defined before this formula")
            return Symbol(max(losses, key=lambda k: k.order).name)
        if not named and not any(isinstance(n, Call) and n.primes for n in pieces_of(relation)):
            raise FormulaError("the formula has no derivative of anything that is named")
        return None

    def _any_loss(self, relation: Relation) -> str | None:
        """∂L/∂… where the text does not say what L is: any function of what is computed last.

        By the chain rule all first derivatives of L are those of the form Σ gᵢ oᵢ, with a name gᵢ for each slope.
        """
        derivatives = [n for n in pieces_of(relation) if isinstance(n, Derivative) and n.order == 1]
        of = {name_of(d.of.function if isinstance(d.of, Call) else d.of) or "" for d in derivatives if d.of is not None}
        unknown = {n for n in of if n in UNKNOWN_LOSSES and n not in self.versions}
        if not of and derivatives and not any(n in UNKNOWN_LOSSES for n in self.versions):
            # dW alone: the derivative of a loss that has no name yet.
            unknown = {"J"}
        if len(unknown) != 1:
            return None
        loss = unknown.pop()
        wrt = {
            name
            for d in derivatives
            if (d.of is None or name_of(d.of) == loss) and isinstance(d.wrt, Symbol)
            for name in [self._defined_or_plain(d.wrt)]
        }
        depending = self._all_depending(wrt)
        used = {n for name in depending for n in self._depends(self.versions[name].body, all_names=True)}
        last = sorted((depending | wrt) - used)
        if not last or any(name not in self.versions for name in last):
            return None
        terms: list[tuple[int, Notation]] = []
        for number, name in enumerate(last, start=1):
            known = self.versions[name]
            head = known.head.function if isinstance(known.head, Call) else known.head
            letters = next((own for _, own in uses(head) if own), ()) if isinstance(head, Symbol) else ()
            slope = Symbol("slope", (Number(Fraction(number)), *map(Symbol, letters)))
            product = Product("⊙", (slope, head))
            terms.append((1, Big("sum", product, indices=letters) if letters else Big("sum", product)))
            self.slopes[f"slope({number})"] = name
        self.versions = {
            **self.versions,
            loss: Known(loss, Symbol(loss), None, Plus(tuple(terms)), loss, Bold(), 10**9),
        }
        return f"{loss} is not stated: it may be any function of {', '.join(last)}"

    def _defined_or_plain(self, symbol: Symbol) -> str:
        found = [name for name, _ in uses(symbol)]
        return next((n for n in found if n in self.versions), found[0] if found else symbol.name)

    def _all_depending(self, names: set[str]) -> set[str]:
        """Everything defined that depends on one of the names."""
        return {n for n, known in self.versions.items() if self._depends(known.body, all_names=True) & names}

    def _open_losses(self) -> None:
        """L = ℓ(o, y) of vectors, where nothing says what ℓ is: its slopes are names, and L the form Σ gᵢ oᵢ.

        By the chain rule all first derivatives of L are those of this form.
        """
        for name, known in self.needed.items():
            body = known.body
            if name not in LOSS_LETTERS or not isinstance(body, Call) or not isinstance(body.function, Symbol):
                continue
            unknown = body.function.name not in catalogue_functions() and body.function.name not in BUILTINS
            arguments = [name_of(a) for a in body.arguments]
            if not unknown or not all(a and a in self.ranks for a in arguments):
                continue
            if not any(self.ranks[a or ""] == 1 or (a in self.needed) for a in arguments):
                continue
            terms: list[tuple[int, Notation]] = []
            for argument, written in zip(arguments, body.arguments, strict=True):
                if argument in self.needed or argument in self.bold:
                    slope = f"slope_{len(terms) + 1}"
                    self.ranks[slope] = max(1, self.ranks[argument or ""]) if argument in self.bold else 0
                    factor = Symbol("slope", (Number(Fraction(len(terms) + 1)),))
                    self.ranks[f"slope({len(terms) + 1})"] = self.ranks.pop(slope)
                    product = Product("⊙", (factor, written))
                    terms.append((1, Big("sum", product) if argument in self.bold else product))
            if terms:
                self.needed[name] = replace(known, body=Plus(tuple(terms)))
                self.functions.pop(body.function.name, None)

    def _define(self, builder: Builder) -> None:
        # A name is defined after all that it is made from: a letter may be the name of a size as well.
        uses_of = {n: self._depends(k.body) & set(self.needed) for n, k in self.needed.items()}
        waiting = dict(self.needed)
        while waiting:
            ready = [k for n, k in waiting.items() if not {m for m in uses_of[n] if m in waiting}]
            if not ready:
                raise FormulaError(f"{next(iter(waiting))} is defined by itself")
            for known in ready:
                del waiting[known.name]
                self._define_one(builder, known)

    def _define_one(self, builder: Builder, known: Known) -> None:
        body = self._resolved(known.body)
        statement = Statement("define", known.text, 0, len(known.text), self.name)
        builder.define(Relation((known.head, body), ("=",), span=body.span), statement)
        if known.parameters and not any(self.ranks.get(p, 0) for p in known.parameters):
            for formula in (known.body, body):
                try:
                    builder.define_function(known.name, known.parameters, formula)
                except BackproofError:
                    # Calls of this name with other arguments are then not read.
                    builder.own.pop(known.name, None)
                else:
                    break

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
                if (inlined := substituted(known, node.arguments)) is not None:
                    return self._resolved(inlined, depth + 1)
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
                    self._embolden(known.bold)
                    body = self._resolved(known.body)
                    self._find_indices(body)
                    todo.append(body)
            if not todo:
                todo += self._decided()
        self._drop_sizes()
        for name in self.ranks:
            if name in self.shapes:
                self.ranks[name] = len(self.shapes[name])
            elif name in self.bold or name in self.transposed:
                self.ranks[name] = max(self.ranks[name], 2 if name[0].isupper() else 1)
            if name in self.families and name not in self.bold and name not in self.shapes:
                self.ranks[name] = max(self.ranks[name], 2)
        self._by_convention()
        for slope, of in self.slopes.items():
            if slope in self.ranks:
                self.ranks[slope] = max(self.ranks.get(of, 0), self._own_rank(self.versions[of]))
        for name in self.needed:
            # What is defined takes its shape from its definition.
            self.ranks[name] = 0 if name not in self.bold and not self.convention else self.ranks[name]

    def _decided(self) -> list[Notation]:
        """The heads of calls that are factors: letters that stand elsewhere in the formula, x(1 − x)."""
        factors: list[Notation] = []
        calls, self.pending = self.pending, []
        for call in calls:
            function = call.function
            if isinstance(function, Symbol):
                if {n for n, _ in uses(function)} & (set(self.ranks) | self.indexed):
                    factors.append(function)
                else:
                    self.functions[function.name] = len(call.arguments)
        return factors

    def _drop_sizes(self) -> None:
        """Sizes are no inputs: the n of x ∈ ℝⁿ, and bounds of sums."""
        sizes = self.bounds | {s for n in self.ranks if n in self.shapes for s in self.shapes[n]}
        for name in [n for n in self.ranks if n in sizes and n not in self.versions and n not in self.shapes]:
            del self.ranks[name]

    def _embolden(self, bold: Bold) -> None:
        self.bold |= bold.whole
        self.families |= bold.indexed

    def _by_convention(self) -> None:
        """W, X and Θ as matrices, and then small letters as vectors, where neither bold letters nor shapes say it."""
        plain = [n for n in self.ranks if n not in self.shapes and not (self.ranks[n] and n in self.indexed)]
        weights = [n for n in plain if n[0] in "WUVX" or n.startswith(("Theta", "theta("))]
        if not self.matrices or not (weights or self.of_vectors) or self.bold:
            return
        self.convention = True
        defined = {n.partition("(")[0] for n in self.needed}
        for name in plain:
            base = name.partition("(")[0].partition("_")[0]
            if base in LOSS_LETTERS or (base in SCALARS and base not in defined):
                continue
            self.ranks[name] = 2 if name[0].isupper() else 1

    def _find_indices(self, root: Notation) -> None:
        """Letters that stand as indices or as bounds of sums: they are no names."""
        for node in pieces_of(root):
            if isinstance(node, Symbol):
                self.indices |= {letter for _, own in uses(node) for letter in own}
            elif isinstance(node, Big):
                self.indices |= set(node.indices)
                if node.upper is not None:
                    self.bounds.add(name_of(node.upper) or "")

    def _name(self, symbol: Symbol, letters: int) -> str | None:
        found = uses(symbol)
        if letters and (whole := [n for n, own in found if own and n in self.whole]):
            # a_ij is an entry of A where A stands in the formula.
            return whole[0]
        for name, own in found:
            known = name in self.versions or name in self.shapes or name in self.ranks
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
                    if isinstance(function, Symbol) and function.name in VECTOR_FUNCTIONS:
                        self.of_vectors = True
                    stack.extend(arguments)
                    stack.extend(self._head(function, node))
                case Transposed(Symbol() as inner):
                    if (name := name_of(inner)) is not None and (len(name) == 1 or name in GREEK):
                        self.transposed.add(name)
                    self.families |= {n for n, own in uses(inner)[:1] if len(own) == 1 and n[0].islower()}
                    stack.append(inner)
                case Product("" | "·" | "@", factors):
                    for first, second in itertools.pairwise(factors):
                        if (
                            isinstance(first, Transposed)
                            and isinstance(second, Symbol)
                            and isinstance(first.body, Symbol)
                        ):
                            # In wᵀ x_i the x_i are vectors.
                            self.families |= {n for n, own in uses(second)[:1] if len(own) == 1 and n[0].islower()}
                    stack.extend(factors)
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
        own = {n for n, _ in uses(function)}
        if own & (set(self.versions) | self.indexed) or (own & set(self.shapes) and not call.primes):
            yield function
        elif function.name in catalogue_functions() or function.name in BUILTINS or function.name in CONSTANTS:
            return
        elif call.primes or len(call.arguments) > 1:
            self.functions[function.name] = len(call.arguments)
        elif name in self.ranks:
            yield function
        else:
            self.pending.append(call)

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

    def _check_functions(self, relation: Relation) -> None:
        """A function of which the text says nothing, prod(a, b), has no meaning that a claim could be judged by."""
        calls = [n for n in pieces_of(relation) if isinstance(n, Call) and isinstance(n.function, Symbol)]
        bodies = [p for known in self.needed.values() for p in pieces_of(known.body)]
        said = {p.function for p in bodies if isinstance(p, Call)} | {c.function for c in calls if c.primes}
        for call in calls:
            function = call.function
            if isinstance(function, Symbol) and function.name in self.functions and function not in said:
                raise UnknownNameError(f"the text does not say what the function {function.name} is")

    def _depends(self, node: Notation, *, all_names: bool = False) -> set[str]:
        needed = self.versions if all_names else self.needed
        found: set[str] = set()
        todo = [self._resolved(node)]
        while todo:
            for symbol, letters in self._symbols(todo.pop()):
                name = self._name(symbol, letters)
                if name is not None and name not in found:
                    found.add(name)
                    if name in needed:
                        todo.append(self._resolved(needed[name].body))
        return found
