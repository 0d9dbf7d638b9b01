"""Changing formulas at random: wrongly, as people slip, and rightly, as people rewrite.

A slip is an edit of the formula that was written, wherever it happens to fall; nothing here knows how a mistake is
looked for. What an edit makes is judged by numbers afterwards, so that an edit that changes nothing is no slip.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from backproof.errors import DomainError
from backproof.language.expression import (
    Add,
    Apply,
    Delta,
    Expr,
    Index,
    Max,
    Mul,
    Num,
    Pow,
    Size,
    Sum,
    Tensor,
    add,
    apply,
    max_over,
    mul,
    num,
    one,
    opened,
    postorder,
    power,
    rebuilt,
    reindex,
    size,
    sum_over,
    tensor,
)
from backproof.language.program import Program

FACTORS: Final = (Fraction(2), Fraction(1, 2), Fraction(-2), Fraction(3), Fraction(1, 4))
OTHER_SLOPES: Final = ("sigmoid", "tanh", "relu", "softplus")

NAMES: Final[Mapping[str, frozenset[str]]] = {
    "sign": frozenset({"sign", "swapped-target", "regulariser-sign"}),
    "factor": frozenset({"factor", "regulariser-factor"}),
    "1/m or m": frozenset({"batch-scale", "bias-reduction", "regulariser-factor", "factor"}),
    "factor dropped": frozenset({"dropped-term", "missing-slope", "batch-scale", "missing-regulariser", "factor"}),
    "factor repeated": frozenset({"extra-slope", "extra-term", "wrong-exponent", "batch-scale", "factor"}),
    "term dropped": frozenset({"dropped-term", "missing-regulariser"}),
    "slope dropped": frozenset({"missing-slope"}),
    "slope repeated or kept": frozenset({"extra-slope", "wrong-exponent"}),
    "value for slope": frozenset({"missing-slope"}),
    "slope of another function": frozenset({"wrong-activation"}),
    "slope at another point": frozenset({"wrong-slope-point"}),
    "another letter": frozenset({"wrong-variable", "swapped-target"}),
    "another layer": frozenset({"wrong-layer", "wrong-variable"}),
    "transposed": frozenset({"transpose"}),
    "another index": frozenset({"wrong-axis", "transpose", "diagonal-jacobian"}),
    "exponent": frozenset({"wrong-exponent"}),
    "number": frozenset({"factor", "wrong-number"}),
    "target swapped": frozenset({"swapped-target", "sign"}),
    "sum left out": frozenset({"diagonal-jacobian", "wrong-axis"}),
    "delta left out": frozenset({"diagonal-jacobian"}),
    "mean for sum": frozenset({"wrong-reduction", "batch-scale", "bias-reduction", "factor"}),
    "bias regularised": frozenset({"regularised-bias"}),
    "term too many": frozenset({"extra-term"}),
}
"""The slips, and the names by which the interface knows them."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A changed formula, and what was done to it."""

    kind: str
    body: Expr


@dataclass(frozen=True, slots=True)
class Written:
    """A formula for ∂J/∂target that is to be changed, and the names around it."""

    program: Program
    target: str
    indices: tuple[Index, ...]
    body: Expr
    batch: str | None
    penalty: Expr | None

    def earlier(self, like: Tensor) -> Iterator[Tensor]:
        """Other names of the same shape that a person could write in a tensor's place."""
        sorts = tuple(i.sort for i in like.indices)
        for name in self.program.names:
            gradient = name.startswith("∂")
            if name in (like.name, "J", "∂J/∂" + self.target) or gradient != like.name.startswith("∂"):
                continue
            # A gradient may not be made from what it leads to: δ of a layer further back.
            if self.program.sorts(name) == sorts and (not gradient or self._comes_before(name)):
                other = tensor(name, *like.indices)
                assert isinstance(other, Tensor)
                yield other

    def _comes_before(self, name: str) -> bool:
        order = [d.name for d in self.program.definitions]
        return name not in order or order.index(name) < order.index("∂J/∂" + self.target)


Rebuild = Callable[[Expr], Expr]


def spots(body: Expr, indices: tuple[Index, ...]) -> Iterator[tuple[Expr, Rebuild, tuple[Index, ...]]]:
    """Every place of a formula, how to put something else there, and the indices that are known there."""
    stack: list[tuple[Expr, Rebuild, tuple[Index, ...]]] = [(body, lambda new: new, indices)]
    while stack:
        node, wrap, known = stack.pop()
        yield node, wrap, known
        if isinstance(node, Sum | Max):
            index, inside = opened(node)
            bind = sum_over if isinstance(node, Sum) else max_over
            stack.append(
                (inside, lambda new, wrap=wrap, index=index, bind=bind: wrap(bind(index, new)), (*known, index))
            )
            continue
        for k, child in enumerate(node.children):

            def replaced(new: Expr, wrap: Rebuild = wrap, node: Expr = node, k: int = k) -> Expr:
                return wrap(rebuilt(node, (*node.children[:k], new, *node.children[k + 1 :])))

            stack.append((child, replaced, known))


