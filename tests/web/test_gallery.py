from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

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
    }


@pytest.mark.slow
def test_every_link_leads_to_a_page_and_nothing_leads_away(folder: Path) -> None:
    for page in folder.glob("*.html"):
        text = page.read_text("utf-8")
        for target in re.findall(r"""(?:href|src)=["']([^"']+)""", text):
            assert (folder / target).is_file(), (page.name, target)
        ids = re.findall(r' id="([^"]+)"', text)
        assert len(ids) == len(set(ids)), page.name


@pytest.mark.slow
def test_every_formula_and_every_plot_is_well_formed(folder: Path) -> None:
    formulas = plots = 0
    for page in folder.glob("*.html"):
        text = page.read_text("utf-8")
        for found in re.findall(r"<math.*?</math>|<svg.*?</svg>", text, re.DOTALL):
            root = ET.fromstring(found)
            formulas += root.tag == "math"
            plots += root.tag == "svg"
            assert "nan" not in found.split(">", 1)[1]
    assert formulas > 500
    assert plots == sum(a.elementwise and not a.abstract for a in catalog.activations())


@pytest.mark.slow
def test_the_courses_are_each_right_once(folder: Path) -> None:
    text = (folder / "courses.html").read_text("utf-8")
    verdicts = re.findall(r"judgement (proved|refuted|unknown|unread)-card", text)
    assert verdicts == ["proved", "refuted", "refuted", "proved"]


@pytest.mark.slow
def test_nothing_in_the_table_of_pairs_is_refuted(folder: Path) -> None:
    text = (folder / "proved.html").read_text("utf-8")
    assert text.count('class="verdict proved"') >= 30
    assert 'class="verdict refuted"' not in text
