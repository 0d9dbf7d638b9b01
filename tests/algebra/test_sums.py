from __future__ import annotations

import itertools

import pytest
from algebra.identities import A, B, C, S, a0, d, erf, ex, g, i, j, k, l, n, p, q, step, x, y

from backproof.algebra import Algebra, Limits
from backproof.errors import FormulaError
from backproof.language.expression import Expr, Index, apply, mul, power, reindex, sum_over, tensor

r, t = Index("r", "n"), Index("t", "n")


def cycle(order: tuple[Index, ...]) -> Expr:
    """The trace of a power, with the names of the indices in some order."""
    return S(list(order), mul(*(A[a, b] for a, b in itertools.pairwise((*order, order[0])))))


@pytest.mark.parametrize("length", [2, 3, 4, 5])
def test_a_cycle_has_one_form(length: int):
    algebra = Algebra()
    forms = {str(algebra.normal(cycle(order))) for order in itertools.permutations((i, j, k, l, p)[:length])}
    assert len(forms) == 1


def test_long_cycles_by_kernels_or_not_at_all():
    names = [Index(f"i{h}", "n") for h in range(8)]
    turned = names[3:] + names[:3]
    assert Algebra(limits=Limits(labellings=1)).equal(cycle(tuple(names[:6])), cycle(tuple(turned[:6])))


def test_names_do_not_matter():
    algebra = Algebra()
    first = S([i, j], A[i, j] * x[i] * y[j])
    other = S([p, q], A[q, p] * y[p] * x[q])
    assert algebra.normal(first) == algebra.normal(other)


def test_components_fall_apart():
    algebra = Algebra()
    assert algebra.normal(S([i, j], x[i] * y[j])) == algebra.normal(S(i, x[i]) * S(i, y[i]))


def test_antisymmetric_sums_are_0():
    algebra = Algebra()
    for formula in (
        S([i, j], erf(x[i] - x[j])),
        S([i, j], x[i] * y[j] - x[j] * y[i]),
        S([i, j], A[i, j] * (x[i] - x[j]) + A[j, i] * (x[i] - x[j])),
        S([i, j], erf(x[i] - x[j]) * ex(x[i] + x[j])),
    ):
        assert algebra.is_zero(algebra.normal(formula))


def test_the_same_under_every_name_of_a_free_index():
    """Labels depend on structure only: renaming a free index commutes with the normal form."""
    algebra = Algebra()
    formula = S([i, j], step(x[i] - x[j]) * erf(x[i] - x[k]) / (1 + ex(A[i, j] - A[k, i])))
    for name in ("a", "m", "z", "#9", "~"):
        other = Index(name, "n")
        renamed = algebra.substituted(algebra.normal(formula), {k: other})
        assert algebra.is_zero(algebra.minus(renamed, algebra.normal(reindex(formula, {k: other}))))


def test_delta_is_substitution():
    algebra = Algebra()
    assert algebra.normal(S(j, d(i, j) * A[j, k] * B[k, j])) == algebra.normal(A[i, k] * B[k, i])
    assert algebra.normal(S([i, j], d(i, j))) == algebra.normal(n)
    assert algebra.normal(S([i, j, k], d(i, j) * d(j, k) * C[i, k])) == algebra.normal(S(i, C[i, i]))


def test_negative_powers_of_sums_stay():
    algebra = Algebra()
    inner = S(j, ex(A[i, j]))
    poly = algebra.normal(S(i, g[i] / inner) * a0)
    assert algebra.equal(algebra.expression(poly), a0 * S(k, g[k] * power(S(j, ex(A[k, j])), -1)))


def test_substitution_never_captures():
    algebra = Algebra()
    inner = S(j, apply("f", A[i, j]))
    for name in ("j", "i~0", "z"):
        other = Index(name, "n")
        formula = sum_over(i, tensor("B", i, other) * inner)
        back = algebra.expression(algebra.normal(formula))
        assert back.free == {other}
        assert algebra.equal(back, formula)


@pytest.mark.parametrize("name", ["$1.0", "%0"])
def test_names_of_the_algebra_itself_are_refused(name: str):
    with pytest.raises(FormulaError, match="reserved"):
        Algebra().normal(x[Index(name, "n")])
