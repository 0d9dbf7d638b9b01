"""Who imports whom: the edges between the rooms of the package, read from the sources."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "backproof"

FLOORS = {
    "errors": 0,
    "language": 1,
    "catalog": 2,
    "calculus": 3,
    "algebra": 3,
    "proof": 4,
    "check": 5,
    "run": 5,
    "coq": 5,
    "explain": 6,
    "web": 7,
    "cli": 8,
    "pytest_plugin": 8,
    "__init__": 8,
    "__main__": 9,
}


@dataclass(frozen=True)
class Edge:
    """An import: the module that says it, the line, and the module of the package that it names."""

    source: str
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


def room(module: str) -> str:
    """The room of a module: `backproof.language.walks` is in `language`, the package itself is `__init__`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def edges(source: str, module: str, *, is_package: bool = False) -> list[Edge]:
    """Every import of the package's own modules in a source text, inside functions and under TYPE_CHECKING too."""
    found: list[Edge] = []
    for node in ast.walk(ast.parse(source)):
        targets: list[str] = []
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = module.split(".")[: len(module.split(".")) - node.level + is_package]
                base = ".".join([*up, base] if base else up)
            # `from backproof import catalog` names a room, `from backproof.errors import X` a module's content.
            targets = [f"backproof.{alias.name}" for alias in node.names] if base == "backproof" else [base]
        elif isinstance(node, ast.Call) and _is_import_call(node):
            targets = [a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        for target in targets:
            if target == "backproof" or target.startswith("backproof."):
                name = target if room(target) in FLOORS else "backproof"
                found.append(Edge(module, node.lineno, name))
    return found


def _is_import_call(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in {"import_module", "__import__"}


def violations(found: list[Edge]) -> list[str]:
    """The edges that do not lead to a lower floor or stay inside their own room."""
    wrong: list[str] = []
    for edge in found:
        here, there = room(edge.source), room(edge.target)
        if here != there and FLOORS[there] >= FLOORS[here]:
            wrong.append(f"{edge}: floor {FLOORS[here]} ({here}) may not know floor {FLOORS[there]} ({there})")
    return wrong


def modules() -> dict[str, Path]:
    """Every module of the package, with its file."""
    found: dict[str, Path] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found
