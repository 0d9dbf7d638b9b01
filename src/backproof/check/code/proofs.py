"""Proofs of code: the backward function as a formula, proved equal to the gradient derived from the forward function.

Both functions are on tapes and become definitions of one program; the reverse sweep derives the true gradient, and each
claimed one is decided like any other claim. A value of the backward function whose numbers are those of an adjoint is
proved to be it and then has its name, so that a deep network is proved layer by layer.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any, Final

import numpy as np

from backproof.calculus.interpreter import evaluate
from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.check.code.adjoint_forms import in_outputs, outputs_of, shared
from backproof.check.code.axes import FormlessError, Sizes
from backproof.check.code.backward_trace import BackwardTrace
from backproof.check.code.formula_rules import extend
from backproof.check.code.formulas import Formula, Formulas, Numbers, key_of
from backproof.check.code.literals import Text
from backproof.check.code.tape import Node, before, sweep
from backproof.check.code.truth import Trace
from backproof.check.wording import condition_texts
from backproof.errors import BackproofError
from backproof.language.expression import Expr, Tensor, mul, one, postorder, reindex, tensor, zero
from backproof.language.program import Assumption, Definition, Program
from backproof.language.walks import count, inline, names
from backproof.proof.deciding import decide
from backproof.proof.verdict import Budget, Condition, Kind, Verdict

SECONDS: Final = 1.0
"""How long the proofs of one backward function may take, in the time of the process."""

BUSY: Final = 4.0
READINGS: Final[tuple[Numbers, ...]] = ("sizes", "letters", "digits")
MOST_NODES: Final = 1_500
MOST_ENTRIES: Final = 60_000_000
MOST_TRIES: Final = 3
LOSS: Final = "J"
NOTHING: Final = Text()
GENERATED: Final = re.compile(r"t\d+")
MOST_INLINED: Final = 8
LONGEST: Final = 40


@dataclass(frozen=True, slots=True)
class CodeProof:
    """A gradient whose code is proved to be the derived formula.

    `sizes` says for which sizes: `any`, or those of the example. `read` are numbers of the code that were taken for
    sizes. `conditions` are what the proof needs, `side` where both formulas have a value.
    """

    sizes: str
    read: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    side: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proofs:
    """What was proved, and why the rest was not."""

    proved: Mapping[str, CodeProof] = field(default_factory=dict[str, CodeProof])
    because: Mapping[str, str] = field(default_factory=dict[str, str])


def prove(
    trace: Trace,
    backward: BackwardTrace,
    names: Sequence[str],
    *,
    text: Text = NOTHING,
    admissible: Sequence[Assumption] = (),
    seconds: float = SECONDS,
) -> Proofs:
    """Prove the gradients that the backward function gives, as far as they can be followed and the time allows."""
    deadline = time.process_time() + seconds
    proved: dict[str, CodeProof] = {}
    because = dict[str, str]()
    shapes = {n.name: n.shape for n in trace.nodes if n.op == "input"}
    wanted = [n for n in names if n in backward.outputs and backward.outputs[n].shape == shapes.get(n)]
    because.update((n, "the loss does not depend on it, or its shape differs") for n in names if n not in wanted)
    because.update((n, "the backward function leaves the tape") for n in names if n not in backward.outputs)
    numbers_read = False
    if len(trace.nodes) > MOST_NODES:
        return Proofs(because=dict.fromkeys(names, "the functions do too many operations for a proof"))
    for reading in READINGS:
        if reading == "letters" and not numbers_read:
            continue
        left = [n for n in wanted if n not in proved]
        # Where one gradient has no formula, the others may have theirs.
        for group in (left, *([n] for n in left if len(left) > 1)):
            if not left or all(n in proved for n in group):
                break
            if time.process_time() > deadline:
                because.update(dict.fromkeys((n for n in left if n not in because), "the time for the proof ran out"))
                break
            try:
                system = System.of(trace, backward, group, reading, deadline, text)
                numbers_read = numbers_read or bool(system.formulas.read)
                for name, found in system.proofs(admissible):
                    if isinstance(found, CodeProof):
                        proved[name] = found
                    else:
                        because[name] = found
                if group is left:
                    break
            except BackproofError as error:
                because.update(dict.fromkeys(group, error.what))
            except (ValueError, IndexError, KeyError, ArithmeticError, RecursionError, MemoryError) as error:
                because.update(dict.fromkeys(group, f"the formulas could not be made ({type(error).__name__})"))
    return Proofs(proved, {n: because[n] for n in names if n not in proved and n in because})


@dataclass
class System:
    """The program of a forward function, its adjoints, and the definitions of a backward function."""

    formulas: Formulas
    forward: Program
    program: Program
    later: list[Definition]
    claims: dict[str, tuple[Formula, Node]]
    targets: list[tuple[Node, str]]
    cotangents: Mapping[str, Any]
    deadline: float
    known: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    brief: Program = field(init=False)
    raw: Mapping[str, Definition] = field(init=False)
    arrays: Mapping[str, Any] = field(init=False)
    lengths: Mapping[str, int] = field(init=False)
    settled: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self.brief = self.program

    @staticmethod
    def of(
        trace: Trace, backward: BackwardTrace, names: Sequence[str], reading: Numbers, deadline: float, text: Text
    ) -> System:
        """The system of two tapes. Raises FormlessError for what has no formula."""
        own = _needed(backward, names)
        if len(trace.nodes) + len(own) > MOST_NODES:
            raise FormlessError("the functions do too many operations for a proof")
        same = repeated(trace.nodes, own)
        sizes = Sizes()
        sizes.note(trace.nodes)
        sizes.of.update((number, sizes.of[id(node)]) for number, node in same.items())
        sizes.note(own)
        inputs = {n.name: n for n in trace.nodes if n.op == "input"}
        for name in names:
            if name not in inputs:
                raise FormlessError("the loss does not depend on it")
            for a, b in zip(sizes.axes(inputs[name]), sizes.axes(backward.outputs[name]), strict=True):
                sizes.unify(a, b)
        formulas = Formulas(sizes, reading, variables([*trace.nodes, *own], text), text.numbers)
        formulas.look([*trace.nodes, *own], same)
        extend(formulas, trace.nodes)
        formulas.of.update((number, formulas.of[id(node)]) for number, node in same.items())
        loss = Definition(LOSS, (), formulas[trace.output].expr)
        forward = [*formulas.definitions, loss]
        count = len(formulas.definitions)
        extend(formulas, own)
        program = Program(dict(formulas.inputs), tuple(forward), tuple(formulas.assumptions))
        found = adjoints(program, LOSS)
        outputs = outputs_of(forward)
        raw = (replace(d, body=in_outputs(d.body, outputs)) for n, d in found.items() if n != LOSS)
        program = program.extended(shared(list(raw)))
        later = formulas.definitions[count:]
        claims = {n: (formulas[backward.outputs[n]], backward.outputs[n]) for n in names}
        swept = sweep(trace.nodes, trace.output, keep=False)
        by_name = {n: formulas.nodes[n] for n in found if n in formulas.nodes} | {
            n: node for n, node in inputs.items() if n in found
        }
        system = System(
            formulas,
            program,
            program.extended(later),
            list(later),
            claims,
            [(formulas.nodes[d.name], d.name) for d in later],
            {n: np.asarray(swept.at(node)) for n, node in by_name.items()},
            deadline,
        )
        system.raw = {d.name: d for d in found.values()}
        system.confirm(trace)
        return system

    def confirm(self, trace: Trace) -> None:
        """See that the formulas give the numbers of the tapes. Raises FormlessError where they do not."""
        formulas = self.formulas
        lengths = {formulas.sort(s): formulas.sizes.lengths[s] for s in range(len(formulas.sizes.lengths))}
        if _work(self.program, lengths) > MOST_ENTRIES:
            raise FormlessError("the arrays are too large for a proof to be confirmed")
        shaped = {
            n: np.asarray(v, dtype=float).reshape([lengths[s] for s in self.program.inputs[n]])
            for n, v in formulas.values.items()
        }
        sizes = {s: n for s, n in lengths.items() if not s.isdigit()}
        results = {f"claimed {n}": node for n, (_, node) in self.claims.items()}
        claimed = [Definition(f"claimed {n}", f.indices, f.expr) for n, (f, _) in self.claims.items()]
        with np.errstate(all="ignore"):
            found = evaluate(self.program.extended(claimed), shaped, sizes=sizes)
        self.arrays, self.lengths = found, sizes
        for name, node in [*formulas.nodes.items(), (LOSS, trace.output), *results.items()]:
            own = np.asarray(node.value, dtype=float)
            given = np.asarray(found[name], dtype=float).reshape(own.shape)
            scale = float(np.max(np.abs(own), initial=0.0))
            if not np.max(np.abs(given - own), initial=0.0) <= 1e-7 * (1 + scale):
                raise FormlessError(f"the formula of line {node.line} does not give its numbers")

    def proofs(self, admissible: Sequence[Assumption]) -> Iterator[tuple[str, CodeProof | str]]:
        """Each claimed gradient, proved or with the reason why not."""
        for extreme in dict.fromkeys(self.formulas.extremes):
            adjoint = self.program.by_name.get(adjoint_name(LOSS, extreme))
            if adjoint is not None and self.decided(adjoint.head, zero).kind is not Kind.PROVED:
                raise FormlessError("the loss depends on a greatest entry itself")
        self.recognise()
        shapes = {n: np.shape(v) for n, v in self.formulas.values.items()}
        given = [
            a
            for a in admissible
            if a.tensor in self.program.inputs
            and len(self.program.inputs[a.tensor]) == sum(k > 1 for k in shapes[a.tensor])
        ]
        for name in self.claims:
            adjoint = self.program.by_name.get(adjoint_name(LOSS, name))
            if adjoint is None:
                yield name, "the loss does not depend on it"
                continue
            if time.process_time() > self.deadline:
                yield name, "the time for the proof ran out"
                continue
            verdict = self.decided(adjoint.head, self.claimed(name, adjoint), given)
            if verdict.kind is Kind.PROVED:
                yield name, self._proof(verdict)
            else:
                yield name, _reason(verdict, known=not self.formulas.opaque)

    def claimed(self, name: str, adjoint: Definition) -> Expr:
        """What the code gives for a gradient, at the indices of the adjoint."""
        formula = self.claims[name][0]
        return reindex(formula.expr, dict(zip(formula.indices, adjoint.indices, strict=True)))

    def _proof(self, verdict: Verdict) -> CodeProof:
        # A number that may be a size, and was not read as one, is what it is at the example only.
        generic = self.formulas.reading == "sizes" and not self.formulas.doubtful
        pinned = any(sort.isdigit() for d in self.program.definitions for sort in d.sorts)
        side = [t for texts in self.known.values() for t in texts]
        return CodeProof(
            "any" if generic and not pinned else "those of the example",
            tuple(self.formulas.read.values()),
            tuple(self._needed_text(c) for c in verdict.open_conditions),
            tuple(dict.fromkeys([*self._texts(verdict), *side])),
        )

    def _needed_text(self, condition: Condition) -> str:
        if condition.assumption is not None and condition.assumption.property == "unit-sum":
            return f"sum({condition.assumption.tensor}) = 1"
        return condition_texts((condition,), self.program)[0]

    def _texts(self, verdict: Verdict) -> tuple[str, ...]:
        """Where both sides have a value, in names of the code, or by the line whose value it is."""
        unnamed = {d.name: (d.indices, d.body) for d in self.program.definitions if GENERATED.fullmatch(d.name)}
        found: list[str] = []
        for condition in verdict.side_conditions:
            expr = condition.expr
            for _ in range(MOST_INLINED):
                if expr is None or names(expr).isdisjoint(unnamed):
                    break
                expr = inline(expr, unnamed)
            readable = expr is not None and count(expr) <= LONGEST and names(expr) <= self.spoken
            node = self.formulas.nodes.get(condition.expr.name) if isinstance(condition.expr, Tensor) else None
            if readable or node is None or not node.line:
                shown = replace(condition, expr=expr) if readable else condition
                found.append(condition_texts((shown,), self.program)[0])
            else:
                sign = ">" if condition.kind == "positive" else "!="
                found.append(f"the value of line {node.line} {sign} 0")
        return tuple(dict.fromkeys(found))

    @cached_property
    def spoken(self) -> set[str]:
        """The names that the code itself gives."""
        taken = {*self.formulas.sizes.inputs, *(d.name for d in self.program.definitions)}
        return {n for n in taken if not GENERATED.fullmatch(n)}

    def recognise(self) -> None:
        """Give values of the backward function that are adjoints, up to a number, the adjoints' names."""
        for node, name in self.targets:
            value = np.asarray(node.value)
            tries = 0
            for target, cotangent in self.cotangents.items():
                if tries >= MOST_TRIES or time.process_time() > self.deadline:
                    break
                factor = ratio(value, cotangent)
                definition = self.program.by_name[name]
                adjoint = self.program.by_name.get(adjoint_name(LOSS, target))
                if factor is None or adjoint is None or adjoint.sorts != definition.sorts or not adjoint.indices:
                    continue
                tries += 1
                known = mul(self.number(factor), tensor(adjoint.name, *definition.indices))
                verdict = self.decided(definition.head, known)
                if verdict.kind is Kind.PROVED:
                    self.settled.add(adjoint.name)
                    self._define(replace(definition, body=known))
                    self.known[name] = self._texts(verdict)
                    break

    def number(self, value: float) -> Expr:
        """A ratio of numbers as people write it, or 1 where it is none."""
        simple = Fraction(value).limit_denominator(4096)
        return self.formulas.number(float(simple)) if abs(float(simple) - value) < 1e-9 * abs(value) else one

    def _define(self, definition: Definition) -> None:
        self.later = [definition if d.name == definition.name else d for d in self.later]
        self.program = self.forward.extended(self.later)
        self.brief = self._without(self.settled)

    def _without(self, names: Collection[str]) -> Program:
        """The program with some names free: what holds for any value of theirs holds for their own."""
        free = {d.name: d.sorts for d in self.program.definitions if d.name in names}
        kept = tuple(d for d in self.program.definitions if d.name not in names)
        return replace(self.program, inputs={**self.program.inputs, **free}, definitions=kept)

    def decided(self, left: Expr, right: Expr, admissible: Sequence[Assumption] = ()) -> Verdict:
        """The verdict with the adjoints that were recognised left as names; else with everything that is known."""
        verdict: Verdict | None = None
        for program in (self.brief, self.program):
            if verdict is None or (program is not self.brief and verdict.kind is not Kind.PROVED):
                remaining = max(0.05, self.deadline - time.process_time())
                # On a busy machine the clock runs faster than the process.
                budget = Budget(seconds=BUSY * remaining, condition_seconds=0.0)
                verdict = decide(program, left, right, admissible=admissible, budget=budget)
        assert verdict is not None
        return verdict


