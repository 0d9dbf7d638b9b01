from __future__ import annotations

from collections.abc import Sequence

import pytest

from backproof.errors import ShapeError
from backproof.language.expression import Index, delta, mul, size, sum_over, tensor
from backproof.language.products import Multiplication, Way
from backproof.language.shapes import Algebra, Typed
from backproof.language.sorts import Sorts, resorted


def column(name: str, sort: str, letter: str = "i") -> Typed:
    index = Index(f"{letter}_{name}", sort)
    return Typed(tensor(name, index), index)


def row(name: str, sort: str) -> Typed:
    index = Index(f"j_{name}", sort)
    return Typed(tensor(name, index), None, index)


def matrix(name: str, rows: str, columns: str) -> Typed:
    r, c = Index(f"r_{name}", rows), Index(f"c_{name}", columns)
    return Typed(tensor(name, r, c), r, c)


@pytest.fixture
def algebra() -> Algebra:
    return Algebra(Sorts())


def test_unknown_sorts_become_known_where_they_are_used() -> None:
    sorts = Sorts()
    first, second = sorts.unknown(), sorts.unknown()
    assert sorts.unify(first, second)
    assert sorts.unify(second, "n")
    assert sorts.find(first) == "n"
    assert not sorts.unify(first, "m")
    index = Index("i", first)
    body = mul(tensor("x", index), size(second), delta(index, Index("j", "n")))
    settled = Index("i", "n")
    assert sorts.settled(sum_over(index, body)) is sum_over(
        settled, mul(tensor("x", settled), size("n"), delta(settled, Index("j", "n")))
    )


def test_resorting_to_a_number_folds_the_size() -> None:
    i = Index("i", "n")
    assert resorted(mul(size("n"), sum_over(i, tensor("x", i))), lambda _: "3") is mul(
        3, sum_over(Index("i", "3"), tensor("x", Index("i", "3")))
    )


def test_a_matrix_product_sums_over_the_shared_axis(algebra: Algebra) -> None:
    product = algebra.contraction(matrix("W", "h", "n"), column("x", "n"))
    k = Index("k", "n")
    assert product == Typed(sum_over(k, mul(tensor("W", Index("r_W", "h"), k), tensor("x", k))), Index("r_W", "h"))


@pytest.mark.parametrize(
    ("left", "right", "shape"),
    [
        (column("x", "n"), row("y", "m"), "n × m"),
        (row("x", "n"), column("y", "n"), "a scalar"),
        (row("x", "n"), matrix("W", "n", "m"), "1 × m"),
        (matrix("A", "n", "m"), matrix("B", "m", "k"), "n × k"),
    ],
)
def test_shapes_of_matrix_products(algebra: Algebra, left: Typed, right: Typed, shape: str) -> None:
    assert algebra.shape(algebra.contraction(left, right)) == shape


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (column("x", "n"), column("y", "m")),
        (column("x", "n"), row("y", "n")),
        (matrix("A", "n", "m"), column("y", "m")),
        (matrix("A", "n", "m"), row("y", "n")),
        (matrix("A", "n", "m"), matrix("B", "m", "n")),
    ],
)
def test_elementwise_products_that_do_not_fit(algebra: Algebra, left: Typed, right: Typed) -> None:
    with pytest.raises(ShapeError) as caught:
        algebra.elementwise(left, right)
    assert algebra.shape(right) == caught.value.got or algebra.shape(left) == caught.value.got
    assert caught.value.expected is not None


def likeliest(ways: Sequence[Way]) -> Way:
    return min(ways, key=lambda way: way[0])


@pytest.mark.parametrize(
    ("sign", "left", "right", "shape"),
    [
        ("", matrix("W", "k", "h"), column("x", "h"), "k × 1"),
        ("*", matrix("W", "k", "h"), column("x", "h"), "k × 1"),
        ("*", matrix("W", "k", "h"), matrix("V", "k", "h"), "k × h"),
        ("*", column("x", "k"), matrix("W", "k", "h"), "k × h"),
        ("@", column("x", "k"), column("y", "k"), "a scalar"),
        ("·", column("x", "k"), column("y", "k"), "k × 1"),
        ("⊗", column("x", "k"), column("y", "h"), "k × h"),
        ("⊙", row("x", "h"), matrix("W", "k", "h"), "k × h"),
        ("*", column("x", "k"), column("y", "1"), "k × 1"),
        ("", matrix("V", "1", "1"), column("x", "k"), "k × 1"),
    ],
)
def test_what_a_sign_means_follows_from_the_shapes(
    algebra: Algebra, sign: str, left: Typed, right: Typed, shape: str
) -> None:
    product = Multiplication(algebra, sign, likeliest).product((left, right))  # type: ignore[arg-type]
    assert algebra.shape(product) == shape


@pytest.mark.parametrize(
    ("sign", "left", "right"),
    [
        ("", column("x", "h"), matrix("W", "k", "h")),
        ("@", matrix("W", "k", "h"), matrix("V", "k", "h")),
        ("*", column("x", "h"), column("y", "k")),
        ("⊗", column("x", "h"), matrix("W", "k", "h")),
        ("·", column("x", "h"), column("y", "k")),
    ],
)
def test_products_that_do_not_fit(algebra: Algebra, sign: str, left: Typed, right: Typed) -> None:
    with pytest.raises(ShapeError):
        Multiplication(algebra, sign, likeliest).product((left, right))  # type: ignore[arg-type]
