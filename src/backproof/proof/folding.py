"""Folding: a formula in the names that the network gives, a(1 − a) for σ′(z).

Every definition is solved for one of its parts: a = 1/(1 + e) gives e = (1 − a)/a, p = e/S gives e = p·S, h = (x − μ)/s
gives x = h·s + μ. What comes out may be chosen by taste (the shortest), because it is proved equal afterwards.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Final

from backproof.algebra import Algebra, OutOfBudget, Poly
from backproof.calculus.unfolding import open_slopes, unfold
from backproof.errors import DomainError
from backproof.language.expression import (
    Add,
    Apply,
    Delta,
    Expr,
    Index,
    Max,
    Mul,
    Num,
    Pow,
    Sum,
    Tensor,
    add,
    apply,
    mul,
    num,
    one,
    postorder,
    power,
    reindex,
    sum_over,
    tensor,
)
from backproof.language.program import Assumption, Definition, Program
from backproof.language.walks import inline, names, rewrite

MAX_COUNT: Final = 400
MAX_RULE: Final = 60
REMEMBERED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Rule:
    """`part` equals `value`, both over `indices`; the sums `kept` stay whole while the rule is applied."""

    part: Expr
    value: Expr
    indices: tuple[Index, ...]
    kept: tuple[Expr, ...] = ()


class Folder:
    """Folds formulas of one program into its names."""

    def __init__(self, program: Program, assumptions: Iterable[Assumption] = ()) -> None:
        self.program = program
        self.algebra = Algebra((*program.assumptions, *assumptions))
        self._rules: dict[str, tuple[Rule, ...]] = {}
        self._units: dict[tuple[str, int], Fraction | None] = {}
        self._folded: dict[Expr, Expr] = {}
        self._logistics: dict[Expr, tuple[Rule, ...]] = {}

    def fold(self, expr: Expr, *, slopes: bool = True, values: Iterable[Apply] = ()) -> Expr:
        """The shortest form found of a formula whose names are those of the program.

        With `slopes` false, functions of the catalogue are left as they are (σ′(z) stays). `values` are values of
        functions that the formula may be written in beside the names: 1 − tanh(x)².
        """
        heads = tuple(values)
        if not slopes or heads:
            return self._fold(expr, unfold(expr) if slopes else expr, heads)
        if expr not in self._folded:
            if len(self._folded) >= REMEMBERED:
                self._folded.clear()
                self._logistics.clear()
            self._folded[expr] = self._fold(expr, unfold(expr), ())
        return self._folded[expr]

    def _fold(self, expr: Expr, plain: Expr, values: Sequence[Apply]) -> Expr:
        if not _small(plain):
            return expr
        try:
            best = self.tidy(plain)
        except OutOfBudget:
            return expr
        start, allowed = best, _divisors(plain)
        best = min(best, plain, open_slopes(expr), key=weight)
        for rule in (*self._named(values), *self._candidates(start, names(plain))):
            for basis in dict.fromkeys((best, start)):
                try:
                    shorter = self.tidy(self._applied(basis, rule))
                except (OutOfBudget, DomainError):
                    continue
                # Dividing by another name adds a condition that a person does not expect: 1/z in a slope.
                if weight(shorter) < weight(best) and _divisors(shorter) <= allowed:
                    best = shorter
        return best

    def tidy(self, expr: Expr) -> Expr:
        """Lowest terms, as a product or a sum, whichever is shorter."""
        normal = self.algebra.normal(expr)
        constant, parts = self._parts(normal)
        factored = mul(constant, *(power(f, k) for f, k in self._joined(parts)))
        plain = self.algebra.expression(normal)
        chosen = factored if weight(factored) <= weight(plain) else plain
        return self._unit_sums(self._with_real_logs(chosen, expr))

    def _with_real_logs(self, tidied: Expr, original: Expr) -> Expr:
        """The algebra knows log|u| only: the sign of u comes from the original, so that ln(1 − a) keeps its value."""
        kept = [node.args[0] for node in postorder(original) if isinstance(node, Apply) and node.name == "log"]

        def rule(node: Expr) -> Expr | None:
            if not isinstance(node, Apply) or node.name != "log" or node.args[0] in kept:
                return None
            turned = mul(-1, node.args[0])
            found = (u for pattern in kept for u in _renamings(pattern, turned) if self.algebra.equal(u, turned))
            return next((apply("log", u) for u in found), None)

        return rewrite(tidied, rule) if kept else tidied

    def parts(self, expr: Expr, *, joined: bool = False) -> tuple[Fraction, tuple[tuple[Expr, Fraction], ...]]:
        """A formula as constant · Π factorᵏ, with the sign of each factor chosen so that it starts well.

        With `joined`, two factors are one where that is shorter: 1 − a².
        """
        constant, parts = self._parts(self.algebra.normal(expr))
        parts = self._joined(parts) if joined else parts
        return constant, tuple((self._with_real_logs(part, expr), exponent) for part, exponent in parts)

    def common_factors(self, first: Expr, second: Expr) -> tuple[Expr, ...]:
        """The factors that stand above the line in one formula and below it in the other: they cancel."""
        above, below = dict(self.parts(first)[1]), dict(self.parts(second)[1])
        return tuple(f for f, k in above.items() if f in below and (k > 0) != (below[f] > 0))

    def _parts(self, normal: Poly) -> tuple[Fraction, tuple[tuple[Expr, Fraction], ...]]:
        constant, factors = self.algebra.factored(normal)
        chosen: list[tuple[Expr, Fraction]] = []
        for poly, exponent in factors:
            factor = self.algebra.expression(poly)
            if isinstance(factor, Add) and _starts_badly(factor, self._later):
                factor = add(*(mul(-1, t) for t in factor.terms))
                if exponent % 2:
                    constant = -constant
            chosen.append((factor, Fraction(exponent)))
        chosen.sort(key=lambda part: -len(names(part[0])))
        return constant, tuple(chosen)

    @cached_property
    def _later(self) -> dict[str, int]:
        """How late each defined name comes: a − y is written, not y − a."""
        return {name: k + 1 for k, name in enumerate(self.program.by_name)}

    def _joined(self, parts: Sequence[tuple[Expr, Fraction]]) -> list[tuple[Expr, Fraction]]:
        """Two factors written as one where that is shorter: (1 − a)(1 + a) is 1 − a²."""
        kept = list(parts)
        for first, second in itertools.combinations(parts, 2):
            if first in kept and second in kept and first[1] == second[1] and isinstance(first[0], Add):
                joined = self.algebra.expression(self.algebra.normal(mul(first[0], second[0])))
                if weight(joined) < weight(mul(first[0], second[0])):
                    kept = [p for p in kept if p not in (first, second)] + [(joined, first[1])]
        return kept

    def _unit_sums(self, expr: Expr) -> Expr:
        """Σ p = 1 and Σ (x − μ) = 0, where the definitions make it so."""

        def rule(node: Expr) -> Expr | None:
            if isinstance(node, Sum) and isinstance(node.body, Tensor) and node.body.name in self.program.by_name:
                total = self._total(node.body.name, node.body.indices.index(node.index))
                return None if total is None else num(total)
            return None

        return rewrite(expr, rule)

    def _total(self, name: str, axis: int) -> Fraction | None:
        if (name, axis) not in self._units:
            definition = self.program.by_name[name]
            total = sum_over(definition.indices[axis], unfold(definition.body))
            self._units[name, axis] = None
            if _small(total):
                for value in (1, 0):
                    try:
                        if self.algebra.equal(total, num(value)):
                            self._units[name, axis] = Fraction(value)
                            break
                    except OutOfBudget:
                        break
        return self._units[name, axis]

    def _candidates(self, expr: Expr, used: set[str]) -> Iterator[Rule]:
        for definition in reversed(self.program.definitions):
            if definition.name.startswith("∂"):
                continue
            if definition.name in used or names(definition.body) & used:
                yield from self._rules_of(definition)
        seen: set[Expr] = set()
        for node in postorder(expr):
            if isinstance(node, Apply) and node.name == "exp":
                for argument in (node.args[0], mul(-1, node.args[0])):
                    if argument not in seen:
                        seen.add(argument)
                        yield from self._logistic(argument)

    def _named(self, values: Iterable[Apply]) -> Iterator[Rule]:
        """Functions of given arguments by their own names, σ(x) for 1/(1 + e⁻ˣ)."""
        for head in values:
            body = unfold(head)
            if body is not head and _small(body, MAX_RULE):
                yield from self._solved(Definition("", tuple(sorted(head.free)), body), head)

    def _logistic(self, argument: Expr) -> tuple[Rule, ...]:
        if argument not in self._logistics:
            head = apply("sigmoid", argument)
            solved = self._solved(Definition("", tuple(sorted(argument.free)), unfold(head)), head)
            self._logistics[argument] = tuple(solved)
        return self._logistics[argument]

    def _rules_of(self, definition: Definition) -> tuple[Rule, ...]:
        if definition.name not in self._rules:
            body = unfold(definition.body)
            solved = self._solved(Definition(definition.name, definition.indices, body), definition.head)
            self._rules[definition.name] = tuple(solved) if _small(body, MAX_RULE) else ()
        return self._rules[definition.name]

    def _solved(self, definition: Definition, head: Expr) -> Iterator[Rule]:
        """The definition solved for each part in which it is linear-fractional."""
        try:
            body = self.algebra.expression(self.algebra.normal(definition.body))
        except (OutOfBudget, DomainError):
            return
        free = frozenset(definition.indices)
        kept = tuple(n for n in postorder(body) if isinstance(n, Sum | Max) and n.free < free)
        outside, restore = _protected(body, kept)
        for part in postorder(outside):
            if part.free != free or not _is_part(part):
                continue
            unknown = tensor("?", *definition.indices)
            replaced = _with(outside, part, unknown)
            value = self._linear_solution(add(head, mul(-1, replaced)), unknown)
            if value is not None and part not in set(postorder(value)):
                yield Rule(part, restore(value), definition.indices, kept)

    def _linear_solution(self, equation: Expr, unknown: Expr) -> Expr | None:
        try:
            numerator = self.algebra.expression(self.algebra.fraction(self.algebra.normal(equation))[0])
            if not _is_linear(numerator, unknown):
                return None

            def at(value: int) -> Expr:
                return _with(numerator, unknown, num(value))

            constant = at(0)
            slope = add(at(1), mul(-1, constant))
            normal = self.algebra.normal
            if self.algebra.is_zero(normal(slope)):
                return None
            return self.algebra.expression(normal(mul(-1, constant, power(slope, -1))))
        except (OutOfBudget, DomainError):
            return None

    def _applied(self, expr: Expr, rule: Rule) -> Expr:
        """The expression with the rule's part replaced wherever it occurs, under any names of its indices."""
        kept_patterns = [(k, tuple(sorted(k.free))) for k in rule.kept]

        def protect(node: Expr) -> Expr | None:
            for number, (pattern, pattern_free) in enumerate(kept_patterns):
                found = matched(node, pattern, pattern_free)
                if found is not None:
                    return tensor(f"?{number}", *(found[i] for i in pattern_free))
            return None

        base, unit = (rule.part.base, rule.part.exponent) if isinstance(rule.part, Pow) else (rule.part, Fraction(1))

        def replace(node: Expr) -> Expr | None:
            inner, exponent = (node.base, node.exponent) if isinstance(node, Pow) else (node, Fraction(1))
            if (exponent / unit).denominator != 1:
                return None
            found = matched(inner, base, rule.indices)
            return None if found is None else power(reindex(value, found), exponent / unit)

        value = rewrite(rule.value, protect)
        replaced = rewrite(rewrite(expr, protect), replace)
        tidied = self.algebra.expression(self.algebra.normal(replaced))
        bodies = {f"?{n}": (free, pattern) for n, (pattern, free) in enumerate(kept_patterns)}
        return self._with_real_logs(inline(tidied, bodies), expr)


