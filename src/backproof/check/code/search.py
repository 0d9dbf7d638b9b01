"""Searches: changes of a derivation, and whether they give the wrong numbers.

The difference between claimed and true gradients is linear in what is changed at one node: claim − truth = Jᵀ Δ, where
Δ is the change of the cotangent there. Tangents along a few random directions of the inputs settle at once, by a scalar
product at the node, whether some Δ can be the cause; what passes is then swept in full and compared entry by entry.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Final

import numpy as np

from backproof.check.code.case import Case
from backproof.check.code.graph import Graph
from backproof.check.code.kinds import CodeMistake
from backproof.check.code.operations import Array
from backproof.check.code.tape import Edge, Extra, Node, Pull, Sweep, sweep, tangents
from backproof.check.code.truth import Trace

DIRECTIONS: Final = 2
AGREES: Final = 1e-6


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


@dataclass(frozen=True, slots=True)
class LoopChange:
    """What a change at all passes of a loop does to a sweep, so that another can be searched for on top of it."""

    change: Pull | None
    extra: Mapping[int, Extra]


@dataclass
class Search:
    """The state of one search."""

    case: Case
    graph: Graph
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

    @property
    def trace(self) -> Trace:
        """The forward function on its tape."""
        return self.graph.trace

    def following(self, extra: Mapping[int, Extra], wrong: list[str], *, brief: bool = False) -> Search:
        """The search for a second mistake, where a first one adds `extra` to cotangents."""
        made = Search(self.case, self.graph, wrong, extra=extra, brief=brief)
        made.wrong = [n for n in wrong if made.differs(n)]
        if made.wrong == self.wrong:
            made.directions, made.moves, made.rows = self.directions, self.moves, self.rows
        return made

    def differs(self, name: str) -> bool:
        """Whether a claimed gradient is not what the derivation gives."""
        compared = self.case.compared[name]
        rest = np.abs(compared.claim - self.gradient(name))
        limit = 10 * compared.tolerance + 1e-6 * float(np.max(np.abs(compared.claim), initial=0.0))
        return bool(np.max(rest, initial=0.0) > limit)

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
            if change.kind == "extra-term" or constant(1 + scale, self.graph.lengths) is None:
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
        return constant(1 + hit.scale, self.graph.lengths)


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
