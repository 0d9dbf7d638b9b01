"""Lines: a gradient's formulas as people write them, the single mistakes in them, and their numbers at some points."""

from __future__ import annotations

import itertools
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name
from backproof.calculus.unfolding import derivative
from backproof.check.mistakes import COMMONEST, LEFT_SIDE, NOT_THROUGH, SEARCHED, Entry, Mistake, made
from backproof.check.operators import nothing
from backproof.check.rows import Row, Rows, is_finite, joined, stacked, together
from backproof.check.sites import Change, Site, are_near
from backproof.check.slopes import fitting, slopes_at
from backproof.check.surroundings import Surroundings
from backproof.errors import BackproofError
from backproof.language.expression import (
    Apply,
    Expr,
    Index,
    Mul,
    Num,
    apply,
    mul,
    one,
    sum_over,
    tensor,
)
from backproof.language.program import Definition, Program
from backproof.language.walks import inline, names

REMEMBERED: Final = 16
SECONDS: Final = 1.0
MOST_FACTORS: Final = 80
MOST_PAIRS: Final = 1_500
TARGETS: Final = ("y", "Y", "t", "T")
"""What no network learns: nobody asks for a gradient by it."""

FARTHEST: Final = 24
NEAREST: Final = 7
"""So many equations of a long way from the loss are changed, those next to the gradient."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A formula with one mistake made in it, or taken out of it."""

    entry: Entry
    change: Change
    body: Expr

    @property
    def name(self) -> str:
        """The name of the mistake."""
        return self.entry.name

    @property
    def mistake(self) -> Mistake:
        """The mistake in words."""
        return made(self.entry, self.change.detail)


@dataclass(frozen=True, slots=True)
class Pair:
    """A formula with two mistakes made in it."""

    first: Slip
    second: Slip

    @property
    def body(self) -> Expr:
        """The formula."""
        return self.second.body


@dataclass(frozen=True)
class Table:
    """Slips and their values at the points, a row for each."""

    slips: tuple[Slip, ...]
    rows: Rows


_remembered: OrderedDict[tuple[int, Network], tuple[Surroundings, dict[str, Lines]]] = OrderedDict()


def lines_of(network: Network, program: Program, gradient: str, forms: tuple[Expr, ...] = ()) -> Lines:
    """The lines of a gradient; those of the last programs are kept, with what was computed.

    `forms` are other ways to write the right formula, over the gradient's own indices.
    """
    key = (id(program), network)
    # The surroundings hold their program, so that its identity cannot be taken by another one.
    found = _remembered.get(key)
    if found is None:
        found = _remembered[key] = Surroundings(network, program), {}
    _remembered.move_to_end(key)
    while len(_remembered) > REMEMBERED:
        _remembered.popitem(last=False)
    around, known = found
    if gradient not in known:
        known[gradient] = Lines(around, gradient, forms)
    return known[gradient]


