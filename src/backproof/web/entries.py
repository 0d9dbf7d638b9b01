"""The gallery's pages of entries: what the catalogue and the proofs say of an activation, a loss or a layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from backproof import catalog
from backproof.calculus.network import Network
from backproof.calculus.unfolding import open_slopes
from backproof.catalog.entry import Activation, Entry, Loss
from backproof.catalog.layers import Layer
from backproof.errors import BackproofError
from backproof.explain.lesson import Lesson, lesson
from backproof.explain.mathml import formula
from backproof.explain.page import lesson_body, mark, passage_card, words
from backproof.language.expression import Expr, apply, tensor
from backproof.language.notating import notate
from backproof.language.notation import Notation, Relation
from backproof.language.program import Program
from backproof.proof.deciding import decide
from backproof.proof.derivation import Derivation, derive
from backproof.proof.layer_derivation import derive_layer
from backproof.run.forms import FORMS, PRIMITIVES, defined, read
from backproof.web.plots import activation_plot, loss_plot

ALWAYS: Final = ("half-mse",)
"""Losses that every activation is shown with, besides those that are made for it."""

Facts = list[tuple[str, str]]


def activation_body(entry: Activation, losses: Sequence[Loss]) -> str:
    """The page of an activation, without its frame."""
    own = [loss.name for loss in losses if entry.name in loss.pairs_with]
    facts: Facts = [
        *_definition(entry),
        *_common(entry),
        ("gives", words(entry.range)),
        ("source", words(entry.source)),
    ]
    title = "Its curve and its slope" if entry.elementwise else "Its curve"
    pairs = [(f"with {n}", f"loss-{n}.html", delta(entry.name, n)) for n in dict.fromkeys((*own, *ALWAYS))]
    return card("What it is", _listed(facts)) + card(title, activation_plot(entry)) + _pairs(pairs)


def loss_body(entry: Loss) -> str:
    """The page of a loss, without its frame."""
    facts: Facts = [
        *_definition(entry),
        *_common(entry),
        ("target", words(entry.target)),
        ("prediction", words(entry.prediction)),
        ("source", words(entry.source)),
    ]
    activations = entry.pairs_with or ("identity",)
    pairs = [(f"with {n}", f"activation-{n}.html", delta(n, entry.name)) for n in activations]
    return card("What it is", _listed(facts)) + card("Its curve and its slope", loss_plot(entry)) + _pairs(pairs)


def layer_lesson(layer: Layer) -> Lesson:
    """The derivation of a layer, told."""
    return lesson(derive_layer(layer))


def layer_body(layer: Layer) -> str:
    """The page of a layer, without its frame."""
    told = layer_lesson(layer)
    about = told.title.removeprefix(f"{layer.name}; ")
    facts: Facts = [("about", words(about))]
    if layer.aliases:
        facts.append(("also called", words(", ".join(layer.aliases))))
    if layer.limits:
        facts.append(("leaves out", words(layer.limits)))
    facts.append(("source", words(layer.source)))
    return card("What it is", _listed(facts)) + lesson_body(told)


def delta(activation: str, loss: str) -> Derivation:
    """The derivation of δ of an output layer."""
    return derive(Network(output=activation, loss=loss), ("delta_L",))


def defining(entry: Entry) -> Notation:
    """The definition of an entry; one that takes vectors as it stands in a network."""
    if entry.elementwise:
        parameters, body = catalog.scalar_definition(entry.name)
        return Relation((_shown(apply(entry.name, *map(tensor, parameters))), _shown(body)), ("=",))
    if isinstance(entry, Loss):
        program = Network(output=(*entry.pairs_with, "identity")[0], loss=entry.name).program
        return notate(program.definitions[-1], program=program, symbols=catalog.symbols())
    program = Network(output=entry.name, loss="half-mse").program
    return notate(program.definitions[0], program=program, symbols=catalog.symbols())


def _shown(expr: Expr) -> Notation:
    return notate(expr, symbols=catalog.symbols())


def _definition(entry: Entry) -> Iterator[tuple[str, str]]:
    if not entry.elementwise:
        yield "definition", formula(defining(entry), block=True)
        return
    if not catalog.is_axiom(entry.name):
        yield "definition", formula(defining(entry), block=True)
    opened = open_slopes(_applied(entry, 1))
    yield "slope", formula(Relation((_shown(_applied(entry, 1)), _shown(opened)), ("=",)), block=True)
    for order, label in ((0, "computed as"), (1, "its slope as")):
        yield from _accurate(entry, order, label)


def _applied(entry: Entry, order: int) -> Expr:
    return apply(entry.name, *map(tensor, entry.parameters), orders=_orders(entry, order))


def _orders(entry: Entry, order: int) -> tuple[int, ...]:
    return (order, *(0 for _ in entry.parameters[1:]))


def _accurate(entry: Entry, order: int, label: str) -> Iterator[tuple[str, str]]:
    """The form that keeps its digits in floating point, and whether it is proved equal."""
    text = FORMS.get((entry.name, _orders(entry, order)))
    if text is not None:
        form = read(text, entry.parameters)
        inputs = dict.fromkeys((*entry.parameters, *(h.name for h in entry.hyperparameters)), ())
        program = Program(inputs, (), tuple(a for h in entry.hyperparameters for a in h.assumptions))
        verdict = decide(program, _applied(entry, order), defined(form)).kind.value
        yield label, f"{formula(_shown(form), block=True)} {mark(verdict)}"
    elif entry.name in PRIMITIVES and not order:
        yield label, "a function of the kernels, which is accurate by itself"
    elif not order:
        yield label, "its definition, as it stands"


def _common(entry: Entry) -> Iterator[tuple[str, str]]:
    if entry.aliases:
        yield "also written", ", ".join(f"<code>{words(a)}</code>" for a in entry.aliases)
    for parameter in entry.hyperparameters:
        yield parameter.name, words(f"{parameter.meaning or 'a number'}; usually {_short(parameter.default)}")
    yield "kink", words(entry.kink) if entry.kink is not None else "none"


def _short(value: Fraction) -> str:
    return f"{float(value):.6g}"


def _listed(facts: Facts) -> str:
    listed = "".join(f"<dt>{words(label)}</dt><dd>{text}</dd>" for label, text in facts)
    return f'<dl class="rows">{listed}</dl>'


def card(title: str, body: str) -> str:
    """A titled part of a page, which scrolls where it is too wide."""
    return (
        f'<section class="card"><h2>{words(title)}</h2>'
        f'<div class="scroll" role="group" tabindex="0" aria-label="{words(title)}">{body}</div></section>'
    )


def _pairs(made: Sequence[tuple[str, str, Derivation]]) -> str:
    cards: list[str] = []
    for number, (title, link, derivation) in enumerate(made, start=1):
        # Two pairs on one page would have the same name.
        own = passage_card(lesson(derivation).passages[0]).replace('id="delta_L"', f'id="delta_{number}"')
        cards.append(f'<h2 class="pair-title"><a href="{link}">{words(title)}</a></h2>{own}')
    return "\n".join(cards)


def pair_row(activation: str, loss: str) -> str:
    """A pair as a row of a table: both names, δ, what it needs, its verdict."""
    links = f'<td><a href="activation-{activation}.html">{activation}</a></td>'
    links += f'<td><a href="loss-{loss}.html">{loss}</a></td>'
    try:
        result = lesson(delta(activation, loss)).passages[0]
    except BackproofError as error:
        return f"<tr>{links}<td>{words(error.what)}</td><td>{mark('unknown')}</td></tr>"
    needs = ", ".join(formula(c) for c in result.result.conditions)
    shown = formula(result.equation) + (f' <span class="unknown">needs {needs}</span>' if needs else "")
    return f"<tr>{links}<td>{shown}</td><td>{mark(result.result.verdict)}</td></tr>"
