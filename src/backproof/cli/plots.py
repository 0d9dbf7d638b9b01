"""Plots of training as SVG: the loss, and the mean of |δ| in every layer, over the epochs, on logarithmic scales."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

from backproof.errors import FileError, UsageError

WIDE, HIGH, LEFT, TOP = 360, 260, 70, 50
COLOURS: Final = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
)  # Okabe & Ito: also for the colour-blind
DASHES: Final = ("", "6 3", "2 3", "8 3 2 3")


@dataclass(frozen=True, slots=True)
class Curve:
    """Values of epochs 1, 2, …, with a name and a way of drawing."""

    name: str
    values: tuple[float, ...]
    colour: str
    dash: str = ""


def add_plot(parser: Any) -> None:
    """The option that asks for a plot."""
    parser.add_argument("--plot", metavar="FILE", help="draw the loss and |δ| of every layer, as FILE.svg")


def demand_svg(options: argparse.Namespace) -> None:
    """Says before training that only SVG is drawn."""
    if options.plot is not None and Path(options.plot).suffix.lower() != ".svg":
        raise UsageError("plots are drawn as SVG", expected="--plot FILE.svg", got=options.plot)


def draw(path: Path, runs: Sequence[tuple[str, Sequence[dict[str, Any]]]], notes: Sequence[str] = ()) -> None:
    """Write the plot of some trainings, each with its name and its history. Raises FileError."""
    try:
        path.write_text(picture(runs, notes), encoding="utf-8", newline="\n")
    except OSError as error:
        raise FileError(f"the plot cannot be written: {error.strerror}", got=str(path)) from None


def picture(runs: Sequence[tuple[str, Sequence[dict[str, Any]]]], notes: Sequence[str] = ()) -> str:
    """The SVG: on the left every loss, on the right |δ| of every layer; notes stand below."""
    losses: list[Curve] = []
    deltas: list[Curve] = []
    for k, (name, history) in enumerate(runs):
        colour = COLOURS[k % len(COLOURS)]
        losses.append(Curve(name, tuple(r["loss"] for r in history), colour))
        if any("watched" in r for r in history):
            watched = tuple(r.get("watched", math.nan) for r in history)
            losses.append(Curve(f"{name}, test", watched, colour, DASHES[1]))
        layers = max((len(r["delta"]) for r in history if "delta" in r), default=0)
        for layer in range(layers):
            values = tuple(r["delta"][layer] if "delta" in r else math.nan for r in history)
            shade = COLOURS[(k if len(runs) > 1 else layer) % len(COLOURS)]
            dash = DASHES[(layers - 1 - layer) % len(DASHES)]
            deltas.append(
                Curve(f"{name}, layer {layer + 1}" if len(runs) > 1 else f"layer {layer + 1}", values, shade, dash)
            )
    legend = 16 * max(len(losses), len(deltas))
    lines = [piece for note in notes for piece in _wrapped(note, 120)]
    width, height = 2 * (WIDE + LEFT) + 30, TOP + HIGH + 50 + legend + 16 * len(lines) + 10
    view = f"0 0 {width} {height}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" font-family="sans-serif" font-size="12">',
        "<title>Loss and |δ| over the epochs</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *_panel(LEFT, "loss", losses),
        *_panel(2 * LEFT + WIDE, "mean of |δ|", deltas),
    ]
    parts += [
        f'<text x="{LEFT}" y="{TOP + HIGH + 56 + legend + 16 * k}">{escape(line)}</text>'
        for k, line in enumerate(lines)
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(left: int, title: str, curves: Sequence[Curve]) -> list[str]:
    shown = [v for c in curves for v in c.values if math.isfinite(v) and v > 0]
    parts = [f'<text x="{left}" y="{TOP - 16}" font-weight="bold">{escape(title)}</text>']
    parts.append(f'<rect x="{left}" y="{TOP}" width="{WIDE}" height="{HIGH}" fill="none" stroke="#888"/>')
    epochs = max((len(c.values) for c in curves), default=0)
    if not shown or not epochs:
        parts.append(f'<text x="{left + 10}" y="{TOP + 24}">nothing to show</text>')
        return parts
    low, high = math.log10(min(shown)), math.log10(max(shown))
    if high - low < 0.2:
        low, high = low - 0.1, high + 0.1

    def across(epoch: int) -> float:
        return left + WIDE * (epoch - 1) / max(1, epochs - 1)

    def up(value: float) -> float:
        return TOP + HIGH * (high - math.log10(value)) / (high - low)

    for tick in _ticks(low, high):
        y = up(tick)
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + WIDE}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:.3g}</text>')
    for epoch in sorted({1, epochs, (epochs + 1) // 2}):
        x = across(epoch)
        parts.append(f'<text x="{x:.1f}" y="{TOP + HIGH + 16}" text-anchor="middle">{epoch}</text>')
    parts.append(f'<text x="{left + WIDE / 2}" y="{TOP + HIGH + 32}" text-anchor="middle">epoch</text>')
    for k, curve in enumerate(curves):
        points = [f"{across(n):.1f},{up(v):.1f}" for n, v in enumerate(curve.values, 1) if math.isfinite(v) and v > 0]
        style = f'fill="none" stroke="{curve.colour}" stroke-width="2" stroke-dasharray="{curve.dash}"'
        parts.append(f'<polyline points="{" ".join(points)}" {style}/>')
        y = TOP + HIGH + 48 + 16 * k
        parts.append(f'<line x1="{left}" y1="{y - 4}" x2="{left + 30}" y2="{y - 4}" {style}/>')
        parts.append(f'<text x="{left + 38}" y="{y}">{escape(curve.name)}</text>')
    return parts


def _ticks(low: float, high: float) -> list[float]:
    """Powers of ten, or where there are fewer than two, rounder numbers between."""
    decades = [10.0**k for k in range(math.ceil(low), math.floor(high) + 1)]
    if len(decades) >= 2:
        return decades[:: -(-len(decades) // 8)]
    steps = (1, 1.5, 2, 3, 5, 7)
    return [
        s * 10.0**k
        for k in range(math.floor(low), math.ceil(high) + 1)
        for s in steps
        if low <= math.log10(s) + k <= high
    ]


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width)
