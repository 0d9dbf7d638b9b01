"""The whole catalogue before Coq's kernel: every slope, every elementwise pair, the vector pairs, dense networks.

The functions are proved once, in a module of their own; the pairs follow in one file for each activation. A theorem that Coq
does not accept is taken out and listed with Coq's message, and the others are checked again: one failure hides no other.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backproof import catalog
from backproof.calculus.network import Network
from backproof.coq import kernel
from backproof.coq.document import Document
from backproof.coq.functions import Functions
from backproof.coq.outputs import Line, Output, OutputWriter
from backproof.errors import BackproofError
from backproof.proof.derivation import derive

SCALAR_MODULES = ("Rules", "Functions", "Scalars", "Activations")
TIME_LIMIT = 300.0
MOST_FAILURES = 12


@dataclass(frozen=True, slots=True)
class Claim:
    """A theorem with the lines of its statement and proof."""

    name: str
    words: str
    text: str

    @property
    def lines(self) -> int:
        """How long it is."""
        return self.text.count("\n")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What Coq said of a group of claims: the names that failed, each with the reason."""

    group: str
    claims: int
    lines: int
    seconds: float
    axioms: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]

    @property
    def accepted(self) -> int:
        """How many claims Coq accepted."""
        return self.claims - len(self.failed)


def elementwise_names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The elementwise activations and losses that have a definition."""
    activations = tuple(a.name for a in catalog.activations() if a.elementwise and not a.abstract)
    losses = tuple(entry.name for entry in catalog.losses() if entry.elementwise and not entry.abstract)
    return activations, losses


def functions_document(functions: Functions) -> Document:
    """The module with every elementwise function of the catalogue and its slope."""
    activations, losses = elementwise_names()
    for name in (*activations, *losses):
        if not catalog.is_axiom(name):
            functions.name(name)
    document = Document("The functions of the catalogue and their slopes", SCALAR_MODULES)
    document.add(functions.text(), functions.lemmas)
    return document


def output(activation: str, loss: str) -> Output:
    """An output layer with the lines of its derivation."""
    network = Network(output=activation, loss=loss)
    equation = derive(network).equations[0]
    lines = tuple(Line(step.expr, step.why) for step in equation.steps)
    return Output(activation, loss, lines, network.program.assumptions)


def pair_claims(activation: str, writer: OutputWriter) -> tuple[list[Claim], list[tuple[str, str]]]:
    """Delta for one activation with every elementwise loss, and the pairs that cannot be written, with the reason."""
    claims: list[Claim] = []
    failed: list[tuple[str, str]] = []
    for loss in elementwise_names()[1]:
        words = f"{activation} with {loss}"
        try:
            text, name = writer.theorem(output(activation, loss), steps=False)
        except BackproofError as error:
            failed.append((words, error.what))
            continue
        claims.append(Claim(name, words, text))
    return claims, failed


def check_group(
    group: str, claims: Sequence[Claim], head: Callable[[], Document], folder: Path, failed: list[tuple[str, str]]
) -> Outcome:
    """Let Coq check the claims in one file; those that it rejects are taken out, and the rest is checked again."""
    left = list(claims)
    begin = time.monotonic()
    axioms: tuple[str, ...] = ()
    lost = list(failed)
    while left and len(lost) - len(failed) < MOST_FAILURES:
        document = head()
        for claim in left:
            document.add(f"(** {claim.name} *)\n{claim.text}", [claim.name])
        text = document.text()
        answer = kernel.check(text, TIME_LIMIT, beside=folder, keep="pairs")
        if answer.accepted:
            axioms = answer.axioms
            break
        culprit = _claim_at(text, answer.place, left)
        if culprit is None:
            lost += [(c.words, answer.message) for c in left]
            left = []
            break
        lost.append((culprit.words, _short(answer.message)))
        left.remove(culprit)
    total = len(claims) + len(failed)
    return Outcome(group, total, sum(c.lines for c in claims), time.monotonic() - begin, axioms, tuple(lost))


def _claim_at(text: str, line: int | None, claims: Sequence[Claim]) -> Claim | None:
    if line is None:
        return None
    above = "\n".join(text.split("\n")[:line])
    found = re.findall(r"^\(\*\* (\w+) \*\)$", above, re.MULTILINE)
    return next((c for c in claims if found and c.name == found[-1]), None)


def _short(message: str) -> str:
    return " ".join(message.split())[:160]


def check_pairs(only: Sequence[str] = ()) -> Iterator[Outcome]:
    """Every elementwise pair, one outcome for the functions and one for each activation."""
    functions = Functions()
    document = functions_document(functions)
    with tempfile.TemporaryDirectory(prefix="backproof-") as name:
        folder = Path(name)
        answer = kernel.check(document.text(), TIME_LIMIT, beside=folder, keep="catalogue")
        failed = () if answer.accepted else (("the catalogue's functions", answer.message),)
        lines = document.text().count("\n")
        yield Outcome("slopes", len(functions.lemmas), lines, answer.seconds, answer.axioms, failed)
        if failed:
            return
        for activation in only or elementwise_names()[0]:
            writer = OutputWriter(functions)
            claims, unwritten = pair_claims(activation, writer)
            yield check_group(activation, claims, _with_catalogue, folder, unwritten)


def _with_catalogue() -> Document:
    document = Document("Pairs of the catalogue", SCALAR_MODULES)
    document.add("From Statements Require Import catalogue.")
    return document
