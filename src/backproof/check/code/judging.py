"""Judging: a backward function's gradients, each right, wrong with the mistake named, undecided, or not read."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from backproof.check.code import hostile, probes, safeguards
from backproof.check.code.adapters import problem_of
from backproof.check.code.case import Case
from backproof.check.code.comparing import Comparison, comparisons
from backproof.check.code.diagnosis import diagnose
from backproof.check.code.kinds import CodeMistake
from backproof.check.code.limits import PATIENCE, Limit, OverdueError, limited, line_in
from backproof.check.code.lines import lines_of
from backproof.check.code.problem import Problem
from backproof.check.code.results import CodeError, is_gradient
from backproof.check.code.standins import Cells
from backproof.check.code.truth import Truth, find
from backproof.check.code.verdicts import CodeReport, GradientVerdict

BUDGET: Final = 8.0
SAFEGUARD: Final = 1e-8
NOWHERE: Final = "it belongs to no array of the arguments"
EXACT: Final = 4_000
"""With more numbers than this in its inputs, the mistake of a wrong gradient is named from the numbers alone."""


def check_gradient(
    backward: Any, *, forward: Any = None, inputs: Sequence[Any], budget: float = BUDGET, seconds: float = PATIENCE
) -> CodeReport:
    """Judge the gradients that `backward` gives of the loss that `forward` gives, at `inputs`.

    Both take the same arguments: arrays of NumPy, PyTorch or JAX in any nesting of dicts, lists, tuples and objects.
    `backward` gives a dict by name, a tuple, one array, an object, or leaves the gradients in an object; it may also
    take the upstream gradient and a cache of `forward`, be a torch.autograd.Function, a torch.nn.Module, a
    jax.custom_vjp, or an object with both methods. `forward` may be a `Network`, a worksheet (text or path), or be
    left out where `backward` gives (value, gradient). `budget` is the time in seconds that the search for the mistake
    may take, `seconds` that within which everything has to come to an end (longer where one call takes long; it can be
    kept in the main thread only). Runs both functions many times. Raises UsageError for what cannot be called so.

    >>> import numpy as np
    >>> def loss(w, x):
    ...     return np.sum(np.tanh(w * x))
    >>> def gradient(w, x):
    ...     return {"w": x}
    >>> report = check_gradient(gradient, forward=loss, inputs=(np.array([0.3, -1.2]), np.array([0.5, 2.0])))
    >>> report["w"].verdict, report["w"].mistakes[0].name
    ('refuted', 'missing-slope')
    """
    problem: Problem | None = None
    try:
        with limited(seconds) as limit:
            problem = problem_of(backward, forward, inputs)
            return judge([problem], budget=budget, limit=limit)
    except OverdueError as error:
        return overdue(problem, error, seconds)


def judge(
    problems: Sequence[Problem], *, file: str | None = None, budget: float = BUDGET, limit: Limit | None = None
) -> CodeReport:
    """Judge at several examples; the first is probed, and the first that shows a mistake is searched for its cause."""
    started = time.perf_counter()
    first = problems[0]
    small = probes.excerpt(first)
    if small is not None:
        report = judge([small], file=file, budget=budget, limit=limit)
        notes = (*report.notes, f"judged on the first {probes.EXAMPLES} examples")
        right = [g.name for g in report.gradients if g.verdict == "proved"]
        if report.ok and not probes.whole_agrees(first, first.claimed(), right):
            report = _whole(problems, file, budget, started, limit)
            notes = report.notes
        return replace(report, notes=notes, seconds=time.perf_counter() - started)
    return _whole(problems, file, budget, started, limit)


def _whole(
    problems: Sequence[Problem], file: str | None, budget: float, started: float, limit: Limit | None
) -> CodeReport:
    problems = [probes.steady(problem) for problem in problems]
    first = problems[0]
    files, namespaces = sources(first)
    wanted = first.wanted
    try:
        claims = first.claimed(double=False)
        unit = time.perf_counter() - started
    except CodeError as error:
        return _unread(file, wanted, error.what + (f" ({error.got})" if error.got else ""), started)
    except Exception as error:
        return _unread(file, wanted, _failure("backward", error), started, line_in(error.__traceback__, files))
    if limit is not None:
        limit.extend(unit)
    # A search may take as long as some twenty evaluations of the gradient, where those are slow.
    deadline = time.process_time() + max(budget, 12 * unit)
    names = list(dict.fromkeys([*wanted, *(n for n in claims if n in first.float_leaves)]))
    loose = [n for n in claims if n not in first.leaves]
    said = [n for n in loose if not (is_gradient(n) and _may_belong(first, n, claims))]
    lines = lines_of(first.written_in, names)
    claims = {n: g for n, g in claims.items() if n in first.leaves}
    manners = probes.manners(first, claims)
    verdicts: dict[str, GradientVerdict] = {}
    notes: list[str] = [*first.notes, *manners.notes]
    if said:
        notes.append(f"not judged, for they belong to no array of the arguments: {', '.join(said)}")
    for number, problem in enumerate(problems):
        open_names = [n for n in names if n not in verdicts or verdicts[n].verdict == "proved"]
        if not open_names:
            break
        try:
            known = claims if number == 0 and problem.is_double else None
            found = _judged(problem, open_names, lines, files, namespaces, deadline, known)
        except CodeError as error:
            found = {n: GradientVerdict(n, "unread", lines.get(n), because=_words(error)) for n in open_names}
        except Exception as error:
            line, because = line_in(error.__traceback__, files), _failure("forward", error)
            found = {n: GradientVerdict(n, "unread", line or lines.get(n), because=because) for n in names}
        for name, verdict in found.items():
            if number == 0 or verdict.verdict == "refuted":
                verdicts[name] = verdict
    if verdicts and all(v.verdict == "proved" for v in verdicts.values()):
        probed = probes.probe(first, names, files, namespaces, time.perf_counter() + max(2.0, 3 * unit))
        for name, message in probed.wrong.items():
            if _holds(probed.problems[name], name, files, namespaces):
                notes.append(f"{name} deviates by rounding alone, its formula is proved: {message}")
                continue
            again = _judged(probed.problems[name], [name], lines, files, namespaces, deadline)[name]
            if again.verdict == "refuted":
                verdicts[name] = replace(again, notes=(*again.notes, message))
        for name, conditions in probed.conditions.items():
            verdicts[name] = replace(verdicts[name], conditions=conditions)
        notes += probed.notes
        for name, mistake in _types(first, claims, names, files, namespaces).items():
            verdicts[name] = _blamed(verdicts[name], name, mistake, lines.get(name))
    # Proofs take as long as many evaluations of a large gradient, and so does the import of what they need.
    exact = sum(v.size for v in first.values.values()) <= EXACT
    if any(v.verdict == "proved" or exact for v in verdicts.values()):
        try:
            from backproof.check.code.grounds import grounded

            verdicts, grounds = grounded(first, verdicts, files, namespaces, exact=exact)
            notes += grounds
        except Exception as error:  # what was measured stands, whatever becomes of a proof
            notes.append(f"measured, not proved: {type(error).__name__}: {error}"[:200])
    for name, mistake in manners.mistakes.items():
        verdicts[name] = _blamed(verdicts.get(name), name, mistake, lines.get(name))
    nowhere = [GradientVerdict(n, "unread", because=NOWHERE) for n in loose if n not in said]
    found = (*(verdicts[n] for n in names), *nowhere)
    return CodeReport(file, found, tuple(notes), time.perf_counter() - started)


def _may_belong(problem: Problem, key: str, claims: Mapping[str, Any]) -> bool:
    """Whether a key that no array has may mean a parameter for which no gradient is given."""
    open_names = [n for n in problem.float_leaves if n not in claims and problem.role(problem.leaves[n]) == "parameter"]
    return any(np.shape(problem.values[n]) == np.shape(claims[key]) for n in open_names)


def _holds(problem: Problem, name: str, files: frozenset[str], namespaces: list[dict[str, Any]]) -> bool:
    """Whether a gradient is proved there, so that its deviation is rounding."""
    try:
        from backproof.check.code.grounds import holds

        return holds(problem, name, files, namespaces)
    except Exception:  # what was measured stands, whatever becomes of a proof
        return False


def _types(
    problem: Problem,
    claims: Mapping[str, Any],
    names: list[str],
    files: frozenset[str],
    namespaces: list[dict[str, Any]],
) -> dict[str, CodeMistake]:
    """What goes wrong in the type of the inputs, where that is shorter than float64."""
    if problem.is_double:
        return {}
    return hostile.own_types(problem, claims, find(problem, files, namespaces, names).gradients)


def sources(problem: Problem) -> tuple[frozenset[str], list[dict[str, Any]]]:
    """The files and the module names of the two functions."""
    files: set[str] = set()
    namespaces: list[dict[str, Any]] = []
    for function in problem.origins or (problem.forward, problem.backward):
        function = inspect.unwrap(function)
        inner = getattr(function, "__func__", function)
        code = getattr(inner, "__code__", None)
        if code is not None:
            files.add(code.co_filename)
        space = getattr(inner, "__globals__", None)
        if space is not None and not any(space is known for known in namespaces):
            namespaces.append(space)
        if code is not None and code.co_freevars:
            namespaces.append(Cells(code.co_freevars, inner.__closure__ or ()))
    return frozenset(files), namespaces


def _judged(
    problem: Problem,
    names: list[str],
    lines: Mapping[str, int],
    files: frozenset[str],
    namespaces: list[dict[str, Any]],
    deadline: float,
    known: Mapping[str, Any] | None = None,
) -> dict[str, GradientVerdict]:
    try:
        claims = problem.claimed() if known is None else known
    except Exception:
        claims = problem.claimed(double=False)
    loss = problem.loss()
    if not np.isfinite(loss):
        return {n: GradientVerdict(n, "unknown", lines.get(n), because=f"the loss is {loss}") for n in names}
    truth = find(problem, files, namespaces, names)
    compared = comparisons(problem, claims, truth, names)
    wrong = {n: c for n, c in compared.items() if c.kind in ("differs", "shape", "nan")}
    kinks = probes.on_a_kink(problem, truth, list(wrong), files, namespaces) if wrong else {}
    wrong = {n: c for n, c in wrong.items() if n not in kinks}
    safe = _safeguarded(wrong, truth)
    wrong = {n: c for n, c in wrong.items() if n not in safe}
    mistakes: Mapping[str, tuple[CodeMistake, ...]] = {}
    if wrong:
        case = Case(problem, truth, claims, compared, wrong, files, namespaces, deadline)
        mistakes = diagnose(case)
    needs = dict.fromkeys(kinks, "off the kink") | safe
    return {n: _verdict(n, compared.get(n), mistakes.get(n, ()), lines.get(n), truth, needs.get(n)) for n in names}


def _safeguarded(wrong: Mapping[str, Comparison], truth: Truth) -> dict[str, str]:
    """The gradients that leave out no more than a constant such as the 1e-12 in log(a + 1e-12), with what is then said.

    It is settled by certified bounds: the deviation may be large where functions saturate, and is none from the
    gradient without the constant.
    """
    open_names = [n for n, c in wrong.items() if c.kind == "differs"]
    tiny = safeguards.constants(truth.trace) if truth.trace is not None and open_names else {}
    if truth.trace is None or not tiny:
        return {}
    words = ", ".join(f"{value:.3g}" for value in sorted(set(tiny.values())))
    found: dict[str, str] = {}
    for name, (middle, radius) in safeguards.gradients(truth.trace, open_names).items():
        scale = float(np.max(np.abs(middle), initial=0.0))
        limit = radius + SAFEGUARD * scale + min(wrong[name].tolerance, 100 * SAFEGUARD * scale)
        if np.all(np.abs(middle - wrong[name].claim) <= limit):
            found[name] = f"right up to the tiny constants of forward ({words}), which count as 0"
    return found


def _verdict(
    name: str,
    comparison: Comparison | None,
    mistakes: tuple[CodeMistake, ...],
    line: int | None,
    truth: Truth,
    needs: str | None,
) -> GradientVerdict:
    if comparison is None:
        return GradientVerdict(name, "unread", line, because="backward gives no gradient for it")
    if needs is not None:
        return GradientVerdict(name, "proved", line, method=truth.method, conditions=(needs,))
    match comparison.kind:
        case "agrees":
            notes = () if name not in truth.entries else (f"{truth.entries[name].size} of its entries were measured",)
            return GradientVerdict(name, "proved", line, method=truth.method, notes=notes)
        case "differs" | "shape" | "nan":
            at = next((m.line for m in mistakes if m.line), None) or line
            notes = (comparison.says,) if comparison.says else ()
            return GradientVerdict(
                name, "refuted", at, method=truth.method, deviation=comparison.deviation, mistakes=mistakes, notes=notes
            )
        case "undefined":
            return GradientVerdict(name, "unknown", line, because=comparison.says)
        case _:
            return GradientVerdict(name, "unread", line, because=comparison.says)


def _blamed(verdict: GradientVerdict | None, name: str, mistake: CodeMistake, line: int | None) -> GradientVerdict:
    if verdict is None or verdict.verdict in ("proved", "unread"):
        return GradientVerdict(name, "refuted", line, mistakes=(mistake,))
    if any(m.name == mistake.name for m in verdict.mistakes):
        return verdict
    return replace(verdict, mistakes=(mistake, *verdict.mistakes))


def overdue(problem: Problem | None, error: OverdueError, seconds: float, file: str | None = None) -> CodeReport:
    """The report on what did not come to an end, with the line that was running."""
    files = frozenset[str]() if problem is None else sources(problem)[0]
    names = ["backward"] if problem is None or not problem.wanted else problem.wanted
    line = line_in(error.__traceback__, files)
    where = "" if line is None else f": line {line} was running"
    return _unread(file, names, f"it did not finish within {seconds:g} seconds{where}", time.perf_counter(), line)


def _unread(file: str | None, names: list[str], because: str, started: float, line: int | None = None) -> CodeReport:
    gradients = tuple(GradientVerdict(n, "unread", line, because=because) for n in names or ["backward"])
    return CodeReport(file, gradients, (), time.perf_counter() - started)


def _failure(which: str, error: Exception) -> str:
    return f"{which} failed: {type(error).__name__}: {error}"[:300]


def _words(error: CodeError) -> str:
    return "; ".join(
        filter(None, (error.what, error.expected and f"expected {error.expected}", error.got and f"got {error.got}"))
    )
