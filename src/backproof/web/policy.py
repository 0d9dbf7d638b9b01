"""What the explorer's page may do, as its server says it."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Final

ASSETS: Final = Path(__file__).parent / "assets"


@cache
def own(name: str) -> str:
    """A text file of the explorer."""
    return (ASSETS / name).read_text("utf-8")


@cache
def policy() -> str:
    """What the page may do: run its own script, ask its own server, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(own("explorer.js").encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; font-src data:; "
        "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'self'"
    )
