"""Walks over notation."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from language.formulas_to_print import EVERY_KIND, a, n, plus, s, times, y, z

from backproof.language.notation import Notation, Plus, Symbol
from backproof.language.traversal import extent, fold, parts, with_parts


@pytest.mark.parametrize("notation", EVERY_KIND, ids=lambda e: type(e).__name__)
def test_parts_put_back_give_the_same_notation(notation: Notation):
    def rebuilt(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        return with_parts(node, inside)

    assert fold(notation, rebuilt) == notation


def test_with_parts_replaces_each_part_in_its_place():
    renamed = with_parts(Symbol("W", (s("i"),), n(2)), (s("k"), n(3)))
    assert renamed == Symbol("W", (s("k"),), n(3))
    assert with_parts(Plus(((1, a), (-1, y))), (y, z)) == Plus(((1, y), (-1, z)))


def test_a_shared_piece_counts_each_time():
    shared = plus(a, y)
    assert extent(times(shared, shared)) == 7


def test_what_is_no_notation_is_refused():
    @dataclass(frozen=True, slots=True)
    class Scribble(Notation):
        pass

    with pytest.raises(TypeError, match="not notation: Scribble"):
        parts(Scribble())
