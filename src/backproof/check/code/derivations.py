"""Changed derivations: the sweep over the forward trace, altered by one usual mistake, gives the wrong numbers."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from backproof.check.code import changes, loops
from backproof.check.code.case import Case
from backproof.check.code.graph import Graph
from backproof.check.code.kinds import CodeMistake
from backproof.check.code.naming import spoken
from backproof.check.code.search import Change, Hit, Search

MAX_CANDIDATES: Final = 60_000
MANY: Final = 1_000


def begun(case: Case) -> Search | None:
    """The search for what is wrong in a case, where its forward function is on a tape."""
    trace = case.truth.trace
    wrong = [n for n, c in case.wrong.items() if c.kind == "differs"]
    return None if trace is None or not wrong else Search(case, Graph(trace, case.problem), wrong)


def explain(search: Search) -> dict[str, list[CodeMistake]]:
    """Mistakes for each wrong gradient whose numbers a changed derivation gives."""
    search.found = hits(search)
    return {name: mistakes(search, name, search.found) for name in search.wrong}


def hits(search: Search) -> list[Hit]:
    """The changes that reproduce the wrong numbers of at least one gradient, from the first stages that do."""
    found: list[Hit] = []
    wrong = frozenset(search.wrong)
    for stage in _stages(search):
        for count, item in enumerate(stage):
            if count > MAX_CANDIDATES or (count % 64 == 0 and search.case.late):
                break
            if isinstance(item, Hit):
                found.append(item)
                continue
            if not search.graph.reach[item.node.number] & wrong or not np.all(np.isfinite(item.delta)):
                continue
            hit = search.tried(item)
            if hit is not None and search.confirmed(hit):
                found.append(hit)
                if search.large and search.enough([hit]):
                    return found
        if search.enough(found):
            break
    return found


def _stages(search: Search) -> list[Iterator[Change] | Iterator[Hit]]:
    """The stages of the search; in long loops what is the same in all passes comes early."""
    stages = changes.stages(search)
    if search.brief:
        return [*stages[:4]]
    if len(search.graph.edges) > MANY:
        return [stages[0], loops.hits(search), *stages[1:]]
    return [*stages, loops.hits(search)]


def mistakes(search: Search, name: str, found: Sequence[Hit]) -> list[CodeMistake]:
    """The best of the hits that explain one gradient, in words."""
    own = [h for h in found if name in h.covers]
    own.sort(key=lambda h: (h.breaks, -len(h.covers), search.rank(h), h.change.node.number))
    best = own[:1] and (len(own[0].covers), own[0].breaks)
    said: list[CodeMistake] = []
    for hit in own:
        if (len(hit.covers), hit.breaks) == best:
            one = mistake(search, hit)
            if one.name not in {m.name for m in said}:
                said.append(placed(search, hit))
    return said


def mistake(search: Search, hit: Hit) -> CodeMistake:
    """The hit in words."""
    key = id(hit)
    if key not in search.said:
        search.said[key] = spoken(search, hit)
    return search.said[key]


def placed(search: Search, hit: Hit) -> CodeMistake:
    """The hit in words, with the line of the backward function that first shows the wrong cotangent."""
    said, node = mistake(search, hit), hit.change.node
    if not np.shape(hit.change.delta):
        return said
    if node.number not in search.lines:
        wrong = search.cotangent(node) + hit.scale * np.broadcast_to(hit.change.delta, node.shape)
        search.lines[node.number] = search.case.line_of(wrong)
    return replace(said, line=search.lines[node.number])
