"""Fuzzing the readers: whatever a file holds, they end in bounded time with claims or a BackproofError."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backproof.check.document.prose import runs
from backproof.check.document.reader import check_document
from backproof.check.document.sources import pieces, read_document
from backproof.check.worksheet.sheet import check_worksheet
from backproof.check.worksheet.statements import statements
from backproof.errors import BackproofError

FUZZER = Path(__file__).resolve().parents[2] / "bench" / "fuzz_readers.py"
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


def mutated(count: int, seed: int, *options: str) -> str:
    """What the script says that reads mutated documents."""
    command = [sys.executable, str(FUZZER), "--count", str(count), "--seed", str(seed), *options]
    environment = os.environ | {"PYTHONPATH": str(FUZZER.parents[1] / "src")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    return done.stdout


@pytest.mark.slow
def test_mutated_documents_neither_break_nor_open_anything() -> None:
    assert "20000 inputs" in mutated(20_000, 1)


@pytest.mark.slow
def test_mutated_documents_are_judged_in_bounded_time() -> None:
    assert "400 inputs" in mutated(400, 2, "--prove-every", "1")


FORBIDDEN = ("open", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "exec", "compile")
SCRIPT = """
import sys
from backproof.check.document.reader import check_document
seen = []
text = sys.stdin.read()
check_document("$f(x) = x^2$ so $\\\\frac{df}{dx} = 3x$", "warm", "markdown")
on = True
def hook(event, args):
    if on and event in FORBIDDEN and not str(args[0] if args else "").endswith((".py", ".pyc", ".so")):
        seen.append((event, str(args)[:100]))
sys.addaudithook(hook)
open(__import__("os").devnull).close()
assert len(seen) == 1, "the hook sees nothing"
seen.clear()
for kind in ("markdown", "latex", "rest"):
    check_document(text, "hostile", kind)
on = False
print(seen)
""".replace("FORBIDDEN", repr(FORBIDDEN))
HOSTILE_TEXT = r"""
\input{/etc/passwd} \include{/etc/passwd} \write18{touch /tmp/written} \openin5=/etc/passwd
$\frac{d}{dx} __import__('os').system('true') = 1$
$f(x) = open('/etc/passwd').read()$ so $\frac{df}{dx} = 1$
```backproof
input x
q = exec(x)
dq/dx = eval(x)
```
<script src="file:///etc/passwd"></script> ![](file:///etc/passwd) [[include: /etc/passwd]]
.. include:: /etc/passwd
.. math:: \frac{df}{dx} = 3
"""


def test_a_hostile_document_opens_no_file_and_runs_no_code() -> None:
    environment = os.environ | {"PYTHONPATH": str(FUZZER.parents[1] / "src")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=HOSTILE_TEXT, capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[]"


@QUICK
@given(st.text(max_size=200))
def test_runs_and_pieces_keep_their_places(text: str) -> None:
    for run in runs(text):
        assert text[run.start :].startswith(run.text)
    joined = list(pieces(text, "markdown"))
    assert all(a.start <= b.start for a, b in itertools.pairwise(joined))
