"""Verdicts end to end: the corpus, what must stay unknown, what must never be proved, deep programs, planted bugs."""

from __future__ import annotations

import random
import time
from fractions import Fraction

import pytest
from algebra import evaluation
from algebra.generating import KINDS, Generator, I, J, R
from algebra.generating import SHAPES as RANDOM_SHAPES
from algebra.identities import ASSUMPTIONS, SHAPES
from algebra.identities import CLAIMS as IDENTITIES
from algebra.identities import Claim as Identity
from proof.claims import CLAIMS, Claim

from backproof.algebra import Algebra, Poly
from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.errors import UnknownNameError
from backproof.language.expression import Expr, Index, apply, const, mean_over, num, power, size, sum_over, tensor
from backproof.language.program import Assumption, Definition, Program
from backproof.proof.deciding import Decider, decide
from backproof.proof.small_model import SmallModel
from backproof.proof.verdict import Budget, Condition, Kind, Nested, Opinion, Verdict
from backproof.proof.witness import Refuter, Search, Sides

NO_SEARCH = Budget(condition_seconds=0)
PATIENT = Budget(seconds=60)
PLAIN = Program(dict(SHAPES), (), ASSUMPTIONS)
UNDEFINED_SOMEWHERE = "exp(log(relu x))"
"""False only where the left side has no value: neither proved nor refuted."""

x, u = tensor("x"), tensor("u")
SCALARS = Program({"x": (), "u": (), "e": ()}, (), (Assumption("e", "positive"),))


def named(condition: Condition) -> str:
    if condition.kind == "size":
        return f"{condition.expr} = {condition.value}"
    assumption = condition.assumption
    assert assumption is not None
    value = f" {assumption.value}" if assumption.value is not None else ""
    return f"{assumption.property} {assumption.tensor}{value}"


@pytest.mark.parametrize("claim", IDENTITIES, ids=repr)
def test_identities(claim: Identity) -> None:
    verdict = decide(PLAIN, claim.left, claim.right, budget=NO_SEARCH)
    if claim.name == UNDEFINED_SOMEWHERE:
        assert verdict.kind is Kind.UNKNOWN
    else:
        assert verdict.kind is (Kind.PROVED if claim.true else Kind.REFUTED), verdict


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.name)
def test_gradients(claim: Claim) -> None:
    verdict = decide(claim.program, claim.left, claim.right)
    assert verdict.kind is (Kind.PROVED if claim.true else Kind.REFUTED), verdict
    found = {named(c) for conditions in verdict.hidden_conditions for c in conditions if len(conditions) == 1}
    assert claim.needs <= found


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.name)
def test_both_deciders_agree(claim: Claim) -> None:
    opinion = decide(claim.program, claim.left, claim.right, budget=NO_SEARCH)
    assert (opinion.kind is Kind.PROVED) == claim.true
    view = Decider(claim.program).view
    small = SmallModel(view, ASSUMPTIONS).opinion(claim.left, claim.right, time.monotonic() + 10)
    assert small.agrees is claim.true


def entries(value: Nested, at: tuple[int, ...] = ()) -> dict[tuple[int, ...], Fraction]:
    if isinstance(value, Fraction):
        return {at: value}
    return {place: q for k, inner in enumerate(value) for place, q in entries(inner, (*at, k)).items()}


def recomputed(verdict: Verdict, side: Expr) -> evaluation.acb:
    """A side at the witness, by the algebra tests' own evaluator in complex balls."""
    witness = verdict.witness
    assert witness is not None
    tensors = {name: entries(value) for name, value in witness.inputs.items()}
    at = {index: witness.index[index.name] - 1 for index in side.free}
    return evaluation.value(side, at, witness.sizes, tensors)


@pytest.mark.parametrize("claim", [c for c in IDENTITIES if not c.true and c.name != UNDEFINED_SOMEWHERE], ids=repr)
def test_witnesses_hold_for_another_evaluator(claim: Identity) -> None:
    verdict = decide(PLAIN, claim.left, claim.right, budget=NO_SEARCH)
    assert verdict.witness is not None
    if verdict.witness.functions:
        pytest.skip("abstract functions have other stand-ins there")
    left, right = recomputed(verdict, claim.left), recomputed(verdict, claim.right)
    assert not left.overlaps(right)
    assert abs(float(verdict.witness.left.middle) - float(left.real.mid())) < 1e-9 * (1 + abs(float(left.real.mid())))
    assert abs(float(verdict.witness.right.middle) - float(right.real.mid())) < 1e-9 * (
        1 + abs(float(right.real.mid()))
    )


