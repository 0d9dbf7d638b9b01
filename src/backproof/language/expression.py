"""Expressions: interned, immutable formulas over indexed tensors with symbolic sizes.

Two expressions that are the same up to the names of their bound indices are the same object, so `is` and `==`
compare formulas, and a dictionary may be keyed by them. Build them with the functions below (`add`, `mul`, `power`,
`apply`, `sum_over`, …) or with Python's operators, never with the classes.

Conventions. A *sort* is the name of a size (`"n"`); a sort of digits (`"25"`) is the fixed size 25. An index carries
its sort. `free` is the set of free indices. A bound index is named `#h`, where h is the height of its binder: greater
than every binder inside, so that a substitution can never capture it; `opened` gives a bound body with a fresh index.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from math import prod
from typing import Any, Final, NamedTuple, Union

from backproof.errors import DomainError, LimitError

MAX_NUMBER_BITS: Final = 20_000


class Index(NamedTuple):
    """A name that runs over a size: `Index("i", "n")` is i = 1 … n."""

    name: str
    sort: str

    def __repr__(self) -> str:
        return f"{self.name}:{self.sort}"


Exprlike = Union["Expr", int, Fraction]
_table: dict[tuple[Any, ...], _Entry] = {}
_no_indices: Final[frozenset[Index]] = frozenset()
_fresh = itertools.count()


class Expr:
    """A formula. Equal formulas are the same object."""

    __slots__ = ("__weakref__", "children", "free", "height")
    __match_args__: tuple[str, ...] = ()
    children: tuple[Expr, ...]
    free: frozenset[Index]
    height: int

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return _again, (type(self), *(getattr(self, field) for field in self.__match_args__))

    def __repr__(self) -> str:
        return show(self)

    def __add__(self, other: Exprlike) -> Expr:
        return add(self, other)

    def __radd__(self, other: Exprlike) -> Expr:
        return add(other, self)

    def __sub__(self, other: Exprlike) -> Expr:
        return add(self, mul(-1, other))

    def __rsub__(self, other: Exprlike) -> Expr:
        return add(other, mul(-1, self))

    def __mul__(self, other: Exprlike) -> Expr:
        return mul(self, other)

    def __rmul__(self, other: Exprlike) -> Expr:
        return mul(other, self)

    def __truediv__(self, other: Exprlike) -> Expr:
        return mul(self, power(other, -1))

    def __rtruediv__(self, other: Exprlike) -> Expr:
        return mul(other, power(self, -1))

    def __neg__(self) -> Expr:
        return mul(-1, self)

    def __pow__(self, exponent: int | Fraction) -> Expr:
        return power(self, exponent)


class Num(Expr):
    """An exact rational number."""

    __slots__ = ("value",)
    __match_args__ = ("value",)
    value: Fraction


class Size(Expr):
    """The number of values of a sort, as a number."""

    __slots__ = ("sort",)
    __match_args__ = ("sort",)
    sort: str


class Const(Expr):
    """A named real constant, `pi`."""

    __slots__ = ("name",)
    __match_args__ = ("name",)
    name: str


class Tensor(Expr):
    """An entry of a named tensor: `W[i,j]`, or a scalar `eps`."""

    __slots__ = ("indices", "name")
    __match_args__ = ("name", "indices")
    name: str
    indices: tuple[Index, ...]


class Delta(Expr):
    """Kronecker's delta: 1 where both indices are equal, else 0."""

    __slots__ = ("left", "right")
    __match_args__ = ("left", "right")
    left: Index
    right: Index


class Add(Expr):
    """A sum of at least two terms; a number, if there is one, comes last."""

    __slots__ = ("terms",)
    __match_args__ = ("terms",)
    terms: tuple[Expr, ...]


class Mul(Expr):
    """A product of at least two factors; a number, if there is one, comes first."""

    __slots__ = ("factors",)
    __match_args__ = ("factors",)
    factors: tuple[Expr, ...]


class Pow(Expr):
    """A power with an exact rational exponent: 1/x is `Pow(x, -1)`, a square root `Pow(x, 1/2)`."""

    __slots__ = ("base", "exponent")
    __match_args__ = ("base", "exponent")
    base: Expr
    exponent: Fraction


