"""Random formulas, rewrites that keep their value, and mutations that usually do not."""

from __future__ import annotations

import random
from fractions import Fraction

from backproof.language.expression import (
    Add,
    Apply,
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
    const,
    delta,
    fresh,
    lift,
    max_over,
    mul,
    num,
    opened,
    power,
    size,
    sum_over,
    tensor,
)

I, J, K = (Index(name, "n") for name in "ijk")
R, S = (Index(name, "m") for name in "rs")
SHAPES = {
    "x": ("n",),
    "y": ("n",),
    "A": ("n", "n"),
    "W": ("m", "n"),
    "h": ("m",),
    "u": (),
    "e": (),
    "b": ("n",),
    "q": ("n",),
}
KINDS = {"e": "positive", "b": "binary", "q": "plus-minus-one"}


def axiom(name: str, e: Expr) -> Expr:
    """Catalogue functions in terms of the axioms."""
    match name:
        case "sigmoid":
            return 1 / (1 + apply("exp", -e))
        case "tanh":
            return 1 - 2 / (1 + apply("exp", 2 * e))
        case "softplus":
            return apply("log", 1 + apply("exp", e))
        case "relu":
            return e * apply("step", e)
        case "abs":
            return e * (2 * apply("step", e) - 1)
        case "sqrt":
            return power(e, Fraction(1, 2))
        case _:
            return apply(name, e)


FUNCTIONS = (
    "exp", "sigmoid", "tanh", "softplus", "relu", "relu", "abs", "step", "step", "f", "f'", "erf", "atan", "sin", "cos",
    "sqrt", "root", "log", "log", "inverse", "power", "explog",
)  # fmt: skip


