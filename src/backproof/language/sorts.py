"""Sorts still to be found: an index letter gets its sort from where it is used."""

from __future__ import annotations

from collections.abc import Callable

from backproof.language.expression import (
    Delta,
    Expr,
    Index,
    Max,
    Size,
    Sum,
    Tensor,
    delta,
    max_over,
    postorder,
    rebuilt,
    size,
    sum_over,
    tensor,
)


class Sorts:
    """Unknown sorts `?0`, `?1`, … and what has become known of them (union-find)."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def unknown(self) -> str:
        """A new unknown sort."""
        name = f"?{len(self._parent)}"
        self._parent[name] = name
        return name

    def find(self, sort: str) -> str:
        """What is known of a sort: itself, another unknown one, or the known one that it equals."""
        while sort in self._parent and self._parent[sort] != sort:
            sort = self._parent[sort]
        return sort

    def is_known(self, sort: str) -> bool:
        """Whether the sort is, or equals, a sort of the program."""
        return self.find(sort) not in self._parent

    def fit(self, left: str, right: str) -> bool:
        """Whether two sorts may be equal."""
        left, right = self.find(left), self.find(right)
        return left == right or left in self._parent or right in self._parent

    def unify(self, left: str, right: str) -> bool:
        """Makes two sorts equal; False if they cannot be."""
        left, right = self.find(left), self.find(right)
        if left == right:
            return True
        if left in self._parent:
            self._parent[left] = right
        elif right in self._parent:
            self._parent[right] = left
        else:
            return False
        return True

    def settled(self, root: Expr) -> Expr:
        """The expression with every sort replaced by what is known of it."""
        return resorted(root, self.find) if self._parent else root

    def settled_index(self, index: Index) -> Index:
        """The index with its sort replaced by what is known of it."""
        return Index(index.name, self.find(index.sort))


def resorted(root: Expr, sort_of: Callable[[str], str]) -> Expr:
    """The expression with every sort replaced, in bound indices and sizes too.

    >>> resorted(size("n") * tensor("x", Index("i", "n")), lambda sort: "3")
    3*x[i]
    """

    def moved(index: Index) -> Index:
        return Index(index.name, sort_of(index.sort))

    image: dict[Expr, Expr] = {}
    for node in postorder(root):
        match node:
            case Size(sort):
                image[node] = size(sort_of(sort))
            case Tensor(name, indices):
                image[node] = tensor(name, *(moved(i) for i in indices))
            case Delta(left, right):
                image[node] = delta(moved(left), moved(right))
            case Sum(index, body):
                image[node] = sum_over(moved(index), image[body])
            case Max(index, body):
                image[node] = max_over(moved(index), image[body])
            case _:
                image[node] = rebuilt(node, tuple(image[c] for c in node.children))
    return image[root]