def slips(written: Written) -> dict[str, list[Expr]]:
    """All edits of a formula by their kind."""
    found: dict[str, list[Expr]] = {}
    for kind, make in _edits(written):
        try:
            body = make()
        except DomainError:
            continue
        if body is not written.body and body.free <= frozenset(written.indices):
            found.setdefault(kind, []).append(body)
    return found


def slip(written: Written, chance: random.Random) -> Slip | None:
    """One edit: first its kind is drawn, then its place."""
    found = slips(written)
    if not found:
        return None
    kind = chance.choice(sorted(found))
    return Slip(kind, chance.choice(found[kind]))


Edit = tuple[str, Callable[[], Expr]]


def _edits(written: Written) -> Iterator[Edit]:
    yield from _of_the_whole(written)
    for node, wrap, known in spots(written.body, written.indices):
        for kind, new in _at(written, node, known):
            yield kind, lambda wrap=wrap, new=new: wrap(new)


def _of_the_whole(written: Written) -> Iterator[Edit]:
    body, indices = written.body, written.indices
    yield "sign", lambda: mul(-1, body)
    for factor in FACTORS:
        yield "factor", lambda factor=factor: mul(factor, body)
    if written.batch is not None:
        m = size(written.batch)
        yield "1/m or m", lambda: mul(power(m, -1), body)
        yield "1/m or m", lambda: mul(m, body)
    if len(indices) == 2 and indices[0].sort == indices[1].sort:
        yield "transposed", lambda: reindex(body, {indices[0]: indices[1], indices[1]: indices[0]})
    if written.target.startswith("b") and written.penalty is not None:
        penalty = written.penalty
        yield "bias regularised", lambda: add(body, mul(penalty, tensor(written.target, *indices)))
    own = tensor("∂J/∂" + written.target, *indices)
    assert isinstance(own, Tensor)
    if written.target[0] in "zZ":
        yield from _slopes_too_many(written)
    for name in written.program.names:
        if not name.startswith("∂") and name != "J" and written.program.sorts(name) == tuple(i.sort for i in indices):
            yield "term too many", lambda name=name: add(body, tensor(name, *indices))


def _slopes_too_many(written: Written) -> Iterator[Edit]:
    logits = tensor(written.target, *written.indices)
    output = written.program.by_name.get(("A" if written.target[0] == "Z" else "a") + written.target[1:])
    if output is not None and isinstance(output.body, Apply):
        name = output.body.name
        yield "slope repeated or kept", lambda: mul(written.body, apply(name, logits, orders=(1,)))


def _at(written: Written, node: Expr, known: tuple[Index, ...]) -> Iterator[tuple[str, Expr]]:
    match node:
        case Mul(factors):
            for k, factor in enumerate(factors):
                rest = (*factors[:k], *factors[k + 1 :])
                if not isinstance(factor, Num):
                    yield "slope dropped" if _is_slope(factor) else "factor dropped", mul(*rest)
                    yield "slope repeated or kept" if _is_slope(factor) else "factor repeated", mul(node, factor)
        case Add(terms):
            for k, term in enumerate(terms):
                rest = (*terms[:k], *terms[k + 1 :])
                yield "term dropped", add(*rest)
                yield "sign", add(*terms[:k], mul(-1, term), *terms[k + 1 :])
                yield "factor", add(*terms[:k], mul(2, term), *terms[k + 1 :])
                yield "factor", add(*terms[:k], mul(Fraction(1, 2), term), *terms[k + 1 :])
                if written.batch is not None and written.target.startswith("W"):
                    m = size(written.batch)
                    yield "1/m or m", add(*terms[:k], mul(m, term), *terms[k + 1 :])
                    yield "1/m or m", add(*terms[:k], mul(power(m, -1), term), *terms[k + 1 :])
            yield from _targets_swapped(node)
        case Num(value):
            if value not in (1, -1):
                yield from (("number", num(v)) for v in (value + 1, value / 2, value * 2) if v)
        case Pow(base, exponent):
            if not isinstance(base, Size):
                for other in (-exponent, exponent + 1, exponent - 1, exponent / 2):
                    yield "exponent", power(base, other)
        case Sum(index, _):
            bound, body = opened(node)
            yield "mean for sum", mul(power(size(index.sort), -1), node)
            for own in known:
                if own.sort == index.sort:
                    yield "sum left out", reindex(body, {bound: own})
        case Delta():
            yield "delta left out", one
        case Apply() if _is_slope(node):
            yield from _slopes_changed(written, node)
        case Tensor():
            yield from _letters_changed(written, node, known)
        case _:
            return


