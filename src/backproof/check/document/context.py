"""What a document has said so far: definitions, shapes and values, and the world that one formula lives in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from backproof.check.document.making import Known, Making, Setting
from backproof.check.document.marks import bold_names
from backproof.check.document.shapes import uses
from backproof.check.worksheet.reading import name_of
from backproof.errors import BackproofError
from backproof.language.notation import (
    Bracketed,
    Call,
    Derivative,
    Notation,
    Number,
    Relation,
    Symbol,
)
from backproof.language.traversal import parts

MAX_VERSIONS: Final = 6


@dataclass
class Context:
    """Everything that was said before a formula."""

    name: str
    definitions: dict[str, list[Known]] = field(default_factory=dict[str, list[Known]])
    shapes: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    values: dict[str, Fraction] = field(default_factory=dict[str, Fraction])
    _order: itertools.count[int] = field(default_factory=itertools.count)

    def define(self, node: Relation, text: str) -> bool:
        """Keeps a definition; False if the relation is none."""
        head, body = node.sides[0], node.sides[1]
        parameters: tuple[str, ...] | None = None
        symbol: Notation = head
        if isinstance(head, Call) and not head.primes and head.power is None:
            found = [name_of(a) for a in head.arguments]
            if not all(found) or any(isinstance(a, Number) for a in head.arguments):
                return False
            parameters, symbol = tuple(f or "" for f in found), head.function
        if not isinstance(symbol, Symbol):
            return False
        name = name_of(symbol) if parameters is not None else next(iter(uses(symbol)), (None, ()))[0]
        if name is None:
            return False
        known = Known(name, symbol, parameters, body, text, bold_names(node, text), next(self._order))
        self.definitions.setdefault(name, []).append(known)
        return True

    def settings(self, relation: Relation, text: str) -> Iterator[Setting]:
        """Worlds for a formula: with the last definitions first, then with earlier ones.

        Raises BackproofError where no world fits the formula.
        """
        failed: BackproofError | None = None
        found = False
        for number_of, versions in enumerate(self._versions(relation)):
            for matrices in (True, False):
                try:
                    making = Making(self.name, self.shapes, relation, text, versions, matrices=matrices)
                    setting = making.setting(earlier=number_of > 0)
                except BackproofError as error:
                    failed = failed or error
                    continue
                if matrices and not making.convention:
                    continue
                found = True
                yield setting
        if not found and failed is not None:
            raise failed

    def _versions(self, relation: Relation) -> Iterator[Mapping[str, Known]]:
        """Which definition each name has: the last one, or for one name another."""
        last = {name: versions[-1] for name, versions in self.definitions.items()}
        found = list(dict.fromkeys(_differentiated(relation)))
        heads = [n for n in found if n in self.definitions]
        if found and "" in found and not heads:
            # The derivative of a formula: its letters stand for themselves, whatever they meant before.
            yield {}
        near: list[Known] = []
        for head in heads:
            same = [k for n, ks in self.definitions.items() if n == head or n.startswith(f"{head}_") for k in ks]
            near += sorted(same, key=lambda k: -k.order)[:MAX_VERSIONS]
        if not near:
            yield last
            return
        tried: list[Mapping[str, Known]] = []
        for known in near:
            base = known.name.partition("_")[0] if known.name not in heads else known.name
            # Another definition of the same letter, with what was defined no later than a little after it.
            versions = {
                **last,
                base: replace(known, name=base, head=Symbol(base) if base != known.name else known.head),
            }
            if versions not in tried:
                tried.append(versions)
                yield versions


def _differentiated(relation: Relation) -> Iterator[str]:
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
