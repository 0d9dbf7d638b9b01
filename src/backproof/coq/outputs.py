"""Outputs: delta of the output layer for one unit, an activation with a loss, as a theorem about one real number
z.

The function is z ↦ ℓ(f(z), y). Its slope is first the product ℓ′(f(z)) · f′(z) by the chain rule, and then, line by
line, what the derivation shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from backproof import catalog
from backproof.coq.conditions import Condition, can_vanish, conditions, needed, of_assumption
from backproof.coq.document import comment
from backproof.coq.functions import RANGES, Calls, Functions, formula, hypothesis, prepared
from backproof.coq.identifiers import Identifiers, plain
from backproof.coq.terms import ATOM, Terms
from backproof.errors import ExportError
from backproof.language.expression import Apply, Delta, Expr, Size, Sum, Tensor, apply, tensor
from backproof.language.program import Assumption
from backproof.language.walks import inline, names, rewrite

AXIOM_SLOPES: Final = {
    "exp": "is_derive_exp", "sin": "is_derive_sin", "cos": "is_derive_cos", "atan": "is_derive_arctan",
    "step": "is_derive_step", "erf": "is_derive_erf",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a derivation: a formula in a, z and y, and why."""

    expr: Expr
    why: str


@dataclass(frozen=True, slots=True)
class Output:
    """An elementwise activation and loss with the lines of delta, the last of them the result."""

    activation: str
    loss: str
    lines: tuple[Line, ...]
    assumptions: tuple[Assumption, ...] = ()

    @property
    def value(self) -> Expr:
        """The output, f(z)."""
        return apply(self.activation, tensor("z"))

    @property
    def function(self) -> Expr:
        """The loss as a function of z."""
        return apply(self.loss, self.value, tensor("y"))

    def opened(self, expr: Expr) -> Expr:
        """A formula in a, z, y and ∂J/∂a as a formula in z and y."""
        upstream = apply(self.loss, tensor("a"), tensor("y"), orders=(1, 0))
        return inline(inline(scalar(expr), {"∂J/∂a": ((), upstream)}), {"a": ((), self.value)})


def scalar(root: Expr) -> Expr:
    """A formula about entry i of vectors as a formula about single numbers."""

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Tensor) and node.indices:
            return tensor(node.name)
        if isinstance(node, Sum | Delta | Size):
            raise ExportError("this line is about a whole vector, not about one unit")
        return None

    return rewrite(root, rule)


def conditions_of(output: Output) -> tuple[Condition, ...]:
    """The hypotheses of the theorem: domains that do not hold by themselves, kinks, signs of open letters."""
    letters = [c for a in output.assumptions if (c := of_assumption(a)) is not None]
    positive = frozenset(a.tensor for a in output.assumptions if a.property in ("positive", "in-unit-interval"))
    found = list(conditions(output.function, positive))
    # A printed formula may divide by what the function itself does not: then it holds off that place only.
    divided = [
        c
        for line in output.lines
        for c in conditions(prepared(output.opened(line.expr)), positive)
        if c.kind == "nonzero" and can_vanish(c.expr, positive)
    ]
    found = [c for c in needed([*found, *divided], positive) if not _by_range(c, output)]
    for name in (output.activation, output.loss):
        if catalog.function(name) is not None and not catalog.is_axiom(name):
            one = formula(name)
            letters += [c for c in one.needs if c.expr in {tensor(n) for n in one.letters}]
    return tuple(dict.fromkeys([*letters, *found]))


def _by_range(condition: Condition, output: Output) -> bool:
    """Whether Coq knows it from the values that the activation takes."""
    match RANGES.get(output.activation), condition.kind:
        case None, _:
            return False
        case "0 < {} < 1", "in-unit-interval" | "positive" | "nonzero":
            return condition.expr == output.value
        case _, "positive" | "nonzero":
            return condition.expr == output.value
        case _:
            return False


