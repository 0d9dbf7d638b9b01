"""Programs: which definitions a formula needs."""

from backproof.language.expression import num, tensor
from backproof.language.program import Definition, Program

PROGRAM = Program(
    {"x": ()},
    (
        Definition("u", (), tensor("x") * tensor("x")),
        Definition("v", (), tensor("u") + tensor("x")),
        Definition("w", (), tensor("v") * tensor("u")),
    ),
)


def needed(name: str, known: tuple[str, ...] = ()) -> list[str]:
    return [d.name for d in PROGRAM.needed(tensor(name), known)]


def test_definitions_come_after_what_they_use():
    assert needed("w") == ["u", "v", "w"]
    assert needed("u") == ["u"]
    assert needed("x") == []


def test_what_is_known_is_left_out_with_what_only_it_uses():
    assert needed("v", ("u",)) == ["v"]
    assert needed("w", ("u", "v")) == ["w"]
    assert needed("w", ("w",)) == []


def test_a_chain_of_ten_thousand_definitions_is_walked():
    chain = Program({"c0": ()}, tuple(Definition(f"c{i + 1}", (), tensor(f"c{i}") + num(1)) for i in range(10_000)))
    assert [d.name for d in chain.needed(tensor("c10000"))] == [f"c{i + 1}" for i in range(10_000)]
