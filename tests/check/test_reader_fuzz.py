"""Fuzzing the readers: whatever a file holds, they end in bounded time with claims or a BackproofError."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backproof.check.document.prose import runs
from backproof.check.document.reader import check_document
from backproof.check.document.sources import pieces, read_document
from backproof.check.worksheet.sheet import check_worksheet
from backproof.check.worksheet.statements import statements
from backproof.errors import BackproofError

KINDS = ("markdown", "latex", "rest", "notebook")
FRAGMENTS = (
    "$",
    "$$",
    "\\(",
    "\\)",
    "\\\\(",
    "\\\\)",
    "\\[",
    "\\]",
    "\\begin{align}",
    "\\end{align}",
    "\\begin{cases}",
    "&",
    "\\\\",
    "```math\n",
    "```\n",
    "```backproof\n",
    ":math:`",
    "`",
    "\n.. math::\n\n   ",
    "\n\n",
    "\n",
    "- ",
    "> ",
    "| ",
    "<!--",
    "-->",
    "f(x) = x^2",
    "\\frac{df}{dx}",
    "= 2x",
    "= x",
    "\\partial L",
    "\\frac{\\partial L}{\\partial w}",
    "L = (wx - y)^2",
    "\\nabla f",
    "\\mathbf{W}",
    "\\in \\mathbb{R}^{n \\times m}",
    "\\sum_{i=1}^n",
    "x_i",
    "\\hat y",
    "δ(L) = a(L) − y",
    "softmax",
    "sigmoid with ",
    "binary cross-entropy ",
    "MSE ",
    "all ",
    "{",
    "}",
    "(",
    ")",
    "_",
    "^",
    "\\left[",
    "\\right]",
    "\\ldots",
    "\\text{if }",
    "\x00",
    "\u202e",
    "input x in R^n\n",
    "q = x\n",
    "dq/dx = 1\n",
    "assume x > 0\n",
    "function f\n",
    "9" * 40,
    "\\",
    "%",
    "#",
    "é",
    "𝐱",
    "=",
    ",",
    ". ",
)
texts = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=14).map("".join)
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
LONG = settings(
    max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def read(text: str, kind: str) -> None:
    try:
        document = read_document(text, "fuzz", kind)
    except BackproofError:
        return
    assert all(document.text[p.start : p.start + 1] != "" for p in document.pieces if p.text)
    for piece in document.pieces:
        line, column = document.position(piece.start)
        assert line >= 1
        assert column >= 1


def judge(text: str, kind: str) -> None:
    started = time.monotonic()
    try:
        claims = check_worksheet(text) if kind == "worksheet" else check_document(text, "fuzz", kind).claims
    except BackproofError:
        return
    for claim in claims:
        assert claim.verdict in ("proved", "refuted", "unknown", "unread")
        assert claim.because or claim.verdict in ("proved", "refuted")
        assert claim.where is None or (claim.where.line >= 1 and claim.where.column >= 1)
    assert time.monotonic() - started < 60


@QUICK
@given(texts, st.sampled_from(KINDS))
def test_pieces_lie_in_the_text(text: str, kind: str) -> None:
    read(text, kind)


@QUICK
@given(texts, st.sampled_from((*KINDS, "worksheet")))
def test_readers_end_with_claims_or_an_error(text: str, kind: str) -> None:
    judge(text, kind)


@pytest.mark.slow
@LONG
@given(texts, st.sampled_from(KINDS))
def test_pieces_lie_in_the_text_at_length(text: str, kind: str) -> None:
    read(text, kind)


@pytest.mark.slow
@LONG
@given(texts, st.sampled_from((*KINDS, "worksheet")))
def test_readers_end_with_claims_or_an_error_at_length(text: str, kind: str) -> None:
    judge(text, kind)


HOSTILE = (
    "$" * 20_000,
    "\\(" * 10_000,
    "$$" + "{" * 10_000 + "$$",
    "```" * 5_000,
    "<!--" * 5_000,
    "\\begin{align}" * 3_000,
    "$" + "\\frac{" * 3_000 + "$",
    "$a" + "_{b" * 3_000 + "$ = $x$",
    "x = " * 5_000,
    "$\\frac{df}{dx} = " + "x + " * 5_000 + "x$",
    ".. math::\n" * 3_000,
    ":math:`" * 5_000,
    "- " * 20_000,
    "\n" * 100_000,
    "`" * 20_000,
    "$f(x) = x^{9^{9^{9}}}$ so $\\frac{df}{dx} = 1$",
    "\\input{/etc/passwd} $\\newcommand{\\a}{\\a\\a}\\frac{d}{dx} \\a = 1$",
    "$\\frac{d}{dx} __import__('os').system('true') = 1$",
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("kind", ["markdown", "latex", "rest"])
def test_hostile_documents_end_soon(text: str, kind: str) -> None:
    started = time.monotonic()
    judge(text, kind)
    assert time.monotonic() - started < 20


def test_documents_that_are_too_long_are_refused() -> None:
    with pytest.raises(BackproofError, match="too long"):
        check_document("a" * (5 * 1024 * 1024), "long", "markdown")
    with pytest.raises(BackproofError, match="too long"):
        list(statements("a" * (300 * 1024)))


@QUICK
@given(st.text(max_size=200))
def test_runs_and_pieces_keep_their_places(text: str) -> None:
    for run in runs(text):
        assert text[run.start :].startswith(run.text)
    joined = list(pieces(text, "markdown"))
    assert all(a.start <= b.start for a, b in itertools.pairwise(joined))
