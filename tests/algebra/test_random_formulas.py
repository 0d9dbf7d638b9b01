"""Random formulas against evaluation in balls, which shares no code with the algebra."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from algebra.evaluation import differ, sample
from algebra.generating import KINDS, SHAPES, Generator, I, J

from backproof.algebra import Algebra, Limits, OutOfBudget, Undefined
from backproof.algebra.polynomial import Poly
from backproof.errors import DomainError
from backproof.language.expression import Expr
from backproof.language.program import Assumption

ASSUMPTIONS = (Assumption("e", "positive"), Assumption("b", "binary"), Assumption("q", "plus-minus-one"))
SIZES = ({"n": 2, "m": 2}, {"n": 3, "m": 1}, {"n": 1, "m": 2})


def algebra() -> Algebra:
    return Algebra(ASSUMPTIONS, limits=Limits(seconds=3))


def different(left: Expr, right: Expr, rng: random.Random, *, normal_form: bool = False) -> bool | None:
    """Whether the two certainly differ at a random point; None where neither could be compared anywhere."""
    result = None
    for sizes in SIZES:
        found = differ(left, right, sizes, sample(SHAPES, sizes, rng, KINDS), strict=(True, not normal_form))
        if found:
            return True
        result = result if found is None else False
    return result


def values(seeds: range, make: type[Algebra] = Algebra) -> Counter[str]:
    """How often a normal form has the value of its formula."""
    count: Counter[str] = Counter()
    for seed in seeds:
        rng = random.Random(f"value {seed}")
        try:
            formula = Generator(rng).formula(rng.choice([3, 4, 5, 6]), rng.choice([[], [I], [I, J]]))
            table = make(ASSUMPTIONS, limits=Limits(seconds=3))
            written = table.expression(table.normal(formula))
        except (DomainError, OutOfBudget, Undefined):
            count["none"] += 1
            continue
        found = different(formula, written, rng, normal_form=True)
        if found and make is Algebra:
            pytest.fail(f"seed {seed}: {formula} is not {written}")
        count["none" if found is None else "wrong" if found else "same"] += 1
    return count


def test_normal_forms_have_the_value_of_the_formula():
    count = values(range(150))
    assert count["same"] > 130


@pytest.mark.slow
def test_many_normal_forms_have_the_value_of_the_formula():
    count = values(range(1_000, 4_000))
    assert count["same"] > 2_700


def test_the_comparison_sees_a_planted_bug():
    class Wrong(Algebra):
        def exp(self, poly: Poly) -> Poly:
            result = super().exp(poly)
            return self.times(result, {(): 2}) if len(poly) == 2 else result

    assert values(range(200), Wrong)["wrong"] > 3


def test_the_comparison_sees_a_wrong_kink():
    class Wrong(Algebra):
        def step(self, poly: Poly) -> Poly:
            value = super().step(poly)
            return self.times(value, {(): 1}) if len(poly) != 2 else self.minus({(): 1}, value)

    assert values(range(200), Wrong)["wrong"] > 3


def rewrites(seeds: range) -> Counter[str]:
    """How often a rewriting is proved, and what becomes of a slip in it."""
    count: Counter[str] = Counter()
    for seed in seeds:
        rng = random.Random(f"rewrite {seed}")
        make = Generator(rng)
        try:
            formula = make.formula(rng.choice([3, 4, 5]), rng.choice([[], [I], [I, J]]))
            other = formula
            for _ in range(rng.randint(1, 8)):
                other = make.rewritten(other)
            slip = make.mutated(other)
            count["proved" if algebra().equal(formula, other) else "open"] += 1
            if algebra().equal(formula, slip):
                count["harmless"] += 1
                if different(formula, slip, rng):
                    pytest.fail(f"seed {seed}: {formula} = {slip} was proved")
            else:
                count["slip"] += 1
        except (DomainError, OutOfBudget, Undefined):
            count["none"] += 1
    return count


def test_rewriting_is_proved_and_slips_are_not():
    count = rewrites(range(120))
    assert count["proved"] > 110
    assert count["open"] <= 1
    assert count["slip"] > 90


@pytest.mark.slow
def test_much_rewriting_is_proved_and_slips_are_not():
    count = rewrites(range(1_000, 3_000))
    assert count["open"] <= 10
    assert count["proved"] > 1_900
