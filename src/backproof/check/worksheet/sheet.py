"""Judging a worksheet: every claim and every step of a chain, in the order of writing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from backproof.calculus.network import Network
from backproof.check.claims import CheckedClaim, Where
from backproof.check.given import World
from backproof.check.judging import Equation, judged, verdict_of
from backproof.check.mistakes import Mistake
from backproof.check.worksheet.building import Builder, defined_name, loss_name, parsed, placed
from backproof.check.worksheet.reading import name_of
from backproof.check.worksheet.statements import Statement, blocks, statements
from backproof.errors import BackproofError, FormulaError
from backproof.language.elaboration import Reading, elaborate
from backproof.language.expression import Expr, Index, Tensor
from backproof.language.notation import Derivative, Notation, Relation, Symbol
from backproof.language.program import Definition, Program
from backproof.language.walks import names
from backproof.proof.verdict import Kind, Verdict

EQUAL = ("=", ":=", "≡", "←")
# A word of several letters that starts a line and is then given a meaning is a name, not a product of letters.
_HEAD: Final = re.compile(
    r"^\s*(?:(?:let|define|inputs?|parameters?|functions?)\s+)?([A-Za-z]{2,}\w*)(?=\s*(?:\[[^\]\n]*\]\s*)?:?=)",
    re.MULTILINE,
)
DECLARATIONS = ("sizes", "inputs", "function", "layout", "batch", "assume")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a chain, the span of its text in the statement's body, and how it was written if it was derived."""

    expr: Expr
    span: tuple[int, int]
    written: Derivative | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """A claim A = B = C in one reading."""

    sides: tuple[Side, ...]
    indices: tuple[Index, ...]
    notes: tuple[str, ...] = ()


def check_worksheet(text: str, source: str = "worksheet") -> tuple[CheckedClaim, ...]:
    """Every claim of a worksheet judged, each step of a chain a claim of its own.

    A line that cannot be read comes back as `unread`, with its place and reason.

    >>> [c.verdict for c in check_worksheet("input w, x, y\\nJ = 1/2 (w x - y)^2\\ndJ/dw = (w x - y) x")]
    ['proved']
    """
    return tuple(_Sheet(text, source).claims())


def program_of(text: str, source: str = "worksheet") -> Program:
    """What a worksheet defines, as a program. Raises the error of the first line that cannot be read."""
    sheet = _Sheet(text, source)
    for claim in sheet.claims():
        if claim.verdict == "unread":
            raise FormulaError(claim.because or "the worksheet cannot be read", got=claim.claim)
    return sheet.builder.world().program


def check_blocks(text: str, source: str = "document") -> tuple[CheckedClaim, ...]:
    """The claims of the fenced blocks marked `backproof` in a Markdown text, each block a worksheet of its own."""
    found: list[CheckedClaim] = []
    for start, end in blocks(text):
        before = "".join("\n" if c == "\n" else " " for c in text[:start])
        found += check_worksheet(before + text[start:end], source)
    return tuple(found)


