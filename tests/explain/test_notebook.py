from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import backproof
from backproof.calculus.network import Network
from backproof.explain.notebook import constructed
from backproof.explain.showing import show


def run(notebook: str) -> tuple[dict[str, Any], str]:
    """The code cells of a notebook run in one namespace, in order; what they printed."""
    data = json.loads(notebook)
    assert (data["nbformat"], data["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in data["cells"]]
    assert len(set(ids)) == len(ids)
    space: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for cell in data["cells"]:
            assert set(cell) >= {"cell_type", "metadata", "source", "id"}
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]), space)
    return space, printed.getvalue()


def test_the_cells_of_a_derivation_run() -> None:
    network = Network(sizes=("n", "h", "k"), output="softmax", loss="cross-entropy", reduction="mean", l2="1/2")
    space, printed = run(show(backproof.derive(network, ("delta_L", "dW2")), "ipynb"))
    assert space["network"] == network
    assert printed == "delta_2 proved\ndW2 proved\n"


def test_the_cells_of_claims_run() -> None:
    claims = [*backproof.check_claim("(a - y) a (1 - a)", Network()), *backproof.check_claim("a - y", Network())]
    space, _ = run(show(claims, "ipynb"))
    assert space["claims"][0].verdict == "proved"


def test_a_network_is_written_as_the_python_that_makes_it() -> None:
    network = Network(sizes=("3", "2"), hidden="tanh", output="identity", loss="mse", layout="rows", reduction="sum")
    assert eval(constructed(network), {"backproof": backproof}) == network
