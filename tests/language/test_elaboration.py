from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language.programs_for_reading import batch, matrices, output_layer, symbolic_depth, two_layers

from backproof.errors import BackproofError, DomainError, FormulaError, LimitError, ShapeError, UnknownNameError
from backproof.language.elaboration import Reading, Scope, elaborate
from backproof.language.expression import (
    Expr,
    Index,
    Tensor,
    add,
    apply,
    const,
    delta,
    max_over,
    mul,
    num,
    one,
    power,
    size,
    sum_over,
    tensor,
)
from backproof.language.grammar import parse
from backproof.language.notation import Bracketed, Call, Negative, Notation, Number, Plus, Product, Relation, Symbol
from backproof.language.program import Program

OUTPUT, COLUMNS, ROWS, DEPTH, IDENTITIES = (
    output_layer(),
    two_layers(),
    two_layers("rows"),
    symbolic_depth(),
    matrices(),
)
BATCH, BATCH_ROWS = batch(), batch("rows")


def readings(text: str, scope: Scope) -> tuple[Reading, ...]:
    return elaborate(parse(text), scope, text)


def right(text: str, scope: Scope) -> Expr:
    """The last side of the likeliest reading."""
    return readings(text, scope)[0].sides[-1].expr


def k(name: str, index: str = "i") -> Expr:
    return tensor(name, Index(index, "k"))


def minus(u: Expr) -> Expr:
    return mul(-1, u)


