"""Accurate forms: formulas that are equal to the catalogue's and keep their digits in floating point.

A form is another formula for the same function, never differentiated: the slope of a form is a form of the slope. Each
one is proved equal to the plain formula in the tests. Sources: the rule of subtracting nearly equal numbers nowhere,
N. Higham, Accuracy and stability of numerical algorithms, 2nd ed., SIAM 2002, section 1.7.
"""

from __future__ import annotations

from functools import cache
from typing import Final, Literal

from backproof import catalog
from backproof.calculus.unfolding import open_slopes
from backproof.language.elaboration import FunctionMeaning, Scope, elaborate
from backproof.language.expression import Apply, Expr, apply, tensor
from backproof.language.grammar import parse
from backproof.language.program import Program
from backproof.language.walks import inline, names, rewrite

# What a kernel computes by itself; every other function is brought down to these.
PRIMITIVES: Final = frozenset(
    "exp log sin cos atan erf erfc step abs sign max min log1p expm1 sigmoid tanh softplus Phi normal-density".split()
)
# Primitives that the catalogue does not have, by their definition.
DEFINED: Final = {
    "expdifference": "exp(u - v)",
    "expm2": "exp(u) - 1 - u",
    "expm3": "exp(u) - 1 - u - u^2/2",
    "logsoftplus": "log(log(1 + exp(u)))",
    "softplusratio": "exp(u)/(1 + exp(u))/log(1 + exp(u))",
    "geluslope": "Phi(u) + u*normpdf(u)",
}

# Functions whose formula loses digits in one number: each is computed with more digits and rounded once. Where terms of
# a sum nearly cancel (`zero`) twice as many are needed, for a `root` that may lie as near to a number as it likes in
# float32 as well; where an error of the argument of an exponential counts as often as the argument is large, or where
# several factors are rounded (`tail`), a few more.
Reason = Literal["zero", "root", "tail"]
CAREFUL: Final[dict[tuple[str, tuple[int, ...]], Reason]] = {
    ("silu", (1,)): "zero",
    ("swish-beta", (1,)): "zero",
    ("quick-gelu", (0,)): "tail",
    ("quick-gelu", (1,)): "zero",
    ("gelu", (1,)): "zero",
    ("gelu-tanh", (0,)): "tail",
    ("gelu-tanh", (1,)): "zero",
    ("mish", (1,)): "zero",
    ("tanhshrink", (0,)): "zero",
    ("gaussian", (0,)): "tail",
    ("gaussian", (1,)): "tail",
    ("lecun-tanh", (1,)): "tail",
    ("msle", (0, 0)): "zero",
    ("msle", (1, 0)): "zero",
    ("poisson", (0, 0)): "root",
    ("poisson-with-log-rate", (0, 0)): "root",
    ("poisson-with-log-rate", (1, 0)): "zero",
    ("gamma", (0, 0)): "zero",
    ("itakura-saito", (0, 0)): "zero",
    ("focal", (0, 0)): "zero",
    ("focal", (1, 0)): "zero",
    ("balanced-focal", (0, 0)): "zero",
    ("balanced-focal", (1, 0)): "zero",
}

