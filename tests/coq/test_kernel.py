from __future__ import annotations

import pytest

from backproof.coq import kernel
from backproof.errors import FileError

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


def coqc_that(tmp_path, does):
    program = tmp_path / "coqc"
    program.write_text(f'#!/bin/sh\n[ "$1" = --print-version ] && {{ echo 8.16.1; exit 0; }}\n{does}\n')
    program.chmod(0o755)
    return str(program)


def test_a_coqc_that_hangs_is_stopped(tmp_path, monkeypatch):
    program = coqc_that(tmp_path, "exec sleep 100")
    monkeypatch.setattr(kernel, "coqc", lambda: program)
    answer = kernel.check("Print Assumptions x.", limit=0.3)
    assert (answer.status, answer.accepted) == ("too long", False)


def test_a_coqc_that_says_nothing_accepts_nothing(tmp_path, monkeypatch):
    program = coqc_that(tmp_path, "exit 3")
    monkeypatch.setattr(kernel, "coqc", lambda: program)
    assert kernel.check("Print Assumptions x.").message == "coqc ended with code 3 and said nothing"
    program = coqc_that(tmp_path, "exit 0")
    assert kernel.check("Print Assumptions x.").status == "rejected"


def test_a_coqc_that_cannot_be_run_is_no_bug_of_ours(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel, "coqc", lambda: str(tmp_path / "gone"))
    with pytest.raises(FileError) as caught:
        kernel.version()
    assert "does not work" in caught.value.what


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
