"""Fuzzing the readers with mutated documents: no crash, no hang, bounded memory, no file opened and no code run.

Every input is a piece of a real document, mutated, and goes through the readers as a file of a random kind: its
pieces, its formulas, its definitions, its claims and their shapes. One input in `--judge-every` and every small one is
also tried in all the networks that its words or its layers may mean; proving is a stub but for one in `--prove-every`.

    python bench/fuzz_readers.py --count 1000000 --seed 1
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import backproof.check.claims as claims_module
import backproof.check.document.pairs as pairs_module
import backproof.check.judging as judging_module
from backproof.check.document.networks import Networks
from backproof.check.document.reader import check_document
from backproof.check.worksheet.sheet import check_worksheet
from backproof.errors import BackproofError
from backproof.proof.verdict import Kind, Verdict

ROOT = Path(__file__).resolve().parents[1]
SMALL = 60
KINDS = ("markdown", "markdown", "latex", "rest", "worksheet", "notebook")
_FRAGMENTS = (
    r"$|$$|\(|\)|\[|\]|\\|{|}|(|)|^|_|&|=|,|.|\frac|\frac{|}{|\partial |\sum_{i=1}^m |\sum_|\prod |\left(|\right)|"
    r"\begin{align}|\end{align}|\begin{cases}|\end{cases}|\begin{bmatrix}|\end{bmatrix}|\text{|\mathbf{|\hat |"
    r"\newcommand{\a}{|\newcommand{\b}[2]{#1#2}|\def\c#1{#1}|\nabla |\nabla_|\delta|^T|^{-1}|'|\cdot |\odot |\tag{1}|"
    r"\in \mathbb{R}^{n \times m}|\leftarrow |:=|dW|dZ^{[2]}|x_i|x^{(i)}|y_{y_i}|W_{ij}|a^{l-1}|\ldots|\color{red}{|"
    r"```math|```|`|.. math::|:math:`|<!--|-->|# |- |> || |∂L/∂w = |σ′(z)|∇|ŷ|𝐱|²|999999999|1e9|if |for |softmax|"
    r"sigmoid with |cross-entropy |MSE |input x in R^n|assume x > 0|function f|\input{/etc/passwd}"
)
FRAGMENTS = (*_FRAGMENTS.split("|"), "\n\n", "\u202e", "\x00")
WORKSHEET = """input x in R^n, y
parameter w in R^n
function f
z = w^T x
J = 1/2 (f(z) - y)^2
dJ/dw = (f(z) - y) f'(z) x
"""


class TooSlowError(Exception):
    """An input that takes longer than the limit."""


def texts() -> list[str]:
    """The documents that inputs are made from."""
    files = sorted((ROOT / "tests" / "check" / "documents").iterdir())
    shared = ROOT.parent / "shared" / "documents"
    files += sorted(p for p in shared.rglob("*") if p.suffix in (".md", ".txt")) if shared.is_dir() else []
    found = [re.sub(r"[ \t]*@@ [a-z ]+", "", p.read_text(errors="replace")) for p in files if p.is_file()]
    return [*found, WORKSHEET]


def mutant(rng: random.Random, sources: Sequence[str]) -> str:
    """A piece of a document with a few mutations."""
    source = rng.choice(sources)
    start = rng.randrange(max(1, len(source)))
    start = source.rfind("\n", 0, start) + 1
    text = source[start : start + rng.choice((80, 200, 400, 800))]
    for _ in range(rng.randrange(1, 6)):
        at, other = (rng.randrange(len(text) + 1) for _ in range(2))
        low, high = min(at, other), max(at, other)
        match rng.randrange(9):
            case 0:
                text = text[:at] + rng.choice(FRAGMENTS) + text[at:]
            case 1:
                text = text[:low] + text[min(high, low + rng.randrange(1, 12)) :]
            case 2:
                text = text[:at] + text[low : low + rng.randrange(1, 40)] * rng.randrange(1, 4) + text[at:]
            case 3:
                found = list(re.finditer(r"\\[a-zA-Z]+|[a-zA-Z]|[{}()_^=]", text))
                if found:
                    one = rng.choice(found)
                    text = text[: one.start()] + rng.choice(found)[0] + text[one.end() :]
            case 4:
                donor = rng.choice(sources)
                cut = rng.randrange(max(1, len(donor)))
                text = text[:at] + donor[cut : cut + rng.randrange(1, 60)] + text[at:]
            case 5:
                text = text[:at] + chr(rng.randrange(1, 0x2FFF)) + text[at:]
            case 6:
                text = text.replace(rng.choice("xywbazij{}()$^_"), rng.choice("xywbazij{}()$^_"), rng.randrange(1, 5))
            case 7:
                lines = text.split("\n")
                rng.shuffle(lines)
                text = "\n".join(lines)
            case _:
                text = text[:at] + rng.choice(FRAGMENTS) * rng.randrange(1, 30) + text[at:]
    return text[:4_000]


class Guard:
    """Counts what a document must never do: open a file, run code or reach out, while `on`."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self.hook)

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open" and str(args[0]).endswith((".py", ".pyc", ".so", ".nbi", ".nbc")):
            return
        if event in ("open", "os.system", "os.exec", "os.spawn", "subprocess.Popen", "socket.connect", "os.remove"):
            self.seen.append(f"{event}: {args!r}"[:200])


