"""Every definition of the catalogue against formulas written by hand, its slopes against 60-digit differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final

import mpmath
import numpy as np
import pytest

from backproof import catalog
from backproof.calculus.exact_numbers import digits
from backproof.calculus.interpreter import evaluate, evaluate_expr
from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.errors import UnknownNameError
from backproof.language.expression import Index, apply, mul, sum_over, tensor
from backproof.language.program import Definition, Program

mp: Any = mpmath.MPContext()
mp.dps = 80
DIGITS: Final = digits(80)
TOLERANCE: Final = mp.mpf(10) ** -40

Oracle = Callable[..., Any]
ANYWHERE: Final = tuple(Fraction(n, 8) for n in (-100, -57, -31, -23, -13, -9, -3, -1, 1, 2, 3, 5, 11, 21, 29, 63, 100))
POSITIVE: Final = tuple(u for u in ANYWHERE if u > 0)
UNIT: Final = tuple(Fraction(n, 16) for n in (1, 3, 7, 9, 13, 15))
INSIDE: Final = tuple(s * u for u in UNIT for s in (-1, 1))
BEYOND_ONE: Final = tuple(1 + u for u in POSITIVE)
LEAKY: Final = mp.mpf(1) / 100
SELU_ALPHA: Final = mp.mpf("1.6732632423543772848170429916717")
SELU_SCALE: Final = mp.mpf("1.0507009873554804934193349852946")


def sigmoid(u: Any) -> Any:
    return (1 + mp.tanh(u / 2)) / 2


def normal(u: Any) -> Any:
    return mp.erfc(-u / mp.sqrt(2)) / 2


def clipped(u: Any, low: Any, high: Any) -> Any:
    return max(low, min(u, high))


def elu(u: Any, alpha: Any = 1) -> Any:
    return u if u > 0 else alpha * mp.expm1(u / alpha)


SCALAR: Final[dict[str, tuple[Sequence[Fraction], Oracle]]] = {
    "exp": (ANYWHERE, mp.exp),
    "log": (POSITIVE, mp.log),
    "sin": (ANYWHERE, mp.sin),
    "cos": (ANYWHERE, mp.cos),
    "atan": (ANYWHERE, mp.atan),
    "erf": (ANYWHERE, mp.erf),
    "step": (ANYWHERE, lambda u: 1 if u > 0 else 0),
    "abs": (ANYWHERE, abs),
    "sign": (ANYWHERE, mp.sign),
    "tan": (ANYWHERE, mp.tan),
    "asin": (INSIDE, mp.asin),
    "acos": (INSIDE, mp.acos),
    "sinh": (ANYWHERE, mp.sinh),
    "cosh": (ANYWHERE, mp.cosh),
    "sech": (ANYWHERE, mp.sech),
    "coth": (ANYWHERE, mp.coth),
    "asinh": (ANYWHERE, mp.asinh),
    "acosh": (BEYOND_ONE, mp.acosh),
    "atanh": (INSIDE, mp.atanh),
    "log1p": (POSITIVE, mp.log1p),
    "expm1": (ANYWHERE, mp.expm1),
    "log2": (POSITIVE, lambda u: mp.log(u, 2)),
    "log10": (POSITIVE, mp.log10),
    "logit": (UNIT, lambda u: 2 * mp.atanh(2 * u - 1)),
    "erfc": (ANYWHERE, mp.erfc),
    "Phi": (ANYWHERE, mp.ncdf),
    "normal-density": (ANYWHERE, mp.npdf),
    "identity": (ANYWHERE, lambda u: u),
    "sigmoid": (ANYWHERE, sigmoid),
    "tanh": (ANYWHERE, mp.tanh),
    "relu": (ANYWHERE, lambda u: max(u, 0)),
    "leaky-relu": (ANYWHERE, lambda u: max(u, LEAKY * u)),
    "relu6": (ANYWHERE, lambda u: clipped(u, 0, 6)),
    "squared-relu": (ANYWHERE, lambda u: max(u, 0) ** 2),
    "elu": (ANYWHERE, elu),
    "selu": (ANYWHERE, lambda u: SELU_SCALE * (u if u > 0 else SELU_ALPHA * mp.expm1(u))),
    "celu": (ANYWHERE, elu),
    "softplus": (ANYWHERE, lambda u: max(u, 0) + mp.log1p(mp.exp(-abs(u)))),
    "softsign": (ANYWHERE, lambda u: u / (1 + abs(u))),
    "silu": (ANYWHERE, lambda u: u * sigmoid(u)),
    "swish-beta": (ANYWHERE, lambda u: u * sigmoid(u)),
    "mish": (ANYWHERE, lambda u: u * ((1 + mp.exp(u)) ** 2 - 1) / ((1 + mp.exp(u)) ** 2 + 1)),
    "gelu": (ANYWHERE, lambda u: u * normal(u)),
    "gelu-tanh": (
        ANYWHERE,
        lambda u: u * sigmoid(2 * mp.sqrt(2 / mp.pi) * u * (1 + mp.mpf(44715) / 10**6 * u**2)),
    ),
    "quick-gelu": (ANYWHERE, lambda u: u * sigmoid(mp.mpf(1702) / 1000 * u)),
    "arctan": (ANYWHERE, mp.atan),
    "hard-tanh": (ANYWHERE, lambda u: clipped(u, -1, 1)),
    "hard-sigmoid": (ANYWHERE, lambda u: clipped(u + 3, 0, 6) / mp.mpf(6)),
    "hard-swish": (ANYWHERE, lambda u: u * clipped(u + 3, 0, 6) / 6),
    "log-sigmoid": (ANYWHERE, lambda u: min(u, 0) - mp.log1p(mp.exp(-abs(u)))),
    "tanhshrink": (ANYWHERE, lambda u: u - mp.tanh(u)),
    "soft-shrink": (ANYWHERE, lambda u: mp.sign(u) * max(abs(u) - mp.mpf(1) / 2, 0)),
    "hard-shrink": (ANYWHERE, lambda u: u if abs(u) > mp.mpf(1) / 2 else 0),
    "thresholded-relu": (ANYWHERE, lambda u: u if u > 1 else 0),
    "gaussian": (ANYWHERE, lambda u: mp.exp(-(u**2))),
    "lecun-tanh": (ANYWHERE, lambda u: mp.mpf(17159) / 10**4 * mp.tanh(2 * u / 3)),
    "bent-identity": (ANYWHERE, lambda u: u + (mp.hypot(u, 1) - 1) / 2),
}

Points = Sequence[tuple[Fraction, Fraction]]


def grid(predictions: Sequence[Fraction], targets: Sequence[Fraction]) -> Points:
    return [(a, y) for a in predictions for y in targets]


REALS: Final = grid(ANYWHERE, (Fraction(-7, 5), Fraction(3, 7)))
PROBABILITIES: Final = grid(UNIT, (Fraction(0), Fraction(1), Fraction(2, 7)))
LOGITS: Final = grid(ANYWHERE, (Fraction(0), Fraction(1), Fraction(2, 7)))
MARGINS: Final = grid([u for u in ANYWHERE if abs(u) != 1], (Fraction(-1), Fraction(1)))
COUNTS: Final = grid(POSITIVE, (Fraction(0), Fraction(1), Fraction(5)))
POSITIVES: Final = grid(POSITIVE, (Fraction(1, 3), Fraction(5)))
RATES: Final = grid(ANYWHERE, (Fraction(0), Fraction(5)))


def huber(e: Any) -> Any:
    return e**2 / 2 if abs(e) <= 1 else abs(e) - mp.mpf(1) / 2


def focal(a: Any, y: Any) -> Any:
    return -(y * (1 - a) ** 2 * mp.log(a) + (1 - y) * a**2 * mp.log1p(-a))


def balanced_focal(a: Any, y: Any) -> Any:
    return -(y * (1 - a) ** 2 * mp.log(a) + 3 * (1 - y) * a**2 * mp.log1p(-a)) / 4


PAIRS: Final[dict[str, tuple[Points, Oracle]]] = {
    "max": (REALS, max),
    "min": (REALS, min),
    "mse": (REALS, lambda a, y: a**2 - 2 * a * y + y**2),
    "half-mse": (REALS, lambda a, y: (a**2 - 2 * a * y + y**2) / 2),
    "bce": (PROBABILITIES, lambda a, y: -mp.log(a) * y - mp.log1p(-a) * (1 - y)),
    "bce-with-logits": (LOGITS, lambda a, y: max(a, 0) - a * y + mp.log1p(mp.exp(-abs(a)))),
    "mae": (REALS, lambda a, y: abs(a - y)),
    "huber": (REALS, lambda a, y: huber(a - y)),
    "smooth-l1": (REALS, lambda a, y: huber(a - y)),
    "log-cosh": (REALS, lambda a, y: abs(a - y) + mp.log1p(mp.exp(-2 * abs(a - y))) - mp.log(2)),
    "quantile": (REALS, lambda a, y: abs(y - a) / 2),
    "charbonnier": (REALS, lambda a, y: mp.hypot(a - y, mp.mpf(1) / 1000)),
    "pseudo-huber": (REALS, lambda a, y: mp.hypot(a - y, 1) - 1),
    "cauchy": (REALS, lambda a, y: mp.log1p((a - y) ** 2 / 2)),
    "msle": (POSITIVES, lambda a, y: mp.log((1 + a) / (1 + y)) ** 2),
    "hinge": (MARGINS, lambda a, y: max(0, 1 - a * y)),
    "squared-hinge": (MARGINS, lambda a, y: max(0, 1 - a * y) ** 2),
    "soft-margin": (MARGINS, lambda a, y: max(0, -a * y) + mp.log1p(mp.exp(-abs(a)))),
    "exponential": (MARGINS, lambda a, y: mp.exp(-a * y)),
    "poisson": (COUNTS, lambda a, y: a - y * mp.log(a)),
    "poisson-with-log-rate": (RATES, lambda a, y: mp.exp(a) - y * a),
    "gamma": (POSITIVES, lambda a, y: mp.log(a) + y / a),
    "itakura-saito": (POSITIVES, lambda a, y: y / a - mp.log(y) + mp.log(a) - 1),
    "focal": (PROBABILITIES, focal),
    "balanced-focal": (PROBABILITIES, balanced_focal),
}


def exact(value: Fraction) -> Any:
    return mp.mpf(value.numerator) / value.denominator


def test_every_elementwise_entry_has_an_oracle() -> None:
    entries = (*catalog.functions(), *catalog.activations(), *catalog.losses())
    names = {entry.name for entry in entries if entry.elementwise and not entry.abstract}
    assert names == {*SCALAR, *PAIRS}


@pytest.mark.parametrize("name", SCALAR)
def test_a_definition_of_one_argument_has_the_right_value_and_slopes(name: str) -> None:
    points, oracle = SCALAR[name]
    for point in points:
        at = exact(point)
        for order in (0, 1, 2):
            found = evaluate_expr(apply(name, tensor("u"), orders=(order,)), {"u": point}, numbers=DIGITS)
            expected = mp.diff(oracle, at, order) if order else oracle(at)
            scale = 1 + abs(expected)
            assert abs(found - expected) <= TOLERANCE * scale, f"{name} differentiated {order} times at {point}"


@pytest.mark.parametrize("name", PAIRS)
def test_a_definition_of_two_arguments_has_the_right_value_and_slopes(name: str) -> None:
    points, oracle = PAIRS[name]
    for a, y in points:
        for orders in ((0, 0), (1, 0), (2, 0)):
            formula = apply(name, tensor("a"), tensor("y"), orders=orders)
            found = evaluate_expr(formula, {"a": a, "y": y}, numbers=DIGITS)
            expected = mp.diff(lambda u, y=y: oracle(u, exact(y)), exact(a), orders[0])
            assert abs(found - expected) <= TOLERANCE * (1 + abs(expected)), f"{name} {orders} at {a}, {y}"


def softmax(z: Sequence[Any], sign: int = 1) -> list[Any]:
    largest = max(sign * v for v in z)
    powers = [mp.exp(sign * v - largest) for v in z]
    return [p / mp.fsum(powers) for p in powers]


VECTORS: Final[dict[str, Callable[[Sequence[Any]], list[Any]]]] = {
    "softmax": softmax,
    "log-softmax": lambda z: [mp.log(p) for p in softmax(z)],
    "softmin": lambda z: softmax(z, -1),
    "tempered-softmax": softmax,
}
Z: Final = (Fraction(-3, 2), Fraction(5, 4), Fraction(40), Fraction(1, 3))
G: Final = (Fraction(1), Fraction(-2, 3), Fraction(5, 7), Fraction(2))


def on_vectors(entry: catalog.Entry, inputs: dict[str, object]) -> Any:
    """The body of a vector's definition evaluated, and ∂(Σ g·result)/∂(first parameter)."""
    template = catalog.vector_definition(entry)
    weights = tensor("g", *template.indices)
    program = Program(
        {
            **dict.fromkeys(entry.parameters, ("n",)),
            **{h.name: () for h in entry.hyperparameters},
            "g": template.sorts,
        },
        (
            Definition("r", template.indices, template.body),
            Definition("J", (), sum_over(template.indices, mul(weights, tensor("r", *template.indices)))),
        ),
    )
    program = program.extended(adjoints(program, "J").values())
    values = inputs | {h.name: h.default for h in entry.hyperparameters}
    return evaluate(program, values, numbers=DIGITS)


