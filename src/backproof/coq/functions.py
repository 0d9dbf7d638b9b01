"""Functions: the catalogue's functions in Coq, each as its own text, its slope as another, and the lemma that says
so.

A few functions are in the library already (`sigmoid`, `tanh`, `softplus`, …), with facts about them; then the file
proves that the catalogue's text is that function. Every other one is defined in the file by the catalogue's text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from backproof import catalog
from backproof.algebra import OutOfBudget
from backproof.calculus.unfolding import derivative, unfold
from backproof.coq.conditions import Condition, conditions, is_positive, of_assumption
from backproof.coq.identifiers import Identifiers, plain
from backproof.coq.terms import AXIOMS, Terms
from backproof.errors import BackproofError, ExportError
from backproof.language.expression import Apply, Expr, Pow, Tensor, add, apply, mul, postorder, power, tensor
from backproof.language.program import Assumption, Definition, Program
from backproof.language.walks import inline, rewrite
from backproof.proof.folding import Folder

IN_LIBRARY: Final = {
    "sigmoid": "sigmoid", "tanh": "tanh", "softplus": "softplus", "Phi": "Phi", "normal-density": "phi", "abs": "Rabs",
    "cosh": "cosh", "sinh": "sinh", "sqrt": "sqrt",
}  # fmt: skip

SLOPES: Final[Mapping[str, Callable[[Expr], Expr]]] = {
    "sigmoid": lambda u: mul(apply("sigmoid", u), add(1, mul(-1, apply("sigmoid", u)))),
    "tanh": lambda u: add(1, mul(-1, power(apply("tanh", u), 2))),
    "softplus": lambda u: apply("sigmoid", u),
    "Phi": lambda u: apply("normal-density", u),
}
"""The slopes of library functions in the form that the library's own lemmas have."""

RANGES: Final = {"sigmoid": "0 < {} < 1", "exp": "0 < {}", "softplus": "0 < {}"}
"""What Coq proves of a function's values by itself."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A catalogue function: its parameters, the letters its definition leaves open, the definition and its slope.

    The slope is in the first parameter. `needs` says where it holds.
    """

    name: str
    parameters: tuple[str, ...]
    letters: tuple[str, ...]
    body: Expr
    slope: Expr
    needs: tuple[Condition, ...]

    @property
    def arguments(self) -> tuple[str, ...]:
        """All arguments, the open letters first."""
        return (*self.letters, *self.parameters)


@cache
def formula(name: str) -> Formula:
    """The catalogue function of this name, ready to be written."""
    parameters, body = catalog.scalar_definition(name)
    letters = tuple(
        dict.fromkeys(n.name for n in postorder(body) if isinstance(n, Tensor) and n.name not in parameters)
    )
    positive = frozenset(a.tensor for a in _letter_assumptions(name))
    needs = [c for a in _letter_assumptions(name) if a.tensor in letters and (c := of_assumption(a)) is not None]
    needs += conditions(apply(name, *(tensor(p) for p in parameters)), positive)
    needs = tuple(dict.fromkeys(needs))
    return Formula(name, parameters, letters, body, _slope(name, parameters, body, needs), needs)


def _letter_assumptions(name: str) -> tuple[Assumption, ...]:
    entry = catalog.function(name)
    return () if entry is None else tuple(a for h in entry.hyperparameters for a in h.assumptions)