class Generator:
    """Random formulas over x y b q (n), A (n, n), W (m, n), h (m), u, e > 0; b is binary, q is −1 or 1."""

    def __init__(self, rng: random.Random, *, signed: bool = True) -> None:
        self.rng = rng
        self.signed = signed

    def leaf(self, scope: list[Index]) -> Expr:
        rng = self.rng
        mine = [i for i in scope if i.sort == "n"]
        others = [i for i in scope if i.sort == "m"]
        choices = [
            lambda: num(rng.choice([1, 2, -1, Fraction(1, 2), 3, -2])),
            lambda: tensor("u"),
            lambda: tensor("e"),
            lambda: size("n"),
        ]
        if mine:
            some = [
                lambda: tensor("x", rng.choice(mine)),
                lambda: tensor("y", rng.choice(mine)),
                lambda: tensor("A", rng.choice(mine), rng.choice(mine)),
                lambda: tensor(rng.choice("xybq"), rng.choice(mine)),
            ]
            choices += some * 2
        if len(mine) > 1:
            choices.append(lambda: delta(rng.choice(mine), rng.choice(mine)))
        if others:
            choices += [lambda: tensor("h", rng.choice(others))] * 2
        if mine and others:
            choices += [lambda: tensor("W", rng.choice(others), rng.choice(mine))] * 2
        return rng.choice(choices)()

    def formula(self, depth: int, scope: list[Index]) -> Expr:
        rng = self.rng
        if depth <= 0 or rng.random() < 0.1:
            return self.leaf(scope)
        dice = rng.random()
        if dice < 0.3:
            return self.formula(depth - 1, scope) + self.formula(depth - 1, scope) * rng.choice([1, 1, -1])
        if dice < 0.55:
            return self.formula(depth - 1, scope) * self.formula(depth - 1, scope)
        if dice < 0.78:
            unused = [i for i in (I, J, K, R, S) if i not in scope]
            if not unused:
                return self.formula(depth - 1, scope)
            index = rng.choice(unused)
            bind = max_over if rng.random() < 0.1 else sum_over
            return bind(index, self.formula(depth - 1, [*scope, index]))
        if dice < 0.82:
            return self.formula(depth - 1, scope) ** 2
        name = rng.choice(FUNCTIONS)
        inner = self.formula(max(0, depth - 2), scope)
        shifted = inner if self.signed and rng.random() < 0.5 else inner**2 + 1
        match name:
            case "inverse":
                return 1 / shifted if not isinstance(shifted, Num) else shifted
            case "sqrt" | "log":
                return axiom(name, shifted)
            case "root":
                if isinstance(shifted, Num):
                    return shifted
                return power(
                    shifted,
                    rng.choice([Fraction(1, 3), Fraction(3, 2), Fraction(-1, 2), Fraction(2, 3), Fraction(1, 4)]),
                )
            case "power":
                return power(shifted, rng.choice([3, -2, -1])) if not isinstance(shifted, Num) else shifted
            case "explog":
                return apply(
                    "exp",
                    rng.choice([num(1), num(-1), num(Fraction(1, 2)), num(2), tensor("u")]) * apply("log", shifted),
                )
            case "f'":
                return apply("f", inner, orders=(1,))
            case _:
                return axiom(name, inner)

    def rewritten(self, e: Expr) -> Expr:
        """The formula with one random rewrite that keeps its value wherever both have one."""
        rng = self.rng
        match e:
            case Add(terms) if rng.random() < 0.6:
                changed = list(terms)
                k = rng.randrange(len(changed))
                changed[k] = self.rewritten(changed[k])
                rng.shuffle(changed)
                return add(*changed)
            case Mul(factors) if rng.random() < 0.5:
                changed = list(factors)
                k = rng.randrange(len(changed))
                changed[k] = self.rewritten(changed[k])
                rng.shuffle(changed)
                return mul(*changed)
            case Mul(factors):
                for k, factor in enumerate(factors):
                    others = (*factors[:k], *factors[k + 1 :])
                    if isinstance(factor, Add):
                        return add(*(mul(term, *others) for term in factor.terms))
                    if isinstance(factor, Sum):
                        index, body = opened(factor)
                        return sum_over(index, mul(body, *others))
            case Sum() if rng.random() < 0.6:
                index, body = opened(e)
                return sum_over(index, self.rewritten(body))
            case Sum():
                index, body = opened(e)
                if isinstance(body, Add):
                    return add(*(sum_over(index, term) for term in body.terms))
            case Max():
                index, body = opened(e)
                shift = self.leaf([])
                return max_over(index, body + shift) - shift
            case Pow(base, exponent) if rng.random() < 0.5:
                inner = self.rewritten(base)
                return power(inner, exponent) if not isinstance(inner, Num) else e
            case Pow(base, exponent) if exponent.denominator == 1 and exponent >= 2:
                return mul(base, power(base, exponent - 1))
            case Pow(base, exponent) if exponent.denominator != 1:
                return mul(base, power(base, exponent - 1))
            case Apply(name, args, orders) if rng.random() < 0.4:
                return apply(name, *(self.rewritten(a) for a in args), orders=orders)
            case Apply("exp", (argument,), _):
                if isinstance(argument, Add):
                    return mul(*(apply("exp", term) for term in argument.terms))
                return apply("exp", argument / 2) ** 2
            case Apply("log", (argument,), _) if not isinstance(argument, Num):
                return 2 * apply("log", power(argument, Fraction(1, 2)))
            case Apply("erf" | "atan" | "sin" as name, (argument,), _):
                return -apply(name, -argument)
            case Apply("cos", (argument,), _):
                return apply("cos", -argument)
            case _:
                pass
        return self.around(e)

    def around(self, e: Expr) -> Expr:
        """The formula times 1 or plus 0, in disguise."""
        rng = self.rng
        i, k = fresh(I), fresh(I)
        u = tensor("u")
        x = tensor("x", k)
        match rng.randrange(7):
            case 0:
                return e * sum_over(i, apply("exp", tensor("x", i)) / sum_over(k, apply("exp", x)))
            case 1 if "n" not in {j.sort for j in e.free}:
                return sum_over(i, e) / size("n")
            case 2:
                return e * (1 + u**2) - e * u * u
            case 3:
                return e * (axiom("sigmoid", u) + axiom("sigmoid", -u))
            case 4:
                return e + axiom("relu", u) - axiom("abs", u) / 2 - u / 2
            case 5:
                return e + sum_over([i, k], tensor("x", i) - x)
            case _:
                return e * power(tensor("e"), Fraction(1, 2)) * apply("exp", -apply("log", tensor("e")) / 2)

    def mutated(self, e: Expr) -> Expr:
        """The formula with one slip."""
        rng = self.rng
        match e:
            case Add(terms) if rng.random() < 0.7:
                k = rng.randrange(len(terms))
                return add(*terms[:k], self.mutated(terms[k]), *terms[k + 1 :])
            case Mul(factors) if rng.random() < 0.7:
                k = rng.randrange(len(factors))
                return mul(*factors[:k], self.mutated(factors[k]), *factors[k + 1 :])
            case Sum() if rng.random() < 0.8:
                index, body = opened(e)
                return sum_over(index, self.mutated(body))
            case Apply(name, args, orders) if rng.random() < 0.7:
                return apply(name, *(self.mutated(a) for a in args), orders=orders)
            case Pow(base, exponent) if rng.random() < 0.7:
                inner = self.mutated(base)
                return power(inner, exponent) if not isinstance(inner, Num) else e
            case Tensor("A", (first, other)):
                return tensor("A", other, first) if rng.random() < 0.7 else 2 * e
            case Tensor("x" | "y" as name, indices) if rng.random() < 0.5:
                return tensor("y" if name == "x" else "x", *indices)
            case _:
                return rng.choice([lambda: 2 * e, lambda: -e, lambda: e + 1, lambda: e * size("n"), lambda: e * e])()


__all__ = ["KINDS", "SHAPES", "Generator", "const", "lift"]