class Lines:
    """The lines of one gradient ∂J/∂t."""

    def __init__(self, around: Surroundings, gradient: str, forms: tuple[Expr, ...] = ()) -> None:
        self.around = around
        self._given = forms
        self.gradient = gradient
        self.target = gradient.removeprefix("∂J/∂")
        self.definition = around.program.by_name[gradient]
        self.indices = self.definition.indices

    @cached_property
    def equations(self) -> Mapping[str, Definition]:
        """The adjoints on the way from the loss to the target, latest first, in the form that people write."""
        program = self.around.program
        chain: dict[str, Definition] = {}
        wanted = [self.gradient]
        while wanted and len(chain) <= FARTHEST:
            name = wanted.pop()
            definition = program.by_name.get(name)
            if definition is None or name in chain:
                continue
            chain[name] = self._as_written(definition)
            wanted += [n for n in names(definition.body) if n.startswith("∂")]
        return {d.name: chain[d.name] for d in program.definitions if d.name in chain}

    def _as_written(self, definition: Definition) -> Definition:
        """Softmax-like Jacobians as Σ ∂J/∂a ∂a/∂z, and the loss's own slope folded into names."""
        target = definition.name.removeprefix("∂J/∂")
        if self._is_vector(target):
            return replace(definition, body=self._jacobian_form(definition, "~"))
        if target[0] in "aA" and target.partition("(")[2].rstrip(")") == self.around.network.last:
            return replace(definition, body=self.around.folder.fold(definition.body))
        return definition

    def _is_vector(self, target: str) -> bool:
        """Whether the logits go into an activation whose outputs depend on all of them."""
        activation = self.around.activation(target) if target[0] in "zZ" else None
        return activation is not None and not isinstance(activation.body, Apply)

    def _jacobian_form(self, definition: Definition, letter: str, *, folded: bool = True) -> Expr:
        """Σ ∂J/∂a ∂a/∂z; which of two equal indices a Kronecker delta keeps depends on their letters."""
        target = definition.name.removeprefix("∂J/∂")
        activation = self.around.activation(target)
        assert activation is not None
        axis = 1 if len(definition.indices) == 2 and self.around.network.layout != "columns" else 0
        own = Index(letter, definition.indices[axis].sort)
        others = tuple(own if k == axis else i for k, i in enumerate(definition.indices))
        body = inline(tensor(activation.name, *others), {activation.name: (activation.indices, activation.body)})
        slope = derivative(body, target, definition.indices)
        slope = self.around.folder.fold(slope) if folded else slope
        return sum_over(own, mul(tensor(adjoint_name("J", activation.name), *others), slope))

    @cached_property
    def forms(self) -> tuple[Expr, ...]:
        """The target's formula by the chain rule, with its slopes and what comes from above put in, and folded."""
        around = self.around
        outputs = {n: (d.indices, d.body) for n, d in self.equations.items() if n[len("∂J/∂")] in "aA"}
        bases = [self.equations[self.gradient].body, self.definition.body]
        if self._is_vector(self.target):
            bases += (self._jacobian_form(self.definition, "!", folded=f) for f in (True, False))
        found: list[Expr] = []
        for base in bases:
            fuller = inline(base, outputs)
            found += [base, fuller, around.opened(base), around.opened(fuller)]
        fuller = inline(bases[0], outputs)
        found += [around.folder.fold(fuller), around.general_folder.fold(inline(bases[1], outputs))]
        above = [n for n in names(fuller) if n in self.equations and n != self.gradient]
        if above:
            plain = {n: (d.indices, inline(d.body, outputs)) for n, d in self.equations.items() if n in above}
            short = {n: (indices, around.folder.fold(body)) for n, (indices, body) in plain.items()}
            found += [inline(fuller, plain), *(inline(f, short) for f in (fuller, around.opened(fuller)))]
        return tuple(dict.fromkeys((*self._given, *found)))

    def site(self, formula: Definition) -> Site:
        """A formula of the derivation with what the network knows around it."""
        around = self.around
        target = formula.name.removeprefix("∂J/∂")
        slopes: list[Expr] = []
        if target[0] in "zZ":
            activation = around.activation(target)
            if activation is not None and isinstance(activation.body, Apply):
                slopes = [apply(activation.body.name, tensor(target, *formula.indices), orders=(1,))]
            elif activation is not None:
                head = tensor(activation.name, *formula.indices)
                slopes = [mul(head, 1 - head)]
        label = f"({around.network.last})" if around.network.last else ""
        return Site(
            around.program, formula, target, around.batch, around.penalty, tuple(slopes),
            ("A" if around.network.batch else "a") + label, "Y" if around.network.batch else "y",
        )  # fmt: skip

    @cached_property
    def truth(self) -> Row:
        """The gradient at the points, as a row."""
        return self.row(self.definition.body)

    def row(self, expr: Expr) -> Row:
        """A formula at the points, as a row."""
        return joined([point.row(expr, self.indices) for point in self.around.points])

    def row_or_none(self, expr: Expr) -> Row | None:
        """The same, or None where the formula has no value at some point."""
        try:
            row = self.row(expr)
        except BackproofError:
            return None
        return row if is_finite(row) else None

    @cached_property
    def usual(self) -> Table:
        """The gradient with each of the commonest mistakes, in any of its forms."""
        return self.table(itertools.chain(self._in_forms(COMMONEST), self._other_gradients()))

    @cached_property
    def wrong(self) -> Table:
        """The gradient with each single mistake, in any of its forms or in an equation that it comes from."""
        usual, rest = self.usual, self.table(self._rarer())
        return Table((*usual.slips, *rest.slips), together(usual.rows, rest.rows))

    def table(self, slips: Iterator[Slip]) -> Table:
        """Slips with their values, as many as the time allows; what has no value is left out."""
        deadline = time.thread_time() + SECONDS
        kept: dict[tuple[str, Expr], tuple[Slip, Row]] = {}
        for slip in slips:
            if time.thread_time() > deadline:
                break
            if (slip.entry.name, slip.body) in kept or not slip.body.free <= frozenset(self.indices):
                continue
            row = self.row_or_none(slip.body)
            if row is not None:
                kept[slip.entry.name, slip.body] = slip, row
        rows = stacked([row for _, row in kept.values()], self.truth)
        return Table(tuple(slip for slip, _ in kept.values()), rows)

    def _in_forms(self, entries: Sequence[Entry]) -> Iterator[Slip]:
        known = set(self.forms)
        for form in self.forms:
            site = self.site(replace(self.definition, body=form))
            yield from (slip for slip in self._made(site, entries) if slip.body not in known)

    def _rarer(self) -> Iterator[Slip]:
        yield from self._in_forms([e for e in SEARCHED if e not in COMMONEST])
        for equation in tuple(self.equations.values())[-NEAREST:]:
            if equation.name != self.gradient:
                site = self.site(equation)
                for slip in self._made(site, SEARCHED):
                    if slip.body is not equation.body and slip.body.free <= frozenset(equation.indices):
                        yield replace(slip, body=self._carried(equation, slip.body))

    def _other_gradients(self) -> Iterator[Slip]:
        """The gradients of other quantities of the same shape: where somebody stopped too early, or went too far."""
        program = self.around.program
        activation = self.around.activation(self.target) if self.target[0] in "zZ" else None
        for name in program.names:
            fits = name.startswith("∂J/∂") and program.sorts(name) == tuple(i.sort for i in self.indices)
            of_target = name.removeprefix("∂J/∂").partition("(")[0] in TARGETS
            if fits and name != self.gradient and not of_target and are_near(name, self.gradient):
                outputs = activation is not None and name == adjoint_name("J", activation.name)
                other = tensor(name, *self.indices)
                known_by = other if outputs else tensor(name.removeprefix("∂J/∂"))
                yield Slip(NOT_THROUGH if outputs else LEFT_SIDE, Change(other, "{0}", (known_by,)), other)

    def _carried(self, equation: Definition, body: Expr) -> Expr:
        """The target's formula when an equation before it is changed: all that depends on it is put in."""
        changed = {equation.name: (equation.indices, body)}
        for name, later in self.equations.items():
            if name != equation.name and names(later.body) & changed.keys():
                changed[name] = later.indices, inline(later.body, changed)
        indices, whole = changed[self.gradient]
        del indices
        return whole

    @cached_property
    def lost(self) -> tuple[tuple[Pair, ...], Rows]:
        """The gradient with two mistakes of the kinds that leave no trace in what is written, and the values."""
        deadline = time.thread_time() + SECONDS
        kept: dict[Expr, tuple[Pair, Row]] = {}
        for pair in self._losses():
            if time.thread_time() > deadline or len(kept) >= MOST_PAIRS:
                break
            if pair.body in kept or not pair.body.free <= frozenset(self.indices):
                continue
            row = self.row_or_none(pair.body)
            if row is not None:
                kept[pair.body] = pair, row
        rows = stacked([row for _, row in kept.values()], self.truth)
        return tuple(pair for pair, _ in kept.values()), rows

    def _losses(self) -> Iterator[Pair]:
        entries = [e for e in SEARCHED if e.undone is nothing]
        for form in self.forms:
            for first in self._made(self.site(replace(self.definition, body=form)), entries):
                for second in self._made(self.site(replace(self.definition, body=first.body)), entries):
                    yield Pair(first, second)

    def _made(self, site: Site, entries: Sequence[Entry]) -> Iterator[Slip]:
        for entry in entries:
            for change in entry.changes(site):
                yield Slip(entry, change, change.body)

    def undone(self, claim: Expr) -> Table:
        """The claimed formula with each single mistake taken out of it."""
        site = self.site(replace(self.definition, body=claim))
        return self.table(
            Slip(entry, change, change.body)
            for entry in SEARCHED
            for change in entry.undone(site)
            if change.body is not claim
        )

    @cached_property
    def slopes(self) -> frozenset[Expr]:
        """The slopes of elementwise layers that fit the gradient's axes."""
        return frozenset((*self.site(self.definition).slopes, *slopes_at(self.site(self.definition), self.indices)))

    @cached_property
    def factors(self) -> tuple[tuple[Expr, ...], Rows]:
        """What may have been multiplied by, or left out: names and slopes that fit, factors of the gradient's forms."""
        found: dict[Expr, None] = dict.fromkeys(sorted(self.slopes, key=str))
        for form in self.forms:
            for part in form.factors if isinstance(form, Mul) else (form,):
                if not isinstance(part, Num):
                    found[part] = None
        found.update(dict.fromkeys(self._fitting(least=0)))
        return self._valued([f for f in found if f is not one][:MOST_FACTORS])

    @cached_property
    def terms(self) -> tuple[tuple[Expr, ...], Rows]:
        """What may have been added: 1 and the names that fit."""
        return self._valued([*self._fitting(least=1), one][:MOST_FACTORS])

    def _fitting(self, least: int) -> Iterator[Expr]:
        """The names that have a value before this gradient, at the gradient's own indices."""
        program = self.around.program
        for name in program.names:
            if name == self.gradient:
                return
            sorts = program.sorts(name)
            if name != "J" and len(sorts) >= least and are_near(name, self.gradient):
                for indices in fitting(sorts, self.indices):
                    yield tensor(name, *indices)

    def _valued(self, exprs: list[Expr]) -> tuple[tuple[Expr, ...], Rows]:
        rows = [self.row(e) for e in exprs]
        return tuple(exprs), stacked(rows, self.truth)
