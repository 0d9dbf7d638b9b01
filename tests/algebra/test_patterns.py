from __future__ import annotations

import itertools
import random
from fractions import Fraction

from scipy.optimize import linprog

from backproof.algebra.patterns import Inequality, contradictory

X, Y, Z = (((k, 1),) for k in range(3))


def line(constant: int, strict: bool, **coefficients: int) -> Inequality:
    names = {"x": X, "y": Y, "z": Z}
    return Inequality(tuple((names[c], v) for c, v in coefficients.items()), constant, strict)


def test_hand_made_systems():
    assert contradictory([line(0, True, x=1), line(0, False, x=-1)])
    assert not contradictory([line(0, False, x=1), line(0, False, x=-1)])
    assert contradictory([line(-1, False, x=1), line(0, False, x=-1)])
    assert contradictory([line(0, True, x=1, y=-1), line(0, True, y=1, z=-1), line(0, False, z=1, x=-1)])
    assert not contradictory([line(0, True, x=1, y=-1), line(0, True, y=1, z=-1)])
    assert contradictory([line(-1, False)])
    assert contradictory([line(0, True)])
    assert not contradictory([])


def test_random_systems_against_linear_programming():
    rng = random.Random(5)
    seen = set()
    for _ in range(300):
        rows = [[rng.randint(-3, 3) for _ in range(3)] for _ in range(rng.randint(2, 7))]
        constants = [rng.randint(-4, 4) for _ in rows]
        system = [
            Inequality(
                tuple((v, Fraction(c)) for v, c in zip((X, Y, Z), row, strict=True) if c), constant, strict=False
            )
            for row, constant in zip(rows, constants, strict=True)
        ]
        solved = linprog([0, 0, 0], A_ub=[[-c for c in row] for row in rows], b_ub=constants, bounds=[(None, None)] * 3)
        feasible = solved.status == 0
        assert contradictory(system) is not feasible
        seen.add(feasible)
    assert seen == {True, False}


def test_an_order_of_three_numbers():
    """x < y < z < x is impossible, every acyclic pattern is possible."""
    pairs = [(X, Y), (Y, Z), (Z, X)]
    for bits in itertools.product((0, 1), repeat=3):
        system = [
            Inequality(((a, 1), (b, -1)), 0, strict=True) if bit else Inequality(((a, -1), (b, 1)), 0, strict=True)
            for (a, b), bit in zip(pairs, bits, strict=True)
        ]
        assert contradictory(system) is (len(set(bits)) == 1)
