"""The gallery's articles: the two courses, and what is proved and what is assumed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from backproof import catalog
from backproof.calculus.network import Network
from backproof.catalog.entry import Activation, Loss
from backproof.catalog.layers import Layer
from backproof.check.claims import check
from backproof.explain.judgement import judgement
from backproof.explain.lesson import lesson
from backproof.explain.mathml import formula
from backproof.explain.page import judgement_card, mark, passage_card, words
from backproof.language.notating import notate
from backproof.language.notation import Call, Notation, Relation, Symbol
from backproof.web.entries import card, delta, layer_lesson, pair_row
from backproof.web.plots import delta_plot, plot
from backproof.web.training import train

FIRST: Final = "a - y"
SECOND: Final = "(a - y) * f'(z)"
RATE: Final = 1.0


def courses() -> str:
    """The article about the two courses, without its frame."""
    return "\n".join(
        (
            _lead(
                "Two courses teach two formulas for the error of the last layer: a − y and (a − y)·f′(z). Neither is a "
                "slip. Each is right for the loss that its course uses, and wrong for the other’s."
            ),
            _title("The question"),
            _text(
                "The output layer computes a = σ(z), the loss J compares a with the target y. Backpropagation starts "
                "from δ, the slope of J by z. The chain rule says δ = ∂J/∂a · σ′(z), always. So the formula of the "
                "first course, which has no σ′(z), needs an explanation: where did the slope go?"
            ),
            _title("The first course: cross-entropy"),
            _text(
                "With binary cross-entropy the slope of the loss has a(1 − a) below the stroke, and the slope of the "
                "sigmoid is a(1 − a). The two cancel, for this pair."
            ),
            _derivation("bce"),
            _claims("bce"),
            _title("The second course: squared error"),
            _text("With the squared error the slope of the loss is a − y alone. Nothing cancels, and the slope stays."),
            _derivation("half-mse"),
            _claims("half-mse"),
            _title("What it means for learning"),
            _text(
                "A unit that is far off and sure of itself, z large and y = 0, has a slope σ′(z) near 0. With the "
                "squared error its δ is near 0 too: the worse the answer, the less is learned. With cross-entropy δ is "
                "nearly 1."
            ),
            card("|δ| of one sigmoid unit whose target is 0", delta_plot("sigmoid", ("bce", "half-mse"), 0.0)),
            _text(
                "The same in training: one small network, one start in which the output is saturated, both losses, the "
                "proved equations."
            ),
            card("Mean error |a − y| against steps of gradient descent", _trained()),
            _title("Which formula is yours?"),
            _text(
                "The one of your pair. These are the pairs of the catalogue in which everything cancels; all pairs are "
                "on <a href='proved.html'>the page of what is proved</a>."
            ),
            card("Pairs with δ = a − y", _clean()),
        )
    )


def _lead(text: str) -> str:
    return f'<p class="lead">{text}</p>'


def _title(text: str) -> str:
    return f'<h2 class="pair-title">{words(text)}</h2>'


def _text(text: str) -> str:
    return f'<p class="text">{text}</p>'


def _derivation(loss: str) -> str:
    told = lesson(delta("sigmoid", loss))
    given = "".join(f"<li>{formula(notation, block=True)}</li>" for notation in told.given)
    own = passage_card(told.passages[0]).replace('id="delta_L"', f'id="{loss}"')
    return card(f"Given: sigmoid with {loss}", f'<ul class="formulas">{given}</ul>') + own


def _claims(loss: str) -> str:
    network = Network(output="sigmoid", loss=loss)
    text = ""
    for course, claim in (("first", FIRST), ("second", SECOND)):
        text += _text(f"What the {course} course says, under <a href='loss-{loss}.html'>{loss}</a>:")
        text += "".join(judgement_card(judgement(one)) for one in check(claim, network))
    return text


def _trained() -> str:
    events = [e for e in train(Network(), "half-mse", "saturated", RATE) if "step" in e]
    steps = np.array([float(e["step"]) for e in events])
    lines = [
        (f"{name}{' (dashed)' if n else ''}", np.array([float(e["runs"][n].get("error", np.nan)) for e in events]))
        for n, name in enumerate(("bce", "half-mse"))
    ]
    return plot("mean error of both losses", "step", steps, lines)


def _clean() -> str:
    pairs = [(n, loss.name) for loss in catalog.losses() if not loss.abstract for n in loss.pairs_with]
    wanted = Relation((Symbol("delta"), _error()), ("=",))
    rows = [pair_row(*pair) for pair in pairs if lesson(delta(*pair)).passages[0].equation == wanted]
    return _table(("activation", "loss", "δ", "verdict"), rows)


def _error() -> Notation:
    return lesson(delta("sigmoid", "bce")).passages[0].result.notation


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{words(text)}</th>' for text in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def proved(activations: Sequence[Activation], losses: Sequence[Loss], layers: Sequence[Layer]) -> str:
    """The article about what is proved and what is assumed, without its frame."""
    pairs = [pair_row(name, loss.name) for loss in losses for name in loss.pairs_with]
    slopes = (Relation((Call(Symbol(a.name), (Symbol("u"),), 1), _stated(a.name)), ("=",)) for a in catalog.axioms())
    meaning = (
        "<p>“Proved” says: both sides are equal for all sizes of the layers and all data where both sides are defined, "
        "by exact computation. Where something more is needed, such as targets that sum to 1, the line says so.</p>"
        "<p>“Refuted” comes with exact numbers at which the sides differ, certified by exact or by interval "
        "arithmetic. “Unknown” says what stopped it. A rounded number never decides.</p>"
    )
    left_out = (
        "<p>Equality of real numbers is meant, not of floating-point numbers. A kink, where a slope jumps, is left "
        "out; the page of each function says what the formula gives there.</p>"
    )
    assumed = "<p>The slopes of these functions are stated; every other slope follows from them.</p>"
    assumed += f'<ul class="formulas">{"".join(f"<li>{formula(slope)}</li>" for slope in slopes)}</ul>'
    trusted = (
        "<p>You trust Python, the polynomials and balls of FLINT, and the reading of a formula, which is always shown "
        "back. A second judge, which shares no code with the first, decides each claim again on small sizes; where the "
        "two disagree, it is an error, not a verdict. <code>make prove</code> puts the same claims before Coq’s "
        "kernel.</p>"
    )
    return "\n".join(
        (
            card("What “proved” means", meaning),
            card("What is left out", left_out),
            card("What is assumed", assumed),
            card("What you trust", trusted),
            card(
                f"Pairs ({len(pairs)}) of {len(activations)} activations and {len(losses)} losses",
                _table(("activation", "loss", "δ", "verdict"), pairs),
            ),
            card(
                f"Layers ({len(layers)})",
                _table(("layer", "gradients", "verdict"), [_layer_row(layer) for layer in layers]),
            ),
        )
    )


def _stated(axiom: str) -> Notation:
    return notate(catalog.slope(axiom)[1], symbols=catalog.symbols())


def _layer_row(layer: Layer) -> str:
    told = layer_lesson(layer)
    verdicts = {str(passage.result.verdict.value) for passage in told.passages}
    names = ", ".join(words(passage.name) for passage in told.passages)
    verdict = next((v for v in ("refuted", "unknown") if v in verdicts), "proved")
    return (
        f'<tr><td><a href="layer-{layer.name}.html">{layer.name}</a></td><td>{names}</td><td>{mark(verdict)}</td></tr>'
    )
