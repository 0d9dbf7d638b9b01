"""Sliders: one layout for each frame."""

from __future__ import annotations

from typing import Any

import pytest
from web.browsing import opened, quiet
from web.serving import Served

pytestmark = pytest.mark.slow

SLIDE = """async (id) => {
  const slider = document.getElementById(id), low = +slider.min, high = +slider.max, times = [];
  let last = await new Promise(requestAnimationFrame);
  for (let k = 0; k < 120; k++) {
    slider.value = low + (high - low) * (k % 60) / 60;
    slider.dispatchEvent(new Event("input"));
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
  }
  return times;
}"""


@pytest.mark.parametrize(
    ("query", "slider"),
    [
        ("", "slide-z"),
        ("", "slide-y"),
        ("?output=softmax&loss=cross-entropy", "slide-z₂"),
        ("?layers=2-3-3-3&hidden=gelu&output=softmax&loss=cross-entropy&layer=1", "slide-z₂"),
    ],
)
def test_nothing_is_measured_between_two_changes_of_a_frame(
    browser: Any, served: Served, query: str, slider: str
) -> None:
    seen = opened(browser, served.address + query)
    seen.page.wait_for_selector("#verdict .judgement")
    if "layer=" in query:
        seen.page.wait_for_selector("label:has-text('⁽¹⁾')")
    watcher = seen.page.context.new_cdp_session(seen.page)
    watcher.send("Performance.enable")

    def spent() -> dict[str, float]:
        return {m["name"]: m["value"] for m in watcher.send("Performance.getMetrics")["metrics"]}

    before = spent()
    times = seen.page.evaluate(SLIDE, slider)
    after = spent()
    assert after["LayoutCount"] - before["LayoutCount"] <= 1.2 * len(times)
    quiet(seen, served.address)
