"""Recognition: what a claim writes out is replaced by the name that the program has for it.

A claim with σ(Σ_j W_ij x_j + b_i) is about a_i: under the name, a deep network stays a chain of short equations. A part
is replaced only where the algebra proves it equal to the definition's body, so that nothing is assumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import permutations
from typing import Final

from backproof.algebra import Algebra, OutOfBudget, Undefined
from backproof.language.expression import Add, Apply, Expr, Index, Mul, Pow, Sum, Tensor, postorder, reindex
from backproof.language.walks import rewrite
from backproof.proof.axiomatic import Axiomatic

MAX_AXES: Final = 4

_NONE: Final = frozenset[str]()
Parts = tuple[frozenset[str], frozenset[str]]
Signature = tuple[frozenset[str], frozenset[str], tuple[str, ...]]


class Recognition:
    """Finds the definitions of one program inside claims."""

    def __init__(self, program: Axiomatic) -> None:
        self.program = program
        self._parts: dict[Expr, Parts] = {}

    def named(self, root: Expr, algebra: Algebra) -> Expr:
        """The formula with every part that is a definition's body under its name."""

        def rule(node: Expr) -> Expr | None:
            if not isinstance(node, Add | Mul | Pow | Apply | Sum) or len(node.free) > MAX_AXES:
                return None
            for name in self._by_signature.get(self._signature(node, node.free), ()):
                head = self._matched(name, node, algebra)
                if head is not None:
                    return head
            return None

        return rewrite(root, rule)

    @cached_property
    def _by_signature(self) -> dict[Signature, list[str]]:
        """The forward definitions by what a formula needs to be one of them."""
        found: dict[Signature, list[str]] = {}
        for name in self.program.position:
            if name.startswith("∂"):
                continue
            definition = self.program.definition(name)
            if len(definition.indices) <= MAX_AXES and not isinstance(definition.body, Tensor):
                found.setdefault(self._signature(definition.body, definition.indices), []).append(name)
        return found

    def _matched(self, name: str, node: Expr, algebra: Algebra) -> Expr | None:
        definition = self.program.definition(name)
        for order in permutations(sorted(node.free)):
            if tuple(i.sort for i in order) != definition.sorts:
                continue
            mapping = dict(zip(definition.indices, order, strict=True))
            try:
                if algebra.equal(reindex(definition.body, mapping), node):
                    return reindex(definition.head, mapping)
            except (OutOfBudget, Undefined):
                return None
        return None

    def _signature(self, root: Expr, indices: Iterable[Index]) -> Signature:
        """What two writings of one formula are expected to share: tensors, functions, sorts of indices."""
        known = self._parts
        if root not in known:
            ready = all(child in known for child in root.children)
            for node in (root,) if ready else postorder(root):
                if node not in known:
                    known[node] = _parts(node, [known[child] for child in node.children])
        tensors, functions = known[root]
        return tensors, functions, tuple(sorted(i.sort for i in indices))


def _parts(node: Expr, inside: list[Parts]) -> Parts:
    if isinstance(node, Tensor):
        return frozenset((node.name,)), _NONE
    tensors = _NONE.union(*(t for t, _ in inside))
    functions = _NONE.union(*(f for _, f in inside))
    return tensors, functions | {node.name} if isinstance(node, Apply) else functions
