"""What holds for the whole tree: no paths of one machine, no module that outgrew its idea, a quick cold start."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from house import floors

ROOT = floors.PACKAGE.parents[1]
# The directories of machines on which this project was written; spelled in parts so that this file does not hold them.
MACHINE_PATH = re.compile(
    r"(?<![\w.~-])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me", "fa" + "rm"]) + r")/\w"
)
MAX_LINES = 450
HEAVY = (
    "numba",
    "scipy",
    "sklearn",
    "torch",
    "jax",
    "starlette",
    "uvicorn",
    "sympy",
    "pyarrow",
    "rich",
    "numpy",
    "mpmath",
)


def tracked() -> list[Path]:
    """The files under version control, or, in an unpacked archive, all files outside of hidden folders."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode == 0 and listing.stdout:
        return [ROOT / name for name in listing.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    return [p for p in ROOT.rglob("*") if p.is_file() and not any(x.startswith(".") for x in p.relative_to(ROOT).parts)]


def machine_paths(text: str) -> list[str]:
    return [line for line in text.splitlines() if MACHINE_PATH.search(line)]


def test_no_path_of_a_machine_is_in_the_tree() -> None:
    wrong = []
    for path in tracked():
        text = path.read_bytes()
        if b"\0" not in text:
            wrong += [f"{path.relative_to(ROOT)}: {line}" for line in machine_paths(text.decode("utf-8"))]
    assert not wrong, "\n".join(wrong)


def test_a_planted_machine_path_is_caught() -> None:
    assert machine_paths("data = '/" + "work/main/x.npz'")
    assert machine_paths("see /" + "home/somebody")
    assert not machine_paths("https://example.org/home/page and a/work/b")


def test_no_module_outgrew_its_idea() -> None:
    long = {m: n for m, p in floors.modules().items() if (n := len(p.read_text("utf-8").splitlines())) > MAX_LINES}
    allowed = {"backproof.language.expression"}  # one algebra of nodes with its constructors
    assert not set(long) - allowed, long


def test_every_test_folder_mirrors_a_room() -> None:
    rooms = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and not p.name.startswith(("_", "."))}
    assert rooms <= set(floors.FLOORS) | {"house", "data"}


@pytest.mark.parametrize("module", ["backproof", "backproof.cli", "backproof.cli.options"])
def test_a_cold_start_imports_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(' '.join(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "src")
    assert not set(run.stdout.split()) & set(HEAVY)
