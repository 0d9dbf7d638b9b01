"""What the notation of a formula says about its letters: which are vectors or matrices, and which are numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from backproof.check.worksheet.reading import name_of
from backproof.language.letters import GREEK
from backproof.language.notation import (
    Absolute,
    Bracketed,
    Call,
    Derivative,
    Negative,
    Norm,
    Notation,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Symbol,
    Transposed,
)
from backproof.language.reading import bare
from backproof.language.traversal import pieces_of

SCALARS: Final = frozenset("lambda eta alpha beta gamma epsilon eps mu rho tau m n N M B K T t k i j l s c".split())
_OF_MATRICES: Final = frozenset({"tr", "Tr", "trace", "det", "vec", "rank"})
_INVERSE: Final = Number(Fraction(-1))


@dataclass
class Evidence:
    """Letters by the notation around them; each formula adds to it.

    `vectors` stand in a norm, in a trace, or behind a transpose; `numbers` divide a number (1/N); `multiplied` are
    capitals side by side; `beside` stand next to a vector as its bias or in an elementwise product; `of_vectors` says
    that norms, transposes, traces or inverses occur at all.
    """

    vectors: set[str] = field(default_factory=set[str])
    numbers: set[str] = field(default_factory=set[str])
    multiplied: set[str] = field(default_factory=set[str])
    beside: set[str] = field(default_factory=set[str])
    of_vectors: bool = False

    def add(self, root: Notation) -> None:
        """What one formula shows."""
        for node in pieces_of(root):
            match node:
                case Norm(body):
                    self._vectors(_linear(body))
                case Transposed(body):
                    self._vectors(_linear(body) if isinstance(body, Bracketed) else ())
                case Call(Symbol(name), (argument,)) if name in _OF_MATRICES:
                    self._vectors(n for n in _linear(argument) if n[0].isupper())
                case Power(base, exponent) if bare(exponent) in (_INVERSE, Negative(Number(Fraction(1)))):
                    self.of_vectors |= isinstance(bare(base), Symbol) and (name_of(base) or "a")[0].isupper()
                case Product("" | "·" | "@", factors):
                    self._product(factors)
                case Product("⊙", factors):
                    self.beside.update(n for n in map(_plain, factors) if n is not None)
                case Plus(terms) if any(_matrix_times_vector(t) for _, t in terms):
                    self.beside.update(n for n in (_plain(t) for _, t in terms) if n is not None)
                case Quotient(numerator, denominator) if _is_number(numerator):
                    self.numbers.update(_divisors(denominator))
                case _:
                    continue

    def _vectors(self, found: Iterator[str] | tuple[str, ...]) -> None:
        self.of_vectors = True
        self.vectors.update(found)

    def _product(self, factors: tuple[Notation, ...]) -> None:
        turned = False
        before: Notation | None = None
        for factor in factors:
            name = _plain(factor)
            if turned and name is not None and name not in SCALARS:
                self.vectors.add(name)
            if name is not None and name[0].isupper() and before is not None:
                other = _plain(before)
                if other is None and isinstance(before, Transposed):
                    other = _plain(before.body)
                if (other is not None and other[0].isupper()) or isinstance(before, Derivative):
                    self.multiplied |= {name, other or name}
            turned |= isinstance(factor, Transposed)
            before = factor


def _plain(node: Notation) -> str | None:
    """The name of a letter that carries no index."""
    node = bare(node)
    if not isinstance(node, Symbol) or node.subscripts:
        return None
    name = name_of(node)
    return name if name is not None and (len(node.name) == 1 or node.name in GREEK) else None


def _matrix_times_vector(node: Notation) -> bool:
    """W x or Wᵀ h."""
    inner = bare(node)
    if not isinstance(inner, Product) or inner.sign not in ("", "·", "@"):
        return False
    first, last = bare(inner.factors[0]), _plain(inner.factors[-1])
    matrix = _plain(first.body if isinstance(first, Transposed) else first)
    return matrix is not None and matrix[0].isupper() and last is not None and last[0].islower()


def _linear(node: Notation) -> Iterator[str]:
    """The letters that a vector is a sum of products of: A, x and b of A x − b, but not λ of λ w."""
    stack = [node]
    while stack:
        inner = bare(stack.pop())
        match inner:
            case Plus(terms):
                stack += [term for _, term in terms]
            case Negative(body) | Transposed(body) | Bracketed(body) | Absolute(body):
                stack.append(body)
            case Product("" | "·" | "@", factors):
                capital = False
                for number, factor in enumerate(factors):
                    plain = _plain(factor.body if isinstance(factor, Transposed) else factor)
                    if plain is None:
                        if isinstance(bare(factor), Plus):
                            stack.append(factor)
                        continue
                    last = number == len(factors) - 1
                    if plain not in SCALARS or (last and capital) or (plain[0].isupper() and not last):
                        yield plain
                    capital |= plain[0].isupper()
            case Symbol():
                if (plain := _plain(inner)) is not None:
                    yield plain
            case _:
                continue


def _is_number(node: Notation) -> bool:
    """1, 2 or λ: what a size divides."""
    node = bare(node)
    return isinstance(node, Number) or (isinstance(node, Symbol) and node.name in SCALARS and not node.subscripts)


def _divisors(node: Notation) -> Iterator[str]:
    """The letters of N, 2N or n − 1."""
    node = bare(node)
    factors = node.factors if isinstance(node, Product) else (node,)
    names = [_plain(f) for f in factors if not isinstance(bare(f), Number)]
    if all(names):
        yield from (n for n in names if n is not None)
    elif isinstance(node, Plus):
        names = [_plain(t) for _, t in node.terms if not isinstance(bare(t), Number)]
        if len(names) == 1 and names[0] is not None:
            yield names[0]
