"""The gallery: the catalogue, the two courses and what is proved, as pages that open from a disk.

`python -m backproof.web.gallery FOLDER` writes it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from html import escape
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backproof import catalog
from backproof.calculus.interpreter import evaluate_expr
from backproof.calculus.network import Network
from backproof.calculus.unfolding import open_slopes
from backproof.catalog.entry import Activation, Entry, Loss
from backproof.check.claims import check
from backproof.errors import BackproofError
from backproof.explain.judgement import judgement
from backproof.explain.lesson import lesson
from backproof.explain.mathml import formula
from backproof.explain.page import asset, face, judgement_card, mark, passage_card, words
from backproof.language.expression import Expr, Index, apply, tensor
from backproof.language.notating import notate
from backproof.language.notation import Call, Notation, Relation, Symbol
from backproof.proof.derivation import Derivation, derive
from backproof.run.forms import FORMS

ALWAYS: Final = ("half-mse",)
"""Losses that every activation is shown with, besides those that are made for it."""
LOW, HIGH, POINTS = -5.0, 5.0, 201
COURSES: Final = (("the first course", "a - y"), ("the second course", "(a - y) * f'(z)"))


def write_gallery(folder: Path) -> tuple[Path, ...]:
    """Write every page of the gallery into a folder; the files that were written."""
    pages = {f"{name}.html": text for name, text in _pages()}
    pages["gallery.css"] = face() + asset("page.css") + (Path(__file__).parent / "assets" / "gallery.css").read_text()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return tuple(folder / name for name in pages)


def _pages() -> Iterator[tuple[str, str]]:
    activations = [a for a in catalog.activations() if not a.abstract]
    losses = [entry for entry in catalog.losses() if not entry.abstract]
    yield "index", _index(activations, losses)
    yield "courses", _courses()
    yield "proved", _proved(activations, losses)
    for activation in activations:
        yield f"activation-{activation.name}", _activation(activation, losses)
    for loss in losses:
        yield f"loss-{loss.name}", _loss(loss)


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{words(title)} · backproof gallery</title>\n"
        '<link rel="stylesheet" href="gallery.css">\n</head>\n<body>\n'
        '<header><nav aria-label="gallery"><a href="index.html">gallery</a> · '
        '<a href="courses.html">the two courses</a> · '
        f'<a href="proved.html">what is proved</a></nav><h1>{words(title)}</h1></header>\n<main>\n{body}\n</main>\n'
        "<footer><p>Made by backproof from its catalogue: every formula is printed from the expression that was "
        "proved.</p></footer>\n</body>\n</html>\n"
    )


def _card(title: str, body: str) -> str:
    return (
        f'<section class="card"><h2>{words(title)}</h2>'
        f'<div class="scroll" role="group" tabindex="0" aria-label="{escape(title, quote=True)}">{body}</div></section>'
    )


def _index(activations: Sequence[Activation], losses: Sequence[Loss]) -> str:
    def linked(kind: str, entries: Sequence[Entry]) -> str:
        rows = "".join(
            f'<li><a href="{kind}-{e.name}.html">{words(e.name)}</a>'
            f"{'' if catalog.is_axiom(e.name) else formula(_defined(e) if e.elementwise else _vectors(e))}</li>"
            for e in entries
        )
        return f'<ul class="entries">{rows}</ul>'

    lead = (
        '<p class="lead">The error of the last layer, δ, for every activation and loss that backproof knows: which '
        "factors cancel, and when. Start with <a href='courses.html'>the two courses</a>.</p>"
    )
    return _page(
        "The gallery",
        lead
        + _card(f"Activations ({len(activations)})", linked("activation", activations))
        + _card(f"Losses ({len(losses)})", linked("loss", losses)),
    )


def _shown(expr: Expr) -> Notation:
    return notate(expr, symbols=catalog.symbols())


def _defined(entry: Entry) -> Notation:
    parameters, body = catalog.scalar_definition(entry.name)
    return Relation((_shown(apply(entry.name, *map(tensor, parameters))), _shown(body)), ("=",))


def _vectors(entry: Entry) -> Notation:
    """The definition of an entry that takes vectors, as it stands in a network."""
    if isinstance(entry, Loss):
        program = Network(output=(*entry.pairs_with, "identity")[0], loss=entry.name).program
        return notate(program.definitions[-1], program=program, symbols=catalog.symbols())
    program = Network(output=entry.name, loss="half-mse").program
    return notate(program.definitions[0], program=program, symbols=catalog.symbols())


def _sloped(entry: Entry) -> tuple[Expr, Notation]:
    parameters = [tensor(p) for p in entry.parameters]
    orders = (1,) + (0,) * (len(parameters) - 1)
    applied = apply(entry.name, *parameters, orders=orders)
    opened = open_slopes(applied)
    return opened, Relation((_shown(applied), _shown(opened)), ("=",))


def _facts(entry: Entry) -> str:
    rows: list[tuple[str, str]] = []
    if entry.elementwise and not catalog.is_axiom(entry.name):
        rows += [
            ("definition", formula(_defined(entry), block=True)),
            ("slope", formula(_sloped(entry)[1], block=True)),
        ]
    elif not entry.elementwise:
        rows.append(("definition", formula(_vectors(entry), block=True)))
    accurate = [FORMS[key] for key in ((entry.name, (0,)), (entry.name, (0, 0))) if key in FORMS]
    rows += [("computed as", f"<code>{words(text)}</code>") for text in accurate]
    rows += [(h.name, words(f"{h.meaning or 'a number'}; usually {_short(h.default)}")) for h in entry.hyperparameters]
    if entry.kink is not None:
        rows.append(("kink", words(entry.kink)))
    if isinstance(entry, Loss):
        rows += [("target", words(entry.target)), ("prediction", words(entry.prediction))]
    if isinstance(entry, Activation):
        rows.append(("gives", words(entry.range)))
    rows.append(("source", words(entry.source)))
    listed = "".join(f"<dt>{words(label)}</dt><dd>{text}</dd>" for label, text in rows)
    return _card("What it is", f'<dl class="rows">{listed}</dl>')


def _short(value: Fraction) -> str:
    return f"{float(value):.6g}"


def _activation(entry: Activation, losses: Sequence[Loss]) -> str:
    own = [loss.name for loss in losses if entry.name in loss.pairs_with]
    body = _facts(entry)
    if entry.elementwise:
        body += _card("Its curve and its slope", _plot(entry))
    return _page(entry.name, body + _with_losses(entry.name, [*own, *(n for n in ALWAYS if n not in own)]))


def _with_losses(activation: str, losses: Sequence[str]) -> str:
    made = [(f"with {loss}", f"loss-{loss}.html", _delta(activation, loss)) for loss in losses]
    return _pairs(made)


def _loss(entry: Loss) -> str:
    activations = entry.pairs_with or ("identity",)
    made = [(f"with {name}", f"activation-{name}.html", _delta(name, entry.name)) for name in activations]
    return _page(entry.name, _facts(entry) + _pairs(made))


def _delta(activation: str, loss: str) -> Derivation:
    return derive(Network(output=activation, loss=loss), ("delta_L",))


def _pairs(made: Sequence[tuple[str, str, Derivation]]) -> str:
    cards: list[str] = []
    for number, (title, link, derivation) in enumerate(made, start=1):
        # Two pairs on one page would have the same name.
        card = passage_card(lesson(derivation).passages[0]).replace('id="delta_L"', f'id="delta_{number}"')
        cards.append(f'<h2 class="pair-title"><a href="{link}">{words(title)}</a></h2>{card}')
    return "\n".join(cards)


def _plot(entry: Activation) -> str:
    index = Index("i", "n")
    grid = np.linspace(LOW, HIGH, POINTS)
    given = {"u": grid, **{h.name: float(h.default) for h in entry.hyperparameters}}
    curves: list[NDArray[np.float64]] = []
    for order in (0, 1):
        applied = open_slopes(apply(entry.name, tensor("u", index), orders=(order,)))
        with np.errstate(all="ignore"):
            found = evaluate_expr(applied, given, indices=(index,), sizes={"n": POINTS})
        curves.append(np.broadcast_to(np.asarray(found, float), grid.shape))
    bottom = max(-5.0, min(0.0, *(float(np.nanmin(c)) for c in curves))) - 0.2
    top = min(5.0, max(1.0, *(float(np.nanmax(c)) for c in curves))) + 0.2

    def x(u: float) -> float:
        return 40 + (u - LOW) / (HIGH - LOW) * 500

    def y(v: float) -> float:
        return 230 - (min(top, max(bottom, v)) - bottom) / (top - bottom) * 210

    parts = [f'<path class="axis" d="M{x(LOW):.0f} {y(0):.1f}H{x(HIGH):.0f}M{x(0):.0f} {y(bottom):.1f}V{y(top):.1f}"/>']
    parts += [f'<text x="{x(u):.0f}" y="248" text-anchor="middle">{_signed(u)}</text>' for u in (-4, -2, 0, 2, 4)]
    parts += [f'<text x="34" y="{y(v) + 4:.1f}" text-anchor="end">{_signed(v)}</text>' for v in (0, 1)]
    for kind, values in zip(("c1", "c2"), curves, strict=True):
        # A jump is no line: neighbours that are far apart start a new stroke.
        far = 0.25 * (top - bottom)
        pen, path = "M", ""
        for k, (u, v) in enumerate(zip(grid, values, strict=True)):
            if k and abs(v - values[k - 1]) > far:
                pen = "M"
            path += f"{pen}{x(float(u)):.1f} {y(float(v)):.1f}"
            pen = "L"
        parts.append(f'<path class="{kind}" d="{path}"/>')
    legend = '<text class="c1" x="60" y="14">function</text><text class="c2" x="150" y="14">slope (dashed)</text>'
    label = f"{entry.name} and its slope from {_signed(LOW)} to {_signed(HIGH)}"
    return f'<svg viewBox="0 0 560 256" role="img" aria-label="{words(label)}">{"".join(parts)}{legend}</svg>'


def _signed(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _courses() -> str:
    text = (
        '<p class="lead">Two courses, two formulas for the error of the last layer: a − y and (a − y)·f′(z). Both are '
        "right, each for its own loss: with binary cross-entropy the slope of the sigmoid cancels, with the squared "
        "error it stays.</p>"
    )
    for loss in ("bce", "half-mse"):
        network = Network(output="sigmoid", loss=loss)
        text += f'<h2 class="pair-title">Sigmoid with <a href="loss-{loss}.html">{loss}</a></h2>'
        text += passage_card(lesson(_delta("sigmoid", loss)).passages[0]).replace('id="delta_L"', f'id="{loss}"')
        for course, claim in COURSES:
            text += f"<p>What {course} says, under {loss}:</p>"
            text += "".join(judgement_card(judgement(one)) for one in check(claim, network))
    return _page("The two courses", text)


def _proved(activations: Sequence[Activation], losses: Sequence[Loss]) -> str:
    rows = [_row(name, loss.name) for loss in losses for name in loss.pairs_with]
    table = (
        '<table><thead><tr><th scope="col">activation</th><th scope="col">loss</th><th scope="col">δ</th>'
        f'<th scope="col">verdict</th></tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )
    slopes = (Relation((Call(Symbol(a.name), (Symbol("u"),), 1), _stated(a.name)), ("=",)) for a in catalog.axioms())
    axioms = "".join(f"<li>{formula(slope)}</li>" for slope in slopes)
    meaning = (
        "<p>“Proved” says: both sides are equal for all sizes of the layers and all data where both sides are "
        "defined. Equality of real numbers is meant, not of floating-point numbers. A kink, where a slope jumps, is "
        "left out; the page of each function says what the formula gives there.</p>"
    )
    assumed = "<p>The slopes of these functions are stated; every other slope follows from them.</p>"
    assumed += f'<ul class="formulas">{axioms}</ul>'
    return _page(
        "What is proved and what is assumed",
        _card("What “proved” means", meaning)
        + _card("What is assumed", assumed)
        + _card(f"Pairs ({len(rows)}) of {len(activations)} activations and {len(losses)} losses", table),
    )


def _stated(axiom: str) -> Notation:
    return _shown(catalog.slope(axiom)[1])


def _row(activation: str, loss: str) -> str:
    links = f'<td><a href="activation-{activation}.html">{activation}</a></td>'
    links += f'<td><a href="loss-{loss}.html">{loss}</a></td>'
    try:
        result = lesson(_delta(activation, loss)).passages[0]
    except BackproofError as error:
        return f"<tr>{links}<td>{words(error.what)}</td><td>{mark('unknown')}</td></tr>"
    needs = ", ".join(formula(c) for c in result.result.conditions)
    shown = formula(result.equation) + (f' <span class="unknown">needs {needs}</span>' if needs else "")
    return f"<tr>{links}<td>{shown}</td><td>{mark(result.result.verdict)}</td></tr>"


if __name__ == "__main__":
    written = write_gallery(Path(sys.argv[1] if len(sys.argv) > 1 else "build/gallery"))
    sys.stdout.write(f"{len(written)} files in {written[0].parent}\n")
