"""The gallery: the catalogue, the two courses and what is proved, as pages that open from a disk.

`python -m backproof.web.gallery FOLDER` writes it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from backproof import catalog
from backproof.catalog.entry import Activation, Entry, Loss
from backproof.catalog.layers import Layer
from backproof.explain.mathml import formula
from backproof.explain.page import asset, face, words
from backproof.web import articles
from backproof.web.entries import activation_body, card, defining, layer_body, loss_body
from backproof.web.policy import own


def write_gallery(folder: Path) -> tuple[Path, ...]:
    """Write every page of the gallery into a folder; the files that were written."""
    pages = {f"{name}.html": text for name, text in _pages()}
    pages["gallery.css"] = face() + asset("page.css") + own("gallery.css")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return tuple(folder / name for name in pages)


def _pages() -> Iterator[tuple[str, str]]:
    activations = [a for a in catalog.activations() if not a.abstract]
    losses = [entry for entry in catalog.losses() if not entry.abstract]
    layers = catalog.layers()
    yield "index", _page("The gallery", _index(activations, losses, layers))
    yield "courses", _page("The two courses", articles.courses())
    yield "proved", _page("What is proved and what is assumed", articles.proved(activations, losses, layers))
    for activation in activations:
        yield f"activation-{activation.name}", _page(activation.name, activation_body(activation, losses))
    for loss in losses:
        yield f"loss-{loss.name}", _page(loss.name, loss_body(loss))
    for layer in layers:
        yield f"layer-{layer.name}", _page(layer.name, layer_body(layer))


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n'
        f"<title>{words(title)} · backproof gallery</title>\n"
        '<link rel="stylesheet" href="gallery.css">\n</head>\n<body>\n'
        '<header><nav aria-label="gallery"><a href="index.html">gallery</a> · '
        '<a href="courses.html">the two courses</a> · '
        f'<a href="proved.html">what is proved</a></nav><h1>{words(title)}</h1></header>\n<main>\n{body}\n</main>\n'
        "<footer><p>Made by backproof from its catalogue: every formula is printed from the expression that was "
        "proved.</p></footer>\n</body>\n</html>\n"
    )


def _index(activations: Sequence[Activation], losses: Sequence[Loss], layers: Sequence[Layer]) -> str:
    def linked(kind: str, entries: Sequence[Entry]) -> str:
        rows = "".join(
            f'<li><a href="{kind}-{e.name}.html">{words(e.name)}</a>'
            f"{'' if catalog.is_axiom(e.name) else formula(defining(e))}</li>"
            for e in entries
        )
        return f'<ul class="entries">{rows}</ul>'

    named = "".join(f'<li><a href="layer-{layer.name}.html">{words(layer.name)}</a></li>' for layer in layers)
    lead = (
        '<p class="lead">The error of the last layer, δ, for every activation and loss that backproof knows: which '
        "factors cancel, and when; and the gradients of layers. Start with <a href='courses.html'>the two courses</a>; "
        "what the word means is told in <a href='proved.html'>what is proved</a>.</p>"
    )
    return (
        lead
        + card(f"Activations ({len(activations)})", linked("activation", activations))
        + card(f"Losses ({len(losses)})", linked("loss", losses))
        + card(f"Layers ({len(layers)})", f'<ul class="entries short">{named}</ul>')
    )


if __name__ == "__main__":
    written = write_gallery(Path(sys.argv[1] if len(sys.argv) > 1 else "build/gallery"))
    sys.stdout.write(f"{len(written)} files in {written[0].parent}\n")