def _slope(name: str, parameters: tuple[str, ...], body: Expr, needs: tuple[Condition, ...]) -> Expr:
    """The slope in the first parameter as derivations write it: folded into the function's own name, a(1 − a)."""
    if name in SLOPES:
        return SLOPES[name](tensor(parameters[0]))
    plain_slope = _first_orders(derivative(body, parameters[0]))
    whole = apply(name, *(tensor(p) for p in parameters))
    program = Program(
        dict.fromkeys(dict.fromkeys([*parameters, *(t.name for t in postorder(body) if isinstance(t, Tensor))]), ()),
        (Definition("value of the function", (), whole),),
    )
    orders = (1, *(0 for _ in parameters[1:]))
    try:
        folded = Folder(program).fold(apply(name, *(tensor(p) for p in parameters), orders=orders))
    except (OutOfBudget, BackproofError):
        return plain_slope
    folded = inline(folded, {"value of the function": ((), whole)})
    # A fold may divide by something that the definition does not divide by: relu(u)/u.
    known = {c.expr for c in needs if c.kind == "in-unit-interval"}
    known |= {add(1, mul(-1, e)) for e in known} | divisors(plain_slope)
    if any(any(n.orders) for n in postorder(folded) if isinstance(n, Apply)):
        return plain_slope
    strange = any(not is_positive(d) for d in divisors(folded) - known)
    return plain_slope if strange else folded


def divisors(root: Expr) -> set[Expr]:
    """Everything that the expression divides by."""
    return {n.base for n in postorder(root) if isinstance(n, Pow) and n.exponent < 0}


def _first_orders(root: Expr) -> Expr:
    """Axioms without primes, and no function differentiated twice or in another argument than the first."""

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Apply) and any(node.orders) and catalog.function(node.name) is not None:
            first = node.orders == (1, *(0 for _ in node.orders[1:]))
            return None if first and not catalog.is_axiom(node.name) else unfold(node)
        return None

    return rewrite(root, rule)


