from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from run.networks import examples, network

from backproof.calculus.network import Network
from backproof.errors import BackproofError, FileError, ShapeError, UsageError
from backproof.run import training
from backproof.run.checking import TrainingError
from backproof.run.model import load_model
from backproof.run.training import Data, Settings, Trainer

FAST = Settings(epochs=5, batch=3, backend="numpy", precision="float64")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "kernels"))


def one_neuron(loss: str) -> Network:
    return Network(sizes=("1", "1"), output="sigmoid", loss=loss, reduction="sum")


# Nielsen 2015, chapter 3: one neuron, x = 1, y = 0, learning rate 0.15, half of the squared error and cross-entropy.
@pytest.mark.parametrize(
    ("loss", "start", "updates", "output"),
    [
        ("half-mse", (0.6, 0.9), 0, 0.8176),
        ("half-mse", (0.6, 0.9), 301, 0.0940),
        ("half-mse", (2.0, 2.0), 0, 0.9820),
        ("half-mse", (2.0, 2.0), 150, 0.933),
        ("half-mse", (2.0, 2.0), 300, 0.203),  # shown before update 301
        ("bce", (2.0, 2.0), 301, 0.0120),
    ],
)
def test_one_neuron_learns_as_published(loss, start, updates, output) -> None:
    settings = replace(FAST, optimiser="sgd", rate=0.15, momentum=0, epochs=updates, batch=0)
    data = Data(np.ones((1, 1)), np.zeros((1, 1)))
    model = Trainer(one_neuron(loss), settings).fit(data, start=np.array(start))
    assert model.outputs(np.ones((1, 1)))[0, 0] == pytest.approx(output, abs=6e-4)


@pytest.mark.parametrize("optimiser", ["sgd", "nesterov", "adam", "adamw", "lbfgs", "cg"])
def test_every_optimiser_lowers_the_loss(optimiser) -> None:
    inputs, targets = examples(count=40)
    settings = replace(FAST, optimiser=optimiser, epochs=30, rate=0.05)
    model = Trainer(network(), settings).fit(Data(inputs, targets))
    assert model.history[-1]["loss"] < 0.8 * model.history[0]["loss"] or model.history[-1]["loss"] < 0.1


def test_adam_s_first_step_is_the_rate_against_the_sign() -> None:
    # m/√v of one gradient is its sign (Kingma & Ba 2015, section 2.1).
    data = Data(np.ones((1, 1)), np.zeros((1, 1)))
    settings = replace(FAST, optimiser="adam", rate=0.01, epochs=1, batch=0)
    model = Trainer(one_neuron("bce"), settings).fit(data, start=np.array([0.5, 0.5]))
    assert model.theta == pytest.approx([0.49, 0.49], abs=1e-8)


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not() -> None:
    inputs, targets = examples(count=20)
    first, second, third = (
        Trainer(network(), replace(FAST, seed=seed)).fit(Data(inputs, targets)).theta for seed in (3, 3, 4)
    )
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != third.tobytes()


def test_resumed_training_is_the_same_bit_for_bit(tmp_path) -> None:
    inputs, targets = examples(count=20)
    whole = Trainer(network(), replace(FAST, epochs=8)).fit(Data(inputs, targets))
    path = tmp_path / "model.safetensors"
    Trainer(network(), replace(FAST, epochs=3)).fit(Data(inputs, targets), checkpoint=path)
    model = Trainer(network(), replace(FAST, epochs=8)).fit(Data(inputs, targets), checkpoint=path, resume=True)
    assert model.theta.tobytes() == whole.theta.tobytes()
    assert model.history == whole.history


def test_a_checkpoint_of_another_run_is_refused(tmp_path) -> None:
    inputs, targets = examples(count=20)
    path = tmp_path / "model.safetensors"
    Trainer(network(), FAST).fit(Data(inputs, targets), checkpoint=path)
    with pytest.raises(FileError, match="another network"):
        Trainer(network("relu"), FAST).fit(Data(inputs, targets), checkpoint=path, resume=True)
    with pytest.raises(FileError, match="another seed"):
        Trainer(network(), replace(FAST, seed=1)).fit(Data(inputs, targets), checkpoint=path, resume=True)