def test_every_vector_entry_has_an_oracle() -> None:
    assert {a.name for a in catalog.activations() if not a.elementwise} == VECTORS.keys()
    assert {entry.name for entry in catalog.losses() if not entry.elementwise} == VECTOR_LOSSES.keys()


@pytest.mark.parametrize("name", VECTORS)
def test_an_activation_of_a_layer_has_the_right_value_and_jacobian(name: str) -> None:
    oracle = VECTORS[name]
    found = on_vectors(catalog.activation(name), {"z": list(Z), "g": list(G)})
    z, g = [exact(v) for v in Z], [exact(v) for v in G]
    for k, expected in enumerate(oracle(z)):
        assert abs(found["r"][k] - expected) <= TOLERANCE * (1 + abs(expected))
    for k in range(len(z)):

        def along(u: Any, k: int = k) -> Any:
            return mp.fdot(g, oracle([*z[:k], u, *z[k + 1 :]]))

        assert abs(found[adjoint_name("J", "z")][k] - mp.diff(along, z[k])) <= TOLERANCE


SIMPLEX: Final = (Fraction(1, 8), Fraction(1, 2), Fraction(1, 16), Fraction(5, 16))
TARGETS: Final = (Fraction(1, 3), Fraction(1, 6), Fraction(1, 4), Fraction(1, 4))
VECTOR_LOSSES: Final[dict[str, tuple[Sequence[Fraction], Oracle]]] = {
    "cross-entropy": (SIMPLEX, lambda a, y: -mp.fsum(t * mp.log(p) for p, t in zip(a, y, strict=True))),
    "cross-entropy-with-logits": (
        Z,
        lambda a, y: -mp.fsum(t * mp.log(p) for p, t in zip(softmax(a), y, strict=True)),
    ),
    "nll": (Z, lambda a, y: -mp.fdot(a, y)),
    "kl": (SIMPLEX, lambda a, y: mp.fsum(t * (mp.log(t) - mp.log(p)) for p, t in zip(a, y, strict=True))),
    "categorical-focal": (
        SIMPLEX,
        lambda a, y: -mp.fsum(t * (1 - p) ** 2 * mp.log(p) for p, t in zip(a, y, strict=True)),
    ),
    "dice": (SIMPLEX, lambda a, y: 1 - 2 * mp.fdot(a, y) / (mp.fsum(a) + mp.fsum(y))),
}