HARD = [
    ("exp of partial fractions", apply("exp", 1 / (x * (x + 1))), apply("exp", 1 / x) / apply("exp", 1 / (x + 1))),
    (
        "nested radicals",
        power(3 + 2 * power(num(2), Fraction(1, 2)), Fraction(1, 2)),
        1 + power(num(2), Fraction(1, 2)),
    ),
    (
        "product of roots",
        power(num(2), Fraction(1, 2)) * power(num(3), Fraction(1, 2)),
        power(num(6), Fraction(1, 2)),
    ),
    (
        "root of a square",
        power((x + 1) ** 2, Fraction(1, 2)),
        (x + 1) * (2 * apply("step", x + 1) - 1),
    ),
    (
        "atan",
        apply("atan", x) + apply("atan", 1 / x),
        const("pi") / 2 * (2 * apply("step", x) - 1),
    ),
    ("sin and cos", apply("sin", x) ** 2 + apply("cos", x) ** 2, num(1)),
    (
        "step of a product",
        apply("step", x * u),
        apply("step", x) * apply("step", u) + apply("step", -x) * apply("step", -u),
    ),
]


@pytest.mark.parametrize(("left", "right"), [h[1:] for h in HARD], ids=[h[0] for h in HARD])
def test_hard_but_true_is_never_refuted(left: Expr, right: Expr) -> None:
    verdict = decide(SCALARS, left, right)
    assert verdict.kind is not Kind.REFUTED
    if verdict.kind is Kind.UNKNOWN:
        assert verdict.because


def test_unknown_says_what_stopped_it() -> None:
    i = Index("i", "n")
    z = tensor("z", i)
    deep = z
    for _ in range(9):
        deep = 1 / (1 + apply("exp", -sum_over(i, deep) * z))
    program = Program({"z": ("n",)})
    verdict = decide(program, deep, deep + 0 * z, budget=NO_SEARCH)
    assert verdict.kind is Kind.PROVED
    other = deep * (1 + apply("sin", z) ** 2) / (2 - apply("cos", z) ** 2)
    verdict = decide(program, deep, other, budget=Budget(seconds=1))
    assert verdict.kind is not Kind.REFUTED
    if verdict.kind is Kind.UNKNOWN:
        assert verdict.because
        assert "agrees" in verdict.second_opinion


def test_no_value_anywhere_is_unknown() -> None:
    nowhere = apply("log", -1 - x**2)
    verdict = decide(SCALARS, nowhere, nowhere + 1)
    assert verdict.kind is Kind.UNKNOWN
    assert verdict.because == "a side had no value at any point that was tried"


def test_values_only_in_a_small_place_are_found() -> None:
    # √(1/4 − x²) and log x have values for 0 < x ≤ 1/2 only.
    root = power(Fraction(1, 4) - x**2, Fraction(1, 2)) * apply("log", x)
    assert decide(SCALARS, root, 2 * root).kind is Kind.REFUTED
    assert decide(SCALARS, root, root / 2 + root / 2).kind is Kind.PROVED


def test_same_side_twice() -> None:
    assert decide(SCALARS, x, x).kind is Kind.PROVED


def test_admissible_condition_is_listed() -> None:
    claim = next(c for c in CLAIMS if c.name == "softmax, cross-entropy, y not normalised")
    unit = Assumption("y", "unit-sum", axis=0)
    other = Assumption("g", "unit-sum", axis=0)
    verdict = decide(claim.program, claim.left, claim.right, admissible=(other, unit))
    assert verdict.kind is Kind.PROVED
    assert [named(c) for c in verdict.open_conditions] == ["unit-sum y"]
    assert verdict.without is not None
    total = sum(entries(verdict.without.inputs["y"]).values(), Fraction(0))
    assert total != 1


def test_admissible_condition_that_is_not_needed_is_not_listed() -> None:
    claim = next(c for c in CLAIMS if c.name == "softmax, cross-entropy")
    verdict = decide(claim.program, claim.left, claim.right, admissible=(Assumption("y", "unit-sum", axis=0),))
    assert verdict.kind is Kind.PROVED
    assert not verdict.open_conditions


def test_refuted_inside_the_targets_convention() -> None:
    claim = next(c for c in CLAIMS if c.name == "softmax, squares, as if elementwise")
    verdict = decide(claim.program, claim.left, claim.right, admissible=(Assumption("y", "unit-sum", axis=0),))
    assert verdict.kind is Kind.REFUTED
    assert verdict.witness is not None
    assert sum(entries(verdict.witness.inputs["y"]).values(), Fraction(0)) == 1


def test_assumptions_are_used() -> None:
    claim = next(c for c in CLAIMS if c.name == "quadratic form, A not symmetric")
    symmetric = (Assumption("A", "symmetric"),)
    assert decide(claim.program, claim.left, claim.right, assumptions=symmetric).kind is Kind.PROVED
    assert decide(claim.program, claim.left, claim.right).kind is Kind.REFUTED