def split(term: Expr) -> tuple[Fraction, Expr]:
    """A term as its rational coefficient and the rest."""
    if isinstance(term, Num):
        return term.value, one
    if isinstance(term, Mul) and isinstance(term.factors[0], Num):
        return term.factors[0].value, mul(*term.factors[1:])
    return Fraction(1), term


def _starts_badly(factor: Add, later: dict[str, int]) -> bool:
    """Whether the factor reads better with all signs turned: a number or the latest name should be positive."""
    last = factor.terms[-1]
    if isinstance(last, Num):
        return last.value < 0 and not any(split(t)[0] > 0 and isinstance(t, Pow) for t in factor.terms)

    def rank(term: Expr) -> tuple[int, int]:
        indicator = any(isinstance(n, Delta) for n in postorder(term))
        return int(indicator), max((later.get(n, 0) for n in names(term)), default=0)

    return split(max(factor.terms, key=rank))[0] < 0


def weight(expr: Expr) -> int:
    """How long a formula reads: its written parts, counted as often as they are written."""
    sizes: dict[Expr, int] = {}
    for node in postorder(expr):
        own = 1
        if isinstance(node, Pow):
            own = 1 if node.exponent in (-1, 2) else 2
        elif isinstance(node, Num):
            digits = len(str(abs(node.value.numerator))) + len(str(node.value.denominator)) - 1
            own = (1 if node.value.denominator == 1 else 2) + digits // 3
        elif isinstance(node, Apply | Sum | Max):
            own = 2
        elif isinstance(node, Add | Mul):
            own = 0
        sizes[node] = own + sum(sizes[c] for c in node.children if c is not minus_one)
    return sizes[expr]


