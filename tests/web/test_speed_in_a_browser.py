"""How quick the explorer is for the person who uses it: the first page, a verdict, a slider."""

from __future__ import annotations

import time
from statistics import median, quantiles
from typing import Any

import pytest
from web.browsing import DESK, opened, quiet
from web.serving import Served, explorer

pytestmark = pytest.mark.slow

PAINTED = """() => new Promise((tell) => {
  const since = (e) => e.name === "first-contentful-paint" && tell(performance.now() - e.startTime);
  new PerformanceObserver((list) => list.getEntries().forEach(since)).observe({ type: "paint", buffered: true });
})"""
VERDICTS = """async (claims) => {
  const field = document.getElementById("claim"), times = [];
  for (const claim of claims) {
    const verdict = new Promise((told) => {
      const watcher = new MutationObserver(() => { watcher.disconnect(); told(performance.now()); });
      watcher.observe(document.getElementById("verdict"), { childList: true });
    });
    const start = performance.now();
    field.value = claim;
    field.dispatchEvent(new Event("input"));
    times.push((await verdict) - start);
    // What the verdict's reasons take is not its own time.
    await new Promise((on) => setTimeout(on, 30));
  }
  return times;
}"""
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
CLAIMS = [
    template.format(k)
    for k in range(2, 12)
    for template in ("(a - y) * a * (1 - a) / {}", "(a - y) + {0} - {0}", "{0}*(a - y)", "(a - y", "ŷ − y")
]


def first_paint(browser: Any) -> float:
    """Seconds from the start of the command to the first content that is painted."""
    context = browser.new_context(viewport=DESK)
    page = context.new_page()
    start = time.perf_counter()
    with explorer() as served:
        page.goto(served.address, wait_until="commit")
        since = page.evaluate(PAINTED)
        found = time.perf_counter() - start - since / 1000
        assert page.locator(".steps > li").count() == 4
    context.close()
    return found


def test_a_cold_start_paints_within_a_second(browser: Any) -> None:
    assert min(first_paint(browser) for _ in range(5)) < 1


def test_a_verdict_comes_at_once(browser: Any, served: Served) -> None:
    seen = opened(browser, served.address)
    seen.page.wait_for_selector("#verdict .judgement:has-text('extra-slope')")
    times = seen.page.evaluate(VERDICTS, CLAIMS)
    assert quantiles(times, n=20)[-1] < 100
    quiet(seen, served.address)


@pytest.mark.parametrize(
    ("query", "slider"),
    [
        ("", "slide-z"),
        ("", "slide-y"),
        ("?output=softmax&loss=cross-entropy", "slide-z₂"),
        ("?layers=2-3-3-3&hidden=gelu&output=softmax&loss=cross-entropy&layer=1", "slide-z₂"),
    ],
)
def test_sliders_keep_sixty_frames_a_second(browser: Any, served: Served, query: str, slider: str) -> None:
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
    gone = {name: after[name] - before[name] for name in after}
    assert median(times) <= 17
    # One layout a frame: nothing is measured between two changes.
    assert gone["LayoutCount"] <= 1.2 * len(times)
    work = gone["ScriptDuration"] + gone["LayoutDuration"] + gone["RecalcStyleDuration"]
    assert work / len(times) < 0.010
    quiet(seen, served.address)