@pytest.mark.parametrize("name", VECTOR_LOSSES)
def test_a_loss_of_vectors_has_the_right_value_and_slope(name: str) -> None:
    predictions, oracle = VECTOR_LOSSES[name]
    found = on_vectors(catalog.loss(name), {"a": list(predictions), "y": list(TARGETS), "g": 1})
    a, y = [exact(v) for v in predictions], [exact(v) for v in TARGETS]
    assert abs(found["r"] - oracle(a, y)) <= TOLERANCE
    for k in range(len(a)):
        expected = mp.diff(lambda u, k=k: oracle([*a[:k], u, *a[k + 1 :]], y), a[k])
        assert abs(found[adjoint_name("J", "a")][k] - expected) <= TOLERANCE * (1 + abs(expected))


def slope(name: str, at: float, hyper: dict[str, object] | None = None) -> float:
    return float(evaluate_expr(apply(name, tensor("u"), orders=(1,)), {"u": at, **(hyper or {})}))


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("relu", 0, 0),
        ("leaky-relu", 0, 0.01),
        ("relu6", 0, 0),
        ("relu6", 6, 0),
        ("elu", 0, 1),
        ("selu", 0, 1.0507009873554805 * 1.6732632423543772),
        ("celu", 0, 1),
        ("softsign", 0, 1),
        ("hard-tanh", -1, 0),
        ("hard-tanh", 1, 0),
        ("hard-sigmoid", -3, 0),
        ("hard-sigmoid", 3, 0),
        ("hard-swish", -3, 0),
        ("hard-swish", 3, 1),
        ("soft-shrink", 0.5, 0),
        ("soft-shrink", -0.5, 0),
        ("step", 0, 0),
    ],
)
def test_at_a_kink_the_formula_has_what_the_entry_says(name: str, at: float, expected: float) -> None:
    assert slope(name, at) == pytest.approx(expected, rel=1e-14)
    assert catalog.activation(name).kink


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("relu", 0, 0),
        ("hard-tanh", 1, 1),
        ("hard-tanh", -1, -1),
        ("relu6", 6, 6),
        ("hard-sigmoid", 3, 1),
        ("hard-swish", 3, 3),
    ],
)
def test_at_a_kink_the_value_is_the_limit(name: str, at: int, expected: int) -> None:
    assert evaluate_expr(apply(name, tensor("u")), {"u": at}) == expected


