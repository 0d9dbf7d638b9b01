from __future__ import annotations

import pytest

from backproof.coq import kernel

PRINTED = """\
Axioms:
ClassicalDedekindReals.sig_not_dec : forall P : Prop, {~ ~ P} + {~ P}
FunctionalExtensionality.functional_extensionality_dep
  : forall (A : Type) (B : A -> Type) (f g : forall x : A, B x),
    (forall x : A, f x = g x) -> f = g
"""


def test_axioms_are_read_from_what_coq_prints():
    assert kernel.assumptions(PRINTED) == (
        "ClassicalDedekindReals.sig_not_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
    )


@pytest.mark.parametrize("word", ["Axiom cheat : False.", "Lemma x : False. Admitted.", "Proof. admit. Qed."])
def test_a_file_that_assumes_is_refused_unread(word, monkeypatch):
    monkeypatch.setattr(kernel, "coqc", lambda: pytest.fail("Coq was asked"))
    assert kernel.check(word).status == "rejected"


def test_words_in_comments_are_allowed(monkeypatch):
    monkeypatch.setattr(kernel, "coqc", lambda: None)
    assert (
        kernel.check("(* no Axiom (* nor Admitted *) *) Lemma x : True. Proof. exact I. Qed.").status == "not installed"
    )


def test_without_coq_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(kernel, "coqc", lambda: None)
    answer = kernel.check("Print Assumptions x.")
    assert (answer.status, answer.accepted) == ("not installed", False)
    assert "apt install coq libcoq-coquelicot" in answer.message


HEAD = "From Coq Require Import Reals.\nFrom Backproof Require Import Rules.\n"


@pytest.mark.slow
def test_a_proof_is_accepted_with_its_axioms(coq):
    answer = kernel.check(HEAD + "Lemma x : (1 + 1 = 2)%R. Proof. ring. Qed. Print Assumptions x.")
    assert answer.accepted
    assert {a.rpartition(".")[2] for a in answer.axioms} <= kernel.ALLOWED_AXIOMS


@pytest.mark.slow
def test_a_wrong_statement_is_rejected_at_its_line(coq):
    answer = kernel.check(HEAD + "Lemma x : (1 + 1 = 3)%R. Proof. ring. Qed. Print Assumptions x.")
    assert (answer.status, answer.place) == ("rejected", 3)


@pytest.mark.slow
def test_an_axiom_from_elsewhere_is_not_allowed(coq):
    text = (
        HEAD + "From Coq Require Import IndefiniteDescription.\nPrint Assumptions constructive_indefinite_description."
    )
    answer = kernel.check(text)
    assert answer.status == "rejected"
    assert "constructive_indefinite_description" in answer.message


@pytest.mark.slow
def test_a_file_that_does_not_print_its_axioms_is_not_accepted(coq):
    assert not kernel.check(HEAD + "Lemma x : (1 + 1 = 2)%R. Proof. ring. Qed.").accepted


@pytest.mark.slow
def test_a_proof_that_never_ends_is_stopped(coq):
    answer = kernel.check(HEAD + "Goal True. repeat (idtac; assert True by exact I).", limit=3)
    assert answer.status == "too long"
    assert answer.seconds < 10
