"""What a formula differentiates, and by what: which definitions its derivatives need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backproof.check.document.shapes import uses
from backproof.check.document.substitution import Known
from backproof.check.worksheet.reading import name_of
from backproof.language.notation import Bracketed, Call, Derivative, Notation, Relation, Symbol
from backproof.language.traversal import parts, pieces_of


def without_variables(relation: Relation, versions: Mapping[str, Known]) -> Mapping[str, Known] | None:
    """The definitions without those of the variables that no other variable is part of; None if nothing is left out."""
    wrt = {
        next((n for n, _ in uses(d.wrt) if n in versions), None) or name_of(d.wrt) or ""
        for d in pieces_of(relation)
        if isinstance(d, Derivative) and isinstance(d.wrt, Symbol)
    }
    left_out = {n for n in wrt if n in versions and not within(n, versions) & (wrt - {n})}
    return {n: k for n, k in versions.items() if n not in left_out} if left_out else None


def with_variables_held(relation: Relation, versions: Mapping[str, Known]) -> Mapping[str, Known] | None:
    """For ∂f/∂x of f(x, y): the definitions without that of y, which the partial derivative holds."""
    partial = [d for d in pieces_of(relation) if isinstance(d, Derivative) and d.style == "partial"]
    parameters = {
        p
        for d in partial
        for known in (versions.get(name_of(d.of.function if isinstance(d.of, Call) else d.of) or "") if d.of else None,)
        if known is not None
        for p in known.parameters or ()
    }
    left_out = parameters & set(versions)
    return {n: k for n, k in versions.items() if n not in left_out} if left_out else None


def depends_on_variable(relation: Relation, versions: Mapping[str, Known]) -> bool:
    """Whether a formula that is differentiated has a loss in it that was defined from the variable."""
    for node in pieces_of(relation):
        if isinstance(node, Derivative) and node.of is not None and isinstance(node.wrt, Symbol):
            inside = {n for s in pieces_of(node.of) if isinstance(s, Symbol) for n, _ in uses(s)[:1]}
            wrt = {n for n, _ in uses(node.wrt)}
            if any(n[0].isupper() and within(n, versions) & wrt for n in inside & set(versions)):
                return True
    return False


def within(name: str, versions: Mapping[str, Known]) -> set[str]:
    """All names that a definition leads to."""
    found: set[str] = set()
    stack = [name]
    while stack:
        known = versions.get(stack.pop())
        if known is None:
            continue
        for node in pieces_of(known.body):
            for inner, _ in uses(node) if isinstance(node, Symbol) else ():
                if inner not in found:
                    found.add(inner)
                    stack.append(inner)
    return found


def differentiated(relation: Relation) -> Iterator[str]:
    """The names that are differentiated in a formula."""
    stack: list[Notation] = [relation]
    while stack:
        node = stack.pop()
        if isinstance(node, Derivative) and node.of is not None:
            of = node.of
            while isinstance(of, Bracketed):
                of = of.body
            if isinstance(of, Call):
                of = of.function
            yield name_of(of) or ""
        stack.extend(parts(node))
