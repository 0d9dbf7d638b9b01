"""Finding entries of the catalogue by their names and by any way to write them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Final, Literal, TypeVar

from backproof.catalog.activations import ACTIVATIONS
from backproof.catalog.axioms import AXIOMS
from backproof.catalog.elementary import ELEMENTARY
from backproof.catalog.entry import Activation, Axiom, Entry, Function, Loss
from backproof.catalog.layers import LAYERS, Layer
from backproof.catalog.losses import LOSSES
from backproof.errors import UnknownNameError
from backproof.language.letters import GREEK

Kind = Literal["function", "activation", "loss", "layer"]
_Named = TypeVar("_Named", Entry, Axiom, Function, Activation, Loss, Layer)

_GREEK_LETTERS: Final = {letter: name for name, letter in GREEK.items()}
_WRAPPED: Final = re.compile(r"\\(?:operatorname\*?|mathrm|mathit|text|textrm|textsf|mathsf)\{(.*)\}")


def axioms() -> tuple[Axiom, ...]:
    """The functions whose slope is stated."""
    return AXIOMS


def functions() -> tuple[Entry, ...]:
    """The axioms and the elementary functions."""
    return (*AXIOMS, *ELEMENTARY)


def activations() -> tuple[Activation, ...]:
    """All activations, the abstract ones last."""
    return ACTIVATIONS


def losses() -> tuple[Loss, ...]:
    """All losses, the abstract one last."""
    return LOSSES


def layers() -> tuple[Layer, ...]:
    """All layers."""
    return LAYERS


@cache
def activation(name: str) -> Activation:
    """The activation with this written name. Raises UnknownNameError, with the names that are close.

    >>> activation("σ").name
    'sigmoid'
    """
    return _found("activation", name, _spellings(ACTIVATIONS), tuple(a.name for a in ACTIVATIONS))


@cache
def loss(name: str) -> Loss:
    """The loss with this written name. Raises UnknownNameError, with the names that are close.

    >>> loss("binary cross entropy").name
    'bce'
    """
    return _found("loss", name, _spellings(LOSSES), tuple(entry.name for entry in LOSSES))


def find_layer(name: str) -> Layer:
    """The layer with this written name. Raises UnknownNameError, with the names that are close.

    >>> find_layer("LayerNorm").name
    'layer-norm'
    """
    return _found("layer", name, _spellings(LAYERS), tuple(entry.name for entry in LAYERS))


def find(kind: Kind, name: str) -> Entry | Layer:
    """The entry of a kind with this written name. Raises UnknownNameError, with the names that are close."""
    match kind:
        case "activation":
            return activation(name)
        case "loss":
            return loss(name)
        case "layer":
            return find_layer(name)
        case "function":
            return _found("function", name, spelled(), tuple(_applicable()))


def function(name: str) -> Entry | None:
    """The entry that `Apply(name, …)` means: an axiom, an elementary function, an elementwise activation or loss.

    None for abstract functions and for names that are not in the catalogue.
    """
    return _applicable().get(name)


def is_axiom(name: str) -> bool:
    """Whether a function's slope is stated and not found from a definition."""
    return isinstance(_applicable().get(name), Axiom)


@cache
def spelled() -> Mapping[str, Entry]:
    """Every written name of a function that formulas may apply, with its entry."""
    return _spellings(tuple(_applicable().values()))


@cache
def symbols() -> Mapping[str, str]:
    """The symbol by which a printer writes each function, {"sigmoid": "σ"}."""
    return MappingProxyType({name: entry.symbol for name, entry in _applicable().items() if entry.symbol})


@cache
def _applicable() -> Mapping[str, Entry]:
    entries = (*AXIOMS, *ELEMENTARY, *ACTIVATIONS, *LOSSES)
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.elementwise and not entry.abstract:
            found.setdefault(entry.name, entry)
    return MappingProxyType(found)


@cache
def _spellings(entries: tuple[_Named, ...]) -> Mapping[str, _Named]:
    found: dict[str, _Named] = {entry.name: entry for entry in reversed(entries)}
    for entry in entries:
        for alias in entry.aliases:
            found.setdefault(alias, entry)
    for written, entry in tuple(found.items()):
        found.setdefault(_folded(written), entry)
    return MappingProxyType(found)


def _found(kind: str, name: str, spellings: Mapping[str, _Named], names: Iterable[str]) -> _Named:
    for written in (name, name.strip(), _folded(name)):
        if written in spellings:
            return spellings[written]
    shown = name if len(name) <= 40 else name[:39] + "…"
    close = difflib.get_close_matches(_folded(name[:60]), tuple(spellings), n=4, cutoff=0.6)
    matches = tuple(dict.fromkeys(spellings[c].name for c in close))
    raise UnknownNameError(
        f"there is no {kind} called {shown!r}",
        expected="one of " + ", ".join(names),
        got=shown,
        next="did you mean " + " or ".join(matches) + "?" if matches else "see `backproof catalog`",
    )


def _folded(name: str) -> str:
    """The name without LaTeX wrapping, in lower case, its words joined by hyphens."""
    text = name.strip()
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped:
        text = wrapped.group(1)
    return re.sub(r"[\s_]+|\\[,;: ]", "-", text.strip()).lower()


def plain_name(text: str) -> str:
    r"""A letter by its English name: λ, \lambda and lambda are all `lambda`.

    >>> plain_name("λ"), plain_name("W")
    ('lambda', 'W')
    """
    stripped = text.strip().removeprefix("\\")
    return _GREEK_LETTERS.get(stripped, stripped)
