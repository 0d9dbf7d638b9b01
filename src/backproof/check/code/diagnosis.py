"""Diagnosis of code: the simplest change of the derivation, or of the person's own code, that explains wrong numbers.

Four searches, from the cheapest: the numbers alone (a constant ratio, a transpose, a type); changes of the derivation,
on the trace of the forward function; repairs of the backward function, on its own trace; two changes at once.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from backproof.check.code.comparing import Comparison
from backproof.check.code.kinds import CodeMistake
from backproof.check.code.operations import Array
from backproof.check.code.problem import Problem
from backproof.check.code.truth import Truth

if TYPE_CHECKING:
    from backproof.check.code.derivations import Search
    from backproof.check.code.repairs import BackwardTrace


PATIENCE: Final = 3.0


@dataclass
class Case:
    """What is known of wrong gradients: the claims, the truth, and which of them are wrong."""

    problem: Problem
    truth: Truth
    claims: Mapping[str, Any]
    compared: Mapping[str, Comparison]
    wrong: Mapping[str, Comparison]
    files: frozenset[str]
    namespaces: list[dict[str, Any]]
    deadline: float
    left: list[str] = field(default_factory=list[str])
    search: Search | None = None
    until: float = 0.0

    def __post_init__(self) -> None:
        # The time is the processor's, so that other work does not change an answer; but nobody waits for ever.
        self.until = time.perf_counter() + PATIENCE * max(0.0, self.deadline - time.process_time())

    @cached_property
    def backward(self) -> BackwardTrace | None:
        """The backward function on a tape, where it can be followed."""
        from backproof.check.code.repairs import traced

        return traced(self.problem, self.files, self.namespaces)

    def line_of(self, value: Array) -> int | None:
        """The line of the backward function that first has this array, or its transpose, as a value."""
        if self.backward is None or np.size(value) < 2:
            return None
        for node in self.backward.tape.nodes:
            own = np.asarray(node.value)
            if node.line and own.size == np.size(value) and own.dtype.kind == "f":
                for form in (value, np.transpose(value)):
                    if form.shape == own.shape and np.allclose(own, form, rtol=1e-8, atol=1e-12):
                        return node.line
        return None

    @property
    def late(self) -> bool:
        """Whether the time for the search is over."""
        return time.process_time() > self.deadline or time.perf_counter() > self.until


def diagnose(case: Case) -> dict[str, tuple[CodeMistake, ...]]:
    """The mistakes of each wrong gradient, the simplest first."""
    from backproof.check.code import derivations, pairs, repairs, shapes

    found: dict[str, list[CodeMistake]] = {n: [] for n in case.wrong}
    searches = (
        (shapes.explain, 1.0),
        (derivations.explain, 0.4),
        (pairs.after_others, 0.3),
        (repairs.explain, 0.6),
        (pairs.explain, 1.0),
    )
    deadline = case.deadline
    with np.errstate(all="ignore"):
        for search, share in searches:
            now = time.process_time()
            case.deadline = now + share * max(0.0, deadline - now)
            # No explanation is worth a verdict: what is wrong stays wrong, without a name.
            with contextlib.suppress(Exception):
                for name, mistakes in search(case).items():
                    found[name] += mistakes
            case.left = [n for n in case.wrong if not found[n]]
            if not case.left or time.process_time() > deadline or time.perf_counter() > case.until:
                break
    return {n: ordered(mistakes) for n, mistakes in found.items()}


def ordered(mistakes: list[CodeMistake]) -> tuple[CodeMistake, ...]:
    """Each kind of mistake once, as they were found."""
    kept: dict[str, CodeMistake] = {}
    for mistake in mistakes:
        kept.setdefault(mistake.name, mistake)
    return tuple(kept.values())[:4]
