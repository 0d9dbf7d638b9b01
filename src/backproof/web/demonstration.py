"""Small networks of given sizes that stand for the chosen one where numbers are shown: in curves and in training."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from backproof import catalog
from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name
from backproof.language.program import Definition, Program
from backproof.proof.derivation import Derivation

INPUTS: Final = 2
CLASSES: Final = 3
"""How many outputs a layer like softmax has here; any other has one."""
REPEATED: Final = 3
"""How many hidden layers stand for a symbolic depth."""


def takes_vectors(*names: str) -> bool:
    """Whether one of these activations and losses looks at all outputs of an example together."""
    entries = [catalog.activation(n) if k == 0 else catalog.loss(n) for k, n in enumerate(names)]
    return not all(entry.elementwise for entry in entries)


def demonstration(network: Network, *, usual: int, most: int, vectors: bool) -> Network:
    """The network with two inputs and one output, or three, and its hidden layers.

    Hidden sizes that are letters become `usual`, larger ones than `most` become `most`.
    """
    hidden = network.sizes[1:-1] or ((str(usual),) if not network.sizes else ())
    if network.symbolic_depth:
        hidden = (network.sizes[1],) * REPEATED
    widths = (str(min(most, int(size)) if size.isdigit() else usual) for size in hidden)
    sizes = (str(INPUTS), *widths, str(CLASSES if vectors else 1))
    return replace(network, sizes=sizes, symbolic_depth=False)


def proved_program(derivation: Derivation) -> Program:
    """The forward definitions, followed by the equations of the derivation."""
    program = derivation.network.program
    equations = (Definition(adjoint_name("J", e.target), e.indices, e.expr) for e in derivation.equations)
    return Program(program.inputs, (*program.definitions, *equations), program.assumptions, program.row_vectors)