@pytest.mark.parametrize("keep", [0, 5, 30, 400, -1])
def test_a_truncated_file_is_a_clear_error(tmp_path, keep) -> None:
    inputs, targets = examples(count=20)
    path = tmp_path / "model.safetensors"
    Trainer(network(), FAST).fit(Data(inputs, targets), checkpoint=path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FileError, match="no whole safetensors file"):
        load_model(path)


@pytest.mark.parametrize("content", [b"\x02\0\0\0\0\0\0\0{}", b"PK\x03\x04" * 20, b"\x02\0\0\0\0\0\0\0[]"])
def test_a_foreign_file_is_a_clear_error(tmp_path, content) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(FileError):
        load_model(path)


def test_a_disk_that_is_full_loses_nothing(tmp_path, monkeypatch) -> None:
    inputs, targets = examples(count=20)
    path = tmp_path / "model.safetensors"
    Trainer(network(), replace(FAST, epochs=2)).fit(Data(inputs, targets), checkpoint=path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(FileError, match="No space left"):
        Trainer(network(), replace(FAST, epochs=4)).fit(Data(inputs, targets), checkpoint=path, resume=True)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, y: (np.where(x == x[2, 1], np.nan, x), y), "row 3, column 2"),
        (lambda x, y: (x, np.full_like(y, np.inf)), "targets hold"),
        (lambda x, y: (x[:0], y[:0]), "no examples"),
        (lambda x, y: (x[:, :2], y), "do not fit the first layer"),
        (lambda x, y: (x, y[:, :2]), "do not fit the last layer"),
    ],
)
def test_data_that_cannot_be_used_is_a_clear_error(change, words) -> None:
    inputs, targets = change(*examples())
    with pytest.raises((TrainingError, ShapeError)) as failure:
        Trainer(network(), FAST).fit(Data(inputs, targets))
    assert words in str(failure.value)


def test_a_loss_that_is_no_number_stops_with_the_place() -> None:
    inputs, targets = examples(count=20)
    net = network("identity", "identity", "mse")
    settings = replace(FAST, optimiser="sgd", rate=1e200, epochs=50)
    with np.errstate(all="ignore"), pytest.raises(TrainingError, match=r"epoch \d+, step \d+"):
        Trainer(net, settings).fit(Data(inputs, targets))


def test_a_wrong_gradient_is_caught_before_the_first_step(monkeypatch) -> None:
    inputs, targets = examples(count=20)
    original = training.loss_kernel

    def wrong(*arguments, **options):
        kernel = original(*arguments, **options)
        right = kernel.run

        def run(theta, gradient, *rest):
            loss = right(theta, gradient, *rest)
            gradient *= 0.9
            return loss

        kernel.run = run
        return kernel

    monkeypatch.setattr(training, "loss_kernel", wrong)
    with pytest.raises(TrainingError, match="does not agree"):
        Trainer(network(), FAST).fit(Data(inputs, targets))


def test_weights_count_like_repetition() -> None:
    inputs, targets = examples(count=6)
    counts = np.array([1, 3, 2, 1, 1, 2])
    settings = replace(FAST, optimiser="sgd", momentum=0, batch=0, epochs=20)
    weighted = Trainer(network(), settings).fit(Data(inputs, targets, counts))
    repeated = Trainer(network(), settings).fit(Data(np.repeat(inputs, counts, 0), np.repeat(targets, counts, 0)))
    assert weighted.theta == pytest.approx(repeated.theta, rel=1e-9)


def test_patience_keeps_the_best_weights() -> None:
    inputs, targets = examples(count=12)
    watched = examples(seed=5, count=12)
    settings = replace(FAST, epochs=400, patience=3, rate=0.05)
    model = Trainer(network(), settings).fit(Data(inputs, targets, watched=watched))
    losses = [record["watched"] for record in model.history]
    assert len(losses) < 400
    assert model.notes["stopped_early"] == len(losses)
    again = Trainer(network(), replace(settings, epochs=int(np.argmin(losses)) + 1, patience=0)).fit(
        Data(inputs, targets, watched=watched)
    )
    assert again.theta.tobytes() == model.theta.tobytes()


