"""Derivations: the equations against central differences of the loss in 60 digits, and the forms that people know."""

from __future__ import annotations

import itertools
import random

import mpmath
import numpy as np
import pytest

from backproof import catalog
from backproof.calculus.exact_numbers import digits
from backproof.calculus.interpreter import evaluate, evaluate_expr
from backproof.calculus.network import Network
from backproof.errors import DomainError, UnknownNameError
from backproof.language.text import write
from backproof.proof.derivation import derive, equation_name
from backproof.proof.verdict import Kind

DIGITS = 60
SIZES = {"n": 3, "h": 2, "k": 4, "m": 5}


def written(network: Network, name: str) -> str:
    return write(derive(network, [name]).equation(name).notation)


@pytest.mark.parametrize(
    ("output", "loss", "expected"),
    [
        ("sigmoid", "bce", "δ = a − y"),
        ("sigmoid", "mse", "δ = 2(a − y)·a(1 − a)"),
        ("sigmoid", "half-mse", "δ = (a − y)·a(1 − a)"),
        ("identity", "mse", "δ = 2(a − y)"),
        ("identity", "half-mse", "δ = a − y"),
        ("softmax", "cross-entropy", "δ = a − y"),
        ("tanh", "half-mse", "δ = (a − y)(1 − a²)"),
        ("exp", "poisson", "δ = a − y"),
        ("relu", "half-mse", "δ = (a − y)·[z > 0]"),
    ],
)
def test_output_deltas_that_people_know(output, loss, expected):
    assert written(Network(output=output, loss=loss), "delta_L") == expected


def test_softmax_needs_that_the_target_sums_to_one():
    equation = derive(Network(output="softmax", loss="cross-entropy")).equation("delta_L")
    assert [c.assumption.property for c in equation.verdict.open_conditions] == ["unit-sum"]
    assert equation.general is not None
    steps = [write(s.notation) for s in equation.steps]
    assert any("Σₖ yₖ" in s for s in steps), steps


def test_bce_shows_what_cancels_and_mse_shows_the_slope():
    bce = derive(Network(output="sigmoid", loss="bce")).equation("delta_L")
    assert any("cancel" in s.why for s in bce.steps)
    mse = derive(Network(output="sigmoid", loss="mse")).equation("delta_L")
    assert any("σ′(z)" in write(s.notation) for s in mse.steps)
    assert not any("cancel" in s.why and "nothing" not in s.why for s in mse.steps)


@pytest.mark.parametrize(
    ("layout", "equations"),
    [
        ("columns", ["δ⁽¹⁾ = W⁽²⁾ᵀ δ⁽²⁾ ⊙ f′(Z⁽¹⁾)", "∂J/∂W⁽²⁾ = δ⁽²⁾ A⁽¹⁾ᵀ + λ/m · W⁽²⁾"]),
        ("rows", ["δ⁽¹⁾ = δ⁽²⁾ W⁽²⁾ᵀ ⊙ f′(Z⁽¹⁾)", "∂J/∂W⁽²⁾ = A⁽¹⁾ᵀ δ⁽²⁾ + λ/m · W⁽²⁾"]),
        ("rows-out-in", ["δ⁽¹⁾ = δ⁽²⁾ W⁽²⁾ ⊙ f′(Z⁽¹⁾)", "∂J/∂W⁽²⁾ = δ⁽²⁾ᵀ A⁽¹⁾ + λ/m · W⁽²⁾"]),
    ],
)
def test_hidden_layers_as_in_a_textbook(layout, equations):
    network = Network(
        ("n", "h", "k"), False, "f", "softmax", "cross-entropy", reduction="mean", l2="lambda", layout=layout
    )  # fmt: skip
    assert [written(network, "delta_1"), written(network, "dW2")] == equations


def test_symbolic_depth():
    derivation = derive(Network(("n", "h", "h", "k"), True, "f", "sigmoid", "bce"))
    shown = {e.name: write(e.notation) for e in derivation.equations}
    assert shown["delta_L"] == "δ⁽ᴸ⁾ = a⁽ᴸ⁾ − y"
    assert shown["delta_l"] == "δ⁽ˡ⁾ = W⁽ˡ⁺¹⁾ᵀ δ⁽ˡ⁺¹⁾ ⊙ f′(z⁽ˡ⁾)"
    assert shown["dWl"] == "∂J/∂W⁽ˡ⁾ = δ⁽ˡ⁾ a⁽ˡ⁻¹⁾ᵀ"
    assert shown["dbl"] == "∂J/∂b⁽ˡ⁾ = δ⁽ˡ⁾"
    assert all(e.verdict.kind is Kind.PROVED for e in derivation.equations)


def test_unknown_equation():
    with pytest.raises(UnknownNameError) as caught:
        derive(Network(), ["delta_7"])
    assert "delta_L" in (caught.value.expected or "")


