"""Prose: formulas written without delimiters, and words that name losses and activations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(r"\S+")
_WORD: Final = re.compile(
    r"[A-Za-z]{2,}(?:['\u2019][a-z]+)?|[A-Za-z]{2,}-[A-Za-z]{2,}(?:-[A-Za-z]+)*|[Ee]\.g\.|[Ii]\.e\."
)
_FUNCTIONS: Final = frozenset("log ln exp sin cos tanh sum max min diag tr sigmoid softmax relu sqrt mean yhat".split())
_SIGNS: Final = frozenset("=+−-*/^_()[]{}'′|·⊙×∂δ∇σΣ∑ŷθφλ\u0302²")
_EDGE: Final = '.,;:!?"”“'
_GRADIENT: Final = re.compile(r"^d[A-Z]\w*$|^d\w+/d\w+$")


@dataclass(frozen=True, slots=True)
class Run:
    """A formula in a line of prose, with its offset."""

    text: str
    start: int


def runs(prose: str) -> Iterator[Run]:
    """Formulas that stand in prose without delimiters: mathematical words around an equals sign.

    >>> [r.text for r in runs("it says that δ(L) = a(L) − y. Since L = 3 and so on")]
    ['δ(L) = a(L) − y', 'L = 3']
    """
    current: list[re.Match[str]] = []
    for found in _TOKEN.finditer(prose):
        word = found[0]
        breaks = _breaks(prose, current, found.start())
        mathematical = _mathematical(word)
        if current and (breaks or not mathematical):
            yield from _run(prose, current)
            current = []
        if mathematical:
            current.append(found)
            if word[-1] in ".,;:!?" and word != "...":
                yield from _run(prose, current)
                current = []
    if current:
        yield from _run(prose, current)


def _breaks(prose: str, current: list[re.Match[str]], start: int) -> bool:
    """Whether a formula ends before the token at `start`: at an empty line, or where each line is its own equation."""
    if not current or "\n" not in (between := prose[current[-1].end() : start]):
        return False
    line = prose[start : prose.find("\n", start) if "\n" in prose[start:] else len(prose)]
    own = "=" in line.partition(" ")[2] and line[0] not in "=+-−·*/"
    return "\n\n" in between or (own and "=" in prose[current[0].start() : current[-1].end()])


def _mathematical(token: str) -> bool:
    core = token.strip(_EDGE)
    if not core or "://" in core or "@" in core or "<" in core:
        return False
    if _WORD.fullmatch(core):
        return core in _FUNCTIONS or _GRADIENT.match(core) is not None
    if any(c in _SIGNS for c in core):
        return not re.search(r"[A-Za-z]{4,}-|[A-Za-z]{5,}", core) or any(f + "(" in core for f in _FUNCTIONS)
    return len(core) == 1 or core[0].isdigit() or not core.isascii()


def _run(prose: str, tokens: list[re.Match[str]]) -> Iterator[Run]:
    start, end = tokens[0].start(), tokens[-1].end()
    text = prose[start:end]
    while text and text[0] in '"“.,;:!?-*•>|':
        text, start = text[1:].lstrip(), start + 1 + len(text[1:]) - len(text[1:].lstrip())
    text = text.rstrip('.,;:!?"”|')
    # "a", "I" before a name are words of the sentence.
    article = re.match(r"(?:a|I|A)\s+(?=[^\s=+\-−*/(^_])", text)
    if article:
        text, start = text[article.end() :], start + article.end()
    left, sign, right = text.partition("=")
    if sign and left.strip() and right.strip() and "==" not in text and _balanced(text):
        yield Run(text, start)


def _balanced(text: str) -> bool:
    return all(text.count(a) == text.count(b) for a, b in ("()", "[]", "{}"))


LOSSES: Final = (
    (r"binary[\s-]+cross[\s-]?entropy|\bBCE\b|log[\s-]loss|logistic\s+loss", ("bce",)),
    (r"cross[\s-]?entropy|negative\s+log[\s-]likelihood|\bNLL\b", ("cross-entropy", "bce")),
    (
        r"half\s+(?:the\s+)?(?:mean\s+)?square[d]?\s+error",
        ("half-mse",),
    ),
    (
        r"mean[\s-]+squared?[\s-]+errors?|\bMSE\b|squared?[\s-]+(?:error|loss)|quadratic\s+(?:cost|loss)|\bL2\s+loss",
        ("mse", "half-mse"),
    ),
)
ACTIVATIONS: Final = (
    (r"softmax", "softmax"),
    (r"sigmoid|logistic\s+(?:function|activation|unit|output)", "sigmoid"),
    (r"\btanh\b|hyperbolic\s+tangent", "tanh"),
    (r"\bReLU\b|rectified\s+linear", "relu"),
    (r"linear\s+(?:activation|output|unit)|identity\s+(?:activation|function|output)|no\s+activation", "identity"),
)
_LOSSES: Final = tuple((re.compile(p, re.IGNORECASE), names) for p, names in LOSSES)
_ACTIVATIONS: Final = tuple((re.compile(p, re.IGNORECASE), name) for p, name in ACTIVATIONS)


@dataclass(frozen=True, slots=True)
class Named:
    """What words name: candidates for one loss or activation, and where the words stand."""

    names: tuple[str, ...]
    start: int
    end: int


def losses_named(text: str) -> tuple[Named, ...]:
    """The losses that a sentence names, in order; a longer name hides a shorter one inside it."""
    return _named(text, ((p, names) for p, names in _LOSSES))


def activations_named(text: str) -> tuple[Named, ...]:
    """The activations that a sentence names, in order."""
    return _named(text, ((p, (name,)) for p, name in _ACTIVATIONS))


def _named(text: str, patterns: Iterator[tuple[re.Pattern[str], tuple[str, ...]]]) -> tuple[Named, ...]:
    found: list[Named] = []
    for pattern, names in patterns:
        for match in pattern.finditer(text):
            if not any(n.start < match.end() and match.start() < n.end for n in found):
                found.append(Named(names, *match.span()))
    return tuple(sorted(found, key=lambda n: n.start))
