"""Scopes: which names a formula may use, and every way in which people spell them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final, Literal

from backproof.language.expression import Expr, Tensor
from backproof.language.notation import Bracketed, Negative, Notation, Number, Plus, Symbol, Words
from backproof.language.program import Definition, Program

LOSS_NAME: Final = "J"
_LABEL_DEPTH: Final = 8
LOSS_LETTERS: Final = frozenset({"J", "L", "E", "C", "loss", "cost", "Loss", "Cost"})


@dataclass(frozen=True, slots=True)
class FunctionMeaning:
    """What a written function name means.

    A `scalar` function is applied to each entry and stays a name. A `vector` function is put in place: `definition` is
    its body in index notation over tensors named by `arguments`, each with one axis; with one index the result is a
    vector (softmax), with none a scalar (log-sum-exp).
    """

    name: str
    kind: Literal["scalar", "vector"] = "scalar"
    arity: int = 1
    definition: Definition | None = None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scope:
    """The names that a formula may use.

    `program` holds all tensors, adjoints included. `aliases` maps a written key (`yhat`, `hat y`, `a(L)`, `delta(2)`)
    to names of the program, the likeliest first; a name of the program needs no alias. `functions` maps written
    function names; `gradients` a tensor to its adjoint; `losses` are letters that mean the loss J. `sizes` maps a
    written letter to a sort (a sort needs no entry), `batch` is the sort of the examples. `differentiate(expr, entry)`
    is the derivative of an expression by an entry of a tensor, for Jacobians and d/dx(…). `layouts` says what may be
    read the other way round when shapes do not fit: nothing, vectors (rows for columns), or weights too. `unit_axis`
    is the axis that a softmax of a matrix runs over, where it is known.
    """

    program: Program
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    functions: Mapping[str, FunctionMeaning] = field(default_factory=dict[str, FunctionMeaning])
    gradients: Mapping[str, str] = field(default_factory=dict[str, str])
    losses: frozenset[str] = LOSS_LETTERS
    differentiate: Callable[[Expr, Tensor], Expr] | None = None
    layouts: Literal["declared", "vectors", "all"] = "all"
    sizes: Mapping[str, str] = field(default_factory=dict[str, str])
    batch: str | None = None
    unit_axis: int | None = None

    @cached_property
    def known(self) -> frozenset[str]:
        """The names of all tensors of the program."""
        return frozenset(self.program.names)

    @cached_property
    def sorts(self) -> frozenset[str]:
        """The sorts of all axes of the program."""
        return frozenset(sort for name in self.program.names for sort in self.program.sorts(name))

    @cached_property
    def ambiguous(self) -> frozenset[str]:
        """The written names, without a layer, that may mean several tensors."""
        return frozenset(key.partition("(")[0] for key, names in self.aliases.items() if len(names) > 1)

    def sort_of(self, key: str) -> str | None:
        """The sort whose size a letter names."""
        if key in self.sizes:
            return self.sizes[key]
        return key if key in self.sorts and not key.isdigit() else None

    def tensors(self, bases: Sequence[str], label: str | None) -> tuple[str, ...]:
        """The tensors that a written name may mean, the likeliest first.

        `bases` are spellings of the name without its layer, `label` is the layer as `label_text` writes it.
        """
        for base in bases:
            found = self._exact(base if label is None else f"{base}({label})")
            if not found and base == "delta":
                found = tuple(self.gradients[n] for n in self.tensors(("z",), label) if n in self.gradients)
            if found:
                return found
        # A network that is its output layer alone has no layer names: its layer L is the bare name.
        return self.tensors(bases, None) if label == "L" else ()

    def only_layer(self, bases: Sequence[str], label: str | None) -> tuple[str, ...]:
        """What a name with a numbered layer means where nothing has layers: the output layer, whatever its number."""
        if label is None or not label.isdigit() or any("(" in name for name in self.known):
            return ()
        return self.tensors(bases, None)

    def _exact(self, key: str) -> tuple[str, ...]:
        own = (key,) if key in self.known else ()
        return tuple(dict.fromkeys((*own, *(n for n in self.aliases.get(key, ()) if n in self.known))))

    def loss(self, name: str) -> str | None:
        """The tensor of the loss if the letter means the loss."""
        return LOSS_NAME if name in self.losses and LOSS_NAME in self.known else None

    def suggestion(self, name: str) -> str:
        """What to do next about an unknown name: the names that are closest, or all of them."""
        plain = (key for key in self.aliases if "(" not in key)
        written = [n for n in dict.fromkeys((*self.program.names, *plain)) if not n.startswith("∂")]
        if name in self.functions:
            return f"{name} is a function here: write what it is applied to, {name}(z)"
        close = _close_to(name, (*written, *self.functions))
        if close:
            return "did you mean " + " or ".join(close) + "?"
        shown = ", ".join(written[:24]) + (", …" if len(written) > 24 else "")
        return f"the names here are {shown}" if shown else "define it first"


@lru_cache(maxsize=1024)
def _close_to(name: str, candidates: tuple[str, ...]) -> tuple[str, ...]:
    """The three closest names; a document asks for the same ones again and again."""
    return tuple(difflib.get_close_matches(name, candidates, n=3, cutoff=0.6))


def spellings(symbol: Symbol) -> tuple[str, ...]:
    """The keys under which a symbol's name, with its accent and star, may be known.

    >>> spellings(Symbol("y", accent="hat"))
    ('hat y', 'yhat', 'y_hat')
    """
    name = symbol.name + symbol.star
    if symbol.accent is None:
        return (name,)
    return (f"{symbol.accent} {name}", f"{name}{symbol.accent}", f"{name}_{symbol.accent}")


def other_case(bases: Sequence[str]) -> tuple[str, ...]:
    """The same spellings with the case of a single letter swapped: X for x."""
    return tuple(
        b.swapcase() if len(b) == 1 else f"{b[:-1]}{b[-1].swapcase()}"
        for b in bases
        if b[:-1].endswith(" ") or len(b) == 1
    )


def label_text(label: Notation, depth: int = 0) -> str | None:
    """A layer label as names of the program spell it: `2`, `l`, `l+1`, `L-1`; None for what is no label.

    >>> label_text(Plus(((1, Symbol("l")), (1, Number(1)))))
    'l+1'
    """
    if depth > _LABEL_DEPTH:
        return None
    match label:
        case Number(value) if value.denominator == 1:
            return str(value)
        case Symbol(name, (), None, None, ""):
            return name
        case Bracketed(body):
            return label_text(body, depth + 1)
        case Words(text):
            return text.strip() or None
        case Plus(terms):
            parts = [(sign, label_text(term, depth + 1)) for sign, term in terms]
            if any(part is None for _, part in parts):
                return None
            if all(part is not None and part.isdigit() for _, part in parts):
                return str(sum(sign * int(part or 0) for sign, part in parts))
            written = "".join(("+" if sign > 0 else "-") + (part or "") for sign, part in parts)
            return written.removeprefix("+")
        case Negative():
            return None
        case _:
            return None
