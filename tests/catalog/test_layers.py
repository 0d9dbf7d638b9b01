"""The layer's three layouts: index notation, matrix notation and NumPy say the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backproof import catalog
from backproof.calculus.interpreter import evaluate_expr
from backproof.language.elaboration import Scope, elaborate
from backproof.language.expression import Expr, Index
from backproof.language.grammar import parse
from backproof.language.program import Program

RANDOM = np.random.default_rng(0)
X, W, BIAS = RANDOM.normal(size=(5, 3)), RANDOM.normal(size=(4, 3)), RANDOM.normal(size=4)
SORTS = {
    "columns": {"X": ("n", "m"), "W": ("h", "n"), "b": ("h",), "Z": ("h", "m")},
    "rows": {"X": ("m", "n"), "W": ("n", "h"), "b": ("h",), "Z": ("m", "h")},
    "rows-out-in": {"X": ("m", "n"), "W": ("h", "n"), "b": ("h",), "Z": ("m", "h")},
}
VALUES = {
    "columns": {"X": X.T, "W": W, "b": BIAS},
    "rows": {"X": X, "W": W.T, "b": BIAS},
    "rows-out-in": {"X": X, "W": W, "b": BIAS},
}


def right_side(text: str, sorts: dict[str, tuple[str, ...]], *, rows: bool) -> tuple[Expr, tuple[Index, ...]]:
    reading = elaborate(parse(text), Scope(Program(sorts, row_vectors=rows), batch="m"), text)[0]
    left, right = reading.sides
    order: Any = left.expr
    return right.expr, order.indices


@pytest.mark.parametrize("layout", ["columns", "rows", "rows-out-in"])
def test_a_dense_layer_in_every_layout(layout: str) -> None:
    form = next(f for f in catalog.layers()[0].forms if f.layout == layout)
    expected = X @ W.T + BIAS
    for text in (form.batch, form.matrices):
        body, indices = right_side(text, SORTS[layout], rows=layout != "columns")
        found = evaluate_expr(body, VALUES[layout], indices=indices)
        np.testing.assert_allclose(found.T if layout == "columns" else found, expected, rtol=1e-12)
    one = {"x": ("n",), "z": ("h",), "W": SORTS[layout]["W"], "b": ("h",)}
    body, indices = right_side(form.one_example, one, rows=layout != "columns")
    found = evaluate_expr(body, VALUES[layout] | {"x": X[2]}, indices=indices)
    np.testing.assert_allclose(found, expected[2], rtol=1e-12)
