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
from backproof.proof.layer_derivation import derive_layer

LATEX = shutil.which("latex")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(LATEX is None, reason="LaTeX is not installed")]


def document(activation: str, loss: str) -> str:
    return show(derive(Network(output=activation, loss=loss), ("delta_L",)), "latex")


def documents() -> Iterator[tuple[str, str]]:
    for loss in catalog.losses():
        for activation in loss.pairs_with:
            yield f"{activation} with {loss.name}", document(activation, loss.name)
    layers = Network(sizes=("400", "25", "10"), reduction="mean", l2="lambda", layout="rows")
    yield "layers", show(derive(layers), "latex")
    claims = ["(a-y)*a*(1-a)", "a - y", "foo(", "a_b^c{} % $ # & ~ \\ é ÷ 日本"]
    yield "claims", show([c for text in claims for c in check(text, Network())], "latex")


def fault(text: str, folder: Path) -> str | None:
    """The first line that LaTeX complains about, with the lines after it."""
    assert LATEX is not None
    (folder / "tried.tex").write_text(text, "utf-8")
    command = [LATEX, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "tried.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    if not run.returncode:
        return None
    lines = run.stdout.decode("utf-8", "replace").splitlines()
    at = next((k for k, line in enumerate(lines) if line.startswith("!")), len(lines) - 1)
    return " ".join(lines[at : at + 4])


def test_every_document_compiles_alone(tmp_path: Path) -> None:
    failed = [f"{name}: {found}" for name, text in documents() if (found := fault(text, tmp_path))]
    assert failed == []


def together(texts: list[str]) -> str:
    """The bodies of documents in one document; they have the same head."""
    heads = {text.split("\\begin{document}")[0] for text in texts}
    assert len(heads) == 1
    bodies = (text.split("\\begin{document}")[1].removesuffix("\\end{document}\n") for text in texts)
    return heads.pop() + "\\begin{document}\n" + "\\clearpage\n".join(bodies) + "\\end{document}\n"


@pytest.mark.parametrize("loss", [loss.name for loss in catalog.losses()])
def test_every_activation_with_every_loss_compiles(loss: str, tmp_path: Path) -> None:
    assert fault(together([document(a.name, loss) for a in catalog.activations()]), tmp_path) is None


def test_every_layer_compiles(tmp_path: Path) -> None:
    assert fault(together([show(derive_layer(layer), "latex") for layer in catalog.layers()]), tmp_path) is None
