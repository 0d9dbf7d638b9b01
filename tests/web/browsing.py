"""Chromium for tests: pages opened, with what they complained about and whom they asked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@dataclass
class Seen:
    """A page, with what it complained about and whom it asked."""

    page: Any
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


def opened(browser: Any, address: str, size: dict[str, int] = DESK, **options: Any) -> Seen:
    context = browser.new_context(viewport=size, **options)
    seen = Seen(context.new_page())
    seen.page.on("console", lambda m: seen.errors.append(m.text) if m.type in ("error", "warning") else None)
    seen.page.on("pageerror", lambda e: seen.errors.append(str(e)))
    seen.page.on("request", lambda r: seen.asked.append(r.url))
    seen.page.goto(address)
    return seen


def quiet(seen: Seen, home: str) -> None:
    """Nothing was complained about, and nobody else was asked."""
    assert seen.errors == []
    assert [u for u in seen.asked if not u.startswith((home, "data:", "blob:"))] == []
