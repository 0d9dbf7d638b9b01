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
    printed = capsys.readouterr().out
    assert [line.rstrip() for line in printed.strip().split("\n")] == [
        line.rstrip() for line in expected.strip().split("\n")
    ]
