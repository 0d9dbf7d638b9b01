"""Wrong claims made by changing derivations: is each refuted, and explained as simply as it was made?

Networks of the catalogue in several shapes, layouts and reductions. A line of a network's derivation, in one of its
forms, is changed by one slip or by two (`mutating.py`), found wrong by central differences of the loss in 40 digits
(`central_differences.py`), written down as text, and judged like any claim of a person. Beside them the same lines are
rewritten rightly: none of these may be refuted.

Run: python bench/mutations.py [--count N] [--seed S] [--resume FILE] [--failures]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from central_differences import RIGHT, WRONG, Judge, judges
from mutating import NAMES, Written, rewritten, slip

from backproof import Network, catalog
from backproof.check.claims import check
from backproof.check.mistakes import HIDDEN_CONDITION, Mistake
from backproof.check.names import program_of
from backproof.errors import BackproofError
from backproof.language.expression import Expr, apply, mul, power, size
from backproof.language.latex import typeset
from backproof.language.notating import notate
from backproof.language.notation import Relation
from backproof.language.program import Definition
from backproof.language.text import write
from backproof.language.walks import inline, names
from backproof.proof.derivation import derive

ELEMENTWISE: Final = (
    ("sigmoid", "bce"), ("sigmoid", "mse"), ("sigmoid", "half-mse"), ("tanh", "mse"), ("tanh", "half-mse"),
    ("identity", "mse"), ("identity", "half-mse"), ("identity", "huber"), ("relu", "mse"), ("exp", "poisson"),
    ("softplus", "half-mse"), ("sigmoid", "huber"), ("identity", "log-cosh"), ("sigmoid", "focal"), ("f", "mse"),
)  # fmt: skip
SCALES: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"reduction": "sum"},
    {"reduction": "mean", "l2": "lambda"},
    {"reduction": "mean", "layout": "rows"},
    {"reduction": "mean-all", "layout": "rows-out-in", "l2": "lambda"},
)
OUTPUTS: Final = (("sigmoid", "bce"), ("identity", "mse"), ("softmax", "cross-entropy"))
NETWORKS: Final = (
    *(Network(output=a, loss=b) for a, b in ELEMENTWISE),
    *(Network(output="softmax", loss=b) for b in ("cross-entropy", "half-mse")),
    *(
        replace(Network(("n", "h", "k"), hidden=h, output=a, loss=b), **scale)
        for (a, b), h in zip(OUTPUTS, ("sigmoid", "tanh", "relu"), strict=True)
        for scale in SCALES
    ),
    *(Network(("n", "h", "h", "k"), symbolic_depth=True, hidden=h) for h in ("sigmoid", "tanh", "f")),
    *(Network(("n", "h", "h", "k"), hidden=h, l2=p) for h in ("tanh", "gelu", "f") for p in (None, "lambda")),
    *(Network(("4", "3", "3"), hidden=h, output="identity", loss="half-mse") for h in ("swish", "softplus", "elu")),
    *(Network(("3", "3", "3"), hidden="tanh", l2="1/10", reduction=r) for r in ("none", "sum", "mean")),
)
OWN_SLOPES: Final[Mapping[str, Callable[[Expr, Expr], Expr]]] = {
    "sigmoid": lambda _, a: mul(a, 1 - a),
    "tanh": lambda _, a: 1 - a**2,
    "exp": lambda _, a: a,
    "softplus": lambda z, _: apply("sigmoid", z),
    "relu": lambda z, _: apply("step", z),
}
"""Slopes as every textbook has them, to rewrite a formula rightly."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as text. `kinds` are the slips that made it; a right one has none."""

    network: int
    text: str
    kinds: tuple[str, ...]

    @property
    def key(self) -> str:
        """What tells it from all others, in a file of results."""
        return f"{self.network} {self.text}"