a, y, z = k("a"), k("y"), k("z")
error = add(a, minus(y))
slope = apply("f", z, orders=(1,))
ak, yk, zk = k("a", "k"), k("y", "k"), k("z", "k")
K = Index("k", "k")
row_k, row_h, row_n = Index("i", "k"), Index("i", "h"), Index("i", "n")
col_h, col_n = Index("j", "h"), Index("j", "n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a - y", error),
        ("a_L - y", error),
        ("a^{(L)} - y", error),
        ("a(L) - y", error),
        ("yhat - y", error),
        (r"\hat{y} - y", error),
        ("ŷ − y", error),
        (r"\hat y_k - y_k", add(ak, minus(yk))),
        ("(a - y) * f'(z)", mul(error, slope)),
        ("(a-y)f'(z)", mul(error, slope)),
        (r"(a - y) \odot f'(z)", mul(error, slope)),
        (r"(a - y) \circ f'(z^{(L)})", mul(error, slope)),
        ("(a - y) .* f'(z_L)", mul(error, slope)),
        (r"(a - y) \cdot f'(z)", mul(error, slope)),
        ("a(1 - a)", mul(a, add(minus(a), 1))),
        ("a*(1-a)", mul(a, add(minus(a), 1))),
        (r"\sigma'(z)", apply("sigmoid", z, orders=(1,))),
        ("σ'(z)", apply("sigmoid", z, orders=(1,))),
        ("sigmoid(z)(1 - sigmoid(z))", mul(apply("sigmoid", z), add(minus(apply("sigmoid", z)), 1))),
        ("-y/a + (1-y)/(1-a)", add(minus(mul(y, power(a, -1))), mul(add(minus(y), 1), power(add(minus(a), 1), -1)))),
        (
            r"-\frac{y}{a} + \frac{1-y}{1-a}",
            add(minus(mul(y, power(a, -1))), mul(add(minus(y), 1), power(add(minus(a), 1), -1))),
        ),
        (r"-y \log a", minus(mul(y, apply("log", a)))),
        ("-y ln(a)", minus(mul(y, apply("log", a)))),
        ("2(a - y)", mul(2, error)),
        ("0.5 a", mul(Fraction(1, 2), a)),
        (r"\frac{1}{2} a", mul(Fraction(1, 2), a)),
        ("a^2", power(a, 2)),
        ("sqrt(a)", power(a, Fraction(1, 2))),
        (r"\sqrt{a}", power(a, Fraction(1, 2))),
        ("e^z", apply("exp", z)),
        ("e^{-z_k}", apply("exp", minus(zk))),
        (r"\exp(-z)", apply("exp", minus(z))),
        ("a^{lambda}", apply("exp", mul(tensor("lambda"), apply("log", a)))),
        (r"\pi a", mul(const("pi"), a)),
        ("|a|", mul(a, add(mul(2, apply("step", a)), -1))),
        ("max(0, z)", mul(z, apply("step", z))),
        ("[z > 0]", apply("step", z)),
        (r"\mathbb{1}[z > 0]", apply("step", z)),
        ("[z >= 0]", add(1, minus(apply("step", minus(z))))),
        (r"\begin{cases} z & z > 0 \\ 0 & \text{otherwise} \end{cases}", mul(apply("step", z), z)),
        ("sum(y)", sum_over(row_k, y)),
        ("mean(y)", mul(power(size("k"), -1), sum_over(row_k, y))),
        (r"\sum_k y_k", sum_over(K, yk)),
        (r"\sum_{k=1}^{K} y_k / K", sum_over(K, mul(yk, power(size("k"), -1)))),
        (r"\frac{1}{K} \sum_{k=1}^{K} y_k", mul(power(size("k"), -1), sum_over(K, yk))),
        (r"\sum_{k \neq j} y_k", sum_over(K, mul(add(1, minus(delta(K, Index("j", "k")))), yk))),
        ("max(y)", max_over(row_k, y)),
        ("softmax(z)", mul(apply("exp", z), power(sum_over(K, apply("exp", zk)), -1))),
        (r"\frac{e^{z_k}}{\sum_j e^{z_j}}", mul(apply("exp", zk), power(sum_over(K, apply("exp", zk)), -1))),
        (r"\frac{\partial J}{\partial a}", k("∂J/∂a")),
        ("dJ/da", k("∂J/∂a")),
        ("∂J/∂a", k("∂J/∂a")),
        (r"\nabla_a J", k("∂J/∂a")),
        (r"\frac{\partial L}{\partial \hat y_k}", k("∂J/∂a", "k")),
        (r"\frac{\partial E}{\partial z_k}", k("∂J/∂z", "k")),
        ("delta", k("∂J/∂z")),
        ("delta_L", k("∂J/∂z")),
        ("δ^L", k("∂J/∂z")),
        (r"\delta^{(L)}", k("∂J/∂z")),
        (r"\delta_k", k("∂J/∂z", "k")),
        ("||a - y||^2", sum_over(row_k, power(error, 2))),
        (r"\| a - y \|", power(sum_over(row_k, power(error, 2)), Fraction(1, 2))),
        (
            r"\frac{\partial a_i}{\partial z_j}",
            mul(apply("f", k("z", "i"), orders=(1,)), delta(Index("i", "k"), Index("j", "k"))),
        ),
        ("∂a/∂z", slope),
        ("h(z)", apply("f", z)),
        ("f'", slope),
        ("1/k", power(size("k"), -1)),
        ("ell(a, y)", apply("ell", a, y)),
        ("(a - y)^2", power(error, 2)),
        ("(a)(1 - a)", mul(a, add(minus(a), 1))),
        ("a(1 - a)^2", mul(a, power(add(minus(a), 1), 2))),
    ],
)
def test_one_layer(text: str, expected: Expr) -> None:
    assert right(text, OUTPUT) is expected


