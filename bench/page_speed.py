"""How quick the explorer is for the person who uses it: the first page, a verdict, a slider; in Chromium."""

# The browser's driver is Any here, and the tests' browser is found beside the tests.
# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from web.browsing import DESK, chromium, opened
from web.serving import explorer

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


SLIDERS = [
    ("", "slide-z"),
    ("", "slide-y"),
    ("?output=softmax&loss=cross-entropy", "slide-z₂"),
    ("?layers=2-3-3-3&hidden=gelu&output=softmax&loss=cross-entropy&layer=1", "slide-z₂"),
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
    context.close()
    return found


def main() -> None:
    """Print the times of all three."""
    with chromium() as browser:
        starts = sorted(first_paint(browser) for _ in range(5))
        print(f"cold start to the first paint: {starts[0]:.2f} to {starts[-1]:.2f} s (5 starts)")
        with explorer() as served:
            page = opened(browser, served.address).page
            page.wait_for_selector("#verdict .judgement:has-text('extra-slope')")
            times = page.evaluate(VERDICTS, CLAIMS)
            most = quantiles(times, n=20)[-1]
            print(f"verdict: median {median(times):.0f} ms, 95 % within {most:.0f} ms ({len(times)} claims)")
            for query, slider in SLIDERS:
                page = opened(browser, served.address + query).page
                page.wait_for_selector("#verdict .judgement")
                if "layer=" in query:
                    page.wait_for_selector("label:has-text('⁽¹⁾')")
                frames = page.evaluate(SLIDE, slider)
                print(f"{slider} {query or '(first page)'}: median frame {median(frames):.1f} ms")


if __name__ == "__main__":
    main()