def repeated(first: Sequence[Node], second: Sequence[Node]) -> dict[int, Node]:
    """The nodes of a second tape that do what a node of the first does, with that node."""
    keys: dict[int, Any] = {}
    known: dict[Any, Node] = {}
    same: dict[int, Node] = {}
    for node in (*first, *second):
        keys[id(node)] = len(keys)
        match node.op:
            case "input":
                key: Any = "input", node.name
            case "constant":
                key = "constant", key_of(np.asarray(node.value))
            case _:
                key = node.op, key_of(node.attr), tuple(keys[id(p)] for p in node.parents)
        try:
            other = known.setdefault(key, node)
        except TypeError:
            continue
        if other is not node:
            keys[id(node)] = keys[id(other)]
            # Two equal constants need not be the same thing: what is done with them tells.
            if node.op != "constant":
                same[id(node)] = other
    inside = {id(n) for n in second}
    return {number: node for number, node in same.items() if number in inside and id(node) not in inside}


def _needed(backward: BackwardTrace, names: Sequence[str]) -> list[Node]:
    found = {n.number: n for name in names for n in before(backward.outputs[name])}
    return [found[k] for k in sorted(found)]


def ratio(value: Any, cotangent: Any) -> float | None:
    """The number that an array is multiplied by to give another one, or None."""
    if value.shape != cotangent.shape or value.size < 2:
        return None
    scale = float(np.sum(cotangent * cotangent))
    if not scale or not np.isfinite(scale):
        return None
    found = float(np.sum(value * cotangent)) / scale
    if not found or np.max(np.abs(value - found * cotangent)) > 1e-9 * abs(found) * np.max(np.abs(cotangent)):
        return None
    return 1.0 if abs(found - 1) < 1e-9 else found


def _work(program: Program, lengths: Mapping[str, int]) -> int:
    """How many numbers are computed when the program is run the obvious way."""
    total = 0
    seen: set[Expr] = set()
    for definition in program.definitions:
        for node in postorder(definition.body):
            if node not in seen:
                seen.add(node)
                total += prod(lengths[i.sort] for i in node.free)
    return total


def _reason(verdict: Verdict, *, known: bool) -> str:
    if verdict.kind is Kind.REFUTED and not known:
        return "it does not hold for masks and index arrays of which only their kind is known"
    if verdict.kind is Kind.REFUTED:
        return "as a formula it is another one: it agrees only at examples like these"
    return f"the formulas were not proved equal ({verdict.because})"


def variables(nodes: Sequence[Node], text: Text) -> dict[int, str]:
    """The names that the code gives to values: the last value of a line has the name that is assigned there."""
    found: dict[int, str] = {}
    for node, after in zip(nodes, (*nodes[1:], None), strict=True):
        if node.line in text.names and (after is None or after.line != node.line):
            found[id(node)] = text.names[node.line]
    return found