W2, delta2 = tensor("W(2)", row_k, col_h), k("∂J/∂z(2)")
H, N = Index("h", "h"), Index("n", "n")
back = sum_over(K, mul(tensor("W(2)", K, row_h), k("∂J/∂z(2)", "k")))
slope1 = apply("f", tensor("z(1)", row_h), orders=(1,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\delta_1 = (W_2^T \delta_2) \odot f'(z_1)", mul(back, slope1)),
        ("delta_1 = W_2.T @ delta_2 * f'(z_1)", mul(back, slope1)),
        ("delta1 = W2^T delta2 ⊙ f'(z1)", mul(back, slope1)),
        (r"\delta^{(1)} = \left(W^{(2)}\right)^\top \delta^{(2)} \circ f'\left(z^{(1)}\right)", mul(back, slope1)),
        (r"\delta^{[1]} = W^{[2]T} \delta^{[2]} * f'(z^{[1]})", mul(back, slope1)),
        (r"\delta^1 = ((W^2)^T \delta^2) \odot f'(z^1)", mul(back, slope1)),
        ("∂J/∂W2 = delta2 a1^T", mul(delta2, tensor("a(1)", col_h))),
        ("dW2 = delta2 @ a1.T", mul(delta2, tensor("a(1)", col_h))),
        ("dW2 = delta2 ⊗ a1", mul(delta2, tensor("a(1)", col_h))),
        (r"\frac{\partial J}{\partial W^{(2)}} = \delta^{(2)} (a^{(1)})^T", mul(delta2, tensor("a(1)", col_h))),
        ("z2 = W2 a1 + b2", add(sum_over(H, mul(tensor("W(2)", row_k, H), tensor("a(1)", H))), k("b(2)"))),
        ("f'(z1) W2^T delta2", mul(slope1, back)),
        ("W2", W2),
        ("W^2", W2),
        ("W^{(L)}", W2),
        ("dJ/dW1 = delta1 x^T", mul(tensor("∂J/∂z(1)", row_h), tensor("x", col_n))),
        (r"\lVert W_2 \rVert_F^2", sum_over((K, H), power(tensor("W(2)", K, H), 2))),
    ],
)
def test_two_layers_in_matrix_notation(text: str, expected: Expr) -> None:
    assert right(text, COLUMNS) is expected


J_, I_ = Index("j", "h"), Index("i", "k")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"z^{(2)}_i = \sum_j W^{(2)}_{ij} a^{(1)}_j", sum_over(J_, mul(tensor("W(2)", I_, J_), tensor("a(1)", J_)))),
        (r"z^{(2)}_i = W^{(2)}_{ij} a^{(1)}_j", sum_over(J_, mul(tensor("W(2)", I_, J_), tensor("a(1)", J_)))),
        (r"z^2_i = \sum_j w^2_{ij} a^1_j", sum_over(J_, mul(tensor("W(2)", I_, J_), tensor("a(1)", J_)))),
        (
            r"\frac{\partial J}{\partial W^{(2)}_{ij}} = \delta^{(2)}_i a^{(1)}_j",
            mul(tensor("∂J/∂z(2)", I_), tensor("a(1)", J_)),
        ),
        (r"(W_2^T \delta_2)_j", sum_over(K, mul(tensor("W(2)", K, J_), k("∂J/∂z(2)", "k")))),
        (
            r"\delta_{1,j} = \sum_k W_{2,kj} \delta_{2,k} f'(z_{1,j})",
            sum_over(K, mul(tensor("W(2)", K, J_), k("∂J/∂z(2)", "k"), apply("f", tensor("z(1)", J_), orders=(1,)))),
        ),
    ],
)
def test_two_layers_in_index_notation(text: str, expected: Expr) -> None:
    assert right(text, COLUMNS) is expected


def test_rows_have_row_vectors() -> None:
    expected = sum_over(K, mul(k("∂J/∂z(2)", "k"), tensor("W(2)", row_h, K)))
    reading = readings("delta1 = delta2 W2^T", ROWS)[0]
    assert reading.sides[1].expr is expected
    assert (reading.sides[1].row, reading.sides[1].column) == (None, row_h)
    assert reading.notes == ()
    assert right("∂J/∂W2 = a1^T delta2", ROWS) is mul(tensor("a(1)", row_h), tensor("∂J/∂z(2)", Index("j", "k")))


def test_the_other_layout_is_read_and_said() -> None:
    (reading,) = readings("delta1 = delta2 W2", COLUMNS)
    assert reading.notes == ("read with vectors as rows",)
    assert reading.sides[1].expr is sum_over(K, mul(k("∂J/∂z(2)", "k"), tensor("W(2)", K, row_h)))
    strict = Scope(COLUMNS.program, COLUMNS.aliases, COLUMNS.functions, COLUMNS.gradients, layouts="declared")
    with pytest.raises(ShapeError):
        readings("delta1 = delta2 W2", strict)


