"""What the README shows is what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from backproof.cli import main

README = Path(__file__).parents[2] / "README.md"
SHOWN = re.findall(r"```console\n\$ backproof (.+?)\n(.+?)```", README.read_text("utf-8"), re.DOTALL)


def test_something_is_shown():
    assert len(SHOWN) >= 2


@pytest.mark.parametrize(("command", "expected"), SHOWN)
def test_the_output_was_really_produced(command, expected, capsys):
    main(shlex.split(command))
    assert lines(capsys.readouterr().out) == lines(expected)


def lines(text):
    # A loaded machine may leave no time for the proof that the cause is the cause.
    return [line.rstrip().replace("likely cause, proved:", "likely cause:") for line in text.strip().split("\n")]
