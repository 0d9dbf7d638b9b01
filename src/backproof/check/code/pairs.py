"""Pairs: two mistakes at once, the second searched for in the derivation that holds the first.

What explains one gradient is put into the derivation, and the others are searched again: a mistake near the output
shows alone in the gradients that lie above the second. Where every gradient holds both, a factor is combined with
each change, and the likely changes are tried one after the other as the first.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

import numpy as np

from backproof.check.code import changes
from backproof.check.code.derivations import hits, mistake, mistakes, placed
from backproof.check.code.kinds import CodeMistake
from backproof.check.code.operations import Array
from backproof.check.code.search import Change, Hit, Search, constant
from backproof.check.code.tape import Extra, sweep

MAX_DEPTH: Final = 8
MAX_FIRST: Final = 240
SIGN_AND_OMISSION: Final = (-2.0, -1.0)


def after_others(search: Search) -> dict[str, list[CodeMistake]]:
    """The mistakes of other gradients as the first, as often as this explains more."""
    found: dict[str, list[CodeMistake]] = {}
    left = {n for n in search.case.left if n in search.wrong}
    said: list[CodeMistake] = []
    current, known = search, search.found
    for _ in range(MAX_DEPTH):
        if not left or not known:
            return found
        for first in _best(current, known, left):
            following = _following(current, first, search.wrong)
            if not following.wrong:
                continue
            more = hits(following)
            explained = {n: m for n in following.wrong if (m := mistakes(following, n, more))}
            if not explained:
                _with_factor(following, [n for n in following.wrong if n in left], explained)
            if explained:
                one = placed(current, first)
                said = [*said, one] if one.name not in {m.name for m in said} else said
                found |= {name: _together(said, last) for name, last in explained.items() if name in left}
                left -= set(explained)
                current, known = following, more
                break
        else:
            return found
    return found


def explain(search: Search) -> dict[str, list[CodeMistake]]:
    """Mistakes for gradients that no single change explains, nor one after those of others."""
    found: dict[str, list[CodeMistake]] = {}
    left = [n for n in search.case.left if n in search.wrong]
    _with_factor(search, left, found)
    left = [n for n in left if n not in found]
    if left:
        _both(search, left, found)
    return found


def _together(before: Sequence[CodeMistake], last: Sequence[CodeMistake]) -> list[CodeMistake]:
    """Mistakes made together: the last found first, for it is in this gradient alone."""
    own = [last[0], *(m for m in last[1:] if m.joint)]
    return [*own, *(replace(m, joint=True) for m in before if m.name not in {o.name for o in own})]


def _best(search: Search, known: Sequence[Hit], left: set[str]) -> list[Hit]:
    """The hits that explain most, simplest first, of those that also touch what is left."""
    usable = [
        h
        for h in known
        if (np.shape(h.change.delta) or np.any(h.change.delta)) and search.graph.reach[h.change.node.number] & left
    ]
    usable.sort(key=lambda h: (search.rank(h), -len(h.covers), h.breaks, -h.change.node.number))
    return usable[:6]


def _following(search: Search, first: Hit, left: list[str], *, brief: bool = False) -> Search:
    node = first.change.node
    delta = first.scale * np.broadcast_to(np.asarray(first.change.delta, dtype=float), node.shape)
    extra: dict[int, Extra] = dict(search.extra)
    extra[node.number] = _sum(extra.get(node.number), delta)
    return search.following(extra, left, brief=brief)


def _sum(before: Extra | None, delta: Array) -> Extra:
    if before is None:
        return delta
    if not callable(before):
        return before + delta
    return lambda cotangents: before(cotangents) + delta


def _with_factor(search: Search, left: list[str], found: dict[str, list[CodeMistake]]) -> None:
    """A plain factor on the whole gradient, and one change."""
    pairs = {n: [k for k, (own, _) in enumerate(search.directions) if own == n] for n in left}
    slopes = {
        n: np.array([float(np.sum(search.directions[k][1][n] * search.gradient(n))) for k in pairs[n]]) for n in left
    }
    for count, item in enumerate(chain.from_iterable(changes.stages(search)[:6])):
        if (count % 64 == 0 and search.case.late) or not left:
            return
        if item.scale != 1.0 or not np.all(np.isfinite(item.delta)):
            continue
        if not search.graph.reach[item.node.number] & set(left):
            continue
        given = search.along(item.node) @ np.broadcast_to(item.delta, item.node.shape).ravel()
        for name in list(left):
            own = pairs[name]
            base = slopes[name] + given[own]
            claimed = slopes[name] + search.wanted[own]
            if np.any(np.abs(base) <= 1e-9 * search.sizes[own]) or search.rests[name].size < 2:
                continue
            ratio = claimed / base
            if np.ptp(ratio) > 1e-6 * abs(ratio[0]) or abs(ratio[0] - 1) < 1e-6 or abs(ratio[0]) < 1e-9:
                continue
            if constant(float(ratio[0]), search.graph.lengths) is None:
                continue
            hit = Hit(item, 1.0, frozenset([name]), 0)
            if _confirmed(search, hit, name, float(ratio[0])):
                node = search.trace.tape.inputs[name]
                whole = Change(node, search.cotangent(node), "scale", name, None, 1)
                scaled = Hit(whole, float(ratio[0]) - 1, hit.covers, 0)
                found[name] = [
                    placed(search, hit),
                    replace(mistake(search, scaled), joint=True),
                ]
                left.remove(name)


def _confirmed(search: Search, hit: Hit, name: str, factor: float) -> bool:
    nodes = [n for n in search.trace.nodes if n.number <= hit.change.node.number]
    seed = np.broadcast_to(hit.change.delta, hit.change.node.shape)
    moved = sweep(nodes, hit.change.node, seed=seed, keep=False).at(search.trace.tape.inputs[name])
    compared = search.case.compared[name]
    rest = compared.claim - factor * (search.gradient(name) + moved)
    limit = 10 * compared.tolerance + 1e-6 * float(np.max(np.abs(compared.claim), initial=0.0))
    return bool(np.max(np.abs(rest), initial=0.0) <= limit)


def _both(search: Search, left: list[str], found: dict[str, list[CodeMistake]]) -> None:
    """Each of the likely changes as the first, and a short search for the second."""
    for first in _likely(search, set(left)):
        if search.case.late or not left:
            return
        following = _following(search, first, list(left), brief=True)
        seconds = [h for h in hits(following) if following.rank(h) < 10]
        for name in list(left):
            second = mistakes(following, name, seconds)
            if second:
                one = placed(search, replace(first, covers=frozenset([name])))
                found[name] = _together([one], second) if second[0].name != one.name else [one]
                left.remove(name)


def _likely(search: Search, left: set[str]) -> Iterator[Hit]:
    """Changes that are likely, first of all; terms and contributions left out, or of the other sign."""
    seen: set[tuple[int, float]] = set()
    for item in chain.from_iterable(changes.stages(search)[:4]):
        if len(seen) >= MAX_FIRST:
            return
        if not search.graph.reach[item.node.number] & left or item.node.op == "input":
            continue
        free = item.scale is None and item.kind in ("scale", "edge")
        if not (item.scale == 1.0 or free) or not np.all(np.isfinite(item.delta)) or not np.any(item.delta):
            continue
        for scale in SIGN_AND_OMISSION if free else (1.0,):
            key = (item.node.number, round(scale * float(np.sum(np.abs(item.delta))), 9))
            if key not in seen:
                seen.add(key)
                yield Hit(item, scale, frozenset(), 0)
