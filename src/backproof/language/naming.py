"""Names as people write them: `W(2)` is W^{(2)}, `∂J/∂z(2)` is δ^{(2)}; and letters for the indices of a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from backproof.errors import LimitError
from backproof.language.expression import Expr, Index, Max, Sum, postorder
from backproof.language.letters import ACCENTS, GLYPHS
from backproof.language.notation import Derivative, Notation, Number, Plus, Symbol

MAX_NAME: Final = 10_000
FREE_LETTERS: Final = "ijkpqrstuvw"
BOUND_LETTERS: Final = "kijpqrstuvw"
GRADIENT_LETTER: Final = "delta"
PREACTIVATIONS: Final = frozenset({"z", "Z"})

_LABELLED: Final = re.compile(r"(?P<base>.+?)\((?P<label>[^()]+)\)")
_ACCENTED: Final = re.compile(rf"(?P<stem>[A-Za-z]|{'|'.join(GLYPHS)})_?(?P<accent>{'|'.join(ACCENTS)})")
_LABEL_TERM: Final = re.compile(r"([+-]?)([^+-]+)")
_LETTER_TO_NAME: Final = {letter: name for name, letter in reversed(GLYPHS.items())}


def symbol(name: str, subscripts: tuple[Notation, ...] = ()) -> Symbol:
    """A plain name of a program as a symbol.

    >>> symbol("W(2)").label
    Number(value=Fraction(2, 1))
    >>> symbol("yhat").accent
    'hat'
    """
    labelled = _LABELLED.fullmatch(name)
    base, label = (labelled["base"], label_notation(labelled["label"])) if labelled else (name, None)
    accented = _ACCENTED.fullmatch(base)
    if accented:
        return Symbol(accented["stem"], subscripts, label, accented["accent"])
    stem, _, below = base.partition("_")
    if stem and below:
        return Symbol(stem, (Number(Fraction(below)) if below.isdigit() else Symbol(below), *subscripts), label)
    return Symbol(_LETTER_TO_NAME.get(base, base), subscripts, label)


def function_symbol(name: str) -> Symbol:
    """The name of a function; hyphens become underscores, which a formula can hold."""
    return Symbol(_LETTER_TO_NAME.get(name, name).replace("-", "_"))


def label_notation(text: str) -> Notation:
    """A layer label: `2`, `l+1`.

    >>> [sign for sign, _ in label_notation("l-1").terms]
    [1, -1]
    """
    terms = [
        (-1 if sign == "-" else 1, Number(Fraction(part)) if part.isdigit() else Symbol(part))
        for sign, part in _LABEL_TERM.findall(text.replace(" ", ""))
    ]
    if len(terms) == 1 and terms[0][0] > 0:
        return terms[0][1]
    return Plus(tuple(terms)) if terms else Symbol(text)


@dataclass
class Names:
    """The names of one program as notation.

    `taken` are the plain names of the program: δ is written for ∂J/∂z only when nothing else has that name.
    """

    taken: frozenset[str] = frozenset()
    functions: Mapping[str, str] = field(default_factory=dict[str, str])
    _cache: dict[tuple[str, tuple[Notation, ...]], Notation] = field(
        default_factory=dict[tuple[str, tuple[Notation, ...]], Notation]
    )

    def tensor(self, name: str, subscripts: tuple[Notation, ...] = ()) -> Notation:
        """A tensor's name with subscripts; `∂J/∂W` becomes a derivative by W, subscripts on W."""
        key = (name, subscripts)
        if key not in self._cache:
            self._cache[key] = self._made(name, subscripts)
        return self._cache[key]

    def _made(self, name: str, subscripts: tuple[Notation, ...]) -> Notation:
        if not name.startswith("∂"):
            return symbol(name, subscripts)
        of, wrt = _split(name)
        if of == "J" and not wrt.startswith("∂") and GRADIENT_LETTER not in self.taken:
            below = symbol(wrt)
            if below.name in PREACTIVATIONS and below.accent is None and not below.subscripts:
                return Symbol(GRADIENT_LETTER, subscripts, below.label)
        return Derivative(self.tensor(of), self.tensor(wrt, subscripts))

    def function(self, name: str) -> Symbol:
        """A function's name; its letter from the table unless a tensor of the program has that letter."""
        letter = function_symbol(self.functions.get(name, name))
        return function_symbol(name) if letter.name in self.taken else letter


def base_of(name: str) -> str:
    """The name without its layer and without the derivatives around it.

    >>> base_of("∂J/∂W(2)")
    'W'
    """
    plain = name.rpartition("∂")[2]
    return plain.partition("(")[0]


def _split(name: str) -> tuple[str, str]:
    """The two names of `∂of/∂wrt`; each may itself be a derivative."""
    if len(name) > MAX_NAME:
        raise LimitError("a name is too long", expected=f"at most {MAX_NAME} characters", got=str(len(name)))
    open_derivatives = 0
    at = 0
    while at < len(name):
        if name.startswith("/∂", at):
            open_derivatives -= 1
            if open_derivatives == 0:
                return name[1:at], name[at + 2 :]
            at += 2
        else:
            open_derivatives += name[at] == "∂"
            at += 1
    return name[1:], ""


class Letters:
    """Letters for the indices of one formula.

    A free index keeps a person's own letter where it is not taken. Bound indices share a letter, unless one is bound
    inside the other.
    """

    def __init__(self, root: Expr, free: Sequence[Index], taken: Iterable[str]) -> None:
        taken = set(taken)
        self._chosen: dict[Index, str] = {}
        for index in free:
            if len(index.name) == 1 and index.name.isascii() and index.name.isalpha() and index.name not in taken:
                self._chosen[index] = index.name
                taken.add(index.name)
        for index in free:
            if index not in self._chosen:
                self._chosen[index] = _next_letter(FREE_LETTERS, taken)
                taken.add(self._chosen[index])
        for index, apart in _nested_with(root).items():
            used = {self._chosen[other] for other in apart if other in self._chosen}
            self._chosen[index] = _next_letter(BOUND_LETTERS, taken | used)

    def letter(self, index: Index) -> str:
        """The letter of a free or bound index."""
        return self._chosen[index]


def _nested_with(root: Expr) -> dict[Index, set[Index]]:
    """For each bound index, inner ones first, the indices bound inside of it or around it."""
    inside: dict[Expr, frozenset[Index]] = {}
    apart: dict[Index, set[Index]] = {}
    for node in postorder(root):
        below = [inside[child] for child in node.children]
        bound = below[0] if len(below) == 1 else frozenset[Index]().union(*below)
        if isinstance(node, Sum | Max):
            apart.setdefault(node.index, set()).update(bound)
            for other in bound:
                apart[other].add(node.index)
            bound |= {node.index}
        inside[node] = bound
    return apart


def _next_letter(pool: str, taken: set[str]) -> str:
    for letter in pool + "abcdefghlmno":
        if letter not in taken:
            return letter
    number = 1
    while f"k{number}" in taken:
        number += 1
    return f"k{number}"
