"""Fingerprints: the functions of the catalogue at one fixed point, to see which networks a claim is not about.

A network of the output layer alone is told from another by four numbers of its activation and two of its loss: no other
network has to be built and swept backwards to see that a claim does not hold for it. What may hold is looked at closely
and proved. The numbers are what the reference interpreter gives; a test computes them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from backproof import catalog
from backproof.calculus.network import Network
from backproof.check.few_points import FewPoint
from backproof.check.rows import Few, agree, is_zero
from backproof.errors import BackproofError
from backproof.language.expression import Apply, Expr, Tensor, tensor
from backproof.language.program import Program
from backproof.language.walks import names, rewrite

OUTPUTS: Final = (0.3, 0.7)
TARGETS: Final = (-0.9, 1.9)
"""Both add up to 1, as a softmax wants it; they are more than 1 apart, beyond Huber's parabola."""

ACTIVATIONS: Final[Mapping[str, tuple[float, float, float, float]]] = {
    "identity": (0.3, 0.7, 1.0, 1.0),
    "sigmoid": (-0.847297860387204, 0.847297860387203, 0.21, 0.21),
    "tanh": (0.309519604203112, 0.867300527694053, 0.91, 0.51),
    "relu": (0.3, 0.7, 1.0, 1.0),
    "leaky-relu": (0.3, 0.7, 1.0, 1.0),
    "relu6": (0.3, 0.7, 1.0, 1.0),
    "squared-relu": (0.547722557505166, 0.836660026534075, 1.09544511501033, 1.67332005306815),
    "elu": (0.3, 0.7, 1.0, 1.0),
    "selu": (0.285523668113297, 0.66622189226436, 1.05070098735548, 1.05070098735548),
    "celu": (0.3, 0.7, 1.0, 1.0),
    "softplus": (-1.05022561281485, 0.0136589971916149, 0.259181779318282, 0.50341469620859),
    "softsign": (0.428571428571428, 2.33333333333333, 0.49, 0.09),
    "silu": (0.484754509026778, 0.966332985174764, 0.733208966785288, 0.917316394267573),
    "swish-beta": (0.484754509026778, 0.966332985174764, 0.733208966785288, 0.917316394267573),
    "mish": (0.413052800024644, 0.840019705273634, 0.843752315986245, 1.01261091019918),
    "gelu": (0.44623781478643, 0.867292802215825, 0.833439487466024, 1.0446500726763),
    "gelu-tanh": (0.446251417503804, 0.86739439744041, 0.833354010279479, 1.04434374725968),
    "quick-gelu": (0.441505674261028, 0.861538285073636, 0.84314385743907, 1.03588746814711),
    "exp": (-1.20397280432594, -0.356674943938733, 0.3, 0.7),
    "arctan": (0.309336249609623, 0.842288380463079, 0.912667807454839, 0.584983571450121),
    "hard-tanh": (0.3, 0.7, 1.0, 1.0),
    "hard-sigmoid": (-1.2, 1.2, 0.166666666666667, 0.166666666666667),
    "hard-swish": (0.512461179749811, 1.03968501984006, 0.670820393249937, 0.84656167328002),
    "tanhshrink": (1.10077847780891, 1.62540431795847, 0.641246170521957, 0.856373151696176),
    "soft-shrink": (0.8, 1.2, 1.0, 1.0),
    "sin": (0.304692654015397, 0.775397496610753, 0.953939201416946, 0.714142842854285),
    "gaussian": (1.09725694544438, 0.597222692082888, -0.65835416726663, -0.836111768916044),
    "lecun-tanh": (0.264975280871589, 0.649722727029082, 1.1089662606601, 0.953557048779066),
    "bent-identity": (0.28067825849656, 0.61342342753675, 1.13511771030614, 1.26144217836759),
}
"""Elementwise activations: where they have the values `OUTPUTS`, and their slopes there."""

VECTORS: Final[Mapping[str, tuple[float, float, float]]] = {
    "softmax": (-1.20397280432594, -0.356674943938732, 1.0),
    "softmin": (1.20397280432594, 0.356674943938732, -1.0),
}
"""Activations e^(s·z)/Σ e^(s·z): where they have the values `OUTPUTS`, and s."""

