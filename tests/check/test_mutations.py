"""The benchmark of wrong claims: its judge is right, its slips are slips, and a small share of it passes."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

from backproof.calculus.network import Network
from backproof.language.expression import Index, apply, sum_over, tensor

FOLDER = Path(__file__).parents[2] / "bench"


def loaded(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


judging, mutating, mutations = (loaded(name) for name in ("central_differences", "mutating", "mutations"))
I, K, S = Index("i", "h"), Index("k", "k"), Index("s", "m")


@pytest.mark.parametrize(
    ("network", "target", "formula"),
    [
        (Network(output="sigmoid", loss="bce"), "z", lambda i: tensor("a", i) - tensor("y", i)),
        (Network(output="softmax", loss="cross-entropy"), "z", lambda i: tensor("a", i) - tensor("y", i)),
        (
            Network(output="identity", loss="mse"),
            "z",
            lambda i: 2 * (tensor("z", i) - tensor("y", i)),
        ),
    ],
)
def test_central_differences_know_the_textbook_formulas(network, target, formula):
    i = Index("i", "k")
    for judge in judging.judges(network)[target]:
        assert judge.error(target, (i,), formula(i)) < 1e-20
        assert judge.error(target, (i,), -formula(i)) > 0.5


def test_central_differences_go_through_layers_and_a_batch():
    network = Network(("n", "h", "k"), hidden="tanh", reduction="mean")
    delta = sum_over(K, tensor("W(2)", K, I) * tensor("∂J/∂Z(2)", K, S)) * (1 - tensor("A(1)", I, S) ** 2)
    for judge in judging.judges(network)["Z(1)"]:
        assert judge.error("Z(1)", (I, S), delta) < 1e-20
        assert judge.error("Z(1)", (I, S), delta + tensor("A(1)", I, S)) > 1e-3


def test_slips_change_the_formula_and_have_names():
    kinds: set[str] = set()
    for number in (0, 15, 19, 42, 45):
        for line in mutations.lines(mutations.NETWORKS[number]):
            found = mutating.slips(line)
            kinds |= found.keys()
            assert all(body is not line.body for bodies in found.values() for body in bodies)
    assert kinds == mutating.NAMES.keys()


def test_a_slip_that_changes_nothing_is_no_wrong_claim():
    network = Network(output="sigmoid", loss="bce")
    judge = judging.judges(network)["z"][0]
    i = Index("i", "k")
    a, y = tensor("a", i), tensor("y", i)
    assert judge.error("z", (i,), apply("sigmoid", tensor("z", i)) - y) < 1e-20
    assert judge.error("z", (i,), a * (1 - y) - y * (1 - a)) < 1e-20


def test_the_same_seed_makes_the_same_claims():
    first, second = (list(mutations.claims_of(0, 6, 2, 7)) for _ in range(2))
    assert first == second
    assert [len(c.kinds) for c in first] == [1, 2, 1, 2, 1, 2, 0, 0]


def test_there_are_forty_networks():
    assert len(set(mutations.NETWORKS)) >= 40
    assert len({n.describe() for n in mutations.NETWORKS}) == len(mutations.NETWORKS)


@pytest.mark.slow
def test_a_share_of_the_benchmark():
    chance = random.Random(5)
    numbers = chance.sample(range(len(mutations.NETWORKS)), 16)
    results = [mutations.judged(c) for n in numbers for c in mutations.claims_of(n, 6, 2, seed=5)]
    wrong = [r for r in results if r["kinds"]]
    assert [r for r in wrong if r["verdict"] != "refuted"] == []
    assert [r for r in results if not r["kinds"] and r["verdict"] == "refuted"] == []
    assert sum(r["simple"] for r in wrong) >= 0.95 * len(wrong), [r for r in wrong if not r["simple"]]