m = Index("m", "m")
A, Y = tensor("A", row_k, m), tensor("Y", row_k, m)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dW = (A - Y) X^T / m", mul(sum_over(m, mul(add(A, minus(Y)), tensor("X", col_n, m))), power(size("m"), -1))),
        (
            r"dW = \frac{1}{N} (A - Y) X^T",
            mul(power(size("m"), -1), sum_over(m, mul(add(A, minus(Y)), tensor("X", col_n, m)))),
        ),
        ("db = sum(A - Y, axis=1) / m", mul(sum_over(m, add(A, minus(Y))), power(size("m"), -1))),
        (r"db = \sum_{i=1}^{m} (a^{(i)} - y^{(i)})", sum_over(m, add(A, minus(Y)))),
        (r"\sum_{i=1}^{m} \sum_k y^{(i)}_k", sum_over((m, K), tensor("Y", K, m))),
    ],
)
def test_batches(text: str, expected: Expr) -> None:
    assert right(text, BATCH) is expected


def test_a_bias_is_repeated_over_the_examples_in_both_layouts() -> None:
    unit = Index("j", "m")
    columns = readings("Z = W X + b", BATCH)[0]
    assert columns.sides[1].expr is add(sum_over(N, mul(tensor("W", row_k, N), tensor("X", N, unit))), k("b"))
    assert columns.notes == ("a vector is repeated along the other axis of a matrix",)
    example, out = Index("i", "m"), Index("j", "k")
    rows = right("Z = X W + b", BATCH_ROWS)
    assert rows is add(sum_over(N, mul(tensor("X", example, N), tensor("W", N, out))), tensor("b", out))


def test_softmax_runs_over_the_units_of_a_batch() -> None:
    for scope, unit_first in ((BATCH, True), (BATCH_ROWS, False)):
        unit, example = (Index("i", "k"), Index("j", "m")) if unit_first else (Index("j", "k"), Index("i", "m"))

        def entry(index: Index, first: bool = unit_first, example: Index = example) -> Expr:
            return apply("exp", tensor("Z", index, example) if first else tensor("Z", example, index))

        assert right("softmax(Z)", scope) is mul(entry(unit), power(sum_over(K, entry(K)), -1))


H1, G1, P1 = Index("i", "h"), Index("j", "g"), Index("p", "p")


@pytest.mark.parametrize(
    "text",
    [
        r"\delta^{(l)} = (W^{(l+1)})^T \delta^{(l+1)} \odot f'(z^{(l)})",
        r"\delta_l = W_{l+1}^T \delta_{l+1} \odot f'(z_l)",
        r"\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot f'(z^l)",
        "delta(l) = W(l+1)^T delta(l+1) * f'(z(l))",
        "δ(l) = (W(l+1).T @ δ(l+1)) * f'(z(l))",
    ],
)
def test_symbolic_depth(text: str) -> None:
    product = sum_over(P1, mul(tensor("W(l+1)", P1, H1), tensor("∂J/∂z(l+1)", P1)))
    assert right(text, DEPTH) is mul(product, apply("f", tensor("z(l)", H1), orders=(1,)))


def test_the_gradient_of_layer_l_by_an_entry() -> None:
    j, g = Index("j", "h"), Index("k", "g")
    expected = mul(tensor("a(l-1)", g), tensor("∂J/∂z(l)", j))
    (reading,) = readings(r"\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_k \delta^l_j", DEPTH)
    assert [side.expr for side in reading.sides] == [tensor("∂J/∂W(l)", j, g), expected]


n_i, n_j, n_p = Index("i", "n"), Index("j", "n"), Index("p", "n")
x, v = tensor("x", n_i), tensor("y", n_i)


