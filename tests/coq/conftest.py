"""Tests that need Coq are slow and say so; without Coq they are left out, as `backproof prove` leaves it out."""

from __future__ import annotations

import pytest

from backproof.coq import kernel


@pytest.fixture(scope="session")
def coq() -> str:
    """Coq's version; without Coq the test is left out."""
    version = kernel.version()
    if version is None:
        pytest.skip(kernel.HOW_TO_INSTALL)
    return version