@dataclass
class _Sheet:
    text: str
    source: str
    builder: Builder = field(default_factory=Builder)
    slips: dict[str, tuple[Definition, int]] = field(default_factory=dict[str, tuple[Definition, int]])

    def claims(self) -> Iterator[CheckedClaim]:
        lines = list(self._lines())
        heads = [self._head(line) for line in lines if isinstance(line, Statement)]
        self.builder.loss = loss_name(head for head in heads if head is not None)
        self.builder.title = self.source
        self.builder.words |= set(_HEAD.findall(self.text))
        for line in lines:
            if isinstance(line, BackproofError):
                yield self._unread(line.place.text.strip() if line.place else "", line, None)
                continue
            try:
                yield from self._statement(line)
            except BackproofError as error:
                yield self._unread(line.body, error, line)

    def _lines(self) -> Iterator[Statement | BackproofError]:
        try:
            yield from statements(self.text, self.source)
        except FormulaError as error:
            yield error

    def _head(self, line: Statement) -> str | None:
        if line.kind == "loss":
            return line.body.partition("=")[0].strip()
        if line.kind not in ("formula", "define"):
            return None
        try:
            return defined_name(parsed(line)[0])
        except BackproofError:
            return None

    def _statement(self, line: Statement) -> Iterator[CheckedClaim]:
        if line.kind in DECLARATIONS:
            self.builder.declare(line)
            return
        if line.kind == "loss" and "=" not in line.body:
            return
        known = self.builder.known
        gradients = {w for w in self.builder.words if w[0] == "d" and name_of(Symbol(w[1:])) in known}
        notations = parsed(line, self.builder.words - gradients)
        first = notations[0]
        defines = line.kind in ("define", "loss") or (line.kind == "formula" and self.builder.defines(first))
        if not defines:
            yield from self._claim(line, notations)
            return
        if not isinstance(first, Relation):
            raise FormulaError("a definition has two sides", place=line.place(), expected="name = formula")
        self._define(line, notations)
        if len(first.sides) > 2:
            # z = W x + b = b + W x: after the definition, the rest is a claim.
            yield from self._claim(line, notations)

    def _define(self, line: Statement, notations: Iterable[Notation]) -> None:
        failed: BackproofError | None = None
        for notation in notations:
            if isinstance(notation, Relation):
                try:
                    self.builder.define(notation, replace(line, text=line.text))
                except BackproofError as error:
                    failed = failed or placed(error, line, 0, len(line.body))
                else:
                    return
        assert failed is not None
        raise failed

    def _claim(self, line: Statement, notations: Iterable[Notation], *, whole: bool = True) -> Iterator[CheckedClaim]:
        world = self.builder.world()
        first = next(iter(notations))
        try:
            chains = list(self._chains(line, notations, world))
        except BackproofError:
            if whole and isinstance(first, Relation) and len(first.sides) > 2:
                yield from self._step_by_step(line, first)
                return
            raise
        best: list[Step] = []
        for chain in chains:
            steps = list(steps_of(world, chain))
            if not best or rank(steps) < rank(best):
                best = steps
            if all(step.verdict.kind is Kind.PROVED for step in steps):
                break
        for step in best:
            yield self._judged(world, line, step)

    def _step_by_step(self, line: Statement, chain: Relation) -> Iterator[CheckedClaim]:
        """A chain with a side that cannot be read: the other sides are judged from the last one that could."""
        first = before = chain.sides[0]
        for sign, after in zip(chain.signs, chain.sides[1:], strict=True):
            sides = (first, after) if before is first else (first, before, after)
            part = Relation(sides, (sign,) * (len(sides) - 1), span=(first.span[0], after.span[1]))
            try:
                *_, last = self._claim(line, (part,), whole=False)
                yield last
                before = after
            except BackproofError as error:
                yield self._unread(line.body[after.span[0] : after.span[1]], placed(error, line, *after.span), line)

    def _chains(self, line: Statement, notations: Iterable[Notation], world: World) -> Iterator[Chain]:
        failed: BackproofError | None = None
        found = False
        for notation in notations:
            if not isinstance(notation, Relation):
                failed = failed or FormulaError("a claim has two sides", place=line.place(), expected="A = B")
                continue
            try:
                readings = elaborate(notation, world.scope, line.body, line.source)
            except BackproofError as error:
                failed = failed or placed(error, line, 0, len(line.body))
                continue
            for reading in readings:
                found = True
                yield chain_of(notation, reading, line)
        if not found:
            raise failed or FormulaError("there is no formula", place=line.place())

    def _judged(self, world: World, line: Statement, step: Step) -> CheckedClaim:
        text = " ".join(line.body[step.start : step.end].split())
        where = self._where(line, step.at)
        equation = Equation(text, step.left, step.right, step.indices, where, step.notes, step.written)
        if step.verdict.kind is Kind.REFUTED and (carried := self._carried(world, step)) is not None:
            claim = judged(world, equation, explain=False)
            says = f"it follows from line {carried}, which is wrong"
            slip = Mistake("carried-along", f"line {carried}", says, f"correct line {carried} first")
            return replace(claim, mistakes=(slip,), explanations=((slip,),))
        claim = judged(world, equation)
        if claim.verdict == "refuted":
            self._remember(claim)
        return claim

    def _remember(self, claim: CheckedClaim) -> None:
        """A wrong gradient, as the writer goes on with it."""
        left, right = claim.left, claim.right
        if isinstance(left, Tensor) and right is not None and claim.where is not None:
            plain = len(set(left.indices)) == len(left.indices) and right.free <= set(left.indices)
            if plain and left.name.startswith("∂") and left.name not in names(right):
                self.slips.setdefault(left.name, (Definition(left.name, left.indices, right), claim.where.line))

    def _carried(self, world: World, step: Step) -> int | None:
        """The line of an earlier slip from which this claim follows."""
        used = [(d, line) for d, line in self.slips.values()]
        if not used or (isinstance(step.left, Tensor) and step.left.name in self.slips):
            return None
        changed = {d.name: d for d, _ in used}
        later = [replace(d, body=changed[d.name].body, indices=changed[d.name].indices) if d.name in changed else d
                 for d in world.whole.definitions]  # fmt: skip
        order = {d.name: k for k, d in enumerate(later)}
        for d, _ in used:
            if any(order.get(n, -1) > order[d.name] for n in names(d.body)):
                return None
        program = replace(world.whole, definitions=tuple(later))
        try:
            verdict = verdict_of(world, step.left, step.right, program=program, seconds=1.0)
        except BackproofError:
            return None
        return min(line for _, line in used) if verdict.kind is Kind.PROVED else None

    def _where(self, line: Statement, at: int) -> Where:
        place = line.place(at)
        own = replace(place, text=self.text)
        return Where(self.source, own.line, own.column)

    def _unread(self, text: str, error: BackproofError, line: Statement | None) -> CheckedClaim:
        place = error.place
        where = None
        if place is not None and len(place.text) == len(self.text):
            error.place = own = replace(place, text=self.text)
            where = Where(self.source, own.line, own.column)
        elif line is not None:
            where = self._where(line, 0)
        shown = " ".join(text.split())[:200]
        return CheckedClaim(shown, "unread", Network(), where, because=error.what, error=error)