def lines(network: Network) -> list[Written]:
    """What a person would write down: the lines of the derivation, and those with δ put in."""
    program = program_of(network)
    batch = next(
        (d.indices[1 if network.layout == "columns" else 0].sort for d in program.definitions if network.batch), None
    )
    penalty = network.regulariser
    if penalty is not None and batch is not None and network.reduction.startswith("mean"):
        penalty = mul(penalty, power(size(batch), -1))
    steps = derive(network).equations
    last = {"∂J/∂" + e.target: (e.indices, e.expr) for e in steps}
    found: dict[tuple[str, Expr], Written] = {}
    for equation in steps:
        shown = [s.expr for s in equation.steps]
        if any(n in last for n in names(shown[-1])):
            shown.append(inline(shown[-1], last))
        for body in shown:
            found[equation.target, body] = Written(program, equation.target, equation.indices, body, batch, penalty)
    return list(found.values())


def wrong_claims(number: int, chance: random.Random) -> Iterator[Claim]:
    """Claims that differ from the truth at a point, one and two slips deep in turn."""
    network = NETWORKS[number]
    judge = judges(network)
    seen: set[str] = set()
    depth = 1
    pool = lines(network)
    for _ in range(20_000):
        line = chance.choice(pool)
        kinds: list[str] = []
        for _ in range(depth):
            made = slip(line, chance)
            if made is not None:
                line, kinds = replace(line, body=made.body), [*kinds, made.kind]
        # A formula that lacks an index of its left side is a slip of shape: it is refused at its place, not refuted.
        if len(kinds) < depth or line.body.free != frozenset(line.indices) or not _is_wrong(judge[line.target], line):
            continue
        text = written_down(line, chance)
        if text is not None and text not in seen:
            seen.add(text)
            yield Claim(number, text, tuple(kinds))
            depth = 3 - depth


def right_claims(number: int, chance: random.Random) -> Iterator[Claim]:
    """The lines of the derivation, rewritten."""
    network = NETWORKS[number]
    judge = judges(network)
    seen: set[str] = set()
    pool = lines(network)
    for _ in range(2_000):
        line = chance.choice(pool)
        line = replace(line, body=rewritten(line, chance, OWN_SLOPES))
        errors = [j.error(line.target, line.indices, line.body) for j in judge[line.target]]
        if any(e is None or e > RIGHT for e in errors):
            raise AssertionError(f"rewritten wrongly: {line.target} = {line.body}")
        text = written_down(line, chance)
        if text is not None and text not in seen:
            seen.add(text)
            yield Claim(number, text, ())


def _is_wrong(points: tuple[Judge, ...], line: Written) -> bool:
    """Whether the formula has a value at both points and differs from the gradient at one."""
    errors = [j.error(line.target, line.indices, line.body) for j in points]
    return None not in errors and max(e for e in errors if e is not None) > WRONG


def written_down(line: Written, chance: random.Random) -> str | None:
    """The claim in ASCII, Unicode or LaTeX, in matrix notation or with indices."""
    definition = Definition("∂J/∂" + line.target, line.indices, line.body)
    symbols = catalog.symbols()
    try:
        if chance.random() < 0.25:
            sides = tuple(
                notate(e, program=line.program, free=line.indices, symbols=symbols, style="index")
                for e in (definition.head, definition.body)
            )
            relation: Any = Relation(sides, ("=",))
        else:
            relation = notate(definition, program=line.program, symbols=symbols)
    except BackproofError:
        return None
    match chance.randrange(3):
        case 0:
            return typeset(relation)
        case 1:
            return write(relation)
        case _:
            return write(relation, ascii=True)


def judged(claim: Claim) -> dict[str, Any]:
    """What the checker makes of a claim, and the processor time it takes, in milliseconds."""
    start = time.process_time()
    found, *_ = check(claim.text, NETWORKS[claim.network])
    spent = (time.process_time() - start) * 1e3
    named = {m.name for e in found.explanations for m in e}
    return {
        "key": claim.key,
        "network": NETWORKS[claim.network].describe(),
        "claim": claim.text,
        "kinds": claim.kinds,
        "verdict": found.verdict,
        "because": found.because,
        "explanations": [[m.name + ": " + m.detail for m in e] for e in found.explanations],
        "simple": bool(claim.kinds) and any(_is_simple(e, len(claim.kinds)) for e in found.explanations),
        "named": all(NAMES[k] & named for k in claim.kinds),
        "ms": round(spent, 1),
    }