def _slopes_changed(written: Written, node: Apply) -> Iterator[tuple[str, Expr]]:
    yield "value for slope", apply(node.name, *node.args, orders=(node.orders[0] - 1,))
    for other in OTHER_SLOPES:
        if other != node.name:
            yield "slope of another function", apply(other, *node.args, orders=node.orders)
    if isinstance(node.args[0], Tensor):
        for point in written.earlier(node.args[0]):
            yield "slope at another point", apply(node.name, point, orders=node.orders)


def _letters_changed(written: Written, node: Tensor, known: tuple[Index, ...]) -> Iterator[tuple[str, Expr]]:
    for other in written.earlier(node):
        same = other.name.partition("(")[0] == node.name.partition("(")[0]
        yield "another layer" if same else "another letter", other
    if len(node.indices) == 2 and node.indices[0].sort == node.indices[1].sort:
        yield "transposed", tensor(node.name, *reversed(node.indices))
    for k, index in enumerate(node.indices):
        for other in known:
            if other != index and other.sort == index.sort:
                yield "another index", tensor(node.name, *node.indices[:k], other, *node.indices[k + 1 :])


def _targets_swapped(node: Add) -> Iterator[tuple[str, Expr]]:
    """(a − y) as (y − a), where both stand in one sum."""
    inside = {n.name: n for n in postorder(node) if isinstance(n, Tensor)}
    target = inside.get("y") or inside.get("Y")
    for name, prediction in inside.items():
        if target is not None and name[0] in "aA" and prediction.indices == target.indices:
            there = _renamed(node, {name: target.name, target.name: name})
            yield "target swapped", there


def _renamed(root: Expr, names: Mapping[str, str]) -> Expr:
    image: dict[Expr, Expr] = {}
    for node in postorder(root):
        if isinstance(node, Tensor):
            image[node] = tensor(names.get(node.name, node.name), *node.indices)
        else:
            image[node] = rebuilt(node, tuple(image[c] for c in node.children))
    return image[root]


def _is_slope(node: Expr) -> bool:
    return isinstance(node, Apply) and any(node.orders)


OwnSlopes = Mapping[str, Callable[[Expr, Expr], Expr]]
"""Functions by name, each with its slope as a formula in z and a."""


def rewritten(written: Written, chance: random.Random, known_slopes: OwnSlopes) -> Expr:
    """The same formula in another form: two or three harmless changes at random places."""
    body = written.body
    for _ in range(chance.randint(2, 3)):
        changes = [
            (wrap, new)
            for node, wrap, _ in spots(body, written.indices)
            for new in _harmless(written, node, chance, known_slopes)
        ]
        if changes:
            wrap, new = chance.choice(changes)
            body = wrap(new)
    return body


def _harmless(written: Written, node: Expr, chance: random.Random, known_slopes: OwnSlopes) -> Iterator[Expr]:
    """Other ways to write what stands at a place."""
    match node:
        case Add(terms):
            yield add(*chance.sample(terms, len(terms)))
            yield mul(-1, add(*(mul(-1, t) for t in terms)))
        case Mul(factors):
            yield mul(*chance.sample(factors, len(factors)))
            for k, factor in enumerate(factors):
                if isinstance(factor, Add):
                    rest = (*factors[:k], *factors[k + 1 :])
                    yield add(*(mul(*rest, t) for t in factor.terms))
        case Apply(name, (Tensor() as z,), (1,)) if name in known_slopes and z.name[0] in "zZ":
            output = ("A" if z.name[0] == "Z" else "a") + z.name[1:]
            definition = written.program.by_name[output]
            if isinstance(definition.body, Apply) and definition.body.name == name:
                yield known_slopes[name](z, tensor(output, *z.indices))
        case Tensor(name, indices) if name.startswith("∂") and name != "∂J/∂" + written.target:
            definition = written.program.by_name.get(name)
            if definition is not None and isinstance(definition.body, Mul | Tensor):
                yield reindex(definition.body, dict(zip(definition.indices, indices, strict=True)))
        case Tensor(name, indices) if name[0] in "aA":
            definition = written.program.by_name.get(name)
            if definition is not None and isinstance(definition.body, Apply):
                yield reindex(definition.body, dict(zip(definition.indices, indices, strict=True)))
        case _:
            return
