"""How much of the documents in `tests/check/documents` is understood, and how much judged as it should be.

python bench/documents.py [part of a name …]
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1] / "tests" / "check" / "test_own_documents.py"


def _tests() -> Any:
    """The module of the tests, which knows the marks."""
    spec = importlib.util.spec_from_file_location("test_own_documents", TESTS)
    if spec is None or spec.loader is None:
        raise ImportError(str(TESTS))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def main() -> int:
    """Prints a line for each document and what is open or wrong in it."""
    tests = _tests()
    started = time.process_time()
    marked = read = judged = false = 0
    for path in [p for p in tests.DOCUMENTS if not sys.argv[1:] or any(a in p.name for a in sys.argv[1:])]:
        one = tests.outcome(path)
        print(
            f"{path.name}: {one.marked} claims, {one.read} read, {one.judged} judged rightly, {len(one.false)} wrongly"
        )
        for said in (*one.false, *one.open):
            print("   ", said)
        marked, read = marked + one.marked, read + one.read
        judged, false = judged + one.judged, false + len(one.false)
    seconds = time.process_time() - started
    print(f"all: {marked} claims, {read} read, {judged} judged rightly, {false} wrongly, {seconds:.1f} s")
    return 1 if false else 0


if __name__ == "__main__":
    sys.exit(main())
