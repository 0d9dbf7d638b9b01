"""The names of one formula and of what it depends on, with how many axes each has."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from backproof.check.document.evidence import SCALARS, Evidence
from backproof.check.document.marks import Bold
from backproof.check.document.shapes import uses
from backproof.check.document.substitution import Known, substituted
from backproof.check.names import catalogue_functions
from backproof.check.worksheet.reading import name_of
from backproof.errors import FormulaError
from backproof.language.letters import GREEK
from backproof.language.matrix_functions import BUILTINS
from backproof.language.notation import (
    Big,
    Call,
    Derivative,
    Entry,
    Notation,
    Product,
    Relation,
    Symbol,
    Transposed,
    Words,
)
from backproof.language.scope import LOSS_LETTERS
from backproof.language.traversal import parts, pieces_of, with_parts

CONSTANTS: Final = frozenset({"e", "pi", "I", "Id", "eye", "ℝ", "1"})
VECTOR_FUNCTIONS: Final = frozenset({"softmax", "Softmax", "smax", "diag"})
Mode = Literal["convention", "signs", "capitals", "numbers", "matrices"]
MODES: Final[tuple[Mode, ...]] = ("convention", "signs", "capitals", "numbers")


@dataclass
class Names:
    """The names of a formula under chosen definitions; `shapes` are the document's.

    `mode` says what letters are of which nothing is said. "convention": W, X and Θ, or vectors anywhere, make capitals
    matrices and small letters vectors; "signs": where norms, transposes or traces occur, capitals are matrices;
    "capitals": as by the convention, where capitals are multiplied but no sign of vectors occurs;
    "numbers": all are numbers; "matrices": all capitals are matrices, whatever speaks for it.
    """

    name: str
    shapes: Mapping[str, tuple[str, ...]]
    relation: Relation
    text: str
    versions: Mapping[str, Known]
    mode: Mode = "numbers"
    unit_axis: int | None = None
    rows: bool = False
    symmetric: AbstractSet[str] = frozenset()
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
    allowed: frozenset[Mode] = frozenset(MODES)
    pending: list[Call] = field(default_factory=list[Call])
    of_vectors: bool = False
    evidence: Evidence = field(default_factory=Evidence)
    families: set[str] = field(default_factory=set[str])
    slopes: dict[str, str] = field(default_factory=dict[str, str])

    def _own_rank(self, known: Known) -> int:
        """How many axes a defined name has, by the indices on its head."""
        letters = max((len(own) for _, own in uses(known.head)), default=0) if isinstance(known.head, Symbol) else 0
        return letters or self.ranks.get(known.name, 0)

    def _resolved(self, node: Notation, depth: int = 0) -> Notation:
        """The formula with f(x, y) replaced by f where f is defined as f(x, y)."""
        if depth > 200:
            raise FormulaError("the formula is nested too deeply")
        if (
            isinstance(node, Call)
            and node.primes
            and len(node.arguments) == 1
            and isinstance(node.arguments[0], Symbol)
        ):
            known = self.versions.get(name_of(node.function) or "")
            if known is not None and known.parameters is None and node.power is None:
                # f′(x) where f = (a x + b)³.
                return Derivative(node.function, node.arguments[0], "total", node.primes, span=node.span)
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
            elif name in self.bold or name in self.transposed or self._shown(name):
                self.ranks[name] = max(self.ranks[name], 2 if name[0].isupper() else 1)
            if name in self.families and name not in self.bold and name not in self.shapes:
                self.ranks[name] = max(self.ranks[name], 2)
        self._by_convention()
        for slope, of in self.slopes.items():
            if slope in self.ranks:
                self.ranks[slope] = max(self.ranks.get(of, 0), self._own_rank(self.versions[of]))
        for name in self.needed:
            # What is defined takes its shape from its definition.
            kept = name in self.bold or (self.convention and (self.mode != "signs" or name[0].isupper()))
            self.ranks[name] = self.ranks[name] if kept else 0

    def _shown(self, name: str) -> bool:
        """Whether the notation shows a vector or matrix: a letter without indices in a norm or behind a transpose."""
        return name in self.evidence.vectors and name not in self.indexed and not self.bold

    def _decided(self) -> list[Notation]:
        """The heads of calls that are factors: letters that stand elsewhere in the formula, x(1 − x)."""
        factors: list[Notation] = []
        calls, self.pending = self.pending, []
        for call in calls:
            function = call.function
            if isinstance(function, Symbol):
                matrix = self.mode != "numbers" and self.evidence.of_vectors and _is_matrix(call)
                if matrix or {n for n, _ in uses(function)} & (set(self.ranks) | self.indexed):
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
        """Capitals as matrices and small letters as vectors, where neither bold letters nor shapes say it."""
        plain = [n for n in self.ranks if n not in self.shapes and not (self.ranks[n] and n in self.indexed)]
        weights = [n for n in plain if n[0] in "WUVX" or n.startswith(("Theta", "theta("))]
        stated = any(len(self.shapes[n]) == 2 for n in self.ranks if n in self.shapes)
        usual = bool(weights or stated or self.of_vectors or self.evidence.of_vectors)
        modes = {
            "convention": usual,
            "signs": self.evidence.of_vectors,
            "capitals": not usual and any(n in self.evidence.multiplied for n in plain),
        }
        small = bool(self.bold) and not any(n[0].isupper() for n in self.bold)
        if self.bold:
            # Capitals beside bold small letters are matrices, if the shapes then fit.
            modes = dict.fromkeys(modes, False) | {"signs": small and any(n[0].isupper() for n in plain)}
        self.allowed = frozenset(m for m in MODES if m == "numbers" or modes[m])
        if self.mode == "numbers" or self.mode not in self.allowed | {"matrices"}:
            return
        self.convention = True
        defined = {n.partition("(")[0] for n in self.needed}
        for name in plain:
            base = name.partition("(")[0].partition("_")[0]
            capital = name[0].isupper()
            shown = base in self.evidence.multiplied if capital else base in self.evidence.beside
            shown = shown or (capital and self.mode == "matrices")
            usually = base in SCALARS and base not in defined and not shown
            if base in LOSS_LETTERS or base in self.evidence.numbers or (usually and not self._shown(name)):
                continue
            if capital or self.mode != "signs":
                self.ranks[name] = 2 if capital else 1

    def _find_indices(self, root: Notation) -> None:
        """Letters that stand as indices or as bounds of sums: they are no names."""
        self.evidence.add(root)
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
        if not found or (found[0][0] in CONSTANTS and not letters) or found[0][0].startswith("delta"):
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


def _is_matrix(call: Call) -> bool:
    """Whether a capital before a bracket is a factor, D(y − Xβ), as no text applies a function to a sum like this."""
    function = call.function
    capital = isinstance(function, Symbol) and len(function.name) == 1 and function.name.isupper()
    return capital and len(call.arguments) == 1 and not isinstance(call.arguments[0], Symbol) and not call.primes
