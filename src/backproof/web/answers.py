"""What the explorer answers: plain functions from text to data, run in a worker that may be stopped at any time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from backproof.calculus.network import LAYOUTS, REDUCTIONS, Network, parse_layers
from backproof.errors import BackproofError, LimitError
from backproof.explain.judgement import judgement
from backproof.explain.lesson import lesson
from backproof.explain.page import judgement_card, lesson_body, words
from backproof.proof.derivation import Derivation, derive
from backproof.web.curves import curves, hidden_layers
from backproof.web.shell import page

LONGEST_FIELD: Final = 60
LONGEST_CLAIM: Final = 4_000
LONGEST_DOCUMENT: Final = 100_000
MOST_LAYERS: Final = 6
FIELDS: Final = ("layers", "hidden", "output", "loss", "reduction", "layout", "l2")
PROSE: Final = re.compile(r"^```|^#+ |\$|\\\(|\\\[|\\begin\{", re.MULTILINE)
"""What a worksheet does not have and a text in Markdown or LaTeX does."""

Choice = Mapping[str, str]


def network_of(choice: Choice) -> Network:
    """The network that the controls of the page say. Raises NetworkError, UnknownNameError or LimitError."""
    given = {name: choice.get(name, "").strip() for name in FIELDS}
    for name, value in given.items():
        if len(value) > LONGEST_FIELD:
            raise LimitError(f"{name} is too long", expected=f"at most {LONGEST_FIELD} characters")
    sizes, symbolic = parse_layers(given["layers"]) if given["layers"] else ((), False)
    if len(sizes) > MOST_LAYERS:
        raise LimitError("too many layers for this page", expected=f"at most {MOST_LAYERS} sizes", got=str(len(sizes)))
    return Network(
        sizes=sizes,
        symbolic_depth=symbolic,
        hidden=given["hidden"] or "sigmoid",
        output=given["output"] or "sigmoid",
        loss=given["loss"] or "bce",
        reduction=given["reduction"] if given["reduction"] in REDUCTIONS else "none",
        l2=given["l2"] or None,
        layout=given["layout"] if given["layout"] in LAYOUTS else "columns",
    )


@lru_cache(64)
def _derived(network: Network) -> Derivation:
    return derive(network)


def explain_network(choice: Choice) -> dict[str, Any]:
    """The lesson of a network with the curves of its last layer; `hidden` names the layers that have curves too."""
    try:
        return _explained(network_of(choice))
    except BackproofError as error:
        return {"title": "This network cannot be derived", "html": error_card(error), "curves": None, "hidden": []}


@lru_cache(64)
def _explained(network: Network) -> dict[str, Any]:
    told = lesson(_derived(network))
    return {
        "title": told.title,
        "html": lesson_body(told),
        "curves": curves(network),
        "hidden": list(hidden_layers(network)),
    }


def whole_page(choice: Choice) -> dict[str, Any]:
    """The explorer's page for a network, as it is sent."""
    return {"page": page(choice, explain_network(choice))}


def layer_curves(choice: Choice, layer: str) -> dict[str, Any]:
    """The curves of one layer."""
    try:
        return {"curves": curves(network_of(choice), layer)}
    except BackproofError as error:
        return {"curves": None, "failed": error.what}


def copy_network(choice: Choice, form: str) -> dict[str, str]:
    """All equations of the network as LaTeX, Markdown, NumPy or Coq; or why they have no such form."""
    if form not in FORMS:
        return {"because": f"there is no form {form[:LONGEST_FIELD]}"}
    try:
        return {"text": FORMS[form](_derived(network_of(choice)))}
    except BackproofError as error:
        return {"because": error.what}


def _latex(derivation: Derivation) -> str:
    from backproof.explain.latex import lesson_latex

    return lesson_latex(lesson(derivation))


def _markdown(derivation: Derivation) -> str:
    from backproof.explain.markdown import lesson_markdown

    return lesson_markdown(lesson(derivation))


def _numpy(derivation: Derivation) -> str:
    from backproof.explain.numpy_code import numpy_code

    return numpy_code(derivation)


def _coq(derivation: Derivation) -> str:
    from backproof.coq.exporting import export

    return export(derivation).text


FORMS: Final[Mapping[str, Callable[[Derivation], str]]] = {
    "LaTeX": _latex,
    "Markdown": _markdown,
    "NumPy": _numpy,
    "Coq": _coq,
}
"""What the equations can be copied as."""


def judge_claim(choice: Choice, claim: str, *, explained: bool) -> dict[str, Any]:
    """A typed formula judged; without `explained` only its verdict, which is quick."""
    from backproof.check.claims import check

    try:
        if len(claim) > LONGEST_CLAIM:
            raise LimitError("the formula is too long for this page", expected=f"at most {LONGEST_CLAIM} characters")
        found = check(claim.strip(), network_of(choice), explain=explained)
        html = "".join(judgement_card(judgement(one)) for one in found)
    except BackproofError as error:
        return {"verdicts": ["unread"], "html": error_card(error)}
    return {"verdicts": [one.verdict for one in found], "html": html}


def judge_document(text: str) -> dict[str, Any]:
    """A worksheet, or a text with formulas in Markdown or LaTeX, with its verdicts in place."""
    from backproof.check.document.reader import check_document
    from backproof.check.worksheet.sheet import check_worksheet
    from backproof.explain.annotated import annotated

    try:
        if len(text) > LONGEST_DOCUMENT:
            raise LimitError(
                "the document is too long for this page", expected=f"at most {LONGEST_DOCUMENT} characters"
            )
        text = text.replace("\r\n", "\n")
        found = (
            check_document(text, "document", _kind(text)).claims
            if PROSE.search(text)
            else check_worksheet(text, "document")
        )
        html = annotated(text, found)
    except BackproofError as error:
        return {"verdicts": [], "html": error_card(error)}
    return {"verdicts": [one.verdict for one in found], "html": html}


def _kind(text: str) -> str:
    return "latex" if "\\documentclass" in text or "\\begin{document}" in text else "markdown"


def error_card(error: BackproofError) -> str:
    """An error as a card: what happened, where, expected, got, what to do next."""
    rows = [("", error.what)]
    rows += [
        (label, value)
        for label, value in (("expected", error.expected), ("got", error.got), ("next", error.next))
        if value
    ]
    listed = "".join(f"<dt>{words(label)}</dt><dd>{words(value[:600])}</dd>" for label, value in rows)
    caret = f"<pre>{words(error.place.caret())}</pre>" if error.place is not None else ""
    return f'<article class="card judgement unread-card">{caret}<dl class="rows">{listed}</dl></article>'


ANSWERS: Final[Mapping[str, Callable[..., dict[str, Any]]]] = {
    "page": whole_page,
    "network": explain_network,
    "curves": layer_curves,
    "copy": copy_network,
    "claim": judge_claim,
    "document": judge_document,
}
"""What a worker may be asked, by name."""
