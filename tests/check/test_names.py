"""The scope of a network: every equation that is printed for it is read back in it, and proved to be the same."""

from __future__ import annotations

import pytest

from backproof import catalog
from backproof.calculus.network import Network
from backproof.check.names import program_of, scope_of
from backproof.language.elaboration import elaborate
from backproof.language.expression import Tensor
from backproof.language.grammar import parse
from backproof.language.latex import typeset
from backproof.language.notating import notate
from backproof.language.program import Definition
from backproof.language.text import write
from backproof.proof.deciding import decide
from backproof.proof.derivation import derive
from backproof.proof.verdict import Kind

SIZES = ("n", "h", "k")
NETWORKS = [
    Network(),
    Network(output="softmax", loss="cross-entropy"),
    Network(output="gelu", loss="huber"),
    Network(SIZES, hidden="leaky-relu", output="tanh", loss="mse", l2="lambda"),
    Network(("4", "3", "2"), output="softmax", loss="cross-entropy", reduction="mean", layout="rows"),
    Network(SIZES, hidden="relu", reduction="mean-all", layout="rows-out-in", l2="lambda"),
    Network(SIZES, hidden="f", output="f", loss="ell", reduction="sum"),
    Network(("n", "h", "h", "k"), symbolic_depth=True),
    Network(("n", "h", "h", "k"), symbolic_depth=True, reduction="mean", layout="rows"),
]
LAYOUTS = [
    Network(sizes, hidden="relu", output=output, loss=loss, reduction=reduction, layout=layout)
    for sizes in ((), SIZES, ("4", "3", "2"))
    for reduction in ("none", "mean")
    for layout in ("columns", "rows", "rows-out-in")
    for output, loss in (("sigmoid", "bce"), ("softmax", "cross-entropy"), ("tanh", "mse"), ("leaky-relu", "huber"))
]


def equations(network: Network) -> list[Definition]:
    """Forward, raw and derived equations."""
    derived = [
        Definition(f"∂J/∂{e.target}", e.indices, e.expr if e.general is None else e.general)
        for e in derive(network).equations
    ]
    return [*program_of(network).definitions, *derived]


def check_all(network: Network) -> None:
    program, scope = program_of(network), scope_of(network)
    for definition in equations(network):
        notation = notate(definition, program=program, symbols=catalog.symbols())
        for text in (write(notation), write(notation, ascii=True), typeset(notation)):
            left, right = elaborate(parse(text), scope, text)[0].sides
            assert isinstance(left.expr, Tensor)
            assert left.expr.name == definition.name, text
            assert decide(program, left.expr, right.expr).kind is Kind.PROVED, text


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.describe())
def test_what_is_printed_is_read_back_as_the_same_equation(network: Network):
    check_all(network)


def test_another_equation_is_not_proved():
    network = NETWORKS[3]
    left, right = elaborate(parse("delta1 = 2 W2.T @ delta2 * leaky_relu'(z1)"), scope_of(network))[0].sides
    assert decide(program_of(network), left.expr, right.expr).kind is Kind.REFUTED


@pytest.mark.slow
@pytest.mark.parametrize("network", LAYOUTS, ids=lambda n: n.describe())
def test_so_it_is_for_all_layouts(network: Network):
    check_all(network)
