from __future__ import annotations

import re
from pathlib import Path

from backproof.coq import kernel
from backproof.coq.document import Document
from backproof.coq.groups import Claim, Group, check_group
from backproof.coq.kernel import Answer


def claims(*words):
    return tuple(Claim(f"c{k}", w, f"Lemma c{k} : {w}.\nProof. exact I. Qed.") for k, w in enumerate(words))


def reader(rejected, said):
    """In Coq's place: reads a file in order and rejects the first claim with a word in it."""

    def check(text, *_args, **_kwargs):
        said.append(re.findall(r"Lemma (c\d+)", text))
        for number, line in enumerate(text.split("\n"), 1):
            if any(word in line for word in rejected):
                return Answer("rejected", seconds=1.0, message=f"no  {line}", place=number)
        return Answer("accepted", ("A.classic",), 1.0)

    return check


def outcome(words, rejected, monkeypatch):
    said = []
    monkeypatch.setattr(kernel, "check", reader(rejected, said))
    return check_group(Group("g", claims(*words)), lambda: Document("t"), Path()), said


def test_all_accepted_at_once(monkeypatch):
    found, said = outcome(["p", "q"], [], monkeypatch)
    assert (found.accepted, found.failed, found.axioms) == (2, (), ("A.classic",))
    assert said == [["c0", "c1"]]


def test_a_failure_hides_no_other_and_what_is_accepted_is_accepted_whole(monkeypatch):
    found, said = outcome(["p", "BAD1", "q", "BAD2", "r"], ["BAD1", "BAD2"], monkeypatch)
    assert found.accepted == 3
    assert [words for words, _ in found.failed] == ["BAD1", "BAD2"]
    assert found.failed[0][1] == "no Lemma c1 : BAD1."
    assert said[-1] == ["c0", "c2", "c4"]


def test_a_failure_at_the_end(monkeypatch):
    found, said = outcome(["p", "BAD"], ["BAD"], monkeypatch)
    assert found.accepted == 1
    assert said[-1] == ["c0"]


def test_an_answer_without_a_place_accepts_nothing(monkeypatch):
    monkeypatch.setattr(kernel, "check", lambda *_a, **_k: Answer("too long", message="stopped"))
    found = check_group(Group("g", claims("p", "q")), lambda: Document("t"), Path())
    assert (found.accepted, found.axioms) == (0, ())


def test_what_could_not_be_written_counts_as_a_claim(monkeypatch):
    monkeypatch.setattr(kernel, "check", reader([], []))
    group = Group("g", claims("p"), failed=(("x", "no form"),), empty=(("e", "nothing to prove"),))
    found = check_group(group, lambda: Document("t"), Path())
    assert (found.claims, found.accepted, found.empty) == (2, 1, (("e", "nothing to prove"),))
