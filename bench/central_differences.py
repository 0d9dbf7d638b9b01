"""The judge of the mutation benchmark: a loss differentiated by central differences of itself, in 40 digits.

It shares nothing with the derivation: no reverse sweep, no algebra, no witness. A network is computed forward, every
entry of every name is moved a little, and J is computed again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Final

import numpy as np

from backproof import Network, catalog
from backproof.calculus.exact_numbers import digits
from backproof.calculus.interpreter import evaluate, evaluate_expr
from backproof.calculus.network import Section
from backproof.errors import BackproofError
from backproof.language.expression import Expr, Index, add, tensor
from backproof.language.program import Definition, Program

NUMBERS: Final = digits(40)
STEP: Final = Fraction(1, 10**13)
SIZES: Final = (3, 2, 4, 5, 6)
WRONG: Final = Fraction(1, 10**6)
"""A relative difference from here on is a wrong claim; central differences are exact to about 20 digits."""
RIGHT: Final = Fraction(1, 10**15)


class Waves(Mapping[tuple[int, ...], Callable[..., Any]]):
    """sin(1.3 u + 0.4) and its derivatives, for an abstract function."""

    def __getitem__(self, orders: tuple[int, ...]) -> Callable[..., Any]:
        real = NUMBERS.context
        rate, shift = real.mpf(13) / 10, real.mpf(4) / 10 + orders[0] * real.pi / 2
        wave: Any = np.frompyfunc(lambda u: rate ** orders[0] * real.sin(rate * u + shift), 1, 1)
        return wave

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 1


@dataclass
class Judge:
    """The values of all names of one section of a network, and of all gradients, at one random point."""

    network: Network
    section: Section
    seed: int

    @property
    def program(self) -> Program:
        """The forward definitions of the section."""
        return self.section.program

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Different sizes for different letters."""
        sorts = dict.fromkeys(s for name in self.program.names for s in self.program.sorts(name))
        free = iter(SIZES)
        return {s: int(s) if s.isdigit() else next(free) for s in sorts}

    @cached_property
    def functions(self) -> dict[str, Waves]:
        """What stands for an abstract activation."""
        names = (self.network.hidden, self.network.output)
        return {n: Waves() for n in names if catalog.function(n) is None}

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Exact random inputs; a target lies between 0 and 1, and sums to 1 where the loss takes that for granted."""
        chance = random.Random(self.seed)
        found: dict[str, Any] = {}
        for name, sorts in self.program.inputs.items():
            shape = tuple(self.sizes[s] for s in sorts)
            count = int(np.prod(shape, dtype=int))
            positive = name in "yY" or not sorts or any(a.tensor == name for a in self.program.assumptions)
            drawn = [
                Fraction(chance.randint(1, 15) if positive else chance.randint(-16, 16) or 7, 16) for _ in range(count)
            ]
            array = np.array(drawn, dtype=object).reshape(shape)
            for taken in self.network.admissible:
                if taken.tensor == name:
                    array = array / array.sum(axis=taken.axis, keepdims=True)
            found[name] = array if shape else drawn[0]
        return found

    @cached_property
    def values(self) -> dict[str, Any]:
        """Every name and every gradient as an array."""
        found = dict(self._computed(self.program, self.inputs))
        for name in self.program.names:
            if name != "J" and not name.startswith("∂"):
                found["∂J/∂" + name] = self._gradient(name)
        return found

    def _computed(self, program: Program, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return evaluate(program, inputs, sizes=self.sizes, numbers=NUMBERS, functions=self.functions)

    def _gradient(self, name: str) -> Any:
        sorts = self.program.sorts(name)
        shape = tuple(self.sizes[s] for s in sorts)
        moved = self.program
        if name in moved.by_name:
            definitions = tuple(
                Definition(d.name, d.indices, add(d.body, tensor("moved", *d.indices))) if d.name == name else d
                for d in moved.definitions
            )
            moved = replace(moved, inputs={**moved.inputs, "moved": sorts}, definitions=definitions)

        def loss(place: tuple[int, ...], by: Fraction) -> Any:
            shift = np.full(shape, Fraction(0), dtype=object)
            shift[place] = by
            given = dict(self.inputs)
            if name in self.program.by_name:
                given["moved"] = shift if shape else by
            else:
                given[name] = given[name] + shift if shape else given[name] + by
            return self._computed(moved, given)["J"]

        slopes = np.empty(shape, dtype=object)
        for place in np.ndindex(*shape):
            slopes[place] = (loss(place, STEP) - loss(place, -STEP)) / (2 * NUMBERS.number(STEP))
        return slopes if shape else slopes[()]

    def error(self, target: str, indices: tuple[Index, ...], claimed: Expr) -> float | None:
        """How far a formula is from the gradient, relative to the larger of both; None where it has no value."""
        truth = np.asarray(self.values["∂J/∂" + target], dtype=object)
        try:
            claim: Any = np.asarray(
                evaluate_expr(
                    claimed, self.values, indices=indices, sizes=self.sizes, numbers=NUMBERS, functions=self.functions
                ),
                dtype=object,
            )
        except (BackproofError, KeyError):
            return None
        scale = max((abs(v) for v in (*truth.flat, *claim.flat)), default=0)
        return float(max(abs(v) for v in (truth - claim).flat) / scale) if scale else 0.0


def judges(network: Network) -> dict[str, tuple[Judge, ...]]:
    """Two points for every gradient of a network, by the name that it belongs to."""
    found: dict[str, tuple[Judge, ...]] = {}
    for number, section in enumerate(network.sections):
        both = tuple(Judge(network, section, 100 * number + seed) for seed in (1, 2))
        for name in section.program.names:
            found.setdefault(name, both)
    return found
