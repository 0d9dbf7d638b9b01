"""The process that runs a person's file: it loads the file, judges, and writes the report."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import json
import sys
import types
from pathlib import Path
from typing import Any, Final

from backproof.check.code.adapters import problem_of
from backproof.check.code.judging import judge, overdue
from backproof.check.code.limits import OverdueError, limited
from backproof.check.code.problem import Problem
from backproof.check.code.results import returned_names
from backproof.check.code.verdicts import CodeReport, GradientVerdict
from backproof.errors import UsageError

SEEDS: Final = 3
LARGE: Final = 200_000
MARGIN: Final = 2.0


def main(arguments: list[str]) -> int:
    """Judge one file; always leaves a report, unless the process dies."""
    file, name, answer, memory, seconds = arguments
    _limit(int(memory))
    sys.path.insert(0, str(Path(file).resolve().parent))
    try:
        data = _judged(file, name, float(seconds))
    except MemoryError:
        data = _unread(file, "it needs more memory than the limit")
    except SystemExit as error:
        data = _unread(file, f"the file calls exit({error.code})")
    Path(answer).write_text(json.dumps(data, allow_nan=True), encoding="utf-8")
    return 0


def _limit(memory: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _judged(file: str, name: str, seconds: float) -> dict[str, Any]:
    try:
        module = _loaded(file)
    except Exception as error:
        return _unread(file, f"the file does not load: {type(error).__name__}: {error}")
    backward, forward = getattr(module, name or "backward", None), getattr(module, "forward", None)
    missing = [] if callable(getattr(module, "example", None)) else ["example"]
    if backward is None:
        missing.insert(0, name or "backward")
    if forward is None and inspect.isfunction(backward) and not _gives_both(backward):
        missing.insert(0, "forward")
    if missing:
        return {
            "error": "the file lacks " + " and ".join(missing),
            "expected": "forward(params, x, y), backward(params, x, y) and example(seed) -> (params, x, y)",
            "got": file,
            "next": "see docs/code.md",
        }
    problems: list[Problem] = []
    for seed in range(SEEDS):
        try:
            inputs = module.example(seed)
            if not isinstance(inputs, tuple | list) or not inputs:
                return _unread(file, "example does not give (params, x, y)")
            problems.append(_problem(backward, forward, tuple(inputs)))
            if sum(v.size for v in problems[0].values.values()) > LARGE:
                break
        except UsageError as error:
            return {"error": error.what, "expected": error.expected, "got": error.got, "next": error.next}
        except Exception as error:
            if not problems:
                return _unread(file, f"example failed: {type(error).__name__}: {error}")
            break
    try:
        with limited(max(1.0, seconds - MARGIN)) as limit:
            return judge(problems, file=file, budget=min(10.0, seconds / 3), limit=limit).data()
    except OverdueError as error:
        return overdue(problems[0], error, seconds, file).data()


def _problem(backward: Any, forward: Any, inputs: tuple[Any, ...]) -> Problem:
    names = ("params", "x", "y")
    if inspect.isfunction(backward) and inspect.isfunction(forward) and len(inputs) == len(names):
        takes = [len(inspect.signature(inspect.unwrap(function)).parameters) for function in (forward, backward)]
        if takes == [len(names)] * 2 and isinstance(inputs[0], dict | list):
            return Problem(forward, backward, inputs, names)
    # A custom gradient or an object brings its own forward; that of the file is for plain functions.
    own = forward if inspect.isfunction(backward) or inspect.ismethod(backward) else None
    return problem_of(backward, own, inputs)


def _gives_both(function: Any) -> bool:
    """Whether a function returns a pair or more, as (value, gradient) does."""
    return len(returned_names(function)) >= 2


def _loaded(file: str) -> types.ModuleType:
    source = Path(file).read_text("utf-8", errors="replace")
    if "jax" in source:
        with contextlib.suppress(ImportError):
            import jax

            jax.config.update("jax_enable_x64", True)
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _unread(file: str, because: str) -> dict[str, Any]:
    return CodeReport(file, (GradientVerdict("backward", "unread", because=because[:300]),)).data()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
