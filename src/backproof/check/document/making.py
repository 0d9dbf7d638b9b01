"""Making the world of one formula: its names, their shapes, and the definitions that it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Final

from backproof import catalog
from backproof.check.document.marks import GRADIENT_LETTERS, Bold, bold_names
from backproof.check.document.names import Names
from backproof.check.document.shapes import Shapes, uses
from backproof.check.document.substitution import Known
from backproof.check.given import World
from backproof.check.names import catalogue_functions
from backproof.check.worksheet.building import Builder, loss_name
from backproof.check.worksheet.reading import assumed, name_of
from backproof.check.worksheet.statements import Statement
from backproof.errors import BackproofError, FormulaError, UnknownNameError
from backproof.language.matrix_functions import BUILTINS
from backproof.language.notation import (
    Big,
    Bracketed,
    Call,
    Derivative,
    Notation,
    Number,
    Plus,
    Product,
    Relation,
    Symbol,
    Words,
)
from backproof.language.reading import bare
from backproof.language.scope import LOSS_LETTERS
from backproof.language.traversal import parts, pieces_of

CAPITAL_NUMBERS: Final = frozenset(("T", "N", "M", "K", "Delta"))
UNKNOWN_LOSSES: Final = LOSS_LETTERS | {"ell", "l"}


@dataclass(frozen=True, slots=True)
class Setting:
    """A world for one formula, the formula with calls of defined names resolved, and what was assumed of shapes.

    `cut` says that the variables are left undefined, so that only what is proved counts;
    `earlier` says that a definition is used that is not the last one of its letter, so that nothing is refuted by it;
    `tentative` that capitals were taken for matrices and small letters for vectors, which holds if the shapes then fit;
    `signs` that norms, transposes or traces occur; `vetoed` that matrices fit the definitions, so that what holds for
    numbers alone is not proved; `other` that this is a second choice, so that nothing is refuted by it;
    `as_matrices` makes the world in which all capitals are matrices.
    """

    world: World
    relation: Relation
    uncertain: bool
    earlier: bool
    tentative: bool
    notes: tuple[str, ...]
    cut: bool = False
    signs: bool = False
    vetoed: bool = False
    other: bool = False
    as_matrices: Callable[[], Setting | None] | None = None


@dataclass
class Making(Names):
    """Makes the world of one formula from chosen definitions; `name` and `shapes` are the document's."""

    def setting(self, *, earlier: bool) -> Setting | None:
        """The world; None where the mode is not called for.

        Raises BackproofError where the formula cannot be read with these definitions.
        """
        relation = self._resolved(self.relation)
        if not isinstance(relation, Relation):
            raise TypeError("a relation stays one")
        self._embolden(bold_names(self.relation, self.text))
        opened = self._any_loss(relation)
        extra = self._loss(relation)
        self._collect(relation if extra is None else Relation((*relation.sides, extra), (*relation.signs, "=")))
        if self.convention == (self.mode == "numbers"):
            return None
        self._check_variables(relation)
        self._check_functions(relation)
        self._open_losses()
        bodies = [Relation((k.head, self._resolved(k.body)), ("=",)) for k in self.needed.values()]
        given = {n: self.shapes[n] for n in self.ranks if n in self.shapes}
        heads = {n: self._own_rank(k) for n, k in self.needed.items()}
        with_axes = {n: r for n, r in (self.ranks | heads).items() if r}
        symmetric = {n for n, r in with_axes.items() if r == 2 and (n in self.symmetric or "*" in self.symmetric)}
        sizes = Shapes(with_axes, given, symmetric & self.symmetric).sizes([*bodies, relation])
        axes = 1 if self.mode != "numbers" else 2
        builder = Builder(title=self.name, sums_loss=True, loss_axes=axes, unit_axis=self.unit_axis, rows=self.rows)
        for name, rank in self.ranks.items():
            if name not in self.needed:
                builder.add_input(name, sizes.get(name, ()) if rank else ())
        square = {n for n in symmetric if n in builder.inputs and len(set(builder.inputs[n])) == 1}
        builder.assumptions += [assumed(n, "symmetric", None, None) for n in sorted(square)]
        builder.functions.update(self.functions)
        variables = self._variables(relation)
        builder.loss = loss_name(n for n in sorted(self.needed, key=self._order) if n not in variables)
        self._define(builder)
        known = {*given, *self.bold, *self.needed, *CAPITAL_NUMBERS, *(LOSS_LETTERS - self.evidence.multiplied)}
        known |= {n for n in self.indexed if self.ranks.get(n) == 2} | self.evidence.numbers
        guessed = [n for n in self.ranks if n[0].isupper() and n not in known]
        mixed = any(self.ranks.values())
        numbers = sorted(n for n, r in self.ranks.items() if not r and n not in self.needed)
        said = mixed or any(n[0].isupper() for n in numbers)
        notes = (f"read as numbers: {', '.join(numbers)}",) if numbers and said else ()
        if opened:
            notes = (*notes, opened)
        if self.convention:
            what = "capitals are read as matrices"
            notes = (*notes, what if self.mode == "signs" else f"{what}, small letters as vectors")
        uncertain = bool(guessed) and not self.convention and said
        return Setting(
            builder.world(), relation, uncertain, earlier, self.convention, notes, signs=self.evidence.of_vectors
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
                isinstance(node, Symbol)
                and node.name in GRADIENT_LETTERS
                and sum(len(own) for _, own in uses(node)[:1]) < 2
            ):
                continue
            losses = [k for n, k in self.versions.items() if n in UNKNOWN_LOSSES and n not in self._variables(relation)]
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
        variables = self._variables(relation)
        if not of and derivatives and not any(n in UNKNOWN_LOSSES - variables for n in self.versions):
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

    def _variables(self, relation: Relation) -> set[str]:
        """The names that a formula differentiates by: C in dC is not the loss."""
        return {
            self._defined_or_plain(d.wrt)
            for d in pieces_of(relation)
            if isinstance(d, Derivative) and isinstance(d.wrt, Symbol)
        }

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

    def _order(self, name: str) -> int:
        return self.needed[name].order

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
        differentiated = [n.of for n in pieces_of(relation) if isinstance(n, Derivative) and n.of is not None]
        bodies += [p for of in differentiated for p in pieces_of(of)]
        said = {p.function for p in bodies if isinstance(p, Call)} | {c.function for c in calls if c.primes}
        unknown = {*self.functions, *_any_functions()} - set(self.versions) - self.indexed
        for call in calls:
            function = call.function
            if isinstance(function, Symbol) and function.name in unknown and function not in said:
                raise UnknownNameError(f"the text does not say what the function {function.name} is")
        given = {p.function for p in bodies if isinstance(p, Call)}
        for side in map(bare, relation.sides):
            # f′(x) = 2x is the definition of f and no claim, unless f is something already.
            if isinstance(side, Call) and side.primes and isinstance(side.function, Symbol):
                alone = sum(call.function == side.function for call in calls) == 1
                if alone and side.function.name in unknown and side.function not in given:
                    raise UnknownNameError(f"the text does not say what the function {side.function.name} is")


@lru_cache(maxsize=1)
def _any_functions() -> frozenset[str]:
    """The names of functions that may be any: f, φ."""
    return frozenset(n for e in catalog.activations() if e.abstract for n in (e.name, *e.aliases))
