"""Plots of the gallery: functions of the catalogue as lines in SVG, computed from their definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backproof import catalog
from backproof.calculus.interpreter import evaluate, evaluate_expr
from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name
from backproof.calculus.unfolding import open_slopes
from backproof.catalog.entry import Activation, Loss
from backproof.language.expression import Index, apply, tensor
from backproof.proof.derivation import derive
from backproof.web.demonstration import proved_program

POINTS: Final = 241
TICKS: Final = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
FAR: Final = 5.0
SHOWN: Final = {"probability": (0.02, 0.98), "positive": (0.1, 6.0), "real": (-5.0, 5.0), "logit": (-5.0, 5.0)}
TARGETS: Final = {"real": 0.0, "probability": 1.0, "plus-minus-one": 1.0, "count": 2.0, "positive": 2.0}
SURE: Final = [1.0, 0.0, 0.0]
SOFT: Final = [0.8, 0.1, 0.1]

Line = tuple[str, NDArray[np.float64]]


def activation_plot(entry: Activation) -> str:
    """An activation with its slope; one that takes vectors with two of its three outputs."""
    grid = np.linspace(-5.0, 5.0, POINTS)
    if not entry.elementwise:
        program = Network(output=entry.name, loss="half-mse").program
        given = {"y": [0, 0, 0], **_usual(entry)}
        found = [evaluate(program, {**given, "z": [u, 0, 0]})["a"] for u in grid]
        lines = [(f"a{'₁₂'[k]}", np.array([float(a[k]) for a in found])) for k in range(2)]
        return plot(f"{entry.name} of z₁, 0, 0", "z₁", grid, lines)
    return plot(f"{entry.name} and its slope", "u", grid, _with_slope(entry, grid, {}))


def loss_plot(entry: Loss) -> str:
    """A loss with its slope, for one target; one that takes vectors with δ of the first of three logits."""
    if entry.elementwise:
        grid, target = np.linspace(*SHOWN[entry.prediction], POINTS), TARGETS[entry.target]
        label = f"{entry.name} and its slope for y = {target:g}"
        return plot(label, "a", grid, _with_slope(entry, grid, {"y": target}))
    activation = (*entry.pairs_with, "identity")[0]
    program = proved_program(derive(Network(output=activation, loss=entry.name), ("delta_L",)))
    grid = np.linspace(-5.0, 5.0, POINTS)
    target = SOFT if entry.target == "distribution" else SURE
    given = {"y": target, **_usual(entry), **_usual(catalog.activation(activation))}
    found = [evaluate(program, {**given, "z": [u, 0, 0]}) for u in grid]
    loss = np.array([float(values["J"]) for values in found])
    slope = np.array([float(values[adjoint_name("J", "z")][0]) for values in found])
    label = f"{entry.name} after {activation} of z₁, 0, 0, and δ₁, for y = {', '.join(f'{v:g}' for v in target)}"
    return plot(label, "z₁", grid, [("loss J", loss), ("δ₁ (dashed)", slope)])


def delta_plot(activation: str, losses: Sequence[str], target: float) -> str:
    """|δ| of one unit against its logit, for several losses."""
    grid = np.linspace(-8.0, 8.0, POINTS)
    lines: list[Line] = []
    for loss in losses:
        program = proved_program(derive(Network(output=activation, loss=loss), ("delta_L",)))
        values = evaluate(program, {"z": grid, "y": np.full(POINTS, target)})[adjoint_name("J", "z")]
        lines.append((f"{loss}{' (dashed)' if lines else ''}", np.abs(np.asarray(values, float))))
    return plot(f"|δ| of {activation} for y = {target:g}", "z", grid, lines)


def _usual(entry: Activation | Loss) -> dict[str, float]:
    return {h.name: float(h.default) for h in entry.hyperparameters}


def _with_slope(entry: Activation | Loss, grid: NDArray[np.float64], others: Mapping[str, float]) -> list[Line]:
    index = Index("i", "n")
    first = entry.parameters[0]
    given = {first: grid, **others, **_usual(entry)}
    lines: list[Line] = []
    for name, order in (("function", 0), ("slope (dashed)", 1)):
        arguments = [tensor(p, index) if p == first else tensor(p) for p in entry.parameters]
        applied = open_slopes(apply(entry.name, *arguments, orders=(order, *(0 for _ in arguments[1:]))))
        with np.errstate(all="ignore"):
            found = evaluate_expr(applied, given, indices=(index,), sizes={"n": len(grid)})
        lines.append((name, np.broadcast_to(np.asarray(found, float), grid.shape)))
    return lines


def plot(label: str, letter: str, xs: NDArray[np.float64], lines: Sequence[Line]) -> str:
    """Lines over one axis, with a grid, a legend, and a label for those who cannot see them."""
    low, high = float(xs[0]), float(xs[-1])
    bottom = max(-FAR, min(0.0, *(float(np.nanmin(v)) for _, v in lines)))
    top = min(FAR, max(min(1.0, 0.0 - bottom or 1.0), *(float(np.nanmax(v)) for _, v in lines)))
    room = 0.06 * (top - bottom)
    bottom, top = bottom - room, top + room

    def x(u: float) -> float:
        return 44 + (u - low) / (high - low) * 500

    def y(v: float) -> float:
        return 236 - (min(top, max(bottom, v)) - bottom) / (top - bottom) * 206

    parts: list[str] = []
    for u in _ticks(low, high):
        parts.append(f'<path class="grid" d="M{x(u):.1f} 30V236"/>')
        parts.append(f'<text x="{x(u):.1f}" y="253" text-anchor="middle">{signed(u)}</text>')
    for v in _ticks(bottom, top):
        parts.append(f'<path class="grid" d="M44 {y(v):.1f}H544"/>')
        parts.append(f'<text x="38" y="{y(v) + 4:.1f}" text-anchor="end">{signed(v)}</text>')
    zero = f"M{x(0):.1f} 30V236" if low <= 0 <= high else ""
    parts.append(f'<path class="axis" d="M44 {y(0):.1f}H544{zero}"/>')
    parts.append(f'<text x="552" y="{y(0) + 4:.1f}">{letter}</text>')
    at = 50.0
    for number, (name, values) in enumerate(lines, start=1):
        # A jump is no line: neighbours that are far apart start a new stroke.
        far = 0.25 * (top - bottom)
        pen, path = "M", ""
        inside = (values >= bottom) & (values <= top)
        for k, (u, v) in enumerate(zip(xs, values, strict=True)):
            # Where it leaves the picture, a line ends at the edge.
            if not np.isfinite(v) or not inside[max(0, k - 1) : k + 2].any():
                pen = "M"
                continue
            if k and abs(v - values[k - 1]) > far:
                pen = "M"
            path += f"{pen}{x(float(u)):.1f} {y(float(v)):.1f}"
            pen = "L"
        parts.append(f'<path class="c{number}" d="{path}"/>')
        parts.append(f'<path class="c{number}" d="M{at:.0f} 13h26"/>')
        parts.append(f'<text class="c{number}" x="{at + 32:.0f}" y="17">{escape(name)}</text>')
        at += 56 + 7.6 * len(name)
    words = escape(f"{label}, {letter} from {signed(low)} to {signed(high)}", quote=True)
    svg = f'<svg viewBox="0 0 580 260" role="img" aria-label="{words}">{"".join(parts)}</svg>'
    return f'<figure>{svg}<figcaption class="quiet">{escape(label)}</figcaption></figure>'


def _ticks(low: float, high: float) -> list[float]:
    step = next((t for t in TICKS if (high - low) / t <= 8), TICKS[-1])
    return [round(k * step, 6) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def signed(value: float) -> str:
    """A number with a real minus sign."""
    return f"{value:g}".replace("-", "−")
