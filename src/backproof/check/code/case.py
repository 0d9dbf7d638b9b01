"""Cases: wrong gradients with all that is known of them, and the time for their explanation."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from backproof.check.code.backward_trace import BackwardTrace, traced
from backproof.check.code.comparing import Comparison
from backproof.check.code.operations import Array
from backproof.check.code.problem import Problem
from backproof.check.code.truth import Truth

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
    until: float = 0.0

    def __post_init__(self) -> None:
        # The time is the processor's, so that other work does not change an answer; but nobody waits for ever.
        self.until = time.perf_counter() + PATIENCE * max(0.0, self.deadline - time.process_time())

    @cached_property
    def backward(self) -> BackwardTrace | None:
        """The backward function on a tape, where it can be followed."""
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