def _renamings(pattern: Expr, like: Expr) -> Iterator[Expr]:
    """The pattern with its free indices renamed to those of another formula, in every order that fits."""
    free = sorted(pattern.free)
    for order in itertools.permutations(sorted(like.free)):
        if [i.sort for i in free] == [i.sort for i in order]:
            yield reindex(pattern, dict(zip(free, order, strict=True)))


def _divisors(expr: Expr) -> set[str]:
    """The names that a formula divides by."""
    below = (n.base for n in postorder(expr) if isinstance(n, Pow) and n.exponent < 0)
    return {base.name for base in below if isinstance(base, Tensor)}


minus_one: Final = num(-1)


def matched(node: Expr, pattern: Expr, free: tuple[Index, ...]) -> dict[Index, Index] | None:
    """The renaming of the pattern's free indices that makes it the node, or None."""
    if type(node) is not type(pattern) or len(node.free) != len(pattern.free):
        return None
    if isinstance(node, Tensor) and isinstance(pattern, Tensor) and node.name != pattern.name:
        return None
    if node is pattern:
        return {i: i for i in free}
    for order in itertools.permutations(sorted(node.free)):
        if all(a.sort == b.sort for a, b in zip(free, order, strict=True)):
            renaming = dict(zip(free, order, strict=True))
            if reindex(pattern, renaming) is node:
                return renaming
    return None


