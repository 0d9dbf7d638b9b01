"""Surroundings: what all formulas of one network share when mistakes are looked for in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from backproof import catalog
from backproof.calculus.network import Network
from backproof.check.comparison import folder_of
from backproof.check.few_points import SEED, FewPoint, is_small
from backproof.check.scales import Scales
from backproof.language.expression import (
    Apply,
    Expr,
    Index,
    Tensor,
    apply,
    mul,
    postorder,
    power,
    reindex,
    size,
    tensor,
)
from backproof.language.program import Assumption, Definition, Program
from backproof.language.walks import rewrite
from backproof.proof.folding import Folder

if TYPE_CHECKING:
    from backproof.check.points import Point

KINKED: Final = 4


@dataclass(frozen=True)
class Surroundings:
    """What all lines about one program share."""

    network: Network
    program: Program

    @cached_property
    def folder(self) -> Folder:
        """Finds the names in which slopes are written."""
        return folder_of(self.program, self.network.admissible)

    @property
    def general_folder(self) -> Folder:
        """The same without what the loss takes for granted of its target."""
        return folder_of(self.program)

    @cached_property
    def points(self) -> tuple[FewPoint | Point, ...]:
        """The points at which formulas are compared: one, or several where slopes jump."""
        real = catalog.loss(self.network.loss).target == "real"
        entries = [catalog.function(n.name) for d in self.program.definitions for n in postorder(d.body)
                   if isinstance(n, Apply)]  # fmt: skip
        count = KINKED if any(e is not None and e.kink is not None for e in entries) else 1
        return tuple(
            point_of(self.program, self.network.admissible, any_target=real, seed=SEED + k) for k in range(count)
        )

    @cached_property
    def scales(self) -> Scales:
        """What a formula may be off by."""
        return Scales(self.points[0].sizes)

    @cached_property
    def batch(self) -> str | None:
        """The sort of the examples."""
        if not self.network.batch:
            return None
        return self.program.sorts("Y")[1 if self.network.layout == "columns" else 0]

    @cached_property
    def penalty(self) -> Expr | None:
        """λ in the scale of J."""
        penalty = self.network.regulariser
        if penalty is not None and self.batch is not None and self.network.reduction.startswith("mean"):
            return mul(penalty, power(size(self.batch), -1))
        return penalty

    @cached_property
    def _slopes(self) -> dict[tuple[str, str], Definition]:
        return {}

    def opened(self, expr: Expr) -> Expr:
        """The formula with every slope in the names of the network, a(1 − a) for σ′(z)."""
        return rewrite(expr, self._opened)

    def _opened(self, node: Expr) -> Expr | None:
        if not isinstance(node, Apply) or node.orders != (1,) or not isinstance(node.args[0], Tensor):
            return None
        logits = node.args[0]
        key = node.name, logits.name
        if key not in self._slopes:
            axes = tuple(Index(f"e{k}", i.sort) for k, i in enumerate(logits.indices))
            slope = apply(node.name, tensor(logits.name, *axes), orders=(1,))
            self._slopes[key] = Definition("", axes, self.folder.fold(slope))
        found = self._slopes[key]
        return reindex(found.body, dict(zip(found.indices, logits.indices, strict=True)))

    def activation(self, logits: str) -> Definition | None:
        """The definition of the outputs that come from some logits."""
        return self.program.by_name.get(("A" if self.network.batch else "a") + logits[1:])


def point_of(
    program: Program, assumptions: Iterable[Assumption], *, any_target: bool = False, seed: int = SEED
) -> FewPoint | Point:
    """A point of the program: in plain numbers where it is small, in arrays otherwise."""
    if is_small(program):
        return FewPoint(program, assumptions, any_target=any_target, seed=seed)
    # Arrays, and NumPy with them, are needed only for matrices.
    from backproof.check.points import Point

    return Point(program, assumptions, any_target=any_target, seed=seed)
