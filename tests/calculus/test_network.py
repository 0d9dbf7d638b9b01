"""Networks from options: programs with the right shapes, and clear errors."""

from __future__ import annotations

import pytest

from backproof.calculus.network import Network, parse_layers
from backproof.errors import NetworkError, UnknownNameError
from backproof.language.program import Assumption


@pytest.mark.parametrize(
    ("text", "sizes", "symbolic"),
    [
        ("400-25-10", ("400", "25", "10"), False),
        ("n-h-k", ("n", "h", "k"), False),
        ("2 - 3 - 1", ("2", "3", "1"), False),
        ("n-h..h-k", ("n", "h", "h", "k"), True),
        ("n-h…h-k", ("n", "h", "h", "k"), True),
    ],
)
def test_layer_sizes(text, sizes, symbolic):
    assert parse_layers(text) == (sizes, symbolic)


@pytest.mark.parametrize("text", ["", "5", "3-0-1", "3--1", "a-b..c-d", "-3-2", "n-h..h", "3-x!-1", "1-" * 3000 + "1"])
def test_layer_sizes_that_cannot_be_read(text):
    with pytest.raises(NetworkError) as caught:
        parse_layers(text)
    assert caught.value.expected


def test_unknown_entries():
    with pytest.raises(UnknownNameError):
        Network(output="sigmoidd")
    with pytest.raises(UnknownNameError):
        Network(loss="bcee")
    with pytest.raises(NetworkError):
        Network(("n", "k"), l2="λ μ")


def test_shapes_in_the_three_layouts():
    def sorts(layout, name):
        network = Network(("n", "h", "k"), layout=layout, reduction="mean")
        return network.program.sorts(name)

    assert sorts("columns", "W(1)") == ("h", "n")
    assert sorts("rows", "W(1)") == ("n", "h")
    assert sorts("rows-out-in", "W(1)") == ("h", "n")
    assert sorts("columns", "Z(1)") == ("h", "m")
    assert sorts("rows", "Z(1)") == ("m", "h")
    assert sorts("rows", "b(2)") == ("k",)


def test_the_size_of_the_batch_has_a_letter_of_its_own():
    assert Network(("m", "B", "k"), reduction="sum").program.sorts("X") == ("m", "N")


def test_what_the_loss_takes_for_granted():
    assert Network(output="softmax", loss="cross-entropy").admissible == (Assumption("y", "unit-sum", axis=0),)
    assert Network(output="sigmoid", loss="bce").admissible == ()
    rows = Network(("n", "k"), output="softmax", loss="cross-entropy", layout="rows", reduction="mean")
    assert rows.admissible == (Assumption("Y", "unit-sum", axis=1),)


def test_a_zero_penalty_is_none():
    assert Network(("n", "k"), l2="0").regulariser is None
    assert Network(("n", "k"), l2="λ").program.inputs["lambda"] == ()


def test_the_temperature_is_not_the_quantile():
    program = Network(output="tempered-softmax", loss="quantile").program
    assert {(a.tensor, a.property) for a in program.assumptions} == {("T", "positive"), ("tau", "in-unit-interval")}
