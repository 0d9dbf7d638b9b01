"""Showing results: a derivation or checked claims in any format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from backproof.errors import UsageError
from backproof.proof.derivation import Derivation
from backproof.proof.layer_derivation import LayerDerivation

if TYPE_CHECKING:
    from backproof.check.claims import CheckedClaim

FORMATS: Final = ("text", "latex", "markdown", "html", "ipynb", "json")


def show(
    what: Derivation | LayerDerivation | CheckedClaim | Sequence[CheckedClaim],
    format: str = "text",
    *,
    ascii: bool = False,
    width: int | None = None,
    colour: bool = False,
) -> str:
    """The result as a document: `text`, `latex`, `markdown`, `html` (a page), `ipynb` (a notebook) or `json`.

    Text takes `width` columns, is in `ascii` alone where that is asked for, and in the colours of the terminal with
    `colour`. Raises UsageError for another format.
    """
    if format not in FORMATS:
        raise UsageError(f"there is no format {format!r}", expected="one of " + ", ".join(FORMATS), got=format)
    if isinstance(what, Derivation | LayerDerivation):
        return _derivation(what, format, ascii=ascii, width=width, colour=colour)
    claims = tuple(what) if isinstance(what, Sequence) else (what,)
    return _claims(claims, format, ascii=ascii, width=width, colour=colour)


def _derivation(
    what: Derivation | LayerDerivation, format: str, *, ascii: bool, width: int | None, colour: bool
) -> str:
    from backproof.explain.lesson import lesson

    match format:
        case "json":
            from backproof.explain.json import derivation_json

            return derivation_json(what)
        case "latex":
            from backproof.explain.latex import lesson_latex

            return lesson_latex(lesson(what))
        case "markdown":
            from backproof.explain.markdown import lesson_markdown

            return lesson_markdown(lesson(what))
        case "html":
            from backproof.explain.page import lesson_html

            return lesson_html(lesson(what))
        case "ipynb":
            from backproof.explain.notebook import derivation_notebook

            if isinstance(what, LayerDerivation):
                raise UsageError(
                    "a layer has no notebook", expected=", ".join(f for f in FORMATS if f != "ipynb"), got=format
                )

            return derivation_notebook(what)
        case _:
            from backproof.explain.terminal import lesson_text

            return lesson_text(lesson(what), ascii=ascii, width=width, colour=colour)


def _claims(what: tuple[CheckedClaim, ...], format: str, *, ascii: bool, width: int | None, colour: bool) -> str:
    from backproof.explain.judgement import judgement

    match format:
        case "json":
            from backproof.explain.json import claims_json

            return claims_json(what)
        case "latex":
            from backproof.explain.latex import judgements_latex

            return judgements_latex([judgement(claim) for claim in what])
        case "markdown":
            from backproof.explain.markdown import judgements_markdown

            return judgements_markdown([judgement(claim) for claim in what])
        case "html":
            from backproof.explain.page import judgements_html

            return judgements_html([judgement(claim) for claim in what])
        case "ipynb":
            from backproof.explain.notebook import claims_notebook

            return claims_notebook(what)
        case _:
            from backproof.explain.terminal import judgements_text

            return judgements_text([judgement(c) for c in what], ascii=ascii, width=width, colour=colour)
