"""One form for what documents write in many ways: samples, steps, classes and squares as plain names and indices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import Final

from backproof.check.document.upstream import Upstream, with_gradients
from backproof.errors import BackproofError
from backproof.language.grammar import parse_list
from backproof.language.notation import (
    Big,
    Call,
    Cases,
    Derivative,
    Indicator,
    Notation,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Relation,
    Symbol,
    Transposed,
)
from backproof.language.reading import bare, letter_of
from backproof.language.text import write
from backproof.language.traversal import fold, parts, pieces_of, with_parts

MAX_SCANNED: Final = 3_000
_SAMPLES: Final = frozenset("ijkmnstp")
_NAME_PARTS: Final = frozenset("focghxyzuvwabde")
_INDICES: Final = frozenset("ijklmnpq")
_GATES: Final = frozenset("fizro")
_TWO: Final = Number(Fraction(2))
SQUARE: Final = "squared"


@lru_cache(maxsize=512)
def formulas(text: str) -> tuple[Notation, ...] | BackproofError:
    """The formulas of a text, or why it cannot be read; a document asks for each several times."""
    try:
        return parse_list(text)
    except BackproofError as error:
        return error.with_traceback(None)


@dataclass
class Forms:
    """What the letters of a document are, found from all of its formulas, and the formulas in one form.

    `samples` are letters of examples, x^{(i)}, over which a sum runs somewhere; `steps` letters of time, h_{t−1};
    `classes` names that stand as an index, f_{y_i}; `words` pairs of a name and a letter that are one name, W_f;
    `squares` names that are defined as a square, σ²; `functions` names that are defined as functions; `summed` names
    with an index that a sum runs over;
    `primed` names with a prime that is no derivative; `ranged` the letters that a sum runs over; `upstream` names that
    were given to gradients so far; `places` the letters that stand for the one entry p_1 of each name p_i, and `placed`
    these names.
    """

    samples: set[str] = field(default_factory=set[str])
    steps: set[str] = field(default_factory=set[str])
    classes: set[str] = field(default_factory=set[str])
    words: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    squares: set[str] = field(default_factory=set[str])
    summed: set[str] = field(default_factory=set[str])
    functions: set[str] = field(default_factory=set[str])
    primed: set[str] = field(default_factory=set[str])
    places: dict[Notation, str] = field(default_factory=dict[Notation, str])
    placed: set[str] = field(default_factory=set[str])
    ranged: set[str] = field(default_factory=set[str])
    upstream: dict[str, Upstream] = field(default_factory=dict[str, Upstream])

    @classmethod
    def of(cls, texts: Iterable[str]) -> Forms:
        """The forms of a document with these formulas."""
        found = cls()
        bound: set[str] = set()
        labels: set[str] = set()
        letters: dict[str, set[str]] = defaultdict(set)
        pairs: set[tuple[str, str]] = set()
        before: set[str] = set()
        heads: set[str] = set()
        indexed: set[str] = set()
        numbers: dict[str, set[Notation]] = defaultdict(set)
        for number, text in enumerate(texts):
            if number == MAX_SCANNED:
                break
            nodes = formulas(text)
            for root in () if isinstance(nodes, BackproofError) else nodes:
                head = root.sides[0] if isinstance(root, Relation) else None
                if isinstance(head, Call) and isinstance(head.function, Symbol):
                    found.functions.add(head.function.name)
                if isinstance(head, Symbol) and len(head.subscripts) == 1:
                    letter = letter_of(head.subscripts[0])
                    heads.add(head.name if letter else f"{head.name}#")
                    if letter in _INDICES:
                        indexed.add(head.name)
                if isinstance(root, Relation) and _squared(root.sides[0]) is not None:
                    found.squares.add(_squared(root.sides[0]) or "")
                for node in pieces_of(root):
                    if isinstance(node, Big):
                        bound.update(node.indices)
                    if isinstance(node, Derivative) and isinstance(node.wrt, Call) and node.wrt.primes:
                        function = node.wrt.function
                        found.primed |= {function.name} if isinstance(function, Symbol) else set()
                    if not isinstance(node, Symbol):
                        continue
                    if (label := letter_of(node.label) if node.label is not None else None) is not None:
                        labels.add(label)
                    before.update(_step_before(s) or "" for s in node.subscripts)
                    own = [letter_of(s) for s in node.subscripts]
                    if len(own) == 1 and isinstance(place := bare(node.subscripts[0]), Number):
                        numbers[node.name].add(place)
                    found.classes.update(
                        s.name for s in map(bare, node.subscripts) if isinstance(s, Symbol) and _is_class(s)
                    )
                    if len(own) == 1 and own[0] is not None:
                        letters[node.name].add(own[0])
                    elif len(own) == 2 and all(own):
                        pairs.add((node.name, f"{own[0]}{own[1]}"))
                        letters[node.name].update(o or "" for o in own)
        found.samples = (labels & _SAMPLES & bound) - {"l"}
        found.steps = (before & {"t", "s"}) - bound - found.samples if before & {"t"} else set()
        if "t" in before:
            found.steps.add("t")
        gates = sum(base == "W" and bool(own & {"f", "o", "z", "r"}) for base, own in letters.items()) > 0
        found.ranged = bound
        found.placed = {name for name in numbers if name in heads and f"{name}#" not in heads}
        places = {place for name in found.placed for place in numbers[name]}
        free = next((x for x in "abcdrw" if not any(x in own for own in letters.values()) and x not in bound), None)
        if len(places) == 1 and free is not None:
            found.places = {places.pop(): free}
        found.summed = {base for base, own in letters.items() if own & bound}
        plain = {base: own for base, own in letters.items() if base not in indexed}
        found._find_words(plain, pairs, bound, gates=gates)
        return found

    def _find_words(
        self, letters: dict[str, set[str]], pairs: set[tuple[str, str]], bound: set[str], *, gates: bool
    ) -> None:
        bases: dict[str, set[str]] = defaultdict(set)
        for base, own in letters.items():
            for letter in own:
                bases[letter].add(base)
        for base, own in letters.items():
            if own & bound or base == "delta":
                continue
            # A letter that stands below one name only, ℓ_s, is a part of that name.
            alone = {letter for letter in own if len(bases[letter]) == 1} - _INDICES - self.steps
            # A capital that no sum runs over, μ_B, is a part of the name.
            alone |= {letter for letter in own if letter.isupper() and letter not in bound}
            gated = gates and base in ("W", "U", "b", "V")
            allowed = alone | _NAME_PARTS | (_GATES if gated else frozenset[str]())
            two = {p for b, p in pairs if b == base}
            if not two:
                self.words |= {(base, letter) for letter in own if letter in allowed - self.classes}
            elif all(set(p) <= set(letters) | {"x", "h", "y", "o"} and not set(p) & set("ijkmn") for p in two):
                self.words |= {(base, p) for p in two}

    def plain(self, root: Relation) -> Relation:
        """The relation in plain names and indices."""
        found = fold(root, self._rule)
        plain = found if isinstance(found, Relation) else root
        return with_gradients(plain, self.upstream) if self.upstream else plain

    def _rule(self, node: Notation, inside: tuple[Notation, ...]) -> Notation:
        new = with_parts(node, inside)
        match new:
            case Symbol():
                return self._symbol(new)
            case Power(base, exponent) if exponent == _TWO and (_squared(new) or "").partition("_")[0] in self.squares:
                symbol = bare(base)
                return (
                    replace(symbol, name=f"{symbol.name}{SQUARE}", span=new.span) if isinstance(symbol, Symbol) else new
                )
            case Quotient(numerator, denominator) if not _differential(numerator):
                # In 1/(d σ) the d is a number.
                return replace(new, denominator=fold(denominator, _product_with_d))
            case Derivative(None, Transposed(body)) if new.style == "prefix":
                return Transposed(replace(new, wrt=body), span=new.span)
            case Power(Symbol("e"), exponent) if "e" in self.functions:
                return Call(Symbol("exp"), (exponent,), span=node.span)
            case Call(Symbol(subscripts=subs) as function) if len(subs) > 1:
                # A function with its parameters below, h_{W,b}, is one name.
                below = [letter_of(s) or "" for s in subs]
                if all(below) and any(b[0].isupper() for b in below):
                    return replace(
                        new, function=replace(function, name=f"{function.name}_{''.join(below)}", subscripts=())
                    )
                return new
            case Big(without=without) if any(_is_class(w) for w in without):
                return replace(new, without=tuple(self._class(w) for w in without))
            case Indicator(Relation() as condition):
                return replace(new, condition=self._condition(condition))
            case Cases(cases):
                done = tuple((v, self._condition(c) if isinstance(c, Relation) else c) for v, c in cases)
                return replace(new, cases=done)
            case _:
                return new

    def _condition(self, node: Relation) -> Relation:
        """y_i = k of a class is a condition on two letters."""
        return replace(node, sides=tuple(self._class(s) for s in node.sides))

    def _class(self, node: Notation) -> Notation:
        inner = bare(node)
        if isinstance(inner, Symbol) and inner.name in self.classes and _is_class(inner):
            return replace(inner, subscripts=(), label=None)
        return node

    def with_primes(self, root: Relation) -> Relation:
        """The relation with h′ as a name where ∂/∂h′ stands in the document."""
        if not self.primed:
            return root

        def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
            new = with_parts(node, inside)
            match new:
                case Call(Symbol() as function, (), primes, None) if primes and function.name in self.primed:
                    return replace(function, name=function.name + "prime" * primes, span=node.span)
                case _:
                    return new

        found = fold(root, rule)
        return found if isinstance(found, Relation) else root

    @property
    def shown_places(self) -> dict[str, str]:
        """What the letters of single entries stand for."""
        return {letter: write(place) for place, letter in self.places.items()}

    def at_place(self, node: Relation) -> Relation:
        """A condition j ≠ 1 with the letter that stands for the entry 1."""
        sides = (Symbol(self.places[s]) if s in self.places else s for s in node.sides)
        return replace(node, sides=tuple(sides))

    def condition(self, node: Relation) -> Relation:
        """A condition on index letters, in plain letters: j ≠ y_i is j ≠ y."""
        return self._condition(node)

    def _symbol(self, node: Symbol) -> Symbol:
        if any(_is_class(s) and isinstance(s, Symbol) for s in node.subscripts):
            subs = tuple(
                Symbol(s.name, span=s.span) if isinstance(s, Symbol) and _is_class(s) else s for s in node.subscripts
            )
            node = replace(node, subscripts=subs)
        if len(node.subscripts) == 1 and node.name in self.placed and bare(node.subscripts[0]) in self.places:
            return replace(node, subscripts=(Symbol(self.places[bare(node.subscripts[0])]),))
        label = letter_of(node.label) if node.label is not None else None
        if label in self.samples and node.label is not None:
            return replace(node, subscripts=(bare(node.label), *node.subscripts), label=None)
        if node.label is None and node.subscripts and self.steps:
            for sub in (node.subscripts[0], node.subscripts[-1]):
                step = letter_of(sub) or _step_before(sub) or _step_after(sub)
                if step in self.steps:
                    rest = tuple(s for s in node.subscripts if s is not sub)
                    node = replace(node, subscripts=rest, label=sub)
                    break
        own = [letter_of(s) for s in node.subscripts]
        joined = "".join(o or "?" for o in own)
        if (node.name, joined) in self.words:
            return replace(node, name=f"{node.name}_{joined}", subscripts=())
        return node


def _differential(node: Notation) -> bool:
    return any(isinstance(n, Derivative) and n.style == "prefix" for n in pieces_of(node))


def _product_with_d(node: Notation, inside: tuple[Notation, ...]) -> Notation:
    new = with_parts(node, inside)
    if isinstance(new, Derivative) and new.style == "prefix" and new.of is None:
        return Product("", (Symbol("d"), new.wrt), span=node.span)
    return new


def _squared(node: Notation) -> str | None:
    """The name whose square the notation is: sigma for σ², σ_B²."""
    node = bare(node)
    if not isinstance(node, Power) or node.exponent != _TWO:
        return None
    base = bare(node.base)
    return base.name if isinstance(base, Symbol) and len(base.subscripts) < 2 else None


def _is_class(sub: Notation) -> bool:
    """A name with an index that stands as an index itself, the y_i of f_{y_i}."""
    inner = bare(sub)
    if not isinstance(inner, Symbol) or inner.accent or len(inner.name) != 1 or not inner.name.isalpha():
        return False
    indexed = len(inner.subscripts) == 1 and letter_of(inner.subscripts[0]) is not None
    return indexed or (inner.label is not None and letter_of(inner.label) is not None)


def _step_before(sub: Notation) -> str | None:
    """The letter t of t − 1."""
    inner = bare(sub)
    if isinstance(inner, Plus) and len(inner.terms) == 2 and inner.terms[1] == (-1, Number(Fraction(1))):
        return letter_of(inner.terms[0][1])
    return None


def _step_after(sub: Notation) -> str | None:
    inner = bare(sub)
    if isinstance(inner, Plus) and len(inner.terms) == 2 and inner.terms[1] == (1, Number(Fraction(1))):
        return letter_of(inner.terms[0][1])
    return None


def free_letters(root: Notation) -> set[str]:
    """The index letters of a formula that no sum in it binds."""

    def rule(node: Notation, inside: tuple[frozenset[str], ...]) -> frozenset[str]:
        found = frozenset[str]().union(*inside)
        if isinstance(node, Symbol):
            own = [letter_of(s) for s in node.subscripts]
            split = [c for s in node.subscripts for c in _letters_of_run(s)]
            return frozenset({o for o in own if o is not None} | set(split))
        if isinstance(node, Big):
            return found - set(node.indices)
        return found

    return set(fold(root, rule))


def _letters_of_run(sub: Notation) -> str:
    inner = bare(sub)
    if isinstance(inner, Product) and all(letter_of(f) for f in inner.factors):
        return "".join(letter_of(f) or "" for f in inner.factors)
    return (
        inner.name
        if isinstance(inner, Symbol) and 2 <= len(inner.name) <= 3 and inner.name.isalpha() and not parts(inner)
        else ""
    )
