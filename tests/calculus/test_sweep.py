"""The reverse sweep against derivatives known by heart."""

from __future__ import annotations

from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.language.expression import Index, add, apply, delta, mul, sum_over, tensor
from backproof.language.program import Definition, Program

I, J, K = (Index(letter, "n") for letter in "ijk")


def matrix(name: str, row: Index, column: Index):
    return tensor(name, row, column)


def loss(inputs, body):
    return Program(inputs, (Definition("J", (), body),))


def test_trace_gives_a_kronecker_delta():
    found = adjoints(loss({"A": ("n", "n")}, sum_over(I, matrix("A", I, I))), "J")["A"]
    assert found.body is delta(*found.indices)


def test_quadratic_form_has_both_terms():
    body = sum_over((I, J), mul(tensor("x", I), matrix("A", I, J), tensor("x", J)))
    found = adjoints(loss({"A": ("n", "n"), "x": ("n",)}, body), "J")["x"]
    (i,) = found.indices
    rows = sum_over(K, mul(matrix("A", i, K), tensor("x", K)))
    columns = sum_over(K, mul(tensor("x", K), matrix("A", K, i)))
    assert found.body is add(rows, columns)


def test_a_function_is_not_looked_into():
    found = adjoints(loss({"z": ("n",)}, sum_over(I, apply("f", tensor("z", I)))), "J")["z"]
    assert found.body is apply("f", tensor("z", *found.indices), orders=(1,))


def test_later_equations_use_the_name_of_an_adjoint():
    program = Program(
        {"z": ("n",)},
        (
            Definition("a", (I,), apply("f", tensor("z", I))),
            Definition("J", (), sum_over(I, apply("g", tensor("a", I)))),
        ),
    )
    found = adjoints(program, "J")
    assert found["z"].body is mul(tensor(adjoint_name("J", "a"), I), apply("f", tensor("z", I), orders=(1,)))


def test_a_second_sweep_has_names_of_its_own():
    program = loss({"x": ()}, tensor("x") ** 3)
    first = adjoints(program, "J")["x"]
    second = adjoints(program.extended([Definition("H", (), first.body)]), "H")["x"]
    assert second.name != first.name
    assert second.body is mul(6, tensor("x"))


def test_a_thousand_layers():
    definitions, below = [], "x"
    for layer in range(1000):
        name = f"a({layer})"
        body = apply("f", sum_over(J, mul(matrix(f"W({layer})", I, J), tensor(below, J))))
        definitions.append(Definition(name, (I,), body))
        below = name
    definitions.append(Definition("J", (), sum_over(I, tensor(below, I) ** 2)))
    inputs = {"x": ("n",)} | {f"W({layer})": ("n", "n") for layer in range(1000)}
    found = adjoints(Program(inputs, tuple(definitions)), "J")
    assert len(found) == 2002
    assert found["a(999)"].body is mul(2, tensor("a(999)", I))