def entry(name: str, *indices: Index) -> Expr:
    return tensor(name, *indices)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x^T A y", sum_over(n_j, mul(sum_over(n_i, mul(entry("x", n_i), entry("A", n_i, n_j))), entry("y", n_j)))),
        ("x^T y", sum_over(n_i, mul(x, v))),
        ("x y^T", mul(x, entry("y", n_j))),
        ("tr(A)", sum_over(n_i, entry("A", n_i, n_i))),
        ("A I", sum_over(n_p, mul(entry("A", n_i, n_p), delta(n_p, n_j)))),
        ("diag(x)", mul(delta(n_i, n_j), x)),
        ("diag(A)", entry("A", n_i, n_i)),
        ("A^2", sum_over(n_p, mul(entry("A", n_i, n_p), entry("A", n_p, n_j)))),
        ("A .* B", mul(entry("A", n_i, n_j), entry("B", n_i, n_j))),
        ("A * B", mul(entry("A", n_i, n_j), entry("B", n_i, n_j))),
        ("A B", sum_over(n_p, mul(entry("A", n_i, n_p), entry("B", n_p, n_j)))),
        ("x^gamma", apply("exp", mul(tensor("gamma"), apply("log", x)))),
        ("n x", mul(size("n"), x)),
        ("1^T x", sum_over(n_i, x)),
        ("x * (y > 0)", mul(x, apply("step", v))),
        ("T_{ijk}", tensor("T", n_i, Index("j", "m"), Index("k", "p"))),
        ("2^10", num(1024)),
        ("0.1 + 0.2", num(Fraction(3, 10))),
    ],
)
def test_identities(text: str, expected: Expr) -> None:
    assert right(text, IDENTITIES) is expected


def test_a_trace_written_with_a_repeated_index_is_an_alternative() -> None:
    plain, summed = readings("A_{ii}", IDENTITIES)
    assert plain.sides[0].expr is entry("A", n_i, n_i)
    assert summed.sides[0].expr is sum_over(n_i, entry("A", n_i, n_i))
    assert summed.notes == ("the repeated index i is summed over",)


def test_equal_shapes_under_a_star_have_both_readings_for_square_matrices() -> None:
    elementwise, product = readings("A * B", IDENTITIES)
    assert elementwise.notes == ("* read as the elementwise product",)
    assert product.notes == ("* read as the matrix product",)
    assert elementwise.cost < product.cost


def test_a_superscript_is_a_layer_and_a_power_where_both_exist() -> None:
    square, layer = readings("a^2", COLUMNS)
    assert square.sides[0].expr is power(k("a(2)"), 2)
    assert layer.sides[0].expr is k("a(2)")


def test_the_upper_bound_that_nothing_defines_is_noted() -> None:
    reading = readings(r"\sum_{k=1}^{K} y_k", OUTPUT)[0]
    assert reading.notes == ("K is taken to be the size of the index k",)


def test_the_loss_is_the_sum_of_what_it_is_compared_with() -> None:
    (reading,) = readings("J = (a - y)^2", OUTPUT)
    assert reading.sides[1].expr is sum_over(row_k, power(error, 2))
    assert reading.notes == ("compared with the loss, entries are summed",)


def test_index_and_matrix_notation_meet() -> None:
    (reading,) = readings("delta = a_k - y_k", OUTPUT)
    assert reading.sides[1].expr is error
    assert reading.sides[0].row == reading.sides[1].row == row_k


def test_a_numbered_layer_is_the_output_layer_where_nothing_has_layers() -> None:
    (reading,) = readings("δ(3) = a^{(3)} - y", OUTPUT)
    assert [side.expr for side in reading.sides] == [k("∂J/∂z"), error]
    assert reading.notes == ("layer 3 is read as the output layer",)
    assert right("a^3", OUTPUT) is power(a, 3)


def test_a_sum_over_the_examples_of_one_example_is_its_only_term() -> None:
    reading = readings(r"\frac{1}{m} \sum_{i=1}^{m} (a^{(i)} - y^{(i)})", OUTPUT)[0]
    assert reading.sides[0].expr is error
    assert "there is one example; the superscript (i) is left out" in reading.notes


