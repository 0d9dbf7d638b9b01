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
LOOK: Final = 0.02


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
    next_look: float = 0.0
    over: bool = False

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

    def begin(self, deadline: float) -> None:
        """A search begins, which has the time until a deadline of its own."""
        self.deadline, self.next_look, self.over = deadline, 0.0, False

    @property
    def late(self) -> bool:
        """Whether the time for the search is over."""
        now = time.perf_counter()
        if now > self.next_look:
            # The clock of the processor may take long to read.
            self.next_look = now + LOOK
            self.over = now > self.until or time.process_time() > self.deadline
        return self.over
