"""backproof derives, checks and proves the backpropagation formulas of neural networks, exactly.

>>> import backproof
>>> network = backproof.Network(output="sigmoid", loss="bce")
>>> [claim] = backproof.check_claim("a - y", network)
>>> claim.verdict
'proved'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from backproof.calculus.interpreter import evaluate
    from backproof.calculus.network import Network, parse_layers
    from backproof.check.code.asserting import assert_gradient
    from backproof.check.code.judging import check_gradient
    from backproof.check.code.verdicts import CodeReport
    from backproof.errors import BackproofError
    from backproof.explain.doors import CheckedClaim, Derivation, check_claim, derive
    from backproof.explain.showing import show
    from backproof.proof.verdict import Verdict
    from backproof.run.digits import digits

__all__ = [
    "BackproofError",
    "CheckedClaim",
    "CodeReport",
    "Derivation",
    "Network",
    "Verdict",
    "assert_gradient",
    "check_claim",
    "check_gradient",
    "derive",
    "digits",
    "evaluate",
    "parse_layers",
    "show",
]

# Each name is fetched from its module when it is first used, so that importing backproof costs nothing. The room
# `backproof.check` has its name already: its function is `check_claim` here.
_HOMES: Final = {
    "BackproofError": ("errors", "BackproofError"),
    "CheckedClaim": ("explain.doors", "CheckedClaim"),
    "CodeReport": ("check.code.verdicts", "CodeReport"),
    "Derivation": ("explain.doors", "Derivation"),
    "Network": ("calculus.network", "Network"),
    "Verdict": ("proof.verdict", "Verdict"),
    "assert_gradient": ("check.code.asserting", "assert_gradient"),
    "check_claim": ("explain.doors", "check_claim"),
    "check_gradient": ("check.code.judging", "check_gradient"),
    "derive": ("explain.doors", "derive"),
    "digits": ("run.digits", "digits"),
    "evaluate": ("calculus.interpreter", "evaluate"),
    "parse_layers": ("calculus.network", "parse_layers"),
    "show": ("explain.showing", "show"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'backproof' has no attribute {name!r}")
    module, own = _HOMES[name]
    return getattr(importlib.import_module(f"backproof.{module}"), own)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
