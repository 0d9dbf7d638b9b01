"""The wrong gradients of bench/ as tests: every one found, none accused wrongly, nearly all named."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from backproof.check.code.judging import judge
from backproof.check.code.problem import Problem

FOLDER = Path(__file__).parents[3] / "bench" / "wrong_gradients"
FILES = [p for p in sorted(FOLDER.glob("*.py")) if not p.name.startswith("_") and p.stem != "peers"]


def loaded(path):
    spec = importlib.util.spec_from_file_location(f"bench_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def report(module, name):
    inputs = [module.example(seed) for seed in range(3)]
    return judge([Problem(module.forward, getattr(module, name), i, ("params", "x", "y")) for i in inputs])


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_no_right_gradient_is_accused(path):
    assert report(loaded(path), "backward").ok


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_wrong_gradient_is_found_and_named(path):
    module = loaded(path)
    for name, kinds in module.WRONG.items():
        refuted = [g for g in report(module, name).gradients if g.verdict == "refuted"]
        assert refuted, name
        if name in getattr(module, "UNNAMED", ()):
            continue
        assert set(kinds) & {m.name for g in refuted for m in g.mistakes}, name


def test_the_benchmark_is_large_and_nearly_all_is_named():
    modules = [loaded(p) for p in FILES]
    count = sum(len(m.WRONG) for m in modules)
    assert count >= 150
    assert sum(len(getattr(m, "UNNAMED", ())) for m in modules) <= count / 50