def test_one_hot_is_found() -> None:
    i = Index("i", "n")
    v = tensor("v", i)
    verdict = decide(Program({"v": ("n",)}), sum_over(i, v) ** 2, sum_over(i, v**2))
    assert verdict.kind is Kind.REFUTED
    assert {frozenset(map(named, c)) for c in verdict.hidden_conditions} >= {frozenset({"unit-sum v", "binary v"})}


def test_sizes_at_which_a_claim_holds() -> None:
    n = size("n")
    verdict = decide(Program(), n**3 - 6 * n**2 + 11 * n, num(6))
    assert verdict.kind is Kind.REFUTED
    assert {named(c) for (c,) in verdict.hidden_conditions} == {"n = 1", "n = 2", "n = 3"}


def test_fixed_sizes_stay_fixed() -> None:
    i = Index("i", "25")
    program = Program({"v": ("25",)})
    verdict = decide(program, sum_over(i, tensor("v", i)), tensor("v", Index("j", "25")))
    assert verdict.witness is not None
    assert verdict.witness.sizes == {"25": 25}
    assert sum(verdict.witness.blocks["25"]) == 25
    assert decide(program, mean_over(i, tensor("v", i)), sum_over(i, tensor("v", i)) / 25).kind is Kind.PROVED


def chain(depth: int, activation: str) -> Program:
    """z(l) = W(l) a(l−1) + b(l), a(l) = f(z(l)), J = Σ (a(L) − y)²."""
    inputs: dict[str, tuple[str, ...]] = {"x": ("n",), "y": ("h",)}
    definitions: list[Definition] = []
    i = Index("i", "h")
    for layer in range(1, depth + 1):
        below = "n" if layer == 1 else "h"
        j = Index("j", below)
        inputs |= {f"W({layer})": ("h", below), f"b({layer})": ("h",)}
        before = tensor("x" if layer == 1 else f"a({layer - 1})", j)
        body = sum_over(j, tensor(f"W({layer})", i, j) * before) + tensor(f"b({layer})", i)
        definitions.append(Definition(f"z({layer})", (i,), body))
        definitions.append(Definition(f"a({layer})", (i,), apply(activation, tensor(f"z({layer})", i))))
    loss = sum_over(i, (tensor(f"a({depth})", i) - tensor("y", i)) ** 2)
    program = Program(inputs, (*definitions, Definition("J", (), loss)))
    return program.extended(adjoints(program, "J").values())


def delta(layer: int, i: Index) -> Expr:
    return tensor(adjoint_name("J", f"z({layer})"), i)


def check_chain(depth: int, activation: str, layers: list[int]) -> None:
    program = chain(depth, activation)
    i, k = Index("i", "h"), Index("k", "h")
    for layer in layers:
        slope = apply(activation, tensor(f"z({layer})", i), orders=(1,))
        weight, above = tensor(f"W({layer + 1})", k, i), delta(layer + 1, k)
        right = sum_over(k, weight * above) * slope
        assert decide(program, delta(layer, i), right, budget=PATIENT).kind is Kind.PROVED
        wrong = sum_over(k, tensor(f"W({layer + 1})", i, k) * above) * slope
        assert decide(program, delta(layer, i), wrong, budget=NO_SEARCH).kind is Kind.REFUTED
        if layer > 1:
            j = Index("j", "h")
            gradient = tensor(adjoint_name("J", f"W({layer})"), i, j)
            claimed = delta(layer, i) * tensor(f"a({layer - 1})", j)
            assert decide(program, gradient, claimed, budget=PATIENT).kind is Kind.PROVED


@pytest.mark.parametrize("activation", ["f", "sigmoid", "relu"])
def test_twenty_layers(activation: str) -> None:
    check_chain(20, activation, [1, 2, 10, 19])


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["f", "sigmoid"])
def test_thousand_layers(activation: str) -> None:
    check_chain(1000, activation, [1, 2, 3, 400, 401, 998, 999])


def test_a_claim_written_out_is_recognised() -> None:
    program = chain(8, "sigmoid")
    i, j, k = Index("i", "h"), Index("j", "h"), Index("k", "h")
    logit = sum_over(j, tensor("W(4)", i, j) * tensor("a(3)", j)) + tensor("b(4)", i)
    right = sum_over(k, tensor("W(5)", k, i) * delta(5, k)) * apply("sigmoid", logit, orders=(1,))
    verdict = decide(program, delta(4, i), right)
    assert verdict.kind is Kind.PROVED
    assert not {"a(2)", "z(2)", "a(1)"} & set(verdict.used)