def _is_simple(explanation: Sequence[Mistake], made: int) -> bool:
    """Whether it has no more mistakes than were made; a condition that was not stated is not one of them."""
    return len(explanation) <= made and all(m.name != HIDDEN_CONDITION.name for m in explanation)


def claims_of(number: int, count: int, rewritings: int, seed: int) -> Iterator[Claim]:
    """So many wrong claims about a network, then so many right ones; the same for the same seed everywhere."""
    chance = random.Random(zlib.crc32(f"{seed} {NETWORKS[number].describe()}".encode()))
    yield from islice(wrong_claims(number, chance), count)
    yield from islice(right_claims(number, chance), rewritings)


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """What came out, as a table in Markdown."""
    rows = ["| claims | number | refuted | proved | unknown | unread | explained as simply | with the slip's name |"]
    rows.append("|---|---|---|---|---|---|---|---|")
    for words, depth in (("one slip", 1), ("two slips", 2), ("right, rewritten", 0)):
        chosen = [r for r in results if len(r["kinds"]) == depth]
        verdicts = Counter(r["verdict"] for r in chosen)
        cells = [words, str(len(chosen)), *(str(verdicts[v]) for v in ("refuted", "proved", "unknown", "unread"))]
        for key in ("simple", "named"):
            share = sum(r[key] for r in chosen) / len(chosen) if chosen and depth else None
            cells.append("" if share is None else f"{share:.1%}")
        rows.append("| " + " | ".join(cells) + " |")
    wrong = sorted(r["ms"] for r in results if r["kinds"])
    networks = len({r["network"] for r in results})
    rows.append("")
    if wrong:
        slow = wrong[int(0.95 * (len(wrong) - 1))]
        simple = sum(r["simple"] for r in results if r["kinds"]) / len(wrong)
        rows.append(f"{len(wrong)} wrong claims about {networks} networks, {simple:.1%} of them explained as simply.")
        rows.append(
            f"Processor time for a wrong claim: median {statistics.median(wrong):.0f} ms, "
            f"95 % below {slow:.0f} ms, longest {wrong[-1] / 1e3:.1f} s."
        )
    return "\n".join(rows)


def main() -> int:
    """Make the claims, judge them, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="wrong claims")
    parser.add_argument("--right", type=int, default=400, help="right claims")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", type=Path, help="a file of results: what is in it is not judged again")
    parser.add_argument("--failures", action="store_true", help="also print what was missed")
    options = parser.parse_args()
    done: dict[str, dict[str, Any]] = {}
    if options.resume is not None and options.resume.exists():
        done = {r["key"]: r for r in map(json.loads, options.resume.read_text().splitlines())}
    results: list[dict[str, Any]] = []
    for number, network in enumerate(NETWORKS):
        shares = [options.count, options.right]
        count, right = (n * (number + 1) // len(NETWORKS) - n * number // len(NETWORKS) for n in shares)
        for claim in claims_of(number, count, right, options.seed):
            result = done.get(claim.key)
            if result is None:
                result = judged(claim)
                if options.resume is not None:
                    with options.resume.open("a") as file:
                        file.write(json.dumps(result, ensure_ascii=False) + "\n")
            results.append(result)
            if options.failures and (result["verdict"] != "refuted" or not result["simple"]) and result["kinds"]:
                print(
                    f"{result['verdict']}: {claim.text}  [{network.describe()}]  {claim.kinds} {result['explanations']}"
                )
        print(f"{number + 1}/{len(NETWORKS)} networks, {len(results)} claims", flush=True)
    print(table(results))
    wrong = [r for r in results if r["kinds"]]
    sound = all(r["verdict"] == "refuted" for r in wrong) and all(
        r["verdict"] != "refuted" for r in results if not r["kinds"]
    )
    return 0 if sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
