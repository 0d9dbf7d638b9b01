"""The answer to another question: networks of the catalogue for which a wrong claim would be right."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from backproof import catalog
from backproof.calculus.network import REDUCTIONS, Network
from backproof.check.few_points import FewPoint
from backproof.check.fingerprints import may_hold
from backproof.check.rows import agree, is_zero
from backproof.check.surroundings import point_of
from backproof.errors import BackproofError
from backproof.language.expression import Apply, Expr, Tensor, apply, postorder
from backproof.language.program import Program
from backproof.language.walks import names, rewrite
from backproof.proof.deciding import decide
from backproof.proof.derivation import with_adjoints
from backproof.proof.verdict import Budget, Kind

if TYPE_CHECKING:
    from backproof.check.points import Point

MAX_ANSWERS: Final = 6
REMEMBERED: Final = 4
MAX_PROOFS: Final = 24
SECONDS: Final = 0.8
_QUICK: Final = Budget(seconds=0.3, condition_seconds=0)


def would_be_right_for(network: Network, left: Expr, right: Expr) -> tuple[str, ...]:
    """Networks that differ from the given one in a choice or two and make the claim true, each proved.

    Only a claim about a gradient is a claim about a network. Numbers at one point choose which networks to prove.
    A slope σ′ in the claim is read as the slope of the other network's activation as well.
    """
    if not any(n.startswith("∂J/∂") for n in names(left)):
        return ()
    found: list[str] = []
    proofs = 0
    deadline = time.monotonic() + SECONDS
    for other in _others_of(network):
        for claim in _readings(right, network, other.network):
            if proofs >= MAX_PROOFS or len(found) >= MAX_ANSWERS or time.monotonic() > deadline:
                return tuple(found)
            try:
                if not may_hold(other.network, left, claim) or not other.plausible(left, claim):
                    continue
                proofs += 1
                verdict = decide(other.program, left, claim, admissible=other.network.admissible, budget=_QUICK)
            except (BackproofError, KeyError):
                continue
            if verdict.kind is Kind.PROVED and other.network.describe() not in found:
                found.append(other.network.describe())
    return tuple(found)


@dataclass(frozen=True)
class _Other:
    """Another network, with its gradients at one random point; they are computed when they are first asked for."""

    network: Network

    @cached_property
    def program(self) -> Program:
        return with_adjoints(self.network)

    @cached_property
    def point(self) -> FewPoint | Point:
        return point_of(self.program, self.network.admissible)

    def plausible(self, left: Expr, right: Expr) -> bool:
        """Whether both sides agree at the point, in floating point."""
        indices = left.indices if isinstance(left, Tensor) else tuple(sorted(left.free | right.free))
        value = self.point.row(left, indices)
        # Where a gradient is 0 everywhere, a claim that agrees says nothing.
        return not is_zero(value) and agree(value, self.point.row(right, indices))


@lru_cache(maxsize=REMEMBERED)
def _others_of(network: Network) -> tuple[_Other, ...]:
    return tuple(_Other(other) for other in _others(network))


def _others(network: Network) -> Iterator[Network]:
    """Other networks, the likeliest first: another reduction, another loss, a usual pair, other activations."""
    losses = [entry for entry in catalog.losses() if not entry.abstract]
    activations = [entry for entry in catalog.activations() if not entry.abstract and not entry.hyperparameters]
    choices: list[Network] = [replace(network, reduction=r) for r in REDUCTIONS if network.batch and r != "none"]
    choices += [replace(network, loss=entry.name) for entry in losses]
    for entry in losses:
        choices += [replace(network, loss=entry.name, output=output) for output in entry.pairs_with]
    choices += [replace(network, output=entry.name) for entry in activations]
    if len(network.sizes) > 2:
        choices += [replace(network, hidden=entry.name) for entry in activations if entry.elementwise]
    yield from (other for other in dict.fromkeys(choices) if other != network)


def _readings(claim: Expr, network: Network, other: Network) -> Iterator[Expr]:
    """The claim as it stands, and with the other network's activation in place of this one's."""
    yield claim
    renamed = {network.output: other.output, network.hidden: other.hidden}

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Apply) and renamed.get(node.name, node.name) != node.name:
            name = renamed[node.name]
            return apply(name, *node.args, orders=node.orders) if catalog.activation(name).elementwise else None
        return None

    if any(isinstance(n, Apply) and n.name in renamed for n in postorder(claim)):
        changed = rewrite(claim, rule)
        if changed is not claim:
            yield changed
