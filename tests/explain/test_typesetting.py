"""LaTeX documents through LaTeX itself."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backproof import catalog
from backproof.calculus.network import Network
from backproof.check.claims import check
from backproof.explain.showing import show
from backproof.proof.derivation import derive

LATEX = shutil.which("latex")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(LATEX is None, reason="LaTeX is not installed")]


def documents() -> Iterator[tuple[str, str]]:
    for loss in catalog.losses():
        for activation in loss.pairs_with:
            yield f"{activation} with {loss.name}", show(derive(Network(output=activation, loss=loss.name)), "latex")
    for activation in catalog.activations():
        yield (
            f"{activation.name} with half-mse",
            show(derive(Network(output=activation.name, loss="half-mse")), "latex"),
        )
    layers = Network(sizes=("400", "25", "10"), reduction="mean", l2="lambda", layout="rows")
    yield "layers", show(derive(layers), "latex")
    claims = ["(a-y)*a*(1-a)", "a - y", "foo(", "a_b^c{} % $ # & ~ \\ é ÷ 日本"]
    yield "claims", show([c for text in claims for c in check(text, Network())], "latex")


def test_every_document_compiles_alone(tmp_path: Path) -> None:
    assert LATEX is not None
    failed: list[str] = []
    for number, (name, text) in enumerate(documents()):
        (tmp_path / f"{number}.tex").write_text(text, "utf-8")
        command = [LATEX, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", f"{number}.tex"]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
        if run.returncode:
            lines = run.stdout.decode("utf-8", "replace").splitlines()
            failed.append(f"{name}: {next((line for line in lines if line.startswith('!')), lines[-1])}")
    assert failed == []