def says_zero(_algebra: Algebra, _poly: Poly) -> bool:
    """A planted bug."""
    return True


def finds_nothing(_refuter: Refuter, _sides: Sides, _tries: range, _deadline: float) -> Search:
    return Search(None, 1)


def always_agrees(_small: SmallModel, _left: Expr, _right: Expr, _deadline: float) -> Opinion:
    return Opinion(agrees=True, words="agrees")


def test_a_wrong_proof_is_overtaken_by_a_larger_witness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Algebra, "is_zero", says_zero)
    n = size("n")
    # True for n = 1, 2, 3, so that the first points cannot refute it.
    assert Decider(Program()).decide(n**3 - 6 * n**2 + 11 * n, num(6)).kind is Kind.REFUTED


@pytest.mark.parametrize("claim", [c for c in CLAIMS if not c.true], ids=lambda c: c.name)
def test_a_wrong_proof_is_caught_by_the_second_opinion(claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Algebra, "is_zero", says_zero)
    monkeypatch.setattr(Refuter, "search", finds_nothing)
    verdict = Decider(claim.program).decide(claim.left, claim.right, budget=NO_SEARCH)
    assert verdict.kind is Kind.UNKNOWN
    assert verdict.because is not None
    assert "disagree" in verdict.because


def test_a_broken_second_opinion_does_not_prove(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = next(c for c in CLAIMS if not c.true)
    monkeypatch.setattr(Refuter, "search", finds_nothing)
    monkeypatch.setattr(SmallModel, "opinion", always_agrees)
    assert Decider(claim.program).decide(claim.left, claim.right, budget=NO_SEARCH).kind is Kind.UNKNOWN


def test_time_is_bounded() -> None:
    i = Index("i", "n")
    e: Expr = tensor("z", i)
    for k in range(7):
        e = apply("sigmoid", sum_over(i, e * tensor("g", i)) * tensor("z", i) + Fraction(1, k + 1))
    program = Program({"z": ("n",), "g": ("n",)})
    began = time.monotonic()
    decide(program, e, e * (apply("sin", tensor("z", i)) ** 2 + apply("cos", tensor("z", i)) ** 2), budget=Budget(1.0))
    assert time.monotonic() - began < 4


def judged(seed: int, count: int) -> dict[str, int]:
    """Random pairs, equal and mutated, judged by an evaluator that shares no code; every wrong verdict fails."""
    assumptions = (Assumption("e", "positive"), Assumption("b", "binary"), Assumption("q", "plus-minus-one"))
    assert {a.tensor: a.property for a in assumptions} == KINDS
    program = Program(RANDOM_SHAPES, (), assumptions)
    rng = random.Random(seed)
    tally = {"proved": 0, "refuted": 0, "unknown": 0}
    for _ in range(count):
        generator = Generator(rng)
        left = generator.formula(rng.choice([3, 4, 5]), rng.choice([[], [I], [I, J], [R]]))
        right = left
        for _ in range(rng.randint(1, 6)):
            right = generator.rewritten(right)
        mutated = rng.random() < 0.5
        if mutated:
            right = generator.mutated(right)
        verdict = decide(program, left, right, budget=Budget(seconds=2, condition_seconds=0))
        tally[verdict.kind] += 1
        assert "disagree" not in (verdict.because or "")
        if verdict.kind is Kind.REFUTED:
            assert mutated
            assert verdict.witness is not None
            if not verdict.witness.functions:
                assert not recomputed(verdict, left).overlaps(recomputed(verdict, right))
        elif verdict.kind is Kind.PROVED and mutated:
            for sizes in ({"n": 2, "m": 3}, {"n": 3, "m": 2}):
                tensors = evaluation.sample(RANDOM_SHAPES, sizes, rng, KINDS)
                assert not evaluation.differ(left, right, sizes, tensors)
    return tally


def test_random_pairs() -> None:
    tally = judged(11, 120)
    assert tally["proved"] > 40
    assert tally["refuted"] > 30
    assert tally["unknown"] < 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_many_random_pairs(seed: int) -> None:
    tally = judged(1000 + seed, 1000)
    assert tally["unknown"] < 40


def test_depth_cannot_break_it() -> None:
    deep: Expr = x
    for _ in range(10_000):
        deep = apply("sin", deep + 1)
    assert decide(SCALARS, deep, deep).kind is Kind.PROVED
    nested: Expr = x
    for _ in range(300):
        nested = power(u * nested, -1) + u
    verdict = decide(SCALARS, nested, nested + 1, budget=Budget(seconds=2, condition_seconds=0))
    assert verdict.kind is Kind.REFUTED


def test_unknown_names_are_an_error() -> None:
    with pytest.raises(UnknownNameError):
        decide(SCALARS, tensor("nobody"), x)
