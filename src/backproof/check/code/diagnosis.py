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
from collections.abc import Callable, Iterator

import numpy as np

from backproof.check.code import derivations, pairs, repairs, shapes
from backproof.check.code.case import Case
from backproof.check.code.kinds import CodeMistake

Found = dict[str, list[CodeMistake]]


def diagnose(case: Case) -> dict[str, tuple[CodeMistake, ...]]:
    """The mistakes of each wrong gradient, the simplest first."""
    found: dict[str, list[CodeMistake]] = {n: [] for n in case.wrong}
    deadline = case.deadline
    with np.errstate(all="ignore"):
        for search, share in _searches(case):
            now = time.process_time()
            case.begin(now + share * max(0.0, deadline - now))
            # No explanation is worth a verdict: what is wrong stays wrong, without a name.
            with contextlib.suppress(Exception):
                for name, mistakes in search().items():
                    found[name] += mistakes
            case.left = [n for n in case.wrong if not found[n]]
            if not case.left or time.process_time() > deadline or time.perf_counter() > case.until:
                break
    return {n: ordered(mistakes) for n, mistakes in found.items()}


def _searches(case: Case) -> Iterator[tuple[Callable[[], Found], float]]:
    """The searches in their order, each with the share of the time left that it may take."""
    yield lambda: shapes.explain(case), 1.0
    search = derivations.begun(case)
    if search is not None:
        yield lambda: derivations.explain(search), 0.4
        yield lambda: pairs.after_others(search), 0.3
    yield lambda: repairs.explain(case), 0.6
    if search is not None:
        yield lambda: pairs.explain(search), 1.0


def ordered(mistakes: list[CodeMistake]) -> tuple[CodeMistake, ...]:
    """Each kind of mistake once, as they were found."""
    kept: dict[str, CodeMistake] = {}
    for mistake in mistakes:
        kept.setdefault(mistake.name, mistake)
    return tuple(kept.values())[:4]
