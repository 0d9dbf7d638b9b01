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
from typing import TYPE_CHECKING, Final

import numpy as np

from backproof.check.code.kinds import CodeMistake

if TYPE_CHECKING:
    from backproof.check.code.derivations import Change, Hit, Search
    from backproof.check.code.diagnosis import Case
    from backproof.check.code.operations import Array
    from backproof.check.code.tape import Extra

MAX_DEPTH: Final = 8
MAX_FIRST: Final = 120


def after_others(case: Case) -> dict[str, list[CodeMistake]]:
    """The mistakes of other gradients as the first, as often as this explains more."""
    search, found = case.search, dict[str, list[CodeMistake]]()
    if search is None:
        return found
    left = {n for n in case.left if n in search.wrong}
    said: list[CodeMistake] = []
    current, known = search, search.found
    for _ in range(MAX_DEPTH):
        if not left or not known:
            return found
        for first in _best(current, known, left):
            following = _following(current, first, search.wrong)
            if not following.wrong:
                continue
            more = following.hits()
            explained = {n: m for n in following.wrong if (m := following.mistakes(n, more))}
            if not explained:
                _with_factor(following, [n for n in following.wrong if n in left], explained)
            if explained:
                mistake = current.placed(current.mistake(first), first)
                said = [*said, mistake] if mistake.name not in {m.name for m in said} else said
                found |= {name: _together(said, mistakes) for name, mistakes in explained.items() if name in left}
                left -= set(explained)
                current, known = following, more
                break
        else:
            return found
    return found


def explain(case: Case) -> dict[str, list[CodeMistake]]:
    """Mistakes for gradients that no single change explains, nor one after those of others."""
    search, found = case.search, dict[str, list[CodeMistake]]()
    if search is None:
        return found
    left = [n for n in case.left if n in search.wrong]
    _with_factor(search, left, found)
    left = [n for n in left if n not in found]
    if left:
        _both(search, left, found)
    return found


def _together(before: Sequence[CodeMistake], last: Sequence[CodeMistake]) -> list[CodeMistake]:
    """Mistakes made together: the last found first, for it is in this gradient alone."""
    own = [last[0], *(m for m in last[1:] if m.joint)]
    return [*own, *(replace(m, joint=True) for m in before if m.name not in {o.name for o in own})]


def _best(search: Search, hits: Sequence[Hit], left: set[str]) -> list[Hit]:
    """The hits that explain most, simplest first, of those that also touch what is left."""
    usable = [
        h
        for h in hits
        if (np.shape(h.change.delta) or np.any(h.change.delta)) and search.reach[h.change.node.number] & left
    ]
    usable.sort(key=lambda h: (search.rank(h), -len(h.covers), h.breaks, -h.change.node.number))
    return usable[:6]


def _following(search: Search, first: Hit, left: list[str], *, brief: bool = False) -> Search:
    from backproof.check.code.derivations import Search

    node = first.change.node
    delta = first.scale * np.broadcast_to(np.asarray(first.change.delta, dtype=float), node.shape)
    extra: dict[int, Extra] = dict(search.extra)
    extra[node.number] = _sum(extra.get(node.number), delta)
    made = Search(search.case, search.trace, left, extra=extra, brief=brief)
    made.wrong = [n for n in left if _differs(made, n)]
    _shared(search, made)
    return made


def _differs(search: Search, name: str) -> bool:
    compared = search.case.compared[name]
    rest = np.abs(compared.claim - search.gradient(name))
    limit = 10 * compared.tolerance + 1e-6 * float(np.max(np.abs(compared.claim), initial=0.0))
    return bool(np.max(rest, initial=0.0) > limit)


def _sum(before: Extra | None, delta: Array) -> Extra:
    if before is None:
        return delta
    if not callable(before):
        return before + delta
    return lambda cotangents: before(cotangents) + delta


