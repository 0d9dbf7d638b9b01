"""Axes: which axes of the arrays on a tape are the same size, so that the formulas can name it.

Every axis of an input gets a size of its own; what an operation adds, multiplies or contracts makes two of them one. An
axis that `reshape` merges from others is a tuple of sizes, one that it splits is made of parts, one of length 1 has
none. No length is compared but to see that the shapes fit: 4 and 4 stay apart where the code never lets them meet.
"""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np

from backproof.check.code.tape import Node
from backproof.errors import BackproofError

Axis: TypeAlias = tuple[int, ...]
"""The sizes that an axis is made of, the slowest first; none for an axis of length 1."""

Axes: TypeAlias = tuple[Axis, ...]


class FormlessError(BackproofError):
    """Something on a tape that has no formula here."""


@dataclass(frozen=True, slots=True)
class Place:
    """What an indexing key does to one axis of an array: `source` is its position, None for a new axis.

    `where` are the chosen places along it, None for all of them; `axes` the sizes of the result that `where` runs over.
    """

    source: int | None
    where: Any
    axes: Axes


@dataclass(slots=True)
class Sizes:
    """The sizes seen so far: each a number, its length, and what it turned out to be made of or to be equal to."""

    lengths: list[int] = field(default_factory=list[int])
    made_of: dict[int, Axis] = field(default_factory=dict[int, Axis])
    of: dict[int, Axes] = field(default_factory=dict[int, Axes])
    inputs: dict[str, Axes] = field(default_factory=dict[str, Axes])
    keys: dict[int, tuple[Place, ...]] = field(default_factory=dict[int, tuple[Place, ...]])
    kept: list[Node] = field(default_factory=list[Node])

    def fresh(self, length: int) -> Axis:
        """A new size."""
        if length == 0:
            raise FormlessError("an array is empty")
        if length == 1:
            return ()
        self.lengths.append(length)
        return (len(self.lengths) - 1,)

    def flat(self, axis: Axis) -> Axis:
        """The sizes that an axis is made of in the end."""
        found: list[int] = []
        stack = list(reversed(axis))
        while stack:
            size = stack.pop()
            if size in self.made_of:
                stack.extend(reversed(self.made_of[size]))
            else:
                found.append(size)
        return tuple(found)

    def length(self, axis: Axis) -> int:
        """The number of places along an axis."""
        return prod(self.lengths[s] for s in axis)

    def unify(self, first: Axis, second: Axis) -> None:
        """Make two axes one. Raises FormlessError where their parts do not fit."""
        while True:
            a, b = self.flat(first), self.flat(second)
            pair = next(((x, y) for x, y in zip(a, b, strict=False) if x != y), None)
            if pair is None:
                if len(a) != len(b):
                    raise FormlessError("two axes of different lengths meet")
                return
            x, y = pair
            if self.lengths[x] == self.lengths[y]:
                self.made_of[max(x, y)] = (min(x, y),)
            elif self.lengths[x] > self.lengths[y]:
                self._split(x, self.lengths[y])
            else:
                self._split(y, self.lengths[x])

    def _split(self, size: int, slow: int) -> None:
        if self.lengths[size] % slow:
            raise FormlessError("the parts of two axes do not fit")
        self.made_of[size] = (*self.fresh(slow), *self.fresh(self.lengths[size] // slow))

    def note(self, nodes: Iterable[Node]) -> None:
        """Find the axes of all these nodes, operands before what uses them."""
        for node in nodes:
            if id(node) not in self.of:
                self.kept.append(node)
                rule = _RULES.get(node.op)
                if rule is None:
                    raise FormlessError(f"{node.op} has no formula here")
                self.of[id(node)] = rule(self, node)

    def axes(self, node: Node) -> Axes:
        """The axes of a node, each as it is made up in the end."""
        return tuple(self.flat(axis) for axis in self.of[id(node)])

    def met(self, parts: Sequence[Axes], count: int) -> Axes:
        """The axes of an array that several are broadcast to."""
        found: list[Axis] = []
        for k in range(-count, 0):
            own = [p[k] for p in parts if len(p) >= -k and p[k]]
            for other in own[1:]:
                self.unify(own[0], other)
            found.append(own[0] if own else ())
        return tuple(found)

    def places(self, node: Node, whole: Node, key: Any) -> tuple[Place, ...]:
        """What an indexing key does to each axis of an array."""
        if id(node) not in self.keys:
            self.keys[id(node)] = tuple(_places(self, whole, key))
        return self.keys[id(node)]


def _named(sizes: Sizes, node: Node) -> Axes:
    if node.name not in sizes.inputs:
        sizes.inputs[node.name] = _new(sizes, node)
    return sizes.inputs[node.name]


def _new(sizes: Sizes, node: Node) -> Axes:
    return tuple(sizes.fresh(n) for n in node.shape)


def _entrywise(sizes: Sizes, node: Node) -> Axes:
    return sizes.met([sizes.of[id(p)] for p in node.parents], len(node.shape))


def _called(sizes: Sizes, node: Node) -> Axes:
    if isinstance(node.attr, np.ufunc):
        return _entrywise(sizes, node)
    own = sizes.of[id(node.parents[0])]
    if len(own) != len(node.shape):
        return _new(sizes, node)
    before = node.parents[0].shape
    return tuple(
        axis if length == was else sizes.fresh(length)
        for axis, length, was in zip(own, node.shape, before, strict=True)
    )


def reduced(node: Node) -> tuple[int, ...]:
    """The axes that a sum or an extreme runs over."""
    axis = node.attr[0]
    count = len(node.parents[0].shape)
    if axis is None:
        return tuple(range(count))
    return tuple(int(k) % count for k in ((axis,) if isinstance(axis, int | np.integer) else axis))


def _reduced(sizes: Sizes, node: Node) -> Axes:
    own, gone = sizes.of[id(node.parents[0])], reduced(node)
    if node.attr[1]:
        return tuple(() if k in gone else axis for k, axis in enumerate(own))
    return tuple(axis for k, axis in enumerate(own) if k not in gone)


def _matmul(sizes: Sizes, node: Node) -> Axes:
    a, b = (sizes.of[id(p)] for p in node.parents)
    sizes.unify(a[len(a) - 1], b[max(len(b) - 2, 0)])
    outer = sizes.met([a[:-2], b[:-2]], max(len(a), len(b)) - 2) if max(len(a), len(b)) > 2 else ()
    return (*outer, *(a[-2:-1] if len(a) > 1 else ()), *(b[-1:] if len(b) > 1 else ()))


def _einsum(sizes: Sizes, node: Node) -> Axes:
    left, out = node.attr.split("->")
    found: dict[str, Axis] = {}
    for letters, parent in zip(left.split(","), node.parents, strict=True):
        for letter, axis in zip(letters, sizes.of[id(parent)], strict=True):
            if letter in found and found[letter] and axis:
                sizes.unify(found[letter], axis)
            found[letter] = found.get(letter) or axis
    return tuple(found[letter] for letter in out)


def _reshaped(sizes: Sizes, node: Node) -> Axes:
    atoms = list(reversed([s for axis in sizes.of[id(node.parents[0])] for s in sizes.flat(axis)]))
    found: list[Axis] = []
    for length in node.shape:
        own: list[int] = []
        while sizes.length(tuple(own)) < length:
            need = length // sizes.length(tuple(own))
            if not atoms:
                raise FormlessError("a reshape does not fit")
            size = atoms.pop()
            if sizes.lengths[size] <= need:
                own.append(size)
                continue
            parts = (*sizes.fresh(need), *sizes.fresh(sizes.lengths[size] // need))
            if sizes.length(parts) != sizes.lengths[size]:
                raise FormlessError("a reshape mixes axes")
            sizes.made_of[size] = parts
            own.append(parts[0])
            atoms.append(parts[1])
        if sizes.length(tuple(own)) != length:
            raise FormlessError("a reshape mixes axes")
        found.append(tuple(own))
    return tuple(found)


def _transposed(sizes: Sizes, node: Node) -> Axes:
    own = sizes.of[id(node.parents[0])]
    return tuple(own[k] for k in node.attr)


def _broadcast(sizes: Sizes, node: Node) -> Axes:
    own = sizes.of[id(node.parents[0])]
    own = ((),) * (len(node.shape) - len(own)) + own
    return tuple(axis or sizes.fresh(n) for axis, n in zip(own, node.shape, strict=True))


def _indexed(sizes: Sizes, node: Node) -> Axes:
    places = sizes.places(node, node.parents[0], node.attr)
    part = part_of(node.parents[0], places)
    if part is not None:
        sizes.met([chosen(sizes, places), sizes.of[id(part)]], len(node.shape))
    return chosen(sizes, places)


def part_of(whole: Node, places: Sequence[Place]) -> Node | None:
    """The array that a slice gives back, where the whole was joined from several."""
    cut = [p for p in places if p.where is not None or p.source is None]
    if whole.op != "concatenate" or len(cut) != 1 or isinstance(cut[0].where, tuple) or len(places) != len(whole.shape):
        return None
    along, start = whole.attr % len(whole.shape), 0
    for part in whole.parents:
        length = part.shape[along]
        if cut[0].source == along and np.array_equal(cut[0].where, np.arange(start, start + length)):
            return part
        start += length
    return None


def chosen(sizes: Sizes, places: Sequence[Place]) -> Axes:
    """The axes of what an indexing key gives; NumPy puts the axes of index arrays where the first of them stands."""
    found: list[Axis] = []
    done = False
    for place in places:
        if isinstance(place.where, tuple):
            if not done:
                done = True
                found += place.axes
        else:
            found += place.axes
    return tuple(sizes.flat(axis) for axis in found)


def _places(sizes: Sizes, whole: Node, key: Any) -> Iterable[Place]:
    entries = list(key) if isinstance(key, tuple) else [key]
    own, shape = sizes.of[id(whole)], whole.shape
    taken = sum(np.ndim(e) if _is_mask(e) else 1 for e in entries if e is not None and e is not Ellipsis)
    spread: list[Any] = []
    for entry in entries:
        spread += [slice(None)] * (len(shape) - taken) if entry is Ellipsis else [entry]
    if Ellipsis not in [e for e in entries if e is Ellipsis]:
        spread += [slice(None)] * (len(shape) - taken)
    opened: list[Any] = []
    for entry in spread:
        opened += list(np.nonzero(entry)) if _is_mask(entry) else [entry]
    arrays = [np.asarray(e) for e in opened if isinstance(e, np.ndarray | list)]
    together = np.broadcast_shapes(*(a.shape for a in arrays)) if arrays else ()
    if arrays:
        at = [k for k, e in enumerate(opened) if isinstance(e, np.ndarray | list | int | np.integer)]
        if at != list(range(at[0], at[0] + len(at))):
            raise FormlessError("index arrays stand apart")
    common = [sizes.fresh(n) for n in together]
    k = 0
    for entry in opened:
        if entry is None:
            yield Place(None, None, ((),))
            continue
        length, axis = shape[k], own[k]
        if isinstance(entry, slice):
            where = np.arange(length)[entry]
            if len(where) == length and (length < 2 or where[0] == 0):
                yield Place(k, None, (axis,))
            else:
                yield Place(k, where, (sizes.fresh(len(where)),))
        elif isinstance(entry, np.ndarray | list) or arrays:
            where = np.broadcast_to(np.asarray(entry), together) % length
            if np.ndim(entry) == 1 and len(together) == 1 and np.array_equal(where, np.arange(length)):
                sizes.unify(axis, common[0])
            yield Place(k, (where,), tuple(common))
        else:
            yield Place(k, np.asarray(int(entry) % length), ())
        k += 1


def _is_mask(entry: Any) -> bool:
    return isinstance(entry, np.ndarray | list) and np.asarray(entry).dtype == bool


def _put(sizes: Sizes, node: Node) -> Axes:
    whole, part = node.parents
    target = chosen(sizes, sizes.places(node, whole, node.attr[0]))
    sizes.met([target, sizes.of[id(part)]], len(target))
    return sizes.of[id(whole)]


def _joined(sizes: Sizes, node: Node) -> Axes:
    count = len(node.shape)
    along = node.attr % count
    others = [
        tuple(() if k == along else axis for k, axis in enumerate(sizes.of[id(p)])) for p in node.parents
    ]  # the axis that they are joined along is a new one
    found = sizes.met(others, count)
    return (*found[:along], sizes.fresh(node.shape[along]), *found[along + 1 :])


_RULES: Final[MappingProxyType[str, Callable[[Sizes, Node], Axes]]] = MappingProxyType(
    {
        "input": _named,
        "constant": _new,
        "call": _called,
        "sum": _reduced,
        "max": _reduced,
        "min": _reduced,
        "matmul": _matmul,
        "einsum": _einsum,
        "reshape": _reshaped,
        "transpose": _transposed,
        "broadcast": _broadcast,
        "index": _indexed,
        "put": _put,
        "concatenate": _joined,
        "cumsum": lambda sizes, node: sizes.of[id(node.parents[0])],
        **dict.fromkeys(
            ("unary", "add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "where", "cast"),
            _entrywise,
        ),
    }
)
