"""Points: inputs drawn inside the assumptions, the same on every machine."""

from __future__ import annotations

import zlib
from fractions import Fraction

import pytest

from backproof.language.expression import Index, delta, sum_over, tensor
from backproof.language.program import Assumption, Definition, Program, Property
from backproof.proof.axiomatic import Axiomatic
from backproof.proof.balls import Balls
from backproof.proof.evaluation import Tape
from backproof.proof.points import (
    TRIES,
    Draws,
    Extent,
    NeedsAllEntriesError,
    Plan,
    Point,
    UnsuitableError,
    nested,
    planned,
    simple_entries,
)

i, j = Index("i", "n"), Index("j", "n")
PROGRAM = Axiomatic(Program({"y": ("m", "n"), "A": ("n", "n"), "t": ()}))


def drawn(name: str, *assumptions: Assumption, sizes: dict[str, int] | None = None, seed: int = 2) -> list[Fraction]:
    extents = {s: Extent.of(k) for s, k in (sizes or {"n": 4, "m": 3}).items()}
    point = Point(PROGRAM, Balls(), Plan(seed, "eighths", extents), assumptions)
    sorts = PROGRAM.program.inputs[name]
    point.values(Tape.of(tensor(name, *(Index(f"a{k}", s) for k, s in enumerate(sorts)))))
    return list(point.inputs[name])


def rows(entries: list[Fraction], width: int) -> list[list[Fraction]]:
    return [entries[k : k + width] for k in range(0, len(entries), width)]


def test_draws_are_the_same_everywhere() -> None:
    # splitmix64 from the state crc32("(7,)") · 2²⁰, worked out step by step with Python's whole numbers.
    state = zlib.crc32(b"(7,)") << 20
    draws = Draws(7)
    for _ in range(3):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB % 2**64
        assert draws.below(1000) == (mixed ^ (mixed >> 31)) % 1000


def test_draws_are_even() -> None:
    draws = Draws("even")
    counts = [0] * 5
    for _ in range(5_000):
        counts[draws.below(5)] += 1
    assert all(850 < count < 1150 for count in counts)


@pytest.mark.parametrize(
    ("property", "holds"),
    [
        ("positive", lambda q: q > 0),
        ("nonzero", lambda q: q != 0),
        ("binary", lambda q: q in (0, 1)),
        ("plus-minus-one", lambda q: q in (-1, 1)),
        ("in-unit-interval", lambda q: 0 < q < 1),
    ],
)
def test_entries_keep_to_their_assumption(property: Property, holds: object) -> None:
    assert callable(holds)
    for seed in range(10):
        assert all(holds(q) for q in drawn("y", Assumption("y", property), seed=seed))


def test_entries_have_both_signs() -> None:
    entries = drawn("y")
    assert min(entries) < 0 < max(entries)


def test_equals() -> None:
    assert drawn("t", Assumption("t", "equals", value=Fraction(3, 7))) == [Fraction(3, 7)]


def test_symmetric() -> None:
    matrix = rows(drawn("A", Assumption("A", "symmetric")), 4)
    assert all(matrix[a][b] == matrix[b][a] for a in range(4) for b in range(4))
    free = rows(drawn("A"), 4)
    assert any(free[a][b] != free[b][a] for a in range(4) for b in range(4))


def test_unit_sum_over_each_axis() -> None:
    assert all(sum(row) == 1 for row in rows(drawn("y", Assumption("y", "unit-sum", axis=1)), 4))
    columns = zip(*rows(drawn("y", Assumption("y", "unit-sum", axis=0)), 4), strict=True)
    assert all(sum(column) == 1 for column in columns)


def test_one_hot() -> None:
    assumptions = Assumption("y", "unit-sum", axis=1), Assumption("y", "binary")
    found = {row.index(1) for seed in range(12) for row in rows(drawn("y", *assumptions, seed=seed), 4)}
    assert found == {0, 1, 2, 3}
    assert all(sorted(row) == [0, 0, 0, 1] for row in rows(drawn("y", *assumptions), 4))


def test_weighted_unit_sum() -> None:
    weights = (Fraction(1), Fraction(5, 2), Fraction(3))
    extents = {"n": Extent(weights), "m": Extent.of(2)}
    point = Point(PROGRAM, Balls(), Plan(1, "eighths", extents), (Assumption("y", "unit-sum", axis=1),))
    (total,) = point.values(Tape.of(sum_over(i, tensor("y", Index("r", "m"), i))))
    assert all(sum(w * q for w, q in zip(weights, row, strict=True)) == 1 for row in rows(list(point.inputs["y"]), 3))
    assert all(entry.contains(1) for entry in total.entries)


def test_what_cannot_be_drawn_is_said() -> None:
    inside = Assumption("y", "unit-sum", axis=1), Assumption("y", "in-unit-interval")
    with pytest.raises(UnsuitableError):
        drawn("y", *inside, sizes={"n": 1, "m": 2})
    with pytest.raises(UnsuitableError):
        drawn("y", Assumption("y", "unit-sum", axis=0), Assumption("y", "unit-sum", axis=1))


def test_blocks_have_the_size() -> None:
    plan = planned(PROGRAM, 0, ["n", "400", "5"])
    assert sum(plan.extents["400"].weights) == 400
    assert len(plan.extents["400"].weights) == 3
    assert plan.extents["5"] == Extent.of(5)
    assert planned(PROGRAM, 0, ["400"], frozenset({"400"})).extents["400"] == Extent.of(400)


def test_a_delta_needs_all_entries() -> None:
    a, b = Index("a", "400"), Index("b", "400")
    point = Point(PROGRAM, Balls(), planned(PROGRAM, 0, ["400"]), ())
    with pytest.raises(NeedsAllEntriesError):
        point.values(Tape.of(delta(a, b)))


def test_an_input_wins_over_a_definition_of_the_same_name() -> None:
    view = Axiomatic(Program({"s": ()}, (Definition("s", (), tensor("s")), Definition("t", (), 2 * tensor("s")))))
    point = Point(view, Balls(), planned(view, 0, []), ())
    (value,) = point.values(Tape.of(tensor("t")))
    assert value.entries[0].contains(float(2 * point.inputs["s"][0]))


def test_first_points_are_small() -> None:
    assert TRIES[0][0] == (1,)
    assert all(max(sizes) <= 5 for sizes, _ in TRIES)


def test_nested() -> None:
    assert nested([Fraction(q) for q in range(6)], (3, 2)) == ((0, 1), (2, 3), (4, 5))
    assert nested([Fraction(9)], ()) == 9


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ([], [(0, 0, 0, 0), (1, 1, 1, 1)]),
        (["positive"], [(1, 1, 1, 1)]),
        (["unit-sum"], [(1, 0, 1, 0)]),
        (["unit-sum", "binary"], [(1, 0, 1, 0)]),
        (["unit-sum", "in-unit-interval"], []),
        (["equals"], []),
    ],
)
def test_simple_entries(properties: list[Property], expected: list[tuple[int, ...]]) -> None:
    assumptions = [Assumption("y", p, axis=1 if p == "unit-sum" else None) for p in properties]
    assert simple_entries("y", (2, 2), assumptions) == expected
