from __future__ import annotations

import pytest

from backproof import catalog
from backproof.language.expression import apply, tensor
from backproof.language.program import Program
from backproof.language.walks import names
from backproof.proof.deciding import decide
from backproof.proof.verdict import Kind
from backproof.run.forms import DEFINED, FORMS, PAIRS, PRIMITIVES, careful, defined, is_careful, lowered, read


def scalars(*functions: str) -> Program:
    entries = [catalog.function(name) for name in functions]
    hyper = [h for e in entries if e is not None for h in e.hyperparameters]
    inputs = dict.fromkeys(("u", "a", "y", *(h.name for h in hyper)), ())
    return Program(inputs, (), tuple(a for h in hyper for a in h.assumptions))


@pytest.mark.parametrize(("name", "orders"), FORMS, ids=str)
def test_every_form_is_proved_equal_to_the_plain_formula(name: str, orders: tuple[int, ...]) -> None:
    entry = catalog.function(name)
    assert entry is not None
    plain = apply(name, *map(tensor, entry.parameters), orders=orders)
    verdict = decide(scalars(name), plain, defined(read(FORMS[name, orders], entry.parameters)))
    assert verdict.kind is Kind.PROVED


@pytest.mark.parametrize(("activation", "loss"), PAIRS, ids=str)
def test_every_pair_is_proved_equal_to_the_chain_rule(activation: str, loss: str) -> None:
    u, y = tensor("u"), tensor("y")
    output = apply(activation, u)
    value, slope = (defined(read(text, ("u", "y"))) for text in PAIRS[activation, loss])
    chain = apply(loss, output, y, orders=(1, 0)) * apply(activation, u, orders=(1,))
    program = scalars(activation, loss)
    assert decide(program, apply(loss, output, y), value).kind is Kind.PROVED
    assert decide(program, chain, slope).kind is Kind.PROVED


def test_a_wrong_form_is_refuted() -> None:
    wrong = read("sigmoid(u)*sigmoid(u)", ("u",))
    assert decide(scalars(), apply("sigmoid", tensor("u"), orders=(1,)), wrong).kind is Kind.REFUTED


def test_everything_elementwise_comes_down_to_primitives() -> None:
    for entry in (*catalog.activations(), *catalog.losses()):
        if entry.abstract or not entry.elementwise:
            continue
        for orders in ((0,) * len(entry.parameters), (1, *(0,) * (len(entry.parameters) - 1))):
            body = lowered(apply(entry.name, *map(tensor, entry.parameters), orders=orders))
            assert names(body) <= {*entry.parameters, *(h.name for h in entry.hyperparameters)}
            stack = [body]
            while stack:
                node = stack.pop()
                stack.extend(node.children)
                if hasattr(node, "orders"):
                    if is_careful(node.name):
                        stack.append(careful(node.name)[1])
                        continue
                    assert node.name in PRIMITIVES or node.name in DEFINED
                    assert not any(node.orders)
