"""`python -m backproof`."""

from __future__ import annotations

import sys

from backproof.cli import main

if __name__ == "__main__":
    sys.exit(main())
