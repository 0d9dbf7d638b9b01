"""Refutations: the negation of a wrong claim about delta, proved at an exact point; and a right claim, proved.

A derivative has one value, so a claim is wrong as soon as it differs from the proved slope at one point. Points are
chosen so that Coq can compute there: z = ln q makes exponentials rational, and functions without exponentials take
rational points. Which point separates the two is found in floating point; that it does is proved by Coq.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

from backproof.calculus.interpreter import evaluate_expr
from backproof.calculus.unfolding import unfold
from backproof.coq import kernel
from backproof.coq.conditions import Condition
from backproof.coq.document import Document
from backproof.coq.functions import Calls, hypothesis, prepared
from backproof.coq.outputs import Line, Output, OutputWriter, conditions_of
from backproof.coq.terms import ATOM, Terms
from backproof.errors import BackproofError
from backproof.language.expression import Apply, Expr, add, mul, postorder
from backproof.language.walks import names

MODULES = ("Rules", "Functions", "Scalars", "Activations", "Losses", "Sums", "Gradients", "Softmax", "Refutation")
POINTS = 8
AT_PLACE = 2
LOGARITHMS = (Fraction(2), Fraction(3), Fraction(1, 2), Fraction(4))
NUMBERS = (Fraction(0), Fraction(1), Fraction(-1), Fraction(2), Fraction(1, 2), Fraction(-2), Fraction(3))
TARGETS = (Fraction(0), Fraction(1), Fraction(2), Fraction(-1))
LETTERS = (Fraction(1), Fraction(2), Fraction(1, 2))
GAP = 1e-3


@dataclass(frozen=True, slots=True)
class Coordinate:
    """An exact number, or the logarithm of one."""

    value: Fraction
    logarithm: bool = False

    @property
    def text(self) -> str:
        """As an argument in Coq."""
        value = self.value
        written = str(value.numerator) if value.denominator == 1 else f"({value.numerator} / {value.denominator})"
        if self.logarithm:
            return f"(ln {written})"
        return f"({written})" if value < 0 and value.denominator == 1 else written

    @property
    def number(self) -> float:
        """About how large it is."""
        return math.log(self.value) if self.logarithm else float(self.value)


def proof_file(output: Output, claim: Expr) -> str:
    """A file that states the claim about delta as a theorem."""
    writer = OutputWriter()
    text, name = writer.theorem(replace(output, lines=(Line(claim, "the claim"),)), "claim", steps=False)
    return _file(f"A claim about {output.activation} with {output.loss}", writer, text, name)


def negation_files(output: Output, claim: Expr) -> Iterator[str]:
    """Files that state and prove the negation of the claim, each at another point."""
    for point in _points(output, claim):
        writer = OutputWriter()
        proved, slope = writer.theorem(output, "delta", steps=False)
        text = _negation(writer, output, claim, point, slope)
        yield _file(
            f"A wrong claim about {output.activation} with {output.loss}",
            writer,
            proved + "\n" + text,
            "claim_is_wrong",
        )


def judge(output: Output, claim: Expr, limit: float = kernel.DEFAULT_LIMIT) -> tuple[bool | None, kernel.Answer]:
    """What Coq can prove of a claim: True for the claim itself, False for its negation, None for neither."""
    answer = kernel.Answer("rejected", message="no point is known at which the claim differs")
    for file in negation_files(output, claim):
        answer = kernel.check(file, limit)
        if answer.accepted:
            return False, answer
        if answer.status == "not installed":
            return None, answer
    right = kernel.check(proof_file(output, claim), limit)
    return (True, right) if right.accepted else (None, answer if right.status != "not installed" else right)


def _file(title: str, writer: OutputWriter, text: str, theorem: str) -> str:
    document = Document(title, MODULES)
    document.add(writer.functions.text())
    document.add(text, [theorem])
    return document.text()


def _negation(writer: OutputWriter, output: Output, claim: Expr, point: Mapping[str, Coordinate], slope: str) -> str:
    wrong = prepared(output.opened(claim))
    whole = prepared(output.function)
    needs = conditions_of(output)
    terms, bound = writer.terms([whole, wrong, *(c.expr for c in needs)])
    last = prepared(output.opened(output.lines[-1].expr))
    order = list(
        dict.fromkeys(("z", "y", *sorted(n for e in (whole, last, *(c.expr for c in needs)) for n in names(e))))
    )
    mine = list(
        dict.fromkeys(("z", "y", *sorted(n for e in (whole, wrong, *(c.expr for c in needs)) for n in names(e))))
    )
    arrows = "".join(f"{hypothesis(c, terms)} -> " for c in needs)
    values = " ".join(point[n].text for n in mine)
    given = " ".join(point[n].text for n in order)
    sides = "bp_point"
    premises = "".join(f" assert (N{k} : {_at(c, point, writer)}) by {sides}." for k, c in enumerate(needs))
    names_of = " ".join(f"N{k}" for k in range(len(needs)))
    return (
        f"Theorem claim_is_wrong : ~ (forall {' '.join(bound)}, {arrows}\n"
        f"  is_derive (fun z => {terms.write(whole)}) z {terms.write(wrong, ATOM)}).\n"
        "Proof.\n"
        f"  intros H.{premises}\n"
        f"  specialize (H {values} {names_of}). revert H.\n"
        f"  apply refute with (1 := {slope} {given} {names_of}). bp_neq.\n"
        "Qed.\n"
    )


def _at(condition: Condition, point: Mapping[str, Coordinate], writer: OutputWriter) -> str:
    fixed = {n: point[n].text for n in names(condition.expr)}
    return hypothesis(condition, Terms(writer.functions.names, fixed, Calls(writer.functions, fixed).call))


def _points(output: Output, claim: Expr) -> Iterator[Mapping[str, Coordinate]]:
    """Points at which the claim and the proved slope differ, and the hypotheses hold."""
    wrong, right = output.opened(claim), output.opened(output.lines[-1].expr)
    needs = conditions_of(output)
    letters = sorted((names(wrong) | names(right) | names(output.function)) - {"z", "y"})
    places = _places(output)
    found: Counter[Coordinate] = Counter()
    for place, others in product(places, product(TARGETS, *([LETTERS] * len(letters)))):
        point = {"z": place} | {n: Coordinate(v) for n, v in zip(("y", *letters), others, strict=True)}
        if found[place] < AT_PLACE and found.total() < POINTS and _separates(add(wrong, mul(-1, right)), needs, point):
            found[place] += 1
            yield point


def _places(output: Output) -> list[Coordinate]:
    """Values of z, and whether each stands for its logarithm: those first at which Coq can compute."""
    logarithms = [Coordinate(Fraction(0)), *(Coordinate(q, logarithm=True) for q in LOGARITHMS)]
    numbers = [Coordinate(q) for q in NUMBERS]
    if _exponential(output.value):
        return logarithms
    if _exponential(output.function):
        return [p for pair in zip(logarithms, numbers, strict=False) for p in pair]
    return numbers


def _exponential(expr: Expr) -> bool:
    return any(isinstance(n, Apply) and n.name in ("exp", "log") for n in postorder(unfold(expr)))


def _separates(difference: Expr, needs: tuple[Condition, ...], point: Mapping[str, Coordinate]) -> bool:
    numbers = {n: c.number for n, c in point.items()}
    try:
        for condition in needs:
            value = float(evaluate_expr(condition.expr, numbers))
            met = {"positive": value > GAP, "nonzero": abs(value) > GAP, "in-unit-interval": GAP < value < 1 - GAP}
            if not met[condition.kind]:
                return False
        gap = float(evaluate_expr(difference, numbers))
    except (BackproofError, ArithmeticError, ValueError):
        return False
    return math.isfinite(gap) and abs(gap) > GAP