def test_a_sum_over_the_layers_is_written_out() -> None:
    reading = readings(r"\sum_{l=1}^{L} \|W^{(l)}\|_F^2", COLUMNS)[0]
    first = sum_over((H, N), power(tensor("W(1)", H, N), 2))
    second = sum_over((K, H), power(tensor("W(2)", K, H), 2))
    assert reading.sides[0].expr is add(first, second)
    assert reading.notes == ("the sum over l read as running over the layers 1 to 2",)


def test_a_derivative_by_a_letter_that_does_not_occur_is_by_what_is_computed() -> None:
    def slope_of(_expr: Expr, entry: Tensor) -> Expr:
        return tensor("slope", *entry.indices)

    with_slope = replace(OUTPUT, differentiate=slope_of)
    (reading,) = readings(r"\frac{d}{dx} (y \log a)", with_slope)[:1]
    assert "x does not occur; read as the derivative by a" in reading.notes


def test_a_jacobian_and_an_entrywise_derivative_are_told_apart_by_the_other_side() -> None:
    (entrywise,) = readings("∂a/∂z = f'(z)", OUTPUT)
    assert entrywise.notes == ("a derivative of a vector by a vector read entry by entry",)
    (jacobian,) = readings("∂a/∂z = diag(f'(z))", OUTPUT)
    assert jacobian.notes == ("a derivative of a vector by a vector read as the Jacobian ∂a_i/∂z_j",)
    assert jacobian.sides[0].expr is mul(slope, delta(Index("i", "k"), Index("j", "k")))


def test_the_other_meaning_of_a_letter_comes_second() -> None:
    product, call, _ = readings("h(1 - h)", OUTPUT)
    assert product.sides[0].expr is mul(a, add(minus(a), 1))
    assert call.sides[0].expr is apply("f", add(minus(a), 1))


@pytest.mark.parametrize(
    ("text", "scope", "error", "expected", "got"),
    [
        ("∂J/∂W2 = a1 delta2^T", COLUMNS, ShapeError, "k × h", "h × k"),
        ("delta1 = W2 delta2", COLUMNS, ShapeError, "h rows on the right of k × h", "k × h times k × 1"),
        ("db = A - Y", BATCH, ShapeError, "k × 1", "k × m"),
        ("x + x^T", IDENTITIES, ShapeError, "two equal shapes; one side is n × 1", "1 × n"),
        (r"\sum_j W^{(2)}_{ij} x_j", COLUMNS, ShapeError, "j = 1 … h as elsewhere in the formula", None),
        ("y_i = A_{ij} x_k", IDENTITIES, ShapeError, "i", "i, j, k"),
        ("W x + x", IDENTITIES, ShapeError, None, None),
        ("tr(W)", IDENTITIES, ShapeError, "n × n", "m × n"),
        ("bogus + 1", OUTPUT, UnknownNameError, None, None),
        ("foo(z)", OUTPUT, UnknownNameError, None, None),
        ("∂J/∂bogus", OUTPUT, UnknownNameError, None, None),
        ("softplus'(z)", OUTPUT, UnknownNameError, None, None),
        (r"\prod_k a_k", OUTPUT, FormulaError, None, None),
        ("f^{-1}(a)", OUTPUT, FormulaError, None, None),
        (r"\sum_{k=2}^{K} y_k", OUTPUT, FormulaError, None, None),
        (r"\sum_i 1", OUTPUT, FormulaError, None, None),
        ("T", IDENTITIES, FormulaError, "at most 2 axes in matrix notation", None),
        ("(A x)_3", IDENTITIES, FormulaError, "an index letter", None),
        ("det(A)", IDENTITIES, FormulaError, None, None),
        ("A^{-1}", IDENTITIES, FormulaError, None, None),
        ("9^9^9^9", OUTPUT, LimitError, None, None),
        ("a/0", OUTPUT, DomainError, None, None),
    ],
)
def test_what_has_no_reading(
    text: str, scope: Scope, error: type[BackproofError], expected: str | None, got: str | None
) -> None:
    with pytest.raises(error) as caught:
        readings(text, scope)
    assert expected is None or caught.value.expected == expected
    assert got is None or caught.value.got == got
    place = caught.value.place
    assert place is not None
    assert place.text == text
    assert 0 <= place.start < place.end <= len(text)


