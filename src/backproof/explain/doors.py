"""What Python programs and notebooks get: derivations and checked claims that show themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from backproof.calculus.network import Network
from backproof.check import claims
from backproof.explain.latex import math_of_judgement, math_of_lesson
from backproof.explain.lesson import lesson
from backproof.explain.showing import show
from backproof.proof import derivation


class Derivation(derivation.Derivation):
    """All equations of a network, each with its steps; notebooks show it as LaTeX, `html()` as a page.

    `program` holds the forward definitions and the raw adjoints of the sweep.
    """

    def html(self) -> str:
        """The derivation as a page of its own, for a file or for `IPython.display.HTML` in a notebook you trust."""
        return show(self, "html")

    def _repr_latex_(self) -> str:
        return math_of_lesson(lesson(self))


class CheckedClaim(claims.CheckedClaim):
    """One claim and what was found; notebooks show it as LaTeX, `html()` as a page.

    `claim` is the text as written, `verdict` one of proved, refuted, unknown and unread. `read_as` is what was
    understood, `correct` the right equation, `mistakes` explain a refuted claim, simplest first.
    """

    def html(self) -> str:
        """The judgement as a page of its own."""
        return show(self, "html")

    def _repr_latex_(self) -> str:
        from backproof.explain.judgement import judgement

        return math_of_judgement(judgement(self))


def derive(network: Network, of: Sequence[str] = ()) -> Derivation:
    """The backpropagation equations of a network, each proved.

    `of` names equations: `delta_L`, `dW2`, `db1`, `dX` …; without names all of them. Raises UnknownNameError.
    """
    made = derivation.derive(network, tuple(of))
    return Derivation(made.network, made.program, made.equations)


def check_claim(text: str, network: Network) -> tuple[CheckedClaim, ...]:
    """Every step of a claim about a network judged: `A = B = C` is two; a formula alone claims δ of the output layer.

    Nothing is skipped: what cannot be read comes back as `unread` with its reason.
    """
    return tuple(
        CheckedClaim(**{f.name: getattr(found, f.name) for f in fields(found)}) for found in claims.check(text, network)
    )
