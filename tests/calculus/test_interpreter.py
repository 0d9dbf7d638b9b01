from __future__ import annotations

import itertools
import math
import tracemalloc
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from backproof.calculus.exact_numbers import balls, digits
from backproof.calculus.interpreter import evaluate, evaluate_expr
from backproof.calculus.number_systems import FLOAT64, NumberSystem
from backproof.calculus.sweep import adjoints
from backproof.errors import DomainError, LimitError, ShapeError, UnknownNameError
from backproof.language.expression import (
    Add,
    Apply,
    Const,
    Delta,
    Expr,
    Index,
    Max,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Tensor,
    add,
    apply,
    const,
    delta,
    max_over,
    mean_over,
    mul,
    num,
    power,
    size,
    sum_over,
    tensor,
)
from backproof.language.program import Definition, Program

H, J, K = (Index(name, sort) for name, sort in (("i", "n"), ("j", "n"), ("k", "m")))
U = tensor("u")
SYSTEMS = (FLOAT64, balls(128), digits(40))


def close(found: Any, expected: Any) -> bool:
    """Whether a result of any number system is the expected number, up to the rounding of float64."""
    return abs(float(found) - float(expected)) <= 1e-12 * max(1.0, abs(float(expected)))


def brute(root: Expr, values: Mapping[str, Any], sizes: Mapping[str, int], at: Mapping[Index, int]) -> Fraction:
    """What a formula means, entry by entry and sum by sum, in fractions."""
    match root:
        case Num(value):
            return value
        case Size(sort):
            return Fraction(sizes[sort])
        case Tensor(name, indices):
            value = values[name]
            for index in indices:
                value = value[at[index]]
            return Fraction(value)
        case Delta(left, right):
            return Fraction(at[left] == at[right])
        case Add(terms):
            return sum((brute(t, values, sizes, at) for t in terms), Fraction(0))
        case Mul(factors):
            return math.prod((brute(f, values, sizes, at) for f in factors), start=Fraction(1))
        case Pow(base, exponent):
            return brute(base, values, sizes, at) ** int(exponent)
        case Apply("step", (u,), (0,)):
            return Fraction(brute(u, values, sizes, at) > 0)
        case Sum(index, body):
            return sum((brute(body, values, sizes, {**at, index: k}) for k in range(sizes[index.sort])), Fraction(0))
        case Max(index, body):
            return max(brute(body, values, sizes, {**at, index: k}) for k in range(sizes[index.sort]))
        case _:
            raise TypeError(root)


VALUES: dict[str, Any] = {
    "A": [[1, Fraction(-1, 2), 2], [3, Fraction(1, 4), -1], [0, 5, Fraction(2, 3)]],
    "M": [[2, -1], [Fraction(1, 3), 1], [0, 4]],
    "x": [1, -2, Fraction(3, 2)],
    "y": [Fraction(5, 2), -3],
    "c": Fraction(7, 5),
}
SIZES = {"n": 3, "m": 2}
LEAVES = [
    tensor("A", H, J),
    tensor("A", J, H),
    tensor("A", H, H),
    tensor("M", J, K),
    tensor("M", H, K),
    tensor("x", H),
    tensor("x", J),
    tensor("y", K),
    tensor("c"),
    delta(H, J),
    size("n"),
    num(Fraction(-2, 3)),
]


