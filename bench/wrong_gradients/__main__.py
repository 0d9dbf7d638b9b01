"""Every wrong gradient of this folder judged: found, accused wrongly, named; beside gradcheck and check_grads.

Run: python bench/wrong_gradients [FILE...] [--peers]
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
import warnings
from pathlib import Path
from types import ModuleType

from backproof.check.code.judging import judge
from backproof.check.code.problem import Problem
from backproof.check.code.verdicts import CodeReport

FOLDER = Path(__file__).parent


def loaded(path: Path) -> ModuleType:
    """A file of the folder as a module."""
    spec = importlib.util.spec_from_file_location(f"wrong_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def judged(module: ModuleType, name: str) -> CodeReport:
    """The report on one backward function of a file."""
    backward = getattr(module, name)
    problems = [Problem(module.forward, backward, module.example(seed), ("params", "x", "y")) for seed in range(3)]
    return judge(problems)


def main() -> int:
    """Judge, print a line for each function, then the totals."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*")
    parser.add_argument("--peers", action="store_true", help="also ask torch's gradcheck and JAX's check_grads")
    options = parser.parse_args()
    paths = [p for p in sorted(FOLDER.glob("*.py")) if not p.name.startswith("_") and p.name != "peers.py"]
    if options.files:
        paths = [p for p in paths if p.stem in options.files]
    wrong = found = called = right = accused = first = 0
    peers: dict[str, list[bool]] = {"gradcheck": [], "check_grads": []}
    warnings.simplefilter("ignore")
    for path in paths:
        module = loaded(path)
        for name in ("backward", *module.WRONG):
            started = time.perf_counter()
            report = judged(module, name)
            seconds = time.perf_counter() - started
            refuted = [g for g in report.gradients if g.verdict == "refuted"]
            names = list(dict.fromkeys(m.name for g in refuted for m in g.mistakes))
            firsts = {g.mistakes[0].name for g in refuted if g.mistakes}
            if name == "backward":
                right += 1
                accused += bool(refuted) or not report.ok
                mark = (
                    "right"
                    if report.ok
                    else "ACCUSED "
                    + ", ".join(
                        f"{g.name}: {g.verdict} {g.because or ''}" for g in report.gradients if g.verdict != "proved"
                    )
                )
            else:
                kinds = module.WRONG[name]
                wrong += 1
                found += bool(refuted)
                hit = bool(set(kinds) & set(names))
                called += hit
                first += bool(firsts) and firsts <= set(kinds)
                mark = f"{'found' if refuted else 'MISSED'}, {'named' if hit else 'NOT NAMED ' + kinds[0]}: {', '.join(names)}"
            print(f"{path.stem + '.' + name:<42} {seconds:5.2f} s  {mark}", flush=True)
            if options.peers and name != "backward":
                from peers import ask

                for peer, answer in ask(module, name).items():
                    peers[peer].append(answer)
    print(f"\n{wrong} wrong gradients: {found} found, {called} named ({first} with the first name alone); ", end="")
    print(f"{right} right ones: {accused} accused")
    for peer, answers in peers.items():
        if answers:
            print(f"{peer}: {sum(answers)} of {len(answers)} found, 0 named")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
