"""Pages and the explorer in Chromium: clicked through, measured on the screen, judged by axe-core."""

from __future__ import annotations

import json
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from web.browsing import DESK, PHONE, opened, quiet
from web.serving import Served

from backproof import catalog
from backproof.calculus.network import Network
from backproof.check.claims import check
from backproof.check.document.reader import check_document
from backproof.explain.findings import report_html
from backproof.explain.showing import show
from backproof.proof.derivation import derive
from backproof.proof.layer_derivation import derive_layer

pytestmark = pytest.mark.slow
NOTES = """# Notes

The output is $a = \\sigma(z)$ with the loss $J = -y \\ln a - (1 - y) \\ln(1 - a)$.
Then $\\frac{\\partial J}{\\partial z} = a - y$, and not $\\frac{\\partial J}{\\partial z} = (a - y) a (1 - a)$.
"""


@pytest.fixture
def lesson_page(tmp_path: Path) -> str:
    path = tmp_path / "lesson.html"
    path.write_text(show(derive(Network()), "html"), "utf-8")
    return path.as_uri()


def every_page(folder: Path) -> dict[str, str]:
    """The kinds of pages that the command line writes, by what they show."""
    layers = Network(sizes=("400", "25", "10"), reduction="mean", l2="lambda")
    texts = {
        "pair": show(derive(Network()), "html"),
        "layers": show(derive(layers), "html"),
        "softmax": show(derive(Network(output="softmax", loss="cross-entropy")), "html"),
        "attention": show(derive_layer(catalog.find_layer("attention")), "html"),
        "claims": show([c for t in ("(a-y)*a*(1-a)", "foo(", "a - y") for c in check(t, Network())], "html"),
        "document": report_html([check_document(NOTES, "notes.md", "markdown")]),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in texts}


EQUALS = """() => [...document.querySelectorAll(".steps")].map((steps) =>
  [...steps.querySelectorAll(".right > math > mo:first-child")].map((sign) => sign.getBoundingClientRect().left))"""


def test_equals_signs_stand_below_each_other(browser: Any, tmp_path: Path) -> None:
    counted = 0
    for name, address in every_page(tmp_path).items():
        for size in (DESK, PHONE):
            seen = opened(browser, address, size)
            for lefts in seen.page.evaluate(EQUALS):
                counted += len(lefts)
                assert max(lefts) - min(lefts) <= 1, name
            quiet(seen, "file:")
    assert counted > 60


@pytest.mark.parametrize("look", [{}, {"color_scheme": "dark"}, {"forced_colors": "active"}], ids=str)
def test_the_stroke_is_drawn(browser: Any, lesson_page: str, look: dict[str, str]) -> None:
    """Along the diagonal of a struck factor the pixels differ from the paper around it, and beside it they do not."""
    image = pytest.importorskip("PIL.Image")
    seen = opened(browser, lesson_page, device_scale_factor=3, **look)
    found = seen.page.locator("mrow.struck")
    assert found.count() == 4
    for k in range(4):
        picture = image.open(BytesIO(found.nth(k).screenshot())).convert("L")
        width, height = picture.size
        paper = picture.getpixel((2, 2))
        # A narrow band around the line from the lower left to the upper right corner.
        inked = 0
        for x in range(2, width - 2):
            y = round((height - 1) * (1 - x / (width - 1)))
            near = [picture.getpixel((x, min(height - 1, max(0, y + d)))) for d in (-2, -1, 0, 1, 2)]
            inked += max(abs(value - paper) for value in near) > 60
        assert inked > 0.8 * (width - 4)
        # Without the stroke the row has its letters alone.
        seen.page.add_style_tag(content=".struck { background-image: none !important; }")
        plain = image.open(BytesIO(found.nth(k).screenshot())).convert("L")
        assert picture.tobytes() != plain.tobytes()
        seen.page.evaluate("document.head.lastElementChild.remove()")


def test_a_page_is_complete_without_a_script(browser: Any, lesson_page: str) -> None:
    seen = opened(browser, lesson_page, java_script_enabled=False)
    assert seen.page.locator(".steps > li").count() == 4
    assert "a and 1 − a cancel" in seen.page.inner_text("main")
    assert seen.page.locator("math").first.bounding_box()["height"] > 10


def test_pages_fit_a_phone(browser: Any, tmp_path: Path) -> None:
    for name, address in every_page(tmp_path).items():
        seen = opened(browser, address, PHONE)
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], name
        quiet(seen, "file:")


def test_forced_colours_keep_strokes_and_verdicts(browser: Any, lesson_page: str) -> None:
    seen = opened(browser, lesson_page, forced_colors="active")
    style = "getComputedStyle(document.querySelector('mrow.struck')).backgroundImage"
    assert "linear-gradient" in seen.page.evaluate(style)
    assert seen.page.locator(".verdict").first.is_visible()


