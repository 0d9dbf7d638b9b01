"""How fast, as ratios to SymPy on the same work in one run.

1. Every elementwise pair of the catalogue: the network swept backwards, and its δ proved equal to the answer. SymPy:
   `diff` of the composed loss, and `simplify` of its difference to the same answer, with a cap for each pair. Both in
   a process that is warm.
2. A chain of 1,000 layers: the time of the reverse sweep, and how it grows with the depth.
3. A cold process: `backproof check` of one formula against `import sympy`.

`--every N` gives SymPy every Nth pair, 1 all; `--cap S` are the seconds that SymPy gets for one; of `--rounds N`
the best counts for each pair, on both sides.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, TypeVar

from backproof import Network, catalog, derive
from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.calculus.unfolding import unfold
from backproof.language.expression import (
    Add,
    Apply,
    Const,
    Expr,
    Mul,
    Num,
    Pow,
    Tensor,
    apply,
    postorder,
    tensor,
)
from backproof.language.walks import rewrite
from backproof.proof.deciding import decide
from backproof.proof.derivation import with_adjoints

Result = TypeVar("Result")

RIGHT: Final = "a - y"
WRONG: Final = "(a - y) * f'(z)"
GOAL_PAIRS: Final = 200
GOAL_COLD: Final = 0.75
GOAL_CHAIN: Final = 1.0


def elementwise_pairs() -> list[tuple[str, str]]:
    """The names of all activations and losses that are functions of numbers."""
    activations = [e.name for e in catalog.activations() if e.elementwise and not e.abstract]
    losses = [e.name for e in catalog.losses() if e.elementwise and not e.abstract]
    return [(activation, loss) for activation in activations for loss in losses]


def derived(pair: tuple[str, str]) -> tuple[Expr, float, bool]:
    """The answer for a pair, δ in closed form, how long its whole derivation took, and whether all of it is proved."""
    start = time.perf_counter()
    equation = derive(Network(output=pair[0], loss=pair[1])).equation("delta_L")
    seconds = time.perf_counter() - start
    return equation.expr, seconds, all(step.verdict.kind == "proved" for step in equation.steps)


def ours(pair: tuple[str, str], answer: Expr) -> tuple[float, bool]:
    """Seconds to build the network, sweep it backwards and prove its δ equal to the answer; whether it is proved."""
    start = time.perf_counter()
    program = with_adjoints(Network(output=pair[0], loss=pair[1]))
    (logits,) = (d for d in program.definitions if d.name == adjoint_name("J", "z"))
    found = decide(program, logits.head, answer)
    return time.perf_counter() - start, found.kind == "proved"


def scalar(answer: Expr, activation: str) -> Expr:
    """The answer for one unit, with the activation in the place of its name."""

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Tensor):
            return apply(activation, tensor("z")) if node.name == "a" else tensor(node.name)
        return None

    return rewrite(answer, rule)


def theirs(pair: tuple[str, str], answer: Expr, cap: float) -> tuple[float, str]:
    """SymPy's seconds for one pair, in a process of its own: SymPy cannot be stopped from inside."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_simplified, args=(pair, answer, sender))
    process.start()
    sender.close()
    start = time.perf_counter()
    try:
        receiver.recv()
        start = time.perf_counter()
        said = receiver.recv() if receiver.poll(cap) else "timeout"
    except EOFError:
        said = "failed"
    elapsed = time.perf_counter() - start
    process.kill()
    process.join()
    return min(elapsed, cap), said


def ready() -> None:
    """What both sides have before the first pair: each used once, and the text of our catalogue read.

    No pair of the benchmark is derived here. The garbage collector rests on both sides, as in `timeit`.
    """
    import sympy as library

    sympy: Any = library
    z = sympy.Symbol("z", real=True)
    sympy.simplify(sympy.diff(sympy.log(1 + sympy.exp(-z)) + sympy.Heaviside(z) * sympy.sqrt(z**2 + 1), z))
    derive(Network(output="f", loss="half-mse"))
    for activation, loss in elementwise_pairs():
        unfold(apply(loss, unfold(apply(activation, tensor("z"))), tensor("y")))
    gc.collect()
    gc.disable()


def _simplified(pair: tuple[str, str], answer: Expr, out: Connection) -> None:
    """Differentiate the composed loss with SymPy, and simplify the difference to our answer to 0."""
    import sympy as library

    sympy: Any = library
    prediction = unfold(apply(pair[0], tensor("z")))
    composed = translated(unfold(apply(pair[1], prediction, tensor("y"))))
    expected = translated(unfold(answer))
    logits = sympy.Symbol("z", real=True)
    out.send("ready")
    left = sympy.simplify(sympy.diff(composed, logits) - expected)
    out.send("equal" if left == 0 else "left over")


def translated(root: Expr) -> Any:
    """An expression of axioms as SymPy's."""
    import sympy as library

    sympy: Any = library
    image: dict[Expr, Any] = {}
    for node in postorder(root):
        inside = [image[child] for child in node.children]
        match node:
            case Num(value):
                image[node] = sympy.Rational(value.numerator, value.denominator)
            case Const(name):
                image[node] = getattr(sympy, name)
            case Tensor(name):
                image[node] = sympy.Symbol(name, real=True)
            case Add():
                image[node] = sympy.Add(*inside)
            case Mul():
                image[node] = sympy.Mul(*inside)
            case Pow(_, exponent):
                image[node] = inside[0] ** sympy.Rational(exponent.numerator, exponent.denominator)
            case Apply("step"):
                image[node] = sympy.Heaviside(inside[0], 0)
            case Apply(name):
                image[node] = getattr(sympy, name)(*inside)
            case _:
                raise TypeError(f"not a formula of numbers: {type(node).__name__}")
    return image[root]


