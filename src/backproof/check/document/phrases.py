"""Phrases of a text that change what a formula near them claims."""

from __future__ import annotations

import re
from typing import Final

DENOMINATOR: Final = re.compile(r"denominator[- ]layout", re.IGNORECASE)
ONE_EXAMPLE: Final = re.compile(
    r"\b(?:single|one|each|per|i-?th|every|individual)[ -]+(?:\w+[ -]+)?"
    r"(?:example|sample|observation|datum|point|instance)"
    r"|\bper[- ](?:example|sample)|\bstochastic|\bein(?:em|es|zelne\w*)? Beispiel|\bun (?:seul )?exemple|\bun ejemplo",
    re.IGNORECASE,
)

UP_TO: Final = re.compile(
    r"up to (?:a|an|the|some)?\s*(?:\w+\s+)?(?:factor|constant|scal\w+|sign)|proportional"
    r"|(?:ignor|drop|omit|neglect|absorb)\w*[^.]{0,40}(?:constant|factor|scal)|bis auf einen|facteur près|salvo un",
    re.IGNORECASE,
)

BY_ROWS: Final = re.compile(
    r"\brow[- ]?wise|\b(?:each|every|per|by|over(?: the)?|along(?: the)?) rows?\b|zeilenweise|par lignes?|por filas?",
    re.IGNORECASE,
)

BY_COLUMNS: Final = re.compile(
    r"\bcolumn[- ]?wise|\b(?:each|every|per|by|over(?: the)?|along(?: the)?) columns?\b|spaltenweise|par colonnes?",
    re.IGNORECASE,
)

NEGATIVES: Final = re.compile(r"\bnegative|\bnoise\b|skip-?gram", re.IGNORECASE)

SYMMETRY: Final = re.compile(r"symm?[eé]tr", re.IGNORECASE)

IN_A_CASE: Final = re.compile(
    r"\b(?:when(?:ever)?|if|where|while|as long as|assuming|provided|in the)\b[^.]{0,60}"
    r"\b(?:in)?(?:active|violated|positive|negative|non-?zero|zero|saturated|satisfied|inside|outside)\b",
    re.IGNORECASE,
)
