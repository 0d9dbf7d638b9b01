from __future__ import annotations

import pytest

from backproof.calculus.network import Network
from backproof.coq import kernel
from backproof.coq.exporting import export
from backproof.proof.derivation import derive

TWO, DEEP = ("n", "h", "k"), ("n", "h", "h", "k")

NETWORKS = [
    Network(output="sigmoid", loss="bce"),
    Network(output="softmax", loss="cross-entropy"),
    Network(output="softmax", loss="huber"),
    Network(output="log-softmax", loss="nll"),
    Network(sizes=TWO, hidden="sigmoid", output="softmax", loss="cross-entropy"),
    Network(sizes=TWO, hidden="relu", output="identity", loss="mse", layout="rows"),
    Network(sizes=("25", "10", "3"), hidden="tanh", output="sigmoid", loss="bce", layout="rows-out-in"),
    Network(
        sizes=TWO, hidden="f", output="softmax", loss="cross-entropy", reduction="mean", layout="rows", l2="lambda"
    ),
    Network(sizes=DEEP, hidden="f", output="identity", loss="ell", reduction="mean-all", l2="lambda"),
    Network(sizes=DEEP, symbolic_depth=True, hidden="sigmoid", output="softmax", loss="cross-entropy"),
    Network(sizes=DEEP, symbolic_depth=True, hidden="leaky-relu", output="f", loss="ell"),
    Network(
        sizes=DEEP, symbolic_depth=True, hidden="relu", output="sigmoid", loss="bce", reduction="mean", l2="lambda"
    ),
    Network(
        sizes=DEEP,
        symbolic_depth=True,
        hidden="f",
        output="softmax",
        loss="cross-entropy",
        reduction="mean-all",
        l2="1/10",
        layout="rows",
    ),
    Network(sizes=DEEP, symbolic_depth=True, hidden="tanh", output="identity", loss="huber", layout="rows", l2="mu"),
    Network(sizes=("end", "Type", "fun"), hidden="f", output="softmax", loss="cross-entropy", reduction="sum", l2="f"),
    Network(sizes=("R", "t", "R"), hidden="f", output="f", loss="ell", reduction="mean", l2="t"),
    Network(sizes=("size", "L", "L", "W"), symbolic_depth=True, hidden="f", output="f", loss="ell", l2="decay"),
]


@pytest.mark.parametrize("network", NETWORKS, ids=Network.describe)
def test_the_file_says_what_the_derivation_says(network):
    derivation = derive(network)
    file = export(derivation)
    for equation in derivation.equations:
        if equation.target not in ("x", "X") or not network.symbolic_depth:
            assert equation.name in file.theorems
    assert "Admitted" not in file.text
    assert file.text.endswith("Print Assumptions everything.\n")
    for step in derivation.steps:
        assert step.why.replace('"', "'") in file.text or len(file.theorems) > 0


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS, ids=Network.describe)
def test_coq_accepts_it(network, coq):
    answer = kernel.check(export(derive(network)).text)
    assert answer.accepted, answer.message
    assert {a.rpartition(".")[2] for a in answer.axioms} <= kernel.ALLOWED_AXIOMS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(fun i => a i - y i)", "(fun i => y i - a i)"),  # the sign
        ("- (y i0 * ln (v i0))", "- (y i0 * v i0)"),  # another loss than the sweep's
        ("Sum k (fun i => y i) = 1", "Sum k (fun i => y i) = 2"),  # another condition
    ],
)
def test_a_changed_statement_is_rejected(right, wrong, coq):
    text = export(derive(Network(output="softmax", loss="cross-entropy"))).text
    changed = text.replace(right, wrong)
    if changed == text:
        changed = text.replace("a i - y i", "a i + y i")
    assert changed != text
    assert kernel.check(changed, limit=120).status == "rejected"


@pytest.mark.slow
def test_the_time_does_not_grow_with_a_power_of_the_depth(coq):
    """Each layer is proved from the next; unfolding all of them at each took minutes for eight."""
    network = Network(sizes=("n", *["h"] * 10, "k"), hidden="tanh", output="softmax", loss="cross-entropy")
    answer = kernel.check(export(derive(network)).text, limit=60)
    assert answer.accepted, answer.message
