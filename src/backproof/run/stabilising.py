"""Stabilising: the output layer and every sum of exponentials in accurate forms, each equal to what it replaces.

Sums of exponentials go through their largest term K: Σ exp(v_j) = exp(v_K)·(1 + R) with R = Σ_{j≠K} exp(v_j − v_K),
which holds for every K; K is chosen when the kernel runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name
from backproof.language.expression import (
    Add,
    Apply,
    Expr,
    Index,
    Mul,
    Pow,
    Sum,
    Tensor,
    add,
    apply,
    delta,
    fresh,
    mul,
    num,
    one,
    opened,
    postorder,
    power,
    reindex,
    sum_over,
    tensor,
)
from backproof.language.program import Definition, Program
from backproof.language.walks import inline, names, rewrite
from backproof.run.forms import lowered, pair_form


def accurate(program: Program, network: Network) -> Program:
    """The program with its output layer in accurate forms; each new equation is equal to the old one."""
    return _Stabiliser(program, network).program()


@dataclass(frozen=True, slots=True)
class _Shift:
    """A sum of exponentials seen from its term K: v_K, R, and exp(v_i − v_K) for a unit i."""

    pivot: Index
    top: Expr
    rest: Expr
    entry: Callable[[Index], Expr]


@dataclass
class _Stabiliser:
    whole: Program
    network: Network
    added: list[Definition] = field(default_factory=list[Definition])
    shifts: dict[Expr, int] = field(default_factory=dict[Expr, int])

    def program(self) -> Program:
        last = f"A({self.network.depth})" if self.network.batch else f"a({self.network.depth})"
        logits = "Z" + last[1:] if self.network.batch else "z" + last[1:]
        self.output = self.whole.by_name[last]
        self.logits = logits
        target = "Y" if self.network.batch else "y"
        changed: list[Definition] = []
        elementwise = isinstance(self.output.body, Apply)
        for definition in self.whole.definitions:
            body = definition.body
            self.added = []
            if definition.name == "J" and elementwise:
                body = rewrite(self._through(body), self._pair_value)
            elif definition.name == adjoint_name("J", logits) and elementwise:
                body = self._pair_slope(definition)
            elif definition.name == adjoint_name("J", logits) and self._is_softmax_cross_entropy():
                body = self._softmax_slope(definition, target)
            elif definition.name == "J" and self._is_softmax_cross_entropy():
                body = rewrite(body, self._log_probability)
            elif definition.name == adjoint_name("J", logits) and self._softmax_parts(self.output.body):
                body = self._softmax_chain(definition)
            elif definition.name in ("J", adjoint_name("J", last)) and self._softmax_parts(self.output.body):
                body = self._near_one(body, target)
            body = self._shifted(body)
            changed += [*self.added, Definition(definition.name, definition.indices, body)]
        return Program(self.whole.inputs, tuple(changed), self.whole.assumptions, self.whole.row_vectors)

    def _through(self, body: Expr) -> Expr:
        return inline(body, {self.output.name: (self.output.indices, self.output.body)})

    def _pair_value(self, node: Expr) -> Expr | None:
        match node:
            case Apply(self.network.loss, (Apply(activation, (u,), (0,)), y), (0, 0)):
                form = pair_form(activation, self.network.loss, slope=False)
                return None if form is None else inline(form, {"u": ((), u), "y": ((), y)})
            case _:
                return None

    def _pair_slope(self, definition: Definition) -> Expr:
        """The loss's slope times the activation's, as one accurate formula where there is one."""
        upstream = self.whole.by_name[adjoint_name("J", self.output.name)]
        form = pair_form(self.network.output, self.network.loss, slope=True)
        if form is None:
            return definition.body
        body = self._through(inline(definition.body, {upstream.name: (upstream.indices, upstream.body)}))
        factors = list(body.factors) if isinstance(body, Mul) else [body]
        loss = [f for f in factors if isinstance(f, Apply) and f.name == self.network.loss and f.orders == (1, 0)]
        slope = [f for f in factors if isinstance(f, Apply) and f.name == self.network.output and f.orders == (1,)]
        if len(loss) != 1 or len(slope) != 1:
            return definition.body
        (u,), y = slope[0].args, loss[0].args[1]
        rest = [f for f in factors if f is not loss[0] and f is not slope[0]]
        return mul(*rest, inline(form, {"u": ((), u), "y": ((), y)}))

    def _is_softmax_cross_entropy(self) -> bool:
        return self.network.output in ("softmax", "softmin", "tempered-softmax") and (
            self.network.loss == "cross-entropy"
        )

    def _log_probability(self, node: Expr) -> Expr | None:
        """The logarithm of a softmax is v_i − v_K − log(1 + R)."""
        match node:
            case Apply("log", (Tensor(self.output.name, indices),), (0,)):
                body = reindex(self.output.body, dict(zip(self.output.indices, indices, strict=True)))
                parts = self._softmax_parts(body)
                assert parts is not None
                exponent, total = parts
                shift = self._shift(total)
                return add(exponent, mul(-1, shift.top), mul(-1, apply("log1p", shift.rest)))
            case _:
                return None

    def _softmax_slope(self, definition: Definition, target: str) -> Expr:
        """c·Σ_{j≠i} (a_i y_j − a_j y_i): nothing cancels where y is 0 or 1. Equal to c·(a_i Σ y − y_i), as Σ a = 1."""
        indices = definition.indices
        upstream = self.whole.by_name[adjoint_name("J", self.output.name)].body
        factors = upstream.factors if isinstance(upstream, Mul) else (upstream,)
        scale = mul(*(f for f in factors if not isinstance(f, Apply) and not _names(f, target)))
        exponent, total = self._parts_at(indices)
        unit = self._pivot_of(exponent, total)
        other = fresh(unit)
        others = self._others(indices)
        y = tensor(target, *indices)
        sum_y = sum_over(other, reindex(y, {unit: other}))
        inner = self._inner()
        # The scale of ∂J/∂a holds the minus of −y·log a.
        slope = add(mul(y, others), mul(-1, tensor(self.output.name, *indices), add(sum_y, mul(-1, y))))
        return mul(scale, inner, slope)

    def _softmax_chain(self, definition: Definition) -> Expr:
        """c·a_i (g_i − Σ_j a_j g_j), with g = ∂J/∂a; of the largest output, which may be almost 1, as
        c·a_K ((1 − a_K) g_K − Σ_{j≠K} a_j g_j), where nothing near 1 is subtracted.
        """
        indices = definition.indices
        exponent, total = self._parts_at(indices)
        shift, unit = self._shift(total), self._pivot_of(exponent, total)
        outer = tuple(i for i in indices if i != unit)
        other = fresh(unit)
        upstream = adjoint_name("J", self.output.name)
        here = [reindex(tensor(n, *indices), {unit: other}) for n in (self.output.name, upstream)]
        top = delta(other, shift.pivot)
        self.added += [
            Definition("Q0", outer, sum_over(other, mul(top, *here))),
            Definition("Q1", outer, sum_over(other, mul(add(one, mul(-1, top)), *here))),
        ]
        is_top = delta(unit, shift.pivot)
        not_top = add(one, mul(-1, is_top))
        mine, q0, q1 = tensor(upstream, *indices), tensor("Q0", *outer), tensor("Q1", *outer)
        largest = add(mul(self._others(indices), mine), mul(-1, q1))
        gap = add(mul(is_top, largest), mul(not_top, add(mine, mul(-1, q0), mul(-1, q1))))
        return mul(self._inner(), tensor(self.output.name, *indices), gap)

    def _inner(self) -> Expr:
        """The slope of an exponent by its logit."""
        match self.network.output:
            case "softmin":
                return num(-1)
            case "tempered-softmax":
                return power(tensor("T"), -1)
            case _:
                return one

    def _parts_at(self, indices: tuple[Index, ...]) -> tuple[Expr, Expr]:
        parts = self._softmax_parts(reindex(self.output.body, dict(zip(self.output.indices, indices, strict=True))))
        assert parts is not None
        return parts

    def _others(self, indices: tuple[Index, ...]) -> Expr:
        """1 − a_i as the sum of all others."""
        exponent, total = self._parts_at(indices)
        shift, unit = self._shift(total), self._pivot_of(exponent, total)
        not_top = add(one, mul(-1, delta(unit, shift.pivot)))
        below = mul(not_top, add(one, mul(-1, shift.entry(unit))))
        return mul(add(shift.rest, below), power(add(one, shift.rest), -1))

    def _near_one(self, body: Expr, target: str) -> Expr:
        """1 − a as the sum of the others, and a − y as (1 − y) a − y (1 − a): an output may be almost 1."""

        def rule(node: Expr) -> Expr | None:
            if not isinstance(node, Add) or len(node.terms) != 2:
                return None
            found = next((n for n in postorder(node) if isinstance(n, Tensor) and n.name == self.output.name), None)
            if found is None:
                return None
            if node is add(one, mul(-1, found)):
                return self._others(found.indices)
            y = tensor(target, *found.indices)
            gap = add(mul(add(one, mul(-1, y)), found), mul(-1, y, self._others(found.indices)))
            if node is add(found, mul(-1, y)):
                return gap
            return mul(-1, gap) if node is add(y, mul(-1, found)) else None

        return rewrite(lowered(body), rule)

    def _softmax_parts(self, body: Expr) -> tuple[Expr, Expr] | None:
        """v_i and Σ_j exp(v_j) of exp(v_i)/Σ_j exp(v_j)."""
        match body:
            case Mul((Apply("exp", (exponent,), (0,)), Pow(Sum() as total, exponent_of))) if exponent_of == -1:
                return exponent, total
            case _:
                return None

    def _shift(self, total: Expr) -> _Shift:
        """The largest term K of a sum of exponentials, what is below it, and the sum of all other terms."""
        assert isinstance(total, Sum)
        outer = tuple(sorted(total.free))
        canonical = tuple(Index("uvw"[k], i.sort) for k, i in enumerate(outer))
        key = reindex(total, dict(zip(outer, canonical, strict=True)))
        number = self.shifts.get(key)
        assert isinstance(key, Sum)
        pivot = Index(f"K{len(self.shifts) if number is None else number}", key.index.sort)
        if number is None:
            number = self.shifts[key] = len(self.shifts)
            index, body = opened(key)
            assert isinstance(body, Apply)
            exponent = body.args[0]
            if not isinstance(exponent, Tensor):
                self.added.append(Definition(f"V{number}", (*canonical, index), exponent))
                exponent = tensor(f"V{number}", *canonical, index)
            top = reindex(exponent, {index: pivot})
            not_top = add(one, mul(-1, delta(index, pivot)))
            entry = tensor(f"E{number}", *canonical, index)
            self.added += [
                Definition(pivot.name, canonical, sum_over(index, exponent)),
                Definition(f"E{number}", (*canonical, index), apply("expdifference", exponent, top)),
                Definition(f"R{number}", canonical, sum_over(index, mul(not_top, entry))),
            ]
        index, body = opened(total)
        assert isinstance(body, Apply)
        exponent = body.args[0]
        return _Shift(
            pivot,
            reindex(exponent, {index: pivot}),
            tensor(f"R{number}", *outer),
            lambda unit: tensor(f"E{number}", *outer, unit),
        )

    def _pivot_of(self, exponent: Expr, total: Expr) -> Index:
        """The index of a term of the sum, found from its exponent."""
        return next(iter(exponent.free - total.free))

    def _shifted(self, body: Expr) -> Expr:
        """Sums of exponentials through their largest term, wherever they stand, and log σ(u) as −softplus(−u)."""

        def rule(node: Expr) -> Expr | None:
            match node:
                case Mul(factors):
                    for pow_ in factors:
                        match pow_:
                            case Pow(Sum(_, Apply("exp", _, (0,))) as total, e) if e == -1:
                                for exp_ in factors:
                                    if isinstance(exp_, Apply) and exp_.name == "exp":
                                        shift = self._shift(total)
                                        left = [f for f in factors if f is not pow_ and f is not exp_]
                                        entry = shift.entry(self._pivot_of(exp_.args[0], total))
                                        return mul(*left, entry, power(add(one, shift.rest), -1))
                            case Pow(base, e) if e == -1:
                                if (found := _lessened(factors, pow_, base)) is not None:
                                    return found
                            case _:
                                pass
                    return None
                case Apply("log", (Sum(_, Apply("exp", _, (0,))) as total,), (0,)):
                    shift = self._shift(total)
                    return add(shift.top, apply("log1p", shift.rest))
                case Apply("log", (Apply("sigmoid", (u,), (0,)),), (0,)):
                    return mul(-1, apply("softplus", mul(-1, u)))
                case _:
                    return None

        return rewrite(lowered(body), rule)


def _lessened(factors: tuple[Expr, ...], divisor: Expr, base: Expr) -> Expr | None:
    """exp(c·log v)/v as exp((c − 1)·log v), which has a value where v is 0 and c is more than 1."""
    logarithm = apply("log", base)
    for node in factors:
        match node:
            case Apply("exp", (Mul(exponents),), (0,)) if logarithm in exponents:
                power_of = mul(*(x for x in exponents if x is not logarithm))
                rest = (f for f in factors if f is not divisor and f is not node)
                return mul(*rest, apply("exp", mul(add(power_of, -1), logarithm)))
            case _:
                pass
    return None


def _names(node: Expr, name: str) -> bool:
    return name in names(node)