def test_ctrl_c_leaves_a_usable_model() -> None:
    inputs, targets = examples(count=12)

    def report(record) -> None:
        if record["epoch"] == 3:
            raise KeyboardInterrupt

    model = Trainer(network(), FAST).fit(Data(inputs, targets), report=report)
    assert model.notes["interrupted"]
    assert len(model.history) == 3
    assert np.isfinite(model.outputs(inputs)).all()


def test_clipping_bounds_the_step() -> None:
    data = Data(np.full((1, 1), 1000.0), np.zeros((1, 1)))
    net = Network(sizes=("1", "1"), output="identity", loss="mse", reduction="sum")
    settings = replace(FAST, optimiser="sgd", rate=1.0, momentum=0, clip=0.5, epochs=1, batch=0)
    model = Trainer(net, settings).fit(data, start=np.array([1.0, 0.0]))
    assert np.hypot(*(model.theta - [1.0, 0.0])) == pytest.approx(0.5)


def test_the_size_of_delta_shows_saturation() -> None:
    # σ′ = a(1 − a) stays in δ of the squared error: at z = 4 it is 0.0177 of δ of cross-entropy (a − y = 0.982).
    data = Data(np.ones((1, 1)), np.zeros((1, 1)))
    settings = replace(FAST, optimiser="sgd", rate=1e-12, epochs=1, batch=0, sizes=True)
    sizes = {
        loss: Trainer(one_neuron(loss), settings).fit(data, start=np.array([2.0, 2.0])).history[0]["delta"][0]
        for loss in ("half-mse", "bce")
    }
    assert sizes["bce"] == pytest.approx(0.98201379, rel=1e-6)
    assert sizes["half-mse"] == pytest.approx(0.98201379 * 0.01766271, rel=1e-6)


@pytest.mark.parametrize("options", [{"optimiser": "magic"}, {"schedule": "x"}, {"rate": -1.0}, {"epochs": -1}])
def test_settings_that_make_no_sense_are_errors(options) -> None:
    with pytest.raises(UsageError):
        Settings(**options)


