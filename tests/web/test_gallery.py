from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from explain.mathml_core import core
from web.browsing import DESK, PHONE, opened, quiet

from backproof import catalog
from backproof.web.gallery import write_gallery


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    write_gallery(folder)
    return folder


@pytest.mark.slow
def test_every_entry_has_its_page(folder: Path) -> None:
    names = {p.stem for p in folder.glob("*.html")}
    assert names == {
        "index",
        "courses",
        "proved",
        *(f"activation-{a.name}" for a in catalog.activations() if not a.abstract),
        *(f"loss-{entry.name}" for entry in catalog.losses() if not entry.abstract),
        *(f"layer-{layer.name}" for layer in catalog.layers()),
    }


@pytest.mark.slow
def test_a_page_says_all_that_is_known(folder: Path) -> None:
    for page in folder.glob("*-*.html"):
        text = page.read_text("utf-8")
        kind = page.stem.split("-")[0]
        wanted = {
            "activation": ("definition", "kink", "source", "<svg", "with half-mse"),
            "loss": ("definition", "kink", "target", "source", "<svg", "Error of the last layer"),
            "layer": ("source", "Result", "Given"),
        }[kind]
        if kind == "activation" and catalog.is_axiom(page.stem.removeprefix("activation-")):
            wanted = wanted[1:]
        assert [word for word in wanted if word not in text] == [], page.name
        assert 'class="verdict proved"' in text
        assert 'class="verdict refuted"' not in text, page.name
        assert 'class="verdict unknown"' not in text, page.name
    text = (folder / "activation-mish.html").read_text("utf-8")
    assert "computed as" in text
    assert "its slope as" in text


@pytest.mark.slow
def test_pages_in_a_browser(folder: Path, browser: Any) -> None:
    for name in ("index", "courses", "proved", "activation-gelu", "loss-focal", "layer-attention"):
        for size in (DESK, PHONE):
            seen = opened(browser, (folder / f"{name}.html").as_uri(), size)
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= size["width"], name
            quiet(seen, folder.as_uri())


@pytest.mark.slow
def test_every_link_leads_to_a_page_and_nothing_leads_away(folder: Path) -> None:
    for page in folder.glob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r" (?:src|srcset|action)=|@import|url\(", text)
        for target in re.findall(r"""href=["']([^"']+)""", text):
            if target == "data:,":
                continue
            assert (folder / target).is_file(), (page.name, target)
        ids = re.findall(r' id="([^"]+)"', text)
        assert len(ids) == len(set(ids)), page.name


@pytest.mark.slow
def test_every_formula_and_every_plot_is_well_formed(folder: Path) -> None:
    formulas = plots = 0
    for page in folder.glob("*.html"):
        text = page.read_text("utf-8")
        for found in re.findall(r"<math.*?</math>|<svg.*?</svg>", text, re.DOTALL):
            root = core(found) if found.startswith("<math") else ET.fromstring(found)
            formulas += root.tag == "math"
            plots += root.tag == "svg"
            assert "nan" not in found.split(">", 1)[1]
    assert formulas > 1_000
    entries = (*catalog.activations(), *catalog.losses())
    assert plots == sum(not entry.abstract for entry in entries) + 2


@pytest.mark.slow
def test_the_courses_are_each_right_once(folder: Path) -> None:
    text = (folder / "courses.html").read_text("utf-8")
    verdicts = re.findall(r"judgement (proved|refuted|unknown|unread)-card", text)
    assert verdicts == ["proved", "refuted", "refuted", "proved"]


@pytest.mark.slow
def test_nothing_in_the_table_of_pairs_is_refuted(folder: Path) -> None:
    text = (folder / "proved.html").read_text("utf-8")
    pairs = sum(len(entry.pairs_with) for entry in catalog.losses())
    assert text.count('class="verdict proved"') == pairs + len(catalog.layers())
    assert 'class="verdict refuted"' not in text
