"""Expressions as people write them: expected texts by hand, and reading back what was written."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language.random_formulas import entries, formula, places, program_of, value

from backproof.errors import LimitError
from backproof.language.elaboration import elaborate
from backproof.language.expression import (
    Expr,
    Index,
    add,
    apply,
    delta,
    max_over,
    mean_over,
    mul,
    power,
    size,
    sum_over,
    tensor,
)
from backproof.language.grammar import parse
from backproof.language.latex import typeset
from backproof.language.notating import notate
from backproof.language.program import Definition, Program
from backproof.language.scope import FunctionMeaning, Scope
from backproof.language.text import write

i, j, k, p = (Index(name, sort) for name, sort in (("i", "h"), ("j", "n"), ("k", "k"), ("p", "n")))
b = Index("b", "m")

LAYERS = Program(
    {
        "W": ("k", "h"),
        "x": ("n",),
        "delta": ("k",),
        "d": ("h",),
        "z": ("h",),
        "c": ("h",),
        "A": ("n", "m"),
        "D": ("h", "m"),
        "E": ("k", "m"),
        "Z": ("h", "m"),
        "U": ("h", "n"),
        "s": (),
    }
)
ROW_LAYERS = Program({n: tuple(reversed(s)) for n, s in LAYERS.inputs.items()}, row_vectors=True)
OUTPUT = Program({"z": ("k",), "y": ("k",)}, (Definition("a", (k,), apply("sigmoid", tensor("z", k))),))


def t(name: str, *indices: Index) -> Expr:
    return tensor(name, *indices)


def turned(*indices: Index) -> tuple[Index, ...]:
    return tuple(reversed(indices))


COLUMN_FORMS = [
    # Backwards through a layer, forwards, and the gradients of its parameters.
    ((i,), sum_over(k, t("delta", k) * t("W", k, i)), "Wᵀ δ"),
    ((i,), sum_over(k, t("delta", k) * t("W", k, i) * apply("f", t("z", i), orders=(1,))), "Wᵀ δ ⊙ f′(z)"),
    ((k,), sum_over(i, t("W", k, i) * t("d", i)), "W d"),
    ((i, j), t("d", i) * t("x", j), "d xᵀ"),
    ((i, j), sum_over(b, t("D", i, b) * t("A", j, b)), "D Aᵀ"),
    ((i, j), sum_over(b, t("D", i, b) * apply("f", t("Z", i, b), orders=(1,)) * t("A", j, b)), "(D ⊙ f′(Z)) Aᵀ"),
    ((i, j), mean_over(b, t("D", i, b) * t("A", j, b)), "1/m · D Aᵀ"),
    ((i, b), sum_over(k, t("W", k, i) * t("E", k, b)), "Wᵀ E"),
    ((i, b), sum_over(j, t("U", i, j) * t("A", j, b)) + t("c", i), "U A + c"),
    ((i, j), t("s") * t("U", i, j) + t("d", i) * t("x", j), "s U + d xᵀ"),
    # A chain of three, with a sum inside a sum.
    ((i,), sum_over(k, t("W", k, i) * sum_over(b, t("E", k, b) * sum_over(j, t("A", j, b) * t("x", j)))), "Wᵀ E Aᵀ x"),
    ((), sum_over((i, j), t("d", i) * t("U", i, j) * t("x", j)), "dᵀ U x"),
    ((), sum_over(i, t("d", i) * t("z", i)), "dᵀ z"),
    # No matrix form: the whole formula has indices.
    ((i,), sum_over(b, t("D", i, b)), "Σₖ Dᵢₖ"),
    ((i, b), t("D", i, b) * sum_over(j, t("A", j, b)), "D_{i,b} Σₖ A_{k,b}"),
    ((), sum_over((i, b), power(t("D", i, b), 2)), "Σᵢ Σₖ Dᵢₖ²"),
    # Scalars beside arrays.
    ((i,), t("d", i) * sum_over(k, t("delta", k)), "d Σₖ δₖ"),
    ((i,), mul(Fraction(1, 2), t("d", i)), "½d"),
    ((i,), mul(Fraction(2, 5), t("s"), t("d", i)), "2/5 · s d"),
    ((i,), t("s") * power(t("d", i) - t("z", i), 3), "s·(d − z)³"),
    ((i,), t("d", i) * power(size("m"), -1), "d/m"),
    ((i,), t("d", i) * power(t("z", i), -1), "d/z"),
]


@pytest.mark.parametrize(("free", "expr", "expected"), COLUMN_FORMS, ids=[e for _, _, e in COLUMN_FORMS])
def test_columns(free: tuple[Index, ...], expr: Expr, expected: str):
    assert write(notate(expr, program=LAYERS, free=free)) == expected


ROW_FORMS = [
    ((i,), sum_over(k, t("delta", k) * t("W", i, k)), "δ Wᵀ"),
    ((k,), sum_over(i, t("W", i, k) * t("d", i)), "d W"),
    ((j, i), t("d", i) * t("x", j), "xᵀ d"),
    ((j, i), sum_over(b, t("D", b, i) * t("A", b, j)), "Aᵀ D"),
    ((b, i), sum_over(j, t("U", j, i) * t("A", b, j)) + t("c", i), "A U + c"),
    ((), sum_over(i, t("d", i) * t("z", i)), "d zᵀ"),
]


@pytest.mark.parametrize(("free", "expr", "expected"), ROW_FORMS, ids=[e for _, _, e in ROW_FORMS])
def test_rows(free: tuple[Index, ...], expr: Expr, expected: str):
    assert write(notate(expr, program=ROW_LAYERS, free=free)) == expected


def test_the_transpose_of_a_value_reverses_its_chain():
    expr = sum_over(b, t("D", i, b) * t("A", j, b))
    assert write(notate(expr, program=LAYERS, free=(j, i))) == "A Dᵀ"


a, y, z = (t(name, k) for name in "ayz")

ELEMENTWISE = [
    (a - y, "a − y"),
    (-(y - a), "a − y"),
    ((a - y) * a * (1 - a), "(a − y)·a(1 − a)"),
    ((y - a) * a * (a - 1), "(a − y)·a(1 − a)"),
    (2 * a * (a - 1) * (y - a), "2a(1 − a)(a − y)"),
    ((y - a) * z, "z(y − a)"),
    (apply("sigmoid", z) * (1 - apply("sigmoid", z)), "σ(z)·(1 − σ(z))"),
    (apply("sigmoid", z, orders=(1,)), "σ′(z)"),
    (-y * power(a, -1), "−y/a"),
    ((1 - y) * power(1 - a, -1) - y * power(a, -1), "(1 − y)/(1 − a) − y/a"),
    ((a - y) * power(a * (1 - a), -1), "(a − y)/(a(1 − a))"),
    (power(1 + apply("exp", -z), -1), "1/(1 + e⁻ᶻ)"),
    (mul(Fraction(1, 2), power(a - y, 2)), "½(a − y)²"),
    (power(y - a, 2), "(a − y)²"),
    (-y * apply("log", a) - (1 - y) * apply("log", 1 - a), "−y ln(a) − (1 − y) ln(1 − a)"),
    (a * sum_over(k, y) - y, "a Σₖ yₖ − y"),
    (apply("step", z) * a, "a·[z > 0]"),
    (apply("step", -z), "[z < 0]"),
    (apply("step", a - y), "[a > y]"),
    (apply("step", 6 - z), "[z < 6]"),
    (apply("step", z + 1), "[z > −1]"),
    (apply("step", -z - a), "[z + a < 0]"),
    (2 * apply("step", a - y) - 1, "2·[a > y] − 1"),
    (apply("exp", t("gamma") * apply("log", 1 - a)), "(1 − a)ᵞ"),
    (power(apply("exp", z), 2), "e²ᶻ"),
    (apply("sigmoid", z) * y, "y σ(z)"),
    (power(a - y, 2) * (1 - a), "(a − y)²(1 − a)"),
    (mul(Fraction(2, 3), sum_over(k, a * y)) - sum_over(k, a), "⅔ Σₖ aₖ yₖ − Σₖ aₖ"),
    (-sum_over(k, y) + a, "a − Σₖ yₖ"),
    (power(a, Fraction(1, 2)), "√a"),
    (power(a + y, Fraction(-1, 2)), "1/√(a + y)"),
    (power(a, Fraction(3, 2)), "a^(3/2)"),
    (power(a, 2) - 1, "a² − 1"),
    (mul(-1, a) - y, "−a − y"),
    (apply("abs", a - y), "|a − y|"),
    (sum_over(k, mul(Fraction(-1, 3), a, y)), "−⅓ Σₖ aₖ yₖ"),
    (max_over(k, a), "maxₖ aₖ"),
    (power(a, 2) * power(y, 2), "a² y²"),
    (power(a * y, 2), "(a y)²"),
    (a * power(y, -1) * power(z, -2), "a/(y z²)"),
]


@pytest.mark.parametrize(("expr", "expected"), ELEMENTWISE, ids=[e for _, e in ELEMENTWISE])
def test_the_output_layer_alone_needs_no_indices(expr: Expr, expected: str):
    free = (k,) if expr.free else ()
    assert write(notate(expr, program=OUTPUT, free=free, symbols={"sigmoid": "σ", "log": "ln"})) == expected


def test_an_equation_has_indices_on_both_sides_or_on_none():
    row_sum = Definition("r", (i,), sum_over(b, t("D", i, b)))
    assert write(notate(row_sum, program=LAYERS)) == "rᵢ = Σₖ Dᵢₖ"
    layer = Definition("z", (i,), sum_over(j, t("U", i, j) * t("x", j)))
    assert write(notate(layer, program=LAYERS)) == "z = U x"
    broadcast = Definition("R", (i, b), t("c", i))
    assert write(notate(broadcast, program=LAYERS)) == "R_{i,b} = cᵢ"


def test_an_inner_product_of_matrices_is_no_matrix_product():
    assert write(notate(sum_over((i, b), t("D", i, b) * t("D", i, b) * t("c", i)), program=LAYERS)).startswith("Σ")
    assert write(notate(Definition("J", (), sum_over((i, b), t("D", i, b) * t("G", i, b))), program=LAYERS)) == (
        "J = Σᵢ Σₖ Dᵢₖ Gᵢₖ"
    )


def test_a_softmax_jacobian_has_indices():
    q = Index("q", "k")
    jacobian = t("a", k) * (delta(k, q) - t("a", q))
    assert write(notate(jacobian, program=OUTPUT, free=(k, q))) == "aₖ([k = q] − a_q)"


def test_index_style_and_letters_that_are_names_already():
    product = sum_over(k, t("W", k, i) * t("delta", k))
    assert write(notate(product, program=LAYERS, free=(i,), style="index")) == "Σₖ Wₖᵢ δₖ"
    named = Program({"i": (), "k": (), "W": ("k", "h"), "delta": ("k",)})
    assert write(notate(product * t("i"), program=named, free=(i,), style="index")) == "i Σₚ Wₚⱼ δₚ"


def test_a_square_matrix_is_not_mixed_with_a_vector_that_could_run_either_way():
    square = Program({"Q": ("h", "h"), "c": ("h",)})
    other = Index("j", "h")
    assert write(notate(t("Q", i, other) + t("c", i), program=square, free=(i, other))) == "Qᵢⱼ + cᵢ"


def test_delta_is_a_letter_for_one_thing_only():
    adjoint = tensor("∂J/∂z", i)
    assert write(notate(adjoint, program=Program({"z": ("h",)}), free=(i,))) == "δ"
    assert write(notate(adjoint, program=LAYERS, free=(i,))) == "∂J/∂z"


def test_a_function_keeps_its_name_when_its_letter_is_a_tensor():
    program = Program({"sigma": (), "z": ("h",)})
    expr = t("sigma") * apply("sigmoid", t("z", i))
    assert write(notate(expr, program=program, free=(i,), symbols={"sigmoid": "σ"})) == "σ sigmoid(z)"


def test_a_formula_of_any_depth_is_written():
    chain = tensor("z")
    for _ in range(10_000):
        chain = apply("f", chain)
    text = write(notate(chain))
    assert text.startswith("f(f(")
    assert text.count("f") == 10_000


def test_a_formula_that_would_fill_a_library_is_refused():
    doubled = tensor("z")
    for _ in range(100):
        doubled = add(mul(doubled, doubled), apply("f", doubled))
    with pytest.raises(LimitError) as refused:
        notate(doubled)
    assert refused.value.next == "give names to parts of the formula"


SPELLINGS = {
    "unicode": write,
    "ascii": lambda notation: write(notation, ascii=True),
    "latex": typeset,
}


@pytest.mark.parametrize("spelling", [None, *SPELLINGS])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_what_is_written_is_read_back_as_the_same_formula(spelling: str | None, seed: int):
    rng = random.Random(seed)
    inputs, free = program_of(rng)
    expr = formula(rng, free, inputs.inputs, rng.choice((1, 2, 3)))
    if expr.free != frozenset(free):
        return
    definition = Definition("out", free, expr)
    program = inputs.extended([definition])
    values = entries(inputs, rng)
    try:
        wanted = {tuple(at.values()): value(expr, at, values) for at in places(free)}
    except (ZeroDivisionError, OverflowError):
        return
    scope = Scope(
        program,
        functions={"f": FunctionMeaning("f"), "g": FunctionMeaning("g", arity=2)},
        gradients={"z(2)": "∂J/∂z(2)", "W": "∂J/∂W"},
        batch="m",
    )
    written = notate(definition, program=program)
    read = written if spelling is None else parse(SPELLINGS[spelling](written))
    left, right = elaborate(read, scope)[0].sides
    values = {**values, "out": wanted}
    for at in places(tuple(sorted(left.expr.free | right.expr.free))):
        both = value(right.expr, at, values), value(left.expr, at, values)
        assert both[0] == pytest.approx(both[1], rel=1e-9, abs=1e-9), write(written)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("seed", [101023, 108426, 108765, 110754, 111468, 113239, 116482, 200034, 210876, 224558])
def test_a_power_of_a_bracket_behind_a_name_is_not_that_of_the_product(spelling: str, seed: int):
    test_what_is_written_is_read_back_as_the_same_formula.hypothesis.inner_test(spelling, seed)
