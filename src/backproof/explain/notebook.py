"""Lessons and judgements as Jupyter notebooks: the steps in Markdown, and cells that derive or check them again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from backproof.calculus.network import Network
from backproof.explain.lesson import lesson
from backproof.explain.markdown import lesson_markdown
from backproof.proof.derivation import Derivation

if TYPE_CHECKING:
    from backproof.check.claims import CheckedClaim

Cell = dict[str, Any]


def derivation_notebook(derivation: Derivation) -> str:
    """A notebook that tells the derivation and derives it again."""
    names = tuple(equation.name for equation in derivation.equations)
    derive = f"import backproof\n\nnetwork = {constructed(derivation.network)}\n"
    derive += f"derivation = backproof.derive(network, {names!r})\nderivation"
    prove = "for equation in derivation.equations:\n    print(equation.name, equation.verdict.kind.value)"
    sections = lesson_markdown(lesson(derivation)).split("\n## ")
    texts = [sections[0], *("## " + section for section in sections[1:])]
    return _notebook([*(_markdown(text) for text in texts), _code(derive), _code(prove)])


def claims_notebook(claims: Sequence[CheckedClaim]) -> str:
    """A notebook that shows what was found about the claims and checks them again."""
    return _notebook(list(_claim_cells(claims)))


def _claim_cells(claims: Sequence[CheckedClaim]) -> Iterator[Cell]:
    from backproof.explain.judgement import judgement
    from backproof.explain.markdown import judgements_markdown

    yield _code("import backproof")
    for network in dict.fromkeys(claim.network for claim in claims):
        own = [claim for claim in claims if claim.network == network]
        yield _code(f"network = {constructed(network)}")
        for text in dict.fromkeys(claim.claim for claim in own):
            parts = [claim for claim in own if claim.claim == text]
            yield _markdown(judgements_markdown([judgement(claim) for claim in parts]))
            yield _code(
                f"claims = backproof.check_claim({text!r}, network)\n"
                "[(claim.verdict, [mistake.name for mistake in claim.mistakes]) for claim in claims]"
            )


def constructed(network: Network) -> str:
    """The network as the Python that makes it, without what is usual.

    >>> constructed(Network(output="softmax", loss="cross-entropy"))
    "backproof.Network(output='softmax', loss='cross-entropy')"
    """
    usual = Network()
    named = ("sizes", "symbolic_depth", "hidden", "output", "loss", "reduction", "l2", "layout")
    given = [
        f"{name}={getattr(network, name)!r}"
        for name in named
        if name in ("output", "loss") or getattr(network, name) != getattr(usual, name)
    ]
    return f"backproof.Network({', '.join(given)})"


def _markdown(text: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": text.strip().splitlines(keepends=True)}


def _code(text: str) -> Cell:
    source = text.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}


def _notebook(cells: list[Cell]) -> str:
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    data = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"
