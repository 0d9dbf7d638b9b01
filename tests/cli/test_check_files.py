"""Tests of `backproof check FILE`: formats, exit codes, options and errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backproof.cli import main

RIGHT = "Let $f(x) = x^2$. Then $\\frac{df}{dx} = 2x$.\n"
WRONG = RIGHT + "\nAnd $\\frac{df}{dx} = 4x$.\n"
OPEN = RIGHT + "\nAnd $\\frac{df}{dx} = \\ldots$.\n"


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("right.md", RIGHT), ("wrong.md", WRONG), ("open.md", OPEN), ("none.md", "words\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "sheet.bp").write_text("input u\nq = u^2\ndq/du = 3 u\n", encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["right.md"], 0),
        (["wrong.md"], 1),
        (["open.md"], 3),
        (["open.md", "--fail-on", "refuted"], 0),
        (["open.md", "--fail-on", "unknown"], 3),
        (["right.md", "wrong.md"], 1),
        (["none.md"], 0),
        (["sheet.bp"], 1),
        (["missing.md"], 2),
        (["right.md", "--only", "nothing"], 2),
        (["right.md", "--fail-on", "rain"], 2),
    ],
)
def test_exit_codes(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *arguments]) == code
    out, err = capsys.readouterr()
    assert bool(err) == (code == 2)
    assert bool(out) == (code != 2)


@pytest.mark.usefixtures("notes")
def test_text_names_place_cause_and_right_formula(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "wrong.md", "sheet.bp"])
    out = capsys.readouterr().out
    assert "wrong.md:3:6: ✗ refuted  \\frac{df}{dx} = 4x" in out
    assert "factor: a factor 2 too much" in out
    assert "sheet.bp:3:1: ✗ refuted  dq/du = 3 u" in out
    assert "    dq/du = 3 u\n    ^\n" in out
    assert "correct:" in out
    assert out.endswith("3 claims about derivatives found, 3 understood: 1 proved, 2 refuted\n")


@pytest.mark.usefixtures("notes")
def test_json_keeps_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "wrong.md", "open.md", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["summary"] == {"proved": 2, "refuted": 1, "unknown": 0, "unread": 1}
    wrong = data["claims"][1]
    assert wrong["where"] == {"file": "wrong.md", "line": 3, "column": 6}
    assert wrong["verdict"] == "refuted"
    assert wrong["mistakes"][0]["name"] == "factor"
    assert wrong["witness"]
    assert data["claims"][3]["because"]


@pytest.mark.usefixtures("notes")
def test_only_shows_what_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "wrong.md", "--json", "--only", "refuted"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert [c["verdict"] for c in data["claims"]] == ["refuted"]
    assert data["summary"]["proved"] == 1


def test_github_annotations_are_escaped(notes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (notes / "a,b%.md").write_text(WRONG + OPEN, encoding="utf-8")
    main(["check", "a,b%.md", "--format", "github"])
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].startswith("::error file=a%2Cb%25.md,line=3,col=6,title=backproof%3A factor::")
    assert any(row.startswith("::warning ") for row in rows)
    assert rows[-1].startswith("::notice ")
    assert all(row.startswith("::") for row in rows)


def test_pages_and_tables_hold_the_text_as_text(notes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (notes / "x.md").write_text(WRONG.replace("4x", "4x \\text{<script>alert(1)</script>}"), encoding="utf-8")
    main(["check", "x.md", "--format", "html"])
    page = capsys.readouterr().out
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert "x.md" in page
    assert "&lt;script&gt;" in page
    main(["check", "x.md", "--format", "markdown"])
    assert "| 3 |" in capsys.readouterr().out


def test_no_document_drives_the_terminal(notes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (notes / "evil.md").write_text("$\\frac{df}{dx} = \x1b[31m 3 \u202e$\n", encoding="utf-8")
    main(["check", "evil.md"])
    assert "\x1b" not in capsys.readouterr().out


def test_other_encodings_are_read(notes: Path) -> None:
    (notes / "latin.md").write_bytes(("é " + RIGHT).encode("latin-1"))
    (notes / "bom.md").write_bytes(b"\xef\xbb\xbf" + RIGHT.encode())
    assert main(["check", "latin.md", "bom.md"]) == 0
