"""Walks over expressions, with an explicit stack: no depth of a formula can break them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

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
    opened,
    postorder,
    rebuilt,
    reindex,
    size,
    sum_over,
    tensor,
)


def names(*roots: Expr) -> set[str]:
    """The names of all tensors inside the expressions."""
    found: set[str] = set()
    done: set[Expr] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if isinstance(node, Tensor):
            found.add(node.name)
        elif node.children and node not in done:
            done.add(node)
            stack += node.children
    return found


def count(root: Expr) -> int:
    """How many distinct expressions are inside `root`."""
    return sum(1 for _ in postorder(root))


def rewrite(root: Expr, rule: Callable[[Expr], Expr | None], *, leaves: bool = False) -> Expr:
    """The expression with `rule` applied to every node, children first; None leaves a node as it is.

    The rule sees bound bodies with fresh free indices. What it puts in place of a node is not walked again. With
    `leaves`, only names and numbers of the expression as it was are shown to it.
    """
    image: dict[Expr, Expr] = {}
    bodies: dict[Expr, tuple[Index, Expr]] = {}
    stack: list[tuple[Expr, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if node in image:
            continue
        if not node.children:
            result = rule(node)
            image[node] = node if result is None else result
            continue
        if not ready:
            stack.append((node, True))
            if isinstance(node, Sum | Max):
                bodies[node] = opened(node)
                stack.append((bodies[node][1], False))
            else:
                stack.extend([(child, False) for child in reversed(node.children) if child not in image])
            continue
        if isinstance(node, Sum | Max):
            index, body = bodies[node]
            new = node if image[body] is body else (sum_over if isinstance(node, Sum) else max_over)(index, image[body])
        else:
            children = tuple([image[c] for c in node.children])
            new = node if children == node.children else rebuilt(node, children)
        result = None if leaves else rule(new)
        image[node] = new if result is None else result
    return image[root]


def places(root: Expr) -> Iterator[tuple[Expr, Callable[[Expr], Expr]]]:
    """Every place in the expression, outermost first: what stands there, and how to rebuild the whole with another.

    Bound bodies are seen with fresh free indices.
    """
    stack: list[tuple[Expr, Callable[[Expr], Expr]]] = [(root, lambda new: new)]
    while stack:
        node, wrap = stack.pop()
        yield node, wrap
        if isinstance(node, Sum | Max):
            index, body = opened(node)
            bind = sum_over if isinstance(node, Sum) else max_over
            stack.append((body, lambda new, wrap=wrap, bind=bind, index=index: wrap(bind(index, new))))
            continue
        for k, child in enumerate(node.children):

            def replaced(new: Expr, wrap: Callable[[Expr], Expr] = wrap, node: Expr = node, k: int = k) -> Expr:
                return wrap(rebuilt(node, (*node.children[:k], new, *node.children[k + 1 :])))

            stack.append((child, replaced))


def inline(root: Expr, bodies: Mapping[str, tuple[tuple[Index, ...], Expr]]) -> Expr:
    """The expression with the named tensors replaced by their definitions `(indices, body)`, once."""

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Tensor) and node.name in bodies:
            indices, body = bodies[node.name]
            return reindex(body, dict(zip(indices, node.indices, strict=True)))
        return None

    # A value may be the negative of its own name: what a product collapses to is no occurrence of the name.
    return rewrite(root, rule, leaves=True)


def resorted(root: Expr, sorts: Mapping[str, str]) -> Expr:
    """The expression with sorts replaced by others: a definition over `n` used for an axis of size 25."""

    def moved(index: Index) -> Index:
        return Index(index.name, sorts.get(index.sort, index.sort))

    image: dict[Expr, Expr] = {}
    for node in postorder(root):
        match node:
            case Tensor(name, indices):
                image[node] = tensor(name, *(moved(i) for i in indices))
            case Delta(left, right):
                image[node] = delta(moved(left), moved(right))
            case Size(sort):
                image[node] = size(sorts.get(sort, sort))
            case Sum(index, body):
                image[node] = sum_over(moved(index), image[body])
            case Max(index, body):
                image[node] = max_over(moved(index), image[body])
            case _:
                image[node] = rebuilt(node, tuple(image[c] for c in node.children))
    return image[root]
