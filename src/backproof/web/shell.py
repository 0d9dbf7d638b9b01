"""The explorer's page: one file with its style, script, font and first answer inside, the same live and saved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

from backproof import catalog
from backproof.calculus.network import LAYOUTS, REDUCTIONS
from backproof.explain.page import asset, face, words
from backproof.web.policy import own, policy

STARTS: Final = ("usual", "saturated")
TEMPLATE: Final = "explorer.html"
USUAL: Final = {"output": "sigmoid", "loss": "bce", "hidden": "sigmoid", "reduction": "none", "layout": "columns"}
SHEET: Final = """\
input w, x, y
z = w x
a = sigmoid(z)
J = 1/2 (a - y)^2
dJ/dz = (a - y) a (1 - a)
dJ/dw = (a - y) x
"""


def page(choice: Mapping[str, str], answer: Mapping[str, Any]) -> str:
    """The page for a network, with its lesson in it: complete without a script."""
    chosen = {**USUAL, **{name: value for name, value in choice.items() if value}}
    title = answer.get("title", "explorer")
    failed = answer.get("failed")
    lesson = f'<p role="alert">{words(str(failed))}</p>' if failed else str(answer["html"])
    data = {name: answer.get(name) for name in ("title", "curves", "hidden")}
    texts = {
        "POLICY": policy(),
        "TITLE": words(str(title)),
        "STYLE": face() + asset("page.css") + own("explorer.css"),
        "OUTPUTS": _options((a.name for a in catalog.activations()), chosen["output"]),
        "LOSSES": _options((entry.name for entry in catalog.losses()), chosen["loss"]),
        "OTHERS": _options((entry.name for entry in catalog.losses()), chosen.get("other", "half-mse")),
        "HIDDEN": _options((a.name for a in catalog.activations() if a.elementwise), chosen["hidden"]),
        "REDUCTIONS": _options(REDUCTIONS, chosen["reduction"]),
        "LAYOUTS": _options(LAYOUTS, chosen["layout"]),
        "STARTS": _options(STARTS, chosen.get("start", "saturated")),
        "RATE": escape(chosen.get("rate", "1"), quote=True),
        "LAYERS": escape(chosen.get("layers", ""), quote=True),
        "REGULAR": escape(chosen.get("l2", ""), quote=True),
        "CLAIM": escape(chosen.get("claim", "(a - y) * a * (1 - a)"), quote=True),
        "SHEET": words(SHEET),
        "DATA": json.dumps(data).replace("<", "\\u003c"),
        "LESSON": lesson,
        "SCRIPT": own("explorer.js"),
    }
    # One pass over the template: what is put in is never searched for further places.
    pieces = own(TEMPLATE).split("{{")
    done = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        done.append(texts[name] + rest)
    return "".join(done)


def _options(names: Iterable[str], chosen: str) -> str:
    return "".join(f"<option{' selected' if name == chosen else ''}>{words(name)}</option>" for name in names)