def pairs_table(every: int, cap: float, rounds: int) -> bool:
    """Deriving the pairs and proving the answers, against SymPy; the best of the rounds for every pair, on both sides.

    We prove all pairs, one after another; those that SymPy gets are compared.
    """
    pairs = elementwise_pairs()
    found = in_a_process(derived, [(pair,) for pair in pairs])
    steps, whole = sum(seconds for _, seconds, _ in found), sum(done for _, _, done in found)
    work = [(pair, answer) for pair, (answer, _, _) in zip(pairs, found, strict=True)]
    ready()
    own: list[list[tuple[float, bool]]] = []
    other: list[list[tuple[float, str]]] = []
    for _ in range(rounds):
        # Nothing is remembered from one round to the next.
        own.append(in_a_process(ours, work))
        other.append([theirs(pair, scalar(answer, pair[0]), cap) for pair, answer in work[::every]])
    best = [min(times) for times in zip(*([seconds for seconds, _ in run] for run in own), strict=True)]
    proved = sum(done for _, done in own[0])
    print(
        f"pairs: {len(pairs)} swept, {proved} proved, {sum(best):.2f} s (median {statistics.median(best) * 1e3:.1f} ms)"
    )
    print(f"with the answer found, every step shown and proved: {steps:.2f} s, {whole} proved")
    theirs_best = [min(times) for times in zip(*([seconds for seconds, _ in run] for run in other), strict=True)]
    summary = ", ".join(f"{count} {said}" for said, count in Counter(said for _, said in other[0]).items())
    print(f"every {every}th of them: {sum(best[::every]):.2f} s")
    print(f"SymPy, diff and simplify: {sum(theirs_best):.1f} s (cap {cap:g} s a pair): {summary}")
    ratio = sum(theirs_best) / sum(best[::every])
    return verdict("pairs", ratio, f"at least {GOAL_PAIRS}× faster", reached=ratio >= GOAL_PAIRS)


def in_a_process(work: Callable[..., Result], arguments: list[tuple[Any, ...]]) -> list[Result]:
    """What the work gives for all arguments, in one other process: nothing is remembered here."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.starmap(work, arguments)


def chain_table() -> bool:
    """The reverse sweep over a deep chain."""
    times: dict[int, float] = {}
    for depth in (125, 250, 500, 1000):
        network = Network(("n",) + ("h",) * (depth - 1) + ("k",), hidden="f", output="softmax", loss="cross-entropy")
        program = network.program
        runs: list[float] = []
        for _ in range(3):
            start = time.perf_counter()
            adjoints(program, "J")
            runs.append(time.perf_counter() - start)
        times[depth] = min(runs)
        each = times[depth] / depth * 1e6
        print(f"chain of {depth:>4} layers: sweep {times[depth] * 1e3:7.1f} ms, {each:6.1f} µs a layer")
    growth = times[1000] / times[125]
    print(f"8 times the depth takes {growth:.1f} times the time (linear: 8)")
    goal = f"1,000 layers in under {GOAL_CHAIN:g} s"
    return verdict("chain", times[1000], goal, reached=times[1000] < GOAL_CHAIN and growth < 16)


def cold_table(runs: int = 7) -> bool:
    """A right and a wrong formula in fresh processes, against importing SymPy; the best of several runs, in turn."""
    command = [sys.executable, "-m", "backproof", "check", "--output", "sigmoid", "--loss", "bce"]
    lines = {"right": [*command, RIGHT], "wrong": [*command, WRONG], "sympy": [sys.executable, "-c", "import sympy"]}
    best = dict.fromkeys(lines, float("inf"))
    for _ in range(runs):
        for name, line in lines.items():
            start = time.perf_counter()
            subprocess.run(line, capture_output=True, check=False)
            best[name] = min(best[name], time.perf_counter() - start)
    print(f"cold `backproof check {RIGHT!r}`: {best['right'] * 1e3:.0f} ms; of {WRONG!r}: {best['wrong'] * 1e3:.0f} ms")
    print(f"`import sympy`: {best['sympy'] * 1e3:.0f} ms")
    ratio = max(best["right"], best["wrong"]) / best["sympy"]
    return verdict("cold check", ratio, f"at most {GOAL_COLD:g} of importing SymPy", reached=ratio <= GOAL_COLD)


def verdict(what: str, figure: float, goal: str, *, reached: bool) -> bool:
    """One line with the figure and its goal."""
    print(f"→ {what}: {figure:.3g}; goal {goal}: {'reached' if reached else 'MISSED'}\n")
    return reached


def main() -> int:
    """All tables; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description="Benchmarks against SymPy.")
    parser.add_argument("--every", type=int, default=11, metavar="N")
    parser.add_argument("--cap", type=float, default=5.0, metavar="S")
    parser.add_argument("--rounds", type=int, default=2, metavar="N")
    options = parser.parse_args()
    reached = [cold_table(), chain_table(), pairs_table(options.every, options.cap, options.rounds)]
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
