"""The catalogue as a reader sees it: every entry with its definition, what it needs, its kink and its source."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from backproof import catalog
from backproof.catalog.entry import Entry
from backproof.catalog.layers import Layer
from backproof.check.mistakes import NAMED
from backproof.explain.lettering import ascii_words
from backproof.explain.markdown import code, escaped
from backproof.explain.sheet import Row, Span, coloured, plain, wrapped

KINDS: Final = ("activations", "losses", "layers", "mistakes")
WITHOUT_TERMINAL: Final = 100


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry: its name, its defining formulas, and notes with their labels."""

    name: str
    formulas: tuple[str, ...]
    notes: tuple[tuple[str, str], ...]


def listed(kind: str) -> tuple[Listed, ...]:
    """The entries of a kind."""
    match kind:
        case "activations":
            return tuple(_function(entry) for entry in catalog.activations())
        case "losses":
            return tuple(_function(entry) for entry in catalog.losses())
        case "layers":
            return tuple(_layer(layer) for layer in catalog.layers())
        case "mistakes":
            return tuple(Listed(m.name, (), (("says", m.says.format(detail="…")),)) for m in NAMED)
        case _:
            raise ValueError(f"not a kind of the catalogue: {kind}")


def _function(entry: Entry) -> Listed:
    head = f"{entry.name}({', '.join(entry.parameters)})"
    formulas = () if entry.abstract else (f"{head} = {entry.definition}",)
    notes: list[tuple[str, str]] = []
    if entry.abstract:
        notes.append(("abstract", "any function; its slope is written with a prime"))
    if entry.aliases:
        notes.append(("also", ", ".join(entry.aliases)))
    notes += [(p.name, f"{p.meaning or 'a number'}; usually {p.default}") for p in entry.hyperparameters]
    if entry.kink is not None:
        notes.append(("kink", entry.kink))
    return Listed(entry.name, formulas, (*notes, ("source", entry.source)))


def _layer(layer: Layer) -> Listed:
    forms = tuple(f"{form.layout}: {form.matrices}" for form in layer.forms)
    takes = ", ".join(f"{o.name}[{','.join(o.sorts)}]" if o.sorts else o.name for o in layer.operands)
    notes = [("also", ", ".join(layer.aliases))] if layer.aliases else []
    notes += [("takes", takes), ("learnt", ", ".join(layer.parameters))] if layer.parameters else [("takes", takes)]
    notes += [(o.name, o.meaning) for o in layer.operands if o.role == "given"]
    notes += [("limits", layer.limits)] if layer.limits else []
    return Listed(layer.name, (*layer.equations, *forms), (*notes, ("source", layer.source)))


def catalogue_text(kinds: Sequence[str], *, ascii: bool = False, width: int | None = None, colour: bool = False) -> str:
    """The kinds as lists for a terminal."""
    rows: list[Row] = []
    room = (width or WITHOUT_TERMINAL) - 6
    for kind in kinds:
        entries = listed(kind)
        rows += [*([()] if rows else []), (Span(f"{kind} ({len(entries)})", "strong"),)]
        for entry in entries:
            rows.append((Span(f"  {entry.name}", "good"),))
            for text in (*entry.formulas, *(f"{label}: {words}" for label, words in entry.notes)):
                style = "" if text in entry.formulas else "faint"
                block = wrapped(ascii_words(text) if ascii else text, room, style)
                rows += [(Span("      "), *row) for row in block.rows]
    return coloured(rows) if colour else plain(rows)


def catalogue_markdown(kinds: Sequence[str]) -> str:
    """The kinds as lists in Markdown."""
    parts: list[str] = []
    for kind in kinds:
        parts.append(f"## {kind[0].upper()}{kind[1:]}")
        for entry in listed(kind):
            lines = [f"- **{escaped(entry.name)}**"]
            lines += [f"  - {code(formula)}" for formula in entry.formulas]
            lines += [f"  - {label}: {escaped(words)}" for label, words in entry.notes]
            parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def catalogue_json(kinds: Sequence[str]) -> str:
    """The kinds as an object of lists."""
    data = {
        kind: [{"name": e.name, "formulas": list(e.formulas), "notes": dict(e.notes)} for e in listed(kind)]
        for kind in kinds
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
