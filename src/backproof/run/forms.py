"""Accurate forms: formulas that are equal to the catalogue's and keep their digits in floating point.

A form is another formula for the same function, never differentiated: the slope of a form is a form of the slope. Each
one is proved equal to the plain formula in the tests. Sources: the rule of subtracting nearly equal numbers nowhere,
N. Higham, Accuracy and stability of numerical algorithms, 2nd ed., SIAM 2002, section 1.7.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from backproof import catalog
from backproof.calculus.unfolding import open_slopes
from backproof.language.elaboration import FunctionMeaning, Scope, elaborate
from backproof.language.expression import Apply, Expr, apply, tensor
from backproof.language.grammar import parse
from backproof.language.program import Program
from backproof.language.walks import inline, rewrite

# What a kernel computes by itself; every other function is brought down to these.
PRIMITIVES: Final = frozenset(
    "exp log sin cos atan erf erfc step abs sign max min log1p expm1 sigmoid tanh softplus Phi normal-density".split()
)

_GELU_TANH: Final = "2*sqrt(2/pi)*(u + 0.044715*u^3)"
_GELU_TANH_SLOPE: Final = "2*sqrt(2/pi)*(1 + 0.134145*u^2)"

# (function, orders of differentiation) → an equal formula in its parameters and hyperparameters.
FORMS: Final[dict[tuple[str, tuple[int, ...]], str]] = {
    ("sigmoid", (1,)): "exp(-abs(u))/(1 + exp(-abs(u)))^2",
    ("tanh", (1,)): "4*sigmoid(2*u)*sigmoid(-2*u)",
    ("softplus", (1,)): "sigmoid(u)",
    ("log-sigmoid", (0,)): "-softplus(-u)",
    ("log-sigmoid", (1,)): "sigmoid(-u)",
    ("relu", (1,)): "[u > 0]",
    ("leaky-relu", (1,)): "[u > 0] + [u <= 0]*alpha",
    ("elu", (0,)): "[u > 0]*u + [u <= 0]*alpha*expm1(u)",
    ("elu", (1,)): "[u > 0] + [u <= 0]*alpha*exp(u)",
    ("selu", (0,)): "[u > 0]*scale*u + [u <= 0]*scale*alpha*expm1(u)",
    ("selu", (1,)): "[u > 0]*scale + [u <= 0]*scale*alpha*exp(u)",
    ("celu", (0,)): "[u > 0]*u + [u <= 0]*alpha*expm1(u/alpha)",
    ("celu", (1,)): "[u > 0] + [u <= 0]*exp(u/alpha)",
    ("softsign", (1,)): "1/(1 + abs(u))^2",
    ("silu", (1,)): "sigmoid(u)*(1 + u*sigmoid(-u))",
    ("swish-beta", (1,)): "sigmoid(beta*u)*(1 + beta*u*sigmoid(-beta*u))",
    ("quick-gelu", (1,)): "sigmoid(1.702*u)*(1 + 1.702*u*sigmoid(-1.702*u))",
    ("gelu", (1,)): "Phi(u) + u*normpdf(u)",
    ("gelu-tanh", (0,)): f"u*sigmoid({_GELU_TANH})",
    ("gelu-tanh", (1,)): f"sigmoid({_GELU_TANH})*(1 + u*sigmoid(-{_GELU_TANH})*{_GELU_TANH_SLOPE})",
    ("mish", (0,)): (
        "[u > 0]*u*(1 + 2*exp(-abs(u)))/(1 + 2*exp(-abs(u)) + 2*exp(-2*abs(u)))"
        " + [u <= 0]*u*exp(-abs(u))*(exp(-abs(u)) + 2)/(exp(-2*abs(u)) + 2*exp(-abs(u)) + 2)"
    ),
    ("mish", (1,)): (
        "[u > 0]*((1 + 2*exp(-abs(u)))/(1 + 2*exp(-abs(u)) + 2*exp(-2*abs(u)))"
        " + u*4*exp(-2*abs(u))*(1 + exp(-abs(u)))/(1 + 2*exp(-abs(u)) + 2*exp(-2*abs(u)))^2)"
        " + [u <= 0]*(exp(-abs(u))*(exp(-abs(u)) + 2)/(exp(-2*abs(u)) + 2*exp(-abs(u)) + 2)"
        " + u*4*exp(-abs(u))*(exp(-abs(u)) + 1)/(exp(-2*abs(u)) + 2*exp(-abs(u)) + 2)^2)"
    ),
    ("hard-tanh", (0,)): "[u >= 1] - [u <= -1] + [u > -1]*[u < 1]*u",
    ("hard-sigmoid", (0,)): "[u >= 3] + [u > -3]*[u < 3]*(u + 3)/6",
    ("hard-swish", (1,)): "[u >= 3] + [u > -3]*[u < 3]*(2*u + 3)/6",
    ("tanhshrink", (1,)): "tanh(u)^2",
    ("gaussian", (0,)): "2*pi*normpdf(u)^2",
    ("gaussian", (1,)): "-4*pi*u*normpdf(u)*normpdf(u)",
    ("lecun-tanh", (1,)): "1.7159*8/3*sigmoid(4/3*u)*sigmoid(-4/3*u)",
    ("bent-identity", (0,)): "u + u^2/(2*(sqrt(u^2 + 1) + 1))",
    ("bce", (0, 0)): "-y*log(a) - (1 - y)*logp1(-a)",
    ("bce", (1, 0)): "(a - y)/(a*(1 - a))",
    ("bce-with-logits", (0, 0)): "(1 - y)*softplus(a) + y*softplus(-a)",
    ("bce-with-logits", (1, 0)): "(1 - y)*sigmoid(a) - y*sigmoid(-a)",
    ("mae", (1, 0)): "2*[a > y] - 1",
    ("log-cosh", (0, 0)): (
        "[abs(a - y) < 1]*logp1((expm1(abs(a - y))^2)/(2*exp(abs(a - y))))"
        " + [abs(a - y) >= 1]*(abs(a - y) + logp1(exp(-2*abs(a - y))) - log(2))"
    ),
    ("log-cosh", (1, 0)): "tanh(a - y)",
    ("pseudo-huber", (0, 0)): "(a - y)^2/(1 + sqrt(1 + ((a - y)/kappa)^2))",
    ("cauchy", (0, 0)): "logp1((a - y)^2/2)",
    ("msle", (0, 0)): "(logp1(a) - logp1(y))^2",
    ("msle", (1, 0)): "2*(logp1(a) - logp1(y))/(1 + a)",
    ("soft-margin", (0, 0)): "softplus(-y*a)",
    ("soft-margin", (1, 0)): "-y*sigmoid(-y*a)",
    ("focal", (0, 0)): "-y*exp(gamma*logp1(-a))*log(a) - (1 - y)*exp(gamma*log(a))*logp1(-a)",
}

# (activation, loss) → the loss of a unit and its slope by the logit u, with the target y.
PAIRS: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("sigmoid", "bce"): ("(1 - y)*softplus(u) + y*softplus(-u)", "(1 - y)*sigmoid(u) - y*sigmoid(-u)"),
    ("sigmoid", "half-mse"): (
        "((1 - y)*sigmoid(u) - y*sigmoid(-u))^2/2",
        "((1 - y)*sigmoid(u) - y*sigmoid(-u))*exp(-abs(u))/(1 + exp(-abs(u)))^2",
    ),
    ("sigmoid", "mse"): (
        "((1 - y)*sigmoid(u) - y*sigmoid(-u))^2",
        "2*((1 - y)*sigmoid(u) - y*sigmoid(-u))*exp(-abs(u))/(1 + exp(-abs(u)))^2",
    ),
    ("exp", "poisson"): ("exp(u) - y*u", "y*expm1(u) + (1 - y)*exp(u)"),
    ("exp", "gamma"): ("u + y*exp(-u)", "(1 - y) - y*expm1(-u)"),
    ("exp", "itakura-saito"): ("y*exp(-u) - log(y) + u - 1", "(1 - y) - y*expm1(-u)"),
}


def read(text: str, parameters: tuple[str, ...]) -> Expr:
    """A formula of the catalogue's functions in scalar parameters, as an expression."""
    scalars = dict.fromkeys((*parameters, *_hyperparameters()), ())
    meanings = {written: FunctionMeaning(e.name, arity=len(e.parameters)) for written, e in catalog.spelled().items()}
    meanings["logp1"] = FunctionMeaning("log1p", arity=1)  # the name in IEEE 754
    readings = elaborate(parse(text), Scope(Program(scalars), functions=meanings), text, "accurate form")
    return readings[0].sides[0].expr