def test_a_kink_is_named_wherever_slopes_jump() -> None:
    """Entries whose text has a case distinction say what holds there."""
    for entry in (*catalog.functions(), *catalog.activations(), *catalog.losses()):
        if "[" in entry.definition or "abs(" in entry.definition:
            assert entry.kink or entry.name == "squared-relu", entry.name


@pytest.mark.parametrize(
    "entry", [a for a in catalog.activations() if a.elementwise and not a.abstract], ids=lambda a: a.name
)
def test_large_inputs_do_not_become_nan(entry: catalog.Activation) -> None:
    points = np.array([-1e4, -800.0, -50.0, 0.0, 50.0, 800.0, 1e4])
    index = Index("i", "n")
    values = evaluate_expr(apply(entry.name, tensor("u", index)), {"u": points}, indices=(index,))
    assert not np.isnan(values).any()
    if entry.range == "probability":
        assert ((values >= 0) & (values <= 1)).all()
    if entry.range == "positive":
        assert (values >= 0).all()


def test_outputs_are_what_the_entry_says() -> None:
    for entry in catalog.activations():
        if entry.elementwise:
            continue
        outputs = on_vectors(entry, {"z": list(Z), "g": list(G)})["r"]
        powers = [mp.exp(v) for v in outputs] if entry.range == "log-probability" else list(outputs)
        assert entry.range in ("distribution", "log-probability")
        assert all(p > 0 for p in powers)
        assert abs(mp.fsum(powers) - 1) < TOLERANCE


