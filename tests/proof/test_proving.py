"""The proof loop: which names it opens, what it recognises, and when it stops."""

from __future__ import annotations

import time

import pytest
from proof.claims import CLAIMS, Claim

from backproof.algebra import Algebra
from backproof.calculus.sweep import adjoints
from backproof.language.expression import Expr, Index, apply, delta, power, sum_over, tensor
from backproof.language.program import Definition, Program
from backproof.proof.axiomatic import Axiomatic
from backproof.proof.proving import Proof, Prover
from backproof.proof.recognition import Recognition

i, j, k = (Index(name, "n") for name in "ijk")
TERMS = 20_000


def network() -> Program:
    z, a = Definition("z", (i,), sum_over(j, tensor("W", i, j) * tensor("x", j)) + tensor("b", i)), tensor("z", i)
    program = Program(
        {"W": ("n", "n"), "x": ("n",), "b": ("n",), "y": ("n",)},
        (
            z,
            Definition("a", (i,), power(1 + apply("exp", -a), -1)),
            Definition("J", (), sum_over(i, (tensor("a", i) - tensor("y", i)) ** 2)),
        ),
    )
    return program.extended(adjoints(program, "J").values())


NET = network()
DZ, DA = tensor("∂J/∂z", i), tensor("∂J/∂a", i)
A = tensor("a", i)


def prove(left: Expr, right: Expr, seconds: float = 10.0, program: Program = NET) -> Proof:
    return Prover(Axiomatic(program)).prove(left, right, time.monotonic() + seconds, TERMS)


def test_no_name_is_opened_without_need() -> None:
    proof = prove(DZ + A, A + DZ)
    assert proof.proved
    assert proof.used == ()


def test_names_are_opened_latest_first() -> None:
    proof = prove(DZ, DA * A * (1 - A))
    assert proof.proved
    assert proof.used == ("∂J/∂z", "a")


def test_adjoints_in_the_claim_stay_closed() -> None:
    proof = prove(DZ, 2 * (A - tensor("y", i)) * A * (1 - A))
    assert proof.proved
    assert set(proof.used) == {"∂J/∂z", "∂J/∂a", "a"}
    assert "∂J/∂a" not in prove(DZ, DA * A * (1 - A)).used


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.name)
def test_claims(claim: Claim) -> None:
    prover = Prover(Axiomatic(claim.program), claim.program.assumptions)
    proof = prover.prove(claim.left, claim.right, time.monotonic() + 10, TERMS)
    assert proof.proved is claim.true
    assert (proof.because is None) is claim.true
    assert (proof.difference is None) is claim.true


def test_no_time_no_proof() -> None:
    proof = prove(DZ, DA * A * (1 - A), seconds=0.0)
    assert not proof.proved
    assert proof.because


def test_too_many_terms_stop_it() -> None:
    wide = power(sum((tensor(f"u{n}") for n in range(12)), start=tensor("b", i)), 12)
    proof = Prover(Axiomatic(NET)).prove(wide, wide + DZ, time.monotonic() + 5, 500)
    assert not proof.proved
    assert proof.because


def test_parts_are_recognised() -> None:
    recognition = Recognition(Axiomatic(NET))
    logit = sum_over(k, tensor("x", k) * tensor("W", j, k)) + tensor("b", j)
    assert recognition.named(logit, Algebra()) is tensor("z", j)
    written = 1 - 1 / (1 + apply("exp", logit))
    assert recognition.named(apply("exp", -logit), Algebra()) is apply("exp", -tensor("z", j))
    assert recognition.named(written, Algebra()) is tensor("a", j)
    inside = sum_over(j, tensor("y", j) / (1 + apply("exp", -logit)))
    assert recognition.named(inside, Algebra()) is sum_over(j, tensor("y", j) * tensor("a", j))


def test_what_only_looks_alike_is_not_recognised() -> None:
    recognition = Recognition(Axiomatic(NET))
    transposed = sum_over(k, tensor("x", k) * tensor("W", k, j)) + tensor("b", j)
    doubled = sum_over(k, tensor("x", k) * tensor("W", j, k)) + 2 * tensor("b", j)
    assert recognition.named(transposed, Algebra()) is transposed
    assert recognition.named(doubled, Algebra()) is doubled


def test_names_that_come_back_are_opened_again() -> None:
    program = Program(
        {"x": ("n",)},
        (
            Definition("p", (i,), tensor("x", i) * 2),
            Definition("q", (i,), sum_over(j, tensor("p", j) * delta(i, j))),
            Definition("r", (i,), tensor("q", i) + tensor("p", i)),
        ),
    )
    assert prove(tensor("r", i), tensor("x", i) * 4, program=program).proved
    assert not prove(tensor("r", i), tensor("x", i) * 5, program=program).proved