LOSSES: Final[Mapping[str, tuple[float, float]]] = {
    "mse": (2.4, -2.4),
    "half-mse": (1.2, -1.2),
    "bce": (5.71428571428571, -5.71428571428571),
    "bce-with-logits": (1.47444251681166, -1.23181222783183),
    "cross-entropy": (3.0, -2.71428571428571),
    "cross-entropy-with-logits": (1.30131233988755, -1.30131233988755),
    "nll": (0.9, -1.9),
    "mae": (1.0, -1.0),
    "huber": (1.0, -1.0),
    "smooth-l1": (1.0, -1.0),
    "log-cosh": (0.833654607012155, -0.833654607012155),
    "quantile": (0.5, -0.5),
    "charbonnier": (0.999999652777959, -0.999999652777959),
    "pseudo-huber": (0.768221279597376, -0.768221279597376),
    "cauchy": (0.697674418604651, -0.697674418604651),
    "msle": (3.94607593455621, -0.628332336388539),
    "hinge": (0.9, 0.0),
    "squared-hinge": (2.286, 0.0),
    "soft-margin": (0.510383614468909, -0.39740279390482),
    "exponential": (1.17896800565992, -0.502506796469666),
    "poisson": (4.0, -1.71428571428571),
    "poisson-with-log-rate": (2.249858807576, 0.113752707470477),
    "gamma": (13.3333333333333, -2.44897959183673),
    "itakura-saito": (13.3333333333333, -2.44897959183673),
    "kl": (3.0, -2.71428571428571),
    "focal": (3.63790088382655, -3.63790088382655),
    "balanced-focal": (1.23492279614457, -2.40297808768198),
    "dice": (1.43, -1.37),
    "categorical-focal": (2.98700573345068, -0.650895150375869),
}
"""Losses: their slopes by the prediction at `OUTPUTS` and `TARGETS`."""

SLOPES: Final = "f'(z)"


def may_hold(network: Network, left: Expr, right: Expr) -> bool:
    """Whether a claim about an output layer may hold: false only where the numbers say that it does not."""
    slopes = LOSSES.get(network.loss)
    if network.sizes or slopes is None or not isinstance(left, Tensor) or len(left.indices) != 1:
        return True
    gradient = left.name.removeprefix("∂J/∂")
    point = _point(network.output, left.indices[0].sort)
    if point is None or gradient not in {"a", "z"}:
        return True
    claim = _with_own_values(right, network.output)
    if not names(claim) <= {"a", "z", "y", SLOPES}:
        return True
    try:
        claimed = point.row(claim, left.indices)
    except BackproofError:
        return True
    truth = Few(slopes) if gradient == "a" else _swept(network.output, slopes)
    return not is_zero(truth) and agree(truth, claimed)


def _swept(output: str, slopes: tuple[float, float]) -> Few:
    """∂J/∂z from ∂J/∂a."""
    if output in ACTIVATIONS:
        return Few(slopes) * Few(ACTIVATIONS[output][2:])
    scale = VECTORS[output][2]
    mean = sum(a * g for a, g in zip(OUTPUTS, slopes, strict=True))
    return Few(tuple(scale * a * (g - mean) for a, g in zip(OUTPUTS, slopes, strict=True)))


@lru_cache(maxsize=128)
def _point(output: str, sort: str) -> FewPoint | None:
    """The point at which an output layer has the values `OUTPUTS`."""
    given: dict[str, tuple[float, ...]] = {"a": OUTPUTS, "y": TARGETS}
    if output in ACTIVATIONS:
        given |= {"z": ACTIVATIONS[output][:2], SLOPES: ACTIVATIONS[output][2:]}
    elif output in VECTORS:
        given |= {"z": VECTORS[output][:2]}
    else:
        return None
    return FewPoint(Program(dict.fromkeys(given, (sort,))), given=given)


def _with_own_values(claim: Expr, output: str) -> Expr:
    """The claim with f(z) and f′(z) of the network's own activation as names."""

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Apply) or node.name != output or not isinstance(node.args[0], Tensor):
            return None
        if node.args[0].name != "z" or not catalog.activation(output).elementwise or node.orders[0] > 1:
            return None
        return tensor(SLOPES if node.orders[0] else "a", *node.args[0].indices)

    return rewrite(claim, rule)
