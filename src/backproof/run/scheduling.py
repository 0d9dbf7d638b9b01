"""Scheduling: which tasks share a loop, and where every value lives.

Tasks over the same rows become one pass over the rows; inside it, tasks over the same columns become one loop, unless
one needs a sum that the other makes. A value that is needed in one loop only is a local number, one that is needed in
one row only is a row, and matrices whose life is over lend their memory to later ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from backproof.errors import LimitError
from backproof.language.expression import Expr, Index, Tensor, postorder, reindex, tensor
from backproof.run.lowering import Lowered, Product, Task

ROW, COLUMN = "r", "c"
Level = Literal["row", "loop", "pick"]


@dataclass(frozen=True, slots=True)
class Work:
    """A task with its indices renamed: r runs over the rows, c over the columns."""

    task: Task
    body: Expr
    target: Expr
    over_rows: bool
    level: Level


@dataclass
class Segment:
    """A part of the work on one row: a loop over columns, numbers of the row, or the place of a maximum."""

    level: Level
    sort: str
    works: list[Work] = field(default_factory=list[Work])


@dataclass
class Group:
    """One pass over rows; with no sort, numbers that belong to no row."""

    sort: str | None
    segments: list[Segment] = field(default_factory=list[Segment])

    @property
    def targets(self) -> dict[str, int]:
        """Every name that the pass makes, with the number of its segment."""
        return {w.task.target: k for k, s in enumerate(self.segments) for w in s.works}


@dataclass(frozen=True)
class Schedule:
    """Products and passes in order, and the place of every value.

    `rows` are kept for one row, `local` for one loop; all others are arrays. `same` are arrays that share the memory of
    another, `slots` the numbers of the buffers of arrays with a row for each example, each with its width.
    """

    lowered: Lowered
    stages: tuple[Product | Group, ...]
    rows: frozenset[str]
    local: frozenset[str]
    same: Mapping[str, str]
    slots: Mapping[str, int]
    widths: tuple[int, ...]


def schedule(lowered: Lowered) -> Schedule:
    """The stages of a lowered program. Raises LimitError for a formula over more than two axes."""
    stages: list[Product | Group] = []
    made: dict[str, int] = {}
    for step in lowered.steps:
        after = max((made[n] for n in step.reads if n in made), default=-1)
        if isinstance(step, Product):
            stages.append(step)
            made[step.target] = len(stages) - 1
            continue
        sort, work = _oriented(step)
        places = list(range(max(after, 0), len(stages)))
        if after < 0:
            places.reverse()  # what needs only inputs waits for its readers
        for k in (*places, len(stages)):
            if k == len(stages):
                stages.append(Group(sort))
            stage = stages[k]
            if isinstance(stage, Group) and stage.sort == sort and _admit(stage, work):
                made[step.target] = k
                break
    return _placed(lowered, tuple(stages), made)


def _oriented(task: Task) -> tuple[str | None, Work]:
    axes = (*task.indices, *task.bound)
    if len(axes) > 2:
        raise LimitError("a formula runs over too many axes", expected="two", got=str(len(axes)), next="another loss")
    if not axes:
        return None, Work(task, task.body, _head(task), over_rows=False, level="row")
    order = axes
    for node in postorder(task.body):
        if isinstance(node, Tensor) and len(axes) == 2 and set(node.indices) == set(axes):
            order = node.indices
            break
    renaming = {i: Index(name, i.sort) for i, name in zip(order, (ROW, COLUMN), strict=False)}
    over_rows = bool(task.bound) and task.bound[0] == order[0]
    level: Level = "row" if len(order) == 1 else "pick" if task.kind == "pick" else "loop"
    return order[0].sort, Work(task, reindex(task.body, renaming), reindex(_head(task), renaming), over_rows, level)


def _head(task: Task) -> Expr:
    return tensor(task.target, *task.indices)


def _columns(work: Work) -> str:
    for node in (work.target, *postorder(work.body)):
        for index in node.free:
            if index.name == COLUMN:
                return index.sort
    return ""


def _admit(group: Group, work: Work) -> bool:
    """Puts the work into the earliest segment that has what it needs, if the pass can have it at all."""
    targets = group.targets
    by_name = {w.task.target: w for s in group.segments for w in s.works}
    first = 0
    for name in work.task.reads & targets.keys():
        maker, at = by_name[name], targets[name]
        if maker.over_rows and group.sort is not None:
            return False
        if not _aligned(work, name, maker):
            return False
        first = max(first, at + (not _immediate(work, maker)))
    sort = _columns(work) if work.level != "row" else ""
    for k in range(first, len(group.segments)):
        segment = group.segments[k]
        if segment.level == work.level != "pick" and segment.sort == sort:
            segment.works.append(work)
            return True
    group.segments.append(Segment(work.level, sort, [work]))
    return True


def _aligned(work: Work, name: str, maker: Work) -> bool:
    """Whether the work reads a value of the same row."""
    if name.startswith("K"):
        return True
    reads = [n for n in postorder(work.body) if isinstance(n, Tensor) and n.name == name]
    made = maker.target
    assert isinstance(made, Tensor)
    row_first = not made.indices or made.indices[0].name == ROW
    return row_first and all(not n.indices or n.indices[0].name == ROW for n in reads)


def _immediate(work: Work, maker: Work) -> bool:
    """Whether the value is ready inside the same loop: made entry by entry, and read at the entry."""
    if maker.task.kind != "assign" or maker.level != work.level or maker.task.target.startswith("K"):
        return False
    reads = [n for n in postorder(work.body) if isinstance(n, Tensor) and n.name == maker.task.target]
    return all(n is maker.target for n in reads)


def _placed(lowered: Lowered, stages: tuple[Product | Group, ...], made: Mapping[str, int]) -> Schedule:
    last: dict[str, int] = {}
    outside: set[str] = set(lowered.wanted)
    segments_of: dict[str, set[int]] = {}
    for k, stage in enumerate(stages):
        if isinstance(stage, Product):
            for name in stage.reads:
                last[name] = k
                outside.add(name)
            outside.add(stage.target)
            continue
        targets = stage.targets
        for at, segment in enumerate(stage.segments):
            for work in segment.works:
                for name in work.task.reads:
                    last[name] = k
                    if name not in targets:
                        outside.add(name)
                    elif at != targets[name] or not _immediate(work, _maker(stage, name)):
                        segments_of.setdefault(name, set()).add(at)
    rows, local = set[str](), set[str]()
    for name, k in made.items():
        stage = stages[k]
        if name in outside or isinstance(stage, Product) or _maker(stage, name).over_rows:
            continue
        two = len(lowered.sorts.get(name, ())) == 2
        (rows if two and name in segments_of else local).add(name)
    same = _shared(lowered, stages, outside)
    slots, widths = _slots(lowered, made, last, rows | local, same)
    return Schedule(lowered, stages, frozenset(rows), frozenset(local), same, slots, widths)


def _maker(group: Group, name: str) -> Work:
    return next(w for s in group.segments for w in s.works if w.task.target == name)


def _shared(lowered: Lowered, stages: tuple[Product | Group, ...], outside: set[str]) -> dict[str, str]:
    """Products that only one formula reads, entry by entry: its result takes their place."""
    readers: dict[str, list[object]] = {}
    for stage in stages:
        if isinstance(stage, Product):
            for name in stage.reads:
                readers.setdefault(name, []).append(stage)
        else:
            for segment in stage.segments:
                for work in segment.works:
                    for name in work.task.reads:
                        readers.setdefault(name, []).append(work)
    shared: dict[str, str] = {}
    for stage in stages:
        if not isinstance(stage, Product) or stage.target in lowered.wanted:
            continue
        reading = readers.get(stage.target, [])
        if len(reading) != 1 or not isinstance(reading[0], Work):
            continue
        work = reading[0]
        taken = work.task.target in shared.values()
        if work.task.kind == "assign" and work.task.target in outside and not taken:
            entries = [n for n in postorder(work.body) if isinstance(n, Tensor) and n.name == stage.target]
            assert isinstance(work.target, Tensor)
            if all(n.indices == work.target.indices for n in entries):
                shared[stage.target] = work.task.target
    return shared


def _slots(
    lowered: Lowered,
    made: Mapping[str, int],
    last: Mapping[str, int],
    elsewhere: set[str],
    same: Mapping[str, str],
) -> tuple[dict[str, int], tuple[int, ...]]:
    """Buffers for the arrays with a row for each example; one whose life is over is taken again."""
    begin: dict[str, int] = {}
    for name, k in made.items():
        owner = same.get(name, name)
        if name in elsewhere or name.startswith("K") or not _batched(lowered, owner):
            continue
        begin[owner] = min(k, begin.get(owner, k))
    widths: list[int] = []
    free_from: list[int] = []
    slots: dict[str, int] = {}
    forever = len(made) + 1
    for name, k in sorted(begin.items(), key=lambda item: item[1]):
        sorts = lowered.sorts[name]
        width = 1
        for sort in sorts:
            width *= int(sort) if sort.isdigit() else 1
        end = forever if name in lowered.wanted else last.get(name, k)
        found = next((s for s, f in enumerate(free_from) if f < k and widths[s] >= width), None)
        if found is None:
            found = len(widths)
            widths.append(width)
            free_from.append(end)
        free_from[found] = end
        slots[name] = found
    return slots, tuple(widths)


def _batched(lowered: Lowered, name: str) -> bool:
    sorts = lowered.sorts.get(name, ())
    return any(not s.isdigit() for s in sorts)
