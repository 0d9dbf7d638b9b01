"""Repairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backproof.check.code.kinds import CodeMistake

if TYPE_CHECKING:
    from backproof.check.code.diagnosis import Case


def explain(case: Case) -> dict[str, list[CodeMistake]]:
    del case
    return {}