class Apply(Expr):
    """A function of scalars; `orders` says how often it is differentiated with respect to each argument.

    `Apply("sigmoid", (z,), (1,))` is σ′(z); `Apply("ell", (a, y), (1, 0))` is ∂ℓ/∂a at (a, y).
    """

    __slots__ = ("args", "name", "orders")
    __match_args__ = ("name", "args", "orders")
    name: str
    args: tuple[Expr, ...]
    orders: tuple[int, ...]


class Sum(Expr):
    """The sum of `body` over all values of the bound `index`."""

    __slots__ = ("body", "index")
    __match_args__ = ("index", "body")
    index: Index
    body: Expr


class Max(Expr):
    """The maximum of `body` over all values of the bound `index`."""

    __slots__ = ("body", "index")
    __match_args__ = ("index", "body")
    index: Index
    body: Expr


class _Entry(weakref.ref[Expr]):
    """The place of an expression in the table, which is empty again when nobody holds the expression."""

    __slots__ = ("key",)
    key: tuple[Any, ...]


def _forget(entry: _Entry) -> None:
    if _table.get(entry.key) is entry:
        del _table[entry.key]


def _intern(cls: type[Expr], *fields: Any) -> Any:
    return _keyed((cls, *fields), cls, fields)


def _keyed(key: tuple[Any, ...], cls: type[Expr], fields: tuple[Any, ...]) -> Any:
    entry = _table.get(key)
    node = entry() if entry is not None else None
    if node is None:
        node = cls.__new__(cls)
        for name, value in zip(cls.__match_args__, fields, strict=True):
            setattr(node, name, value)
        node.children = _children(node)
        node.height, node.free = _height_and_free(node)
        entry = _table[key] = _Entry(node, _forget)
        entry.key = key
    return node


def _again(cls: type[Expr], *fields: Any) -> Expr:
    """What a pickled expression becomes."""
    if cls is Num:
        return num(*fields)
    return power(*fields) if cls is Pow else _intern(cls, *fields)


def _children(node: Expr) -> tuple[Expr, ...]:
    match node:
        case Add(inside) | Mul(inside) | Apply(_, inside, _):
            return inside
        case Pow(inside, _) | Sum(_, inside) | Max(_, inside):
            return (inside,)
        case _:
            return ()


def _height_and_free(node: Expr) -> tuple[int, frozenset[Index]]:
    match node:
        case Tensor(_, indices):
            return 0, frozenset(indices)
        case Delta(left, right):
            return 0, frozenset((left, right))
        case Sum(index, body) | Max(index, body):
            return body.height + 1, body.free - {index}
        case _:
            inside = node.children
            if not inside:
                return 0, _no_indices
            if len(inside) == 1:
                return inside[0].height, inside[0].free
            return max(c.height for c in inside), _no_indices.union(*(c.free for c in inside))


def lift(value: Exprlike) -> Expr:
    """The value as an expression."""
    return value if isinstance(value, Expr) else num(value)


def num(value: int | Fraction) -> Expr:
    """An exact number.

    >>> num(1) / 3
    1/3
    """
    exact = value if type(value) is Fraction else Fraction(value)
    # The hash of a fraction costs more than all else here.
    return _keyed((Num, exact.numerator, exact.denominator), Num, (exact,))


def size(sort: str) -> Expr:
    """The size of a sort; a sort of digits is that number."""
    return num(int(sort)) if sort.isdigit() else _intern(Size, sort)


def const(name: str) -> Expr:
    """A named real constant."""
    return _intern(Const, name)


def tensor(name: str, *indices: Index) -> Expr:
    """An entry of a tensor.

    >>> tensor("W", Index("i", "n"), Index("j", "m"))
    W[i,j]
    """
    return _intern(Tensor, name, tuple(indices))


def delta(left: Index, right: Index) -> Expr:
    """Kronecker's delta; 1 for equal indices."""
    if left == right:
        return one
    return _intern(Delta, min(left, right), max(left, right))


