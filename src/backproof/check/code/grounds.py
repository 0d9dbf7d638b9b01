"""Grounds: which of the gradients that are right by their numbers are also proved as formulas."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from backproof.check.code.arguments import numbers
from backproof.check.code.backward_trace import traced as backward_traced
from backproof.check.code.exact import explain
from backproof.check.code.literals import text_of
from backproof.check.code.problem import Problem
from backproof.check.code.proofs import SECONDS, CodeProof, Proofs, prove
from backproof.check.code.truth import traced
from backproof.check.code.verdicts import GradientVerdict
from backproof.errors import BackproofError
from backproof.language.program import Assumption

METHOD: Final = "the code of backward is proved to be the derivative of the code of forward"
MOST_CONDITIONS: Final = 4


def grounded(
    problem: Problem,
    verdicts: Mapping[str, GradientVerdict],
    files: frozenset[str],
    namespaces: list[dict[str, Any]],
    seconds: float = SECONDS,
    *,
    exact: bool = True,
) -> tuple[dict[str, GradientVerdict], list[str]]:
    """The verdicts, with those proved whose code can be followed, and notes: the scope of proofs, and what stopped one.

    What is said of all right gradients is a note of the report, what is said of some stands with them. With `exact`,
    the named mistakes of wrong ones are proved too.
    """
    if exact:
        verdicts = dict(verdicts) | _exactly(problem, verdicts, files, namespaces)
    right = [n for n, v in verdicts.items() if v.verdict == "proved"]
    if not right or not problem.is_double:
        return dict(verdicts), []
    found = _found(problem, right, files, namespaces, seconds)
    said = {n: scope(found.proved[n]) if n in found.proved else _measured(found.because.get(n)) for n in right}
    changed = {n: _proved(verdicts[n], proof) for n, proof in found.proved.items()}
    if len(set(said.values())) == 1:
        return dict(verdicts) | changed, [said[right[0]]]
    for name in right:
        verdict = changed.get(name, verdicts[name])
        changed[name] = replace(verdict, notes=(*verdict.notes, said[name]))
    return dict(verdicts) | changed, []


def holds(problem: Problem, name: str, files: frozenset[str], namespaces: list[dict[str, Any]]) -> bool:
    """Whether a gradient is proved as a formula where its numbers deviate: then rounding is to blame alone.

    What was followed must give the numbers that the code gives itself, and all of them finite.
    """
    backward = backward_traced(problem, files, namespaces, scalars=True)
    if backward is None or name not in backward.outputs:
        return False
    followed, given = np.asarray(backward.outputs[name].value), np.asarray(numbers(problem.claimed()[name]))
    if followed.shape != given.shape or not np.all(np.isfinite(given)):
        return False
    same = np.allclose(followed, given, rtol=1e-9, atol=0)
    return same and name in _found(problem, [name], files, namespaces, SECONDS, admissible=()).proved


def _found(
    problem: Problem,
    names: list[str],
    files: frozenset[str],
    namespaces: list[dict[str, Any]],
    seconds: float,
    admissible: Sequence[Assumption] | None = None,
) -> Proofs:
    try:
        forward = traced(problem, files, namespaces)
    except BackproofError as error:
        return Proofs(because=dict.fromkeys(names, error.what))
    backward = backward_traced(problem, files, namespaces, scalars=True)
    if backward is None:
        return Proofs(because=dict.fromkeys(names, "the backward function does not run on a tape"))
    known = _admissible(problem) if admissible is None else admissible
    return prove(forward, backward, names, text=text_of(files), admissible=known, seconds=seconds)


def scope(proof: CodeProof) -> str:
    """For which numbers and sizes a proof holds, in words."""
    sizes = "any sizes" if proof.sizes == "any" else "the sizes of the example"
    read = ", ".join(dict.fromkeys(proof.read))
    words = f"proved for all numbers and {sizes}" + (f" ({read} read as a size)" if read else "")
    side = proof.side[:MOST_CONDITIONS]
    if side:
        words += ", wherever " + " and ".join(side) + (" and so on" if len(proof.side) > len(side) else "")
    return words


def _measured(because: str | None) -> str:
    return "measured, not proved" + (f": {because}" if because else "")


def _exactly(
    problem: Problem, verdicts: Mapping[str, GradientVerdict], files: frozenset[str], namespaces: list[dict[str, Any]]
) -> dict[str, GradientVerdict]:
    """Wrong gradients whose named mistake is proved: the derivation with it is the formula of the code."""
    wrong = [n for n, v in verdicts.items() if v.verdict == "refuted" and v.mistakes and v.deviation is not None]
    if not wrong or not problem.is_double:
        return {}
    try:
        forward = traced(problem, files, namespaces)
    except BackproofError:
        return {}
    backward = backward_traced(problem, files, namespaces, scalars=True)
    if backward is None:
        return {}
    changed: dict[str, GradientVerdict] = {}
    for name, hits in explain(forward, backward, wrong, text=text_of(files)).items():
        if any(m.joint for m in verdicts[name].mistakes):
            continue
        mistakes = tuple(replace(m, proved=any(h.explains(m.name) for h in hits)) for m in verdicts[name].mistakes)
        changed[name] = replace(verdicts[name], mistakes=mistakes)
    return changed


def _admissible(problem: Problem) -> list[Assumption]:
    """What is known of targets: those whose entries sum to 1."""
    found: list[Assumption] = []
    for name, leaf in problem.float_leaves.items():
        value = problem.values[name]
        if leaf.argument and value.ndim and value.shape[-1] > 1 and np.allclose(value.sum(axis=-1), 1, atol=1e-12):
            found.append(Assumption(name, "unit-sum", sum(n > 1 for n in value.shape[:-1])))
    return found


def _proved(verdict: GradientVerdict, proof: CodeProof) -> GradientVerdict:
    conditions = tuple(dict.fromkeys([*verdict.conditions, *proof.conditions]))
    return replace(verdict, basis="proved", method=METHOD, conditions=conditions)
