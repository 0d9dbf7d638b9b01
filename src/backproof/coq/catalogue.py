"""The whole catalogue before Coq's kernel: every slope, every elementwise pair, the vector pairs, dense networks.

The functions are proved once, in a module of their own; the pairs follow in one file for each activation. A theorem
that Coq does not accept is taken out and listed with Coq's message, and the others are checked again: one failure
hides no other.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backproof import catalog
from backproof.calculus.network import Layout, Network, Reduction
from backproof.coq import kernel
from backproof.coq.document import Document
from backproof.coq.exporting import export
from backproof.coq.functions import Functions
from backproof.coq.identifiers import plain
from backproof.coq.outputs import Line, Output, OutputWriter
from backproof.errors import BackproofError
from backproof.proof.derivation import derive

WORKERS = 2
_BATCHES: Final[tuple[tuple[Reduction, Layout, str | None], ...]] = (
    ("mean", "columns", "lambda"),
    ("mean", "rows", "lambda"),
    ("mean", "rows-out-in", None),
    ("sum", "rows", None),
    ("mean-all", "columns", None),
)
VECTOR_GROUP = "vectors"
NETWORK_GROUP = "networks"
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
        answer = kernel.check(text, TIME_LIMIT, beside=folder, keep=f"pairs_{plain(group)}")
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


def check_everything(only: Sequence[str] = ()) -> Iterator[Outcome]:
    """All groups: the functions, every activation with every elementwise loss, vector pairs, and networks.

    `only` names groups. Two files are checked at a time.
    """
    if not only or set(only) - {VECTOR_GROUP, NETWORK_GROUP}:
        yield from check_pairs([g for g in only if g not in ("slopes", VECTOR_GROUP, NETWORK_GROUP)])
    if not only or VECTOR_GROUP in only:
        yield from check_networks(vector_networks())
    if not only or NETWORK_GROUP in only:
        yield from check_networks(dense_networks())


def check_pairs(only: Sequence[str] = ()) -> Iterator[Outcome]:
    """Every elementwise pair, one outcome for the functions and one for each activation."""
    functions = Functions()
    document = functions_document(functions)
    with tempfile.TemporaryDirectory(prefix="backproof-") as name, ThreadPoolExecutor(WORKERS) as pool:
        folder = Path(name)
        answer = kernel.check(document.text(), TIME_LIMIT, beside=folder, keep="catalogue")
        failed = () if answer.accepted else (("the catalogue's functions", answer.message),)
        lines = document.text().count("\n")
        yield Outcome("slopes", len(functions.lemmas), lines, answer.seconds, answer.axioms, failed)
        if failed:
            return

        def outcome(group: tuple[str, list[Claim], list[tuple[str, str]]]) -> Outcome:
            return check_group(group[0], group[1], _with_catalogue, folder, group[2])

        groups = [(a, *pair_claims(a, OutputWriter(functions))) for a in only or elementwise_names()[0]]
        yield from pool.map(outcome, groups)


def _with_catalogue() -> Document:
    document = Document("Pairs of the catalogue", SCALAR_MODULES)
    document.add("From Statements Require Import catalogue.")
    return document


def check_networks(networks: Sequence[Network]) -> Iterator[Outcome]:
    """One file for each network, two at a time."""

    def outcome(network: Network) -> Outcome:
        words = network.describe()
        try:
            file = export(derive(network))
        except BackproofError as error:
            return Outcome(words, 1, 0, 0.0, (), ((words, error.what),))
        answer = kernel.check(file.text, TIME_LIMIT)
        failed = () if answer.accepted else ((words, _short(answer.message)),)
        return Outcome(words, 1, file.lines, answer.seconds, answer.axioms, failed)

    with ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(outcome, networks)


def vector_networks() -> tuple[Network, ...]:
    """Every activation of a whole layer with every loss of one, and softmax with the usual elementwise losses."""
    activations = tuple(a.name for a in catalog.activations() if not a.elementwise and not a.abstract)
    losses = tuple(entry.name for entry in catalog.losses() if not entry.elementwise and not entry.abstract)
    pairs = [(a, entry) for a in activations for entry in losses if _sensible(a, entry)]
    pairs += [("softmax", entry) for entry in ("mse", "half-mse", "huber", "log-cosh", "ell")]
    return tuple(Network(output=a, loss=entry) for a, entry in pairs)


def _sensible(activation: str, loss: str) -> bool:
    """Whether the loss has a value: no logarithm of a log-probability, which is never positive."""
    return not (catalog.activation(activation).range == "log-probability" and catalog.loss(loss).domain)


def dense_networks() -> tuple[Network, ...]:
    """Two layers and any depth, one example and batches, in every layout, with and without weight decay."""
    two, three = ("n", "h", "k"), ("n", "h", "h", "k")
    outputs = (("sigmoid", "bce"), ("softmax", "cross-entropy"), ("identity", "mse"), ("sigmoid", "half-mse"))
    hidden = ("sigmoid", "tanh", "relu", "f")
    networks = [Network(sizes=two, hidden=f, output=o, loss=e) for f in hidden for o, e in outputs]
    networks += [
        Network(sizes=three, symbolic_depth=True, hidden=f, output=o, loss=e) for f in hidden for o, e in outputs
    ]
    networks.append(Network(sizes=("400", "25", "10"), hidden="sigmoid", output="sigmoid", loss="bce"))
    networks.append(Network(sizes=("n", "h", "h", "h", "k"), hidden="gelu", output="softmax", loss="cross-entropy"))
    networks += [
        Network(sizes=two, hidden="tanh", output="softmax", loss="cross-entropy", reduction=r, layout=w, l2=p)
        for r, w, p in _BATCHES
    ]
    return tuple(networks)