def wider(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    index = st.sampled_from([H, J, K])
    return st.one_of(
        st.builds(add, parts, parts),
        st.builds(mul, parts, parts),
        st.builds(sum_over, index, parts),
        st.builds(sum_over, index, st.builds(mul, parts, parts)),
        st.builds(max_over, index, parts),
        st.builds(lambda e: power(e, 2), parts),
        st.builds(lambda e: apply("step", e), parts),
    )


@given(st.recursive(st.sampled_from(LEAVES), wider, max_leaves=8))
@settings(max_examples=150, deadline=None)
def test_a_formula_means_its_entries_one_by_one(formula: Expr) -> None:
    indices = tuple(sorted(formula.free, reverse=True))
    shape = tuple(SIZES[i.sort] for i in indices)
    try:
        exact = evaluate_expr(formula, VALUES, indices=indices, sizes=SIZES, numbers=balls(200))
    except DomainError as error:
        if "not decided" not in error.what:
            raise
        reject()  # [u > 0] where u is exactly 0, but known to 200 bits only
    rounded = evaluate_expr(formula, VALUES, indices=indices, sizes=SIZES, numbers=digits(50))
    for place in itertools.product(*map(range, shape)):
        expected = brute(formula, VALUES, SIZES, dict(zip(indices, place, strict=True)))
        ball = exact[place] if place else exact
        with flint.ctx.workprec(1000):
            assert (ball * expected.denominator - expected.numerator).contains(0)
        assert ball.rel_accuracy_bits() > 100 or ball == 0 or expected == 0
        assert abs(float(rounded[place] if place else rounded) - expected) <= 1e-12 * (1 + abs(expected))


@given(
    st.recursive(
        st.sampled_from(LEAVES[:9]), lambda p: st.one_of(st.builds(add, p, p), st.builds(mul, p, p)), max_leaves=8
    )
)
@settings(max_examples=50, deadline=None)
def test_float64_means_the_same(formula: Expr) -> None:
    total = sum_over((H, J, K), formula)
    expected = brute(total, VALUES, SIZES, {})
    absolute = {name: abs(np.array(value, dtype=object)) for name, value in VALUES.items()}
    assert float(evaluate_expr(total, VALUES, sizes=SIZES)) == pytest.approx(
        float(expected), abs=1e-13 * float(brute(total, absolute, SIZES, {}))
    )


def test_einsum_agrees_with_numpy() -> None:
    random = np.random.default_rng(1)
    a, b, v = random.normal(size=(30, 40)), random.normal(size=(40, 50)), random.normal(size=50)
    i, j, k = Index("i", "p"), Index("j", "q"), Index("k", "r")
    chain = sum_over((j, k), mul(tensor("a", i, j), tensor("b", j, k), tensor("v", k)))
    found = evaluate_expr(chain, {"a": a, "b": b, "v": v}, indices=(i,))
    np.testing.assert_allclose(found, a @ (b @ v), rtol=1e-12)


@pytest.mark.parametrize("numbers", SYSTEMS, ids=lambda s: s.name)
def test_every_number_system_agrees_on_the_axioms(numbers: NumberSystem) -> None:
    formula = add(
        apply("exp", U),
        apply("log", U),
        apply("sin", U),
        apply("cos", U),
        apply("atan", U),
        apply("erf", U),
        apply("step", U),
        const("pi"),
        power(U, Fraction(1, 2)),
        power(U, Fraction(-3, 2)),
        power(U, Fraction(2, 3)),
        power(U, -2),
    )
    mpmath.mp.dps = 30
    u = mpmath.mpf(3) / 4
    functions = (mpmath.exp, mpmath.log, mpmath.sin, mpmath.cos, mpmath.atan, mpmath.erf)
    expected = sum(f(u) for f in functions) + 1 + mpmath.pi + u ** mpmath.mpf("0.5") + u ** mpmath.mpf("-1.5")
    expected += u ** (mpmath.mpf(2) / 3) + u**-2
    assert close(evaluate_expr(formula, {"u": Fraction(3, 4)}, numbers=numbers), expected)


def test_balls_contain_the_value_and_are_narrow() -> None:
    found = evaluate_expr(apply("exp", U), {"u": Fraction(1, 3)}, numbers=balls(300))
    mpmath.mp.dps = 100
    exact = mpmath.exp(mpmath.mpf(1) / 3)
    assert abs(mpmath.mpf(found.mid().str(90, radius=False)) - exact) < mpmath.mpf(10) ** -80
    assert found.rel_accuracy_bits() > 280


def test_balls_around_zero_have_powers() -> None:
    third = Fraction(1, 3)
    for exponent in (2, 3, 5, 8):
        around = power(add(mul(3, U), -1), exponent)
        found = evaluate_expr(around, {"u": third}, numbers=balls(64))
        assert found.contains(0)
        assert abs(found) < 1e-10
    assert evaluate_expr(power(U, -3), {"u": Fraction(-1, 2)}, numbers=balls(64)) == -8
    assert evaluate_expr(power(U, Fraction(3, 2)), {"u": 0}, numbers=balls(64)) == 0


def test_the_precision_of_flint_is_left_as_it_was() -> None:
    before = flint.ctx.prec
    evaluate_expr(apply("exp", U), {"u": 1}, numbers=balls(500))
    with pytest.raises(DomainError):
        evaluate_expr(apply("log", U), {"u": -1}, numbers=balls(500))
    assert flint.ctx.prec == before


@pytest.mark.parametrize("numbers", SYSTEMS[1:], ids=lambda s: s.name)
@pytest.mark.parametrize(
    ("formula", "u"),
    [
        (power(U, -1), 0),
        (power(U, Fraction(1, 2)), -1),
        (power(U, Fraction(-1, 2)), 0),
        (apply("log", U), 0),
        (apply("log", U), -2),
    ],
)
def test_exact_numbers_have_no_infinity(numbers: NumberSystem, formula: Expr, u: int) -> None:
    with pytest.raises(DomainError):
        evaluate_expr(formula, {"u": u}, numbers=numbers)


def test_float64_has_infinities_and_no_warnings() -> None:
    assert evaluate_expr(power(U, -1), {"u": 0}) == math.inf
    assert evaluate_expr(apply("log", U), {"u": 0}) == -math.inf
    assert math.isnan(evaluate_expr(apply("log", U), {"u": -1}))
    assert evaluate_expr(apply("exp", U), {"u": 1000}) == math.inf


def test_a_step_is_zero_at_zero_and_must_be_decided() -> None:
    step = apply("step", U)
    assert [float(evaluate_expr(step, {"u": 0}, numbers=s)) for s in SYSTEMS] == [0.0, 0.0, 0.0]
    undecided = apply("step", add(apply("exp", apply("log", U)), mul(-1, U)))
    with pytest.raises(DomainError, match="not decided"):
        evaluate_expr(undecided, {"u": Fraction(1, 3)}, numbers=balls(64))


def test_the_branch_that_does_not_hold_may_overflow_in_float64() -> None:
    positive = apply("step", U)
    formula = add(mul(positive, U), mul(add(1, mul(-1, positive)), apply("exp", U)))
    assert evaluate_expr(formula, {"u": 1000.0}) == 1000.0
    assert math.isnan(evaluate_expr(formula, {"u": math.nan}))


def test_a_function_and_its_slopes_come_from_its_definition() -> None:
    mpmath.mp.dps = 60

    def sigmoid(u: Any) -> Any:
        return 1 / (1 + mpmath.exp(-u))

    for order in range(4):
        found = evaluate_expr(apply("sigmoid", U, orders=(order,)), {"u": Fraction(5, 8)}, numbers=digits(60))
        expected = mpmath.diff(sigmoid, mpmath.mpf(5) / 8, order)
        assert abs(found - expected) < mpmath.mpf(10) ** -20


def test_abstract_functions_are_given() -> None:
    cube = [lambda u: u**3, lambda u: 3 * u**2]
    formula = add(apply("f", U), apply("f", U, orders=(1,)))
    for numbers in SYSTEMS:
        assert close(evaluate_expr(formula, {"u": 2}, numbers=numbers, functions={"f": cube}), 8 + 12)
    two = {(0, 0): lambda a, y: a * y, (1, 0): lambda _, y: y}
    by_a = apply("ell", U, tensor("y"), orders=(1, 0))
    assert evaluate_expr(by_a, {"u": 2, "y": 5}, functions={"ell": two}) == 5
    with pytest.raises(UnknownNameError, match="not given"):
        evaluate_expr(apply("f", U, orders=(2,)), {"u": 2}, functions={"f": cube})
    with pytest.raises(UnknownNameError, match="g has no value"):
        evaluate_expr(apply("g", U), {"u": 2})


@pytest.mark.parametrize("numbers", SYSTEMS, ids=lambda s: s.name)
def test_a_constant_slope_has_the_shape_of_its_argument(numbers: NumberSystem) -> None:
    slope = apply("identity", tensor("x", H), orders=(1,))
    given = apply("f", tensor("x", H), orders=(1,))
    lines = {"f": [lambda u: 3 * u, lambda _: 3]}
    for formula, expected in ((slope, [1, 1, 1]), (given, [3, 3, 3])):
        found = evaluate_expr(formula, {"x": [5, 6, 7]}, indices=(H,), numbers=numbers, functions=lines)
        assert [float(v) for v in found] == expected
        total = evaluate_expr(sum_over(H, formula), {"x": [5, 6, 7]}, numbers=numbers, functions=lines)
        assert float(total) == sum(expected)
    # Two arguments with different axes: the slope of y·a by a is y, for every a.
    outer = apply("ell", tensor("x", H), tensor("y", K), orders=(1, 0))
    found = evaluate_expr(
        outer,
        {"x": [5, 6], "y": [1, 2, 3]},
        indices=(H, K),
        numbers=numbers,
        functions={"ell": {(1, 0): lambda _, y: y}},
    )
    assert [[float(v) for v in row] for row in found] == [[1, 2, 3]] * 2


def test_a_hyperparameter_has_its_value_or_the_catalogue_s() -> None:
    leaky = apply("leaky-relu", tensor("x", H))
    assert list(evaluate_expr(leaky, {"x": [-1, 2]}, indices=(H,))) == [-0.01, 2]
    program = Program({"x": ("n",), "alpha": ()}, (Definition("a", (H,), leaky),))
    assert list(evaluate(program, {"x": [-1, 2], "alpha": 0.25})["a"]) == [-0.25, 2]
    assert list(evaluate(program, {"x": [-1, 2]})["a"]) == [-0.01, 2]


def test_indices_that_a_definition_lacks_are_spread() -> None:
    found = evaluate_expr(tensor("x", H), {"x": [1, 2]}, indices=(K, H), sizes={"m": 3})
    assert found.tolist() == [[1, 2]] * 3
    exact = evaluate_expr(num(1), {}, indices=(H,), sizes={"n": 2}, numbers=balls(64))
    assert [float(x) for x in exact] == [1, 1]


def test_a_sort_of_digits_is_a_size() -> None:
    i = Index("i", "3")
    assert evaluate_expr(sum_over(i, tensor("x", i)), {"x": [1, 2, 3]}) == 6
    with pytest.raises(ShapeError, match="value of x"):
        evaluate_expr(sum_over(i, tensor("x", i)), {"x": [1, 2]})


def test_means_use_the_size() -> None:
    assert evaluate_expr(mean_over(H, tensor("x", H)), {"x": [1, 2, 6]}) == 3


def test_shapes_that_do_not_fit_are_named() -> None:
    program = Program({"A": ("n", "m"), "x": ("n",)}, ())
    with pytest.raises(ShapeError) as caught:
        evaluate(program, {"A": [[1, 2, 3], [4, 5, 6]], "x": [1, 2, 3]})
    assert "value of x" in str(caught.value)
    assert "n = 2" in str(caught.value)
    assert "(3)" in str(caught.value)
    with pytest.raises(ShapeError, match="value of A"):
        evaluate(program, {"A": [1, 2], "x": [1, 2]})
    with pytest.raises(ShapeError, match="value of x"):
        evaluate(program, {"A": [[1], [2]], "x": []})


def test_unknown_sizes_and_missing_values_are_errors() -> None:
    with pytest.raises(ShapeError, match="size n is not known"):
        evaluate_expr(size("n"), {})
    with pytest.raises(UnknownNameError, match="x has no value"):
        evaluate(Program({"x": ("n",)}, ()), {})
    with pytest.raises(ShapeError, match="indices that its result lacks"):
        evaluate_expr(tensor("x", H), {"x": [1]})


@pytest.mark.parametrize("numbers", SYSTEMS, ids=lambda s: s.name)
def test_values_that_are_no_numbers_are_errors(numbers: NumberSystem) -> None:
    for wrong in ("seven", [1, [2, 3]], None, [1, "x"], 1 + 2j):
        with pytest.raises((DomainError, ShapeError)):
            evaluate_expr(sum_over(H, tensor("x", H)), {"x": wrong}, numbers=numbers)


def test_depth_does_not_matter() -> None:
    deep = U
    for _ in range(10_000):
        deep = add(1, power(deep, Fraction(1, 2)))
    golden = (3 + math.sqrt(5)) / 2
    assert evaluate_expr(deep, {"u": 1}) == pytest.approx(golden, rel=1e-12)


def test_arrays_are_bounded() -> None:
    wide = mul(*(tensor("x", Index(f"i{k}", "n")) for k in range(12)))
    with pytest.raises(LimitError):
        evaluate_expr(wide, {"x": list(range(10))}, indices=sorted(wide.free))
    many = mul(*(tensor("x", Index(f"i{k}", "n")) for k in range(40)))
    with pytest.raises(LimitError, match="indices"):
        evaluate_expr(many, {"x": [1]}, indices=sorted(many.free))
    with pytest.raises(LimitError):
        evaluate_expr(sum_over(sorted(many.free), many), {"x": [1]})
    with pytest.raises(LimitError):
        balls(10**9)
    with pytest.raises(LimitError):
        digits(10**9)


def dense_network(examples: int) -> tuple[Program, dict[str, Any]]:
    i, j, k, b = Index("i", "h"), Index("j", "n"), Index("k", "c"), Index("b", "m")
    program = Program(
        {"x": ("n", "m"), "y": ("c", "m"), "v": ("h", "n"), "w": ("c", "h"), "d": ("c",)},
        (
            Definition("z", (i, b), sum_over(j, mul(tensor("v", i, j), tensor("x", j, b)))),
            Definition("a", (i, b), apply("sigmoid", tensor("z", i, b))),
            Definition("o", (k, b), add(sum_over(i, mul(tensor("w", k, i), tensor("a", i, b))), tensor("d", k))),
            Definition("J", (), mean_over(b, sum_over(k, power(tensor("o", k, b) - tensor("y", k, b), 2)))),
        ),
    )
    random = np.random.default_rng(0)
    shapes = {"x": (400, examples), "y": (10, examples), "v": (25, 400), "w": (10, 25), "d": (10,)}
    values = {name: random.normal(size=shape) / 10 for name, shape in shapes.items()}
    return program.extended(adjoints(program, "J").values()), values


def test_a_matrix_product_makes_no_array_over_all_its_indices() -> None:
    program, values = dense_network(5000)
    evaluate(program, values)
    tracemalloc.start()
    try:
        found = evaluate(program, values)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    one_product = 8 * 5000 * 400 * 25
    assert peak < one_product / 5
    a = 1 / (1 + np.exp(-values["v"] @ values["x"]))
    error = 2 * (values["w"] @ a + values["d"][:, None] - values["y"]) / 5000
    np.testing.assert_allclose(found["∂J/∂w"], error @ a.T, rtol=1e-10)
    np.testing.assert_allclose(found["∂J/∂v"], ((values["w"].T @ error) * a * (1 - a)) @ values["x"].T, rtol=1e-9)
    np.testing.assert_allclose(found["∂J/∂d"], error.sum(axis=1), rtol=1e-10)


def test_unused_constants_are_unknown_names() -> None:
    for numbers in SYSTEMS:
        with pytest.raises(UnknownNameError, match="tau"):
            evaluate_expr(const("tau"), {}, numbers=numbers)
    assert isinstance(const("pi"), Const)
