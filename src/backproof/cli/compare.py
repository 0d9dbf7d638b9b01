"""`backproof compare`: one network, one start, two losses, and both curves."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from backproof.cli.options import add_output, deliver
from backproof.cli.parsing import CommandParser
from backproof.cli.plots import add_plot, demand_svg, draw
from backproof.cli.training_options import (
    Progress,
    add_suiting_network,
    add_training,
    curve,
    network_of,
    seen_saturation,
    settings_of,
    split_of,
)
from backproof.errors import UsageError

FORMATS: Final = ("text", "json")
EXAMPLES: Final = """\
  backproof compare --data digits --output sigmoid --losses bce,mse
  backproof compare --data digits --layers 64-16-10 --hidden sigmoid --output softmax --losses cross-entropy,half-mse
"""


def configure(parser: CommandParser) -> None:
    """The options of the command."""
    parser.add_argument("--losses", metavar="A,B", default="bce,mse", help="the losses to compare (bce,mse)")
    add_training(parser)
    add_suiting_network(parser)
    add_plot(parser)
    add_output(parser, FORMATS)


def run(options: argparse.Namespace) -> int:
    """Train once with each loss from the same weights, in the same order, and show both."""
    from backproof import catalog
    from backproof.run.task import doubts
    from backproof.run.training import Data, Trainer

    demand_svg(options)
    names = [catalog.loss(name.strip()).name for name in options.losses.split(",")]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(
            "compare needs at least two losses that differ", expected="--losses bce,mse", got=options.losses
        )
    if options.output is None:
        options.output = "softmax" if "cross-entropy" in names else "sigmoid"
    split = split_of(options)
    results: list[dict[str, Any]] = []
    for name in names:
        network = network_of(options, split, loss=name)
        progress = Progress(options.epochs)
        watched = (split.test_inputs, split.test_targets) if len(split.test_inputs) else None
        model = Trainer(network, settings_of(options)).fit(
            Data(split.inputs, split.targets, watched=watched), report=progress
        )
        progress.end()
        part = (split.test_inputs, split.test_targets) if watched else (split.inputs, split.targets)
        kind, score = split.scored(model, *part)
        results.append({
            "loss": name,
            "network": network.describe(),
            "score": {"kind": kind, "value": score},
            "doubts": doubts(network.output, name, split),
            "saturation": seen_saturation(model, split),
            "history": model.history,
        })  # fmt: skip
    if options.plot is not None:
        notes = [r["saturation"] for r in results if r["saturation"]]
        draw(Path(options.plot), [(r["loss"], r["history"]) for r in results], notes)
    if options.format == "json" or str(options.file or "").endswith(".json"):
        deliver(options, json.dumps(results, ensure_ascii=False, indent=2))
    else:
        deliver(options, _text(results))
    return 0


def _text(results: list[dict[str, Any]]) -> str:
    rows: list[str] = []
    for result in results:
        history = result["history"]
        losses = [record["loss"] for record in history]
        deltas = [record["delta"][-1] for record in history if "delta" in record]
        rows.append(result["network"])
        if losses:
            rows.append(f"  loss {curve(losses)}  {losses[0]:.4g} → {losses[-1]:.4g}")
        if deltas:
            rows.append(f"  |δ|  {curve(deltas)}  {deltas[0]:.3g} → {deltas[-1]:.3g} at the output")
        score = result["score"]
        shown = f"{100 * score['value']:.2f} %" if score["kind"] == "accuracy" else f"{score['value']:.4f}"
        rows.append(f"  {score['kind']} {shown}")
        rows += [f"  unwise: {doubt}" for doubt in result["doubts"]]
        if result["saturation"]:
            rows.append(f"  {result['saturation']}")
    rows.append("The losses are on different scales: compare how each falls, and the scores.")
    return "\n".join(rows)
