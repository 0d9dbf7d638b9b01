"""`python -m backproof`: the command line in a process of its own."""

from __future__ import annotations

import gc
import sys
from typing import Final

from backproof.cli import main

OBJECTS: Final = 50_000


def run() -> int:
    """One command, after which the process ends."""
    # A command makes many objects and few cycles: to look for cycles after every 700 objects takes time for nothing.
    gc.set_threshold(OBJECTS, 20, 20)
    code = main()
    # All memory goes back with the process: nobody has to look for cycles in it first.
    gc.freeze()
    return code


if __name__ == "__main__":
    sys.exit(run())
