"""The door: exit codes, streams and errors, mostly without any mathematics."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from backproof import cli
from backproof.cli import failures, options, parsing
from backproof.errors import FormulaError, LimitError, Place, UsageError


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What standard error says of a call that cannot be read; standard output must be silent."""
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return err


def test_no_argument_is_a_question_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in cli.COMMANDS)


@pytest.mark.parametrize("command", sorted(cli.COMMANDS))
def test_every_command_has_help_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"  backproof {command}" in out.split("examples:")[1]
    assert "--json" in out


def test_help_wins_over_anything_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--nonsense", "--help"]) == 0
    assert "usage" in capsys.readouterr().out


def test_an_unknown_command_is_shown_in_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    err = refused(capsys, "derve", "--loss", "bce")
    lines = err.splitlines()
    assert lines[0] == "error: there is no command 'derve'"
    assert lines[1].index("derve") == lines[2].index("^^^^^")
    assert "one of derive, check, " in err


def test_an_unknown_option_names_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    err = refused(capsys, "derive", "--outptu", "sigmoid")
    assert "expected: --output" in err
    assert "next:     backproof derive --help" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("derive", "--reduction", "median"),
        ("derive", "--layout", "diagonal"),
        ("derive", "--format", "pdf"),
        ("derive", "--output"),
        ("derive", "surplus"),
        ("check",),
        ("catalog", "wines"),
        ("derive", "--layers", "3"),
        ("derive", "--layers", "3-x-"),
        ("derive", "--layers", "n-h..k"),
        ("derive", "--layers", "-".join(["2"] * 5000)),
        ("derive", "--output", "sigmod"),
        ("derive", "--loss", "bcee"),
        ("derive", "--layers", "n-h-k", "--hidden", "relux"),
        ("derive", "--layers", "n-h-k", "--l2", "1/0"),
        ("derive", "--layers", "n-h-k", "--l2", "λ μ"),
        ("derive", "--of", "delta_7"),
    ],
)
def test_a_call_that_cannot_be_read_exits_2_with_one_error(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    err = refused(capsys, *arguments)
    assert err.startswith("error: ")
    assert err.count("error: ") == 1
    assert len(err) < 3000


def test_a_misspelt_activation_is_marked_in_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = refused(capsys, "derive", "--output", "sigmod").splitlines()
    assert lines[1].index("sigmod") == lines[2].index("^^^^^^")
    assert "sigmoid" in lines[-1]


def test_an_output_file_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    err = refused(capsys, "catalog", "layers", "-o", "/no/such/folder/x.txt")
    assert err.startswith("error: the file cannot be written")


def test_an_internal_error_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(arguments: list[str]) -> int:
        raise RuntimeError("a\nbug \x1b[31m")

    monkeypatch.setattr(cli, "_run", broken)
    monkeypatch.delenv("BACKPROOF_DEBUG", raising=False)
    err = refused(capsys, "derive")
    assert err.startswith("internal error: RuntimeError: a")
    assert err.count("\n") == 1
    assert "\x1b" not in err


def test_an_interrupt_is_quiet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupted)
    assert cli.main(["derive"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    line = [sys.executable, "-m", "backproof", "catalog"]
    run = subprocess.run(line, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert run.returncode == 141
    assert run.stderr == b""


def test_ascii_streams_are_served() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    line = [sys.executable, "-m", "backproof", "catalog", "losses"]
    run = subprocess.run(line, capture_output=True, check=False, env=environment)
    assert run.returncode == 0
    assert run.stdout.isascii()


def test_errors_show_the_line_of_a_longer_text() -> None:
    text = "a = 1\nb = (2\nc = 3"
    error = FormulaError(
        "a parenthesis is not closed", place=Place(text, 10, 11, "sheet.bp"), expected=")", got="a line end"
    )
    assert failures.explained(error).splitlines() == [
        "error: a parenthesis is not closed",
        "  in sheet.bp, line 2, column 5:",
        "    b = (2",
        "        ^",
        "  expected: )",
        "  got:      a line end",
    ]


def test_control_characters_never_reach_the_terminal() -> None:
    error = UsageError("bad \x1b]0;title\x07", got="\x1b[2J")
    assert "\x1b" not in failures.explained(error)
    assert "\x07" not in failures.explained(error)


def test_a_claim_may_start_with_a_minus() -> None:
    parser = parsing.CommandParser("check", "judge", examples="")
    parser.add_argument("claims", nargs="+")
    parser.add_argument("-o", dest="file")
    read = parser.read(["-(y-a)/a", "-y*log(a)", "-o", "x.txt"])
    assert read is not None
    assert [claim.strip() for claim in read.claims] == ["-(y-a)/a", "-y*log(a)"]
    assert read.file == "x.txt"


def test_texts_are_bounded() -> None:
    assert options.bounded(" a - y ", "the claim") == "a - y"
    with pytest.raises(LimitError):
        options.bounded("x" * 300_000, "the claim")
