from __future__ import annotations

import re

import pytest

from backproof.coq import kernel

SOURCES = sorted(kernel.library_folder().glob("*.v"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_nothing_is_assumed(source):
    text = source.read_text(encoding="utf-8")
    assert kernel.FORBIDDEN.search(kernel._without_comments(text)) is None
    # Every proof that is begun is ended by the kernel's check.
    assert len(re.findall(r"\bProof\.", text)) == len(re.findall(r"\b(Qed|Defined)\.", text))


def test_every_module_is_listed_and_taught():
    project = (kernel.library_folder() / "_CoqProject").read_text(encoding="utf-8").split()
    assert [s.name for s in SOURCES] == sorted(p for p in project if p.endswith(".v"))
    for source in SOURCES:
        assert source.read_text(encoding="utf-8").startswith("(** * ")


def test_the_order_of_the_project_is_an_order_of_compilation():
    project = (kernel.library_folder() / "_CoqProject").read_text(encoding="utf-8").split()
    seen: set[str] = set()
    for name in (p.removesuffix(".v") for p in project if p.endswith(".v")):
        assert set(kernel.dependencies(name)) <= seen
        seen.add(name)


@pytest.mark.slow
def test_coq_accepts_the_whole_library(coq):
    text = (
        "From Backproof Require Import Library.\nPrint Assumptions backward_correct.\nPrint Assumptions bp_layernorm.\n"
    )
    answer = kernel.check(text)
    assert answer.accepted, answer.message
