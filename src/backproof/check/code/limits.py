"""Limits: a person's functions that do not come to an end, or fail, and the line where that happens."""

from __future__ import annotations

import signal
import threading
import time
import traceback
from collections.abc import Collection, Generator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Final

PATIENCE: Final = 60.0
ROUNDS: Final = 100


class OverdueError(BaseException):
    """The time is over. It is no Exception, so that nothing on the way takes it for a failure of a function."""


class Limit:
    """The time until which what runs has to come to an end."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.started = time.perf_counter()

    def extend(self, unit: float) -> None:
        """Leave the time for many calls of a function that takes `unit` seconds."""
        wanted = max(self.seconds, ROUNDS * unit)
        if wanted > self.seconds:
            self.seconds = wanted
            signal.setitimer(signal.ITIMER_REAL, max(1.0, wanted - (time.perf_counter() - self.started)))


@contextmanager
def limited(seconds: float = PATIENCE) -> Generator[Limit | None]:
    """A limit of time, where the system can interrupt and nobody else has asked it to: None where it cannot.

    Raises OverdueError inside.
    """
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
        or signal.getitimer(signal.ITIMER_REAL)[0]
    ):
        yield None
        return

    def stop(_: int, __: FrameType | None) -> None:
        raise OverdueError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield Limit(seconds)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def line_in(trace: TracebackType | None, files: Collection[str]) -> int | None:
    """The last line of these files that an error passed through."""
    found = [frame.lineno for frame in traceback.extract_tb(trace) if frame.filename in files]
    return found[-1] if found else None
