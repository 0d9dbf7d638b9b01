"""Forms of adjoints: slopes in the outputs of their functions, and one name for adjoints that are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from backproof.check.slopes import slopes_in_outputs
from backproof.language.expression import Apply, Expr, Index, Tensor, apply, reindex, tensor
from backproof.language.program import Definition, Program
from backproof.language.walks import inline, rewrite
from backproof.proof.deciding import decide
from backproof.proof.verdict import Kind


@cache
def proved_slopes() -> Mapping[str, Expr]:
    """Slopes that are formulas in the output a of their function, 1 − a² for tanh, each proved."""
    z = tensor("z")
    found: dict[str, Expr] = {"exp": tensor("a")}
    found.update({name: slope for name, slope in slopes_in_outputs().items() if name in ("sigmoid", "tanh")})
    programs = {name: Program({"z": ()}, (Definition("a", (), apply(name, z)),)) for name in found}
    return {
        name: slope
        for name, slope in found.items()
        if decide(programs[name], apply(name, z, orders=(1,)), slope).kind is Kind.PROVED
    }


def outputs_of(definitions: Sequence[Definition]) -> dict[tuple[str, str], Definition]:
    """The values that are a function of one named value, by the function and that name."""
    return {
        (d.body.name, d.body.args[0].name): d
        for d in definitions
        if isinstance(d.body, Apply) and d.body.orders == (0,) and isinstance(d.body.args[0], Tensor)
    }


def in_outputs(expr: Expr, outputs: Mapping[tuple[str, str], Definition]) -> Expr:
    """The formula with slopes written in the outputs of their functions: a(1 − a) for σ′(z) where a = σ(z)."""

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Apply) or node.orders != (1,) or node.name not in proved_slopes():
            return None
        inner = node.args[0]
        found = outputs.get((node.name, inner.name)) if isinstance(inner, Tensor) else None
        if found is None or not isinstance(found.body, Apply) or not isinstance(inner, Tensor):
            return None
        own = found.body.args[0]
        assert isinstance(own, Tensor)
        at = reindex(found.head, dict(zip(own.indices, inner.indices, strict=True)))
        return inline(proved_slopes()[node.name], {"a": ((), at)})

    return rewrite(expr, rule)


def shared(definitions: Sequence[Definition]) -> list[Definition]:
    """The definitions with one name for those that have the same right side."""
    first: dict[Any, Definition] = {}
    same: dict[str, tuple[tuple[Index, ...], Expr]] = {}
    found: list[Definition] = []
    for definition in definitions:
        body = inline(definition.body, same)
        key = body, definition.indices
        if key in first and definition.indices:
            same[definition.name] = definition.indices, first[key].head
            body = first[key].head
        else:
            first[key] = definition
        found.append(replace(definition, body=body))
    return found
