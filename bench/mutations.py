"""Wrong claims made by mutating derivations: is each refuted, and explained as simply as it was made?

Networks of the catalogue in several shapes, layouts and reductions; every equation of each is changed by one mistake,
or by two, written down as text, and judged like any claim of a person. `--claims N` is how many wrong claims to make,
`--seed S` chooses them.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from backproof import Network, catalog
from backproof.check.claims import check
from backproof.check.diagnosis import Mutant, Search
from backproof.check.names import program_of
from backproof.check.points import agree
from backproof.language.expression import Tensor
from backproof.language.notating import notate
from backproof.language.program import Definition
from backproof.language.text import write

SCALES: tuple[tuple[str | None, dict[str, Any]], ...] = (
    (None, {}),
    ("lambda", {"reduction": "mean"}),
    (None, {"reduction": "mean", "layout": "rows"}),
)
NETWORKS = (
    *(Network(output=a, loss=b) for a, b in product(("sigmoid", "tanh", "relu"), ("mse", "half-mse", "bce", "huber"))),
    *(
        Network(output=a, loss=b)
        for a, b in (("softmax", "cross-entropy"), ("softmax", "half-mse"), ("exp", "poisson"))
    ),
    *(
        replace(Network(("n", "h", "k"), False, hidden, output, loss, l2=l2), **scale)
        for hidden, (output, loss) in product(
            ("sigmoid", "tanh"), (("sigmoid", "bce"), ("identity", "mse"), ("softmax", "cross-entropy"))
        )
        for l2, scale in SCALES
    ),
    *(Network(("n", "h", "h", "k"), True, h, o, c) for h in ("sigmoid", "relu") for o, c in (("sigmoid", "bce"),)),
    *(
        Network(("n", "h", "h", "k"), False, h, "sigmoid", "bce", reduction=r)
        for h in ("tanh", "f")
        for r in ("none", "sum")
    ),
    *(
        Network(("5", "5", "5"), False, h, "identity", "half-mse", l2=p)
        for h in ("relu", "gelu")
        for p in (None, "1/10")
    ),
)


@dataclass(frozen=True)
class Wrong:
    """A wrong claim as text, and how many mistakes made it."""

    network: Network
    text: str
    depth: int
    names: tuple[str, ...]


def wrong_claims(network: Network, chance: random.Random) -> Iterator[Wrong]:
    """Claims that differ from the truth, one and two mistakes deep, in random order."""
    program = program_of(network)
    targets = [n for n in program.by_name if n.startswith("∂J/∂") and n.removeprefix("∂J/∂")[0] in "zZWb"]
    for target in chance.sample(targets, len(targets)):
        definition = program.by_name[target]
        head = definition.head
        assert isinstance(head, Tensor)
        search = Search(network, program, head, definition.body)
        truth = search.numbers.value(head, definition.indices)
        singles = [m for m in search.mutants(search.folded()) if _differs(search, m, truth)]
        chance.shuffle(singles)
        for first in singles[:6]:
            yield _written(network, definition, (first,), 1)
        for first in singles[:3]:
            again = list(search.mutants(replace(search.folded(), body=first.body)))
            chance.shuffle(again)
            second = next((m for m in again if _differs(search, m, truth)), None)
            if second is not None:
                yield _written(network, definition, (first, second), 2)


def _differs(search: Search, mutant: Mutant, truth: np.ndarray) -> bool:
    value = search.numbers.value(mutant.body, search.indices)
    return bool(np.isfinite(value).all()) and not agree(value, truth)


def _written(network: Network, definition: Definition, mutants: tuple[Mutant, ...], depth: int) -> Wrong:
    relation = notate(
        replace(definition, body=mutants[-1].body), program=program_of(network), symbols=catalog.symbols()
    )
    return Wrong(network, write(relation, ascii=True), depth, tuple(m.mistake.name for m in mutants))


def main() -> None:
    """Make the claims, judge them, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claims", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    verdicts: Counter[str] = Counter()
    explained: Counter[int] = Counter()
    made: Counter[int] = Counter()
    seconds: list[float] = []
    pool: list[Wrong] = []
    for network in NETWORKS:
        pool += wrong_claims(network, chance)
    chance.shuffle(pool)
    for claim in pool[: options.claims]:
        start = time.perf_counter()
        (found, *_) = check(claim.text, claim.network)
        seconds.append(time.perf_counter() - start)
        verdicts[found.verdict] += 1
        if found.verdict == "refuted":
            made[claim.depth] += 1
            simple = min((len(e) for e in found.explanations), default=99)
            explained[claim.depth] += simple <= claim.depth
        elif found.verdict == "proved":
            print(f"PROVED, though it was changed: {claim.text}  [{claim.network.describe()}]  {claim.names}")
        else:
            print(f"{found.verdict}: {claim.text}  [{claim.network.describe()}]  {found.because}")
    print(f"{sum(verdicts.values())} wrong claims from {len(NETWORKS)} networks: {dict(verdicts)}")
    for depth in sorted(made):
        share = explained[depth] / made[depth]
        print(f"  {depth} mistake(s): {explained[depth]} of {made[depth]} explained as simply ({share:.1%})")
    print(f"  median {statistics.median(seconds) * 1e3:.0f} ms a claim, slowest {max(seconds):.1f} s")


if __name__ == "__main__":
    main()
