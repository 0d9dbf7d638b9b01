from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from web.browsing import CHROMIUM, chromium
from web.serving import Served, explorer


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    pytest.importorskip("uvicorn")
    with explorer() as running:
        yield running
