"""The second judge: what backproof calls proved, Coq accepts; of what it calls refuted, Coq accepts the negation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backproof.calculus.network import Network
from backproof.coq import kernel
from backproof.coq.catalogue import changed, output
from backproof.coq.exporting import export
from backproof.coq.functions import Functions
from backproof.coq.groups import Group, check_group
from backproof.coq.identifiers import plain
from backproof.coq.outputs import scalar
from backproof.coq.refutations import MODULES, Case, affirmation, judge, negation
from backproof.coq.shelf import Shelf
from backproof.language.expression import Index, add, apply, reindex, tensor
from backproof.language.walks import names, rewrite
from backproof.proof.deciding import decide
from backproof.proof.derivation import derive, with_adjoints
from backproof.proof.verdict import Kind

a, y, z = tensor("a"), tensor("y"), tensor("z")


def slope(name):
    return apply(name, z, orders=(1,))


# Claims about delta: the pair, a formula, and what is known of it from the books.
CLAIMS = [
    ("sigmoid", "bce", a - y, True),
    ("sigmoid", "bce", (a - y) * slope("sigmoid"), False),  # the asker's formula
    ("sigmoid", "bce", y - a, False),
    ("sigmoid", "bce", 2 * (a - y), False),
    ("sigmoid", "bce", a + y, False),
    ("sigmoid", "half-mse", (a - y) * a * (1 - a), True),
    ("sigmoid", "half-mse", (a - y) * slope("sigmoid"), True),
    ("sigmoid", "half-mse", a - y, False),
    ("sigmoid", "mse", 2 * (a - y) * a * (1 - a), True),
    ("sigmoid", "mse", (a - y) * a * (1 - a), False),
    ("sigmoid", "mse", 2 * (a - y) * (1 - a), False),
    ("tanh", "half-mse", (a - y) * (1 - a**2), True),
    ("tanh", "half-mse", (a - y) * (1 - a), False),
    ("tanh", "mse", 2 * (a - y) * (1 - a) * (1 + a), True),
    ("tanh", "mse", (a - y) * (1 - a**2), False),
    ("identity", "mse", 2 * (a - y), True),
    ("identity", "mse", 2 * (z - y), True),
    ("identity", "mse", a - y, False),
    ("identity", "mse", 2 * (y - a), False),
    ("relu", "half-mse", (a - y) * apply("step", z), True),
    ("relu", "half-mse", a - y, False),
    ("leaky-relu", "half-mse", (a - y) * slope("leaky-relu"), True),
    ("exp", "poisson", a - y, True),
    ("exp", "poisson", 1 - y / a, False),
    ("exp", "poisson", a * (a - y), False),
    ("exp", "gamma", 1 - y / a, True),
    ("exp", "gamma", 1 - y, False),
    ("softplus", "mse", 2 * (a - y) * apply("sigmoid", z), True),
    ("softplus", "mse", 2 * (a - y) * a, False),
    ("identity", "bce-with-logits", apply("sigmoid", z) - y, True),
    ("identity", "bce-with-logits", z - y, False),
    ("identity", "log-cosh", apply("tanh", z - y), True),
    ("identity", "log-cosh", apply("tanh", y - z), False),
    ("silu", "half-mse", (a - y) * (a + apply("sigmoid", z) * (1 - a)), True),
    ("silu", "half-mse", (a - y) * apply("sigmoid", z), False),
    ("gelu", "half-mse", (a - y) * (apply("Phi", z) + z * apply("normal-density", z)), True),
    ("gelu", "half-mse", a - y, False),
]


def in_network(claim, index):
    def rule(node):
        return tensor(node.name, index) if node in (a, y, z) else None

    return rewrite(claim, rule)


def verdict(activation, loss, claim):
    program = with_adjoints(Network(output=activation, loss=loss))
    index = program.by_name["∂J/∂z"].indices[0]
    assert isinstance(index, Index)
    return decide(program, tensor("∂J/∂z", index), reindex(in_network(claim, index), {}))


@pytest.mark.parametrize(("activation", "loss", "claim", "truth"), CLAIMS)
def test_the_first_judge(activation, loss, claim, truth):
    assert verdict(activation, loss, claim).kind is (Kind.PROVED if truth else Kind.REFUTED)


def name(activation, loss, k):
    return f"claim_{k}_{plain(activation)}_{plain(loss)}"


@pytest.mark.slow
def test_the_second_judge(coq):
    cases = [Case(name(f, e, k), output(f, e), claim) for k, (f, e, claim, _) in enumerate(CLAIMS)]
    expected = {name(f, e, k): truth for k, (f, e, _, truth) in enumerate(CLAIMS)}
    assert judge(cases) == expected


def near_misses(activation, loss):
    """The result of the derivation, the chain rule as it stands, and the result with one mistake."""
    right = output(activation, loss)
    result = scalar(right.lines[-1].expr)
    chain = apply(loss, a, y, orders=(1, 0)) * slope(activation)
    swapped = rewrite(result, {a: y, y: a}.get)
    return {"result": result, "chain": chain, "swapped": swapped, **changed(right)}


SAMPLE = [
    *((f, "half-mse") for f in ("sigmoid", "tanh", "relu", "leaky-relu", "exp", "softplus", "silu", "arctan")),
    *((f, "mse") for f in ("identity", "hard-tanh", "hard-sigmoid", "squared-relu", "gelu", "tanhshrink", "gaussian")),
    *(("sigmoid", e) for e in ("bce", "cauchy", "poisson", "gamma")),
    *(("exp", e) for e in ("poisson", "gamma", "bce-with-logits")),
    *(("identity", e) for e in ("bce-with-logits", "log-cosh", "cauchy", "soft-margin", "exponential")),
]


@pytest.mark.slow
def test_both_judges_agree_on_a_large_sample(coq):
    cases, first = [], {}
    for activation, loss in SAMPLE:
        for words, claim in near_misses(activation, loss).items():
            title = f"{words}_{plain(activation)}_{plain(loss)}"
            cases.append(Case(title, output(activation, loss), claim))
            first[title] = verdict(activation, loss, claim).kind is Kind.PROVED
    assert len(cases) > 150
    found = judge(cases)
    assert {n for n, said in found.items() if said} == {n for n, right in first.items() if right}
    # Where every value of a function at the points is irrational, Coq may prove neither the claim nor its negation.
    refuted = [n for n, said in found.items() if said is False]
    assert len(refuted) > 0.8 * list(first.values()).count(False)


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "loss", "claim"), [c[:3] for c in CLAIMS if not c[3]][:4])
def test_a_near_miss_has_no_proof(activation, loss, claim, coq):
    with Shelf() as shelf:
        near_miss = affirmation(Case("near_miss", output(activation, loss), claim), shelf.functions())
        said = check_group(Group("near", (near_miss,)), lambda: shelf.document(MODULES), shelf.folder)
    assert [words for words, _ in said.failed] == ["near_miss"]


@pytest.mark.parametrize(("activation", "loss", "claim", "truth"), CLAIMS)
def test_a_right_claim_has_no_refutation(activation, loss, claim, truth):
    assert (negation(Case("claim", output(activation, loss), claim), Functions()) is None) == truth


TWO = Network(sizes=("n", "h", "k"), hidden="sigmoid", output="softmax", loss="cross-entropy")


DEEP = replace(
    TWO, sizes=("n", "h", "h", "k"), symbolic_depth=True, reduction="mean", layout="rows", l2="lambda"
)  # fmt: skip


def claimed(target, change, network=TWO):
    """The derivation with another last line for one of its equations."""
    derivation = derive(network)
    equations = []
    for equation in derivation.equations:
        if equation.target == target:
            wrong = change(equation)
            last = replace(equation.steps[-1], expr=wrong)
            equation = replace(equation, expr=wrong, steps=(*equation.steps[:-1], last))
        equations.append(equation)
    return export(replace(derivation, equations=tuple(equations)))


def kept_slope(equation):
    """The slope of the output's softmax, taken for elementwise, that has cancelled."""
    value = tensor("a(2)", *equation.indices)
    return equation.expr * value * (1 - value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "change"),
    [
        ("z(2)", kept_slope),
        ("z(2)", lambda e: -e.expr),
        ("z(1)", lambda e: 2 * e.expr),
        ("W(2)", lambda e: -e.expr),
        ("b(1)", lambda e: 2 * e.expr),
    ],
)
def test_a_near_miss_in_a_network_is_rejected(target, change, coq):
    assert kernel.check(claimed(target, change).text, limit=100).status != "accepted"


@pytest.mark.slow
def test_the_same_file_without_the_mistake_is_accepted(coq):
    assert kernel.check(claimed("z(2)", lambda e: e.expr).text).accepted


def without_penalty(equation):
    """The gradient of the weights without what the penalty adds."""
    return add(*(t for t in equation.expr.terms if "lambda" not in names(t)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "change"),
    [
        ("Z(l)", lambda e: 2 * e.expr),
        ("W(l)", without_penalty),
        ("W(L)", lambda e: -e.expr),
        ("b(l)", lambda e: 2 * e.expr),
    ],
)
def test_a_near_miss_at_any_depth_is_rejected(target, change, coq):
    assert kernel.check(claimed(target, change, DEEP).text, limit=100).status != "accepted"


@pytest.mark.slow
def test_the_same_depth_without_the_mistake_is_accepted(coq):
    assert kernel.check(claimed("Z(l)", lambda e: e.expr, DEEP).text).accepted
