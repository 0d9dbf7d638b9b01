from __future__ import annotations

import mpmath
import numpy as np
import pytest
from run.networks import examples, network, reference, weights

from backproof.calculus.network import Network
from backproof.errors import FileError, NetworkError
from backproof.language.expression import Sum, opened, postorder, reindex
from backproof.language.walks import inline
from backproof.proof.deciding import decide
from backproof.proof.verdict import Kind
from backproof.run import kernels
from backproof.run.forms import defined
from backproof.run.kernels import has_numba, loss_kernel, output_kernel
from backproof.run.lowering import trained
from backproof.run.stabilising import accurate

COMBINATIONS = [
    ("relu", "softmax", "cross-entropy", {}),
    ("sigmoid", "sigmoid", "bce", {"l2": "lambda"}),
    ("tanh", "identity", "half-mse", {"l2": "1/10"}),
    ("gelu", "softmax", "dice", {}),
    ("elu", "softmax", "mse", {}),
    ("mish", "sigmoid", "mse", {}),
    ("softplus", "identity", "cross-entropy-with-logits", {}),
    ("silu", "log-softmax", "nll", {}),
    ("tanh", "identity", "log-cosh", {"reduction": "sum"}),
    ("leaky-relu", "tempered-softmax", "cross-entropy", {"reduction": "mean-all"}),
    ("softsign", "softmin", "cross-entropy", {}),
    ("sin", "sigmoid", "focal", {}),
]
NUMBERS = {"lambda": 0.3, "alpha": 0.02, "T": 1.7, "gamma": 2.0}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "kernels"))


def compare(net: Network, precision: str, tolerance: float, *, compiled: bool) -> None:
    inputs, targets = examples()
    theta = weights(net)
    loss, gradient = reference(
        net, theta, inputs, targets, **{k: v for k, v in NUMBERS.items() if k in net.program.inputs}
    )
    kernel = loss_kernel(net, precision=precision, numbers=NUMBERS, compiled=compiled)
    found = np.zeros(len(theta), precision)
    value = kernel(theta.astype(precision), found, inputs.astype(precision), targets.astype(precision))
    assert value == pytest.approx(loss, rel=tolerance)
    assert np.abs(found - gradient).max() <= tolerance * np.abs(gradient).max()


@pytest.mark.parametrize(("hidden", "output", "loss", "options"), COMBINATIONS, ids=str)
def test_numpy_kernels_compute_the_raw_adjoints(hidden, output, loss, options) -> None:
    net = network(hidden, output, loss, **options)
    compare(net, "float64", 1e-12, compiled=False)
    compare(net, "float32", 1e-5, compiled=False)


@pytest.mark.slow
@pytest.mark.skipif(not has_numba(), reason="numba is not installed")
@pytest.mark.parametrize(("hidden", "output", "loss", "options"), COMBINATIONS, ids=str)
def test_compiled_kernels_compute_the_raw_adjoints(hidden, output, loss, options) -> None:
    net = network(hidden, output, loss, **options)
    compare(net, "float64", 1e-12, compiled=True)
    compare(net, "float32", 1e-5, compiled=True)


def test_the_source_is_a_file_with_the_equations() -> None:
    kernel = loss_kernel(network(), compiled=False)
    text = kernel.path.read_text("utf-8")
    assert "∂J/∂Z(2)" in text
    assert kernels.load(text)[1] == kernel.path


@pytest.mark.parametrize("compiled", [False, True])
def test_a_network_has_the_same_source_every_time(compiled) -> None:
    # The cache is found by the text: numbers of fresh indices must not show.
    first = loss_kernel(network(), compiled=compiled)
    loss_kernel(network("relu"), compiled=compiled)
    assert loss_kernel(network(), compiled=compiled).path == first.path