_GELU_TANH: Final = "2*sqrt(2/pi)*(u + 0.044715*u^3)"
_GELU_TANH_SLOPE: Final = "2*sqrt(2/pi)*(1 + 0.134145*u^2)"
_FOCAL: Final = "-{yes}*exp(gamma*logp1(-a))*log(a) - {no}*exp(gamma*log(a))*logp1(-a)"
_FOCAL_SLOPE: Final = (
    "{yes}*(gamma*exp((gamma - 1)*logp1(-a))*log(a) - exp(gamma*logp1(-a))/a)"
    " + {no}*(exp(gamma*log(a))/(1 - a) - gamma*exp((gamma - 1)*log(a))*logp1(-a))"
)
_SIGMOID_FOCAL: Final = "{yes}*exp(-gamma*softplus(u))*softplus(-u) + {no}*exp(-gamma*softplus(-u))*softplus(u)"
_SIGMOID_FOCAL_SLOPE: Final = (
    "-{yes}*exp(-gamma*softplus(u))*(gamma*sigmoid(u)*softplus(-u) + sigmoid(-u))"
    " + {no}*exp(-gamma*softplus(-u))*(gamma*sigmoid(-u)*softplus(u) + sigmoid(u))"
)
_EXP_LESS_Y: Final = "[u > -1]*(expm1(u) + (1 - y)) + [u <= -1]*(exp(u) - y)"
_SOFTPLUS_ITAKURA_SAITO: Final = (
    "[abs(softplus(u) - y) < y/2]*expm2(logp1((y - softplus(u))/softplus(u)))"
    " + [abs(softplus(u) - y) >= y/2]*(y/softplus(u) - log(y) + logsoftplus(u) - 1)"
)
# The logarithm of (1 + exp(u))/(1 + y).
_LOG_RATIO: Final = f"[u < 30]*logp1(({_EXP_LESS_Y})/(1 + y)) + [u >= 30]*(softplus(u) - logp1(y))"

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
    ("gelu", (1,)): "geluslope(u)",
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
    # With v = 2|u| and exp(v) = 1 + v + v²/2 + expm3(v); far from 0 through exp(−v), which cannot overflow.
    ("tanhshrink", (0,)): (
        "[abs(u) < 1]*sign(u)*(2*abs(u)^3 + (abs(u) - 1)*expm3(2*abs(u)))/(1 + exp(2*abs(u)))"
        " + [abs(u) >= 1]*(u - sign(u)*(1 - 2*exp(-2*abs(u))/(1 + exp(-2*abs(u)))))"
    ),
    ("tanhshrink", (1,)): "tanh(u)^2",
    ("lecun-tanh", (1,)): "1.7159*8/3*sigmoid(4/3*u)*sigmoid(-4/3*u)",
    ("bent-identity", (0,)): (
        "[abs(u) <= 1]*(u + u^2/(2*(sqrt(u^2 + 1) + 1))) + [abs(u) > 1]*(u + abs(u)/(2*(sqrt(1 + 1/u^2) + 1/abs(u))))"
    ),
    ("bent-identity", (1,)): (
        "[abs(u) <= 1]*(1 + u/(2*sqrt(u^2 + 1))) + [abs(u) > 1]*(1 + sign(u)/(2*sqrt(1 + 1/u^2)))"
    ),
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
    # Squares of large numbers overflow: beyond a bound through the reciprocal.
    ("charbonnier", (0, 0)): (
        "[abs(a - y) <= 1]*sqrt((a - y)^2 + eps^2) + [abs(a - y) > 1]*abs(a - y)*sqrt(1 + (eps/(a - y))^2)"
    ),
    ("charbonnier", (1, 0)): (
        "[abs(a - y) <= 1]*(a - y)/sqrt((a - y)^2 + eps^2) + [abs(a - y) > 1]*sign(a - y)/sqrt(1 + (eps/(a - y))^2)"
    ),
    ("pseudo-huber", (0, 0)): (
        "[abs(a - y) <= kappa]*(a - y)^2/(1 + sqrt(1 + ((a - y)/kappa)^2))"
        " + [abs(a - y) > kappa]*kappa*abs(a - y)/(kappa/abs(a - y) + sqrt(1 + (kappa/(a - y))^2))"
    ),
    ("pseudo-huber", (1, 0)): (
        "[abs(a - y) <= kappa]*(a - y)/sqrt(1 + ((a - y)/kappa)^2)"
        " + [abs(a - y) > kappa]*sign(a - y)*kappa/sqrt(1 + (kappa/(a - y))^2)"
    ),
    ("cauchy", (0, 0)): (
        "[abs(a - y) < 1000]*logp1((a - y)^2/2)"
        " + [abs(a - y) >= 1000]*(2*log(abs(a - y)) + logp1(2/(a - y)^2) - log(2))"
    ),
    ("cauchy", (1, 0)): ("[abs(a - y) <= 1]*(a - y)/(1 + (a - y)^2/2) + [abs(a - y) > 1]/(1/(a - y) + (a - y)/2)"),
    ("msle", (0, 0)): "logp1((a - y)/(1 + y))^2",
    ("msle", (1, 0)): "2*logp1((a - y)/(1 + y))/(1 + a)",
    ("poisson", (1, 0)): "(a - y)/a",
    ("poisson-with-log-rate", (0, 0)): "exp(a) - y*a",
    ("poisson-with-log-rate", (1, 0)): "[a > -1]*(expm1(a) + (1 - y)) + [a <= -1]*(exp(a) - y)",
    ("gamma", (1, 0)): "(a - y)/a^2",
    ("itakura-saito", (0, 0)): (
        "[abs(a - y) < y/2]*expm2(logp1((y - a)/a)) + [abs(a - y) >= y/2]*(y/a - log(y/a) - 1)"
    ),
    ("itakura-saito", (1, 0)): "(a - y)/a^2",
    ("soft-margin", (0, 0)): "softplus(-y*a)",
    ("soft-margin", (1, 0)): "-y*sigmoid(-y*a)",
    ("focal", (0, 0)): _FOCAL.format(yes="y", no="(1 - y)"),
    ("focal", (1, 0)): _FOCAL_SLOPE.format(yes="y", no="(1 - y)"),
    ("balanced-focal", (0, 0)): _FOCAL.format(yes="alpha*y", no="(1 - alpha)*(1 - y)"),
    ("balanced-focal", (1, 0)): _FOCAL_SLOPE.format(yes="alpha*y", no="(1 - alpha)*(1 - y)"),
}

