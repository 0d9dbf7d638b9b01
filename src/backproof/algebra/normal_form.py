"""Expressions to normal forms and back, and the question whether a normal form is 0."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from backproof.algebra.budget import Limits, OutOfBudget, Undefined
from backproof.algebra.polynomial import (
    UNIT,
    Monomial,
    Poly,
    accumulate,
    constant,
    opposite,
    plus,
    scaled,
    single,
    term,
)
from backproof.algebra.relations import Relations
from backproof.errors import FormulaError
from backproof.language.expression import (
    Add,
    Apply,
    Const,
    Delta,
    Expr,
    Index,
    Max,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Tensor,
    add,
    apply,
    const,
    delta,
    max_over,
    mul,
    num,
    postorder,
    power,
    size,
    sum_over,
    tensor,
)
from backproof.language.program import Assumption

Facts = frozenset[tuple[int, int]]
NO_FACTS: Facts = frozenset()


def _check_names(indices: tuple[Index, ...]) -> None:
    for index in indices:
        if index.name[:1] in ("$", "%"):
            raise FormulaError(f"the index name {index.name} is reserved", expected="a name of letters")


class Algebra(Relations):
    """Normal forms of formulas and exact zero tests, under fixed assumptions.

    Formulas hold elementary functions (`exp log sin cos atan erf step`), not differentiated, and abstract functions.
    A normal form equals its formula wherever the formula has a value, kinks aside. Other assumptions need another
    Algebra. `piecewise` names tensors that stand for formulas with indicators or maxima: such a value may lie on a
    kink for a whole region of the data, a = relu(z) on that of |a|, so no kink in it is taken for rare.

    >>> from backproof.language.expression import apply, tensor
    >>> x, algebra = tensor("x"), Algebra()
    >>> algebra.equal(1 / (1 + apply("exp", -x)), apply("exp", x) / (1 + apply("exp", x)))
    True
    """

    def __init__(
        self,
        assumptions: Iterable[Assumption] = (),
        *,
        limits: Limits | None = None,
        piecewise: Iterable[str] = (),
    ) -> None:
        super().__init__(assumptions, limits=limits)
        self.piecewise = frozenset(piecewise)
        self._normal: dict[Expr, tuple[Poly, Facts]] = {}
        self._written: dict[int, Expr] = {}
        self._used: set[tuple[int, int]] = set()

    @property
    def used_kinks(self) -> set[Expr]:
        """The u for which [−u > 0] = 1 − [u > 0] was used: results hold for u ≠ 0."""
        return {self.expression(p) for p in self._kinks.values()}

    @property
    def used_signs(self) -> set[Expr]:
        """The u > 0 that were used because a formula takes log u."""
        return {self.expression(scaled(self.atoms[a].args[0], 1 if value else -1)) for a, value in self._used}

    def normal(self, expr: Expr) -> Poly:
        """The normal form. Raises Undefined for 1/0 or log 0, OutOfBudget where it grows too large."""
        with self.meter.running():
            for node in postorder(expr):
                if node not in self._normal:
                    self.meter.spend(5)
                    poly, facts = self._converted(node)
                    self.meter.terms(len(poly))
                    self._normal[node] = (poly, facts)
            return self._under(*self._normal[expr])

    def _converted(self, node: Expr) -> tuple[Poly, Facts]:
        inside = [self._normal[child] for child in node.children]
        facts = NO_FACTS
        for _, known in inside:
            facts |= known
        polys = [p for p, _ in inside]
        match node:
            case Num(value):
                return constant(value), facts
            case Size(sort):
                return self.size(sort), facts
            case Const(name):
                marks = frozenset({"positive", "nonzero", "nonnegative"}) if name in ("pi", "e") else frozenset[str]()
                return single(self.intern("const", name, marks=marks)), facts
            case Tensor(name, indices):
                _check_names(indices)
                return self.entry(name, indices), facts
            case Delta(left, right):
                _check_names((left, right))
                return self.delta(left, right), facts
            case Add():
                total: Poly = {}
                for poly in polys:
                    accumulate(total, poly)
                return total, facts
            case Mul():
                polys = [self._under(p, f) for p, f in inside]
                # Where an indicator is 0 nobody asks whether the other factors have a value.
                return self.product(polys), NO_FACTS if any(self._has_choice(p) for p in polys) else facts
            case Pow(_, exponent):
                return self.power(polys[0], exponent), facts
            case Apply(name, _, orders):
                if name == "log" and orders == (0,):
                    facts |= self._fact(polys[0])
                return self.applied(name, tuple(polys), orders), facts
            case Sum(index, _):
                left = frozenset((a, v) for a, v in facts if index not in self.atoms[a].free)
                return self.sum(index, self._under(polys[0], facts - left)), left
            case Max(index, _):
                left = frozenset((a, v) for a, v in facts if index not in self.atoms[a].free)
                return self.maximum(index, self._under(polys[0], facts - left)), left
            case _:
                raise TypeError(f"not an expression: {type(node).__name__}")

    def _fact(self, argument: Poly) -> Facts:
        """What `log u` says: u > 0 and not −u > 0, where these are single indicators and u itself has none."""
        if self._has_choice(argument):
            return NO_FACTS
        facts: set[tuple[int, int]] = set()
        for value, indicator in ((1, self.step(argument)), (0, self.step(opposite(argument)))):
            steps = [a for m in indicator for a, _ in m]
            if len(steps) == 1:
                if indicator == single(steps[0]):
                    facts.add((steps[0], value))
                elif indicator == {UNIT: 1, ((steps[0], 1),): -1}:
                    facts.add((steps[0], 1 - value))
        return frozenset(facts)

    def _has_choice(self, poly: Poly) -> bool:
        return any(a in self.special and self._is_choice(a) for m in poly for a, _ in m)

    def _under(self, poly: Poly, facts: Facts) -> Poly:
        for atom, value in facts:
            if any(a == atom for m in poly for a, _ in m):
                poly = self.assigned(poly, atom, value)
                self._used.add((atom, value))
        return poly

    def is_zero(self, poly: Poly) -> bool:
        """True only if the polynomial is proved to be 0: for all sizes, wherever it has a value.

        Raises OutOfBudget where it was not proved and a test had to be given up.
        """
        if not poly:
            return True
        tests = (
            self.vanishes,
            self.vanishes_by_kernels,
            self.vanishes_by_patterns,
            self.vanishes_merged,
            self._vanishes_related,
        )
        stopped: OutOfBudget | None = None
        with self.meter.running():
            for test in tests:
                try:
                    if test(poly):
                        return True
                except OutOfBudget as error:
                    stopped = stopped or error
                except Undefined:
                    continue
        if stopped is not None:
            raise stopped
        return False

    def _vanishes_related(self, poly: Poly) -> bool:
        related = self.related(poly)
        return related != poly and self.vanishes(related)

    def minus(self, left: Poly, right: Poly) -> Poly:
        """Left − right."""
        return plus(left, right, -1)

    def equal(self, left: Expr, right: Expr) -> bool:
        """Whether two formulas are proved equal wherever both have a value."""
        return self.is_zero(self.minus(self.normal(left), self.normal(right)))

    def tensors(self, poly: Poly) -> set[str]:
        """The names of all tensors in the polynomial, at any depth."""
        return {self.atoms[a].name for a in self.reach(poly) if self.atoms[a].kind == "tensor"}

    def expression(self, poly: Poly) -> Expr:
        """A formula for the polynomial."""
        for atom in sorted(self.reach(poly)):
            if atom not in self._written:
                self._written[atom] = self._atom_expression(atom)
        return self._sum_expression(poly)

    def _sum_expression(self, poly: Poly) -> Expr:
        return add(*(mul(num(Fraction(c)), self._monomial_expression(m)) for m, c in poly.items()))

    def _monomial_expression(self, monomial: Monomial) -> Expr:
        powers: dict[Expr, Fraction] = {}
        for atom, exponent in monomial:
            what = self.atoms[atom]
            base, count = self._written[atom], Fraction(exponent)
            if what.kind == "inverse":
                base, count = self._sum_expression(what.args[0]), -count
            elif what.kind == "function" and what.name == "exp" and count.denominator != 1:
                base, count = apply("exp", mul(count, self._sum_expression(what.args[0]))), Fraction(1)
            powers[base] = powers.get(base, Fraction(0)) + count
        return mul(*(power(base, exponent) for base, exponent in powers.items()))

    def _atom_expression(self, atom: int) -> Expr:
        what = self.atoms[atom]
        match what.kind:
            case "tensor":
                return tensor(what.name, *what.indices)
            case "size":
                return size(what.name)
            case "const":
                return const(what.name)
            case "delta":
                return delta(*what.indices)
            case "prime":
                return num(int(what.name))
            case "function":
                return apply(what.name, *(self._sum_expression(p) for p in what.args), orders=what.orders)
            case "inverse":
                return power(self._sum_expression(what.args[0]), -1)
            case "root":
                return self._sum_expression(what.args[0])
            case "sum":
                return sum_over(what.indices, self._monomial_expression(term(what.args[0])[0]))
            case "maximum":
                return max_over(what.indices[0], self._sum_expression(what.args[0]))