def test_a_folder_that_cannot_be_written_is_an_error(monkeypatch, tmp_path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    with pytest.raises(FileError, match="cannot be written"):
        kernels.load("x = 1  # another text\n")


@pytest.mark.parametrize("sizes", [(), ("n", "h", "k")])
def test_letters_have_no_numbers(sizes) -> None:
    with pytest.raises(NetworkError, match="sizes in numbers"):
        loss_kernel(network(sizes=sizes), compiled=False)


def test_logits_of_a_thousand_overflow_nowhere() -> None:
    net = network("identity", sizes=("3", "3"))
    theta = np.concatenate([np.eye(3).ravel() * 1000, np.zeros(3)])
    kernel = loss_kernel(net, precision="float64", compiled=False)
    gradient = np.zeros(12)
    inputs = np.array([[1.0, 0.0, -1.0]])
    assert kernel(theta, gradient, inputs, np.array([[0.0, 0.0, 1.0]])) == 2000.0
    assert kernel(theta, gradient, inputs, np.array([[1.0, 0.0, 0.0]])) == 0.0
    outputs = np.empty((1, 3))
    kernel = output_kernel(net, precision="float64")
    kernel.run(theta, gradient, kernel.work(1), inputs, outputs)
    assert outputs.tolist() == [[1.0, 0.0, 0.0]]


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_slope_of_a_sure_softmax_keeps_its_digits(precision) -> None:
    # One layer, weights 0, logits in the biases: δ of the true class is −Σ of the others, 2·e^−30 here.
    net = network("identity", sizes=("1", "3"))
    theta = np.array([0, 0, 0, 30, 0, 0], precision)
    kernel = loss_kernel(net, precision=precision, compiled=False)
    gradient = np.zeros(6, precision)
    loss = kernel(theta, gradient, np.zeros((1, 1), precision), np.array([[1, 0, 0]], precision))
    small = 9.357622968840175e-14  # e^−30
    assert loss == pytest.approx(2 * small, rel=1e-6)
    assert gradient[3:].tolist() == pytest.approx([-2 * small, small, small], rel=1e-6)


@pytest.mark.parametrize("output", ["softmax", "softmin", "tempered-softmax"])
def test_a_sum_of_exponentials_through_any_term_is_proved(output: str) -> None:
    net = network(output=output, sizes=("2", "3"), reduction="sum")
    before = trained(net)
    after = accurate(before, net).by_name
    bodies = {name: (after[name].indices, after[name].body) for name in ("E0", "V0") if name in after}
    rest = defined(inline(inline(after["R0"].body, bodies), bodies))
    (example,) = after["R0"].indices
    pivot = next(i for i in rest.free if i.name == "K0")
    total = next(n for n in postorder(before.by_name["A(1)"].body) if isinstance(n, Sum))
    total = reindex(total, dict.fromkeys(total.free, example))
    unit, term = opened(total)
    assert decide(before, total, reindex(term, {unit: pivot}) * (1 + rest)).kind is Kind.PROVED
    assert decide(before, total, reindex(term, {unit: pivot}) * (2 + rest)).kind is Kind.REFUTED


@pytest.mark.parametrize(("output", "sign"), [("softmax", 1), ("softmin", -1)])
@pytest.mark.parametrize("label", range(5))
def test_delta_behind_a_softmax_keeps_its_digits_where_an_output_is_almost_1(output, sign, label) -> None:
    """Against δ = ±a (g − Σ a g), g = a − y, in 60 digits."""
    z = sign * np.array([-26.4, -13.2, 18.7, 0.98, 40.05])
    y = np.eye(5)[label]
    with mpmath.workdps(60):
        e = [mpmath.exp(sign * mpmath.mpf(float(v))) for v in z]
        a = [v / mpmath.fsum(e) for v in e]
        g = [v - float(t) for v, t in zip(a, y, strict=True)]
        mean = mpmath.fsum(p * q for p, q in zip(a, g, strict=True))
        expected = np.array([float(sign * p * (q - mean)) for p, q in zip(a, g, strict=True)])
    net = Network(sizes=("1", "5"), output=output, loss="half-mse", reduction="mean", layout="rows")
    theta = np.concatenate([np.zeros(5), z])
    found = np.zeros_like(theta)
    loss_kernel(net, precision="float64", compiled=False)(theta, found, np.zeros((1, 1)), y[None])
    np.testing.assert_allclose(found[5:], expected, rtol=1e-13)


@pytest.mark.parametrize("loss", ["mse", "huber", "dice"])
def test_large_logits_behind_a_softmax_do_not_overflow(loss) -> None:
    net = Network(sizes=("1", "3"), output="softmax", loss=loss, reduction="mean", layout="rows")
    theta = np.array([0, 0, 0, 300, -200, 100], np.float32)
    found = np.zeros_like(theta)
    value = loss_kernel(net, precision="float32", numbers=NUMBERS | {"kappa": 1.0}, compiled=False)(
        theta, found, np.zeros((1, 1), np.float32), np.array([[0.25, 0.5, 0.25]], np.float32)
    )
    assert np.isfinite(value)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("output", ["softmax", "softmin", "tempered-softmax"])
@pytest.mark.parametrize("loss", ["half-mse", "dice"])
def test_delta_behind_a_softmax_through_any_term_is_proved(output, loss) -> None:
    net = network("identity", output, loss, sizes=("2", "3"), reduction="sum")
    before = trained(net)
    after = accurate(before, net).by_name
    bodies = {n: (after[n].indices, after[n].body) for n in ("Q0", "Q1", "R0", "E0", "V0") if n in after}
    new, old = after["∂J/∂Z(1)"], before.by_name["∂J/∂Z(1)"]
    body = new.body
    for _ in bodies:
        body = inline(body, bodies)
    plain = reindex(old.body, dict(zip(old.indices, new.indices, strict=True)))
    assert decide(before, plain, defined(body)).kind is Kind.PROVED
    assert decide(before, plain, 2 * defined(body)).kind is Kind.REFUTED


def test_a_focal_loss_of_a_sure_output_has_a_slope() -> None:
    """(1 − a)^γ/(1 − a) where a is rounded to 1; the other output, at ½, says that the rest is as it was."""
    net = Network(sizes=("1", "2"), output="sigmoid", loss="categorical-focal", reduction="mean", layout="rows")
    theta, found = np.array([0, 0, 40.0, 0.0]), np.zeros(4)
    kernel = loss_kernel(net, precision="float64", numbers=NUMBERS, compiled=False)
    with np.errstate(divide="ignore"):
        kernel(theta, found, np.zeros((1, 1)), np.array([[0.5, 0.5]]))
    slope = 2 * 0.5 * np.log(0.5) - 0.5**2 / 0.5  # of −(1 − a)² log a at a = ½
    assert found[2:].tolist() == pytest.approx([0, 0.5 * slope * 0.25], abs=1e-15)


def test_cross_entropy_behind_a_sigmoid_keeps_its_digits() -> None:
    net = Network(sizes=("1", "2"), output="sigmoid", loss="cross-entropy", reduction="mean", layout="rows")
    theta = np.array([0, 0, 30.0, 0.0])
    kernel = loss_kernel(net, precision="float64", compiled=False)
    value = kernel(theta, np.zeros(4), np.zeros((1, 1)), np.array([[1.0, 0.0]]))
    assert value == pytest.approx(9.357622968839737e-14, rel=1e-14)  # log(1 + e^−30)
