"""Backward functions on a tape, with the node of each gradient."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backproof.check.code.arguments import library, numbers
from backproof.check.code.libraries import LIBRARIES
from backproof.check.code.problem import Problem
from backproof.check.code.standins import traced_names
from backproof.check.code.tape import Node, Tape
from backproof.check.code.tracing import Recorder, Traced


@dataclass
class BackwardTrace:
    """A backward function on a tape, with the node of each gradient."""

    tape: Tape
    outputs: dict[str, Node]


def traced(
    problem: Problem,
    files: frozenset[str],
    namespaces: list[dict[str, Any]],
    *,
    copying: bool = False,
    scalars: bool = False,
) -> BackwardTrace | None:
    """The backward function on a tape, or None. With `copying`, in-place operators make new arrays; with `scalars`,
    plain numbers among the arguments are inputs too.
    """
    tape = Tape()
    recorder = Recorder(tape, files, LIBRARIES, library=problem.library, copying=copying)
    inputs = {
        name: Traced(recorder, tape.enter(name, problem.values.get(name, numbers(leaf.original))))
        for name, leaf in problem.leaves.items()
        if (library(leaf.original) or scalars) and (name in problem.values or np.ndim(numbers(leaf.original)))
    }
    try:
        with traced_names(recorder, namespaces), np.errstate(all="ignore"):
            bare = replace(problem, backward=inspect.unwrap(problem.backward))
            found = bare.gradients(problem.arguments(inputs), inputs)
        outputs = {n: v.node for n, v in found.items() if isinstance(v, Traced)}
    except Exception:
        return None
    return BackwardTrace(tape, outputs)
