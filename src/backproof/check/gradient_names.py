"""Names of gradients in code and notes: grad_W, W_grad, W̄, ∇W, G_W, J_z, dout, hidden_delta."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final

from backproof.calculus.network import Network
from backproof.check.names import DHIDDEN, DOUT, TARGETS, scope_of
from backproof.language.notation import Call, Derivative, Notation, Number, Relation, Symbol, Words
from backproof.language.scope import LOSS_LETTERS
from backproof.language.traversal import fold, with_parts

_GRADIENTS: Final = frozenset({"grad", "gradient", "g", "G", "d"})
_DELTAS: Final = frozenset({"delta", "error", "err"})
_OUTPUT: Final = frozenset({"output", "out", "outputs"})
_HIDDEN: Final = frozenset({"hidden", "hid"})


def with_gradients(equation: Relation, network: Network) -> Relation:
    """The equation with dW where a gradient has a name of another kind."""
    spelled = _Names(network)

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        new = with_parts(node, inside)
        match new:
            case Symbol():
                return spelled.gradient(new) or new
            case Derivative(Symbol() as of, Words(""), "nabla", 1) if spelled.is_known(of):
                return spelled.named(of)
            case Derivative(None, Symbol() as of, "prefix", 1) if of.name in TARGETS and new != equation.sides[0]:
                # In code y is what a layer returns, and dy what comes back for it.
                return Symbol(DOUT, of.subscripts, of.label, span=new.span)
            case Call(Symbol(name), (Symbol() as by,), 1, None) if name in LOSS_LETTERS and spelled.is_known(by):
                return spelled.named(by)
            case _:
                return new

    found = fold(equation, rule)
    return found if isinstance(found, Relation) else equation


class _Names:
    """What the names of a network's gradients may be."""

    def __init__(self, network: Network) -> None:
        self._scope = scope_of(network)
        self._hidden = network.depth == 2 and not network.symbolic_depth
        self._layered = bool(network.sizes)

    def is_known(self, symbol: Symbol) -> bool:
        """Whether the symbol is a tensor that has a gradient."""
        if symbol.accent or symbol.star or symbol.name in LOSS_LETTERS:
            return False
        base = symbol.name.rstrip("0123456789")
        label = symbol.name[len(base) :] or None
        tensors = self._scope.tensors((base,), label)
        return any(tensor in self._scope.gradients for tensor in tensors)

    def named(self, symbol: Symbol) -> Notation:
        """The gradient by a tensor."""
        return Derivative(None, symbol, "prefix", span=symbol.span)

    def gradient(self, symbol: Symbol) -> Notation | None:
        """What a symbol means that names a gradient; None for any other one."""
        if symbol.accent == "bar":
            plain = replace(symbol, accent=None)
            return self.named(plain) if self.is_known(plain) else None
        if symbol.accent or symbol.label is not None or not symbol.subscripts:
            return None
        first, *rest = symbol.subscripts
        last = symbol.subscripts[-1]
        if not isinstance(first, Symbol) or not isinstance(last, Symbol):
            return None
        if symbol.name in _DELTAS and not rest:
            return self._delta(first.name)
        if first.name in _DELTAS and not rest:
            return self._delta(symbol.name)
        if symbol.name in _GRADIENTS:
            return self._by(first, tuple(rest))
        if last.name in ("grad", "gradient"):
            return self._by(replace(symbol, subscripts=()), symbol.subscripts[:-1])
        if symbol.name in LOSS_LETTERS and self.is_known(first):
            return self._by(first, tuple(rest))
        return None

    def _by(self, symbol: Symbol, indices: tuple[Notation, ...]) -> Notation | None:
        for words, upstream in ((_OUTPUT, DOUT), (_HIDDEN, DHIDDEN)):
            if symbol.name in words:
                return Symbol(upstream, indices, span=symbol.span)
        by = replace(symbol, subscripts=(*symbol.subscripts, *indices))
        return self.named(by) if self.is_known(replace(by, subscripts=())) else None

    def _delta(self, layer: str) -> Notation | None:
        if layer in _OUTPUT:
            return Symbol("delta", label=Symbol("L") if self._layered else None)
        if layer in _HIDDEN and self._hidden:
            return Symbol("delta", label=Number(Fraction(1)))
        return None
