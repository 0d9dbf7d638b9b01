"""The whole catalogue before Coq's kernel: every slope, every pair of an activation and a loss, and dense networks.

The functions are proved once, in a module of their own; the pairs follow in one file for each activation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Final

from backproof import catalog
from backproof.calculus.network import Layout, Network, Reduction
from backproof.calculus.unfolding import unfold
from backproof.coq import kernel
from backproof.coq.conditions import Condition, attainable, of_assumption
from backproof.coq.document import MODULES
from backproof.coq.exporting import export
from backproof.coq.functions import Functions
from backproof.coq.groups import TIME_LIMIT, Claim, Group, Outcome, Row, check_group, short
from backproof.coq.identifiers import plain
from backproof.coq.networks import NetworkWriter
from backproof.coq.outputs import Line, Output, OutputWriter, conditions_of, scalar
from backproof.coq.refutations import MODULES as REFUTING
from backproof.coq.refutations import Case, negation
from backproof.coq.shelf import Shelf
from backproof.errors import BackproofError
from backproof.language.expression import Expr, apply, tensor
from backproof.proof.derivation import derive

WORKERS: Final = 2
SLOPES_GROUP: Final = "slopes"
LIBRARY_GROUP: Final = "library"
NETWORK_GROUP: Final = "networks"
REFUTED_GROUP: Final = "refuted"
REFUTED_PAIRS: Final = (
    ("sigmoid", "bce"),
    ("sigmoid", "half-mse"),
    ("tanh", "mse"),
    ("relu", "half-mse"),
    ("softplus", "mse"),
    ("exp", "poisson"),
    ("identity", "log-cosh"),
    ("identity", "bce-with-logits"),
)
LIBRARY: Final = {
    "Activations": ("relu_kink", "is_derive_elu_1", "is_derive_softsign"),
    "Losses": ("is_derive_huber", "is_derive_squared_hinge", "is_derive_log_cosh"),
    "Softmax": ("logsumexp_grad", "log_softmax_jac", "bp_softmax", "bp_log_softmax", "softmax_ce"),
    "Normalisation": ("bp_centre", "bp_rmsnorm", "bp_layernorm"),
    "Attention": ("attention_scores", "attention_query"),
    "Network": ("backward_correct",),
    "Batches": ("batch_delta", "batch_weight", "batch_weight_rows", "batch_bias", "weight_decay", "d_layers"),
    "Sharing": ("bp_shared", "bp_aff"),
    "Refutation": ("extra_slope_is_wrong_everywhere", "missing_slope_is_wrong", "hidden_condition_is_wrong"),
}
"""Theorems that the library proves once for all, by module."""
EMPTY: Final = "the activation's values lie outside the domain of the loss: nothing to prove"
_BATCHES: Final[tuple[tuple[Reduction, Layout, str | None], ...]] = (
    ("mean", "columns", "lambda"),
    ("mean", "rows", "lambda"),
    ("mean", "rows-out-in", None),
    ("sum", "rows", None),
    ("mean-all", "columns", None),
)
_DEEP: Final[tuple[tuple[Reduction, Layout, str | None], ...]] = (
    *_BATCHES,
    ("none", "columns", "lambda"),
    ("none", "rows", None),
)
_making: Final = Lock()  # one derivation at a time: the other thread waits for Coq


def output(activation: str, loss: str) -> Output:
    """An output layer with the lines of its derivation."""
    network = Network(output=activation, loss=loss)
    equation = derive(network).equations[0]
    lines = tuple(Line(step.expr, step.why) for step in equation.steps)
    return Output(activation, loss, lines, network.program.assumptions)


def activations() -> tuple[str, ...]:
    """The activations whose pairs are proved; f stands for any differentiable function."""
    return (*(a.name for a in catalog.activations() if not a.abstract), "f")


def losses() -> tuple[str, ...]:
    """The losses whose pairs are proved; ell stands for any differentiable function."""
    return tuple(entry.name for entry in catalog.losses())


def pairs_of(activation: str, functions: Functions) -> Group:
    """Delta for one activation with every loss."""
    claims: list[Claim] = []
    failed: list[tuple[str, str]] = []
    empty: list[tuple[str, str]] = []
    for loss in losses():
        words = f"{activation} with {loss}"
        make = _single if _single_numbers(activation, loss) else _module
        try:
            claim = make(activation, loss, functions)
        except BackproofError as error:
            failed.append((words, error.what))
            continue
        if claim is None:
            empty.append((words, EMPTY))
        else:
            claims.append(claim)
    return Group(f"{activation} with every loss", tuple(claims), tuple(failed), tuple(empty))


def _single_numbers(activation: str, loss: str) -> bool:
    """Whether delta of a unit depends on that unit alone, and both functions are known."""
    both = (catalog.activation(activation), catalog.loss(loss))
    return all(entry.elementwise and not entry.abstract for entry in both)


def _single(activation: str, loss: str, functions: Functions) -> Claim | None:
    """Delta of one unit; None where its hypotheses hold nowhere, as far as is known."""
    found = output(activation, loss)
    if not attainable(conditions_of(found)):
        return None
    text, name = OutputWriter(functions).theorem(found, steps=False)
    return Claim(name, f"{activation} with {loss}", text)


def _meets_domain(activation: str, loss: str) -> bool:
    """Whether the activation's values enter the domain of the loss, as far as is known."""
    known, entry = catalog.activation(activation), catalog.loss(loss)
    domain = [c for a in entry.domain if a.tensor == entry.parameters[0] and (c := of_assumption(a)) is not None]
    if known.elementwise and not known.abstract:
        value = unfold(apply(activation, tensor("z")))
        return attainable(Condition(c.kind, value) for c in domain)
    return not (domain and known.range == "log-probability")


