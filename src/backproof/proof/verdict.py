"""Verdicts: what was decided about a claim, and all that a person needs to check it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from backproof.language.expression import Expr
from backproof.language.program import Assumption

Nested: TypeAlias = "Fraction | tuple[Nested, ...]"
"""An exact number, or the entries of a tensor: a tuple for each axis, the first axis outermost."""

ConditionKind = Literal[
    "nonzero",
    "positive",
    "nonnegative",
    "kink",
    "unit-sum",
    "binary",
    "symmetric",
    "in-unit-interval",
    "plus-minus-one",
    "equals",
    "size",
]

SECONDS: Final = 3.0
TERMS: Final = 20_000
CONDITION_SECONDS: Final = 0.5


class Kind(StrEnum):
    """The three verdicts."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Budget:
    """How long and how large a decision may grow: `seconds` of time, `terms` of a normal form.

    `condition_seconds` of the time go into the search for conditions under which a refuted claim would be true.
    """

    seconds: float = SECONDS
    terms: int = TERMS
    condition_seconds: float = CONDITION_SECONDS


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that a verdict needs.

    Where formulas have a value: `nonzero`, `positive`, `nonnegative` of `expr`; `kink`: `expr` is not 0, because a
    slope jumps there. `size`: the size `expr` has the `value`. The other kinds are those of an `Assumption`, which is
    then given. `discharged` says that the condition always holds (1 + e^z is never 0): nobody needs to read it.
    """

    kind: ConditionKind
    expr: Expr | None = None
    assumption: Assumption | None = None
    value: Fraction | None = None
    discharged: bool = False
    note: str = ""

    @staticmethod
    def of(assumption: Assumption) -> Condition:
        """The condition that an assumption holds."""
        return Condition(assumption.property, assumption=assumption, value=assumption.value)

    @property
    def of_domain(self) -> bool:
        """Whether it only says where the formulas have a value."""
        return self.assumption is None and self.kind != "size"


@dataclass(frozen=True, slots=True)
class Ball:
    """A real number up to a certified error: it lies within `radius` of `middle`, both decimal."""

    middle: str
    radius: str

    def brief(self, digits: int = 6) -> str:
        """The middle to a few digits; a number that may be 0 is shown as 0.

        >>> Ball("0.333333333333", "1e-30").brief()
        '0.333333'
        """
        middle = Decimal(self.middle)
        if abs(middle) <= Decimal(self.radius):
            return "0"
        return f"{middle.normalize():.{digits}g}"


@dataclass(frozen=True, slots=True)
class Witness:
    """A point at which two sides differ: exact inputs, and both values certified.

    `sizes` gives every size, `inputs` the entries of every input, `index` the values (from 1) of the free indices at
    which the sides were compared. `functions` says what was taken for an abstract function, as a formula in `u`
    (or `u1`, `u2`, …). Where a fixed size is large, its values come in `blocks` of equal entries: `inputs` then holds
    one entry for a block, and `blocks` the lengths of the blocks.
    """

    sizes: Mapping[str, int]
    inputs: Mapping[str, Nested]
    index: Mapping[str, int]
    left: Ball
    right: Ball
    functions: Mapping[str, Expr] = field(default_factory=dict[str, Expr])
    blocks: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])


@dataclass(frozen=True, slots=True)
class Opinion:
    """What an independent check says: `agrees` (None where it could not be asked), and in words."""

    agrees: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided: `proved` for all sizes and data, `refuted` by a `witness`, or `unknown`, with the reason.

    `conditions` are what a proof needs: admissible assumptions, and where both sides have a value. `used` are the
    definitions that the proof opened. For a proof under an assumption, `without` is a witness that it is needed.
    `hidden_conditions` of a refuted claim would make it true, each inner tuple by itself; `factors` are factors of the
    difference of its sides. `second_opinion` is what an independent numerical check for all sizes says.
    """

    kind: Kind
    conditions: tuple[Condition, ...] = ()
    used: tuple[str, ...] = ()
    witness: Witness | None = None
    because: str | None = None
    second_opinion: str = "not run"
    hidden_conditions: tuple[tuple[Condition, ...], ...] = ()
    factors: tuple[Expr, ...] = ()
    without: Witness | None = None

    @property
    def open_conditions(self) -> tuple[Condition, ...]:
        """The assumptions that the verdict needs beyond those given."""
        return tuple(c for c in self.conditions if not c.discharged and not c.of_domain)

    @property
    def side_conditions(self) -> tuple[Condition, ...]:
        """Where both sides have a value, as far as that is not everywhere."""
        return tuple(c for c in self.conditions if not c.discharged and c.of_domain)
