"""Right forms: what a left side is equal to, as short as a person would write it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final

from backproof import catalog
from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name
from backproof.check.comparison import folder_of
from backproof.check.names import program_of
from backproof.check.wording import condition_texts
from backproof.language.expression import Apply, Expr, Tensor, apply, postorder, reindex
from backproof.language.program import Definition, Program
from backproof.language.walks import inline, names
from backproof.proof.deciding import decide
from backproof.proof.verdict import Budget, Condition, Kind

ADJOINT: Final = "∂J/∂"
_QUICK: Final = Budget(seconds=0.5, condition_seconds=0)


def right_form(network: Network, program: Program, left: Expr, right: Expr) -> Expr | None:
    """The left side in the names of the network, as short as it is found; None for a number.

    A slope is written in the values of the functions that either side names: tanh′(x) = 1 − tanh(x)².
    """
    if isinstance(left, Tensor) and left.name.startswith(ADJOINT):
        equation = short_equation(network, left.name.removeprefix(ADJOINT))
        return reindex(equation.body, dict(zip(equation.indices, left.indices, strict=True)))
    if not names(left):
        return None
    return folder_of(program, network.admissible).fold(left, values=dict.fromkeys((*_values(left), *_values(right))))


def convention(network: Network, program: Program, left: Expr, correct: Expr) -> tuple[str, ...]:
    """What the right form of a gradient takes for granted of the target, as a note; nothing where it holds always."""
    if not network.admissible or not isinstance(left, Tensor) or not left.name.startswith(ADJOINT):
        return ()
    if decide(program, left, correct, budget=_QUICK).kind is Kind.PROVED:
        return ()
    stated = condition_texts((Condition.of(a) for a in network.admissible), program)
    return ("the correct formula takes for granted that " + " and ".join(stated),)


def _values(expr: Expr) -> Iterator[Apply]:
    """The values of the catalogue's functions whose values or slopes stand in a formula."""
    for node in postorder(expr):
        if isinstance(node, Apply) and len(node.args) == 1 and catalog.function(node.name) is not None:
            value = apply(node.name, *node.args)
            if isinstance(value, Apply):
                yield value


@lru_cache(maxsize=256)
def short_equation(network: Network, target: str) -> Definition:
    """∂J/∂target in its shortest form, under what the loss takes for granted of its target."""
    program = program_of(network)
    definition = program.by_name[adjoint_name("J", target)]
    body = inline(definition.body, {d.name: (d.indices, d.body) for d in inner_gradients(program)})
    plain = folder_of(program, ()).fold(body)
    short = folder_of(program, network.admissible).fold(body) if network.admissible else plain
    # Σy = 1 shortens a·Σy − y to a − y; where it would put 1 in the target's place, nobody means it.
    return replace(definition, body=short if names(short) == names(plain) else plain)


def inner_gradients(program: Program) -> Iterator[Definition]:
    """The gradients that people put in and do not name: those of outputs, and the slope of the loss itself.

    A gradient of logits is δ, which has a name.
    """
    for definition in program.definitions:
        if definition.name.startswith(ADJOINT):
            letter = definition.name[len(ADJOINT)]
            first = not any(n.startswith(ADJOINT) for n in names(definition.body))
            if letter in "aA" or (first and letter not in "zZ"):
                yield definition
