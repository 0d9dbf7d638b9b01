"""`backproof train`: the derived equations at work on data."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

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

if TYPE_CHECKING:
    from backproof.run.model import Model
    from backproof.run.task import Split

FORMATS: Final = ("text", "json")
EXAMPLES: Final = """\
  backproof train --data digits
  backproof train --data digits --layers 64-32-10 --hidden sigmoid --output sigmoid --loss bce --epochs 50
  backproof train --data flowers.csv --target species --save flowers.safetensors
  backproof train --data flowers.csv --target species --save flowers.safetensors --resume --epochs 40
  backproof train --data new.csv --model flowers.safetensors --predict answers.csv
  backproof train --data large.parquet --target species --stream --save large.safetensors
"""


def configure(parser: CommandParser) -> None:
    """The options of the command."""
    add_training(parser)
    add_suiting_network(parser)
    files = parser.add_argument_group("model")
    files.add_argument("--save", metavar="FILE", help="write the model here after every epoch (safetensors)")
    files.add_argument("--resume", action="store_true", help="go on from --save, bit for bit")
    files.add_argument("--model", metavar="FILE", help="do not train: take this model")
    files.add_argument("--predict", metavar="FILE", help="write the outputs for all examples, in their order, as CSV")
    add_plot(files)
    add_output(parser, FORMATS)


def run(options: argparse.Namespace) -> int:
    """Train or take a model, evaluate, write."""
    demand_svg(options)
    model, split, notes = _taken(options) if options.model is not None else _trained(options)
    result = _result(model, split, notes, trained=options.model is None)
    if options.plot is not None:
        draw(Path(options.plot), [("training", model.history)], notes)
    if options.predict is not None:
        _predict(model, split, Path(options.predict))
        result["predictions"] = options.predict
    if options.format == "json" or str(options.file or "").endswith(".json"):
        deliver(options, json.dumps(result, ensure_ascii=False, indent=2))
    else:
        deliver(options, _text(result))
    return 0


def _trained(options: argparse.Namespace) -> tuple[Model, Split, list[str]]:
    from backproof.run.task import doubts, suitable
    from backproof.run.training import REPLAYED, Data, Trainer

    if options.resume and options.save is None:
        raise UsageError("--resume needs the file to go on from", expected="--save FILE")
    split = split_of(options)
    network = network_of(options, split)
    notes: list[str] = []
    if options.loss is None and options.output is None:
        notes.append(suitable(split)[2])
    notes += [f"unwise: {doubt}" for doubt in doubts(network.output, network.loss, split)]
    if split.constant:
        notes.append(
            f"constant columns teach nothing: {', '.join(split.constant[:8])}{' …' if len(split.constant) > 8 else ''}"
        )
    if split.again is not None:
        notes.append("read piece by piece: the examples are kept on disk, not in memory")
    settings = settings_of(options)
    progress = Progress(settings.epochs)
    watched = (split.test_inputs, split.test_targets) if len(split.test_inputs) else None
    model = Trainer(network, settings).fit(
        Data(split.inputs, split.targets, watched=watched),
        report=progress,
        checkpoint=None if options.save is None else Path(options.save),
        resume=options.resume,
        notes=split.notes(),
    )
    progress.end()
    if options.resume and settings.optimiser in REPLAYED:
        notes.append(f"{settings.optimiser} did its steps again from the first weights: its memory is in no file")
    if model.notes.get("interrupted"):
        notes.append(f"interrupted after epoch {len(model.history)}: the model so far is kept")
    if "stopped_early" in model.notes:
        notes.append(f"stopped early after epoch {model.notes['stopped_early']}: the best weights are kept")
    seen = seen_saturation(model, split)
    if seen:
        notes.append(seen)
    if options.save is not None and settings.patience:
        model.save(Path(options.save))
    return model, split, notes


def _taken(options: argparse.Namespace) -> tuple[Model, Split, list[str]]:
    from backproof.run.model import load_model
    from backproof.run.tables import Known, read_table
    from backproof.run.task import fitted

    model, _, _ = load_model(Path(options.model))
    if options.data is None:
        raise UsageError("there is nothing to predict", expected="--data FILE, or --data digits")
    columns = tuple(str(c) for c in model.notes.get("columns", ()))
    known = Known(int(model.network.sizes[0]), columns, str(model.notes.get("target", "")))
    split = fitted(read_table(options.data, options.target, known), model)
    return model, split, [] if len(split.targets) else ["the data have no targets: there is nothing to compare with"]


def _result(model: Model, split: Split, notes: list[str], *, trained: bool) -> dict[str, Any]:
    parts = {"training": (split.inputs, split.targets), "test": (split.test_inputs, split.test_targets)}
    if not trained:
        parts = {"given": parts["training"]}
    scores: dict[str, float] = {}
    kind = ""
    for part, (inputs, targets) in parts.items():
        if len(targets):
            kind, scores[part] = split.scored(model, inputs, targets)
    return {
        "network": model.network.describe(),
        "examples": {part: len(inputs) for part, (inputs, _) in parts.items()},
        "notes": notes,
        "score": {"kind": kind, **scores},
        "history": model.history,
    }


def _text(result: dict[str, Any]) -> str:
    rows = [result["network"]]
    rows += [f"  {note}" for note in result["notes"]]
    history: list[dict[str, Any]] = [] if "given" in result["examples"] else result["history"]
    if history:
        losses = [record["loss"] for record in history]
        rows.append(f"loss      {curve(losses)}  {losses[0]:.4g} → {losses[-1]:.4g} in {len(losses)} epochs")
    if history and "delta" in history[-1]:
        for layer in range(len(history[0]["delta"])):
            sizes = [record["delta"][layer] for record in history if "delta" in record]
            rows.append(f"|δ| at {layer + 1}  {curve(sizes)}  {sizes[0]:.3g} → {sizes[-1]:.3g}")
    score = result["score"]
    for part, words in (("training", "training examples"), ("test", "test examples"), ("given", "examples")):
        if part in score:
            shown = f"{100 * score[part]:.2f} %" if score["kind"] == "accuracy" else f"{score[part]:.4f}"
            rows.append(f"{score['kind']} on {result['examples'][part]} {words}: {shown}")
    if "predictions" in result:
        rows.append(f"outputs written to {result['predictions']}")
    return "\n".join(rows)


def _predict(model: Model, split: Split, path: Path) -> None:
    import csv

    from backproof.errors import FileError

    units = int(model.network.sizes[-1])
    classes = model.notes.get("classes")
    heads = [f"p({c})" for c in classes] if classes and len(classes) == units else None
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*(heads or [f"output{k + 1}" for k in range(units)]), *(["class"] if classes else [])])
            for row in (row for piece in split.in_order() for row in model.outputs(piece)):
                answer: list[str] = []
                if classes:
                    best = int(row.argmax()) if len(row) > 1 else int(row[0] > 0.5)
                    answer = [classes[best] if best < len(classes) else str(best)]
                writer.writerow([*(f"{v:.9g}" for v in row), *answer])
    except OSError as error:
        raise FileError(f"the predictions cannot be written: {error.strerror}", got=str(path)) from None