def test_print_keeps_everything(browser: Any, lesson_page: str) -> None:
    seen = opened(browser, lesson_page)
    assert seen.page.pdf()[:5] == b"%PDF-"
    seen.page.emulate_media(media="print")
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    seen.page.emulate_media(media="print")
    assert seen.page.locator(".steps > li").count() == 4


def test_the_pair_is_changed_and_the_verdict_recomputed(browser: Any, served: Served) -> None:
    seen = opened(browser, served.address)
    page = seen.page
    page.wait_for_selector("#verdict .refuted-card:has-text('extra-slope')")
    page.select_option("select[name=loss]", "half-mse")
    page.wait_for_selector("#verdict .proved-card")
    assert page.inner_text("#title") == "sigmoid with half-mse"
    page.wait_for_function("() => location.search.includes('loss=half-mse')")
    page.reload()
    page.wait_for_selector("#verdict .proved-card")
    assert page.input_value("select[name=loss]") == "half-mse"
    page.select_option("select[name=output]", "softmax")
    page.select_option("select[name=loss]", "cross-entropy")
    page.wait_for_selector("#title:has-text('softmax with cross-entropy')")
    assert "unit" not in page.inner_text("#said")
    assert page.locator("#sliders input").count() == 4
    quiet(seen, served.address)


def test_a_formula_is_refused_with_a_caret(browser: Any, served: Served) -> None:
    seen = opened(browser, served.address)
    seen.page.fill("#claim", "(a - y")
    seen.page.wait_for_selector("#verdict .unread-card")
    assert "^" in seen.page.inner_text("#verdict pre >> nth=1")
    for spelling in ("ŷ − y", "\\hat{y} - y", "yhat - y"):
        seen.page.fill("#claim", spelling)
        seen.page.wait_for_selector("#verdict .proved-card")
        seen.page.fill("#claim", "")
        seen.page.wait_for_selector("#verdict .proved-card", state="detached")
    quiet(seen, served.address)


def test_sliders_move_the_numbers(browser: Any, served: Served) -> None:
    seen = opened(browser, served.address)
    page = seen.page
    page.wait_for_selector("#slide-z")
    page.fill("#slide-z", "0")
    page.fill("#slide-y", "1")
    page.wait_for_function("() => document.getElementById('numbers').textContent.includes('δ = −0.5000')")
    assert "a = 0.5000" in page.inner_text("#numbers").replace("\xa0", " ")
    assert "J = 0.6931" in page.inner_text("#numbers")
    assert "agrees" in page.inner_text("#difference")
    quiet(seen, served.address)


def test_a_document_is_judged_in_place(browser: Any, served: Served) -> None:
    seen = opened(browser, served.address)
    seen.page.click("#read")
    seen.page.wait_for_selector("#verdicts li")
    assert seen.page.locator("#verdicts > ol > li > .verdict").all_inner_texts() == ["✓ proved", "✗ refuted"]
    quiet(seen, served.address)


def test_training_starts_stops_and_tells(browser: Any, served: Served) -> None:
    seen = opened(browser, served.address + "?layers=2-5-4-1&hidden=tanh")
    page = seen.page
    page.click("#train")
    page.wait_for_selector("#progress:has-text('step')")
    page.click("#stop")
    assert page.inner_text("#progress") == "stopped"
    page.click("#train")
    page.wait_for_selector("#progress:has-text('done after 600 steps')", timeout=60_000)
    assert "Trained: 2-5-4-1, by 20 equations, all proved." in page.inner_text("#trained")
    assert "bce learns faster" in page.inner_text("#because")
    assert page.locator("#errors path.c1").count() >= 1
    assert page.locator("#sizes tr").all_inner_texts()[0].split("\t")[1:] == ["bce", "half-mse"]
    assert [row.split("\t")[0] for row in page.locator("#sizes tr").all_inner_texts()[1:]] == [
        "output layer",
        "hidden layer 2",
        "hidden layer 1",
    ]
    checked = page.inner_text("#checked")
    assert "step 600" in checked
    assert (checked.count("✓"), checked.count("✗")) == (2, 0)
    quiet(seen, served.address)


def test_training_ends_with_the_page(browser: Any, served: Served) -> None:
    seen = opened(browser, served.address)
    asked = f"{served.address}api/train?layers=2-32-32-32-1&hidden=mish&loss=focal"
    # Two streams at most: a third is refused, and let in again once the page of the first two is gone.
    streams = (
        "(u) => { window.open_ = [1, 2].map(() => new EventSource(u)); "
        "return Promise.all(window.open_.map((s) => new Promise((r) => { s.onmessage = r; }))).then(() => 'two'); }"
    )
    assert seen.page.evaluate(streams, asked) == "two"
    seen.page.close()
    again = opened(browser, served.address)
    again.page.wait_for_timeout(500)
    again.page.click("#train")
    again.page.wait_for_selector("#progress:has-text('step')")