def test_hyperparameters_enter_the_definition() -> None:
    point = Fraction(-3, 4)
    assert float(evaluate_expr(apply("celu", tensor("u")), {"u": point, "alpha": 2})) == pytest.approx(
        2 * math.expm1(-0.375), rel=1e-14
    )
    tilted = apply("quantile", tensor("a"), tensor("y"))
    assert evaluate_expr(tilted, {"a": 1, "y": 3, "tau": 0.25}) == 0.5
    assert evaluate_expr(tilted, {"a": 3, "y": 1, "tau": 0.25}) == 1.5
    huge = apply("huber", tensor("a"), tensor("y"))
    assert evaluate_expr(huge, {"a": 5, "y": 1, "kappa": 2}) == 6
    smooth = apply("smooth-l1", tensor("a"), tensor("y"))
    assert evaluate_expr(smooth, {"a": 5, "y": 1, "beta": 2}) == 3


def test_definitions_are_read_once() -> None:
    assert catalog.scalar_definition("mish") is catalog.scalar_definition("mish")
    entry = catalog.activation("softmax")
    assert catalog.vector_definition(entry) is catalog.vector_definition(entry)


def test_what_has_no_definition_says_so() -> None:
    with pytest.raises(UnknownNameError, match="frobnicate"):
        catalog.scalar_definition("frobnicate")
    with pytest.raises(UnknownNameError, match="sigmoid"):
        catalog.slope("sigmoid")
