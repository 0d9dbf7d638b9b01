"""What `backproof explore` refuses before it serves; the explorer itself is tested in tests/web."""

from __future__ import annotations

import socket

import pytest

from backproof.cli import explore, main


@pytest.mark.parametrize("port", ["70000", "-1", "http", ""])
def test_a_port_that_is_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", f"--port={port}"]) == 2
    assert "no port" in capsys.readouterr().err


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("uvicorn")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["explore", "--port", str(taken.getsockname()[1])]) == 2
    assert "cannot be used" in capsys.readouterr().err


def test_a_package_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(explore, "NEEDED", ("no_such_package",))
    assert main(["explore"]) == 2
    said = capsys.readouterr().err
    assert "no_such_package" in said
    assert "pip install 'backproof[web]'" in said
