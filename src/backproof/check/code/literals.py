"""What the text of a person's code says beside what it does: the numbers written in it, and the names of its values."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Text:
    """The numbers that are written on each line, and the name that the line gives to its value."""

    numbers: Mapping[int, frozenset[float]] = field(default_factory=dict[int, frozenset[float]])
    names: Mapping[int, str] = field(default_factory=dict[int, str])


def text_of(files: Iterable[str]) -> Text:
    """The numbers and names in these files; a file that cannot be read or parsed says nothing."""
    numbers: dict[int, frozenset[float]] = {}
    names: dict[int, str] = {}
    for file in sorted(files):
        try:
            tree = ast.parse("".join(linecache.getlines(file)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=int() | float() as value):
                    numbers[node.lineno] = numbers.get(node.lineno, frozenset()) | {abs(float(value))}
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
                    for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                        names[line] = name
                case _:
                    pass
    return Text(numbers, names)