class OutputWriter:
    """Writes theorems about output layers into one file, whose functions they share."""

    def __init__(self, functions: Functions | None = None) -> None:
        self.functions = functions or Functions()

    def terms(self, exprs: Iterable[Expr]) -> tuple[Terms, tuple[str, ...]]:
        """A writer for formulas in z, y and open letters, and the names they bind."""
        inside = Identifiers()
        found = dict.fromkeys(("z", "y", *sorted(n for e in exprs for n in names(e))))
        bound = {name: inside.of(name) for name in found}
        return Terms(inside, bound, Calls(self.functions, bound).call), tuple(bound.values())

    def theorem(self, output: Output, name: str | None = None, *, steps: bool = True) -> tuple[str, str]:
        """The theorem's text and its name."""
        lines = [prepared(output.opened(line.expr)) for line in output.lines]
        whole = prepared(output.function)
        needs = conditions_of(output)
        terms, bound = self.terms([whole, *lines, *(c.expr for c in needs)])
        title = name or f"delta_{plain(output.activation)}_{plain(output.loss)}"
        arrows = "".join(f"{hypothesis(c, terms)} -> " for c in needs)
        binders = " ".join(bound)
        text: list[str] = []
        kept = _distinct(lines) if steps else [len(lines) - 1]
        if steps:
            for before, after in pairwise(kept):
                text.append(
                    f"(** {comment(output.lines[after].why)} *)\n"
                    f"Lemma {title}_line_{after} {binders} : {arrows}\n"
                    f"  {terms.write(lines[before])}\n  = {terms.write(lines[after])}.\nProof. bp_line. Qed."
                )
        first = lines[kept[0]]
        start = f"{title}_chain" if len(kept) > 1 else title
        text.append(
            f"(** {comment(output.lines[kept[0]].why)} *)\n"
            f"{'Lemma' if len(kept) > 1 else 'Theorem'} {start} {binders} : {arrows}\n"
            f"  is_derive (fun z => {terms.write(whole)}) z {terms.write(first, ATOM)}.\n{self.proof(output, terms)}"
        )
        if len(kept) > 1:
            chain = "".join(f"eapply eq_trans; [apply {title}_line_{k}; assumption | " for k in kept[1:-1])
            chain += f"apply {title}_line_{kept[-1]}; assumption" + "]" * (len(kept) - 2)
            text.append(
                f"Theorem {title} {binders} : {arrows}\n"
                f"  is_derive (fun z => {terms.write(whole)}) z {terms.write(lines[-1], ATOM)}.\n"
                f"Proof. intros. eapply d_eq; [apply {start}; assumption | {chain}]. Qed."
            )
        return "\n".join(text) + "\n", title

    def proof(self, output: Output, terms: Terms) -> str:
        """The chain rule with the slopes of the loss and of the activation, then algebra."""
        loss, activation = self._function(output.loss, terms), self._function(output.activation, terms)
        outer = self._slope_lemma(output.loss)
        inner = self._slope_lemma(output.activation)
        return (
            "Proof.\n"
            f"  intros. eapply d_eq.\n"
            f"  - apply (d_comp (fun a => {loss} a y) {activation} z); [{outer} | {inner}].\n"
            "  - bp_line.\n"
            "Qed."
        )

    def _function(self, name: str, terms: Terms) -> str:
        head = terms.call(apply_like(name)) if terms.call else ()
        return head[0] if len(head) == 1 else f"({' '.join(head)})"

    def _slope_lemma(self, name: str) -> str:
        if catalog.is_axiom(name):
            return f"apply {AXIOM_SLOPES[name]}; bp_side"
        head = self.functions.call(apply_like(name))[0]
        lemma = f"slope_{plain(name)}" if catalog.function(name) is not None else f"slope_{head}"
        return f"apply {lemma}; bp_side"


def apply_like(name: str) -> Apply:
    """An application of a catalogue function to its own parameters."""
    entry = catalog.function(name)
    arity = len(entry.parameters) if entry is not None else 1
    node = apply(name, *(tensor(f"argument {k}") for k in range(arity)))
    assert isinstance(node, Apply)
    return node


def _distinct(lines: Sequence[Expr]) -> list[int]:
    """The positions of lines that differ from the line before."""
    return [k for k, line in enumerate(lines) if k == 0 or line != lines[k - 1]]
