from __future__ import annotations

import mpmath
import numpy as np
import pytest

from backproof.errors import ShapeError
from backproof.run import logits
from backproof.run.logits import LossAndDelta


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "kernels"))


def some(rows: int, columns: int, precision: str):
    generator = np.random.default_rng(0)
    z = (generator.normal(size=(rows, columns)) * 4).astype(precision)
    y = np.eye(columns, dtype=precision)[generator.integers(0, columns, rows)]
    return z, y


def exact(z, y):
    """Loss and δ = a·Σy − y of one row of a softmax with cross-entropy, in 50 digits."""
    with mpmath.workdps(50):
        e = [mpmath.exp(float(v)) for v in z]
        total = mpmath.fsum(e)
        loss = -mpmath.fsum(float(t) * mpmath.log(v / total) for t, v in zip(y, e, strict=True))
        return loss, [v / total - float(t) for t, v in zip(y, e, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("columns", [3, 10, 1000, 1500])  # in one part of a sum, and in two
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_loss_and_delta_of_a_softmax_keep_their_digits(columns, precision) -> None:
    z, y = some(5, columns, precision)
    z[0, int(y[0].argmax())] += 40  # sure and right: the loss and the δ of its class are almost 0
    loss, delta = LossAndDelta(columns, precision=precision)(z, y)
    rows = [exact(*pair) for pair in zip(z, y, strict=True)]
    assert loss == pytest.approx(float(sum(r[0] for r in rows)), rel=20 * float(np.finfo(precision).eps))
    true = np.array([[float(v) for v in r[1]] for r in rows])
    assert (np.abs(delta - true) <= 4 * np.spacing(np.abs(true).astype(precision))).all()


@pytest.mark.slow
def test_two_threads_compute_what_one_does(monkeypatch) -> None:
    z, y = some(300, 10, "float32")
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    whole = LossAndDelta(10, "sigmoid", "bce")(z, y)
    monkeypatch.setattr(logits, "PART", 70)
    parts = LossAndDelta(10, "sigmoid", "bce")(z, y)
    assert (whole[1] == parts[1]).all()
    assert parts[0] == pytest.approx(whole[0], rel=1e-12)


def test_without_a_compiler_the_numbers_are_the_same(monkeypatch) -> None:
    monkeypatch.setattr(logits, "has_numba", lambda: False)
    z, y = some(4, 6, "float64")
    loss, delta = LossAndDelta(6, precision="float64")(z, y)
    rows = [exact(*pair) for pair in zip(z, y, strict=True)]
    assert loss == pytest.approx(float(sum(r[0] for r in rows)), rel=1e-14)
    assert delta == pytest.approx(np.array([[float(v) for v in r[1]] for r in rows]), rel=1e-13)


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 4), (3, 4)), ((4,), (4,))])
def test_shapes_that_do_not_fit_are_an_error(monkeypatch, shapes) -> None:
    monkeypatch.setattr(logits, "has_numba", lambda: False)
    with pytest.raises(ShapeError, match="do not fit"):
        LossAndDelta(4)(*(np.zeros(s, np.float32) for s in shapes))