@cache
def form(name: str, orders: tuple[int, ...]) -> tuple[tuple[str, ...], Expr]:
    """The parameters of a catalogue function, or of a slope of it, and an accurate formula in primitives.

    >>> form("tanhshrink", (1,))
    (('u',), tanh(u)^2)
    """
    text = FORMS.get((name, orders))
    if text is not None:
        entry = catalog.function(name)
        assert entry is not None
        return entry.parameters, lowered(read(text, entry.parameters))
    if any(orders):
        parameters = _parameters(name)
        return parameters, lowered(open_slopes(apply(name, *map(tensor, parameters), orders=orders)))
    parameters, body = catalog.scalar_definition(name)
    return parameters, lowered(body)


@cache
def pair_form(activation: str, loss: str, *, slope: bool) -> Expr | None:
    """The loss of a unit, or its slope by the logit u, as one accurate formula in u and y; None where there is none."""
    texts = PAIRS.get((activation, loss))
    return None if texts is None else lowered(read(texts[slope], ("u", "y")))


def lowered(root: Expr) -> Expr:
    """The expression with primitives only, each function replaced by its accurate form."""

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Apply) or catalog.function(node.name) is None:
            return None
        if node.name in PRIMITIVES and not any(node.orders):
            return None
        parameters, body = form(node.name, node.orders)
        return inline(body, {p: ((), a) for p, a in zip(parameters, node.args, strict=True)})

    return rewrite(root, rule)


@cache
def _hyperparameters() -> tuple[str, ...]:
    entries = (*catalog.activations(), *catalog.losses())
    return tuple(dict.fromkeys(h.name for e in entries for h in e.hyperparameters))


def _parameters(name: str) -> tuple[str, ...]:
    entry = catalog.function(name)
    assert entry is not None
    return entry.parameters