# Of an output that comes near its target the difference is what counts: a − y from both tails, and the slope a′.
_DIFFERENCES: Final = {
    "sigmoid": ("((1 - y)*sigmoid(u) - y*sigmoid(-u))", "exp(-abs(u))/(1 + exp(-abs(u)))^2"),
    "tanh": (
        (
            "([abs(u) < 1]*(expm1(2*u)/(expm1(2*u) + 2) - y)"
            " + [abs(u) >= 1]*((1 - y)*sigmoid(2*u) - (1 + y)*sigmoid(-2*u)))"
        ),
        "4*sigmoid(2*u)*sigmoid(-2*u)",
    ),
}
# Losses of a difference d that is not large, and their slopes.
_OF_DIFFERENCE: Final = {
    "mse": ("{d}^2", "2*{d}"),
    "half-mse": ("{d}^2/2", "{d}"),
    "huber": (
        "[abs({d}) <= kappa]*{d}^2/2 + [abs({d}) > kappa]*kappa*(abs({d}) - kappa/2)",
        "([abs({d}) <= kappa]*{d} + [abs({d}) > kappa]*kappa*sign({d}))",
    ),
    "smooth-l1": (
        "[abs({d}) < beta]*{d}^2/(2*beta) + [abs({d}) >= beta]*(abs({d}) - beta/2)",
        "([abs({d}) < beta]*{d}/beta + [abs({d}) >= beta]*sign({d}))",
    ),
    "log-cosh": ("logp1(expm1(abs({d}))^2/(2*exp(abs({d}))))", "expm1(2*{d})/(expm1(2*{d}) + 2)"),
    "charbonnier": ("sqrt({d}^2 + eps^2)", "{d}/sqrt({d}^2 + eps^2)"),
    "pseudo-huber": ("{d}^2/(1 + sqrt(1 + ({d}/kappa)^2))", "{d}/sqrt(1 + ({d}/kappa)^2)"),
    "cauchy": ("logp1({d}^2/2)", "{d}/(1 + {d}^2/2)"),
}
_TANH_MARGIN: Final = "((1 - y)*sigmoid(2*u) + (1 + y)*sigmoid(-2*u))"

# (activation, loss) → the loss of a unit and its slope by the logit u, with the target y.
PAIRS: Final[dict[tuple[str, str], tuple[str, str]]] = {
    **{
        (activation, loss): (value.format(d=d), f"{slope.format(d=d)}*{own}")
        for activation, (d, own) in _DIFFERENCES.items()
        for loss, (value, slope) in _OF_DIFFERENCE.items()
    },
    ("tanh", "hinge"): (
        f"[{_TANH_MARGIN} > 0]*{_TANH_MARGIN}",
        f"-y*[{_TANH_MARGIN} > 0]*4*sigmoid(2*u)*sigmoid(-2*u)",
    ),
    ("tanh", "squared-hinge"): (
        f"[{_TANH_MARGIN} > 0]*{_TANH_MARGIN}^2",
        f"-2*y*[{_TANH_MARGIN} > 0]*{_TANH_MARGIN}*4*sigmoid(2*u)*sigmoid(-2*u)",
    ),
    ("sigmoid", "bce"): ("(1 - y)*softplus(u) + y*softplus(-u)", "(1 - y)*sigmoid(u) - y*sigmoid(-u)"),
    ("sigmoid", "focal"): (
        _SIGMOID_FOCAL.format(yes="y", no="(1 - y)"), _SIGMOID_FOCAL_SLOPE.format(yes="y", no="(1 - y)"),
    ),
    ("sigmoid", "balanced-focal"): (
        _SIGMOID_FOCAL.format(yes="alpha*y", no="(1 - alpha)*(1 - y)"),
        _SIGMOID_FOCAL_SLOPE.format(yes="alpha*y", no="(1 - alpha)*(1 - y)"),
    ),
    ("exp", "poisson"): ("exp(u) - y*u", _EXP_LESS_Y),
    ("exp", "gamma"): ("u + y*exp(-u)", "(1 - y) - y*expm1(-u)"),
    ("exp", "itakura-saito"): ("expm2(log(y) - u)", "(1 - y) - y*expm1(-u)"),
    ("exp", "msle"): (f"({_LOG_RATIO})^2", f"2*({_LOG_RATIO})*sigmoid(u)"),
    ("softplus", "poisson"): ("softplus(u) - y*logsoftplus(u)", "(softplus(u) - y)*softplusratio(u)"),
    ("softplus", "gamma"): ("logsoftplus(u) + y/softplus(u)", "(softplus(u) - y)*softplusratio(u)/softplus(u)"),
    ("softplus", "itakura-saito"): (
        _SOFTPLUS_ITAKURA_SAITO,
        "(softplus(u) - y)*softplusratio(u)/softplus(u)",
    ),
    ("softplus", "msle"): (
        "logp1((softplus(u) - y)/(1 + y))^2",
        "2*logp1((softplus(u) - y)/(1 + y))/(1 + softplus(u))*sigmoid(u)",
    ),
}  # fmt: skip
PLAIN_PAIRS: Final = frozenset({("sigmoid", "bce")})  # every other pair is careful