def test_a_shape_error_points_at_the_side_that_does_not_fit() -> None:
    with pytest.raises(ShapeError) as caught:
        readings("∂J/∂W2 = a1 delta2^T", COLUMNS)
    assert caught.value.place is not None
    assert caught.value.place.text[caught.value.place.start :] == "a1 delta2^T"


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError) as caught:
        readings("lamda * a", OUTPUT)
    assert caught.value.next == "did you mean lambda?"


def nested(depth: int, wrap: str) -> Notation:
    node: Notation = Symbol("z")
    for _ in range(depth):
        match wrap:
            case "brackets":
                node = Bracketed(Negative(node))
            case "calls":
                node = Call(Symbol("f"), (node,))
            case _:
                node = Product("⊙", (node, Plus(((1, node), (1, Number(Fraction(1))))) if depth < 3 else Symbol("a")))
    return node


@pytest.mark.parametrize("wrap", ["brackets", "calls", "products"])
def test_depth_breaks_nothing(wrap: str) -> None:
    assert elaborate(nested(1_000, wrap), OUTPUT)


@pytest.mark.parametrize("sign", ["", "*", "⊙", "·"])
def test_long_products_and_sums(sign: str) -> None:
    z_, a_ = Symbol("z"), Symbol("a")
    reading = elaborate(Product(sign, (z_, a_) * 1_000), OUTPUT)[0]  # type: ignore[arg-type]
    assert reading.sides[0].expr is mul(*([z, a] * 1_000))


def test_a_sum_of_ten_thousand_terms() -> None:
    reading = elaborate(Plus(((1, Symbol("z")), (-1, Symbol("a"))) * 5_000), OUTPUT)[0]
    assert reading.sides[0].expr is add(*([z, minus(a)] * 5_000))


names = st.sampled_from(["A", "B", "x", "y", "w", "W", "u", "eps"])
notations = st.recursive(
    names.map(Symbol) | st.integers(-3, 3).map(lambda v: Number(Fraction(v))),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["", "*", "⊙", "@", "·", "⊗"]), st.lists(inner, min_size=2, max_size=3)).map(
            lambda p: Product(p[0], tuple(p[1]))  # type: ignore[arg-type]
        ),
        st.lists(st.tuples(st.sampled_from([1, -1]), inner), min_size=2, max_size=3).map(lambda t: Plus(tuple(t))),
        inner.map(Negative),
        inner.map(lambda n: Call(Symbol("f"), (n,))),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(notations)
def test_a_reading_has_its_own_axes_free_and_no_others(notation: Notation) -> None:
    try:
        found = elaborate(notation, IDENTITIES)
    except BackproofError:
        return
    for reading in found:
        (side,) = reading.sides
        assert side.expr.free <= set(side.axes)
        assert {axis.sort for axis in side.axes} <= {"n", "m"}


@settings(max_examples=100, deadline=None)
@given(notations)
def test_a_formula_equals_itself_on_common_axes(notation: Notation) -> None:
    try:
        found = elaborate(Relation((notation, notation), ("=",)), IDENTITIES)
    except BackproofError:
        return
    assert any(reading.sides[0] == reading.sides[1] for reading in found)


def test_programs_without_a_loss_have_no_loss_letter() -> None:
    scope = Scope(Program({"x": ("n",)}))
    with pytest.raises(UnknownNameError):
        readings("J", scope)
    assert readings("x", scope)[0].sides[0].expr is x
    assert right("0 x", scope) is num(0)
    assert right("x^0", scope) is one


@pytest.mark.parametrize("text", ["delta_L = pow(z, 3)", "delta_L = np.power(z, 3)", "delta_L = z^3"])
def test_a_power_by_name_takes_negative_bases_to_whole_numbers(text: str) -> None:
    assert right(text, OUTPUT) == power(k("z"), 3)