@dataclass(frozen=True, slots=True)
class Step:
    """One equation of a chain: what is shown and explained, its verdict, and where its right side starts."""

    left: Expr
    right: Expr
    indices: tuple[Index, ...]
    verdict: Verdict
    start: int
    end: int
    at: int
    notes: tuple[str, ...]
    written: Derivative | None = None


def chain_of(notation: Relation, reading: Reading, line: Statement) -> Chain:
    """The chain that a relation is in one reading. Raises FormulaError for a sign that is no equality."""
    wrong = next((s for s in reading.signs if s not in EQUAL), None)
    if wrong is not None:
        raise FormulaError(f"a claim with {wrong} is not judged", place=line.place(), expected="an equation, A = B")
    sides = tuple(_side(typed.expr, node) for typed, node in zip(reading.sides, notation.sides, strict=True))
    first = reading.sides[0]
    letters = frozenset[Index]().union(*(s.expr.free for s in reading.sides))
    axes = dict.fromkeys(a for s in reading.sides for a in s.axes)
    own = first.expr.indices if isinstance(first.expr, Tensor) else ()
    indices = tuple(dict.fromkeys((*own, *axes, *sorted(letters - set(axes)))))
    return Chain(sides, indices, reading.notes)


def _side(expr: Expr, node: Notation) -> Side:
    """∂J/∂W is a name and is shown as one; d/dx x² is shown as it was written and not as the 2x that it is."""
    written = node if isinstance(node, Derivative) and not isinstance(expr, Tensor) else None
    return Side(expr, node.span, written)


def steps_of(world: World, chain: Chain) -> Iterator[Step]:
    """Each equation, judged from the line before; after a slip, from the first side as well."""
    truth = chain.sides[0]
    right_so_far = True
    for number, (before, after) in enumerate(itertools.pairwise(chain.sides)):
        verdict = verdict_of(world, before.expr, after.expr)
        left, notes = before, chain.notes
        if right_so_far:
            # Up to here all sides are equal: the first one says best what is claimed.
            left = truth if verdict.kind is Kind.REFUTED else left
            right_so_far = verdict.kind is Kind.PROVED
        elif verdict.kind is Kind.PROVED:
            notes = (*notes, "this step is right; a line before it is wrong")
        else:
            whole = verdict_of(world, truth.expr, after.expr)
            if whole.kind is Kind.PROVED:
                left, verdict, right_so_far = truth, whole, True
                notes = (*notes, "equal to the first side; the line before is wrong")
        start, at = before.span[0], after.span[0] if number else before.span[0]
        yield Step(left.expr, after.expr, chain.indices, verdict, start, after.span[1], at, notes, left.written)


def rank(steps: Iterable[Step]) -> tuple[int, ...]:
    """How bad the verdicts of a reading are: the least is the best."""
    order = {Kind.PROVED: 0, Kind.UNKNOWN: 1, Kind.REFUTED: 2}
    return tuple(sorted((order[s.verdict.kind] for s in steps), reverse=True))
