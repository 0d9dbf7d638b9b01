from __future__ import annotations

import json
import subprocess
import sys

import pytest

from backproof.check.code.running import check_file, split
from backproof.errors import FileError, UsageError

FILE = """\
import numpy as np

def forward(params, x, y):
    return np.sum((x @ params["w"] - y) ** 2)

def backward(params, x, y):
    {extra}
    r = x @ params["w"] - y
    return {{"w": {factor} * x.T @ r}}

def example(seed):
    rng = np.random.default_rng(seed)
    return {{"w": rng.normal(size=3)}}, rng.normal(size=(4, 3)), rng.normal(size=4)
"""


def written(tmp_path, extra="pass", factor=2):
    path = tmp_path / "model.py"
    path.write_text(FILE.format(extra=extra, factor=factor))
    return str(path)


def test_a_file_is_judged(tmp_path):
    (claim,) = check_file(written(tmp_path))["claims"]
    assert (claim["claim"], claim["verdict"], claim["basis"]) == ("w", "proved", "proved")


def test_a_wrong_factor_is_named_at_its_line(tmp_path):
    (claim,) = check_file(written(tmp_path, factor=1))["claims"]
    assert (claim["verdict"], claim["mistakes"][0]["name"]) == ("refuted", "factor")
    assert claim["where"]["line"] == 9


@pytest.mark.parametrize(
    ("extra", "because"),
    [
        ("raise ValueError('broken')", "broken"),
        ("exit(3)", "exit"),
        ("import os; os._exit(7)", "code 7"),
        ("return None", "no gradients"),
    ],
)
def test_a_function_that_fails_is_reported(tmp_path, extra, because):
    (claim,) = check_file(written(tmp_path, extra))["claims"]
    assert claim["verdict"] == "unread"
    assert because in claim["because"]


def test_a_function_that_hangs_is_stopped(tmp_path):
    data = check_file(written(tmp_path, "while True: pass"), seconds=2)
    assert "did not finish" in data["claims"][0]["because"]


def test_what_a_function_prints_does_not_disturb(tmp_path):
    data = check_file(written(tmp_path, "print('hello')"))
    assert data["claims"][0]["verdict"] == "proved"
    assert any("hello" in note for note in data["notes"])


@pytest.mark.parametrize(
    ("extra", "name", "says"),
    [
        ("return {{'w': (2 * x.T @ (x @ params['w'] - y))[None]}}", "wrong-axis", "shape"),
        ("return {{'w': np.full(3, np.nan)}}", "not-a-formula-error", "not finite"),
        ("return {{'w': np.arange(3)}}", "dtype", "integers"),
        ("y -= y.mean()", "in-place", "changes y"),
        ("params['w'] *= 0.9", "in-place", "changes w"),
    ],
)
def test_what_a_function_gives_or_changes_is_named(tmp_path, extra, name, says):
    (claim,) = check_file(written(tmp_path, extra.format()))["claims"]
    assert claim["verdict"] == "refuted"
    assert name in {m["name"] for m in claim["mistakes"]}
    assert says in json.dumps(claim)


FORMS = {
    "network": """
import numpy as np
import backproof
forward = backproof.Network(("4", "3"), output="softmax", loss="cross-entropy", reduction="mean", layout="rows")
def backward(params, x, y):
    e = np.exp(x @ params["W1"] + params["b1"])
    d = (e / e.sum(axis=1, keepdims=True) - y) / len(x)
    return {"W1": x.T @ d, "b1": d.mean(axis=0)}
def example(seed):
    rng = np.random.default_rng(seed)
    weights = {"W1": rng.normal(size=(4, 3)), "b1": rng.normal(size=3)}
    return weights, rng.normal(size=(6, 4)), np.eye(3)[rng.integers(0, 3, 6)]
""",
    "pair": """
import numpy as np
def backward(w, x):
    value, slope = np.sum(np.sin(w * x)), np.cos(w * x)
    return value, slope
def example(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=4), rng.normal(size=4)
""",
    "model": """
import numpy as np
class Model:
    def __init__(self, rng):
        self.W = rng.normal(size=(4, 3))
    def loss(self, x, y):
        return np.sum((x @ self.W - y) ** 2)
    def gradient(self, x, y):
        return {"W": x.T @ (x @ self.W - y)}
backward = Model(np.random.default_rng(0))
def example(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
""",
}


@pytest.mark.parametrize(
    ("form", "name"), [("network", "bias-reduction"), ("pair", "dropped-term"), ("model", "factor")]
)
def test_other_forms_of_a_file(tmp_path, form, name):
    path = tmp_path / "model.py"
    path.write_text(FORMS[form])
    wrong = [c for c in check_file(str(path))["claims"] if c["verdict"] == "refuted"]
    assert name in {m["name"] for c in wrong for m in c["mistakes"]}


def test_the_command_line_writes_annotations(tmp_path):
    command = [sys.executable, "-m", "backproof", "check", written(tmp_path, factor=1), "--format", "github"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("::error file=")
    assert "line=9" in done.stdout
    assert "factor" in done.stdout


def test_a_file_without_the_functions_is_an_error(tmp_path):
    path = tmp_path / "empty.py"
    path.write_text("x = 1\n")
    with pytest.raises(UsageError) as caught:
        check_file(str(path))
    assert "lacks" in caught.value.what
    with pytest.raises(FileError):
        check_file(str(tmp_path / "nothing.py"))


def test_a_file_that_does_not_load_is_reported(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("def f(:\n")
    assert "does not load" in check_file(str(path))["claims"][0]["because"]


def test_a_target_is_split():
    assert split("a/b.py:wrong")[1] == "wrong"
    assert split("a/b.py")[1] is None


@pytest.mark.parametrize(("factor", "code"), [(2, 0), (1, 1)])
def test_the_command_line_gives_the_exit_code(tmp_path, factor, code):
    command = [sys.executable, "-m", "backproof", "check", written(tmp_path, factor=factor), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["summary"]["refuted"] == code
