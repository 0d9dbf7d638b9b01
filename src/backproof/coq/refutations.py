"""Refutations: the negation of a wrong claim about delta, proved at an exact point; and a right claim, proved.

A derivative has one value, so a claim is wrong as soon as it differs from the proved slope at one point. Points are
chosen so that Coq can compute there: z = ln q makes exponentials rational, and functions without exponentials take
rational points. Which point separates the two is found in floating point; that it does is proved by Coq.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Final

from backproof.calculus.interpreter import evaluate_expr
from backproof.calculus.unfolding import unfold
from backproof.coq.conditions import Condition, met
from backproof.coq.functions import Calls, Functions, hypothesis, prepared
from backproof.coq.groups import Claim, Group, Outcome, check_group
from backproof.coq.outputs import Line, Output, OutputWriter, conditions_of
from backproof.coq.shelf import SCALAR_MODULES, Shelf
from backproof.coq.terms import ATOM, Terms
from backproof.errors import BackproofError
from backproof.language.expression import Apply, Expr, add, mul, postorder
from backproof.language.walks import names

MODULES: Final = (*SCALAR_MODULES, "Losses", "Sums", "Gradients", "Softmax", "Refutation")
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


@dataclass(frozen=True, slots=True)
class Case:
    """A claim about delta of an output layer, under a name that is a Coq identifier."""

    name: str
    output: Output
    claim: Expr


def affirmation(case: Case, functions: Functions) -> Claim:
    """The theorem that the claim is right."""
    claimed = replace(case.output, lines=(Line(case.claim, "the claim"),))
    text, name = OutputWriter(functions).theorem(claimed, case.name, steps=False)
    return Claim(name, case.name, text)


def negation(case: Case, functions: Functions) -> Claim | None:
    """The theorem that the claim is wrong, with a proof at the first point that Coq can compute; None without a point
    at which the claim differs.
    """
    points = tuple(_points(case.output, case.claim))
    if not points:
        return None
    writer = OutputWriter(functions)
    proved, slope = writer.theorem(case.output, f"slope_of_{case.name}", steps=False)
    wrong = prepared(case.output.opened(case.claim))
    whole = prepared(case.output.function)
    last = prepared(case.output.opened(case.output.lines[-1].expr))
    needs = conditions_of(case.output)
    terms, bound = writer.terms([whole, wrong, *(c.expr for c in needs)])
    theirs = _arguments(whole, last, *(c.expr for c in needs))
    mine = _arguments(whole, wrong, *(c.expr for c in needs))
    arrows = "".join(f"{hypothesis(c, terms)} -> " for c in needs)
    known = " ".join(f"N{k}" for k in range(len(needs)))
    attempts: list[str] = []
    for point in points:
        premises = "".join(f"assert (N{k} : {_at(c, point, writer)}) by bp_point; " for k, c in enumerate(needs))
        proved_at = " ".join([slope, *(point[n].text for n in theirs), known]).strip()
        claimed_at = " ".join(["H", *(point[n].text for n in mine), known]).strip()
        attempts.append(f"solve [{premises}refine (refute _ _ _ _ ({proved_at}) _ ({claimed_at})); bp_neq]")
    text = (
        f"{proved}\nTheorem {case.name} : ~ (forall {' '.join(bound)}, {arrows}\n"
        f"  is_derive (fun z => {terms.write(whole)}) z {terms.write(wrong, ATOM)}).\n"
        "Proof.\n  intros H.\n  first\n  [ " + "\n  | ".join(attempts) + " ].\nQed.\n"
    )
    return Claim(case.name, case.name, text)


def _arguments(*exprs: Expr) -> list[str]:
    """The names that a theorem about these formulas binds, in order."""
    return list(dict.fromkeys(("z", "y", *sorted(n for e in exprs for n in names(e)))))


def judge(cases: Sequence[Case]) -> dict[str, bool | None]:
    """What Coq proves of each claim: True for the claim itself, False for its negation, None for neither.

    Of a claim that differs at some point the negation is tried first, and the claim itself only where that fails. Two
    files are checked at a time.
    """
    with Shelf() as shelf, ThreadPoolExecutor(2) as pool:
        sides = {c.name: negation(c, shelf.functions()) for c in cases}
        wrong = Group("wrong", tuple(n for n in sides.values() if n is not None))
        right = Group("right", tuple(affirmation(c, shelf.functions()) for c in cases if sides[c.name] is None))

        def outcome(group: Group) -> Outcome:
            return check_group(group, lambda: shelf.document(MODULES), shelf.folder)

        found: dict[str, bool | None] = {}
        for group, said in zip((right, wrong), pool.map(outcome, (right, wrong)), strict=True):
            lost = {words for words, _ in said.failed}
            found |= {c.name: None if c.name in lost else group is right for c in group.claims}
        open_ones = [c for c in cases if found[c.name] is None and sides[c.name] is not None]
        again = Group("again", tuple(affirmation(c, shelf.functions()) for c in open_ones))
        lost = {words for words, _ in outcome(again).failed}
        found |= {c.name: True for c in open_ones if c.name not in lost}
    return found


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
    if not met(needs, numbers, GAP):
        return False
    try:
        gap = float(evaluate_expr(difference, numbers))
    except (BackproofError, ArithmeticError, ValueError):
        return False
    return math.isfinite(gap) and abs(gap) > GAP
