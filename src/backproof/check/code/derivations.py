"""Changed derivations: the reverse sweep over the forward trace, altered by one usual mistake, gives the wrong numbers.

The difference between claimed and true gradients is linear in what is changed at one node: claim − truth = Jᵀ Δ, where
Δ is the change of the cotangent there. Tangents along a few random directions of the inputs settle at once, by a scalar
product at the node, whether some Δ can be the cause; what passes is then swept in full and compared entry by entry.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from backproof.check.code.kinds import CodeMistake
from backproof.check.code.operations import Array
from backproof.check.code.tape import Edge, Extra, Node, Sweep, edges_of, sweep, tangents
from backproof.check.code.truth import Trace

if TYPE_CHECKING:
    from backproof.check.code.diagnosis import Case
    from backproof.check.code.loops import LoopChange

DIRECTIONS: Final = 2
AGREES: Final = 1e-6
MAX_CANDIDATES: Final = 60_000
MANY: Final = 1_000


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the cotangent at a node; a `scale` that is None is free and found from the numbers.

    `rank` orders explanations that fit equally well: the lower, the simpler.
    """

    node: Node
    delta: Array
    kind: str
    detail: str
    scale: float | None = 1.0
    rank: int = 5
    edge: Edge | None = None
    loop: LoopChange | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A change that reproduces the claimed numbers of some gradients."""

    change: Change
    scale: float
    covers: frozenset[str]
    breaks: int


def explain(case: Case) -> dict[str, list[CodeMistake]]:
    """Mistakes for each wrong gradient whose numbers a changed derivation gives."""
    trace = case.truth.trace
    wrong = [n for n, c in case.wrong.items() if c.kind == "differs"]
    if trace is None or not wrong:
        return {}
    search = case.search = Search(case, trace, wrong)
    search.found = search.hits()
    return {name: search.mistakes(name, search.found) for name in wrong}


@dataclass
class Search:
    """The state of one search."""

    case: Case
    trace: Trace
    wrong: list[str]
    truth: Sweep = field(init=False)
    rows: dict[int, Array] = field(default_factory=dict[int, Array])
    said: dict[int, CodeMistake] = field(default_factory=dict[int, CodeMistake])
    lines: dict[int, int | None] = field(default_factory=dict[int, "int | None"])
    # What a first mistake adds to cotangents, where a second one is searched for.
    extra: Mapping[int, Extra] = field(default_factory=dict[int, Extra])
    brief: bool = False
    found: Sequence[Hit] = ()

    def __post_init__(self) -> None:
        self.truth = sweep(self.trace.nodes, self.trace.output, extra=self.extra)

    def mistakes(self, name: str, hits: Sequence[Hit]) -> list[CodeMistake]:
        """The best of the hits that explain one gradient, in words."""
        own = [h for h in hits if name in h.covers]
        own.sort(key=lambda h: (h.breaks, -len(h.covers), self.rank(h), h.change.node.number))
        best = own[:1] and (len(own[0].covers), own[0].breaks)
        found: list[CodeMistake] = []
        for hit in own:
            if (len(hit.covers), hit.breaks) == best:
                mistake = self.mistake(hit)
                if mistake.name not in {m.name for m in found}:
                    found.append(self.placed(mistake, hit))
        return found

    def gradient(self, name: str) -> Array:
        """The gradient that the derivation gives, with the first mistake where there is one."""
        return self.truth.at(self.trace.tape.inputs[name]) if self.extra else self.case.compared[name].truth

    @cached_property
    def rests(self) -> dict[str, Array]:
        """Claim − truth of each gradient; zero for the right ones."""
        return {
            n: c.claim - self.gradient(n) if n in self.wrong else np.zeros(np.shape(c.truth))
            for n, c in self.case.compared.items()
            if c.kind in ("differs", "agrees") and n in self.trace.tape.inputs
        }

    @cached_property
    def edges(self) -> list[Edge]:
        return edges_of(self.trace.nodes)

    @cached_property
    def outgoing(self) -> dict[int, list[Edge]]:
        found: dict[int, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.source.number, []).append(edge)
        return found

    @cached_property
    def directions(self) -> list[tuple[str, dict[str, Array]]]:
        """Directions of one input each: towards the rest, and random ones."""
        rng = np.random.default_rng(31)
        found: list[tuple[str, dict[str, Array]]] = []
        for name, rest in self.rests.items():
            for _ in range(DIRECTIONS if name in self.wrong else 1):
                found.append((name, {name: rng.normal(size=np.shape(rest))}))
        return found

    @cached_property
    def moves(self) -> list[dict[int, Array]]:
        """The tangents of all nodes along each direction."""
        return [tangents(self.trace.nodes, d) for _, d in self.directions]

    @cached_property
    def wanted(self) -> Array:
        """⟨direction, rest⟩ for each direction."""
        return np.array([float(np.sum(d[n] * self.rests[n])) for n, d in self.directions])

    @cached_property
    def sizes(self) -> Array:
        """What ⟨direction, gradient⟩ is made of, for tolerances."""
        found = []
        for n, d in self.directions:
            true = self.case.compared[n].truth
            found.append(float(np.sum(np.abs(d[n] * true))) + float(np.sum(np.abs(d[n] * self.rests[n]))) + 1e-300)
        return np.array(found)

    @cached_property
    def reach(self) -> dict[int, frozenset[str]]:
        """The inputs that each node depends on."""
        found: dict[int, frozenset[str]] = {}
        for node in self.trace.nodes:
            own = frozenset([node.name]) if node.op == "input" else frozenset()
            found[node.number] = own.union(*(found.get(p.number, frozenset()) for p in node.parents if p.active))
        return found

    def hits(self) -> list[Hit]:
        """The changes that reproduce the wrong numbers of at least one gradient, from the first stages that do."""
        found: list[Hit] = []
        wrong = frozenset(self.wrong)
        for stage in self.stages():
            for count, item in enumerate(stage):
                if count > MAX_CANDIDATES or (count % 64 == 0 and self.case.late):
                    break
                if isinstance(item, Hit):
                    found.append(item)
                    continue
                if not self.reach[item.node.number] & wrong or not np.all(np.isfinite(item.delta)):
                    continue
                hit = self.tried(item)
                if hit is not None and self.confirmed(hit):
                    found.append(hit)
                    if self.large and self.enough([hit]):
                        return found
            if self.enough(found):
                break
        return found

    def stages(self) -> list[Iterator[Change] | Iterator[Hit]]:
        """The stages of the search; in long loops what is the same in all passes comes early."""
        from backproof.check.code import changes, loops

        stages = changes.stages(self)
        if self.brief:
            return [*stages[:3]]
        if len(self.edges) > MANY:
            return [stages[0], loops.hits(self), *stages[1:]]
        return [*stages, loops.hits(self)]

    @cached_property
    def large(self) -> bool:
        """Whether one explanation has to do: the arrays are large."""
        return sum(np.size(n.value) for n in self.trace.nodes) > 500_000

    def enough(self, found: list[Hit]) -> bool:
        """Whether every wrong gradient has an explanation with ordinary constants that breaks nothing."""
        good = [h for h in found if self.rank(h) < 10 and not h.breaks]
        return frozenset(self.wrong) <= frozenset[str]().union(*(h.covers for h in good))

    def tried(self, change: Change) -> Hit | None:
        """Whether the change fits along all directions of at least one wrong gradient."""
        given = self.along(change.node) @ np.broadcast_to(change.delta, change.node.shape).ravel()
        covers: set[str] = set()
        scale = change.scale
        limits = AGREES * self.sizes
        for name in self.wrong:
            own = [k for k, (n, _) in enumerate(self.directions) if n == name]
            if scale is None:
                first = max(own, key=lambda k: abs(given[k]))
                if abs(given[first]) <= 1e-9 * self.sizes[first]:
                    continue
                guess = float(self.wanted[first] / given[first])
            else:
                guess = scale
            if all(abs(guess * given[k] - self.wanted[k]) <= limits[k] * (1 + abs(guess)) for k in own):
                covers.add(name)
                scale = guess
        if not covers or scale is None:
            return None
        if change.scale is None and sum(self.rests[n].size for n in covers) < 2:
            # One number fits any factor: only a factor that a person would write counts.
            if change.kind == "extra-term" or constant(1 + scale, self.lengths) is None:
                return None
        others = [k for k, (n, _) in enumerate(self.directions) if n not in covers]
        # A gradient that the change does not touch may be wrong by a mistake of its own.
        off = [k for k in others if abs(scale * given[k]) > limits[k] * 10]
        breaks = len({self.directions[k][0] for k in off if abs(scale * given[k] - self.wanted[k]) > limits[k] * 10})
        return Hit(change, scale, frozenset(covers), breaks)

    def along(self, node: Node) -> Array:
        """The tangents of a node along all directions, one a row."""
        found = self.rows.get(node.number)
        if found is None:
            empty = np.zeros(node.shape)
            rows = [np.broadcast_to(m.get(node.number, empty), node.shape).ravel() for m in self.moves]
            found = self.rows[node.number] = np.nan_to_num(np.array(rows))
        return found

    def confirmed(self, hit: Hit) -> bool:
        """Whether the change, swept to the inputs in full, gives every entry of what it covers."""
        nodes = [n for n in self.trace.nodes if n.number <= hit.change.node.number]
        swept = sweep(nodes, hit.change.node, seed=np.broadcast_to(hit.change.delta, hit.change.node.shape), keep=False)
        for name in hit.covers:
            moved = hit.scale * swept.at(self.trace.tape.inputs[name])
            rest = self.rests[name]
            limit = 10 * self.case.compared[name].tolerance + AGREES * float(np.max(np.abs(rest)))
            if not np.max(np.abs(moved - rest)) <= limit:
                return False
        return True

    def cotangent(self, node: Node) -> Array:
        """The true cotangent of a node."""
        return self.truth.at(node)

    def contribution(self, edge: Edge) -> Array | None:
        """What an arrow gives to its source."""
        return self.truth.contributions.get((edge.user.number, edge.slot))

    def rank(self, hit: Hit) -> int:
        """The simplicity of a hit: known constants before strange ones."""
        rank = hit.change.rank
        if hit.change.scale is None and self.constant(hit) is None:
            rank += 20
        return rank

    def constant(self, hit: Hit) -> str | None:
        """The factor on the cotangent as a person writes it: 2, 1/2, −1, 1/6 = 1/m."""
        return constant(1 + hit.scale, self.lengths)

    @cached_property
    def lengths(self) -> Mapping[int, str]:
        """Lengths of axes in this problem, with where they are seen."""
        found: dict[int, str] = {}
        for name, leaf in self.case.problem.leaves.items():
            shape = np.shape(self.case.problem.values[name]) if name in self.case.problem.values else ()
            for axis, length in enumerate(shape):
                if length > 1 and (self.case.problem.role(leaf) == "data" or length not in found):
                    found.setdefault(length, f"the length of axis {axis} of {name}")
        return found

    def mistake(self, hit: Hit) -> CodeMistake:
        """The hit in words."""
        from backproof.check.code.naming import spoken

        key = id(hit)
        if key not in self.said:
            self.said[key] = spoken(self, hit)
        return self.said[key]

    def placed(self, mistake: CodeMistake, hit: Hit) -> CodeMistake:
        """The mistake with the line of the backward function that first shows the wrong cotangent."""
        if not np.shape(hit.change.delta):
            return mistake
        number = hit.change.node.number
        if number not in self.lines:
            wrong = self.cotangent(hit.change.node) + hit.scale * np.broadcast_to(
                hit.change.delta, hit.change.node.shape
            )
            self.lines[number] = self.case.line_of(wrong)
        return replace(mistake, line=self.lines[number])


def constant(value: float, lengths: Mapping[int, str]) -> str | None:
    """A simple number, or a simple number times or over a length; None for any other."""
    if not np.isfinite(value):
        return None
    if abs(value) < 1e-9:
        return "0"
    plain = _rational(value, lengths)
    if plain is None and value > 0:
        under = _rational(value * value, lengths)
        return None if under is None else f"√({under})"
    return plain


def _rational(value: float, lengths: Mapping[int, str]) -> str | None:
    simple = Fraction(value).limit_denominator(12)
    if simple and abs(float(simple) - value) <= 1e-6 * abs(value) and abs(simple) <= 64:
        for length, where in lengths.items() if simple not in (2, Fraction(1, 2)) else ():
            # 2 is more often a forgotten constant than a length.
            if simple == length:
                return f"{length} ({where})"
            if simple == Fraction(1, length):
                return f"1/{length} ({where})"
        return str(simple)
    for length, where in lengths.items():
        for exponent in (-2, -1, 1, 2):
            rest = Fraction(value / float(length) ** exponent).limit_denominator(4)
            if rest and abs(float(rest) * float(length) ** exponent - value) <= 1e-6 * abs(value) and abs(rest) <= 4:
                head = "" if rest == 1 else f"{rest}·"
                return f"{head}{length}{'' if exponent == 1 else f'^{exponent}'} ({where})"
    return None