def add(*terms: Exprlike) -> Expr:
    """The sum of the terms, numbers folded, inner sums of terms flattened."""
    kept: list[Expr] = []
    numbers: list[Expr] = []
    for term in terms:
        node = lift(term)
        for part in node.terms if isinstance(node, Add) else (node,):
            (numbers if isinstance(part, Num) else kept).append(part)
    if numbers:
        constant = numbers[0] if len(numbers) == 1 else num(sum([n.value for n in numbers if isinstance(n, Num)]))
        if constant is not zero:
            kept.append(constant)
    if not kept:
        return zero
    return kept[0] if len(kept) == 1 else _intern(Add, tuple(kept))


def mul(*factors: Exprlike) -> Expr:
    """The product of the factors, numbers folded, inner products flattened."""
    kept: list[Expr] = []
    numbers: list[Expr] = []
    for factor in factors:
        node = lift(factor)
        for part in node.factors if isinstance(node, Mul) else (node,):
            (numbers if isinstance(part, Num) else kept).append(part)
    if numbers:
        constant = numbers[0] if len(numbers) == 1 else num(prod([n.value for n in numbers if isinstance(n, Num)]))
        if constant is zero:
            return zero
        if constant is not one:
            kept.insert(0, constant)
    if not kept:
        return one
    return kept[0] if len(kept) == 1 else _intern(Mul, tuple(kept))


def power(base: Exprlike, exponent: int | Fraction) -> Expr:
    """The base to a rational power. Raises DomainError for 0 to a negative power, LimitError for huge numbers."""
    node, exponent = lift(base), exponent if type(exponent) is Fraction else Fraction(exponent)
    if exponent == 0:
        return one
    if exponent == 1:
        return node
    if isinstance(node, Num) and exponent.denominator == 1:
        if node.value == 0 and exponent < 0:
            raise DomainError("division by zero", expected="a denominator that is not 0", got="0")
        bits = max(node.value.numerator.bit_length(), node.value.denominator.bit_length())
        if node.value not in (0, 1, -1) and bits * abs(exponent) > MAX_NUMBER_BITS:
            raise LimitError(
                "a number is too large",
                expected=f"numbers of at most {MAX_NUMBER_BITS} bits",
                got="a power with more",
                next="use a letter for the number",
            )
        return num(node.value ** int(exponent))
    if isinstance(node, Pow) and exponent.denominator == 1 and node.exponent.denominator == 1:
        return power(node.base, node.exponent * exponent)
    return _keyed((Pow, node, exponent.numerator, exponent.denominator), Pow, (node, exponent))


def apply(name: str, *args: Exprlike, orders: tuple[int, ...] | None = None) -> Expr:
    """A function of scalars, differentiated `orders` times (not at all by default).

    >>> apply("f", tensor("z"), orders=(1,))
    f'(z)
    """
    nodes = tuple(lift(a) for a in args)
    return _intern(Apply, name, nodes, orders if orders is not None else (0,) * len(nodes))


def sum_over(index: Index | Iterable[Index], body: Exprlike) -> Expr:
    """The sum over one index or several; a body without the index is multiplied by the size.

    >>> sum_over(Index("i", "n"), 3)
    3*n
    """
    node = lift(body)
    for i in (index,) if isinstance(index, Index) else tuple(reversed(tuple(index))):
        node = mul(size(i.sort), node) if i not in node.free else _bind(Sum, i, node)
    return node


def mean_over(index: Index, body: Exprlike) -> Expr:
    """The mean over an index: the sum divided by the size."""
    return mul(power(size(index.sort), -1), sum_over(index, body))


def max_over(index: Index, body: Exprlike) -> Expr:
    """The maximum over an index; a body without the index is its own maximum."""
    node = lift(body)
    return node if index not in node.free else _bind(Max, index, node)


def _bind(cls: type[Sum | Max], index: Index, body: Expr) -> Expr:
    canonical = Index(f"#{body.height}", index.sort)
    if index == canonical:
        return _intern(cls, canonical, body)
    return _intern(cls, canonical, reindex(body, {index: canonical}))


def fresh(like: Index) -> Index:
    """An index of the same sort whose name is used nowhere else."""
    return Index(f"{like.name.split('~')[0].lstrip('#') or 'k'}~{next(_fresh)}", like.sort)


