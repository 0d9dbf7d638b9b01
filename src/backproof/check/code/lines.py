"""Lines: where in a backward function a gradient gets its value, read from the source text alone."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any


def lines_of(function: Callable[..., Any], names: list[str]) -> dict[str, int]:
    """For each gradient the line of the file that computes it, as far as the source shows it."""
    try:
        source, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(source)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return {}
    assigned = _assignments(tree)
    found: dict[str, int] = {}
    for name in names:
        at = _line(tree, name, assigned)
        if at is not None:
            found[name] = first + at - 1
    fallback = max((n.lineno for n in ast.walk(tree) if isinstance(n, ast.Return)), default=1)
    return {name: found.get(name, first + fallback - 1) for name in names}


def _assignments(tree: ast.AST) -> dict[str, int]:
    """The last line that gives each plain name a value."""
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = list(node.targets)
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            for part in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
                while isinstance(part, ast.Subscript | ast.Attribute):
                    part = part.value
                if isinstance(part, ast.Name):
                    found[part.id] = max(found.get(part.id, 0), part.lineno)
    return found


def _line(tree: ast.AST, name: str, assigned: dict[str, int]) -> int | None:
    best: int | None = None
    for key, value, line in _entries(tree):
        if not _matches(key, name):
            continue
        at = line
        if isinstance(value, ast.Name) and value.id in assigned:
            at = assigned[value.id]
        elif value is not None:
            at = value.lineno
        best = at if best is None else max(best, at)
    return best


def _entries(tree: ast.AST) -> Iterator[tuple[ast.expr | str, ast.expr | None, int]]:
    """Everything of the form {key: value}, grads[key] = value, dict(key=value)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if key is not None:
                    yield key, value, key.lineno
        elif isinstance(node, ast.Call):
            for word in node.keywords:
                if word.arg is not None:
                    yield word.arg, word.value, word.value.lineno
        elif isinstance(node, ast.Assign | ast.AugAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Subscript):
                    yield target.slice, node.value, node.lineno


def _matches(key: ast.expr | str, name: str) -> bool:
    last = name.rsplit(".", maxsplit=1)[-1]
    if isinstance(key, str):
        return key in (name, last)
    if isinstance(key, ast.Constant):
        return key.value in (name, last) or (isinstance(key.value, str) and key.value.lstrip("d") == last)
    if isinstance(key, ast.JoinedStr):
        fixed = [str(v.value) for v in key.values if isinstance(v, ast.Constant)]
        return bool(fixed) and name.startswith(fixed[0])
    return False
