"""Diagnosis of code: the simplest change of the derivation, or of the person's own code, that explains wrong numbers.

Three searches, from the cheapest: the numbers alone (a constant ratio, a transpose, a type); changes of the derivation,
on the trace of the forward function; repairs of the backward function, on its own trace.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from backproof.check.code.comparing import Comparison
from backproof.check.code.kinds import CodeMistake
from backproof.check.code.operations import Array
from backproof.check.code.problem import Problem
from backproof.check.code.truth import Truth
from backproof.errors import BackproofError

if TYPE_CHECKING:
    from backproof.check.code.repairs import BackwardTrace


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
        return time.perf_counter() > self.deadline


def diagnose(case: Case) -> dict[str, tuple[CodeMistake, ...]]:
    """The mistakes of each wrong gradient, the simplest first."""
    from backproof.check.code import derivations, repairs, shapes

    found: dict[str, list[CodeMistake]] = {n: [] for n in case.wrong}
    with np.errstate(all="ignore"):
        for search in (shapes.explain, derivations.explain, repairs.explain):
            try:
                explained = search(case)
            except (BackproofError, ArithmeticError, ValueError, IndexError, TypeError, LookupError):
                # No explanation is worth a verdict: what is wrong stays wrong, without a name.
                continue
            for name, mistakes in explained.items():
                found[name] += mistakes
            if all(found.values()) or case.late:
                break
    return {n: ordered(mistakes) for n, mistakes in found.items()}


def ordered(mistakes: list[CodeMistake]) -> tuple[CodeMistake, ...]:
    """Each kind of mistake once, as they were found."""
    kept: dict[str, CodeMistake] = {}
    for mistake in mistakes:
        kept.setdefault(mistake.name, mistake)
    return tuple(kept.values())[:4]