def opened(node: Sum | Max) -> tuple[Index, Expr]:
    """A bound body with a fresh free index in place of the bound one."""
    index = fresh(node.index)
    return index, reindex(node.body, {node.index: index})


def postorder(root: Expr) -> Iterator[Expr]:
    """Every distinct expression inside `root`, children before parents, `root` last."""
    done: set[Expr] = set()
    stack: list[Expr | None] = [root]
    while stack:
        node = stack.pop()
        if node is None:
            # All that is inside the node below has been seen.
            node = stack.pop()
            assert node is not None
        elif node.children and node not in done:
            stack += (node, None, *reversed(node.children))
            continue
        if node not in done:
            done.add(node)
            yield node


def rebuilt(node: Expr, children: tuple[Expr, ...]) -> Expr:
    """The node with other children, simplified as by its constructor.

    For a sum or maximum the new body must not hold higher binders than the old one; `rewrite` opens them instead.
    """
    match node:
        case Add():
            return add(*children)
        case Mul():
            return mul(*children)
        case Pow(_, exponent):
            return power(children[0], exponent)
        case Apply(name, _, orders):
            return apply(name, *children, orders=orders)
        case Sum(index, _):
            return sum_over(index, children[0])
        case Max(index, _):
            return max_over(index, children[0])
        case _:
            return node


def reindex(root: Expr, mapping: Mapping[Index, Index]) -> Expr:
    """The expression with free indices replaced.

    The replacement must not be a bound index of an enclosing binder that is already closed: fresh indices and a
    person's own letters are always safe.
    """
    keys = frozenset(mapping)
    if root.free.isdisjoint(keys):
        return root
    image: dict[Expr, Expr] = {}
    stack: list[Expr | None] = [root]
    while stack:
        node = stack.pop()
        if node is None:
            node = stack.pop()
            assert node is not None
            image[node] = rebuilt(node, tuple([image[c] for c in node.children]))
        elif node in image:
            continue
        elif node.free.isdisjoint(keys):
            image[node] = node
        elif isinstance(node, Tensor):
            image[node] = tensor(node.name, *[mapping.get(i, i) for i in node.indices])
        elif isinstance(node, Delta):
            image[node] = delta(mapping.get(node.left, node.left), mapping.get(node.right, node.right))
        else:
            stack += (node, None, *node.children)
    return image[root]


zero: Final[Expr] = num(0)
one: Final[Expr] = num(1)


def show(root: Expr) -> str:
    """A plain line for debugging; what a person reads comes from the printers."""
    text: dict[Expr, tuple[str, int]] = {}

    def at(node: Expr, level: int) -> str:
        written, own = text[node]
        return f"({written})" if own < level else written

    for node in postorder(root):
        match node:
            case Num(value):
                text[node] = (str(value), 3 if value >= 0 and value.denominator == 1 else 1)
            case Size(name) | Const(name):
                text[node] = (name, 4)
            case Tensor(name, indices):
                text[node] = (name + (f"[{','.join(i.name for i in indices)}]" if indices else ""), 4)
            case Delta(left, right):
                text[node] = (f"delta[{left.name},{right.name}]", 4)
            case Add(terms):
                text[node] = (" + ".join(at(t, 1) for t in terms), 0)
            case Mul(factors):
                text[node] = ("*".join(at(f, 2) for f in factors), 2)
            case Pow(base, exponent):
                raised = str(exponent) if exponent.denominator == 1 and exponent > 0 else f"({exponent})"
                text[node] = (f"{at(base, 4)}^{raised}", 3)
            case Apply(name, args, orders):
                marks = "'" * orders[0] if len(orders) == 1 else "" if not any(orders) else f"_{orders}"
                text[node] = (f"{name}{marks}({', '.join(at(a, 0) for a in args)})", 4)
            case Sum(index, body):
                text[node] = (f"sum_{index.name}({at(body, 0)})", 4)
            case Max(index, body):
                text[node] = (f"max_{index.name}({at(body, 0)})", 4)
            case _:
                raise TypeError(f"not an expression: {type(node).__name__}")
    return text[root][0]
