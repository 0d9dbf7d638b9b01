"""Running a person's file: in a process of its own, with limits of time and memory, its output caught."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from backproof.check.code.verdicts import CodeReport, GradientVerdict
from backproof.errors import FileError, UsageError

TIME: Final = 60.0
MEMORY: Final = 6 * 2**30
MOST_OUTPUT: Final = 4_000


def check_file(target: str, *, seconds: float = TIME, memory: int = MEMORY) -> dict[str, Any]:
    """Judge `FILE.py` or `FILE.py:NAME` in a process of its own; the report as data, with what the file printed.

    Raises FileError when the file cannot be read, and UsageError when it has none of the functions that are needed.
    """
    path, name = split(target)
    if not path.is_file():
        raise FileError("there is no such file", got=str(path))
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "report.json"
        command = [sys.executable, "-m", "backproof.check.code.child", str(path), name or "", str(answer), str(memory)]
        environment = os.environ | {
            "PYTHONPATH": _search_path(),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"),
        }
        output = Path(folder) / "output.txt"
        with output.open("wb") as sink:
            process = subprocess.Popen(  # noqa: S603 - the person named this file to be run
                [*command, str(seconds)],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=environment,
                start_new_session=True,
            )
            try:
                code = process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        printed = output.read_bytes()[-MOST_OUTPUT:].decode("utf-8", "replace")
        if answer.is_file():
            data: dict[str, Any] = json.loads(answer.read_text("utf-8"))
        elif code is None:
            data = _stopped(str(path), f"it did not finish within {seconds:g} seconds")
        else:
            data = _stopped(str(path), _ended(code, printed))
    if "error" in data:
        raise UsageError(data["error"], expected=data.get("expected"), got=data.get("got"), next=data.get("next"))
    if printed.strip():
        data["notes"].append("the file printed: " + " ".join(printed.split())[:200])
    return data


def split(target: str) -> tuple[Path, str | None]:
    """A file and the name in it: `net.py:backward`."""
    head, colon, tail = target.rpartition(":")
    if colon and head.endswith(".py") and tail.isidentifier():
        return Path(head), tail
    return Path(target), None


def _search_path() -> str:
    own = str(Path(__file__).resolve().parents[3])
    before = os.environ.get("PYTHONPATH")
    return own + (os.pathsep + before if before else "")


def _stopped(file: str, because: str) -> dict[str, Any]:
    report = CodeReport(file, (GradientVerdict("backward", "unread", because=because),))
    return report.data()


def _ended(code: int, printed: str) -> str:
    last = printed.strip().splitlines()[-1:] or [""]
    if code < 0:
        return f"the process was ended by signal {-code}: {last[0]}"[:300]
    return f"the process ended with code {code}: {last[0]}"[:300]
