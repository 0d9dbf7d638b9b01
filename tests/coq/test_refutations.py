"""The second judge: what backproof calls proved, Coq accepts; of what it calls refuted, Coq accepts the negation."""

from __future__ import annotations

import pytest

from backproof.calculus.network import Network
from backproof.coq import kernel
from backproof.coq.catalogue import output
from backproof.coq.refutations import judge, negation_files, proof_file
from backproof.language.expression import Index, apply, reindex, tensor
from backproof.language.walks import rewrite
from backproof.proof.deciding import decide
from backproof.proof.derivation import with_adjoints
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


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "loss", "claim", "truth"), CLAIMS)
def test_the_second_judge(activation, loss, claim, truth, coq):
    found, answer = judge(output(activation, loss), claim)
    if (loss, truth) == ("log-cosh", False):
        # Coq does not accept the claim, but its tactics do not prove the negation: the gap is listed in docs/proofs.md.
        assert found is None
        return
    assert found is truth, answer.message


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "loss", "claim", "truth"), [c for c in CLAIMS if not c[3]][:6])
def test_a_near_miss_has_no_proof(activation, loss, claim, truth, coq):
    assert not kernel.check(proof_file(output(activation, loss), claim), limit=60).accepted


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "loss", "claim", "truth"), [c for c in CLAIMS if c[3]][:6])
def test_a_right_claim_has_no_refutation(activation, loss, claim, truth):
    assert list(negation_files(output(activation, loss), claim)) == []