def read(text: str, parameters: tuple[str, ...]) -> Expr:
    """A formula of the catalogue's functions in scalar parameters, as an expression."""
    scalars = dict.fromkeys((*parameters, *_hyperparameters()), ())
    meanings = {written: FunctionMeaning(e.name, arity=len(e.parameters)) for written, e in catalog.spelled().items()}
    meanings["logp1"] = FunctionMeaning("log1p", arity=1)  # the name in IEEE 754
    meanings |= {name: FunctionMeaning(name, arity=1 + (name == "expdifference")) for name in DEFINED}
    readings = elaborate(parse(text), Scope(Program(scalars), functions=meanings), text, "accurate form")
    return readings[0].sides[0].expr


@cache
def form(name: str, orders: tuple[int, ...]) -> tuple[tuple[str, ...], Expr]:
    """The parameters of a catalogue function, or of a slope of it, and an accurate formula in primitives.

    >>> form("tanhshrink", (1,))
    (('u',), tanh(u)^2)
    """
    if (name, orders) in CAREFUL:
        parameters = careful(_careful_name(name, *map(str, orders)))[0]
        entry = catalog.function(name)
        assert entry is not None
        called = apply(_careful_name(name, *map(str, orders)), *map(tensor, parameters))
        return entry.parameters, called
    return _plain_form(name, orders)


def _plain_form(name: str, orders: tuple[int, ...]) -> tuple[tuple[str, ...], Expr]:
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
    if texts is None:
        return None
    if (activation, loss) not in PLAIN_PAIRS:
        name = _careful_name(activation, loss, "delta" if slope else "loss")
        return apply(name, *map(tensor, careful(name)[0]))
    return lowered(read(texts[slope], ("u", "y")))


@cache
def careful(name: str) -> tuple[tuple[str, ...], Expr, Reason]:
    """The parameters, hyperparameters among them, and the formula of a careful function, by its name in a kernel.

    >>> careful("careful_silu_1")[0]
    ('u',)
    """
    parameters, body, reason = _careful_formulas()[name]
    return (*parameters, *sorted(names(body) - set(parameters))), body, reason


@cache
def _careful_formulas() -> dict[str, tuple[tuple[str, ...], Expr, Reason]]:
    found: dict[str, tuple[tuple[str, ...], Expr, Reason]] = {}
    for (function, orders), reason in CAREFUL.items():
        found[_careful_name(function, *map(str, orders))] = (*_plain_form(function, orders), reason)
    for (activation, loss), texts in PAIRS.items():
        for text, kind in zip(texts, ("loss", "delta"), strict=True):
            body = lowered(read(text, ("u", "y")))
            reason: Reason = "tail" if activation in _DIFFERENCES else "root" if loss == "poisson" else "zero"
            found[_careful_name(activation, loss, kind)] = (("u", "y"), body, reason)
    return found


def is_careful(name: str) -> bool:
    """Whether a function is one that is computed with more digits."""
    return name.startswith("careful_")


def _careful_name(*parts: str) -> str:
    return "_".join(("careful", *parts)).replace("-", "_")


def defined(root: Expr) -> Expr:
    """The expression without the primitives that the catalogue does not have."""

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Apply) or node.name not in DEFINED:
            return None
        parameters = ("u", "v")[: len(node.args)]
        return inline(
            read(DEFINED[node.name], parameters), {p: ((), a) for p, a in zip(parameters, node.args, strict=True)}
        )

    return rewrite(root, rule)


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
