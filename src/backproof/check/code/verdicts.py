"""Verdicts about gradients in code: what is right, what is wrong and where, and what the mistake is."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from backproof.check.code.kinds import CodeMistake

Judged = Literal["proved", "refuted", "unknown", "unread"]
VERDICTS: Final = ("proved", "refuted", "unknown", "unread")


@dataclass(frozen=True, slots=True)
class Deviation:
    """Where a gradient is wrong: how far, the worst entry with both values, and how many entries."""

    relative: float
    index: tuple[int, ...]
    yours: float
    correct: float
    entries: int
    size: int
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class GradientVerdict:
    """The verdict about one gradient.

    `proved` says that the gradient is right; `basis` says on what ground: `proved` when the backward code was traced
    and proved equal to the derivation, `measured` when it agrees with the derivative at every point that was tried,
    `method` with what it was compared. `mistakes` come simplest first.
    """

    name: str
    verdict: Judged
    line: int | None = None
    basis: Literal["proved", "measured"] = "measured"
    method: str = ""
    deviation: Deviation | None = None
    mistakes: tuple[CodeMistake, ...] = ()
    conditions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    because: str | None = None

    def __bool__(self) -> bool:
        return self.verdict == "proved"


@dataclass(frozen=True, slots=True)
class CodeReport:
    """The verdicts about all gradients of a backward function, and what was noticed besides."""

    file: str | None
    gradients: tuple[GradientVerdict, ...]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    printed: str = field(default="", compare=False)

    @property
    def ok(self) -> bool:
        """Whether every gradient is right."""
        return bool(self.gradients) and all(self.gradients)

    def __bool__(self) -> bool:
        return self.ok

    def __getitem__(self, name: str) -> GradientVerdict:
        return next(g for g in self.gradients if g.name == name)

    def __str__(self) -> str:
        return "\n".join(written(self))

    def counts(self) -> dict[str, int]:
        """How many gradients have each verdict."""
        found = Counter(g.verdict for g in self.gradients)
        return {verdict: found[verdict] for verdict in VERDICTS}

    def data(self) -> dict[str, Any]:
        """The report with the keys of the JSON contract, and `basis`, `method`, `deviation` and `notes` besides."""
        return {
            "claims": [_claim(self, g) for g in self.gradients],
            "summary": self.counts(),
            "notes": list(self.notes),
        }


def _claim(report: CodeReport, gradient: GradientVerdict) -> dict[str, Any]:
    deviation = gradient.deviation
    return {
        "claim": gradient.name,
        "where": None if report.file is None else {"file": report.file, "line": gradient.line or 1, "column": 1},
        "read_as": None,
        "verdict": gradient.verdict,
        "conditions": list(gradient.conditions),
        "correct": None,
        "mistakes": [
            {
                "name": m.name,
                "detail": m.detail,
                "says": m.says,
                "line": m.line,
                "fix": m.fix,
                "joint": m.joint,
                "proved": m.proved,
            }
            for m in gradient.mistakes
        ],
        "would_be_right_for": [],
        "witness": None
        if deviation is None
        else {
            "index": list(deviation.index),
            "left": {"value": repr(deviation.correct)},
            "right": {"value": repr(deviation.yours)},
        },
        "because": gradient.because,
        "basis": gradient.basis if gradient.verdict == "proved" else None,
        "method": gradient.method,
        "deviation": None
        if deviation is None
        else {
            # What deviates from nothing but zeros has no relative size.
            "relative": deviation.relative if math.isfinite(deviation.relative) else None,
            "entries": deviation.entries,
            "size": deviation.size,
            "ratio": deviation.ratio,
        },
        "notes": list(gradient.notes),
    }


def written(report: CodeReport) -> list[str]:
    """The report as lines of text."""
    words = {"proved": "right", "refuted": "WRONG", "unknown": "undecided", "unread": "not read"}
    lines: list[str] = []
    width = max((len(g.name) for g in report.gradients), default=0)
    for gradient in report.gradients:
        place = f"  line {gradient.line}" if gradient.line and gradient.verdict != "proved" else ""
        ground = ", proved" if gradient.verdict == gradient.basis == "proved" else ""
        lines.append(f"{gradient.name:<{width}}  {words[gradient.verdict]}{ground}{place}")
        lines += [f"    {row}" for row in _details(gradient)]
    lines += [f"note: {note}" for note in report.notes]
    return lines


def _details(gradient: GradientVerdict) -> list[str]:
    rows: list[str] = []
    deviation = gradient.deviation
    if gradient.verdict == "refuted" and deviation is not None:
        at = f"[{', '.join(map(str, deviation.index))}]"
        rows.append(f"at {at}: yours {deviation.yours:.6g}, correct {deviation.correct:.6g}")
        if deviation.ratio is not None:
            rows.append(f"yours = {deviation.ratio:.6g} × correct, in every entry")
        elif deviation.entries < deviation.size:
            rows.append(f"{deviation.entries} of {deviation.size} entries are wrong")
    for number, mistake in enumerate(gradient.mistakes):
        where = f" (line {mistake.line})" if mistake.line else ""
        head = "likely cause" if number == 0 else "and" if mistake.joint else "or"
        head += ", proved" if mistake.proved else ""
        rows.append(f"{head}: {mistake.name}: {mistake.says}{where}")
    if gradient.mistakes and gradient.mistakes[0].fix:
        rows.append(f"fix: {gradient.mistakes[0].fix}")
    rows += [f"needs {condition}" for condition in gradient.conditions]
    if gradient.because is not None:
        rows.append(f"because: {gradient.because}")
    return rows + list(gradient.notes)
