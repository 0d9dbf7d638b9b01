from __future__ import annotations

import pytest

from backproof.coq import kernel
from backproof.coq.catalogue import (
    LIBRARY,
    activations,
    check_everything,
    dense_networks,
    losses,
    near_misses,
    pairs_of,
)
from backproof.coq.functions import Functions
from backproof.coq.shelf import functions_document


@pytest.fixture(scope="module")
def functions():
    found = Functions()
    functions_document(found)
    return found


def test_a_group_has_every_loss(functions):
    group = pairs_of("tanh", functions.known())
    assert len(group.claims) + len(group.failed) + len(group.empty) == len(losses())
    assert not group.failed


def test_a_theorem_whose_hypotheses_never_hold_is_left_out(functions):
    group = pairs_of("log-sigmoid", functions.known())  # its values are negative
    left_out = {words.removeprefix("log-sigmoid with ") for words, _ in group.empty}
    assert {"bce", "poisson", "gamma", "kl"} <= left_out
    assert not left_out & {"mse", "mae", "hinge", "nll"}


def test_every_near_miss_of_the_table_has_a_point(functions):
    group = near_misses(functions.known())
    assert len(group.claims) > 20
    assert {"extra_slope_sigmoid_bce", "missing_slope_sigmoid_half_mse"} <= {c.name for c in group.claims}


def test_the_list_of_networks():
    networks = dense_networks()
    assert any(n.symbolic_depth for n in networks)
    assert {n.layout for n in networks} == {"columns", "rows", "rows-out-in"}
    assert {n.reduction for n in networks} == {"none", "sum", "mean", "mean-all"}


@pytest.mark.parametrize("module", LIBRARY)
def test_the_library_has_the_theorems_that_the_table_names(module):
    text = (kernel.library_folder() / f"{module}.v").read_text(encoding="utf-8")
    assert all(f" {theorem} " in text for theorem in LIBRARY[module])


@pytest.mark.slow
def test_a_part_of_the_catalogue(coq):
    assert "identity" in activations()
    outcomes = list(check_everything(("identity", "softmax")))
    assert [o.group for o in outcomes] == ["slopes", "identity with every loss", "softmax with every loss"]
    for outcome in outcomes:
        assert outcome.failed == ()
        assert {a.rpartition(".")[2] for a in outcome.axioms} <= kernel.ALLOWED_AXIOMS