def test_hidden_layers_have_curves_too(browser: Any, served: Served) -> None:
    seen = opened(browser, served.address + "?layers=n-h-h-k&output=softmax&loss=cross-entropy")
    page = seen.page
    page.wait_for_selector("#layer-choice", state="visible")
    assert page.locator("#layer option").all_inner_texts() == ["output", "hidden 2", "hidden 1"]
    page.select_option("#layer", "1")
    page.wait_for_selector("label:has-text('z₁⁽¹⁾')")
    page.wait_for_function("() => location.search.includes('layer=1')")
    before = page.get_attribute("#plot path.c1", "d")
    page.fill("#slide-z₂", "3")
    page.wait_for_function(f"() => document.querySelector('#plot path.c1').getAttribute('d') !== {json.dumps(before)}")
    assert "agrees" in page.inner_text("#difference")
    page.reload()
    page.wait_for_selector("label:has-text('z₁⁽¹⁾')")
    quiet(seen, served.address)


def test_a_saved_page_still_works(browser: Any, served: Served, tmp_path: Path) -> None:
    seen = opened(browser, served.address + "?z=2&y=1")
    seen.page.wait_for_selector("#verdict .judgement")
    with seen.page.expect_download() as waiting:
        seen.page.click("#save")
    path = tmp_path / "saved.html"
    waiting.value.save_as(path)
    quiet(seen, served.address)
    again = opened(browser, path.as_uri())
    again.page.wait_for_selector("#offline", state="visible")
    assert again.page.input_value("#slide-z") == "2"
    assert "refuted" in again.page.inner_text("#verdict")
    again.page.fill("#slide-z", "0")
    again.page.wait_for_function("() => document.getElementById('numbers').textContent.includes('δ = −0.5000')")
    quiet(again, "file:")


def test_copies(browser: Any, served: Served) -> None:
    address = served.address + "?layers=n-h-k&output=softmax&loss=cross-entropy&reduction=mean"
    seen = opened(browser, address, permissions=["clipboard-read", "clipboard-write"])
    for kind, words in (
        ("LaTeX", "\\frac{\\partial J}{\\partial W^{(1)}}"),
        ("Markdown", "## Biases of layer 1"),
        ("NumPy", "dW1 = delta1 @ X.T"),
        ("Coq", "Theorem dW1"),
    ):
        seen.page.click(f"[data-copy={kind}]")
        seen.page.wait_for_selector(f"#said:has-text('{kind} copied')", timeout=60_000)
        assert words in seen.page.evaluate("navigator.clipboard.readText()")


def test_the_keyboard_reaches_everything(browser: Any, served: Served) -> None:
    seen = opened(browser, served.address + "?layers=n-h-k")
    page = seen.page
    page.wait_for_selector("#verdict .judgement")
    name = "(e) => e.id || e.name || e.dataset?.copy || ''"
    controls = "button:not([disabled]):not(.without-script), select, input, textarea"
    wanted = set(page.evaluate(f"[...document.querySelectorAll('{controls}')].map({name})"))
    reached: set[str] = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(f"({name})(document.activeElement)"))
    assert wanted <= reached
    page.focus("#slide-z")
    before = page.inner_text("#numbers")
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"() => document.getElementById('numbers').innerText !== {json.dumps(before)}")
    page.focus("#train")
    page.keyboard.press("Enter")
    page.wait_for_selector("#progress:has-text('step')")


def test_the_explorer_fits_a_phone_and_works_without_a_script(browser: Any, served: Served) -> None:
    for query in ("", "?output=softmax&loss=cross-entropy&layers=n-h-k"):
        seen = opened(browser, served.address + query, PHONE)
        seen.page.wait_for_selector("#verdict .judgement")
        seen.page.click("#read")
        seen.page.wait_for_selector("#verdicts li")
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    seen = opened(browser, served.address, java_script_enabled=False)
    seen.page.select_option("select[name=loss]", "mse")
    seen.page.click("button.without-script")
    assert "sigmoid with mse" in seen.page.inner_text("h1")
    assert seen.page.locator(".steps > li").count() >= 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser: Any, served: Served, tmp_path: Path, scheme: str) -> None:
    package = find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        pytest.skip("axe-core is not installed")
    axe = (Path(package.origin).parent / "axe.min.js").read_text("utf-8")
    pages = every_page(tmp_path)
    live = (served.address, served.address + "?layers=n-h-k&output=softmax&loss=cross-entropy")
    looks = [(address, size) for address in live for size in (DESK, PHONE)]
    looks += [(pages["pair"], DESK), (pages["document"], PHONE), (pages["attention"], PHONE)]
    for address, size in looks:
        seen = opened(browser, address, size, color_scheme=scheme, bypass_csp=True)
        if address in live:
            seen.page.wait_for_selector("#verdict .judgement")
        seen.page.evaluate(axe)
        found = seen.page.evaluate("axe.run()")
        grave = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
        assert [(v["id"], v["nodes"][0]["html"]) for v in grave] == []
        seen.page.context.close()