def _module(activation: str, loss: str, functions: Functions) -> Claim | None:
    """Delta of a whole layer, as a module of its own; None where the loss has no value behind the activation."""
    if not _meets_domain(activation, loss):
        return None
    writer = NetworkWriter(derive(Network(output=activation, loss=loss)), functions.known())
    parts = "\n\n".join(writer.parts())
    name = f"pair_{plain(activation)}_{plain(loss)}"
    theorems = tuple(f"{name}.{t}" for t in writer.theorems)
    return Claim(name, f"{activation} with {loss}", f"Module {name}.\n{parts}\nEnd {name}.", theorems)


def check_everything(only: Sequence[str] = ()) -> Iterator[Outcome]:
    """All groups: the library, the slopes, every activation with every loss, refutations, and networks.

    `only` names groups. Two files are checked at a time.
    """
    if not only or LIBRARY_GROUP in only:
        yield from check_library()
    if not only or set(only) - {LIBRARY_GROUP, NETWORK_GROUP}:
        yield from check_pairs(only or (*activations(), REFUTED_GROUP))
    if not only or NETWORK_GROUP in only:
        yield from check_networks(dense_networks())


def check_library() -> Iterator[Outcome]:
    """The theorems of the library that no exported file repeats: normalisations, attention, kinks, any depth."""

    def outcome(item: tuple[str, tuple[str, ...]]) -> Outcome:
        module, theorems = item
        text = f"From Backproof Require Import {module}.\n" + "".join(f"Print Assumptions {t}.\n" for t in theorems)
        answer = kernel.check(text, TIME_LIMIT)
        lines = (kernel.library_folder() / f"{module}.v").read_text(encoding="utf-8").count("\n")
        failed = () if answer.accepted else tuple((t, short(answer.message)) for t in theorems)
        rows = () if failed else tuple(Row(t) for t in theorems)
        return Outcome(f"proofs/{module}.v", len(theorems), lines, answer.seconds, answer.axioms, failed, rows=rows)

    with ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(outcome, LIBRARY.items())