def _shared(search: Search, made: Search) -> None:
    """Tangents, regions and what else does not depend on the changes are found once."""
    if made.wrong == search.wrong:
        made.__dict__["directions"] = search.directions
        made.__dict__["moves"] = search.moves
        made.rows = search.rows
    for name in ("edges", "outgoing", "reach", "lengths", "_regions", "_places", "_activations", "_linear"):
        if name in search.__dict__ or not name.startswith("_"):
            made.__dict__[name] = search.__dict__[name] if name in search.__dict__ else getattr(search, name)


def _with_factor(search: Search, left: list[str], found: dict[str, list[CodeMistake]]) -> None:
    """A plain factor on the whole gradient, and one change."""
    from backproof.check.code import changes
    from backproof.check.code.derivations import Change, Hit, constant

    pairs = {n: [k for k, (own, _) in enumerate(search.directions) if own == n] for n in left}
    slopes = {
        n: np.array([float(np.sum(search.directions[k][1][n] * search.gradient(n))) for k in pairs[n]]) for n in left
    }
    for count, item in enumerate(chain.from_iterable(changes.stages(search)[:5])):
        if (count % 64 == 0 and search.case.late) or not left:
            return
        if item.scale != 1.0 or not np.all(np.isfinite(item.delta)):
            continue
        if not search.reach[item.node.number] & set(left):
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
            if constant(float(ratio[0]), search.lengths) is None:
                continue
            hit = Hit(item, 1.0, frozenset([name]), 0)
            if _confirmed(search, hit, name, float(ratio[0])):
                node = search.trace.tape.inputs[name]
                whole = Change(node, search.cotangent(node), "scale", name, None, 1)
                scaled = Hit(whole, float(ratio[0]) - 1, hit.covers, 0)
                found[name] = [
                    search.placed(search.mistake(hit), hit),
                    replace(search.mistake(scaled), joint=True),
                ]
                left.remove(name)


def _confirmed(search: Search, hit: Hit, name: str, factor: float) -> bool:
    from backproof.check.code.tape import sweep

    nodes = [n for n in search.trace.nodes if n.number <= hit.change.node.number]
    seed = np.broadcast_to(hit.change.delta, hit.change.node.shape)
    moved = sweep(nodes, hit.change.node, seed=seed, keep=False).at(search.trace.tape.inputs[name])
    compared = search.case.compared[name]
    rest = compared.claim - factor * (search.gradient(name) + moved)
    limit = 10 * compared.tolerance + 1e-6 * float(np.max(np.abs(compared.claim), initial=0.0))
    return bool(np.max(np.abs(rest), initial=0.0) <= limit)


def _both(search: Search, left: list[str], found: dict[str, list[CodeMistake]]) -> None:
    """Each of the likely changes as the first, and a short search for the second."""
    from backproof.check.code.derivations import Hit

    for first in _likely(search, set(left)):
        if search.case.late or not left:
            return
        following = _following(search, Hit(first, 1.0, frozenset(), 0), list(left), brief=True)
        hits = [h for h in following.hits() if following.rank(h) < 10]
        for name in list(left):
            second = following.mistakes(name, hits)
            if second:
                hit = Hit(first, 1.0, frozenset([name]), 0)
                mistake = search.placed(search.mistake(hit), hit)
                found[name] = _together([mistake], second) if second[0].name != mistake.name else [mistake]
                left.remove(name)


def _likely(search: Search, left: set[str]) -> Iterator[Change]:
    from backproof.check.code import changes

    seen: set[tuple[int, float]] = set()
    for item in chain.from_iterable(changes.stages(search)[:3]):
        if len(seen) >= MAX_FIRST:
            return
        if item.scale != 1.0 or not search.reach[item.node.number] & left:
            continue
        if not np.all(np.isfinite(item.delta)) or not np.any(item.delta):
            continue
        key = (item.node.number, round(float(np.sum(np.abs(item.delta))), 9))
        if key not in seen:
            seen.add(key)
            yield item
