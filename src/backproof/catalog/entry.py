"""What an entry of the catalogue says: names, a definition as text in the formula language, conditions and a source."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from backproof.language.program import Assumption

Target = Literal["real", "probability", "distribution", "one-hot", "plus-minus-one", "count", "positive"]
Prediction = Literal["real", "probability", "distribution", "log-probability", "logit", "positive"]


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """A number that a definition leaves open: α of leaky ReLU. In formulas it is a scalar tensor of this name."""

    name: str
    default: Fraction
    assumptions: tuple[Assumption, ...] = ()
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A function of the catalogue.

    `aliases` are other ways to write the name, in text, Unicode or LaTeX; `symbol` is how a printer writes it.
    `definition` is text in the formula language, in `parameters`: of scalars (elementwise), or of vectors over one
    axis, `exp(z_i)/sum_k exp(z_k)`. `kink` says what holds where the slope jumps. `domain` is what the definition needs
    of its parameters. `source` says where the definition is from. An `abstract` entry, f or ℓ, has no definition.
    """

    name: str
    parameters: tuple[str, ...]
    definition: str
    source: str
    aliases: tuple[str, ...] = ()
    symbol: str = ""
    hyperparameters: tuple[Hyperparameter, ...] = ()
    elementwise: bool = True
    kink: str | None = None
    domain: tuple[Assumption, ...] = ()
    abstract: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Axiom(Entry):
    """A function that is not defined by others; its `slope` is stated, and every other slope follows."""

    slope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Entry):
    """An elementary function, defined from the axioms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation(Entry):
    """An activation; `range` says what its outputs are, for the losses that want it. A proof must not rely on it."""

    range: Prediction = "real"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss(Entry):
    """A loss of one example: the sum over its outputs of an elementwise definition in a and y, or a vector's formula.

    `target` says what y is, `prediction` what a must be, and `pairs_with` names activations that give it.
    """

    target: Target = "real"
    prediction: Prediction = "real"
    pairs_with: tuple[str, ...] = ()


def positive(name: str) -> Assumption:
    """Name > 0."""
    return Assumption(name, "positive")


def in_unit_interval(name: str) -> Assumption:
    """0 < name < 1."""
    return Assumption(name, "in-unit-interval")