def check_pairs(only: Sequence[str]) -> Iterator[Outcome]:
    """The slopes of all functions, then one outcome for each activation named, and one for refuted claims."""
    with Shelf() as shelf, ThreadPoolExecutor(WORKERS) as pool:
        answer = shelf.answer
        failed = () if answer.accepted else (("the catalogue's functions", short(answer.message)),)
        yield Outcome(
            SLOPES_GROUP, len(shelf.lemmas), shelf.lines, answer.seconds, answer.axioms, failed, rows=shelf.rows()
        )
        if failed:
            return

        def outcome(name: str) -> Outcome:
            modules = REFUTING if name == REFUTED_GROUP else MODULES
            with _making:
                functions = shelf.functions()
                group = near_misses(functions) if name == REFUTED_GROUP else pairs_of(name, functions)
            return check_group(group, lambda: shelf.document(modules), shelf.folder)

        yield from pool.map(outcome, [n for n in only if n not in (SLOPES_GROUP, LIBRARY_GROUP, NETWORK_GROUP)])


def near_misses(functions: Functions) -> Group:
    """Wrong claims about delta, each a right one with one mistake in it; their negations are the theorems."""
    claims: list[Claim] = []
    for activation, loss in REFUTED_PAIRS:
        right = output(activation, loss)
        for mistake, wrong in changed(right).items():
            case = Case(f"{mistake}_{plain(activation)}_{plain(loss)}", right, wrong)
            # With a slope that is 1, or 0 and 1, some changes leave the formula right: no point separates them.
            if (found := negation(case, functions)) is not None:
                claims.append(found)
    return Group(REFUTED_GROUP, tuple(claims))


def changed(right: Output) -> dict[str, Expr]:
    """The result of a derivation with one mistake in it."""
    a, y, z = tensor("a"), tensor("y"), tensor("z")
    result = scalar(right.lines[-1].expr)
    return {
        "sign": -result,
        "factor": 2 * result,
        "extra_slope": result * apply(right.activation, z, orders=(1,)),
        "missing_slope": apply(right.loss, a, y, orders=(1, 0)),
    }


def check_networks(networks: Sequence[Network]) -> Iterator[Outcome]:
    """One file for each network, two at a time."""

    def outcome(network: Network) -> Outcome:
        words = network.describe()
        try:
            with _making:
                file = export(derive(network))
        except BackproofError as error:
            return Outcome(words, 1, 0, 0.0, (), ((words, error.what),))
        answer = kernel.check(file.text, TIME_LIMIT)
        failed = () if answer.accepted else ((words, short(answer.message)),)
        return Outcome(words, 1, file.lines, answer.seconds, answer.axioms, failed)

    with ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(outcome, networks)


def dense_networks() -> tuple[Network, ...]:
    """Two layers and any depth, one example and batches, in every layout, with and without weight decay."""
    two, three = ("n", "h", "k"), ("n", "h", "h", "k")
    outputs = (("sigmoid", "bce"), ("softmax", "cross-entropy"), ("identity", "mse"), ("sigmoid", "half-mse"))
    hidden = ("sigmoid", "tanh", "relu", "f")
    networks = [Network(sizes=two, hidden=f, output=o, loss=e) for f in hidden for o, e in outputs]
    networks += [
        Network(sizes=three, symbolic_depth=True, hidden=f, output=o, loss=e) for f in hidden for o, e in outputs
    ]
    networks += [
        Network(sizes=three, symbolic_depth=True, hidden="tanh", output=o, loss=e, reduction=r, layout=w, l2=p)
        for (o, e), (r, w, p) in zip(outputs * 2, _DEEP, strict=False)
    ]
    networks.append(Network(sizes=("400", "25", "10"), hidden="sigmoid", output="sigmoid", loss="bce"))
    networks.append(Network(sizes=("n", "h", "h", "h", "k"), hidden="gelu", output="softmax", loss="cross-entropy"))
    networks += [
        Network(sizes=two, hidden="tanh", output="softmax", loss="cross-entropy", reduction=r, layout=w, l2=p)
        for r, w, p in _BATCHES
    ]
    return tuple(networks)
