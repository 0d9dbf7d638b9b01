"""Derivations and checked claims as JSON, with the keys of the contract."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from backproof.check.wording import condition_texts
from backproof.language.latex import typeset
from backproof.language.notation import Notation, Relation
from backproof.language.text import write
from backproof.proof.derivation import Derivation
from backproof.proof.layer_derivation import LayerDerivation
from backproof.proof.verdict import Nested, Witness

if TYPE_CHECKING:
    from backproof.check.claims import CheckedClaim

VERDICTS: Final = ("proved", "refuted", "unknown", "unread")


def derivation_json(derivation: Derivation | LayerDerivation) -> str:
    """The equations and steps of a derivation."""
    equations = [
        {
            "name": equation.name,
            **_both(equation.notation),
            "verdict": equation.verdict.kind.value,
            "conditions": condition_texts(equation.verdict.open_conditions, derivation.program),
        }
        for equation in derivation.equations
    ]
    steps = [
        {"of": step.of, **_both(Relation((step.left, step.notation), ("=",))), "why": step.why}
        for step in derivation.steps
    ]
    return _dumped({"equations": equations, "steps": steps})


def claims_json(claims: Sequence[CheckedClaim]) -> str:
    """The claims with their verdicts, and how many of each there are."""
    counts = Counter(claim.verdict for claim in claims)
    summary = {verdict: counts[verdict] for verdict in VERDICTS}
    return _dumped({"claims": [claim_data(claim) for claim in claims], "summary": summary})


def claim_data(claim: CheckedClaim) -> dict[str, Any]:
    """One claim with the keys of the contract."""
    where = claim.where
    return {
        "claim": claim.claim,
        "where": None if where is None else {"file": where.file, "line": where.line, "column": where.column},
        "read_as": None if claim.read_as is None else write(claim.read_as),
        "verdict": claim.verdict,
        "conditions": condition_texts(claim.conditions, claim.network.program),
        "correct": None if claim.correct is None else _both(claim.correct),
        "mistakes": [{"name": m.name, "detail": m.detail, "says": m.says} for m in claim.mistakes],
        "would_be_right_for": list(claim.would_be_right_for),
        "witness": None if claim.witness is None else witness_data(claim.witness),
        "because": claim.because,
    }


def witness_data(witness: Witness) -> dict[str, Any]:
    """Exact numbers as text, `-3/8`; the values of both sides as decimal text with a certified radius."""
    return {
        "sizes": dict(witness.sizes),
        "inputs": {name: _exact(value) for name, value in witness.inputs.items()},
        "index": dict(witness.index),
        "left": {"value": witness.left.middle, "radius": witness.left.radius},
        "right": {"value": witness.right.middle, "radius": witness.right.radius},
        "functions": {name: repr(body) for name, body in witness.functions.items()},
        "blocks": {name: list(lengths) for name, lengths in witness.blocks.items()},
    }


def _exact(value: Nested) -> Any:
    return [_exact(entry) for entry in value] if isinstance(value, tuple) else str(value)


def _both(notation: Notation) -> dict[str, str]:
    return {"text": write(notation), "latex": typeset(notation)}


def _dumped(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