KILLED = """
import os, pathlib, signal, sys, time
import numpy as np
from backproof.calculus.network import Network
from backproof.run.training import Data, Settings, Trainer

generator = np.random.default_rng(0)
data = Data(generator.normal(size=(60, 4)), np.eye(3)[generator.integers(0, 3, 60)])
net = Network(sizes=("4", "5", "3"), hidden="tanh", output="softmax", loss="cross-entropy", reduction="mean")
optimiser, epochs, kills, whole, cut = sys.argv[1], *map(int, sys.argv[2:4]), *map(pathlib.Path, sys.argv[4:6])
settings = Settings(optimiser=optimiser, epochs=epochs, batch=20, backend="numpy", schedule="cosine")

def train(path):
    Trainer(net, settings).fit(data, checkpoint=path, resume=True)

def written(path):
    return path.stat().st_mtime_ns if path.exists() else 0

train(whole)  # undisturbed
done = 0
while done < kills:
    before = written(cut)
    child = os.fork()
    if not child:
        train(cut)
        os._exit(0)
    if generator.random() < 0.7:  # some are killed before they have written anything
        end = time.monotonic() + 20
        while written(cut) == before and time.monotonic() < end:
            time.sleep(0.001)
    time.sleep(generator.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    ended = os.waitpid(child, 0)[1]
    if os.WIFEXITED(ended):
        break
    done += 1
    for part in cut.parent.glob("*.part"):  # what a process leaves that was killed while it wrote
        part.unlink()
train(cut)
print(done)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("optimiser", "epochs", "kills"), [("adam", 4000, 100), ("lbfgs", 60, 10), ("cg", 60, 10)])
def test_killed_again_and_again_the_weights_are_the_same_bit_for_bit(tmp_path, optimiser, epochs, kills) -> None:
    (tmp_path / "a").mkdir()
    whole, cut = tmp_path / "whole", tmp_path / "a" / "cut"
    environment = os.environ | {"PYTHONPATH": str(Path(training.__file__).parents[2])}
    run = [sys.executable, "-c", KILLED, optimiser, str(epochs), str(kills), str(whole), str(cut)]
    said = subprocess.run(run, check=True, env=environment, capture_output=True, text=True, timeout=600)
    assert int(said.stdout) == kills
    assert load_model(cut)[0].theta.tobytes() == load_model(whole)[0].theta.tobytes()
    assert load_model(cut)[0].history == load_model(whole)[0].history


def digits_data():
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "ex4_digits_rebuilt.npz"
    if not path.exists():
        pytest.skip("the digits of the exercise are not beside the checkout")
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["X"], arrays["y"] % 10


def test_cost_and_gradient_at_the_course_s_weights() -> None:
    from backproof.run.kernels import loss_kernel

    inputs, labels = digits_data()
    pytest.importorskip("scipy.io")
    from scipy.io import loadmat

    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "ex4weights.mat"
    theta = loadmat(path)
    flat = np.concatenate([np.r_[theta[f"Theta{k}"][:, 1:].T.ravel(), theta[f"Theta{k}"][:, 0]] for k in (1, 2)])
    targets = np.roll(np.eye(10), 1, 0)[labels]  # row 9 of Theta2 is the digit 0
    for weight, cost, total, norm in (
        ("0", 0.2876291651613190, 0.0260474338528967, 1.893155e-2),
        ("1", 0.3837698590909237, 0.0099559365856836, 1.291313e-2),
        ("3", 0.5760512469501331, -0.0222270579487426, 3.765284e-3),
    ):
        net = Network(
            sizes=("400", "25", "10"), output="sigmoid", loss="bce", reduction="mean", layout="rows", l2=weight
        )
        gradient = np.zeros_like(flat)
        kernel = loss_kernel(net, precision="float64", compiled=False)
        assert kernel(flat, gradient, inputs, targets) == pytest.approx(cost, rel=1e-13)
        assert gradient.sum() == pytest.approx(total, rel=1e-11)
        assert np.linalg.norm(gradient) == pytest.approx(norm, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_the_digits_network_of_the_course(seed) -> None:
    inputs, labels = digits_data()
    net = Network(sizes=("400", "25", "10"), output="sigmoid", loss="bce", reduction="mean", l2="1")
    settings = Settings(optimiser="cg", epochs=50, seed=seed, initialiser="course", precision="float64")
    model = Trainer(net, settings).fit(Data(inputs, np.eye(10)[labels]))
    assert (model.outputs(inputs).argmax(1) == labels).mean() >= 0.955


def test_a_mapped_file_is_trained_on_without_a_copy(tmp_path) -> None:
    inputs, targets = examples(count=50)
    for name, values in (("x", inputs), ("y", targets)):
        np.save(tmp_path / f"{name}.npy", values)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("x", "y")]
    trainer = Trainer(network(), FAST)
    assert np.shares_memory(trainer._admitted(Data(*mapped)).inputs, mapped[0])
    assert trainer.fit(Data(*mapped)).theta.tobytes() == trainer.fit(Data(inputs, targets)).theta.tobytes()


@pytest.mark.slow
def test_mnist() -> None:
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist.npz"
    if not path.exists():
        pytest.skip("MNIST is not beside the checkout")
    with np.load(path, allow_pickle=False) as arrays:
        inputs, test = (arrays[f"x_{part}"].reshape(-1, 784) / np.float32(255) for part in ("train", "test"))
        labels, answers = arrays["y_train"], arrays["y_test"]
    net = Network(sizes=("784", "128", "10"), hidden="relu", output="softmax", loss="cross-entropy", reduction="mean")
    settings = Settings(optimiser="adam", rate=2e-3, schedule="cosine", epochs=10, batch=64)
    model = Trainer(net, settings).fit(Data(inputs, np.eye(10)[labels]))
    assert (model.outputs(test).argmax(1) == answers).mean() >= 0.978


def test_errors_are_the_package_s_own() -> None:
    assert issubclass(TrainingError, BackproofError)
