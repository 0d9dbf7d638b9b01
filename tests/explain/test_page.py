"""Pages: one file, well-formed, small, with no address in it and every step said in words."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from backproof.calculus.network import Network
from backproof.check.claims import check
from backproof.explain.lesson import lesson
from backproof.explain.showing import show
from backproof.proof.derivation import derive

VOID = {"meta", "link", "input", "br"}
HUNDRED_KB = 100 * 1024


class Reader(HTMLParser):
    """Tags in balance, the attributes that could ask for something, and ids."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "action", "srcset", "data"):
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")
            assert not name.startswith("on")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize(
    "network",
    [
        Network(),
        Network(output="softmax", loss="cross-entropy"),
        Network(sizes=("400", "25", "10"), reduction="mean", l2="lambda"),
        Network(sizes=("n", "h", "h", "k"), symbolic_depth=True, hidden="f", output="softmax", loss="cross-entropy"),
    ],
    ids=str,
)
def test_a_derivation_is_one_small_file_that_asks_for_nothing(network: Network) -> None:
    derivation = derive(network)
    page = show(derivation, "html")
    reader = read(page)
    assert len(page.encode()) <= HUNDRED_KB
    assert [a for a in reader.addresses if not a.startswith(("data:", "#"))] == []
    assert "http" not in page.split("</style>")[1]
    assert "@import" not in page
    assert page.count("url(") == page.count('url("data:font/woff2;base64,') == 1
    assert "script" not in reader.tags
    assert sorted(reader.ids) == sorted(e.name for e in derivation.equations)


def test_every_step_has_its_reason_its_verdict_and_a_sentence() -> None:
    derivation = derive(Network())
    page = show(derivation, "html")
    for number, step in enumerate(derivation.steps, start=1):
        assert f"Step {number}: delta equals" in page
        assert step.why in page
    body = page.split("<body>")[1]
    assert body.count('class="verdict proved"') == len(derivation.steps) + 1
    assert "cancelled factor number 1 a" in page


def test_conditions_and_the_general_form_are_shown() -> None:
    told = lesson(derive(Network(output="softmax", loss="cross-entropy")))
    assert told.passages[0].general is not None
    page = show(derive(Network(output="softmax", loss="cross-entropy")), "html")
    assert "needs" in page
    assert "without it" in page


def test_claims_as_a_page() -> None:
    texts = ["(a - y) a (1 - a)", "a - y", "foo bar(", "</code><script>alert(1)</script>"]
    page = show([c for t in texts for c in check(t, Network())], "html")
    reader = read(page)
    assert "script" not in reader.tags
    assert page.count("<article") == 4
    for word in ("refuted", "proved", "not understood", "extra-slope", "sigmoid with half-mse"):
        assert word in page