def _undecided(*_args: object, **_options: object) -> Verdict:
    return Verdict(Kind.UNKNOWN, because="not tried")


def _nowhere(*_args: object, **_options: object) -> Iterator[Any]:
    return iter(())


def read(text: str, kind: str) -> str:
    """Reads the input as a file of the kind: "claims", "nothing" or "refused"."""
    try:
        if kind == "worksheet":
            found = check_worksheet(text)
        elif kind == "notebook":
            cell = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            found = check_document('{"cells": [{"cell_type": "markdown", "source": "' + cell + '"}]}', "n", kind).claims
        else:
            found = check_document(text, "n", kind).claims
    except BackproofError:
        return "refused"
    for claim in found:
        if claim.where is not None and (claim.where.line < 1 or claim.where.column < 1):
            raise AssertionError("a place outside the file")
        if not claim.because and claim.verdict in ("unknown", "unread"):
            raise AssertionError("no reason")
    return "claims" if found else "nothing"


def main() -> int:
    """Reads mutants and says what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first input")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--limit", type=float, default=10.0, help="seconds of the processor for one input")
    parser.add_argument("--judge-every", type=int, default=25, help="try all networks in one input of so many")
    parser.add_argument("--prove-every", type=int, default=0, help="prove in one input of so many (0: never)")
    parser.add_argument("--one", type=int, help="the one input of this number, shown")
    options = parser.parse_args()

    def too_slow(_signal: int, _frame: object) -> None:
        raise TooSlowError

    signal.signal(signal.SIGVTALRM, too_slow)
    sources = texts()
    decide = judging_module.decide
    whole = {name: Networks.__dict__[name] for name in ("of_layers", "judged")}
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    guard = Guard()
    warm = mutant(random.Random(0), sources)
    read(warm, "markdown")
    started, worst, peak = time.monotonic(), 0.0, 0
    busy = time.process_time()
    done = 0
    for number in [options.one] if options.one is not None else range(options.first, options.first + options.count):
        rng = random.Random(options.seed * 1_000_003 + number)
        text, kind = mutant(rng, sources), rng.choice(KINDS)
        if options.one is not None:
            print(repr(text), kind)
        proving = options.prove_every and number % options.prove_every == 0
        for module in (judging_module, claims_module, pairs_module):
            module.__dict__["decide"] = decide if proving else _undecided
        judging = proving or number % options.judge_every == 0 or len(text) <= SMALL
        for name, method in whole.items():
            setattr(Networks, name, method if judging else _nowhere)
        signal.setitimer(signal.ITIMER_VIRTUAL, options.limit * (10 if proving else 1))
        began = time.process_time()
        guard.on = True
        try:
            outcomes[read(text, kind)] += 1
        except TooSlowError:
            wrong.append(f"{number}: more than {options.limit} s: {text[:80]!r}")
        except Exception as error:  # noqa: BLE001
            line = traceback.extract_tb(error.__traceback__)[-1]
            print(f"input {number}: {type(error).__name__}: {error}", flush=True)
            wrong.append(f"{number}: {type(error).__name__}: {error} ({Path(line.filename).name}:{line.lineno})")
        finally:
            guard.on = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        worst = max(worst, time.process_time() - began if not proving else 0.0)
        done += 1
        if done % 5_000 == 0 or len(wrong) > 50:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            rate = done / (time.process_time() - busy)
            print(
                f"{done} inputs, {rate:.0f} a second, slowest {worst:.2f} s, {peak} MB, {len(wrong)} wrong", flush=True
            )
        if len(wrong) > 50 or time.monotonic() - started > options.seconds:
            break
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    rate = done / max(1e-9, time.process_time() - busy)
    shown = ", ".join(f"{outcomes[k]} {k}" for k in ("claims", "nothing", "refused"))
    print(
        f"{done} inputs from seed {options.seed}: {shown}; "
        f"{rate:.0f} a second of the processor, slowest {worst:.2f} s, peak {peak} MB"
    )
    for one in (*wrong, *guard.seen):
        print("wrong:", one)
    return 1 if wrong or guard.seen else 0


if __name__ == "__main__":
    sys.exit(main())
