"""The names that `import backproof` offers."""

from __future__ import annotations

import ast

import pytest

import backproof
from house import floors


@pytest.mark.parametrize("name", backproof.__all__)
def test_every_public_name_is_there_with_a_docstring(name: str) -> None:
    assert name in dir(backproof)
    assert getattr(backproof, name).__doc__


def test_types_and_runtime_agree_on_the_names() -> None:
    tree = ast.parse(floors.modules()["backproof"].read_text("utf-8"))
    (guarded,) = (node for node in tree.body if isinstance(node, ast.If))
    typed = {}
    for node in guarded.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            typed[alias.asname or alias.name] = ((node.module or "").removeprefix("backproof."), alias.name)
    assert typed == backproof._HOMES
    assert sorted(typed) == backproof.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'prof'"):
        _ = backproof.prof