@dataclass
class Functions:
    """The functions that one file uses: `call` writes one and remembers it, `text` gives all definitions and lemmas."""

    names: Identifiers = field(default_factory=Identifiers)
    used: dict[str, str] = field(default_factory=dict[str, str])
    abstract: dict[str, int] = field(default_factory=dict[str, int])
    written: list[str] = field(default_factory=list[str])
    lemmas: list[str] = field(default_factory=list[str])

    def known(self) -> Functions:
        """The functions of this file as known ones, for a file that requires it."""
        return Functions(self.names.copy(), dict(self.used))

    def call(self, node: Apply) -> tuple[str, ...]:
        """The head of an application: the function, primed for its slope, and its open letters."""
        if catalog.is_axiom(node.name) and not any(node.orders):
            return (AXIOMS[node.name],)
        first = node.orders == (1, *(0 for _ in node.orders[1:]))
        if any(node.orders) and not first:
            raise ExportError(f"a higher slope of {node.name} has no Coq form here")
        prime = "'" if first else ""
        if catalog.function(node.name) is None:
            self.abstract[node.name] = max(len(node.args), self.abstract.get(node.name, 1))
            return (self.names.of(f"function {node.name}", node.name) + prime,)
        if catalog.is_axiom(node.name):
            raise ExportError(f"the slope of {node.name} is written out before it is exported")
        return (self.name(node.name) + prime, *(self.letter(n) for n in formula(node.name).letters))

    def letter(self, name: str) -> str:
        """A letter that definitions leave open, as an argument."""
        return self.names.of(name)

    def name(self, name: str) -> str:
        """The Coq name of a catalogue function; its definition joins the file."""
        if name not in self.used:
            one = formula(name)
            if name in IN_LIBRARY:
                self.used[name] = IN_LIBRARY[name]
                self.written.append(self._in_library(one))
            else:
                text = self._defined(one)
                self.written.append(text)
        return self.used[name]

    def text(self) -> str:
        """All definitions and lemmas of functions, in order."""
        return "\n".join(self.written)

    def _local(self, one: Formula) -> tuple[Terms, str]:
        """A writer for the inside of a definition, with its parameters bound."""
        inside = Identifiers()
        bound = {p: inside.of(p) for p in one.arguments}
        terms = Terms(inside, bound, Calls(self, bound).call)
        return terms, " ".join(bound[p] for p in one.arguments)

    def _in_library(self, one: Formula) -> str:
        terms, bound = self._local(one)
        name = IN_LIBRARY[one.name]
        body, slope = terms.write(one.body), terms.write(one.slope)
        self.lemmas += [f"text_{plain(one.name)}", f"slope_{plain(one.name)}"]
        needs = "".join(f"{hypothesis(c, terms)} -> " for c in one.needs)
        return (
            f"(** {one.name}: the library has this function; its text in the catalogue is the same. *)\n"
            f"Lemma text_{plain(one.name)} {bound} : {needs if one.name == 'sqrt' else ''}{name} {bound} = {body}.\n"
            f"Proof. bp_text. Qed.\n"
            f"Definition {name}' ({bound} : R) : R := {slope}.\n"
            f"#[global] Hint Unfold {name}' : bp_slopes.\n"
            f"Lemma slope_{plain(one.name)} {bound} : {needs}is_derive {name} {bound} ({name}' {bound}).\n"
            f"Proof. intros; unfold {name}'; bp_slope. Qed.\n"
        )

    def _defined(self, one: Formula) -> str:
        terms, bound = self._local(one)
        body = terms.write(one.body)
        name = self.used[one.name] = self.names.new(plain(one.name))
        slope = terms.write(one.slope)
        self.lemmas.append(f"slope_{name}")
        first, rest = one.parameters[0], one.parameters[1:]
        letters = " ".join(terms.tensor(n) for n in one.letters)
        head = f"{name} {letters}".strip()
        needs = [hypothesis(c, terms) for c in one.needs]
        arrows = "".join(f"{n} -> " for n in needs)
        at = terms.tensor(first)
        others = " ".join(terms.tensor(p) for p in rest)
        function = head if not rest else f"(fun {at} => {head} {at} {others})"
        function = f"({function})" if letters and not rest else function
        lines = [
            f"(** {one.name}, as the catalogue defines it, and its slope in {first}. *)",
            f"Definition {name} ({bound} : R) : R := {body}.",
            f"Definition {name}' ({bound} : R) : R := {slope}.",
            f"#[global] Hint Unfold {name}' : bp_slopes.",
            f"#[global] Hint Unfold {name} : bp_functions.",
            f"Lemma slope_{name} {bound} : {arrows}is_derive {function} {at} ({name}' {bound}).",
            f"Proof. intros; unfold {name}, {name}'; bp_slope. Qed.",
        ]
        if not rest:
            lines.append(self._instance(name, letters, at, needs))
        return "\n".join(lines) + "\n"

    def _instance(self, name: str, letters: str, at: str, needs: list[str]) -> str:
        """The slope as a rule of `auto_derive`, for functions that use this one."""
        binder = f" ({letters} : R)" if letters else ""
        head = f"({name} {letters})" if letters else name
        if not needs:
            given = (
                f"exists ({name}' {letters}). exact (slope_{name} {letters})."
                if letters
                else (f"exists {name}'. exact slope_{name}.")
            )
            return f"#[global] Instance UnaryDiff_{name}{binder} : UnaryDiff {head}.\nProof. {given} Defined."
        where = " /\\ ".join(needs)
        return (
            f"#[global] Instance UnaryDiff_{name}{binder} : UnaryDiff' {head}.\n"
            f"Proof. exists ({name}' {letters}) (fun {at} => {where}). intros; apply slope_{name}; tauto. Defined."
        )


@dataclass
class Calls:
    """Calls inside a definition or a theorem: open letters are its own arguments."""

    functions: Functions
    bound: dict[str, str]

    def call(self, node: Apply) -> tuple[str, ...]:
        head, *letters = self.functions.call(node)
        if letters:
            letters = [self.bound.get(n) or self.functions.letter(n) for n in formula(node.name).letters]
        return (head, *letters)


def hypothesis(condition: Condition, terms: Terms) -> str:
    """A condition as a proposition of Coq."""
    match condition.kind:
        case "positive":
            return f"0 < {terms.write(condition.expr)}"
        case "nonzero":
            return f"{terms.write(condition.expr)} <> 0"
        case "in-unit-interval":
            return f"0 < {terms.write(condition.expr)} < 1"


def prepared(root: Expr) -> Expr:
    """The expression as it can be written: axioms without primes."""
    return _first_orders(root)