def test_names():
    assert [equation_name(t) for t in ("z", "Z(2)", "W(l)", "b(3)", "X")] == ["delta_L", "delta_2", "dWl", "db3", "dX"]


def point(network: Network, seed: int) -> dict[str, np.ndarray]:
    """Random inputs, away from 0, with targets that the loss can take."""
    rng = random.Random(seed)
    values = {}
    for name, sorts in network.program.inputs.items():
        shape = tuple(SIZES[s] for s in sorts)
        entries = [rng.choice((-1, 1)) * rng.uniform(0.1, 0.9) for _ in range(int(np.prod(shape)))]
        array = np.array([mpmath.mpf(e) for e in entries], dtype=object).reshape(shape)
        if name in ("y", "Y") or any(a.tensor == name for a in network.program.assumptions):
            array = abs(array)
        if name in ("y", "Y") and network.admissible:
            array = array / array.sum(axis=network.admissible[0].axis, keepdims=True)
        values[name] = array if shape else array.reshape(-1)[0] if isinstance(array, np.ndarray) else array
    return values


def slope_by_differences(network: Network, values, name: str, at: tuple[int, ...]):
    """The central difference of J, which knows nothing of any derivative."""
    step = mpmath.mpf(10) ** -20
    ends = []
    for sign in (1, -1):
        moved = dict(values)
        moved[name] = np.array(values[name], dtype=object, copy=True)
        moved[name][at] += sign * step
        ends.append(evaluate(network.program, moved, numbers=digits(DIGITS))["J"])
    return (ends[0] - ends[1]) / (2 * step)


@pytest.mark.parametrize("layout", ["columns", "rows", "rows-out-in"])
@pytest.mark.parametrize(
    ("reduction", "output", "loss"),
    [
        ("none", "sigmoid", "bce"),
        ("sum", "sigmoid", "mse"),
        ("mean", "softmax", "cross-entropy"),
        ("mean-all", "identity", "mse"),
        ("mean", "softmax", "half-mse"),
    ],
)
def test_equations_against_differences(layout, reduction, output, loss):
    with mpmath.workdps(DIGITS):
        network = Network(
            ("n", "h", "k"), False, "tanh", output, loss, reduction=reduction, l2="1/3", layout=layout
        )  # fmt: skip
        values = point(network, seed=len(layout) + len(reduction))
        derivation = derive(network)
        known = evaluate(derivation.program, values, numbers=digits(DIGITS))
        for name in ("W(1)", "W(2)", "b(1)", "b(2)"):
            equation = derivation.equation(equation_name(name))
            assert equation.verdict.kind is Kind.PROVED
            value = evaluate_expr(equation.expr, known, indices=equation.indices, sizes=SIZES, numbers=digits(DIGITS))
            for at in itertools.islice(np.ndindex(*np.shape(value)), 4):
                expected = slope_by_differences(network, values, name, at)
                assert abs(value[at] - expected) < mpmath.mpf(10) ** -30


# These need 0 < a < 1; an activation that hardly ever gives that leaves no point to judge at: see docs/unknown.md.
FOCAL = {"focal", "balanced-focal", "categorical-focal"}


@pytest.mark.slow
@pytest.mark.parametrize("loss", [entry.name for entry in catalog.losses()])
def test_every_pair_is_derived_and_proved(loss):
    """Every activation with every loss: proved, and equal to 60-digit differences of the loss itself."""
    for entry in catalog.activations():
        network = Network(output=entry.name, loss=loss)
        equation = derive(network).equation("delta_L")
        kinds = {s.verdict.kind for s in equation.steps}
        assert Kind.REFUTED not in kinds, entry.name
        if loss in FOCAL and entry.range not in {"probability", "distribution"} and kinds != {Kind.PROVED}:
            assert "no value" in (equation.verdict.because or ""), (entry.name, equation.verdict.because)
            continue
        assert kinds == {Kind.PROVED}, (entry.name, [s.verdict.because for s in equation.steps])
        if not entry.abstract and not catalog.loss(loss).abstract:
            assert compared(network, equation) is not False, entry.name


def compared(network: Network, equation) -> bool | None:
    """Whether δ equals the central differences at a random point; None where no point has a value."""
    found = None
    for seed in range(6):
        with mpmath.workdps(DIGITS):
            values = point(network, seed)
            values["z"] = values["z"] * (1 + seed)
            try:
                known = evaluate(network.program, values, numbers=digits(DIGITS))
                value = evaluate_expr(
                    equation.expr, known, indices=equation.indices, sizes=SIZES, numbers=digits(DIGITS)
                )
                expected = slope_by_differences(network, values, "z", (1,))
            except DomainError:
                continue
            # Sixty digits of a huge loss leave fewer for the difference.
            scale = max(1, abs(expected), abs(known["J"]) * mpmath.mpf(10) ** -5)
            if abs(value[1] - expected) > scale * mpmath.mpf(10) ** -30:
                return False
            found = True
    return found