def _is_part(node: Expr) -> bool:
    base = node.base if isinstance(node, Pow) and node.exponent > 0 else node
    return (isinstance(base, Apply) and base.name == "exp") or (base is node and isinstance(base, Tensor))


def _with(root: Expr, part: Expr, value: Expr) -> Expr:
    return rewrite(root, lambda node: value if node is part else None)


def _is_linear(polynomial: Expr, unknown: Expr) -> bool:
    """Whether the unknown stands only in plain terms of an expanded polynomial, at most once in each."""
    for term in polynomial.terms if isinstance(polynomial, Add) else (polynomial,):
        factors = term.factors if isinstance(term, Mul) else (term,)
        inside = [f for f in factors if any(n is unknown for n in postorder(f))]
        if len(inside) > 1 or (inside and inside[0] is not unknown):
            return False
    return True


def _protected(body: Expr, kept: tuple[Expr, ...]) -> tuple[Expr, Callable[[Expr], Expr]]:
    """The body with the kept sums as names, and the way back."""
    bodies: dict[str, tuple[tuple[Index, ...], Expr]] = {}
    for number, whole in enumerate(kept):
        bodies[f"?{number}"] = (tuple(sorted(whole.free)), whole)

    def rule(node: Expr) -> Expr | None:
        for name, (free, whole) in bodies.items():
            if node is whole:
                return tensor(name, *free)
        return None

    return rewrite(body, rule), lambda value: inline(value, bodies)


def _small(expr: Expr, limit: int = MAX_COUNT) -> bool:
    return sum(1 for _ in itertools.islice(postorder(expr), limit + 1)) <= limit
